//! A client of `/ws`: says JSON, hears frames, and on a missed deadline tells what it did hear.

use crate::trust::Trust;
use crate::visitor::{DEADLINE, nonce};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::collections::VecDeque;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

/// What the frames go through, plain or not.
trait Line: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Line for T {}

/// One connection.
pub struct Socket {
    stream: WebSocketStream<Box<dyn Line>>,
    /// Frames that arrived and that nobody has asked for yet.
    waiting: VecDeque<Value>,
    last_id: u64,
    /// The first frame, once it is there.
    pub ready: Value,
}

impl Socket {
    /// Shakes hands with `headers`; the refusal is the HTTP status.
    pub async fn open(origin: &str, headers: &[(&str, &str)]) -> Result<Self, u16> {
        Self::open_at(origin, "/ws", headers).await
    }

    /// The same at another address.
    pub async fn open_at(origin: &str, path: &str, headers: &[(&str, &str)]) -> Result<Self, u16> {
        Self::open_trusting(origin, path, headers, None).await
    }

    /// The same, over TLS when the origin is one of HTTPS.
    pub async fn open_trusting(
        origin: &str,
        path: &str,
        headers: &[(&str, &str)],
        trust: Option<&Trust>,
    ) -> Result<Self, u16> {
        let url = format!("{}{path}", origin.replacen("http", "ws", 1));
        let mut request = url.into_client_request().unwrap();
        for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
            request
                .headers_mut()
                .insert(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
        }
        let port = request.uri().port_u16().unwrap();
        let line: Box<dyn Line> = match trust.filter(|_| origin.starts_with("https")) {
            Some(trust) => Box::new(trust.shake_hands(port).await.unwrap().0),
            None => Box::new(TcpStream::connect(("127.0.0.1", port)).await.unwrap()),
        };
        let shaken = timeout(DEADLINE, client_async(request, line)).await;
        match shaken.expect("the handshake has a deadline") {
            Ok((stream, _)) => Ok(Self { stream, waiting: VecDeque::new(), last_id: 0, ready: Value::Null }),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    /// Sends one request without waiting; answers with its number.
    pub async fn say(&mut self, mut request: Value) -> u64 {
        self.last_id += 1;
        request["id"] = json!(self.last_id);
        self.raw(Message::text(request.to_string())).await;
        self.last_id
    }

    /// Sends any frame.
    pub async fn raw(&mut self, frame: Message) {
        self.stream.send(frame).await.unwrap();
    }

    /// Sends bytes past the WebSocket library. An error means that the server has had enough.
    pub async fn bytes(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.get_mut().write_all(bytes).await
    }

    /// Sends one request and waits for its reply, whatever it says.
    pub async fn ask(&mut self, request: Value) -> Value {
        let what = request.to_string();
        let id = self.say(request).await;
        self.hear(&what, |frame| frame["type"] == "reply" && frame["id"] == id).await
    }

    /// Sends one request that must succeed.
    pub async fn must(&mut self, request: Value) -> Value {
        let what = request.to_string();
        let reply = self.ask(request).await;
        assert_eq!(reply["ok"], true, "{what} was answered with {reply}");
        reply
    }

    /// Sends one request that must be refused with this code.
    pub async fn refused(&mut self, request: Value, code: &str) -> Value {
        let what = request.to_string();
        let reply = self.ask(request).await;
        assert_eq!((&reply["ok"], &reply["error"]["code"]), (&json!(false), &json!(code)), "{what}: {reply}");
        assert!(reply["error"]["message"].as_str().is_some_and(|words| words.ends_with('.')), "{reply}");
        reply
    }

    /// Sends a message that must be stored.
    pub async fn send(&mut self, room: &Value, text: &str) -> Value {
        self.must(json!({ "type": "send", "room": room["id"], "nonce": nonce(), "text": text })).await
    }

    /// Like [`ask`](Self::ask), for a server that may die meanwhile.
    pub async fn try_ask(&mut self, mut request: Value) -> Option<Value> {
        self.last_id += 1;
        let (id, what) = (self.last_id, request.to_string());
        request["id"] = json!(id);
        self.stream.send(Message::text(request.to_string())).await.ok()?;
        loop {
            let frame = self.next(&what).await?;
            if frame["type"] == "reply" && frame["id"] == id {
                return Some(frame);
            }
            self.waiting.push_back(frame);
        }
    }

    /// The next frame of all, one that waits or one that still comes; `None` when the socket has closed.
    pub async fn frame(&mut self, what: &str) -> Option<Value> {
        match self.waiting.pop_front() {
            Some(frame) => Some(frame),
            None => self.next(what).await,
        }
    }

    /// The next frame of all that still come, whatever it is; `None` when the socket has closed.
    pub async fn any(&mut self, what: &str) -> Option<Message> {
        match timeout(DEADLINE, self.stream.next()).await {
            Err(_) => panic!("nothing like {what} came; heard: {:#?}", self.waiting),
            Ok(frame) => frame?.ok(),
        }
    }

    /// Takes out what has arrived and wasn't asked for.
    pub fn take_waiting(&mut self) -> Vec<Value> {
        self.waiting.drain(..).collect()
    }

    /// The first frame that fits, of those that wait or still come. The others keep waiting.
    pub async fn hear(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.waiting.iter().position(&fits) {
            return self.waiting.remove(at).unwrap();
        }
        loop {
            let Some(frame) = self.next(what).await else {
                panic!("waiting for {what}, the socket closed; heard: {:#?}", self.waiting)
            };
            if fits(&frame) {
                return frame;
            }
            self.waiting.push_back(frame);
        }
    }

    /// The message with this text.
    pub async fn hear_message(&mut self, text: &str) -> Value {
        self.hear(text, |frame| frame["type"] == "message" && frame["text"] == text).await
    }

    /// What has arrived and wasn't asked for.
    pub fn waiting(&self) -> impl Iterator<Item = &Value> {
        self.waiting.iter()
    }

    /// Reads to the end and answers with the close code; 1006 when there was none.
    pub async fn end(&mut self) -> u16 {
        loop {
            match timeout(DEADLINE, self.stream.next()).await {
                Err(_) => panic!("the socket stayed open; heard: {:#?}", self.waiting),
                Ok(Some(Ok(Message::Close(reason)))) => {
                    return reason.map_or(1005, |reason| reason.code.into());
                }
                Ok(Some(Ok(frame))) => self.keep(&frame),
                Ok(None | Some(Err(_))) => return 1006,
            }
        }
    }

    async fn next(&mut self, what: &str) -> Option<Value> {
        loop {
            match timeout(DEADLINE, self.stream.next()).await {
                Err(_) => panic!("nothing like {what} came; heard: {:#?}", self.waiting),
                Ok(Some(Ok(Message::Text(text)))) => return Some(serde_json::from_str(&text).unwrap()),
                Ok(Some(Ok(_))) => {}
                Ok(None | Some(Err(_))) => return None,
            }
        }
    }

    fn keep(&mut self, frame: &Message) {
        if let Message::Text(text) = frame {
            self.waiting.push_back(serde_json::from_str(text).unwrap());
        }
    }
}
