//! Reads WebSocket frame headers before the codec does, so that an announced length never becomes memory.
//!
//! The codec buffers all that comes for a frame, whatever its own limit says (a header may announce 2^63 bytes).
//! An oversized frame is skipped as it arrives and reported once; the rest passes through untouched. RFC 6455 §5.2.

use super::frames::close_frame;
use super::outbox::Outbox;
use actix_http::ws::CloseCode;
use actix_web::error::PayloadError;
use bytes::{Buf, Bytes, BytesMut};
use futures_core::Stream;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

/// What the guard tells the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alarm {
    /// A frame over the limit is being skipped.
    Oversized,
    /// So large, or so often, that the connection must end.
    Hopeless,
}

/// Where the guard stands in the byte stream.
#[derive(Debug)]
enum State {
    /// Collecting a header of 2 to 14 bytes.
    Header(BytesMut),
    /// Bytes of a frame that still pass.
    Passing(u64),
    /// Bytes of a frame that still have to be thrown away.
    Skipping(u64),
    /// Nothing more is let through.
    Shut,
}

/// The walk over the bytes, without the stream: easy to test and to fuzz.
#[derive(Debug)]
pub struct Walker {
    state: State,
    limit: u64,
    /// Payload of the fragments of the message that is under way.
    message: u64,
}

impl Walker {
    /// `limit`: bytes of one frame and of one message's fragments together.
    pub fn new(limit: usize) -> Self {
        Self { state: State::Header(BytesMut::new()), limit: limit as u64, message: 0 }
    }

    /// Takes what arrived; gives what may pass, and calls `alarm` for what may not.
    pub fn walk(&mut self, mut input: Bytes, mut alarm: impl FnMut(Alarm)) -> Bytes {
        // The usual case: whole frames only. Then the input passes as it is, without a copy.
        let mut passed = BytesMut::new();
        let whole = input.clone();
        let mut untouched = true;
        while input.has_remaining() {
            match &mut self.state {
                State::Header(header) => {
                    header.extend_from_slice(&input.split_to(1));
                    if header.len() < header_length(header) {
                        continue;
                    }
                    let header = std::mem::take(header).freeze();
                    match self.judge(&header) {
                        Verdict::Pass(length) => {
                            passed.extend_from_slice(&header);
                            self.state = next(State::Passing(length));
                        }
                        Verdict::Skip(length) => {
                            untouched = false;
                            alarm(Alarm::Oversized);
                            self.state = next(State::Skipping(length));
                        }
                        Verdict::Shut => {
                            untouched = false;
                            alarm(Alarm::Hopeless);
                            self.state = State::Shut;
                        }
                    }
                }
                State::Passing(left) => {
                    let taken = input.split_to(input.len().min(usize::try_from(*left).unwrap_or(usize::MAX)));
                    *left -= taken.len() as u64;
                    passed.extend_from_slice(&taken);
                    let left = *left;
                    self.state = next(State::Passing(left));
                }
                State::Skipping(left) => {
                    untouched = false;
                    let gone = input.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                    input.advance(gone);
                    *left -= gone as u64;
                    let left = *left;
                    self.state = next(State::Skipping(left));
                }
                State::Shut => {
                    untouched = false;
                    input.clear();
                }
            }
        }
        let at_a_border = matches!(&self.state, State::Header(h) if h.is_empty());
        if untouched && at_a_border && passed.len() == whole.len() { whole } else { passed.freeze() }
    }

    fn judge(&mut self, header: &[u8]) -> Verdict {
        let (first, last) = (header[0], header[0] & 0x80 != 0);
        let opcode = first & 0x0f;
        let length = payload_length(header);
        if opcode >= 8 {
            // Control frames have at most 125 bytes, and don't count with the fragments between which they come. The codec
            // refuses a larger one as no WebSocket, once it is there; it isn't waited for without end.
            return if length <= self.limit { Verdict::Pass(length) } else { Verdict::Shut };
        }
        let before = if opcode == 0 { self.message } else { 0 };
        let together = before.saturating_add(length);
        self.message = if last { 0 } else { together };
        if together <= self.limit {
            Verdict::Pass(length)
        } else if last && opcode != 0 && length <= SKIPPED_BYTES {
            Verdict::Skip(length)
        } else {
            // Its first fragments have passed already, or skipping it would take for ever.
            Verdict::Shut
        }
    }
}

/// A frame up to this size is skipped; a larger one ends the connection.
const SKIPPED_BYTES: u64 = 16 * 1024 * 1024;

enum Verdict {
    Pass(u64),
    Skip(u64),
    Shut,
}

/// A state with nothing left in it is followed by the next header.
fn next(state: State) -> State {
    match state {
        State::Passing(0) | State::Skipping(0) => State::Header(BytesMut::new()),
        other => other,
    }
}

fn length_bytes(header: &[u8]) -> u64 {
    match header.get(1).map(|b| b & 0x7f) {
        Some(126) => 2,
        Some(127) => 8,
        _ => 0,
    }
}

/// How long this header is, as far as its first two bytes say.
fn header_length(header: &[u8]) -> usize {
    match header.get(1) {
        None => 2,
        Some(second) => {
            2 + usize::try_from(length_bytes(header)).unwrap_or(8) + if second & 0x80 == 0 { 0 } else { 4 }
        }
    }
}

fn payload_length(header: &[u8]) -> u64 {
    match length_bytes(header) {
        2 => u64::from(u16::from_be_bytes([header[2], header[3]])),
        8 => header[2..10].iter().fold(0, |n, b| n << 8 | u64::from(*b)),
        _ => u64::from(header[1] & 0x7f),
    }
}

/// The request's payload with a [`Walker`] in front of the codec.
pub struct FrameGuard<S, A> {
    inner: S,
    walker: Walker,
    alarm: A,
}

impl<S, A> FrameGuard<S, A> {
    pub fn new(inner: S, limit: usize, alarm: A) -> Self {
        Self { inner, walker: Walker::new(limit), alarm }
    }
}

/// One that ends the connection at the first frame over the limit, with these `words`.
pub fn strict<S>(
    inner: S,
    limit: usize,
    outbox: Rc<Outbox>,
    words: &'static str,
) -> FrameGuard<S, impl FnMut(Alarm)> {
    FrameGuard::new(inner, limit, move |_| outbox.close_with(close_frame(CloseCode::Size, words)))
}

impl<S, A> Stream for FrameGuard<S, A>
where
    S: Stream<Item = Result<Bytes, PayloadError>> + Unpin,
    A: FnMut(Alarm) + Unpin,
{
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let guard = &mut *self;
        loop {
            match Pin::new(&mut guard.inner).poll_next(cx) {
                Poll::Ready(Some(Ok(bytes))) => {
                    let passed = guard.walker.walk(bytes, &mut guard.alarm);
                    // Once shut, what still comes is thrown away until the outbox has lingered: closing a socket with
                    // unread bytes resets it, and the client would never read why.
                    if !passed.is_empty() {
                        return Poll::Ready(Some(Ok(passed)));
                    }
                }
                other => return other,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn masked(first: u8, length: u64, sent: usize) -> Vec<u8> {
        let mut bytes = vec![first];
        match length {
            0..=125 => bytes.push(0x80 | u8::try_from(length).unwrap_or(0)),
            126..=65535 => {
                bytes.push(0x80 | 0x7e);
                bytes.extend(u16::try_from(length).unwrap_or(0).to_be_bytes());
            }
            _ => {
                bytes.push(0x80 | 127);
                bytes.extend(length.to_be_bytes());
            }
        }
        bytes.extend([1, 2, 3, 4]);
        bytes.extend(std::iter::repeat_n(b'x', sent));
        bytes
    }

    fn walk(walker: &mut Walker, bytes: &[u8]) -> (usize, Vec<Alarm>) {
        let mut alarms = Vec::new();
        let passed = walker.walk(Bytes::copy_from_slice(bytes), |a| alarms.push(a));
        (passed.len(), alarms)
    }

    #[test]
    fn an_oversized_frame_is_skipped_and_the_next_one_passes() {
        let mut walker = Walker::new(1000);
        assert_eq!(walk(&mut walker, &masked(0x81, 2000, 1500)), (0, vec![Alarm::Oversized]));
        let mut rest = vec![b'x'; 500];
        rest.extend(masked(0x81, 3, 3));
        assert_eq!(walk(&mut walker, &rest), (9, vec![]));
    }

    #[test]
    fn a_header_that_announces_four_gigabytes_ends_the_connection() {
        let mut walker = Walker::new(1000);
        assert_eq!(walk(&mut walker, &masked(0x82, 4 << 30, 100)), (0, vec![Alarm::Hopeless]));
        assert_eq!(walk(&mut walker, &[b'x'; 100]), (0, vec![]));
    }

    #[test]
    fn fragments_count_together_and_control_frames_between_them_do_not() {
        let mut walker = Walker::new(1000);
        assert_eq!(walk(&mut walker, &masked(0x01, 600, 600)).1, []);
        assert_eq!(walk(&mut walker, &masked(0x89, 10, 10)).1, []);
        assert_eq!(walk(&mut walker, &masked(0x00, 399, 399)).1, []);
        assert_eq!(walk(&mut walker, &masked(0x80, 2, 2)).1, [Alarm::Hopeless]);
    }

    proptest! {
        /// However the bytes are cut, the same bytes pass and the same alarms ring.
        #[test]
        fn the_cuts_between_reads_do_not_matter(
            frames in prop::collection::vec((prop::sample::select(vec![0x81u8, 0x82, 0x89]), 0u64..300), 1..20),
            cuts in prop::collection::vec(1usize..50, 1..200),
        ) {
            let bytes: Vec<u8> = frames.iter().flat_map(|(first, length)| {
                let length = if *first == 0x89 { length % 126 } else { *length };
                masked(*first, length, usize::try_from(length).unwrap_or(0))
            }).collect();
            let run = |cuts: &[usize]| {
                let (mut walker, mut alarms, mut passed, mut rest) = (Walker::new(200), Vec::new(), Vec::new(), &bytes[..]);
                let mut cuts = cuts.iter().cycle();
                while !rest.is_empty() {
                    let (now, later) = rest.split_at(rest.len().min(*cuts.next().unwrap_or(&1)));
                    passed.extend_from_slice(&walker.walk(Bytes::copy_from_slice(now), |a| alarms.push(a)));
                    rest = later;
                }
                (passed, alarms)
            };
            prop_assert_eq!(run(&cuts), run(&[bytes.len()]));
        }

        /// No input makes it panic.
        #[test]
        fn any_bytes_are_walked_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
            let mut walker = Walker::new(100);
            for chunk in bytes.chunks(7) {
                walk(&mut walker, chunk);
            }
        }
    }
}
