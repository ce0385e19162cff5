//! What a stream remembers: its newest things, bounded in number and in bytes.

use super::alarm::Alarm;
use super::recording;
use super::video;
use crate::clock::now_ms;
use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::Arc;

/// Samples that are kept: an hour at one a second.
pub const SAMPLES: usize = 3600;
/// Bytes of them. Ordinary ones have 100 to 300 each.
const SAMPLE_BYTES: usize = 8 * 1024 * 1024;
/// Pictures that are kept.
const PICTURES: usize = 600;
/// Bytes of them: four of the largest, hundreds of small ones.
const PICTURE_BYTES: usize = 16 * 1024 * 1024;

/// The newest of something, in order.
#[derive(Debug)]
pub struct Ring<T> {
    items: VecDeque<(T, usize)>,
    bytes: usize,
    count_max: usize,
    bytes_max: usize,
}

impl<T> Ring<T> {
    pub fn new(count_max: usize, bytes_max: usize) -> Self {
        Self { items: VecDeque::new(), bytes: 0, count_max, bytes_max }
    }

    /// Adds the newest, which has so many bytes; the oldest go for it. The newest alone may be larger than all may be.
    pub fn push(&mut self, item: T, bytes: usize) {
        while self.items.len() >= self.count_max || self.bytes + bytes > self.bytes_max {
            let Some((_, freed)) = self.items.pop_front() else { break };
            self.bytes -= freed;
        }
        self.bytes += bytes;
        self.items.push_back((item, bytes));
    }

    /// From the oldest on.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.items.iter().map(|(item, _)| item)
    }

    pub fn newest(&self) -> Option<&T> {
        self.items.back().map(|(item, _)| item)
    }

    /// Forgets all but the newest.
    pub fn forget(&mut self) {
        while self.items.len() > 1
            && let Some((_, freed)) = self.items.pop_front()
        {
            self.bytes -= freed;
        }
        self.items.shrink_to_fit();
    }
}

/// A sample as it is kept.
#[derive(Debug)]
pub struct Kept {
    /// Larger than that of every earlier one, also of those before a restart.
    pub seq: i64,
    /// When it came; milliseconds.
    pub at: i64,
    /// `{"seq":…,"at":…,"fields":{…}}`, with `"picture":true` and `"out":[…]` where they apply.
    pub json: Box<str>,
}

/// A picture as it is kept.
#[derive(Debug)]
pub struct Shot {
    /// That of its sample.
    pub seq: i64,
    pub mime: &'static str,
    /// Pixels.
    pub width: u32,
    pub height: u32,
    /// A part of the frame in which it goes to viewers.
    pub content: Bytes,
}

/// All that is remembered of one stream.
#[derive(Debug)]
pub struct Store {
    pub samples: Ring<Arc<Kept>>,
    pub pictures: Ring<Arc<Shot>>,
    pub video: video::Ring,
    /// When something came last, a sample or a piece of video; milliseconds.
    pub last: Option<i64>,
    /// Since when nothing has come, ms; nothing while it is live.
    pub idle_since: Option<i64>,
    /// The alarms that stand, as they were raised.
    pub alarms: Vec<Arc<Alarm>>,
    pub recording: recording::State,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            samples: Ring::new(SAMPLES, SAMPLE_BYTES),
            pictures: Ring::new(PICTURES, PICTURE_BYTES),
            // By the seconds of the clock: numbers of before a restart are never met again. Players count in 31 bits.
            video: video::Ring::numbered_from(u64::try_from(now_ms() / 1000).unwrap_or_default()),
            last: None,
            idle_since: None,
            alarms: Vec::new(),
            recording: recording::State::default(),
        }
    }
}

impl Store {
    /// Samples or video are coming.
    pub fn is_live(&self) -> bool {
        self.idle_since.is_none() && self.last.is_some()
    }

    /// The samples after `seq`, from the oldest on; at most `limit`, the newest of them.
    pub fn after(&self, seq: i64, limit: usize) -> Vec<Arc<Kept>> {
        let mut found: Vec<_> =
            self.samples.iter().rev().take_while(|kept| kept.seq > seq).take(limit).cloned().collect();
        found.reverse();
        found
    }

    /// The picture of this sample.
    pub fn picture(&self, seq: i64) -> Option<Arc<Shot>> {
        self.pictures.iter().rev().find(|shot| shot.seq == seq).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_is_bounded_in_number_and_in_bytes() {
        let mut ring = Ring::new(3, 100);
        for n in 0..5 {
            ring.push(n, 10);
        }
        assert_eq!(ring.iter().copied().collect::<Vec<_>>(), [2, 3, 4]);
        ring.push(5, 85);
        assert_eq!(ring.iter().copied().collect::<Vec<_>>(), [4, 5]);
        ring.push(6, 1000);
        assert_eq!((ring.newest(), ring.bytes), (Some(&6), 1000));
        ring.push(7, 1);
        ring.push(8, 1);
        ring.forget();
        assert_eq!((ring.iter().count(), ring.bytes), (1, 1));
    }

    #[test]
    fn the_newest_samples_after_one_are_found() {
        let mut store = Store::default();
        for seq in 1..=10 {
            store.samples.push(Arc::new(Kept { seq, at: seq, json: "{}".into() }), 2);
        }
        let seqs = |after, limit| store.after(after, limit).iter().map(|kept| kept.seq).collect::<Vec<_>>();
        assert_eq!((seqs(7, 100), seqs(7, 2), seqs(10, 5)), (vec![8, 9, 10], vec![9, 10], vec![]));
    }
}
