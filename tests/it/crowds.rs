//! Crowds: many who come at once, and many who never read. Small in every run; `.ci/drill crowds` makes them large and prints
//! what it measured.

use crate::child::Child;
use crate::live::until;
use crate::socket::Socket;
use crate::store::Store;
use crate::visitor::Visitor;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

/// How many; as many as the drill says, or `few`.
fn crowd(few: usize) -> usize {
    std::env::var("HUBBUB_TEST_CROWD").ok().and_then(|count| count.parse().ok()).unwrap_or(few)
}

/// The number of the port in an origin.
fn port(child: &Child) -> u16 {
    child.origin.rsplit(':').next().unwrap().parse().unwrap()
}

/// A handshake by hand. `window` bytes are all that the kernel takes of what isn't read.
async fn shake_hands(port: u16, cookie: &str, window: Option<u32>) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    if let Some(bytes) = window {
        socket.set_recv_buffer_size(bytes).unwrap();
    }
    let mut stream = socket.connect(([127, 0, 0, 1], port).into()).await.unwrap();
    let head = format!(
        "GET /ws HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nCookie: {cookie}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

/// Reads the beginning of what comes until these words are in it.
async fn read_until(stream: &mut TcpStream, words: &str) {
    let (mut seen, mut bytes) = (Vec::new(), [0; 4096]);
    while !String::from_utf8_lossy(&seen).contains(words) {
        let count = stream.read(&mut bytes).await.unwrap();
        assert!(count > 0, "ended before {words:?}: {}", String::from_utf8_lossy(&seen));
        seen.extend_from_slice(&bytes[..count]);
    }
}

/// Waits until each line has come to its end. What the kernel had taken over comes first; a reset is an end as well.
async fn all_end(lines: Vec<TcpStream>) {
    let mut bytes = vec![0; 1 << 16];
    for mut line in lines {
        while line.read(&mut bytes).await.is_ok_and(|count| count > 0) {}
    }
}

/// Somebody with a name alone.
async fn guest(child: &Child, name: &str) -> Visitor {
    let visitor = Visitor::new(&child.origin);
    visitor.post("/guest", &[("display_name", name)]).await.is(303);
    visitor
}

async fn owner(child: &Child) -> (Visitor, Value) {
    let owner = guest(child, "Owner").await;
    let room = owner.create("square").await;
    (owner, room)
}

/// Some in a room who do read.
async fn hearers(child: &Child, room: &Value, count: usize) -> Vec<Socket> {
    let mut hearers = Vec::new();
    for name in 0..count {
        let reader = guest(child, &format!("Reader {name}")).await;
        reader.join(room).await.is(200);
        hearers.push(reader.socket().await);
    }
    hearers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_who_never_read_cost_little_and_go_and_the_others_get_everything() {
    let (store, silent, readers) = (Store::new(), crowd(40), 4);
    let child = Child::start(&store);
    let (owner, room) = owner(&child).await;
    let mut hearers = hearers(&child, &room, readers).await;
    let mut writer = owner.socket().await;
    let text = |n: usize| format!("{n} {}", "字".repeat(3900));
    let said = 400;
    // What as many messages cost without anybody who doesn't read is no matter of theirs.
    let empty = child.memory();
    for n in 0..said {
        writer.send(&room, &text(n)).await;
        for hearer in &mut hearers {
            hearer.hear("a message", |frame| frame["type"] == "message").await;
        }
    }
    let alone = child.memory().saturating_sub(empty);
    // All of them are one person's windows: what one may have open isn't what is asked here.
    let stuck = guest(&child, "Silent").await;
    stuck.join(&room).await.is(200);
    let mut lines = Vec::new();
    for _ in 0..silent {
        let mut line = shake_hands(port(&child), &stuck.cookie(), Some(4096)).await;
        read_until(&mut line, "\"ready\"").await;
        lines.push(line);
    }
    let before = child.memory();
    let mut most = before;
    let began = Instant::now();
    let hearing: Vec<_> = hearers
        .into_iter()
        .map(|mut socket| {
            tokio::spawn(async move {
                let mut heard = BTreeSet::new();
                while heard.len() < said {
                    let message = socket.hear("a message", |frame| frame["type"] == "message").await;
                    let words = message["text"].as_str().unwrap();
                    heard.insert(words.split(' ').next().unwrap().parse::<usize>().unwrap());
                }
            })
        })
        .collect();
    for n in 0..said {
        writer.send(&room, &text(n)).await;
        most = most.max(child.memory());
    }
    for one in hearing {
        one.await.unwrap();
    }
    let all_heard = began.elapsed();
    let each = (most - before).saturating_sub(alone) / silent as u64;
    // Whoever takes nothing for 30 s is let go; reading then meets the end of the line.
    let end = timeout(Duration::from_mins(1), all_end(lines)).await;
    println!(
        "{silent} who never read: {each} KiB each at most, all gone after {:.1} s; {readers} readers had all {said} messages of 12 KB after {:.1} s",
        began.elapsed().as_secs_f64(),
        all_heard.as_secs_f64()
    );
    assert!(end.is_ok(), "some are still connected");
    assert!(each <= 256, "{each} KiB for each of those who never read");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_come_at_once_and_all_are_served_while_others_go_on() {
    let (store, many) = (Store::new(), crowd(150));
    let child = Child::start(&store);
    let (owner, _) = owner(&child).await;
    let visitors = guest(&child, "Many").await;
    let (cookie, port) = (visitors.cookie(), port(&child));
    let mut there = owner.socket().await;
    let alone = pings(&mut there, 300).await;
    let began = Instant::now();
    let coming: Vec<_> = (0..many)
        .map(|_| {
            let cookie = cookie.clone();
            tokio::spawn(async move {
                let mut line = shake_hands(port, &cookie, None).await;
                timeout(Duration::from_secs(30), read_until(&mut line, "\"ready\""))
                    .await
                    .expect("served in 30 s");
                line
            })
        })
        .collect();
    let crowded = pings(&mut there, 300).await;
    let mut lines = Vec::new();
    for one in coming {
        lines.push(one.await.unwrap());
    }
    let served = began.elapsed();
    println!(
        "{many} at once: all served after {:.1} s; a ping's p99 {:.1} ms before, {:.1} ms meanwhile",
        served.as_secs_f64(),
        alone.as_secs_f64() * 1e3,
        crowded.as_secs_f64() * 1e3
    );
    drop(lines);
    // Nobody of them is left behind.
    until("the descriptors to be given back", async || {
        std::fs::read_dir(format!("/proc/{}/fd", child.id())).unwrap().count() < 100
    })
    .await;
    there.must(json!({ "type": "ping" })).await;
}

/// The 99th percentile of so many pings, one after another.
async fn pings(socket: &mut Socket, count: usize) -> Duration {
    let mut took = Vec::with_capacity(count);
    for _ in 0..count {
        let began = Instant::now();
        socket.must(json!({ "type": "ping" })).await;
        took.push(began.elapsed());
    }
    took.sort();
    took[count * 99 / 100]
}
