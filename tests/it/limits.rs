//! How much and how often.

use crate::app::{spawn_app, spawn_app_with};
use crate::visitor::nonce;
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn a_burst_of_30_sends_passes_and_the_next_are_told_when() {
    let app = spawn_app_with(&[("rate_limits", "on")]).await;
    let ann = app.register("ann").await;
    let room = ann.create("talk").await;
    let mut socket = ann.socket().await;
    let mut ids = Vec::new();
    for number in 0..100 {
        ids.push(socket.say(json!({ "type": "send", "room": room["id"], "nonce": nonce(), "text": format!("{number}") })).await);
    }
    let mut refused: Vec<Value> = Vec::new();
    for (number, id) in ids.into_iter().enumerate() {
        let reply = socket.hear("a reply", |frame| frame["type"] == "reply" && frame["id"] == id).await;
        assert!(number >= 30 || reply["ok"] == true, "the first 30 pass: {reply}");
        if reply["ok"] == false {
            refused.push(reply);
        }
    }
    assert!(!refused.is_empty(), "100 sends at once all passed");
    for reply in refused {
        assert_eq!(reply["error"]["code"], "rate_limited", "{reply}");
        assert!(reply["error"]["retry_after"].as_i64().is_some_and(|ms| (1..=5000).contains(&ms)), "{reply}");
    }
    // Others aren't slowed by it.
    let bob = app.register("bob").await;
    bob.join(&room).await.is(200);
    bob.say(&room, "quietly").await.is(201);
}

#[tokio::test]
async fn guessing_passwords_is_slowed_down() {
    let app = spawn_app_with(&[("rate_limits", "on")]).await;
    app.register("ann").await;
    let stranger = app.stranger();
    let form = [("username", "ann"), ("password", "a wrong guess")];
    let mut answer = stranger.post("/login", &form).await.is(422);
    for _ in 0..60 {
        answer = stranger.post("/login", &form).await;
        if answer.status == 429 {
            break;
        }
    }
    let answer = answer.is(429);
    assert!(
        answer.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds >= 1),
        "{:?}",
        answer.headers
    );
    answer.has("too quick");
}

#[tokio::test]
async fn a_body_over_the_limit_gets_413() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let room = ann.create("talk").await;
    let large = "x".repeat(100 * 1024);
    for path in ["/board", "/login", "/register", "/guest", "/channels", "/c/talk", "/settings/profile"] {
        let answer =
            ann.post(path, &[("text", &large), ("username", &large), ("display_name", &large)]).await;
        assert_eq!(answer.status, 413, "{path}: {}", answer.text());
        answer.has("too large");
    }
    let body = json!({ "nonce": nonce(), "text": large });
    let path = format!("/api/v1/rooms/{}/messages", room["id"]);
    ann.send("POST", &path, &body).await.problem(413, "too_large");
    // The length may also be announced and never come, or come without being announced.
    let chunks = futures_util::stream::iter((0..200).map(|_| Ok::<_, std::io::Error>("y".repeat(1024))));
    let request =
        ann.request(Method::POST, "/board").header("content-type", "application/x-www-form-urlencoded");
    ann.answer(request.body(reqwest::Body::wrap_stream(chunks))).await.is(413);
    ann.get("/board").await.is(200).has("Nothing here yet");
}

#[tokio::test]
async fn odd_forms_are_answered_and_never_break_anything() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    for (kind, body) in [
        ("application/x-www-form-urlencoded", "text=%ff%fe"),
        ("application/x-www-form-urlencoded", "text"),
        ("application/x-www-form-urlencoded", "&&&==="),
        ("application/x-www-form-urlencoded", "text=a&text=b"),
        ("application/x-www-form-urlencoded", ""),
        ("text/plain", "text=hello"),
        ("application/json", "{}"),
        ("multipart/form-data; boundary=x", "--x--"),
        ("", "text=hello"),
    ] {
        for path in ["/board", "/login", "/register", "/guest", "/channels", "/settings/profile"] {
            let answer =
                ann.answer(ann.request(Method::POST, path).header("content-type", kind).body(body)).await;
            assert!(answer.status < 500, "{path} {kind} {body}: {} {}", answer.status, answer.text());
        }
    }
}

#[tokio::test]
async fn somebody_who_reads_nothing_is_let_go_and_delays_nobody() {
    let app = spawn_app().await;
    let (ann, bob) = (app.register("ann").await, app.register("bob").await);
    let room = ann.create("talk").await;
    bob.join(&room).await.is(200);
    let mut hers = ann.socket().await;
    let mut his = bob.socket().await;
    let id = bob.me().await["id"].clone();
    hers.must(json!({ "type": "watch", "users": [id] })).await;
    let text = "x".repeat(4000);
    let gone = |frame: &Value| {
        frame["type"] == "presence"
            && frame["users"].as_array().unwrap().iter().any(|p| p["user"] == id && p["state"] == "offline")
    };
    // The kernel takes some megabytes for him before anything waits in the server.
    for _ in 0..100 {
        let mut ids = Vec::new();
        for _ in 0..50 {
            ids.push(
                hers.say(json!({ "type": "send", "room": room["id"], "nonce": nonce(), "text": text })).await,
            );
        }
        for id in ids {
            hers.hear("a reply", |frame| {
                frame["type"] == "reply" && frame["id"] == id && frame["ok"] == true
            })
            .await;
        }
        if hers.waiting().any(gone) {
            break;
        }
    }
    hers.hear("bob's end", gone).await;
    let code = his.end().await;
    assert!([1006, 4008].contains(&code), "closed with {code}");
    // He comes back and finds everything.
    let last = hers.send(&room, "the end").await["seq"].clone();
    let back = bob.socket().await;
    let seen = back.ready["rooms"].as_array().unwrap().iter().find(|r| r["id"] == room["id"]).unwrap();
    assert_eq!(seen["last_seq"], last);
}

#[tokio::test]
async fn where_one_is_may_be_said_often_but_not_without_end() {
    let app = spawn_app_with(&[("rate_limits", "on")]).await;
    let (ann, bob) = (app.register("ann").await, app.register("bob").await);
    std::fs::write(app.media().join("a.wav"), b"RIFF....WAVE").unwrap();
    let item = ann.get("/api/v1/media").await.is(200).json()["items"][0]["id"].clone();
    let path = format!("/api/v1/media/{item}/position");
    let say = async |who: &crate::visitor::Visitor| {
        who.send("PUT", &path, &json!({ "position": 1000, "length": 5000 })).await
    };
    let all = futures_util::future::join_all((0..400).map(|_| say(&ann))).await;
    let refused = all.iter().filter(|answer| answer.status == 429).count();
    let taken = all.iter().filter(|answer| answer.status == 204).count();
    assert!(taken >= 60 && refused > 0 && taken + refused == 400, "{taken} taken, {refused} refused");
    say(&bob).await.is(204);
}
