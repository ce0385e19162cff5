//! The samples of a recorded track, one by one, as a plain file lists them.

use super::boxes::{self, Boxes};
use super::fragment::{Header, NOT_SYNC, begin};
use super::init::{Defaults, Init};
use super::{BROKEN, Refused};

/// Samples of one fragment; a second has some hundreds. More would be walked through for nothing.
const FRAGMENT_SAMPLES: usize = 65_536;

/// One sample: a picture, or some milliseconds of sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// When it is decoded, by the sender's clock, in units of the track's time.
    pub at: i64,
    pub duration: u32,
    /// Bytes.
    pub size: u32,
    /// From decoding to showing, in the same units.
    pub delay: i32,
    /// It needs none before it.
    pub sync: bool,
}

/// Samples that lie one behind the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Bytes from the file's beginning.
    pub offset: u64,
    pub samples: u32,
}

/// What a track has in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The track's number.
    pub id: u32,
    pub samples: Vec<Sample>,
    pub chunks: Vec<Chunk>,
}

impl Table {
    /// When the next sample is decoded where nothing else is said.
    fn end(&self) -> i64 {
        self.samples.last().map_or(0, |last| last.at.saturating_add(last.duration.into()))
    }

    /// Samples of a later fragment. Where it says when it begins, what is before it lasts until then; a clock that was
    /// set back goes on from where it was.
    fn extend(&mut self, part: Self) {
        if let (Some(last), Some(first)) = (self.samples.last_mut(), part.samples.first())
            && first.at > last.at
        {
            last.duration = u32::try_from(first.at - last.at).unwrap_or(u32::MAX);
        }
        self.samples.extend(part.samples);
        self.chunks.extend(part.chunks);
    }
}

/// Adds what a `moof`, whose box begins at byte `at` of the file, says of its fragment, which ends before `end`. What
/// it says wrongly adds nothing at all.
pub fn add(tables: &mut [Table], init: &Init, moof: &[u8], at: u64, end: u64) -> Result<(), Refused> {
    let mut parts: Vec<Table> = Vec::new();
    let mut data = at;
    for found in Boxes(moof) {
        let (kind, traf) = found?;
        if kind != *b"traf" {
            continue;
        }
        let head = Header::read(init, boxes::first(traf, *b"tfhd")?)?;
        let before = tables.iter().chain(&parts).rev().find(|table| table.id == head.track);
        let mut part = Table { id: head.track, ..Table::default() };
        let base = if head.from_moof { at } else { data };
        data = samples(&mut part, traf, &head, base, before.map_or(0, Table::end))?;
        let fits = part.chunks.iter().zip(lengths(&part)).all(|(chunk, bytes)| {
            chunk.offset > at && chunk.offset.checked_add(bytes).is_some_and(|last| last <= end)
        });
        if !fits {
            return Err(BROKEN);
        }
        parts.push(part);
    }
    for part in parts {
        if let Some(table) = tables.iter_mut().find(|table| table.id == part.id) {
            table.extend(part);
        }
    }
    Ok(())
}

/// Bytes of each chunk.
fn lengths(table: &Table) -> impl Iterator<Item = u64> + '_ {
    let mut rest = table.samples.iter();
    table.chunks.iter().map(move |chunk| {
        rest.by_ref().take(chunk.samples as usize).map(|sample| u64::from(sample.size)).sum()
    })
}

/// Reads the runs of a `traf`. Answers with where their bytes end.
fn samples(table: &mut Table, traf: &[u8], head: &Header, base: u64, usual: i64) -> Result<u64, Refused> {
    let (mut at, mut place) = (usual, base);
    for found in Boxes(traf) {
        match found? {
            (kind, tfdt) if kind == *b"tfdt" => at = i64::try_from(begin(tfdt)?).map_err(|_| BROKEN)?,
            (kind, trun) if kind == *b"trun" => {
                let run = Run::read(trun, base)?;
                let offset = run.offset.unwrap_or(place);
                let bytes = run.list(table, &head.defaults, &mut at)?;
                place = offset.checked_add(bytes).ok_or(BROKEN)?;
                if run.count > 0 {
                    table.chunks.push(Chunk { offset, samples: run.count });
                }
            }
            _ => {}
        }
    }
    Ok(place)
}

/// `trun`
struct Run<'a> {
    flags: u32,
    count: u32,
    offset: Option<u64>,
    first: Option<u32>,
    rest: &'a [u8],
}

impl<'a> Run<'a> {
    fn read(mut trun: &'a [u8], base: u64) -> Result<Self, Refused> {
        let (_, flags) = boxes::full(&mut trun)?;
        let count = boxes::u32(&mut trun)?;
        let offset = match flags & 0x1 {
            0 => None,
            _ => {
                let apart = boxes::u32(&mut trun)?.cast_signed();
                Some(base.checked_add_signed(apart.into()).ok_or(BROKEN)?)
            }
        };
        let first = if flags & 0x4 == 0 { None } else { Some(boxes::u32(&mut trun)?) };
        Ok(Self { flags, count, offset, first, rest: trun })
    }

    /// Answers with the bytes of its samples together.
    fn list(&self, table: &mut Table, defaults: &Defaults, at: &mut i64) -> Result<u64, Refused> {
        if table.samples.len() + self.count as usize > FRAGMENT_SAMPLES {
            return Err(BROKEN);
        }
        let (mut rest, mut bytes) = (self.rest, 0);
        for number in 0..self.count {
            let mut field = |flag: u32, usual: u32| {
                if self.flags & flag == 0 { Ok(usual) } else { boxes::u32(&mut rest) }
            };
            let duration = field(0x100, defaults.duration)?;
            let size = field(0x200, defaults.size)?;
            let own = field(0x400, defaults.flags)?;
            // In version 0 they have no sign, and nothing is shown a thousand hours late.
            let delay = field(0x800, 0)?.cast_signed();
            let flags = self.first.filter(|_| number == 0).unwrap_or(own);
            table.samples.push(Sample { at: *at, duration, size, delay, sync: flags & NOT_SYNC == 0 });
            *at = at.checked_add(duration.into()).ok_or(BROKEN)?;
            bytes += u64::from(size);
        }
        Ok(bytes)
    }
}

/// Where a track's own edit list lets it begin: units of its time that are left out, less those that are put before.
pub fn left_out(trak: &[u8], timescale: u32, movie_timescale: u32) -> Result<i64, Refused> {
    let mut edits = None;
    for found in Boxes(trak) {
        let (kind, body) = found?;
        if kind == *b"edts" {
            edits = Some(boxes::first(body, *b"elst")?);
        }
    }
    let Some(mut elst) = edits else { return Ok(0) };
    let (version, _) = boxes::full(&mut elst)?;
    let count = boxes::u32(&mut elst)?;
    let mut before = 0;
    for _ in 0..count.min(16) {
        let (lasts, from) = if version == 1 {
            (boxes::u64(&mut elst)?, boxes::u64(&mut elst)?.cast_signed())
        } else {
            (boxes::u32(&mut elst)?.into(), boxes::u32(&mut elst)?.cast_signed().into())
        };
        boxes::skip(&mut elst, 4)?;
        if from >= 0 {
            return Ok(from.saturating_sub(before));
        }
        let units = u128::from(lasts) * u128::from(timescale) / u128::from(movie_timescale.max(1));
        before = i64::try_from(units).map_err(|_| BROKEN)?.saturating_add(before);
    }
    Ok(before.saturating_neg())
}

/// The inside of the first `trak` of this number, and where in `moov` it lies.
pub fn trak(moov: &[u8], id: u32) -> Result<&[u8], Refused> {
    for found in Boxes(moov) {
        let (kind, trak) = found?;
        if kind == *b"trak" {
            let mut header = boxes::first(trak, *b"tkhd")?;
            let (version, _) = boxes::full(&mut header)?;
            boxes::skip(&mut header, if version == 1 { 16 } else { 8 })?;
            if boxes::u32(&mut header)? == id {
                return Ok(trak);
            }
        }
    }
    Err(BROKEN)
}
