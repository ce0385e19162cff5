//! A WebSocket to a server's `/ws`, and questions down it, one after the other.

use crate::figures::Benched;
use futures_util::{SinkExt as _, StreamExt as _};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest as _};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

pub struct Line {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    asked: u64,
}

impl Line {
    /// Shakes hands with a token, and waits for the first frame, `ready`; answers with how long both took.
    pub async fn open(address: SocketAddr, token: &str) -> Benched<(Self, Duration)> {
        let mut request = format!("ws://{address}/ws").into_client_request()?;
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse()?);
        let began = Instant::now();
        let (mut socket, _) = connect_async(request).await?;
        let first = socket.next().await.ok_or("the connection ended")??;
        let took = began.elapsed();
        if !first.to_text()?.starts_with(r#"{"type":"ready""#) {
            return Err(format!("the first frame is {first}").into());
        }
        Ok((Self { socket, asked: 0 }, took))
    }

    /// Sends a request, given without its number and its braces, and waits for the reply; answers with how long that took
    /// and with the reply.
    pub async fn ask(&mut self, request: &str) -> Benched<(Duration, String)> {
        self.asked += 1;
        let (frame, mark) = (
            format!("{{\"id\":{},{request}}}", self.asked),
            format!(r#"{{"type":"reply","id":{},"#, self.asked),
        );
        let began = Instant::now();
        self.socket.send(Message::text(frame)).await?;
        loop {
            let frame = self.socket.next().await.ok_or("the connection ended")??;
            let Message::Text(text) = &frame else { continue };
            if let Some(reply) = text.strip_prefix(&mark) {
                let took = began.elapsed();
                if !reply.starts_with(r#""ok":true"#) {
                    return Err(format!("{request} was answered with {reply}").into());
                }
                return Ok((took, reply.to_owned()));
            }
        }
    }
}
