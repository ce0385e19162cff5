//! Boxes within a box that is here as a whole, read without ever reading past their end.

use super::{BROKEN, Refused};
use bytes::Buf as _;
use std::borrow::Cow;

/// Four letters that say what a box is.
pub type Kind = [u8; 4];

pub const NOT_MP4: Refused =
    Refused(Cow::Borrowed("That isn't MP4: there is no box where one has to begin."));

/// The boxes within, one after the other, each without its head; after a broken one there are no more.
pub struct Boxes<'a>(pub &'a [u8]);

impl<'a> Iterator for Boxes<'a> {
    type Item = Result<(Kind, &'a [u8]), Refused>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let next = split(self.0);
        self.0 = next.as_ref().map_or(&[], |(_, _, rest)| rest);
        Some(next.map(|(kind, body, _)| (kind, body)))
    }
}

fn split(bytes: &[u8]) -> Result<(Kind, &[u8], &[u8]), Refused> {
    let head = Head::read(bytes)?.ok_or(BROKEN)?;
    let (whole, rest) =
        usize::try_from(head.size).ok().and_then(|size| bytes.split_at_checked(size)).ok_or(BROKEN)?;
    Ok((head.kind, whole.get(head.length..).ok_or(BROKEN)?, rest))
}

/// The first box of this kind, which has to be there.
pub fn first(bytes: &[u8], kind: Kind) -> Result<&[u8], Refused> {
    for found in Boxes(bytes) {
        let (found, body) = found?;
        if found == kind {
            return Ok(body);
        }
    }
    Err(Refused(
        format!("The MP4 is broken: it has no {} box where one belongs.", kind.escape_ascii()).into(),
    ))
}

/// The beginning of a box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub kind: Kind,
    /// Bytes of the whole box, the head's own among them.
    pub size: u64,
    /// Bytes of the head.
    pub length: usize,
}

impl Head {
    /// `None` while too little of it is here.
    pub fn read(bytes: &[u8]) -> Result<Option<Self>, Refused> {
        let Some(&[a, b, c, d, ref kind @ ..]) = bytes.first_chunk::<8>() else {
            return Ok(None);
        };
        if !kind.iter().all(|letter| matches!(letter, b' '..=b'~' | 0xA9)) {
            return Err(NOT_MP4);
        }
        let (size, length) = match u32::from_be_bytes([a, b, c, d]) {
            0 => {
                return Err(Refused::new(
                    "A box without an end can't be sent on. Each has to say how long it is.",
                ));
            }
            1 => match bytes.get(8..).and_then(|mut rest| rest.try_get_u64().ok()) {
                Some(size) => (size, 16),
                None => return Ok(None),
            },
            size => (size.into(), 8),
        };
        if size < length as u64 {
            return Err(BROKEN);
        }
        Ok(Some(Self { kind: *kind, size, length }))
    }
}

/// Version and flags, which full boxes begin with.
pub fn full(bytes: &mut &[u8]) -> Result<(u8, u32), Refused> {
    let word = u32(bytes)?;
    Ok((u8::try_from(word >> 24).unwrap_or(u8::MAX), word & 0x00FF_FFFF))
}

pub fn u8(bytes: &mut &[u8]) -> Result<u8, Refused> {
    bytes.try_get_u8().map_err(|_| BROKEN)
}

pub fn u16(bytes: &mut &[u8]) -> Result<u16, Refused> {
    bytes.try_get_u16().map_err(|_| BROKEN)
}

pub fn u32(bytes: &mut &[u8]) -> Result<u32, Refused> {
    bytes.try_get_u32().map_err(|_| BROKEN)
}

pub fn u64(bytes: &mut &[u8]) -> Result<u64, Refused> {
    bytes.try_get_u64().map_err(|_| BROKEN)
}

/// Leaves out what nobody needs.
pub fn skip(bytes: &mut &[u8], count: usize) -> Result<(), Refused> {
    *bytes = bytes.get(count..).ok_or(BROKEN)?;
    Ok(())
}
