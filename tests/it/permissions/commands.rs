//! Every command of the socket, with what it is tried on.

use super::objects::{Made, Object};
use crate::tree;
use crate::visitor::{Visitor, nonce};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// `room` and `seq` are filled in with what was made.
pub fn all() -> Vec<Value> {
    vec![
        json!({ "type": "send", "room": 0, "text": "hello" }),
        json!({ "type": "history", "room": 0 }),
        json!({ "type": "changes", "room": 0, "after": 0 }),
        json!({ "type": "join", "room": 0 }),
        json!({ "type": "leave", "room": 0 }),
        json!({ "type": "read", "room": 0, "seq": 1 }),
        json!({ "type": "invite", "room": 0, "user": "cleo" }),
        json!({ "type": "kick", "room": 0, "user": "ann" }),
        json!({ "type": "rename", "room": 0, "name": "" }),
        json!({ "type": "topic", "room": 0, "topic": "mine" }),
        json!({ "type": "delete_room", "room": 0 }),
        json!({ "type": "level", "room": 0, "level": "none" }),
        json!({ "type": "edit", "room": 0, "seq": 0, "text": "other" }),
        json!({ "type": "delete", "room": 0, "seq": 0 }),
        json!({ "type": "react", "room": 0, "seq": 0, "emoji": "👍", "on": true }),
        json!({ "type": "pin", "room": 0, "seq": 0, "on": true }),
        json!({ "type": "preview", "room": 0, "seq": 0, "on": false }),
        json!({ "type": "together", "room": 0, "do": "look" }),
        json!({ "type": "create", "kind": "channel", "name": "" }),
        json!({ "type": "create", "kind": "group", "name": "Choir", "members": [] }),
        json!({ "type": "open", "user": "ann" }),
        json!({ "type": "people" }),
        json!({ "type": "ping" }),
        json!({ "type": "rooms" }),
        json!({ "type": "status", "state": "away" }),
        json!({ "type": "watch", "users": [1] }),
    ]
}

pub fn object(command: &Value) -> Object {
    match (command["room"].is_null(), command["type"].as_str().unwrap()) {
        (true, _) => Object::Nothing,
        (_, "edit" | "delete" | "react" | "pin" | "preview") => Object::Message,
        (_, "together") => Object::Talk,
        _ => Object::Group,
    }
}

/// Says it and reads the letter out of the reply.
pub async fn ask(who: &Visitor, command: &Value, made: &Made) -> char {
    let mut socket = who.socket().await;
    let mut command = command.clone();
    if command.get("room").is_some() {
        command["room"] = json!(made.number("room"));
    }
    if command["seq"] == 0 {
        command["seq"] = json!(made.number("seq"));
    }
    let kind = command["type"].as_str().unwrap().to_owned();
    if kind == "send" {
        command["nonce"] = json!(nonce());
    }
    if kind == "create" || kind == "rename" {
        command["name"] = json!(made.fill("{nonce}"));
    }
    let id = socket.say(command).await;
    let answer = socket.hear("a reply", |frame| frame["id"] == id).await;
    match answer["error"]["code"].as_str() {
        None | Some("invalid" | "conflict" | "name_taken") => '+',
        Some("not_found") => '.',
        Some(_) => '-',
    }
}

/// Nobody gets an answer to it; whom it reaches is asked in `outsider`.
const UNANSWERED: &str = "typing";

pub fn tried() -> BTreeSet<String> {
    let asked = all().into_iter().map(|command| command["type"].as_str().unwrap().to_owned());
    asked.chain([UNANSWERED.to_owned()]).collect()
}

/// The commands that the parser knows.
pub fn written() -> BTreeSet<String> {
    let source = tree::read("src/chat/protocol.rs");
    let parser = source.split("match head.kind.as_ref() {").nth(1).unwrap().split("_ => Err").next().unwrap();
    let name = |line: &str| Some(line.trim().strip_prefix('"')?.split('"').next()?.to_owned());
    parser.lines().filter_map(name).collect()
}
