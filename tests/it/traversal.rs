//! Paths that lead out of the folders that are served: nothing of them is ever answered, however they are written.

use crate::app::spawn_app;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// One level up, as it has been written to get past those who look for `../`.
const UP: [&str; 12] = [
    "../",
    "..%2f",
    "%2e%2e/",
    "%2e%2e%2f",
    "%252e%252e%252f",
    "..\\",
    "..%5c",
    "%2e%2e%5c",
    "....//",
    "..;/",
    "%c0%ae%c0%ae/",
    ".%00./",
];

/// What lies where they lead: files of the machine, and of the place beside its media.
const WANTED: [&str; 3] = ["etc/passwd", "data/accounts.db", "data/second-step.key"];

/// Sent byte by byte: a client would tidy the path up.
async fn ask(address: SocketAddr, path: &str, cookie: &str) -> (u16, Vec<u8>) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head =
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A refused head is answered and the line cut; what was read until then is the answer.
    let _ = stream.read_to_end(&mut answer).await;
    let status =
        String::from_utf8_lossy(&answer[..answer.len().min(12)]).split(' ').nth(1).map(str::to_owned);
    (status.and_then(|s| s.parse().ok()).unwrap_or(400), answer)
}

#[tokio::test]
async fn no_path_leads_out_of_what_is_served() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let item = ann.put_recording("song.wav").await;
    // Where the paths would lead to, below the folders that are served: `media`, and `data` beside it.
    std::fs::write(app.media().join("../data/second-step.key"), b"root:secret").unwrap();
    let places = [
        "/static/".to_owned(),
        "/media/".to_owned(),
        format!("/media/{}/", item["id"]),
        format!("/media/{}/r/", item["id"]),
        "/attachments/1/".to_owned(),
        "/live/x/".to_owned(),
        "/people/1/".to_owned(),
        "/api/docs/".to_owned(),
        "/".to_owned(),
    ];
    let (address, cookie, mut tried) = (app.running().address, ann.cookie(), 0);
    for place in &places {
        for up in UP {
            for wanted in WANTED {
                for depth in [1, 6] {
                    let path = format!("{place}{}{wanted}", up.repeat(depth));
                    let (status, answer) = ask(address, &path, &cookie).await;
                    let text = String::from_utf8_lossy(&answer);
                    assert!(status != 200 && status < 500, "{path}: {text}");
                    for secret in ["root:", "SQLite format"] {
                        assert!(!text.contains(secret), "{path}: {text}");
                    }
                    tried += 1;
                }
            }
        }
    }
    assert!(tried >= 200, "{tried}");
    let (status, answer) = ask(address, &format!("/media/{}/file", item["id"]), &cookie).await;
    assert!(status == 200 && answer.len() > 3000, "and the way that is meant is open");
}
