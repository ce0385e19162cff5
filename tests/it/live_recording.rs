//! Recording: what a source sends stands in the library when it ends, its readings beside it, over a kill as well.

use crate::app::{App, spawn_app, spawn_app_with};
use crate::child::Child;
use crate::clips::has_ffmpeg;
use crate::live::{make, push, until};
use crate::live_video::{Source, film};
use crate::socket::Socket;
use crate::store::Store;
use crate::visitor::Visitor;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

async fn record(who: &Visitor, on: bool) -> Value {
    who.send("PATCH", "/api/v1/live/gate", &json!({ "recording": on })).await.is(200).json()
}

async fn recordings(who: &Visitor) -> Vec<Value> {
    let list = who.get("/api/v1/live/gate/recordings").await.is(200).json();
    list["recordings"].as_array().unwrap().clone()
}

/// Waits until there are so many, with which nothing is left to be done.
async fn done(who: &Visitor, count: usize) -> Vec<Value> {
    until("the recordings to be done", async || {
        let all = recordings(who).await;
        all.len() == count && all.iter().all(|one| one["state"] == "done")
    })
    .await;
    recordings(who).await
}

/// The films of the library that came by a stream.
async fn films(who: &Visitor) -> Vec<Value> {
    let items = who.get("/api/v1/media").await.is(200).json()["items"].as_array().unwrap().clone();
    items.into_iter().filter(|item| item["title"].as_str().unwrap().starts_with("Gate ")).collect()
}

/// Seconds of a film, which ffmpeg decodes without a word.
fn whole(bytes: &[u8]) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("film.mp4");
    std::fs::write(&path, bytes).unwrap();
    let path = path.to_str().unwrap();
    let run = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(["-v", "error"]).args(arguments).output().unwrap();
        assert_eq!((String::from_utf8_lossy(&output.stderr).as_ref(), output.status.success()), ("", true));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    run("ffmpeg", &["-nostdin", "-i", path, "-f", "null", "-"]);
    run("ffprobe", &["-of", "default=nw=1:nk=1", "-show_entries", "format=duration", path]).parse().unwrap()
}

async fn seconds_of(who: &Visitor, item: &Value) -> f64 {
    whole(&who.get(&format!("/media/{item}/file")).await.is(200).body)
}

/// A film that lasts so many seconds, give or take half a picture.
fn lasts(seconds: f64, wanted: f64) -> bool {
    (seconds - wanted).abs() < 0.03
}

async fn with_gate(app: &App, more: Value) -> (Visitor, Visitor, String) {
    let (_owner, ann, bob) =
        (app.register("owner").await, app.register("ann").await, app.register("bob").await);
    let mut wish = json!({ "title": "Gate" });
    wish.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let key = make(&ann, "gate", &wish).await;
    (ann, bob, key)
}

/// Waits until viewers get this fragment: then it is with the recording as well.
async fn seen(viewer: &mut Socket, what: &str) {
    viewer.hear(what, |frame| frame["type"] == "video" && frame["part"] == "fragment").await;
}

#[tokio::test]
async fn what_was_recorded_stands_in_the_library_with_its_readings_beside_it() {
    if !has_ffmpeg("recording") {
        return;
    }
    let app = spawn_app().await;
    let (ann, bob, key) = with_gate(&app, json!({ "public": true })).await;
    let mut viewer = Socket::open_at(&app.origin(), "/live/gate/ws", &[]).await.unwrap();
    assert_eq!(record(&ann, true).await["recording"], true);
    let told =
        viewer.hear("that it is to be recorded", |f| f["type"] == "recording" && f["on"] == true).await;
    assert!(told["since"].is_null(), "nothing comes yet: {told}");
    let film = film();
    let source = Source::by(app.stranger(), &key);
    source.send(&film[0]);
    source.send(&film[1]);
    let told = viewer.hear("that it is recorded", |f| f["type"] == "recording" && f["since"].is_i64()).await;
    assert_eq!(bob.get("/api/v1/live/gate").await.json()["recording_since"], told["since"]);
    for (n, reading) in ["1.5", "\"=on, \\\"x\\\"\"", "-3"].into_iter().enumerate() {
        let sample = format!("{{\"beam\":{reading},\"n{n}\":{n}}}");
        push(&app, "gate", &key, "application/json", sample).await.is(200);
    }
    bob.send("PATCH", "/api/v1/live/gate", &json!({ "recording": false })).await.problem(403, "not_yours");
    let going_on = recordings(&bob).await;
    assert_eq!((&going_on[0]["state"], &going_on[0]["ndjson"]), (&json!("recording"), &Value::Null));
    let path = format!("/api/v1/live/gate/recordings/{}", going_on[0]["id"].as_str().unwrap());
    ann.send("DELETE", &path, &Value::Null).await.problem(409, "being_recorded");
    film[2..].iter().for_each(|piece| source.send(piece));
    source.end().await.is(200);
    let [one] = &done(&ann, 1).await[..] else { panic!("one recording") };
    assert!(one["duration"].as_i64().is_some_and(|ms| lasts(ms as f64 / 1000.0, 5.0)), "{one}");
    let items = films(&ann).await;
    assert_eq!((items.len(), &items[0]["id"]), (1, &one["item"]), "{items:?}");
    assert_eq!((&items[0]["title"], &one["samples"]), (&one["title"], &json!(3)));
    let me = ann.get("/api/v1/me").await.json();
    assert_eq!(items[0]["added_by"], me["id"]);
    assert!(lasts(seconds_of(&bob, &one["item"]).await, 5.0));
    let lines = bob.get(one["ndjson"].as_str().unwrap()).await.is(200);
    assert_eq!(lines.header("content-type"), "application/x-ndjson");
    let lines: Vec<Value> = lines.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((lines.len(), &lines[0]["fields"]), (3, &json!({ "beam": 1.5, "n0": 0 })));
    let table = bob.get(one["csv"].as_str().unwrap()).await.is(200);
    assert!(
        table.header("content-disposition").ends_with(".csv\""),
        "{}",
        table.header("content-disposition")
    );
    let table = table.text();
    let rows: Vec<&str> = table.lines().collect();
    assert_eq!((rows.len(), rows[0]), (4, "seq,time,beam,n0,n1,n2"));
    assert!(rows[2].ends_with(",\"'=on, \"\"x\"\"\",,1,") && rows[3].ends_with(",-3,,,2"), "{table}");
    // It is deleted by its owner alone, and its film stays.
    bob.send("DELETE", &path, &Value::Null).await.problem(403, "not_yours");
    ann.send("DELETE", &path, &Value::Null).await.is(204);
    assert!(recordings(&ann).await.is_empty());
    ann.get(one["csv"].as_str().unwrap()).await.problem(404, "not_found");
    assert_eq!(films(&ann).await.len(), 1);
    let left = std::fs::read_dir(app.store.folder().join("data/recordings")).unwrap().count();
    assert_eq!(left, 0, "nothing stays in the data folder");
}

#[tokio::test]
async fn each_time_it_is_switched_on_there_is_another_recording_that_begins_at_a_key_frame() {
    if !has_ffmpeg("switching a recording") {
        return;
    }
    let app = spawn_app().await;
    let (ann, _, key) = with_gate(&app, json!({ "public": true })).await;
    let film = film();
    let mut viewer = Socket::open_at(&app.origin(), "/live/gate/ws", &[]).await.unwrap();
    let source = Source::by(app.stranger(), &key);
    source.send(&film[0]);
    source.send(&film[1]);
    seen(&mut viewer, "the first second").await;
    record(&ann, true).await;
    for piece in &film[2..4] {
        source.send(piece);
        seen(&mut viewer, "a second that is recorded").await;
    }
    // By the form of the page, without a script.
    ann.post("/live/gate/recordings", &[("do", "stop")]).await.is(303);
    source.send(&film[4]);
    seen(&mut viewer, "a second that isn't").await;
    ann.post("/live/gate/recordings", &[("do", "record")]).await.is(303);
    source.send(&film[5]);
    source.end().await.is(200);
    // It comes again: another beginning, another recording.
    push(&app, "gate", &key, "video/mp4", film.concat()).await.is(200);
    let all = done(&ann, 3).await;
    let mut seconds = Vec::new();
    for one in &all {
        seconds.push(seconds_of(&ann, &one["item"]).await);
    }
    assert!(lasts(seconds[2], 2.0) && lasts(seconds[1], 1.0) && lasts(seconds[0], 5.0), "{seconds:?}");
    let page = ann.get("/live/gate").await.is(200).text();
    assert!(page.contains("What was recorded") && page.contains(&format!("/media/{}", all[0]["item"])));
    ann.post("/live/gate/recordings", &[("do", "dance")]).await.is(400);
}

#[tokio::test]
async fn readings_alone_are_recorded_and_what_does_not_record_writes_nothing() {
    let app = spawn_app().await;
    let (ann, bob, key) = with_gate(&app, json!({})).await;
    let folder = app.store.folder().join("data/recordings");
    push(&app, "gate", &key, "application/x-ndjson", "{\"a\":1}\n{\"a\":2}\n").await.is(200);
    assert!(!folder.exists(), "nothing is recorded unless somebody wants it");
    bob.post("/live/gate/recordings", &[("do", "record")]).await.is(403);
    record(&ann, true).await;
    push(&app, "gate", &key, "application/x-ndjson", "{\"a\":3}\n{\"a\":4}\n").await.is(200);
    record(&ann, false).await;
    push(&app, "gate", &key, "application/json", "{\"a\":5}").await.is(200);
    let [one] = &done(&bob, 1).await[..] else { panic!("one recording") };
    assert_eq!((&one["samples"], &one["item"], &one["duration"]), (&json!(2), &Value::Null, &Value::Null));
    let lines = bob.get(one["ndjson"].as_str().unwrap()).await.is(200).text();
    assert!(lines.contains("\"a\":3") && lines.contains("\"a\":4") && lines.lines().count() == 2, "{lines}");
    // For those who may see the stream.
    for path in
        [one["ndjson"].as_str().unwrap(), one["csv"].as_str().unwrap(), "/api/v1/live/gate/recordings"]
    {
        app.stranger().get(path).await.is(401);
    }
    let token = ann.send("POST", "/api/v1/live/gate/token", &Value::Null).await.is(200).json();
    let with_token = format!("{}?token={}", one["csv"].as_str().unwrap(), token["token"].as_str().unwrap());
    app.stranger().get(&with_token).await.is(200).has("seq,time,a");
    let other = make(&ann, "other", &json!({})).await;
    assert!(!other.is_empty());
    let elsewhere = one["csv"].as_str().unwrap().replace("gate", "other");
    ann.get(&elsewhere).await.problem(404, "not_found");
    ann.get("/live/gate/recordings/..%2f..%2flive.csv").await.is(404);
    // With the stream its readings go.
    ann.send("DELETE", "/api/v1/live/gate", &Value::Null).await.is(204);
    bob.get(one["csv"].as_str().unwrap()).await.is(404);
}

#[tokio::test]
async fn what_only_members_could_watch_strangers_do_not_find_in_the_library() {
    if !has_ffmpeg("whom a recording is for") {
        return;
    }
    let app = spawn_app_with(&[("public_reading", "on")]).await;
    let (ann, bob, key) = with_gate(&app, json!({ "recording": true })).await;
    let film = film().concat();
    push(&app, "gate", &key, "video/mp4", film.clone()).await.is(200);
    let hidden = done(&ann, 1).await[0]["item"].clone();
    for who in [&app.stranger(), &bob] {
        assert_eq!(who.get(&format!("/media/{hidden}/file")).await.status, 404);
    }
    assert_eq!(recordings(&bob).await[0]["item"], Value::Null);
    assert!(lasts(seconds_of(&ann, &hidden).await, 5.0));
    app.stranger().get("/live/gate/recordings").await.is(401);
    ann.send("PATCH", "/api/v1/live/gate", &json!({ "public": true })).await.is(200);
    // The same content: it isn't added twice, so the film is another one.
    push(&app, "gate", &key, "video/mp4", [&film[..film.len() / 2]].concat()).await;
    let all = done(&ann, 2).await;
    app.stranger().get(&format!("/media/{}/file", all[0]["item"])).await.is(200);
    app.stranger().get(&format!("/media/{}/file", all[1]["item"])).await.is(404);
}

#[tokio::test]
async fn without_room_the_recording_stops_with_a_reason_and_the_stream_goes_on() {
    if !has_ffmpeg("a recording without room") {
        return;
    }
    let app = spawn_app_with(&[("media_person_bytes", "6000000")]).await;
    let (ann, _, key) = with_gate(&app, json!({ "public": true, "recording": true })).await;
    let film = film();
    let mut viewer = Socket::open_at(&app.origin(), "/live/gate/ws", &[]).await.unwrap();
    let source = Source::by(app.stranger(), &key);
    source.send(&film[0]);
    for n in 0..200 {
        source.send(&film[1 + n % 5]);
        seen(&mut viewer, "a second of it").await;
        if ann.get("/api/v1/live/gate").await.json()["recording_trouble"].is_string() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    let told = ann.get("/api/v1/live/gate").await.json();
    assert!(told["recording_trouble"].as_str().unwrap().contains("nothing more to the library"), "{told}");
    assert_eq!(
        (&told["recording"], &told["live"], &told["recording_since"]),
        (&json!(true), &json!(true), &Value::Null)
    );
    ann.get("/live/gate").await.is(200).has("nothing more to the library");
    source.send(&film[1]);
    seen(&mut viewer, "what comes after it").await;
    source.end().await.is(200);
    let all = done(&ann, 1).await;
    assert!(all[0]["trouble"].as_str().unwrap().contains("nothing more"), "{all:?}");
    // What was written until then is in the library, within the quota.
    let seconds = seconds_of(&ann, &all[0]["item"]).await;
    assert!(seconds >= 1.0 && films(&ann).await[0]["size"].as_i64().unwrap() < 6_000_000, "{seconds}");
}

/// Sends seconds of film into a child until it is killed; answers with how many viewers saw.
async fn send_and_kill(child: Child, key: &str, film: &[Vec<u8>]) -> usize {
    let mut viewer = Socket::open_at(&child.origin, "/live/gate/ws", &[]).await.unwrap();
    let source = Source::by(Visitor::new(&child.origin), key);
    source.send(&film[0]);
    for piece in &film[1..] {
        source.send(piece);
        seen(&mut viewer, "a second").await;
    }
    // Half of one more.
    source.send(&film[1][..film[1].len() / 2]);
    let line = "{\"beam\":1}\n";
    let request =
        Visitor::new(&child.origin).request(reqwest::Method::POST, "/live/gate/push").bearer_auth(key);
    let answer = Visitor::new(&child.origin)
        .answer(request.header("content-type", "application/x-ndjson").body(line))
        .await;
    answer.is(200);
    // At most the last second may be lost; this is less.
    tokio::time::sleep(Duration::from_millis(300)).await;
    child.kill();
    film.len() - 1
}

#[tokio::test]
async fn a_killed_servers_recording_lands_once_however_often_it_is_killed_again() {
    if !has_ffmpeg("a recording over a kill") {
        return;
    }
    let store = Store::new();
    let child = Child::start(&store);
    let ann = Visitor::new(&child.origin);
    ann.post("/register", &[("username", "ann"), ("password", "correct horse")]).await.is(303);
    let key = make(&ann, "gate", &json!({ "title": "Gate", "public": true, "recording": true })).await;
    let film = film();
    let seconds = send_and_kill(child, &key, &film).await;
    let lies = |ending: &str| lying(store.folder(), ending);
    assert_eq!((lies("mp4").len(), lies("ndjson").len()), (1, 1));
    let raw = std::fs::read(&lies("mp4")[0]).unwrap();
    // In the middle of finishing and landing, at moments that differ.
    for pause in [0, 3, 10, 30, 60, 120, 250] {
        let child = Child::start(&store);
        tokio::time::sleep(Duration::from_millis(pause)).await;
        child.kill();
    }
    let child = Child::start(&store);
    let ann = Visitor::moved(&ann, &child.origin);
    let [one] = &done(&ann, 1).await[..] else { panic!("one recording") };
    let found = films(&ann).await;
    assert_eq!((found.len(), &found[0]["id"]), (1, &one["item"]), "{found:?}");
    let got = seconds_of(&ann, &one["item"]).await;
    assert!(lasts(got, seconds as f64), "{got} of {seconds} s");
    assert_eq!((&one["samples"], one["ended_at"].is_i64()), (&json!(1), true));
    until("the folder to be tidy", async || lying(store.folder(), "mp4").is_empty()).await;
    let verified = crate::child::hubbub(&store).arg("verify").output().unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    child.kill();
    // One that holds no whole fragment goes away without a trace.
    let id = "0123456789abcdef".repeat(2);
    std::fs::write(store.folder().join(format!("data/recordings/{id}.mp4")), &raw[..1500]).unwrap();
    store.messages(&format!(
        "INSERT INTO recordings (id, stream_id, user_id, title, public, started_at, samples, bytes, settled) \
         SELECT '{id}', stream_id, user_id, title, public, started_at, 0, 0, settled AND NOT settled FROM recordings"
    ));
    let child = Child::start(&store);
    let ann = Visitor::moved(&ann, &child.origin);
    done(&ann, 1).await;
    assert_eq!((films(&ann).await.len(), lying(store.folder(), "mp4").len()), (1, 0));
}

fn lying(folder: &Path, ending: &str) -> Vec<std::path::PathBuf> {
    let all = std::fs::read_dir(folder.join("data/recordings")).into_iter().flatten();
    let paths = all.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|end| end == ending)).collect()
}
