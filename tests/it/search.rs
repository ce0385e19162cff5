//! Searching and keeping messages: what is found, what nobody finds, and that the index says what a plain look says.

use crate::app::{App, spawn_app, spawn_app_with};
use crate::search_index::change;
use crate::store::Store;
use crate::visitor::{Answer, Visitor, nonce};
use diesel::prelude::*;
use hubbub::config::Config;
use hubbub::db::Which;
use hubbub::db::schema::messages::{blocks, memberships, messages, rooms, search_segments};
use hubbub::ids::{RoomId, UserId};
use hubbub::rooms::Rooms;
use hubbub::rooms::search::{Indexer, Pace};
use serde_json::{Value, json};
use std::time::Duration;

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

async fn found(who: &Visitor, query: &str) -> Vec<String> {
    texts(&who.get(&format!("/api/v1/search?q={}", encoded(query))).await.is(200).json())
}

fn texts(page: &Value) -> Vec<String> {
    page["messages"].as_array().unwrap().iter().map(|m| m["text"].as_str().unwrap().to_owned()).collect()
}

async fn note(who: &Visitor, text: &str) {
    who.post("/board", &[("title", ""), ("text", text)]).await.is(303);
}

#[tokio::test]
async fn messages_are_found_newest_first_by_words_in_any_language() {
    let app = spawn_app().await;
    let (ann, bob) = (app.register("ann").await, app.register("bob").await);
    let lab = ann.create("lab").await;
    for text in ["今天天氣很好", "Привет, Мир", "let x = read_file(path)?;", "A café in Paris", "café again"]
    {
        ann.say(&lab, text).await.is(201);
    }
    note(&bob, "a note about the weather: 天氣").await;
    for (query, wanted) in [
        ("天氣", &["a note about the weather: 天氣", "今天天氣很好"][..]),
        ("мир", &["Привет, Мир"]),
        ("read_file", &["let x = read_file(path)?;"]),
        ("file", &["let x = read_file(path)?;"]),
        ("CAFE", &["café again", "A café in Paris"]),
        ("cafe paris", &["A café in Paris"]),
        ("\"in paris\"", &["A café in Paris"]),
        ("cafe -again", &["A café in Paris"]),
        ("wea", &["a note about the weather: 天氣"]),
        ("from:bob", &["a note about the weather: 天氣"]),
        ("天氣 in:lab", &["今天天氣很好"]),
        ("天氣 in:board", &["a note about the weather: 天氣"]),
        ("cafe until:2001", &[]),
        ("cafe since:1d has:code", &[]),
        ("nowhere", &[]),
    ] {
        // Those who are members of nothing read the channels all the same.
        assert_eq!(found(&bob, query).await, wanted, "{query}");
    }
    let by_name =
        bob.get(&format!("/api/v1/search?q=cafe&from=ann&room={}&limit=1", lab["id"])).await.is(200).json();
    assert_eq!((texts(&by_name), &by_name["more"]), (vec!["café again".to_owned()], &json!(true)));
    let next = by_name["next"].as_str().unwrap();
    let rest = bob.get(&format!("/api/v1/search?q=cafe&limit=1&before={next}")).await.is(200).json();
    assert_eq!((texts(&rest), &rest["more"]), (vec!["A café in Paris".to_owned()], &json!(false)));
}

#[tokio::test]
async fn what_cannot_be_searched_for_is_said_in_plain_words() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    for (query, code) in [
        ("q=", 422),
        ("q=has%3Aluck", 422),
        ("q=x&has=luck", 422),
        ("q=x&since=soon", 422),
        ("q=x&before=soon", 422),
        ("q=from%3Anobody", 422),
        ("q=x&from=nobody", 422),
        ("q=in%3Anowhere", 422),
        ("q=x&limit=1000", 422),
        ("q=x&room=999", 404),
        ("q=x&room=one", 400),
    ] {
        let answer = ann.get(&format!("/api/v1/search?{query}")).await;
        assert_eq!(answer.status, code, "{query}: {}", answer.text());
    }
    app.stranger().get("/api/v1/search?q=x").await.problem(401, "sign_in_first");
    ann.get("/search?q=has%3Aluck").await.is(422).has("Behind “has:” stands link");
    ann.get("/search?q=from%3A%3Cscript%3E").await.is(422).lacks("<script>x").has("There is nobody called");
    ann.get("/search").await.is(200).has("What you can ask for");
    ann.get("/search?q=nowhere").await.is(200).has("Nothing found");
    assert!(ann.get(&format!("/search?q={}", "x".repeat(500))).await.is(422).text().contains("at most 400"));
}

#[tokio::test]
async fn the_page_groups_by_room_marks_the_words_and_leads_to_the_message() {
    let app = spawn_app_with(&[("public_reading", "on")]).await;
    let ann = app.register("ann").await;
    let lab = ann.create("lab").await;
    ann.say(&lab, "what comes before").await.is(201);
    let sent = ann.say(&lab, "the needle <b>in</b> the hay").await.is(201).json();
    note(&ann, "another needle").await;
    let page = ann.get("/search?q=needle+from%3Aann").await.is(200);
    let page = page.has("<mark>needle</mark>").has("what comes before").lacks("<b>in").has("chip-used");
    let link = format!("/m/{}/{}", lab["id"], sent["seq"]);
    page.has(&format!("href=\"{link}\""));
    let place = ann.get(&link).await.is(303).header("location");
    assert!(place.starts_with("/c/lab?around="), "{place}");
    ann.get(place.split('#').next().unwrap()).await.is(200).has("focus\" id=\"m-2\"");
    // What is public is found without signing in, and no more.
    app.stranger().get("/search?q=needle").await.is(200).has("<mark>needle</mark>");
}

/// A private room, as the database has it.
async fn private(app: &App, kind: &'static str, members: &[i64], text: &str) -> i64 {
    let config = config(&app.store);
    let text = text.to_owned();
    let members = members.to_vec();
    let peers = (kind == "direct").then(|| format!("{}-{}", members[0], members[1]));
    let rooms = open(&config).await;
    let id = rooms
        .db
        .write(move |conn| {
            let row = (
                rooms::kind.eq(kind),
                rooms::name.eq("secret plans"),
                rooms::peers.eq(peers.clone()),
                rooms::created_at.eq(1),
                rooms::active_at.eq(1),
                rooms::last_seq.eq(1),
                rooms::rev.eq(1),
            );
            diesel::insert_into(rooms::table).values(row).execute(conn)?;
            let id: RoomId = rooms::table.order(rooms::id.desc()).select(rooms::id).first(conn)?;
            for user in &members {
                let row = (
                    memberships::user_id.eq(user),
                    memberships::room_id.eq(id),
                    memberships::joined_at.eq(1),
                );
                diesel::insert_into(memberships::table).values(row).execute(conn)?;
            }
            let row = (
                messages::room_id.eq(id),
                messages::seq.eq(1),
                messages::rev.eq(1),
                messages::first_rev.eq(1),
                messages::author_id.eq(members[0]),
                messages::author_name.eq("x"),
                messages::author_guest.eq(false),
                messages::nonce.eq(nonce()),
                messages::posted_at.eq(1_700_000_000_000),
                messages::text.eq(&text),
            );
            diesel::insert_into(messages::table).values(row).execute(conn)?;
            Ok(id.0)
        })
        .await
        .unwrap();
    close(rooms).await;
    id
}

pub fn config(store: &Store) -> Config {
    let mut config = Config::default();
    config.set("data", &store.folder().join("data").to_string_lossy()).unwrap();
    config.set("messages_url", &store.url(Which::Messages)).unwrap();
    config
}

pub async fn open(config: &Config) -> Rooms {
    let config = config.clone();
    tokio::task::spawn_blocking(move || Rooms::open(&config, |_| ())).await.unwrap().unwrap()
}

pub async fn close(rooms: Rooms) {
    tokio::task::spawn_blocking(move || rooms.db.close()).await.unwrap();
}

#[tokio::test]
async fn nobody_finds_what_they_may_not_read() {
    let app = spawn_app().await;
    let (ann, bob) = (app.register("ann").await, app.register("bob").await);
    let (me, other) = (ann.me().await["id"].as_i64().unwrap(), bob.me().await["id"].as_i64().unwrap());
    let group = private(&app, "group", &[me], "treasure of the group").await;
    let direct = private(&app, "direct", &[me, 4711], "treasure between two").await;
    for indexed in [false, true] {
        if indexed {
            let rooms = open(&config(&app.store)).await;
            Indexer::new(rooms.db.clone()).unwrap().run(Pace::Eager).await.unwrap();
            close(rooms).await;
        }
        assert_eq!(found(&ann, "treasure").await.len(), 2);
        assert_eq!(found(&ann, "treasure in:\"Secret Plans\"").await, ["treasure of the group"]);
        let empty = bob.get("/api/v1/search?q=treasure").await.is(200).json();
        assert_eq!(empty, json!({ "messages": [], "more": false }));
        let same = |answer: &Answer| {
            let mut problem = answer.json();
            problem["request_id"] = Value::Null;
            problem["instance"] = Value::Null;
            (answer.status, problem)
        };
        let nowhere = same(&bob.get("/api/v1/search?q=treasure&room=987654").await);
        for room in [group, direct] {
            assert_eq!(same(&bob.get(&format!("/api/v1/search?q=treasure&room={room}")).await), nowhere);
        }
        let unknown = bob.get("/api/v1/search?q=in%3A%22secret+plans%22").await.problem(422, "invalid");
        assert!(unknown["detail"].as_str().unwrap().contains("There is no room called"));
        bob.get("/search?q=treasure")
            .await
            .is(200)
            .lacks("of the group")
            .lacks("between two")
            .lacks("secret plans");
    }
    // A room that one has left, a person whom one has blocked.
    let rooms = open(&config(&app.store)).await;
    rooms
        .db
        .write(move |conn| {
            diesel::delete(memberships::table.find((UserId(me), RoomId(group)))).execute(conn)?;
            let row = (blocks::user_id.eq(me), blocks::blocked_id.eq(other), blocks::blocked_at.eq(1));
            diesel::insert_into(blocks::table).values(row).execute(conn)?;
            Ok(())
        })
        .await
        .unwrap();
    close(rooms).await;
    assert_eq!(found(&ann, "treasure").await, ["treasure between two"]);
    note(&bob, "a treasure on the board").await;
    assert_eq!(found(&ann, "treasure").await, ["treasure between two"]);
    assert_eq!(found(&bob, "treasure").await, ["a treasure on the board"]);
}

#[tokio::test]
async fn many_messages_are_indexed_while_the_server_runs() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let lab = ann.create("lab").await;
    for n in 0..130 {
        ann.say(&lab, &format!("message number{n}")).await.is(201);
    }
    let rooms = open(&config(&app.store)).await;
    let indexed = async {
        while rooms
            .db
            .read(|conn| {
                Ok(search_segments::table
                    .filter(search_segments::state.eq("ready"))
                    .count()
                    .get_result::<i64>(conn)?)
            })
            .await
            .unwrap()
            == 0
        {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), indexed).await.expect("the index was never written");
    close(rooms).await;
    assert_eq!(found(&ann, "number7 ").await, ["message number7"]);
    assert_eq!(found(&ann, "number12").await.len(), 11);
    assert_eq!(found(&ann, "\"message number129\"").await, ["message number129"]);
}

#[tokio::test]
async fn kept_messages_are_listed_as_they_are_now_and_only_for_who_kept_them() {
    let app = spawn_app().await;
    let (ann, bob) = (app.register("ann").await, app.register("bob").await);
    let lab = ann.create("lab").await;
    let path = |seq: i64| format!("/api/v1/rooms/{}/messages/{seq}/bookmark", lab["id"]);
    for text in ["one", "two", "three"] {
        ann.say(&lab, text).await.is(201);
    }
    for seq in [1, 3, 1] {
        bob.send("PUT", &path(seq), &Value::Null).await.is(204);
    }
    let listed = |page: &Value| -> Vec<String> {
        page["bookmarks"]
            .as_array()
            .unwrap()
            .iter()
            .map(|b| b["message"]["text"].as_str().unwrap_or("gone").to_owned())
            .collect()
    };
    let page = bob.get("/api/v1/bookmarks").await.is(200).json();
    assert_eq!((listed(&page), &page["more"]), (vec!["three".to_owned(), "one".to_owned()], &json!(false)));
    let first = bob.get("/api/v1/bookmarks?limit=1").await.is(200).json();
    assert_eq!((listed(&first), &first["more"]), (vec!["three".to_owned()], &json!(true)));
    let rest = bob
        .get(&format!("/api/v1/bookmarks?before={}", first["next"].as_str().unwrap()))
        .await
        .is(200)
        .json();
    assert_eq!(listed(&rest), ["one"]);
    assert_eq!(listed(&ann.get("/api/v1/bookmarks").await.json()), Vec::<String>::new());
    bob.get("/bookmarks").await.is(200).has("three").has(">lab<");
    // The message as it is now, also when it is gone, also when its place is.
    let me = bob.me().await["id"].as_i64().unwrap();
    let group = private(&app, "group", &[me], "in the group").await;
    bob.send("PUT", &format!("/api/v1/rooms/{group}/messages/1/bookmark"), &Value::Null).await.is(204);
    let rooms = open(&config(&app.store)).await;
    change(&rooms, RoomId(lab["id"].as_i64().unwrap()), 3, 1).await;
    rooms
        .db
        .write(move |c| Ok(diesel::delete(memberships::table.find((UserId(me), RoomId(group)))).execute(c)?))
        .await
        .unwrap();
    close(rooms).await;
    let page = bob.get("/bookmarks").await.is(200);
    page.has("This message was deleted.").has("can&#39;t read any more").lacks("in the group").lacks("three");
    assert_eq!(listed(&bob.get("/api/v1/bookmarks").await.json()), ["gone", "", "one"]);
    bob.send("DELETE", &path(3), &Value::Null).await.is(204);
    bob.post("/bookmarks", &[("room", &group.to_string()), ("seq", "1")]).await.is(303);
    assert_eq!(listed(&bob.get("/api/v1/bookmarks").await.json()), ["one"]);
    // What isn't there, or isn't theirs.
    for path in [
        path(9),
        path(3),
        format!("/api/v1/rooms/{group}/messages/1/bookmark"),
        "/api/v1/rooms/99/messages/1/bookmark".into(),
    ] {
        bob.send("PUT", &path, &Value::Null).await.problem(404, "not_found");
    }
    bob.get("/api/v1/bookmarks?before=x").await.problem(422, "invalid");
    app.stranger().get("/api/v1/bookmarks").await.problem(401, "sign_in_first");
}
