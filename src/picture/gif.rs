//! GIF89a: blocks until a trailer. Pictures, their timing and the note on repeating stay; comments, texts and whatever an
//! application glued in (XMP among them) go.

use super::bytes::Bytes;
use super::{Damaged, Stripped};

pub fn strip(bytes: &[u8]) -> Result<Stripped, Damaged> {
    let mut input = Bytes(bytes);
    let mut found = Stripped { orientation: 1, ..Stripped::default() };
    found.content.reserve(bytes.len());
    keep(&mut found.content, bytes, &mut input, |input| {
        input.take(6)?;
        found.width = input.u16_le()?.into();
        found.height = input.u16_le()?.into();
        let flags = input.u8()?;
        input.take(2)?;
        table(input, flags)
    })?;
    loop {
        match input.0.first() {
            Some(0x2C) => {
                keep(&mut found.content, bytes, &mut input, image)?;
                found.frames += 1;
            }
            Some(0x21) => {
                let start = bytes.len() - input.0.len();
                let wanted = extension(&mut input)?;
                if wanted {
                    found.content.extend(&bytes[start..bytes.len() - input.0.len()]);
                }
            }
            Some(0x3B) => break,
            // A still picture is often cut right behind its last block; browsers show it.
            None if found.frames > 0 => break,
            _ => return Err(Damaged),
        }
    }
    found.content.push(0x3B);
    if found.frames == 0 { Err(Damaged) } else { Ok(found) }
}

/// Copies what `read` reads.
fn keep<'a>(
    content: &mut Vec<u8>,
    bytes: &'a [u8],
    input: &mut Bytes<'a>,
    read: impl FnOnce(&mut Bytes<'a>) -> Result<(), Damaged>,
) -> Result<(), Damaged> {
    let start = bytes.len() - input.0.len();
    read(input)?;
    content.extend(&bytes[start..bytes.len() - input.0.len()]);
    Ok(())
}

/// The table of colours that the flags announce.
fn table(input: &mut Bytes<'_>, flags: u8) -> Result<(), Damaged> {
    if flags & 0x80 != 0 {
        input.take(3 << ((flags & 7) + 1))?;
    }
    Ok(())
}

fn image(input: &mut Bytes<'_>) -> Result<(), Damaged> {
    input.take(9)?;
    let flags = input.u8()?;
    table(input, flags)?;
    input.take(1)?;
    blocks(input)
}

/// Data in pieces of at most 255 bytes, ended by an empty one.
fn blocks(input: &mut Bytes<'_>) -> Result<(), Damaged> {
    loop {
        match input.u8()? {
            0 => return Ok(()),
            length => input.take(length.into())?,
        };
    }
}

/// Reads an extension; `true` for one that is kept.
fn extension(input: &mut Bytes<'_>) -> Result<bool, Damaged> {
    input.take(1)?;
    let label = input.u8()?;
    let first = input.0.get(1..12);
    let repeats = label == 0xFF && matches!(first, Some(b"NETSCAPE2.0" | b"ANIMEXTS1.0"));
    blocks(input)?;
    Ok(label == 0xF9 || repeats)
}
