//! Items that are for a group or for their uploader alone: for others they are not there, from any address.

use crate::app::{App, spawn_app};
use crate::visitor::{Visitor, recording};
use reqwest::Method;
use serde_json::{Value, json};

async fn titles(who: &Visitor) -> Vec<String> {
    let answer = who.get("/api/v1/media").await.is(200).json();
    answer["items"].as_array().unwrap().iter().map(|i| i["title"].as_str().unwrap().to_owned()).collect()
}

/// The owner, two who share a group, one who doesn't, and the group.
async fn people() -> (App, [Visitor; 4], i64) {
    let app = spawn_app().await;
    let four = [
        app.register("owner").await,
        app.register("ann").await,
        app.register("ben").await,
        app.register("eve").await,
    ];
    let group = json!({ "kind": "group", "name": "Choir", "members": ["ben"] });
    let room = four[1].send("POST", "/api/v1/rooms", &group).await.is(201).json();
    (app, four, room["id"].as_i64().unwrap())
}

/// Every address that has to do with an item.
fn addresses(id: &Value) -> Vec<(&'static str, String)> {
    let mut all = vec![
        ("GET", format!("/media/{id}")),
        ("GET", format!("/media/{id}?t=3")),
        ("GET", format!("/media/{id}/file")),
        ("GET", format!("/media/{id}/edit")),
        ("GET", format!("/api/v1/media/{id}")),
        ("GET", format!("/api/v1/media/{id}/file")),
        ("GET", format!("/api/v1/media/{id}/original")),
        ("GET", format!("/media/{id}/r/poster.jpg")),
        ("GET", format!("/api/v1/media/{id}/poster")),
        ("HEAD", format!("/media/{id}/file")),
        ("GET", format!("/media/{id}/captions")),
        ("GET", format!("/media/{id}/captions/en.vtt")),
        ("GET", format!("/api/v1/media/{id}/captions")),
        ("PUT", format!("/api/v1/media/{id}/captions/en")),
        ("DELETE", format!("/api/v1/media/{id}/captions/en")),
        ("GET", format!("/api/v1/media/{id}/position")),
        ("PATCH", format!("/api/v1/media/{id}")),
        ("DELETE", format!("/api/v1/media/{id}")),
        ("POST", format!("/api/v1/media/{id}/restore")),
    ];
    all.extend(
        ["/media/{id}/file?download", "/api/v1/media/{id}/file?v=1"]
            .map(|at| ("GET", at.replace("{id}", &id.to_string()))),
    );
    all
}

async fn ask(who: &Visitor, method: &str, at: &str) -> u16 {
    let captions = "WEBVTT\n\n00:00.000 --> 00:09.000\nHello\n";
    let request = who.request(method.parse().unwrap(), at);
    let request = if method == "PUT" && at.ends_with("/captions/en") {
        request.body(captions)
    } else {
        request.json(&json!({ "title": "Mine now" }))
    };
    who.answer(request).await.status
}

#[tokio::test]
async fn what_is_for_a_group_is_there_for_its_members_and_nobody_else() {
    let (app, [owner, ann, ben, eve], room) = people().await;
    let song = ann.put_recording("song.wav").await;
    let (id, at) = (&song["id"], format!("/api/v1/media/{}", song["id"]));
    assert_eq!(ask(&ann, "PUT", &format!("{at}/captions/en")).await, 200);
    // Everybody has seen and played it, so that memory knows it.
    for who in [&owner, &ben, &eve] {
        who.get(&format!("/media/{id}/file")).await.is(200);
    }
    let kept = json!({ "position": 1000, "length": 9000 });
    eve.send("PUT", &format!("{at}/position"), &kept).await.is(204);
    eve.send("PATCH", &at, &json!({ "audience": "own" })).await.problem(403, "not_yours");
    ann.send("PATCH", &at, &json!({ "audience": "group" })).await.problem(422, "invalid");
    ann.send("PATCH", &at, &json!({ "audience": "group", "room": 999 })).await.problem(422, "invalid");
    let given = ann.send("PATCH", &at, &json!({ "audience": "group", "room": room })).await.is(200).json();
    assert_eq!((&given["audience"], &given["room"]), (&json!("group"), &json!(room)));
    for who in [&owner, &eve] {
        for (method, address) in addresses(id) {
            assert_eq!(ask(who, method, &address).await, 404, "{method} {address}");
        }
        who.send("PUT", &format!("{at}/position"), &kept).await.is(404);
        assert!(!titles(who).await.contains(&"song".to_owned()));
        who.get("/media").await.is(200).lacks("song");
        // No address says more than that of an item that never was.
        let (hidden, missing) = (who.get(&at).await.json(), who.get("/api/v1/media/99999").await.json());
        assert_eq!((&hidden["code"], &hidden["detail"]), (&missing["code"], &missing["detail"]));
    }
    for who in [&ann, &ben] {
        who.get(&format!("/media/{id}/captions/en.vtt")).await.is(200).has("Hello");
        who.get(&format!("/media/{id}")).await.is(200).has("Only for the members of one group");
        who.get(&format!("/media/{id}/file")).await.is(200);
        assert!(titles(who).await.contains(&"song".to_owned()));
    }
    // Whoever comes into the group sees it, and no longer when they have left.
    ann.send("POST", &format!("/api/v1/rooms/{room}/members"), &json!({ "username": "eve" })).await;
    eve.get(&at).await.is(200);
    eve.get(&format!("/media/{id}/file")).await.is(200);
    eve.send("POST", &format!("/api/v1/rooms/{room}/leave"), &Value::Null).await;
    eve.get(&format!("/media/{id}/file")).await.is(404);
    // The same content from somebody who can't see it is an item of its own, and says nothing of the other.
    let again = eve.request(Method::PUT, "/api/v1/media/again.wav").body(recording("song.wav"));
    let again = eve.answer(again).await.is(201).json();
    assert_ne!(&again["id"], id);
    assert!(app.media().join("song.wav").exists());
}

#[tokio::test]
async fn the_talk_of_an_item_is_as_private_as_the_item() {
    let (_app, [owner, ann, ben, eve], room) = people().await;
    let song = ann.put_recording("song.wav").await;
    let at = format!("/api/v1/media/{}", song["id"]);
    let talk = ann.talk_of(&song).await;
    for who in [&ann, &eve] {
        who.send("POST", &format!("/api/v1/rooms/{talk}/join"), &Value::Null).await.is(200);
    }
    let words = json!({ "nonce": crate::visitor::nonce(), "text": "a needle" });
    ann.send("POST", &format!("/api/v1/rooms/{talk}/messages"), &words).await.is(201);
    eve.get("/api/v1/search?q=needle").await.is(200).has("a needle");
    ann.send("PATCH", &at, &json!({ "audience": "group", "room": room })).await.is(200);
    // Whoever was in the talk before is out of it as well.
    for who in [&owner, &eve] {
        let base = format!("/api/v1/rooms/{talk}");
        for path in ["", "/messages", "/changes?after=0", "/members", "/pins"] {
            who.get(&format!("{base}{path}")).await.problem(404, "not_found");
        }
        for (method, path) in [("POST", "/join"), ("POST", "/leave"), ("PUT", "/messages/1/pin")] {
            let refused = who.send(method, &format!("{base}{path}"), &Value::Null).await.status;
            assert_eq!(refused, 404, "{method} {path}");
        }
        let words = json!({ "nonce": crate::visitor::nonce(), "text": "let me in" });
        who.send("POST", &format!("{base}/messages"), &words).await.problem(404, "not_found");
        who.get(&format!("/talk/{talk}")).await.is(404);
        who.get(&format!("/m/{talk}/1")).await.is(404);
        who.get("/api/v1/search?q=needle").await.is(200).lacks("a needle");
    }
    assert_eq!(ben.talk_of(&song).await, talk);
    ben.get("/api/v1/search?q=needle").await.is(200).has("a needle");
}

#[tokio::test]
async fn what_is_its_uploaders_alone_is_there_for_nobody_else_until_it_is_given() {
    let (app, [owner, ann, ben, _eve], room) = people().await;
    let song = ann.put_recording("song.wav").await;
    let page = format!("/media/{}", song["id"]);
    let form = |audience: &str| {
        [("do", "change".to_owned()), ("title", "Diary".to_owned()), ("audience", audience.to_owned())]
    };
    let save = async |audience: &str| {
        let form = form(audience);
        let pairs: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        ann.post(&format!("{page}/edit"), &pairs).await
    };
    ann.get(&format!("{page}/edit")).await.is(200).has("The members of Choir").has("Its uploader alone");
    save("own").await.is(303);
    for who in [&owner, &ben] {
        for (method, address) in addresses(&song["id"]) {
            assert_eq!(ask(who, method, &address).await, 404, "{method} {address}");
        }
    }
    ann.get(&page).await.is(200).has("Only for whoever added it");
    save(&room.to_string()).await.is(303);
    ben.get(&page).await.is(200);
    save("77777").await.is(422).has("Choose a group that you are in.");
    save("nonsense").await.is(422);
    save("all").await.is(303);
    owner.get(&page).await.is(200);
    // What was dropped into the folder has no uploader whose alone it could be.
    std::fs::write(app.media().join("dropped.wav"), b"RIFF\0\0\0\0WAVEfmt dropped").unwrap();
    let found = owner.get("/api/v1/media").await.json()["items"][0].clone();
    let at = format!("/api/v1/media/{}", found["id"]);
    owner.send("PATCH", &at, &json!({ "audience": "own" })).await.problem(422, "invalid");
    owner.send("PATCH", &at, &json!({ "audience": "nobody" })).await.is(422);
}
