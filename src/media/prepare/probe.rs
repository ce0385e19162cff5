//! Looking into a file with ffprobe, and reading what that says.

use super::limits::{DURATION_MAX, Limits, PIXELS_MAX, SIDE_MAX};
use super::run::{Trouble, run};
use super::tones::Tones;
use super::tools::Tools;
use crate::media::prepared::Chapter;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

/// Demuxers that may be used. None of them opens another file or an address because a file says so, as playlists and
/// concat scripts do.
const DEMUXERS: &str =
    "mov,matroska,avi,asf,mpeg,mpegvideo,mpegts,aiff,flv,mp3,flac,wav,w64,ogg,aac,amr,caf,au";
/// Chapters that are kept; more are no list for people.
const CHAPTERS: usize = 500;
/// Characters of a text that the file brings along.
const WORDS: usize = 200;

/// Said of what is no recording and no film.
pub const UNREADABLE: &str = "This is no film or recording that can be read. It may be damaged or cut off.";
const TOO_LARGE: &str = "Its pictures are larger than browsers can show: at most 8192 pixels on a side.";
const TOO_LONG: &str = "It says that it is longer than a hundred hours. It may be damaged.";
const NOTHING: &str = "There is neither sound nor a film in it.";
/// Said when a bound was met.
pub const TOO_MUCH: &str =
    "Preparing it took more time or memory than a file like this may take. It may be damaged.";

/// What a file holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Probe {
    /// ffmpeg's names of the container, with commas between.
    pub container: String,
    /// `qt  ` in a MOV file.
    pub brand: String,
    /// ms; nothing where the file doesn't say.
    pub duration: Option<i64>,
    /// Bits a second, of all together.
    pub bit_rate: Option<u64>,
    pub video: Option<Video>,
    pub audio: Option<Audio>,
    /// The stream that is a picture of the whole.
    pub cover: Option<u32>,
    pub chapters: Vec<Chapter>,
    /// Lower case name → text.
    pub tags: BTreeMap<String, String>,
}

/// The film's stream.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Video {
    pub index: u32,
    pub codec: String,
    pub pixels: String,
    /// As shown: turned and stretched as the file says.
    pub width: u32,
    pub height: u32,
    /// Frames a second.
    pub rate: Option<f64>,
    pub interlaced: bool,
    /// Of a film of high dynamic range.
    pub tones: Option<Tones>,
}

/// The sound's stream.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Audio {
    pub index: u32,
    pub codec: String,
    pub channels: u32,
}

/// What comes before every file that is read.
pub fn input(path: &Path) -> Vec<OsString> {
    let mut arguments: Vec<OsString> =
        ["-protocol_whitelist", "file", "-format_whitelist", DEMUXERS, "-i"].map(Into::into).into();
    // With the protocol said, a name can't be taken for an option or an address.
    let mut address = OsString::from("file:");
    address.push(path);
    arguments.push(address);
    arguments
}

/// Looks into a file.
///
/// # Errors
/// What [`run`] says; a bad end means that the file can't be read.
pub async fn look(tools: &Tools, path: &Path) -> Result<Vec<u8>, Trouble> {
    let mut arguments: Vec<OsString> =
        ["-v", "error", "-of", "json", "-show_format", "-show_streams", "-show_chapters"]
            .map(Into::into)
            .into();
    arguments.extend(input(path));
    let mut said = Vec::new();
    let hear = |piece: &[u8]| said.extend_from_slice(piece);
    run(&tools.ffprobe, &tools.guard, &arguments, Limits::looking(), hear).await?;
    Ok(said)
}

#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    streams: Vec<Stream>,
    #[serde(default)]
    chapters: Vec<Mark>,
    format: Option<Container>,
}

#[derive(Deserialize)]
struct Container {
    format_name: Option<String>,
    duration: Option<String>,
    bit_rate: Option<String>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Stream {
    index: u32,
    codec_type: Option<String>,
    codec_name: Option<String>,
    pix_fmt: Option<String>,
    width: Option<u32>,
    height: Option<u32>,
    sample_aspect_ratio: Option<String>,
    avg_frame_rate: Option<String>,
    field_order: Option<String>,
    color_transfer: Option<String>,
    color_primaries: Option<String>,
    color_space: Option<String>,
    channels: Option<u32>,
    duration: Option<String>,
    #[serde(default)]
    disposition: BTreeMap<String, i64>,
    #[serde(default)]
    side_data_list: Vec<SideData>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct SideData {
    rotation: Option<f64>,
}

#[derive(Deserialize)]
struct Mark {
    start_time: Option<String>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

/// Reads what ffprobe said.
///
/// # Errors
/// One sentence for people about a file that can't be prepared.
pub fn read(said: &[u8]) -> Result<Probe, &'static str> {
    let said: Said = serde_json::from_slice(said).map_err(|_| UNREADABLE)?;
    let format = said.format.ok_or(UNREADABLE)?;
    let is = |kind: &'static str| move |stream: &&Stream| stream.codec_type.as_deref() == Some(kind);
    let flagged = |stream: &Stream, flag: &str| stream.disposition.get(flag).is_some_and(|set| *set != 0);
    let pick = |kind: &'static str, still: bool| {
        let fits = |stream: &&Stream| is(kind)(stream) && flagged(stream, "attached_pic") == still;
        let mut fitting = said.streams.iter().filter(fits).filter(|s| s.codec_name.is_some());
        let first = fitting.clone().next();
        fitting.find(|stream| flagged(stream, "default")).or(first)
    };
    let video = pick("video", false).map(Video::of).transpose()?;
    let audio = pick("audio", false).filter(|stream| stream.channels.unwrap_or_default() > 0).map(Audio::of);
    if video.is_none() && audio.is_none() {
        return Err(NOTHING);
    }
    let lengths = said.streams.iter().filter_map(|stream| ms(stream.duration.as_deref())).max();
    let duration = ms(format.duration.as_deref()).or(lengths).filter(|length| *length > 0);
    if duration.is_some_and(|length| length > DURATION_MAX) {
        return Err(TOO_LONG);
    }
    let tags: BTreeMap<String, String> =
        format.tags.into_iter().map(|(name, text)| (name.to_lowercase(), text)).collect();
    Ok(Probe {
        brand: tags.get("major_brand").cloned().unwrap_or_default(),
        container: format.format_name.unwrap_or_default(),
        bit_rate: format.bit_rate.and_then(|text| text.parse().ok()),
        duration,
        video,
        audio,
        cover: pick("video", true).map(|stream| stream.index),
        chapters: chapters(said.chapters),
        tags: tags.into_iter().map(|(name, text)| (name, words(&text))).collect(),
    })
}

impl Video {
    fn of(stream: &Stream) -> Result<Self, &'static str> {
        let (mut width, mut height) = (stream.width.unwrap_or_default(), stream.height.unwrap_or_default());
        if width == 0 || height == 0 {
            return Err(UNREADABLE);
        }
        if let Some((across, down)) = stream.sample_aspect_ratio.as_deref().and_then(|r| ratio(r, ':')) {
            let shape = across / down;
            // What lies beyond is damage; pixels are shown as squares then.
            if (0.1..10.0).contains(&shape) {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a width of pixels"
                )]
                let stretched = (f64::from(width) * shape).round() as u32;
                width = stretched.max(1);
            }
        }
        let stored = stream.tags.get("rotate").and_then(|text| text.parse().ok());
        let turn: f64 =
            stream.side_data_list.iter().find_map(|data| data.rotation).or(stored).unwrap_or_default();
        // A quarter or three quarters; by a half it is as wide as before.
        if (45.0..135.0).contains(&(turn.abs() % 180.0)) {
            std::mem::swap(&mut width, &mut height);
        }
        if width > SIDE_MAX || height > SIDE_MAX || u64::from(width) * u64::from(height) > PIXELS_MAX {
            return Err(TOO_LARGE);
        }
        let rate = stream.avg_frame_rate.as_deref().and_then(|text| ratio(text, '/')).map(|(n, d)| n / d);
        Ok(Self {
            index: stream.index,
            codec: stream.codec_name.clone().unwrap_or_default(),
            pixels: stream.pix_fmt.clone().unwrap_or_default(),
            width,
            height,
            rate: rate.filter(|rate| rate.is_finite() && *rate > 0.0),
            tones: Tones::of(
                stream.color_transfer.as_deref(),
                stream.color_primaries.as_deref(),
                stream.color_space.as_deref(),
            ),
            interlaced: stream.field_order.as_deref().is_some_and(|o| ["tt", "bb", "tb", "bt"].contains(&o)),
        })
    }
}

impl Audio {
    fn of(stream: &Stream) -> Self {
        let codec = stream.codec_name.clone().unwrap_or_default();
        Self { index: stream.index, codec, channels: stream.channels.unwrap_or_default() }
    }
}

fn chapters(marks: Vec<Mark>) -> Vec<Chapter> {
    let mut chapters: Vec<Chapter> = Vec::new();
    for mark in marks {
        let title = mark.tags.iter().find(|(name, _)| name.eq_ignore_ascii_case("title"));
        let title = words(title.map(|(_, text)| text.as_str()).unwrap_or_default());
        let start = ms(mark.start_time.as_deref()).filter(|start| (0..=DURATION_MAX).contains(start));
        if let (Some(start), false) = (start, title.is_empty()) {
            chapters.push(Chapter { start, title });
        }
    }
    chapters.sort_by_key(|chapter| chapter.start);
    chapters.dedup_by_key(|chapter| chapter.start);
    chapters.truncate(CHAPTERS);
    chapters
}

/// One line of plain words.
fn words(text: &str) -> String {
    let plain: String = text.chars().filter(|c| c.is_whitespace() || !crate::text::is_unruly(*c)).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(WORDS).collect()
}

/// Milliseconds of seconds as ffprobe writes them.
fn ms(seconds: Option<&str>) -> Option<i64> {
    let seconds: f64 = seconds?.parse().ok()?;
    #[expect(clippy::cast_possible_truncation, reason = "bounded")]
    (seconds.is_finite() && seconds.abs() < 1e12).then(|| (seconds * 1000.0).round() as i64)
}

/// Both numbers, when neither is zero.
fn ratio(text: &str, between: char) -> Option<(f64, f64)> {
    let (a, b) = text.split_once(between)?;
    let (a, b): (f64, f64) = (a.parse().ok()?, b.parse().ok()?);
    (a > 0.0 && b > 0.0).then_some((a, b))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PHONE: &str = r#"{"streams":[
        {"index":0,"codec_name":"hevc","codec_type":"video","width":1920,"height":1080,"pix_fmt":"yuv420p10le",
         "sample_aspect_ratio":"1:1","avg_frame_rate":"30000/1001","duration":"12.5","disposition":{"default":1,"attached_pic":0},
         "side_data_list":[{"side_data_type":"Display Matrix","rotation":-90}]},
        {"index":1,"codec_name":"aac","codec_type":"audio","channels":2,"disposition":{"default":1}},
        {"index":2,"codec_type":"data","disposition":{}}],
        "chapters":[{"id":1,"start_time":"5.000000","tags":{"title":"Second"}},{"id":0,"start_time":"0.000000","tags":{"title":" First\u202e "}},
         {"id":3,"start_time":"9.0","tags":{}}],
        "format":{"format_name":"mov,mp4,m4a,3gp,3g2,mj2","duration":"12.512000","bit_rate":"8000000",
         "tags":{"major_brand":"qt  ","TITLE":"By the\nsea"}}}"#;

    #[test]
    fn a_phones_film_is_read_as_it_is_shown() {
        let probe = read(PHONE.as_bytes()).unwrap();
        let video = probe.video.unwrap();
        assert_eq!((video.width, video.height, video.codec.as_str()), (1080, 1920, "hevc"));
        assert!(video.rate.is_some_and(|rate| (rate - 29.97).abs() < 0.01));
        assert_eq!(probe.audio, Some(Audio { index: 1, codec: "aac".into(), channels: 2 }));
        assert_eq!(
            (probe.duration, probe.bit_rate, probe.brand.as_str()),
            (Some(12_512), Some(8_000_000), "qt  ")
        );
        assert_eq!(probe.tags["title"], "By the sea");
        let chapters: Vec<_> = probe.chapters.iter().map(|c| (c.start, c.title.as_str())).collect();
        assert_eq!(chapters, [(0, "First"), (5000, "Second")]);
    }

    fn one(stream: &str) -> Result<Probe, &'static str> {
        read(format!(r#"{{"streams":[{{"index":0,"codec_name":"x",{stream}}}],"format":{{}}}}"#).as_bytes())
    }

    #[test]
    fn pixels_that_are_not_square_and_sizes_that_cannot_be() {
        let shown = |stream: &str| one(stream).map(|p| p.video.map(|v| (v.width, v.height)));
        let size = |w: u32, h: u32| format!(r#""codec_type":"video","width":{w},"height":{h}"#);
        let dvd = format!(r#"{},"sample_aspect_ratio":"64:45""#, size(720, 576));
        assert_eq!(shown(&dvd), Ok(Some((1024, 576))));
        let mad = format!(r#"{},"sample_aspect_ratio":"1:2000000000""#, size(720, 576));
        assert_eq!(shown(&mad), Ok(Some((720, 576))));
        for (w, h) in [(100_000, 2), (2, 100_000), (8192, 8192), (50_000, 50_000)] {
            assert_eq!(shown(&size(w, h)), Err(TOO_LARGE), "{w} × {h}");
        }
        assert_eq!(shown(&size(0, 0)), Err(UNREADABLE));
    }

    #[test]
    fn a_cover_is_no_film() {
        let cover = one(r#""codec_type":"video","width":500,"height":500,"disposition":{"attached_pic":1}"#);
        assert_eq!(cover, Err(NOTHING));
        let said = r#"{"streams":[{"index":0,"codec_name":"mp3","codec_type":"audio","channels":2,"duration":"3.0"},
            {"index":1,"codec_name":"mjpeg","codec_type":"video","width":9000,"height":9000,"disposition":{"attached_pic":1}}],
            "format":{"format_name":"mp3"}}"#;
        let probe = read(said.as_bytes()).unwrap();
        assert_eq!((probe.video, probe.cover, probe.duration), (None, Some(1), Some(3000)));
    }

    #[test]
    fn nonsense_is_refused_in_a_sentence() {
        for said in ["", "{}", "[]", r#"{"format":{}}"#, r#"{"streams":[{"index":0}],"format":{}}"#] {
            assert!(read(said.as_bytes()).is_err_and(|sentence| sentence.ends_with('.')), "{said}");
        }
        let long = r#"{"streams":[{"index":0,"codec_name":"mp3","codec_type":"audio","channels":2}],"format":{"duration":"1e9"}}"#;
        assert_eq!(read(long.as_bytes()), Err(TOO_LONG));
    }
}
