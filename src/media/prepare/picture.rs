//! Which moment of a film makes its poster: one with something to see.

use crate::media::prepared::Sprite;
use image::{ImageFormat, RgbImage};

/// Darker than this on the average, or lighter than its counterpart, there is little to see; 0 to 255.
const DARK: f64 = 24.0;

/// The tile that makes the best poster, counted from 0. The first when the tiles can't be read.
pub fn best_tile(jpeg: &[u8], sprite: &Sprite) -> u32 {
    let Ok(picture) = image::load_from_memory_with_format(jpeg, ImageFormat::Jpeg) else { return 0 };
    let picture = picture.into_rgb8();
    let scores: Vec<f64> = (0..sprite.tiles).map(|tile| score(&picture, sprite, tile)).collect();
    let best = scores.iter().copied().fold(0.0, f64::max);
    // The first good one: what comes early gives least away.
    scores.iter().position(|score| *score >= best * 0.8).and_then(|n| u32::try_from(n).ok()).unwrap_or(0)
}

/// How much there is to see: the spread of its light, far less where all is dark or all is white.
fn score(picture: &RgbImage, sprite: &Sprite, tile: u32) -> f64 {
    let (left, top) = (tile % sprite.columns * sprite.width, tile / sprite.columns * sprite.height);
    let (mut sum, mut squares, mut count) = (0.0, 0.0, 0.0);
    for y in (top..top + sprite.height).step_by(2) {
        for x in (left..left + sprite.width).step_by(2) {
            let Some(pixel) = picture.get_pixel_checked(x, y) else { continue };
            let [r, g, b] = pixel.0.map(f64::from);
            let light = 0.299 * r + 0.587 * g + 0.114 * b;
            sum += light;
            squares += light * light;
            count += 1.0;
        }
    }
    if count == 0.0 {
        return 0.0;
    }
    let mean = sum / count;
    let spread = (squares / count - mean * mean).max(0.0).sqrt();
    if (DARK..255.0 - DARK).contains(&mean) { spread } else { spread / 10.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{Rgb, codecs::jpeg::JpegEncoder};

    #[test]
    fn a_black_beginning_and_a_white_end_are_passed_over() {
        let sprite = Sprite { width: 16, height: 8, columns: 2, tiles: 4, interval: 1000 };
        let pixels = RgbImage::from_fn(32, 16, |x, y| {
            let tile = (y / 8) * 2 + x / 16;
            Rgb(match tile {
                0 => [0, 0, 0],
                1 => [255, 255, 255],
                2 => [if x % 16 < 8 { 40 } else { 200 }, 120, 120],
                _ => [128, 128, 128],
            })
        });
        let mut jpeg = Vec::new();
        JpegEncoder::new_with_quality(&mut jpeg, 95).encode_image(&pixels).unwrap();
        assert_eq!(best_tile(&jpeg, &sprite), 2);
        assert_eq!(best_tile(b"no picture", &sprite), 0);
    }
}
