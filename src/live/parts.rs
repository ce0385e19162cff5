//! Pictures of a `multipart/x-mixed-replace` body, one at a time, as cameras and `ffmpeg -f mpjpeg` send them.
//!
//! The boundary is taken from the body's own first line: senders disagree whether the header names it with its dashes.

use bytes::{Buf as _, Bytes, BytesMut};

/// Bytes of a part's headers, and of what may stand before the first boundary.
const HEADERS: usize = 8 * 1024;

/// A part of the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    Whole(Bytes),
    /// It had more bytes than the limit; they are gone.
    TooLong,
    /// This is no such body; nothing more comes of it.
    Broken,
}

#[derive(Debug)]
enum State {
    /// Looking for the boundary's line.
    Between,
    Headers,
    /// A part that said how long it is.
    Counted(usize),
    /// One that goes on until the next boundary; so many of its bytes were searched.
    Open(usize),
    /// Bytes still to be thrown away.
    Skipping(u64),
    /// The same up to the next boundary.
    Shedding,
    Over,
}

/// Takes a body apart.
#[derive(Debug)]
pub struct Parts {
    waiting: BytesMut,
    /// With its dashes; empty before the first.
    boundary: Vec<u8>,
    state: State,
    limit: usize,
}

impl Parts {
    /// `limit`: bytes of one part.
    pub fn new(limit: usize) -> Self {
        Self { waiting: BytesMut::new(), boundary: Vec::new(), state: State::Between, limit }
    }

    /// Takes what has arrived; to be followed by [`next`](Self::next) until there is none.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.waiting.extend_from_slice(bytes);
    }

    /// The next whole part.
    pub fn next(&mut self) -> Option<Part> {
        loop {
            match self.state {
                State::Between => {
                    self.find_boundary()?;
                    if self.boundary.is_empty() {
                        return Some(Part::Broken);
                    }
                }
                State::Headers => {
                    if let Some(part) = self.read_headers()? {
                        return Some(part);
                    }
                }
                State::Counted(length) => {
                    if self.waiting.len() < length {
                        return None;
                    }
                    self.state = State::Between;
                    return Some(Part::Whole(self.waiting.split_to(length).freeze()));
                }
                State::Open(searched) => return self.until_boundary(searched),
                State::Skipping(left) => {
                    let gone = self.waiting.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                    self.waiting.advance(gone);
                    let left = left - gone as u64;
                    if left > 0 {
                        self.state = State::Skipping(left);
                        return None;
                    }
                    self.state = State::Between;
                    return Some(Part::TooLong);
                }
                State::Shedding => {
                    if let Some(at) = find(&self.waiting, &self.delimiter(), 0) {
                        self.waiting.advance(at);
                        self.state = State::Between;
                        return Some(Part::TooLong);
                    }
                    let keep = self.delimiter().len();
                    self.waiting.advance(self.waiting.len().saturating_sub(keep));
                    return None;
                }
                State::Over => {
                    self.waiting.clear();
                    return None;
                }
            }
        }
    }

    /// What the last part has when the body is over.
    pub fn finish(self) -> Option<Part> {
        match self.state {
            State::Open(_) if self.waiting.len() > self.limit => Some(Part::TooLong),
            State::Open(_) if !self.waiting.is_empty() => Some(Part::Whole(self.waiting.freeze())),
            State::Skipping(_) | State::Shedding => Some(Part::TooLong),
            State::Between if self.boundary.is_empty() => Some(Part::Broken),
            _ => None,
        }
    }

    fn broken(&mut self) -> Part {
        self.state = State::Over;
        Part::Broken
    }

    /// Moves past the line of the boundary; nothing when it isn't there yet.
    fn find_boundary(&mut self) -> Option<()> {
        loop {
            let Some(end) = self.waiting.iter().position(|byte| *byte == b'\n') else {
                if self.waiting.len() > HEADERS {
                    self.state = State::Over;
                    return Some(());
                }
                return None;
            };
            let line = self.waiting.split_to(end + 1);
            let line = line.trim_ascii_end();
            if self.boundary.is_empty() {
                if line.len() > 2 && line.starts_with(b"--") {
                    self.boundary = line.to_vec();
                    self.state = State::Headers;
                    return Some(());
                }
            } else if let Some(rest) = line.strip_prefix(&self.boundary[..]) {
                self.state = if rest == b"--" { State::Over } else { State::Headers };
                return Some(());
            }
        }
    }

    /// Reads the headers of a part; nothing when they aren't complete.
    fn read_headers(&mut self) -> Option<Option<Part>> {
        let mut length = None;
        let mut at = 0;
        loop {
            let Some(end) = self.waiting[at..].iter().position(|byte| *byte == b'\n') else {
                return if self.waiting.len() > HEADERS { Some(Some(self.broken())) } else { None };
            };
            let line = self.waiting[at..at + end].trim_ascii();
            if line.is_empty() {
                at += end + 1;
                break;
            }
            let header = String::from_utf8_lossy(line);
            if let Some((name, value)) = header.split_once(':')
                && name.trim().eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse::<u64>().ok();
            }
            at += end + 1;
            if at > HEADERS {
                return Some(Some(self.broken()));
            }
        }
        self.waiting.advance(at);
        self.state = match length {
            None => State::Open(0),
            Some(length) => match usize::try_from(length) {
                Ok(length) if length <= self.limit => State::Counted(length),
                _ => State::Skipping(length),
            },
        };
        Some(None)
    }

    fn delimiter(&self) -> Vec<u8> {
        [b"\n", &self.boundary[..]].concat()
    }

    fn until_boundary(&mut self, searched: usize) -> Option<Part> {
        let delimiter = self.delimiter();
        if let Some(at) = find(&self.waiting, &delimiter, searched) {
            let mut content = self.waiting.split_to(at).freeze();
            if content.ends_with(b"\r") {
                content.truncate(content.len() - 1);
            }
            self.state = State::Between;
            return Some(if content.len() > self.limit { Part::TooLong } else { Part::Whole(content) });
        }
        if self.waiting.len() > self.limit + delimiter.len() {
            self.state = State::Shedding;
            return self.next();
        }
        self.state = State::Open(self.waiting.len().saturating_sub(delimiter.len()));
        None
    }
}

fn find(bytes: &[u8], wanted: &[u8], from: usize) -> Option<usize> {
    let from = from.min(bytes.len());
    bytes[from..].windows(wanted.len()).position(|window| window == wanted).map(|at| from + at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(body: &[u8], cuts: &[usize], limit: usize) -> Vec<Part> {
        let (mut parts, mut found, mut rest) = (Parts::new(limit), Vec::new(), body);
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (now, later) = rest.split_at(rest.len().min(*cut));
            parts.feed(now);
            found.extend(std::iter::from_fn(|| parts.next()));
            rest = later;
        }
        found.extend(parts.finish());
        found
    }

    fn whole(text: &'static str) -> Part {
        Part::Whole(Bytes::from_static(text.as_bytes()))
    }

    #[test]
    fn pictures_come_out_with_lengths_and_without() {
        let ffmpeg = b"--ffmpeg\r\nContent-type: image/jpeg\r\nContent-length: 5\r\n\r\nab\ncd\r\n--ffmpeg\r\nContent-Length: 2\r\n\r\nxy\r\n--ffmpeg--\r\nrest";
        let camera = b"\r\n--frame\nContent-Type: image/jpeg\n\none\n--frame\n\ntwo\r\n--frame\n\nthree";
        for cuts in [&[1][..], &[2, 5], &[1000]] {
            assert_eq!(read(ffmpeg, cuts, 64), [whole("ab\ncd"), whole("xy")]);
            assert_eq!(read(camera, cuts, 64), [whole("one"), whole("two"), whole("three")]);
        }
    }

    #[test]
    fn a_part_that_is_too_long_costs_only_itself() {
        let long = "x".repeat(200);
        let counted = format!("--b\nContent-Length: 200\n\n{long}\n--b\nContent-Length: 1\n\ny\n--b--");
        let open = format!("--b\n\n{long}\n--b\n\ny\n--b--\n");
        for cuts in [&[1][..], &[7, 50], &[1000]] {
            assert_eq!(read(counted.as_bytes(), cuts, 64), [Part::TooLong, whole("y")]);
            assert_eq!(read(open.as_bytes(), cuts, 64), [Part::TooLong, whole("y")]);
        }
    }

    #[test]
    fn what_is_no_such_body_ends_it() {
        assert_eq!(read(b"hello", &[2], 64), [Part::Broken]);
        let endless = [b"--b\n".to_vec(), vec![b'h'; 9000]].concat();
        assert_eq!(read(&endless, &[1000], 64), [Part::Broken]);
        let enormous = b"--b\nContent-Length: 18446744073709551615\n\nabc";
        assert_eq!(read(enormous, &[5], 64), [Part::TooLong]);
    }

    proptest! {
        #[test]
        fn the_cuts_between_reads_do_not_matter(
            body in prop::collection::vec(prop::sample::select(b"-b\r\n:ab5Content-Length: ".to_vec()), 0..200),
            cuts in prop::collection::vec(1usize..20, 1..20),
        ) {
            let body = [b"--b\n".to_vec(), body].concat();
            prop_assert_eq!(read(&body, &cuts, 16), read(&body, &[1000], 16));
        }
    }
}
