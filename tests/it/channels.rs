//! Channels over pages and the API: create, find, join, talk, read back, leave.

use crate::app::{spawn_app, spawn_app_with};
use serde_json::{Value, json};

#[tokio::test]
async fn a_channel_has_a_name_that_nobody_else_has_in_any_case() {
    let app = spawn_app().await;
    let (ann, bob) = (app.register("ann").await, app.register("bob").await);
    let answer = ann.post("/channels", &[("name", "Beam Time"), ("topic", "who, when")]).await.is(303);
    assert_eq!(answer.header("location"), "/c/Beam%20Time");
    let page = bob.post("/channels", &[("name", "bEAM tIME"), ("topic", "kept")]).await.is(422);
    page.has("taken").has("value=\"bEAM tIME\"").has("kept");
    let body = json!({ "kind": "channel", "name": "BEAM TIME" });
    bob.send("POST", "/api/v1/rooms", &body).await.problem(409, "name_taken");
    bob.get("/channels").await.is(200).has("Beam Time").has("who, when");
}

#[tokio::test]
async fn a_name_that_cannot_be_is_refused_with_a_sentence() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let long = "n".repeat(65);
    for name in ["", "   ", "a/b", "a\nb", "#x", long.as_str()] {
        ann.post("/channels", &[("name", name)]).await.is(422).has("aria-invalid");
        let problem = ann
            .send("POST", "/api/v1/rooms", &json!({ "kind": "channel", "name": name }))
            .await
            .problem(422, "invalid");
        assert_eq!(problem["fields"][0]["field"], "name", "{problem}");
    }
    ann.send("POST", "/api/v1/rooms", &json!({ "kind": "castle", "name": "x" }))
        .await
        .problem(422, "invalid");
}

#[tokio::test]
async fn channels_have_names_in_any_script() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let answer = ann.post("/channels", &[("name", "Kaffee für 猫_1.0")]).await.is(303);
    let place = answer.header("location");
    ann.get(&place).await.is(200).has("Kaffee für 猫_1.0");
    ann.post(&place, &[("text", "miau")]).await.is(303);
    ann.get(&place).await.is(200).has("miau");
}

#[tokio::test]
async fn who_joins_reads_the_last_100_messages_and_the_older_ones_page_by_page() {
    let app = spawn_app().await;
    let (ann, bob) = (app.register("ann").await, app.register("bob").await);
    let room = ann.create("history").await;
    let mut socket = ann.socket().await;
    for number in 1..=230 {
        socket.send(&room, &format!("message {number}.")).await;
    }
    bob.get("/c/history")
        .await
        .is(200)
        .has("message 230.")
        .lacks("message 130.")
        .has("action=\"/c/history/join\"");
    bob.post("/c/history/join", &[]).await.is(303);
    bob.get("/c/history?before=131")
        .await
        .is(200)
        .has("message 130.")
        .has("message 31.")
        .lacks("message 30.");
    let mut seen: Vec<i64> = Vec::new();
    let mut before = String::new();
    loop {
        let path = format!("/api/v1/rooms/{}/messages?limit=100{before}", room["id"]);
        let page = bob.get(&path).await.is(200).json();
        let seqs: Vec<i64> =
            page["messages"].as_array().unwrap().iter().map(|m| m["seq"].as_i64().unwrap()).collect();
        assert!(seqs.is_sorted(), "{seqs:?}");
        before = format!("&before={}", seqs[0]);
        seen.splice(0..0, seqs);
        if page["more"] == false {
            break;
        }
    }
    assert_eq!(seen, (1..=230).collect::<Vec<i64>>());
}

#[tokio::test]
async fn only_members_write_but_everybody_signed_in_reads() {
    let app = spawn_app().await;
    let (ann, bob) = (app.register("ann").await, app.register("bob").await);
    let room = ann.create("talk").await;
    ann.say(&room, "for all to read").await.is(201);
    bob.get("/c/talk").await.is(200).has("for all to read");
    bob.say(&room, "from outside").await.problem(403, "not_member");
    bob.post("/c/talk", &[("text", "from outside")]).await.is(403);
    bob.join(&room).await.is(200);
    bob.say(&room, "from inside").await.is(201);
    bob.post("/c/talk/leave", &[]).await.is(303);
    bob.say(&room, "from outside").await.problem(403, "not_member");
    ann.get("/c/talk").await.is(200).has("from inside").lacks("from outside");
}

#[tokio::test]
async fn a_stranger_reads_channels_only_where_reading_is_public() {
    let app = spawn_app().await;
    app.register("ann").await.create("talk").await;
    assert_eq!(app.stranger().get("/c/talk").await.is(303).header("location"), "/login?next=/c/talk");
    let app = spawn_app_with(&[("public_reading", "on")]).await;
    let ann = app.register("ann").await;
    let room = ann.create("talk").await;
    ann.say(&room, "out in the open").await.is(201);
    app.stranger().get("/c/talk").await.is(200).has("out in the open").lacks("action=\"/c/talk\"");
    app.stranger().say(&room, "spam").await.problem(401, "sign_in_first");
}

#[tokio::test]
async fn a_room_that_is_not_there_is_404_everywhere() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    ann.get("/c/nowhere").await.is(404);
    ann.post("/c/nowhere", &[("text", "hello")]).await.is(404);
    ann.post("/c/nowhere/join", &[]).await.is(404);
    let nowhere = json!({ "id": 4711 });
    ann.join(&nowhere).await.problem(404, "not_found");
    ann.say(&nowhere, "hello").await.problem(404, "not_found");
    for path in ["", "/messages", "/changes?after=0", "/members"] {
        ann.get(&format!("/api/v1/rooms/4711{path}")).await.problem(404, "not_found");
    }
    ann.get("/api/v1/rooms/99999999999999999999").await.problem(404, "not_found");
    ann.get("/api/v1/rooms/x/messages").await.problem(404, "not_found");
}

#[tokio::test]
async fn who_comes_back_is_brought_to_the_channel_where_they_were() {
    let mut app = spawn_app().await;
    let ann = app.register("ann").await;
    let room = ann.create("workshop").await;
    ann.say(&room, "back in a minute").await.is(201);
    ann.get("/c/workshop").await.is(200);
    // The place is kept after the page has gone out; a stop finishes what was accepted.
    app.restart().await;
    assert_eq!(ann.get("/").await.is(303).header("location"), "/c/workshop");
    ann.get("/c/workshop").await.is(200).has("back in a minute");
}

#[tokio::test]
async fn many_channels_are_listed_page_by_page() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let mut socket = ann.socket().await;
    let ids = 0..250;
    for number in ids.clone() {
        socket
            .must(json!({ "type": "create", "kind": "channel", "name": format!("room {number:04}") }))
            .await;
    }
    let (mut names, mut after): (Vec<String>, Value) = (Vec::new(), Value::Null);
    loop {
        let page = socket.must(json!({ "type": "rooms", "after": after, "limit": 100 })).await;
        let channels = page["rooms"].as_array().unwrap().iter().filter(|room| room["kind"] == "channel");
        names.extend(channels.map(|room| room["name"].as_str().unwrap().to_owned()));
        after = json!(names.last());
        if page["more"] == false {
            break;
        }
    }
    assert_eq!(names, ids.map(|number| format!("room {number:04}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn unread_counts_follow_what_was_read() {
    let app = spawn_app().await;
    let (ann, bob) = (app.register("ann").await, app.register("bob").await);
    let room = ann.create("news").await;
    bob.join(&room).await.is(200);
    for number in 1..=3 {
        ann.say(&room, &format!("news {number}")).await.is(201);
    }
    let unread = |room: Value| room["last_seq"].as_i64().unwrap() - room["read_seq"].as_i64().unwrap();
    let path = format!("/api/v1/rooms/{}", room["id"]);
    assert_eq!(unread(bob.get(&path).await.is(200).json()), 3);
    assert_eq!(unread(ann.get(&path).await.is(200).json()), 0, "one's own messages are read");
    let mut socket = bob.socket().await;
    socket.must(json!({ "type": "read", "room": room["id"], "seq": 2 })).await;
    assert_eq!(unread(bob.get(&path).await.is(200).json()), 1);
}

#[tokio::test]
async fn a_channel_named_in_a_text_is_a_link_wherever_it_is_written() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let room = ann.create("Night shift").await;
    let mut socket = ann.socket().await;
    socket.send(&room, "see #night shift, not #nowhere nor `#night shift`").await;
    let heard = socket.hear("the message", |frame| frame["type"] == "message").await;
    let html = heard["html"].as_str().unwrap();
    assert!(html.contains("href=\"/c/night%20shift\""), "{html}");
    assert_eq!(html.matches("<a ").count(), 1, "{html}");
    ann.get("/c/night%20shift").await.is(200).has("hb-channel");
    ann.post("/board", &[("text", "all at #Night shift")]).await.is(303);
    ann.get("/board").await.is(200).has("href=\"/c/Night%20shift\"");
    let said = ann.say(&room, "plain").await.is(201).json();
    let path = format!("/api/v1/rooms/{}/messages/{}", room["id"], said["seq"]);
    ann.send("PATCH", &path, &serde_json::json!({ "text": "#night shift" })).await.is(200);
    let heard = socket.hear("the edit", |frame| frame["edited"].is_i64()).await;
    assert!(heard["html"].as_str().unwrap().contains("/c/night%20shift"));
}
