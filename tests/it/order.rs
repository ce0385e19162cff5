//! What may be said, and how often: the filter, those who are new, slow mode.

use crate::administration::staff;
use crate::app::{spawn_app, spawn_app_with};
use crate::moderation::{until, upload};
use crate::visitor::{Visitor, nonce};
use serde_json::{Value, json};

async fn add(owner: &Visitor, word: &str, effect: &str) {
    owner.send("POST", "/api/v1/filter", &json!({ "word": word, "effect": effect })).await.is(201);
}

#[tokio::test]
async fn a_word_that_is_not_wanted_is_refused_at_every_door_with_its_name() {
    let app = spawn_app().await;
    let [owner, _, moderator, mem] = staff(&app).await;
    let room = moderator.create("lab").await;
    mem.join(&room).await.is(200);
    mem.say(&room, "darn").await.is(201);
    add(&owner, "Darn", "refuse").await;
    add(&owner, "天氣", "refuse").await;
    for text in ["oh DÁRN it", "ｄａｒｎ", "今天天氣好"] {
        mem.say(&room, text).await.problem(422, "invalid");
    }
    let refused = mem.say(&room, "darn!").await.problem(422, "invalid");
    assert_eq!(refused["fields"][0]["message"], "The word “Darn” isn't wanted here.");
    let message = format!("/api/v1/rooms/{}/messages/1", room["id"]);
    mem.send("PATCH", &message, &json!({ "text": "darn it" })).await.problem(422, "invalid");
    mem.post("/c/lab", &[("text", "my darn words")]).await.is(422).has("my darn words").has("“Darn”");
    mem.post("/board", &[("title", "Darn"), ("text", "fine")]).await.is(422).has("“Darn”");
    let mut socket = mem.socket().await;
    let send = |text: &str| json!({ "type": "send", "room": room["id"], "nonce": nonce(), "text": text });
    socket.refused(send("darn"), "invalid").await;
    socket
        .refused(json!({ "type": "edit", "room": room["id"], "seq": 1, "text": "darn it" }), "invalid")
        .await;
    socket.must(send("darning socks")).await;
    moderator.say(&room, "who said darn?").await.is(201);
    let words = owner.get("/api/v1/filter").await.is(200).json();
    for word in words["words"].as_array().unwrap() {
        owner.send("DELETE", &format!("/api/v1/filter/{}", word["id"]), &Value::Null).await.is(204);
    }
    mem.say(&room, "darn").await.is(201);
}

#[tokio::test]
async fn a_word_can_be_reported_by_itself_and_the_list_survives_a_restart() {
    let mut app = spawn_app().await;
    let [owner, _, moderator, mem] = staff(&app).await;
    let room = moderator.create("lab").await;
    mem.join(&room).await.is(200);
    owner.post("/admin/filter", &[("do", "add"), ("word", "buy now"), ("effect", "report")]).await.is(303);
    app.restart().await;
    owner.get("/admin/filter").await.is(200).has("buy now");
    mem.say(&room, "Buy now, cheap").await.is(201);
    mem.say(&room, "fine").await.is(201);
    let edit = format!("/api/v1/rooms/{}/messages/2", room["id"]);
    for words in ["not fine: BUY NOW", "still: buy now"] {
        mem.send("PATCH", &edit, &json!({ "text": words })).await.is(200);
    }
    let reports = moderator.get("/api/v1/reports").await.is(200).json();
    let found: Vec<(&Value, &Value)> =
        reports["reports"].as_array().unwrap().iter().map(|r| (&r["text"], &r["reporter"])).collect();
    assert_eq!(
        found,
        [(&json!("still: buy now"), &Value::Null), (&json!("Buy now, cheap"), &Value::Null)],
        "{reports}"
    );
    moderator.get("/admin").await.is(200).has("Reported by the filter");
    owner.post("/admin/filter", &[("do", "add"), ("word", "!!")]).await.is(422).has("at least one letter");
    owner.post("/admin/filter", &[("do", "remove"), ("id", "99")]).await.is(404);
    owner.post("/admin/filter", &[("do", "remove"), ("id", "1")]).await.is(303);
    owner.get("/admin/filter").await.is(200).has("No words yet.");
    let long = json!({ "word": "x".repeat(65), "effect": "refuse" });
    owner.send("POST", "/api/v1/filter", &long).await.problem(422, "invalid");
}

#[tokio::test]
async fn slow_mode_lets_each_write_so_often_and_binds_no_moderator() {
    let app = spawn_app().await;
    let [owner, _, moderator, mem] = staff(&app).await;
    let room = mem.create("lab").await;
    let ann = app.register("ann").await;
    ann.join(&room).await.is(200);
    moderator.join(&room).await.is(200);
    let path = format!("/api/v1/rooms/{}", room["id"]);
    ann.send("PATCH", &path, &json!({ "slow_seconds": 60 })).await.problem(403, "not_owner");
    for bad in [-1, 21_601] {
        mem.send("PATCH", &path, &json!({ "slow_seconds": bad })).await.problem(422, "invalid");
    }
    let set = mem.send("PATCH", &path, &json!({ "slow_seconds": 60 })).await.is(200).json();
    assert_eq!(set["slow_seconds"], 60);
    let mut socket = ann.socket().await;
    socket.send(&room, "one").await;
    let send = json!({ "type": "send", "room": room["id"], "nonce": nonce(), "text": "two" });
    let refused = socket.refused(send, "slow_mode").await;
    let wait = refused["error"]["retry_after"].as_i64().unwrap();
    assert!((1..=60_000).contains(&wait), "{refused}");
    let refused = ann.say(&room, "three").await;
    assert!(!refused.header("retry-after").is_empty());
    let refused = refused.problem(429, "slow_mode");
    assert!(
        refused["detail"].as_str().unwrap().starts_with("This room is in slow mode: you can write again in ")
    );
    ann.post("/c/lab", &[("text", "kept words")]).await.is(422).has("kept words").has("slow mode");
    for free in [&mem, &moderator] {
        free.say(&room, "one").await.is(201);
        free.say(&room, "two").await.is(201);
    }
    // A repeated message is the same one, not another.
    mem.post("/c/lab/settings", &[("do", "slow"), ("slow", "1")]).await.is(303);
    until("a second later", async || ann.say(&room, "later").await.status == 201).await;
    mem.post("/c/lab/settings", &[("do", "slow"), ("slow", "0")]).await.is(303);
    ann.say(&room, "at once").await.is(201);
    ann.say(&room, "and again").await.is(201);
    // The board has one too.
    mem.send("PATCH", "/api/v1/rooms/1", &json!({ "slow_seconds": 60 })).await.problem(403, "not_owner");
    owner.post("/admin/filter", &[("do", "slow"), ("slow", "60")]).await.is(303);
    ann.post("/board", &[("text", "a note")]).await.is(303);
    ann.post("/board", &[("text", "kept words")]).await.is(429).has("kept words").has("slow mode");
}

#[tokio::test]
async fn whoever_is_new_sends_no_links_and_no_files_and_writes_privately_to_staff() {
    let app = spawn_app_with(&[("newcomer_hours", "24")]).await;
    let [_owner, _, moderator, mem] = staff(&app).await;
    let ann = app.register("ann").await;
    let room = moderator.create("lab").await;
    mem.join(&room).await.is(200);
    let refused = mem.say(&room, "look: https://example.org/x").await.problem(422, "invalid");
    assert!(refused["fields"][0]["message"].as_str().unwrap().contains("first 24 hours"), "{refused}");
    mem.say(&room, "no link in #lab, @mod").await.is(201);
    moderator.say(&room, "https://example.org/x").await.is(201);
    upload(&mem, &room).await.problem(403, "newcomer");
    mem.send("POST", "/api/v1/direct", &json!({ "username": "ann" })).await.problem(403, "newcomer");
    mem.post("/dm/ann", &[("text", "hello")]).await.is(422).has("hello").has("first 24 hours");
    mem.send("POST", "/api/v1/direct", &json!({ "username": "mod" })).await.is(201);
    let page = mem.get("/c/lab").await.is(200);
    assert!(!page.text().contains("type=\"file\""), "what is refused isn't offered");
    app.store.accounts("UPDATE users SET created_at = 1 WHERE username = 'ann'");
    app.store.accounts("UPDATE users SET created_at = 1 WHERE username = 'mem'");
    until("both are new no longer", async || {
        ann.send("POST", "/api/v1/direct", &json!({ "username": "mem" })).await.status < 300
    })
    .await;
    until("mem is new no longer", async || mem.say(&room, "https://example.org/x").await.status == 201).await;
    upload(&mem, &room).await.is(201);
}
