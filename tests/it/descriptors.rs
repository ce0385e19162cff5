//! No file handle left while the server runs: who is connected talks on, what would need one is refused in words, and all is
//! over as soon as there are some.

use crate::attachments::photo;
use crate::child::Child;
use crate::live::until;
use crate::store::Store;
use crate::verify::assert_whole;
use crate::visitor::Visitor;
use rlimit::Resource;
use std::path::PathBuf;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How many descriptors the server has open.
fn open(child: &Child) -> u64 {
    std::fs::read_dir(PathBuf::from(format!("/proc/{}/fd", child.id()))).unwrap().count() as u64
}

/// Lets the server have no more than so many.
fn set_limit(child: &Child, descriptors: u64) {
    let id = i32::try_from(child.id()).unwrap();
    let (mut now, mut hard) = (0, 0);
    rlimit::prlimit(id, Resource::NOFILE, None, Some((&mut now, &mut hard))).unwrap();
    rlimit::prlimit(id, Resource::NOFILE, Some((descriptors, hard)), None).unwrap();
}

/// Strangers who connect and say nothing.
async fn strangers(child: &Child, count: usize) -> Vec<TcpStream> {
    let port: u16 = child.origin.rsplit(':').next().unwrap().parse().unwrap();
    let mut lines = Vec::new();
    for _ in 0..count {
        lines.push(TcpStream::connect(("127.0.0.1", port)).await.unwrap());
    }
    lines
}

#[tokio::test]
async fn without_descriptors_those_who_are_here_talk_on_and_the_rest_comes_back_by_itself() {
    let store = Store::new();
    let child = Child::start_with(&store, &["--connections-per-address", "1000"]);
    let ann = Visitor::new(&child.origin);
    ann.post("/register", &[("username", "ann"), ("password", "a good password")]).await.is(303);
    let room = ann.create("lab").await;
    let mut socket = ann.socket().await;
    socket.send(&room, "before").await;

    let most = open(&child) + 8;
    set_limit(&child, most);
    let full = strangers(&child, 60).await;
    until("all of them to be taken", async || open(&child) >= most).await;
    for n in 0..20 {
        socket.send(&room, &format!("meanwhile {n}")).await;
    }
    drop(full);
    let other = Visitor::new(&child.origin);
    timeout(Duration::from_secs(10), other.get("/healthz")).await.expect("nobody comes in any more").is(200);

    // One that comes in takes the last: nothing is left for a file.
    until("the strangers to be gone", async || open(&child) + 8 <= most).await;
    set_limit(&child, open(&child) + 1);
    ann.upload(&room, "tree.jpg", photo(64, 64)).await.problem(503, "busy");
    for path in ["/board", "/c/lab", "/dashboard", "/search?q=before", "/media", "/settings"] {
        let answer = ann.get(path).await;
        assert!([200, 503].contains(&answer.status), "{path}: {} {}", answer.status, answer.text());
    }

    set_limit(&child, most + 100);
    ann.upload(&room, "tree.jpg", photo(64, 64)).await.is(201);
    socket.send(&room, "after").await;
    let read = ann.get(&format!("/api/v1/rooms/{}/messages", room["id"])).await.is(200).json();
    assert_eq!(read["messages"].as_array().unwrap().len(), 22, "{read}");
    assert_eq!(child.terminate().code(), Some(0));
    assert_whole(&store);
}
