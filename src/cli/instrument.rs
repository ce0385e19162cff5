//! The demonstration instrument: what it reads, and the picture that it takes of its beam.

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder as _};

/// Pixels of the picture.
const WIDTH: u32 = 320;
const HEIGHT: u32 = 240;
const QUALITY: u8 = 82;

/// A beam that wanders a little, as beams do.
pub struct Instrument {
    /// Seconds.
    time: f64,
    noise: u64,
}

impl Instrument {
    pub fn new() -> Self {
        Self { time: 0.0, noise: getrandom::u64().unwrap_or(1) | 1 }
    }

    /// The next sample, so many seconds after the last one, as a line of JSON.
    pub fn sample(&mut self, seconds: f64) -> String {
        self.time += seconds;
        let energy = 150.0 + 0.18 * (self.time / 23.0).sin() + 0.03 * self.bell();
        let rate = 10.0 + 0.08 * (self.time / 37.0).cos() + 0.015 * self.bell();
        let image = data_encoding::BASE64.encode(&self.picture());
        format!("{{\"beam_energy\":{energy:.4},\"repetition_rate\":{rate:.4},\"image\":\"{image}\"}}\n")
    }

    /// The beam spot as a JPEG.
    fn picture(&mut self) -> Vec<u8> {
        let (x, y) = (
            160.0 + 22.0 * (self.time / 9.0).sin() + 2.0 * self.bell(),
            120.0 + 14.0 * (self.time / 13.0).cos() + 2.0 * self.bell(),
        );
        let (wide, high) = (26.0 + 3.0 * (self.time / 5.0).sin(), 17.0 + 2.0 * (self.time / 7.0).cos());
        let tilt = 0.35 + 0.1 * (self.time / 31.0).sin();
        let mut pixels = Vec::with_capacity((WIDTH * HEIGHT * 3) as usize);
        for row in 0..HEIGHT {
            for column in 0..WIDTH {
                let (dx, dy) = (f64::from(column) - x, f64::from(row) - y);
                let along = (dx * f64::cos(tilt) + dy * f64::sin(tilt)) / wide;
                let across = (dy * f64::cos(tilt) - dx * f64::sin(tilt)) / high;
                let far = along * along + across * across;
                let glow = (-far / 2.0).exp() + 0.10 * (-far / 14.0).exp();
                let grain = 0.02 * self.even();
                pixels.extend(colour((glow + grain).min(1.0)));
            }
        }
        let mut jpeg = Vec::new();
        let encoder = JpegEncoder::new_with_quality(&mut jpeg, QUALITY);
        match encoder.write_image(&pixels, WIDTH, HEIGHT, ExtendedColorType::Rgb8) {
            Ok(()) => jpeg,
            // A buffer in memory takes everything; without a picture there would still be the readings.
            Err(_) => Vec::new(),
        }
    }

    /// Evenly from 0 to 1.
    fn even(&mut self) -> f64 {
        // xorshift64*: quick, and nothing depends on it.
        self.noise ^= self.noise >> 12;
        self.noise ^= self.noise << 25;
        self.noise ^= self.noise >> 27;
        let bits = self.noise.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 40;
        bits as f64 / f64::from(1_u32 << 24)
    }

    /// Around 0, mostly within 1.
    fn bell(&mut self) -> f64 {
        (0..12).map(|_| self.even()).sum::<f64>() - 6.0
    }
}

/// From night over violet and orange to white, as cameras of beams are shown.
fn colour(light: f64) -> [u8; 3] {
    const STOPS: [(f64, [f64; 3]); 5] = [
        (0.0, [6.0, 5.0, 16.0]),
        (0.25, [72.0, 18.0, 104.0]),
        (0.5, [187.0, 55.0, 84.0]),
        (0.78, [249.0, 142.0, 9.0]),
        (1.0, [252.0, 252.0, 196.0]),
    ];
    let above = STOPS.iter().position(|(at, _)| *at >= light).unwrap_or(STOPS.len() - 1).max(1);
    let ((from, dark), (until, bright)) = (STOPS[above - 1], STOPS[above]);
    let share = ((light - from) / (until - from)).clamp(0.0, 1.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the stops are bytes")]
    std::array::from_fn(|part| (dark[part] + (bright[part] - dark[part]) * share) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_one_that_the_server_takes() {
        let mut instrument = Instrument::new();
        for _ in 0..3 {
            let line = instrument.sample(1.0);
            let sample: serde_json::Value = serde_json::from_str(&line).unwrap();
            assert!(
                (149.0..151.0).contains(&sample["beam_energy"].as_f64().unwrap()),
                "{}",
                sample["beam_energy"]
            );
            let image = data_encoding::BASE64.decode(sample["image"].as_str().unwrap().as_bytes()).unwrap();
            let seen = crate::picture::look(&image).unwrap().unwrap();
            assert_eq!((seen.mime, seen.width, seen.height), ("image/jpeg", WIDTH, HEIGHT));
            assert!(image.len() < 64 * 1024, "{} bytes", image.len());
        }
    }
}
