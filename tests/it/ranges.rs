//! Parts of files as nginx serves them: the cases of its own tests `range.t`, `range_if_range.t` and `not_modified.t`.
//!
//! What those tests ask of settings that only nginx has (`charset_map`, `add_header Last-Modified`, `max_ranges`) isn't
//! here. Where nginx may be set either way, this server does what RFC 9110 says and no more:
//! - `If-Modified-Since` (section 13.1.3: "the selected representation's last modification date is earlier or equal to
//!   the date provided") is nginx's `if_modified_since before`; its default wants the very same second.
//! - Many ranges (section 14.2: "A server that supports range requests MAY ignore a Range header field when the …
//!   ranges-specifier contains more than two overlapping ranges or many small ranges"): more than 16 get the whole file,
//!   as with `max_ranges 16`.
//! - A range set that can't be read (section 14.2: "A server … MAY ignore or reject a Range header field that contains
//!   an invalid ranges-specifier") is refused with 416, as nginx does.

use crate::app::{App, spawn_app};
use crate::visitor::{Answer, Visitor};
use reqwest::Method;
use std::time::{Duration, UNIX_EPOCH};

/// The tests' own thousand bytes: `X000XXXXXX`, `X001XXXXXX` and so on to `X099XXXXXX`.
fn letters() -> String {
    let pieces: Vec<String> = (0..100).map(|n| format!("X{n:03}XXXXXX")).collect();
    pieces.concat()
}

/// A server with the letters in its library, a reader, and the address of the bytes.
async fn serving() -> (App, Visitor, String) {
    let app = spawn_app().await;
    let path = app.media().join("t1.wav");
    std::fs::write(&path, letters()).unwrap();
    // In the middle of a second: the header has whole ones.
    let modified = UNIX_EPOCH + Duration::from_millis(1_700_000_000_400);
    std::fs::File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
    let ann = app.register("ann").await;
    let items = ann.get("/api/v1/media").await.is(200).json();
    let url = format!("/media/{}/file", items["items"][0]["id"]);
    (app, ann, url)
}

async fn ask(who: &Visitor, url: &str, headers: &[(&str, &str)]) -> Answer {
    let request = headers
        .iter()
        .fold(who.request(Method::GET, url), |asking, (name, value)| asking.header(*name, *value));
    who.answer(request).await
}

#[tokio::test]
async fn one_range_is_answered_as_nginx_does() {
    let (_app, ann, url) = serving().await;
    for (range, content_range, bytes) in [
        ("bytes=0-8", "bytes 0-8/1000", "X000XXXXX"),
        ("bytes=-10", "bytes 990-999/1000", "X099XXXXXX"),
        ("bytes=990-", "bytes 990-999/1000", "X099XXXXXX"),
        ("bytes=990-1990", "bytes 990-999/1000", "X099XXXXXX"),
        ("bytes=10-19, 10000-", "bytes 10-19/1000", "X001XXXXXX"),
    ] {
        let answer = ask(&ann, &url, &[("range", range)]).await.is(206);
        let told = (answer.header("content-range"), answer.header("content-length"), answer.text());
        assert_eq!(told, (content_range.into(), bytes.len().to_string(), bytes.into()), "{range}");
    }
    let all = ask(&ann, &url, &[("range", "bytes=0-10001")]).await.is(206);
    assert_eq!((all.header("content-range"), all.text()), ("bytes 0-999/1000".into(), letters()));
    for range in [
        "bytes=100000-",
        "bytes=alpha",
        "bytes=10-alpha",
        "bytes=10",
        "bytes=10-11 12-",
        "bytes=1000-",
        "bytes=-0",
    ] {
        let answer = ask(&ann, &url, &[("range", range)]).await.is(416);
        assert_eq!(answer.header("content-range"), "bytes */1000", "{range}");
    }
}

#[tokio::test]
async fn several_ranges_come_as_parts_in_the_order_in_which_they_were_asked_for() {
    let (_app, ann, url) = serving().await;
    for range in ["bytes=0-9, -10, 10-19", "bytes=0-9, -10, 100000-, 10-19"] {
        let answer = ask(&ann, &url, &[("range", range)]).await.is(206);
        let kind = answer.header("content-type");
        let boundary = kind.strip_prefix("multipart/byteranges; boundary=").unwrap().to_owned();
        assert_eq!(answer.header("content-length"), answer.body.len().to_string());
        let body = answer.text();
        let (parts, end) = body.rsplit_once(&format!("\r\n--{boundary}--\r\n")).unwrap();
        let parts: Vec<_> = parts
            .split(&format!("\r\n--{boundary}\r\n"))
            .filter_map(|part| part.split_once("\r\n\r\n"))
            .map(|(head, bytes)| (head.rsplit_once("Content-Range: ").unwrap().1, bytes))
            .collect();
        let wanted = [
            ("bytes 0-9/1000", "X000XXXXXX"),
            ("bytes 990-999/1000", "X099XXXXXX"),
            ("bytes 10-19/1000", "X001XXXXXX"),
        ];
        assert_eq!((parts.as_slice(), end), (wanted.as_slice(), ""), "{range}");
    }
    // More than the file has, and more ranges than anybody needs: the file, once.
    let many: Vec<String> = (0..17).map(|n| format!("{n}-{n}")).collect();
    for range in ["bytes=0-10001, 0-0".to_owned(), format!("bytes={}", many.join(","))] {
        let answer = ask(&ann, &url, &[("range", &range)]).await.is(200);
        assert_eq!((answer.header("content-range"), answer.text()), (String::new(), letters()), "{range}");
    }
    let most = format!("bytes={}", many[..16].join(","));
    assert!(
        ask(&ann, &url, &[("range", &most)]).await.is(206).header("content-type").starts_with("multipart/")
    );
}

#[tokio::test]
async fn a_range_of_another_state_of_the_file_gets_the_whole_file() {
    let (_app, ann, url) = serving().await;
    let range = ("range", "bytes=0-9");
    let wrong = ask(&ann, &url, &[range, ("if-range", "wrong")]).await.is(200);
    let (date, tag) = (wrong.header("last-modified"), wrong.header("etag"));
    assert_eq!((wrong.text(), date.as_str()), (letters(), "Tue, 14 Nov 2023 22:13:20 GMT"));
    for right in [&date, &tag] {
        let part = ask(&ann, &url, &[range, ("if-range", right)]).await.is(206);
        assert_eq!(part.text(), "X000XXXXXX", "{right}");
    }
    let weak = format!("W/{tag}");
    for other in ["\"foo\"", &weak, "Mon, 28 Sep 1970 06:00:00 GMT", "Tue, 14 Nov 2023 22:13:21 GMT"] {
        let whole = ask(&ann, &url, &[range, ("if-range", other)]).await.is(200);
        assert_eq!(whole.text(), letters(), "{other}");
    }
}

#[tokio::test]
async fn conditions_are_answered_as_nginx_does() {
    let (_app, ann, url) = serving().await;
    let tag = ask(&ann, &url, &[]).await.is(200).header("etag");
    let table: [(&str, String, u16); 15] = [
        ("if-modified-since", "Wed, 08 Jul 2037 22:53:52 GMT".into(), 304),
        ("if-modified-since", "Tue, 19 Jan 2038 03:14:07 GMT".into(), 304),
        // Where times have 32 bits these two overflow.
        ("if-modified-since", "Tue, 19 Jan 2038 03:14:08 GMT".into(), 304),
        ("if-modified-since", "Fri, 25 Feb 2174 09:42:23 GMT".into(), 304),
        ("if-modified-since", "Tue, 14 Nov 2023 22:13:19 GMT".into(), 200),
        ("if-none-match", tag.clone(), 304),
        ("if-none-match", "\"foo\"".into(), 200),
        ("if-none-match", format!("\"foo\", \"bar\", {tag} , \"baz\""), 304),
        ("if-none-match", "*".into(), 304),
        ("if-none-match", format!("W/{tag}"), 304),
        ("if-match", tag.clone(), 200),
        ("if-match", "\"foo\"".into(), 412),
        ("if-match", format!("\"foo\", \"bar\", \t{tag} , \"baz\""), 200),
        ("if-match", "*".into(), 200),
        ("if-match", format!("W/{tag}"), 412),
    ];
    for (name, value, status) in table {
        let answer = ask(&ann, &url, &[(name, &value)]).await;
        assert_eq!(answer.status, status, "{name}: {value}");
        assert_eq!(answer.body.is_empty(), status == 304, "{name}: {value}");
    }
    // RFC 9110 section 13.2.1: conditions don't count where the answer would be neither 2xx nor 412.
    ask(&ann, "/media/999/file", &[("if-match", "\"foo\"")]).await.is(404);
}
