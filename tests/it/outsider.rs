//! Somebody who isn't in a private room tries every address and every command on it: each answer is, to the byte, the
//! one for a room that doesn't exist.
//!
//! The tables are compared with the source: a new address or command that takes a room must be tried here too.

use crate::app::{App, spawn_app};
use crate::tree;
use crate::visitor::{Visitor, nonce};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A number that no room has.
const NOWHERE: i64 = 9;

/// Every route with a room in its path: the path as `src/routes.rs` writes it, the method, the body.
fn addresses() -> Vec<(&'static str, &'static str, Value)> {
    let message = json!({ "nonce": nonce(), "text": "hello" });
    vec![
        ("/api/v1/rooms/{id}", "GET", Value::Null),
        ("/api/v1/rooms/{id}", "PATCH", json!({ "topic": "x" })),
        ("/api/v1/rooms/{id}", "PATCH", json!({ "name": "" })),
        ("/api/v1/rooms/{id}", "PATCH", json!({ "slow_seconds": 5 })),
        ("/api/v1/rooms/{id}", "DELETE", Value::Null),
        ("/api/v1/rooms/{id}/join", "POST", Value::Null),
        ("/api/v1/rooms/{id}/leave", "POST", Value::Null),
        ("/api/v1/rooms/{id}/members", "GET", Value::Null),
        ("/api/v1/rooms/{id}/members", "POST", json!({ "username": "cleo" })),
        ("/api/v1/rooms/{id}/members", "POST", json!({ "username": "nobody" })),
        ("/api/v1/rooms/{id}/members/{username}", "DELETE", Value::Null),
        ("/api/v1/rooms/{id}/changes", "GET", Value::Null),
        ("/api/v1/rooms/{id}/messages", "GET", Value::Null),
        ("/api/v1/rooms/{id}/messages", "POST", message),
        ("/api/v1/rooms/{id}/messages/{seq}", "PATCH", json!({ "text": "other" })),
        ("/api/v1/rooms/{id}/messages/{seq}", "DELETE", Value::Null),
        ("/api/v1/rooms/{id}/messages/{seq}/pin", "PUT", Value::Null),
        ("/api/v1/rooms/{id}/messages/{seq}/pin", "DELETE", Value::Null),
        ("/api/v1/rooms/{id}/messages/{seq}/preview", "PUT", Value::Null),
        ("/api/v1/rooms/{id}/messages/{seq}/preview", "DELETE", Value::Null),
        ("/api/v1/rooms/{id}/messages/{seq}/reactions/{emoji}", "PUT", Value::Null),
        ("/api/v1/rooms/{id}/messages/{seq}/reactions/{emoji}", "DELETE", Value::Null),
        ("/api/v1/rooms/{id}/pins", "GET", Value::Null),
        ("/api/v1/rooms/{id}/messages/{seq}/report", "POST", json!({ "reason": "spam" })),
        ("/api/v1/rooms/{id}/messages/{seq}/bookmark", "PUT", Value::Null),
        ("/api/v1/rooms/{id}/messages/{seq}/bookmark", "DELETE", Value::Null),
        ("/api/v1/rooms/{id}/attachments", "POST", Value::Null),
        ("/api/v1/rooms/{id}/attachments/{attachment}", "PATCH", json!({ "description": "x" })),
        ("/api/v1/rooms/{id}/attachments/{attachment}", "DELETE", Value::Null),
        ("/api/v1/rooms/{id}/level", "PUT", json!({ "level": "none" })),
        ("/{kind:c|g|dm|talk}/{name}/level", "POST", json!({ "level": "none" })),
        ("/{kind:c|g|dm}/{name}", "GET", Value::Null),
        ("/{kind:c|g|dm}/{name}", "POST", json!({ "text": "hello" })),
        ("/{kind:talk}/{id}", "GET", Value::Null),
        ("/{kind:talk}/{id}", "POST", json!({ "text": "hello" })),
        ("/{kind:c|talk}/{name}/join", "POST", json!({})),
        ("/{kind:c|g|talk}/{name}/leave", "POST", json!({})),
        ("/{kind:c|g}/{name}/settings", "GET", Value::Null),
        ("/{kind:c|g}/{name}/settings", "POST", json!({ "do": "delete" })),
        ("/{kind:c|g}/{name}/settings", "POST", json!({ "do": "invite", "user": "cleo" })),
        ("/m/{room}/{seq}", "GET", Value::Null),
    ]
}

/// Headers that each answer has of its own: when it was, how long its request's number is, and whether the connection
/// goes on, which depends on how much of an upload had arrived.
const OWN: [&str; 3] = ["date:", "content-length:", "connection:"];

/// Every command that names a room.
fn commands() -> Vec<Value> {
    vec![
        json!({ "type": "send", "nonce": nonce(), "text": "hello" }),
        json!({ "type": "history" }),
        json!({ "type": "history", "around": 1 }),
        json!({ "type": "changes", "after": 0 }),
        json!({ "type": "changes", "after": 99 }),
        json!({ "type": "join" }),
        json!({ "type": "leave" }),
        json!({ "type": "read", "seq": 1 }),
        json!({ "type": "read", "seq": 0, "back": true }),
        json!({ "type": "invite", "user": "cleo" }),
        json!({ "type": "invite", "user": "nobody" }),
        json!({ "type": "kick", "user": "ann" }),
        json!({ "type": "kick", "user": "nobody" }),
        json!({ "type": "rename", "name": "" }),
        json!({ "type": "topic", "topic": "mine" }),
        json!({ "type": "delete_room" }),
        json!({ "type": "level", "level": "none" }),
        json!({ "type": "edit", "seq": 1, "text": "other" }),
        json!({ "type": "delete", "seq": 1 }),
        json!({ "type": "react", "seq": 1, "emoji": "👍", "on": true }),
        json!({ "type": "pin", "seq": 1, "on": true }),
        json!({ "type": "preview", "seq": 1, "on": false }),
        json!({ "type": "together", "do": "look" }),
        json!({ "type": "together", "do": "join", "playing": true, "position": 0, "rate": 1 }),
        json!({ "type": "together", "do": "move", "version": 1, "playing": true }),
        json!({ "type": "together", "do": "leave" }),
    ]
}

/// Commands that name no room, and `typing`, which nobody gets an answer to.
const ROOMLESS: [&str; 8] = ["create", "open", "people", "ping", "rooms", "status", "typing", "watch"];

/// A route as often as it has kinds of rooms in its path.
fn kinds(route: &str) -> Vec<String> {
    let Some((before, rest)) = route.split_once("{kind:") else { return vec![route.to_owned()] };
    let (kinds, after) = rest.split_once('}').unwrap();
    kinds.split('|').map(|kind| format!("{before}{kind}{after}")).collect()
}

fn path_of(route: &str, room: i64) -> String {
    let query = if route.ends_with("/changes") { "?after=0" } else { "" };
    let path = route
        .replace("{id}", &room.to_string())
        .replace("{room}", &room.to_string())
        .replace("{name}", &room.to_string())
        .replace("{username}", "ann")
        .replace("{attachment}", "1")
        .replace("{emoji}", "%F0%9F%91%8D")
        .replace("{seq}", "1");
    format!("{path}{query}")
}

async fn ask(visitor: &Visitor, route: &str, method: &str, body: &Value, room: i64) -> String {
    let path = path_of(route, room);
    let request = visitor.request(method.parse().unwrap(), &path);
    let request = match body {
        Value::Null if method == "GET" => request,
        _ if route.starts_with("/api") => request.json(body),
        _ => request.form(body),
    };
    let answer = visitor.answer(request).await;
    let id = answer.header("x-request-id");
    let mut headers: Vec<String> = answer
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .filter(|line| !OWN.iter().any(|name| line.starts_with(name)))
        .collect();
    headers.sort();
    let whole = format!("{}\n{}\n{}", answer.status, headers.join("\n"), answer.text());
    // What each answer has of its own, and the address that was asked for.
    let addresses = ["/c/", "/dm/", "/g/", "/m/", "/rooms/", "/talk/"];
    addresses.iter().fold(whole.replace(&id, "REQUEST"), |text, before| {
        text.replace(&format!("{before}{room}"), &format!("{before}ROOM"))
    })
}

/// A group, a private room and the talk about what one person alone sees, with messages in them; the outsider has an account like any other.
async fn private_rooms(app: &App) -> (Vec<i64>, Visitor) {
    let (ann, _ben) = (app.register("ann").await, app.register("ben").await);
    let body = json!({ "kind": "group", "name": "Night shift", "members": ["ben"] });
    let group = ann.send("POST", "/api/v1/rooms", &body).await.is(201).json();
    let direct = ann.send("POST", "/api/v1/direct", &json!({ "username": "ben" })).await.is(201).json();
    let talk = private_talk(&ann).await;
    for room in [&group, &direct, &talk] {
        ann.say(room, "between us").await.is(201);
    }
    let deleted = ann.send("POST", "/api/v1/rooms", &body).await.is(201).json();
    ann.send("DELETE", &format!("/api/v1/rooms/{}", deleted["id"]), &Value::Null).await.is(204);
    let ids = [group, direct, talk, deleted].map(|room| room["id"].as_i64().unwrap());
    (ids.into(), app.register("cleo").await)
}

/// The talk about a recording that only its uploader sees.
async fn private_talk(ann: &Visitor) -> Value {
    let item = ann.put_recording("diary.wav").await;
    let wish = json!({ "audience": "own" });
    ann.send("PATCH", &format!("/api/v1/media/{}", item["id"]), &wish).await.is(200);
    let talk = json!({ "id": ann.talk_of(&item).await });
    ann.join(&talk).await.is(200);
    talk
}

#[tokio::test]
async fn every_address_answers_as_if_a_private_room_were_not_there() {
    let app = spawn_app().await;
    let (rooms, cleo) = private_rooms(&app).await;
    let all = addresses();
    for (route, method, body) in
        all.iter().flat_map(|(route, method, body)| kinds(route).into_iter().map(move |r| (r, *method, body)))
    {
        let route = route.as_str();
        let nowhere = ask(&cleo, route, method, body, NOWHERE).await;
        // Letting go of a bookmark that one doesn't have is done already, wherever it would lead.
        let status = if (method, route.ends_with("/bookmark")) == ("DELETE", true) { "204" } else { "404" };
        assert!(nowhere.starts_with(status), "{method} {route}: {nowhere}");
        for room in &rooms {
            let there = ask(&cleo, route, method, body, *room).await;
            assert_eq!(there, nowhere, "{method} {route}, room {room}");
        }
    }
}

#[tokio::test]
async fn every_command_answers_as_if_a_private_room_were_not_there() {
    let app = spawn_app().await;
    let (rooms, cleo) = private_rooms(&app).await;
    let mut socket = cleo.socket().await;
    for command in commands() {
        let mut answers = BTreeSet::new();
        for room in rooms.iter().chain([&NOWHERE]) {
            let mut request = command.clone();
            request["room"] = json!(room);
            let id = socket.say(request).await;
            let mut reply = socket.hear("a reply", |f| f["type"] == "reply" && f["id"] == id).await;
            assert_eq!(reply["error"]["code"], "not_found", "{command}: {reply}");
            reply["id"] = Value::Null;
            answers.insert(reply.to_string());
        }
        assert_eq!(answers.len(), 1, "{command}: {answers:?}");
    }
    let room = rooms[0];
    socket.say(json!({ "type": "typing", "room": room })).await;
    socket.must(json!({ "type": "ping" })).await;
    assert_eq!(socket.waiting().filter(|frame| frame["room"] == room).count(), 0);
}

#[test]
fn every_route_and_command_with_a_room_is_tried() {
    let source = tree::read("src/routes.rs");
    let routes: BTreeSet<&str> =
        source.split("resource(\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    let with_a_room: BTreeSet<&str> = routes
        .into_iter()
        .filter(|path| {
            path.starts_with("/api/v1/rooms/{") || path.starts_with("/{kind:") || path.contains("{room}")
        })
        .collect();
    let tried: BTreeSet<&str> = addresses().iter().map(|(route, _, _)| *route).collect();
    assert_eq!(tried, with_a_room, "each address of a room belongs into `addresses`");

    let source = tree::read("src/chat/protocol.rs");
    let parser = source.split("match head.kind.as_ref() {").nth(1).unwrap().split("_ => Err").next().unwrap();
    let known: BTreeSet<String> = parser
        .lines()
        .filter_map(|line| line.trim().strip_prefix('"')?.split('"').next())
        .map(str::to_owned)
        .collect();
    assert!(known.len() > 15, "{known:?}");
    let mut tried: BTreeSet<String> =
        commands().iter().map(|command| command["type"].as_str().unwrap().to_owned()).collect();
    tried.extend(ROOMLESS.map(str::to_owned));
    assert_eq!(tried, known, "each command belongs into `commands` or, without a room, into `ROOMLESS`");
}

#[tokio::test]
async fn a_broadcaster_that_leaks_would_be_seen() {
    // A channel that one has joined is what a private room would be to somebody whom it leaks to.
    let app = spawn_app().await;
    let (ann, cleo) = (app.register("ann").await, app.register("cleo").await);
    let room = ann.create("square").await;
    cleo.join(&room).await.is(200);
    let id = room["id"].as_i64().unwrap();
    let mut socket = cleo.socket().await;
    let mut hers = ann.socket().await;
    hers.send(&room, "for members").await;
    socket.hear_message("for members").await;
    for (route, method, body) in
        addresses().iter().filter(|(route, ..)| route.starts_with("/api/v1/rooms/{id}"))
    {
        if *method == "GET" {
            let (there, nowhere) =
                (ask(&cleo, route, method, body, id).await, ask(&cleo, route, method, body, NOWHERE).await);
            assert_ne!(there, nowhere, "{method} {route} would hide a leak");
        }
    }
}
