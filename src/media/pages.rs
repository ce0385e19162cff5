//! The library as pages: the shelf of posters, and the player.

use super::item::{Item, Page};
use super::library::Library;
use super::playing::Playing;
use super::position;
use super::prepared::{POSTER, product};
use super::record::Keeper;
use super::sight::{Audience, Sight};
use crate::accounts::{Accounts, Reader};
use crate::config::Right;
use crate::error::Result;
use crate::ids::MediaId;
use crate::rooms::{About, Panel, TalkProvider};
use crate::site::answer::html;
use crate::site::page::{Pages, Shell, Stamp};
use crate::site::words::{fill, filters, size_in_words, t};
use crate::text::fold;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

/// Posters on one page: four rows of a wide screen.
const SHELF: i64 = 48;

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
}

impl ItemView {
    /// The shelf of all that is filed under the same.
    fn tag_href(&self, tag: &str) -> String {
        shelf_of(tag)
    }

    fn is_video(&self) -> bool {
        self.kind == "video"
    }

    /// Which of the people's colours its poster has, so that two neighbours differ.
    fn tint(&self) -> i64 {
        let number = self.href.rsplit('/').next().and_then(|id| id.parse::<i64>().ok()).unwrap_or_default();
        number.rem_euclid(crate::site::page::TINTS)
    }

    fn is_group(&self) -> bool {
        self.audience == Audience::Group
    }

    fn is_own(&self) -> bool {
        self.audience == Audience::Own
    }

    fn is_audio(&self) -> bool {
        self.kind == "audio"
    }

    /// `VIDEO`, `MP4` and the like: the second half of the type.
    pub fn format(&self) -> String {
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
    /// The viewer may add to it.
    pub adds: bool,
    /// Only what is filed under this.
    pub tag: Option<String>,
}

/// One thing of the library, playing.
#[derive(Template)]
#[template(path = "media/player.html")]
pub struct PlayerPage {
    pub shell: Shell,
    pub item: ItemView,
    pub playing: Playing,
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
            kind: item.kind.as_str().to_owned(),
            size: size_in_words(item.size),
            length: item.duration.map(length_in_words).unwrap_or_default(),
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

/// `3:41` or `1:02:05`, from milliseconds.
pub fn length_in_words(duration: i64) -> String {
    let seconds = (duration.max(0) + 500) / 1000;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// From where on the library is shown.
#[derive(Debug, Deserialize)]
pub struct Place {
    before: Option<i64>,
    tag: Option<String>,
}

fn shelf_of(tag: &str) -> String {
    format!("/media?tag={}", utf8_percent_encode(tag, NON_ALPHANUMERIC))
}

/// `GET /media`
pub async fn library(
    reader: Reader,
    pages: web::Data<Pages>,
    library: web::Data<Library>,
    accounts: web::Data<Accounts>,
    place: web::Query<Place>,
) -> Result<HttpResponse> {
    let tag = place.tag.as_deref().map(|tag| fold(tag.trim())).filter(|tag| !tag.is_empty());
    let sight = Sight::from(&reader);
    let page =
        Page { limit: SHELF, before: place.before.map(MediaId), tag: tag.clone(), sight, ..Page::default() };
    let (items, more) = library.page(page).await?;
    let (count, bytes) = library.total(sight).await?;
    let summary = match count {
        0 => String::new(),
        1 => fill(t("1 item, {size}"), "size", &size_in_words(bytes)),
        _ => fill(&fill(t("{count} items, {size}"), "count", &count), "size", &size_in_words(bytes)),
    };
    let next = items.last().filter(|_| more).map(|last| match &tag {
        Some(tag) => format!("{}&before={}", shelf_of(tag), last.id),
        None => format!("/media?before={}", last.id),
    });
    let adds = reader.visitor.as_ref().is_some_and(|v| accounts.allows(&v.person, Right::Files));
    let shell = pages.shell(reader.viewer(), t("Library"), "/media").await;
    let items = items.into_iter().map(Into::into).collect();
    html(StatusCode::OK, &LibraryPage { shell, items, summary, next, adds, tag })
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
    let shell = pages.shell(reader.viewer(), item.title.clone(), "/media").await;
    let changes = reader.visitor.as_ref().is_some_and(|v| Keeper::from(&*v.person).may_change(&item));
    let playing = Playing::new(&item, moment.t.as_deref(), kept);
    let (about, query) = (About::media(item.id), request.query_string().to_owned());
    let talk = talks.panel(reader, about, item.title.clone(), query).await?;
    let item = ItemView { by: by.unwrap_or_default(), ..item.into() };
    html(StatusCode::OK, &PlayerPage { shell, item, playing, changes, talk })
}

#[cfg(test)]
mod page_tests {
    use super::super::playing::{Form, Part};
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
            assert_eq!(length_in_words(duration), words);
        }
    }

    const HOSTILE: &str = "\"><script>alert('x')</script>";

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
            };
            let library = LibraryPage {
                shell: Shell::new("Library", "/media"),
                items: vec![item.clone()],
                summary: HOSTILE.into(),
                next: None,
                adds: true,
                tag: Some(HOSTILE.into()),
            };
            let html = library.render().unwrap();
            assert!(!html.to_lowercase().contains("<script>alert"), "{html}");
            let html = PlayerPage {
                shell: Shell::new("Player", "/media"),
                item,
                playing: hostile_playing(),
                changes: true,
                talk: Panel::default(),
            }
            .render()
            .unwrap();
            assert!(!html.to_lowercase().contains("<script>alert"), "{html}");
        }
    }
}
