//! What the fuzzers of `fuzz/` throw bytes at, behind the feature `fuzz`: everything that reads what strangers send, with
//! what must hold whatever they send. A panic is a finding.
#![allow(clippy::missing_panics_doc)]

use crate::chat::protocol;
use crate::live::lines::{Line, Lines};
use crate::live::{json, video};
use crate::site::range::{Validators, Wanted};
use crate::site::socket::frame_guard::Walker;
use crate::{media, picture, text};
use actix_web::http::header::{HeaderValue, RANGE};
use actix_web::test::TestRequest;
use bytes::Bytes;

/// The bytes cut into pieces of 1 to 64 bytes, as the first byte says.
fn pieces(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let length = bytes.first().map_or(1, |byte| usize::from(byte % 64) + 1);
    bytes.chunks(length)
}

/// The guard in front of the WebSocket codec lets the same bytes through however they are cut, and none of its own.
pub fn frames(bytes: &[u8]) {
    let through = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let (mut walker, mut passed, mut alarms) = (Walker::new(1000), Vec::new(), Vec::new());
        for piece in pieces {
            passed.extend_from_slice(&walker.walk(Bytes::copy_from_slice(piece), |alarm| alarms.push(alarm)));
        }
        (passed, alarms)
    };
    let whole = through(&mut std::iter::once(bytes));
    assert_eq!(whole, through(&mut pieces(bytes)));
    assert!(whole.0.len() <= bytes.len());
}

/// A text frame is a request, refused, or none.
pub fn commands(bytes: &[u8]) {
    if let Ok(frame) = std::str::from_utf8(bytes) {
        let _ = protocol::parse(frame);
    }
}

/// Lines are the same however the body is cut, and none is longer than the limit; each is read as a sample.
pub fn samples(bytes: &[u8]) {
    let read = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let (mut lines, mut found) = (Lines::new(200), Vec::new());
        for piece in pieces {
            lines.feed(piece);
            while let Some(line) = lines.next() {
                found.push(line);
            }
        }
        found.extend(lines.finish());
        found
    };
    let whole = read(&mut std::iter::once(bytes));
    assert_eq!(whole, read(&mut pieces(bytes)));
    for line in whole {
        if let Line::Whole(line) = line {
            assert!(line.len() <= 200);
            let _ = json::read(&line);
        }
    }
}

/// A film that comes in pieces is cut into the same fragments however it is cut.
pub fn film(bytes: &[u8]) {
    let read = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let (mut walker, mut found) = (video::Walker::default(), 0);
        for piece in pieces {
            match walker.push(piece) {
                Ok(pieces) => found += pieces.len(),
                Err(_) => return None,
            }
        }
        Some((found, walker.is_between()))
    };
    // A flaw may be seen before the pieces in front of it were handed on; both see it.
    assert_eq!(read(&mut std::iter::once(bytes)), read(&mut pieces(bytes)));
}

/// Ranges lie within the file, whatever is asked for.
pub fn ranges(bytes: &[u8]) {
    const SIZE: u64 = 1000;
    let Ok(value) = HeaderValue::from_bytes(bytes) else { return };
    let request = TestRequest::get().insert_header((RANGE, value)).to_http_request();
    let spans = match Validators::new("tag".to_owned(), None).judge(&request, SIZE) {
        Wanted::Part(span) => vec![span],
        Wanted::Parts(spans) => spans,
        _ => Vec::new(),
    };
    for span in spans {
        assert!(span.length > 0 && span.start + span.length <= SIZE, "{span:?}");
    }
}

/// What people write becomes HTML without a tag that isn't ours.
pub fn messages(bytes: &[u8]) {
    if let Ok(typed) = std::str::from_utf8(bytes) {
        let html = text::render(typed).html.unwrap_or_default();
        assert!(!html.contains("<script") && !html.contains("javascript:\""), "{html}");
    }
}

/// Pictures are looked at, and what tells of people is taken out of them.
pub fn pictures(bytes: &[u8]) {
    let _ = picture::look(bytes);
    if picture::megapixels(bytes) < 2 {
        let _ = picture::prepare(bytes);
    }
}

/// Captions are read, and what is written of them is read as the same.
pub fn captions(bytes: &[u8]) {
    if let Ok(cues) = media::vtt::read(bytes) {
        let again = media::vtt::read(media::vtt::write(&cues).as_bytes());
        assert_eq!(again.ok().map(|again| again.len()), Some(cues.len()));
    }
}
