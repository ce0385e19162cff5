//! The wave form of a recording: its loudest moment in each of a thousand equal stretches.

/// Stretches.
const POINTS: usize = 1000;
/// Stretches kept while the length is not known; pairs of them are joined when there are more.
const KEPT: usize = 8 * POINTS;
/// Samples a second of what is listened to, in one channel of 16 bits.
pub const RATE: u64 = 8000;

/// Listens to samples as they come, little endian.
#[derive(Debug)]
pub struct Peaks {
    /// The loudest of each whole stretch so far.
    found: Vec<u16>,
    /// Samples of one stretch.
    each: u64,
    loudest: u16,
    in_stretch: u64,
    samples: u64,
    odd: Option<u8>,
}

impl Default for Peaks {
    fn default() -> Self {
        Self { found: Vec::new(), each: 1, loudest: 0, in_stretch: 0, samples: 0, odd: None }
    }
}

impl Peaks {
    pub fn hear(&mut self, piece: &[u8]) {
        let mut bytes = self.odd.take().into_iter().chain(piece.iter().copied());
        while let Some(low) = bytes.next() {
            let Some(high) = bytes.next() else {
                self.odd = Some(low);
                return;
            };
            self.sample(i16::from_le_bytes([low, high]).unsigned_abs());
        }
    }

    fn sample(&mut self, loud: u16) {
        self.samples += 1;
        self.loudest = self.loudest.max(loud);
        self.in_stretch += 1;
        if self.in_stretch == self.each {
            self.found.push(self.loudest);
            (self.loudest, self.in_stretch) = (0, 0);
            if self.found.len() == KEPT {
                self.found = self.found.chunks(2).map(|two| two.iter().copied().max().unwrap_or(0)).collect();
                self.each *= 2;
            }
        }
    }

    /// How long it was, ms.
    pub fn duration(&self) -> u64 {
        self.samples * 1000 / RATE
    }

    /// The peaks, 0 to 255, at most a thousand; none when nothing was heard.
    pub fn points(mut self) -> Vec<u8> {
        if self.in_stretch > 0 {
            self.found.push(self.loudest);
        }
        let (all, points) = (self.found.len(), self.found.len().min(POINTS));
        let stretch = |n: usize| &self.found[n * all / points..(n + 1) * all / points];
        let loudest = |n: usize| stretch(n).iter().copied().max().unwrap_or(0);
        (0..points).map(|n| u8::try_from(loudest(n) / 128).unwrap_or(u8::MAX)).collect()
    }
}

/// What ebur128 says at its end of the integrated loudness, LUFS. Nothing of silence, which it puts at −70.
pub fn loudness(said: &str) -> Option<f64> {
    let summary = &said[said.rfind("Integrated loudness:")?..];
    let after = summary.split_once("I:")?.1;
    let value: f64 = after.split_whitespace().next()?.parse().ok()?;
    (value.is_finite() && value > -70.0).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(samples: impl IntoIterator<Item = i16>) -> Vec<u8> {
        samples.into_iter().flat_map(i16::to_le_bytes).collect()
    }

    #[test]
    fn the_loudest_of_each_stretch_is_found_however_the_pieces_are_cut() {
        // Ten seconds, loud in the second half only.
        let samples = bytes((0..80_000).map(|n| if n < 40_000 { 7 } else { -16_384 }));
        for cut in [1, 3, 4096, samples.len()] {
            let mut peaks = Peaks::default();
            samples.chunks(cut).for_each(|piece| peaks.hear(piece));
            assert_eq!(peaks.duration(), 10_000);
            let points = peaks.points();
            assert_eq!(points.len(), 1000);
            assert!(
                points[..499].iter().all(|p| *p == 0) && points[501..].iter().all(|p| *p == 128),
                "{cut}"
            );
        }
    }

    #[test]
    fn short_and_long_ones_have_their_points() {
        assert!(Peaks::default().points().is_empty());
        let mut short = Peaks::default();
        short.hear(&bytes([i16::MIN, 0, i16::MAX]));
        assert_eq!(short.points(), [255, 0, 255]);
        let mut long = Peaks::default();
        for n in 0..200_000_u32 {
            long.sample(if n == 199_999 { 32_767 } else { 128 });
        }
        let points = long.points();
        assert_eq!((points.len(), points[0], points[999]), (1000, 1, 255));
    }

    #[test]
    fn loudness_is_read_from_the_end() {
        let said = "[Parsed_ebur128_0 @ 0x5] Summary:\n\n  Integrated loudness:\n    I:         -16.3 LUFS\n    Threshold: -26.6 LUFS\n";
        assert_eq!(loudness(said), Some(-16.3));
        assert_eq!(loudness("Integrated loudness:\n    I:         -70.0 LUFS"), None);
        assert_eq!(loudness("Integrated loudness:\n    I: nan LUFS"), None);
        assert_eq!(loudness(""), None);
    }
}
