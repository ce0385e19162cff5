//! Which bytes of a file an HTTP request asks for (RFC 9110, sections 13 and 14).

use actix_files::HttpRange;
use actix_web::body::{BodySize, MessageBody};
use actix_web::http::Method;
use actix_web::http::header::{
    EntityTag, Header, HttpDate, IF_MATCH, IF_NONE_MATCH, IF_RANGE, IfMatch, IfModifiedSince, IfNoneMatch,
    IfRange, IfUnmodifiedSince, RANGE,
};
use actix_web::{HttpMessage, HttpRequest};
use bytes::Bytes;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Ranges of one request. More are the mark of somebody who wants many small parts assembled, not of a player.
const RANGES: usize = 16;
/// The end of the year 9999, past which an HTTP date can't be written; seconds.
const LAST_DATE: u64 = 253_402_300_800;

/// What tells one state of a file from every other.
#[derive(Debug)]
pub struct Validators {
    pub tag: EntityTag,
    /// In whole seconds, as the header has it.
    pub modified: Option<SystemTime>,
}

/// A stretch of a file: the first byte and how many, at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub start: u64,
    pub length: u64,
}

/// What the answer is to hold.
#[derive(Debug, PartialEq, Eq)]
pub enum Wanted {
    Whole,
    Part(Span),
    Parts(Vec<Span>),
    /// 304
    NotModified,
    /// 412
    PreconditionFailed,
    /// 416
    NotSatisfiable,
}

impl Validators {
    /// `tag` is the text between the quotes.
    pub fn new(tag: String, modified: Option<SystemTime>) -> Self {
        let seconds =
            modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok()).map(|since| since.as_secs());
        let modified = seconds
            .filter(|seconds| *seconds < LAST_DATE)
            .map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds));
        Self { tag: EntityTag::new_strong(tag), modified }
    }

    /// The answer to `request`, for a file of `size` bytes that has these validators.
    pub fn judge(&self, request: &HttpRequest, size: u64) -> Wanted {
        if self.has_other_than_expected(request) {
            Wanted::PreconditionFailed
        } else if self.is_known_to(request) {
            Wanted::NotModified
        } else if request.method() == Method::GET && self.lets_ranges_through(request) {
            ranges(request, size)
        } else {
            Wanted::Whole
        }
    }

    fn has_other_than_expected(&self, request: &HttpRequest) -> bool {
        if request.headers().contains_key(IF_MATCH) {
            return match read::<IfMatch>(request) {
                Some(IfMatch::Any) => false,
                Some(IfMatch::Items(tags)) => !tags.iter().any(|tag| tag.strong_eq(&self.tag)),
                None => true,
            };
        }
        match (self.modified, read::<IfUnmodifiedSince>(request)) {
            (Some(modified), Some(IfUnmodifiedSince(since))) => modified > time(since),
            _ => false,
        }
    }

    fn is_known_to(&self, request: &HttpRequest) -> bool {
        if request.headers().contains_key(IF_NONE_MATCH) {
            return match read::<IfNoneMatch>(request) {
                Some(IfNoneMatch::Any) => true,
                Some(IfNoneMatch::Items(tags)) => tags.iter().any(|tag| tag.weak_eq(&self.tag)),
                None => false,
            };
        }
        match (self.modified, read::<IfModifiedSince>(request)) {
            (Some(modified), Some(IfModifiedSince(since))) => modified <= time(since),
            _ => false,
        }
    }

    /// `If-Range`: the ranges count only if the file is still the one that the client has a part of.
    fn lets_ranges_through(&self, request: &HttpRequest) -> bool {
        if !request.headers().contains_key(IF_RANGE) {
            return true;
        }
        match read::<IfRange>(request) {
            Some(IfRange::EntityTag(tag)) => tag.strong_eq(&self.tag),
            Some(IfRange::Date(date)) => self.modified.is_some_and(|modified| modified == time(date)),
            None => false,
        }
    }
}

fn read<H: Header>(request: &HttpRequest) -> Option<H> {
    request.get_header::<H>()
}

fn time(date: HttpDate) -> SystemTime {
    date.into()
}

fn ranges(request: &HttpRequest, size: u64) -> Wanted {
    let Some(header) = request.headers().get(RANGE) else { return Wanted::Whole };
    let Ok(header) = header.to_str() else { return Wanted::NotSatisfiable };
    let unit = header.split('=').next().unwrap_or_default().trim();
    if !unit.eq_ignore_ascii_case("bytes") {
        return Wanted::Whole;
    }
    let Ok(found) = HttpRange::parse(header, size) else { return Wanted::NotSatisfiable };
    // The parser makes nothing of the last bytes of an empty file, but calls it a range.
    let spans: Vec<Span> = found
        .iter()
        .filter(|range| range.length > 0)
        .map(|range| Span { start: range.start, length: range.length })
        .collect();
    // Overlapping ranges could ask for a file many times over.
    let asked = spans.iter().fold(0_u64, |sum, span| sum.saturating_add(span.length));
    match spans.as_slice() {
        [] => Wanted::NotSatisfiable,
        [span] => Wanted::Part(*span),
        more if more.len() > RANGES || asked > size => Wanted::Whole,
        _ => Wanted::Parts(spans),
    }
}

/// The body of an answer to HEAD: the length alone. The server would read a real one to its end to throw it away.
pub struct Unsent(pub u64);

impl MessageBody for Unsent {
    type Error = std::convert::Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.0)
    }

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Poll::Ready(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    const DATE: &str = "Tue, 14 Nov 2023 22:13:20 GMT";

    fn judge(headers: &[(&str, &str)], size: u64) -> Wanted {
        let mut request = TestRequest::get();
        for header in headers {
            request = request.append_header(*header);
        }
        let modified = UNIX_EPOCH + Duration::new(1_700_000_000, 999_000_000);
        Validators::new("a-b".into(), Some(modified)).judge(&request.to_http_request(), size)
    }

    fn range(value: &str, size: u64) -> Wanted {
        judge(&[("Range", value)], size)
    }

    fn part(start: u64, length: u64) -> Wanted {
        Wanted::Part(Span { start, length })
    }

    #[test]
    fn ranges_are_read_as_the_rfc_says() {
        assert_eq!(range("bytes=0-8", 1000), part(0, 9));
        assert_eq!(range("bytes=-10", 1000), part(990, 10));
        assert_eq!(range("bytes=990-", 1000), part(990, 10));
        assert_eq!(range("bytes=990-1990", 1000), part(990, 10));
        assert_eq!(range("bytes=-5000", 1000), part(0, 1000));
        assert_eq!(range("BYTES=0-0", 1000), part(0, 1));
        assert_eq!(range("seconds=1-2", 1000), Wanted::Whole);
        assert_eq!(range("bytes=0-9, 100000-", 1000), part(0, 10));
        assert!(matches!(range("bytes=0-9, -10, 10-19", 1000), Wanted::Parts(spans) if spans.len() == 3));
    }

    #[test]
    fn a_bad_range_is_not_satisfiable() {
        for bad in [
            "bytes=1000-",
            "bytes=100000-",
            "bytes=alpha",
            "bytes=10-alpha",
            "bytes=10",
            "bytes=10-11 12-",
            "bytes=9-8",
            "bytes=-0",
            "bytes=",
            "bytes=-",
            "bytes=99999999999999999999999-",
            "bytes=0-9,x",
        ] {
            assert_eq!(range(bad, 1000), Wanted::NotSatisfiable, "{bad}");
        }
    }

    #[test]
    fn an_empty_file_has_no_ranges() {
        for bad in ["bytes=0-", "bytes=0-0", "bytes=-1"] {
            assert_eq!(range(bad, 0), Wanted::NotSatisfiable, "{bad}");
        }
    }

    #[test]
    fn ranges_that_ask_for_more_than_the_file_get_the_file() {
        assert_eq!(range("bytes=0-10001, 0-0", 1000), Wanted::Whole);
        let many: Vec<String> = (0..100).map(|n| format!("{n}-{n}")).collect();
        assert_eq!(range(&format!("bytes={}", many.join(",")), 1000), Wanted::Whole);
    }

    #[test]
    fn a_range_counts_only_for_the_file_that_the_client_has() {
        let with = |value| judge(&[("Range", "bytes=0-9"), ("If-Range", value)], 1000);
        assert_eq!(with("\"a-b\""), part(0, 10));
        assert_eq!(with(DATE), part(0, 10));
        for other in ["\"other\"", "W/\"a-b\"", "Tue, 14 Nov 2023 22:13:19 GMT", "wrong"] {
            assert_eq!(with(other), Wanted::Whole, "{other}");
        }
    }

    #[test]
    fn conditions_are_weighed_in_the_order_of_the_rfc() {
        use Wanted::{NotModified, PreconditionFailed, Whole};
        let cases: [(&[(&str, &str)], Wanted); 11] = [
            (&[("If-None-Match", "\"a-b\"")], NotModified),
            (&[("If-None-Match", "\"foo\", \"bar\", W/\"a-b\" , \"baz\"")], NotModified),
            (&[("If-None-Match", "*")], NotModified),
            (&[("If-None-Match", "\"x\""), ("If-Modified-Since", DATE)], Whole),
            (&[("If-Modified-Since", DATE)], NotModified),
            (&[("If-Modified-Since", "Tue, 14 Nov 2023 22:13:19 GMT")], Whole),
            (&[("If-Match", "\"x\"")], PreconditionFailed),
            (&[("If-Match", "W/\"a-b\"")], PreconditionFailed),
            (&[("If-Match", "\"x\", \t\"a-b\"")], Whole),
            (&[("If-Unmodified-Since", "Tue, 14 Nov 2023 22:13:19 GMT")], PreconditionFailed),
            (&[("If-Match", "*"), ("If-Unmodified-Since", "Tue, 14 Nov 2023 22:13:19 GMT")], Whole),
        ];
        for (headers, wanted) in cases {
            assert_eq!(judge(headers, 1000), wanted, "{headers:?}");
        }
    }
}
