//! Watching together: who may, who is told, what a late one gets, and whose move counts.

use crate::app::{App, spawn_app, spawn_app_with};
use crate::socket::Socket;
use crate::visitor::Visitor;
use serde_json::{Value, json};

/// A recording's talk, with ann in it.
async fn talk(app: &App) -> (Visitor, i64) {
    let ann = app.register("ann").await;
    let item = ann.put_recording("song.wav").await;
    let room = ann.talk_of(&item).await;
    ann.join(&json!({ "id": room })).await.is(200);
    (ann, room)
}

fn wish(room: i64, deed: &str, more: &Value) -> Value {
    let mut request = json!({ "type": "together", "room": room, "do": deed });
    for (name, value) in more.as_object().into_iter().flatten() {
        request[name] = value.clone();
    }
    request
}

fn start(position: i64, playing: bool) -> Value {
    json!({ "playing": playing, "position": position, "rate": 1.0 })
}

async fn told(socket: &mut Socket, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
    socket.hear(what, |frame| frame["type"] == "together" && fits(frame)).await
}

/// Where a state is at the moment of another, ms.
fn position_at(state: &Value, at: i64) -> i64 {
    let (position, since) = (state["position"].as_i64().unwrap(), state["at"].as_i64().unwrap());
    if state["playing"] == true { position + at - since } else { position }
}

#[tokio::test]
async fn one_who_comes_late_is_where_the_others_are() {
    let app = spawn_app().await;
    let (ann, room) = talk(&app).await;
    let bob = app.register("bob").await;
    bob.join(&json!({ "id": room })).await.is(200);
    let (mut hers, mut his) = (ann.socket().await, bob.socket().await);
    let begun = hers.must(wish(room, "join", &start(60_000, true))).await;
    assert_eq!((&begun["begun"], &begun["watching"]), (&json!(true), &json!(1)));
    assert_eq!(begun["people"], json!([{ "user": begun["state"]["by"], "name": "ann" }]));
    // Members hear of it before they watch.
    let news = told(&mut his, "that she watches", |frame| frame["watching"] == 1).await;
    assert_eq!(news["state"], begun["state"]);
    let clock = his.must(json!({ "type": "ping" })).await["at"].as_i64().unwrap();
    assert!(position_at(&begun["state"], clock) >= 60_000);
    let late = his.must(wish(room, "join", &start(0, false))).await;
    assert_eq!((&late["begun"], &late["watching"]), (&json!(false), &json!(2)));
    assert_eq!(late["state"], begun["state"], "his own player counts for nothing");
    // Whoever goes is counted out, by leaving or by a cut; the last one ends it.
    his.must(wish(room, "leave", &Value::Null)).await;
    told(&mut hers, "that he left", |frame| frame["watching"] == 1).await;
    drop(hers);
    let over = told(&mut his, "that it is over", |frame| frame["watching"] == 0).await;
    assert_eq!((&over["state"], &over["people"]), (&Value::Null, &json!([])));
    // The first to come back begins it again with what they have.
    let again = his.must(wish(room, "join", &start(61_500, true))).await;
    assert_eq!((&again["begun"], &again["state"]["position"]), (&json!(true), &json!(61_500)));
    assert!(again["state"]["version"].as_i64() > late["state"]["version"].as_i64());
}

#[tokio::test]
async fn a_move_moves_everybody_and_an_old_one_nobody() {
    let app = spawn_app().await;
    let (ann, room) = talk(&app).await;
    let bob = app.register("bob").await;
    bob.join(&json!({ "id": room })).await.is(200);
    let (mut hers, mut his) = (ann.socket().await, bob.socket().await);
    let begun = hers.must(wish(room, "join", &start(0, false))).await;
    his.must(wish(room, "join", &start(0, false))).await;
    let seen = begun["state"]["version"].as_i64().unwrap();
    let moved = hers.must(wish(room, "move", &json!({ "version": seen, "position": 90_000 }))).await;
    let newest = moved["state"]["version"].as_i64().unwrap();
    assert!(newest > seen);
    let news = told(&mut his, "the move", |frame| frame["state"]["position"] == 90_000).await;
    assert_eq!((&news["state"], &news["state"]["playing"]), (&moved["state"], &json!(false)));
    // He had not seen it when he pressed.
    for unseen in [seen, i64::MAX] {
        his.refused(wish(room, "move", &json!({ "version": unseen, "position": 5000 })), "outdated").await;
    }
    let now = his.must(wish(room, "look", &Value::Null)).await;
    assert_eq!(now["state"], moved["state"]);
    let playing =
        his.must(wish(room, "move", &json!({ "version": newest, "playing": true, "rate": 1.5 }))).await;
    let state = &playing["state"];
    assert_eq!(
        (&state["playing"], &state["rate"], &state["position"]),
        (&json!(true), &json!(1.5), &json!(90_000))
    );
    assert_eq!(state["by"], bob.me().await["id"]);
    told(&mut hers, "that it plays", |frame| frame["state"] == *state).await;
}

#[tokio::test]
async fn only_members_of_a_recordings_talk_watch_and_only_with_numbers_that_make_sense() {
    let app = spawn_app().await;
    let (ann, room) = talk(&app).await;
    let eve = app.register("eve").await;
    let mut socket = eve.socket().await;
    socket.refused(wish(room, "join", &start(0, true)), "not_member").await;
    socket.refused(wish(room, "move", &json!({ "version": 1, "playing": true })), "not_member").await;
    assert_eq!(socket.must(wish(room, "look", &Value::Null)).await["state"], Value::Null);
    socket.refused(wish(99_999, "look", &Value::Null), "not_found").await;
    let lab = eve.create("lab").await["id"].as_i64().unwrap();
    socket.refused(wish(lab, "join", &start(0, true)), "nothing_to_watch").await;
    let mut hers = ann.socket().await;
    hers.refused(wish(room, "move", &json!({ "version": i64::MAX, "playing": true })), "not_watching").await;
    for (wrong, code) in [
        (json!({ "playing": true, "position": -1, "rate": 1 }), "invalid"),
        (json!({ "playing": true, "position": i64::MAX, "rate": 1 }), "invalid"),
        (json!({ "playing": true, "position": 0, "rate": 0 }), "invalid"),
        (json!({ "playing": true, "position": 0, "rate": 1e300 }), "invalid"),
        (json!({ "playing": true, "position": 0 }), "bad_request"),
        (json!({ "playing": "yes", "position": 0, "rate": 1 }), "bad_request"),
    ] {
        hers.refused(wish(room, "join", &wrong), code).await;
    }
    hers.refused(wish(room, "dance", &Value::Null), "bad_request").await;
    hers.must(wish(room, "join", &start(0, true))).await;
    hers.refused(wish(room, "move", &json!({ "playing": false })), "bad_request").await;
    // Whoever leaves the talk watches no more.
    let leave = json!({ "type": "leave", "room": room });
    hers.must(leave).await;
    hers.refused(wish(room, "move", &json!({ "version": i64::MAX, "playing": false })), "not_member").await;
    assert_eq!(socket.must(wish(room, "look", &Value::Null)).await["watching"], 0);
}

#[tokio::test]
async fn nobody_shakes_the_others_with_moves_without_end() {
    let app = spawn_app_with(&[("rate_limits", "on")]).await;
    let (ann, room) = talk(&app).await;
    let mut hers = ann.socket().await;
    let mut version = hers.must(wish(room, "join", &start(0, true))).await["state"]["version"].clone();
    let mut refused = Value::Null;
    for _ in 0..60 {
        let reply = hers.ask(wish(room, "move", &json!({ "version": version, "position": 1000 }))).await;
        if reply["ok"] == false {
            refused = reply;
            break;
        }
        version = reply["state"]["version"].clone();
    }
    assert_eq!(refused["error"]["code"], "rate_limited", "{refused}");
    assert!(refused["error"]["retry_after"].as_i64().is_some_and(|ms| ms > 0));
}

#[tokio::test]
async fn one_who_watches_alone_stays_where_they_are_and_watches_in_one_place() {
    let app = spawn_app().await;
    let (ann, room) = talk(&app).await;
    let bob = app.register("bob").await;
    let other = bob.put_recording("other.wav").await;
    let other = bob.talk_of(&other).await;
    bob.join(&json!({ "id": room })).await.is(200);
    ann.join(&json!({ "id": other })).await.is(200);
    let (mut hers, mut his) = (ann.socket().await, bob.socket().await);
    let begun = hers.must(wish(room, "join", &start(60_000, true))).await;
    let again = hers.must(wish(room, "join", &start(0, false))).await;
    assert_eq!((&again["begun"], &again["state"]), (&json!(false), &begun["state"]));
    told(&mut his, "that she watches", |frame| frame["watching"] == 1).await;
    hers.must(wish(other, "join", &start(0, true))).await;
    told(&mut his, "that she left", |frame| frame["room"] == room && frame["watching"] == 0).await;
    // What she leaves late isn't where she is.
    hers.must(wish(room, "leave", &Value::Null)).await;
    assert_eq!(hers.must(wish(other, "look", &Value::Null)).await["watching"], 1);
}

#[tokio::test]
async fn whoever_does_something_is_told_once_and_a_crowd_is_told_of_in_a_few_frames() {
    const CROWD: u64 = 40;
    let app = spawn_app().await;
    let (ann, room) = talk(&app).await;
    let mut hers = ann.socket().await;
    let begun = hers.must(wish(room, "join", &start(0, true))).await;
    let version = begun["state"]["version"].clone();
    hers.must(wish(room, "move", &json!({ "version": version, "position": 5000 }))).await;
    hers.must(json!({ "type": "ping" })).await;
    assert_eq!(hers.waiting().filter(|frame| frame["type"] == "together").count(), 0);
    let mut crowd = Vec::new();
    for number in 0..CROWD {
        let who = app.register(&format!("p{number}")).await;
        who.join(&json!({ "id": room })).await.is(200);
        crowd.push(who.socket().await);
    }
    let since = std::time::Instant::now();
    for socket in &mut crowd {
        socket.must(wish(room, "join", &start(0, false))).await;
    }
    let (mut frames, mut watching) = (0, 0);
    while watching <= CROWD {
        let frame = told(&mut hers, "the crowd", |_| true).await;
        assert!(frame["people"].as_array().unwrap().len() <= 20);
        watching = frame["watching"].as_u64().unwrap();
        frames += 1;
    }
    // At once, and then once a second.
    let most = 2 + since.elapsed().as_millis() / 900;
    assert!(frames <= most, "{frames} frames in {:?}", since.elapsed());
}
