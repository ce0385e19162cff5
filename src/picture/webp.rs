//! WebP (RFC 9649): chunks in a RIFF file. Pixels, transparency, animation and the colour profile stay; EXIF but for the
//! orientation, XMP and all that is unknown go, inside of frames too.

use super::bytes::{Bytes, length};
use super::{Damaged, PROFILE_MAX, Stripped, exif};

/// Flags of `VP8X`.
const HAS_XMP: u8 = 0x04;
const HAS_EXIF: u8 = 0x08;
const HAS_PROFILE: u8 = 0x20;

pub fn strip(bytes: &[u8]) -> Result<Stripped, Damaged> {
    let mut input = Bytes(bytes);
    input.take(4)?;
    let announced = length(input.u32_le()?);
    input.take(4)?;
    // What follows the announced length is no part of the picture.
    input.0 = input.0.get(..announced.saturating_sub(4)).unwrap_or(input.0);
    let mut found = Stripped { orientation: 1, ..Stripped::default() };
    let mut body = Vec::with_capacity(bytes.len());
    let (mut header, mut has_profile) = (None, false);
    while !input.0.is_empty() {
        let (name, data) = chunk(&mut input)?;
        match name {
            b"VP8X" => {
                let mut fields = Bytes(data);
                fields.take(4)?;
                found.width = fields.u24_le()? + 1;
                found.height = fields.u24_le()? + 1;
                header = Some(data.get(..10).ok_or(Damaged)?.to_vec());
            }
            b"EXIF" => found.orientation = exif::orientation(data.strip_prefix(b"Exif\0\0").unwrap_or(data)),
            b"ICCP" if data.len() <= PROFILE_MAX => {
                has_profile = true;
                put(&mut body, *b"ICCP", data);
            }
            b"ANMF" => {
                put(&mut body, *b"ANMF", &frame(data)?);
                found.frames += 1;
            }
            b"ANIM" => put(&mut body, *b"ANIM", data),
            b"ALPH" => put(&mut body, *b"ALPH", data),
            b"VP8 " | b"VP8L" => {
                if header.is_none() {
                    (found.width, found.height) =
                        if name == b"VP8 " { lossy(data)? } else { lossless(data)? };
                }
                put(&mut body, if name == b"VP8 " { *b"VP8 " } else { *b"VP8L" }, data);
                found.frames += 1;
            }
            _ => {}
        }
    }
    if found.frames == 0 {
        return Err(Damaged);
    }
    found.content = assemble(header, has_profile, &body, &mut found)?;
    Ok(found)
}

fn assemble(
    header: Option<Vec<u8>>,
    has_profile: bool,
    body: &[u8],
    found: &mut Stripped,
) -> Result<Vec<u8>, Damaged> {
    let mut content = b"RIFF\0\0\0\0WEBP".to_vec();
    match header {
        Some(mut header) => {
            header[0] &= !(HAS_XMP | HAS_EXIF | HAS_PROFILE);
            if has_profile {
                header[0] |= HAS_PROFILE;
            }
            if found.orientation != 1 {
                header[0] |= HAS_EXIF;
            }
            put(&mut content, *b"VP8X", &header);
        }
        // The simple form has no place for an orientation.
        None => found.orientation = 1,
    }
    content.extend(body);
    if found.orientation != 1 {
        put(&mut content, *b"EXIF", &exif::only(found.orientation));
    }
    let size = u32::try_from(content.len() - 8).map_err(|_| Damaged)?;
    content[4..8].copy_from_slice(&size.to_le_bytes());
    Ok(content)
}

fn chunk<'a>(input: &mut Bytes<'a>) -> Result<(&'a [u8; 4], &'a [u8]), Damaged> {
    let name = input.take(4)?.try_into().map_err(|_| Damaged)?;
    let size = length(input.u32_le()?);
    let data = input.take(size)?;
    if size % 2 == 1 && !input.0.is_empty() {
        input.take(1)?;
    }
    Ok((name, data))
}

/// A frame's own head, and its chunks that are pixels.
fn frame(data: &[u8]) -> Result<Vec<u8>, Damaged> {
    let mut input = Bytes(data);
    let mut kept = input.take(16)?.to_vec();
    while !input.0.is_empty() {
        let (name, data) = chunk(&mut input)?;
        if matches!(name, b"ALPH" | b"VP8 " | b"VP8L") {
            put(&mut kept, *name, data);
        }
    }
    Ok(kept)
}

fn put(content: &mut Vec<u8>, name: [u8; 4], data: &[u8]) {
    content.extend(name);
    content.extend(u32::try_from(data.len()).unwrap_or(u32::MAX).to_le_bytes());
    content.extend(data);
    if data.len() % 2 == 1 {
        content.push(0);
    }
}

/// The size in a key frame's header (RFC 6386, section 9.1).
fn lossy(data: &[u8]) -> Result<(u32, u32), Damaged> {
    let mut input = Bytes(data);
    input.take(6)?;
    Ok((u32::from(input.u16_le()? & 0x3FFF), u32::from(input.u16_le()? & 0x3FFF)))
}

/// The size behind the signature byte: twice 14 bits, each less one.
fn lossless(data: &[u8]) -> Result<(u32, u32), Damaged> {
    let mut input = Bytes(data);
    input.take(1)?;
    let bits = input.u32_le()?;
    Ok(((bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1))
}
