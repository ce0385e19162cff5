//! Every command of `hubbub.v1`.

use crate::app::{App, spawn_app};
use crate::socket::Socket;
use crate::visitor::{Visitor, nonce};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Ann, who has made a channel, and Bob, who has joined it; each with a socket.
struct Pair {
    ann: Visitor,
    bob: Visitor,
    hers: Socket,
    his: Socket,
    room: Value,
}

async fn pair(app: &App) -> Pair {
    let (ann, bob) = (app.register("ann").await, app.register("bob").await);
    let room = ann.create("talk").await;
    bob.join(&room).await.is(200);
    let (hers, his) = (ann.socket().await, bob.socket().await);
    Pair { ann, bob, hers, his, room }
}

/// Everything in a room, by `seq`, as a fresh client reads it.
async fn fresh(socket: &mut Socket, room: &Value) -> BTreeMap<i64, Value> {
    let mut all = BTreeMap::new();
    let mut before = Value::Null;
    loop {
        let page = socket.must(json!({ "type": "history", "room": room["id"], "before": before })).await;
        for message in page["messages"].as_array().unwrap() {
            all.insert(message["seq"].as_i64().unwrap(), message.clone());
        }
        before = json!(all.keys().next());
        if page["more"] == false {
            return all;
        }
    }
}

#[tokio::test]
async fn ready_is_the_first_frame_and_says_who_and_where() {
    let app = spawn_app().await;
    let Pair { his, room, .. } = pair(&app).await;
    let ready = &his.ready;
    assert_eq!(his.waiting().count(), 0, "nothing comes before ready");
    assert_eq!((&ready["user"]["username"], &ready["more"]), (&json!("bob"), &json!(false)));
    let names: Vec<&str> =
        ready["rooms"].as_array().unwrap().iter().map(|r| r["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Board", "talk"]);
    assert_eq!((&ready["rooms"][1]["id"], &ready["rooms"][1]["joined"]), (&room["id"], &json!(true)));
    assert_eq!(ready["limits"]["text"], 4000);
    assert!(
        ready["version"].is_string() && ready["node"].is_string() && ready["epoch"].is_string(),
        "{ready}"
    );
    assert!(ready["online"].is_array(), "{ready}");
}

#[tokio::test]
async fn a_message_reaches_every_member_and_the_sender_with_the_same_content() {
    let app = spawn_app().await;
    let Pair { mut hers, mut his, room, .. } = pair(&app).await;
    let text = "Grüße, <b>Bob</b> 👋\n\tzweite Zeile";
    let reply = hers.send(&room, text).await;
    let (to_her, to_him) = (hers.hear_message(text).await, his.hear_message(text).await);
    assert_eq!(to_her, to_him);
    assert_eq!((&to_him["seq"], &to_him["rev"], &to_him["at"]), (&reply["seq"], &reply["rev"], &reply["at"]));
    assert_eq!((&to_him["name"], &to_him["room"], &to_him["seq"]), (&json!("ann"), &room["id"], &json!(1)));
    assert!(to_him.get("guest").is_none() && to_him["nonce"].is_string(), "{to_him}");
    assert!(to_him["at"].as_i64().is_some_and(|ms| ms > 1_700_000_000_000), "{to_him}");
}

#[tokio::test]
async fn a_guest_is_marked_in_what_they_say() {
    let app = spawn_app().await;
    let room = app.register("ann").await.create("talk").await;
    let guest = app.guest("Gus").await;
    guest.join(&room).await.is(200);
    let mut socket = guest.socket().await;
    socket.send(&room, "hello").await;
    let heard = socket.hear_message("hello").await;
    assert_eq!((&heard["guest"], &heard["name"]), (&json!(true), &json!("Gus")));
}

#[tokio::test]
async fn a_nonce_stores_once_for_ever() {
    let mut app = spawn_app().await;
    let Pair { ann, mut hers, mut his, room, .. } = pair(&app).await;
    let send = json!({ "type": "send", "room": room["id"], "nonce": nonce(), "text": "only once" });
    let first = hers.must(send.clone()).await;
    let again = hers.must(send.clone()).await;
    assert_eq!((&first["seq"], &first["rev"], &first["at"]), (&again["seq"], &again["rev"], &again["at"]));
    let elsewhere = ann.socket().await.must(send.clone()).await;
    assert_eq!(first["seq"], elsewhere["seq"]);
    let mut changed = send.clone();
    changed["text"] = json!("something else");
    hers.refused(changed, "nonce_reused").await;
    // The same nonce from somebody else is another message.
    his.must(send.clone()).await;
    drop((hers, his));
    app.restart().await;
    let mut after = ann.socket().await;
    assert_eq!(after.must(send).await["seq"], first["seq"]);
    assert_eq!(fresh(&mut after, &room).await.len(), 2);
}

#[tokio::test]
async fn the_same_nonce_sent_many_times_at_once_stores_once() {
    let app = spawn_app().await;
    let Pair { mut hers, room, .. } = pair(&app).await;
    let send = json!({ "type": "send", "room": room["id"], "nonce": nonce(), "text": "a storm of one" });
    let mut ids = Vec::new();
    for _ in 0..50 {
        ids.push(hers.say(send.clone()).await);
    }
    for id in ids {
        let reply = hers.hear("a reply", |frame| frame["type"] == "reply" && frame["id"] == id).await;
        assert_eq!((&reply["ok"], &reply["seq"]), (&json!(true), &json!(1)), "{reply}");
    }
    assert_eq!(fresh(&mut hers, &room).await.len(), 1);
}

#[tokio::test]
async fn many_writers_at_once_leave_no_hole_and_keep_each_ones_order() {
    let app = spawn_app().await;
    let Pair { mut hers, room, .. } = pair(&app).await;
    let mut writers = Vec::new();
    for writer in 0..8 {
        let person = app.guest(&format!("writer {writer}")).await;
        person.join(&room).await.is(200);
        let (mut socket, room) = (person.socket().await, room.clone());
        writers.push(tokio::spawn(async move {
            for number in 0..40 {
                socket.say(json!({ "type": "send", "room": room["id"], "nonce": nonce(), "text": format!("{writer}:{number}") })).await;
            }
            socket.must(json!({ "type": "ping" })).await;
            socket
        }));
    }
    let mut live = BTreeMap::new();
    while live.len() < 320 {
        let message = hers.hear("a message", |frame| frame["type"] == "message").await;
        live.insert(message["rev"].as_i64().unwrap(), message);
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let stored = fresh(&mut hers, &room).await;
    assert_eq!(stored.keys().copied().collect::<Vec<_>>(), (1..=320).collect::<Vec<_>>());
    assert_eq!(live.values().cloned().collect::<Vec<_>>(), stored.values().cloned().collect::<Vec<_>>());
    for writer in 0..8 {
        let prefix = format!("{writer}:");
        let numbers =
            stored.values().filter_map(|m| m["text"].as_str()?.strip_prefix(&prefix)?.parse::<i64>().ok());
        assert_eq!(numbers.collect::<Vec<_>>(), (0..40).collect::<Vec<_>>(), "writer {writer}");
    }
}

#[tokio::test]
async fn after_a_gap_changes_bring_the_state_of_a_fresh_read() {
    let app = spawn_app().await;
    let Pair { bob, mut hers, mut his, room, .. } = pair(&app).await;
    for number in 0..5 {
        hers.send(&room, &format!("before {number}")).await;
    }
    let mut state = fresh(&mut his, &room).await;
    let mut have = state.values().map(|message| message["rev"].as_i64().unwrap()).max().unwrap();
    drop(his);
    for number in 0..300 {
        hers.send(&room, &format!("missed {number}")).await;
    }
    let mut back = bob.socket().await;
    let of_ready =
        back.ready["rooms"].as_array().unwrap().iter().find(|r| r["id"] == room["id"]).unwrap().clone();
    assert_eq!((&of_ready["rev"], &of_ready["last_seq"]), (&json!(305), &json!(305)));
    let mut pages = 0;
    loop {
        let page =
            back.must(json!({ "type": "changes", "room": room["id"], "after": have, "limit": 100 })).await;
        let api = bob
            .get(&format!("/api/v1/rooms/{}/changes?after={have}&limit=100", room["id"]))
            .await
            .is(200)
            .json();
        assert_eq!(
            (&page["messages"], &page["rev"], &page["more"]),
            (&api["messages"], &api["rev"], &api["more"])
        );
        for message in page["messages"].as_array().unwrap() {
            state.insert(message["seq"].as_i64().unwrap(), message.clone());
        }
        have = page["rev"].as_i64().unwrap();
        pages += 1;
        if page["more"] == false {
            break;
        }
    }
    assert_eq!((pages, have), (3, 305));
    assert_eq!(state, fresh(&mut back, &room).await);
    let ahead = back.must(json!({ "type": "changes", "room": room["id"], "after": 306 })).await;
    assert_eq!(ahead["reset"], true);
    let nothing = back.must(json!({ "type": "changes", "room": room["id"], "after": 305 })).await;
    assert_eq!((&nothing["messages"], &nothing["more"]), (&json!([]), &json!(false)));
}

#[tokio::test]
async fn history_goes_back_forth_and_around() {
    let app = spawn_app().await;
    let Pair { mut hers, room, .. } = pair(&app).await;
    for number in 1..=30 {
        hers.send(&room, &format!("message {number}")).await;
    }
    let mut seqs = async |fields: Value| {
        let mut request = json!({ "type": "history", "room": room["id"] });
        request.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let page = hers.must(request).await;
        let seqs: Vec<i64> =
            page["messages"].as_array().unwrap().iter().map(|m| m["seq"].as_i64().unwrap()).collect();
        (seqs, page["more"] == true)
    };
    assert_eq!(seqs(json!({ "limit": 3 })).await, (vec![28, 29, 30], true));
    assert_eq!(seqs(json!({ "before": 4, "limit": 10 })).await, (vec![1, 2, 3], false));
    assert_eq!(seqs(json!({ "after": 27, "limit": 2 })).await, (vec![28, 29], true));
    assert_eq!(seqs(json!({ "around": 10, "limit": 5 })).await.0, [8, 9, 10, 11, 12]);
    hers.refused(json!({ "type": "history", "room": room["id"], "before": 1, "after": 1 }), "invalid").await;
    for limit in [0, 101, -1] {
        hers.refused(json!({ "type": "history", "room": room["id"], "limit": limit }), "invalid").await;
    }
}

#[tokio::test]
async fn texts_that_cannot_be_are_refused_each_with_its_sentence() {
    let app = spawn_app().await;
    let Pair { mut hers, room, .. } = pair(&app).await;
    let send = |text: &str| json!({ "type": "send", "room": room["id"], "nonce": nonce(), "text": text });
    hers.must(send(&"é".repeat(4000))).await;
    for (text, words) in [
        ("x".repeat(5000), "4,000"),
        ("é".repeat(4001), "4,000"),
        (String::new(), "Write something"),
        ("\n \t\n".to_owned(), "Write something"),
        ("ding\u{7}".to_owned(), "control characters"),
        ("nul\u{0}".to_owned(), "control characters"),
        ("\u{1b}[31mred".to_owned(), "control characters"),
    ] {
        let reply = hers.refused(send(&text), "invalid").await;
        assert!(reply["error"]["message"].as_str().unwrap().contains(words), "{reply}");
    }
    for nonce in ["", "short", &"n".repeat(65), "with a space in the middle"] {
        hers.refused(json!({ "type": "send", "room": room["id"], "nonce": nonce, "text": "x" }), "invalid")
            .await;
    }
    assert_eq!(fresh(&mut hers, &room).await.len(), 1);
}

#[tokio::test]
async fn a_room_that_one_is_not_in_or_that_is_not_there_refuses_clearly() {
    let app = spawn_app().await;
    let Pair { mut hers, .. } = pair(&app).await;
    let private = app.register("cleo").await.create("elsewhere").await;
    let send = |room: &Value| json!({ "type": "send", "room": room, "nonce": nonce(), "text": "x" });
    hers.refused(send(&private["id"]), "not_member").await;
    for kind in ["history", "join", "leave"] {
        hers.refused(json!({ "type": kind, "room": 4711 }), "not_found").await;
    }
    hers.refused(send(&json!(4711)), "not_found").await;
    hers.refused(json!({ "type": "changes", "room": 4711, "after": 0 }), "not_found").await;
    hers.refused(json!({ "type": "read", "room": 4711, "seq": 1 }), "not_found").await;
    hers.refused(json!({ "type": "join", "name": "nowhere" }), "not_found").await;
    hers.refused(json!({ "type": "join", "name": "nul\u{0}" }), "not_found").await;
    hers.refused(json!({ "type": "join" }), "bad_request").await;
    hers.refused(json!({ "type": "leave", "room": 1 }), "everybodys_room").await;
    hers.refused(json!({ "type": "fly" }), "unknown_type").await;
    hers.refused(json!({ "type": "send", "room": "one" }), "bad_request").await;
}

#[tokio::test]
async fn joining_brings_the_last_100_messages_and_leaving_ends_them() {
    let app = spawn_app().await;
    let Pair { mut hers, room, .. } = pair(&app).await;
    for number in 1..=103 {
        hers.send(&room, &format!("message {number}")).await;
    }
    let cleo = app.register("cleo").await;
    let (mut here, mut there) = (cleo.socket().await, cleo.socket().await);
    let joined = here.must(json!({ "type": "join", "name": "TALK" })).await;
    assert_eq!((&joined["room"]["id"], &joined["room"]["joined"]), (&room["id"], &json!(true)));
    let messages = joined["messages"].as_array().unwrap();
    assert_eq!((messages.len(), &messages[0]["seq"], &messages[99]["seq"]), (100, &json!(4), &json!(103)));
    assert_eq!(joined["room"]["read_seq"], 103, "joining starts with everything read");
    // The other tab learns of it, and hears the room from now on.
    there.hear("the room", |frame| frame["type"] == "room" && frame["room"]["id"] == room["id"]).await;
    hers.send(&room, "welcome").await;
    there.hear_message("welcome").await;
    here.must(json!({ "type": "leave", "room": room["id"] })).await;
    there
        .hear("the loss", |frame| {
            frame["type"] == "room" && frame["room"]["id"] == room["id"] && frame["room"]["joined"] == false
                || frame["gone"] == true
        })
        .await;
    hers.send(&room, "after the door has closed").await;
    hers.send(&json!({ "id": 1 }), "a fence").await;
    for socket in [&mut here, &mut there] {
        socket.hear_message("a fence").await;
        assert!(socket.waiting().all(|frame| frame["text"] != "after the door has closed"));
    }
}

#[tokio::test]
async fn a_channel_is_created_once() {
    let app = spawn_app().await;
    let Pair { mut hers, mut his, .. } = pair(&app).await;
    let create =
        |name: &str| json!({ "type": "create", "kind": "channel", "name": name, "topic": "to talk" });
    let made = hers.must(create("Workshop")).await;
    assert_eq!(
        (&made["room"]["name"], &made["room"]["topic"], &made["room"]["members"]),
        (&json!("Workshop"), &json!("to talk"), &json!(1))
    );
    his.refused(create("wORKSHOP"), "name_taken").await;
    his.refused(create("a/b"), "invalid").await;
    hers.send(&made["room"], "mine").await;
}

#[tokio::test]
async fn typing_is_told_to_the_others_in_the_room() {
    let app = spawn_app().await;
    let Pair { ann, mut hers, mut his, room, .. } = pair(&app).await;
    let id = ann.me().await["id"].clone();
    hers.say(json!({ "type": "typing", "room": room["id"] })).await;
    let heard = his.hear("typing", |frame| frame["type"] == "typing").await;
    assert_eq!((&heard["room"], &heard["user"]), (&room["id"], &id));
    hers.must(json!({ "type": "ping" })).await;
    assert!(
        hers.waiting().all(|frame| frame["type"] != "typing" && frame["type"] != "reply"),
        "typing has no reply"
    );
}

#[tokio::test]
async fn reading_on_one_device_is_told_to_the_other() {
    let app = spawn_app().await;
    let Pair { bob, mut hers, mut his, room, .. } = pair(&app).await;
    let mut phone = bob.socket().await;
    for number in 1..=3 {
        hers.send(&room, &format!("message {number}")).await;
    }
    his.must(json!({ "type": "read", "room": room["id"], "seq": 2 })).await;
    let heard = phone.hear("the mark", |frame| frame["type"] == "read").await;
    assert_eq!((&heard["room"], &heard["seq"]), (&room["id"], &json!(2)));
    // Forward only, unless asked for; and never beyond the end.
    his.must(json!({ "type": "read", "room": room["id"], "seq": 1 })).await;
    his.must(json!({ "type": "read", "room": room["id"], "seq": 99 })).await;
    phone.hear("the end", |frame| frame["type"] == "read" && frame["seq"] == 3).await;
    assert!(phone.waiting().all(|frame| frame["type"] != "read"), "no mark for what didn't move");
    his.must(json!({ "type": "read", "room": room["id"], "seq": 1, "back": true })).await;
    phone.hear("the way back", |frame| frame["type"] == "read" && frame["seq"] == 1).await;
    let seen = bob.socket().await.ready["rooms"][1]["read_seq"].clone();
    assert_eq!(seen, 1);
}

#[tokio::test]
async fn whoever_is_watched_is_seen_coming_going_and_busy() {
    let app = spawn_app().await;
    let Pair { ann, mut hers, mut his, .. } = pair(&app).await;
    let id = ann.me().await["id"].clone();
    let now = his.must(json!({ "type": "watch", "users": [id] })).await;
    assert_eq!((&now["users"][0]["user"], &now["users"][0]["state"]), (&id, &json!("online")));
    hers.must(json!({ "type": "status", "state": "dnd", "text": "in the tunnel" })).await;
    let of_ann = |state: &'static str| {
        let id = id.clone();
        move |frame: &Value| {
            frame["type"] == "presence"
                && frame["users"].as_array().unwrap().iter().any(|p| p["user"] == id && p["state"] == state)
        }
    };
    let busy = his.hear("dnd", of_ann("dnd")).await;
    let hers_now = busy["users"].as_array().unwrap().iter().find(|p| p["user"] == id).unwrap();
    assert_eq!(hers_now["text"], "in the tunnel");
    assert_eq!(ann.me().await["status"], json!({ "state": "dnd", "text": "in the tunnel" }));
    drop(hers);
    his.hear("offline", of_ann("offline")).await;
    let _back = ann.socket().await;
    his.hear("dnd again", of_ann("dnd")).await;
    his.refused(json!({ "type": "watch", "users": (1..=101).collect::<Vec<_>>() }), "invalid").await;
    his.refused(json!({ "type": "status", "state": "asleep" }), "invalid").await;
}

#[tokio::test]
async fn people_and_rooms_come_in_pages() {
    let app = spawn_app().await;
    let Pair { mut his, hers: _hers, .. } = pair(&app).await;
    for number in 0..12 {
        app.register(&format!("person{number:02}")).await;
    }
    let (mut names, mut after): (Vec<String>, Value) = (Vec::new(), Value::Null);
    loop {
        let page = his.must(json!({ "type": "people", "after": after, "limit": 5 })).await;
        let users = page["users"].as_array().unwrap();
        assert!(users.len() <= 5);
        names.extend(users.iter().map(|user| user["username"].as_str().unwrap().to_owned()));
        for user in users {
            let here = ["ann", "bob"].contains(&user["username"].as_str().unwrap());
            assert_eq!(user["online"], here, "{user}");
        }
        after = json!(names.last());
        if page["more"] == false {
            break;
        }
    }
    assert_eq!(names.len(), 14);
    assert!(names.is_sorted(), "{names:?}");
    let rooms = his.must(json!({ "type": "rooms" })).await;
    assert_eq!((&rooms["rooms"][0]["kind"], &rooms["rooms"][1]["name"]), (&json!("board"), &json!("talk")));
}
