//! One question over one connection: what is asked, and how much of the answer is taken.

use super::Refused;
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1;
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderName,
    LOCATION, USER_AGENT,
};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use tokio::io::{AsyncRead, AsyncWrite};
use url::{Position, Url};

/// Says what this is, so that whoever doesn't want it can refuse it.
const AGENT: &str = concat!("Hubbub/", env!("CARGO_PKG_VERSION"), " (link preview)");
/// Bytes of an answer's head.
const HEAD: usize = 64 * 1024;
const HEADERS: usize = 128;

/// How much is taken of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// So many bytes from its beginning, or all up to the end of a page's head.
    Head(usize),
    /// All of it, or nothing when it has more bytes.
    Whole(usize),
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// The types of content, for the other server.
    pub accept: &'static str,
    /// How much is taken of a type of content, in lower case and without parameters; nothing of one that isn't wanted.
    pub bound: fn(&str) -> Option<Bound>,
}

/// What came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// Where it was in the end.
    pub url: Url,
    /// In lower case, without parameters.
    pub mime: String,
    /// What the server says of how its letters are written.
    pub charset: Option<String>,
    pub body: Vec<u8>,
}

/// An answer: here, or elsewhere.
pub enum Answer {
    Here(Fetched),
    Elsewhere(Url),
}

/// Asks for `url` and reads the answer. Nothing goes on in the background: dropped, the connection is gone.
pub async fn ask(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    url: &Url,
    wanted: &Wanted,
) -> Result<Answer, Refused> {
    let (mut sender, connection) = http1::Builder::new()
        .max_headers(HEADERS)
        .max_buf_size(HEAD)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| broken(&error))?;
    let request = request(url, wanted)?;
    let mut connection = pin!(connection);
    let mut exchange = pin!(async move {
        let response = sender.send_request(request).await.map_err(|error| broken(&error))?;
        read(response, url, wanted).await
    });
    tokio::select! {
        answer = &mut exchange => answer,
        // What has come before its end is still there to be read.
        _ = &mut connection => exchange.await,
    }
}

fn broken(error: &hyper::Error) -> Refused {
    Refused::Broken(error.to_string())
}

fn request(url: &Url, wanted: &Wanted) -> Result<Request<String>, Refused> {
    let host = &url[Position::BeforeHost..Position::AfterPort];
    Request::get(&url[Position::BeforePath..Position::AfterQuery])
        .header(HOST, host)
        .header(USER_AGENT, AGENT)
        .header(ACCEPT, wanted.accept)
        .header(ACCEPT_ENCODING, "identity")
        .header(CONNECTION, "close")
        .body(String::new())
        .map_err(|_| Refused::Address)
}

async fn read(response: Response<Incoming>, url: &Url, wanted: &Wanted) -> Result<Answer, Refused> {
    let text = |name: HeaderName| response.headers().get(name).and_then(|value| value.to_str().ok());
    match response.status().as_u16() {
        200 => {}
        301 | 302 | 303 | 307 | 308 => {
            let place = text(LOCATION).ok_or(Refused::Status(response.status().as_u16()))?;
            return url.join(place).map(Answer::Elsewhere).map_err(|_| Refused::Address);
        }
        other => return Err(Refused::Status(other)),
    }
    if text(CONTENT_ENCODING).is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
        return Err(Refused::Kind);
    }
    let (mime, charset) = kind(text(CONTENT_TYPE).unwrap_or_default());
    let bound = (wanted.bound)(&mime).ok_or(Refused::Kind)?;
    let length = text(CONTENT_LENGTH).and_then(|length| length.parse::<usize>().ok());
    if matches!(bound, Bound::Whole(most) if length.is_some_and(|length| length > most)) {
        return Err(Refused::Large);
    }
    let body = body(response.into_body(), bound).await?;
    Ok(Answer::Here(Fetched { url: url.clone(), mime, charset, body }))
}

/// A type of content without its parameters, and its `charset`.
fn kind(value: &str) -> (String, Option<String>) {
    let mut parts = value.split(';').map(str::trim);
    let mime = parts.next().unwrap_or_default().to_ascii_lowercase();
    let charset = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches(['"', '\'']).to_owned())
    });
    (mime, charset)
}

async fn body(mut body: Incoming, bound: Bound) -> Result<Vec<u8>, Refused> {
    let (Bound::Head(most) | Bound::Whole(most)) = bound;
    let mut bytes = Vec::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let Ok(data) = frame.map_err(|error| broken(&error))?.into_data() else { continue };
        let room = most - bytes.len();
        if data.len() > room && bound == Bound::Whole(most) {
            return Err(Refused::Large);
        }
        let before = bytes.len();
        bytes.extend_from_slice(&data[..data.len().min(room)]);
        if bound == Bound::Head(most) && (bytes.len() == most || has_head(&bytes, before)) {
            break;
        }
    }
    Ok(bytes)
}

/// Whether a page's head ends behind `from`, or a little before.
fn has_head(bytes: &[u8], from: usize) -> bool {
    const END: &[u8] = b"</head";
    let tail = &bytes[from.saturating_sub(END.len())..];
    tail.windows(END.len()).any(|window| window.eq_ignore_ascii_case(END))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_read_without_its_parameters() {
        assert_eq!(kind("text/HTML; charset=\"Big5\""), ("text/html".into(), Some("Big5".into())));
        assert_eq!(kind("image/png"), ("image/png".into(), None));
        assert_eq!(kind(""), (String::new(), None));
    }

    #[test]
    fn the_end_of_a_head_is_found_across_two_pieces() {
        let page = b"<title>a</title></HE";
        assert!(!has_head(page, 0));
        assert!(has_head(&[page, b"AD><body>".as_slice()].concat(), page.len()));
        assert!(!has_head(b"</head> is before, and this is much later", 20));
    }

    #[test]
    fn a_request_says_what_it_is_and_nothing_of_who_reads() {
        let url: Url = "https://a.org:444/b?c=d#e".parse().unwrap();
        let asked = request(&url, &Wanted { accept: "text/html", bound: |_| None }).unwrap();
        assert_eq!(asked.uri(), "/b?c=d");
        let mut names: Vec<&str> = asked.headers().keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["accept", "accept-encoding", "connection", "host", "user-agent"]);
        assert_eq!(asked.headers()[HOST], "a.org:444");
        assert!(asked.headers()[USER_AGENT].to_str().unwrap().starts_with("Hubbub/"));
    }
}
