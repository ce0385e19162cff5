//! Private keys and API tokens, as people and programs meet them on the whole server.

use crate::app::{PASSWORD, spawn_app, spawn_app_with};
use crate::socket::Socket;
use crate::visitor::Visitor;
use serde_json::{Value, json};

const KEY: &str = "seven green bicycles";

async fn set_key(visitor: &Visitor, key: &str) -> crate::visitor::Answer {
    visitor.send("PATCH", "/api/v1/me", &json!({ "private_key": key })).await
}

#[tokio::test]
async fn a_key_is_set_changed_and_removed_and_never_read_back() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    assert_eq!(ann.me().await["has_private_key"], false);
    let me = set_key(&ann, KEY).await.is(200).lacks(KEY).json();
    assert_eq!((&me["has_private_key"], &me["direct_only_by_key"]), (&json!(true), &json!(false)));
    ann.get("/dashboard").await.is(200).has("Change the key").lacks(KEY);
    let me = ann.send("PATCH", "/api/v1/me", &json!({ "direct_only_by_key": true })).await.is(200).json();
    assert_eq!((&me["has_private_key"], &me["direct_only_by_key"]), (&json!(true), &json!(true)));
    let me = ann.send("PATCH", "/api/v1/me", &json!({ "private_key": null })).await.is(200).json();
    assert_eq!(me["has_private_key"], false);
}

#[tokio::test]
async fn the_forms_of_the_key_need_no_script() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let wrong = ann.post("/dashboard/key", &[("private_key", "too short")]).await.is(422);
    wrong.has("too easy to guess").has("aria-invalid").lacks("value=\"too short\"");
    let set = ann.post("/dashboard/key", &[("private_key", KEY)]).await.is(303);
    ann.get(&set.header("location"))
        .await
        .is(200)
        .has("Nobody sees it again")
        .has("Change the key")
        .lacks(KEY);
    ann.post("/dashboard/key/only", &[("direct_only_by_key", "on")]).await.is(303);
    assert_eq!(ann.me().await["direct_only_by_key"], true);
    ann.get("/dashboard").await.is(200).has("Let everybody write");
    ann.post("/dashboard/key/only", &[("direct_only_by_key", "off")]).await.is(303);
    ann.post("/dashboard/key/remove", &[]).await.is(303);
    let me = ann.me().await;
    assert_eq!((&me["has_private_key"], &me["direct_only_by_key"]), (&json!(false), &json!(false)));
}

#[tokio::test]
async fn a_taken_key_and_an_easy_one_get_the_same_answer_and_trying_runs_out() {
    let app = spawn_app().await;
    let (ann, bob) = (app.register("ann").await, app.register("bob").await);
    set_key(&ann, KEY).await.is(200);
    let answer = |problem: Value| (problem["detail"].clone(), problem["fields"].clone());
    let taken = answer(set_key(&bob, KEY).await.problem(422, "invalid"));
    let easy = answer(set_key(&bob, "short").await.problem(422, "invalid"));
    assert_eq!(taken, easy);
    for _ in 0..9 {
        set_key(&bob, KEY).await.problem(422, "invalid");
    }
    let refused = set_key(&bob, KEY).await;
    assert!(refused.header("retry-after").parse::<u32>().unwrap() > 60);
    refused.problem(429, "rate_limited");
    set_key(&ann, "another key of mine").await.is(200);
}

#[tokio::test]
async fn nothing_is_changed_by_half_when_a_field_is_wrong() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let both = json!({ "private_key": KEY, "color": 900 });
    assert_eq!(
        ann.send("PATCH", "/api/v1/me", &both).await.problem(422, "invalid")["fields"][0]["field"],
        "color"
    );
    assert_eq!(ann.me().await["has_private_key"], false);
    let both = json!({ "private_key": "short", "color": 20 });
    ann.send("PATCH", "/api/v1/me", &both).await.problem(422, "invalid");
    assert_eq!(ann.me().await["color"], Value::Null);
}

#[tokio::test]
async fn the_secret_of_the_keys_is_a_file_of_its_own_that_only_the_server_reads() {
    let app = spawn_app().await;
    let file = app.store.folder().join("data/private-key.secret");
    assert_eq!(std::fs::metadata(&file).unwrap().len(), 32);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[tokio::test]
async fn a_token_from_the_shell_talks_over_the_api_and_the_socket() {
    let app = spawn_app().await;
    app.register("ann").await;
    let (done, said) = app.shell(&["token", "add", "ANN", "--label", "weather station"]);
    assert!(done, "{said}");
    let token = said.trim();
    assert_eq!((token.len(), said.lines().count()), (50, 1), "{said}");
    let bearer = format!("Bearer {token}");
    let mut socket = Socket::open(&app.origin(), &[("authorization", &bearer)]).await.unwrap();
    let ready = socket.hear("ready", |frame| frame["type"] == "ready").await;
    assert_eq!(ready["user"]["username"], "ann");
    let made = socket.must(json!({ "type": "create", "kind": "channel", "name": "weather" })).await;
    assert_eq!(made["room"]["name"], "weather");
    let (done, said) = app.shell(&["token", "list", "ann"]);
    assert!(done && said.contains("weather station") && !said.contains(token), "{said}");
    let number = said.split_whitespace().next().unwrap();
    assert!(!app.shell(&["token", "remove", "ann", "999"]).0);
    assert!(app.shell(&["token", "remove", "ann", number]).0);
    assert_eq!(socket.end().await, 4001);
    assert_eq!(Socket::open(&app.origin(), &[("authorization", &bearer)]).await.err(), Some(401));
    assert!(!app.shell(&["token", "add", "nobody"]).0);
}

#[tokio::test]
async fn a_token_is_made_seen_once_and_revoked_in_the_settings() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    ann.post("/settings/tokens", &[("label", " ")]).await.is(422).has("Say what the token is for.");
    let page = ann.post("/settings/tokens", &[("label", "lamp")]).await.is(200).text();
    let token = page.split("value=\"hubbub_").nth(1).unwrap().split('"').next().unwrap();
    let token = format!("hubbub_{token}");
    ann.get("/settings").await.is(200).has("lamp").has("never used").lacks(&token);
    let program = app.stranger();
    let ask = || program.request("GET".parse().unwrap(), "/api/v1/me").bearer_auth(&token);
    assert_eq!(program.answer(ask()).await.is(200).json()["username"], "ann");
    let page = ann.get("/settings").await.is(200).lacks("never used").text();
    let path = page.split("action=\"/settings/tokens/").nth(1).unwrap().split('"').next().unwrap();
    let bob = app.register("bob").await;
    bob.post(&format!("/settings/tokens/{path}"), &[]).await.is(404);
    program.answer(ask()).await.is(200);
    let mut socket =
        Socket::open(&app.origin(), &[("authorization", &format!("Bearer {token}"))]).await.unwrap();
    ann.post(&format!("/settings/tokens/{path}"), &[]).await.is(303);
    assert_eq!(socket.end().await, 4001);
    let refused = program.answer(ask()).await;
    assert_eq!(refused.header("www-authenticate"), "Bearer realm=\"Hubbub\", error=\"invalid_token\"");
    refused.problem(401, "sign_in_first");
}

#[tokio::test]
async fn a_foreign_origin_is_refused_with_a_token_too() {
    let app = spawn_app().await;
    app.register("ann").await;
    let token = app.shell(&["token", "add", "ann"]).1;
    let bearer = format!("Bearer {}", token.trim());
    let foreign = [("authorization", bearer.as_str()), ("origin", "http://evil.example")];
    assert_eq!(Socket::open(&app.origin(), &foreign).await.err(), Some(403));
    assert!(Socket::open(&app.origin(), &foreign[..1]).await.is_ok());
}

#[tokio::test]
async fn a_guest_becomes_an_account_without_losing_anything() {
    let app = spawn_app().await;
    app.register("owner").await;
    let guest = app.guest("Early Bird").await;
    let before = guest.me().await;
    set_key(&guest, KEY).await.is(200);
    let room = guest.create("nest").await;
    guest.say(&room, "as a guest").await.is(201);
    let mut socket = guest.socket().await;
    guest.get("/dashboard").await.is(200).has("Make it an account");
    guest.get("/settings").await.is(200).has("Make it an account");
    let form =
        [("username", "bird"), ("password", PASSWORD), ("display_name", "Early Bird"), ("next", "/settings")];
    assert_eq!(guest.post("/register", &form).await.is(303).header("location"), "/settings");
    let told = socket.hear("profile", |frame| frame["type"] == "profile").await;
    assert_eq!((&told["guest"], &told["username"]), (&json!(false), &json!("bird")), "{told}");
    let after = guest.me().await;
    assert_eq!(
        (&after["id"], &after["guest"], &after["has_private_key"]),
        (&before["id"], &json!(false), &json!(true))
    );
    // The socket that was open all the while speaks as the account.
    let nonce = crate::visitor::nonce();
    socket.must(json!({ "type": "send", "room": room["id"], "nonce": nonce, "text": "as a bird" })).await;
    let page = guest.get(&format!("/api/v1/rooms/{}/messages", room["id"])).await.is(200).json();
    let messages = page["messages"].as_array().unwrap();
    assert!(messages.iter().all(|m| m["user"] == before["id"]), "{page}");
    assert_eq!((&messages[0]["guest"], &messages[1]["guest"]), (&json!(true), &Value::Null), "{page}");
    guest.get("/dashboard").await.is(200).lacks("Make it an account");
    let elsewhere = app.stranger();
    elsewhere.post("/login", &[("username", "bird"), ("password", PASSWORD)]).await.is(303);
    assert_eq!(elsewhere.me().await["id"], before["id"]);
}

#[tokio::test]
async fn what_guests_may_do_is_the_owners_setting() {
    let app = spawn_app_with(&[("guest_rights", "none")]).await;
    app.register("owner").await;
    let guest = app.guest("Gus").await;
    guest
        .send("POST", "/api/v1/rooms", &json!({ "kind": "channel", "name": "x" }))
        .await
        .problem(403, "guest");
    guest.post("/channels", &[("name", "x")]).await.is(403);
    set_key(&guest, KEY).await.problem(403, "guest");
    guest.get("/dashboard").await.is(200).lacks("Your private key");
    let mut socket = guest.socket().await;
    socket.refused(json!({ "type": "create", "kind": "channel", "name": "x" }), "guest").await;
}
