//! The guard in front of other people's servers: whatever a message links to, nothing is asked that only this server can reach.

use crate::app::{App, spawn_app_with};
use crate::previews::{Site, ended, messages, visit};
use crate::trust::Trust;
use crate::visitor::{Visitor, nonce};
use futures_util::future::BoxFuture;
use hubbub::fetch::{Bound, Guard, Names, Outward, Refused, System, Tally, Wanted};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

/// Counts who knocks at a port of this machine, by any of its addresses, and lets nobody in.
struct Door {
    port: u16,
    knocks: Arc<AtomicUsize>,
}

impl Door {
    async fn open() -> Self {
        let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let knocks = Arc::new(AtomicUsize::new(0));
        // Where there is no IPv6, nobody can come by it either.
        let second = TcpListener::bind(("::1", port)).await.ok();
        for listener in std::iter::once(listener).chain(second) {
            let knocks = knocks.clone();
            tokio::spawn(async move {
                while listener.accept().await.is_ok() {
                    knocks.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        Self { port, knocks }
    }

    fn knocks(&self) -> usize {
        self.knocks.load(Ordering::SeqCst)
    }
}

/// Names and their addresses; what has several takes them in turns.
struct Book(Mutex<HashMap<String, Turns>>);

/// Answers, and how many were given.
type Turns = (Vec<Vec<IpAddr>>, usize);

impl Book {
    fn of(names: &[(&str, &[&[&str]])]) -> Arc<Self> {
        let read = |turn: &&[&str]| turn.iter().map(|ip| ip.parse().unwrap()).collect();
        let entry =
            |(name, turns): &(&str, &[&[&str]])| ((*name).to_owned(), (turns.iter().map(read).collect(), 0));
        Arc::new(Self(Mutex::new(names.iter().map(entry).collect())))
    }
}

impl Names for Book {
    fn look_up(&self, host: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let mut book = self.0.lock().unwrap();
        let found = book.get_mut(host).map(|(turns, at)| {
            *at += 1;
            turns[(*at - 1) % turns.len()].clone()
        });
        Box::pin(async move { found.ok_or_else(|| io::Error::other("nobody has that name")) })
    }
}

/// Names as an attacker has them in their own zone, or a network in its own.
fn names() -> Arc<Book> {
    Book::of(&[
        ("localhost", &[&["127.0.0.1"]]),
        ("localhost.", &[&["127.0.0.1"]]),
        ("app.localhost", &[&["127.0.0.1", "::1"]]),
        ("loop.example", &[&["127.0.0.1"]]),
        ("other.example", &[&["127.0.0.53"]]),
        ("six.example", &[&["::1"]]),
        ("mapped.example", &[&["::ffff:127.0.0.1"]]),
        ("zero.example", &[&["0.0.0.0"]]),
        ("inside.example", &[&["10.0.0.1"]]),
        ("router.lan", &[&["192.168.1.1"]]),
        ("unique.example", &[&["fd00::1"]]),
        ("near.example", &[&["fe80::1"]]),
        ("metadata.google.internal", &[&["169.254.169.254"]]),
        ("both.example", &[&["93.184.216.34", "127.0.0.1"]]),
        ("embedded.example", &[&["64:ff9b::7f00:1"]]),
        ("nothing.example", &[&[]]),
        // The first answer may be reached at the site's own port, the second is inside.
        ("flip.example", &[&["127.0.0.1"], &["::1"]]),
    ])
}

/// What an attacker writes to have the server knock at its own door, `P`.
const OWN: [&str; 34] = [
    "http://127.0.0.1:P/",
    "http://127.0.0.1.:P/",
    "http://127.1:P/",
    "http://127.0.1:P/",
    "http://127.0.0.2:P/",
    "http://127.255.255.254:P/",
    "http://2130706433:P/",
    "http://0x7f000001:P/",
    "http://0x7f.0.0.1:P/",
    "http://0x7f.1:P/",
    "http://0177.0.0.1:P/",
    "http://017700000001:P/",
    "http://①②⑦.⓪.⓪.①:P/",
    "http://１２７.0.0.1:P/",
    "http://127。0。0。1:P/",
    "http://0.0.0.0:P/",
    "http://0:P/",
    "https://127.0.0.1:P/",
    "http://[::1]:P/",
    "http://[0:0:0:0:0:0:0:1]:P/",
    "http://[::]:P/",
    "http://[::ffff:127.0.0.1]:P/",
    "http://[::ffff:7f00:1]:P/",
    "http://[0:0:0:0:0:ffff:7f00:1]:P/",
    "http://localhost:P/",
    "http://LOCALHOST:P/",
    "http://localhost.:P/",
    "http://app.localhost:P/",
    "http://loop.example:P/",
    "http://other.example:P/",
    "http://six.example:P/",
    "http://mapped.example:P/",
    "http://zero.example:P/",
    "http://both.example:P/",
];

/// Other addresses that only it can reach, and tricks.
const INSIDE: [&str; 44] = [
    "http://10.0.0.1:P/",
    "http://10.255.255.254/",
    "http://172.16.0.1:P/",
    "http://172.31.255.254/",
    "http://192.168.0.1/",
    "http://192.168.1.1:P/",
    "http://169.254.169.254/latest/meta-data/",
    "http://2852039166/latest/meta-data/",
    "http://0xa9fea9fe/",
    "http://0251.0376.0251.0376/",
    "http://169.254.170.2/v2/credentials",
    "http://100.64.0.1:P/",
    "http://100.100.100.200/",
    "http://168.63.129.16/",
    "http://192.0.0.192/",
    "http://198.18.0.1:P/",
    "http://224.0.0.1:P/",
    "http://239.255.255.250:P/",
    "http://240.0.0.1/",
    "http://255.255.255.255:P/",
    "http://0.0.0.1:P/",
    "http://[::127.0.0.1]:P/",
    "http://[::ffff:169.254.169.254]/",
    "http://[::ffff:0:127.0.0.1]:P/",
    "http://[64:ff9b::127.0.0.1]:P/",
    "http://[64:ff9b:1::7f00:1]:P/",
    "http://[2002:7f00:1::]:P/",
    "http://[2001:0:7f00:1::1]:P/",
    "http://[fe80::1]:P/",
    "http://[fc00::1]:P/",
    "http://[fd00:ec2::254]/latest/",
    "http://[fec0::1]:P/",
    "http://[ff02::1]:P/",
    "http://inside.example:P/",
    "http://router.lan/",
    "http://unique.example:P/",
    "http://near.example:P/",
    "http://metadata.google.internal/computeMetadata/v1/",
    "http://embedded.example:P/",
    "http://nothing.example:P/",
    "http://unknown.example:P/",
    "http://ann@127.0.0.1:P/",
    "http://good.example:80@127.0.0.1:P/",
    "http://127.0.0.1:22/",
];

fn aim(target: &str, door: &Door) -> String {
    target.replace(":P", &format!(":{}", door.port))
}

/// The way out as it is, but for the port: closed by its number alone, a door would prove nothing about addresses.
fn guard(site: &Site, door: &Door) -> Guard {
    Guard { ports: vec![80, 443, door.port], ..Guard::new(vec![site.address]) }
}

async fn send(who: &Visitor, room: &Value, link: &str) {
    let body = json!({ "nonce": nonce(), "text": format!("[x]({link})") });
    who.send("POST", &format!("/api/v1/rooms/{}/messages", room["id"]), &body).await.is(201);
}

#[tokio::test]
async fn no_message_has_the_server_knock_where_only_it_can() {
    let (site, door) = (Site::open().await, Door::open().await);
    let outward = Outward::with(guard(&site, &door), names(), None);
    let mut tallies = outward.tally();
    let (_app, ann, room) = visit(outward, &[]).await;
    let targets: Vec<String> = OWN.iter().chain(&INSIDE).map(|target| aim(target, &door)).collect();
    for target in &targets {
        send(&ann, &room, target).await;
    }
    let tally = ended(&mut tallies, targets.len()).await;
    assert_eq!(tally, Tally { tried: 0, ended: targets.len() as u64 }, "each was judged, none was tried");
    assert_eq!(door.knocks(), 0);

    // A page that may be fetched, and leads on.
    let inner = |place: &str| aim(place, &door);
    let port = site.address.port();
    let mut leading = Vec::new();
    for (number, target) in OWN.iter().enumerate() {
        leading.push(site.lead(&format!("/to/{number}"), &inner(target)));
    }
    for (number, target) in
        ["//127.0.0.1:P/", "file:///etc/passwd", "gopher://127.0.0.1:P/", "http://inside.example:P/"]
            .iter()
            .enumerate()
    {
        leading.push(site.lead(&format!("/by/{number}"), &inner(target)));
    }
    site.lead("/second", &inner("http://127.0.0.1:P/"));
    leading.push(site.lead("/first", "/second"));
    // Rebinding: judged as the site, led back to the same name, which is somebody else by then.
    site.lead("/flip", &format!("http://flip.example:{}/", door.port));
    leading.push(format!("http://flip.example:{port}/flip"));
    for target in &leading {
        send(&ann, &room, target).await;
    }
    let before = targets.len();
    ended(&mut tallies, before + leading.len()).await;
    assert_eq!(site.heard(), leading.len() + 1, "each was led on, one of them twice");
    assert_eq!(door.knocks(), 0);
    assert!(messages(&ann, &room).await.iter().all(|message| message.get("preview").is_none()));

    // A page whose picture is said to lie inside keeps its words.
    let sly =
        format!("<title>Sly</title><meta property=og:image content='{}'>", inner("http://[::1]:P/a.png"));
    let page = site.put("/sly", "text/html", sly);
    let mut socket = ann.socket().await;
    socket.send(&room, &page).await;
    let shown = socket.hear("the page", |frame| frame["preview"]["title"] == "Sly").await;
    assert!(shown["preview"].get("picture").is_none());
    assert_eq!(door.knocks(), 0);
}

#[tokio::test]
async fn a_server_without_the_guard_would_be_noticed() {
    let (site, door) = (Site::open().await, Door::open().await);
    let open = Guard { is_open: |_| true, ..guard(&site, &door) };
    let outward = Outward::with(open, names(), None);
    let mut tallies = outward.tally();
    let (_app, ann, room) = visit(outward, &[]).await;
    // By IPv4 alone, which every machine has; one name has a second address that isn't this machine's.
    let by_six = |target: &str| ["[", "six", "mapped", "both"].iter().any(|word| target.contains(word));
    let targets: Vec<String> =
        OWN.iter().filter(|target| !by_six(target)).map(|target| aim(target, &door)).collect();
    let led = site.lead("/to", &aim("http://127.0.0.1:P/", &door));
    for target in targets.iter().chain([&led]) {
        send(&ann, &room, target).await;
    }
    ended(&mut tallies, targets.len() + 1).await;
    assert!(door.knocks() > targets.len(), "{} of {} were noticed", door.knocks(), targets.len() + 1);
}

#[tokio::test]
async fn a_page_by_https_is_fetched_from_a_server_that_is_trusted_and_has_the_name() {
    let tls = [("tls_listen", "127.0.0.1:0")];
    let (one, other) = (spawn_app_with(&tls).await, spawn_app_with(&tls).await);
    let port = one.running().tls.as_ref().unwrap().address.port();
    // The system may know both for `localhost`; the server is at the first.
    let allowed: Vec<SocketAddr> = vec![([127, 0, 0, 1], port).into(), (Ipv6Addr::LOCALHOST, port).into()];
    let wanted = Wanted { accept: "text/html", bound: |_| Some(Bound::Head(100_000)) };
    let fetch = async |name: &str, trusted: &App| {
        let roots = Trust::download(&trusted.stranger()).await.roots();
        let names: Arc<dyn Names> = if name == "localhost" { Arc::new(System::default()) } else { names() };
        let outward = Outward::with(Guard::new(allowed.clone()), names, Some(roots));
        outward.get(&format!("https://{name}:{port}/login").parse().unwrap(), &wanted).await
    };
    let page = fetch("localhost", &one).await.unwrap();
    assert!(String::from_utf8_lossy(&page.body).contains("<title>"), "{page:?}");
    assert!(matches!(fetch("localhost", &other).await, Err(Refused::Unreachable(_))), "whom nobody trusts");
    assert!(
        matches!(fetch("loop.example", &one).await, Err(Refused::Unreachable(_))),
        "under another's name"
    );
}
