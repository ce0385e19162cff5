//! The server killed, stopped and wrongly started.

use crate::app::spawn_app;
use crate::child::{Child, hubbub};
use crate::socket::Socket;
use crate::store::Store;
use crate::visitor::{DEADLINE, Visitor, nonce};
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use tokio::sync::Notify;

const WRITERS: usize = 8;
/// Of them, those who send a file with each message.
const WITH_FILES: usize = 2;
/// Acknowledged messages between two kills.
const ACKNOWLEDGED: u64 = 40;

/// How often it is killed; `.ci/drill kills` has it be more.
fn kills() -> u64 {
    std::env::var("HUBBUB_TEST_KILLS").ok().and_then(|count| count.parse().ok()).unwrap_or(5)
}

/// What a writer sends, with the number of the file that goes with it.
struct Said {
    nonce: String,
    text: String,
    file: Option<i64>,
}

impl Said {
    fn request(&self, room: &Value) -> Value {
        let files: Vec<i64> = self.file.into_iter().collect();
        json!({ "type": "send", "room": room["id"], "nonce": self.nonce, "text": self.text, "attachments": files })
    }
}

/// One of those who write while the server is killed.
struct Writer {
    visitor: Visitor,
    name: usize,
    /// Text → the `seq` that the server acknowledged.
    acknowledged: BTreeMap<String, i64>,
    /// Sent, and perhaps stored: sent again after the restart with the same nonce.
    unsure: Option<Said>,
    next: u64,
}

/// Uploads a file with this content; nothing when the server was killed meanwhile.
async fn upload(visitor: &Visitor, room: &Value, content: &str) -> Option<i64> {
    let file = Part::bytes(content.as_bytes().to_vec()).file_name("said.txt");
    let path = format!("/api/v1/rooms/{}/attachments", room["id"]);
    let request = visitor.request(Method::POST, &path).multipart(Form::new().part("file", file));
    let answer = request.send().await.ok()?;
    let (status, body) = (answer.status(), answer.bytes().await.ok()?);
    assert_eq!(status, 201, "{}", String::from_utf8_lossy(&body));
    serde_json::from_slice::<Value>(&body).unwrap()["id"].as_i64()
}

impl Writer {
    async fn write(
        mut self,
        mut socket: Socket,
        room: Value,
        count: Arc<AtomicU64>,
        enough: Arc<Notify>,
    ) -> Self {
        loop {
            let mut said = self.unsure.take().unwrap_or_else(|| {
                self.next += 1;
                let text = format!("writer {} message {:05}", self.name, self.next);
                Said { nonce: nonce(), text, file: None }
            });
            if self.name < WITH_FILES && said.file.is_none() {
                said.file = upload(&self.visitor, &room, &said.text).await;
                if said.file.is_none() {
                    self.unsure = Some(said);
                    return self;
                }
            }
            match socket.try_ask(said.request(&room)).await {
                Some(reply) => {
                    assert_eq!(reply["ok"], true, "{reply}");
                    self.acknowledged.insert(said.text, reply["seq"].as_i64().unwrap());
                    if count.fetch_add(1, Ordering::Relaxed) + 1 == ACKNOWLEDGED {
                        enough.notify_one();
                    }
                }
                None => {
                    self.unsure = Some(said);
                    return self;
                }
            }
        }
    }
}

/// All messages of a room, ascending.
async fn everything(visitor: &Visitor, room: &Value) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    loop {
        let after = all.last().map_or(0, |message| message["seq"].as_i64().unwrap());
        let path = format!("/api/v1/rooms/{}/messages?after={after}&limit=100", room["id"]);
        let page = visitor.get(&path).await.is(200).json();
        all.extend(page["messages"].as_array().unwrap().clone());
        if page["more"] == false {
            return all;
        }
    }
}

/// What is wrong with what was stored, given what was acknowledged: `seq` without holes, everything once, each writer's own
/// messages in the order in which they were written.
fn judge(stored: &[Value], acknowledged: &BTreeMap<String, i64>) -> Result<(), String> {
    let said: Vec<(&str, i64)> =
        stored.iter().map(|m| (m["text"].as_str().unwrap(), m["seq"].as_i64().unwrap())).collect();
    if let Some(hole) = (1..).zip(&said).find(|(seq, (_, found))| seq != found) {
        return Err(format!("a hole: {hole:?}"));
    }
    let by_text: BTreeMap<String, i64> = said.iter().map(|(text, seq)| ((*text).to_owned(), *seq)).collect();
    if by_text.len() != said.len() {
        return Err("something is there twice".to_owned());
    }
    if let Some((text, seq)) = acknowledged.iter().find(|(text, seq)| by_text.get(*text) != Some(*seq)) {
        return Err(format!("acknowledged as {seq}, and not stored so: {text}"));
    }
    if let Some(text) = by_text.keys().find(|text| !acknowledged.contains_key(*text)) {
        return Err(format!("stored, and never acknowledged: {text}"));
    }
    for name in 0..WRITERS {
        let own = format!("writer {name} ");
        let mine: Vec<i64> =
            by_text.iter().filter(|(text, _)| text.starts_with(&own)).map(|(_, seq)| *seq).collect();
        if mine.is_empty() || !mine.is_sorted() {
            return Err(format!("writer {name} is out of order: {mine:?}"));
        }
    }
    Ok(())
}

#[test]
fn a_lossy_doubling_or_shuffling_writer_would_be_seen() {
    let message = |seq: i64, text: &str| json!({ "seq": seq, "text": text });
    let whole: Vec<Value> =
        (0..24).map(|n: i64| message(n + 1, &format!("writer {} message {:05}", n % 8, n / 8 + 1))).collect();
    let acknowledged: BTreeMap<String, i64> =
        whole.iter().map(|m| (m["text"].as_str().unwrap().to_owned(), m["seq"].as_i64().unwrap())).collect();
    judge(&whole, &acknowledged).unwrap();
    let renumbered = |messages: Vec<Value>| -> Vec<Value> {
        (1..).zip(messages).map(|(seq, m)| message(seq, m["text"].as_str().unwrap())).collect()
    };
    let lost_with_a_hole: Vec<Value> = whole.iter().filter(|m| m["seq"] != 9).cloned().collect();
    let lost_silently = renumbered(lost_with_a_hole.clone());
    let lost_at_the_end = whole[..23].to_vec();
    let doubled = renumbered([&whole[..12], &whole[11..]].concat());
    let mut shuffled = whole.clone();
    (shuffled[0]["text"], shuffled[8]["text"]) = (whole[8]["text"].clone(), whole[0]["text"].clone());
    let invented = [whole.clone(), vec![message(25, "writer 0 message 00099")]].concat();
    for broken in [lost_with_a_hole, lost_silently, lost_at_the_end, doubled, shuffled.clone(), invented] {
        assert!(judge(&broken, &acknowledged).is_err(), "{broken:?}");
    }
    // The same order in what was acknowledged doesn't excuse it.
    let as_shuffled: BTreeMap<String, i64> = shuffled
        .iter()
        .map(|m| (m["text"].as_str().unwrap().to_owned(), m["seq"].as_i64().unwrap()))
        .collect();
    assert!(judge(&shuffled, &as_shuffled).unwrap_err().contains("out of order"));
}

#[tokio::test]
async fn killed_again_and_again_it_keeps_every_acknowledged_message_once_and_in_order() {
    let store = Store::new();
    let mut child = Child::start(&store);
    let owner = Visitor::new(&child.origin);
    owner.post("/guest", &[("display_name", "Owner")]).await.is(303);
    let room = owner.create("durable").await;
    let mut writers = Vec::new();
    for name in 0..WRITERS {
        let visitor = Visitor::new(&child.origin);
        // Guests may send no files.
        let form = [("username", &*format!("writer{name}")), ("password", crate::app::PASSWORD)];
        visitor.post("/register", &form).await.is(303);
        visitor.join(&room).await.is(200);
        writers.push(Writer { visitor, name, acknowledged: BTreeMap::new(), unsure: None, next: 0 });
    }
    for _ in 0..kills() {
        let (count, enough) = (Arc::new(AtomicU64::new(0)), Arc::new(Notify::new()));
        let mut tasks = Vec::new();
        for writer in writers {
            let socket = writer.visitor.socket().await;
            tasks.push(tokio::spawn(writer.write(socket, room.clone(), count.clone(), enough.clone())));
        }
        tokio::time::timeout(DEADLINE, enough.notified()).await.expect("the writers came to their number");
        child.kill();
        child = Child::start(&store);
        writers = Vec::new();
        for task in tasks {
            let mut writer = task.await.unwrap();
            writer.visitor = Visitor::moved(&writer.visitor, &child.origin);
            writers.push(writer);
        }
    }
    // What was on its way when the last kill came is sent once more.
    let mut expected = BTreeMap::new();
    for writer in &mut writers {
        let mut socket = writer.visitor.socket().await;
        let mut said = writer.unsure.take().unwrap();
        if writer.name < WITH_FILES && said.file.is_none() {
            said.file = upload(&writer.visitor, &room, &said.text).await;
        }
        let reply = socket.must(said.request(&room)).await;
        writer.acknowledged.insert(said.text, reply["seq"].as_i64().unwrap());
        expected.append(&mut writer.acknowledged);
    }
    let owner = Visitor::moved(&owner, &child.origin);
    let stored = everything(&owner, &room).await;
    judge(&stored, &expected).unwrap();
    for message in &stored {
        let name: usize = message["text"].as_str().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let files = message["attachments"].as_array().map_or(&[][..], Vec::as_slice);
        assert_eq!(files.len(), usize::from(name < WITH_FILES), "{message}");
        for file in files {
            let content = owner.get(file["url"].as_str().unwrap()).await.is(200).text();
            assert_eq!(message["text"], content, "a file was acknowledged and isn't there");
        }
    }
}

#[tokio::test]
async fn a_stop_tells_everybody_to_come_back_and_ends_well() {
    let store = Store::new();
    let child = Child::start(&store);
    let ann = Visitor::new(&child.origin);
    ann.post("/register", &[("username", "ann"), ("password", crate::app::PASSWORD)]).await.is(303);
    let mut socket = ann.socket().await;
    socket.send(&json!({ "id": 1 }), "before the stop").await;
    let started = Instant::now();
    let ending = tokio::task::spawn_blocking(move || child.terminate());
    let notice = socket.hear("the notice", |frame| frame["type"] == "notice").await;
    assert!(notice["reconnect_in"].as_i64().is_some_and(|ms| (0..=5000).contains(&ms)), "{notice}");
    assert_eq!(socket.end().await, 1012);
    assert_eq!(ending.await.unwrap().code(), Some(0));
    assert!(started.elapsed().as_secs() < 10, "it took {:?}", started.elapsed());
    let child = Child::start(&store);
    let ann = Visitor::moved(&ann, &child.origin);
    ann.get("/board").await.is(200).has("before the stop");
}

#[tokio::test]
async fn a_restart_in_mid_conversation_loses_and_doubles_nothing() {
    let mut app = spawn_app().await;
    let (ann, bob) = (app.register("ann").await, app.register("bob").await);
    let room = ann.create("talk").await;
    bob.join(&room).await.is(200);
    for round in 0..3 {
        let (mut hers, mut his) = (ann.socket().await, bob.socket().await);
        hers.send(&room, &format!("question {round}")).await;
        his.hear_message(&format!("question {round}")).await;
        his.send(&room, &format!("answer {round}")).await;
        drop((hers, his));
        app.restart().await;
    }
    let texts: Vec<String> =
        everything(&ann, &room).await.iter().map(|m| m["text"].as_str().unwrap().to_owned()).collect();
    assert_eq!(texts, ["question 0", "answer 0", "question 1", "answer 1", "question 2", "answer 2"]);
}

fn run(mut command: Command, arguments: &[&str]) -> Output {
    command.args(arguments).output().unwrap()
}

/// Fails unless the program ended with 2 and one sentence that has all these words.
#[track_caller]
fn refuses(output: &Output, words: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    for word in words {
        assert!(said.contains(word), "{word:?} is not in: {said}");
    }
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn what_is_in_the_way_of_a_start_is_said_in_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let program = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hubbub"));
        command.current_dir(folder.path()).env_clear();
        command
    };
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    refuses(&run(program(), &["--listen", &address]), &["Port", "in use", "--listen"]);
    refuses(&run(program(), &["--listen", "8080"]), &["listen", "8080", "Valid: "]);
    refuses(&run(program(), &["--bcrypt-cost", "99"]), &["bcrypt_cost", "99", "4 to 15"]);
    refuses(&run(program(), &["--accounts-url", "data/accounts.db"]), &["accounts_url", "sqlite://"]);
    refuses(&run(program(), &["--nonsense", "1"]), &["--nonsense"]);
    std::fs::write(folder.path().join("file"), "in the way").unwrap();
    refuses(&run(program(), &["--listen", "127.0.0.1:0", "--data", "file"]), &["file"]);
    let away = ["--listen", "127.0.0.1:0", "--messages-url", "postgres://nobody:secret@127.0.0.1:1/x"];
    let output = run(program(), &away);
    refuses(&output, &["messages database", "127.0.0.1:1"]);
    assert!(!String::from_utf8_lossy(&output.stderr).contains("secret"), "the password is shown");
    std::fs::write(folder.path().join("hubbub.toml"), "listen = \"nowhere\"").unwrap();
    refuses(&run(program(), &[]), &["listen", "nowhere", "Valid: "]);
}

#[tokio::test]
async fn accounts_can_be_made_from_the_shell() {
    let store = Store::new();
    let with_password = |arguments: &[&str], password: &str| {
        use std::io::Write as _;
        use std::process::Stdio;
        let mut command = hubbub(&store);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        process.stdin.take().unwrap().write_all(password.as_bytes()).unwrap();
        process.wait_with_output().unwrap()
    };
    let output = with_password(&["user", "add", "ann"], "first password\n");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let output = with_password(&["user", "add", "ANN"], "another one\n");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("taken"));
    assert!(!with_password(&["user", "add", "bob"], "short\n").status.success());
    let child = Child::start(&store);
    let ann = Visitor::new(&child.origin);
    ann.post("/login", &[("username", "ann"), ("password", "first password")]).await.is(303);
    assert_eq!(ann.me().await["role"], "owner");
    let mut socket = ann.socket().await;
    assert!(with_password(&["user", "password", "ann"], "second password\n").status.success());
    assert_eq!(socket.end().await, 4001, "a new password signs out everywhere");
    ann.post("/login", &[("username", "ann"), ("password", "first password")]).await.is(422);
    ann.post("/login", &[("username", "ann"), ("password", "second password")]).await.is(303);
}

#[test]
fn doctor_says_what_is_there() {
    let store = Store::new();
    let output = run(hubbub(&store), &["doctor"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said} {}", String::from_utf8_lossy(&output.stderr));
    assert!(said.to_lowercase().contains("database"), "{said}");
}

#[cfg(unix)]
#[test]
fn what_is_stored_is_nobody_elses_to_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let mut add = Command::new(env!("CARGO_BIN_EXE_hubbub"));
    add.current_dir(folder.path()).env_clear().args(["token", "add", "nobody"]);
    add.output().unwrap();
    let data = folder.path().join("data");
    assert_eq!(std::fs::metadata(&data).unwrap().permissions().mode() & 0o777, 0o700);
    // Whoever has opened it to a group, for a backup program say, keeps it so.
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o750)).unwrap();
    add.output().unwrap();
    assert_eq!(std::fs::metadata(&data).unwrap().permissions().mode() & 0o777, 0o750);
}
