//! Changing messages: edit, delete, react, pin; replies and their threads. By socket and by API.

use crate::app::{App, spawn_app};
use crate::child::hubbub;
use crate::socket::Socket;
use crate::visitor::{Visitor, nonce};
use serde_json::{Value, json};

/// A channel of Ann's with Bob in it and one message of each. Neither has a say beyond it: the place is the founder's.
struct Talk {
    founder: Visitor,
    ann: Visitor,
    bob: Visitor,
    hers: Socket,
    his: Socket,
    room: Value,
}

const ANNS: i64 = 1;
const BOBS: i64 = 2;

async fn talk(app: &App) -> Talk {
    let founder = app.register("founder").await;
    let (ann, bob) = (app.register("ann").await, app.register("bob").await);
    let room = ann.create("talk").await;
    bob.join(&room).await.is(200);
    let (mut hers, mut his) = (ann.socket().await, bob.socket().await);
    hers.send(&room, "from Ann").await;
    his.send(&room, "from Bob").await;
    Talk { founder, ann, bob, hers, his, room }
}

impl Talk {
    fn edit(&self, seq: i64, text: &str) -> Value {
        json!({ "type": "edit", "room": self.room["id"], "seq": seq, "text": text })
    }

    fn delete(&self, seq: i64) -> Value {
        json!({ "type": "delete", "room": self.room["id"], "seq": seq })
    }

    fn react(&self, seq: i64, emoji: &str, on: bool) -> Value {
        json!({ "type": "react", "room": self.room["id"], "seq": seq, "emoji": emoji, "on": on })
    }

    fn pin(&self, seq: i64, on: bool) -> Value {
        json!({ "type": "pin", "room": self.room["id"], "seq": seq, "on": on })
    }

    fn path(&self, seq: i64) -> String {
        format!("/api/v1/rooms/{}/messages/{seq}", self.room["id"])
    }

    async fn message(&self, seq: i64) -> Value {
        let path = format!("/api/v1/rooms/{}/messages?around={seq}", self.room["id"]);
        let page = self.ann.get(&path).await.is(200).json();
        page["messages"].as_array().unwrap().iter().find(|m| m["seq"] == seq).unwrap().clone()
    }
}

async fn heard(socket: &mut Socket, rev: &Value) -> Value {
    socket.hear("the change", |frame| frame["type"] == "message" && frame["rev"] == *rev).await
}

#[tokio::test]
async fn an_edit_takes_the_next_rev_and_reaches_everybody_as_the_whole_message() {
    let app = spawn_app().await;
    let mut talk = talk(&app).await;
    let reply = talk.hers.must(talk.edit(ANNS, "from **Ann**, corrected")).await;
    assert_eq!(reply["rev"], 3);
    let change = heard(&mut talk.his, &reply["rev"]).await;
    assert_eq!((&change["seq"], &change["text"]), (&json!(ANNS), &json!("from **Ann**, corrected")));
    assert!(change["edited"].as_i64() >= change["at"].as_i64(), "{change}");
    assert_eq!(change, talk.message(ANNS).await);
    let again = talk.hers.must(talk.edit(ANNS, "from **Ann**, corrected\n")).await;
    assert_eq!(again["rev"], 3, "the same words change nothing");
    let path = talk.path(ANNS);
    let by_api = talk.ann.send("PATCH", &path, &json!({ "text": "by API" })).await.is(200).json();
    assert_eq!((&by_api["rev"], &by_api["text"]), (&json!(4), &json!("by API")));
    assert_eq!(heard(&mut talk.his, &json!(4)).await, by_api);
}

#[tokio::test]
async fn wrong_words_and_other_peoples_messages_are_not_edited() {
    let app = spawn_app().await;
    let mut talk = talk(&app).await;
    talk.his.refused(talk.edit(ANNS, "not mine"), "not_yours").await;
    talk.hers.refused(talk.edit(BOBS, "not hers, though it is her room"), "not_yours").await;
    let long = "x".repeat(4001);
    for text in ["", " \n ", "a\u{1b}[0m", &long] {
        talk.hers.refused(talk.edit(ANNS, text), "invalid").await;
        talk.ann.send("PATCH", &talk.path(ANNS), &json!({ "text": text })).await.problem(422, "invalid");
    }
    talk.hers.refused(talk.edit(99, "nowhere"), "not_found").await;
    talk.hers.refused(talk.edit(-1, "nowhere"), "not_found").await;
    talk.hers.refused(json!({ "type": "edit", "room": talk.room["id"], "seq": 1 }), "bad_request").await;
    talk.ann.send("PATCH", &talk.path(99), &json!({ "text": "x" })).await.problem(404, "not_found");
    talk.ann.send("PATCH", &talk.path(ANNS), &json!({})).await.problem(422, "invalid");
    app.stranger()
        .send("PATCH", &talk.path(ANNS), &json!({ "text": "x" }))
        .await
        .problem(401, "sign_in_first");
    assert_eq!(talk.message(ANNS).await["rev"], 1);
}

#[tokio::test]
async fn a_deleted_message_keeps_its_place_and_nothing_else() {
    let app = spawn_app().await;
    let mut talk = talk(&app).await;
    talk.hers.must(talk.edit(ANNS, "a **secret** for @bob")).await;
    talk.his.must(talk.react(ANNS, "👀", true)).await;
    talk.hers.must(talk.pin(ANNS, true)).await;
    let reply = talk.hers.must(talk.delete(ANNS)).await;
    let gone = heard(&mut talk.his, &reply["rev"]).await;
    assert_eq!((&gone["deleted"], &gone["text"], &gone["seq"]), (&json!(true), &json!(""), &json!(ANNS)));
    for field in ["title", "html", "edited", "reactions", "attachments", "pinned", "to_all"] {
        assert!(gone.get(field).is_none(), "{gone}");
    }
    assert!(
        !talk.ann.get("/c/talk").await.is(200).has("This message was deleted.").text().contains("secret")
    );
    assert_eq!(talk.hers.must(talk.delete(ANNS)).await["rev"], reply["rev"], "it is deleted already");
    talk.hers.refused(talk.edit(ANNS, "back"), "deleted").await;
    talk.his.refused(talk.react(ANNS, "👀", true), "deleted").await;
    talk.hers.refused(talk.pin(ANNS, true), "deleted").await;
    talk.ann.send("PATCH", &talk.path(ANNS), &json!({ "text": "x" })).await.problem(409, "deleted");
    let pins = talk.ann.get(&format!("/api/v1/rooms/{}/pins", talk.room["id"])).await.is(200).json();
    assert_eq!(pins["messages"], json!([]));
}

#[tokio::test]
async fn messages_are_deleted_by_their_author_the_rooms_owner_and_a_moderator() {
    let app = spawn_app().await;
    let mut talk = talk(&app).await;
    talk.his.refused(talk.delete(ANNS), "not_yours").await;
    talk.bob.send("DELETE", &talk.path(ANNS), &Value::Null).await.problem(403, "not_yours");
    talk.hers.must(talk.delete(BOBS)).await;
    let mallory = app.register("mallory").await;
    mallory.send("DELETE", &talk.path(ANNS), &Value::Null).await.problem(403, "not_yours");
    let words = hubbub(&app.store).args(["user", "role", "mallory", "moderator"]).status().unwrap();
    assert!(words.success());
    let moderator = app.stranger();
    let form = [("username", "mallory"), ("password", crate::app::PASSWORD)];
    moderator.post("/login", &form).await.is(303);
    // What the shell changes, a running server knows after some seconds at the latest.
    let deadline = tokio::time::Instant::now() + crate::visitor::DEADLINE;
    let gone = loop {
        let answer = moderator.send("DELETE", &talk.path(ANNS), &Value::Null).await;
        if answer.status == 200 || tokio::time::Instant::now() > deadline {
            break answer.is(200).json();
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    };
    assert_eq!(gone["deleted"], true);
}

#[tokio::test]
async fn who_has_left_takes_back_their_words_but_changes_none() {
    let app = spawn_app().await;
    let mut talk = talk(&app).await;
    talk.his.must(json!({ "type": "leave", "room": talk.room["id"] })).await;
    talk.his.refused(talk.edit(BOBS, "from outside"), "not_member").await;
    talk.his.refused(talk.react(ANNS, "👍", true), "not_member").await;
    talk.his.must(talk.delete(BOBS)).await;
}

#[tokio::test]
async fn reactions_are_counted_once_for_each_person_and_emoji() {
    let app = spawn_app().await;
    let mut talk = talk(&app).await;
    let (ann, bob) = (talk.ann.me().await["id"].clone(), talk.bob.me().await["id"].clone());
    talk.his.must(talk.react(ANNS, "❤", true)).await;
    talk.hers.must(talk.react(ANNS, "❤️", true)).await;
    let reply = talk.hers.must(talk.react(ANNS, "👍🏽", true)).await;
    assert_eq!(reply["rev"], 5);
    let change = heard(&mut talk.his, &reply["rev"]).await;
    let both = json!({ "❤️": { "n": 2, "users": [bob, ann] }, "👍🏽": { "n": 1, "users": [ann] } });
    assert_eq!(change["reactions"], both);
    assert!(change.get("edited").is_none(), "{change}");
    assert_eq!(talk.his.must(talk.react(ANNS, "❤", true)).await["rev"], 5, "he has reacted so already");
    assert_eq!(talk.his.must(talk.react(ANNS, "🎉", false)).await["rev"], 5, "he hasn't reacted so");
    talk.his.must(talk.react(ANNS, "❤", false)).await;
    let path = format!("{}/reactions/{}", talk.path(ANNS), "%F0%9F%91%8D%F0%9F%8F%BD");
    let off = talk.ann.send("DELETE", &path, &Value::Null).await.is(200).json();
    assert_eq!(off["reactions"], json!({ "❤️": { "n": 1, "users": [ann] } }));
    let on = talk.bob.send("PUT", &path, &Value::Null).await.is(200).json();
    assert_eq!(on["reactions"]["👍🏽"], json!({ "n": 1, "users": [bob] }));
    talk.hers.must(talk.react(ANNS, "❤", false)).await;
    talk.bob.send("DELETE", &path, &Value::Null).await.is(200);
    assert!(talk.message(ANNS).await.get("reactions").is_none());
}

#[tokio::test]
async fn a_reaction_is_one_emoji_and_a_message_has_at_most_twenty() {
    let app = spawn_app().await;
    let mut talk = talk(&app).await;
    for wrong in ["", "a", "👍👍", ":tada:", "<b>", "\u{0}"] {
        talk.his.refused(talk.react(ANNS, wrong, true), "invalid").await;
    }
    let path = |emoji: &str| format!("{}/reactions/{emoji}", talk.path(ANNS));
    talk.bob.send("PUT", &path("x"), &Value::Null).await.problem(422, "invalid");
    let faces: Vec<char> = ('😀'..='😔').collect();
    assert_eq!(faces.len(), 21);
    for face in &faces[..20] {
        talk.his.must(talk.react(ANNS, &face.to_string(), true)).await;
    }
    talk.hers.refused(talk.react(ANNS, &faces[20].to_string(), true), "invalid").await;
    talk.hers.must(talk.react(ANNS, &faces[0].to_string(), true)).await;
    let reactions = talk.message(ANNS).await["reactions"].clone();
    let order: Vec<&String> = reactions.as_object().unwrap().keys().collect();
    assert_eq!(order, faces[..20].iter().map(char::to_string).collect::<Vec<_>>().iter().collect::<Vec<_>>());
    assert_eq!(reactions["😀"]["n"], 2);
}

#[tokio::test]
async fn more_than_twenty_people_are_counted_and_the_first_twenty_named() {
    let app = spawn_app().await;
    let mut talk = talk(&app).await;
    let mut crowd = Vec::new();
    for number in 0..22 {
        let guest = app.guest(&format!("Guest {number}")).await;
        guest.join(&talk.room).await.is(200);
        let path = format!("{}/reactions/%F0%9F%8E%89", talk.path(ANNS));
        guest.send("PUT", &path, &Value::Null).await.is(200);
        crowd.push(guest.me().await["id"].clone());
    }
    let reactions = talk.message(ANNS).await["reactions"]["🎉"].clone();
    assert_eq!((&reactions["n"], &reactions["users"]), (&json!(22), &json!(crowd[..20])));
    talk.hers.must(talk.react(ANNS, "🎉", true)).await;
    talk.hers.must(talk.react(ANNS, "🎉", false)).await;
    assert_eq!(talk.message(ANNS).await["reactions"]["🎉"], reactions);
}

#[tokio::test]
async fn pins_are_set_by_the_rooms_owner_and_listed() {
    let app = spawn_app().await;
    let mut talk = talk(&app).await;
    talk.his.refused(talk.pin(BOBS, true), "not_owner").await;
    talk.bob.send("PUT", &format!("{}/pin", talk.path(BOBS)), &Value::Null).await.problem(403, "not_owner");
    let reply = talk.hers.must(talk.pin(BOBS, true)).await;
    assert_eq!(heard(&mut talk.his, &reply["rev"]).await["pinned"], true);
    assert_eq!(talk.hers.must(talk.pin(BOBS, true)).await["rev"], reply["rev"]);
    // The founder of the place is no member here, and keeps order all the same.
    talk.founder.send("PUT", &format!("{}/pin", talk.path(ANNS)), &Value::Null).await.is(200);
    let pins = format!("/api/v1/rooms/{}/pins", talk.room["id"]);
    let seqs = |page: Value| -> Vec<i64> {
        page["messages"].as_array().unwrap().iter().map(|m| m["seq"].as_i64().unwrap()).collect()
    };
    assert_eq!(seqs(talk.bob.get(&pins).await.is(200).json()), [ANNS, BOBS]);
    let page = talk.bob.get(&format!("{pins}?limit=1")).await.is(200).json();
    assert_eq!((page["more"].clone(), seqs(page)), (json!(true), vec![BOBS]));
    assert_eq!(seqs(talk.bob.get(&format!("{pins}?before={BOBS}")).await.is(200).json()), [ANNS]);
    talk.ann.send("DELETE", &format!("{}/pin", talk.path(ANNS)), &Value::Null).await.is(200);
    assert_eq!(seqs(talk.bob.get(&pins).await.is(200).json()), [BOBS]);
    talk.bob.get("/api/v1/rooms/4711/pins").await.problem(404, "not_found");
    talk.bob.get(&format!("{pins}?limit=0")).await.problem(422, "invalid");
}

#[tokio::test]
async fn replies_are_gathered_in_the_thread_of_what_began_it() {
    let app = spawn_app().await;
    let mut talk = talk(&app).await;
    let room = talk.room["id"].clone();
    let reply_to = |seq: i64, text: &str| json!({ "type": "send", "room": room, "nonce": nonce(), "text": text, "reply_to": seq });
    talk.his.must(reply_to(ANNS, "a reply")).await;
    talk.hers.must(reply_to(3, "a reply to the reply")).await;
    talk.hers.send(&talk.room, "something else").await;
    talk.his.must(reply_to(4, "and on")).await;
    let change = talk.hers.hear_message("and on").await;
    assert_eq!((&change["reply_to"], &change["thread"]), (&json!(4), &json!(ANNS)));
    talk.his.refused(reply_to(99, "to nothing"), "invalid").await;
    talk.his.refused(reply_to(0, "to nothing"), "invalid").await;
    let path = format!("/api/v1/rooms/{room}/messages?thread={ANNS}");
    let seqs = |page: Value| -> Vec<i64> {
        page["messages"].as_array().unwrap().iter().map(|m| m["seq"].as_i64().unwrap()).collect()
    };
    assert_eq!(seqs(talk.bob.get(&path).await.is(200).json()), [ANNS, 3, 4, 6]);
    let page = talk.bob.get(&format!("{path}&limit=2")).await.is(200).json();
    assert_eq!((page["more"].clone(), seqs(page)), (json!(true), vec![4, 6]));
    assert_eq!(seqs(talk.bob.get(&format!("{path}&before=4")).await.is(200).json()), [ANNS, 3]);
    let page = talk.his.must(json!({ "type": "history", "room": room, "thread": ANNS, "after": 3 })).await;
    assert_eq!(seqs(page), [4, 6]);
    let page = talk.bob.get(&format!("{path}&after=0&limit=2")).await.is(200).json();
    assert_eq!(
        (page["more"].clone(), seqs(page)),
        (json!(true), vec![ANNS, 3]),
        "it begins with what began it"
    );
    let page = talk.bob.get(&format!("{path}&before=6&limit=3")).await.is(200).json();
    assert_eq!((page["more"].clone(), seqs(page)), (json!(false), vec![ANNS, 3, 4]));
    assert_eq!(seqs(talk.bob.get(&format!("{path}&around={ANNS}")).await.is(200).json()), [ANNS, 3, 4, 6]);
    talk.bob.get(&format!("/api/v1/rooms/{room}/messages?thread=99")).await.problem(404, "not_found");
    talk.bob.get(&format!("/api/v1/rooms/{room}/messages?thread=x")).await.problem(400, "bad_query");
}

#[tokio::test]
async fn replies_in_one_batch_find_their_thread() {
    let app = spawn_app().await;
    let mut talk = talk(&app).await;
    // Sent without waiting, they are stored together, or nearly so.
    let ids = 2..=30;
    for seq in ids.clone() {
        let send = json!({ "type": "send", "room": talk.room["id"], "nonce": nonce(), "text": format!("reply to {seq}"), "reply_to": seq });
        talk.hers.say(send).await;
    }
    for seq in ids {
        let message = talk.his.hear_message(&format!("reply to {seq}")).await;
        assert_eq!((&message["seq"], &message["thread"]), (&json!(seq + 1), &json!(BOBS)));
    }
}

#[tokio::test]
async fn a_call_for_everybody_is_marked_and_an_edit_can_take_it_back() {
    let app = spawn_app().await;
    let mut talk = talk(&app).await;
    talk.hers.send(&talk.room, "@all look here").await;
    assert_eq!(talk.his.hear_message("@all look here").await["to_all"], true);
    let reply = talk.hers.must(talk.edit(3, "look here")).await;
    assert!(heard(&mut talk.his, &reply["rev"]).await.get("to_all").is_none());
}

#[tokio::test]
async fn what_mentions_somebody_keeps_its_place_among_what_mentions_nobody() {
    let app = spawn_app().await;
    let mut talk = talk(&app).await;
    // The names are looked up meanwhile; nothing may overtake.
    for number in 3..60 {
        let text = if number % 3 == 0 { format!("{number} @bob") } else { number.to_string() };
        talk.hers
            .say(json!({ "type": "send", "room": talk.room["id"], "nonce": nonce(), "text": text }))
            .await;
    }
    for number in 3..60 {
        let text = if number % 3 == 0 { format!("{number} @bob") } else { number.to_string() };
        assert_eq!(talk.his.hear_message(&text).await["seq"], number);
    }
}

#[tokio::test]
async fn a_note_on_the_board_is_changed_by_its_author_for_everybody_at_once() {
    let app = spawn_app().await;
    let mut talk = talk(&app).await;
    talk.bob.post("/board", &[("title", "Lost"), ("text", "my umbrella")]).await.is(303);
    talk.room = json!({ "id": 1 });
    talk.hers.refused(talk.edit(1, "not hers"), "not_yours").await;
    talk.hers.refused(talk.pin(1, true), "not_owner").await;
    talk.hers.must(talk.react(1, "☂", true)).await;
    talk.his.must(talk.edit(1, "my umbrella, found")).await;
    let page = talk.ann.get("/board").await.is(200).has("my umbrella, found").has("Lost");
    assert!(page.text().contains("edited"));
    talk.founder.send("DELETE", &talk.path(1), &Value::Null).await.is(200);
    talk.ann.get("/board").await.is(200).lacks("umbrella").has("This note was deleted.");
}
