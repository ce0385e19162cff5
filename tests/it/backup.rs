//! `hubbub backup` and `hubbub restore`: all that is stored as one file, beside a server that is written to, and back.

use crate::child::{Child, hubbub};
use crate::socket::Socket;
use crate::store::Store;
use crate::verify::assert_whole;
use crate::visitor::{DEADLINE, Visitor, nonce};
use hubbub::backup::prove;
use hubbub::db::Which;
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Instant;

const PASSWORD: &str = "a good password";
/// Bytes of the seal behind the last file: its header, its hash, the archive's end.
const SEAL: usize = 2048;

fn run(store: &Store, command: &str, file: &Path, more: &[&str]) -> Output {
    hubbub(store).arg(command).arg(file).args(more).output().unwrap()
}

fn words(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[track_caller]
fn works(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", words(output));
    words(output)
}

/// Fails unless it ended with 1 and a sentence that has these words.
#[track_caller]
pub fn refuses(output: &Output, wanted: &str) {
    let said = words(output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(wanted) && said.trim_end().ends_with('.'), "{wanted:?} is not in: {said}");
    assert!(!said.contains("panicked"), "{said}");
}

/// Runs a program that should end by itself.
pub fn ended(command: &mut Command) -> Output {
    let process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (id, (said, heard)) = (process.id().to_string(), mpsc::channel());
    std::thread::spawn(move || said.send(process.wait_with_output().unwrap()));
    heard.recv_timeout(DEADLINE).unwrap_or_else(|_| {
        let _ = Command::new("kill").arg(id).status();
        panic!("it goes on instead of ending")
    })
}

/// All names below a folder.
pub fn names(folder: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(names(&path));
        }
        found.insert(path);
    }
    found
}

async fn come(child: &Child, name: &str) -> Visitor {
    let visitor = Visitor::new(&child.origin);
    visitor.post("/register", &[("username", name), ("password", PASSWORD)]).await.is(303);
    visitor
}

async fn come_back(child: &Child, name: &str) -> Visitor {
    let visitor = Visitor::new(&child.origin);
    visitor.post("/login", &[("username", name), ("password", PASSWORD)]).await.is(303);
    visitor
}

/// A place in which something of each kind happened.
async fn live_in(child: &Child) -> Visitor {
    let (ann, bob) = (come(child, "ann").await, come(child, "bob").await);
    let room = ann.create("lab").await;
    bob.join(&room).await.is(200);
    for n in 0..5 {
        ann.say(&room, &format!("message {n} for @bob, 天氣 😀")).await.is(201);
    }
    let id = &room["id"];
    let at = |end: &str| format!("/api/v1/rooms/{id}/{end}");
    bob.send("PUT", &at("messages/2/reactions/👍"), &json!({})).await.is(200);
    ann.send("PUT", &at("messages/3/pin"), &json!({})).await.is(200);
    ann.send("PATCH", &at("messages/1"), &json!({ "text": "**edited**" })).await.is(200);
    ann.send("DELETE", &at("messages/4"), &json!(null)).await.is(200);
    let form = Form::new().part("file", Part::bytes(vec![0, 255, 10, 13, 0]).file_name("notes.bin"));
    let file = ann.answer(ann.request(Method::POST, &at("attachments")).multipart(form)).await.is(201).json();
    let with_file = json!({ "nonce": nonce(), "text": "", "attachments": [file["id"]] });
    ann.send("POST", &at("messages"), &with_file).await.is(201);
    let direct = ann.send("POST", "/api/v1/direct", &json!({ "username": "bob" })).await.is(201).json();
    ann.say(&direct, "between us").await.is(201);
    ann.post("/board", &[("title", "A note"), ("text", "for all")]).await.is(303);
    ann.send("POST", "/api/v1/filter", &json!({ "word": "天氣 now", "effect": "report" })).await.is(201);
    ann.send("PATCH", &format!("/api/v1/rooms/{id}"), &json!({ "slow_seconds": 5 })).await.is(200);
    ann.send("PUT", "/api/v1/accounts/bob/timeout", &json!({ "seconds": 3600 })).await.is(200);
    ann.put_recording("tone.wav").await;
    ann.send("POST", "/api/v1/live", &json!({ "name": "beam" })).await.is(201);
    ann
}

/// What somebody sees of it by the API, without what signing in again changes.
async fn seen(visitor: &Visitor) -> Value {
    let mut all = serde_json::Map::new();
    let mut rooms = visitor.get("/api/v1/rooms").await.is(200).json();
    // How far somebody has read is written down every two seconds: a backup may be those older.
    rooms["rooms"].as_array_mut().unwrap().iter_mut().for_each(|room| room["read_seq"] = json!(null));
    for room in rooms["rooms"].as_array().unwrap() {
        let path = format!("/api/v1/rooms/{}/messages", room["id"]);
        all.insert(path.clone(), visitor.get(&path).await.is(200).json());
        let path = format!("/api/v1/rooms/{}/changes?after=0&limit=100", room["id"]);
        all.insert(path.clone(), visitor.get(&path).await.is(200).json());
    }
    let texts = Value::Object(all.clone()).to_string();
    let address = texts
        .split('"')
        .find(|word| word.starts_with("/api/v1/attachments/") || word.contains("/attachments/"));
    if let Some(address) = address {
        let file = visitor.get(address).await.is(200);
        all.insert("file".into(), json!(file.body));
    }
    for path in [
        "/api/v1/media",
        "/api/v1/live",
        "/api/v1/search?q=message",
        "/api/v1/filter",
        "/api/v1/audit",
        "/api/v1/accounts?query=bob",
    ] {
        let mut answer = visitor.get(path).await.is(200).json();
        // The time of day.
        answer.as_object_mut().unwrap().remove("now");
        all.insert(path.into(), answer);
    }
    all.insert("rooms".into(), rooms);
    Value::Object(all)
}

#[tokio::test]
async fn all_that_was_there_comes_back_and_nobody_is_signed_in() {
    let store = Store::new();
    let child = Child::start(&store);
    let ann = live_in(&child).await;
    let made = works(&run(&store, "token", Path::new("add"), &["ann"]));
    let token = made.split_whitespace().find(|word| word.len() > 40).unwrap_or_default().to_owned();
    let (before, epoch) = (seen(&ann).await, ann.socket().await.ready["epoch"].clone());
    let file = store.folder().join("all.tar");
    // The server runs.
    let said = works(&run(&store, "backup", &file, &["--with-media"]));
    assert!(said.contains("2 people") && said.contains("found whole"), "{said}");
    assert!(works(&run(&store, "verify", &file, &[])).contains("is whole"));
    let inside = fs::read(&file).unwrap();
    for secret in ["session.key", "private-key.secret", "live.secret"] {
        let secret = fs::read(store.folder().join("data").join(secret)).unwrap();
        assert!(!inside.windows(secret.len()).any(|bytes| bytes == secret), "a secret is in it");
    }

    let other = Store::empty();
    fs::write(other.folder().join("data/private-key.secret"), [7; 32]).unwrap();
    let said = works(&run(&other, "restore", &file, &[]));
    assert!(said.contains("sign in again") && !said.contains("private-key.secret"), "{said}");
    assert!(said.contains("1 API tokens"), "{said}");
    assert_whole(&other);
    let child = Child::start(&other);
    let moved = Visitor::moved(&ann, &child.origin);
    moved.get("/api/v1/me").await.is(401);
    let ann = come_back(&child, "ann").await;
    let after = seen(&ann).await;
    for (path, was) in before.as_object().unwrap() {
        assert_eq!(&after[path], was, "{path}");
    }
    assert_ne!(ann.socket().await.ready["epoch"], epoch, "clients are not told");
    let bearer = format!("Bearer {token}");
    assert!(Socket::open(&child.origin, &[("authorization", &bearer)]).await.is_ok(), "{made}");
    // Numbers go on where they were.
    let room = ann.create("newer").await;
    ann.say(&room, "goes on").await.is(201);
    assert_whole(&other);
    let third = Store::empty();
    refuses(&run(&other, "restore", &file, &[]), "isn't empty");
    // Without the library's files the rest comes back alone.
    let small = store.folder().join("small.tar");
    works(&run(&store, "backup", &small, &[]));
    let said = works(&run(&third, "restore", &small, &[]));
    assert!(said.contains("private-key.secret") && said.contains("second-step.key"), "{said}");
    assert!(!third.folder().join("media/tone.wav").exists());
}

#[tokio::test]
async fn what_was_acknowledged_before_it_began_is_in_it() {
    let store = Store::new();
    let child = Child::start(&store);
    let owner = come(&child, "owner").await;
    let room = owner.create("busy").await;
    let (acknowledged, goes_on) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(true)));
    let mut writers = Vec::new();
    for name in 0..4 {
        let visitor = Visitor::new(&child.origin);
        visitor.post("/guest", &[("display_name", &format!("Writer {name}"))]).await.is(303);
        visitor.join(&room).await.is(200);
        let mut socket = visitor.socket().await;
        let (room, acknowledged, goes_on) = (room.clone(), acknowledged.clone(), goes_on.clone());
        writers.push(tokio::spawn(async move {
            while goes_on.load(Ordering::Relaxed) {
                let reply = socket.send(&room, "once more").await;
                acknowledged.fetch_max(reply["seq"].as_u64().unwrap(), Ordering::Relaxed);
            }
        }));
    }
    let mut archives = Vec::new();
    for n in 0..3 {
        let before = acknowledged.load(Ordering::Relaxed);
        let mut command = hubbub(&store);
        let file = store.folder().join(format!("{n}.tar"));
        command.arg("backup").arg(&file).arg("--with-media");
        works(&tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap());
        archives.push((before, file));
    }
    goes_on.store(false, Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }
    assert!(archives[2].0 > archives[0].0, "nobody wrote meanwhile");
    for (before, file) in archives {
        let other = Store::empty();
        works(&run(&other, "restore", &file, &[]));
        assert_whole(&other);
        let child = Child::start(&other);
        let owner = come_back(&child, "owner").await;
        let rooms = owner.get("/api/v1/rooms").await.is(200).json();
        let busy = rooms["rooms"].as_array().unwrap().iter().find(|one| one["id"] == room["id"]).unwrap();
        // Without holes, as `verify` has said: so all of them.
        assert!(busy["last_seq"].as_u64().unwrap() >= before, "{busy}, and {before} were acknowledged");
    }
}

/// The same numbers in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(sides).unwrap()).unwrap()
    }
}

#[tokio::test]
async fn not_a_byte_can_be_missing_or_be_another() {
    let store = Store::new();
    let child = Child::start(&store);
    live_in(&child).await;
    let (file, bad) = (store.folder().join("good.tar"), store.folder().join("bad.tar"));
    works(&run(&store, "backup", &file, &[]));
    let good = fs::read(&file).unwrap();
    assert!(prove(&file).is_ok());
    let mut dice = Dice(88_172_645_463_325_252);
    let refused = |bytes: &[u8], what: &str| {
        fs::write(&bad, bytes).unwrap();
        let said = prove(&bad).err().unwrap_or_else(|| panic!("{what} was not noticed"));
        assert!(said.contains("bad.tar can't be used: it is") && said.ends_with('.'), "{what}: {said}");
    };
    for _ in 0..50 {
        let length = dice.roll(good.len());
        refused(&good[..length], &format!("the end behind {length}"));
    }
    let mut places: Vec<usize> = (0..150).map(|_| dice.roll(good.len())).collect();
    // The first file's header and text, the seal, the last byte of all.
    places.extend((0..600).step_by(23));
    places.extend((good.len() - SEAL..good.len()).step_by(31));
    places.push(good.len() - 1);
    for place in places {
        let mut bytes = good.clone();
        bytes[place] ^= 1 << dice.roll(8);
        refused(&bytes, &format!("another byte at {place} of {}", good.len()));
    }
    refused(&[good.as_slice(), b"\0"].concat(), "a byte behind the end");
    for (bytes, what) in [(&b""[..], "nothing"), (b"a text", "a text"), (&[0x1f; 4000], "noise")] {
        refused(bytes, what);
        refuses(&run(&Store::empty(), "restore", &bad, &[]), "not a backup of Hubbub's");
    }
    let other = Store::empty();
    fs::write(&bad, &good[..good.len() / 2]).unwrap();
    refuses(&run(&other, "restore", &bad, &[]), "damaged or cut off");
    refuses(&run(&other, "restore", Path::new("nowhere.tar"), &[]), "can't be read");
    refuses(&run(&other, "verify", &bad, &[]), "damaged or cut off");
    assert_eq!(names(&other.folder().join("data")).len(), 0, "something was put there");
}

/// Many messages, behind the server's back.
fn fill(store: &Store, many: u32) {
    let rows = if store.url(Which::Messages).starts_with("sqlite") {
        format!(
            "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {many}) SELECT n FROM s"
        )
    } else {
        format!("SELECT n FROM generate_series(1, {many}) AS s(n)")
    };
    store.messages(&format!(
        "INSERT INTO messages (room_id, seq, rev, first_rev, author_id, author_name, author_guest, nonce, posted_at, text) \
         SELECT 1, n, n, n, 1, 'Ann', FALSE, 'nonce-' || n, n, 'message ' || n FROM ({rows}) AS many"
    ));
    store.messages(&format!("UPDATE rooms SET last_seq = {many}, rev = {many} WHERE id = 1"));
}

#[tokio::test]
async fn killed_in_the_middle_a_restore_leaves_nothing_to_start_from() {
    let store = Store::new();
    let child = Child::start(&store);
    come(&child, "ann").await;
    assert_eq!(child.terminate().code(), Some(0));
    fill(&store, 60_000);
    let file = store.folder().join("large.tar");
    works(&run(&store, "backup", &file, &["--with-media"]));
    for begun in [".restoring", "accounts.db.restoring", "messages.db.restoring"] {
        let other = Store::empty();
        let on_sqlite = other.url(Which::Messages).starts_with("sqlite");
        let data = other.folder().join("data");
        let mut process = hubbub(&other).arg("restore").arg(&file).spawn().unwrap();
        let begun = data.join(if on_sqlite { begun } else { ".restoring" });
        let started = Instant::now();
        while !begun.exists() {
            assert!(started.elapsed() < DEADLINE, "it never began");
            assert!(process.try_wait().unwrap().is_none(), "it was too quick to be killed");
            tokio::task::yield_now().await;
        }
        process.kill().unwrap();
        process.wait().unwrap();
        assert!(!data.join("messages.db").exists(), "it was too quick to be killed");
        for command in [&["serve"][..], &["user", "list"], &["verify"], &["backup", "x.tar"]] {
            refuses(&ended(hubbub(&other).args(command)), "interrupted");
        }
        refuses(&run(&other, "restore", &file, &[]), "isn't empty");
        fs::remove_dir_all(&data).unwrap();
        let again = run(&other, "restore", &file, &[]);
        if !on_sqlite && !again.status.success() {
            // PostgreSQL has rolled back by itself the one that it was in; the other one may be there, whole.
            refuses(&again, "DROP SCHEMA accounts CASCADE");
            continue;
        }
        works(&again);
        assert_whole(&other);
        assert!(!data.join(".restoring").exists());
    }
}

#[test]
fn one_of_a_newer_program_is_refused() {
    let store = Store::new();
    drop(Child::start(&store));
    let file = store.folder().join("new.tar");
    works(&run(&store, "backup", &file, &[]));
    let mut bytes = fs::read(&file).unwrap();
    let known = b"\"20261120100000\"";
    let at = bytes.windows(known.len()).rposition(|bytes| bytes == known).unwrap();
    bytes[at + 1..at + 3].copy_from_slice(b"99");
    let body = bytes.len() - SEAL;
    let seal = data_encoding::HEXLOWER.encode(&Sha256::digest(&bytes[..body]));
    bytes[body + 512..body + 512 + seal.len()].copy_from_slice(seal.as_bytes());
    fs::write(&file, &bytes).unwrap();
    assert!(prove(&file).is_ok(), "the test forges it badly");
    let other = Store::empty();
    refuses(&run(&other, "restore", &file, &[]), "a newer version of Hubbub");
    assert_eq!(names(&other.folder().join("data")).len(), 0);
}

#[tokio::test]
async fn a_file_is_replaced_only_by_force_and_a_full_disk_leaves_nothing_half() {
    let store = Store::new();
    let child = Child::start(&store);
    come(&child, "ann").await;
    let file = store.folder().join("once.tar");
    works(&run(&store, "backup", &file, &[]));
    let first = fs::read(&file).unwrap();
    refuses(&run(&store, "backup", &file, &[]), "--force");
    refuses(&run(&store, "backup", store.folder(), &[]), "is a folder");
    refuses(&run(&store, "backup", &store.folder().join("no/such/folder.tar"), &[]), "could not be written");
    assert_eq!(fs::read(&file).unwrap(), first);
    works(&run(&store, "backup", &file, &["--force"]));
    let before = names(store.folder());
    let small = |arguments: &[&str]| {
        let mut shell = Command::new("sh");
        let command = hubbub(&store);
        shell.current_dir(store.folder()).env_clear();
        // In blocks of 512 bytes: less than the backup has.
        shell.args(["-c", "ulimit -f 40; exec \"$@\"", "sh"]).arg(command.get_program());
        shell.args(command.get_args()).args(arguments).output().unwrap()
    };
    let kept = fs::read(&file).unwrap();
    refuses(&small(&["backup", "once.tar", "--force"]), "could not be");
    refuses(&small(&["backup", "other.tar"]), "could not be");
    assert_eq!(fs::read(&file).unwrap(), kept);
    assert_eq!(names(store.folder()), before, "something is left of it");
    let other = Store::empty();
    let mut shell = Command::new("sh");
    let command = hubbub(&other);
    shell.current_dir(other.folder()).env_clear();
    shell.args(["-c", "ulimit -f 40; exec \"$@\"", "sh"]).arg(command.get_program());
    if other.url(Which::Messages).starts_with("sqlite") {
        let output = shell.args(command.get_args()).arg("restore").arg(&file).output().unwrap();
        refuses(&output, "Nothing was put into place");
        assert_eq!(names(&other.folder().join("data")).len(), 0, "something is left of it");
        works(&run(&other, "restore", &file, &[]));
    }
}
