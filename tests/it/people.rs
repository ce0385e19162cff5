//! People among themselves: who is here, since when somebody isn't, their card, blocks and reports.

use crate::app::{App, spawn_app};
use crate::visitor::{DEADLINE, Visitor};
use serde_json::{Value, json};
use std::time::Instant;

async fn of(visitor: &Visitor, username: &str) -> Value {
    visitor.get(&format!("/api/v1/users/{username}")).await.is(200).json()
}

/// Asks again and again until the answer fits.
async fn until(what: &str, mut look: impl AsyncFnMut() -> Option<Value>) -> Value {
    let start = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(start.elapsed() < DEADLINE, "waited in vain: {what}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

async fn owner_and(app: &App, name: &str) -> (Visitor, Visitor) {
    (app.register("owner").await, app.register(name).await)
}

#[tokio::test]
async fn somebody_is_here_until_the_last_window_has_closed_and_was_last_seen_then() {
    let app = spawn_app().await;
    let (ann, bob) = owner_and(&app, "bob").await;
    assert_eq!(of(&ann, "bob").await["last_seen_at"], Value::Null);
    let (first, second) = (bob.socket().await, bob.socket().await);
    until("bob is here", async || Some(of(&ann, "bob").await).filter(|b| b["online"] == true)).await;
    ann.get("/people").await.is(200).has("data-state=\"online\"");
    drop(first);
    // The other window is still open; a page that asks again and again sees no change.
    for _ in 0..5 {
        assert_eq!(of(&ann, "bob").await["online"], true);
    }
    let before = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    drop(second);
    let gone =
        until("bob has left", async || Some(of(&ann, "bob").await).filter(|b| b["online"] == false)).await;
    let seen = u128::from(gone["last_seen_at"].as_u64().unwrap());
    assert!(seen + 2000 > before, "{seen} is before {before}");
}

#[tokio::test]
async fn when_somebody_was_last_seen_survives_a_restart_to_the_minute() {
    let mut app = spawn_app().await;
    let (ann, bob) = owner_and(&app, "bob").await;
    drop(bob.socket().await);
    until("bob has left", async || Some(of(&ann, "bob").await).filter(|b| b["last_seen_at"].is_i64())).await;
    app.restart().await;
    let ann = Visitor::moved(&ann, &app.origin());
    let seen = of(&ann, "bob").await["last_seen_at"].as_i64().unwrap();
    assert_eq!(seen % 60_000, 0, "no finer than a minute");
}

#[tokio::test]
async fn a_status_set_anywhere_is_told_to_watchers_and_to_ones_own_windows() {
    let app = spawn_app().await;
    let (ann, bob) = owner_and(&app, "bob").await;
    let (mut ann_sees, mut bobs_tab) = (ann.socket().await, bob.socket().await);
    let id = bob.me().await["id"].clone();
    ann_sees.must(json!({ "type": "watch", "users": [id] })).await;
    let status = json!({ "status": { "state": "dnd", "text": "soldering" } });
    bob.send("PATCH", "/api/v1/me", &status).await.is(200);
    let says = |frame: &Value| {
        frame["type"] == "presence"
            && frame["users"]
                .as_array()
                .is_some_and(|all| all.iter().any(|u| u["user"] == id && u["text"] == "soldering"))
    };
    for socket in [&mut ann_sees, &mut bobs_tab] {
        let frame = socket.hear("bob's status", says).await;
        assert_eq!(
            frame["users"].as_array().unwrap().iter().find(|u| u["user"] == id).unwrap()["state"],
            "dnd"
        );
    }
    ann.get("/people").await.is(200).has("data-state=\"dnd\"").has("soldering");
    let form = [("status_state", "away"), ("status_text", "lunch")];
    bob.post("/settings/profile", &form).await.is(303);
    assert_eq!(of(&ann, "bob").await["status"], json!({ "state": "away", "text": "lunch" }));
    bob.post("/settings/profile", &[("status_state", "away"), ("status_text", &"x".repeat(101))])
        .await
        .is(422);
}

#[tokio::test]
async fn people_are_asked_for_by_their_ids() {
    let app = spawn_app().await;
    let (ann, bob) = owner_and(&app, "bob").await;
    let (a, b) = (ann.me().await["id"].clone(), bob.me().await["id"].clone());
    let users = ann.get(&format!("/api/v1/users?ids={b},{a},999")).await.is(200).json();
    let names: Vec<&str> =
        users["users"].as_array().unwrap().iter().map(|u| u["username"].as_str().unwrap()).collect();
    assert_eq!(names, ["bob", "owner"]);
    let many = (0..101).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    for wrong in ["x", "1,,2", many.as_str()] {
        ann.get(&format!("/api/v1/users?ids={wrong}")).await.problem(422, "invalid");
    }
}

#[tokio::test]
async fn a_card_is_a_page_of_its_own_and_tells_of_nobody_who_is_not_there() {
    let app = spawn_app().await;
    let (ann, bob) = owner_and(&app, "bob").await;
    let id = bob.me().await["id"].clone();
    let page =
        ann.get(&format!("/people/{id}")).await.is(200).has("<html").has("@bob").has("href=\"/dm/bob\"");
    page.has("action=\"/people/2/block\"");
    ann.get(&format!("/people/{id}?card=1")).await.is(200).lacks("<html").has("@bob");
    bob.get(&format!("/people/{id}")).await.is(200).has("href=\"/settings\"").lacks("/block");
    ann.get("/people/999").await.is(404);
    ann.get("/people/x").await.is(404);
    app.stranger().get(&format!("/people/{id}")).await.is(303);
}

#[tokio::test]
async fn a_block_is_known_to_all_of_ones_own_windows_and_to_nobody_else() {
    let app = spawn_app().await;
    let (ann, bob) = owner_and(&app, "bob").await;
    let id = bob.me().await["id"].clone();
    let (mut tab, mut bobs) = (ann.socket().await, bob.socket().await);
    assert_eq!(tab.ready["blocked"], json!([]));
    ann.send("PUT", "/api/v1/me/blocks/BOB", &Value::Null).await.is(204);
    let frame = tab.hear("blocks", |frame| frame["type"] == "blocks").await;
    assert_eq!(frame["users"], json!([id]));
    assert_eq!(ann.socket().await.ready["blocked"], json!([id]));
    let listed = ann.get("/api/v1/me/blocks").await.is(200).json();
    assert_eq!(listed["users"][0]["username"], "bob");
    ann.get("/channels").await.is(200).has(&format!("data-blocked=\"{id}\""));
    ann.get("/settings/blocked").await.is(200).has("@bob").has("Unblock");
    assert!(bobs.try_ask(json!({ "type": "ping" })).await.is_some());
    assert_eq!(bobs.ready["blocked"], json!([]));
    bob.get("/api/v1/me/blocks").await.is(200).lacks("owner");
    ann.send("PUT", "/api/v1/me/blocks/owner", &Value::Null).await.problem(422, "invalid");
    ann.send("PUT", "/api/v1/me/blocks/nobody", &Value::Null).await.problem(404, "not_found");
    ann.post("/settings/blocked/bob/remove", &[]).await.is(303);
    tab.hear("nobody blocked", |frame| frame["type"] == "blocks" && frame["users"] == json!([])).await;
    ann.post(&format!("/people/{id}/block"), &[("blocked", "on")]).await.is(303);
    ann.send("DELETE", "/api/v1/me/blocks/bob", &Value::Null).await.is(204);
    ann.get("/channels").await.is(200).has("data-blocked=\"\"");
}

async fn report(visitor: &Visitor, room: &Value, seq: i64, reason: &str) -> crate::visitor::Answer {
    let path = format!("/api/v1/rooms/{}/messages/{seq}/report", room["id"]);
    visitor.send("POST", &path, &json!({ "reason": reason })).await
}

#[tokio::test]
async fn a_report_keeps_the_message_as_it_was_for_those_who_look_after_the_place() {
    let app = spawn_app().await;
    let (owner, bob) = owner_and(&app, "bob").await;
    let carl = app.register("carl").await;
    let room = bob.create("yard").await;
    bob.say(&room, "something nasty").await.is(201);
    report(&carl, &room, 1, " ").await.problem(422, "invalid");
    report(&carl, &room, 1, &"x".repeat(501)).await.problem(422, "invalid");
    report(&carl, &room, 1, "this is nasty").await.is(204);
    report(&carl, &room, 1, "this is really nasty").await.is(204);
    let page =
        owner.get("/admin").await.is(200).has("something nasty").has("this is really nasty").has("# yard");
    let page = page.has("Reported by carl").text();
    assert_eq!(page.matches("class=\"card report\"").count(), 1, "{page}");
    for other in [&bob, &carl] {
        let (refused, nothing) = (other.get("/admin").await.is(404), other.get("/nowhere").await.is(404));
        let bare = |answer: crate::visitor::Answer, path: &str| answer.text().replace(path, "");
        assert_eq!(bare(refused, "/admin"), bare(nothing, "/nowhere"), "as if there were no such page");
        other.post("/admin/reports/1/resolve", &[]).await.is(404);
        other.get("/channels").await.is(200).lacks("href=\"/admin\"");
    }
    owner.get("/channels").await.is(200).has("href=\"/admin\"");
    owner.post("/admin/reports/1/resolve", &[]).await.is(303);
    owner.post("/admin/reports/1/resolve", &[]).await.is(404);
    owner.get("/admin").await.is(200).lacks("something nasty");
    owner.get("/admin?resolved=true").await.is(200).has("something nasty").has("dealt with by owner");
    report(&carl, &room, 1, "again").await.is(204);
    owner.get("/admin").await.is(200).has("something nasty");
}

#[tokio::test]
async fn what_one_cannot_read_one_cannot_report() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let room = ann.create("yard").await;
    report(&ann, &room, 1, "there is nothing").await.problem(404, "not_found");
    report(&ann, &json!({ "id": 999 }), 1, "nowhere").await.problem(404, "not_found");
    let path = format!("/api/v1/rooms/{}/messages/1/report", room["id"]);
    app.stranger().send("POST", &path, &json!({ "reason": "x" })).await.problem(401, "sign_in_first");
}
