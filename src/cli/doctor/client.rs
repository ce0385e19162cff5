//! Somebody at a browser, as far as a measurement needs one: HTTP over one connection, and frames of a WebSocket.

use super::bench::Measured;
use actix_http::ws::{OpCode, Parser};
use bytes::{Buf as _, BytesMut};
use std::io;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The largest frame that is believed; `ready` and a page of messages are smaller.
const FRAME_MAX: usize = 1 << 20;
/// The longest head of an answer.
const HEAD_MAX: usize = 16 * 1024;

/// One connection, and what has come down it but not been looked at.
pub struct Client {
    address: SocketAddr,
    stream: TcpStream,
    waiting: BytesMut,
    /// What is sent along once the server has handed it out.
    cookie: String,
}

/// The body of an answer.
pub struct Answer {
    pub status: u16,
    pub body: BytesMut,
}

impl Answer {
    /// # Errors
    /// When the answer has another status.
    pub fn is(self, status: u16) -> Measured<Self> {
        if self.status == status {
            return Ok(self);
        }
        let words = String::from_utf8_lossy(&self.body);
        Err(format!("the server answered {}: {}", self.status, words.chars().take(200).collect::<String>())
            .into())
    }
}

impl Client {
    pub async fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { address, stream, waiting: BytesMut::new(), cookie: String::new() })
    }

    /// Comes in with a display name.
    pub async fn enter(address: SocketAddr, name: &str) -> Measured<Self> {
        let mut client = Self::connect(address).await?;
        let form = format!("display_name={name}");
        client.post("/guest", "application/x-www-form-urlencoded", &form).await?.is(303)?;
        Ok(client)
    }

    pub async fn get(&mut self, path: &str) -> Measured<Answer> {
        self.ask(&format!("GET {path} HTTP/1.1\r\n"), "").await
    }

    pub async fn post(&mut self, path: &str, kind: &str, body: &str) -> Measured<Answer> {
        let head =
            format!("POST {path} HTTP/1.1\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n", body.len());
        self.ask(&head, body).await
    }

    async fn ask(&mut self, head: &str, body: &str) -> Measured<Answer> {
        let request = format!("{head}Host: {}\r\nCookie: {}\r\n\r\n{body}", self.address, self.cookie);
        self.stream.write_all(request.as_bytes()).await?;
        let (status, length) = self.head().await?;
        while self.waiting.len() < length {
            self.read().await?;
        }
        Ok(Answer { status, body: self.waiting.split_to(length) })
    }

    /// The status of an answer, and how long its body is.
    async fn head(&mut self) -> Measured<(u16, usize)> {
        let end = loop {
            if let Some(end) = self.waiting.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            if self.waiting.len() > HEAD_MAX {
                return Err("the server's answer has no end".into());
            }
            self.read().await?;
        };
        let head = self.waiting.split_to(end);
        let head = String::from_utf8_lossy(&head);
        let (mut status, mut length) = (0, 0);
        for line in head.lines() {
            match line.split_once(": ").map(|(name, value)| (name.to_ascii_lowercase(), value)) {
                Some((name, value)) if name == "content-length" => length = value.parse()?,
                Some((name, value)) if name == "set-cookie" => {
                    value.split(';').next().unwrap_or_default().clone_into(&mut self.cookie);
                }
                None if status == 0 => {
                    status = line.split(' ').nth(1).unwrap_or_default().parse()?;
                }
                _ => {}
            }
        }
        Ok((status, length))
    }

    async fn read(&mut self) -> io::Result<()> {
        match self.stream.read_buf(&mut self.waiting).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    /// Turns the connection into a WebSocket of the person's.
    pub async fn upgrade(mut self) -> Measured<Self> {
        let head = "GET /ws HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        let request = format!("{head}Host: {}\r\nCookie: {}\r\n\r\n", self.address, self.cookie);
        self.stream.write_all(request.as_bytes()).await?;
        match self.head().await? {
            (101, _) => Ok(self),
            (status, _) => Err(format!("the server answered {status} instead of opening a WebSocket").into()),
        }
    }

    /// Sends a text frame.
    pub async fn say(&mut self, text: &str) -> io::Result<()> {
        self.send(OpCode::Text, text.as_bytes()).await
    }

    async fn send(&mut self, kind: OpCode, payload: &[u8]) -> io::Result<()> {
        let mut frame = BytesMut::new();
        Parser::write_message(&mut frame, payload, kind, true, true);
        self.stream.write_all(&frame).await
    }

    /// The next text frame, once it is whole; answers questions for life meanwhile.
    ///
    /// # Errors
    /// When the connection ends.
    pub async fn hear(&mut self) -> Measured<BytesMut> {
        loop {
            match Parser::parse(&mut self.waiting, false, FRAME_MAX)? {
                Some((_, OpCode::Text, payload)) => return Ok(payload.unwrap_or_default()),
                Some((_, OpCode::Ping, payload)) => {
                    self.send(OpCode::Pong, &payload.unwrap_or_default()).await?;
                }
                Some((_, OpCode::Close, payload)) => {
                    let code = payload.filter(|p| p.len() > 1).map_or(0, |mut p| p.get_u16());
                    return Err(format!("the server closed a connection ({code})").into());
                }
                Some(_) => {}
                None => self.read().await?,
            }
        }
    }
}
