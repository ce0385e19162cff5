//! The board: plain forms, and everybody sees a new note at once.

use crate::app::{spawn_app, spawn_app_with};
use crate::visitor::nonce;
use serde_json::json;

#[tokio::test]
async fn a_note_by_plain_form_is_there_for_everybody_as_soon_as_its_author_has_the_answer() {
    let app = spawn_app().await;
    let (ann, bob) = (app.register("ann").await, app.guest("Bob").await);
    bob.get("/board").await.is(200).has("Nothing here yet");
    for number in 1..=20 {
        let (author, reader) = if number % 2 == 0 { (&ann, &bob) } else { (&bob, &ann) };
        let text = format!("note <{number}> & more");
        assert_eq!(author.post("/board", &[("text", &text)]).await.is(303).header("location"), "/board");
        let page = reader.get("/board").await.is(200);
        page.has(&format!("note &#60;{number}&#62; &#38; more")).lacks("Nothing here yet");
        author.get("/dashboard").await.is(200).has(&format!("note &#60;{number}&#62;"));
    }
}

#[tokio::test]
async fn a_note_carries_its_title_its_authors_name_and_whether_they_are_a_guest() {
    let app = spawn_app().await;
    app.register("owner").await;
    let bob = app.guest("Bob the <b>Builder</b>").await;
    bob.post("/board", &[("title", "Found: a glove"), ("text", "Left one.\r\nRed.")]).await.is(303);
    let page = bob.get("/board").await.is(200).has("Found: a glove").has("Left one.\nRed.");
    page.has("Bob the &#60;b&#62;Builder&#60;/b&#62;").has("<span class=\"guest\">guest</span>");
}

#[tokio::test]
async fn only_somebody_signed_in_may_post() {
    let app = spawn_app_with(&[("public_reading", "on")]).await;
    let ann = app.register("ann").await;
    ann.post("/board", &[("text", "hello world")]).await.is(303);
    let stranger = app.stranger();
    stranger.get("/board").await.is(200).has("hello world").lacks("action=\"/board\"");
    let answer = stranger.post("/board", &[("text", "spam")]).await.is(303);
    assert!(answer.header("location").starts_with("/login"), "{}", answer.header("location"));
    ann.get("/board").await.is(200).lacks("spam");
}

#[tokio::test]
async fn the_board_needs_signing_in_unless_it_is_public() {
    let app = spawn_app().await;
    let stranger = app.stranger();
    assert_eq!(stranger.get("/board").await.is(303).header("location"), "/login?next=/board");
}

#[tokio::test]
async fn a_form_that_is_sent_twice_leaves_one_note() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let nonce = nonce();
    for _ in 0..2 {
        ann.post("/board", &[("text", "only once"), ("nonce", &nonce)]).await.is(303);
    }
    assert_eq!(ann.get("/board").await.text().matches("only once").count(), 1);
}

#[tokio::test]
async fn a_wrong_note_comes_back_with_what_was_typed() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let long = "x".repeat(5000);
    ann.post("/board", &[("title", "kept title"), ("text", &long)])
        .await
        .is(422)
        .has("4,000")
        .has("kept title")
        .has(&long);
    ann.post("/board", &[("text", "   ")]).await.is(422).has("Write something first.");
    ann.post("/board", &[("text", "ding\u{7}")]).await.is(422).has("control characters");
    let title = "t".repeat(121);
    ann.post("/board", &[("title", &title), ("text", "kept text")]).await.is(422).has("120").has("kept text");
    ann.get("/board").await.is(200).has("Nothing here yet");
}

#[tokio::test]
async fn notes_pass_between_form_and_socket_both_ways() {
    let app = spawn_app().await;
    let (ann, bob) = (app.register("ann").await, app.register("bob").await);
    let mut socket = bob.socket().await;
    let board = socket.ready["rooms"][0].clone();
    assert_eq!((&board["kind"], &board["id"]), (&json!("board"), &json!(1)));
    ann.post("/board", &[("title", "By form"), ("text", "one")]).await.is(303);
    let heard = socket.hear_message("one").await;
    assert_eq!(
        (&heard["room"], &heard["title"], &heard["name"]),
        (&json!(1), &json!("By form"), &json!("ann"))
    );
    socket.send(&board, "two").await;
    ann.get("/board").await.is(200).has("two");
}

#[tokio::test]
async fn older_notes_are_on_older_pages_and_a_permalink_finds_its_page() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let mut socket = ann.socket().await;
    let board = json!({ "id": 1 });
    for number in 1..=120 {
        socket.send(&board, &format!("note number {number}.")).await;
    }
    let newest = ann.get("/board").await.is(200).has("note number 120.").lacks("note number 1.").text();
    let older = newest.split("href=\"/board?before=").nth(1).unwrap().split('"').next().unwrap().to_owned();
    ann.get(&format!("/board?before={older}"))
        .await
        .is(200)
        .lacks("note number 120.")
        .has(&format!("note number {}.", older.parse::<i64>().unwrap() - 1));
    let place = ann.get("/m/1/3").await.is(303).header("location");
    assert!(place.starts_with("/board?") && place.ends_with("#m-3"), "{place}");
    ann.get(&place).await.is(200).has("id=\"m-3\"");
    ann.get("/m/1/121").await.is(404);
}
