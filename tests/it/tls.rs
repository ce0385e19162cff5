//! HTTPS: the place's own authority, given files, both ports at once, and what is exchanged while it runs.

mod given;

use crate::app::{App, PASSWORD, spawn_app, spawn_app_with};
use crate::live::{make, push};
use crate::trust::{Trust, origin, port};
use crate::visitor::{DEADLINE, Visitor, recording, with_cookie};
use reqwest::{Method, Version};
use serde_json::json;
use std::time::Instant;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

const BOTH: [(&str, &str); 1] = [("tls_listen", "127.0.0.1:0")];

async fn with_https(more: &[(&str, &str)]) -> (App, Trust) {
    let settings: Vec<(&str, &str)> = BOTH.iter().chain(more).copied().collect();
    let app = spawn_app_with(&settings).await;
    let trust = Trust::download(&app.stranger()).await;
    (app, trust)
}

async fn registered(visitor: &Visitor, name: &str) -> String {
    let form = [("username", name), ("password", PASSWORD)];
    visitor.post("/register", &form).await.is(303).header("set-cookie")
}

#[tokio::test]
async fn whoever_trusts_the_authority_comes_in_by_https_and_nobody_else_does() {
    let (app, trust) = with_https(&[]).await;
    let ann = Visitor::trusting(&origin(&app), &trust);
    ann.get("/login").await.is(200).has("Log in");
    let response = ann.request(Method::GET, "/login").send().await.unwrap();
    assert_eq!(response.version(), Version::HTTP_2);
    let by_address = Visitor::trusting(&format!("https://127.0.0.1:{}", port(&app)), &trust);
    by_address.get("/login").await.is(200);
    let led = ann.get("/people?query=a%26b").await.is(303).header("location");
    assert_eq!(led, "/login?next=/people%3Fquery%3Da%2526b");
    let other = spawn_app_with(&BOTH).await;
    let stranger = Trust::download(&other.stranger()).await;
    let refused = stranger.shake_hands(port(&app)).await.expect_err("another authority's certificate");
    assert!(refused.to_string().contains("certificate"), "{refused}");
    app.stranger().get("/login").await.is(200);
}

#[tokio::test]
async fn the_same_authority_and_certificate_are_there_after_a_restart() {
    let (mut app, trust) = with_https(&[]).await;
    let (_, before) = trust.shake_hands(port(&app)).await.unwrap();
    app.restart().await;
    let (_, after) = trust.shake_hands(port(&app)).await.unwrap();
    assert_eq!(before, after);
}

#[tokio::test]
async fn each_port_has_a_cookie_of_its_own_and_both_work_at_once() {
    let (app, trust) = with_https(&[]).await;
    let (plain, secure) = (app.stranger(), Visitor::trusting(&origin(&app), &trust));
    let cookie = registered(&plain, "ann").await;
    assert!(cookie.starts_with("hubbub_session=") && !cookie.contains("Secure"), "{cookie}");
    let cookie = registered(&secure, "bob").await;
    assert!(cookie.starts_with("__Host-hubbub_session=") && cookie.contains("Secure"), "{cookie}");
    assert!(cookie.contains("Path=/") && !cookie.contains("Domain"), "{cookie}");
    assert_eq!(
        (&plain.me().await["username"], &secure.me().await["username"]),
        (&json!("ann"), &json!("bob"))
    );
    // A browser sends what it has of the host to both ports.
    let both = format!("{}; {}", plain.cookie(), secure.cookie());
    for (origin, name) in [(app.origin(), "ann"), (origin(&app), "bob")] {
        let browser = Visitor::trusting(&origin, &trust);
        let request = with_cookie(browser.request(Method::GET, "/api/v1/me"), &both);
        assert_eq!(browser.answer(request).await.is(200).json()["username"], name);
    }
    // Over HTTP/2 browsers send one field for each cookie (RFC 9113, 8.2.3).
    let split = Visitor::trusting(&origin(&app), &trust).request(Method::GET, "/api/v1/me");
    let split =
        split.header("cookie", "other=1").header("cookie", secure.cookie()).header("cookie", "more=2");
    assert_eq!(secure.answer(split).await.is(200).json()["username"], "bob");
    secure.post("/logout", &[]).await.is(303);
    assert_eq!((plain.get("/api/v1/me").await.status, secure.get("/api/v1/me").await.status), (200, 401));
}

#[tokio::test]
async fn a_chosen_language_stays_with_its_port() {
    let (app, trust) = with_https(&[]).await;
    let (plain, secure) = (app.stranger(), Visitor::trusting(&origin(&app), &trust));
    let set = secure
        .post("/language", &[("language", "zh-Hant"), ("next", "/")])
        .await
        .is(303)
        .header("set-cookie");
    assert!(set.starts_with("__Host-hubbub_lang=") && set.contains("Secure"), "{set}");
    let set =
        plain.post("/language", &[("language", "zh-Hant"), ("next", "/")]).await.is(303).header("set-cookie");
    assert!(set.starts_with("hubbub_lang=") && !set.contains("Secure"), "{set}");
    secure.get("/login").await.has("登入");
    plain.get("/login").await.has("登入");
}

#[tokio::test]
async fn a_message_goes_from_https_to_http_and_back() {
    let (app, trust) = with_https(&[]).await;
    let (ann, bob) = (app.register("ann").await, Visitor::trusting(&origin(&app), &trust));
    registered(&bob, "bob").await;
    let room = ann.create("talk").await;
    bob.join(&room).await.is(200);
    let (mut plain, mut secure) = (ann.socket().await, bob.socket().await);
    plain.send(&room, "from the open").await;
    secure.hear_message("from the open").await;
    secure.send(&room, "from the shelter").await;
    plain.hear_message("from the shelter").await;
    bob.post("/logout", &[]).await.is(303);
    assert_eq!(secure.end().await, 4001);
}

#[tokio::test]
async fn a_socket_over_tls_is_refused_from_a_foreign_origin_and_from_that_of_plain_http() {
    let (app, trust) = with_https(&[]).await;
    let ann = Visitor::trusting(&origin(&app), &trust);
    registered(&ann, "ann").await;
    let cookie = ann.cookie();
    let plain = origin(&app).replace("https", "http");
    for (from, answer) in [("http://evil.example", Some(403)), (&*plain, Some(403)), (&*origin(&app), None)] {
        let headers = [("cookie", &*cookie), ("origin", from)];
        let opened = crate::socket::Socket::open_trusting(&origin(&app), "/ws", &headers, Some(&trust)).await;
        assert_eq!(opened.err(), answer, "{from}");
    }
}

#[tokio::test]
async fn parts_of_a_recording_come_over_both_protocols_of_https() {
    let (app, trust) = with_https(&[]).await;
    let ann = Visitor::trusting(&origin(&app), &trust);
    registered(&ann, "ann").await;
    let item = ann.put_recording("a.wav").await;
    let whole = recording("a.wav");
    let path = format!("/media/{}/file", item["id"]);
    let part = ann.answer(ann.request(Method::GET, &path).header("range", "bytes=100-299")).await.is(206);
    assert_eq!(part.header("content-range"), format!("bytes 100-299/{}", whole.len()));
    assert_eq!(part.body, whole[100..300]);
    ann.answer(ann.request(Method::GET, &path).header("range", "bytes=999999-")).await.is(416);
    // Players such as ffmpeg speak HTTP/1.1.
    let (mut line, _) = trust.shake_hands(port(&app)).await.unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {}\r\nRange: bytes=-50\r\nConnection: close\r\n\r\n",
        ann.cookie()
    );
    line.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    timeout(DEADLINE, line.read_to_end(&mut answer)).await.expect("the answer ends").unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 206"), "{}", String::from_utf8_lossy(&answer));
    assert!(answer.ends_with(&whole[whole.len() - 50..]));
}

#[tokio::test]
async fn the_authoritys_page_is_for_everybody_in_both_languages_and_only_where_there_is_one() {
    let (app, trust) = with_https(&[]).await;
    let fingerprint = app.running().authority().unwrap().read.fingerprint;
    let stranger = app.stranger();
    let page = stranger.get("/authority").await.is(200).has("iPhone").has(&fingerprint);
    page.has(&format!("href=\"{}/\"", origin(&app).replace("localhost", "127.0.0.1")));
    let chinese = stranger.request(Method::GET, "/authority").header("accept-language", "zh-TW");
    stranger.answer(chinese).await.is(200).has("信任這裡").has(&fingerprint);
    Visitor::trusting(&origin(&app), &trust).get("/authority").await.is(200);
    let without = spawn_app().await;
    for path in ["/authority", "/authority.crt"] {
        without.stranger().get(path).await.is(404);
    }
}

#[tokio::test]
async fn plain_http_leads_to_https_only_when_it_is_asked_to() {
    let (app, trust) = with_https(&[("tls_redirect", "on")]).await;
    let stranger = app.stranger();
    let secure = origin(&app).replace("localhost", "127.0.0.1");
    let led = stranger.get("/search?q=a%20b").await.is(308);
    assert_eq!(led.header("location"), format!("{secure}/search?q=a%20b"));
    assert_eq!(stranger.post("/guest", &[("display_name", "x")]).await.is(308).header("set-cookie"), "");
    for path in ["/healthz", "/authority", "/authority.crt"] {
        stranger.get(path).await.is(200);
    }
    for (host, wanted) in [("Hub.Example:80", "https://hub.example"), ("[::1]:8080", "https://[::1]")] {
        let led = stranger.answer(stranger.request(Method::GET, "/").header("host", host)).await.is(308);
        assert_eq!(led.header("location"), format!("{wanted}:{}/", port(&app)));
    }
    stranger.answer(stranger.request(Method::GET, "/").header("host", "a b")).await.is(400);
    let ann = Visitor::trusting(&origin(&app), &trust);
    assert_eq!(ann.get("/login").await.is(200).header("strict-transport-security"), "");
    registered(&ann, "ann").await;
    let key = make(&ann, "beam", &json!({})).await;
    push(&app, "beam", &key, "application/json", "{\"n\":1}".to_owned()).await.is(200);
    let from_afar = stranger.request(Method::POST, "/live/beam/push").header("x-forwarded-for", "192.0.2.1");
    stranger.answer(from_afar.body("{}")).await.is(308);
    // A name that isn't localhost, on the same server.
    let (mut line, _) = trust.shake_hands(port(&app)).await.unwrap();
    line.write_all(b"GET /login HTTP/1.1\r\nHost: hub.example\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    timeout(DEADLINE, line.read_to_end(&mut answer)).await.expect("the answer ends").unwrap();
    let answer = String::from_utf8_lossy(&answer).to_lowercase();
    assert!(answer.contains("strict-transport-security: max-age=86400\r\n"), "{answer}");
    assert!(app.running().url().starts_with("https://localhost:"));
}

#[tokio::test]
async fn what_is_too_much_for_one_connection_is_refused_and_the_next_one_is_served() {
    let (app, trust) = with_https(&[]).await;
    let ann = app.register("ann").await;
    make(&ann, "beam", &json!({ "public": true })).await;
    let client = trust.client().no_proxy().http2_prior_knowledge().build().unwrap();
    let events = format!("{}/live/beam/events", origin(&app));
    let mut open = Vec::new();
    let mut refused = 0;
    for _ in 0..160 {
        let response = timeout(DEADLINE, client.get(&events).send()).await.expect("an answer").unwrap();
        match response.status().as_u16() {
            200 => open.push(response),
            503 => refused += 1,
            other => panic!("{other}"),
        }
    }
    assert_eq!((open.len(), refused), (128, 32));
    drop(open);
    drop(client);
    Visitor::trusting(&origin(&app), &trust).get("/login").await.is(200);
}

#[tokio::test]
async fn a_stop_does_not_wait_for_browsers_that_keep_their_connection() {
    let (mut app, trust) = with_https(&[]).await;
    let client = trust.client().no_proxy().build().unwrap();
    let login = format!("{}/login", origin(&app));
    assert!(!client.get(&login).send().await.unwrap().text().await.unwrap().is_empty());
    let started = Instant::now();
    app.restart().await;
    assert!(started.elapsed().as_secs() < 5, "it took {:?}", started.elapsed());
    drop(client);
}
