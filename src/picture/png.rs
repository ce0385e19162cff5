//! PNG (third edition, APNG included): chunks, each with a length, a name and a checksum. Those that describe pixels and
//! colours stay; texts, times, EXIF and all that is unknown go, and so does what follows the end.

use super::bytes::{Bytes, length};
use super::{Damaged, PROFILE_MAX, Stripped, exif};

const SIGNATURE: usize = 8;

pub fn strip(bytes: &[u8]) -> Result<Stripped, Damaged> {
    let mut input = Bytes(bytes);
    let mut found = Stripped { orientation: 1, frames: 1, ..Stripped::default() };
    found.content.reserve(bytes.len());
    found.content.extend(input.take(SIGNATURE)?);
    let mut pixels = false;
    let mut frames = 0;
    loop {
        let whole = input.0;
        let size = length(input.u32_be()?);
        let name = input.take(4)?;
        let data = input.take(size)?;
        input.take(4)?;
        let chunk = &whole[..size + 12];
        match name {
            b"IHDR" => {
                let mut header = Bytes(data);
                found.width = header.u32_be()?;
                found.height = header.u32_be()?;
                found.content.extend(chunk);
            }
            b"PLTE" | b"tRNS" | b"cHRM" | b"gAMA" | b"sBIT" | b"sRGB" | b"cICP" | b"mDCV" | b"cLLI"
            | b"bKGD" | b"pHYs" | b"acTL" | b"fdAT" => found.content.extend(chunk),
            b"iCCP" if size <= PROFILE_MAX => found.content.extend(chunk),
            b"IDAT" => {
                pixels = true;
                found.content.extend(chunk);
            }
            b"fcTL" => {
                frames += 1;
                found.content.extend(chunk);
            }
            b"eXIf" => {
                found.orientation = exif::orientation(data);
                // After the pixels it is allowed, too; there nobody would look for it any more.
                if found.orientation != 1 && !pixels {
                    put(&mut found.content, *b"eXIf", &exif::only(found.orientation));
                }
            }
            b"IEND" => {
                found.content.extend(chunk);
                break;
            }
            _ => {}
        }
    }
    found.frames = frames.max(1);
    if pixels { Ok(found) } else { Err(Damaged) }
}

fn put(content: &mut Vec<u8>, name: [u8; 4], data: &[u8]) {
    content.extend(u32::try_from(data.len()).unwrap_or(u32::MAX).to_be_bytes());
    content.extend(name);
    content.extend(data);
    let mut sum = flate2::Crc::new();
    sum.update(&name);
    sum.update(data);
    content.extend(sum.sum().to_be_bytes());
}
