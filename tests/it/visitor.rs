//! Somebody at a browser without script: five verbs, a cookie jar, and answers that say what they are when they surprise.

use crate::socket::Socket;
use crate::trust::{Trust, with_ring};
use reqwest::header::{COOKIE, HeaderMap};
use reqwest::{Client, Method, RequestBuilder, redirect};
use serde_json::Value;
use std::time::Duration;

/// Longer than anything takes; a test that waits this long has failed.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// One person's browser.
pub struct Visitor {
    client: Client,
    jar: std::sync::Arc<reqwest::cookie::Jar>,
    origin: String,
    /// Whom this browser trusts when it comes by HTTPS.
    trust: Option<Trust>,
}

impl Visitor {
    pub fn new(origin: &str) -> Self {
        with_ring();
        Self::with(origin, Client::builder(), None)
    }

    /// Somebody who trusts this authority and nobody else.
    pub fn trusting(origin: &str, trust: &Trust) -> Self {
        Self::with(origin, trust.client(), Some(trust.clone()))
    }

    fn with(origin: &str, builder: reqwest::ClientBuilder, trust: Option<Trust>) -> Self {
        let jar = std::sync::Arc::new(reqwest::cookie::Jar::default());
        let client = builder
            .cookie_provider(jar.clone())
            .redirect(redirect::Policy::none())
            .no_proxy()
            // An idle connection would keep a stopping server waiting.
            .pool_max_idle_per_host(0)
            .timeout(DEADLINE)
            .build()
            .unwrap();
        Self { client, jar, origin: origin.to_owned(), trust }
    }

    /// Looks at a page.
    pub async fn get(&self, path: &str) -> Answer {
        self.answer(self.request(Method::GET, path)).await
    }

    /// Sends a form.
    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        self.answer(self.request(Method::POST, path).form(form)).await
    }

    /// Sends JSON to the API.
    pub async fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.answer(self.request(method.parse().unwrap(), path).json(body)).await
    }

    /// Opens a WebSocket and waits for `ready`.
    pub async fn socket(&self) -> Socket {
        let (cookie, trust) = (self.cookie(), self.trust.as_ref());
        let opened = Socket::open_trusting(&self.origin, "/ws", &[("cookie", &cookie)], trust).await;
        let mut socket = opened.unwrap();
        socket.ready = socket.hear("ready", |frame| frame["type"] == "ready").await;
        socket
    }

    /// Sends a request that was put together by hand.
    pub async fn answer(&self, request: RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let (status, headers, url) =
            (response.status().as_u16(), response.headers().clone(), response.url().to_string());
        Answer { status, headers, url, body: response.bytes().await.unwrap().to_vec() }
    }

    /// Sends a request whose answer may never end: its body is left unread.
    pub async fn begun(&self, request: RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            url: response.url().to_string(),
            body: Vec::new(),
        }
    }

    /// The start of a request by hand.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.origin))
    }

    /// The value of the `Cookie` header; empty for somebody without one.
    pub fn cookie(&self) -> String {
        use reqwest::cookie::CookieStore as _;
        let cookies = self.jar.cookies(&self.origin.parse().unwrap());
        cookies.map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    }

    /// The same person in another browser window: same cookie, another connection.
    pub fn with_cookie_of(other: &Self) -> Self {
        Self::moved(other, &other.origin)
    }

    /// The same person after the server has moved to another port.
    pub fn moved(other: &Self, origin: &str) -> Self {
        let visitor = Self::new(origin);
        let url = origin.parse().unwrap();
        for cookie in other.cookie().split("; ") {
            visitor.jar.add_cookie_str(cookie, &url);
        }
        visitor
    }

    /// One's own profile.
    pub async fn me(&self) -> Value {
        self.get("/api/v1/me").await.is(200).json()
    }

    /// Creates a channel and answers with the room.
    pub async fn create(&self, name: &str) -> Value {
        self.send("POST", "/api/v1/rooms", &serde_json::json!({ "kind": "channel", "name": name }))
            .await
            .is(201)
            .json()
    }

    /// Joins a room by its number.
    pub async fn join(&self, room: &Value) -> Answer {
        self.send("POST", &format!("/api/v1/rooms/{}/join", room["id"]), &Value::Null).await
    }

    /// Puts a recording into the library and answers with the item.
    pub async fn put_recording(&self, name: &str) -> Value {
        let put = self.request(Method::PUT, &format!("/api/v1/media/{name}")).body(recording(name));
        self.answer(put).await.is(201).json()
    }

    /// The number of the talk that an item's page shows.
    pub async fn talk_of(&self, item: &Value) -> i64 {
        let page = self.get(&format!("/media/{}", item["id"])).await.is(200).text();
        let (_, rest) = page.split_once("<chat-timeline").expect("the page has no talk");
        let (_, number) = rest.split_once("data-room=\"").unwrap();
        number.split('"').next().unwrap().parse().unwrap()
    }

    /// Sends a message over the API.
    pub async fn say(&self, room: &Value, text: &str) -> Answer {
        let body = serde_json::json!({ "nonce": nonce(), "text": text });
        self.send("POST", &format!("/api/v1/rooms/{}/messages", room["id"]), &body).await
    }
}

/// The bytes of a recording, another one for each name.
pub fn recording(name: &str) -> Vec<u8> {
    let mut wav = b"RIFF\0\0\0\0WAVEfmt ".to_vec();
    wav.extend(name.bytes().cycle().take(3000));
    wav
}

/// A fresh nonce.
pub fn nonce() -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("nonce-{:06}-{:08}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// An answer that has arrived completely.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    url: String,
}

impl Answer {
    /// Fails unless the status is this one, and shows the answer then.
    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}: {}", self.url, self.text());
        self
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{}: {error}: {}", self.url, self.text()))
    }

    /// Fails unless the page has this text in it.
    #[track_caller]
    pub fn has(self, wanted: &str) -> Self {
        assert!(self.text().contains(wanted), "{} has no {wanted:?}: {}", self.url, self.text());
        self
    }

    /// Fails when the page has this text in it.
    #[track_caller]
    pub fn lacks(self, unwanted: &str) -> Self {
        assert!(!self.text().contains(unwanted), "{} has {unwanted:?}: {}", self.url, self.text());
        self
    }

    /// A header's value; empty when it isn't there.
    pub fn header(&self, name: &str) -> String {
        self.headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    }

    /// Fails unless this is problem+json with this status and code.
    #[track_caller]
    pub fn problem(self, status: u16, code: &str) -> Value {
        let answer = self.is(status);
        assert_eq!(answer.header("content-type"), "application/problem+json", "{}", answer.url);
        let problem = answer.json();
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["status"], status, "{problem}");
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.ends_with('.')), "{problem}");
        assert!(
            problem["request_id"].as_str().is_some_and(|id| id == answer.header("x-request-id")),
            "{problem}"
        );
        problem
    }
}

/// A cookie header by hand.
pub fn with_cookie(request: RequestBuilder, cookie: &str) -> RequestBuilder {
    request.header(COOKIE, cookie)
}
