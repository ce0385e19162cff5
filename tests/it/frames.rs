//! Frames that are no requests, frames in parts, and who gets a socket at all.

use crate::app::spawn_app;
use crate::child::Child;
use crate::socket::Socket;
use crate::store::Store;
use crate::visitor::Visitor;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

#[tokio::test]
async fn frames_that_are_no_requests_are_answered_and_then_closed() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let large = format!("{{\"type\":\"ping\",\"padding\":\"{}\"}}", "x".repeat(70 * 1024));
    for (frame, code) in [
        (Message::text("{\"type\":\"pi"), "not_json"),
        (Message::text("[1,2,3]"), "not_json"),
        (Message::text("null"), "not_json"),
        (Message::binary(vec![1, 2, 3]), "not_text"),
        (Message::text(large), "too_large"),
    ] {
        let mut socket = ann.socket().await;
        socket.raw(frame.clone()).await;
        let error = socket.hear("the error", |heard| heard["type"] == "error").await;
        assert_eq!(error["code"], code, "{error}");
        assert!(error["message"].as_str().is_some_and(|words| words.ends_with('.')), "{error}");
        socket.must(json!({ "type": "ping" })).await;
        for _ in 0..2 {
            socket.raw(frame.clone()).await;
        }
        assert_eq!(socket.end().await, 1008, "{code}, repeated");
    }
}

#[tokio::test]
async fn a_message_in_fragments_is_one_message() {
    let app = spawn_app().await;
    let mut socket = app.register("ann").await.socket().await;
    let fragment = |text: &str, opcode: Data, last: bool| {
        Message::Frame(Frame::message(text.as_bytes().to_vec(), OpCode::Data(opcode), last))
    };
    socket.raw(fragment("{\"type\":\"pi", Data::Text, false)).await;
    socket.raw(Message::Ping(b"in between".to_vec().into())).await;
    socket.raw(fragment("ng\",\"id\":", Data::Continue, false)).await;
    socket.raw(fragment("77}", Data::Continue, true)).await;
    socket
        .hear("the reply", |frame| frame["type"] == "reply" && frame["id"] == 77 && frame["ok"] == true)
        .await;
}

#[tokio::test]
async fn a_header_that_announces_four_gigabytes_costs_no_memory() {
    let store = Store::new();
    let child = Child::start(&store);
    let ann = Visitor::new(&child.origin);
    ann.post("/guest", &[("display_name", "Ann")]).await.is(303);
    let mut socket = ann.socket().await;
    let before = child.memory();
    // A masked text frame of 2^32 bytes, RFC 6455 section 5.2; then as much of it as is taken, up to 64 MiB.
    let mut header = vec![0x81, 0x80 | 127];
    header.extend_from_slice(&(1_u64 << 32).to_be_bytes());
    header.extend_from_slice(&[0; 4]);
    socket.bytes(&header).await.unwrap();
    let chunk = vec![b'x'; 1024 * 1024];
    for _ in 0..64 {
        if socket.bytes(&chunk).await.is_err() {
            break;
        }
    }
    let code = socket.end().await;
    assert!([1006, 1009].contains(&code), "closed with {code}");
    let grown = child.memory().saturating_sub(before);
    assert!(grown < 16 * 1024, "memory grew by {grown} KiB");
    ann.socket().await.must(json!({ "type": "ping" })).await;
}

#[tokio::test]
async fn the_handshake_needs_a_session_and_the_own_origin() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let (cookie, own) = (ann.cookie(), app.origin());
    let open = |headers: Vec<(&'static str, String)>| {
        let origin = app.origin();
        async move {
            let headers: Vec<(&str, &str)> =
                headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            Socket::open(&origin, &headers).await.err()
        }
    };
    assert_eq!(open(vec![]).await, Some(401));
    assert_eq!(open(vec![("cookie", "hubbub_session=made-up".into())]).await, Some(401));
    for origin in ["http://evil.example", "null", "http://127.0.0.1:1"] {
        assert_eq!(
            open(vec![("cookie", cookie.clone()), ("origin", origin.into())]).await,
            Some(403),
            "{origin}"
        );
    }
    let cross = vec![("cookie", cookie.clone()), ("sec-fetch-site", "cross-site".into())];
    assert_eq!(open(cross).await, Some(403));
    assert_eq!(open(vec![("cookie", cookie.clone()), ("origin", own)]).await, None);
    let named = vec![("cookie", cookie), ("sec-websocket-protocol", "hubbub.v1".into())];
    assert_eq!(open(named).await, None);
    ann.get("/ws").await.problem(400, "no_handshake");
}

#[tokio::test]
async fn a_closed_socket_gets_its_close_frame_back() {
    let app = spawn_app().await;
    let mut socket = app.register("ann").await.socket().await;
    socket.raw(Message::Close(None)).await;
    let code = socket.end().await;
    assert!([1000, 1005].contains(&code), "closed with {code}");
}
