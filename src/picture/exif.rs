//! The one thing that is kept of a picture's EXIF: which way is up.

use super::Damaged;
use super::bytes::Bytes;

/// The tag of TIFF 6.0 for the orientation.
const ORIENTATION: u16 = 0x0112;

/// 1 to 8 as in EXIF; 1 when nothing, or nothing sensible, is said. `tiff` begins with the byte order.
pub fn orientation(tiff: &[u8]) -> u8 {
    find(tiff).ok().flatten().filter(|found| (1..=8).contains(found)).unwrap_or(1)
}

fn find(tiff: &[u8]) -> Result<Option<u8>, Damaged> {
    let mut head = Bytes(tiff);
    let little = match head.take(2)? {
        b"II" => true,
        b"MM" => false,
        _ => return Err(Damaged),
    };
    let u16 = |bytes: &mut Bytes<'_>| if little { bytes.u16_le() } else { bytes.u16_be() };
    let u32 = |bytes: &mut Bytes<'_>| if little { bytes.u32_le() } else { bytes.u32_be() };
    head.take(2)?;
    let first = u32(&mut head)?;
    let mut entries = Bytes(tiff.get(super::bytes::length(first)..).ok_or(Damaged)?);
    for _ in 0..u16(&mut entries)? {
        let mut entry = Bytes(entries.take(12)?);
        if u16(&mut entry)? == ORIENTATION {
            entry.take(6)?;
            return Ok(u8::try_from(u16(&mut entry)?).ok());
        }
    }
    Ok(None)
}

/// A TIFF structure that says the orientation and nothing else.
pub fn only(orientation: u8) -> Vec<u8> {
    let mut tiff = b"II*\0\x08\0\0\0\x01\0".to_vec();
    tiff.extend(ORIENTATION.to_le_bytes());
    // One number of 16 bits, in the place for the value; no further directory.
    tiff.extend(b"\x03\0\x01\0\0\0");
    tiff.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
    tiff
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_and_nonsense_means_upright() {
        for wanted in 1..=8 {
            assert_eq!(orientation(&only(wanted)), wanted);
        }
        let big_endian = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
        assert_eq!(orientation(big_endian), 6);
        for nonsense in
            [&b""[..], b"II", b"XX*\0", b"II*\0\xff\xff\xff\xff", &only(0), &only(9), &only(6)[..15]]
        {
            assert_eq!(orientation(nonsense), 1, "{nonsense:?}");
        }
    }
}
