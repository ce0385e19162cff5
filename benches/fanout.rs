//! One post to N sockets, beside a loop that writes the same bytes to N plain connections.
//!
//! `cargo bench --bench fanout [-- --quick]`. Lock step: the next message is sent when everybody has the last one. Ours
//! is stored and synced before anybody gets it; the bare loop stores nothing and knows no rooms.

mod figures;
mod house;

use figures::{Benched, is_quick, median, rounds, seconds};
use futures_util::{SinkExt, StreamExt};
use house::{House, http};
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

fn main() -> Benched {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    println!("sockets   hubbub fan-outs/s   bare loop fan-outs/s   ratio");
    for sockets in if is_quick() { vec![10, 50] } else { vec![10, 100, 500] } {
        let (mut ours, mut bare) = (Vec::new(), Vec::new());
        for _ in 0..rounds() {
            ours.push(runtime.block_on(hubbub(sockets))?);
            bare.push(runtime.block_on(bare_loop(sockets))?);
        }
        let (ours, bare) = (median(ours), median(bare));
        println!("{sockets:>7}   {ours:>17.0}   {bare:>20.0}   {:>5.2}", ours / bare);
    }
    Ok(())
}

async fn hubbub(sockets: usize) -> Benched<f64> {
    let house = House::open()?;
    let http = http()?;
    let owner = house.guest(&http, "owner").await?;
    let made: serde_json::Value = http
        .post(format!("{}/api/v1/rooms", house.base()))
        .header("cookie", &owner)
        .json(&serde_json::json!({ "kind": "channel", "name": "bench" }))
        .send()
        .await?
        .json()
        .await?;
    let room = made["id"].as_i64().ok_or("the channel was not made")?;
    let (heard, mut hears) = mpsc::unbounded_channel();
    let mut sender = join(&house, &owner, room).await?;
    for n in 1..sockets {
        let cookie = house.guest(&http, &format!("guest {n}")).await?;
        let mut socket = join(&house, &cookie, room).await?;
        let heard = heard.clone();
        tokio::spawn(async move {
            while let Some(Ok(frame)) = socket.next().await {
                if is_message(&frame) && heard.send(()).is_err() {
                    break;
                }
            }
        });
    }
    let (started, mut sent) = (Instant::now(), 0u32);
    while started.elapsed() < seconds() {
        sent += 1;
        let frame = format!(
            r#"{{"type":"send","id":{sent},"room":{room},"nonce":"{sent:032}","text":"{}"}}"#,
            "x".repeat(120)
        );
        sender.send(Message::text(frame)).await?;
        while !is_message(&sender.next().await.ok_or("the connection ended")??) {}
        for _ in 1..sockets {
            hears.recv().await;
        }
    }
    let rate = f64::from(sent) / started.elapsed().as_secs_f64();
    drop(sender);
    tokio::task::spawn_blocking(move || house.running.stop()).await??;
    Ok(rate)
}

async fn join(house: &House, cookie: &str, room: i64) -> Benched<Socket> {
    let mut request = format!("ws://{}/ws", house.running.address).into_client_request()?;
    request.headers_mut().insert("cookie", cookie.parse()?);
    let (mut socket, _) = connect_async(request).await?;
    socket.send(Message::text(format!(r#"{{"type":"join","id":0,"room":{room}}}"#))).await?;
    while !matches!(socket.next().await.ok_or("the connection ended")??, Message::Text(t) if t.contains(r#""type":"reply","id":0,"ok":true"#))
    {
    }
    Ok(socket)
}

fn is_message(frame: &Message) -> bool {
    matches!(frame, Message::Text(text) if text.starts_with(r#"{"type":"message""#))
}

async fn bare_loop(sockets: usize) -> Benched<f64> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (heard, mut hears) = mpsc::unbounded_channel();
    let mut writers = Vec::new();
    let bytes = [b'x'; 300];
    for _ in 0..sockets {
        let mut reader = TcpStream::connect(address).await?;
        let (writer, _) = listener.accept().await?;
        writer.set_nodelay(true)?;
        writers.push(writer);
        let heard = heard.clone();
        tokio::spawn(async move {
            let mut buffer = [0; 300];
            while reader.read_exact(&mut buffer).await.is_ok() && heard.send(()).is_ok() {}
        });
    }
    let (started, mut sent) = (Instant::now(), 0u32);
    while started.elapsed() < seconds() {
        sent += 1;
        for writer in &mut writers {
            writer.write_all(&bytes).await?;
        }
        for _ in 0..sockets {
            hears.recv().await;
        }
    }
    Ok(f64::from(sent) / started.elapsed().as_secs_f64())
}
