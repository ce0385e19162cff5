//! Pictures that people send: what they are by their content, freed of what they tell about their makers, and small
//! ones to show in their place.
//!
//! A picture stays as it is, byte for byte, where it describes colours and pixels; what else it carries (place and time
//! of the shot, names, comments, whatever is glued to its end) is left out. Nothing is decoded before the header has
//! said how much that would be.

mod bytes;
mod exif;
mod gif;
mod jpeg;
mod png;
mod thumbnail;
mod webp;

pub use thumbnail::THUMBNAIL_SIDE;

use std::borrow::Cow;

/// Pixels of the largest picture: a phone's best ones have 50 million, and decoded they take four bytes each.
pub const PIXELS_MAX: u64 = 64_000_000;
/// Pixels of all frames of an animation together. Every reader's browser has to draw them.
const ANIMATION_PIXELS_MAX: u64 = 4_000_000_000;
/// Frames of an animation: two minutes at 25 a second.
const FRAMES_MAX: u64 = 3_000;
/// Bytes of a colour profile; real ones have a few thousand.
const PROFILE_MAX: usize = 1024 * 1024;

/// What a browser shows by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Jpeg,
    Png,
    Gif,
    WebP,
}

impl Kind {
    /// By the first bytes, never by a name. `None` for all that isn't shown: SVG runs scripts, the rest few browsers know.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0xFF, 0xD8, 0xFF, ..] => Some(Self::Jpeg),
            [0x89, b'P', b'N', b'G', 0x0D, 0x0A, 0x1A, 0x0A, ..] => Some(Self::Png),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Self::Gif),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::WebP),
            _ => None,
        }
    }

    pub fn mime(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Gif => "image/gif",
            Self::WebP => "image/webp",
        }
    }
}

/// A picture that may be shown to others.
#[derive(Debug)]
pub struct Picture {
    pub mime: &'static str,
    /// As it is shown, turned the right way up.
    pub width: u32,
    pub height: u32,
    /// It moves.
    pub animated: bool,
    pub content: Vec<u8>,
    /// A smaller one; none where the picture itself is small enough, and still.
    pub thumbnail: Option<Thumbnail>,
}

/// A still picture of at most [`THUMBNAIL_SIDE`] pixels on its longer side.
#[derive(Debug)]
pub struct Thumbnail {
    pub mime: &'static str,
    pub content: Vec<u8>,
}

/// Why a picture isn't taken: a whole sentence for the person who sent it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub Cow<'static, str>);

impl Refused {
    fn damaged() -> Self {
        Self("This picture is damaged or cut off, and can't be read.".into())
    }

    fn too_large(width: u32, height: u32) -> Self {
        let most = PIXELS_MAX / 1_000_000;
        Self(
            format!("This picture has {width} × {height} pixels; a picture can have {most} million at most.")
                .into(),
        )
    }
}

/// The input ended early or contradicts itself.
#[derive(Debug, PartialEq, Eq)]
struct Damaged;

/// A picture without what it told beside its pixels.
#[derive(Debug, Default)]
struct Stripped {
    content: Vec<u8>,
    /// Stored pixels, before they are turned.
    width: u32,
    height: u32,
    /// How to turn them, 1 to 8 as in EXIF; 1 for not at all.
    orientation: u8,
    /// 1 for a still picture.
    frames: u64,
}

impl Stripped {
    fn pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// Width and height, once it is turned.
    fn shown(&self) -> (u32, u32) {
        if self.orientation > 4 { (self.height, self.width) } else { (self.width, self.height) }
    }

    /// Whether it is small enough to be decoded and drawn.
    fn check(&self) -> Result<(), Refused> {
        if self.width == 0 || self.height == 0 {
            return Err(Refused::damaged());
        }
        if self.pixels() > PIXELS_MAX {
            return Err(Refused::too_large(self.width, self.height));
        }
        let drawn = self.pixels().saturating_mul(self.frames);
        if self.frames > FRAMES_MAX || (self.frames > 1 && drawn > ANIMATION_PIXELS_MAX) {
            return Err(Refused("This animation is too long to be shown to everybody.".into()));
        }
        Ok(())
    }
}

/// How many million pixels the picture says to have, by its header alone; 0 when it is no picture. Cheap.
pub fn megapixels(bytes: &[u8]) -> u64 {
    Kind::of(bytes).and_then(|kind| strip(kind, bytes).ok()).map_or(0, |s| s.pixels().div_ceil(1_000_000))
}

/// A picture that goes on as it came, without what it told beside its pixels.
#[derive(Debug)]
pub struct Look {
    pub mime: &'static str,
    /// As it is shown, turned the right way up.
    pub width: u32,
    pub height: u32,
    pub content: Vec<u8>,
}

/// Judges a picture by its header and its parts alone; `None` when `bytes` are none. Cheap: pixels aren't decoded.
///
/// # Errors
/// A sentence about what is wrong with the picture.
pub fn look(bytes: &[u8]) -> Result<Option<Look>, Refused> {
    let Some(kind) = Kind::of(bytes) else { return Ok(None) };
    let stripped = strip(kind, bytes).map_err(|Damaged| Refused::damaged())?;
    stripped.check()?;
    let (width, height) = stripped.shown();
    Ok(Some(Look { mime: kind.mime(), width, height, content: stripped.content }))
}

fn strip(kind: Kind, bytes: &[u8]) -> Result<Stripped, Damaged> {
    match kind {
        Kind::Jpeg => jpeg::strip(bytes),
        Kind::Png => png::strip(bytes),
        Kind::Gif => gif::strip(bytes),
        Kind::WebP => webp::strip(bytes),
    }
}

/// Makes of `bytes` what may be shown to others; `None` when they are no picture. Takes up to a second of a core.
///
/// # Errors
/// A sentence about what is wrong with the picture.
pub fn prepare(bytes: &[u8]) -> Result<Option<Picture>, Refused> {
    let Some(kind) = Kind::of(bytes) else { return Ok(None) };
    let stripped = strip(kind, bytes).map_err(|Damaged| Refused::damaged())?;
    stripped.check()?;
    let thumbnail = thumbnail::make(kind, &stripped)?;
    let (width, height) = stripped.shown();
    Ok(Some(Picture {
        mime: kind.mime(),
        width,
        height,
        animated: stripped.frames > 1,
        content: stripped.content,
        thumbnail,
    }))
}

/// A picture that was written anew from its pixels.
#[derive(Debug)]
pub struct Redrawn {
    pub mime: &'static str,
    pub width: u32,
    pub height: u32,
    pub content: Vec<u8>,
}

/// Makes of `bytes` a still picture as small as a [`Thumbnail`] of which nothing that came is kept but pixels; `None` when
/// they are no picture. Costs as much as [`prepare`].
///
/// # Errors
/// A sentence about what is wrong with the picture.
pub fn redraw(bytes: &[u8]) -> Result<Option<Redrawn>, Refused> {
    let Some(kind) = Kind::of(bytes) else { return Ok(None) };
    let stripped = strip(kind, bytes).map_err(|Damaged| Refused::damaged())?;
    stripped.check()?;
    thumbnail::redraw(kind, &stripped).map(Some)
}

/// Makes of `bytes` a small square to stand for somebody; `None` when they are no picture. Costs as much as [`prepare`].
///
/// # Errors
/// A sentence about what is wrong with the picture.
pub fn face(bytes: &[u8]) -> Result<Option<Thumbnail>, Refused> {
    let Some(kind) = Kind::of(bytes) else { return Ok(None) };
    let stripped = strip(kind, bytes).map_err(|Damaged| Refused::damaged())?;
    stripped.check()?;
    thumbnail::square(kind, &stripped).map(Some)
}

#[cfg(test)]
mod tests;
