//! No question that grows with what is stored: each finds what it wants by an index.

use crate::app::{App, spawn_app_with};
use crate::attachments::photo;
use crate::moderation::until;
use crate::previews::Site;
use crate::statements::{Plan, listen, plans};
use crate::visitor::{Visitor, nonce};
use hubbub::config::Config;
use hubbub::db::Which;
use hubbub::rooms::Rooms;
use reqwest::Method;
use serde_json::{Value, json};

/// Tables that have no end: a row for each person, room, message, or for what hangs on them.
const ENDLESS: [&str; 21] = [
    "rooms",
    "memberships",
    "messages",
    "reactions",
    "mentions",
    "bookmarks",
    "blocks",
    "reports",
    "blobs",
    "attachments",
    "search_words",
    "search_documents",
    "users",
    "sessions",
    "tokens",
    "pictures",
    "media_positions",
    "paces",
    "takedowns",
    "taken_down",
    "audit",
];

/// What SQLite is to do for the questions that are asked all day: a part of the statement says which it is.
const HOT: [(&str, &str); 19] = [
    // A page of a room, older, newer, around: one range of the table itself.
    ("ORDER BY `messages`.`seq` DESC", "SEARCH messages USING PRIMARY KEY (room_id=? AND seq<?)"),
    ("ORDER BY `messages`.`seq` ASC", "SEARCH messages USING PRIMARY KEY (room_id=? AND seq>?)"),
    ("ORDER BY `messages`.`rev` ASC", "SEARCH messages USING INDEX messages_by_rev (room_id=? AND rev>?)"),
    ("`messages`.`nonce` = ?", "SEARCH messages USING INDEX messages_by_nonce (author_id=? AND nonce=?)"),
    ("`messages`.`pinned`", "SEARCH messages USING INDEX messages_pinned (room_id=? AND seq<?)"),
    (
        "`messages`.`thread` = ?",
        "SEARCH messages USING INDEX messages_by_thread (room_id=? AND thread=? AND seq<?)",
    ),
    ("WITH marks", "SEARCH m USING INDEX messages_to_all (room_id=? AND seq>?)"),
    ("WITH marks", "SEARCH mentions USING PRIMARY KEY (user_id=? AND room_id=? AND seq>?)"),
    ("INNER JOIN `rooms`", "SEARCH memberships USING PRIMARY KEY (user_id=?)"),
    ("INNER JOIN `rooms`", "SEARCH rooms USING INTEGER PRIMARY KEY (rowid=?)"),
    (
        "`memberships`.`room_id` = ?",
        "SEARCH memberships USING COVERING INDEX memberships_by_room (room_id=? AND user_id>?)",
    ),
    ("`paces`.`room_id` = ?", "SEARCH paces USING PRIMARY KEY (room_id=? AND user_id=?)"),
    ("`messages`.`nonce` > ?", "SEARCH messages USING INDEX messages_by_nonce (author_id=? AND nonce>?)"),
    ("`takedowns`.`state` = ?", "SEARCH takedowns USING COVERING INDEX takedowns_by_state (state=?)"),
    ("`audit`.`target_id` = ?", "SEARCH audit USING INDEX audit_by_target (target_id=?)"),
    // Every few minutes, which is often for what would read all that was ever attached.
    ("`blobs`.`stored_at` < ?", "SEARCH blobs USING COVERING INDEX blobs_by_age (stored_at<?)"),
    ("`sessions`.`key_hash` = ?", "SEARCH sessions USING INDEX sqlite_autoindex_sessions_1 (key_hash=?)"),
    ("`tokens`.`token_hash` = ?", "SEARCH tokens USING INDEX sqlite_autoindex_tokens_1 (token_hash=?)"),
    ("`users`.`username_key` = ?", "SEARCH users USING INDEX sqlite_autoindex_users_1 (username_key=?)"),
];

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_asked_walks_through_a_table_that_has_no_end() {
    let site = Site::open().await;
    let allowed = site.address.to_string();
    let settings = [("link_previews", "on"), ("link_preview_allow", allowed.as_str())];
    let mut app = spawn_app_with(&settings).await;
    listen(&app.store);
    app.restart().await;
    live_a_day(&app, &site).await;
    let mut all = plans(&app.store, Which::Messages);
    all.extend(plans(&app.store, Which::Accounts));
    assert!(all.len() > 60, "only {} statements were heard", all.len());
    let walks: Vec<String> = all
        .iter()
        .filter(|plan| !is_excused(plan) && ENDLESS.iter().any(|table| plan.scans(table)))
        .map(|plan| format!("{}\n    {}", plan.statement, plan.steps.join("\n    ")))
        .collect();
    assert!(walks.is_empty(), "These walk through a whole table:\n{}", walks.join("\n"));
    if app.store.url(Which::Messages).starts_with("sqlite") {
        for (about, step) in HOT {
            let there = |plan: &&Plan| plan.statement.contains(about) && plan.steps.iter().any(|s| s == step);
            let near = all.iter().filter(|plan| plan.statement.contains(about));
            let near: Vec<String> =
                near.map(|p| format!("{}\n    {}", p.statement, p.steps.join("\n    "))).collect();
            assert!(
                all.iter().any(|plan| there(&plan)),
                "{about}: nothing does “{step}”, but\n{}",
                near.join("\n")
            );
        }
    }
}

/// What ends where it has found something, however long the table is.
fn is_excused(plan: &Plan) -> bool {
    let said = |words: &str| plan.statement.replace('"', "`").contains(words);
    // A list without anything in it: the question is never put to a row.
    said("(1=0)")
        // On Postgres an index of these would have every message rewrite its room's entries in all the others, to save a look at
        // the rooms once a second.
        || said("> `rooms`.`indexed_rev`")
        || said("ORDER BY `audit`.`id` DESC") && !said("WHERE")
    // A page of people in the order of their names; whether anybody has an account.
        || said("ORDER BY `users`.`username_key`") && said("LIMIT") || said("EXISTS") && said("`users`.`role` !=")
}

/// Does what people and their browsers do, each thing once.
async fn live_a_day(app: &App, site: &Site) {
    let (ann, ben) = (app.register("ann").await, app.register("ben").await);
    app.guest("Cleo").await;
    let room = ann.create("lab").await;
    ben.join(&room).await.is(200);
    talk(&ann, &ben, &room).await;
    let group = json!({ "kind": "group", "name": "Crew", "members": ["ben"] });
    let group = ann.send("POST", "/api/v1/rooms", &group).await.is(201).json();
    ben.say(&group, "hello @ann").await.is(201);
    ann.send("POST", "/api/v1/direct", &json!({ "username": "ben" })).await;
    ann.post("/dm/ben", &[("text", "hello"), ("nonce", &nonce())]).await.is(303);
    send_a_file(&ann, &room).await;
    link_to_a_page(&ann, &room, site).await;
    look_around(&ben, &room, &group).await;
    keep_and_let_go(&ben, &room).await;
    let token = ben.post("/settings/tokens", &[("label", "a script")]).await;
    assert!(token.status < 400, "{}", token.text());
    let asked = ben.request(Method::GET, "/api/v1/me").bearer_auth("hubbub_nothing");
    ben.answer(asked).await.is(401);
    keep_order(&ann, &ben, &room).await;
    ann.send("DELETE", &format!("/api/v1/rooms/{}/members/ben", group["id"]), &Value::Null).await;
    ann.send("DELETE", &format!("/api/v1/rooms/{}", group["id"]), &Value::Null).await.is(204);
    ben.post("/c/lab/leave", &[]).await.is(303);
    ben.post("/logout", &[]).await.is(303);
    tidy(app).await;
}

async fn talk(ann: &Visitor, ben: &Visitor, room: &Value) {
    let mut socket = ann.socket().await;
    let id = &room["id"];
    for text in ["one", "two @ben", "three @all", "four in #lab"] {
        socket.send(room, text).await;
    }
    let reply = json!({ "type": "send", "room": id, "nonce": nonce(), "text": "five", "reply_to": 1 });
    socket.must(reply).await;
    let mut other = ben.socket().await;
    for asked in [
        json!({ "type": "join", "room": id }),
        json!({ "type": "history", "room": id, "before": 3 }),
        json!({ "type": "history", "room": id, "after": 1 }),
        json!({ "type": "history", "room": id, "around": 2 }),
        json!({ "type": "history", "room": id, "at": 1_700_000_000_000_i64 }),
        json!({ "type": "history", "room": id, "thread": 1 }),
        json!({ "type": "changes", "room": id, "after": 2 }),
        json!({ "type": "read", "room": id, "seq": 1, "back": true }),
        json!({ "type": "read", "room": id, "seq": 3 }),
        json!({ "type": "level", "room": id, "level": "mentions" }),
        json!({ "type": "react", "room": id, "seq": 1, "emoji": "👍", "on": true }),
        json!({ "type": "rooms" }),
        json!({ "type": "people" }),
        json!({ "type": "people", "after": "ann" }),
    ] {
        other.must(asked).await;
    }
    for asked in [
        json!({ "type": "pin", "room": id, "seq": 1, "on": true }),
        json!({ "type": "edit", "room": id, "seq": 1, "text": "one, and @ben" }),
        json!({ "type": "delete", "room": id, "seq": 2 }),
        json!({ "type": "open", "user": "ben" }),
        json!({ "type": "topic", "room": id, "topic": "beams" }),
    ] {
        socket.must(asked).await;
    }
}

async fn send_a_file(ann: &Visitor, room: &Value) {
    let part = reqwest::multipart::Part::bytes(b"a file".to_vec()).file_name("notes.txt");
    let form = reqwest::multipart::Form::new().part("file", part);
    let address = format!("/api/v1/rooms/{}/attachments", room["id"]);
    let file = ann.answer(ann.request(Method::POST, &address).multipart(form)).await.is(201).json();
    let message = json!({ "nonce": nonce(), "text": "notes", "attachments": [file["id"]] });
    ann.send("POST", &format!("/api/v1/rooms/{}/messages", room["id"]), &message).await.is(201);
    ann.get(file["url"].as_str().unwrap()).await.is(200);
}

async fn link_to_a_page(ann: &Visitor, room: &Value, site: &Site) {
    site.put("/boats.jpg", "image/jpeg", photo(64, 64));
    let head = "<title>Boats</title><meta property=og:image content=/boats.jpg>";
    let page = site.put("/boats", "text/html", head);
    let mut socket = ann.socket().await;
    let seq = socket.send(room, &page).await["seq"].clone();
    socket.hear("the preview", |frame| frame["seq"] == seq && frame.get("preview").is_some()).await;
    socket.must(json!({ "type": "preview", "room": room["id"], "seq": seq, "on": false })).await;
}

async fn look_around(ben: &Visitor, room: &Value, group: &Value) {
    let (id, crew) = (&room["id"], &group["id"]);
    ben.post("/board", &[("text", "a note for @ann")]).await.is(303);
    for page in [
        "/dashboard",
        "/board",
        "/channels",
        "/channels?after=a",
        "/groups",
        "/people",
        "/people?query=an",
        "/settings",
        "/settings/blocked",
        "/c/lab",
        "/c/lab?before=3",
        "/c/lab?details=members",
        "/dm/ann",
        "/media",
        "/live",
        "/search?q=one",
        "/search?q=one+from:ann+in:lab",
        "/api/v1/search?q=tw",
        "/api/v1/rooms",
        "/api/v1/users?query=be",
        "/api/v1/users/ann",
        "/bookmarks",
        &format!("/g/{crew}"),
        &format!("/m/{id}/1"),
        &format!("/api/v1/rooms/{id}/pins"),
        &format!("/api/v1/rooms/{id}/members"),
        &format!("/api/v1/rooms/{id}/members?here=false"),
    ] {
        let answer = ben.get(page).await;
        assert!(answer.status < 400, "{page}: {} {}", answer.status, answer.text());
    }
}

async fn keep_and_let_go(ben: &Visitor, room: &Value) {
    let message = format!("/api/v1/rooms/{}/messages/1", room["id"]);
    ben.send("PUT", &format!("{message}/bookmark"), &Value::Null).await;
    ben.get(&format!("{message}/bookmark")).await;
    ben.get("/bookmarks").await.is(200);
    ben.get("/api/v1/bookmarks").await.is(200);
    ben.send("POST", &format!("{message}/report"), &json!({ "reason": "just so" })).await;
    ben.send("PUT", "/api/v1/me/blocks/ann", &Value::Null).await;
    ben.get("/api/v1/me/blocks").await.is(200);
    ben.send("DELETE", "/api/v1/me/blocks/ann", &Value::Null).await;
    ben.send("DELETE", &format!("{message}/bookmark"), &Value::Null).await;
}

async fn keep_order(ann: &Visitor, ben: &Visitor, room: &Value) {
    let path = format!("/api/v1/rooms/{}", room["id"]);
    ann.send("PATCH", &path, &json!({ "slow_seconds": 5 })).await.is(200);
    ben.say(room, "once").await.is(201);
    ann.send("PATCH", &path, &json!({ "slow_seconds": 0 })).await.is(200);
    ann.send("PUT", "/api/v1/accounts/ben/timeout", &json!({ "seconds": 60 })).await.is(200);
    ann.send("DELETE", "/api/v1/accounts/ben/timeout", &Value::Null).await.is(200);
    let word = ann.send("POST", "/api/v1/filter", &json!({ "word": "darn", "effect": "report" })).await;
    ben.say(room, "darn").await.is(201);
    ann.send("DELETE", &format!("/api/v1/filter/{}", word.json()["id"]), &Value::Null).await.is(204);
    let down = ann.send("POST", "/api/v1/accounts/ben/takedowns", &json!({ "span": "day" })).await.is(201);
    let (path, down) = ("/api/v1/accounts/ben/takedowns", down.json()["id"].clone());
    until_it_is(ann, path, "taken").await;
    ann.send("DELETE", &format!("/api/v1/takedowns/{down}"), &Value::Null).await.is(204);
    until_it_is(ann, path, "returned").await;
    for page in [
        "/admin",
        "/admin/audit",
        "/admin/filter",
        "/admin/moderate/2",
        "/api/v1/audit?username=ben",
        "/api/v1/audit?by=ann",
    ] {
        ann.get(page).await.is(200);
    }
}

async fn until_it_is(ann: &Visitor, path: &str, state: &str) {
    until(state, async || ann.get(path).await.json()["takedowns"][0]["state"] == state).await;
}

/// What the server does by itself now and then, at once.
async fn tidy(app: &App) {
    let mut config = Config::default();
    for (name, value) in app.settings() {
        config.set(name, value).unwrap();
    }
    let rooms = Rooms::open(&config, |_| ()).unwrap();
    rooms.purge().await.unwrap();
    rooms.sweep_attachments().await.unwrap();
    rooms.db.close();
}
