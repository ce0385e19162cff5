//! Live streams: made, changed and deleted; who may push and who may watch; what is remembered; the talk.

use crate::app::{App, spawn_app, spawn_app_with};
use crate::child::Child;
use crate::socket::Socket;
use crate::store::Store;
use crate::visitor::{Answer, Visitor, nonce};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// A stream of this name, by `who`. Answers with its key.
pub async fn make(who: &Visitor, name: &str, more: &Value) -> String {
    let mut wish = json!({ "name": name });
    for (field, value) in more.as_object().into_iter().flatten() {
        wish[field] = value.clone();
    }
    let made = who.send("POST", "/api/v1/live", &wish).await.is(201).json();
    assert_eq!(made["push"], format!("/live/{name}/push"));
    made["key"].as_str().unwrap().to_owned()
}

/// Pushes a body, as a program without a cookie does.
pub async fn push(app: &App, name: &str, key: &str, mime: &str, body: impl Into<reqwest::Body>) -> Answer {
    let source = app.stranger();
    let mut request = source.request(Method::POST, &format!("/live/{name}/push")).bearer_auth(key).body(body);
    if !mime.is_empty() {
        request = request.header("content-type", mime);
    }
    source.answer(request).await
}

/// A small picture.
pub fn png(shade: u8) -> Vec<u8> {
    let picture = image::GrayImage::from_pixel(4, 3, image::Luma([shade]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// Waits until `look` answers true.
pub async fn until(what: &str, mut look: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + Duration::from_mins(1);
    while !look().await {
        assert!(Instant::now() < end, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

#[tokio::test]
async fn a_stream_is_made_shown_changed_and_deleted() {
    let app = spawn_app().await;
    let (_owner, ann, bob) =
        (app.register("owner").await, app.register("ann").await, app.register("bob").await);
    let fields = json!([{ "name": "beam_energy", "unit": "GeV", "min": 149.5, "max": 150.5 }]);
    let key = make(&ann, "beam", &json!({ "title": "Beam line", "fields": fields })).await;
    assert!(key.len() > 40, "{key}");
    let one = bob.get("/api/v1/live/beam").await.is(200).lacks("key").json();
    assert_eq!(
        (&one["title"], &one["public"], &one["live"]),
        (&json!("Beam line"), &json!(false), &json!(false))
    );
    assert_eq!(one["fields"], fields);
    for (wish, status, code) in [
        (json!({ "name": "beam" }), 409, "name_taken"),
        (json!({ "name": "Beam" }), 422, "invalid"),
        (json!({ "name": "" }), 422, "invalid"),
        (json!({ "name": "x", "title": "x".repeat(101) }), 422, "invalid"),
        (json!({ "name": "x", "fields": [{ "name": "9" }] }), 422, "invalid"),
    ] {
        bob.send("POST", "/api/v1/live", &wish).await.problem(status, code);
    }
    for (method, path, body) in [
        ("PATCH", "/api/v1/live/beam", json!({ "public": true })),
        ("DELETE", "/api/v1/live/beam", Value::Null),
        ("POST", "/api/v1/live/beam/key", Value::Null),
        ("POST", "/api/v1/live/beam/token", Value::Null),
    ] {
        bob.send(method, path, &body).await.problem(403, "not_yours");
        bob.send(method, &path.replace("beam", "nothing"), &body).await.problem(404, "not_found");
        app.stranger().send(method, path, &body).await.problem(401, "sign_in_first");
    }
    let changed =
        ann.send("PATCH", "/api/v1/live/beam", &json!({ "title": "", "public": true })).await.is(200);
    assert_eq!((&changed.json()["title"], &changed.json()["public"]), (&json!("beam"), &json!(true)));
    let all = app.stranger().get("/api/v1/live").await.is(200).json();
    assert_eq!(all["streams"].as_array().unwrap().len(), 1);
    ann.send("DELETE", "/api/v1/live/beam", &Value::Null).await.is(204);
    ann.get("/api/v1/live/beam").await.problem(404, "not_found");
    push(&app, "beam", &key, "application/json", r#"{"a":1}"#).await.problem(403, "wrong_key");
    app.guest("Gast")
        .await
        .send("POST", "/api/v1/live", &json!({ "name": "mine" }))
        .await
        .problem(403, "guest");
}

#[tokio::test]
async fn only_its_own_key_opens_a_stream() {
    let app = spawn_app().await;
    let (ann, bob) = (app.register("ann").await, app.register("bob").await);
    let (hers, his) = (make(&ann, "hers", &json!({})).await, make(&bob, "his", &json!({})).await);
    let body = r#"{"a":1}"#;
    push(&app, "hers", &hers, "application/json", body).await.is(200);
    for (name, key) in [("hers", his.as_str()), ("hers", "push_"), ("nothing", &hers), ("hers", "local_00")] {
        push(&app, name, key, "application/json", body).await.problem(403, "wrong_key");
    }
    let source = app.stranger();
    let bare = source.request(Method::POST, "/live/hers/push").body(body);
    source.answer(bare).await.problem(403, "key_needed");
    let by_address = source.request(Method::PUT, &format!("/live/hers/push?key={hers}")).body(body);
    source.answer(by_address).await.is(200);
    // Whoever made it isn't its source: the key is, and it can be replaced.
    let as_her = ann.request(Method::POST, "/live/hers/push").body(body);
    ann.answer(as_her).await.problem(403, "key_needed");
    let fresh = ann.send("POST", "/api/v1/live/hers/key", &Value::Null).await.is(200).json();
    push(&app, "hers", &hers, "application/json", body).await.problem(403, "wrong_key");
    push(&app, "hers", fresh["key"].as_str().unwrap(), "application/json", body).await.is(200);
    // Another site's page can't push with it either.
    let foreign = source.request(Method::POST, &format!("/live/hers/push?key={hers}")).body(body);
    source.answer(foreign.header("origin", "http://evil.example")).await.problem(403, "foreign_origin");
}

#[tokio::test]
async fn a_stream_for_members_is_there_for_those_who_are_signed_in_alone() {
    let app = spawn_app_with(&[("public_reading", "on")]).await;
    let (ann, guest, stranger) = (app.register("ann").await, app.guest("Gast").await, app.stranger());
    let key = make(&ann, "beam", &json!({})).await;
    push(&app, "beam", &key, "image/png", png(7)).await.is(200);
    let paths = ["/samples", "/samples.csv", "/picture.jpg", "/events"].map(|end| format!("/live/beam{end}"));
    let token = ann.send("POST", "/api/v1/live/beam/token", &Value::Null).await.is(200).json();
    let token = token["token"].as_str().unwrap();
    for path in &paths[..3] {
        guest.get(path).await.is(200);
        stranger.get(&format!("{path}?token={token}")).await.is(200);
    }
    for path in &paths {
        stranger.get(path).await.problem(401, "sign_in_first");
        stranger.get(&format!("{path}?token=watch_x")).await.problem(401, "sign_in_first");
        // What is kept back and what isn't there are one answer.
        stranger.get(&path.replace("beam", "nothing")).await.problem(401, "sign_in_first");
        guest.get(&path.replace("beam", "nothing")).await.problem(404, "not_found");
    }
    assert_eq!(Socket::open_at(&app.origin(), "/live/beam/ws", &[]).await.err(), Some(401));
    assert_eq!(stranger.get("/api/v1/live").await.is(200).json()["streams"], json!([]));
    let mut player =
        Socket::open_at(&app.origin(), &format!("/live/beam/ws?token={token}"), &[]).await.unwrap();
    player.hear("the latest", |frame| frame["type"] == "sample").await;
    ann.send("DELETE", "/api/v1/live/beam/token", &Value::Null).await.is(204);
    assert_eq!(player.end().await, 1008);
    stranger.get(&format!("/live/beam/samples?token={token}")).await.is(401);
    // Public for a while: a stranger watches, until it isn't any more.
    ann.send("PATCH", "/api/v1/live/beam", &json!({ "public": true })).await.is(200);
    let mut socket = Socket::open_at(&app.origin(), "/live/beam/ws", &[]).await.unwrap();
    let cookie = guest.cookie();
    let mut member = Socket::open_at(&app.origin(), "/live/beam/ws", &[("cookie", &cookie)]).await.unwrap();
    ann.send("PATCH", "/api/v1/live/beam", &json!({ "public": false })).await.is(200);
    assert_eq!(socket.end().await, 1008);
    push(&app, "beam", &key, "application/json", r#"{"still":1}"#).await.is(200);
    member.hear("what comes", |frame| frame["fields"]["still"] == 1).await;
    // Signing out ends what was opened with the session.
    guest.post("/logout", &[]).await.is(303);
    assert_eq!(member.end().await, 4001);
}

#[tokio::test]
async fn the_ring_answers_as_json_and_as_a_table() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let key = make(&ann, "beam", &json!({ "fields": [{ "name": "n", "max": 3599 }] })).await;
    let lines: Vec<String> = (0..3700).map(|n| format!("{{\"n\":{n},\"who\":\"me\"}}")).collect();
    let receipt = push(&app, "beam", &key, "application/x-ndjson", lines.join("\n")).await.is(200).json();
    assert_eq!((&receipt["accepted"], &receipt["refused"]), (&json!(3700), &json!(0)));
    let all = ann.get("/live/beam/samples").await.is(200).json();
    let samples = all["samples"].as_array().unwrap();
    assert_eq!((samples.len(), &all["live"]), (3600, &json!(true)));
    assert_eq!((&samples[0]["fields"]["n"], &samples[3599]["fields"]["n"]), (&json!(100), &json!(3699)));
    assert_eq!((&samples[3499]["out"], &samples[3500]["out"]), (&Value::Null, &json!(["n"])));
    let seqs: Vec<i64> = samples.iter().map(|sample| sample["seq"].as_i64().unwrap()).collect();
    assert!(seqs.windows(2).all(|pair| pair[1] == pair[0] + 1), "without holes");
    assert_eq!(receipt["last_seq"], json!(seqs[3599]));
    let later = ann.get(&format!("/live/beam/samples?after={}", seqs[3596])).await.is(200).json();
    assert_eq!(later["samples"].as_array().unwrap().len(), 3);
    let two = ann.get("/live/beam/samples?limit=2").await.is(200).json();
    assert_eq!(two["samples"][0]["seq"], json!(seqs[3598]));
    let table = ann.get("/live/beam/samples.csv?limit=2").await.is(200);
    assert!(table.header("content-type").starts_with("text/csv"));
    assert!(table.header("content-disposition").contains("beam.csv"));
    let table = table.text();
    let rows: Vec<&str> = table.lines().collect();
    assert_eq!((rows.len(), rows[0]), (3, "seq,time,n,who"));
    assert!(rows[2].ends_with(",3699,\"me\""), "{table}");
    ann.get("/live/beam/samples?limit=0").await.problem(422, "invalid");
    ann.get("/live/beam/samples?after=x").await.is(400);
}

#[tokio::test]
async fn a_stream_has_its_talk_which_goes_with_it() {
    let app = spawn_app().await;
    let (ann, bob) = (app.register("ann").await, app.register("bob").await);
    make(&ann, "beam", &json!({ "title": "Beam line" })).await;
    let page = bob.get("/live/beam").await.is(200).text();
    let (_, rest) = page.split_once("<chat-timeline").expect("the page has no talk");
    let room: i64 = rest.split("data-room=\"").nth(1).unwrap().split('"').next().unwrap().parse().unwrap();
    let seen = bob.get(&format!("/api/v1/rooms/{room}")).await.is(200).json();
    assert_eq!(
        (&seen["kind"], &seen["name"], &seen["about"]["kind"]),
        (&json!("talk"), &json!("Beam line"), &json!("stream"))
    );
    bob.join(&seen).await.is(200);
    let text = json!({ "nonce": nonce(), "text": "a needle" });
    bob.send("POST", &format!("/api/v1/rooms/{room}/messages"), &text).await.is(201);
    let lead = bob.get(&format!("/talk/{room}?around=1")).await.is(303);
    assert_eq!(lead.header("location"), "/live/beam?around=1");
    ann.get("/search?q=needle").await.is(200).has("Beam line");
    ann.send("PATCH", "/api/v1/live/beam", &json!({ "title": "Line 3" })).await.is(200);
    until("the talk's new name", async || {
        bob.get(&format!("/api/v1/rooms/{room}")).await.is(200).json()["name"] == "Line 3"
    })
    .await;
    ann.send("DELETE", "/api/v1/live/beam", &Value::Null).await.is(204);
    until("the end of the talk", async || bob.get(&format!("/api/v1/rooms/{room}")).await.status == 404)
        .await;
}

/// Bytes that the process has had written to disks, by its kernel's count.
fn written(process: u32) -> u64 {
    let io = std::fs::read_to_string(format!("/proc/{process}/io")).unwrap();
    let line = io.lines().find(|line| line.starts_with("write_bytes:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn samples_touch_no_disk() {
    let store = Store::new();
    let child = Child::start(&store);
    let ann = Visitor::new(&child.origin);
    ann.post("/register", &[("username", "ann"), ("password", crate::app::PASSWORD)]).await.is(303);
    let key = make(&ann, "beam", &json!({})).await;
    let send = async |lines: String| {
        let request = ann.request(Method::POST, &format!("/live/beam/push?key={key}")).body(lines);
        ann.answer(request).await.is(200);
    };
    send("{\"a\":1}\n".into()).await;
    // What registering has left to be written comes to rest.
    let mut before = written(child.id());
    until("a quiet disk", async || {
        tokio::time::sleep(Duration::from_secs(2)).await;
        let now = written(child.id());
        std::mem::replace(&mut before, now) == now
    })
    .await;
    let image = data_encoding::BASE64.encode(&png(9));
    let lines: Vec<String> = (0..20_000).map(|n| format!("{{\"a\":{n},\"image\":\"{image}\"}}")).collect();
    send(lines.join("\n")).await;
    let after = written(child.id());
    assert!(after - before <= 64 * 1024, "20,000 samples made it write {} bytes", after - before);
}
