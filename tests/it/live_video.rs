//! Live video: what a source sends is what viewers and players get, and what isn't video harms nobody.

use crate::app::{App, spawn_app};
use crate::clips::{clip, has_ffmpeg};
use crate::live::{make, push, until};
use crate::socket::Socket;
use crate::visitor::{Answer, Visitor};
use reqwest::{Body, Method};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;

/// A film in pieces: its beginning, then a fragment for each second, all of which begin with a key frame.
pub fn film() -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("film.mp4");
    clip(
        &path,
        "-f lavfi -i testsrc2=s=320x180:r=25:d=5 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 25 \
         -movflags frag_keyframe+empty_moov+default_base_moof",
    );
    let bytes = std::fs::read(&path).unwrap();
    let mut pieces = Vec::new();
    let mut rest = &bytes[..];
    let starts = |name: &[u8; 4], bytes: &[u8]| bytes.get(4..8) == Some(&name[..]);
    let mut piece = Vec::new();
    while !rest.is_empty() && !starts(b"mfra", rest) {
        let length = u32::from_be_bytes(rest[..4].try_into().unwrap()) as usize;
        if starts(b"moof", rest) {
            pieces.push(std::mem::take(&mut piece));
        }
        piece.extend_from_slice(&rest[..length]);
        rest = &rest[length..];
    }
    pieces.push(piece);
    pieces
}

/// A source that sends what it is told, for as long as it is there.
pub struct Source {
    pieces: mpsc::UnboundedSender<Result<Vec<u8>, std::io::Error>>,
    answer: JoinHandle<Answer>,
}

impl Source {
    fn begin(app: &App, key: &str) -> Self {
        Self::by(app.stranger(), key)
    }

    /// The same by a visitor of whatever server.
    pub fn by(source: Visitor, key: &str) -> Self {
        let (pieces, mut to_send) = mpsc::unbounded_channel();
        let body = Body::wrap_stream(futures_util::stream::poll_fn(move |cx| to_send.poll_recv(cx)));
        // ffmpeg names no content type.
        let request = source.request(Method::PUT, &format!("/live/gate/push?key={key}")).body(body);
        Self { pieces, answer: tokio::spawn(async move { source.answer(request).await }) }
    }

    pub fn send(&self, piece: &[u8]) {
        self.pieces.send(Ok(piece.to_vec())).unwrap();
    }

    pub async fn end(self) -> Answer {
        drop(self.pieces);
        self.answer.await.unwrap()
    }
}

async fn watch(app: &App) -> Socket {
    Socket::open_at(&app.origin(), "/live/gate/ws", &[]).await.unwrap()
}

/// The next piece of video that a viewer gets.
async fn piece(viewer: &mut Socket, what: &str) -> (Value, Vec<u8>) {
    let announced = viewer.hear(what, |frame| frame["type"] == "video").await;
    match viewer.any(what).await {
        Some(Message::Binary(bytes)) => (announced, bytes.to_vec()),
        other => panic!("{what}: {other:?}"),
    }
}

async fn playlist(ann: &Visitor) -> String {
    ann.get("/live/gate/index.m3u8").await.is(200).text()
}

/// The addresses that a playlist names, in order.
fn addresses(playlist: &str, starts: &str) -> Vec<String> {
    let inside =
        |line: &str| line.strip_prefix("#EXT-X-MAP:URI=\"").map(|rest| rest.trim_end_matches('"').to_owned());
    let all = playlist.lines().filter_map(|line| inside(line).or_else(|| Some(line.to_owned())));
    all.filter(|line| line.starts_with(starts)).collect()
}

async fn with_gate(app: &App) -> (Visitor, String) {
    let ann = app.register("ann").await;
    let key = make(&ann, "gate", &json!({ "public": true })).await;
    (ann, key)
}

#[tokio::test]
async fn viewers_and_players_get_byte_for_byte_what_the_source_sends() {
    if !has_ffmpeg("live video") {
        return;
    }
    let app = spawn_app().await;
    let (ann, key) = with_gate(&app).await;
    ann.get("/live/gate/index.m3u8").await.problem(404, "not_found");
    let film = film();
    let mut early = watch(&app).await;
    let source = Source::begin(&app, &key);
    source.send(&film[0]);
    let (announced, init) = piece(&mut early, "the beginning").await;
    assert_eq!(
        (&announced["part"], &announced["mime"]),
        (&json!("init"), &json!("video/mp4; codecs=\"avc1.42c00c\""))
    );
    assert_eq!(init, film[0]);
    source.send(&film[1]);
    let (announced, first) = piece(&mut early, "the first fragment").await;
    assert_eq!(
        (&announced["part"], &announced["key"], &announced["start"]),
        (&json!("fragment"), &json!(true), &json!(0.0))
    );
    assert_eq!(first, film[1]);
    // Whoever comes now begins with the newest key frame.
    let mut late = watch(&app).await;
    assert_eq!(piece(&mut late, "the beginning, late").await.1, film[0]);
    assert_eq!(piece(&mut late, "the first fragment, late").await.1, film[1]);
    // Cut anywhere, it arrives whole.
    let (front, back) = film[2].split_at(film[2].len() / 3);
    source.send(front);
    source.send(back);
    for viewer in [&mut early, &mut late] {
        let (announced, second) = piece(viewer, "the second fragment").await;
        assert_eq!((&announced["start"], second == film[2]), (&json!(1.0), true));
    }
    let list = playlist(&ann).await;
    let (inits, segments) = (addresses(&list, "init-"), addresses(&list, "segment-"));
    assert_eq!((inits.len(), segments.len()), (1, 1), "the second may still grow: {list}");
    let init = ann.get(&format!("/live/gate/{}", inits[0])).await.is(200);
    assert_eq!((init.header("content-type"), init.body), ("video/mp4".into(), film[0].clone()));
    assert_eq!(ann.get(&format!("/live/gate/{}", segments[0])).await.is(200).body, film[1]);
    ann.get("/live/gate/segment-1.m4s").await.problem(404, "not_found");
    ann.get("/live/gate/segment-x.m4s").await.is(404);
    let answer = source.end().await.is(200).json();
    assert_eq!((&answer["accepted"], &answer["refused"]), (&json!(2), &json!(0)));
    // The source's end reaches the list a moment after its answer.
    until("the second segment", async || addresses(&playlist(&ann).await, "segment-").len() == 2).await;
    early.hear("that nothing comes", |frame| frame["type"] == "idle").await;
    let told = ann.get("/api/v1/live/gate").await.json();
    assert_eq!((&told["live"], &told["idle_since"]), (&json!(false), &told["last"]));
    assert!(told["last"].is_i64() && told["latest"].is_null(), "video alone: {told}");
    // It comes again: players are told that it is another, viewers get its beginning.
    let again = Source::begin(&app, &key);
    again.send(&film.concat());
    assert_eq!(piece(&mut late, "the beginning again").await.1, film[0]);
    assert_eq!(piece(&mut late, "the first fragment again").await.1, film[1]);
    assert_eq!(again.end().await.is(200).json()["accepted"], 5);
    let list = playlist(&ann).await;
    assert_eq!(
        (list.matches("#EXT-X-DISCONTINUITY\n").count(), addresses(&list, "segment-").len()),
        (1, 7),
        "{list}"
    );
}

#[tokio::test]
async fn who_begins_last_is_shown_and_the_other_is_told() {
    if !has_ffmpeg("two sources of one stream") {
        return;
    }
    let app = spawn_app().await;
    let (ann, key) = with_gate(&app).await;
    let film = film();
    let mut viewer = watch(&app).await;
    let old = Source::begin(&app, &key);
    old.send(&[&film[0][..], &film[1]].concat());
    piece(&mut viewer, "the old beginning").await;
    piece(&mut viewer, "the old fragment").await;
    let new = Source::begin(&app, &key);
    new.send(&[&film[0][..], &film[1]].concat());
    piece(&mut viewer, "the new beginning").await;
    piece(&mut viewer, "the new fragment").await;
    old.send(&film[2]);
    old.end().await.problem(409, "replaced");
    new.send(&film[3]);
    assert_eq!(piece(&mut viewer, "the new second").await.1, film[3]);
    assert_eq!(new.end().await.is(200).json()["accepted"], 2);
    // Who may not see the stream sees no piece of it.
    ann.send("PATCH", "/api/v1/live/gate", &json!({ "public": false })).await.is(200);
    let list = playlist(&ann).await;
    for address in ["index.m3u8", &addresses(&list, "init-")[0], &addresses(&list, "segment-")[0]] {
        app.stranger().get(&format!("/live/gate/{address}")).await.is(401);
    }
    let token = ann.send("POST", "/api/v1/live/gate/token", &Value::Null).await.is(200).json();
    let token = token["token"].as_str().unwrap();
    let list = app.stranger().get(&format!("/live/gate/index.m3u8?token={token}")).await.is(200).text();
    for address in [&addresses(&list, "init-")[0], &addresses(&list, "segment-")[0]] {
        assert!(address.contains("?token="), "{list}");
        app.stranger().get(&format!("/live/gate/{address}")).await.is(200);
    }
}

#[tokio::test]
async fn what_is_no_video_is_refused_with_the_reason_and_the_last_good_stays() {
    if !has_ffmpeg("hostile video") {
        return;
    }
    let app = spawn_app().await;
    let (ann, key) = with_gate(&app).await;
    let film = film();
    push(&app, "gate", &key, "video/mp4", film.concat()).await.is(200);
    let good = playlist(&ann).await;
    let begun = |more: &[u8]| [&film[0][..], more].concat();
    let mut between = film[1].clone();
    // The first sample isn't a key frame: flags of the first one in `trun`.
    let at = between.windows(4).position(|four| four == b"trun").unwrap();
    between[at + 16..at + 20].copy_from_slice(&0x0101_0000_u32.to_be_bytes());
    for (what, body, reason) in [
        ("text", b"hello, this is no video at all".to_vec(), "That isn't MP4"),
        ("four gigabytes", begun(b"\xff\xff\xff\xffmoof"), "at most 1 MiB"),
        ("an endless box", begun(b"\0\0\0\0mdat"), "without an end"),
        ("a box shorter than its head", begun(b"\0\0\0\x04moof"), "broken"),
        ("a fragment without a beginning", film[1].clone(), "isn't fragmented"),
        ("half a box", begun(&film[1][..film[1].len() / 2]), "in the middle of a piece"),
        ("no key frame", begun(&between), "from a key frame on"),
    ] {
        let answer = push(&app, "gate", &key, "video/mp4", body).await.is(422).json();
        let said = answer["first_error"].as_str().unwrap();
        assert!(said.contains(reason), "{what}: {answer}");
        assert_eq!(answer["accepted"], 0, "{what}");
    }
    push(&app, "gate", "wrong", "video/mp4", film.concat()).await.problem(403, "wrong_key");
    let segments = addresses(&good, "segment-");
    assert_eq!(addresses(&playlist(&ann).await, "segment-"), segments);
    assert_eq!(ann.get(&format!("/live/gate/{}", segments[0])).await.is(200).body, film[1]);
    until("the server to be as it was", async || ann.get("/healthz").await.status == 200).await;
}
