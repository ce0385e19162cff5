//! The talk about an item of the library: made once, as visible as the item, named after it and gone with it.

use crate::app::{App, spawn_app};
use crate::visitor::{Visitor, nonce};
use serde_json::{Value, json};

/// A server with one recording in its library, and who added it.
async fn with_recording() -> (App, Visitor, Value) {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let item = ann.put_recording("Evening%20song.wav").await;
    (app, ann, item)
}

fn room(id: i64) -> Value {
    json!({ "id": id })
}

#[tokio::test]
async fn an_item_has_one_talk_however_many_come_at_once() {
    let (app, ann, item) = with_recording().await;
    let bob = app.register("bob").await;
    let (one, two, three) = tokio::join!(ann.talk_of(&item), bob.talk_of(&item), ann.talk_of(&item));
    assert_eq!((one, one), (two, three));
    let seen = bob.get(&format!("/api/v1/rooms/{one}")).await.is(200).json();
    assert_eq!((&seen["kind"], &seen["name"]), (&json!("talk"), &json!("Evening song")));
    assert_eq!(seen["about"], json!({ "kind": "media", "id": item["id"] }));
    // Reading is open, writing wants a member, and anybody may become one.
    bob.say(&room(one), "hello").await.problem(403, "not_member");
    bob.join(&room(one)).await.is(200);
    bob.say(&room(one), "hello").await.is(201);
    ann.talk_of(&item).await;
    ann.get(&format!("/media/{}", item["id"])).await.is(200).has("hello").has("Join the talk");
}

#[tokio::test]
async fn every_way_to_a_message_of_it_leads_to_the_items_page() {
    let (_app, ann, item) = with_recording().await;
    let id = ann.talk_of(&item).await;
    ann.join(&room(id)).await.is(200);
    ann.say(&room(id), "a needle").await.is(201);
    let lead = async |path: String| ann.get(&path).await.is(303).header("location");
    assert_eq!(lead(format!("/m/{id}/1")).await, format!("/talk/{id}?around=1#m-1"));
    assert_eq!(lead(format!("/talk/{id}?around=1")).await, format!("/media/{}?around=1", item["id"]));
    ann.get(&format!("/media/{}?around=1", item["id"])).await.is(200).has("message focus");
    ann.get("/search?q=needle").await.is(200).has(&format!("/talk/{id}")).has("Evening song");
    // By a form, without a script.
    let sent = ann.post(&format!("/talk/{id}"), &[("text", "by form"), ("nonce", &nonce())]).await.is(303);
    assert_eq!(sent.header("location"), format!("/talk/{id}"));
    ann.get(&format!("/media/{}", item["id"])).await.is(200).has("by form");
    let left = ann.post(&format!("/talk/{id}/leave"), &[]).await.is(303);
    assert_eq!(left.header("location"), format!("/talk/{id}"));
    ann.get("/talk/99999").await.is(404);
    ann.get("/media/1?around=x").await.is(400);
}

#[tokio::test]
async fn a_talk_follows_its_item_into_another_name_the_trash_and_away() {
    let (app, ann, item) = with_recording().await;
    let bob = app.register("bob").await;
    let id = bob.talk_of(&item).await;
    bob.join(&room(id)).await.is(200);
    bob.say(&room(id), "needle in it").await.is(201);
    let mut socket = bob.socket().await;
    let item_url = format!("/api/v1/media/{}", item["id"]);
    ann.send("PATCH", &item_url, &json!({ "title": "Morning song" })).await.is(200);
    let renamed = socket.hear("the new name", |frame| frame["type"] == "room").await;
    assert_eq!((&renamed["room"]["id"], &renamed["room"]["name"]), (&json!(id), &json!("Morning song")));
    // In the trash nobody sees it, nor what was said of it.
    ann.send("DELETE", &item_url, &Value::Null).await.is(204);
    for path in [format!("/api/v1/rooms/{id}"), format!("/api/v1/rooms/{id}/messages"), format!("/m/{id}/1")]
    {
        bob.get(&path).await.is(404);
    }
    bob.say(&room(id), "still here").await.is(404);
    let nothing = bob.get("/api/v1/search?q=needle").await.is(200).json();
    assert_eq!(nothing["messages"], json!([]));
    assert!(!bob.socket().await.ready["rooms"].to_string().contains("Morning song"));
    ann.send("POST", &format!("{item_url}/restore"), &Value::Null).await.is(200);
    assert_eq!(bob.talk_of(&item).await, id);
    bob.get(&format!("/api/v1/rooms/{id}")).await.is(200);
    // Gone for good, it takes the talk with it.
    ann.send("DELETE", &item_url, &Value::Null).await.is(204);
    ann.send("DELETE", &format!("{item_url}?forever=true"), &Value::Null).await.is(204);
    socket.hear("that it is gone", |frame| frame["type"] == "room" && frame["gone"] == true).await;
    bob.get(&format!("/api/v1/rooms/{id}")).await.is(404);
}

#[tokio::test]
async fn the_talk_about_what_is_for_some_is_for_those_alone() {
    let (app, ann, item) = with_recording().await;
    let (bob, eve) = (app.register("bob").await, app.register("eve").await);
    let id = ann.talk_of(&item).await;
    ann.join(&room(id)).await.is(200);
    ann.say(&room(id), "a needle").await.is(201);
    let group = json!({ "kind": "group", "name": "Choir", "members": ["bob"] });
    let group = ann.send("POST", "/api/v1/rooms", &group).await.is(201).json();
    for who in [&bob, &eve] {
        who.join(&room(id)).await.is(200);
    }
    // Somewhere that she hears of all the while.
    let lab = ann.create("lab").await;
    eve.join(&lab).await.is(200);
    let (mut hers, mut his) = (eve.socket().await, bob.socket().await);
    let wish = json!({ "audience": "group", "room": group["id"] });
    ann.send("PATCH", &format!("/api/v1/media/{}", item["id"]), &wish).await.is(200);
    // Whoever doesn't see it any more hears nothing more of it either.
    let gone = |frame: &Value| frame["type"] == "room" && frame["room"]["id"] == id && frame["gone"] == true;
    hers.hear("that it is closed to her", gone).await;
    ann.say(&room(id), "among us").await.is(201);
    his.hear_message("among us").await;
    ann.say(&lab, "after that").await.is(201);
    hers.hear_message("after that").await;
    assert_eq!(hers.waiting().filter(|frame| frame["type"] == "message").count(), 0);
    let paths = [format!("/api/v1/rooms/{id}"), format!("/api/v1/rooms/{id}/messages"), format!("/m/{id}/1")];
    for path in &paths {
        eve.get(path).await.is(404);
        assert!([200, 303].contains(&bob.get(path).await.status), "{path}");
    }
    eve.get(&format!("/talk/{id}")).await.is(404);
    eve.join(&room(id)).await.is(404);
    eve.say(&room(id), "let me in").await.is(404);
    let hits =
        async |who: &Visitor| who.get("/api/v1/search?q=needle").await.is(200).json()["messages"].clone();
    assert_eq!((hits(&eve).await, hits(&bob).await.as_array().unwrap().len()), (json!([]), 1));
    // And so it is for one who leaves the group.
    bob.send("POST", &format!("/api/v1/rooms/{}/leave", group["id"]), &Value::Null).await.is(200);
    his.hear("that it is closed to him", gone).await;
    bob.get(&format!("/api/v1/rooms/{id}")).await.is(404);
}

#[tokio::test]
async fn whoever_is_shown_the_newest_words_of_a_talk_has_read_them() {
    let (app, ann, item) = with_recording().await;
    let bob = app.register("bob").await;
    let id = bob.talk_of(&item).await;
    bob.join(&room(id)).await.is(200);
    ann.join(&room(id)).await.is(200);
    for text in ["one", "two"] {
        ann.say(&room(id), text).await.is(201);
    }
    let read =
        async || bob.get(&format!("/api/v1/rooms/{id}")).await.is(200).json()["read_seq"].as_i64().unwrap();
    bob.get(&format!("/media/{}?before=2", item["id"])).await.is(200);
    assert_eq!(read().await, 0, "these aren't the newest");
    bob.get(&format!("/media/{}", item["id"])).await.is(200).has("two");
    assert_eq!(read().await, 2);
}

#[tokio::test]
async fn a_time_in_a_talk_leads_into_the_recording_and_nowhere_else() {
    let (_app, ann, item) = with_recording().await;
    let id = ann.talk_of(&item).await;
    ann.join(&room(id)).await.is(200);
    let link = format!("<a class=\"hb-moment\" href=\"/media/{}?t=83\"", item["id"]);
    let html = async |room: i64, seq: i64| {
        let page =
            ann.get(&format!("/api/v1/rooms/{room}/messages?around={seq}&limit=1")).await.is(200).json();
        page["messages"][0]["html"].as_str().unwrap_or_default().to_owned()
    };
    ann.say(&room(id), "listen to 1:23").await.is(201);
    assert!(html(id, 1).await.contains(&link), "{}", html(id, 1).await);
    let mut socket = ann.socket().await;
    socket.must(json!({ "type": "send", "room": id, "nonce": nonce(), "text": "1:23 by socket" })).await;
    assert!(html(id, 2).await.contains(&link));
    socket.must(json!({ "type": "send", "room": id, "nonce": nonce(), "text": "nothing" })).await;
    socket.must(json!({ "type": "edit", "room": id, "seq": 3, "text": "or 1:23" })).await;
    assert!(html(id, 3).await.contains(&link));
    let lab = ann.create("lab").await;
    ann.say(&lab, "at 1:23").await.is(201);
    assert_eq!(html(lab["id"].as_i64().unwrap(), 1).await, "");
}
