//! What the player is told of an item: where one was, on which device ever; chapters that a keeper wrote down.

use crate::app::spawn_app;
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn where_one_was_is_remembered_for_each_person_and_a_link_to_a_moment_wins() {
    let app = spawn_app().await;
    let (ann, ben) = (app.register("ann").await, app.register("ben").await);
    let song = ann.put_recording("song.wav").await;
    let (page, at) = (format!("/media/{}", song["id"]), format!("/api/v1/media/{}/position", song["id"]));
    ann.get(&at).await.problem(404, "not_found");
    ann.get(&page).await.is(200).lacks("data-start=");
    ann.send("PUT", &at, &json!({ "position": 754_250, "length": 3_600_000 })).await.is(204);
    assert_eq!(ann.get(&at).await.is(200).json(), json!({ "position": 754_250, "length": 3_600_000 }));
    ann.get(&page).await.is(200).has("data-start=\"754.250\" data-remembered").has("#t=754.250");
    ben.get(&page).await.is(200).lacks("data-start=");
    // Another device, further on; then as good as over.
    ann.send("PUT", &at, &json!({ "position": 800_000, "length": 3_600_000 })).await.is(204);
    ann.get(&page).await.has("data-start=\"800.000\"");
    for (asked, start) in [("83", "83"), ("1m23s", "83"), ("1:02:03", "3723"), ("2.5", "2.5")] {
        let there = ann.get(&format!("{page}?t={asked}")).await.is(200);
        there.has(&format!("data-start=\"{start}\"")).lacks("data-remembered");
    }
    for nonsense in ["", "-1", "x", "%00", "1e9"] {
        ann.get(&format!("{page}?t={nonsense}")).await.is(200).has("data-start=\"800.000\"");
    }
    ann.send("PUT", &at, &json!({ "position": 3_599_000, "length": 3_600_000 })).await.is(204);
    ann.get(&page).await.is(200).lacks("data-start=");
    for wrong in [
        json!({ "position": -1 }),
        json!({ "position": 1, "length": i64::MAX }),
        json!({ "position": i64::MAX }),
    ] {
        ann.send("PUT", &at, &wrong).await.problem(422, "invalid");
    }
    ann.send("PUT", "/api/v1/media/99999/position", &json!({ "position": 1 }))
        .await
        .problem(404, "not_found");
    app.stranger().send("PUT", &at, &json!({ "position": 1 })).await.problem(401, "sign_in_first");
    // It goes with the item.
    let item = format!("/api/v1/media/{}", song["id"]);
    ann.answer(ann.request(Method::DELETE, &item)).await.is(204);
    ann.get(&at).await.is(404);
    ann.answer(ann.request(Method::DELETE, &format!("{item}?forever=true"))).await.is(204);
}

#[tokio::test]
async fn chapters_are_written_one_a_line_and_a_wrong_line_is_named() {
    let app = spawn_app().await;
    let (ann, ben) = (app.register("ann").await, app.register("ben").await);
    let song = ann.put_recording("song.wav").await;
    let (page, at) = (format!("/media/{}", song["id"]), format!("/api/v1/media/{}", song["id"]));
    let lines = "1:02:03 <b>Coda</b>\n0:00 前奏\n12:34 Second";
    let said = ann.send("PATCH", &at, &json!({ "chapters": lines })).await.is(200).json();
    let starts: Vec<i64> =
        said["chapters"].as_array().unwrap().iter().map(|one| one["start"].as_i64().unwrap()).collect();
    assert_eq!(starts, [0, 754_000, 3_723_000]);
    let shown = ben.get(&page).await.is(200);
    shown.has("前奏").has("?t=754").has("&#60;b&#62;Coda").lacks("<b>Coda");
    ben.send("PATCH", &at, &json!({ "chapters": "" })).await.problem(403, "not_yours");
    let wrong =
        ann.send("PATCH", &at, &json!({ "chapters": "0:00 A\nsoon B" })).await.problem(422, "invalid");
    assert!(wrong["detail"].as_str().unwrap().contains("Line 2 "), "{wrong}");
    // What was typed stays in the form; nothing was stored.
    let form = [("do", "change"), ("title", "Song"), ("chapters", "0:00 A\nsoon B")];
    ann.post(&format!("{page}/edit"), &form).await.is(422).has("Line 2 of the chapters").has("soon B");
    ann.get(&format!("{page}/edit")).await.is(200).has("12:34 Second");
    // A form that doesn't speak of chapters leaves them.
    ann.post(&format!("{page}/edit"), &[("do", "change"), ("title", "Song")]).await.is(303);
    ann.get(&page).await.has("Second");
    ann.post(&format!("{page}/edit"), &[("do", "change"), ("title", "Song"), ("chapters", "")]).await.is(303);
    ann.get(&page).await.is(200).lacks("Second");
}
