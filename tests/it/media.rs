//! The library: what lies in the folder is listed, and served whole or in parts.

use crate::app::{App, spawn_app};
use crate::tree;
use crate::visitor::{Answer, Visitor};
use reqwest::Method;
use serde_json::{Value, json};
use std::fs;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The library's items, once there are this many. The folder is looked at when somebody asks, so asking again is enough.
async fn items(visitor: &Visitor, wanted: usize) -> Vec<Value> {
    let deadline = std::time::Instant::now() + crate::visitor::DEADLINE;
    loop {
        let answer = visitor.get("/api/v1/media").await.is(200).json();
        let items = answer["items"].as_array().unwrap();
        if items.len() == wanted {
            return items.clone();
        }
        assert!(std::time::Instant::now() < deadline, "{wanted} items never came: {answer}");
    }
}

/// A server whose library has the project's samples.
async fn with_samples() -> (App, Visitor, Vec<Value>) {
    let app = spawn_app().await;
    let samples: Vec<_> =
        fs::read_dir(tree::root().join("media")).unwrap().map(|entry| entry.unwrap().path()).collect();
    let samples: Vec<_> =
        samples.into_iter().filter(|path| path.extension().is_some_and(|e| e != "md")).collect();
    for sample in &samples {
        fs::copy(sample, app.media().join(sample.file_name().unwrap())).unwrap();
    }
    let ann = app.register("ann").await;
    let found = items(&ann, samples.len()).await;
    (app, ann, found)
}

async fn part(visitor: &Visitor, url: &str, headers: &[(&str, &str)]) -> Answer {
    let request =
        headers.iter().fold(visitor.request(Method::GET, url), |r, (name, value)| r.header(*name, *value));
    visitor.answer(request).await
}

#[tokio::test]
async fn the_samples_are_listed_with_their_types_and_play_on_their_pages() {
    let (_app, ann, items) = with_samples().await;
    assert!(items.len() >= 3);
    for item in items {
        let mime = item["mime"].as_str().unwrap();
        assert!(["audio/wav", "audio/mpeg", "video/mp4"].contains(&mime), "{item}");
        assert_eq!(item["state"], "ready", "{item}");
        let one = ann.get(&format!("/api/v1/media/{}", item["id"])).await.is(200).json();
        assert_eq!(one, item);
        let player =
            ann.get(&format!("/media/{}", item["id"])).await.is(200).has(item["title"].as_str().unwrap());
        player.has(if mime == "video/mp4" { "<video" } else { "<audio" });
        let file = ann.get(&format!("/media/{}/file", item["id"])).await.is(200);
        assert_eq!(
            (file.header("content-type"), file.body.len()),
            (mime.to_owned(), usize::try_from(item["size"].as_u64().unwrap()).unwrap())
        );
        assert_eq!(
            (file.header("accept-ranges"), file.header("x-content-type-options")),
            ("bytes".to_owned(), "nosniff".to_owned())
        );
    }
    ann.get("/media").await.is(200).has("Sunrise").has("Nine bells");
}

#[tokio::test]
async fn a_range_gets_exactly_its_bytes() {
    let (app, ann, items) = with_samples().await;
    let video = items.iter().find(|item| item["mime"] == "video/mp4").unwrap();
    let whole = fs::read(app.media().join("Sunrise.mp4")).unwrap();
    let (url, size) = (format!("/media/{}/file", video["id"]), whole.len());
    for (range, start, end) in [
        ("bytes=0-99".to_owned(), 0, 99),
        ("bytes=1000-1999".to_owned(), 1000, 1999),
        (format!("bytes={}-", size - 10), size - 10, size - 1),
        ("bytes=-7".to_owned(), size - 7, size - 1),
        ("bytes=5-99999999999".to_owned(), 5, size - 1),
        ("bytes=0-".to_owned(), 0, size - 1),
    ] {
        let answer = part(&ann, &url, &[("range", &range)]).await.is(206);
        assert_eq!(answer.header("content-range"), format!("bytes {start}-{end}/{size}"), "{range}");
        assert_eq!(answer.header("content-length"), (end - start + 1).to_string(), "{range}");
        assert!(answer.body == whole[start..=end], "{range} got other bytes");
    }
    for range in [format!("bytes={size}-"), "bytes=99999999999-".to_owned(), "bytes=-0".to_owned()] {
        let answer = part(&ann, &url, &[("range", &range)]).await.is(416);
        assert_eq!(answer.header("content-range"), format!("bytes */{size}"), "{range}");
    }
    // RFC 9110 section 14.2: a unit that isn't known is ignored, a range that can't be is ignored or refused.
    assert_eq!(part(&ann, &url, &[("range", "lines=1-2")]).await.is(200).body.len(), size);
    for nonsense in ["bytes=abc", "bytes=9-3", "bytes", "bytes=1-2;3-4"] {
        let answer = part(&ann, &url, &[("range", nonsense)]).await;
        assert!(
            answer.status == 416 || answer.status == 200 && answer.body == whole,
            "{nonsense}: {}",
            answer.status
        );
    }
}

#[tokio::test]
async fn a_range_of_a_file_that_has_changed_is_never_mixed_with_the_old_one() {
    let (app, ann, items) = with_samples().await;
    let wav = items.iter().find(|item| item["mime"] == "audio/wav").unwrap();
    let url = format!("/media/{}/file", wav["id"]);
    let tag = part(&ann, &url, &[("range", "bytes=0-9")]).await.is(206).header("etag");
    assert!(tag.starts_with('"'), "{tag}");
    part(&ann, &url, &[("range", "bytes=10-19"), ("if-range", &tag)]).await.is(206);
    assert_eq!(part(&ann, &url, &[("if-none-match", &tag)]).await.is(304).body.len(), 0);
    let path = app.media().join("Nine bells.wav");
    let mut changed = fs::read(&path).unwrap();
    changed.extend_from_slice(&[0; 1000]);
    fs::write(&path, &changed).unwrap();
    let answer = part(&ann, &url, &[("range", "bytes=10-19"), ("if-range", &tag)]).await.is(200);
    assert_eq!(answer.body.len(), changed.len());
    assert_ne!(answer.header("etag"), tag);
    part(&ann, &url, &[("if-none-match", &tag)]).await.is(200);
}

#[tokio::test]
async fn head_has_the_length_and_no_body_and_other_methods_are_refused() {
    let (_app, ann, items) = with_samples().await;
    let url = format!("/media/{}/file", items[0]["id"]);
    let head = ann.answer(ann.request(Method::HEAD, &url)).await.is(200);
    assert_eq!((head.header("content-length"), head.body.len()), (items[0]["size"].to_string(), 0));
    for method in [Method::POST, Method::PUT, Method::DELETE] {
        let answer = ann.answer(ann.request(method.clone(), &url)).await.is(405);
        let allow = answer.header("allow");
        assert!(allow.contains("GET") && allow.contains("HEAD"), "{method}: {allow}");
    }
}

#[tokio::test]
async fn a_file_dropped_into_the_folder_appears_and_one_taken_out_goes() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    ann.get("/media").await.is(200);
    assert!(items(&ann, 0).await.is_empty());
    let sample = tree::root().join("media").join("Nine bells.wav");
    fs::create_dir(app.media().join("concerts")).unwrap();
    fs::copy(&sample, app.media().join("concerts").join("Évening <b>.wav")).unwrap();
    fs::write(app.media().join("notes.txt"), "no media").unwrap();
    fs::write(app.media().join(".hidden.wav"), fs::read(&sample).unwrap()).unwrap();
    let found = items(&ann, 1).await;
    assert_eq!((&found[0]["title"], &found[0]["kind"]), (&json!("Évening <b>"), &json!("audio")));
    ann.get("/media").await.is(200).has("Évening &#60;b&#62;");
    let file = format!("/media/{}/file", found[0]["id"]);
    ann.get(&file).await.is(200);
    fs::remove_file(app.media().join("concerts").join("Évening <b>.wav")).unwrap();
    items(&ann, 0).await;
    ann.get(&file).await.is(404);
}

#[tokio::test]
async fn a_link_out_of_the_folder_leads_nowhere() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let outside = app.store.folder().join("outside.wav");
    fs::copy(tree::root().join("media").join("Nine bells.wav"), &outside).unwrap();
    std::os::unix::fs::symlink(&outside, app.media().join("link.wav")).unwrap();
    std::os::unix::fs::symlink("/etc", app.media().join("etc")).unwrap();
    fs::copy(&outside, app.media().join("real.wav")).unwrap();
    let found = items(&ann, 1).await;
    assert_eq!(found[0]["title"], "real");
}

/// Sends a request line as it stands; libraries would tidy the path.
async fn raw(app: &App, cookie: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(app.running().address).await.unwrap();
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn no_path_leads_out_of_what_is_served() {
    let (app, ann, items) = with_samples().await;
    let id = items[0]["id"].to_string();
    let page = ann.get("/board").await.text();
    let sheet = page
        .split("href=\"")
        .find_map(|rest| rest.split('"').next().filter(|href| href.ends_with("tokens.css")))
        .unwrap();
    let prefix = sheet.strip_suffix("css/tokens.css").unwrap();
    for path in [
        "/media/../../../../etc/passwd".to_owned(),
        format!("/media/{id}/../../../etc/passwd"),
        format!("/media/{id}/file/../../../../etc/passwd"),
        "/media/%2e%2e%2f%2e%2e%2fetc%2fpasswd/file".to_owned(),
        "/media/../data/accounts.db".to_owned(),
        format!("{prefix}../../etc/passwd"),
        format!("{prefix}..%2f..%2fCargo.toml"),
        format!("{prefix}/etc/passwd"),
        "//etc/passwd".to_owned(),
    ] {
        let answer = raw(&app, &ann.cookie(), &path).await;
        assert!(answer.starts_with("HTTP/1.1 40"), "{path}: {answer}");
        assert!(
            !answer.contains("root:") && !answer.contains("SQLite") && !answer.contains("[package]"),
            "{path}: {answer}"
        );
    }
}

#[tokio::test]
async fn files_need_what_pages_need() {
    let (app, _ann, items) = with_samples().await;
    let stranger = app.stranger();
    let answer = stranger.get(&format!("/media/{}/file", items[0]["id"])).await;
    assert!([303, 401].contains(&answer.status), "{}", answer.status);
    stranger.get(&format!("/api/v1/media/{}/file", items[0]["id"])).await.problem(401, "sign_in_first");
    stranger.get("/api/v1/media").await.problem(401, "sign_in_first");
}
