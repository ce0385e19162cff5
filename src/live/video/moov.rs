//! Writing the `moov` of a plain file: what its tracks are, and where each of their samples lies.

use super::boxes::{self, Boxes, Kind};
use super::init::Init;
use super::table::{self, Table};
use super::{BROKEN, Refused};
use std::time::Duration;

/// Units of the film's own time in a second.
const MOVIE: u32 = 1000;

/// Writes it for what `tables` hold. `moov` is the inside of the one that the recording began with. Answers with how
/// long the film lasts as well; nothing where there is no sample.
pub fn write(moov: &[u8], init: &Init, tables: &[Table]) -> Result<Option<(Vec<u8>, Duration)>, Refused> {
    let mut header = boxes::first(moov, *b"mvhd")?.to_vec();
    let is_long = header.first() == Some(&1);
    let scale_at = if is_long { 20 } else { 12 };
    let scale = word(&header, scale_at)?;
    let mut tracks = Vec::new();
    for table in tables.iter().filter(|table| !table.samples.is_empty()) {
        let units = init.track(table.id).ok_or(BROKEN)?.timescale;
        let trak = table::trak(moov, table.id)?;
        tracks.push(Track { table, units, trak, left_out: table::left_out(trak, units, scale)? });
    }
    let Some(begin) = tracks.iter().map(Track::begin).min() else { return Ok(None) };
    let written: Vec<_> = tracks.iter().map(|track| track.write(begin)).collect::<Result<_, _>>()?;
    let lasts = written.iter().map(|(_, milliseconds)| *milliseconds).max().unwrap_or_default();
    put(&mut header, scale_at, &MOVIE.to_be_bytes())?;
    put_time(&mut header, scale_at + 4, is_long, lasts)?;
    let mut inside = boxed(*b"mvhd", &[&header]);
    for (trak, _) in written {
        inside.extend(trak);
    }
    Ok(Some((boxed(*b"moov", &[&inside]), Duration::from_millis(lasts))))
}

struct Track<'a> {
    table: &'a Table,
    /// Of its time, in a second.
    units: u32,
    /// As it was in the beginning.
    trak: &'a [u8],
    /// See [`table::left_out`].
    left_out: i64,
}

impl Track<'_> {
    /// When the first picture or sound is shown, by the sender's clock.
    fn first_shown(&self) -> i64 {
        // The first to be decoded of those that come with it needn't be the first to be shown.
        let some = self.table.samples.iter().take(64);
        some.map(|sample| sample.at.saturating_add(sample.delay.into())).min().unwrap_or_default()
    }

    /// From decoding the first sample to showing the first one, in units of the track's time.
    fn lead(&self) -> i64 {
        self.first_shown().saturating_sub(self.table.samples.first().map_or(0, |first| first.at))
    }

    /// When it begins to be shown, in nanoseconds of the sender's clock.
    fn begin(&self) -> i128 {
        self.nanoseconds(self.first_shown().saturating_sub(self.left_out))
    }

    fn nanoseconds(&self, units: i64) -> i128 {
        i128::from(units) * 1_000_000_000 / i128::from(self.units)
    }

    /// `trak`, for a film that begins at `begin`; and how many milliseconds of the film it takes.
    fn write(&self, begin: i128) -> Result<(Vec<u8>, u64), Refused> {
        let samples = &self.table.samples;
        let whole: u64 = samples.iter().map(|sample| u64::from(sample.duration)).sum();
        // Players take an edit that begins before anything is shown for one that begins with it.
        let skipped = u64::try_from(self.lead()).unwrap_or_default();
        let before = u64::try_from((self.begin() - begin) / 1_000_000).unwrap_or_default();
        let shown = u128::from(whole.saturating_sub(skipped)) * u128::from(MOVIE);
        let shown = u64::try_from(shown.div_ceil(self.units.into())).map_err(|_| BROKEN)?;
        let mut inside = Vec::new();
        for found in Boxes(self.trak) {
            let (kind, body) = found?;
            match &kind {
                b"tkhd" => {
                    let mut header = body.to_vec();
                    let is_long = header.first() == Some(&1);
                    put_time(&mut header, if is_long { 28 } else { 20 }, is_long, before + shown)?;
                    inside.extend(boxed(kind, &[&header]));
                    inside.extend(edits(before, shown, skipped));
                }
                b"edts" => {}
                b"mdia" => inside.extend(self.media(body, whole)?),
                _ => inside.extend(boxed(kind, &[body])),
            }
        }
        Ok((boxed(*b"trak", &[&inside]), before + shown))
    }

    fn media(&self, mdia: &[u8], whole: u64) -> Result<Vec<u8>, Refused> {
        let mut inside = Vec::new();
        for found in Boxes(mdia) {
            let (kind, body) = found?;
            match &kind {
                b"mdhd" => inside.extend(long_header(body, whole)?),
                b"minf" => {
                    let mut information = Vec::new();
                    for found in Boxes(body) {
                        let (kind, body) = found?;
                        let own = kind == *b"stbl";
                        information.extend(if own { self.lists(body)? } else { boxed(kind, &[body]) });
                    }
                    inside.extend(boxed(kind, &[&information]));
                }
                _ => inside.extend(boxed(kind, &[body])),
            }
        }
        Ok(boxed(*b"mdia", &[&inside]))
    }

    /// `stbl`: how it is coded stays, all else is listed anew.
    fn lists(&self, stbl: &[u8]) -> Result<Vec<u8>, Refused> {
        let samples = &self.table.samples;
        let mut inside = boxed(*b"stsd", &[boxes::first(stbl, *b"stsd")?]);
        inside.extend(pairs(*b"stts", 0, samples.iter().map(|sample| sample.duration)));
        // What is shown before it is decoded can't be listed: all of it is shown later then.
        let late = i32::try_from(self.lead().min(0)).unwrap_or_default();
        let delays = samples.iter().map(|sample| sample.delay.saturating_sub(late));
        if delays.clone().any(|delay| delay != 0) {
            // Version 1 has a sign.
            let version = u8::from(delays.clone().any(|delay| delay < 0));
            inside.extend(pairs(*b"ctts", version, delays.map(i32::cast_unsigned)));
        }
        if samples.iter().any(|sample| !sample.sync) {
            let numbers = (1_u32..).zip(samples).filter(|(_, sample)| sample.sync).map(|(number, _)| number);
            inside.extend(list(*b"stss", &[], numbers.map(u32::to_be_bytes)));
        }
        inside.extend(self.chunks());
        let sizes = samples.iter().map(|sample| sample.size.to_be_bytes());
        inside.extend(list(*b"stsz", &[0; 4], sizes));
        Ok(boxed(*b"stbl", &[&inside]))
    }

    /// `stsc` and `co64`
    fn chunks(&self) -> Vec<u8> {
        let chunks = &self.table.chunks;
        let mut runs: Vec<[u8; 12]> = Vec::new();
        let mut usual = None;
        for (number, chunk) in (1_u32..).zip(chunks) {
            if usual.replace(chunk.samples) != Some(chunk.samples) {
                let mut run = [0; 12];
                run[..4].copy_from_slice(&number.to_be_bytes());
                run[4..8].copy_from_slice(&chunk.samples.to_be_bytes());
                // The first and only way in which it is coded.
                run[11] = 1;
                runs.push(run);
            }
        }
        let mut both = list(*b"stsc", &[], runs.into_iter());
        both.extend(list(*b"co64", &[], chunks.iter().map(|chunk| chunk.offset.to_be_bytes())));
        both
    }
}

/// `edts`: an empty stretch where the track begins later than the film, then the track without what is left out.
fn edits(before: u64, shown: u64, skipped: u64) -> Vec<u8> {
    let edit =
        |lasts: u64, from: u64| [&lasts.to_be_bytes()[..], &from.to_be_bytes(), &[0, 1, 0, 0]].concat();
    let mut edits = Vec::new();
    if before > 0 {
        edits.push(edit(before, u64::MAX));
    }
    edits.push(edit(shown, skipped));
    let mut inside = vec![1, 0, 0, 0];
    inside.extend(u32::try_from(edits.len()).unwrap_or_default().to_be_bytes());
    inside.extend(edits.concat());
    boxed(*b"edts", &[&boxed(*b"elst", &[&inside])])
}

/// `mdhd` with 64 bits for its times, which long recordings need.
fn long_header(mut mdhd: &[u8], whole: u64) -> Result<Vec<u8>, Refused> {
    let (version, _) = boxes::full(&mut mdhd)?;
    let time = |bytes: &mut &[u8]| -> Result<u64, Refused> {
        if version == 1 { boxes::u64(bytes) } else { Ok(boxes::u32(bytes)?.into()) }
    };
    let (made, changed) = (time(&mut mdhd)?, time(&mut mdhd)?);
    let units = boxes::u32(&mut mdhd)?;
    time(&mut mdhd)?;
    Ok(boxed(
        *b"mdhd",
        &[
            &[1, 0, 0, 0],
            &made.to_be_bytes(),
            &changed.to_be_bytes(),
            &units.to_be_bytes(),
            &whole.to_be_bytes(),
            mdhd,
        ],
    ))
}

/// A list of how often each value comes one after the other.
fn pairs(kind: Kind, version: u8, values: impl Iterator<Item = u32>) -> Vec<u8> {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for value in values {
        match runs.last_mut() {
            Some((count, same)) if *same == value => *count += 1,
            _ => runs.push((1, value)),
        }
    }
    let entries = runs.iter().map(|(count, value)| {
        let mut entry = [0; 8];
        entry[..4].copy_from_slice(&count.to_be_bytes());
        entry[4..].copy_from_slice(&value.to_be_bytes());
        entry
    });
    let mut whole = list(kind, &[], entries);
    whole[8] = version;
    whole
}

/// A full box: what comes before the number of its entries, that number, the entries.
fn list<const N: usize>(kind: Kind, before: &[u8], entries: impl Iterator<Item = [u8; N]>) -> Vec<u8> {
    let entries: Vec<[u8; N]> = entries.collect();
    let count = u32::try_from(entries.len()).unwrap_or(u32::MAX);
    boxed(kind, &[&[0; 4], before, &count.to_be_bytes(), entries.as_flattened()])
}

/// A box of these parts.
pub fn boxed(kind: Kind, parts: &[&[u8]]) -> Vec<u8> {
    let length = 8 + parts.iter().map(|part| part.len()).sum::<usize>();
    let mut whole = Vec::with_capacity(length);
    whole.extend(u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    whole.extend(kind);
    for part in parts {
        whole.extend_from_slice(part);
    }
    whole
}

fn word(bytes: &[u8], at: usize) -> Result<u32, Refused> {
    let mut rest = bytes.get(at..).ok_or(BROKEN)?;
    boxes::u32(&mut rest)
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) -> Result<(), Refused> {
    bytes.get_mut(at..at + value.len()).ok_or(BROKEN)?.copy_from_slice(value);
    Ok(())
}

fn put_time(bytes: &mut [u8], at: usize, is_long: bool, value: u64) -> Result<(), Refused> {
    if is_long {
        put(bytes, at, &value.to_be_bytes())
    } else {
        put(bytes, at, &u32::try_from(value).unwrap_or(u32::MAX).to_be_bytes())
    }
}
