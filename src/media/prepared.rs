//! What was found in an item's file and made of it: pictures, peaks, and renditions that every browser plays.

use super::item::Item;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::Arc;

/// The picture of a poster.
pub const POSTER: &str = "poster.jpg";
/// The tiles for scrubbing.
pub const SPRITE: &str = "sprite.jpg";
/// Where each of them is, WebVTT.
pub const SPRITE_MAP: &str = "sprite.vtt";
/// The peaks of the sound, JSON.
pub const WAVE: &str = "wave.json";

/// Types of which browsers play most files.
pub const PLAYED: [&str; 9] = [
    "video/mp4",
    "video/webm",
    "audio/mp4",
    "audio/mpeg",
    "audio/wav",
    "audio/ogg",
    "audio/webm",
    "audio/flac",
    "audio/aac",
];

/// What was made of one state of a file. Its files stand in one folder that is named by `set` and never changes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Prepared {
    /// [`Item::version`] of the file that it was made of.
    pub version: String,
    /// The folder's name, 32 hexadecimal digits; also what makes addresses of its files cacheable for good.
    pub set: String,
    pub facts: Facts,
    /// Every current browser plays the file as it is.
    pub plays: bool,
    pub poster: Option<Still>,
    pub sprite: Option<Sprite>,
    /// There is a [`WAVE`].
    pub wave: bool,
    /// Integrated loudness by EBU R 128, LUFS.
    pub loudness: Option<f64>,
    /// The best first.
    pub renditions: Vec<Rendition>,
}

/// What the file says of itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Facts {
    /// As ffmpeg names it, for example `matroska,webm`.
    pub container: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub video_codec: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio_codec: Option<String>,
    /// Frames a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame_rate: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channels: Option<u32>,
    /// Bits a second, of all together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bit_rate: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artist: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub album: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
}

/// One picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Still {
    /// Pixels.
    pub width: u32,
    pub height: u32,
}

/// Small pictures in rows, one for each stretch of the film.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sprite {
    /// Pixels of one tile.
    pub width: u32,
    pub height: u32,
    /// Tiles in a row.
    pub columns: u32,
    /// Tiles in all.
    pub tiles: u32,
    /// How long each stands for, ms.
    pub interval: u64,
}

/// The whole, in a form that every browser plays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rendition {
    /// The file's name, for example `720p.mp4`.
    pub name: String,
    /// For people, for example `720p`.
    pub label: String,
    pub mime: String,
    /// Pixels; nothing for sound alone.
    pub width: Option<u32>,
    pub height: Option<u32>,
    /// Bytes.
    pub size: u64,
}

/// A part of the whole that has a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Chapter {
    /// ms
    pub start: i64,
    pub title: String,
}

/// What was made of an item, read from its row once: a film is asked for by the hundred.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Made(Option<Arc<Prepared>>);

impl From<Option<String>> for Made {
    /// As stored, JSON. What can't be read counts as not made.
    fn from(stored: Option<String>) -> Self {
        Self(stored.and_then(|json| serde_json::from_str(&json).ok()))
    }
}

impl Prepared {
    /// The names of its files, each with its bytes where they are known.
    pub fn files(&self) -> impl Iterator<Item = (&str, Option<u64>)> {
        let pictures = [
            (self.poster.is_some(), POSTER),
            (self.sprite.is_some(), SPRITE),
            (self.sprite.is_some(), SPRITE_MAP),
            (self.wave, WAVE),
        ];
        let pictures = pictures.into_iter().filter(|(made, _)| *made).map(|(_, name)| (name, None));
        pictures.chain(self.renditions.iter().map(|one| (one.name.as_str(), Some(one.size))))
    }

    /// Whether all of its files are in the folder `products`, none of them empty or of another length. Blocks.
    pub fn is_whole(&self, products: &Path) -> bool {
        let set = products.join(&self.set);
        self.files().all(|(name, bytes)| {
            std::fs::metadata(set.join(name))
                .is_ok_and(|meta| meta.is_file() && bytes.map_or(meta.len() > 0, |bytes| bytes == meta.len()))
        })
    }

    /// The type of one of its files; nothing for a name that is none of them.
    pub fn mime_of(&self, name: &str) -> Option<&str> {
        match name {
            POSTER => self.poster.map(|_| "image/jpeg"),
            SPRITE => self.sprite.map(|_| "image/jpeg"),
            SPRITE_MAP => self.sprite.map(|_| "text/vtt; charset=utf-8"),
            WAVE => self.wave.then_some("application/json"),
            _ => self.renditions.iter().find(|one| one.name == name).map(|one| one.mime.as_str()),
        }
    }
}

impl Item {
    /// What was made of its file; nothing before that is done.
    pub fn prepared(&self) -> Option<&Prepared> {
        self.made.0.as_deref()
    }

    /// The chapters of its file.
    pub fn file_chapters(&self) -> Vec<Chapter> {
        self.chapters.as_deref().and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
    }

    /// How it stands: `waiting`, `preparing`, `ready` or `failed`. Before anybody looked, the type alone says whether
    /// browsers play it.
    pub fn standing(&self) -> &str {
        match self.state.as_deref() {
            Some(state) => state,
            None if self.is_played_by_type() => "ready",
            None => "waiting",
        }
    }

    /// Browsers play most files of this type.
    pub fn is_played_by_type(&self) -> bool {
        PLAYED.contains(&self.mime.as_str())
    }

    /// Where a player finds the best that every browser plays, with the version that makes it cacheable for good.
    pub fn source(&self) -> String {
        match self.prepared() {
            Some(Prepared { plays: false, set, renditions, .. }) if !renditions.is_empty() => {
                product(self, set, &renditions[0].name)
            }
            _ => format!("/media/{}/file?v={}", self.id, self.version()),
        }
    }
}

/// The address of a file that was made of an item.
pub fn product(item: &Item, set: &str, name: &str) -> String {
    format!("/media/{}/r/{name}?v={set}", item.id)
}
