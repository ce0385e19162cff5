//! Lines of a long body, one at a time: what waits for its end is bounded, and a longer line costs only itself.

use bytes::{Buf as _, Bytes, BytesMut};

/// A line, without its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    Whole(Bytes),
    /// It had more bytes than the limit; they are gone.
    TooLong,
}

/// Takes a body apart.
#[derive(Debug)]
pub struct Lines {
    waiting: BytesMut,
    /// Bytes of `waiting` that have no line end in them.
    searched: usize,
    /// The rest of a line that was too long still comes.
    skipping: bool,
    limit: usize,
}

impl Lines {
    /// `limit`: bytes of one line.
    pub fn new(limit: usize) -> Self {
        Self { waiting: BytesMut::new(), searched: 0, skipping: false, limit }
    }

    /// Takes what has arrived; to be followed by [`next`](Self::next) until there is none.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.waiting.extend_from_slice(bytes);
    }

    /// The next whole line; empty ones are passed over.
    pub fn next(&mut self) -> Option<Line> {
        loop {
            let Some(end) = self.waiting[self.searched..].iter().position(|byte| *byte == b'\n') else {
                self.searched = self.waiting.len();
                if self.searched > self.limit {
                    self.waiting = BytesMut::new();
                    self.searched = 0;
                    // Told once, at its end.
                    self.skipping = true;
                }
                return None;
            };
            let line = self.waiting.split_to(self.searched + end).freeze();
            self.waiting.advance(1);
            self.searched = 0;
            if std::mem::take(&mut self.skipping) || line.len() > self.limit {
                return Some(Line::TooLong);
            }
            if !line.trim_ascii().is_empty() {
                return Some(Line::Whole(line));
            }
        }
    }

    /// What stands behind the last line end when the body is over.
    pub fn finish(mut self) -> Option<Line> {
        let line = self.waiting.split().freeze();
        if self.skipping || line.len() > self.limit {
            return Some(Line::TooLong);
        }
        (!line.trim_ascii().is_empty()).then_some(Line::Whole(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(body: &[u8], cuts: &[usize], limit: usize) -> Vec<Line> {
        let (mut lines, mut found, mut rest) = (Lines::new(limit), Vec::new(), body);
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (now, later) = rest.split_at(rest.len().min(*cut));
            lines.feed(now);
            found.extend(std::iter::from_fn(|| lines.next()));
            assert!(lines.waiting.len() <= limit, "what waits is bounded");
            rest = later;
        }
        found.extend(lines.finish());
        found
    }

    #[test]
    fn a_line_that_is_too_long_costs_only_itself() {
        let body = [b"one\r\n\n".to_vec(), vec![b'x'; 100], b"\ntwo\nhal".to_vec()].concat();
        let whole = |text: &'static str| Line::Whole(Bytes::from_static(text.as_bytes()));
        for cuts in [&[1][..], &[3, 7], &[1000]] {
            assert_eq!(read(&body, cuts, 64), [whole("one\r"), Line::TooLong, whole("two"), whole("hal")]);
        }
        assert_eq!(read(&[b'x'; 100], &[10], 64), [Line::TooLong]);
    }

    proptest! {
        #[test]
        fn the_cuts_between_reads_do_not_matter(
            body in prop::collection::vec(prop::sample::select(vec![b'a', b'b', b'\n', b' ']), 0..200),
            cuts in prop::collection::vec(1usize..20, 1..20),
        ) {
            prop_assert_eq!(read(&body, &cuts, 16), read(&body, &[1000], 16));
        }
    }
}
