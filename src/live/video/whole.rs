//! A recording's file: fragments one behind the other while it is written, and in the end a plain MP4 that any player
//! seeks in.
//!
//! It begins with `ftyp`, room for the head of one more box, and the `moov` that the sender sent. In the end that room
//! becomes the head of an `mdat` that holds all that was written, and a `moov` that lists every sample goes behind it:
//! what lies on the disk isn't moved, and a kill at any point leaves what can be finished again.

use super::Refused;
use super::boxes::{self, Head};
use super::init::Init;
use super::moov::{self, boxed};
use super::table::{self, Table};
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::Duration;

/// Bytes of a `moov` or a `moof`, as [`Walker`](super::Walker) takes them.
const HEAD_MAX: u64 = 1024 * 1024;
/// Samples of one film, all tracks together, which are in memory while it is finished: some days.
const SAMPLES_MAX: usize = 16_000_000;
/// Bytes of the room for a box's head with a length of 64 bits.
const ROOM: usize = 16;

/// What every player of MP4 takes.
fn brand() -> Vec<u8> {
    boxed(*b"ftyp", &[b"isom", &[0, 0, 2, 0], b"isom", b"iso6", b"mp41"])
}

/// What a recording's file begins with, before its fragments.
///
/// # Errors
/// When the beginning holds no `moov`.
pub fn beginning(init: &Init) -> Result<Vec<u8>, Refused> {
    let moov = boxes::first(&init.bytes, *b"moov")?;
    Ok([brand(), boxed(*b"free", &[&[0; ROOM - 8]]), boxed(*b"moov", &[moov])].concat())
}

/// Makes a plain MP4 of a recording's file, as far as it has whole fragments. Answers with how long it lasts; nothing
/// where there is no film in it. What was finished before is finished again. Blocks.
///
/// # Errors
/// What the disk says.
pub fn finish(path: &Path) -> io::Result<Option<Duration>> {
    let file = File::options().read(true).write(true).open(path)?;
    let Some(found) = read(&file)? else { return Ok(None) };
    let Ok(Some((moov, lasts))) = moov::write(&found.moov, &found.init, &found.tables) else {
        return Ok(None);
    };
    let room = brand().len() as u64;
    let mut head = [0; ROOM];
    head[3] = 1;
    head[4..8].copy_from_slice(b"mdat");
    head[8..].copy_from_slice(&(found.end - room).to_be_bytes());
    // What is finished may be in the library already, under another name.
    if ends_with(&file, found.end, &moov)? && holds(&file, room, &head)? {
        return Ok(Some(lasts));
    }
    file.set_len(found.end)?;
    file.write_all_at(&moov, found.end)?;
    // What lists the samples is on the disk before it counts.
    file.sync_all()?;
    file.write_all_at(&head, room)?;
    file.sync_all()?;
    Ok(Some(lasts))
}

fn ends_with(file: &File, at: u64, bytes: &[u8]) -> io::Result<bool> {
    Ok(file.metadata()?.len() == at + bytes.len() as u64 && holds(file, at, bytes)?)
}

fn holds(file: &File, at: u64, bytes: &[u8]) -> io::Result<bool> {
    let mut found = vec![0; bytes.len()];
    file.read_exact_at(&mut found, at)?;
    Ok(found == bytes)
}

/// What a file holds.
struct Found {
    init: Init,
    /// The inside of the `moov` that it began with.
    moov: Vec<u8>,
    tables: Vec<Table>,
    /// Where its last whole fragment ends.
    end: u64,
}

fn read(file: &File) -> io::Result<Option<Found>> {
    let length = file.metadata()?.len();
    let mut at = brand().len() as u64 + ROOM as u64;
    let Some((head, inside)) = inside(file, at, length, *b"moov")? else { return Ok(None) };
    let whole = boxed(*b"moov", &[&inside]);
    let Ok(init) = Init::read(whole.into(), &inside) else { return Ok(None) };
    at += head.size;
    let tables = init.tracks.iter().map(|track| Table { id: track.id, ..Table::default() }).collect();
    let mut found = Found { init, moov: inside, tables, end: at };
    while let Some(next) = fragment(file, &mut found, length)? {
        found.end = next;
        if found.tables.iter().map(|table| table.samples.len()).sum::<usize>() > SAMPLES_MAX {
            break;
        }
    }
    Ok(Some(found))
}

/// Reads the fragment that begins where the last one ends. Answers with where it ends itself.
fn fragment(file: &File, found: &mut Found, length: u64) -> io::Result<Option<u64>> {
    let begin = found.end;
    let Some((head, moof)) = inside(file, begin, length, *b"moof")? else { return Ok(None) };
    let mut at = begin + head.size;
    loop {
        let Some(head) = head_at(file, at, length)? else { return Ok(None) };
        at += head.size;
        if head.kind == *b"mdat" {
            break;
        }
    }
    if table::add(&mut found.tables, &found.init, &moof, begin, at).is_err() {
        tracing::debug!("a fragment of a recording is left out: it can't be read");
    }
    Ok(Some(at))
}

/// The head of the box that begins here, if all of it is there.
fn head_at(file: &File, at: u64, length: u64) -> io::Result<Option<Head>> {
    let mut bytes = [0; ROOM];
    let here = usize::try_from(length.saturating_sub(at)).unwrap_or(ROOM).min(ROOM);
    match file.read_exact_at(&mut bytes[..here], at) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let head = Head::read(&bytes[..here]).ok().flatten();
    Ok(head.filter(|head| at.checked_add(head.size).is_some_and(|end| end <= length)))
}

/// A box of this kind with its inside, if it begins here and all of it is there.
fn inside(file: &File, at: u64, length: u64, kind: boxes::Kind) -> io::Result<Option<(Head, Vec<u8>)>> {
    let Some(head) = head_at(file, at, length)? else { return Ok(None) };
    if head.kind != kind || head.size > HEAD_MAX {
        return Ok(None);
    }
    let bytes = usize::try_from(head.size).map_err(io::Error::other)? - head.length;
    let mut inside = vec![0; bytes];
    file.read_exact_at(&mut inside, at + head.length as u64)?;
    Ok(Some((head, inside)))
}
