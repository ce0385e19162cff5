//! Groups and channels of one's own: made, joined by invitation, renamed, left, deleted.

use crate::app::{App, spawn_app};
use crate::socket::Socket;
use crate::visitor::{DEADLINE, Visitor, nonce};
use diesel::prelude::*;
use hubbub::db::{Access, Manager, Which};
use serde_json::{Value, json};

/// A group of its owner Ann with Ben in it, and Cleo who isn't.
struct Trio {
    ann: Visitor,
    ben: Visitor,
    cleo: Visitor,
    group: Value,
}

async fn trio(app: &App) -> Trio {
    let (ann, ben, cleo) = (app.register("ann").await, app.register("ben").await, app.register("cleo").await);
    let body = json!({ "kind": "group", "name": "Night shift", "topic": "who is up", "members": ["BEN"] });
    let group = ann.send("POST", "/api/v1/rooms", &body).await.is(201).json();
    Trio { ann, ben, cleo, group }
}

/// The `room` event about this room that fits.
async fn hear_room(socket: &mut Socket, room: &Value, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
    let id = room["id"].clone();
    socket.hear(what, |frame| frame["type"] == "room" && frame["room"]["id"] == id && fits(frame)).await
}

fn names(page: &Value) -> Vec<&str> {
    page["users"].as_array().unwrap().iter().map(|user| user["username"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_group_is_there_for_its_members_at_once() {
    let app = spawn_app().await;
    let (ann, ben) = (app.register("ann").await, app.register("ben").await);
    let (mut hers, mut his) = (ann.socket().await, ben.socket().await);
    let made = hers
        .must(json!({ "type": "create", "kind": "group", "name": "Night shift", "topic": "who is up",
            "members": ["ben", "BEN", "ann"] }))
        .await["room"]
        .clone();
    assert_eq!(
        (&made["kind"], &made["name"], &made["topic"], &made["members"], &made["joined"]),
        (&json!("group"), &json!("Night shift"), &json!("who is up"), &json!(2), &json!(true))
    );
    assert_eq!(made["owner"], ann.me().await["id"]);
    hear_room(&mut his, &made, "the new group", |frame| frame["room"]["joined"] == true).await;
    hers.send(&made, "hello you two").await;
    his.hear_message("hello you two").await;
    let members = ben.get(&format!("/api/v1/rooms/{}/members", made["id"])).await.is(200).json();
    assert_eq!(names(&members), ["ann", "ben"]);
    // Names are nobody's: a second group may have the same.
    let again = json!({ "kind": "group", "name": "Night shift" });
    let other = ben.send("POST", "/api/v1/rooms", &again).await.is(201).json();
    assert_ne!(other["id"], made["id"]);
    let listed = ann.get("/api/v1/rooms").await.is(200).json();
    assert!(listed["rooms"].as_array().unwrap().iter().all(|room| room["kind"] != "group"), "{listed}");
    let back = ann.socket().await;
    let ready = back.ready["rooms"].as_array().unwrap();
    assert!(ready.iter().any(|room| room["id"] == made["id"]), "{ready:?}");
}

#[tokio::test]
async fn a_group_that_cannot_be_is_refused_with_a_sentence_per_field() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let mut socket = ann.socket().await;
    for (body, field) in [
        (json!({ "kind": "group", "name": " \u{200b}" }), "name"),
        (json!({ "kind": "group", "name": "x".repeat(65) }), "name"),
        (json!({ "kind": "group", "name": "a\nb" }), "name"),
        (json!({ "kind": "group", "name": "x", "topic": "x".repeat(251) }), "topic"),
        (json!({ "kind": "group", "name": "x", "members": ["ann", "nobody"] }), "members"),
        (json!({ "kind": "channel", "name": "x", "members": ["ann"] }), "members"),
        (json!({ "kind": "direct", "name": "x" }), "kind"),
    ] {
        let problem = ann.send("POST", "/api/v1/rooms", &body).await.problem(422, "invalid");
        assert_eq!(problem["fields"][0]["field"], field, "{problem}");
        let mut command = body.clone();
        command["type"] = json!("create");
        socket.refused(command, "invalid").await;
    }
    let guest = app.guest("Gus").await;
    guest.send("POST", "/api/v1/rooms", &json!({ "kind": "group", "name": "x" })).await.problem(403, "guest");
}

#[tokio::test]
async fn members_invite_and_the_owner_removes() {
    let app = spawn_app().await;
    let Trio { ann, ben, cleo, group } = trio(&app).await;
    ann.say(&group, "before cleo").await.is(201);
    let (mut hers, mut cleos) = (ann.socket().await, cleo.socket().await);
    let members = format!("/api/v1/rooms/{}/members", group["id"]);
    let seen = ben.send("POST", &members, &json!({ "username": "cleo" })).await.is(201).json();
    assert_eq!(seen["members"], 3);
    let joined = hear_room(&mut cleos, &group, "the group", |frame| frame["room"]["joined"] == true).await;
    assert_eq!((&joined["room"]["last_seq"], &joined["room"]["read_seq"]), (&json!(1), &json!(1)));
    hear_room(&mut hers, &group, "who came", |frame| frame["room"]["members"] == 3).await;
    let page = cleos.must(json!({ "type": "history", "room": group["id"] })).await;
    assert_eq!(page["messages"][0]["text"], "before cleo", "who comes in reads what was said");
    cleos.send(&group, "thanks").await;
    hers.hear_message("thanks").await;
    // Again changes nothing.
    assert_eq!(ben.send("POST", &members, &json!({ "username": "cleo" })).await.is(201).json()["members"], 3);
    ben.send("POST", &members, &json!({ "username": "nobody" })).await.problem(404, "not_found");
    ben.send("DELETE", &format!("{members}/cleo"), &Value::Null).await.problem(403, "not_owner");
    ann.send("DELETE", &format!("{members}/ann"), &Value::Null).await.problem(409, "yourself");
    ann.send("DELETE", &format!("{members}/cleo"), &Value::Null).await.is(204);
    hear_room(&mut cleos, &group, "the end of it", |frame| frame["gone"] == true).await;
    cleos.refused(json!({ "type": "history", "room": group["id"] }), "not_found").await;
    cleo.say(&group, "still here?").await.problem(404, "not_found");
    ann.send("DELETE", &format!("{members}/cleo"), &Value::Null).await.problem(404, "not_found");
    let mut bens = ben.socket().await;
    bens.refused(json!({ "type": "kick", "room": group["id"], "user": "ann" }), "not_owner").await;
    bens.must(json!({ "type": "invite", "room": group["id"], "user": "cleo" })).await;
    hers.must(json!({ "type": "kick", "room": group["id"], "user": "cleo" })).await;
}

#[tokio::test]
async fn a_new_name_and_topic_reach_every_member() {
    let app = spawn_app().await;
    let Trio { ann, ben, group, .. } = trio(&app).await;
    let mut his = ben.socket().await;
    let path = format!("/api/v1/rooms/{}", group["id"]);
    let body = json!({ "name": " Day shift ", "topic": "sun" });
    let seen = ann.send("PATCH", &path, &body).await.is(200).json();
    assert_eq!(
        (&seen["name"], &seen["topic"], &seen["joined"]),
        (&json!("Day shift"), &json!("sun"), &json!(true))
    );
    hear_room(&mut his, &group, "the new name", |frame| {
        frame["room"]["name"] == "Day shift" && frame["room"]["topic"] == "sun"
    })
    .await;
    his.refused(json!({ "type": "rename", "room": group["id"], "name": "Mine" }), "not_owner").await;
    his.refused(json!({ "type": "topic", "room": group["id"], "topic": "mine" }), "not_owner").await;
    ann.send("PATCH", &path, &json!({ "name": "" })).await.problem(422, "invalid");
    ann.send("PATCH", &path, &json!({ "owner": 2 })).await.problem(422, "invalid");
    let mut hers = ann.socket().await;
    let reply = hers.must(json!({ "type": "topic", "room": group["id"], "topic": "" })).await;
    assert_eq!((&reply["room"]["topic"], &reply["room"]["name"]), (&json!(""), &json!("Day shift")));
}

#[tokio::test]
async fn a_channel_is_renamed_by_its_owner_or_a_moderator_and_keeps_what_was_said() {
    let app = spawn_app().await;
    // The first account owns the place, so Ann is another one.
    let (root, ann, ben) = (app.register("root").await, app.register("ann").await, app.register("ben").await);
    let room = ann.create("lab").await;
    ann.create("taken").await;
    ann.say(&room, "first words").await.is(201);
    let path = format!("/api/v1/rooms/{}", room["id"]);
    ben.send("PATCH", &path, &json!({ "topic": "x" })).await.problem(403, "not_owner");
    ann.send("PATCH", &path, &json!({ "name": "TAKEN" })).await.problem(409, "name_taken");
    ann.send("PATCH", &path, &json!({ "name": "a/b" })).await.problem(422, "invalid");
    assert_eq!(ann.send("PATCH", &path, &json!({ "name": "LAB" })).await.is(200).json()["name"], "LAB");
    root.send("PATCH", &path, &json!({ "name": "workshop", "topic": "by root" })).await.is(200);
    ben.get("/c/workshop").await.is(200).has("first words").has("by root");
    ben.get("/c/lab").await.is(404);
    ann.create("lab").await;
    let board = json!({ "name": "Wall" });
    root.send("PATCH", "/api/v1/rooms/1", &board).await.problem(403, "everybodys_room");
    root.send("DELETE", "/api/v1/rooms/1", &Value::Null).await.problem(403, "everybodys_room");
}

#[tokio::test]
async fn a_group_passes_to_who_was_there_longest_and_goes_with_the_last() {
    let app = spawn_app().await;
    let Trio { ann, ben, cleo, group } = trio(&app).await;
    let members = format!("/api/v1/rooms/{}/members", group["id"]);
    ann.send("POST", &members, &json!({ "username": "cleo" })).await.is(201);
    let mut his = ben.socket().await;
    let leave = format!("/api/v1/rooms/{}/leave", group["id"]);
    let left = ann.send("POST", &leave, &Value::Null).await.is(200).json();
    assert_eq!((&left["joined"], &left["members"]), (&json!(false), &json!(2)));
    let bens_id = ben.me().await["id"].clone();
    hear_room(&mut his, &group, "the new owner", |frame| frame["room"]["owner"] == bens_id).await;
    ann.get(&format!("/api/v1/rooms/{}", group["id"])).await.problem(404, "not_found");
    ben.send("PATCH", &format!("/api/v1/rooms/{}", group["id"]), &json!({ "topic": "mine now" }))
        .await
        .is(200);
    cleo.send("POST", &leave, &Value::Null).await.is(200);
    ben.send("POST", &leave, &Value::Null).await.is(200);
    ben.get(&format!("/api/v1/rooms/{}", group["id"])).await.problem(404, "not_found");
    gone_from_the_database(&app, &group).await;
}

/// Waits until nothing is left of a deleted room.
async fn gone_from_the_database(app: &App, room: &Value) {
    let deadline = tokio::time::Instant::now() + DEADLINE;
    let id = room["id"].as_i64().unwrap();
    loop {
        let url = app.store.url(Which::Messages).parse().unwrap();
        let mut conn = Manager { url, which: Which::Messages, access: Access::Read }.open().unwrap();
        let left: Counts = diesel::sql_query(format!(
            "SELECT (SELECT COUNT(*) FROM rooms WHERE id = {id}) AS rooms,
                (SELECT COUNT(*) FROM messages WHERE room_id = {id}) AS messages,
                (SELECT COUNT(*) FROM memberships WHERE room_id = {id}) AS memberships"
        ))
        .get_result(&mut conn)
        .unwrap();
        if left.rooms + left.messages + left.memberships == 0 {
            return;
        }
        assert!(tokio::time::Instant::now() < deadline, "left: {left:?}");
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
}

#[derive(Debug, diesel::QueryableByName)]
struct Counts {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    rooms: i64,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    messages: i64,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    memberships: i64,
}

#[tokio::test]
async fn a_deleted_room_is_gone_for_everybody_at_once_and_its_words_soon() {
    let app = spawn_app().await;
    let Trio { ann, ben, group, .. } = trio(&app).await;
    let (mut hers, mut his) = (ann.socket().await, ben.socket().await);
    // More than one piece of the purge.
    for number in 0..1200 {
        hers.say(
            json!({ "type": "send", "room": group["id"], "nonce": nonce(), "text": format!("{number}") }),
        )
        .await;
    }
    hers.must(json!({ "type": "ping" })).await;
    let path = format!("/api/v1/rooms/{}", group["id"]);
    ben.send("DELETE", &path, &Value::Null).await.problem(403, "not_owner");
    his.refused(json!({ "type": "delete_room", "room": group["id"] }), "not_owner").await;
    hers.must(json!({ "type": "delete_room", "room": group["id"] })).await;
    for socket in [&mut hers, &mut his] {
        hear_room(socket, &group, "the end of it", |frame| frame["gone"] == true).await;
        socket.refused(json!({ "type": "changes", "room": group["id"], "after": 0 }), "not_found").await;
    }
    ann.get(&path).await.problem(404, "not_found");
    ann.send("DELETE", &path, &Value::Null).await.problem(404, "not_found");
    gone_from_the_database(&app, &group).await;
    // A channel's name is free again at once.
    let channel = ann.create("lab").await;
    ann.send("DELETE", &format!("/api/v1/rooms/{}", channel["id"]), &Value::Null).await.is(204);
    ann.get("/c/lab").await.is(404);
    assert_ne!(ben.create("lab").await["id"], channel["id"]);
}
