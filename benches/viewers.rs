//! Live streams with many viewers: how late samples and pictures come, what is lost, and what the server needs for it.
//!
//! `cargo bench --bench viewers [-- --quick | --long]`. First one stream of 60 samples a second with a picture of 20 KB each, for 1,000
//! viewers that read and 50 that never do, beside a bare loop that writes as many bytes as often to as many plain connections.
//! Then 100 streams of one sample a second with 10 viewers each, for a minute, or ten with `--long`. Each server is a process
//! of its own; its time and memory are read from `/proc`. The source, and who reads, share the machine with it.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a bench's numbers are small"
)]

mod figures;
#[path = "house/frames.rs"]
mod frames;
#[path = "house/process.rs"]
mod process;

use figures::Benched;
use frames::{Frames, Tally, now};
use process::{Process, free_port};
use std::cell::RefCell;
use std::future::Future;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::LocalSet;

/// Names the address, the number of connections, the bytes and the rate of the bare loop, for the copy of this program that is one.
const BARE: &str = "HUBBUB_BENCH_BARE";
const PICTURE: usize = 20_000;
const RATE: f64 = 60.0;

fn main() -> Benched {
    if let Ok(bare) = std::env::var(BARE) {
        return serve_bare(&bare);
    }
    if !cfg!(target_os = "linux") {
        println!("Time and memory are read from /proc, which only Linux has.");
        return Ok(());
    }
    let asked = |flag: &str| std::env::args().any(|argument| argument == flag);
    let (readers, idle, time) = if asked("--quick") { (20, 2, 2) } else { (1000, 50, 60) };
    let (streams, each, length) = match (asked("--quick"), asked("--long")) {
        (true, _) => (4, 2, 3),
        (_, true) => (100, 10, 600),
        _ => (100, 10, 60),
    };
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let most = rustix::process::Rlimit { current: limit.maximum, ..limit };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, most)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async {
        one_stream(readers, idle, Duration::from_secs(time)).await?;
        bare_loop(readers, Duration::from_secs(time.min(15))).await?;
        many_streams(streams, each, Duration::from_secs(length)).await
    })
}

/// A server on its own, with what it stores in a folder that goes with it.
struct Server {
    process: Process,
    _folder: tempfile::TempDir,
}

impl Server {
    async fn hubbub() -> Benched<Self> {
        let (address, folder) = (free_port()?, tempfile::tempdir()?);
        let mut command = Command::new(env!("CARGO_BIN_EXE_hubbub"));
        command.args([
            "serve",
            "--bcrypt-cost",
            "4",
            "--rate-limits",
            "off",
            "--listen",
            &address.to_string(),
        ]);
        command.current_dir(folder.path()).stdout(Stdio::null());
        Ok(Self { process: Process::start(&mut command, address).await?, _folder: folder })
    }

    fn memory(&self) -> Benched<f64> {
        Ok(self.process.figure("status", "VmRSS")? / 1024.0)
    }

    fn connections(&self) -> Benched<usize> {
        Ok(std::fs::read_dir(format!("/proc/{}/fd", self.process.id()))?.count())
    }

    /// Makes public streams, as many for one person as may be; answers with their keys.
    async fn streams(&self, names: &[String]) -> Benched<Vec<String>> {
        // The client wants to know whose cryptography it has, though all here is plain.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
        let base = format!("http://{}", self.process.address);
        let mut keys = Vec::new();
        for (number, names) in names.chunks(20).enumerate() {
            let form = [("username", format!("ann{number}")), ("password", "correct horse battery".into())];
            let answer = http.post(format!("{base}/register")).form(&form).send().await?;
            let cookie = answer.headers().get("set-cookie").ok_or("nobody got a cookie")?.to_str()?;
            let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
            for name in names {
                let wish = serde_json::json!({ "name": name, "public": true });
                let made =
                    http.post(format!("{base}/api/v1/live")).header("cookie", &cookie).json(&wish).send();
                let made: serde_json::Value = made.await?.json().await?;
                keys.push(made["key"].as_str().ok_or(made.to_string())?.to_owned());
            }
        }
        Ok(keys)
    }
}

/// Sends a stream's samples as lines of one body, each with the moment when it was sent.
async fn source(address: SocketAddr, name: &str, key: &str, rate: f64, picture: &str, count: u64) -> Benched {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let head = format!(
        "PUT /live/{name}/push HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n\
         Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    let mut pace = tokio::time::interval(Duration::from_secs_f64(1.0 / rate));
    for _ in 0..count {
        pace.tick().await;
        let line = format!("{{\"t\":{:.3}{picture}}}\n", now());
        stream.write_all(format!("{:x}\r\n{line}\r\n", line.len()).as_bytes()).await?;
    }
    stream.write_all(b"0\r\n\r\n").await?;
    let mut answer = vec![0; 4096];
    let n = stream.read(&mut answer).await?;
    let answer = String::from_utf8_lossy(&answer[..n]);
    if answer.contains(&format!("\"accepted\":{count}")) { Ok(()) } else { Err(answer.into()) }
}

/// Opens a viewer's WebSocket.
async fn enter(address: SocketAddr, name: &str) -> Benched<TcpStream> {
    let mut stream = TcpStream::connect(address).await?;
    let ask = format!(
        "GET /live/{name}/ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(ask.as_bytes()).await?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    if head.starts_with(b"HTTP/1.1 101") { Ok(stream) } else { Err(String::from_utf8_lossy(&head).into()) }
}

/// Reads a viewer's connection to its end.
async fn view(
    mut stream: TcpStream,
    with_pictures: bool,
    tally: Rc<RefCell<Tally>>,
    buffer: Rc<RefCell<Vec<u8>>>,
) {
    let mut frames = Frames::new(with_pictures);
    while stream.readable().await.is_ok() {
        let read = stream.try_read(&mut buffer.borrow_mut());
        let answer = match read {
            Ok(0) => break,
            Ok(n) => frames.take(&buffer.borrow()[..n], &mut tally.borrow_mut()),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => None,
            Err(_) => break,
        };
        if let Some(answer) = answer
            && stream.write_all(&answer).await.is_err()
        {
            break;
        }
    }
    tally.borrow_mut().ended += 1;
}

/// A source on a thread of its own, so that who reads doesn't hold it back.
fn send(work: impl Future<Output = Benched> + Send + 'static) -> std::thread::JoinHandle<Result<(), String>> {
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.map_err(|error| error.to_string())?.block_on(work).map_err(|error| error.to_string())
    })
}

async fn one_stream(readers: usize, idle: usize, time: Duration) -> Benched {
    let server = Server::hubbub().await?;
    let key = server.streams(&["beam".into()]).await?.remove(0);
    let (tally, buffer) =
        (Rc::new(RefCell::new(Tally::default())), Rc::new(RefCell::new(vec![0; 256 * 1024])));
    for _ in 0..readers {
        let stream = enter(server.process.address, "beam").await?;
        tokio::task::spawn_local(view(stream, true, tally.clone(), buffer.clone()));
    }
    let before = server.connections()?;
    let mut silent = Vec::new();
    for _ in 0..idle {
        silent.push(enter(server.process.address, "beam").await?);
    }
    let picture = format!(r#","image":"{}""#, data_encoding::BASE64.encode(&jpeg()?));
    let (cpu, written, began) =
        (server.process.cpu()?, server.process.figure("io", "write_bytes")?, Instant::now());
    let count = (time.as_secs_f64() * RATE) as u64;
    let address = server.process.address;
    let sending = send(async move { source(address, "beam", &key, RATE, &picture, count).await });
    let (mut highest, mut gone) = (0.0_f64, None);
    while !sending.is_finished() {
        tokio::time::sleep(Duration::from_millis(250)).await;
        highest = highest.max(server.memory()?);
        // Two descriptors each; the source and others come and go.
        if gone.is_none()
            && began.elapsed() > Duration::from_secs(5)
            && server.connections()? <= before + idle
        {
            gone = Some(began.elapsed().as_secs());
        }
    }
    let took = began.elapsed();
    sending.join().map_err(|_| "the source broke")??;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let cores = (server.process.cpu()? - cpu) / took.as_secs_f64();
    let mut tally = tally.borrow_mut();
    let (p50, p99, most) = (tally.at(0.5), tally.at(0.99), tally.at(1.0));
    println!(
        "one stream, {readers} viewers, {RATE} a second with {PICTURE} bytes of picture, {:.0} s:",
        time.as_secs_f64()
    );
    println!("  late by ms: p50 {p50:.1}, p99 {p99:.1}, most {most:.1}; of {}", tally.late.len());
    println!("  skipped {} of {}, ended {}", tally.lost, count * readers as u64, tally.ended);
    println!("  the source was {:.2} s late at its end", took.as_secs_f64() - time.as_secs_f64());
    println!(
        "  {idle} that don't read were gone after {}",
        gone.map_or("longer".into(), |s| format!("{s} s"))
    );
    println!(
        "  cores {cores:.2}, memory {highest:.0} MiB, written to disk {} KiB",
        (server.process.figure("io", "write_bytes")? - written) / 1024.0
    );
    drop(silent);
    Ok(())
}

async fn bare_loop(readers: usize, time: Duration) -> Benched {
    let server = {
        let address = free_port()?;
        let words = format!("{address} {readers} {PICTURE} {}", time.as_secs_f64());
        Process::start(Command::new(std::env::current_exe()?).env(BARE, words), address).await?
    };
    let (tally, buffer) =
        (Rc::new(RefCell::new(Tally::default())), Rc::new(RefCell::new(vec![0; 256 * 1024])));
    let mut viewing = tokio::task::JoinSet::new();
    for _ in 0..readers {
        let stream = TcpStream::connect(server.address).await?;
        viewing.spawn_local(view(stream, true, tally.clone(), buffer.clone()));
    }
    while viewing.join_next().await.is_some() {}
    let mut tally = tally.borrow_mut();
    let (p50, p99, most) = (tally.at(0.5), tally.at(0.99), tally.at(1.0));
    println!("a bare loop that writes as much:");
    println!("  late by ms: p50 {p50:.1}, p99 {p99:.1}, most {most:.1}; of {}", tally.late.len());
    Ok(())
}

async fn many_streams(streams: usize, each: usize, time: Duration) -> Benched {
    let server = Server::hubbub().await?;
    let names: Vec<_> = (0..streams).map(|n| format!("s{n}")).collect();
    let keys = server.streams(&names).await?;
    let (tally, buffer) =
        (Rc::new(RefCell::new(Tally::default())), Rc::new(RefCell::new(vec![0; 256 * 1024])));
    for name in &names {
        for _ in 0..each {
            let stream = enter(server.process.address, name).await?;
            tokio::task::spawn_local(view(stream, false, tally.clone(), buffer.clone()));
        }
    }
    let (address, count, cpu) = (server.process.address, time.as_secs(), server.process.cpu()?);
    let sending = send(async move {
        let mut sources = tokio::task::JoinSet::new();
        for (name, key) in names.into_iter().zip(keys) {
            sources.spawn(async move {
                let readings = r#","beam_energy":150.125,"repetition_rate":10,"note":"steady""#;
                source(address, &name, &key, 1.0, readings, count).await.map_err(|error| error.to_string())
            });
        }
        while let Some(done) = sources.join_next().await {
            done??;
        }
        Ok(())
    });
    let (began, mut memory) = (Instant::now(), Vec::new());
    while !sending.is_finished() {
        tokio::time::sleep(time / 10).await;
        memory.push(format!("{:.0}", server.memory()?));
    }
    sending.join().map_err(|_| "a source broke")??;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let cores = (server.process.cpu()? - cpu) / began.elapsed().as_secs_f64();
    let mut tally = tally.borrow_mut();
    let (p50, p99, most) = (tally.at(0.5), tally.at(0.99), tally.at(1.0));
    println!("{streams} streams, {each} viewers each, one a second, {:.0} s:", time.as_secs_f64());
    println!("  late by ms: p50 {p50:.1}, p99 {p99:.1}, most {most:.1}");
    println!(
        "  sent {}, came {}, skipped {}, ended {}",
        count * (streams * each) as u64,
        tally.late.len(),
        tally.lost,
        tally.ended
    );
    println!("  cores {cores:.2}, memory in MiB from tenth to tenth: {}", memory.join(" "));
    Ok(())
}

/// A picture of about [`PICTURE`] bytes.
fn jpeg() -> Benched<Vec<u8>> {
    let noise =
        |x: u32, y: u32| image::Luma([(x.wrapping_mul(y ^ 0x5bd1).wrapping_mul(0x9e37_79b9) >> 24) as u8]);
    for side in (32..2000).step_by(8) {
        let mut bytes = Vec::new();
        image::GrayImage::from_fn(side, side, noise)
            .write_to(&mut std::io::Cursor::new(&mut bytes), image::ImageFormat::Jpeg)?;
        if bytes.len() >= PICTURE {
            return Ok(bytes);
        }
    }
    Err("no picture is that large".into())
}

/// This program again, as a loop that knows of nothing: the same frames for everybody, by hand.
fn serve_bare(words: &str) -> Benched {
    let words: Vec<&str> = words.split(' ').collect();
    let [address, count, bytes, time] = words[..] else { return Err("four words are wanted".into()) };
    let (count, bytes, time): (usize, usize, f64) = (count.parse()?, bytes.parse()?, time.parse()?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(address).await?;
        // The first one only asked whether anybody listens.
        drop(listener.accept().await?);
        let (news, _) = tokio::sync::broadcast::channel::<bytes::Bytes>(64);
        for _ in 0..count {
            let (mut stream, _) = listener.accept().await?;
            let mut news = news.subscribe();
            tokio::spawn(async move {
                while let Ok(frames) = news.recv().await {
                    if stream.write_all(&frames).await.is_err() {
                        break;
                    }
                }
            });
        }
        let mut pace = tokio::time::interval(Duration::from_secs_f64(1.0 / RATE));
        for seq in 1..=(time * RATE) as u64 {
            pace.tick().await;
            let text = format!(r#"{{"type":"sample","seq":{seq},"fields":{{"t":{:.3}}}}}"#, now());
            let mut frames = vec![0x81, 126];
            frames.extend_from_slice(&(text.len() as u16).to_be_bytes());
            frames.extend_from_slice(text.as_bytes());
            frames.extend_from_slice(&[0x82, 126]);
            frames.extend_from_slice(&(bytes as u16).to_be_bytes());
            frames.resize(frames.len() + bytes, 7);
            let _ = news.send(frames.into());
        }
        drop(news);
        tokio::time::sleep(Duration::from_millis(500)).await;
        Ok(())
    })
}
