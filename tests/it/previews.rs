//! Link previews: what of a page comes under a message, who sees it, and how it goes.

use crate::app::{App, spawn_app_going};
use crate::attachments::{photo, tells};
use crate::visitor::{DEADLINE, Visitor};
use hubbub::fetch::{Guard, Outward, Tally};
use hubbub::ids::BOARD;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::timeout;

type Tallies = watch::Receiver<Tally>;
type Answers = HashMap<String, (String, Vec<u8>)>;

/// Somebody else's server: its pages by path, and the requests that it got.
pub struct Site {
    pub address: SocketAddr,
    pages: Arc<Mutex<Answers>>,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Site {
    pub async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (pages, heard) = (Arc::new(Mutex::new(Answers::new())), Arc::new(Mutex::new(Vec::new())));
        let (shelf, ears) = (pages.clone(), heard.clone());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = vec![0; 8192];
                let length = stream.read(&mut request).await.unwrap_or(0);
                let request = String::from_utf8_lossy(&request[..length]).into_owned();
                let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
                ears.lock().unwrap().push(request);
                let known = shelf.lock().unwrap().get(&path).cloned();
                let (head, body) = known.unwrap_or_else(|| ("404 Not Found".into(), Vec::new()));
                let head =
                    format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
                let _ = stream.write_all(&[head.into_bytes(), body].concat()).await;
            }
        });
        Self { address, pages, heard }
    }

    /// Has a page at this path; answers with its address.
    pub fn put(&self, path: &str, kind: &str, body: impl Into<Vec<u8>>) -> String {
        let head = format!("200 OK\r\nContent-Type: {kind}");
        self.pages.lock().unwrap().insert(path.to_owned(), (head, body.into()));
        self.at(path)
    }

    pub fn lead(&self, path: &str, place: &str) -> String {
        let head = format!("302 Found\r\nLocation: {place}");
        self.pages.lock().unwrap().insert(path.to_owned(), (head, Vec::new()));
        self.at(path)
    }

    pub fn at(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn heard(&self) -> usize {
        self.heard.lock().unwrap().len()
    }
}

/// A server that looks at pages by this way out, somebody in it, and a channel of theirs.
pub async fn visit(outward: Outward, settings: &[(&str, &str)]) -> (App, Visitor, Value) {
    let settings = [&[("link_previews", "on")], settings].concat();
    let app = spawn_app_going(&settings, Some(outward)).await;
    let ann = app.register("ann").await;
    let room = ann.create("links").await;
    (app, ann, room)
}

/// Waits until so many fetches have come to an end.
pub async fn ended(tallies: &mut Tallies, count: usize) -> Tally {
    let reached = |tally: &Tally| usize::try_from(tally.ended).unwrap() >= count;
    let waited = timeout(DEADLINE * 2, tallies.wait_for(reached)).await;
    let tally = waited.map(|tally| *tally.unwrap());
    tally.unwrap_or_else(|_| panic!("{:?} after waiting for {count}", *tallies.borrow()))
}

/// All messages of a room, oldest first.
pub async fn messages(who: &Visitor, room: &Value) -> Vec<Value> {
    let (mut all, mut after) = (Vec::new(), 0);
    loop {
        let path = format!("/api/v1/rooms/{}/messages?after={after}", room["id"]);
        let page = who.get(&path).await.is(200).json();
        all.extend(page["messages"].as_array().unwrap().clone());
        after += 100;
        if page["more"] != true {
            return all;
        }
    }
}

const PAGE: &str = r#"<!doctype html><html><head><title>Plain</title>
    <meta property="og:title" content="The &lt;harbour&gt; &amp; its boats">
    <meta property="og:description" content="Boats   in the evening">
    <meta property="og:site_name" content="Harbour News">
    <meta property="og:image" content="/boats.jpg"><meta property="og:image:alt" content="Three boats"></head>"#;

#[tokio::test]
async fn a_linked_page_stands_under_its_message_with_a_picture_of_ones_own() {
    let site = Site::open().await;
    let page = site.put("/news", "text/html; charset=utf-8", PAGE);
    site.put("/boats.jpg", "image/jpeg", photo(1200, 630));
    let (app, ann, room) = visit(Outward::new(Guard::new(vec![site.address])), &[]).await;
    let bob = app.register("bob").await;
    bob.join(&room).await.is(200);
    let mut socket = bob.socket().await;
    ann.say(&room, &format!("look: {page}")).await.is(201);
    let bare = socket.hear("the message", |frame| frame["type"] == "message").await;
    assert!(bare.get("preview").is_none(), "nobody waits for it: {bare}");
    let heard = socket.hear("the preview", |frame| frame.get("preview").is_some()).await;
    assert_eq!((&heard["seq"], &heard["rev"]), (&json!(1), &json!(2)));
    let preview = &heard["preview"];
    assert_eq!(preview["url"], json!(page));
    assert_eq!(preview["title"], "The <harbour> & its boats");
    assert_eq!(preview["description"], "Boats in the evening");
    assert_eq!(preview["site"], "Harbour News");
    let picture = &preview["picture"];
    assert_eq!((&picture["width"], &picture["height"]), (&json!(640), &json!(336)));
    assert_eq!(picture["description"], "Three boats");
    assert!(heard.get("edited").is_none() && heard.get("attachments").is_none());

    let shown = bob.get(picture["url"].as_str().unwrap()).await.is(200);
    assert_eq!(shown.header("content-type"), "image/jpeg");
    assert!(!tells(&shown.body), "what came with it stays out");
    assert_eq!(image::load_from_memory(&shown.body).unwrap().width(), 640);
    let html = bob.get("/c/links").await.is(200).text();
    assert!(html.contains("The &#60;harbour&#62; &#38; its boats"), "{html}");
    assert!(html.contains(&format!("src=\"{}\"", picture["url"].as_str().unwrap())));
    assert!(!html.contains("boats.jpg"), "browsers learn of no picture elsewhere");
    let changes = bob.get(&format!("/api/v1/rooms/{}/changes?after=1", room["id"])).await.is(200).json();
    assert_eq!(changes["messages"][0]["preview"], *preview);
    for request in site.heard.lock().unwrap().iter().map(|request| request.to_lowercase()) {
        assert!(request.contains("user-agent: hubbub/"), "{request}");
        assert!(!request.contains("cookie") && !request.contains("referer"), "{request}");
    }
}

#[tokio::test]
async fn the_picture_is_seen_by_whom_the_message_is_seen_and_goes_with_it() {
    let site = Site::open().await;
    let page = site.put("/news", "text/html", PAGE);
    site.put("/boats.jpg", "image/jpeg", photo(800, 400));
    let (app, ann, _) = visit(Outward::new(Guard::new(vec![site.address])), &[]).await;
    let eve = app.register("eve").await;
    let group = json!({ "kind": "group", "name": "Crew", "members": [] });
    let crew = ann.send("POST", "/api/v1/rooms", &group).await.is(201).json();
    let mut socket = ann.socket().await;
    for taken in ["deleted", "edited", "off"] {
        let seq = socket.send(&crew, &format!("{taken} {page}")).await["seq"].clone();
        let shown = socket.hear("the preview", |f| f["seq"] == seq && f.get("preview").is_some()).await;
        let picture = shown["preview"]["picture"]["url"].as_str().unwrap().to_owned();
        ann.get(&picture).await.is(200);
        eve.get(&picture).await.is(404);
        assert_ne!(app.stranger().get(&picture).await.status, 200);
        let about = json!({ "room": crew["id"], "seq": seq });
        let change = |kind: &str, more: Value| {
            let mut asked = about.clone();
            asked["type"] = json!(kind);
            for (name, value) in more.as_object().unwrap() {
                asked[name] = value.clone();
            }
            asked
        };
        match taken {
            "deleted" => socket.must(change("delete", json!({}))).await,
            "edited" => socket.must(change("edit", json!({ "text": "no link any more" }))).await,
            _ => socket.must(change("preview", json!({ "on": false }))).await,
        };
        ann.get(&picture).await.is(404);
        let now = messages(&ann, &crew).await.into_iter().find(|m| m["seq"] == seq).unwrap();
        assert!(now.get("preview").is_none(), "{now}");
    }
    assert_eq!(site.heard(), 2, "the page and its picture are fetched once a day");
}

#[tokio::test]
async fn an_author_takes_the_preview_off_and_an_edit_that_leads_elsewhere_brings_another() {
    let site = Site::open().await;
    let first = site.put("/one", "text/html", "<title>One</title>");
    let second = site.put("/two", "text/html", "<title>Two</title>");
    let (app, ann, room) = visit(Outward::new(Guard::new(vec![site.address])), &[]).await;
    let bob = app.register("bob").await;
    bob.join(&room).await.is(200);
    let mut socket = bob.socket().await;
    ann.say(&room, &first).await.is(201);
    let message = format!("/api/v1/rooms/{}/messages/1", room["id"]);
    let titled = |title: &'static str| {
        move |frame: &Value| frame["type"] == "message" && frame["preview"]["title"] == title
    };
    socket.hear("the first", titled("One")).await;
    // Other words beside the same link keep what is there.
    ann.send("PATCH", &message, &json!({ "text": format!("see {first}") })).await.is(200);
    let kept = socket.hear("the edit", |frame| frame.get("edited").is_some()).await;
    assert_eq!(kept["preview"]["title"], "One");
    bob.send("DELETE", &format!("{message}/preview"), &Value::Null).await.is(403);
    let bare = ann.send("DELETE", &format!("{message}/preview"), &Value::Null).await.is(200).json();
    assert!(bare.get("preview").is_none());
    let again = ann.send("DELETE", &format!("{message}/preview"), &Value::Null).await.is(200).json();
    assert_eq!(again["rev"], bare["rev"], "what changes nothing takes no number");
    ann.send("PATCH", &message, &json!({ "text": format!("look at {first}") })).await.is(200);
    ann.send("PUT", &format!("{message}/preview"), &Value::Null).await.is(200);
    socket.hear("it back", titled("One")).await;
    let edited = ann.send("PATCH", &message, &json!({ "text": second })).await.is(200).json();
    assert!(edited.get("preview").is_none(), "that of another page doesn't stay: {edited}");
    socket.hear("the second", titled("Two")).await;
    ann.send("DELETE", &message, &Value::Null).await.is(200);
    ann.send("DELETE", &format!("{message}/preview"), &Value::Null).await.problem(409, "deleted");
    bob.say(&room, "no link").await.is(201);
    let none = format!("/api/v1/rooms/{}/messages/2/preview", room["id"]);
    let plain = bob.send("DELETE", &none, &Value::Null).await.is(200).json();
    assert_eq!(plain["rev"], json!(edited["rev"].as_i64().unwrap() + 3), "{plain}");
}

#[tokio::test]
async fn a_note_and_a_bare_picture_have_previews_and_what_is_no_page_has_none() {
    let site = Site::open().await;
    let good = site.put("/note", "text/html; charset=big5", b"<title>\xa4\xa4\xa4\xe5</title>".to_vec());
    let picture = site.put("/a%20cat.jpg", "image/jpeg", photo(300, 200));
    let outward = Outward::new(Guard::new(vec![site.address]));
    let mut tallies = outward.tally();
    let (_app, ann, room) = visit(outward, &[]).await;
    let bad = [
        site.put("/app.bin", "application/octet-stream", "x"),
        site.put("/untitled", "text/html", "<p>hello"),
        site.put("/broken.jpg", "image/jpeg", "no picture"),
        site.at("/missing"),
    ];
    for link in &bad {
        ann.say(&room, link).await.is(201);
    }
    for quiet in [format!("`{good}`"), format!("<{good}>"), format!("||{good}||")] {
        ann.say(&room, &quiet).await.is(201);
    }
    let mut socket = ann.socket().await;
    socket.send(&room, &picture).await;
    let cat = socket.hear("the picture", |f| f["preview"]["title"] == "a cat.jpg").await;
    assert_eq!(cat["preview"]["picture"]["width"], 300);
    ann.post("/board", &[("text", &format!("read {good}"))]).await.is(303);
    let note = socket.hear("the note", |f| f["room"] == BOARD.0 && f.get("preview").is_some()).await;
    assert_eq!(note["preview"]["title"], "中文");
    ann.get("/board").await.is(200).has("中文");
    ended(&mut tallies, bad.len() + 2).await;
    let shown: Vec<Value> =
        messages(&ann, &room).await.into_iter().filter(|m| m.get("preview").is_some()).collect();
    // A picture that can't be drawn leaves its name, as a page without one does.
    let titles: Vec<&Value> = shown.iter().map(|m| &m["preview"]["title"]).collect();
    assert_eq!(titles, ["broken.jpg", "a cat.jpg"], "{shown:#?}");
}

#[tokio::test]
async fn switched_off_nothing_is_fetched() {
    let site = Site::open().await;
    let page = site.put("/news", "text/html", PAGE);
    let outward = Outward::new(Guard::new(vec![site.address]));
    let tallies = outward.tally();
    let (_app, ann, room) = visit(outward, &[("link_previews", "off")]).await;
    let mut socket = ann.socket().await;
    socket.send(&room, &page).await;
    socket.hear_message(&page).await;
    assert_eq!((*tallies.borrow(), site.heard()), (Tally::default(), 0));
}

#[tokio::test]
async fn what_is_taken_down_goes_with_its_preview_and_both_come_back() {
    let site = Site::open().await;
    let page = site.put("/news", "text/html; charset=utf-8", PAGE);
    site.put("/boats.jpg", "image/jpeg", photo(1200, 630));
    let (app, ann, room) = visit(Outward::new(Guard::new(vec![site.address])), &[]).await;
    let bob = app.register("bob").await;
    bob.join(&room).await.is(200);
    let mut socket = ann.socket().await;
    bob.say(&room, &page).await.is(201);
    let heard = socket.hear("the preview", |frame| frame.get("preview").is_some()).await;
    let picture = heard["preview"]["picture"]["url"].as_str().unwrap().to_owned();
    ann.get(&picture).await.is(200);
    let path = "/api/v1/accounts/bob/takedowns";
    let ordered = ann.send("POST", path, &json!({ "span": "day" })).await.json();
    socket.hear("the end of it", |frame| frame["deleted"] == true && frame["seq"] == heard["seq"]).await;
    ann.get(&picture).await.is(404);
    ann.send("DELETE", &format!("/api/v1/takedowns/{}", ordered["id"]), &Value::Null).await;
    let back = socket.hear("the preview again", |frame| frame.get("preview").is_some()).await;
    assert_eq!((&back["seq"], &back["text"]), (&heard["seq"], &json!(page)));
    ann.get(back["preview"]["picture"]["url"].as_str().unwrap()).await.is(200);
}
