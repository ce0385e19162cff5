//! `/ws/classic`: a script of the old frames.

use crate::app::{spawn_app, spawn_app_with};
use crate::attachments::{bomb, photo, tells};
use crate::socket::Socket;
use crate::visitor::Visitor;
use data_encoding::BASE64;
use image::{ExtendedColorType, ImageEncoder};
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

fn send_picture(from: &str, to: &str, content: &str, chat: &str) -> Value {
    json!({ "Type": "Send", "From": from, "To": to, "Content": content, "Chat": chat, "is_image": 1 })
}

/// The bytes of a delivered picture.
fn shown(frame: &Value, mime: &str) -> Vec<u8> {
    let content = frame["Content"].as_str().unwrap();
    let about = format!("data:{mime};base64,");
    BASE64.decode(content.strip_prefix(&about).unwrap_or_else(|| panic!("{content:.60}")).as_bytes()).unwrap()
}

/// A PNG of about two million bytes, which nothing makes smaller.
fn noise(mut seed: u64) -> Vec<u8> {
    let mut next = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        seed.to_be_bytes()[0]
    };
    let pixels: Vec<u8> = (0..800 * 800 * 3).map(|_| next()).collect();
    let mut png = Vec::new();
    let encoder = image::codecs::png::PngEncoder::new(&mut png);
    encoder.write_image(&pixels, 800, 800, ExtendedColorType::Rgb8).unwrap();
    png
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

#[tokio::test]
async fn a_picture_passes_between_the_old_program_and_the_new_one() {
    let app = spawn_app().await;
    let (ann, ben) = (app.register("ann").await, app.register("ben").await);
    let origin = app.origin();
    let mut hers = Classic::open(&origin, &ann, "ann").await;
    let mut his = Classic::open(&origin, &ben, "ben").await;
    let mut modern = ben.socket().await;

    let sent = photo(800, 600);
    assert!(tells(&sent));
    hers.say(send_picture("ann", "ben", &BASE64.encode(&sent), "Private")).await;
    let heard = his.hear("the picture", |frame| frame["is_image"] == 1).await;
    assert_eq!(
        (&heard["From"], &heard["To"], &heard["Chat"]),
        (&json!("ann"), &json!("ben"), &json!("Private"))
    );
    let bytes = shown(&heard, "image/jpeg");
    assert!(!tells(&bytes) && image::load_from_memory(&bytes).unwrap().width() == 800);
    let message = modern.hear("the picture", |frame| frame["attachments"].is_array()).await;
    let picture = &message["attachments"][0];
    assert_eq!((&picture["mime"], &picture["width"]), (&json!("image/jpeg"), &json!(800)));
    assert_eq!(ben.get(picture["url"].as_str().unwrap()).await.is(200).body, bytes);

    // A data URL, into a group; what stands before the comma is believed less than the bytes behind it.
    hers.say(json!({ "Type": "Create", "Name": "Night shift", "From": "ann", "List": ["ben"] })).await;
    his.hear("the group", |frame| frame["Groups"] == json!(["Night shift"])).await;
    let url = format!("data:image/png;base64,{}", BASE64.encode(&photo(30, 20)));
    his.say(send_picture("ben", "Night shift", &url, "Group")).await;
    let heard = hers.hear("the group's picture", |f| f["is_image"] == 1 && f["Chat"] == "Group").await;
    assert_eq!((&heard["From"], &heard["To"]), (&json!("ben"), &json!("Night shift")));
    assert_eq!(image::load_from_memory(&shown(&heard, "image/jpeg")).unwrap().height(), 20);
}

#[tokio::test]
async fn what_is_no_picture_is_refused_in_words_and_makes_no_room() {
    let app = spawn_app_with(&[("attachment_bytes", "1048576")]).await;
    let (ann, _ben) = (app.register("ann").await, app.register("ben").await);
    let mut hers = Classic::open(&app.origin(), &ann, "ann").await;
    let svg = BASE64.encode(b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>");
    for content in ["", "not base64 at all!", "data:image/png,plain", &svg] {
        hers.refused(send_picture("ann", "ben", content, "Private"), "invalid").await;
    }
    let rooms = ann.get("/api/v1/rooms").await.is(200).json();
    assert!(!rooms["rooms"].as_array().unwrap().iter().any(|room| room["kind"] == "direct"), "{rooms}");

    hers.refused(send_picture("ann", "ben", &BASE64.encode(&bomb(50_000, 50_000)), "Private"), "invalid")
        .await;
    let cut = &photo(800, 600)[..300];
    hers.refused(send_picture("ann", "ben", &BASE64.encode(cut), "Private"), "invalid").await;
    hers.refused(send_picture("ann", "ben", &BASE64.encode(&noise(1)), "Private"), "too_large").await;
    hers.refused(send_picture("ann", "nobody", &BASE64.encode(&photo(9, 9)), "Private"), "not_found").await;

    let guest = app.guest("Gil").await;
    let name = guest.me().await["username"].as_str().unwrap().to_owned();
    let mut theirs = Classic::open(&app.origin(), &guest, &name).await;
    theirs.refused(send_picture(&name, "ann", &BASE64.encode(&photo(9, 9)), "Private"), "guest").await;
}

#[tokio::test]
async fn older_pictures_of_a_history_are_told_by_their_addresses() {
    let app = spawn_app().await;
    let (ann, _ben) = (app.register("ann").await, app.register("ben").await);
    let mut hers = Classic::open(&app.origin(), &ann, "ann").await;
    for seed in 1..=2 {
        hers.say(send_picture("ann", "ben", &BASE64.encode(&noise(seed)), "Private")).await;
        hers.hear("one's own picture", |frame| frame["is_image"] == 1).await;
    }
    hers.say(send("ann", "ben", "two pictures", "Private")).await;
    hers.hear("the text", |frame| frame["Content"] == "two pictures").await;
    hers.say(json!({ "Type": "Join", "Chat": "Private", "From": "ann", "To": "ben" })).await;
    let joined = hers.hear("the history", |frame| frame["Type"] == "Join").await;
    assert!(joined.to_string().len() <= 4 * 1024 * 1024);
    let history = joined["History"].as_array().unwrap();
    let kinds: Vec<&Value> = history.iter().map(|send| &send["is_image"]).collect();
    assert_eq!(kinds, [1, 1, 0]);
    assert_eq!(shown(&history[1], "image/png"), noise(2), "the newer one is inside");
    let address = history[0]["Content"].as_str().unwrap();
    assert!(address.starts_with("/attachments/"), "{address:.60}");
    assert_eq!(ann.get(address).await.is(200).body, noise(1));
}
