//! A load generator for HTTP: connections that ask, read the whole answer, and ask again.

use crate::figures::{Benched, seconds};
use std::net::SocketAddr;
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Connections that ask at once.
pub const CONNECTIONS: usize = 16;

/// Answers and body bytes, both a second.
#[allow(dead_code, reason = "each bench uses its own part of this")]
pub struct Load {
    pub answers: f64,
    pub bytes: f64,
}

/// Keeps [`CONNECTIONS`] busy for a while. `request` makes the whole request head for the n-th question.
pub async fn load(
    address: SocketAddr,
    request: impl Fn(u64) -> String + Clone + Send + 'static,
) -> Benched<Load> {
    let (started, length) = (Instant::now(), seconds());
    let mut asking = tokio::task::JoinSet::new();
    for connection in 0..CONNECTIONS as u64 {
        let request = request.clone();
        asking.spawn(async move {
            let mut stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let (mut buffer, mut answers, mut bytes) = (vec![0; 256 * 1024], 0u64, 0u64);
            while started.elapsed() < length {
                stream.write_all(request(connection + answers * CONNECTIONS as u64).as_bytes()).await?;
                bytes += answer(&mut stream, &mut buffer).await?;
                answers += 1;
            }
            std::io::Result::Ok((answers, bytes))
        });
    }
    let (mut answers, mut bytes) = (0.0, 0.0);
    while let Some(done) = asking.join_next().await {
        let (some, more) = done??;
        answers += some as f64;
        bytes += more as f64;
    }
    let took = started.elapsed().as_secs_f64();
    Ok(Load { answers: answers / took, bytes: bytes / took })
}

/// Reads one answer to its end; the number of its body's bytes.
async fn answer(stream: &mut TcpStream, buffer: &mut [u8]) -> std::io::Result<u64> {
    let wrong = |what: &str| std::io::Error::other(format!("the server's answer has {what}"));
    let mut filled = 0;
    let head = loop {
        if let Some(end) = buffer[..filled].windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        match stream.read(&mut buffer[filled..]).await? {
            0 => return Err(wrong("no end")),
            n => filled += n,
        }
    };
    let text = String::from_utf8_lossy(&buffer[..head]).to_ascii_lowercase();
    if !text.starts_with("http/1.1 20") {
        return Err(wrong(text.lines().next().unwrap_or("no status")));
    }
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let length: u64 = length.ok_or_else(|| wrong("no length"))?;
    let mut left = length - (filled - head) as u64;
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        match stream.read(&mut buffer[..most]).await? {
            0 => return Err(wrong("been cut")),
            n => left -= n as u64,
        }
    }
    Ok(length)
}
