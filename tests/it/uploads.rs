//! The way into the library: in parts by tus, whole by PUT; what is refused, what survives.

use crate::app::{App, spawn_app, spawn_app_with};
use crate::child::Child;
use crate::store::Store;
use crate::visitor::{Answer, DEADLINE, Visitor};
use data_encoding::{BASE64, HEXLOWER};
use reqwest::Method;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::fs;
use std::io::Write as _;
use std::net::TcpStream;
use std::path::Path;
use std::time::Instant;

/// A recording of so many bytes; those with other seeds are others.
fn recording(bytes: usize, seed: usize) -> Vec<u8> {
    let mut wav = b"RIFF\0\0\0\0WAVEfmt ".to_vec();
    wav.extend((wav.len()..bytes).map(|n| (n.wrapping_mul(31 + 2 * seed) >> 3).to_le_bytes()[0]));
    wav
}

const TUS: (&str, &str) = ("Tus-Resumable", "1.0.0");

/// Announces a file. The answer's `Location` is where its bytes go.
async fn announce(who: &Visitor, name: &str, length: usize) -> Answer {
    let metadata = format!("filename {},filetype YXVkaW8vd2F2", BASE64.encode(name.as_bytes()));
    let request = who.request(Method::POST, "/api/v1/media").header(TUS.0, TUS.1);
    who.answer(request.header("Upload-Length", length).header("Upload-Metadata", metadata)).await
}

/// Brings some bytes.
async fn bring(who: &Visitor, to: &str, offset: usize, bytes: &[u8]) -> Answer {
    let request = who.request(Method::PATCH, to).header(TUS.0, TUS.1).header("Upload-Offset", offset);
    who.answer(request.header("Content-Type", "application/offset+octet-stream").body(bytes.to_vec())).await
}

/// Asks how far it is.
async fn ask(who: &Visitor, to: &str) -> Answer {
    who.answer(who.request(Method::HEAD, to).header(TUS.0, TUS.1)).await
}

async fn put(who: &Visitor, name: &str, bytes: Vec<u8>) -> Answer {
    who.answer(who.request(Method::PUT, &format!("/api/v1/media/{name}")).body(bytes)).await
}

async fn items(who: &Visitor) -> Vec<Value> {
    who.get("/api/v1/media").await.is(200).json()["items"].as_array().unwrap().clone()
}

/// What lies in the library's folder where nobody sees it.
fn parts(media: &Path) -> Vec<String> {
    let names = fs::read_dir(media.join(".uploads")).into_iter().flatten();
    names.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

#[tokio::test]
async fn a_file_in_parts_becomes_an_item_when_its_last_byte_is_there_and_not_before() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let wav = recording(700_000, 1);
    let made = announce(&ann, "Evening song.wav", wav.len()).await.is(201);
    assert_eq!(made.header("tus-resumable"), "1.0.0");
    let to = made.header("location");
    let first = bring(&ann, &to, 0, &wav[..300_001]).await.is(204);
    assert_eq!(
        (first.header("upload-offset"), first.header("hubbub-item")),
        ("300001".into(), String::new())
    );
    assert!(first.header("upload-expires").ends_with("GMT"));
    assert!(items(&ann).await.is_empty());
    assert_eq!(fs::read_dir(app.media()).unwrap().count(), 1, "only the hidden folder");
    let unfinished = ann.get("/api/v1/media/uploads").await.is(200).json();
    assert_eq!(
        (&unfinished["uploads"][0]["offset"], &unfinished["uploads"][0]["url"]),
        (&300_001.into(), &to.as_str().into())
    );
    // A wrong place is refused, whichever side of the right one it is on.
    for wrong in [0, 300_000, 300_002] {
        bring(&ann, &to, wrong, &wav[wrong..]).await.problem(409, "offset");
    }
    let asked = ask(&ann, &to).await.is(200);
    assert_eq!(
        (asked.header("upload-offset"), asked.header("upload-length")),
        ("300001".into(), "700000".into())
    );
    assert_eq!(asked.header("cache-control"), "no-store");
    let last = bring(&ann, &to, 300_001, &wav[300_001..]).await.is(204);
    let found = items(&ann).await;
    assert_eq!((found.len(), found[0]["id"].to_string()), (1, last.header("hubbub-item")));
    assert_eq!((&found[0]["title"], &found[0]["size"]), (&"Evening song".into(), &700_000.into()));
    assert_eq!(found[0]["added_by"], ann.me().await["id"]);
    assert_eq!(ann.get(found[0]["url"].as_str().unwrap()).await.is(200).body, wav);
    ann.get(&format!("/media/{}", found[0]["id"])).await.is(200).has("added by ann");
    assert!(parts(&app.media()).is_empty());
    // Whoever lost the last answer learns the same by asking again, or by sending nothing at the end.
    assert_eq!(ask(&ann, &to).await.is(200).header("hubbub-item"), last.header("hubbub-item"));
    bring(&ann, &to, 700_000, b"").await.is(204);
    assert_eq!(ann.get("/api/v1/media/uploads").await.json()["uploads"].as_array().unwrap().len(), 0);
}

#[tokio::test]
async fn curl_puts_a_whole_file_with_a_token_or_a_cookie() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let made = put(&ann, "%E5%A4%9C%E6%9B%B2.wav", recording(5000, 1)).await.is(201);
    let item = made.json();
    assert_eq!((&item["title"], &item["mime"]), (&"夜曲".into(), &"audio/wav".into()));
    assert_eq!(made.header("location"), format!("/api/v1/media/{}", item["id"]));
    let mut shell = std::process::Command::new(env!("CARGO_BIN_EXE_hubbub"));
    shell.env_clear().current_dir(app.store.folder()).args(app.flags()).args(["token", "add", "ann"]);
    let made = shell.output().unwrap();
    let said = String::from_utf8(made.stdout).unwrap();
    let token = said.split_whitespace().find(|word| word.len() > 30).unwrap().to_owned();
    let program = app.stranger();
    let request = program.request(Method::PUT, "/api/v1/media/by-token.wav").bearer_auth(&token);
    program.answer(request.body(recording(6000, 2))).await.is(201);
    // The content's kind, whatever the name says; and never over something that is there.
    let odd = put(&ann, "by-token.txt", recording(7000, 3)).await.is(201).json();
    assert_eq!(odd["mime"], "audio/wav");
    put(&ann, "by-token.wav", recording(8000, 4)).await.is(201);
    let mut names: Vec<String> = fs::read_dir(app.media())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(names, [".uploads", "by-token (2).wav", "by-token.txt.wav", "by-token.wav", "夜曲.wav"]);
}

/// A body in pieces whose length isn't said, as `curl -T -` sends it.
async fn put_piped(who: &Visitor, name: &str, bytes: &[u8]) -> Answer {
    let pieces: Vec<_> = bytes.chunks(50_000).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect();
    let body = reqwest::Body::wrap_stream(futures_util::stream::iter(pieces));
    who.answer(who.request(Method::PUT, &format!("/api/v1/media/{name}")).body(body)).await
}

#[tokio::test]
async fn a_file_whose_length_nobody_knows_comes_in_as_far_as_the_quota_goes() {
    let app = spawn_app_with(&[("media_person_bytes", "1048576")]).await;
    let ann = app.register("ann").await;
    let wav = recording(600_000, 1);
    let item = put_piped(&ann, "piped.wav", &wav).await.is(201).json();
    assert_eq!(item["size"], 600_000);
    let file = ann.get(&format!("/media/{}/file", item["id"])).await.is(200);
    assert!(file.body == wav, "other bytes came out");
    // What is left counts to the byte, however many came before it was clear that there are too many.
    put_piped(&ann, "second.wav", &recording(500_000, 2)).await.problem(413, "too_large");
    assert_eq!(put_piped(&ann, "piped again.wav", &wav[..1000]).await.is(201).json()["size"], 1000);
    put_piped(&ann, "page.mp4", b"<html>").await.problem(422, "invalid");
    put_piped(&ann, "nothing.wav", b"").await.problem(422, "invalid");
    assert!(parts(&app.media()).is_empty(), "left behind: {:?}", parts(&app.media()));
    assert_eq!(items(&ann).await.len(), 2);
}

#[tokio::test]
async fn what_is_no_media_is_refused_at_once_and_leaves_nothing() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    for (name, content) in [
        ("film.mp4", b"<html><script>alert(1)</script>".to_vec()),
        ("list.m3u8", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n".to_vec()),
        ("bomb.mp4", [b"PK\x03\x04".as_slice(), &vec![0; 100_000]].concat()),
    ] {
        assert!(
            put(&ann, name, content.clone()).await.problem(422, "invalid").to_string().contains("WAV"),
            "{name}"
        );
        // The first bytes say it: the rest of a gigabyte isn't waited for.
        let to = announce(&ann, name, content.len() + 1_000_000_000).await.is(201).header("location");
        if content.len() >= 64 {
            bring(&ann, &to, 0, &content).await.problem(422, "invalid");
            ask(&ann, &to).await.is(404);
        }
    }
    let empty = ann.request(Method::PUT, "/api/v1/media/empty.wav").header("Content-Length", 0);
    ann.answer(empty).await.problem(422, "invalid");
    announce(&ann, "empty.wav", 0).await.problem(422, "invalid");
    assert!(items(&ann).await.is_empty());
    for name in ["..%2F..%2Fescape.wav", "%2Fetc%2Fescape.wav", ".uploads%2Fescape.wav"] {
        put(&ann, name, recording(999, name.len())).await.is(201);
    }
    let stray = |folder: &Path| fs::read_dir(folder).unwrap().any(|e| e.unwrap().file_name() == "escape.wav");
    assert!(stray(&app.media()) && !stray(app.store.folder()) && !stray(&app.media().join(".uploads")));
}

#[tokio::test]
async fn the_same_content_is_kept_once_however_it_came() {
    let app = spawn_app().await;
    let (ann, ben) = (app.register("ann").await, app.register("ben").await);
    let dropped = recording(50_000, 9);
    fs::write(app.media().join("dropped.wav"), &dropped).unwrap();
    let first = put(&ann, "one.wav", recording(50_000, 1)).await.is(201).json();
    let again = put(&ben, "two.wav", recording(50_000, 1)).await.is(200).json();
    assert_eq!((&again["id"], &again["added_by"]), (&first["id"], &first["added_by"]));
    assert_eq!(put(&ben, "three.wav", dropped).await.is(200).json()["title"], "dropped");
    let to = announce(&ben, "four.wav", 50_000).await.header("location");
    let last = bring(&ben, &to, 0, &recording(50_000, 1)).await.is(204);
    assert_eq!(
        (last.header("hubbub-item"), last.header("hubbub-known")),
        (first["id"].to_string(), "true".into())
    );
    assert_eq!((items(&ann).await.len(), parts(&app.media()).len()), (2, 0));
    // A file that was changed since isn't taken for what it was.
    fs::write(app.media().join("one.wav"), recording(50_001, 7)).unwrap();
    let deadline = Instant::now() + DEADLINE;
    while !items(&ann).await.iter().any(|item| item["size"] == 50_001) {
        assert!(Instant::now() < deadline);
    }
    put(&ben, "five.wav", recording(50_000, 1)).await.is(201);
}

#[tokio::test]
async fn a_quota_counts_what_is_there_and_what_is_on_its_way() {
    let app = spawn_app_with(&[("media_person_bytes", "2000000"), ("media_total_bytes", "3000000")]).await;
    let (ann, ben) = (app.register("ann").await, app.register("ben").await);
    fs::write(app.media().join("dropped.wav"), recording(900_000, 8)).unwrap();
    put(&ann, "a.wav", recording(1_200_000, 1)).await.is(201);
    let to = announce(&ann, "b.wav", 700_000).await.is(201).header("location");
    let refusal = announce(&ann, "c.wav", 200_000).await.problem(413, "too_large");
    assert!(refusal["detail"].as_str().unwrap().contains("100 kB"), "{refusal}");
    // Bytes beyond the announcement don't get in either.
    bring(&ann, &to, 0, &recording(700_001, 2)).await.problem(413, "too_large");
    announce(&ben, "d.wav", 1_200_000).await.problem(413, "too_large");
    announce(&ben, "d.wav", 1_000_000).await.is(201);
    ann.answer(ann.request(Method::DELETE, &to).header(TUS.0, TUS.1)).await.is(204);
    announce(&ann, "e.wav", 800_000).await.is(201);
    announce(&ann, "f.wav", 1).await.problem(413, "too_large");
}

#[tokio::test]
async fn only_those_who_may_and_only_ones_own() {
    let app = spawn_app().await;
    let (ann, ben, gus, nobody) =
        (app.register("ann").await, app.register("ben").await, app.guest("Gus").await, app.stranger());
    let wav = recording(2000, 1);
    announce(&nobody, "a.wav", 2000).await.problem(401, "sign_in_first");
    put(&nobody, "a.wav", wav.clone()).await.problem(401, "sign_in_first");
    nobody.get("/api/v1/media/uploads").await.problem(401, "sign_in_first");
    announce(&gus, "a.wav", 2000).await.problem(403, "guest");
    put(&gus, "a.wav", wav.clone()).await.problem(403, "guest");
    gus.get("/media").await.is(200).lacks("<media-upload");
    ann.get("/media").await.is(200).has("<media-upload");
    let to = announce(&ann, "a.wav", 2000).await.is(201).header("location");
    ask(&ben, &to).await.is(404);
    bring(&ben, &to, 0, &wav).await.problem(404, "not_found");
    ben.answer(ben.request(Method::DELETE, &to).header(TUS.0, TUS.1)).await.problem(404, "not_found");
    let foreign =
        ann.request(Method::PATCH, &to).header(TUS.0, TUS.1).header("Origin", "http://evil.example");
    ann.answer(foreign).await.is(403);
    assert_eq!(ask(&ann, &to).await.is(200).header("upload-offset"), "0");
}

#[tokio::test]
async fn the_protocol_is_spoken_as_it_is_written() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let told = ann.answer(ann.request(Method::OPTIONS, "/api/v1/media")).await.is(204);
    assert!(told.header("tus-extension").contains("creation,") && told.header("tus-version") == "1.0.0");
    let old = ann.request(Method::POST, "/api/v1/media").header(TUS.0, "0.2.2").header("Upload-Length", 5);
    assert_eq!(ann.answer(old).await.is(412).header("tus-version"), "1.0.0");
    let without = ann.request(Method::POST, "/api/v1/media").header(TUS.0, TUS.1);
    ann.answer(without).await.problem(400, "header_needed");
    let wav = recording(3000, 1);
    // Created with its first bytes.
    let with = ann.request(Method::POST, "/api/v1/media").header(TUS.0, TUS.1).header("Upload-Length", 3000);
    let with = with.header("Content-Type", "application/offset+octet-stream").body(wav[..1000].to_vec());
    let made = ann.answer(with).await.is(201);
    let to = made.header("location");
    assert_eq!(made.header("upload-offset"), "1000");
    let patch = || ann.request(Method::PATCH, &to).header(TUS.0, TUS.1).header("Upload-Offset", 1000);
    ann.answer(patch().body(wav[1000..].to_vec())).await.is(415);
    let typed = || patch().header("Content-Type", "application/offset+octet-stream");
    let sum = |bytes: &[u8]| format!("sha256 {}", BASE64.encode(&Sha256::digest(bytes)));
    let bad = typed().header("Upload-Checksum", sum(b"else")).body(wav[1000..2000].to_vec());
    ann.answer(bad).await.is(460);
    assert_eq!(ask(&ann, &to).await.header("upload-offset"), "1000", "nothing of it is kept");
    ann.answer(typed().header("Upload-Checksum", "md5 AAAA").body("x"))
        .await
        .problem(400, "checksum_unknown");
    let good = typed().header("Upload-Checksum", sum(&wav[1000..2000])).body(wav[1000..2000].to_vec());
    assert_eq!(ann.answer(good).await.is(204).header("upload-offset"), "2000");
    let hidden =
        ann.request(Method::POST, &to).header(TUS.0, TUS.1).header("X-HTTP-Method-Override", "PATCH");
    let hidden =
        hidden.header("Upload-Offset", 2000).header("Content-Type", "application/offset+octet-stream");
    let last = ann.answer(hidden.body(wav[2000..].to_vec())).await.is(204);
    let file = ann.get(&format!("/media/{}/file", last.header("hubbub-item"))).await.is(200);
    assert_eq!(file.body, wav);
    ask(&ann, "/api/v1/media/uploads/..").await.is(404);
    ask(&ann, &format!("/api/v1/media/uploads/{}", "a".repeat(32))).await.is(404);
}

/// Sends the head of a PATCH and a part of its body, and holds the connection.
fn half(app: &App, who: &Visitor, to: &str, offset: usize, bytes: &[u8], announced: usize) -> TcpStream {
    let mut stream = TcpStream::connect(app.running().address).unwrap();
    let head = format!(
        "PATCH {to} HTTP/1.1\r\nHost: localhost\r\nCookie: {}\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: {offset}\r\n\
        Content-Type: application/offset+octet-stream\r\nContent-Length: {announced}\r\n\r\n",
        who.cookie()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(bytes).unwrap();
    stream
}

#[tokio::test]
async fn what_arrived_before_a_cut_is_kept_and_a_silent_connection_gives_way() {
    let mut app = spawn_app().await;
    let ann = app.register("ann").await;
    let wav = recording(1_000_000, 5);
    let to = announce(&ann, "cut.wav", wav.len()).await.header("location");
    // Asking makes the old connection let go, so it is asked when something has arrived.
    let arrived = async |more_than: u64| {
        let deadline = Instant::now() + DEADLINE;
        while ann.get("/api/v1/media/uploads").await.json()["uploads"][0]["offset"].as_u64().unwrap()
            <= more_than
        {
            assert!(Instant::now() < deadline, "nothing arrives");
        }
        ask(&ann, &to).await.is(200).header("upload-offset").parse::<usize>().unwrap()
    };
    drop(half(&app, &ann, &to, 0, &wav[..400_000], wav.len()));
    let first = arrived(0).await;
    assert!(first <= 400_000);
    // This one is alive and says nothing more.
    let _silent = half(&app, &ann, &to, first, &wav[first..first + 400_000], wav.len() - first);
    let second = arrived(first as u64).await;
    assert!(second <= first + 400_000);
    app.restart().await;
    let ann = Visitor::moved(&ann, &app.origin());
    let asked: usize = ask(&ann, &to).await.is(200).header("upload-offset").parse().unwrap();
    assert_eq!(asked, second);
    let last = bring(&ann, &to, asked, &wav[asked..]).await.is(204);
    let file = ann.get(&format!("/media/{}/file", last.header("hubbub-item"))).await.is(200);
    assert_eq!(HEXLOWER.encode(&Sha256::digest(&file.body)), HEXLOWER.encode(&Sha256::digest(&wav)));
}

#[tokio::test]
async fn a_put_that_breaks_off_leaves_nothing() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let wav = recording(500_000, 5);
    let mut stream = TcpStream::connect(app.running().address).unwrap();
    let head = format!(
        "PUT /api/v1/media/cut.wav HTTP/1.1\r\nHost: localhost\r\nCookie: {}\r\nContent-Length: {}\r\n\r\n",
        ann.cookie(),
        wav.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&wav[..300_000]).unwrap();
    let unfinished =
        async || ann.get("/api/v1/media/uploads").await.json()["uploads"].as_array().unwrap().len();
    let deadline = Instant::now() + DEADLINE;
    while unfinished().await == 0 {
        assert!(Instant::now() < deadline, "it never began");
    }
    drop(stream);
    while unfinished().await > 0 || !parts(&app.media()).is_empty() {
        assert!(Instant::now() < deadline, "it is still there: {:?}", parts(&app.media()));
    }
    assert!(items(&ann).await.is_empty());
}

/// Every state that a kill can leave behind: the rows of `media_uploads` are set by hand, as no kill hits the moment.
#[tokio::test]
async fn a_server_killed_anywhere_finishes_what_was_whole_and_shows_nothing_half() {
    let store = Store::new();
    let child = Child::start(&store);
    let ann = Visitor::new(&child.origin);
    ann.post("/register", &[("username", "ann"), ("password", "correct horse")]).await.is(303);
    let media = store.folder().join("media");
    let mut uploads = Vec::new();
    for (number, name) in ["half", "whole", "promised", "linked", "moved"].into_iter().enumerate() {
        let wav = recording(100_000 + number, number);
        let to = announce(&ann, &format!("{name}.wav"), wav.len()).await.is(201).header("location");
        bring(&ann, &to, 0, &wav[..60_000]).await.is(204);
        uploads.push((name, to, wav));
    }
    child.kill();
    for (name, to, wav) in &uploads {
        let part = media.join(".uploads").join(format!("{}.part", to.rsplit('/').next().unwrap()));
        if *name != "half" {
            let mut file = fs::OpenOptions::new().append(true).open(&part).unwrap();
            file.write_all(&wav[60_000..]).unwrap();
        }
        if ["promised", "linked", "moved"].contains(name) {
            let id = to.rsplit('/').next().unwrap().to_owned();
            let (path, hash) = (format!("{name}.wav"), HEXLOWER.encode(&Sha256::digest(wav)));
            store.messages(&format!(
                "UPDATE media_uploads SET path = '{path}', hash = '{hash}' WHERE id = '{id}'"
            ));
        }
        match *name {
            "linked" => fs::hard_link(&part, media.join("linked.wav")).unwrap(),
            "moved" => fs::rename(&part, media.join("moved.wav")).unwrap(),
            _ => {}
        }
    }
    fs::write(media.join(".uploads").join(format!("{}.part", "0".repeat(32))), "nobody's").unwrap();
    let child = Child::start(&store);
    let ann = Visitor::moved(&ann, &child.origin);
    let deadline = Instant::now() + DEADLINE;
    let own = |item: &&Value| item["added_by"].is_number();
    while items(&ann).await.iter().filter(own).count() < 4 || parts(&media).len() > 1 {
        assert!(Instant::now() < deadline, "{:?} {:?}", items(&ann).await, parts(&media));
    }
    let found = items(&ann).await;
    for (name, to, wav) in &uploads {
        let item = found.iter().filter(|item| item["title"] == *name).collect::<Vec<_>>();
        if *name == "half" {
            assert!(item.is_empty());
            bring(&ann, to, 60_000, &wav[60_000..]).await.is(204);
            continue;
        }
        assert_eq!(item.len(), 1, "{name}: {found:?}");
        assert_eq!(&ann.get(item[0]["url"].as_str().unwrap()).await.is(200).body, wav, "{name}");
    }
    assert!(parts(&media).is_empty());
    child.kill();
}

#[tokio::test]
async fn memory_stays_small_while_a_large_file_comes_in() {
    let store = Store::new();
    let child = Child::start(&store);
    let ann = Visitor::new(&child.origin);
    ann.post("/register", &[("username", "ann"), ("password", "correct horse")]).await.is(303);
    let part = recording(32 * 1024 * 1024, 3);
    let to = announce(&ann, "long.wav", part.len() * 6).await.is(201).header("location");
    bring(&ann, &to, 0, &part).await.is(204);
    let before = child.memory();
    for number in 1..6 {
        bring(&ann, &to, part.len() * number, &part).await.is(204);
    }
    let after = child.memory();
    assert!(after < before + 64 * 1024, "{before} KiB before, {after} KiB after");
    assert_eq!(items(&ann).await[0]["size"], part.len() * 6);
    child.kill();
}
