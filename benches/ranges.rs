//! Ranges of one MiB at random offsets of a film, beside a plain socket that is handed the same bytes of the same file.
//!
//! `cargo bench --bench ranges [-- --quick]`. The film is in the page cache: it is the serving that is measured.

#![allow(clippy::cast_possible_truncation, reason = "a bench's numbers are small")]

mod figures;
mod house;
#[path = "house/load.rs"]
mod load;

use figures::{Benched, median, rounds};
use house::{House, http};
use load::load;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};

const MIB: u64 = 1024 * 1024;
/// The film's length in MiB.
const FILM: u64 = 48;

fn main() -> Benched {
    let house = House::open()?;
    let film = house.folder.path().join("media/film.mp4");
    let bytes: Vec<u8> = (0..FILM * MIB).map(|n| (n.wrapping_mul(0x9e37_79b9) >> 24) as u8).collect();
    std::fs::write(&film, bytes)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let http = http()?;
        let cookie = house.guest(&http, "Ann").await?;
        let address = find(&http, &house, &cookie).await?;
        let plain = plain_socket(film)?;
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..rounds() {
            let (address, cookie) = (address.clone(), cookie.clone());
            let ask = move |n| request(&address, &cookie, n);
            ours.push(load(house.running.address, ask).await?.bytes);
            theirs.push(load(plain, |n| request("/", "", n)).await?.bytes);
        }
        let (ours, theirs) = (median(ours) / 1e6, median(theirs) / 1e6);
        println!("hubbub MB/s   plain socket MB/s   ratio");
        println!("{ours:>11.0}   {theirs:>17.0}   {:>5.2}", ours / theirs);
        Benched::Ok(())
    })?;
    Ok(house.running.stop()?)
}

/// The address of the film's bytes, once a look at the list has found it.
async fn find(http: &reqwest::Client, house: &House, cookie: &str) -> Benched<String> {
    let list = format!("{}/api/v1/media?query=film", house.base());
    let list: serde_json::Value = http.get(list).header("cookie", cookie).send().await?.json().await?;
    let id = list["items"][0]["id"].as_i64().ok_or("the film is not in the library")?;
    Ok(format!("/media/{id}/file"))
}

fn request(path: &str, cookie: &str, n: u64) -> String {
    // A step that shares no factor with the film's length comes by every offset, in no order that a disk would like.
    let start = (n * 29 % (FILM - 1)) * MIB;
    let end = start + MIB - 1;
    format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\nRange: bytes={start}-{end}\r\n\r\n"
    )
}

/// A thread per connection that answers each range by reading and writing it, and knows nothing else.
fn plain_socket(film: PathBuf) -> Benched<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let film = film.clone();
            std::thread::spawn(move || answer(&stream, &film));
        }
    });
    Ok(address)
}

fn answer(mut stream: &TcpStream, film: &Path) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut lines = BufReader::new(stream);
    let mut file = File::open(film)?;
    let mut buffer = vec![0; 128 * 1024];
    let mut line = String::new();
    let mut start = 0;
    while lines.read_line(&mut line)? > 0 {
        if let Some(range) = line.strip_prefix("Range: bytes=") {
            start = range.split('-').next().and_then(|start| start.parse().ok()).unwrap_or_default();
        } else if line == "\r\n" {
            stream.write_all(
                format!("HTTP/1.1 206 Partial Content\r\nContent-Length: {MIB}\r\n\r\n").as_bytes(),
            )?;
            file.seek(SeekFrom::Start(start))?;
            let mut left = MIB;
            while left > 0 {
                let most = left.min(buffer.len() as u64) as usize;
                let n = file.read(&mut buffer[..most])?;
                stream.write_all(&buffer[..n])?;
                left -= n as u64;
            }
        }
        line.clear();
    }
    Ok(())
}
