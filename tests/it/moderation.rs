//! Keeping order: time-outs, bans, the log of it all, and who may do it to whom.

use crate::administration::{id, staff};
use crate::app::{PASSWORD, spawn_app, spawn_app_with};
use crate::socket::Socket;
use crate::visitor::{Answer, DEADLINE, Visitor, nonce};
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio_tungstenite::tungstenite::Message;

async fn time_out(by: &Visitor, name: &str, seconds: i64) -> Answer {
    let body = json!({ "seconds": seconds, "reason": "too loud" });
    by.send("PUT", &format!("/api/v1/accounts/{name}/timeout"), &body).await
}

/// Asks again and again until it is so.
pub async fn until(what: &str, mut look: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !look().await {
        assert!(start.elapsed() < DEADLINE, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub async fn upload(visitor: &Visitor, room: &Value) -> Answer {
    let form = Form::new().part("file", Part::bytes(b"some notes".to_vec()).file_name("notes.txt"));
    let address = format!("/api/v1/rooms/{}/attachments", room["id"]);
    visitor.answer(visitor.request(Method::POST, &address).multipart(form)).await
}

/// What would say something, over the API.
async fn refused_by_api(mem: &Visitor, message: &str) {
    for (method, path, body) in [
        ("PATCH", message, json!({ "text": "other" })),
        ("PUT", &format!("{message}/reactions/👍"), json!({})),
        ("POST", "/api/v1/rooms", json!({ "kind": "channel", "name": "mine" })),
        ("POST", "/api/v1/rooms", json!({ "kind": "group", "name": "mine", "members": [] })),
        ("POST", "/api/v1/direct", json!({ "username": "owner" })),
        ("POST", "/api/v1/live", json!({ "name": "mine" })),
        ("PATCH", "/api/v1/me", json!({ "display_name": "Rude words" })),
    ] {
        mem.send(method, path, &body).await.problem(403, "timed_out");
    }
}

#[tokio::test]
async fn in_a_time_out_one_reads_and_keeps_quiet_at_every_door() {
    let app = spawn_app_with(&[("guest_rights", "channels,direct,key,groups,files")]).await;
    let [_owner, _, moderator, mem] = staff(&app).await;
    let room = moderator.create("lab").await;
    mem.join(&room).await.is(200);
    mem.say(&room, "before").await.is(201);
    moderator.send("POST", "/api/v1/direct", &json!({ "username": "mem" })).await.is(201);
    let mut socket = mem.socket().await;
    let cookie = mem.cookie();
    let mut classic = Socket::open_at(&app.origin(), "/ws/classic", &[("cookie", &cookie)]).await.unwrap();
    let done = time_out(&moderator, "MEM", 3600).await.is(200).json();
    assert!(done["silenced_until"].as_i64().is_some_and(|until| until > 0), "{done}");
    let notice = socket.hear("a notice", |frame| frame["type"] == "notice").await;
    assert!(
        notice["text"].as_str().is_some_and(|text| text.starts_with("You are in a time-out until 20")),
        "{notice}"
    );
    let refused = mem.say(&room, "after").await.problem(403, "timed_out");
    assert!(refused["detail"].as_str().unwrap().contains("UTC: you can read, but not write."), "{refused}");
    let (r, message) = (&room["id"], format!("/api/v1/rooms/{}/messages/1", room["id"]));
    refused_by_api(&mem, &message).await;
    upload(&mem, &room).await.problem(403, "timed_out");
    let put = mem.request(Method::PUT, "/api/v1/media/tone.wav").body("RIFF");
    mem.answer(put).await.problem(403, "timed_out");
    for (path, words) in [("/c/lab", "kept words"), ("/dm/mod", "kept words"), ("/board", "kept words")] {
        let page = mem.post(path, &[("text", words)]).await;
        assert!([403, 422].contains(&page.status), "{path}: {}", page.status);
        page.has("You are in a time-out until").has(words);
    }
    for request in [
        json!({ "type": "send", "room": r, "nonce": nonce(), "text": "after" }),
        json!({ "type": "edit", "room": r, "seq": 1, "text": "other" }),
        json!({ "type": "react", "room": r, "seq": 1, "emoji": "👍", "on": true }),
        json!({ "type": "create", "kind": "channel", "name": "mine" }),
        json!({ "type": "open", "user": "owner" }),
        json!({ "type": "status", "state": "online", "text": "Rude words" }),
    ] {
        socket.refused(request, "timed_out").await;
    }
    for (to, chat) in [("mod", "Private"), ("nobody", "Group")] {
        let frame =
            json!({ "Type": "Send", "From": "mem", "To": to, "Content": "x", "Chat": chat, "is_image": 0 });
        classic.raw(Message::text(frame.to_string())).await;
        let error = classic.hear("an error", |frame| frame["Type"] == "Error").await;
        assert!(error["Code"] == "timed_out" || chat == "Group", "{error}");
    }
    // What stays: reading, coming and going, taking back one's own words, being told.
    mem.get("/c/lab").await.is(200).has("You are in a time-out until");
    socket.must(json!({ "type": "history", "room": r })).await;
    mem.post("/c/lab/leave", &[]).await.is(303);
    mem.join(&room).await.is(200);
    mem.send("DELETE", &message, &Value::Null).await.is(200);
    let lifted = moderator.send("DELETE", "/api/v1/accounts/mem/timeout", &Value::Null).await.is(200).json();
    assert_eq!(lifted["silenced_until"], Value::Null);
    socket.hear("the notice is over", |frame| frame["type"] == "notice" && frame["text"] == "").await;
    socket.send(&room, "again").await;
    mem.say(&room, "and again").await.is(201);
    mem.get("/c/lab").await.is(200).lacks("You are in a time-out until");
}

#[tokio::test]
async fn a_time_out_ends_by_itself_and_a_private_room_is_told_of_to_nobody() {
    let app = spawn_app().await;
    let [owner, _, moderator, mem] = staff(&app).await;
    let room = moderator.create("lab").await;
    mem.join(&room).await.is(200);
    let group = json!({ "kind": "group", "name": "Crew", "members": [] });
    let group = owner.send("POST", "/api/v1/rooms", &group).await.is(201).json();
    time_out(&moderator, "mem", 1).await.is(200);
    // As if the group weren't there.
    mem.say(&group, "hello").await.problem(404, "not_found");
    mem.send("PATCH", &format!("/api/v1/rooms/{}", group["id"]), &json!({ "topic": "x" }))
        .await
        .problem(404, "not_found");
    until("the time-out is over", async || mem.say(&room, "free").await.status == 201).await;
    for seconds in [0, -1, 28 * 24 * 3600 + 1] {
        time_out(&moderator, "mem", seconds).await.problem(422, "invalid");
    }
    time_out(&moderator, "nobody", 60).await.problem(404, "not_found");
}

#[tokio::test]
async fn nobody_restrains_themselves_or_those_beside_and_above_them() {
    let app = spawn_app().await;
    let all = staff(&app).await;
    let names = ["owner", "admin", "mod", "mem"];
    for (rank, by) in all.iter().enumerate() {
        for (other, name) in names.iter().enumerate() {
            if other > rank && rank < 3 {
                continue;
            }
            let code = match (rank, other == rank) {
                (3, _) => "staff_only",
                (_, true) => "yourself",
                _ => "above_you",
            };
            time_out(by, name, 60).await.problem(403, code);
            by.send("PUT", &format!("/api/v1/accounts/{name}/ban"), &json!({})).await.problem(403, code);
            let span = json!({ "span": "all" });
            by.send("POST", &format!("/api/v1/accounts/{name}/takedowns"), &span).await.problem(403, code);
        }
    }
    let [owner, _, moderator, mem] = all;
    let owners = format!("/admin/moderate/{}", id(&owner).await);
    moderator.post(&owners, &[("do", "ban")]).await.is(403).has("isn&#39;t yours to change");
    moderator.get(&owners).await.is(200).has("this isn&#39;t one of them").lacks("value=\"ban\"");
    for path in [owners.as_str(), "/admin/audit", "/admin/filter"] {
        mem.get(path).await.is(404);
        mem.post(path, &[("do", "ban")]).await;
    }
    moderator.get("/admin/filter").await.is(404);
    for path in ["/api/v1/audit", "/api/v1/reports", "/api/v1/filter", "/api/v1/accounts/mod/takedowns"] {
        mem.get(path).await.is(403);
        app.stranger().get(path).await.problem(401, "sign_in_first");
    }
    moderator.get("/api/v1/filter").await.problem(403, "admins_only");
    mem.send("DELETE", "/api/v1/takedowns/1", &Value::Null).await.problem(403, "staff_only");
    owner.send("DELETE", "/api/v1/takedowns/1", &Value::Null).await.problem(404, "not_found");
}

#[tokio::test]
async fn a_ban_ends_everything_at_once_and_can_be_undone() {
    let app = spawn_app().await;
    let [_owner, _, moderator, mem] = staff(&app).await;
    let guest = app.guest("Gus").await;
    let gus = guest.me().await["username"].as_str().unwrap().to_owned();
    let token = app.shell(&["token", "add", "mem"]).1;
    let program = || app.stranger().request(Method::GET, "/api/v1/me").bearer_auth(token.trim());
    mem.answer(program()).await.is(200);
    for (name, visitor) in [("mem", &mem), (gus.as_str(), &guest)] {
        let mut socket = visitor.socket().await;
        let path = format!("/api/v1/accounts/{name}/ban");
        moderator.send("PUT", &path, &json!({ "reason": "spam" })).await.is(204);
        assert_eq!(socket.end().await, 4001, "{name}");
        visitor.get("/api/v1/me").await.problem(401, "sign_in_first");
        moderator.send("PUT", &path, &json!({})).await.problem(409, "no_change");
    }
    mem.answer(program()).await.problem(401, "sign_in_first");
    app.stranger().post("/login", &[("username", "mem"), ("password", PASSWORD)]).await.is(422);
    let page = format!("/admin/moderate/{}", 4);
    moderator.get(&page).await.is(200).has("They are locked out").has("spam");
    moderator.post(&page, &[("do", "unban")]).await.is(303);
    moderator.send("DELETE", "/api/v1/accounts/mem/ban", &Value::Null).await.problem(409, "no_change");
    app.stranger().post("/login", &[("username", "mem"), ("password", PASSWORD)]).await.is(303);
}

/// What stands in the log and concerns nobody's writing.
async fn look_after(owner: &Visitor, moderator: &Visitor, room: &Value) {
    owner.send("POST", "/api/v1/accounts/mem/reset", &Value::Null).await.is(201);
    let tomorrow = std::time::SystemTime::now() + Duration::from_hours(24);
    let tomorrow = tomorrow.duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    let invite = json!({ "label": "friends", "uses": 1, "expires_at": u64::try_from(tomorrow).unwrap() });
    let invite = owner.send("POST", "/api/v1/invites", &invite).await.is(201).json();
    owner.send("DELETE", &format!("/api/v1/invites/{}", invite["id"]), &Value::Null).await.is(204);
    let word = owner.send("POST", "/api/v1/filter", &json!({ "word": "darn", "effect": "report" })).await;
    let word = word.is(201).json();
    owner.send("DELETE", &format!("/api/v1/filter/{}", word["id"]), &Value::Null).await.is(204);
    moderator
        .send("PATCH", &format!("/api/v1/rooms/{}", room["id"]), &json!({ "slow_seconds": 5 }))
        .await
        .is(200);
}

#[tokio::test]
async fn the_log_has_every_deed_with_names_as_they_were_and_loses_none() {
    let app = spawn_app().await;
    let [owner, _, moderator, mem] = staff(&app).await;
    let room = moderator.create("lab").await;
    mem.join(&room).await.is(200);
    mem.say(&room, "nasty").await.is(201);
    let report = format!("/api/v1/rooms/{}/messages/1/report", room["id"]);
    owner.send("POST", &report, &json!({ "reason": "it is nasty" })).await.is(204);
    let reports = moderator.get("/api/v1/reports").await.is(200).json();
    assert_eq!((&reports["reports"][0]["text"], &reports["more"]), (&json!("nasty"), &json!(false)));
    moderator.send("POST", "/api/v1/reports/1/resolve", &Value::Null).await.is(204);
    time_out(&moderator, "mem", 60).await.is(200);
    moderator.send("DELETE", "/api/v1/accounts/mem/timeout", &Value::Null).await.is(200);
    moderator.send("PUT", "/api/v1/accounts/mem/ban", &json!({ "take_down": "day" })).await.is(204);
    moderator.send("DELETE", "/api/v1/takedowns/1", &Value::Null).await.is(204);
    moderator.send("DELETE", "/api/v1/accounts/mem/ban", &Value::Null).await.is(204);
    look_after(&owner, &moderator, &room).await;
    assert!(app.shell(&["user", "role", "mem", "moderator"]).0);
    app.store.accounts("UPDATE users SET username = 'gone', username_key = 'gone' WHERE username = 'mem'");
    let log = owner.get("/api/v1/audit?limit=100").await.is(200).json();
    let deeds: Vec<&str> =
        log["entries"].as_array().unwrap().iter().rev().map(|e| e["deed"].as_str().unwrap()).collect();
    assert_eq!(
        deeds,
        [
            "role",
            "role",
            "resolve",
            "time_out",
            "end_time_out",
            "ban",
            "take_down",
            "bring_back",
            "unban",
            "reset",
            "invite",
            "end_invite",
            "add_word",
            "remove_word",
            "slow_mode",
            "role"
        ]
    );
    let last = &log["entries"][0];
    assert_eq!((&last["actor"], &last["target"]["username"]), (&Value::Null, &json!("mem")), "{last}");
    assert_eq!(last["detail"], "member → moderator");
    let quiet = &log["entries"][12];
    assert_eq!(quiet["actor"]["username"], "mod", "{quiet}");
    assert!(quiet["detail"].as_str().is_some_and(|d| d.ends_with("too loud")), "{quiet}");
    let page = owner.get("/api/v1/audit?limit=2&by=mod").await.is(200).json();
    assert_eq!((page["entries"].as_array().unwrap().len(), &page["more"]), (2, &json!(true)));
    let before = format!("/api/v1/audit?limit=100&by=mod&before={}", page["entries"][1]["id"]);
    assert_eq!(owner.get(&before).await.is(200).json()["entries"].as_array().unwrap().len(), 6);
    owner.get("/api/v1/audit?username=nobody").await.problem(404, "not_found");
    moderator.get("/admin/audit").await.is(200).has("time-out").has("@mem").has("the server&#39;s shell");
    for statement in ["DELETE FROM audit", "UPDATE audit SET detail = ''"] {
        let changed =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| app.store.accounts(statement)));
        assert!(changed.is_err(), "{statement} was done");
    }
}
