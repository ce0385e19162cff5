//! `hubbub verify`: silent about what is whole, and a sentence for each thing that isn't.

use crate::child::{Child, hubbub, weak};
use crate::store::Store;
use crate::visitor::{Visitor, nonce};
use hubbub::db::Which;
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::json;
use std::fs::{self, FileTimes};
use std::process::Output;

fn verify(store: &Store, more: &[&str]) -> Output {
    hubbub(store).arg("verify").args(more).output().unwrap()
}

/// What it says, and how it ended.
fn said(output: &Output) -> (String, Option<i32>) {
    let words = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    (words.concat(), output.status.code())
}

/// Nothing that is stored lacks anything, as the program itself says.
pub fn assert_whole(store: &Store) {
    let (words, code) = said(&verify(store, &[]));
    assert_eq!(code, Some(0), "{words}");
}

/// What it says, and how it ended, for somebody whom the rights of files hold back.
pub fn weakly(store: &Store) -> (String, Option<i32>) {
    said(&weak(hubbub(store)).arg("verify").output().unwrap())
}

/// A place in which something was said, sent and uploaded. Answers with the room of it.
async fn lived_in(store: &Store) -> (Child, i64) {
    let child = Child::start(store);
    let ann = Visitor::new(&child.origin);
    ann.post("/register", &[("username", "ann"), ("password", "a good password")]).await.is(303);
    let room = ann.create("lab").await;
    for n in 0..5 {
        ann.say(&room, &format!("message {n} for @ann")).await.is(201);
    }
    let id = room["id"].as_i64().unwrap();
    let reaction = format!("/api/v1/rooms/{id}/messages/2/reactions/👍");
    ann.send("PUT", &reaction, &json!({})).await.is(200);
    let form = Form::new().part("file", Part::bytes(b"some notes".to_vec()).file_name("notes.txt"));
    let request = ann.request(Method::POST, &format!("/api/v1/rooms/{id}/attachments"));
    let file = ann.answer(request.multipart(form)).await.is(201).json();
    let with_file = json!({ "nonce": nonce(), "text": "", "attachments": [file["id"]] });
    ann.send("POST", &format!("/api/v1/rooms/{id}/messages"), &with_file).await.is(201);
    let request = ann.request(Method::PUT, "/api/v1/media/tone.wav");
    ann.send("POST", "/api/v1/live", &json!({ "name": "beam" })).await.is(201);
    ann.get("/live/beam").await.is(200).has("<chat-timeline");
    ann.answer(request.body([b"RIFF\x24\0\0\0WAVEfmt ".as_slice(), &[7; 400]].concat())).await.is(201);
    (child, id)
}

#[tokio::test]
async fn what_is_whole_passes_beside_the_server_and_after_it_was_killed() {
    let store = Store::new();
    let (words, code) = said(&verify(&store, &[]));
    if store.url(Which::Messages).starts_with("sqlite") {
        assert!(code == Some(1) && words.contains("There is no accounts database"), "{words}");
        assert_eq!(fs::read_dir(store.folder().join("data")).unwrap().count(), 0, "it made something");
    }
    let (child, _) = lived_in(&store).await;
    assert_whole(&store);
    child.kill();
    let (words, code) = said(&verify(&store, &[]));
    assert_eq!(code, Some(0), "{words}");
    assert!(words.lines().count() > 8 && words.lines().all(|line| line.starts_with("ok")), "{words}");
}

#[tokio::test]
async fn a_server_killed_while_it_deletes_an_item_leaves_nothing_of_it() {
    let store = Store::new();
    let (child, _) = lived_in(&store).await;
    let ann = Visitor::new(&child.origin);
    ann.post("/login", &[("username", "ann"), ("password", "a good password")]).await.is(303);
    let items = ann.get("/api/v1/media").await.is(200).json();
    let tone = items["items"].as_array().unwrap().iter().find(|item| item["title"] == "tone").unwrap();
    let address = format!("/api/v1/media/{}", tone["id"]);
    ann.send("DELETE", &address, &json!(null)).await.is(204);
    child.kill();
    // The file is what goes first.
    fs::remove_file(store.folder().join("media/tone.wav")).unwrap();
    let child = Child::start(&store);
    let ann = Visitor::moved(&ann, &child.origin);
    for address in [&*address, &format!("{address}/file")] {
        ann.get(address).await.is(404);
    }
    ann.get("/media/trash").await.is(200).lacks("tone");
    assert_whole(&store);
}

#[tokio::test]
async fn every_fault_gets_a_sentence() {
    let store = Store::new();
    let (child, room) = lived_in(&store).await;
    child.kill();
    let faults = [
        format!("DELETE FROM messages WHERE room_id = {room} AND seq = 2"),
        format!("UPDATE messages SET author_id = 4711 WHERE room_id = {room} AND seq = 3"),
        format!("UPDATE rooms SET indexed_rev = rev + 5 WHERE id = {room}"),
        "DELETE FROM streams".to_owned(),
        "UPDATE blobs SET content = CAST('other ones' AS %) WHERE size = 10"
            .replace('%', if store.url(Which::Messages).starts_with("sqlite") { "BLOB" } else { "BYTEA" }),
    ];
    for fault in &faults {
        store.messages(fault);
    }
    let media = store.folder().join("media");
    let (tone, bells) = (media.join("tone.wav"), media.join("Nine bells.wav"));
    let modified = fs::metadata(&tone).unwrap().modified().unwrap();
    let mut bytes = fs::read(&tone).unwrap();
    bytes[200] ^= 1;
    fs::write(&tone, bytes).unwrap();
    let file = fs::File::options().write(true).open(&tone).unwrap();
    file.set_times(FileTimes::new().set_modified(modified)).unwrap();
    fs::remove_file(bells).unwrap();
    fs::create_dir_all(media.join(".prepared/0123456789abcdef0123456789abcdef")).unwrap();
    fs::create_dir_all(media.join(".uploads")).unwrap();
    fs::write(media.join(".uploads/00112233445566778899aabbccddeeff"), b"half").unwrap();
    let (words, code) = said(&verify(&store, &[]));
    assert_eq!(code, Some(1), "{words}");
    for sentence in [
        "counts 6 messages, but 5 are stored, numbered 1 to 6.",
        "1 reactions belong to no message.",
        "1 authors of messages have no account, such as 4711.",
        "1 rooms are indexed beyond their last change.",
        "1 talks belong to no live stream.",
        "1 files of messages are not what was sent.",
        "The content of “tone.wav” is not what was uploaded.",
        "The file “Nine bells.wav” is not in the library's folder.",
        "The part file “00112233445566778899aabbccddeeff” belongs to no upload.",
        "“.prepared/0123456789abcdef0123456789abcdef” belongs to no item.",
        "things are not whole.",
    ] {
        assert!(words.contains(sentence), "{sentence} is not in {words}");
    }
    let (words, _) = said(&verify(&store, &["--quick"]));
    assert!(!words.contains("not what was"), "{words}");
}
