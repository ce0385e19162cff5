//! Small still pictures to show in place of large or moving ones.

use super::{Kind, Redrawn, Refused, Stripped, Thumbnail};
use image::codecs::gif::GifDecoder;
use image::codecs::jpeg::{JpegDecoder, JpegEncoder};
use image::codecs::png::PngDecoder;
use image::codecs::webp::{WebPDecoder, WebPEncoder};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageEncoder, ImageError, Limits};
use std::io::Cursor;

/// Pixels of the longer side: a timeline shows 320 at most, on screens of two dots per pixel.
pub const THUMBNAIL_SIDE: u32 = 640;
/// Pixels of a face: the largest one shown has about 100, on screens of two dots per pixel.
pub const FACE_SIDE: u32 = 256;
/// Bytes up to which a picture of that size is shown itself.
const SMALL: usize = 96 * 1024;
/// Bytes that decoding may take: four for each of the most pixels, and what a format needs beside.
const DECODED_MAX: u64 = 4 * super::PIXELS_MAX + 32 * 1024 * 1024;
/// Bytes of a colour profile that a small picture is worth; those of screens have about 500.
const PROFILE_MAX: usize = 4096;
const QUALITY: u8 = 82;

/// The picture is decoded in any case: what can't be is not shown to anybody.
pub fn make(kind: Kind, stripped: &Stripped) -> Result<Option<Thumbnail>, Refused> {
    let (picture, profile) = open(kind, stripped)?;
    let side = picture.width().max(picture.height());
    if side <= THUMBNAIL_SIDE && stripped.content.len() <= SMALL && stripped.frames == 1 {
        return Ok(None);
    }
    let thumbnail = encode(&shrink(picture, stripped), profile).map_err(|error| refused(&error, stripped))?;
    let worth_it = stripped.frames > 1 || thumbnail.content.len() < stripped.content.len();
    Ok(worth_it.then_some(thumbnail))
}

/// The picture as it is shown, at most [`THUMBNAIL_SIDE`] large, and no profile or anything else that came with it.
pub fn redraw(kind: Kind, stripped: &Stripped) -> Result<Redrawn, Refused> {
    let (picture, _) = open(kind, stripped)?;
    let small = shrink(picture, stripped);
    let Thumbnail { mime, content } = encode(&small, None).map_err(|error| refused(&error, stripped))?;
    Ok(Redrawn { mime, width: small.width(), height: small.height(), content })
}

/// The picture at the size of a thumbnail, turned the right way up.
fn shrink(picture: DynamicImage, stripped: &Stripped) -> DynamicImage {
    let side = picture.width().max(picture.height());
    let mut small =
        if side > THUMBNAIL_SIDE { picture.thumbnail(THUMBNAIL_SIDE, THUMBNAIL_SIDE) } else { picture };
    if let Some(orientation) = Orientation::from_exif(stripped.orientation) {
        small.apply_orientation(orientation);
    }
    small
}

/// The middle of the picture, as a square of at most [`FACE_SIDE`] pixels.
pub fn square(kind: Kind, stripped: &Stripped) -> Result<Thumbnail, Refused> {
    let (picture, profile) = open(kind, stripped)?;
    let (width, height) = (picture.width(), picture.height());
    let side = width.min(height);
    let mut face = picture.crop_imm((width - side) / 2, (height - side) / 2, side, side);
    drop(picture);
    if side > FACE_SIDE {
        face = face.thumbnail_exact(FACE_SIDE, FACE_SIDE);
    }
    if let Some(orientation) = Orientation::from_exif(stripped.orientation) {
        face.apply_orientation(orientation);
    }
    encode(&face, profile).map_err(|error| refused(&error, stripped))
}

fn open(kind: Kind, stripped: &Stripped) -> Result<Decoded, Refused> {
    let input = Cursor::new(stripped.content.as_slice());
    match kind {
        Kind::Jpeg => JpegDecoder::new(input).map(|d| decode(d, stripped)),
        Kind::Png => PngDecoder::with_limits(input, limits()).map(|d| decode(d, stripped)),
        Kind::Gif => GifDecoder::new(input).map(|d| decode(d, stripped)),
        Kind::WebP => WebPDecoder::new(input).map(|d| decode(d, stripped)),
    }
    .map_err(|error| refused(&error, stripped))?
}

fn limits() -> Limits {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(DECODED_MAX);
    limits
}

type Decoded = (DynamicImage, Option<Vec<u8>>);

fn decode(mut decoder: impl ImageDecoder, stripped: &Stripped) -> Result<Decoded, Refused> {
    // The decoder's own reading of the header counts, should it differ from ours.
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > super::PIXELS_MAX || decoder.total_bytes() > DECODED_MAX {
        return Err(Refused::too_large(width, height));
    }
    let profile = decoder.icc_profile().ok().flatten();
    let decoded = decoder.set_limits(limits()).and_then(|()| DynamicImage::from_decoder(decoder));
    Ok((decoded.map_err(|error| refused(&error, stripped))?, profile))
}

fn refused(error: &ImageError, stripped: &Stripped) -> Refused {
    match error {
        ImageError::Limits(_) => Refused::too_large(stripped.width, stripped.height),
        ImageError::Unsupported(_) => Refused(
            "This picture is written in a way that can't be read here. Save it as JPEG or PNG.".into(),
        ),
        _ => Refused::damaged(),
    }
}

fn encode(small: &DynamicImage, profile: Option<Vec<u8>>) -> Result<Thumbnail, ImageError> {
    // Four letters that say for which colours a profile is (ICC.1, 7.2.6); decoding has made all others RGB.
    let profile = profile.filter(|p| p.len() <= PROFILE_MAX && p.get(16..20) == Some(b"RGB ".as_slice()));
    let mut content = Vec::new();
    let rgba = small.color().has_alpha().then(|| small.to_rgba8());
    if let Some(rgba) = rgba.filter(|rgba| rgba.pixels().any(|pixel| pixel.0[3] < 255)) {
        let mut encoder = WebPEncoder::new_lossless(&mut content);
        if let Some(profile) = profile {
            encoder.set_icc_profile(profile).map_err(ImageError::Unsupported)?;
        }
        encoder.write_image(&rgba, rgba.width(), rgba.height(), image::ExtendedColorType::Rgba8)?;
        return Ok(Thumbnail { mime: "image/webp", content });
    }
    let rgb = small.to_rgb8();
    let mut encoder = JpegEncoder::new_with_quality(&mut content, QUALITY);
    if let Some(profile) = profile {
        encoder.set_icc_profile(profile).map_err(ImageError::Unsupported)?;
    }
    encoder.write_image(&rgb, rgb.width(), rgb.height(), image::ExtendedColorType::Rgb8)?;
    Ok(Thumbnail { mime: "image/jpeg", content })
}
