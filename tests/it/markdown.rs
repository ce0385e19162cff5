//! Words on their way to a page: ordinary ones in a message look as they are meant, hostile ones do nothing anywhere.

use crate::app::spawn_app;
use crate::visitor::{Visitor, nonce};
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

/// Stands in every hostile text where it would be run, or where a tag would be.
const EVIL: &str = "zz9";

const HOSTILE: [&str; 12] = [
    "<script>zz9()</script>",
    "</title></textarea></style><script>zz9()</script>",
    "<img src=zz9 onerror=zz9()>",
    "<svg onload=zz9()><animate onbegin=zz9()></svg>",
    "\" onmouseover=zz9() x=\"",
    "' onfocus=zz9() autofocus x='",
    "<a href=\"javascript:zz9()\">x</a> [x](javascript:zz9())",
    "[x](data:text/html;base64,zz9) ![x](javascript:zz9())",
    "`<b zz9>` **<i zz9>**",
    "{{ zz9 }} ${zz9} <!-- zz9 --> <![CDATA[<zz9>]]>",
    "&lt;script&gt;zz9()&lt;/script&gt;",
    "@<script>zz9()</script> #<script>zz9()</script> :<zz9>:",
];

/// The tags of a page, each with its attributes.
fn tags(page: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = page;
    while let Some(start) = rest.find('<') {
        rest = &rest[start..];
        if !rest[1..].starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!')) {
            rest = &rest[1..];
            continue;
        }
        let mut quote = None;
        let end = rest.char_indices().find(|&(_, c)| match (quote, c) {
            (None, '"' | '\'') => {
                quote = Some(c);
                false
            }
            (Some(open), c) if c == open => {
                quote = None;
                false
            }
            (None, '>') => true,
            _ => false,
        });
        let (tag, after) = rest.split_at(end.map_or(rest.len(), |(at, _)| at + 1));
        found.push(tag);
        rest = after;
    }
    found
}

/// Where something hostile became more than text: a script, a tag, an attribute of its own, an address.
fn harm(page: &str) -> Option<&str> {
    let script = page.split("<script").skip(1).find(|rest| {
        let (tag, content) = rest.split_once('>').unwrap_or((rest, ""));
        let is_run = !tag.contains("application/json");
        is_run && content.split("</script").next().is_some_and(|code| code.contains(EVIL))
    });
    if script.is_some() {
        return script;
    }
    tags(page).into_iter().filter(|tag| tag.contains(EVIL)).find(|tag| {
        let outside_of_values = tag.split('"').step_by(2).any(|part| part.contains(EVIL));
        let leads_astray = ["href", "src", "action"]
            .iter()
            .any(|name| ["javascript:", "data:"].iter().any(|to| tag.contains(&format!("{name}=\"{to}"))));
        outside_of_values || leads_astray
    })
}

fn harmless(page: &str, place: &str) {
    assert_eq!(harm(page), None, "{place}");
}

#[test]
fn a_field_that_is_not_escaped_would_be_seen() {
    // Between tags, in an attribute with quotes, as an address.
    for evil in
        HOSTILE.iter().filter(|text| text.contains("<s") || text.contains("<i") || text.contains("<b"))
    {
        assert!(harm(&format!("<p>{evil}</p>")).is_some(), "{evil}");
    }
    assert!(harm(&format!("<input value=\"{}\">", HOSTILE[4])).is_some());
    assert!(harm("<a href=\"javascript:zz9()\">x</a>").is_some());
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    for evil in HOSTILE {
        let page = format!("<p title=\"{0}\">{0}</p>", escaped(evil));
        assert_eq!(harm(&page), None, "{evil}");
    }
}

async fn message(visitor: &Visitor, room: &Value, text: &str) -> Value {
    let sent = visitor.say(room, text).await.is(201).json();
    let path = format!("/api/v1/rooms/{}/messages?around={}&limit=1", room["id"], sent["seq"]);
    let page = visitor.get(&path).await.is(200).json();
    let found = page["messages"].as_array().unwrap().iter().find(|m| m["seq"] == sent["seq"]);
    found.unwrap_or_else(|| panic!("{page}")).clone()
}

#[tokio::test]
async fn ordinary_words_look_as_they_are_meant() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let room = ann.create("lab").await;
    for (text, html) in [
        ("good morning", None),
        ("5 < 6 & 7 > 2", None),
        ("snake_case and 2*3*4", None),
        ("**now**, *please*", Some("<p><strong>now</strong>, <em>please</em></p>")),
        ("run `ls -l`", Some("<p>run <code>ls -l</code></p>")),
        ("- milk\n- tea", Some("<ul><li>milk</li><li>tea</li></ul>")),
        ("> they said\n\nno", Some("<blockquote><p>they said</p></blockquote><p>no</p>")),
        ("~~old~~ new", Some("<p><del>old</del> new</p>")),
        ("# Plan\nfirst", Some("<p><strong>Plan</strong></p><p>first</p>")),
        ("**重點：**今晚", Some("<p><strong>重點：</strong>今晚</p>")),
        ("hi @ann", Some("<p>hi <span class=\"hb-mention\" data-name=\"ann\">@ann</span></p>")),
    ] {
        let message = message(&ann, &room, text).await;
        assert_eq!((&message["text"], message["html"].as_str()), (&json!(text), html), "{text}");
    }
    let page = ann.get("/c/lab").await.is(200);
    page.has("5 &#60; 6 &#38; 7 &#62; 2").has("<strong>重點：</strong>今晚");
}

#[tokio::test]
async fn hostile_words_are_only_words_in_every_place() {
    let app = spawn_app().await;
    let (ann, bob) = (app.register("ann").await, app.register("bob").await);
    let room = ann.create("lab").await;
    bob.join(&room).await.is(200);
    let path = format!("/api/v1/rooms/{}", room["id"]);
    for text in HOSTILE {
        let short: String = text.chars().take(48).collect();
        let name = json!({ "display_name": short, "status": { "state": "away", "text": text } });
        bob.send("PATCH", "/api/v1/me", &name).await.is(200);
        ann.send("PATCH", &path, &json!({ "topic": text })).await.is(200);
        let form = Form::new().part("file", Part::bytes(b"words".to_vec()).file_name(text));
        let upload = bob.request(Method::POST, &format!("{path}/attachments")).multipart(form);
        let file = bob.answer(upload).await.is(201).json();
        let body = json!({ "nonce": nonce(), "text": text, "attachments": [file["id"]] });
        bob.send("POST", &format!("{path}/messages"), &body).await.is(201);
        bob.post("/board", &[("title", text), ("text", text)]).await.is(303);
        let said = message(&bob, &room, text).await;
        assert_eq!(said["text"], text);
        harmless(said["html"].as_str().unwrap_or_default(), text);
        for place in [
            "/c/lab",
            "/c/lab?details=members",
            "/c/lab/settings",
            "/board",
            "/channels",
            "/people",
            "/people/2",
            "/search?q=zz9",
        ] {
            harmless(&ann.get(place).await.is(200).text(), place);
        }
        for place in ["/settings", "/dashboard"] {
            harmless(&bob.get(place).await.is(200).text(), place);
        }
    }
    let page = ann.get("/c/lab").await.is(200).text();
    assert!(page.contains("&#60;script&#62;zz9()"), "the words are to be read");
}

#[tokio::test]
async fn words_that_turn_around_or_nest_without_end_stay_in_their_place() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let room = ann.create("lab").await;
    let path = format!("/api/v1/rooms/{}", room["id"]);
    let message = message(&ann, &room, &">".repeat(4000)).await;
    assert!(message["html"].as_str().unwrap_or_default().matches("<blockquote>").count() <= 12);
    let endless = json!({ "nonce": nonce(), "text": ">".repeat(10_000) });
    ann.send("POST", &format!("{path}/messages"), &endless).await.problem(422, "invalid");
    for turned in ["evil\u{202E}gpj.exe", "a\u{2066}b"] {
        ann.send("PATCH", "/api/v1/me", &json!({ "display_name": turned })).await.problem(422, "invalid");
        let form = Form::new().part("file", Part::bytes(b"x".to_vec()).file_name(turned));
        let upload = ann.request(Method::POST, &format!("{path}/attachments")).multipart(form);
        let name = ann.answer(upload).await.is(201).json()["name"].clone();
        assert!(!name.as_str().unwrap().contains(['\u{202E}', '\u{2066}']), "{name}");
    }
}
