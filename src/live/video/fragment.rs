//! A fragment: `moof`, which lists its samples, and `mdat` with what they are.

use super::boxes::{self, Boxes};
use super::init::{Defaults, Init, Track};
use super::{BROKEN, Refused};
use bytes::Bytes;
use std::time::Duration;

/// Of one fragment; viewers wait for a whole one.
const DURATION_MAX: Duration = Duration::from_secs(30);
/// `sample_is_non_sync_sample`: it can't be shown without one before it.
pub(super) const NOT_SYNC: u32 = 0x0001_0000;

/// A piece of a stream that can be handed on by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fragment {
    /// `moof` and `mdat` as they came.
    pub bytes: Bytes,
    pub timing: Timing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// It begins with a picture that needs none before it; a player can begin here.
    pub key: bool,
    /// From the beginning of what the sender sends, by the sender's clock.
    pub start: Duration,
    pub duration: Duration,
}

/// Reads the inside of a `moof`; `data` is how many bytes its samples may have together.
pub fn read(init: &Init, moof: &[u8], data: u64) -> Result<Timing, Refused> {
    let leader = init.leader().ok_or(BROKEN)?;
    let mut timing = None;
    let (mut bytes, mut others) = (0, None);
    for found in Boxes(moof) {
        let (kind, traf) = found?;
        if kind != *b"traf" {
            continue;
        }
        let run = run(init, traf)?;
        bytes += run.bytes;
        if run.track == leader.id {
            timing = Some(run.timing(leader)?);
        } else if let Some(track) = init.track(run.track) {
            others = Some(Timing { key: false, ..run.timing(track)? });
        }
    }
    if bytes > data {
        return Err(Refused::new("The MP4 is broken: a fragment lists more than it holds."));
    }
    timing.or(others).ok_or(Refused::new("The MP4 is broken: a fragment belongs to no track."))
}

/// What one track has in a fragment.
struct Run {
    track: u32,
    start: u64,
    duration: u64,
    bytes: u64,
    key: bool,
}

impl Run {
    fn timing(&self, track: &Track) -> Result<Timing, Refused> {
        let (start, duration) = (seconds(self.start, track)?, seconds(self.duration, track)?);
        if duration > DURATION_MAX {
            return Err(Refused::new(
                "A fragment lasts more than 30 s, and viewers would wait that long. With -g 50 ffmpeg sends key frames more often.",
            ));
        }
        Ok(Timing { key: self.key || track.coding.size.is_none(), start, duration })
    }
}

fn seconds(units: u64, track: &Track) -> Result<Duration, Refused> {
    let nanoseconds = u128::from(units) * 1_000_000_000 / u128::from(track.timescale.max(1));
    u64::try_from(nanoseconds).map(Duration::from_nanos).map_err(|_| BROKEN)
}

fn run(init: &Init, traf: &[u8]) -> Result<Run, Refused> {
    let Header { track, defaults, .. } = Header::read(init, boxes::first(traf, *b"tfhd")?)?;
    let mut run = Run { track, start: 0, duration: 0, bytes: 0, key: false };
    let mut is_first = true;
    for found in Boxes(traf) {
        match found? {
            (kind, tfdt) if kind == *b"tfdt" => run.start = begin(tfdt)?,
            (kind, trun) if kind == *b"trun" => {
                samples(trun, defaults, &mut run, &mut is_first)?;
            }
            _ => {}
        }
    }
    Ok(run)
}

/// `tfdt`: when a fragment's samples begin, in units of the track's time.
pub(super) fn begin(mut tfdt: &[u8]) -> Result<u64, Refused> {
    let (version, _) = boxes::full(&mut tfdt)?;
    if version == 1 { boxes::u64(&mut tfdt) } else { Ok(boxes::u32(&mut tfdt)?.into()) }
}

/// `tfhd`: the track, and what its samples are where nothing else is said.
pub(super) struct Header {
    pub track: u32,
    pub defaults: Defaults,
    /// Places are counted from the beginning of the `moof`.
    pub from_moof: bool,
}

impl Header {
    pub fn read(init: &Init, mut tfhd: &[u8]) -> Result<Self, Refused> {
        let (_, flags) = boxes::full(&mut tfhd)?;
        let track = boxes::u32(&mut tfhd)?;
        if flags & 0x1 != 0 {
            return Err(Refused::new(
                "Its fragments say where they stand in a file, and there is none. With -movflags default_base_moof ffmpeg leaves that out.",
            ));
        }
        let mut defaults = init.track(track).map(|track| track.defaults).unwrap_or_default();
        if flags & 0x2 != 0 {
            boxes::skip(&mut tfhd, 4)?;
        }
        for (flag, field) in
            [(0x8, &mut defaults.duration), (0x10, &mut defaults.size), (0x20, &mut defaults.flags)]
        {
            if flags & flag != 0 {
                *field = boxes::u32(&mut tfhd)?;
            }
        }
        Ok(Self { track, defaults, from_moof: flags & 0x2_0000 != 0 })
    }
}

/// `trun`: the samples one by one.
fn samples(mut trun: &[u8], defaults: Defaults, run: &mut Run, is_first: &mut bool) -> Result<(), Refused> {
    let (_, flags) = boxes::full(&mut trun)?;
    let count = boxes::u32(&mut trun)?;
    if flags & 0x1 != 0 {
        boxes::skip(&mut trun, 4)?;
    }
    let first = if flags & 0x4 == 0 { None } else { Some(boxes::u32(&mut trun)?) };
    // Without a field of its own for each sample a count of four thousand million would be walked through for nothing.
    let fields = (flags & 0xF00).count_ones();
    if fields == 0 {
        run.duration = run.duration.saturating_add(u64::from(defaults.duration) * u64::from(count));
        run.bytes = run.bytes.saturating_add(u64::from(defaults.size) * u64::from(count));
        if std::mem::take(is_first) {
            run.key = first.unwrap_or(defaults.flags) & NOT_SYNC == 0 && count > 0;
        }
        return Ok(());
    }
    for _ in 0..count {
        let duration = if flags & 0x100 == 0 { defaults.duration } else { boxes::u32(&mut trun)? };
        let size = if flags & 0x200 == 0 { defaults.size } else { boxes::u32(&mut trun)? };
        let own = if flags & 0x400 == 0 { defaults.flags } else { boxes::u32(&mut trun)? };
        if flags & 0x800 != 0 {
            boxes::skip(&mut trun, 4)?;
        }
        run.duration = run.duration.saturating_add(duration.into());
        run.bytes = run.bytes.saturating_add(size.into());
        if std::mem::take(is_first) {
            run.key = first.unwrap_or(own) & NOT_SYNC == 0;
        }
    }
    Ok(())
}
