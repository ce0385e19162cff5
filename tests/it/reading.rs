//! What is unread: marks, levels and calls, the same on every device, and the way to a day.

use crate::app::{App, spawn_app};
use crate::socket::Socket;
use crate::visitor::Visitor;
use serde_json::{Value, json};

/// Ann with two devices, and Bob who writes.
struct Scene {
    ann: Visitor,
    bob: Visitor,
    desk: Socket,
    phone: Socket,
    room: Value,
}

async fn scene(app: &App) -> Scene {
    let (ann, bob) = (app.register("ann").await, app.register("bob").await);
    let room = ann.create("talk").await;
    bob.join(&room).await.is(200);
    let (desk, phone) = (ann.socket().await, ann.socket().await);
    Scene { ann, bob, desk, phone, room }
}

/// The room as the API tells it now.
async fn seen(visitor: &Visitor, room: &Value) -> Value {
    visitor.get(&format!("/api/v1/rooms/{}", room["id"])).await.is(200).json()
}

async fn hear_read(socket: &mut Socket, seq: i64) -> Value {
    socket.hear("a read mark", |frame| frame["type"] == "read" && frame["seq"] == seq).await
}

#[tokio::test]
async fn reading_on_one_device_is_told_to_the_others_and_by_a_page_too() {
    let app = spawn_app().await;
    let Scene { ann, bob, mut desk, mut phone, room } = scene(&app).await;
    for text in ["one", "two", "three"] {
        bob.say(&room, text).await.is(201);
    }
    let reply = desk.must(json!({ "type": "read", "room": room["id"], "seq": 2 })).await;
    assert_eq!((&reply["seq"], &reply["mentions"]), (&json!(2), &json!(0)), "{reply}");
    let told = hear_read(&mut phone, 2).await;
    assert_eq!((&told["room"], told.get("back")), (&room["id"], None), "{told}");
    // Back: unread from the second on.
    desk.must(json!({ "type": "read", "room": room["id"], "seq": 1, "back": true })).await;
    assert_eq!(hear_read(&mut phone, 1).await["back"], true);
    assert_eq!(seen(&ann, &room).await["read_seq"], 1);
    // Forward only, otherwise; what moves nothing is told to nobody.
    desk.must(json!({ "type": "read", "room": room["id"], "seq": 0 })).await;
    ann.get("/c/talk").await.is(200);
    hear_read(&mut desk, 3).await;
    hear_read(&mut phone, 3).await;
    ann.get("/c/talk").await.is(200);
    phone.must(json!({ "type": "ping" })).await;
    assert_eq!(phone.waiting().filter(|frame| frame["type"] == "read").count(), 0);
    // The board counts in the same way.
    bob.post("/board", &[("text", "a note")]).await.is(303);
    // A rail may be two seconds old, and it says whether there is something to mark.
    while !ann.get("/people").await.is(200).text().contains("is-unread\" href=\"/board\"") {
        phone.must(json!({ "type": "ping" })).await;
    }
    ann.get("/board").await.is(200);
    let read = phone.hear("the board", |frame| frame["type"] == "read" && frame["room"] == 1).await;
    assert_eq!(read["seq"], 1);
}

#[tokio::test]
async fn a_mark_that_was_put_back_is_there_after_a_restart() {
    let mut app = spawn_app().await;
    let Scene { ann, bob, mut desk, phone, room } = scene(&app).await;
    for text in ["one", "two", "three"] {
        bob.say(&room, text).await.is(201);
    }
    desk.must(json!({ "type": "read", "room": room["id"], "seq": 3 })).await;
    desk.must(json!({ "type": "read", "room": room["id"], "seq": 0, "back": true })).await;
    drop((desk, phone));
    app.restart().await;
    let again = ann.socket().await;
    assert_eq!(again.ready["rooms"][1]["read_seq"], 0, "{}", again.ready);
}

#[tokio::test]
async fn a_level_is_the_persons_own_on_all_devices_and_in_the_rail() {
    let app = spawn_app().await;
    let Scene { ann, bob, mut desk, mut phone, room } = scene(&app).await;
    assert_eq!(desk.ready["rooms"][1]["level"], "all");
    let reply = desk.must(json!({ "type": "level", "room": room["id"], "level": "mentions" })).await;
    assert_eq!(reply["room"]["level"], "mentions", "{reply}");
    let fits = |frame: &Value| frame["type"] == "room" && frame["room"]["level"] == "mentions";
    assert_eq!(phone.hear("the level", fits).await["room"]["id"], room["id"]);
    bob.say(&room, "not for her").await.is(201);
    ann.get("/people").await.is(200).lacks("is-unread\" href=\"/c/talk\"");
    let path = format!("/api/v1/rooms/{}/level", room["id"]);
    ann.send("PUT", &path, &json!({ "level": "none" })).await.is(200);
    ann.get("/people").await.is(200).has("is-muted\" href=\"/c/talk\"");
    ann.post("/c/talk/level", &[("level", "all")]).await.is(303);
    ann.get("/people").await.is(200).has("is-unread\" href=\"/c/talk\"");
    assert_eq!(seen(&bob, &room).await["level"], "all");
    // A level of no kind, a room that one has not joined, a room that isn't there; the board has one as well.
    ann.send("PUT", &path, &json!({ "level": "loud" })).await.problem(422, "invalid");
    app.register("eve")
        .await
        .send("PUT", &path, &json!({ "level": "none" }))
        .await
        .problem(403, "not_member");
    ann.send("PUT", "/api/v1/rooms/4711/level", &json!({ "level": "none" })).await.problem(404, "not_found");
    ann.send("PUT", "/api/v1/rooms/1/level", &json!({ "level": "none" })).await.is(200);
    assert_eq!(ann.socket().await.ready["rooms"][0]["level"], "none");
    desk.refused(json!({ "type": "level", "room": room["id"], "level": "" }), "invalid").await;
}

#[tokio::test]
async fn calls_are_counted_from_the_mark_on_and_a_message_that_calls_twice_is_one() {
    let app = spawn_app().await;
    let Scene { ann, bob, mut desk, mut phone, room } = scene(&app).await;
    for number in 1..=5 {
        bob.say(&room, &format!("message {number}")).await.is(201);
    }
    ann.say(&room, "and mine").await.is(201);
    desk.must(json!({ "type": "read", "room": room["id"], "seq": 0, "back": true })).await;
    hear_read(&mut phone, 0).await;
    // As posting stores it: Ann is called by 2 and 4, everybody by 4 and by Ann's own 6.
    let (id, ann_id) = (&room["id"], ann.me().await["id"].clone());
    app.store.messages(&format!(
        "INSERT INTO mentions (user_id, room_id, seq) VALUES ({ann_id}, {id}, 2), ({ann_id}, {id}, 4)"
    ));
    app.store.messages(&format!("UPDATE messages SET to_all = TRUE WHERE room_id = {id} AND seq IN (4, 6)"));
    assert_eq!(seen(&ann, &room).await["mentions"], 2);
    assert_eq!(ann.socket().await.ready["rooms"][1]["mentions"], 2);
    assert_eq!(seen(&bob, &room).await["mentions"], 1);
    let reply = desk.must(json!({ "type": "read", "room": room["id"], "seq": 3 })).await;
    assert_eq!(reply["mentions"], 1, "{reply}");
    assert_eq!(hear_read(&mut phone, 3).await["mentions"], 1);
    ann.get("/people").await.is(200).has(">@3<");
    desk.must(json!({ "type": "read", "room": room["id"], "seq": 6 })).await;
    assert_eq!(seen(&ann, &room).await["mentions"], 0);
}

#[tokio::test]
async fn a_day_leads_to_its_first_message() {
    const DAY: i64 = 86_400_000;
    let app = spawn_app().await;
    let Scene { ann, bob, room, .. } = scene(&app).await;
    for number in 1..=150 {
        bob.say(&room, &format!("message {number}.")).await.is(201);
    }
    // Three messages a day, from 1970-01-01 on; the 40th day is skipped.
    let id = &room["id"];
    app.store.messages(&format!(
        "UPDATE messages SET posted_at = ((seq - 1) / 3) * {DAY} + seq WHERE room_id = {id}"
    ));
    app.store.messages(&format!(
        "UPDATE messages SET posted_at = posted_at + {DAY} WHERE room_id = {id} AND seq > 117"
    ));
    for (at, seq) in [
        (0, 1),
        (10 * DAY, 31),
        (10 * DAY + 32, 32),
        (39 * DAY, 118),
        (40 * DAY, 118),
        (99 * DAY, 150),
        (-DAY, 1),
    ] {
        let path = format!("/api/v1/rooms/{id}/messages?at={at}&limit=2");
        let page = ann.get(&path).await.is(200).json();
        let seqs: Vec<i64> =
            page["messages"].as_array().unwrap().iter().map(|m| m["seq"].as_i64().unwrap()).collect();
        let wanted: Vec<i64> = [seq - 1, seq].into_iter().filter(|seq| *seq > 0).collect();
        let wanted = if seq == 1 { vec![1, 2] } else { wanted };
        assert_eq!(seqs, wanted, "{at}");
    }
    ann.get("/c/talk?day=1970-01-11").await.is(200).has("message focus\" id=\"m-31\"").lacks("message 150.");
    ann.get("/c/talk?day=yesterday").await.is(422);
    ann.get(&format!("/api/v1/rooms/{id}/messages?at=5&before=3")).await.problem(422, "invalid");
    // An empty room has no first message.
    let empty = ann.create("empty").await;
    let page = ann.get(&format!("/api/v1/rooms/{}/messages?at=5", empty["id"])).await.is(200).json();
    assert_eq!(page["messages"], json!([]));
}
