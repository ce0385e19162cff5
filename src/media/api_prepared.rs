//! What the API says of an item's preparation.

use super::item::Item;
use super::prepared::{Chapter, Facts, POSTER, Prepared, SPRITE, SPRITE_MAP, WAVE, product};
use crate::site::words::said;
use serde::Serialize;

/// What was found in the file and made of it. All addresses honour byte ranges and never change their content.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PreparedObject {
    /// `waiting`, `preparing`, `ready` or `failed`.
    #[schema(example = "ready")]
    state: String,
    /// Percent, while it is prepared.
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<i32>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// ms
    #[serde(skip_serializing_if = "Option::is_none")]
    duration: Option<i64>,
    /// Pixels as shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    width: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<i32>,
    /// Those that were written down, otherwise those of the file.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    chapters: Vec<Chapter>,
    /// Whether every current browser plays the original; not said before the file was looked into.
    #[serde(skip_serializing_if = "Option::is_none")]
    plays: Option<bool>,
    /// Where the file lies as it came.
    original: String,
    /// Forms that every browser plays, the best first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    renditions: Vec<RenditionObject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    poster: Option<PosterObject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sprite: Option<SpriteObject>,
    /// JSON: `{"peaks": […], "duration": ms}`, each peak 0 to 255.
    #[serde(skip_serializing_if = "Option::is_none")]
    wave: Option<String>,
    /// Integrated loudness by EBU R 128, LUFS.
    #[serde(skip_serializing_if = "Option::is_none")]
    loudness: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    facts: Option<Facts>,
}

/// One rendition.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct RenditionObject {
    url: String,
    #[schema(example = "720p")]
    label: String,
    mime: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    width: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<u32>,
    /// Bytes.
    size: u64,
}

/// A picture of the whole.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PosterObject {
    url: String,
    width: u32,
    height: u32,
}

/// Small pictures in one, for scrubbing.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SpriteObject {
    url: String,
    /// WebVTT: which stretch is which tile.
    vtt: String,
    /// Pixels of one tile.
    width: u32,
    height: u32,
    /// Tiles in a row.
    columns: u32,
    tiles: u32,
    /// How long each stands for, ms.
    interval: u64,
}

impl From<&Item> for PreparedObject {
    fn from(item: &Item) -> Self {
        let state = item.standing().to_owned();
        let made = item.prepared();
        let in_set = |name: &'static str, prepared: &Prepared| product(item, &prepared.set, name);
        let renditions = made.iter().flat_map(|made| {
            made.renditions.iter().map(|one| RenditionObject {
                url: product(item, &made.set, &one.name),
                label: one.label.clone(),
                mime: one.mime.clone(),
                width: one.width,
                height: one.height,
                size: one.size,
            })
        });
        Self {
            progress: (state == "preparing").then_some(item.progress),
            error: item.error.as_deref().map(|error| said(error).into_owned()),
            duration: item.duration,
            width: item.width,
            height: item.height,
            chapters: item.chapters(),
            plays: made.as_ref().map(|made| made.plays),
            original: format!("/api/v1/media/{}/original", item.id),
            renditions: renditions.collect(),
            poster: made.as_ref().and_then(|made| {
                let still = made.poster?;
                Some(PosterObject { url: in_set(POSTER, made), width: still.width, height: still.height })
            }),
            sprite: made.as_ref().and_then(|made| {
                let sprite = made.sprite?;
                Some(SpriteObject {
                    url: in_set(SPRITE, made),
                    vtt: in_set(SPRITE_MAP, made),
                    width: sprite.width,
                    height: sprite.height,
                    columns: sprite.columns,
                    tiles: sprite.tiles,
                    interval: sprite.interval,
                })
            }),
            wave: made.as_ref().filter(|made| made.wave).map(|made| in_set(WAVE, made)),
            loudness: made.as_ref().and_then(|made| made.loudness),
            facts: made.map(|made| made.facts.clone()),
            state,
        }
    }
}
