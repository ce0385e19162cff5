//! Pictures and files: what comes in, what of it stays, and who gets it.

use crate::app::{App, spawn_app, spawn_app_with};
use crate::child::Child;
use crate::store::Store;
use crate::visitor::{Answer, Visitor, nonce};
use diesel::sql_types::BigInt;
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use hubbub::db::{Database, Task, Which};
use image::{ExtendedColorType, ImageEncoder, RgbImage};
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use std::io::Write as _;
use std::net::TcpStream;
use std::time::{Duration, Instant};

const PLACE: &[u8] = b"GPS 25.0330N 121.5654E";

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// Asks the messages database beside the server.
fn count(store: &Store, query: &str) -> i64 {
    let db = Database::<Task>::open(Which::Messages, &store.url(Which::Messages).parse().unwrap(), |_, _| {});
    let db = db.unwrap();
    let n = db.read_blocking(|conn| Ok(sql_query(query).get_result::<Count>(conn)?.n)).unwrap();
    db.close();
    n
}

/// Makes a channel a group: its members alone know that it exists.
async fn make_private(store: &Store, room: &Value) {
    let db = Database::<Task>::open(Which::Messages, &store.url(Which::Messages).parse().unwrap(), |b, o| {
        for task in b {
            Task::settle(task, &o);
        }
    });
    let (db, id) = (db.unwrap(), room["id"].as_i64().unwrap());
    let change = format!("UPDATE rooms SET kind = 'group', name_key = NULL WHERE id = {id}");
    db.write(move |conn| Ok(sql_query(change.as_str()).execute(conn)?)).await.unwrap();
    db.close();
}

/// A JPEG with a place in its EXIF.
pub fn photo(width: u32, height: u32) -> Vec<u8> {
    let mut plain = Vec::new();
    let picture =
        RgbImage::from_fn(width, height, |x, y| image::Rgb([x.to_le_bytes()[0], y.to_le_bytes()[0], 80]));
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut plain, 85)
        .write_image(&picture, width, height, ExtendedColorType::Rgb8)
        .unwrap();
    let exif = [b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0", PLACE].concat();
    let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
    [&plain[..2], &[0xFF, 0xE1], &length, &exif, &plain[2..], PLACE].concat()
}

pub fn tells(bytes: &[u8]) -> bool {
    bytes.windows(PLACE.len()).any(|window| window == PLACE)
}

impl Visitor {
    pub async fn upload(&self, room: &Value, name: &str, bytes: Vec<u8>) -> Answer {
        let form = Form::new().part("file", Part::bytes(bytes).file_name(name.to_owned()));
        let path = format!("/api/v1/rooms/{}/attachments", room["id"]);
        self.answer(self.request(Method::POST, &path).multipart(form)).await
    }

    async fn send_with(&self, room: &Value, nonce: &str, text: &str, attachments: &[&Value]) -> Answer {
        let ids: Vec<&Value> = attachments.iter().map(|attachment| &attachment["id"]).collect();
        let body = json!({ "nonce": nonce, "text": text, "attachments": ids });
        self.send("POST", &format!("/api/v1/rooms/{}/messages", room["id"]), &body).await
    }
}

fn url(attachment: &Value) -> &str {
    attachment["url"].as_str().unwrap()
}

/// A channel with two members.
async fn talk(app: &App) -> (Visitor, Visitor, Value) {
    let (ann, bob) = (app.register("ann").await, app.register("bob").await);
    let room = ann.create("pictures").await;
    bob.join(&room).await.is(200);
    (ann, bob, room)
}

#[tokio::test]
async fn a_picture_comes_to_others_without_what_it_told_and_with_its_size_known() {
    let app = spawn_app().await;
    let (ann, bob, room) = talk(&app).await;
    let mut socket = bob.socket().await;
    let sent = photo(1600, 800);
    assert!(tells(&sent));
    let picture = ann.upload(&room, "on the beach.jpg", sent).await.is(201).json();
    assert_eq!(
        (&picture["mime"], &picture["width"], &picture["height"], &picture["name"]),
        (&json!("image/jpeg"), &json!(1600), &json!(800), &json!("on the beach.jpg"))
    );
    ann.send_with(&room, &nonce(), "", &[&picture]).await.is(201);
    let heard = socket.hear("the picture", |frame| frame["type"] == "message").await;
    assert_eq!((&heard["text"], &heard["attachments"]), (&json!(""), &json!([picture])));
    let path = format!("/api/v1/rooms/{}/messages", room["id"]);
    assert_eq!(bob.get(&path).await.is(200).json()["messages"][0]["attachments"], json!([picture]));

    let whole = bob.get(url(&picture)).await.is(200);
    assert!(!tells(&whole.body) && image::load_from_memory(&whole.body).unwrap().width() == 1600);
    assert_eq!(picture["size"], json!(whole.body.len()));
    assert_eq!(whole.header("content-type"), "image/jpeg");
    assert_eq!(whole.header("x-content-type-options"), "nosniff");
    assert_eq!(whole.header("cache-control"), "private, max-age=31536000, immutable");
    assert!(whole.header("content-security-policy").contains("sandbox"));
    assert_eq!(whole.header("content-disposition"), "inline; filename*=UTF-8''on%20the%20beach.jpg");
    let small = bob.get(picture["thumbnail"].as_str().unwrap()).await.is(200);
    assert!(!tells(&small.body) && small.body.len() < whole.body.len());
    assert_eq!(image::load_from_memory(&small.body).unwrap().width(), 640);
}

#[tokio::test]
async fn a_large_file_is_read_in_ranges_and_asked_about_by_its_tag() {
    let app = spawn_app().await;
    let (ann, bob, room) = talk(&app).await;
    let bytes: Vec<u8> = (0..3_000_000_u32).flat_map(|n| n.to_le_bytes()[..1].to_vec()).collect();
    let file = ann.upload(&room, "數據.bin", bytes.clone()).await.is(201).json();
    assert!(file.get("width").is_none() && file.get("thumbnail").is_none());
    ann.send_with(&room, &nonce(), "the numbers", &[&file]).await.is(201);
    let whole = bob.get(url(&file)).await.is(200);
    assert!(whole.body == bytes, "{} bytes came", whole.body.len());
    let tag = whole.header("etag");
    let ask = |name: &'static str, value: String| bob.request(Method::GET, url(&file)).header(name, value);
    let part = bob.answer(ask("range", "bytes=2000000-2000099".into())).await.is(206);
    assert_eq!(part.header("content-range"), "bytes 2000000-2000099/3000000");
    assert!(part.body == bytes[2_000_000..2_000_100]);
    bob.answer(ask("range", "bytes=3000000-".into())).await.is(416);
    assert!(bob.answer(ask("if-none-match", tag)).await.is(304).body.is_empty());
    let head = bob.answer(bob.request(Method::HEAD, url(&file))).await.is(200);
    assert_eq!((head.header("content-length").as_str(), head.body.len()), ("3000000", 0));
    bob.answer(bob.request(Method::POST, url(&file))).await.is(405);
    bob.get(&format!("{}?thumbnail", url(&file))).await.is(404);
}

#[tokio::test]
async fn what_is_no_picture_is_a_download_whatever_it_is_called() {
    let app = spawn_app().await;
    let (ann, bob, room) = talk(&app).await;
    for (name, content) in [
        ("cat.jpg", &b"<html><script>alert(1)</script></html>"[..]),
        ("cat.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
        ("../../a b: <i>.html", b"<!doctype html><script>alert(1)</script>"),
        ("cat.gif", b"GIF8"),
    ] {
        let file = ann.upload(&room, name, content.to_vec()).await.is(201).json();
        ann.send_with(&room, &nonce(), "", &[&file]).await.is(201);
        let answer = bob.get(url(&file)).await.is(200);
        assert_eq!(answer.header("content-type"), "application/octet-stream", "{name}");
        assert!(answer.header("content-disposition").starts_with("attachment;"), "{name}");
        assert!(answer.header("content-security-policy").contains("default-src 'none'"), "{name}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert!(!file["name"].as_str().unwrap().contains(['/', '\r', '\n']), "{file}");
    }
    // The other way round: a picture is one whatever it is called.
    let picture = ann.upload(&room, "not a picture.html", photo(20, 20)).await.is(201).json();
    assert_eq!(picture["mime"], "image/jpeg");
}

#[tokio::test]
async fn it_takes_membership_to_fetch_and_to_send() {
    let app = spawn_app().await;
    let (ann, bob, room) = talk(&app).await;
    let carol = app.register("carol").await;
    carol.upload(&room, "x.txt", b"hello".to_vec()).await.problem(403, "not_member");
    make_private(&app.store, &room).await;
    let file = ann.upload(&room, "x.txt", b"hello".to_vec()).await.is(201).json();
    bob.get(url(&file)).await.is(404);
    ann.get(url(&file)).await.is(200);
    ann.send_with(&room, &nonce(), "", &[&file]).await.is(201);
    bob.get(url(&file)).await.is(200);
    // Whoever isn't in the room gets what one gets for what isn't there.
    let nowhere = json!({ "id": 999 });
    for (there, not_there) in [
        (carol.get(url(&file)).await, carol.get("/attachments/999/x.txt").await),
        (
            carol.upload(&room, "x.txt", b"hello".to_vec()).await,
            carol.upload(&nowhere, "x.txt", b"hello".to_vec()).await,
        ),
    ] {
        assert_eq!((there.status, not_there.status), (404, 404));
        // The page names the address that was asked for.
        let here = [format!("attachments/{}", file["id"]), format!("attachments%2F{}", file["id"])];
        let words = |answer: &Answer| {
            let text = answer.text().replace(&answer.header("x-request-id"), "");
            text.replace(&here[0], "attachments/999").replace(&here[1], "attachments%2F999")
        };
        assert_eq!(words(&there), words(&not_there));
    }
    bob.send("POST", &format!("/api/v1/rooms/{}/leave", room["id"]), &Value::Null).await;
    let members = bob.get(&format!("/api/v1/rooms/{}", room["id"])).await;
    assert_eq!(members.status, 404, "bob has left");
    bob.get(url(&file)).await.is(404);
    app.stranger().get(url(&file)).await.is(303);
    for path in ["/attachments/x/y", "/attachments/-1/y", "/attachments/99999999999999999999/y"] {
        ann.get(path).await.is(404);
    }
}

#[tokio::test]
async fn the_same_file_is_stored_once_and_nobody_learns_of_it() {
    let app = spawn_app().await;
    let (ann, bob, room) = talk(&app).await;
    let other = bob.create("elsewhere").await;
    let bytes = photo(900, 300);
    let first = ann.upload(&room, "a.jpg", bytes.clone()).await.is(201).json();
    let second = ann.upload(&room, "b.jpg", bytes.clone()).await.is(201).json();
    let third = bob.upload(&other, "c.jpg", bytes).await.is(201).json();
    assert_eq!(count(&app.store, "SELECT count(*) AS n FROM blobs"), 1);
    assert_eq!(count(&app.store, "SELECT count(*) AS n FROM attachments"), 3);
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!((keys(&first), keys(&first)), (keys(&second), keys(&third)));
    for attachment in [&first, &second] {
        let path = format!("/api/v1/rooms/{}/attachments/{}", room["id"], attachment["id"]);
        bob.send("DELETE", &path, &Value::Null).await.is(404);
        ann.send("DELETE", &path, &Value::Null).await.is(204);
    }
    bob.get(url(&third)).await.is(200);
    assert_eq!(count(&app.store, "SELECT count(*) AS n FROM blobs"), 1);
}

#[tokio::test]
async fn an_upload_is_sent_once_by_its_sender_where_it_was_uploaded() {
    let app = spawn_app().await;
    let (ann, bob, room) = talk(&app).await;
    let other = ann.create("elsewhere").await;
    let file = ann.upload(&room, "a.txt", b"a".to_vec()).await.is(201).json();
    let wrong = |answer: Answer| {
        let problem = answer.problem(422, "invalid");
        assert_eq!(problem["fields"][0]["field"], "attachments", "{problem}");
    };
    wrong(bob.send_with(&room, &nonce(), "mine", &[&file]).await);
    wrong(ann.send_with(&other, &nonce(), "elsewhere", &[&file]).await);
    wrong(ann.send_with(&room, &nonce(), "twice", &[&file, &file]).await);
    wrong(ann.send_with(&room, &nonce(), "many", &[&file; 11]).await);
    wrong(ann.send_with(&room, &nonce(), "no such", &[&json!({ "id": 999 })]).await);
    let words = nonce();
    let first = ann.send_with(&room, &words, "once", &[&file]).await.is(201).json();
    wrong(ann.send_with(&room, &nonce(), "again", &[&file]).await);
    // A repeated nonce is the same message; with other files it is not.
    assert_eq!(ann.send_with(&room, &words, "once", &[&file]).await.is(201).json(), first);
    ann.send_with(&room, &words, "once", &[]).await.problem(409, "nonce_reused");
    let more = ann.upload(&room, "b.txt", b"b".to_vec()).await.is(201).json();
    ann.send_with(&room, &words, "once", &[&more]).await.problem(409, "nonce_reused");
    let path = format!("/api/v1/rooms/{}/attachments/{}", room["id"], file["id"]);
    ann.send("DELETE", &path, &Value::Null).await.is(404);
}

#[tokio::test]
async fn a_description_travels_with_the_picture() {
    let app = spawn_app().await;
    let (ann, bob, room) = talk(&app).await;
    let picture = ann.upload(&room, "a.jpg", photo(40, 30)).await.is(201).json();
    let path = format!("/api/v1/rooms/{}/attachments/{}", room["id"], picture["id"]);
    bob.send("PATCH", &path, &json!({ "description": "not mine" })).await.is(404);
    ann.send("PATCH", &path, &json!({ "description": "x".repeat(501) })).await.problem(422, "invalid");
    ann.send("PATCH", &path, &json!({ "description": " A gull\non a <post>  " })).await.is(204);
    ann.send_with(&room, &nonce(), "look", &[&picture]).await.is(201);
    let page = bob.get("/c/pictures").await.is(200);
    page.has("alt=\"A gull on a &#60;post&#62;\"")
        .has("width=\"40\" height=\"30\"")
        .has("class=\"picture shape-13");
}

#[tokio::test]
async fn what_is_too_large_is_said_before_and_refused_after() {
    let app = spawn_app_with(&[("attachment_bytes", "1048576")]).await;
    let (ann, _, room) = talk(&app).await;
    let socket = ann.socket().await;
    assert_eq!(
        (&socket.ready["limits"]["attachment_bytes"], &socket.ready["limits"]["attachments"]),
        (&json!(1_048_576), &json!(10))
    );
    ann.get("/c/pictures").await.is(200).has("data-bytes-max=\"1048576\"");
    ann.upload(&room, "fits.bin", vec![7; 1_048_576]).await.is(201);
    let refused = ann.upload(&room, "large.bin", vec![7; 1_048_577]).await.problem(413, "too_large");
    assert!(refused["detail"].as_str().unwrap().contains("1 MiB"), "{refused}");
    ann.upload(&room, "empty.bin", Vec::new()).await.problem(422, "invalid");
    let path = format!("/api/v1/rooms/{}/attachments", room["id"]);
    ann.send("POST", &path, &json!({})).await.problem(400, "bad_form");
    ann.answer(ann.request(Method::POST, &path).multipart(Form::new().text("x", "y"))).await.is(422);
    assert_eq!(count(&app.store, "SELECT count(*) AS n FROM attachments"), 1);
}

#[tokio::test]
async fn uploads_that_nobody_sends_are_bounded() {
    let app = spawn_app_with(&[("attachment_bytes", "1048576")]).await;
    let (ann, bob, room) = talk(&app).await;
    let mut taken = 0;
    let refusal = loop {
        let answer = ann.upload(&room, "x.bin", vec![taken; 1_048_576]).await;
        if answer.status != 201 {
            break answer;
        }
        taken += 1;
        assert!(taken < 60, "there is no end");
    };
    refusal.problem(403, "too_many_uploads");
    assert_eq!(taken, 20);
    bob.upload(&room, "x.bin", vec![1; 1000]).await.is(201);
}

#[tokio::test]
async fn guests_send_files_where_the_owner_lets_them() {
    for (rights, status) in [("channels", 403), ("channels,files", 201)] {
        let app = spawn_app_with(&[("guest_rights", rights)]).await;
        let ann = app.register("ann").await;
        let room = ann.create("pictures").await;
        let guest = app.guest("Bob").await;
        guest.join(&room).await.is(200);
        guest.upload(&room, "a.jpg", photo(10, 10)).await.is(status);
        let page = guest.get("/c/pictures").await.is(200);
        assert_eq!(
            page.text().contains("type=\"file\""),
            status == 201,
            "the button is there for those who may"
        );
    }
}

#[tokio::test]
async fn a_note_and_a_message_by_plain_form_carry_pictures_and_a_form_sent_twice_leaves_one() {
    let app = spawn_app().await;
    let (ann, bob, _) = talk(&app).await;
    for (path, field) in [("/board", "image"), ("/c/pictures", "file")] {
        let nonce = nonce();
        for _ in 0..2 {
            let form = Form::new()
                .text("text", "look at this")
                .text("nonce", nonce.clone())
                .part(field, Part::bytes(photo(800, 600)).file_name("a.jpg"))
                .part("nothing", Part::bytes(Vec::new()).file_name(""));
            ann.answer(ann.request(Method::POST, path).multipart(form)).await.is(303);
        }
        let page = bob.get(path).await.is(200).has("look at this").text();
        assert_eq!(page.matches("alt=\"a.jpg\"").count(), 1, "{page}");
        let source = page.split("<img src=\"").nth(1).unwrap().split('"').next().unwrap();
        assert!(source.ends_with("?thumbnail"), "{source}");
        bob.get(source).await.is(200);
        // A picture alone is enough; neither of both is not.
        let form = Form::new().part(field, Part::bytes(photo(30, 20)).file_name("b.jpg"));
        ann.answer(ann.request(Method::POST, path).multipart(form)).await.is(303);
        ann.answer(ann.request(Method::POST, path).multipart(Form::new().text("text", " "))).await.is(422);
        let damaged = photo(800, 600)[..60].to_vec();
        let form = Form::new().text("text", "kept").part(field, Part::bytes(damaged).file_name("c.jpg"));
        ann.answer(ann.request(Method::POST, path).multipart(form)).await.is(422).has("damaged").has("kept");
    }
}

/// A PNG that says to have this many pixels and holds a few bytes.
pub fn bomb(width: u32, height: u32) -> Vec<u8> {
    let chunk = |name: &[u8], data: &[u8]| {
        let mut sum = flate2::Crc::new();
        sum.update(name);
        sum.update(data);
        let length = u32::try_from(data.len()).unwrap().to_be_bytes();
        [&length[..], name, data, &sum.sum().to_be_bytes()].concat()
    };
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 6, 0, 0, 0]].concat();
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(&vec![0; 8 << 20]).unwrap();
    let head = [0x89, b'P', b'N', b'G', 13, 10, 26, 10];
    let pixels = packed.finish().unwrap();
    [&head[..], &chunk(b"IHDR", &header), &chunk(b"IDAT", &pixels), &chunk(b"IEND", b"")].concat()
}

#[tokio::test]
async fn a_bomb_is_refused_at_once_and_takes_no_memory() {
    let store = Store::new();
    let child = Child::start(&store);
    let ann = Visitor::new(&child.origin);
    ann.post("/register", &[("username", "ann"), ("password", crate::app::PASSWORD)]).await.is(303);
    let room = ann.create("pictures").await;
    ann.upload(&room, "warm.jpg", photo(64, 64)).await.is(201);
    let before = child.memory();
    let started = Instant::now();
    let refused = ann.upload(&room, "bomb.png", bomb(50_000, 50_000)).await.problem(422, "invalid");
    let took = started.elapsed();
    assert!(refused["detail"].as_str().unwrap().contains("50000 × 50000"), "{refused}");
    let more = child.memory().saturating_sub(before);
    println!("a bomb of 50,000 × 50,000 pixels: refused in {took:?} with {more} KiB more");
    // The pixels would be 10 GB, and minutes. How quick it is on a machine of its own, the picture's own tests say.
    assert!(took < Duration::from_secs(10) && more < 20_000, "{took:?}, {more} KiB");
    assert_eq!(count(&store, "SELECT count(*) AS n FROM blobs"), 1);
}

/// Sends the head of an upload and half of its body by hand.
fn half_an_upload(origin: &str, visitor: &Visitor, room: &Value) -> TcpStream {
    let address = origin.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).unwrap();
    let body = b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.bin\"\r\n\r\n";
    let head = format!(
        "POST /api/v1/rooms/{}/attachments HTTP/1.1\r\nHost: {address}\r\nCookie: {}\r\n\
         Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 3000000\r\n\r\n",
        room["id"],
        visitor.cookie()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    stream.write_all(&vec![7; 1_500_000]).unwrap();
    stream
}

fn left_behind(store: &Store) -> (i64, i64, Vec<String>) {
    let names = std::fs::read_dir(store.folder().join("data")).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    let known = |name: &String| name.contains(".db") || name.ends_with("key") || name.ends_with("secret");
    (
        count(store, "SELECT count(*) AS n FROM attachments"),
        count(store, "SELECT count(*) AS n FROM blobs"),
        names.filter(|name| !known(name)).collect(),
    )
}

#[tokio::test]
async fn an_upload_that_is_broken_off_leaves_nothing_however_it_ends() {
    let store = Store::new();
    let child = Child::start(&store);
    let ann = Visitor::new(&child.origin);
    ann.post("/register", &[("username", "ann"), ("password", crate::app::PASSWORD)]).await.is(303);
    let room = ann.create("pictures").await;
    let before = left_behind(&store);
    assert_eq!((before.0, before.1), (0, 0));
    // The sender goes away: more often than they may have under way, so that each must have been let go.
    for _ in 0..10 {
        drop(half_an_upload(&child.origin, &ann, &room));
    }
    let started = Instant::now();
    while ann.upload(&room, "after.txt", b"after".to_vec()).await.status != 201 {
        assert!(started.elapsed() < crate::visitor::DEADLINE, "the broken ones still count");
    }
    assert_eq!(left_behind(&store), (1, 1, before.2.clone()));
    // The server goes away.
    let stream = half_an_upload(&child.origin, &ann, &room);
    child.kill();
    drop(stream);
    let child = Child::start(&store);
    assert_eq!(left_behind(&store), (1, 1, before.2));
    let ann = Visitor::moved(&ann, &child.origin);
    ann.upload(&room, "again.txt", b"again".to_vec()).await.is(201);
}
