//! What is said of an item: who may change it, how it is found by it; the trash, and the way out of it.

use crate::app::{App, spawn_app};
use crate::visitor::Visitor;
use reqwest::Method;
use serde_json::{Value, json};

async fn delete(who: &Visitor, item: &Value, how: &str) -> crate::visitor::Answer {
    who.answer(who.request(Method::DELETE, &format!("/api/v1/media/{}{how}", item["id"]))).await
}

async fn titles(who: &Visitor, list: &str) -> Vec<String> {
    let answer = who.get(&format!("/api/v1/media{list}")).await.is(200).json();
    let items = answer["items"].as_array().unwrap();
    items.iter().map(|item| item["title"].as_str().unwrap().to_owned()).collect()
}

/// The owner, and two who are nobody special.
async fn three() -> (App, Visitor, Visitor, Visitor) {
    let app = spawn_app().await;
    let (owner, ann, ben) =
        (app.register("owner").await, app.register("ann").await, app.register("ben").await);
    (app, owner, ann, ben)
}

#[tokio::test]
async fn whoever_added_it_says_what_it_is_and_others_find_it_by_that() {
    let (_app, owner, ann, ben) = three().await;
    let (song, other) = (ann.put_recording("a.wav").await, ben.put_recording("b.wav").await);
    let at = format!("/api/v1/media/{}", song["id"]);
    let wish = json!({ "title": " Night  song ", "description": "At the lake.\n<b>Twice.</b>", "tags": ["Choir", "100%_夜"], "licence": "CC BY 4.0" });
    let said = ann.send("PATCH", &at, &wish).await.is(200).json();
    assert_eq!((&said["title"], &said["tags"]), (&json!("Night song"), &json!(["choir", "100%_夜"])));
    assert_eq!(ben.get(&at).await.is(200).json(), said);
    // What isn't named stays.
    assert_eq!(ann.send("PATCH", &at, &json!({ "licence": "" })).await.is(200).json()["tags"], said["tags"]);
    assert_eq!(titles(&ben, "?tag=CHOIR").await, ["Night song"]);
    assert_eq!(titles(&ben, "?tag=100%25_%E5%A4%9C").await, ["Night song"]);
    assert!(titles(&ben, "?tag=100_%25").await.is_empty() && titles(&ben, "?tag=cho").await.is_empty());
    ben.get("/media?tag=choir").await.is(200).has("Night song").lacks("/media/2\"");
    let page = format!("/media/{}", song["id"]);
    ben.get(&page).await.is(200).has("&#60;b&#62;Twice.").has("/media?tag=choir").lacks("/edit\"");
    ben.send("PATCH", &at, &wish).await.problem(403, "not_yours");
    owner.send("PATCH", &at, &json!({ "title": "Owner's" })).await.is(200);
    let wrong = ann
        .send("PATCH", &at, &json!({ "title": "", "tags": ["x".repeat(41)] }))
        .await
        .problem(422, "invalid");
    assert_eq!(wrong["fields"].as_array().unwrap().len(), 2);
    ann.send("PATCH", &format!("/api/v1/media/{}", other["id"]), &wish).await.problem(403, "not_yours");
    // By the page's form, with what was typed when it was wrong.
    let edit = format!("{page}/edit");
    ben.get(&edit).await.is(403);
    ann.get(&edit).await.is(200).has("100%_夜");
    let form =
        [("do", "change"), ("title", "By form"), ("tags", "one, two"), ("description", ""), ("licence", "")];
    ann.post(&edit, &form).await.is(303);
    ann.get(&page).await.is(200).has("By form").has("#two");
    ann.post(&edit, &[("do", "change"), ("title", ""), ("tags", "kept as typed")])
        .await
        .is(422)
        .has("kept as typed");
}

#[tokio::test]
async fn the_trash_hides_gives_back_and_deletes_for_good() {
    let (app, owner, ann, ben) = three().await;
    let (song, dropped) = (ann.put_recording("song.wav").await, app.media().join("dropped.wav"));
    std::fs::write(&dropped, b"RIFF\0\0\0\0WAVEfmt dropped").unwrap();
    delete(&ben, &song, "").await.problem(403, "not_yours");
    delete(&ann, &song, "?forever=true").await.problem(409, "not_in_trash");
    // Played before, so that memory knows it.
    let file = format!("/media/{}/file", song["id"]);
    ben.get(&file).await.is(200);
    delete(&ann, &song, "").await.is(204);
    for gone in [file.clone(), format!("/media/{}", song["id"]), format!("/api/v1/media/{}", song["id"])] {
        ben.get(&gone).await.is(404);
    }
    assert!(!titles(&ann, "").await.contains(&"song".to_owned()));
    assert_eq!(titles(&ann, "/trash").await, ["song"]);
    assert_eq!((titles(&ben, "/trash").await.len(), titles(&owner, "/trash").await.len()), (0, 1));
    ben.send("POST", &format!("/api/v1/media/{}/restore", song["id"]), &Value::Null)
        .await
        .problem(404, "not_found");
    assert!(app.media().join("song.wav").exists());
    ann.send("POST", &format!("/api/v1/media/{}/restore", song["id"]), &Value::Null).await.is(200);
    ben.get(&file).await.is(200);
    // By the pages' forms.
    let id = song["id"].to_string();
    ann.post(&format!("/media/{id}/edit"), &[("do", "trash")]).await.is(303);
    ann.get("/media/trash").await.is(200).has("song");
    ann.post("/media/trash", &[("do", "restore"), ("id", &id)]).await.is(303);
    ann.get("/media").await.is(200).has("song");
    ann.post(&format!("/media/{id}/edit"), &[("do", "trash")]).await.is(303);
    ben.post("/media/trash", &[("do", "delete"), ("id", &id)]).await.is(404);
    ann.post("/media/trash", &[("do", "delete"), ("id", &id)]).await.is(303);
    assert!(!app.media().join("song.wav").exists() && dropped.exists());
    assert!(titles(&ann, "/trash").await.is_empty());
    delete(&ann, &song, "?forever=true").await.is(404);
    // What was dropped into the folder belongs to those who look after the place.
    let found = ann.get("/api/v1/media").await.json()["items"][0].clone();
    assert_eq!(found["title"], "dropped");
    delete(&ann, &found, "").await.problem(403, "not_yours");
    delete(&owner, &found, "").await.is(204);
    // The same content may come again.
    ann.put_recording("song.wav").await;
    app.stranger().get("/api/v1/media/trash").await.problem(401, "sign_in_first");
}
