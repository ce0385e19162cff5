//! Pictures made here, with everything glued to them that must not go on.

use super::*;
use image::codecs::gif::{GifEncoder, Repeat};
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use image::{Delay, DynamicImage, ExtendedColorType, Frame, ImageEncoder, Rgb, RgbImage, Rgba, RgbaImage};
use proptest::prelude::*;

const SECRET: &[u8] = b"SECRET-25.0330N-121.5654E";

fn byte(number: u32) -> u8 {
    number.to_le_bytes()[0]
}

fn gradient(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| Rgb([byte(x * 255 / width), byte(y * 255 / height), 90]))
}

/// EXIF with an orientation and a place.
fn telling_exif(orientation: u8) -> Vec<u8> {
    [exif::only(orientation).as_slice(), SECRET].concat()
}

fn jpeg(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let picture = gradient(width, height);
    JpegEncoder::new_with_quality(&mut bytes, 90)
        .write_image(&picture, width, height, ExtendedColorType::Rgb8)
        .unwrap();
    bytes
}

fn segment(marker: u8, data: &[u8]) -> Vec<u8> {
    [&[0xFF, marker][..], &u16::try_from(data.len() + 2).unwrap().to_be_bytes(), data].concat()
}

/// A JPEG as a phone makes it: place, comment, XMP, IPTC, a second picture at the end.
fn telling_jpeg(width: u32, height: u32, orientation: u8) -> Vec<u8> {
    let plain = jpeg(width, height);
    let told = [
        segment(0xE1, &[b"Exif\0\0", telling_exif(orientation).as_slice()].concat()),
        segment(0xE1, &[b"http://ns.adobe.com/xap/1.0/\0", SECRET].concat()),
        segment(0xE2, &[b"ICC_PROFILE\0\x01\x01", b"the colours".as_slice()].concat()),
        segment(0xE2, &[b"MPF\0", SECRET].concat()),
        segment(0xED, &[b"Photoshop 3.0\0", SECRET].concat()),
        segment(0xFE, SECRET),
        segment(0xE9, SECRET),
    ];
    [&plain[..2], &told.concat(), &plain[2..], SECRET, &plain].concat()
}

fn chunk(name: [u8; 4], data: &[u8]) -> Vec<u8> {
    let mut sum = flate2::Crc::new();
    sum.update(&name);
    sum.update(data);
    [&u32::try_from(data.len()).unwrap().to_be_bytes()[..], &name, data, &sum.sum().to_be_bytes()].concat()
}

fn telling_png(picture: &DynamicImage) -> Vec<u8> {
    let mut plain = Vec::new();
    picture.write_with_encoder(PngEncoder::new(&mut plain)).unwrap();
    let told = [
        chunk(*b"gAMA", &45455_u32.to_be_bytes()),
        chunk(*b"tEXt", &[b"Comment\0", SECRET].concat()),
        chunk(*b"iTXt", SECRET),
        chunk(*b"tIME", &[7, 230, 1, 1, 1, 1, 1]),
        chunk(*b"eXIf", &telling_exif(6)),
        chunk(*b"prVt", SECRET),
    ];
    [&plain[..33], &told.concat(), &plain[33..], SECRET].concat()
}

fn gif(frames: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = GifEncoder::new(&mut bytes);
    encoder.set_repeat(Repeat::Infinite).unwrap();
    for n in 0..frames {
        let picture = RgbaImage::from_pixel(20, 10, Rgba([byte(n * 40), 0, 0, 255]));
        encoder.encode_frame(Frame::from_parts(picture, 0, 0, Delay::from_numer_denom_ms(100, 1))).unwrap();
    }
    drop(encoder);
    bytes
}

fn telling_gif(frames: u32) -> Vec<u8> {
    let plain = gif(frames);
    let block = [&[u8::try_from(SECRET.len()).unwrap()][..], SECRET, &[0]].concat();
    let comment = [&[0x21, 0xFE][..], &block].concat();
    let application = [&[0x21, 0xFF, 11][..], b"XMP DataXMP", &block].concat();
    // Behind the head; the encoder's frames bring their own tables of colours.
    let head = 13 + if plain[10] & 0x80 == 0 { 0 } else { 3 << ((plain[10] & 7) + 1) };
    [&plain[..head], &comment, &application, &plain[head..], SECRET].concat()
}

fn riff(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut body = b"WEBP".to_vec();
    for (name, data) in chunks {
        body.extend(*name);
        body.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
        body.extend(*data);
        body.resize(body.len().next_multiple_of(2), 0);
    }
    [&b"RIFF"[..], &u32::try_from(body.len()).unwrap().to_le_bytes(), &body].concat()
}

/// A still picture with EXIF and XMP; `VP8X` says 30 × 20.
fn telling_webp() -> Vec<u8> {
    let mut plain = Vec::new();
    let picture = gradient(30, 20);
    WebPEncoder::new_lossless(&mut plain).write_image(&picture, 30, 20, ExtendedColorType::Rgb8).unwrap();
    let pixels = &plain[20..];
    let header = [0x0C, 0, 0, 0, 29, 0, 0, 19, 0, 0];
    let whole = riff(&[
        (b"VP8X", &header),
        (b"VP8L", pixels),
        (b"EXIF", &telling_exif(8)),
        (b"XMP ", SECRET),
        (b"MINE", SECRET),
    ]);
    [whole.as_slice(), SECRET].concat()
}

fn tells(bytes: &[u8]) -> bool {
    bytes.windows(SECRET.len()).any(|window| window == SECRET)
}

fn prepared(bytes: &[u8]) -> Picture {
    assert!(tells(bytes), "the test's own picture has nothing to tell");
    let picture = prepare(bytes).unwrap().unwrap();
    assert!(!tells(&picture.content), "it still tells");
    assert!(picture.thumbnail.as_ref().is_none_or(|small| !tells(&small.content)));
    picture
}

#[test]
fn a_jpeg_keeps_its_pixels_colours_and_which_way_is_up_and_tells_nothing_else() {
    let telling = telling_jpeg(48, 32, 6);
    let picture = prepared(&telling);
    assert_eq!((picture.mime, picture.width, picture.height), ("image/jpeg", 32, 48), "turned");
    assert!(picture.content.windows(11).any(|w| w == b"the colours"), "the profile stays");
    assert_eq!(
        picture.content.windows(2).filter(|w| *w == [0xFF, 0xD8]).count(),
        1,
        "one picture, no second one"
    );
    let stripped = strip(Kind::Jpeg, &picture.content).unwrap();
    assert_eq!(
        (stripped.orientation, &stripped.content),
        (6, &picture.content),
        "stripping again changes nothing"
    );
    let (before, after) =
        (image::load_from_memory(&jpeg(48, 32)).unwrap(), image::load_from_memory(&picture.content).unwrap());
    assert_eq!(before, after, "no pixel changes");
    assert_eq!(prepared(&telling_jpeg(48, 32, 1)).width, 48);
}

#[test]
fn a_png_keeps_its_pixels_and_tells_nothing_else() {
    let plain = DynamicImage::ImageRgb8(gradient(30, 20));
    let picture = prepared(&telling_png(&plain));
    assert_eq!((picture.mime, picture.width, picture.height), ("image/png", 20, 30));
    assert!(picture.content.windows(4).any(|w| w == b"gAMA"));
    assert_eq!(image::load_from_memory(&picture.content).unwrap().to_rgb8(), plain.to_rgb8());
}

#[test]
fn a_gif_keeps_moving_and_tells_nothing_else() {
    let picture = prepared(&telling_gif(3));
    assert_eq!((picture.width, picture.height, picture.animated), (20, 10, true));
    assert!(picture.content.windows(11).any(|w| w == b"NETSCAPE2.0"), "it repeats");
    let decoder = image::codecs::gif::GifDecoder::new(std::io::Cursor::new(&picture.content)).unwrap();
    assert_eq!(image::AnimationDecoder::into_frames(decoder).count(), 3);
    assert!(picture.thumbnail.is_some(), "a still one to show first");
    assert!(!prepared(&telling_gif(1)).animated);
}

#[test]
fn a_webp_keeps_its_pixels_and_tells_nothing_else() {
    let picture = prepared(&telling_webp());
    assert_eq!((picture.mime, picture.width, picture.height), ("image/webp", 20, 30));
    assert_eq!(image::load_from_memory(&picture.content).unwrap().to_rgb8(), gradient(30, 20));
    assert_eq!(strip(Kind::WebP, &picture.content).unwrap().orientation, 8);
}

#[test]
fn frames_of_a_webp_carry_pixels_only() {
    let mut plain = Vec::new();
    WebPEncoder::new_lossless(&mut plain)
        .write_image(&gradient(30, 20), 30, 20, ExtendedColorType::Rgb8)
        .unwrap();
    let pixels = [b"VP8L", &plain[16..20], &plain[20..]].concat();
    let hidden = [b"MINE", &25_u32.to_le_bytes()[..], SECRET, &[0]].concat();
    let head = [0, 0, 0, 0, 0, 0, 29, 0, 0, 19, 0, 0, 100, 0, 0, 0];
    let frame = [&head[..], &pixels, &hidden].concat();
    let bytes = riff(&[
        (b"VP8X", &[0x02, 0, 0, 0, 29, 0, 0, 19, 0, 0]),
        (b"ANIM", &[0; 6]),
        (b"ANMF", &frame),
        (b"ANMF", &frame),
    ]);
    let picture = prepared(&bytes);
    assert!(picture.animated && picture.thumbnail.is_some());
    let decoder = image::codecs::webp::WebPDecoder::new(std::io::Cursor::new(&picture.content)).unwrap();
    assert_eq!(image::AnimationDecoder::into_frames(decoder).count(), 2);
}

#[test]
fn a_thumbnail_is_small_upright_and_keeps_what_is_transparent() {
    let picture = prepared(&telling_jpeg(2000, 1000, 6));
    let small = picture.thumbnail.unwrap();
    let decoded = image::load_from_memory(&small.content).unwrap();
    assert_eq!((small.mime, decoded.width(), decoded.height()), ("image/jpeg", 320, 640));
    assert_eq!((picture.width, picture.height), (1000, 2000));
    let glass = DynamicImage::ImageRgba8(RgbaImage::from_fn(900, 900, |x, _| Rgba([9, 9, 9, byte(x % 255)])));
    let picture = prepared(&telling_png(&glass));
    let small = picture.thumbnail.unwrap();
    assert_eq!(small.mime, "image/webp");
    assert!(image::load_from_memory(&small.content).unwrap().to_rgba8().pixels().any(|p| p.0[3] < 255));
    assert!(prepared(&telling_jpeg(100, 100, 1)).thumbnail.is_none(), "small enough as it is");
}

#[test]
fn redrawn_a_picture_is_pixels_alone_small_and_still() {
    for (bytes, width, height) in [
        (telling_jpeg(1600, 800, 6), 320, 640),
        (telling_png(&DynamicImage::from(gradient(300, 200))), 200, 300),
        (telling_gif(3), 0, 0),
        (telling_webp(), 0, 0),
    ] {
        let drawn = redraw(&bytes).unwrap().unwrap();
        assert!(tells(&bytes) && !tells(&drawn.content), "{}", drawn.mime);
        if width > 0 {
            assert_eq!((drawn.width, drawn.height), (width, height));
        }
        let again = image::load_from_memory(&drawn.content).unwrap();
        assert_eq!((again.width(), again.height()), (drawn.width, drawn.height));
        assert_eq!(strip(Kind::of(&drawn.content).unwrap(), &drawn.content).unwrap().frames, 1);
    }
    assert!(redraw(b"no picture").unwrap().is_none());
}

#[test]
fn what_is_no_picture_is_none_and_names_count_for_nothing() {
    for other in
        [&b"<svg xmlns='http://www.w3.org/2000/svg'/>"[..], b"<html>", b"", b"GIF87", b"%PDF-1.7", b"BM"]
    {
        assert!(prepare(other).unwrap().is_none());
    }
}

fn bomb(width: u32, height: u32) -> Vec<u8> {
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 6, 0, 0, 0]].concat();
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut packed, &vec![0; 1 << 20]).unwrap();
    let head = [0x89, b'P', b'N', b'G', 13, 10, 26, 10];
    [&head[..], &chunk(*b"IHDR", &header), &chunk(*b"IDAT", &packed.finish().unwrap()), &chunk(*b"IEND", b"")]
        .concat()
}

#[test]
fn a_bomb_is_refused_by_its_header() {
    let (large, wrong) = (bomb(50_000, 50_000), [bomb(u32::MAX, u32::MAX), bomb(0, 1)]);
    let started = std::time::Instant::now();
    let refusal = prepare(&large).unwrap_err();
    // Microseconds on a machine of its own; decoding would take minutes on any.
    assert!(started.elapsed() < std::time::Duration::from_secs(5), "{:?}", started.elapsed());
    assert!(refusal.to_string().contains("50000 × 50000"), "{refusal}");
    assert!(wrong.iter().all(|bomb| prepare(bomb).is_err()));
    assert!(prepare(&gif(1)[..19]).is_err(), "a head without a picture");
}

#[test]
fn an_animation_of_ten_thousand_frames_is_refused_without_drawing_them() {
    let one = gif(1);
    let start = one.windows(2).position(|w| w == [0x21, 0xF9]).unwrap();
    let frame = &one[start..one.len() - 1];
    let many = [&one[..start], &frame.repeat(10_000), &[0x3B]].concat();
    assert!(prepare(&many).unwrap_err().to_string().contains("animation"));
}

#[test]
fn a_picture_that_ends_early_is_refused_or_shown_as_far_as_it_goes() {
    let plain = DynamicImage::ImageRgb8(gradient(30, 20));
    for whole in [telling_jpeg(48, 32, 6), telling_png(&plain), telling_gif(2), telling_webp()] {
        for length in 0..whole.len() {
            if let Ok(Some(picture)) = prepare(&whole[..length]) {
                assert!(!tells(&picture.content));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn no_picture_breaks_anything_however_it_is_damaged(
        which in 0..4_usize,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cut in any::<prop::sample::Index>(),
    ) {
        let plain = DynamicImage::ImageRgb8(gradient(30, 20));
        let mut bytes = match which {
            0 => telling_jpeg(48, 32, 6),
            1 => telling_png(&plain),
            2 => telling_gif(2),
            _ => telling_webp(),
        };
        for (place, value) in damage {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        bytes.truncate(cut.index(bytes.len() * 2).max(16));
        let _ = prepare(&bytes);
        for kind in [Kind::Jpeg, Kind::Png, Kind::Gif, Kind::WebP] {
            let _ = strip(kind, &bytes);
        }
    }
}
