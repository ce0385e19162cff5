//! How a track is coded, in the words of RFC 6381 that browsers are asked with.

use super::boxes::{self, Boxes, Kind};
use super::{BROKEN, Refused};

/// Fields of a picture's entry before its own boxes, and where its size stands in them.
const VISUAL: usize = 78;
const VISUAL_SIZE: usize = 24;
/// Fields of a sound's entry before its own boxes.
const AUDIO: usize = 28;

/// What a track shows or plays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coding {
    /// For example `avc1.64001f`, `av01.0.04M.08`, `vp09.00.10.08`, `mp4a.40.2`, `opus`.
    pub codec: String,
    /// Width and height in pixels; none for sound.
    pub size: Option<(u16, u16)>,
}

/// Reads an entry of `stsd`; what browsers don't play by Media Source Extensions is refused.
pub fn read(kind: Kind, entry: &[u8]) -> Result<Coding, Refused> {
    let (picture, sound) = (|| visual(entry), || entry.get(AUDIO..).ok_or(BROKEN));
    Ok(match &kind {
        b"avc1" | b"avc3" => {
            let (size, inner) = picture()?;
            Coding { codec: avc(kind, boxes::first(inner, *b"avcC")?)?, size }
        }
        b"av01" => {
            let (size, inner) = picture()?;
            Coding { codec: av1(boxes::first(inner, *b"av1C")?)?, size }
        }
        b"vp09" => {
            let (size, inner) = picture()?;
            Coding { codec: vp9(boxes::first(inner, *b"vpcC")?)?, size }
        }
        b"mp4a" => Coding { codec: aac(boxes::first(sound()?, *b"esds")?)?, size: None },
        b"Opus" => Coding { codec: "opus".into(), size: None },
        _ => {
            return Err(Refused(
                format!(
                    "Browsers don't play {}. Send H.264, AV1 or VP9, with AAC or Opus.",
                    kind.escape_ascii().to_string().trim()
                )
                .into(),
            ));
        }
    })
}

type Visual<'a> = (Option<(u16, u16)>, &'a [u8]);

fn visual(entry: &[u8]) -> Result<Visual<'_>, Refused> {
    let (mut head, inner) = entry.split_at_checked(VISUAL).ok_or(BROKEN)?;
    boxes::skip(&mut head, VISUAL_SIZE)?;
    let (width, height) = (boxes::u16(&mut head)?, boxes::u16(&mut head)?);
    Ok((Some((width, height)), inner))
}

/// ISO/IEC 14496-15 5.3.3.1: profile, what it is compatible with, level.
fn avc(kind: Kind, config: &[u8]) -> Result<String, Refused> {
    let &[_, profile, compatible, level, ..] = config else { return Err(BROKEN) };
    Ok(format!("{}.{profile:02x}{compatible:02x}{level:02x}", kind.escape_ascii()))
}

/// AV1 in ISOBMFF 2.3.3 and 5.
fn av1(config: &[u8]) -> Result<String, Refused> {
    let &[_, sequence, form, _, ..] = config else { return Err(BROKEN) };
    let (profile, level) = (sequence >> 5, sequence & 0x1F);
    let tier = if form & 0x80 == 0 { 'M' } else { 'H' };
    let depth = match (form & 0x40 != 0, form & 0x20 != 0) {
        (false, _) => 8,
        (true, true) if profile == 2 => 12,
        (true, _) => 10,
    };
    Ok(format!("av01.{profile}.{level:02}{tier}.{depth:02}"))
}

/// VP Codec ISO Media File Format Binding.
fn vp9(config: &[u8]) -> Result<String, Refused> {
    let &[_, _, _, _, profile, level, form, ..] = config else { return Err(BROKEN) };
    Ok(format!("vp09.{profile:02}.{level:02}.{:02}", form >> 4))
}

/// ISO/IEC 14496-1 7.2.6: a descriptor of the stream, in it one of the decoder, in it what the decoder is told.
fn aac(esds: &[u8]) -> Result<String, Refused> {
    let mut rest = esds;
    boxes::full(&mut rest)?;
    let mut stream = descriptor(rest, 3)?;
    boxes::skip(&mut stream, 2)?;
    let flags = boxes::u8(&mut stream)?;
    if flags & 0x80 != 0 {
        boxes::skip(&mut stream, 2)?;
    }
    if flags & 0x40 != 0 {
        let length = boxes::u8(&mut stream)?;
        boxes::skip(&mut stream, length.into())?;
    }
    if flags & 0x20 != 0 {
        boxes::skip(&mut stream, 2)?;
    }
    let mut decoder = descriptor(stream, 4)?;
    let object = boxes::u8(&mut decoder)?;
    if object != 0x40 {
        return Err(Refused::new("Browsers don't play this sound. Send AAC or Opus."));
    }
    boxes::skip(&mut decoder, 12)?;
    let mut config = descriptor(decoder, 5)?;
    let start = boxes::u16(&mut config)?;
    let kind = match start >> 11 {
        31 => 32 + ((start >> 5) & 0x3F),
        kind => kind,
    };
    Ok(format!("mp4a.40.{kind}"))
}

/// The first descriptor with this tag; its length takes one to four bytes.
fn descriptor(mut bytes: &[u8], wanted: u8) -> Result<&[u8], Refused> {
    loop {
        let tag = boxes::u8(&mut bytes)?;
        let mut length = 0;
        for _ in 0..4 {
            let part = boxes::u8(&mut bytes)?;
            length = length << 7 | usize::from(part & 0x7F);
            if part & 0x80 == 0 {
                break;
            }
        }
        let (body, rest) = bytes.split_at_checked(length).ok_or(BROKEN)?;
        if tag == wanted {
            return Ok(body);
        }
        bytes = rest;
    }
}

/// What the browser is asked: `video/mp4; codecs="…"`, or `audio/mp4` where there are no pictures.
pub fn mime<'a>(codings: impl Iterator<Item = &'a Coding> + Clone) -> String {
    let kind = if codings.clone().any(|coding| coding.size.is_some()) { "video" } else { "audio" };
    let codecs: Vec<_> = codings.map(|coding| coding.codec.as_str()).collect();
    format!("{kind}/mp4; codecs=\"{}\"", codecs.join(", "))
}

/// Nothing more is looked for after these boxes of an entry list.
pub fn entry(stsd: &[u8]) -> Result<Coding, Refused> {
    let mut rest = stsd;
    boxes::full(&mut rest)?;
    let count = boxes::u32(&mut rest)?;
    let (kind, body) = Boxes(rest)
        .next()
        .filter(|_| count == 1)
        .ok_or_else(|| Refused::new("A track has to be coded in one way from its beginning to its end."))??;
    read(kind, body)
}
