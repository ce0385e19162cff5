//! How much and how often.

use crate::app::{App, PASSWORD, spawn_app, spawn_app_with};
use crate::live::until;
use crate::socket::Socket;
use crate::visitor::nonce;
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

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
    answer.has("Try again");
}

/// How many wrong passwords pass before the first 429, each for another name and with another forged header.
async fn pass_before_429(app: &App, forwarded: impl Fn(usize) -> String) -> usize {
    let stranger = app.stranger();
    for number in 0..200 {
        let name = format!("name{number}");
        let form = [("username", name.as_str()), ("password", "a wrong guess")];
        let request = stranger.request(Method::POST, "/login").form(&form);
        let answer = stranger.answer(request.header("x-forwarded-for", forwarded(number))).await;
        if answer.status == 429 {
            return number;
        }
        answer.is(422);
    }
    panic!("200 wrong passwords passed");
}

#[tokio::test]
async fn a_forged_address_frees_nobody_from_the_limits() {
    let app = spawn_app_with(&[("rate_limits", "on")]).await;
    let passed = pass_before_429(&app, |number| format!("198.51.100.{number}")).await;
    assert!((30..=60).contains(&passed), "{passed} passed");
    // Behind a proxy the last hop is the one that it has seen itself; what stands before was written by the client.
    let app = spawn_app_with(&[("rate_limits", "on"), ("trusted_proxies", "127.0.0.1")]).await;
    let passed = pass_before_429(&app, |number| format!("203.0.113.{number}, 198.51.100.7")).await;
    assert!((30..=60).contains(&passed), "{passed} passed");
    // Others behind the same proxy aren't slowed by it.
    let passed = pass_before_429(&app, |_| "198.51.100.8".to_owned()).await;
    assert!(passed >= 30, "{passed} passed");
}

#[tokio::test]
async fn whoever_guesses_at_an_account_keeps_nobody_out_of_it() {
    // Without the limits of load tests, so that what is counted for each account is seen alone.
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    app.register("bob").await;
    let right = [("username", "ann"), ("password", PASSWORD)];
    let home = app.stranger();
    home.post("/login", &right).await.is(303);
    home.post("/logout", &[]).await.is(303);
    let wrong = [("username", "Ann"), ("password", "a wrong guess")];
    let mut statuses = Vec::new();
    for _ in 0..40 {
        // Each from a browser of its own.
        statuses.push(app.stranger().post("/login", &wrong).await.status);
    }
    assert_eq!(statuses, [vec![422; 30], vec![429; 10]].concat());
    let refused = app.stranger().post("/login", &right).await.is(429).has("quarter of an hour");
    assert!(refused.header("retry-after").parse::<u32>().unwrap() > 60);
    ann.get("/dashboard").await.is(200);
    home.post("/login", &right).await.is(303);
    app.stranger().post("/login", &[("username", "bob"), ("password", PASSWORD)]).await.is(303);
    // Having been in isn't a licence to guess, and forged names of browsers aren't either.
    home.post("/logout", &[]).await.is(303);
    let mut passed = 0;
    while home.post("/login", &wrong).await.status == 422 {
        passed += 1;
    }
    assert_eq!(passed, 15);
    let forged = app.stranger();
    let request = forged.request(Method::POST, "/login").form(&right);
    let cookie = "hubbub_known=AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA";
    forged.answer(crate::visitor::with_cookie(request, cookie)).await.is(429);
}

#[tokio::test]
async fn a_name_that_nobody_has_is_limited_and_answered_like_one_that_somebody_has() {
    let app = spawn_app_with(&[("bcrypt_cost", "9")]).await;
    app.register("somebody").await;
    let mut seen = Vec::new();
    for name in ["somebody", "nobody"] {
        let (mut pages, mut least) = (Vec::new(), Duration::MAX);
        for _ in 0..33 {
            let before = Instant::now();
            let answer = app.stranger().post("/login", &[("username", name), ("password", "wrong")]).await;
            if answer.status == 422 {
                least = least.min(before.elapsed());
            }
            pages.push((answer.status, answer.text().replace(name, "NAME")));
        }
        seen.push((pages, least));
    }
    assert_eq!(seen[0].0, seen[1].0);
    let (known, unknown) = (seen[0].1.as_secs_f64(), seen[1].1.as_secs_f64());
    assert!(
        (0.6..1.6).contains(&(unknown / known)),
        "{known} s for a known name, {unknown} s for an unknown one"
    );
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

#[tokio::test]
async fn one_person_keeps_only_so_many_connections_open() {
    let app = spawn_app_with(&[("rate_limits", "on"), ("connections_per_person", "2")]).await;
    let (ann, bob) = (app.register("ann").await, app.register("bob").await);
    let (first, _second) = (ann.socket().await, ann.socket().await);
    let cookie = ann.cookie();
    let (origin, headers) = (app.origin(), [("cookie", cookie.as_str())]);
    assert_eq!(Socket::open(&origin, &headers).await.err(), Some(429));
    bob.socket().await;
    drop(first);
    until("room for another one", async || Socket::open(&origin, &headers).await.is_ok()).await;
}
