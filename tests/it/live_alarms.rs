//! Alarms of streams: called out in the talk with number and picture, taken on by somebody, over, and never lost or
//! doubled by a restart.

use crate::app::{App, PASSWORD, spawn_app, spawn_app_with};
use crate::child::Child;
use crate::live::{make, png, push, until};
use crate::socket::Socket;
use crate::store::Store;
use crate::visitor::Visitor;
use futures_util::StreamExt as _;
use reqwest::Method;
use serde_json::{Value, json};

const JSON: &str = "application/json";

async fn standing(who: &Visitor, name: &str) -> Vec<Value> {
    let one = who.get(&format!("/api/v1/live/{name}")).await.is(200).json();
    one["raised"].as_array().unwrap().clone()
}

/// The talk's room, which its page makes for whoever looks.
async fn talk(who: &Visitor, name: &str) -> Value {
    let page = who.get(&format!("/live/{name}")).await.is(200).text();
    let (_, rest) = page.split_once("<chat-timeline").expect("the page has no talk");
    let id: i64 = rest.split("data-room=\"").nth(1).unwrap().split('"').next().unwrap().parse().unwrap();
    who.get(&format!("/api/v1/rooms/{id}")).await.is(200).json()
}

async fn said(who: &Visitor, room: &Value) -> Vec<Value> {
    let page = who.get(&format!("/api/v1/rooms/{}/messages", room["id"])).await.is(200).json();
    page["messages"].as_array().unwrap().clone()
}

async fn until_said(who: &Visitor, room: &Value, words: &str) -> Value {
    let mut found = Value::Null;
    until(words, async || {
        let all = said(who, room).await;
        let message = all.iter().find(|message| message["text"].as_str().unwrap().contains(words));
        found = message.cloned().unwrap_or_default();
        !found.is_null()
    })
    .await;
    found
}

/// The first alarm that stands.
async fn until_raised(who: &Visitor, name: &str) -> Value {
    let mut found = Vec::new();
    until("an alarm", async || {
        found = standing(who, name).await;
        !found.is_empty()
    })
    .await;
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

fn sample(rate: f64, shade: u8) -> String {
    let image = data_encoding::BASE64.encode(&png(shade));
    json!({ "repetition_rate": rate, "image": image }).to_string()
}

async fn beam(app: &App, more: &Value) -> (Visitor, String) {
    let ann = app.register("ann").await;
    let mut wish = json!({
        "title": "Beam line",
        "fields": [{ "name": "repetition_rate", "unit": "Hz", "min": 9.5 }],
        "alarms": ["repetition_rate < 9.5"],
    });
    for (field, value) in more.as_object().into_iter().flatten() {
        wish[field] = value.clone();
    }
    let key = make(&ann, "beam", &wish).await;
    (ann, key)
}

#[tokio::test]
async fn an_alarm_is_called_out_with_its_number_and_picture_and_somebody_takes_it() {
    let app = spawn_app().await;
    let (ann, key) = beam(&app, &json!({ "public": true })).await;
    let bob = app.register("bob").await;
    let (mut hers, mut viewer) =
        (ann.socket().await, Socket::open_at(&app.origin(), "/live/beam/ws", &[]).await.unwrap());
    push(&app, "beam", &key, JSON, sample(10.0, 1)).await.is(200);
    push(&app, "beam", &key, JSON, sample(9.25, 2)).await.is(200);
    let frame = viewer.hear("the alarm", |frame| frame["type"] == "alarm").await;
    let alarm = &frame["alarms"][0];
    assert_eq!(
        (&alarm["rule"], &alarm["reading"], &alarm["value"]),
        (&json!("repetition_rate < 9.5"), &json!("repetition_rate"), &json!("9.25 Hz"))
    );
    // Whoever set the rule is in the talk, and called.
    let heard = hers.hear("the message", |frame| frame["type"] == "message").await;
    assert_eq!(heard["text"], "**Alarm:** `repetition_rate < 9.5`\nrepetition rate: **9.25 Hz**");
    assert_eq!(
        (&heard["name"], &heard["user"], &heard["to_all"]),
        (&json!("Beam line"), &json!(-1), &json!(true))
    );
    let room = talk(&ann, "beam").await;
    assert_eq!((&heard["room"], &room["joined"]), (&room["id"], &json!(true)));
    let attached = &heard["attachments"][0];
    assert_eq!((&attached["mime"], &attached["width"]), (&json!("image/png"), &json!(4)));
    assert_eq!(attached["description"], "The picture of Beam line at the alarm");
    let shown = ann.get(attached["url"].as_str().unwrap()).await.is(200);
    assert_eq!(image::load_from_memory(&shown.body).unwrap().to_luma8().get_pixel(0, 0).0, [2]);
    ann.get("/search?q=Alarm").await.is(200).has("Beam line");
    let path = format!("/api/v1/live/beam/alarms/{}/acknowledge", alarm["id"]);
    let stranger = app.stranger();
    stranger.send("POST", &path, &Value::Null).await.problem(401, "sign_in_first");
    bob.send("POST", "/api/v1/live/beam/alarms/99/acknowledge", &Value::Null).await.problem(404, "not_found");
    bob.send("POST", &path.replace("beam", "other"), &Value::Null).await.problem(404, "not_found");
    let taken = bob.send("POST", &path, &Value::Null).await.is(200).json();
    assert_eq!(taken["acknowledged"]["name"], "bob");
    // A second time changes nothing: the first one has it.
    let again = ann.send("POST", &path, &Value::Null).await.is(200).json();
    assert_eq!(again["acknowledged"], taken["acknowledged"]);
    let changed = hers.hear("who has it", |frame| frame["rev"].as_i64() > heard["rev"].as_i64()).await;
    assert_eq!(changed["seq"], heard["seq"]);
    assert!(changed["text"].as_str().unwrap().contains("Acknowledged by bob after "), "{changed}");
    assert_eq!(talk(&bob, "beam").await["joined"], true);
    let frame = viewer
        .hear("who has it", |frame| {
            frame["type"] == "alarm" && frame["alarms"][0]["acknowledged"].is_object()
        })
        .await;
    assert_eq!(
        frame["alarms"][0]["acknowledged"],
        json!({ "at": taken["acknowledged"]["at"] }),
        "strangers see no name"
    );
    let history = stranger.get("/api/v1/live/beam/alarms").await.is(200).json();
    assert_eq!(history["alarms"][0]["acknowledged"], json!({ "at": taken["acknowledged"]["at"] }));
    let history = bob.get("/api/v1/live/beam/alarms?limit=1").await.is(200).json();
    assert_eq!(
        (&history["alarms"][0]["acknowledged"]["name"], &history["more"]),
        (&json!("bob"), &json!(false))
    );
    push(&app, "beam", &key, JSON, sample(9.0, 3)).await.is(200);
    assert_eq!(said(&ann, &room).await.len(), 1, "it stands already");
}

#[tokio::test]
async fn pages_say_it_and_only_whoever_is_signed_in_has_a_button() {
    let app = spawn_app().await;
    let (ann, key) = beam(&app, &json!({ "public": true })).await;
    ann.get("/live").await.is(200).has("alarm-mark is-taken\" hidden");
    push(&app, "beam", &key, JSON, sample(9.25, 2)).await.is(200);
    let alarm = until_raised(&ann, "beam").await;
    ann.get("/live").await.is(200).has("alarm-mark\">");
    ann.get("/live/beam").await.is(200).has("9.25 Hz").has("/live/beam/acknowledge");
    let stranger = app.stranger();
    stranger.get("/live").await.is(200).has("alarm-mark\">");
    stranger.get("/live/beam").await.is(200).has("9.25 Hz").lacks("/live/beam/acknowledge");
    let latest = stranger.get("/live/beam/samples?limit=1").await.is(200).json();
    assert_eq!(latest["alarms"][0]["id"], alarm["id"]);
}

#[tokio::test]
async fn a_private_streams_alarm_is_for_those_who_are_signed_in() {
    let app = spawn_app_with(&[("public_reading", "on")]).await;
    let (ann, key) = beam(&app, &json!({})).await;
    push(&app, "beam", &key, JSON, r#"{"repetition_rate": 1}"#).await.is(200);
    let alarm = until_raised(&ann, "beam").await;
    let stranger = app.stranger();
    stranger.get("/api/v1/live/beam/alarms").await.problem(401, "sign_in_first");
    stranger.post("/live/beam/acknowledge", &[("alarm", &alarm["id"].to_string())]).await.is(401);
    assert!(standing(&ann, "beam").await[0]["acknowledged"].is_null());
    // A guest may write in the talk, and by a plain form too.
    let guest = app.guest("Gast").await;
    let pressed = guest.post("/live/beam/acknowledge", &[("alarm", &alarm["id"].to_string())]).await.is(303);
    assert_eq!(pressed.header("location"), "/live/beam");
    guest.post("/live/beam/acknowledge", &[("alarm", "x")]).await.is(400);
    let room = talk(&ann, "beam").await;
    let message = until_said(&ann, &room, "Acknowledged by Gast").await;
    assert!(message["attachments"].is_null(), "there was no picture: {message}");
    guest.get("/live/beam").await.is(200).has("Acknowledged by Gast");
}

#[tokio::test]
async fn events_tell_alarms_too_and_whoever_comes_later_hears_of_them() {
    let app = spawn_app().await;
    let (ann, key) = beam(&app, &json!({})).await;
    push(&app, "beam", &key, JSON, r#"{"repetition_rate": 1}"#).await.is(200);
    until_raised(&ann, "beam").await;
    let response = ann.request(Method::GET, "/live/beam/events").send().await.unwrap();
    let (mut body, mut text) = (response.bytes_stream(), String::new());
    while !text.contains("event: alarm\ndata: {\"type\":\"alarm\",\"alarms\":[{\"id\":") {
        let chunk = tokio::time::timeout(std::time::Duration::from_mins(1), body.next()).await;
        text.push_str(&String::from_utf8_lossy(&chunk.expect(&text).unwrap().unwrap()));
    }
    let cookie = ann.cookie();
    let mut late = Socket::open_at(&app.origin(), "/live/beam/ws", &[("cookie", &cookie)]).await.unwrap();
    late.hear("the latest", |frame| frame["type"] == "sample").await;
    late.hear("what stands", |frame| frame["type"] == "alarm").await;
}

#[tokio::test]
async fn flapping_calls_once_and_it_is_over_when_it_has_been_good_for_a_while() {
    let app = spawn_app().await;
    let (ann, key) = beam(&app, &json!({})).await;
    let lines: Vec<String> = (0..2000).map(|n| json!({ "repetition_rate": 9 + n % 2 }).to_string()).collect();
    push(&app, "beam", &key, "application/x-ndjson", lines.join("\n")).await.is(200);
    let alarm = until_raised(&ann, "beam").await;
    let room = talk(&ann, "beam").await;
    until_said(&ann, &room, "Over after 1").await;
    let all = said(&ann, &room).await;
    assert_eq!(all.len(), 1, "{all:?}");
    // Nobody has seen it yet, so it stands, as over.
    let left = standing(&ann, "beam").await;
    assert!(left[0]["over"].as_i64() >= alarm["at"].as_i64().map(|at| at + 9_500), "{left:?}");
    push(&app, "beam", &key, JSON, r#"{"repetition_rate": 9}"#).await.is(200);
    let path = format!("/api/v1/live/beam/alarms/{}/acknowledge", alarm["id"]);
    ann.send("POST", &path, &Value::Null).await.is(200);
    until("that nothing stands", async || standing(&ann, "beam").await.is_empty()).await;
    assert_eq!(said(&ann, &room).await.len(), 1, "within a minute it isn't called again");
}

#[tokio::test]
async fn silence_calls_without_a_sample_but_not_before_the_first() {
    let mut app = spawn_app().await;
    let rules = json!({ "alarms": ["no sample for 1 s"] });
    let (ann, key) = beam(&app, &rules).await;
    make(&ann, "never", &rules).await;
    ann.get("/live/never").await.is(200);
    let first = app.stranger();
    let bare = first.request(Method::POST, &format!("/live/beam/push?key={key}"));
    first.answer(bare.header("content-type", "image/png").body(png(7))).await.is(200);
    let alarm = until_raised(&ann, "beam").await;
    assert_eq!((&alarm["rule"], &alarm["value"]), (&json!("no sample for 1 s"), &Value::Null));
    let room = talk(&ann, "beam").await;
    let message = until_said(&ann, &room, "**Alarm:** `no sample for 1 s`").await;
    assert_eq!(message["attachments"].as_array().unwrap().len(), 1, "the last picture: {message}");
    assert_eq!(standing(&ann, "never").await, [] as [Value; 0]);
    // Removing the rule ends its alarm.
    ann.send("PATCH", "/api/v1/live/beam", &json!({ "alarms": [] })).await.is(200);
    until_said(&ann, &room, "Its rule was taken away after").await;
    let path = format!("/api/v1/live/beam/alarms/{}/acknowledge", alarm["id"]);
    ann.send("POST", &path, &Value::Null).await.is(200);
    until("that nothing stands", async || standing(&ann, "beam").await.is_empty()).await;
    // A source that was there before a restart and isn't after it is missed, without anybody looking.
    ann.send("PATCH", "/api/v1/live/beam", &json!({ "alarms": ["no sample for 3 s"] })).await.is(200);
    push(&app, "beam", &key, JSON, r#"{"repetition_rate": 10}"#).await.is(200);
    app.restart().await;
    let ann = Visitor::with_cookie_of(&ann);
    until_said(&ann, &room, "no sample for 3 s").await;
    assert_eq!(said(&ann, &room).await.len(), 2);
    assert_eq!(standing(&ann, "never").await, [] as [Value; 0]);
}

#[tokio::test]
async fn rules_are_set_with_the_stream_and_a_wrong_one_changes_nothing() {
    let app = spawn_app().await;
    let (ann, _) = beam(&app, &json!({})).await;
    let bob = app.register("bob").await;
    let wish = json!({ "alarms": ["repetition_rate<9.50 for 10s", "any out of range for 60 s", "no sample for 2 min"] });
    bob.send("PATCH", "/api/v1/live/beam", &wish).await.problem(403, "not_yours");
    let one = ann.send("PATCH", "/api/v1/live/beam", &wish).await.is(200).json();
    let rules =
        json!(["repetition_rate < 9.5 for 10 s", "any out of range for 1 min", "no sample for 2 min"]);
    assert_eq!(one["alarms"], rules);
    for (wrong, sentence) in [
        (json!({ "alarms": ["a > 1", "b is 2"] }), "Line 2: after “b” comes"),
        (json!({ "alarms": ["other out of range"] }), "“other” has none declared"),
        (json!({ "fields": [] }), "“any out of range for 1 min” asks for a range"),
        (json!({ "alarms": (0..33).map(|n| format!("a > {n}")).collect::<Vec<_>>() }), "at most 32"),
    ] {
        let refused = ann.send("PATCH", "/api/v1/live/beam", &wrong).await.problem(422, "invalid");
        assert!(refused["fields"][0]["message"].as_str().unwrap().contains(sentence), "{refused}");
        assert_eq!(refused["fields"][0]["field"], "alarms");
    }
    ann.send("PATCH", "/api/v1/live/beam", &json!({ "alarms": "rate > 1" })).await.is(422);
    let form = [("do", "change"), ("title", "New"), ("fields", "rate"), ("alarms", "rate > 1\nrate >> 2")];
    let page = ann.post("/live/beam/edit", &form).await.is(422);
    let page = page.has("Line 2: after “rate” comes").has("rate &#62;&#62; 2").has("value=\"New\"").text();
    assert!(page.contains("alarms-wrong"), "{page}");
    assert_eq!(ann.get("/api/v1/live/beam").await.json()["alarms"], rules);
    let form =
        [("do", "change"), ("title", "New"), ("fields", "rate"), ("alarms", "\nrate > 1 for 90 s\r\n")];
    ann.post("/live/beam/edit", &form).await.is(303);
    assert_eq!(ann.get("/api/v1/live/beam").await.json()["alarms"], json!(["rate > 1 for 90 s"]));
    ann.get("/live/beam/edit").await.is(200).has("rate &#62; 1 for 90 s");
}

#[tokio::test]
async fn a_sudden_end_loses_and_doubles_no_alarm() {
    let store = Store::new();
    let mut child = Child::start(&store);
    let ann = Visitor::new(&child.origin);
    ann.post("/register", &[("username", "ann"), ("password", PASSWORD)]).await.is(303);
    let rules = json!({ "alarms": ["a > 1", "b > 1"], "public": true });
    let key = make(&ann, "beam", &rules).await;
    let send = async |ann: &Visitor, body: &'static str| {
        let request = ann.request(Method::POST, &format!("/live/beam/push?key={key}")).body(body);
        ann.answer(request).await.is(200);
    };
    send(&ann, r#"{"a":2,"b":2}"#).await;
    until("both", async || standing(&ann, "beam").await.len() == 2).await;
    child.kill();
    child = Child::start(&store);
    let ann = Visitor::moved(&ann, &child.origin);
    // They stand, and are said by the time that the talk can be read, or a moment later.
    assert_eq!(standing(&ann, "beam").await.len(), 2);
    let room = talk(&ann, "beam").await;
    until("both messages", async || said(&ann, &room).await.len() == 2).await;
    send(&ann, r#"{"a":3,"b":3}"#).await;
    let path = format!("/api/v1/live/beam/alarms/{}/acknowledge", standing(&ann, "beam").await[0]["id"]);
    ann.send("POST", &path, &Value::Null).await.is(200);
    child.kill();
    child = Child::start(&store);
    let ann = Visitor::moved(&ann, &child.origin);
    send(&ann, r#"{"a":4,"b":4}"#).await;
    let left = standing(&ann, "beam").await;
    assert_eq!(
        (left.len(), &left[0]["acknowledged"]["at"].is_i64(), &left[1]["acknowledged"]),
        (2, &true, &Value::Null)
    );
    until_said(&ann, &room, "Acknowledged by ann").await;
    assert_eq!(said(&ann, &room).await.len(), 2, "raised once");
    // Nothing is wrong with what was stored.
    assert!(child.terminate().success());
    let verified = crate::child::hubbub(&store).arg("verify").output().unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}
