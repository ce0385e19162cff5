//! The HTTP API: its description, its errors, its pages.

use crate::app::spawn_app;
use crate::tree;
use crate::visitor::nonce;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[tokio::test]
async fn the_description_names_every_path_of_the_api_and_no_other() {
    let app = spawn_app().await;
    let answer = app.stranger().get("/api/openapi.json").await.is(200);
    assert!(answer.header("content-type").starts_with("application/json"));
    let described = answer.json();
    let described: BTreeSet<String> = described["paths"].as_object().unwrap().keys().cloned().collect();
    let source = tree::read("src/routes.rs");
    let of_streams = source
        .split("resource(\"/live/{name}/")
        .skip(1)
        .map(|rest| format!("/live/{{name}}/{}", rest.split('"').next().unwrap()))
        .filter(|path| {
            !["/edit", "/acknowledge", "/ws", "/recordings", ".mp4", ".m4s"]
                .iter()
                .any(|end| path.ends_with(end))
        });
    let served: BTreeSet<String> = source
        .split("resource(\"/api/v1")
        .skip(1)
        .map(|rest| format!("/api/v1{}", rest.split('"').next().unwrap()))
        .filter(|path| !["/file", "/original", "/poster"].iter().any(|end| path.ends_with(end)))
        .chain(of_streams)
        .collect();
    assert!(served.len() > 8, "{served:?}");
    assert_eq!(described, served);
    let kinds = |schema: &str| answer.json()["components"]["schemas"][schema]["enum"].to_string();
    assert!(kinds("Kind").contains("board") && kinds("MediaKind").contains("audio"), "two types of one name");
    for (path, operations) in answer.json()["paths"].as_object().unwrap() {
        for operation in operations.as_object().unwrap().values() {
            let of_problem =
                &operation["responses"]["default"]["content"]["application/problem+json"]["schema"];
            assert_eq!(of_problem["$ref"], "#/components/schemas/Problem", "{operation}");
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let in_path = parameters.filter(|parameter| parameter["in"] == "path");
            let described: BTreeSet<&str> =
                in_path.map(|parameter| parameter["name"].as_str().unwrap()).collect();
            let own: BTreeSet<&str> =
                path.split('{').skip(1).map(|rest| rest.split('}').next().unwrap()).collect();
            assert_eq!(described, own, "{path}: {operation}");
        }
    }
    let docs = app.stranger().get("/api/docs/").await.is(200);
    assert!(docs.header("content-type").starts_with("text/html"), "{}", docs.header("content-type"));
}

#[tokio::test]
async fn every_error_is_a_problem_with_a_stable_code() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let room = ann.create("talk").await;
    app.stranger().get("/api/v1/me").await.problem(401, "sign_in_first");
    app.stranger().get("/api/v1/rooms").await.problem(401, "sign_in_first");
    ann.get("/api/v1/nothing").await.problem(404, "not_found");
    ann.get("/api/nothing").await.problem(404, "not_found");
    ann.get("/api/v1/users/nobody").await.problem(404, "not_found");
    ann.get("/api/v1/media/4711").await.problem(404, "not_found");
    let wrong_method = ann.send("DELETE", "/api/v1/me", &Value::Null).await;
    assert_eq!(wrong_method.headers.contains_key("allow"), wrong_method.status == 405);
    wrong_method.problem(405, "method_not_allowed");
    let messages = format!("/api/v1/rooms/{}/messages", room["id"]);
    let raw = |body: &'static str, kind: &'static str| {
        ann.answer(ann.request(Method::POST, &messages).header("content-type", kind).body(body))
    };
    raw("{\"nonce\":", "application/json").await.problem(400, "bad_json");
    raw("", "application/json").await.problem(400, "bad_json");
    raw("nonce=x", "application/x-www-form-urlencoded").await.problem(400, "not_json");
    raw("{\"nonce\":7}", "application/json").await.problem(422, "invalid");
    raw("[]", "application/json").await.problem(422, "invalid");
    for limit in ["0", "101", "-5"] {
        ann.get(&format!("{messages}?limit={limit}")).await.problem(422, "invalid");
    }
    ann.get(&format!("{messages}?limit=ten")).await.problem(400, "bad_query");
    ann.get(&format!("{messages}?before=1&after=2")).await.problem(422, "invalid");
    ann.get(&format!("/api/v1/rooms/{}/changes", room["id"])).await.problem(400, "bad_query");
}

#[tokio::test]
async fn a_message_is_sent_once_and_read_back() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let room = ann.create("talk").await;
    let path = format!("/api/v1/rooms/{}/messages", room["id"]);
    let body = json!({ "nonce": nonce(), "text": "by api" });
    let first = ann.send("POST", &path, &body).await.is(201).json();
    let again = ann.send("POST", &path, &body).await;
    assert!([200, 201].contains(&again.status), "{}", again.text());
    assert_eq!(first, again.json());
    let changed = json!({ "nonce": body["nonce"], "text": "other" });
    ann.send("POST", &path, &changed).await.problem(409, "nonce_reused");
    let problem =
        ann.send("POST", &path, &json!({ "nonce": "short", "text": "" })).await.problem(422, "invalid");
    let fields: BTreeSet<&str> =
        problem["fields"].as_array().unwrap().iter().map(|f| f["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["nonce", "text"].into());
    let page = ann.get(&path).await.is(200).json();
    assert_eq!(
        (&page["messages"][0]["text"], &page["messages"][0]["seq"], &page["more"]),
        (&json!("by api"), &first["seq"], &json!(false))
    );
    assert_eq!(page["messages"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_message_by_api_is_heard_on_sockets() {
    let app = spawn_app().await;
    let (ann, bob) = (app.register("ann").await, app.register("bob").await);
    let room = ann.create("talk").await;
    bob.join(&room).await.is(200);
    let mut socket = bob.socket().await;
    ann.say(&room, "by api").await.is(201);
    socket.hear_message("by api").await;
}

#[tokio::test]
async fn people_are_listed_by_name_and_found_by_what_their_name_begins_with() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    app.register("Anton").await;
    app.register("bob").await;
    app.guest("Anders Guest").await;
    let names = |page: &Value| -> Vec<String> {
        page["users"].as_array().unwrap().iter().map(|u| u["username"].as_str().unwrap().to_owned()).collect()
    };
    let page = ann.get("/api/v1/users?limit=2").await.is(200).json();
    assert_eq!((names(&page), &page["more"]), (vec!["ann".to_owned(), "Anton".to_owned()], &json!(true)));
    let page = ann.get("/api/v1/users?limit=2&after=Anton").await.is(200).json();
    assert_eq!(names(&page)[0], "bob");
    let page = ann.get("/api/v1/users?query=AN").await.is(200).json();
    assert_eq!(names(&page).len(), 3, "user names and display names: {page}");
    let bob = ann.get("/api/v1/users/BOB").await.is(200).json();
    assert_eq!((&bob["username"], &bob["online"]), (&json!("bob"), &json!(false)));
    let _socket = ann.socket().await;
    assert_eq!(ann.get("/api/v1/users/ann").await.json()["online"], true);
}

#[tokio::test]
async fn members_of_a_room_are_listed_with_who_is_here() {
    let app = spawn_app().await;
    let (ann, bob) = (app.register("ann").await, app.register("bob").await);
    let room = ann.create("talk").await;
    bob.join(&room).await.is(200);
    let _socket = bob.socket().await;
    let page = ann.get(&format!("/api/v1/rooms/{}/members", room["id"])).await.is(200).json();
    let seen: Vec<(&str, bool)> = page["users"]
        .as_array()
        .unwrap()
        .iter()
        .map(|u| (u["username"].as_str().unwrap(), u["online"] == true))
        .collect();
    assert_eq!(seen, [("ann", false), ("bob", true)]);
    let one = ann.get(&format!("/api/v1/rooms/{}", room["id"])).await.is(200).json();
    assert_eq!((&one["members"], &one["name"]), (&json!(2), &json!("talk")));
}

#[tokio::test]
async fn ones_own_profile_changes_by_what_is_named() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let changed =
        ann.send("PATCH", "/api/v1/me", &json!({ "color": 210, "sounds": false })).await.is(200).json();
    assert_eq!(
        (&changed["color"], &changed["sounds"], &changed["display_name"]),
        (&json!(210), &json!(false), &json!("ann"))
    );
    let changed = ann.send("PATCH", "/api/v1/me", &json!({ "color": null })).await.is(200).json();
    assert_eq!((&changed["color"], &changed["sounds"]), (&Value::Null, &json!(false)));
    ann.send("PATCH", "/api/v1/me", &json!({ "color": 400 })).await.problem(422, "invalid");
    ann.send("PATCH", "/api/v1/me", &json!({ "role": "owner" })).await.problem(422, "invalid");
    assert_eq!(ann.me().await["color"], Value::Null);
}

#[tokio::test]
async fn health_is_told_to_anybody() {
    let app = spawn_app().await;
    app.stranger().get("/healthz").await.is(200).has("ok");
}
