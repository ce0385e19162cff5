//! Who is in a room: the list with those who are here, and how the others learn of who comes and goes.

use crate::app::{spawn_app, spawn_app_with};
use crate::socket::Socket;
use serde_json::{Value, json};
use std::time::Instant;

/// The `room` events with a count alone, as the others in a room get them.
fn is_news(frame: &Value, room: &Value) -> bool {
    frame["type"] == "room"
        && frame["room"]["id"] == room["id"]
        && frame["room"].get("name").is_none()
        && frame["room"].get("members").is_some()
}

/// Waits until the room's members are told that they are so many; answers with that frame.
async fn hear_count(socket: &mut Socket, room: &Value, members: i64) -> Value {
    let what = format!("{members} members");
    socket.hear(&what, |frame| is_news(frame, room) && frame["room"]["members"] == members).await
}

fn names(frame: &Value) -> Vec<&str> {
    frame["users"].as_array().unwrap().iter().map(|user| user["username"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_members_learn_who_comes_and_who_goes_and_how_many_they_are() {
    let app = spawn_app().await;
    let (ann, bob, eve) = (app.register("ann").await, app.register("bob").await, app.register("eve").await);
    let room = ann.create("talk").await;
    let (mut hers, mut elsewhere) = (ann.socket().await, eve.socket().await);
    bob.join(&room).await.is(200);
    let came = hear_count(&mut hers, &room, 2).await;
    let newcomer = json!([{ "user": bob.me().await["id"], "username": "bob", "name": "bob" }]);
    assert_eq!((&came["came"], came.get("went")), (&newcomer, None), "{came}");
    // Who asks to join again is no news, and neither is anything in a room that one isn't in.
    bob.join(&room).await.is(200);
    let guest = app.guest("Gus").await;
    guest.join(&room).await.is(200);
    let came = hear_count(&mut hers, &room, 3).await;
    assert_eq!(
        (&came["came"][0]["name"], &came["came"][0]["guest"]),
        (&json!("Gus"), &json!(true)),
        "{came}"
    );
    assert_eq!(came["came"].as_array().unwrap().len(), 1, "{came}");
    bob.post("/c/talk/leave", &[]).await.is(303);
    let went = hear_count(&mut hers, &room, 2).await;
    assert_eq!((&went["went"], went.get("came")), (&json!([newcomer[0]["user"]]), None), "{went}");
    elsewhere.must(json!({ "type": "ping" })).await;
    assert_eq!(elsewhere.waiting().filter(|frame| frame["type"] == "room").count(), 0);
}

#[tokio::test]
async fn who_leaves_is_not_told_of_that_room_any_more() {
    let app = spawn_app().await;
    let (ann, bob) = (app.register("ann").await, app.register("bob").await);
    let room = ann.create("talk").await;
    let (mut hers, mut his) = (ann.socket().await, bob.socket().await);
    his.must(json!({ "type": "join", "room": room["id"] })).await;
    hear_count(&mut his, &room, 2).await;
    his.must(json!({ "type": "leave", "room": room["id"] })).await;
    hear_count(&mut hers, &room, 1).await;
    // Both were told by the same delivery, if he was told at all.
    his.must(json!({ "type": "ping" })).await;
    assert_eq!(his.waiting().filter(|frame| is_news(frame, &room)).count(), 0);
}

#[tokio::test]
async fn a_storm_of_joins_costs_each_member_a_frame_a_second_and_later_one_in_five() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let room = ann.create("talk").await;
    let mut hers = ann.socket().await;
    let began = Instant::now();
    let crowd = 240;
    let (app, room) = (&app, &room);
    for part in 0..crowd / 40 {
        let joins = (0..40).map(|number| async move {
            let guest = app.guest(&format!("Guest {}", part * 40 + number)).await;
            guest.join(room).await.is(200);
        });
        futures_util::future::join_all(joins).await;
    }
    hear_count(&mut hers, room, crowd + 1).await;
    let seconds = i64::try_from(began.elapsed().as_secs()).unwrap();
    let told: Vec<Value> = hers.waiting().filter(|frame| is_news(frame, room)).cloned().collect();
    assert!(i64::try_from(told.len()).unwrap() <= seconds + 2, "{} frames in {seconds} s", told.len());
    for frame in &told {
        let came = frame["came"].as_array().map_or(0, Vec::len);
        let members = frame["room"]["members"].as_i64().unwrap();
        assert!(came <= 20 && (members <= 200 || came == 0), "{frame}");
    }
}

#[tokio::test]
async fn the_list_tells_those_who_are_here_from_the_others_page_by_page() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let room = ann.create("talk").await;
    let mut sockets = vec![ann.socket().await];
    for number in 0..7 {
        let member = app.register(&format!("member{number}")).await;
        member.join(&room).await.is(200);
        if number % 3 == 0 {
            sockets.push(member.socket().await);
        }
    }
    sockets[1].must(json!({ "type": "status", "state": "dnd", "text": "writing" })).await;
    let path = format!("/api/v1/rooms/{}/members", room["id"]);
    let here = ann.get(&format!("{path}?here=true")).await.is(200).json();
    assert_eq!(names(&here), ["ann", "member0", "member3", "member6"]);
    let users = here["users"].as_array().unwrap();
    assert_eq!((&users[0]["owner"], &users[0]["state"]), (&json!(true), &json!("online")), "{here}");
    assert_eq!(
        (&users[1]["owner"], &users[1]["state"], &users[1]["text"]),
        (&json!(false), &json!("dnd"), &json!("writing"))
    );
    let mut others = Vec::new();
    let mut after = 0;
    loop {
        let page = ann.get(&format!("{path}?here=false&limit=3&after={after}")).await.is(200).json();
        others.extend(names(&page).into_iter().map(str::to_owned));
        after = page["users"].as_array().unwrap().last().unwrap()["id"].as_i64().unwrap();
        if page["more"] == false {
            break;
        }
        assert_eq!(page["users"].as_array().unwrap().len(), 3, "{page}");
    }
    assert_eq!(others, ["member1", "member2", "member4", "member5"]);
    assert_eq!(names(&ann.get(&path).await.is(200).json()).len(), 8);
    ann.get(&format!("{path}?limit=101")).await.problem(422, "invalid");
    ann.get(&format!("{path}?here=perhaps")).await.is(400);
}

#[tokio::test]
async fn the_details_open_without_a_script_for_those_who_are_signed_in() {
    let app = spawn_app_with(&[("public_reading", "on")]).await;
    let (ann, guest) = (app.register("ann").await, app.guest("Gus <i>").await);
    let room = ann.create("talk").await;
    guest.join(&room).await.is(200);
    let here = ann.socket().await;
    ann.get("/c/talk").await.is(200).has("href=\"/c/talk?details=members\"").lacks("data-members=\"here\"");
    let page = ann.get("/c/talk?details=members").await.is(200);
    let page =
        page.has("data-view=\"members\"").has("Gus &#60;i&#62;").has("action=\"/c/talk/leave\"").text();
    let (first, rest) = page.split_once("data-members=\"others\"").unwrap();
    let list = first.split_once("data-members=\"here\"").unwrap().1;
    assert!(list.contains(">ann<") && !list.contains("Gus"), "{list}");
    assert!(rest.contains("Gus"), "{rest}");
    drop(here);
    // A view that doesn't exist opens nothing, and a stranger learns only how many there are.
    ann.get("/c/talk?details=castle").await.is(200).lacks("data-view=");
    app.stranger()
        .get("/c/talk?details=members")
        .await
        .is(200)
        .has("2 members")
        .lacks("Gus")
        .lacks("chat-details");
}
