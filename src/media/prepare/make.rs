//! Making one product after another: what ffmpeg is told.

use super::limits::{Limits, PIXELS_MAX};
use super::peaks::{self, Peaks, loudness};
use super::picture::best_tile;
use super::plan::{Wanted, fitted};
use super::probe::{Audio, Probe, Video, input};
use super::run::{Trouble, run};
use super::tools::Tools;
use super::workshop::Workshop;
use crate::media::prepared::{POSTER, Rendition, SPRITE, SPRITE_MAP, Sprite, Still, WAVE};
use crate::media::vtt::stamp;
use std::ffi::OsString;
use std::path::PathBuf;

/// Pixels of a poster's longer side.
const POSTER_SIDE: u32 = 960;
/// The same of a tile.
const TILE_SIDE: u32 = 160;
/// Tiles in a row, and in all.
const COLUMNS: u32 = 10;
const TILES: i64 = 100;
/// From this length on only key frames are looked at for tiles; ms. All of them would take as long as a rendition.
const LONG: i64 = 120_000;
/// The most that a picture of ours comes to, bytes.
const PICTURE: u64 = 32 * 1024 * 1024;
/// Frames a second that a rendition keeps at most.
const RATE_MAX: &str = "60";

/// Threads of one decoder.
const THREADS_MAX: usize = 8;

/// One file at work.
pub struct Maker<'a> {
    pub tools: &'a Tools,
    pub path: PathBuf,
    pub probe: &'a Probe,
    /// ms
    pub duration: i64,
    pub workshop: &'a Workshop,
    /// Filters that make its colours fit for every screen, with a comma behind; mostly none.
    pub tones: String,
}

fn words<const N: usize>(words: [&str; N]) -> Vec<OsString> {
    words.map(OsString::from).into()
}

/// Bounds that ffmpeg keeps by itself: a film may change its size on the way, and each thread has its own memory.
fn bounds() -> Vec<OsString> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(THREADS_MAX);
    words(["-max_pixels", &PIXELS_MAX.to_string(), "-threads", &threads.to_string()])
}

impl Maker<'_> {
    /// Runs ffmpeg over the file. `before` stands in front of the input, `after` behind it.
    async fn ffmpeg(
        &self,
        before: Vec<OsString>,
        after: Vec<OsString>,
        file: u64,
        hear: impl FnMut(&[u8]),
    ) -> Result<String, Trouble> {
        // Errors in the file are passed over as players do; `info` is where a filter's summary appears.
        let mut arguments = words(["-hide_banner", "-nostdin", "-nostats", "-v", "info", "-y"]);
        arguments.extend(before);
        arguments.extend(bounds());
        arguments.extend(input(&self.path));
        arguments.extend(after);
        let limits = Limits::making(self.duration, file);
        run(&self.tools.ffmpeg, &self.tools.guard, &arguments, limits, hear).await
    }

    /// How long it is, for a file that doesn't say; ms.
    pub async fn measure(&self) -> Result<i64, Trouble> {
        let mut clock = Clock::default();
        let after = words(["-map", "0", "-c", "copy", "-progress", "pipe:1", "-f", "null", "-"]);
        self.ffmpeg(Vec::new(), after, 0, |piece| clock.hear(piece)).await?;
        Ok(clock.reached)
    }

    /// The tiles and their map. Answers also with the moment for a poster, ms.
    pub async fn sprite(&self, video: &Video) -> Result<Option<(Sprite, i64)>, Trouble> {
        let interval = (self.duration / TILES).max(1000);
        let tiles = (self.duration + interval - 1) / interval;
        let tiles = u32::try_from(tiles.clamp(1, TILES)).unwrap_or(1);
        let (width, height) = fitted(video.width, video.height, TILE_SIDE);
        let columns = COLUMNS.min(tiles);
        let rows = tiles.div_ceil(columns);
        let mut filter = if video.interlaced { "yadif,".to_owned() } else { String::new() };
        filter += &format!(
            "fps=1000/{interval}:start_time=0,scale={width}:{height},{}setsar=1,tile={columns}x{rows},format=yuvj420p",
            self.tones
        );
        let mut before = Vec::new();
        if self.duration > LONG {
            before.extend(words(["-skip_frame", "nokey"]));
        }
        let mut after = vec!["-map".into(), format!("0:{}", video.index).into()];
        after.extend(words(["-an", "-sn", "-dn", "-vf", &filter]));
        after.extend(words(["-frames:v", "1", "-q:v", "5", "-f", "mjpeg"]));
        let path = self.workshop.path(SPRITE);
        after.push(path.clone().into());
        self.ffmpeg(before, after, PICTURE, |_| ()).await?;
        let sprite = Sprite { width, height, columns, tiles, interval: interval.unsigned_abs() };
        let map = self.workshop.path(SPRITE_MAP);
        let duration = self.duration;
        let choose = move || -> std::io::Result<Option<u32>> {
            let jpeg = std::fs::read(path).unwrap_or_default();
            if jpeg.is_empty() {
                return Ok(None);
            }
            std::fs::write(map, tile_map(&sprite, duration))?;
            Ok(Some(best_tile(&jpeg, &sprite)))
        };
        let chosen = tokio::task::spawn_blocking(choose).await.unwrap_or(Ok(None));
        let chosen = chosen.map_err(Trouble::NotStarted)?;
        Ok(chosen.map(|tile| (sprite, i64::from(tile) * interval)))
    }

    /// A picture of the moment `at`, ms.
    pub async fn poster(&self, video: &Video, at: i64) -> Result<Option<Still>, Trouble> {
        let (width, height) = fitted(video.width, video.height, POSTER_SIDE);
        let filter = if video.interlaced { "yadif," } else { "" };
        let filter = format!("{filter}scale={width}:{height},{}setsar=1,format=yuvj420p", self.tones);
        let mut before = Vec::new();
        // Not every format can be sought in; the beginning is there without.
        if at > 0 {
            before.extend(["-ss".into(), format!("{}.{:03}", at / 1000, at % 1000).into()]);
        }
        self.still(before, video.index, &filter).await?;
        Ok(self.made(POSTER).await.map(|_| Still { width, height }))
    }

    /// The picture that a recording brings along. It may be of any size, so its own comes out of the filter.
    pub async fn cover(&self, stream: u32) -> Result<Option<Still>, Trouble> {
        let filter = format!(
            "scale='min({POSTER_SIDE},iw)':'min({POSTER_SIDE},ih)':force_original_aspect_ratio=decrease,setsar=1,format=yuvj420p"
        );
        self.still(Vec::new(), stream, &filter).await?;
        let path = self.workshop.path(POSTER);
        let size = tokio::task::spawn_blocking(move || image::image_dimensions(path).ok()).await;
        Ok(size.ok().flatten().map(|(width, height)| Still { width, height }))
    }

    async fn still(&self, before: Vec<OsString>, stream: u32, filter: &str) -> Result<String, Trouble> {
        let mut after = vec!["-map".into(), format!("0:{stream}").into()];
        after.extend(words(["-an", "-sn", "-dn", "-vf", filter]));
        after.extend(words(["-frames:v", "1", "-q:v", "4", "-f", "mjpeg"]));
        after.push(self.workshop.path(POSTER).into());
        self.ffmpeg(before, after, PICTURE, |_| ()).await
    }

    /// Listens to the sound once: its loudness, its length in ms, and its peaks, which are written when `keep` says so.
    pub async fn listen(
        &self,
        audio: &Audio,
        keep: bool,
        mut reach: impl FnMut(i64),
    ) -> Result<(Option<f64>, i64, bool), Trouble> {
        let mut peaks = Peaks::default();
        let mut after = vec!["-map".into(), format!("0:{}", audio.index).into()];
        after.extend(words(["-vn", "-sn", "-dn", "-af", "ebur128=framelog=verbose", "-ac", "1", "-ar"]));
        after.push(peaks::RATE.to_string().into());
        after.extend(words(["-f", "s16le", "pipe:1"]));
        let mut arguments = words(["-hide_banner", "-nostdin", "-nostats", "-v", "info"]);
        arguments.extend(bounds());
        arguments.extend(input(&self.path));
        arguments.extend(after);
        let seconds = u64::try_from(self.duration / 1000).unwrap_or_default();
        // Two bytes a sample, and some more than the file says of its length.
        let output = (seconds * 2 + 600) * peaks::RATE * 2;
        let limits = Limits { output, ..Limits::making(self.duration, 0) };
        let hear = |piece: &[u8]| {
            peaks.hear(piece);
            reach(i64::try_from(peaks.duration()).unwrap_or(i64::MAX));
        };
        let said = run(&self.tools.ffmpeg, &self.tools.guard, &arguments, limits, hear).await?;
        let length = i64::try_from(peaks.duration()).unwrap_or(i64::MAX);
        let points = peaks.points();
        let keep = keep && !points.is_empty();
        if keep {
            let wave = serde_json::json!({ "duration": length, "peaks": points }).to_string();
            tokio::fs::write(self.workshop.path(WAVE), wave).await.map_err(Trouble::NotStarted)?;
        }
        Ok((loudness(&said), length, keep))
    }

    /// One rendition. Nothing when it came to nothing.
    pub async fn rendition(
        &self,
        wanted: &Wanted,
        mut reach: impl FnMut(i64),
    ) -> Result<Option<Rendition>, Trouble> {
        let mut after = Vec::new();
        if let (Some(video), Some((width, height))) = (&self.probe.video, wanted.size) {
            let filter = if video.interlaced { "yadif," } else { "" };
            let filter = format!("{filter}scale={width}:{height},{}setsar=1,format=yuv420p", self.tones);
            let (most, store) = (format!("{}k", wanted.rate), format!("{}k", wanted.rate * 2));
            after.extend(["-map".into(), format!("0:{}", video.index).into()]);
            after.extend(words(["-vf", &filter, "-fpsmax", RATE_MAX]));
            after.extend(words(["-c:v", "libx264", "-preset", "veryfast", "-crf", "23"]));
            after.extend(words(["-profile:v", "high", "-maxrate", &most, "-bufsize", &store]));
            // A jump lands on a key frame: two seconds are as far as anybody wants to miss.
            after.extend(words(["-force_key_frames", "expr:gte(t,n_forced*2)"]));
        } else {
            after.push("-vn".into());
        }
        if let Some(audio) = self.probe.audio.as_ref().filter(|_| wanted.sound > 0) {
            let (rate, channels) = (format!("{}k", wanted.sound), audio.channels.min(2).to_string());
            after.extend(["-map".into(), format!("0:{}", audio.index).into()]);
            after.extend(words(["-c:a", "aac", "-b:a", &rate, "-ac", &channels, "-ar", "48000"]));
        }
        after.extend(words(["-sn", "-dn", "-map_metadata", "-1", "-map_chapters", "-1"]));
        after.extend(words(["-max_muxing_queue_size", "4096", "-movflags", "+faststart"]));
        after.extend(words(["-progress", "pipe:1", "-f", "mp4"]));
        after.push(self.workshop.path(&wanted.name).into());
        let mut clock = Clock::default();
        let hear = |piece: &[u8]| {
            clock.hear(piece);
            reach(clock.reached);
        };
        self.ffmpeg(Vec::new(), after, wanted.bytes_at_most(self.duration), hear).await?;
        let made = self.made(&wanted.name).await.filter(|_| clock.reached > 0);
        Ok(made.map(|size| Rendition {
            name: wanted.name.clone(),
            label: wanted.label.clone(),
            mime: wanted.mime.into(),
            width: wanted.size.map(|(width, _)| width),
            height: wanted.size.map(|(_, height)| height),
            size,
        }))
    }

    /// The size of a file that was made, bytes; nothing when there is none, or nothing in it.
    async fn made(&self, name: &str) -> Option<u64> {
        let meta = tokio::fs::metadata(self.workshop.path(name)).await.ok()?;
        Some(meta.len()).filter(|length| *length > 0)
    }
}

/// WebVTT: which stretch of the film is which tile.
fn tile_map(sprite: &Sprite, duration: i64) -> String {
    let mut map = "WEBVTT\n".to_owned();
    for tile in 0..sprite.tiles {
        let start = u64::from(tile) * sprite.interval;
        let end = (start + sprite.interval).min(duration.unsigned_abs()).max(start + 1);
        let (x, y) = (tile % sprite.columns * sprite.width, tile / sprite.columns * sprite.height);
        map += &format!(
            "\n{} --> {}\n{SPRITE}#xywh={x},{y},{},{}\n",
            stamp(start),
            stamp(end),
            sprite.width,
            sprite.height
        );
    }
    map
}

/// Reads how far ffmpeg is from what `-progress` says: lines of `name=value`.
#[derive(Debug, Default)]
struct Clock {
    line: Vec<u8>,
    /// ms; the furthest so far.
    reached: i64,
}

impl Clock {
    fn hear(&mut self, piece: &[u8]) {
        for byte in piece {
            if *byte != b'\n' {
                // Its lines are short; what is longer is none of them.
                if self.line.len() < 256 {
                    self.line.push(*byte);
                }
                continue;
            }
            let line = String::from_utf8_lossy(&self.line);
            if let Some(time) = line.trim().strip_prefix("out_time_us=").and_then(|n| n.parse::<i64>().ok()) {
                self.reached = self.reached.max(time / 1000);
            }
            self.line.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_read_however_it_is_cut() {
        let said =
            b"frame=12\nout_time_us=N/A\nout_time=00:00:00.48\nout_time_us=480000\nprogress=continue\n\
            out_time_us=-9223372036854775807\nout_time_us=1520000\nprogress=end\n";
        for cut in [1, 5, said.len()] {
            let mut clock = Clock::default();
            said.chunks(cut).for_each(|piece| clock.hear(piece));
            assert_eq!(clock.reached, 1520);
        }
        let mut clock = Clock::default();
        clock.hear(&vec![b'x'; 100_000]);
        assert!(clock.line.len() <= 256);
    }

    #[test]
    fn the_map_of_tiles_names_each_stretch_once() {
        let sprite = Sprite { width: 160, height: 90, columns: 2, tiles: 3, interval: 1000 };
        assert_eq!(
            tile_map(&sprite, 2500),
            "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nsprite.jpg#xywh=0,0,160,90\n\
             \n00:00:01.000 --> 00:00:02.000\nsprite.jpg#xywh=160,0,160,90\n\
             \n00:00:02.000 --> 00:00:02.500\nsprite.jpg#xywh=0,90,160,90\n"
        );
    }
}
