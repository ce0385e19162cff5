//! The library as pages: the shelf of posters, and the player.

use super::caption::{self, Caption};
use super::item::Item;
use super::library::Library;
use super::playing::Playing;
use super::position;
use super::prepared::{POSTER, product};
use super::shelf_pages::tag_href;
use super::sight::{Audience, Sight};
use crate::accounts::{Accounts, Keeper, Reader};
use crate::error::Result;
use crate::ids::MediaId;
use crate::rooms::{About, Panel, TalkProvider};
use crate::site::answer::html;
use crate::site::page::{Pages, Shell, Stamp};
use crate::site::words::{filters, said, size_in_words};
use crate::text::clock;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

/// One thing in the library.
#[derive(Debug, Clone, Default)]
pub struct ItemView {
    pub id: i64,
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
    /// The address of its picture; empty where there is none yet.
    pub poster: String,
    /// The display name of who uploaded it; empty where nobody did, or where it isn't said.
    pub by: String,
    pub description: String,
    pub tags: Vec<String>,
    pub licence: String,
    pub audience: Audience,
    /// `waiting`, `preparing`, `ready` or `failed`; empty like `ready`.
    pub state: String,
    /// Percent, while it is prepared.
    pub progress: i32,
    /// Why it could not be prepared.
    pub error: String,
}

impl ItemView {
    fn is_ready(&self) -> bool {
        self.state.is_empty() || self.state == "ready"
    }

    fn is_failed(&self) -> bool {
        self.state == "failed"
    }

    /// The shelf of all that is filed under the same.
    pub fn tag_href(&self, tag: &str) -> String {
        tag_href(tag)
    }

    pub fn is_video(&self) -> bool {
        self.kind == "video"
    }

    /// Which of the people's colours its poster has, so that two neighbours differ.
    pub fn tint(&self) -> i64 {
        let number = self.href.rsplit('/').next().and_then(|id| id.parse::<i64>().ok()).unwrap_or_default();
        number.rem_euclid(crate::site::page::TINTS)
    }

    pub fn is_group(&self) -> bool {
        self.audience == Audience::Group
    }

    pub fn is_own(&self) -> bool {
        self.audience == Audience::Own
    }

    pub fn is_audio(&self) -> bool {
        self.kind == "audio"
    }

    /// `MP4`, `AVI` and the like, as people know them from the ends of names.
    pub fn format(&self) -> String {
        super::format::extension(&self.mime).to_uppercase()
    }
}

/// One thing of the library, playing.
#[derive(Template)]
#[template(path = "media/player.html")]
pub struct PlayerPage {
    pub shell: Shell,
    pub item: ItemView,
    pub playing: Playing,
    pub captions: Vec<Caption>,
    /// The viewer may change what is said of it.
    pub changes: bool,
    /// The conversation about it.
    pub talk: Panel,
}

impl From<Item> for ItemView {
    fn from(item: Item) -> Self {
        let tags = item.tags().map(str::to_owned).collect();
        let poster = item.prepared().and_then(|made| made.poster.map(|_| product(&item, &made.set, POSTER)));
        Self {
            id: item.id.0,
            href: format!("/media/{}", item.id),
            src: item.source(),
            state: item.standing().to_owned(),
            progress: item.progress,
            error: item.error.as_deref().map(|error| said(error).into_owned()).unwrap_or_default(),
            kind: item.kind.as_str().to_owned(),
            size: size_in_words(item.size),
            length: item.duration.map(length).unwrap_or_default(),
            poster: poster.unwrap_or_default(),
            added: Stamp(item.added_at),
            by: String::new(),
            tags,
            description: item.description,
            licence: item.licence,
            audience: item.audience,
            title: item.title,
            mime: item.mime,
        }
    }
}

/// How long it is, as a clock shows it; from milliseconds. A moment is cut to its second, a length is rounded.
fn length(duration: i64) -> String {
    clock(duration.max(0) + 500)
}

/// Where in the item the page begins.
#[derive(Debug, Deserialize)]
pub struct Moment {
    /// As [`read_moment`](super::position::read_moment) takes it.
    t: Option<String>,
}

/// `GET /media/{id}`
pub async fn player(
    reader: Reader,
    pages: web::Data<Pages>,
    library: web::Data<Library>,
    accounts: web::Data<Accounts>,
    talks: web::Data<dyn TalkProvider>,
    id: web::Path<MediaId>,
    (moment, request): (web::Query<Moment>, HttpRequest),
) -> Result<HttpResponse> {
    let item = library.item(id.into_inner(), &reader).await?;
    let by = match item.user_id {
        Some(user) => accounts.directory.get(user).await?.map(|person| person.display_name.clone()),
        None => None,
    };
    let kept = match Sight::from(&reader).0 {
        Some(user) => library.db().read(move |conn| position::of(conn, user, item.id)).await?,
        None => None,
    };
    let captions = library.db().read(move |conn| caption::list(conn, item.id)).await?;
    let shell = pages.shell(reader.viewer(), item.title.clone(), "/media").await;
    let changes = reader.visitor.as_ref().is_some_and(|v| Keeper::from(&*v.person).may_change(item.user_id));
    let playing = Playing::new(&item, moment.t.as_deref(), kept);
    let (about, query) = (About::media(item.id), request.query_string().to_owned());
    let talk = talks.panel(reader, about, item.title.clone(), query).await?;
    let item = ItemView { by: by.unwrap_or_default(), ..item.into() };
    html(StatusCode::OK, &PlayerPage { shell, item, playing, captions, changes, talk })
}

#[cfg(test)]
mod page_tests {
    use super::super::playing::{Form, Part};
    use super::super::shelf_pages::{LibraryPage, Poster, Said};
    use super::*;

    #[test]
    fn sizes_are_said_in_the_unit_that_fits() {
        for (bytes, words) in [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (1000, "1.0 kB"),
            (9_949, "9.9 kB"),
            (473_896, "474 kB"),
            (999_950, "1.0 MB"),
            (3_240_000, "3.2 MB"),
            (41_000_000, "41 MB"),
            (2_000_000_000_000, "2.0 TB"),
        ] {
            assert_eq!(size_in_words(bytes), words);
        }
    }

    #[test]
    fn lengths_are_said_as_clocks_show_them() {
        for (duration, words) in
            [(0, "0:00"), (499, "0:00"), (61_000, "1:01"), (3_599_600, "1:00:00"), (36_125_000, "10:02:05")]
        {
            assert_eq!(length(duration), words);
        }
    }

    const HOSTILE: &str = "\"><script>alert('x')</script>";

    fn hostile_captions() -> Caption {
        Caption { language: HOSTILE.into(), label: HOSTILE.into(), usual: true, added_at: 0 }
    }

    fn hostile_playing() -> Playing {
        let form = Form { src: HOSTILE.into(), label: HOSTILE.into(), size: HOSTILE.into(), usual: true };
        let part = Part {
            clock: HOSTILE.into(),
            start: HOSTILE.into(),
            href: HOSTILE.into(),
            title: HOSTILE.into(),
        };
        Playing {
            forms: vec![form.clone(), form],
            start: HOSTILE.into(),
            chapters: vec![part],
            wave: HOSTILE.into(),
            original: HOSTILE.into(),
            ..Playing::default()
        }
    }

    #[test]
    fn the_library_and_the_player_escape_titles() {
        for kind in ["video", "audio", "file"] {
            let item = ItemView {
                id: 1,
                href: HOSTILE.into(),
                src: HOSTILE.into(),
                title: HOSTILE.into(),
                kind: kind.into(),
                mime: HOSTILE.into(),
                size: HOSTILE.into(),
                length: HOSTILE.into(),
                poster: HOSTILE.into(),
                added: Stamp(0),
                by: HOSTILE.into(),
                description: HOSTILE.into(),
                tags: vec![HOSTILE.into()],
                licence: HOSTILE.into(),
                audience: Audience::Own,
                state: "failed".into(),
                progress: 0,
                error: HOSTILE.into(),
            };
            let poster = Poster {
                item: item.clone(),
                seen: Some(3),
                moments: vec![Said {
                    href: HOSTILE.into(),
                    clock: HOSTILE.into(),
                    language: HOSTILE.into(),
                    text: HOSTILE.into(),
                }],
            };
            let library = LibraryPage {
                shell: Shell::new("Library", "/media"),
                items: vec![poster],
                summary: HOSTILE.into(),
                next: None,
                adds: true,
                tag: Some(HOSTILE.into()),
                query: HOSTILE.into(),
                kinds: Vec::new(),
                sorts: Vec::new(),
                kept: vec![("tag", HOSTILE.into())],
            };
            let html = library.render().unwrap();
            assert!(!html.to_lowercase().contains("<script>alert"), "{html}");
            let html = PlayerPage {
                shell: Shell::new("Player", "/media"),
                item,
                playing: hostile_playing(),
                captions: vec![hostile_captions()],
                changes: true,
                talk: Panel::default(),
            }
            .render()
            .unwrap();
            assert!(!html.to_lowercase().contains("<script>alert"), "{html}");
        }
    }
}
