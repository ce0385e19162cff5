//! Pushing through a WebSocket: by key or as the keeper, in binary messages of any cut, with the same answers as a request gets.

use crate::app::{App, spawn_app};
use crate::live::{make, png, until};
use crate::socket::Socket;
use crate::visitor::Visitor;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{Frame, FrameHeader};

async fn open(app: &App, path: &str, headers: &[(&str, &str)]) -> Result<Socket, u16> {
    Socket::open_at(&app.origin(), path, headers).await
}

async fn latest(ann: &Visitor) -> Value {
    ann.get("/api/v1/live/desk").await.is(200).json()["latest"].clone()
}

/// What it is told at the end, and the close code.
async fn end(socket: &mut Socket) -> (Value, u16) {
    let mut told = Value::Null;
    loop {
        match socket.any("the end").await {
            Some(Message::Text(text)) => told = serde_json::from_str(&text).unwrap(),
            Some(Message::Close(Some(CloseFrame { code, .. }))) => return (told, code.into()),
            Some(Message::Ping(_)) => {}
            other => panic!("{other:?} after {told}"),
        }
    }
}

fn binary(bytes: &[u8]) -> Message {
    Message::binary(bytes.to_vec())
}

fn part(code: Data, bytes: &[u8], last: bool) -> Message {
    let header = FrameHeader {
        is_final: last,
        opcode: OpCode::Data(code),
        mask: Some([1, 2, 3, 4]),
        ..FrameHeader::default()
    };
    Message::Frame(Frame::from_payload(header, bytes.to_vec().into()))
}

#[tokio::test]
async fn a_key_or_the_keepers_cookie_opens_it_and_nothing_else() {
    let app = spawn_app().await;
    let (ann, bob) = (app.register("ann").await, app.register("bob").await);
    let key = make(&bob, "desk", &json!({})).await;
    let other = make(&bob, "other", &json!({})).await;
    let path = "/live/desk/push";
    let bearer = |key: &str| format!("Bearer {key}");
    // Ann came first, so she is staff.
    for cookie in [&bob.cookie(), &ann.cookie()] {
        open(&app, path, &[("cookie", cookie)]).await.unwrap();
    }
    open(&app, path, &[("authorization", &bearer(&key))]).await.unwrap();
    open(&app, &format!("{path}?key={key}"), &[]).await.unwrap();
    let cleo = app.register("cleo").await;
    for headers in [
        vec![],
        vec![("cookie", cleo.cookie())],
        vec![("authorization", bearer(&other))],
        // Who shows a wrong key isn't asked who they are.
        vec![("authorization", bearer("no")), ("cookie", bob.cookie())],
        vec![("cookie", bob.cookie()), ("origin", "http://evil.example".to_owned())],
    ] {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(open(&app, path, &headers).await.err(), Some(403), "{headers:?}");
    }
    assert_eq!(open(&app, "/live/none/push", &[("cookie", &bob.cookie())]).await.err(), Some(403));
    bob.get(path).await.problem(400, "no_handshake");
}

#[tokio::test]
async fn binary_messages_are_the_body_however_they_are_cut() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    make(&ann, "desk", &json!({})).await;
    let open = async || open(&app, "/live/desk/push", &[("cookie", &ann.cookie())]).await.unwrap();
    let mut lines = open().await;
    lines.raw(binary(b"{\"a\":1}\n{\"a\"")).await;
    lines.raw(part(Data::Binary, b":2}\n{\"a\":N", false)).await;
    lines.raw(part(Data::Continue, b"aN}\n{\"a\"", false)).await;
    lines.raw(part(Data::Continue, b":3}\n", true)).await;
    until("the last line", async || latest(&ann).await["fields"]["a"] == 3).await;
    lines.raw(Message::Close(Some(CloseFrame { code: CloseCode::Normal, reason: "".into() }))).await;
    let (told, code) = end(&mut lines).await;
    assert_eq!(
        (&told["type"], &told["accepted"], &told["refused"], code),
        (&json!("receipt"), &json!(3), &json!(1), 1000)
    );
    assert!(told["first_error"].is_string(), "{told}");
    // One picture, whose readings are in the address.
    let path = "/live/desk/push?level=7";
    let mut picture = Socket::open_at(&app.origin(), path, &[("cookie", &ann.cookie())]).await.unwrap();
    picture.raw(binary(&png(9))).await;
    picture.raw(Message::Close(None)).await;
    assert_eq!(end(&mut picture).await.0["accepted"], 1);
    assert_eq!(latest(&ann).await["fields"]["level"], 7);
    assert_eq!(ann.get("/live/desk/picture.jpg").await.is(200).body, png(9));
}

#[tokio::test]
async fn what_is_wrong_is_said_and_the_last_good_one_stays() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let key = make(&ann, "desk", &json!({})).await;
    let path = format!("/live/desk/push?key={key}");
    let open = async || open(&app, &path, &[]).await.unwrap();
    let mut good = open().await;
    good.raw(binary(b"{\"a\":1}\n")).await;
    until("the first", async || latest(&ann).await["fields"]["a"] == 1).await;
    let mut nonsense = open().await;
    nonsense.raw(binary(b"neither this nor that, and rather long")).await;
    let (told, code) = end(&mut nonsense).await;
    assert_eq!(
        (&told["type"], &told["status"], &told["code"], code),
        (&json!("refused"), &json!(400), &json!("unknown_content"), 4400)
    );
    // A box that is no video.
    let mut boxes = open().await;
    boxes.raw(binary(b"\0\0\0\x18ftypisom\0\0\0\0\0\0\0\0\xff\xff\xff\xffmoofmoofmoof")).await;
    let (told, code) = end(&mut boxes).await;
    assert_eq!((&told["accepted"], &told["refused"], code), (&json!(0), &json!(1), 4422), "{told}");
    let mut words = open().await;
    words.raw(Message::text("{\"a\":2}\n")).await;
    assert_eq!(end(&mut words).await.1, 1003);
    let mut large = open().await;
    // Announced, and never sent.
    large.bytes(&[0x82, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4]).await.unwrap();
    assert_eq!(end(&mut large).await.1, 1009);
    // The key is another one from now on: whoever pushes with it has to go.
    ann.send("POST", "/api/v1/live/desk/key", &json!({})).await.is(200);
    let (told, code) = end(&mut good).await;
    assert_eq!((&told["code"], code), (&json!("wrong_key"), 4403));
    assert_eq!(latest(&ann).await["fields"]["a"], 1);
}
