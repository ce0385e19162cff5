//! The shelf: captions and what is found by them, filters, orders whose pages join without a hole.

use crate::app::spawn_app;
use crate::visitor::Visitor;
use reqwest::Method;
use serde_json::{Value, json};

async fn put(who: &Visitor, item: &Value, language: &str, file: &str) -> crate::visitor::Answer {
    let at = format!("/api/v1/media/{}/captions/{language}", item["id"]);
    who.answer(who.request(Method::PUT, &at).body(file.to_owned())).await
}

async fn list(who: &Visitor, query: &str) -> Value {
    who.get(&format!("/api/v1/media{query}")).await.is(200).json()
}

fn titles(list: &Value) -> Vec<String> {
    list["items"].as_array().unwrap().iter().map(|i| i["title"].as_str().unwrap().to_owned()).collect()
}

const ENGLISH: &str = "WEBVTT\n\n00:00:05.000 --> 00:00:08.000\nWelcome to the <i>Évening</i> rehearsal\n\n00:01:23.500 --> 00:01:25.000\nfrom bar twelve\n";
const CHINESE: &str = "1\n00:00:05,000 --> 00:00:08,000\n歡迎來到晚上的排練\n\n2\n00:01:23,500 --> 00:01:25,000\n從第十二小節開始\n";

#[tokio::test]
async fn captions_are_served_as_text_and_belong_to_whoever_keeps_the_item() {
    let app = spawn_app().await;
    let (owner, ann, ben) =
        (app.register("owner").await, app.register("ann").await, app.register("ben").await);
    let song = ann.put_recording("song.wav").await;
    let (page, at) = (format!("/media/{}", song["id"]), format!("/api/v1/media/{}/captions", song["id"]));
    put(&ben, &song, "en", ENGLISH).await.problem(403, "not_yours");
    let stored = put(&ann, &song, "EN", ENGLISH).await.is(200).json();
    assert_eq!(stored["captions"][0]["default"], true);
    put(&owner, &song, "zh_hant", CHINESE).await.is(200);
    let both = ben.get(&at).await.is(200).json();
    let labels: Vec<&str> =
        both["captions"].as_array().unwrap().iter().map(|one| one["label"].as_str().unwrap()).collect();
    assert_eq!(labels, ["English", "正體中文"]);
    let file = ben.get(&format!("{page}/captions/zh-Hant.vtt")).await.is(200);
    assert_eq!(file.header("content-type"), "text/vtt; charset=utf-8");
    assert_eq!(file.header("x-content-type-options"), "nosniff");
    file.has("WEBVTT\n\n00:00:05.000 --> 00:00:08.000\n歡迎");
    ben.get(&page).await.is(200).has("srclang=\"zh-Hant\"").has("label=\"English\"");
    for missing in ["de.vtt", "en.srt", "..%2Fen.vtt"] {
        ben.get(&format!("{page}/captions/{missing}")).await.is(404);
    }
    // What is wrong is said; nothing is stored.
    let wrong = put(&ann, &song, "en", "WEBVTT\n\n1:00 -> 2:00\nx").await.problem(422, "invalid");
    assert!(wrong["detail"].as_str().unwrap().contains("Line 4"), "{wrong}");
    put(&ann, &song, "english", ENGLISH).await.problem(422, "invalid");
    put(&ann, &song, "en", &"x".repeat(2 * 1024 * 1024 + 1)).await.problem(413, "too_large");
    ben.get(&format!("{page}/captions/en.vtt")).await.is(200).has("rehearsal");
    // By the page.
    ben.get(&format!("{page}/captions")).await.is(403);
    ann.get(&format!("{page}/captions")).await.is(200).has("正體中文");
    ann.post(&format!("{page}/captions"), &[("do", "prefer"), ("language", "zh-Hant")]).await.is(303);
    assert_eq!(ben.get(&at).await.json()["captions"][1]["default"], true);
    ann.post(&format!("{page}/captions"), &[("do", "prefer"), ("language", "tlh")]).await.is(404);
    assert_eq!(
        ben.get(&at).await.json()["captions"][1]["default"],
        true,
        "what is no language changes nothing"
    );
    ann.post(&format!("{page}/captions"), &[("do", "add"), ("language", "fr")])
        .await
        .is(422)
        .has("Choose a file");
    let form = reqwest::multipart::Form::new()
        .text("do", "add")
        .text("language", "fr")
        .text("label", "Version française")
        .part("file", reqwest::multipart::Part::bytes(ENGLISH.as_bytes().to_vec()).file_name("a.vtt"));
    ann.answer(ann.request(Method::POST, &format!("{page}/captions")).multipart(form)).await.is(303);
    ann.get(&page).await.is(200).has("Version française");
    ann.post(&format!("{page}/captions"), &[("do", "remove"), ("language", "fr")]).await.is(303);
    ann.answer(ann.request(Method::DELETE, &format!("{at}/fr"))).await.is(404);
    ann.answer(ann.request(Method::DELETE, &format!("{at}/en"))).await.is(204);
    ben.get(&format!("{page}/captions/en.vtt")).await.is(404);
}

#[tokio::test]
async fn an_item_is_found_by_its_words_and_by_what_is_said_in_it() {
    let app = spawn_app().await;
    let (ann, ben) = (app.register("ann").await, app.register("ben").await);
    let (song, other) = (ann.put_recording("Night song.wav").await, ann.put_recording("Other.wav").await);
    let wish = json!({ "description": "At the lake, 湖邊", "tags": ["Choir"] });
    ann.send("PATCH", &format!("/api/v1/media/{}", song["id"]), &wish).await.is(200);
    put(&ann, &other, "en", ENGLISH).await.is(200);
    put(&ann, &other, "zh-Hant", CHINESE).await.is(200);
    for (query, found) in [
        ("NIGHT", "Night song"),
        ("lake%20song", "Night song"),
        ("%E6%B9%96%E9%82%8A", "Night song"),
        ("choir", "Night song"),
        ("%C3%A9VENING", "Other"),
        ("rehearsal%20bar", "Other"),
        ("%E6%8E%92%E7%B7%B4", "Other"),
        ("other%20twelve", "Other"),
    ] {
        assert_eq!(titles(&list(&ben, &format!("?query={query}")).await), [found], "{query}");
    }
    for nothing in ["100%25", "rehearsal%20lake", "_ight", "WEBVTT"] {
        assert!(titles(&list(&ben, &format!("?query={nothing}")).await).is_empty(), "{nothing}");
    }
    let found = list(&ben, "?query=twelve").await;
    let moment = &found["items"][0]["moments"][0];
    assert_eq!((&moment["start"], &moment["language"]), (&json!(83_500), &json!("en")));
    ben.get("/media?q=twelve")
        .await
        .is(200)
        .has(&format!("/media/{}?t=83", other["id"]))
        .has("from bar twelve");
    ben.get("/media?q=xylophone").await.is(200).has("Nothing found");
    // New words are found at once, old ones no more.
    ann.send("PATCH", &format!("/api/v1/media/{}", song["id"]), &json!({ "title": "Dawn" })).await.is(200);
    assert_eq!(titles(&list(&ben, "?query=dawn").await), ["Dawn"]);
    assert!(titles(&list(&ben, "?query=night").await).is_empty());
    ann.answer(ann.request(Method::DELETE, &format!("/api/v1/media/{}/captions/en", other["id"])))
        .await
        .is(204);
    assert!(titles(&list(&ben, "?query=twelve").await).is_empty());
    // What is another one's own is found by nobody else, by its captions neither.
    ann.send("PATCH", &format!("/api/v1/media/{}", other["id"]), &json!({ "audience": "own" })).await.is(200);
    assert!(titles(&list(&ben, "?query=%E6%8E%92%E7%B7%B4").await).is_empty());
    assert_eq!(titles(&list(&ann, "?query=%E6%8E%92%E7%B7%B4").await), ["Other"]);
    ben.get(&format!("/media/{}/captions/zh-Hant.vtt", other["id"])).await.is(404);
}

#[tokio::test]
async fn pages_join_without_a_hole_in_every_order() {
    let app = spawn_app().await;
    let (ann, ben) = (app.register("ann").await, app.register("ben").await);
    let mut ids = Vec::new();
    for title in ["Echo", "alpha", "Ábaco", "Delta", "alpha", "夜曲", "_b", "Zulu"] {
        let item = ann.put_recording(&format!("{}.wav", ids.len())).await;
        let at = format!("/api/v1/media/{}", item["id"]);
        ann.send("PATCH", &at, &json!({ "title": title })).await.is(200);
        ids.push(item["id"].as_i64().unwrap());
    }
    for (who, seen) in [(&ann, &ids[2..5]), (&ben, &ids[3..4])] {
        for id in seen {
            let at = format!("/api/v1/media/{id}/position");
            who.send("PUT", &at, &json!({ "position": 9000, "length": 90_000 })).await.is(204);
        }
    }
    for sort in ["newest", "title", "length", "watched"] {
        let whole = list(&ben, &format!("?sort={sort}")).await;
        let order: Vec<i64> =
            whole["items"].as_array().unwrap().iter().map(|item| item["id"].as_i64().unwrap()).collect();
        assert_eq!(order.len(), ids.len());
        let mut joined: Vec<i64> = Vec::new();
        loop {
            let before = joined.last().map(|id| format!("&before={id}")).unwrap_or_default();
            let page = list(&ben, &format!("?sort={sort}&limit=3{before}")).await;
            joined.extend(page["items"].as_array().unwrap().iter().map(|item| item["id"].as_i64().unwrap()));
            if page["more"] == false {
                break;
            }
        }
        assert_eq!(joined, order, "{sort}");
        let back = list(&ben, &format!("?sort={sort}&limit=2&after={}", order[4])).await;
        let back: Vec<i64> =
            back["items"].as_array().unwrap().iter().map(|item| item["id"].as_i64().unwrap()).collect();
        assert_eq!(back, order[2..4], "{sort}");
    }
    let by_title = titles(&list(&ben, "?sort=title").await);
    assert_eq!(by_title[..4], ["_b", "alpha", "alpha", "Delta"]);
    assert_eq!(list(&ben, "?sort=watched").await["items"][0]["id"], json!(ids[3]));
    ben.get("/media?sort=title&kind=audio").await.is(200).has("Echo");
    ben.get("/media?kind=video").await.is(200).lacks("Echo");
    // The place of what isn't for these eyes tells nothing.
    ann.send("PATCH", &format!("/api/v1/media/{}", ids[0]), &json!({ "audience": "own" })).await.is(200);
    ben.get(&format!("/api/v1/media?sort=title&before={}", ids[0])).await.problem(422, "invalid");
    ben.get(&format!("/media?sort=title&before={}", ids[0])).await.is(200).has("alpha");
    ben.get("/api/v1/media?sort=shortest").await.problem(400, "bad_query");
}

#[tokio::test]
async fn long_descriptions_are_found_and_put_in_order() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let mut items = Vec::new();
    for name in ["b.wav", "a.wav", "c.wav"] {
        items.push(ann.put_recording(name).await);
    }
    // Varied, so that no database makes it short by itself; its beginning is the same for all.
    let words = |last: char| -> String {
        let sign = |n: u32| char::from_u32(0x4E00 + n * 7919 % 20_000).unwrap();
        (0..3999).map(sign).chain([last]).collect()
    };
    for (item, last) in items.iter().zip(['乙', '丙', '甲']) {
        let wish = json!({ "title": "夜曲", "description": words(last) });
        ann.send("PATCH", &format!("/api/v1/media/{}", item["id"]), &wish).await.is(200);
    }
    ann.get("/media?sort=title").await.is(200).has("夜曲");
    let ids = |page: &Value| -> Vec<Value> {
        page["items"].as_array().unwrap().iter().map(|item| item["id"].clone()).collect()
    };
    // 丙 U+4E19, 乙 U+4E59, 甲 U+7532.
    let order = [&items[1], &items[0], &items[2]].map(|item| item["id"].clone());
    assert_eq!(ids(&list(&ann, "?sort=title").await), order);
    assert_eq!(ids(&list(&ann, &format!("?sort=title&limit=1&before={}", order[0])).await), order[1..2]);
    assert_eq!(ids(&list(&ann, &format!("?sort=title&limit=1&after={}", order[2])).await), order[1..2]);
    assert_eq!(ids(&list(&ann, "?query=%E7%94%B2").await), order[2..]);
}
