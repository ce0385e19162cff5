//! Bytes served per CPU second to 64 players that seek all the time: this server beside nginx, where that is installed,
//! and beside bare `actix-files`. Each is a process of its own with one worker, and its CPU time is read from `/proc`.
//!
//! `cargo bench --bench seeking [-- --quick]`. Two kinds of players: those that ask for all from a byte on and hang up
//! when somebody seeks (ffmpeg, mpv, VLC), and those that ask for closed ranges over a kept connection (browsers).

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "a bench's numbers are small"
)]

mod figures;
#[path = "house/process.rs"]
mod process;

use actix_files::NamedFile;
use actix_web::{App, HttpServer, web};
use figures::{Benched, median, rounds, seconds};
use process::{Process, TICKS, free_port};

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const MIB: u64 = 1024 * 1024;
/// The film's length in MiB; it stays in the page cache.
const FILM: u64 = 64;
const PLAYERS: u64 = 64;
/// What a player reads before somebody seeks.
const READ: u64 = MIB;
/// Names the folder and the port of the bare server, for the copy of this program that is one.
const BARE: &str = "HUBBUB_BENCH_BARE";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    HangsUp,
    Closed,
}

/// A server to be measured: where the film is, and what a request for it needs.
struct Server {
    name: &'static str,
    process: Process,
    path: String,
    cookie: String,
}

fn main() -> Benched {
    if let Ok(bare) = std::env::var(BARE) {
        return serve_bare(&bare);
    }
    if !cfg!(target_os = "linux") {
        println!("CPU time is read from /proc, which only Linux has.");
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let media = folder.path().join("media");
    std::fs::create_dir(&media)?;
    let bytes: Vec<u8> = (0..FILM * MIB).map(|n| (n.wrapping_mul(0x9e37_79b9) >> 24) as u8).collect();
    std::fs::write(media.join("film.mp4"), bytes)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    println!("{:<12} {:<8} {:>9} {:>16}", "server", "players", "MB/s", "MB/CPU second");
    runtime.block_on(async {
        for way in [Way::HangsUp, Way::Closed] {
            // One after the other: they would take the time from each other.
            measure(hubbub(folder.path(), &media).await?, way).await?;
            measure(bare(&media).await?, way).await?;
            match nginx(folder.path(), &media).await {
                Ok(server) => measure(server, way).await?,
                Err(error) => println!("nginx can't be started here: {error}"),
            }
        }
        Benched::Ok(())
    })
}

async fn measure(server: Server, way: Way) -> Benched {
    let (mut quick, mut thrifty) = (Vec::new(), Vec::new());
    for _ in 0..rounds() {
        let (before, began) = (server.process.cpu()?, Instant::now());
        let bytes = play(&server, way).await? as f64 / 1e6;
        quick.push(bytes / began.elapsed().as_secs_f64());
        thrifty.push(bytes / (server.process.cpu()? - before).max(1.0 / TICKS));
    }
    let players = if way == Way::HangsUp { "hang up" } else { "closed" };
    println!("{:<12} {players:<8} {:>9.0} {:>16.0}", server.name, median(quick), median(thrifty));
    Ok(())
}

/// Lets all players play for a while; the bytes that they have read.
async fn play(server: &Server, way: Way) -> Benched<u64> {
    let end = Instant::now() + seconds();
    let mut playing = tokio::task::JoinSet::new();
    for number in 0..PLAYERS {
        let (address, path, cookie) = (server.process.address, server.path.clone(), server.cookie.clone());
        playing.spawn(async move {
            let mut player = Player { seed: number + 1, buffer: vec![0; 128 * 1024] };
            let mut bytes = 0;
            let mut kept: Option<TcpStream> = None;
            while Instant::now() < end {
                let mut stream = match kept.take() {
                    Some(stream) => stream,
                    None => TcpStream::connect(address).await?,
                };
                bytes += player.read(&mut stream, &path, &cookie, way).await?;
                if way == Way::Closed {
                    kept = Some(stream);
                }
            }
            std::io::Result::Ok(bytes)
        });
    }
    let mut all = 0;
    while let Some(done) = playing.join_next().await {
        all += done??;
    }
    Ok(all)
}

struct Player {
    seed: u64,
    buffer: Vec<u8>,
}

impl Player {
    /// Asks for a place in the film and reads a stretch of it.
    async fn read(
        &mut self,
        stream: &mut TcpStream,
        path: &str,
        cookie: &str,
        way: Way,
    ) -> std::io::Result<u64> {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let from = (self.seed >> 33) % ((FILM - 1) * MIB);
        let end = if way == Way::Closed { (from + READ - 1).to_string() } else { String::new() };
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\nRange: bytes={from}-{end}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await?;
        let mut filled = 0;
        let body = loop {
            let n = stream.read(&mut self.buffer[filled..]).await?;
            if n == 0 {
                return Err(std::io::Error::other("the server's answer has no end"));
            }
            filled += n;
            if let Some(at) = self.buffer[..filled].windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
        };
        if !self.buffer.starts_with(b"HTTP/1.1 206") {
            return Err(std::io::Error::other(String::from_utf8_lossy(&self.buffer[..body]).into_owned()));
        }
        let mut got = (filled - body) as u64;
        while got < READ {
            let most = usize::try_from(READ - got).unwrap_or(usize::MAX).min(self.buffer.len());
            match stream.read(&mut self.buffer[..most]).await? {
                0 => return Err(std::io::Error::other("the server's answer was cut")),
                n => got += n as u64,
            }
        }
        Ok(got)
    }
}

async fn hubbub(folder: &Path, media: &Path) -> Benched<Server> {
    let address = free_port()?;
    let data = folder.join("data");
    let mut command = Command::new(env!("CARGO_BIN_EXE_hubbub"));
    command
        .args(["serve", "--workers", "1", "--rate-limits", "off", "--listen", &address.to_string()])
        .args(["--data", &data.to_string_lossy(), "--media", &media.to_string_lossy()])
        .stdout(Stdio::null());
    let process = Process::start(&mut command, address).await?;
    let mut server = Server { name: "hubbub", process, path: String::new(), cookie: String::new() };
    // The client wants to know whose cryptography it has, though all here is plain.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
    let base = format!("http://{address}");
    let answer = http.post(format!("{base}/guest")).form(&[("display_name", "Ann")]).send().await?;
    let cookie = answer.headers().get("set-cookie").ok_or("a guest got no cookie")?.to_str()?;
    server.cookie = cookie.split(';').next().unwrap_or_default().to_owned();
    let list = http.get(format!("{base}/api/v1/media")).header("cookie", &server.cookie).send().await?;
    let list: serde_json::Value = list.json().await?;
    let id = list["items"][0]["id"].as_i64().ok_or("the film is not in the library")?;
    server.path = format!("/media/{id}/file");
    Ok(server)
}

async fn nginx(folder: &Path, media: &Path) -> Benched<Server> {
    let (address, config) = (free_port()?, folder.join("nginx.conf"));
    let words = format!(
        "daemon off; master_process off; pid {0}/nginx.pid; error_log {0}/nginx.log;\n\
         events {{ worker_connections 1024; }}\n\
         http {{ access_log off; sendfile on; keepalive_requests 1000000; default_type video/mp4;\n\
         server {{ listen {address}; root {1}; }} }}\n",
        folder.display(),
        media.display(),
    );
    std::fs::write(&config, words)?;
    let mut command = Command::new("nginx");
    let process = Process::start(command.arg("-c").arg(&config).stderr(Stdio::null()), address).await?;
    Ok(Server { name: "nginx", process, path: "/film.mp4".to_owned(), cookie: String::new() })
}

/// This program again, as a server that knows one file and nothing else.
async fn bare(media: &Path) -> Benched<Server> {
    let address = free_port()?;
    let words = format!("{address} {}", media.join("film.mp4").display());
    let process = Process::start(Command::new(std::env::current_exe()?).env(BARE, words), address).await?;
    Ok(Server { name: "actix-files", process, path: "/film.mp4".to_owned(), cookie: String::new() })
}

fn serve_bare(words: &str) -> Benched {
    let (address, film) = words.split_once(' ').ok_or("the bare server wants an address and a file")?;
    let film = PathBuf::from(film);
    let server = HttpServer::new(move || {
        let film = film.clone();
        App::new().default_service(web::to(move || {
            let film = film.clone();
            async move { NamedFile::open(film) }
        }))
    });
    let running = server.workers(1).tcp_nodelay(true).bind(address)?.run();
    actix_web::rt::System::new().block_on(running)?;
    Ok(())
}
