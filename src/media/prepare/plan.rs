//! Which renditions a file needs: none where every browser plays it and it isn't much larger than it has to be.

use super::probe::{Audio, Probe, Video};

/// Sizes of films by their shorter side, pixels, with what is good enough for them, kbit/s.
const RUNGS: [(u32, u64); 4] = [(1080, 5000), (720, 2800), (480, 1400), (0, 800)];
/// Sound, kbit/s; half of it per channel.
const SOUND: u64 = 160;
/// An original of more than this times a good rendition gets one, in percent.
const TOLERATED: u64 = 150;
/// A further rendition that is nearly as large as the one before saves nobody anything: percent of its side.
const STEP: u32 = 80;

/// A rendition to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The file's name.
    pub name: String,
    pub label: String,
    pub mime: &'static str,
    /// Pixels; nothing for sound alone.
    pub size: Option<(u32, u32)>,
    /// What its picture may take at most, kbit/s.
    pub rate: u64,
    /// What its sound takes, kbit/s; 0 without any.
    pub sound: u64,
}

impl Wanted {
    /// The most that it can come to, bytes: coders may exceed their rate for a while.
    pub fn bytes_at_most(&self, duration: i64) -> u64 {
        let seconds = u64::try_from(duration / 1000).unwrap_or_default() + 10;
        seconds * (self.rate + self.sound + 64) * 1000 / 8 * 2
    }
}

/// Whether every current browser plays the file as it is. `mime` is what its first bytes say; ffmpeg has one name for
/// Matroska and WebM.
pub fn plays(probe: &Probe, mime: &str) -> bool {
    // One whose length isn't known can't be sought in: what browsers record themselves, for example.
    let known = probe.duration.is_some();
    let in_container = |name: &str| probe.container.split(',').any(|part| part == name);
    let sound = |codecs: &[&str]| match &probe.audio {
        Some(audio) => codecs.contains(&audio.codec.as_str()),
        None => true,
    };
    let picture = |codecs: &[&str]| match &probe.video {
        Some(Video { codec, pixels, .. }) => {
            codecs.contains(&codec.as_str()) && ["yuv420p", "yuvj420p"].contains(&pixels.as_str())
        }
        None => true,
    };
    let alone = probe.video.is_none();
    known
        && if in_container("mp4") {
            !probe.brand.starts_with("qt") && sound(&["aac", "mp3"]) && picture(&["h264"])
        } else if in_container("webm") {
            mime.ends_with("/webm") && sound(&["opus", "vorbis"]) && picture(&["vp8", "vp9"])
        } else {
            alone
                && match probe.audio.as_ref().map(|audio| audio.codec.as_str()) {
                    Some("mp3") => in_container("mp3"),
                    Some("aac") => in_container("aac"),
                    Some("flac") => in_container("flac"),
                    Some("pcm_u8" | "pcm_s16le" | "pcm_s24le" | "pcm_f32le") => in_container("wav"),
                    _ => false,
                }
        }
}

/// What is to be made of a file of `size` bytes that lasts `duration` ms, the best first.
pub fn renditions(probe: &Probe, plays: bool, size: u64, duration: i64) -> Vec<Wanted> {
    let sound = probe.audio.as_ref().map_or(0, sound_rate);
    let all = match &probe.video {
        Some(video) => films(video, sound),
        None => vec![Wanted {
            name: "sound.m4a".into(),
            label: "AAC".into(),
            mime: "audio/mp4",
            size: None,
            rate: 0,
            sound,
        }],
    };
    let milliseconds = u64::try_from(duration).unwrap_or_default();
    let good = all.first().map_or(0, |best| (best.rate + best.sound) * milliseconds / 8);
    if plays && size <= good * TOLERATED / 100 { Vec::new() } else { all }
}

fn sound_rate(audio: &Audio) -> u64 {
    SOUND / 2 * u64::from(audio.channels.clamp(1, 2))
}

fn films(video: &Video, sound: u64) -> Vec<Wanted> {
    let shorter = video.width.min(video.height);
    let top = shorter.min(RUNGS[0].0);
    let mut sides = vec![top];
    for (side, _) in RUNGS.iter().filter(|(side, _)| *side > 0) {
        if *side <= sides[sides.len() - 1] * STEP / 100 {
            sides.push(*side);
        }
    }
    let film = |side: u32| {
        let rate = RUNGS.iter().find(|(rung, _)| side >= *rung).map_or(800, |(_, rate)| *rate);
        // A film of many pictures a second takes more of them.
        let rate = if video.rate.is_some_and(|rate| rate > 40.0) { rate * 3 / 2 } else { rate };
        Wanted {
            name: format!("{side}p.mp4"),
            label: format!("{side}p"),
            mime: "video/mp4",
            size: Some(scaled(video.width, video.height, side)),
            rate,
            sound,
        }
    };
    sides.into_iter().map(film).collect()
}

/// Both sides in pixels, the shorter one being `side`, each an even number as H.264 wants it.
fn scaled(width: u32, height: u32, side: u32) -> (u32, u32) {
    let shorter = u64::from(width.min(height)).max(1);
    let even = |length: u32| {
        let scaled = (u64::from(length) * u64::from(side) + shorter / 2) / shorter;
        u32::try_from(scaled).unwrap_or(u32::MAX).max(2) / 2 * 2
    };
    (even(width), even(height))
}

/// A picture of these sides inside a box of `most` by `most` pixels, never larger than it is.
pub fn fitted(width: u32, height: u32, most: u32) -> (u32, u32) {
    let longer = width.max(height).max(1);
    let to = most.min(longer);
    let side = |length: u32| {
        let scaled = (u64::from(length) * u64::from(to) + u64::from(longer) / 2) / u64::from(longer);
        u32::try_from(scaled).unwrap_or(most).max(2) / 2 * 2
    };
    (side(width), side(height))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn film(container: &str, codec: &str, audio: &str, width: u32, height: u32) -> Probe {
        Probe {
            container: container.into(),
            duration: Some(60_000),
            video: Some(Video {
                codec: codec.into(),
                pixels: "yuv420p".into(),
                width,
                height,
                ..Video::default()
            }),
            audio: Some(Audio { index: 1, codec: audio.into(), channels: 2 }),
            ..Probe::default()
        }
    }

    fn song(container: &str, codec: &str) -> Probe {
        Probe {
            container: container.into(),
            duration: Some(60_000),
            audio: Some(Audio { index: 0, codec: codec.into(), channels: 2 }),
            ..Probe::default()
        }
    }

    const MP4: &str = "mov,mp4,m4a,3gp,3g2,mj2";

    #[test]
    fn what_every_browser_plays_is_known() {
        for (probe, mime, expected) in [
            (film(MP4, "h264", "aac", 1920, 1080), "video/mp4", true),
            (film(MP4, "hevc", "aac", 1920, 1080), "video/mp4", false),
            (film(MP4, "h264", "pcm_s16le", 1920, 1080), "video/mp4", false),
            (Probe { brand: "qt  ".into(), ..film(MP4, "h264", "aac", 640, 360) }, "video/quicktime", false),
            (film("matroska,webm", "vp9", "opus", 640, 360), "video/webm", true),
            (film("matroska,webm", "vp9", "opus", 640, 360), "video/x-matroska", false),
            (Probe { duration: None, ..film("matroska,webm", "vp9", "opus", 640, 360) }, "video/webm", false),
            (film("avi", "mpeg4", "mp3", 640, 360), "video/x-msvideo", false),
            (song("mp3", "mp3"), "audio/mpeg", true),
            (song("wav", "pcm_s16le"), "audio/wav", true),
            (song("wav", "adpcm_ms"), "audio/wav", false),
            (song("flac", "flac"), "audio/flac", true),
            (song("ogg", "vorbis"), "audio/ogg", false),
            (song(MP4, "aac"), "audio/mp4", true),
            (song(MP4, "alac"), "audio/mp4", false),
        ] {
            assert_eq!(plays(&probe, mime), expected, "{probe:?}");
        }
        let mut deep = film(MP4, "h264", "aac", 1920, 1080);
        deep.video.as_mut().unwrap().pixels = "yuv420p10le".into();
        assert!(!plays(&deep, "video/mp4"));
    }

    #[test]
    fn renditions_are_never_larger_than_the_source() {
        let labels = |width: u32, height: u32| -> Vec<(String, Option<(u32, u32)>)> {
            let probe = film("avi", "mpeg4", "mp3", width, height);
            renditions(&probe, false, 1, 60_000).into_iter().map(|w| (w.label, w.size)).collect()
        };
        let rung = |label: &str, w: u32, h: u32| (label.to_owned(), Some((w, h)));
        assert_eq!(
            labels(3840, 2160),
            [rung("1080p", 1920, 1080), rung("720p", 1280, 720), rung("480p", 852, 480)]
        );
        assert_eq!(labels(1080, 1920)[2], rung("480p", 480, 852));
        assert_eq!(labels(1280, 720), [rung("720p", 1280, 720), rung("480p", 852, 480)]);
        assert_eq!(labels(800, 500), [rung("500p", 800, 500)]);
        assert_eq!(labels(321, 241), [rung("241p", 320, 240)]);
        assert_eq!(labels(8192, 2), [rung("2p", 8192, 2)]);
    }

    #[test]
    fn only_what_is_much_too_large_gets_another_one_beside_it() {
        let probe = film(MP4, "h264", "aac", 1280, 720);
        let good = (2800 + 160) * 60 * 1000 / 8;
        assert!(renditions(&probe, true, good * 3 / 2, 60_000).is_empty());
        assert_eq!(renditions(&probe, true, good * 3 / 2 + 1, 60_000).len(), 2);
        assert!(renditions(&song("mp3", "mp3"), true, 160 * 60 * 1000 / 8, 60_000).is_empty());
        let wav = renditions(&song("wav", "pcm_s16le"), true, 1411 * 60 * 1000 / 8, 60_000);
        assert_eq!((wav[0].name.as_str(), wav[0].sound), ("sound.m4a", 160));
    }

    #[test]
    fn small_pictures_fit_and_keep_their_shape() {
        assert_eq!(fitted(1920, 1080, 160), (160, 90));
        assert_eq!(fitted(1080, 1920, 160), (90, 160));
        assert_eq!(fitted(100, 50, 160), (100, 50));
        assert_eq!(fitted(8192, 3, 160), (160, 2));
    }
}
