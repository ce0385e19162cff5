//! The library as pages: the shelf of posters, and the player.

use askama::Template;

use crate::site::page::{Shell, Stamp};

/// One thing in the library.
#[derive(Debug, Clone, Default)]
pub struct ItemView {
    /// `/media/{id}`
    pub href: String,
    /// `/media/{id}/file`
    pub src: String,
    pub title: String,
    /// `video`, `audio`, or anything else for a plain file.
    pub kind: String,
    pub mime: String,
    /// As shown, for example `3.2 MB`.
    pub size: String,
    /// As shown, for example `3:41`, or empty when unknown.
    pub length: String,
    /// When it came into the library.
    pub added: Stamp,
}

impl ItemView {
    fn is_video(&self) -> bool {
        self.kind == "video"
    }

    fn is_audio(&self) -> bool {
        self.kind == "audio"
    }

    /// `VIDEO`, `MP4` and the like: the second half of the type.
    fn format(&self) -> String {
        let half = self.mime.rsplit('/').next().unwrap_or_default();
        half.trim_start_matches("x-").to_uppercase()
    }
}

/// The library.
#[derive(Template)]
#[template(path = "media/library.html")]
pub struct LibraryPage {
    pub shell: Shell,
    /// Newest first.
    pub items: Vec<ItemView>,
    /// How many there are in all, with their size, for example "12 items, 41 MB"; empty when there are none.
    pub summary: String,
    /// The next page's address.
    pub next: Option<String>,
}

/// One thing of the library, playing.
#[derive(Template)]
#[template(path = "media/player.html")]
pub struct PlayerPage {
    pub shell: Shell,
    pub item: ItemView,
}

#[cfg(test)]
mod page_tests {
    use super::*;

    const HOSTILE: &str = "\"><script>alert('x')</script>";

    #[test]
    fn the_library_and_the_player_escape_titles() {
        for kind in ["video", "audio", "file"] {
            let item = ItemView {
                href: HOSTILE.into(),
                src: HOSTILE.into(),
                title: HOSTILE.into(),
                kind: kind.into(),
                mime: HOSTILE.into(),
                size: HOSTILE.into(),
                length: HOSTILE.into(),
                added: Stamp(0),
            };
            let library = LibraryPage {
                shell: Shell::new("Library", "/media"),
                items: vec![item.clone()],
                summary: HOSTILE.into(),
                next: None,
            };
            let html = library.render().unwrap();
            assert!(!html.to_lowercase().contains("<script>alert"), "{html}");
            let html = PlayerPage { shell: Shell::new("Player", "/media"), item }.render().unwrap();
            assert!(!html.to_lowercase().contains("<script>alert"), "{html}");
        }
    }
}
