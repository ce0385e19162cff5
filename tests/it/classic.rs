//! `/ws/classic`: a script of the old frames.

use crate::app::spawn_app;
use crate::socket::Socket;
use crate::visitor::Visitor;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

/// A client of the old protocol: its frames have no number and no reply.
struct Classic(Socket);

impl Classic {
    async fn open(origin: &str, visitor: &Visitor, name: &str) -> Self {
        let socket = Socket::open_at(origin, "/ws/classic", &[("cookie", &visitor.cookie())]).await;
        let mut classic = Self(socket.unwrap());
        classic.say(json!({ "Type": "Connect", "Id": "7", "Username": name })).await;
        classic.hear("the status", |frame| frame["Type"] == "Status").await;
        classic
    }

    async fn say(&mut self, frame: Value) {
        self.0.raw(Message::text(frame.to_string())).await;
    }

    async fn hear(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        self.0.hear(what, fits).await
    }

    async fn refused(&mut self, frame: Value, code: &str) {
        self.say(frame).await;
        let error = self.hear("an error", |frame| frame["Type"] == "Error").await;
        assert_eq!(error["Code"], code, "{error}");
        assert!(error["Message"].as_str().is_some_and(|words| words.ends_with('.')), "{error}");
    }
}

fn send(from: &str, to: &str, content: &str, chat: &str) -> Value {
    json!({ "Type": "Send", "From": from, "To": to, "Content": content, "Chat": chat, "is_image": 0 })
}

#[tokio::test]
async fn the_old_program_talks_with_the_new_one() {
    let app = spawn_app().await;
    let (ann, ben, cleo) = (app.register("ann").await, app.register("Ben").await, app.register("cleo").await);
    let origin = app.origin();
    let mut hers = Classic::open(&origin, &ann, "ann").await;
    let mut his = Classic::open(&origin, &ben, "ben").await;
    let mut modern = ben.socket().await;
    hers.say(json!({ "Type": "Connect", "Id": "7", "Username": "ann" })).await;
    let status = hers
        .hear("ben in the status", |frame| {
            frame["Type"] == "Status"
                && frame["Users"].as_array().unwrap().contains(&json!({ "Name": "Ben", "Online": true }))
        })
        .await;
    let names: Vec<&str> =
        status["Users"].as_array().unwrap().iter().map(|u| u["Name"].as_str().unwrap()).collect();
    assert_eq!(names, ["ann", "Ben", "cleo"], "those who are here come first");
    assert_eq!(status["Users"][2]["Online"], false);

    hers.say(send("ann", "ben", "psst", "Private")).await;
    let private = send("ann", "Ben", "psst", "Private");
    assert_eq!(his.hear("the private message", |frame| frame["Content"] == "psst").await, private);
    assert_eq!(hers.hear("one's own message", |frame| frame["Content"] == "psst").await, private);
    modern.hear_message("psst").await;

    hers.say(json!({ "Type": "Create", "Name": "Night shift", "From": "ann", "List": ["ben"] })).await;
    hers.hear("the group", |frame| frame["Groups"] == json!(["Night shift"])).await;
    his.hear("the group", |frame| frame["Groups"] == json!(["Night shift"])).await;
    his.say(send("ben", "Night shift", "who is up?", "Group")).await;
    let group = send("Ben", "Night shift", "who is up?", "Group");
    assert_eq!(hers.hear("the group's message", |frame| frame["Content"] == "who is up?").await, group);

    let room = modern.ready["rooms"].clone();
    assert!(room.is_array(), "the new protocol goes on beside the old one");
    hers.say(json!({ "Type": "Join", "Chat": "Private", "From": "ann", "To": "ben" })).await;
    let joined = hers.hear("the history", |frame| frame["Type"] == "Join").await;
    assert_eq!((&joined["To"], &joined["History"]), (&json!("ben"), &json!([private])));
    hers.say(json!({ "Type": "Join", "Chat": "Group", "From": "ann", "To": "Night shift" })).await;
    let joined = hers.hear("the history", |f| f["Type"] == "Join" && f["Chat"] == "Group").await;
    assert_eq!(joined["History"], json!([group]));

    // Nobody speaks for somebody else, and nobody learns of a group that they aren't in.
    his.refused(send("ann", "cleo", "I am ann", "Private"), "not_you").await;
    his.refused(json!({ "Type": "Connect", "Id": "7", "Username": "ann" }), "not_you").await;
    his.refused(json!({ "Type": "Delete", "Name": "Night shift", "From": "ben" }), "not_owner").await;
    let mut cleos = Classic::open(&origin, &cleo, "cleo").await;
    cleos.refused(send("cleo", "Night shift", "let me in", "Group"), "not_found").await;
    cleos
        .refused(json!({ "Type": "Join", "Chat": "Group", "From": "cleo", "To": "Night shift" }), "not_found")
        .await;
    cleos.refused(json!({ "Type": "Delete", "Name": "Night shift", "From": "cleo" }), "not_found").await;
    cleos.refused(send("cleo", "nobody", "hello", "Private"), "not_found").await;
    cleos.refused(send("cleo", "ann", "  ", "Private"), "invalid").await;

    hers.say(json!({ "Type": "Delete", "Name": "Night shift", "From": "ann" })).await;
    for classic in [&mut hers, &mut his] {
        classic.hear("no group any more", |f| f["Type"] == "Status" && f["Groups"] == json!([])).await;
    }
}

#[tokio::test]
async fn a_status_is_sent_again_when_somebody_comes_or_goes() {
    let app = spawn_app().await;
    let (ann, ben) = (app.register("ann").await, app.register("ben").await);
    let mut hers = Classic::open(&app.origin(), &ann, "ann").await;
    let is = |frame: &Value, online: bool| {
        frame["Type"] == "Status"
            && frame["Users"].as_array().unwrap().contains(&json!({ "Name": "ben", "Online": online }))
    };
    let socket = ben.socket().await;
    hers.hear("ben here", |frame| is(frame, true)).await;
    drop(socket);
    hers.hear("ben gone", |frame| is(frame, false)).await;
}

#[tokio::test]
async fn a_history_is_the_newest_hundred_messages_in_order() {
    let app = spawn_app().await;
    let (ann, _ben) = (app.register("ann").await, app.register("ben").await);
    let room = ann.send("POST", "/api/v1/direct", &json!({ "username": "ben" })).await.is(201).json();
    let mut socket = ann.socket().await;
    for number in 1..=120 {
        socket.send(&room, &format!("message {number}")).await;
    }
    let mut classic = Classic::open(&app.origin(), &ann, "ann").await;
    classic.say(json!({ "Type": "Join", "Chat": "Private", "From": "ann", "To": "ben" })).await;
    let joined = classic.hear("the history", |frame| frame["Type"] == "Join").await;
    let history = joined["History"].as_array().unwrap();
    assert_eq!((history.len(), &history[0]["Content"]), (100, &json!("message 21")));
    assert_eq!(history[99]["Content"], "message 120");
}

#[tokio::test]
async fn frames_that_are_none_are_answered_and_then_closed_and_large_ones_pass() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let mut classic = Classic::open(&app.origin(), &ann, "ann").await;
    classic.refused(json!({ "Type": "Fly" }), "bad_request").await;
    classic.refused(json!({ "Type": "Send", "From": "ann" }), "bad_request").await;
    // Over the current protocol's 64 KiB: read, and refused for what it says alone.
    classic.refused(send("ann", "ann", &"x".repeat(5 * 1024 * 1024), "Private"), "invalid").await;
    for _ in 0..2 {
        classic.0.raw(Message::text("{")).await;
        classic.hear("not json", |frame| frame["Code"] == "not_json").await;
    }
    classic.0.raw(Message::text("{")).await;
    assert_eq!(classic.0.end().await, 1008);
    let refused = Socket::open_at(&app.origin(), "/ws/classic", &[]).await.err();
    assert_eq!(refused, Some(401));
}
