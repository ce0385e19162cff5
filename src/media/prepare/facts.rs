//! What is kept of a look into a file.

use super::probe::Probe;
use crate::media::prepared::Facts;

impl Probe {
    /// What pages and the API say of it.
    pub fn facts(&self) -> Facts {
        let tag = |names: &[&str]| {
            names.iter().find_map(|name| self.tags.get(*name)).filter(|text| !text.is_empty()).cloned()
        };
        Facts {
            container: self.container.clone(),
            video_codec: self.video.as_ref().map(|video| video.codec.clone()),
            audio_codec: self.audio.as_ref().map(|audio| audio.codec.clone()),
            frame_rate: self
                .video
                .as_ref()
                .and_then(|video| video.rate)
                .map(|r| (r * 1000.0).round() / 1000.0),
            channels: self.audio.as_ref().map(|audio| audio.channels),
            bit_rate: self.bit_rate,
            title: tag(&["title"]),
            artist: tag(&["artist", "album_artist", "author", "composer"]),
            album: tag(&["album"]),
            date: tag(&["date", "creation_time", "year"]),
        }
    }
}
