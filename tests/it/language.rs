//! Which language a page is in, and in which hue: chosen, asked for by the browser, or neither.

use crate::app::spawn_app;
use reqwest::Method;
use serde_json::json;

const TAIWAN: (&str, &str) = ("accept-language", "zh-TW,zh;q=0.9,en;q=0.8");

#[tokio::test]
async fn a_page_speaks_what_the_browser_asks_for_until_somebody_chooses() {
    let app = spawn_app().await;
    let visitor = app.stranger();
    let english = visitor.get("/login").await.is(200).text();
    assert!(english.contains("<html lang=\"en\"") && english.contains(">Log in</button>"), "{english}");
    let asked = || visitor.request(Method::GET, "/login").header(TAIWAN.0, TAIWAN.1);
    let chinese = visitor.answer(asked()).await.is(200).text();
    assert!(chinese.contains("<html lang=\"zh-Hant\"") && chinese.contains(">登入</button>"), "{chinese}");

    let chosen = visitor.post("/language", &[("language", "en"), ("next", "/login")]).await.is(303);
    assert_eq!(chosen.header("location"), "/login");
    let text = visitor.answer(asked()).await.is(200).text();
    assert!(text.contains("<html lang=\"en\"") && text.contains(">Log in</button>"), "{text}");
    visitor.post("/language", &[("language", "zh-Hant")]).await.is(303);
    assert!(visitor.get("/login").await.text().contains("<html lang=\"zh-Hant\""));
    let refused = visitor.post("/language", &[("language", "tlh")]).await.is(422).text();
    assert!(refused.contains("這裡沒有那種語言。"), "{refused}");
}

#[tokio::test]
async fn refusals_are_said_in_the_pages_language_and_to_programs_in_english() {
    let app = spawn_app().await;
    app.register("ann").await;
    let visitor = app.stranger();
    visitor.post("/language", &[("language", "zh-Hant")]).await.is(303);
    let short = visitor.post("/register", &[("username", "ann"), ("password", "short")]).await.is(422).text();
    assert!(short.contains("密碼至少要 8 個字元。"), "{short}");
    let taken =
        visitor.post("/register", &[("username", "Ann"), ("password", "long enough")]).await.is(422).text();
    assert!(taken.contains("這個使用者名稱已經有人用了"), "{taken}");
    let nothing = visitor.get("/nothing/here").await.is(404).text();
    assert!(nothing.contains("這個網址沒有東西。") && nothing.contains("回到起點"), "{nothing}");
    let program = visitor.get("/api/v1/me").await.is(401).text();
    assert!(program.contains("\"sign_in_first\"") && program.contains("Sign in first."), "{program}");
}

#[tokio::test]
async fn a_note_is_on_everybodys_board_at_once_in_whichever_language() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let mei = app.register("mei").await;
    mei.post("/language", &[("language", "zh-Hant")]).await.is(303);
    for n in 0..5 {
        // Both have looked, so both walls are kept.
        assert!(ann.get("/board").await.text().contains("aria-label=\"Notes, newest first\""));
        assert!(mei.get("/board").await.text().contains("aria-label=\"便條，從新到舊\""));
        let text = format!("note {n}!");
        ann.post("/board", &[("text", &text)]).await.is(303);
        for visitor in [&mei, &ann] {
            assert!(visitor.get("/board").await.text().contains(&text));
        }
    }
}

#[tokio::test]
async fn a_page_carries_the_hue_that_its_reader_has_chosen() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    assert!(!ann.get("/board").await.text().contains("class=\"hue-"));
    ann.post("/settings/profile", &[("hue", "300")]).await.is(303);
    let page = ann.get("/board").await.text();
    assert!(page.contains("class=\"hue-300\"") && page.contains("css/hues.css"), "{page}");
    ann.send("PATCH", "/api/v1/me", &json!({ "color": 358 })).await.is(200);
    assert!(ann.get("/board").await.text().contains("class=\"hue-0\""));
    let wrong = ann.post("/settings/profile", &[("hue", "1000")]).await.is(422).text();
    assert!(wrong.contains("A color is a hue from 0 to 359 degrees."), "{wrong}");
    ann.post("/settings/profile", &[("hue", "")]).await.is(303);
    assert!(!ann.get("/board").await.text().contains("class=\"hue-"));
}
