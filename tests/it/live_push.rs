//! What may be pushed into a stream, in every form, and what becomes of what may not.

use crate::app::{App, spawn_app};
use crate::live::{make, png, push, until};
use crate::visitor::{Answer, Visitor};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

async fn with_stream() -> (App, Visitor, String) {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let key = make(&ann, "beam", &json!({})).await;
    (app, ann, key)
}

async fn samples(who: &Visitor) -> Vec<Value> {
    who.get("/live/beam/samples").await.is(200).json()["samples"].as_array().unwrap().clone()
}

fn count(answer: &Answer) -> (usize, usize) {
    let receipt = answer.json();
    let number = |name: &str| usize::try_from(receipt[name].as_u64().unwrap()).unwrap();
    (number("accepted"), number("refused"))
}

fn mjpeg(pictures: &[Vec<u8>]) -> Vec<u8> {
    let mut body = Vec::new();
    for picture in pictures {
        body.extend(
            format!("--ffmpeg\r\nContent-type: image/jpeg\r\nContent-length: {}\r\n\r\n", picture.len())
                .bytes(),
        );
        body.extend(picture);
        body.extend(b"\r\n");
    }
    body
}

#[tokio::test]
async fn every_form_of_a_sample_is_taken() {
    let (app, ann, key) = with_stream().await;
    let image = data_encoding::BASE64.encode(&png(1));
    let with_image = format!("{{\"e\":150.5,\"image\":\"data:image/png;base64,{image}\"}}");
    let forms: Vec<(&str, Vec<u8>, usize)> = vec![
        ("application/json", with_image.clone().into(), 1),
        ("application/json; charset=utf-8", b"{\n \"e\": 1,\n \"who\": \"me\"\n}".to_vec(), 1),
        ("application/x-ndjson", format!("{{\"e\":1}}\n\n{with_image}\r\n{{\"e\":3}}").into(), 3),
        ("image/png", png(2), 1),
        // The header may be wrong about which picture it is; the bytes are right.
        ("image/jpeg", png(3), 1),
        ("multipart/x-mixed-replace;boundary=ffmpeg", mjpeg(&[png(4), png(5)]), 2),
        ("", with_image.into(), 1),
        ("", b"{\"e\":1}\n{\"e\":2}\n".to_vec(), 2),
        ("application/octet-stream", png(6), 1),
        ("application/octet-stream", mjpeg(&[png(7)]), 1),
        ("application/x-www-form-urlencoded", b"{\"e\":9}".to_vec(), 1),
        ("text/plain;charset=UTF-8", b"{\"e\":10}".to_vec(), 1),
    ];
    let mut taken = 0;
    for (mime, body, samples) in forms {
        let answer = push(&app, "beam", &key, mime, body).await.is(200);
        assert_eq!(count(&answer), (samples, 0), "{mime}");
        assert_eq!(answer.json()["first_error"], Value::Null);
        taken += samples;
    }
    let kept = samples(&ann).await;
    assert_eq!(kept.len(), taken);
    assert_eq!((&kept[0]["fields"], &kept[0]["picture"]), (&json!({ "e": 150.5 }), &json!(true)));
    let picture = ann.get(&format!("/live/beam/picture.jpg?seq={}", kept[0]["seq"])).await.is(200);
    assert_eq!((picture.header("content-type"), picture.body), ("image/png".to_owned(), png(1)));
    // A picture by itself has its readings in the address.
    let source = app.stranger();
    let path = format!("/live/beam/push?key={key}&e=150.25&n=7&who=me");
    source
        .answer(source.request(Method::PUT, &path).header("content-type", "image/png").body(png(8)))
        .await
        .is(200);
    let newest = samples(&ann).await.pop().unwrap();
    assert_eq!(newest["fields"], json!({ "e": 150.25, "n": 7, "who": "me" }));
    assert_eq!(ann.get("/live/beam/picture.jpg").await.is(200).body, png(8));
    ann.get("/live/beam/picture.jpg?seq=1").await.problem(404, "not_found");
}

/// It begins as one.
fn jpeg_that_is_none() -> Vec<u8> {
    [&[0xff, 0xd8, 0xff, 0xe0][..], &[7; 5000]].concat()
}

/// What is no sample, each with its content type.
fn hostile() -> Vec<(&'static str, Vec<u8>)> {
    let many: Vec<String> = (0..65).map(|n| format!("\"f{n}\":1")).collect();
    let mut hostile: Vec<(&str, Vec<u8>)> = [
        r#"{"a":NaN}"#,
        r#"{"a":1e999}"#,
        r#"{"a":-Infinity}"#,
        r#"{"a":{"b":1}}"#,
        r#"{"a":[1,2]}"#,
        r#"{"a":null}"#,
        r#"{"a":true}"#,
        "[]",
        "5",
        "\"x\"",
        "{}",
        "{",
        "",
        "\u{0}",
        r#"{"a":1}{"b":2}"#,
        r#"{"a":1,"a":2}"#,
        r#"{"image":"aGVsbG8="}"#,
        r#"{"image":5}"#,
        r#"{"image":"not base64"}"#,
        r#"{"__proto__":{"x":1}}"#,
        r#"{"a\u0000":1}"#,
        r#"{"":1}"#,
        "{\"a\":\"\u{1}\"}",
    ]
    .iter()
    .map(|json| ("application/json", json.as_bytes().to_vec()))
    .collect();
    hostile.push(("application/json", format!("{{{}}}", many.join(",")).into()));
    hostile.push(("application/json", format!("{{\"a\":\"{}\"}}", "x".repeat(10 << 20)).into()));
    hostile
        .push(("application/json", format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000)).into()));
    hostile.push(("application/json", vec![0xff; 1000]));
    hostile.push(("image/jpeg", jpeg_that_is_none()));
    hostile.push(("image/jpeg", b"hello".to_vec()));
    hostile.push(("image/png", png(1)[..20].to_vec()));
    hostile.push(("image/png", vec![]));
    hostile.push(("image/webp", b"RIFF\xff\xff\xff\xffWEBPVP8 ".to_vec()));
    hostile.push(("image/png", vec![0x89; 5 << 20]));
    hostile.push(("image/jpeg", b"GIF89a\x01\x00\x01\x00\x00\x00\x00;".to_vec()));
    // A picture of four thousand million pixels, by its header.
    let mut enormous = png(1);
    enormous[16..24].copy_from_slice(&[0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff]);
    hostile.push(("image/png", enormous));
    hostile
}

#[tokio::test]
async fn hostile_samples_are_refused_with_a_reason_and_the_last_good_one_stays() {
    let (app, ann, key) = with_stream().await;
    push(&app, "beam", &key, "application/json", r#"{"good":1}"#).await.is(200);
    push(&app, "beam", &key, "image/png", png(1)).await.is(200);
    let before = samples(&ann).await;
    let hostile = hostile();
    for (mime, body) in &hostile {
        let problem = push(&app, "beam", &key, mime, body.clone()).await.problem(422, "invalid");
        assert!(problem["detail"].as_str().is_some_and(|words| words.len() > 20), "{problem}");
    }
    for (mime, body) in [
        ("video/webm", b"\x1a\x45\xdf\xa3".to_vec()),
        ("text/html", b"<p>".to_vec()),
        ("", b"hello".to_vec()),
        ("", vec![]),
    ] {
        push(&app, "beam", &key, mime, body).await.problem(400, "unknown_content");
    }
    // In a long body a bad one is counted and skipped.
    let lines: Vec<Vec<u8>> = hostile
        .into_iter()
        .map(|(_, line)| line)
        .filter(|line| !line.contains(&b'\n') && !line.is_empty())
        .collect();
    let (bad, mut body) = (lines.len(), lines.join(&b'\n'));
    body.push(b'\n');
    body.extend(b"{\"good\":2}\n");
    let answer = push(&app, "beam", &key, "application/x-ndjson", body).await.is(200);
    let (accepted, refused) = count(&answer);
    assert!(accepted == 1 && refused >= bad, "{}", answer.text());
    assert!(answer.json()["first_error"].as_str().unwrap().ends_with('.'));
    let parts = mjpeg(&[jpeg_that_is_none(), png(2), b"x".to_vec(), vec![1; 5 << 20], png(3)]);
    let answer = push(&app, "beam", &key, "multipart/x-mixed-replace", parts).await.is(200);
    assert_eq!(count(&answer), (2, 3));
    let nothing = push(&app, "beam", &key, "application/x-ndjson", "bad\nworse\n").await.is(422);
    assert_eq!(count(&nothing), (0, 2));
    let after = samples(&ann).await;
    assert_eq!(after[..before.len()], before[..]);
    assert_eq!(after.len(), before.len() + 3);
    assert_eq!(ann.get("/live/beam/picture.jpg").await.is(200).body, png(3));
}

/// The head of a push with a body in chunks, by hand: for what ordinary clients don't do.
async fn open(app: &App, key: &str) -> TcpStream {
    let mut source = TcpStream::connect(app.running().address).await.unwrap();
    let head = format!(
        "PUT /live/beam/push HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    source.write_all(head.as_bytes()).await.unwrap();
    source
}

async fn chunk(source: &mut TcpStream, text: &str) {
    source.write_all(format!("{:x}\r\n{text}\r\n", text.len()).as_bytes()).await.unwrap();
}

#[tokio::test]
async fn a_long_body_is_read_line_by_line_and_half_a_line_of_one_that_breaks_off_is_none() {
    let (app, ann, key) = with_stream().await;
    let mut source = open(&app, &key).await;
    chunk(&mut source, "{\"n\":1}\n{\"n\"").await;
    until("the first line", async || samples(&ann).await.len() == 1).await;
    chunk(&mut source, ":2}\n{\"n\":3}").await;
    until("the second line", async || samples(&ann).await.len() == 2).await;
    // `{"n":3}` is whole, but nobody knows whether it was all of the line.
    drop(source);
    until("that it is idle", async || ann.get("/live/beam/samples").await.json()["live"] == false).await;
    let kept: Vec<Value> = samples(&ann).await.iter().map(|sample| sample["fields"]["n"].clone()).collect();
    assert_eq!(kept, [json!(1), json!(2)]);
}

#[tokio::test]
async fn a_source_is_ended_with_its_key_and_with_its_stream() {
    let (app, ann, key) = with_stream().await;
    for end in ["key", "stream"] {
        let fresh = ann.send("POST", "/api/v1/live/beam/key", &Value::Null).await.is(200).json();
        let mut source = open(&app, fresh["key"].as_str().unwrap()).await;
        let before = samples(&ann).await.len();
        chunk(&mut source, "{\"n\":1}\n").await;
        until("its sample", async || samples(&ann).await.len() == before + 1).await;
        if end == "key" {
            ann.send("POST", "/api/v1/live/beam/key", &Value::Null).await.is(200);
        } else {
            ann.send("DELETE", "/api/v1/live/beam", &Value::Null).await.is(204);
        }
        let mut answer = vec![0; 4096];
        let read = tokio::time::timeout(std::time::Duration::from_mins(1), source.read(&mut answer)).await;
        let answer =
            String::from_utf8_lossy(&answer[..read.expect("it was left open").unwrap()]).into_owned();
        assert!(answer.starts_with("HTTP/1.1 403"), "{end}: {answer}");
    }
    assert!(!key.is_empty());
}
