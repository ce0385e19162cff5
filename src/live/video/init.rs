//! The beginning of a fragmented MP4: `ftyp` and `moov`, which say what the tracks are.

use super::boxes::{self, Boxes};
use super::codec::{self, Coding};
use super::{BROKEN, Refused};
use bytes::Bytes;
use std::borrow::Cow;

/// Tracks of one stream: a picture, a sound, and some to spare.
const TRACKS_MAX: usize = 8;
pub(super) const NOT_FRAGMENTED: Refused = Refused(Cow::Borrowed(
    "This MP4 isn't fragmented. With -movflags frag_keyframe+empty_moov+default_base_moof ffmpeg makes it so.",
));

/// What a player has to have before any fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Init {
    /// `ftyp` and `moov` as they came.
    pub bytes: Bytes,
    /// For example `video/mp4; codecs="avc1.64001f, mp4a.40.2"`.
    pub mime: String,
    pub tracks: Vec<Track>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Track {
    pub id: u32,
    /// Units of time in a second; never 0.
    pub timescale: u32,
    pub coding: Coding,
    /// What fragments that say nothing else mean for each of their samples.
    pub defaults: Defaults,
}

/// Of the samples of a track, or of a fragment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Defaults {
    /// In units of the track's time.
    pub duration: u32,
    /// Bytes.
    pub size: u32,
    pub flags: u32,
}

impl Init {
    /// `bytes` are `ftyp` and `moov`, `moov` the inside of the second.
    pub fn read(bytes: Bytes, moov: &[u8]) -> Result<Self, Refused> {
        let mut tracks = Vec::new();
        let mut extends = None;
        for found in Boxes(moov) {
            match found? {
                (kind, trak) if kind == *b"trak" => {
                    if tracks.len() == TRACKS_MAX {
                        return Err(Refused::new("A stream has at most 8 tracks."));
                    }
                    tracks.extend(track(trak)?);
                }
                (kind, mvex) if kind == *b"mvex" => extends = Some(mvex),
                _ => {}
            }
        }
        for found in Boxes(extends.ok_or(NOT_FRAGMENTED)?) {
            let (kind, mut trex) = found?;
            if kind == *b"trex" {
                let (id, defaults) = trex_of(&mut trex)?;
                tracks.iter_mut().filter(|track| track.id == id).for_each(|track| track.defaults = defaults);
            }
        }
        if tracks.is_empty() {
            return Err(Refused::new("There is neither a picture nor a sound in it."));
        }
        let mime = codec::mime(tracks.iter().map(|track| &track.coding));
        Ok(Self { bytes, mime, tracks })
    }

    pub fn track(&self, id: u32) -> Option<&Track> {
        self.tracks.iter().find(|track| track.id == id)
    }

    /// The one whose key frames and times count: the first with pictures, or else the first.
    pub fn leader(&self) -> Option<&Track> {
        self.tracks.iter().find(|track| track.coding.size.is_some()).or(self.tracks.first())
    }

    /// Width and height in pixels; none where there is only sound.
    pub fn size(&self) -> Option<(u16, u16)> {
        self.leader().and_then(|track| track.coding.size)
    }
}

/// A track of pictures or sound; others (text, time codes) are left unread, players leave them out too.
fn track(trak: &[u8]) -> Result<Option<Track>, Refused> {
    let mut header = boxes::first(trak, *b"tkhd")?;
    let (version, _) = boxes::full(&mut header)?;
    boxes::skip(&mut header, if version == 1 { 16 } else { 8 })?;
    let id = boxes::u32(&mut header)?;
    let media = boxes::first(trak, *b"mdia")?;
    let mut handler = boxes::first(media, *b"hdlr")?;
    boxes::skip(&mut handler, 8)?;
    if !matches!(handler.get(..4), Some(b"vide" | b"soun")) {
        return Ok(None);
    }
    let mut header = boxes::first(media, *b"mdhd")?;
    let (version, _) = boxes::full(&mut header)?;
    boxes::skip(&mut header, if version == 1 { 16 } else { 8 })?;
    let timescale = boxes::u32(&mut header)?;
    if timescale == 0 || id == 0 {
        return Err(BROKEN);
    }
    let table = boxes::first(boxes::first(media, *b"minf")?, *b"stbl")?;
    let coding = codec::entry(boxes::first(table, *b"stsd")?)?;
    Ok(Some(Track { id, timescale, coding, defaults: Defaults::default() }))
}

fn trex_of(trex: &mut &[u8]) -> Result<(u32, Defaults), Refused> {
    boxes::full(trex)?;
    let id = boxes::u32(trex)?;
    boxes::skip(trex, 4)?;
    Ok((id, Defaults { duration: boxes::u32(trex)?, size: boxes::u32(trex)?, flags: boxes::u32(trex)? }))
}
