//! Taking down what somebody wrote, and bringing it back: for everybody at once, over a restart, and in time.

use crate::administration::{id, staff};
use crate::app::{App, spawn_app};
use crate::moderation::{until, upload};
use crate::socket::Socket;
use crate::verify::assert_whole;
use crate::visitor::{Visitor, nonce};
use serde_json::{Value, json};

async fn take_down(by: &Visitor, name: &str, span: &str) -> i64 {
    let path = format!("/api/v1/accounts/{name}/takedowns");
    let made = by.send("POST", &path, &json!({ "span": span })).await.is(201).json();
    made["id"].as_i64().unwrap()
}

async fn state(by: &Visitor, name: &str, wanted: &str) -> Value {
    let path = format!("/api/v1/accounts/{name}/takedowns");
    let mut last = Value::Null;
    until(wanted, async || {
        last = by.get(&path).await.is(200).json()["takedowns"][0].clone();
        last["state"] == wanted
    })
    .await;
    last
}

async fn messages(by: &Visitor, room: &Value) -> Vec<Value> {
    let page = by.get(&format!("/api/v1/rooms/{}/messages?limit=100", room["id"])).await.is(200).json();
    page["messages"].as_array().unwrap().clone()
}

/// The message without the number of its last change.
fn but_rev(message: &Value) -> Value {
    let mut message = message.clone();
    message["rev"] = Value::Null;
    message
}

/// What a socket hears of a room until this message is as wanted.
async fn hears(socket: &mut Socket, room: &Value, seq: i64, deleted: bool) -> Value {
    let is = |frame: &Value| {
        frame["type"] == "message"
            && frame["room"] == room["id"]
            && frame["seq"] == seq
            && (frame["deleted"] == true) == deleted
    };
    socket.hear("the change", is).await
}

/// All but one message is empty.
fn is_down(page: &[Value]) {
    for message in page.iter().filter(|m| m["text"] != "mine stays") {
        assert_eq!((&message["deleted"], &message["text"]), (&json!(true), &json!("")), "{message}");
        assert!(message.get("attachments").is_none() && message.get("reactions").is_none(), "{message}");
    }
}

#[tokio::test]
async fn what_somebody_wrote_goes_for_everybody_and_comes_back_as_it_was() {
    let app = spawn_app().await;
    let [owner, _, moderator, mem] = staff(&app).await;
    let room = owner.create("lab").await;
    mem.join(&room).await.is(200);
    owner.say(&room, "mine stays").await.is(201);
    mem.say(&room, "**loud** and @owner").await.is(201);
    let at = |end: &str| format!("/api/v1/rooms/{}/{end}", room["id"]);
    owner.send("PUT", &at("messages/2/reactions/👍"), &json!({})).await.is(200);
    owner.send("PUT", &at("messages/2/pin"), &json!({})).await.is(200);
    let file = upload(&mem, &room).await.is(201).json();
    let sent = json!({ "nonce": nonce(), "text": "a file, a zebra", "attachments": [file["id"]] });
    mem.send("POST", &at("messages"), &sent).await.is(201);
    mem.send("PATCH", &at("messages/3"), &json!({ "text": "a file, another zebra" })).await.is(200);
    mem.say(&room, "taken back").await.is(201);
    mem.send("DELETE", &at("messages/4"), &Value::Null).await.is(200);
    let direct = mem.send("POST", "/api/v1/direct", &json!({ "username": "owner" })).await.is(201).json();
    mem.say(&direct, "psst").await.is(201);
    mem.post("/board", &[("title", "A note"), ("text", "for all")]).await.is(303);
    let board = json!({ "id": 1 });
    let before =
        [messages(&owner, &room).await, messages(&owner, &direct).await, messages(&owner, &board).await];
    let mut socket = owner.socket().await;
    let down = take_down(&moderator, "mem", "all").await;
    let gone = hears(&mut socket, &room, 2, true).await;
    assert_eq!((&gone["text"], &gone["html"]), (&json!(""), &Value::Null), "{gone}");
    let taken = state(&moderator, "mem", "taken").await;
    assert_eq!(taken["messages"], 4, "{taken}");
    for room in [&room, &direct, &board] {
        is_down(&messages(&owner, room).await);
    }
    let url = file["url"].as_str().unwrap();
    for visitor in [&owner, &mem] {
        visitor.get(url).await.is(404);
    }
    let found = owner.get("/api/v1/search?q=zebra").await.is(200).json();
    assert_eq!(found["messages"].as_array().map(Vec::len), Some(0), "{found}");
    owner.get("/board").await.is(200).lacks("for all");
    assert_whole(&app.store);
    moderator.send("DELETE", &format!("/api/v1/takedowns/{down}"), &Value::Null).await.is(204);
    let back = hears(&mut socket, &room, 2, false).await;
    assert_eq!(back["html"], before[0][1]["html"], "{back}");
    state(&moderator, "mem", "returned").await;
    let after =
        [messages(&owner, &room).await, messages(&owner, &direct).await, messages(&owner, &board).await];
    for (was, is) in before.iter().flatten().zip(after.iter().flatten()) {
        assert_eq!(but_rev(was), but_rev(is));
    }
    owner.get(url).await.is(200);
    owner.get("/board").await.is(200).has("for all");
    let found = owner.get("/api/v1/search?q=zebra").await.is(200).json();
    assert_eq!(found["messages"].as_array().map(Vec::len), Some(1), "{found}");
    // A reaction that is taken off again finds its row.
    owner.send("DELETE", &at("messages/2/reactions/👍"), &Value::Null).await.is(200).lacks("👍");
    moderator
        .send("DELETE", &format!("/api/v1/takedowns/{down}"), &Value::Null)
        .await
        .problem(409, "not_down");
    assert_whole(&app.store);
}

/// More than one transaction takes.
async fn say_many(visitor: &Visitor, room: &Value, count: usize) {
    let mut socket = visitor.socket().await;
    for n in 0..count {
        socket.send(room, &format!("spam {n}")).await;
    }
}

#[tokio::test]
async fn a_restart_on_the_way_loses_nothing_of_it_and_does_nothing_twice() {
    let mut app = spawn_app().await;
    let [owner, _, moderator, mem] = staff(&app).await;
    let room = owner.create("lab").await;
    mem.join(&room).await.is(200);
    say_many(&mem, &room, 450).await;
    let down = take_down(&moderator, "mem", "all").await;
    app.restart().await;
    let taken = state(&moderator, "mem", "taken").await;
    assert_eq!(taken["messages"], 450);
    assert!(messages(&owner, &room).await.iter().all(|m| m["deleted"] == true));
    let rev = |view: Value| view["rev"].as_i64().unwrap();
    let view = || async { rev(owner.get(&format!("/api/v1/rooms/{}", room["id"])).await.json()) };
    assert_eq!(view().await, 900, "one change each");
    moderator.send("DELETE", &format!("/api/v1/takedowns/{down}"), &Value::Null).await.is(204);
    app.restart().await;
    state(&moderator, "mem", "returned").await;
    assert!(messages(&owner, &room).await.iter().all(|m| m["text"].as_str().unwrap().starts_with("spam ")));
    assert_eq!(view().await, 1350, "and one change back");
    assert_whole(&app.store);
}

#[tokio::test]
async fn what_nobody_wants_back_in_time_is_gone() {
    let mut app = spawn_app().await;
    let [owner, _, moderator, mem] = staff(&app).await;
    let room = owner.create("lab").await;
    mem.join(&room).await.is(200);
    let file = upload(&mem, &room).await.is(201).json();
    let sent = json!({ "nonce": nonce(), "text": "a file", "attachments": [file["id"]] });
    mem.send("POST", &format!("/api/v1/rooms/{}/messages", room["id"]), &sent).await.is(201);
    let down = take_down(&moderator, "mem", "week").await;
    state(&moderator, "mem", "taken").await;
    app.store.messages("UPDATE takedowns SET ordered_at = 1");
    moderator
        .send("DELETE", &format!("/api/v1/takedowns/{down}"), &Value::Null)
        .await
        .problem(409, "not_down");
    app.restart().await;
    state(&moderator, "mem", "gone").await;
    // Fails where anything is left.
    for table in ["taken_down", "attachments", "blobs"] {
        app.store.messages(&format!("CREATE TABLE none_of_{table} (x BIGINT CHECK (x = 0))"));
        app.store.messages(&format!("INSERT INTO none_of_{table} SELECT COUNT(*) FROM {table}"));
        app.store.messages(&format!("DROP TABLE none_of_{table}"));
    }
    assert_whole(&app.store);
}

#[tokio::test]
async fn the_span_says_how_far_back_and_a_deleted_room_takes_its_part_along() {
    let app = spawn_app().await;
    let [owner, _, moderator, mem] = staff(&app).await;
    let (room, other) = (owner.create("lab").await, owner.create("attic").await);
    for place in [&room, &other] {
        mem.join(place).await.is(200);
        mem.say(place, "old").await.is(201);
    }
    app.store.messages("UPDATE messages SET posted_at = posted_at - 172800000");
    mem.say(&room, "new").await.is(201);
    take_down(&moderator, "mem", "day").await;
    assert_eq!(state(&moderator, "mem", "taken").await["messages"], 1);
    let texts: Vec<Value> = messages(&owner, &room).await.iter().map(|m| m["text"].clone()).collect();
    assert_eq!(texts, ["old", ""]);
    let week = take_down(&moderator, "mem", "week").await;
    assert_eq!(state(&moderator, "mem", "taken").await["messages"], 2);
    owner.send("DELETE", &format!("/api/v1/rooms/{}", other["id"]), &Value::Null).await.is(204);
    moderator.send("DELETE", &format!("/api/v1/takedowns/{week}"), &Value::Null).await.is(204);
    state(&moderator, "mem", "returned").await;
    let texts: Vec<Value> = messages(&owner, &room).await.iter().map(|m| m["text"].clone()).collect();
    assert_eq!(texts, ["old", ""]);
    let bad = json!({ "span": "year" });
    moderator.send("POST", "/api/v1/accounts/mem/takedowns", &bad).await.problem(422, "invalid");
    assert_whole(&app.store);
}

#[tokio::test]
async fn by_forms_alone_a_ban_with_all_they_wrote_is_undone() {
    let app: App = spawn_app().await;
    let [owner, _, moderator, mem] = staff(&app).await;
    let room = owner.create("lab").await;
    mem.join(&room).await.is(200);
    mem.say(&room, "nasty").await.is(201);
    let report = format!("/api/v1/rooms/{}/messages/1/report", room["id"]);
    owner.send("POST", &report, &json!({ "reason": "it is" })).await.is(204);
    let page = format!("/admin/moderate/{}", id(&mem).await);
    moderator.get("/admin").await.is(200).has(&page);
    moderator.post(&page, &[("do", "ban"), ("span", "all"), ("reason", "spam")]).await.is(303);
    state(&moderator, "mem", "taken").await;
    moderator.get(&page).await.is(200).has("1 message · taken down").has("Let them in again").has("spam");
    moderator.post(&page, &[("do", "return"), ("takedown", "1")]).await.is(303);
    moderator.post(&page, &[("do", "unban")]).await.is(303);
    state(&moderator, "mem", "returned").await;
    assert_eq!(messages(&owner, &room).await[0]["text"], "nasty");
    for form in [[("do", "dance"), ("span", "")], [("do", "ban"), ("span", "year")]] {
        let answer = moderator.post(&page, &form).await;
        assert!([400, 422].contains(&answer.status), "{}", answer.status);
    }
}
