//! Private conversations: one room for two people, found by user name or by private key, and who is told who is here.

use crate::app::spawn_app;
use serde_json::{Value, json};

#[tokio::test]
async fn two_people_have_one_private_room_however_it_is_opened() {
    let app = spawn_app().await;
    let (ann, ben) = (app.register("ann").await, app.register("Ben").await);
    let (mut hers, mut his) = (ann.socket().await, ben.socket().await);
    let room = hers.must(json!({ "type": "open", "user": "BEN" })).await["room"].clone();
    let bens_id = ben.me().await["id"].clone();
    assert_eq!(
        (&room["kind"], &room["name"], &room["peer"], &room["peer_username"], &room["members"]),
        (&json!("direct"), &json!("Ben"), &bens_id, &json!("Ben"), &json!(2))
    );
    let id = room["id"].clone();
    let told = his.hear("the room", |frame| frame["type"] == "room" && frame["room"]["id"] == id).await;
    assert_eq!((&told["room"]["name"], &told["room"]["peer"]), (&json!("ann"), &ann.me().await["id"]));
    hers.send(&room, "only for you").await;
    his.hear_message("only for you").await;
    let again = ben.send("POST", "/api/v1/direct", &json!({ "username": "ann" })).await.is(200).json();
    assert_eq!((&again["id"], &again["name"], &again["last_seq"]), (&room["id"], &json!("ann"), &json!(1)));
    let ready = ben.socket().await.ready;
    let seen = ready["rooms"].as_array().unwrap().iter().find(|r| r["id"] == room["id"]).unwrap().clone();
    assert_eq!(
        (&seen["name"], &seen["peer_username"], &seen["joined"]),
        (&json!("ann"), &json!("ann"), &json!(true))
    );
    let one = ben.get(&format!("/api/v1/rooms/{}", room["id"])).await.is(200).json();
    assert_eq!(one["name"], "ann");
    // It belongs to the two of them and stays as it is.
    let path = format!("/api/v1/rooms/{}", room["id"]);
    app.register("cleo").await;
    ann.send("POST", &format!("{path}/members"), &json!({ "username": "cleo" })).await.problem(403, "direct");
    ann.send("PATCH", &path, &json!({ "name": "x" })).await.problem(403, "direct");
    ann.send("DELETE", &path, &Value::Null).await.problem(403, "direct");
    ann.send("POST", &format!("{path}/leave"), &Value::Null).await.problem(403, "direct");
}

#[tokio::test]
async fn a_room_opened_by_both_at_once_is_one_room() {
    let app = spawn_app().await;
    let (ann, ben) = (app.register("ann").await, app.register("ben").await);
    let (mut hers, mut his) = (ann.socket().await, ben.socket().await);
    let (mut her_ids, mut his_ids) = (Vec::new(), Vec::new());
    for _ in 0..20 {
        her_ids.push(hers.say(json!({ "type": "open", "user": "ben" })).await);
        his_ids.push(his.say(json!({ "type": "open", "user": "ann" })).await);
    }
    let mut rooms = std::collections::BTreeSet::new();
    for (socket, ids) in [(&mut hers, her_ids), (&mut his, his_ids)] {
        for id in ids {
            let reply = socket.hear("a reply", |f| f["type"] == "reply" && f["id"] == id).await;
            rooms.insert(reply["room"]["id"].as_i64().unwrap());
        }
    }
    assert_eq!(rooms.len(), 1, "{rooms:?}");
}

#[tokio::test]
async fn a_person_has_a_private_room_for_notes_to_themselves() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let room = ann.send("POST", "/api/v1/direct", &json!({ "username": "ann" })).await.is(201).json();
    assert_eq!((&room["peer"], &room["members"]), (&ann.me().await["id"], &json!(1)));
    ann.say(&room, "milk").await.is(201);
    ann.send("POST", "/api/v1/direct", &json!({ "username": "nobody" })).await.problem(404, "not_found");
    ann.send("POST", "/api/v1/direct", &json!({})).await.problem(422, "invalid");
    let both = json!({ "username": "ann", "key": "x" });
    ann.send("POST", "/api/v1/direct", &both).await.problem(422, "invalid");
}

#[tokio::test]
async fn who_wants_letters_by_key_only_is_reached_with_it_alone() {
    let app = spawn_app().await;
    let (ann, ben, cleo) = (app.register("ann").await, app.register("ben").await, app.register("cleo").await);
    let room = cleo.send("POST", "/api/v1/direct", &json!({ "username": "ben" })).await.is(201).json();
    let key = "the yellow door at night";
    let change = json!({ "private_key": key, "direct_only_by_key": true });
    ben.send("PATCH", "/api/v1/me", &change).await.is(200);
    let by_name = json!({ "username": "ben" });
    ann.send("POST", "/api/v1/direct", &by_name).await.problem(403, "closed");
    ann.send("POST", "/api/v1/direct", &json!({ "key": "the yellow door by day" }))
        .await
        .problem(404, "not_found");
    let mut socket = ann.socket().await;
    socket.refused(json!({ "type": "open", "user": "ben" }), "closed").await;
    let opened = socket.must(json!({ "type": "open", "key": key })).await["room"].clone();
    assert_eq!(opened["peer_username"], "ben");
    // What was begun goes on.
    ann.send("POST", "/api/v1/direct", &by_name).await.is(200);
    assert_eq!(cleo.send("POST", "/api/v1/direct", &by_name).await.is(200).json()["id"], room["id"]);
}

#[tokio::test]
async fn partners_and_small_groups_are_told_who_is_here_without_asking() {
    let app = spawn_app().await;
    let (ann, ben, cleo) = (app.register("ann").await, app.register("ben").await, app.register("cleo").await);
    let (bens_id, cleos_id) = (ben.me().await["id"].clone(), cleo.me().await["id"].clone());
    ann.send("POST", "/api/v1/direct", &json!({ "username": "ben" })).await.is(201);
    let his = ben.socket().await;
    assert_eq!(his.ready["online"], json!([]));
    let mut hers = ann.socket().await;
    assert_eq!(hers.ready["online"], json!([bens_id]));
    let state = |frame: &Value, user: &Value, state: &str| {
        frame["type"] == "presence"
            && frame["users"].as_array().unwrap().iter().any(|u| u["user"] == *user && u["state"] == state)
    };
    drop(his);
    hers.hear("ben going", |frame| state(frame, &bens_id, "offline")).await;
    let mut his = ben.socket().await;
    hers.hear("ben coming", |frame| state(frame, &bens_id, "online")).await;
    his.must(json!({ "type": "status", "state": "dnd" })).await;
    hers.hear("ben being busy", |frame| state(frame, &bens_id, "dnd")).await;
    // A stranger's coming is told to nobody; once they share a group, it is.
    let cleos = cleo.socket().await;
    let group = json!({ "kind": "group", "name": "trio", "members": ["cleo"] });
    ann.send("POST", "/api/v1/rooms", &group).await.is(201);
    hers.hear("cleo being here", |frame| state(frame, &cleos_id, "online")).await;
    drop(cleos);
    hers.hear("cleo going", |frame| state(frame, &cleos_id, "offline")).await;
    let heard_of_cleo = his.waiting().any(|frame| state(frame, &cleos_id, "offline"));
    his.must(json!({ "type": "ping" })).await;
    assert!(!heard_of_cleo && !his.waiting().any(|frame| state(frame, &cleos_id, "offline")));
}
