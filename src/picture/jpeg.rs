//! JPEG (ITU T.81): segments, each behind a marker. Tables, frames and scans stay; of the application's own segments only
//! JFIF's density, the colour profile, Adobe's note on the colours, and the orientation.

use super::bytes::Bytes;
use super::{Damaged, Stripped, exif};

const END: u8 = 0xD9;
const SCAN: u8 = 0xDA;
/// A picture that comes in steps has about ten. Each takes as long as all pixels together.
const SCANS_MAX: usize = 64;
/// Where the parts of a colour profile lie (ICC.1, annex B.4).
const ICC: &[u8] = b"ICC_PROFILE\0";

pub fn strip(bytes: &[u8]) -> Result<Stripped, Damaged> {
    let mut input = Bytes(bytes);
    input.take(2)?;
    let mut found = Stripped { orientation: 1, frames: 1, ..Stripped::default() };
    let mut body = Vec::with_capacity(bytes.len());
    let mut scans = 0;
    while let Some(marker) = next_marker(&mut input) {
        if marker == END {
            break;
        }
        let Ok(segment) = segment(&mut input) else { break };
        if marker == 0xE1
            && let Some(tiff) = segment.strip_prefix(b"Exif\0\0")
        {
            found.orientation = exif::orientation(tiff);
        }
        if is_frame(marker) {
            let mut frame = Bytes(segment);
            frame.take(1)?;
            found.height = frame.u16_be()?.into();
            found.width = frame.u16_be()?.into();
        }
        if let Some(kept) = kept(marker, segment) {
            put(&mut body, marker, kept);
        }
        if marker == SCAN {
            scans += 1;
            if scans > SCANS_MAX {
                return Err(Damaged);
            }
            body.extend(entropy(&mut input));
        }
    }
    if scans == 0 {
        return Err(Damaged);
    }
    found.content = assemble(&body, found.orientation);
    Ok(found)
}

/// The orientation stands first, where every reader looks for it.
fn assemble(body: &[u8], orientation: u8) -> Vec<u8> {
    let mut content = vec![0xFF, 0xD8];
    if orientation != 1 {
        put(&mut content, 0xE1, &[b"Exif\0\0".as_slice(), &exif::only(orientation)].concat());
    }
    content.extend(body);
    content.extend([0xFF, END]);
    content
}

/// The next marker, past fill bytes and whatever stands where none should.
fn next_marker(input: &mut Bytes<'_>) -> Option<u8> {
    loop {
        let start = input.0.iter().position(|byte| *byte == 0xFF)?;
        input.0 = &input.0[start..];
        while input.0.first() == Some(&0xFF) {
            input.0 = &input.0[1..];
        }
        match input.u8().ok()? {
            // Without a segment: stuffing, a restart, a second beginning.
            0x00 | 0x01 | 0xD0..=0xD8 => {}
            marker => return Some(marker),
        }
    }
}

fn segment<'a>(input: &mut Bytes<'a>) -> Result<&'a [u8], Damaged> {
    let length = usize::from(input.u16_be()?);
    input.take(length.checked_sub(2).ok_or(Damaged)?)
}

/// Start of frame: all of 0xC0 to 0xCF but the tables among them.
fn is_frame(marker: u8) -> bool {
    matches!(marker, 0xC0..=0xCF) && !matches!(marker, 0xC4 | 0xC8 | 0xCC)
}

/// What of a segment goes on.
fn kept(marker: u8, segment: &[u8]) -> Option<&[u8]> {
    match marker {
        0xC0..=0xCF | 0xDA..=0xDF => Some(segment),
        // Without the small picture that may follow: it isn't stripped.
        0xE0 if segment.starts_with(b"JFIF\0") => segment.get(..12),
        0xE2 if segment.starts_with(ICC) && segment.len() > ICC.len() + 2 => Some(segment),
        0xEE if segment.starts_with(b"Adobe") => segment.get(..12),
        _ => None,
    }
}

fn put(body: &mut Vec<u8>, marker: u8, segment: &[u8]) {
    // JFIF counts the pixels of its small picture last; it has none now.
    let small: &[u8] = if marker == 0xE0 { &[0, 0] } else { &[] };
    let length = u16::try_from(segment.len() + small.len() + 2).unwrap_or(u16::MAX);
    body.extend([0xFF, marker]);
    body.extend(length.to_be_bytes());
    body.extend(segment);
    body.extend(small);
}

/// The coded pixels up to the next marker that isn't part of them.
fn entropy<'a>(input: &mut Bytes<'a>) -> &'a [u8] {
    let bytes = input.0;
    let end = bytes
        .windows(2)
        .position(|pair| pair[0] == 0xFF && !matches!(pair[1], 0x00 | 0xFF | 0xD0..=0xD7))
        .unwrap_or(bytes.len());
    input.0 = &bytes[end..];
    &bytes[..end]
}
