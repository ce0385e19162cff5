//! A disk that takes nothing more while the server runs: said in words, read from all the same, and over when there is room.

use crate::child::Child;
use crate::store::Store;
use crate::verify::assert_whole;
use crate::visitor::{Visitor, nonce};
use hubbub::db::Which;
use rlimit::Resource;
use serde_json::json;

/// As a full disk does, this lets no file become larger than some KiB: not the log of what is to be written.
fn set_limit(child: &Child, bytes: u64) {
    let id = i32::try_from(child.id()).unwrap();
    rlimit::prlimit(id, Resource::FSIZE, Some((bytes, rlimit::INFINITY)), None).unwrap();
}

#[tokio::test]
async fn a_full_disk_refuses_what_is_new_and_goes_on_when_there_is_room() {
    let store = Store::new();
    if !store.url(Which::Messages).starts_with("sqlite") {
        return;
    }
    let child = Child::start(&store);
    let ann = Visitor::new(&child.origin);
    ann.post("/register", &[("username", "ann"), ("password", "a good password")]).await.is(303);
    let room = ann.create("lab").await;
    ann.say(&room, "before").await.is(201);
    let mut socket = ann.socket().await;
    set_limit(&child, 4096);
    let path = format!("/api/v1/rooms/{}/messages", room["id"]);
    let late = json!({ "nonce": nonce(), "text": "while it is full" });
    for _ in 0..3 {
        let problem = ann.send("POST", &path, &late).await.problem(503, "busy");
        assert!(problem["detail"].as_str().unwrap().contains("disk of this place is full"), "{problem}");
    }
    let send = json!({ "type": "send", "room": room["id"], "nonce": late["nonce"], "text": late["text"] });
    socket.refused(send.clone(), "busy").await;
    ann.post("/board", &[("text", "a note")]).await.is(503).has("disk of this place is full");
    let other = Visitor::new(&child.origin);
    other.post("/login", &[("username", "ann"), ("password", "a good password")]).await.is(503);
    for page in [
        "/board",
        "/channels",
        "/dashboard",
        "/c/lab",
        "/people",
        "/search?q=before",
        "/media",
        "/live",
        "/settings",
    ] {
        ann.get(page).await.is(200);
    }
    let read = ann.get(&path).await.is(200).json();
    assert_eq!(read["messages"].as_array().unwrap().len(), 1, "{read}");
    ann.get("/healthz").await.is(200);

    set_limit(&child, rlimit::INFINITY);
    let reply = socket.must(send).await;
    let again = ann.send("POST", &path, &late).await.is(201).json();
    assert_eq!(again["seq"], reply["seq"], "it was stored twice");
    ann.say(&room, "after").await.is(201);
    let child = {
        child.kill();
        Child::start(&store)
    };
    let ann = Visitor::moved(&ann, &child.origin);
    let read = ann.get(&path).await.is(200).json();
    let texts: Vec<&str> = read["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| message["text"].as_str().unwrap())
        .collect();
    assert_eq!(texts, ["before", "while it is full", "after"]);
    assert_eq!(child.terminate().code(), Some(0));
    assert_whole(&store);
}
