//! The newest pieces of a stream, for those who come now and for players that ask again and again.

use super::fragment::Fragment;
use super::init::Init;
use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// Players of HLS begin three segments back and want some behind them.
const SEGMENTS_MIN: usize = 6;
const DURATION_MIN: Duration = Duration::from_secs(12);
/// Bytes of all that is kept.
const BYTES_MAX: usize = 32 * 1024 * 1024;
/// One that goes on without a key frame for longer is given up: nobody can begin within it.
const SEGMENT_DURATION_MAX: Duration = Duration::from_secs(30);
const SEGMENT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Fragments from one key frame to the one before the next.
#[derive(Clone, Debug)]
pub struct Segment {
    /// Counted over all senders.
    pub number: u64,
    /// Which of the stream's beginnings it belongs to.
    pub era: u64,
    pub init: Arc<Init>,
    pub parts: Vec<Part>,
    pub duration: Duration,
    /// When its first fragment came, ms since 1970.
    pub at: i64,
    bytes: usize,
}

impl Segment {
    /// What a player gets that asks for it, piece by piece.
    pub fn pieces(&self) -> impl Iterator<Item = Bytes> + '_ {
        self.parts.iter().map(|part| part.fragment.bytes.clone())
    }

    /// Bytes of all its fragments.
    pub fn length(&self) -> usize {
        self.bytes
    }
}

/// A fragment as it is kept.
#[derive(Clone, Debug)]
pub struct Part {
    pub fragment: Fragment,
    /// The same, announced, as WebSocket frames; the fragment's bytes are a part of them.
    pub frames: Bytes,
}

/// At most 32 MiB of segments, the last of which is still growing.
#[derive(Debug, Default)]
pub struct Ring {
    segments: VecDeque<Segment>,
    init: Option<Arc<Init>>,
    /// The number of the next beginning.
    eras: u64,
    /// The number of the next segment.
    count: u64,
    /// The last one may still grow.
    is_open: bool,
    /// Whole seconds of the longest segment ever: what HLS calls the target duration never shrinks.
    pub(super) longest: u64,
    /// Bytes of all that is kept.
    pub(super) bytes: usize,
}

impl Ring {
    /// One whose segments and beginnings are counted from here on.
    pub fn numbered_from(number: u64) -> Self {
        Self { eras: number, count: number, ..Self::default() }
    }

    /// A sender begins, or begins anew.
    pub fn begin(&mut self, init: Arc<Init>) {
        self.eras += 1;
        self.is_open = false;
        self.init = Some(init);
    }

    /// Takes the next fragment that came at `now` (ms since 1970). False where it can't be shown: it needs a key frame before it, and there
    /// was none.
    pub fn push(&mut self, part: Part, now: i64) -> bool {
        let Some(init) = self.init.clone() else { return false };
        let Fragment { bytes, timing } = &part.fragment;
        let (length, timing) = (bytes.len(), *timing);
        if timing.key {
            self.close();
            self.segments.push_back(Segment {
                number: self.count,
                era: self.eras.saturating_sub(1),
                init,
                parts: Vec::new(),
                duration: Duration::ZERO,
                at: now,
                bytes: 0,
            });
            self.count += 1;
            self.is_open = true;
        }
        let Some(open) = self.segments.back_mut().filter(|_| self.is_open) else { return false };
        open.duration += timing.duration;
        open.bytes += length;
        self.bytes += length;
        open.parts.push(part);
        if open.bytes > SEGMENT_BYTES_MAX || open.duration > SEGMENT_DURATION_MAX {
            self.close();
        }
        self.forget();
        true
    }

    /// The sender is gone: what there is of the last segment is all of it.
    pub fn close(&mut self) {
        if std::mem::take(&mut self.is_open)
            && let Some(last) = self.segments.back()
        {
            // Rounded to the nearest, as RFC 8216 4.3.3.1 has it.
            self.longest = self.longest.max((last.duration + Duration::from_millis(500)).as_secs());
        }
    }

    fn forget(&mut self) {
        while self.segments.len() > 1 {
            let rest: Duration = self.whole().skip(1).map(|segment| segment.duration).sum();
            let is_spare =
                self.segments.len() > SEGMENTS_MIN + usize::from(self.is_open) && rest >= DURATION_MIN;
            if !is_spare && self.bytes <= BYTES_MAX {
                return;
            }
            if let Some(oldest) = self.segments.pop_front() {
                self.bytes -= oldest.bytes;
            }
        }
    }

    /// The beginning that the newest fragments belong to.
    pub fn init(&self) -> Option<&Arc<Init>> {
        self.init.as_ref()
    }

    /// The beginning with this number, as long as a segment of it is kept.
    pub fn init_of(&self, era: u64) -> Option<&Arc<Init>> {
        self.segments.iter().find(|segment| segment.era == era).map(|segment| &segment.init)
    }

    /// Those that are whole, oldest first.
    pub fn whole(&self) -> impl Iterator<Item = &Segment> {
        let open = usize::from(self.is_open);
        self.segments.iter().take(self.segments.len() - open)
    }

    /// A whole one by its number.
    pub fn segment(&self, number: u64) -> Option<&Segment> {
        self.whole().find(|segment| segment.number == number)
    }

    /// Where somebody begins who comes now: the newest segment's fragments so far, the first of which is a key frame.
    pub fn newest(&self) -> Option<&Segment> {
        self.segments.back().filter(|_| self.is_open)
    }
}
