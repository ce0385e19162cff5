//! Cutting a body into its pieces as it comes.

use super::boxes::{Head, Kind, NOT_MP4};
use super::fragment::{self, Fragment, Timing};
use super::init::Init;
use super::{BROKEN, Refused};
use bytes::{Buf as _, BytesMut};
use std::sync::Arc;

/// Bytes of `ftyp` and `moov` together, and of a `moof`; real ones have a few thousand.
const HEAD_MAX: u64 = 1024 * 1024;
/// Bytes of one fragment: a second of the best 4K has about four million.
const FRAGMENT_MAX: u64 = 16 * 1024 * 1024;

/// What a body may begin with.
const FIRST: [Kind; 6] = [*b"ftyp", *b"styp", *b"moov", *b"moof", *b"mdat", *b"free"];

/// What a body consists of.
#[derive(Clone, Debug)]
pub enum Piece {
    Init(Arc<Init>),
    Fragment(Fragment),
}

/// Reads one body from its first byte on. It holds no more than one fragment.
#[derive(Default)]
pub struct Walker {
    /// What isn't handed on yet: `ftyp` before a `moov`, `moof` before its `mdat`, and the box that comes in.
    waiting: BytesMut,
    /// Where in it the next box begins.
    next: usize,
    /// It began as an MP4 does.
    is_begun: bool,
    /// Bytes still to come of a box that nobody needs.
    skipping: usize,
    init: Option<Arc<Init>>,
    /// Where in `waiting` the inside of a `moof` without its `mdat` is.
    moof: Option<std::ops::Range<usize>>,
}

impl Walker {
    /// Takes what has come and gives the pieces that are whole now. After a flaw nothing more can be read from this body.
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<Vec<Piece>, Refused> {
        let skipped = self.skipping.min(bytes.len());
        bytes.advance(skipped);
        self.skipping -= skipped;
        self.waiting.extend_from_slice(bytes);
        let mut pieces = Vec::new();
        while let Some(head) = Head::read(self.waiting.get(self.next..).unwrap_or_default())? {
            let size = self.allowed(&head)?;
            self.is_begun = true;
            let end = self.next + size;
            if !matches!(&head.kind, b"ftyp" | b"moov" | b"moof" | b"mdat") && self.moof.is_none() {
                self.leave_out(size);
                continue;
            }
            if self.waiting.len() < end {
                break;
            }
            pieces.extend(self.whole(&head, end)?);
        }
        Ok(pieces)
    }

    /// Whether nothing is begun that isn't whole.
    pub fn is_between(&self) -> bool {
        self.waiting.is_empty() && self.skipping == 0
    }

    /// How long a box is, unless it is too long or out of its place.
    fn allowed(&self, head: &Head) -> Result<usize, Refused> {
        if !self.is_begun && !FIRST.contains(&head.kind) {
            return Err(NOT_MP4);
        }
        let (most, sentence) = match &head.kind {
            b"moof" if self.moof.is_some() => {
                return Err(Refused::new("The MP4 is broken: a fragment holds nothing."));
            }
            b"moof" | b"mdat" if self.init.is_none() => return Err(super::init::NOT_FRAGMENTED),
            b"mdat" if self.moof.is_none() => return Err(super::init::NOT_FRAGMENTED),
            b"mdat" => (
                FRAGMENT_MAX,
                Refused::new("A fragment has at most 16 MiB. With -g 25 ffmpeg sends key frames more often."),
            ),
            _ => (HEAD_MAX, Refused::new("A box before the pictures has at most 1 MiB.")),
        };
        let before = if head.kind == *b"mdat" { self.next } else { 0 } as u64;
        if head.size.saturating_add(before) > most {
            return Err(sentence);
        }
        usize::try_from(head.size).map_err(|_| BROKEN)
    }

    /// A box that is here from its head to `end`.
    fn whole(&mut self, head: &Head, end: usize) -> Result<Option<Piece>, Refused> {
        let inside = self.next + head.length..end;
        self.next = end;
        match &head.kind {
            b"moov" => {
                let bytes = self.take();
                let init = Arc::new(Init::read(bytes.clone(), bytes.get(inside).ok_or(BROKEN)?)?);
                self.init = Some(Arc::clone(&init));
                Ok(Some(Piece::Init(init)))
            }
            b"moof" => {
                self.moof = Some(inside);
                Ok(None)
            }
            b"mdat" => {
                let timing = self.timing(inside.len() as u64)?;
                Ok(Some(Piece::Fragment(Fragment { bytes: self.take(), timing })))
            }
            // `ftyp` waits for `moov`. What is between a fragment's two boxes stays: the first counts the bytes to its samples.
            _ => Ok(None),
        }
    }

    fn timing(&mut self, data: u64) -> Result<Timing, Refused> {
        let (Some(init), Some(moof)) = (&self.init, self.moof.take()) else { return Err(BROKEN) };
        fragment::read(init, self.waiting.get(moof).ok_or(BROKEN)?, data)
    }

    fn take(&mut self) -> bytes::Bytes {
        self.waiting.split_to(std::mem::take(&mut self.next)).freeze()
    }

    fn leave_out(&mut self, size: usize) {
        // What stands before it (an `ftyp`) stays for the piece that it belongs to.
        let mut rest = self.waiting.split_off(self.next);
        let here = size.min(rest.len());
        rest.advance(here);
        self.skipping = size - here;
        self.waiting.unsplit(rest);
    }
}
