//! Watching a stream: by WebSocket and by events, from the first frame on, whoever is slow and whatever is restarted.

use crate::app::{App, spawn_app};
use crate::live::{make, png, push, until};
use crate::socket::Socket;
use crate::visitor::Visitor;
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

const DEADLINE: Duration = Duration::from_mins(1);

async fn with_stream() -> (App, Visitor, String) {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let key = make(&ann, "beam", &json!({ "public": true })).await;
    (app, ann, key)
}

async fn watch(app: &App) -> Socket {
    Socket::open_at(&app.origin(), "/live/beam/ws", &[]).await.unwrap()
}

async fn sample(app: &App, key: &str, n: i64) {
    push(app, "beam", key, "application/json", format!("{{\"n\":{n}}}")).await.is(200);
}

/// The next frame, which has to be a text.
async fn text(socket: &mut Socket, what: &str) -> Value {
    match socket.any(what).await {
        Some(Message::Text(text)) => serde_json::from_str(&text).unwrap(),
        other => panic!("{what}: {other:?}"),
    }
}

/// The next frames, which have to be a picture. Answers with the number of its sample.
async fn picture(socket: &mut Socket, wanted: &[u8]) -> Value {
    let announced = text(socket, "the announcement").await;
    assert_eq!((&announced["type"], &announced["mime"]), (&json!("picture"), &json!("image/png")));
    match socket.any("the picture").await {
        Some(Message::Binary(bytes)) => assert_eq!(bytes.to_vec(), wanted),
        other => panic!("the picture: {other:?}"),
    }
    announced["seq"].clone()
}

#[tokio::test]
async fn a_viewer_begins_with_the_latest_and_hears_everything_from_then_on() {
    let (app, _ann, key) = with_stream().await;
    let mut early = watch(&app).await;
    push(&app, "beam", &key, "image/png", png(1)).await.is(200);
    sample(&app, &key, 2).await;
    let mut late = watch(&app).await;
    for n in 3..6 {
        sample(&app, &key, n).await;
    }
    let first = text(&mut early, "the first sample").await;
    assert_eq!(
        (&first["type"], &first["fields"], &first["picture"]),
        (&json!("sample"), &json!({}), &json!(true))
    );
    assert_eq!(picture(&mut early, &png(1)).await, first["seq"]);
    let second = text(&mut early, "the second sample").await;
    // The late one begins with the newest sample, and then has the newest picture, which is older.
    assert_eq!(text(&mut late, "the newest sample").await, second);
    assert_eq!(picture(&mut late, &png(1)).await, first["seq"]);
    for socket in [&mut early, &mut late] {
        for n in 3..6 {
            let next = text(socket, "the next").await;
            let seq = second["seq"].as_i64().unwrap() + n - 2;
            assert_eq!((&next["fields"]["n"], &next["seq"]), (&json!(n), &json!(seq)));
            assert!(next["at"].as_i64().unwrap() > 1_700_000_000_000);
        }
    }
}

#[tokio::test]
async fn events_say_the_same() {
    let (app, ann, key) = with_stream().await;
    push(&app, "beam", &key, "image/png", png(1)).await.is(200);
    let response = ann.request(reqwest::Method::GET, "/live/beam/events").send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    sample(&app, &key, 2).await;
    let (mut body, mut text) = (response.bytes_stream(), String::new());
    while !text.contains("\"n\":2") {
        let chunk = timeout(DEADLINE, body.next()).await.unwrap_or_else(|_| panic!("only this came: {text}"));
        text.push_str(&String::from_utf8_lossy(&chunk.unwrap().unwrap()));
    }
    let events: Vec<&str> = text.lines().filter(|line| line.starts_with("event: ")).collect();
    assert_eq!(events, ["event: sample", "event: picture", "event: sample"], "{text}");
    assert!(text.contains("id: ") && text.contains("data: {\"type\":\"picture\",\"seq\":"), "{text}");
}

#[tokio::test]
async fn a_source_that_is_gone_makes_the_stream_idle_and_one_that_is_back_makes_it_live() {
    let (app, ann, key) = with_stream().await;
    for n in 0..3 {
        sample(&app, &key, n).await;
    }
    let mut socket = watch(&app).await;
    let last = socket.hear("the latest", |frame| frame["type"] == "sample").await;
    let idle = socket.hear("that it is idle", |frame| frame["type"] == "idle").await;
    assert_eq!(idle["since"], last["at"]);
    let told = ann.get("/live/beam/samples").await.json();
    assert_eq!((&told["live"], &told["idle_since"]), (&json!(false), &last["at"]));
    // Whoever comes now is told at once.
    let mut late = watch(&app).await;
    late.hear("the latest", |frame| frame["seq"] == last["seq"]).await;
    late.hear("that it is idle", |frame| frame["type"] == "idle").await;
    sample(&app, &key, 9).await;
    late.hear("the next", |frame| frame["fields"]["n"] == 9).await;
    assert_eq!(ann.get("/live/beam/samples").await.json()["live"], true);
}

#[tokio::test]
async fn viewers_are_told_of_a_restart_and_numbers_go_on() {
    let (mut app, ann, key) = with_stream().await;
    sample(&app, &key, 1).await;
    let mut socket = watch(&app).await;
    let before = socket.hear("the latest", |frame| frame["type"] == "sample").await;
    let restarting = tokio::spawn(async move {
        let notice = socket.hear("the notice", |frame| frame["type"] == "notice").await;
        assert!(notice["reconnect_in"].as_i64().is_some_and(|wait| (200..=1500).contains(&wait)), "{notice}");
        socket.end().await
    });
    app.restart().await;
    assert_eq!(restarting.await.unwrap(), 1012);
    let ann = Visitor::with_cookie_of(&ann);
    assert_eq!(ann.get("/live/beam/samples").await.is(200).json()["samples"], json!([]));
    sample(&app, &key, 2).await;
    let mut socket = watch(&app).await;
    let after = socket.hear("the latest", |frame| frame["type"] == "sample").await;
    assert!(after["seq"].as_i64() > before["seq"].as_i64(), "{before} {after}");
}

#[tokio::test]
async fn a_viewer_that_does_not_read_holds_nobody_back_and_is_gone() {
    let (app, _ann, key) = with_stream().await;
    // A handshake by hand, and then nothing is read any more.
    let mut stuck = TcpStream::connect(app.running().address).await.unwrap();
    let head = "GET /live/beam/ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stuck.write_all(head.as_bytes()).await.unwrap();
    let mut first = [0; 12];
    stuck.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 101");
    // Far more than a kernel takes for somebody.
    let mut large = png(1);
    let end = large.split_off(large.len() - 12);
    let noise: Vec<u8> = (0..2_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    large.extend(u32::try_from(noise.len()).unwrap().to_be_bytes());
    large.extend(b"IDAT");
    large.extend(noise);
    large.extend([0; 4]);
    large.extend(end);
    let mut quick = watch(&app).await;
    for n in 0..20 {
        push(&app, "beam", &key, "image/png", large.clone()).await.is(200);
        sample(&app, &key, n).await;
        quick.hear("its sample", |frame| frame["fields"]["n"] == n).await;
    }
    // Whoever reads again finds what the kernel had, and then the end.
    tokio::time::sleep(Duration::from_secs(45)).await;
    sample(&app, &key, 99).await;
    quick.hear("its sample", |frame| frame["fields"]["n"] == 99).await;
    let mut rest = Vec::new();
    let read = timeout(DEADLINE, stuck.read_to_end(&mut rest)).await.expect("it was left open");
    assert!(read.is_err() || rest.len() < 20 * 2_000_000, "it got {} bytes", rest.len());
    until("that the server lives", async || app.stranger().get("/healthz").await.status == 200).await;
}
