//! Playlists: whose they are, who sees them, in what order they play.

use crate::app::spawn_app;
use crate::visitor::Visitor;
use reqwest::Method;
use serde_json::{Value, json};

async fn titles(who: &Visitor, list: &str) -> Vec<String> {
    let found = who.get(list).await.is(200).json();
    found["items"].as_array().unwrap().iter().map(|i| i["title"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_list_plays_in_the_order_that_its_keeper_gives_it() {
    let app = spawn_app().await;
    let (ann, ben) = (app.register("ann").await, app.register("ben").await);
    let (one, two) = (ann.put_recording("one.wav").await, ann.put_recording("two.wav").await);
    let songs = [one, two, ben.put_recording("three.wav").await];
    let ids: Vec<&Value> = songs.iter().map(|song| &song["id"]).collect();
    ann.send("POST", "/api/v1/media/lists", &json!({ "name": " " })).await.problem(422, "invalid");
    let made =
        ann.send("POST", "/api/v1/media/lists", &json!({ "name": "Choir  week" })).await.is(201).json();
    assert_eq!((&made["name"], &made["public"]), (&json!("Choir week"), &json!(false)));
    let (at, page) = (format!("/api/v1/media/lists/{}", made["id"]), format!("/media/lists/{}", made["id"]));
    for id in &ids {
        ann.answer(ann.request(Method::PUT, &format!("{at}/items/{id}"))).await.is(204);
    }
    // The same again keeps its place.
    ann.answer(ann.request(Method::PUT, &format!("{at}/items/{}", ids[0]))).await.is(204);
    assert_eq!(titles(&ann, &at).await, ["one", "two", "three"]);
    ann.send("PUT", &format!("{at}/order"), &json!({ "items": [ids[2], ids[0], ids[1]] })).await.is(204);
    assert_eq!(titles(&ann, &at).await, ["three", "one", "two"]);
    for wrong in [json!([ids[0], ids[0]]), json!([99999])] {
        ann.send("PUT", &format!("{at}/order"), &json!({ "items": wrong })).await.problem(422, "invalid");
    }
    // By forms, as without a script.
    let one = ids[0].to_string();
    ann.post(&page, &[("do", "up"), ("item", &one)]).await.is(303);
    assert_eq!(titles(&ann, &at).await, ["one", "three", "two"]);
    ann.post(&page, &[("do", "up"), ("item", &one)]).await.is(303);
    ann.post(&page, &[("do", "down"), ("item", &one)]).await.is(303);
    assert_eq!(titles(&ann, &at).await, ["three", "one", "two"]);
    let shown = ann.get(&page).await.is(200);
    shown.has("data-item=\"3\"").has("rel=\"next\"").has("yours alone");
    ann.get(&format!("{page}?item={}", ids[1])).await.is(200).has("This is the last one.");
    // Somebody else: not there, then readable, never theirs.
    for (method, address) in
        [("GET", at.clone()), ("PATCH", at.clone()), ("DELETE", at.clone()), ("GET", page.clone())]
    {
        let asked = ben.request(method.parse().unwrap(), &address).json(&json!({ "name": "Mine" }));
        ben.answer(asked).await.is(404);
    }
    ben.post(&page, &[("do", "delete")]).await.is(404);
    ann.post(&page, &[("do", "change"), ("name", "Week"), ("public", "on")]).await.is(303);
    assert_eq!(titles(&ben, &at).await.len(), 3);
    ben.get("/media/lists").await.is(200).has("Week").has("by ann");
    ben.get(&page).await.is(200).lacks("value=\"up\"");
    ben.send("PATCH", &at, &json!({ "name": "Mine" })).await.problem(403, "not_yours");
    ben.post(&page, &[("do", "take"), ("item", &one)]).await.is(403);
    // What isn't for somebody's eyes isn't in the list for them; it keeps its place for those who see it.
    ann.send("PATCH", &format!("/api/v1/media/{}", ids[0]), &json!({ "audience": "own" })).await.is(200);
    assert_eq!(titles(&ben, &at).await, ["three", "two"]);
    assert_eq!(ben.get("/api/v1/media/lists").await.json()["lists"][0]["count"], 2);
    assert_eq!(titles(&ann, &at).await, ["three", "one", "two"]);
    let mine = ben.send("POST", "/api/v1/media/lists", &json!({ "name": "Ben's" })).await.is(201).json();
    let other = format!("/api/v1/media/lists/{}/items/{}", mine["id"], ids[0]);
    ben.answer(ben.request(Method::PUT, &other)).await.is(404);
    ben.get(&format!("/media/lists?item={}", ids[0])).await.is(404);
    // An item that is deleted for good leaves all lists; a deleted list leaves its items.
    let three = format!("/api/v1/media/{}", ids[2]);
    ben.answer(ben.request(Method::DELETE, &three)).await.is(204);
    ben.answer(ben.request(Method::DELETE, &format!("{three}?forever=true"))).await.is(204);
    assert_eq!(titles(&ann, &at).await, ["one", "two"]);
    ann.post(&page, &[("do", "take"), ("item", &one)]).await.is(303);
    assert_eq!(titles(&ann, &at).await, ["two"]);
    ann.post(&page, &[("do", "delete")]).await.is(303);
    ann.get(&page).await.is(404);
    ann.get(&format!("/media/{}", ids[1])).await.is(200);
}

#[tokio::test]
async fn a_list_is_made_from_an_item_and_guests_make_none() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let song = ann.put_recording("one.wav").await;
    let item = song["id"].to_string();
    ann.get(&format!("/media/{item}")).await.has(&format!("/media/lists?item={item}"));
    ann.get(&format!("/media/lists?item={item}")).await.is(200).has("one");
    ann.post("/media/lists", &[("do", "make"), ("name", ""), ("item", &item)]).await.is(422).has("1 to 100");
    let made = ann.post("/media/lists", &[("do", "make"), ("name", "First"), ("item", &item)]).await.is(303);
    let page = made.header("location");
    ann.get(&page).await.is(200).has("one");
    let sam = app.guest("Sam").await;
    sam.get("/media/lists").await.is(200).lacks("A new list");
    sam.send("POST", "/api/v1/media/lists", &json!({ "name": "x" })).await.is(403);
    app.stranger().get("/api/v1/media/lists").await.problem(401, "sign_in_first");
}
