//! The shelf of posters: filtered, searched, put in order.

use super::format::Kind;
use super::library::Library;
use super::pages::ItemView;
use super::position;
use super::shelf::{self, Moment, Page, Sort};
use super::sight::Sight;
use crate::accounts::{Accounts, Reader};
use crate::config::Right;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::ids::MediaId;
use crate::site::answer::html;
use crate::site::page::{Pages, Shell};
use crate::site::words::{fill, filters, size_in_words, t};
use crate::text::{clock, fold};
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use std::collections::HashMap;

/// Posters on one page: four rows of a wide screen.
const SHELF: i64 = 48;
/// Characters of a search.
const QUERY_MAX: usize = 200;

/// The library.
#[derive(Template)]
#[template(path = "media/library.html")]
pub struct LibraryPage {
    pub shell: Shell,
    pub items: Vec<Poster>,
    /// How many there are in all, with their size, for example "12 items, 41 MB"; empty when there are none.
    pub summary: String,
    /// The next page's address.
    pub next: Option<String>,
    /// The viewer may add to it.
    pub adds: bool,
    /// Only what is filed under this.
    pub tag: Option<String>,
    /// What was looked for.
    pub query: String,
    pub kinds: Vec<Turn>,
    pub sorts: Vec<Turn>,
    /// `kind` and `sort` as the search keeps them.
    pub kept: Vec<(&'static str, String)>,
}

/// One item on the shelf.
#[derive(Debug, Clone, Default)]
pub struct Poster {
    pub item: ItemView,
    /// How much of it the viewer has played, percent.
    pub seen: Option<i64>,
    /// Where its captions have what was looked for.
    pub moments: Vec<Said>,
}

/// A caption that was found.
#[derive(Debug, Clone, Default)]
pub struct Said {
    /// `/media/3?t=83`
    pub href: String,
    /// `1:23`
    pub clock: String,
    pub language: String,
    pub text: String,
}

/// One way to turn the shelf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    pub href: String,
    pub words: &'static str,
    pub here: bool,
}

impl LibraryPage {
    /// Something was asked for that may hide the rest.
    pub fn is_narrowed(&self) -> bool {
        self.tag.is_some() || !self.query.is_empty() || self.kinds.iter().skip(1).any(|kind| kind.here)
    }
}

/// What of the library is shown.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Place {
    before: Option<i64>,
    tag: Option<String>,
    q: Option<String>,
    kind: Option<String>,
    sort: Option<String>,
}

/// The same, understood. What isn't is passed over: an address that somebody cut is still one of the library.
#[derive(Clone, Debug, Default)]
struct Asked {
    tag: Option<String>,
    query: String,
    kind: Option<Kind>,
    sort: Sort,
}

impl From<Place> for Asked {
    fn from(place: Place) -> Self {
        let query = place.q.unwrap_or_default().trim().chars().take(QUERY_MAX).collect();
        let sort = match place.sort.as_deref() {
            Some("title") => Sort::Title,
            Some("length") => Sort::Length,
            Some("watched") => Sort::Watched,
            _ => Sort::Newest,
        };
        Self {
            tag: place.tag.map(|tag| fold(tag.trim())).filter(|tag| !tag.is_empty()),
            query,
            kind: place.kind.and_then(|kind| Kind::try_from(kind).ok()),
            sort,
        }
    }
}

impl Asked {
    fn page(&self, before: Option<i64>, sight: Sight) -> Page {
        let query = Some(self.query.clone()).filter(|query| !query.is_empty());
        Page {
            limit: SHELF,
            before: before.map(MediaId),
            tag: self.tag.clone(),
            query,
            kind: self.kind,
            sort: self.sort,
            sight,
            ..Page::default()
        }
    }

    /// Its address.
    fn href(&self, before: Option<MediaId>) -> String {
        let mut pairs = Vec::new();
        let mut add = |name: &str, value: &str| {
            pairs.push(format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)));
        };
        if !self.query.is_empty() {
            add("q", &self.query);
        }
        if let Some(tag) = &self.tag {
            add("tag", tag);
        }
        if let Some(kind) = self.kind {
            add("kind", kind.as_str());
        }
        if self.sort != Sort::Newest {
            add("sort", self.sort.as_str());
        }
        if let Some(before) = before {
            add("before", &before.to_string());
        }
        if pairs.is_empty() { "/media".to_owned() } else { format!("/media?{}", pairs.join("&")) }
    }

    fn kinds(&self) -> Vec<Turn> {
        let turn = |kind, words| {
            let to = Self { kind, ..self.clone() };
            Turn { href: to.href(None), words, here: self.kind == kind }
        };
        vec![
            turn(None, t("All")),
            turn(Some(Kind::Video), t("Films")),
            turn(Some(Kind::Audio), t("Recordings")),
        ]
    }

    fn sorts(&self) -> Vec<Turn> {
        let turn = |sort, words| {
            let to = Self { sort, ..self.clone() };
            Turn { href: to.href(None), words, here: self.sort == sort }
        };
        vec![
            turn(Sort::Newest, t("Newest")),
            turn(Sort::Title, t("By title")),
            turn(Sort::Length, t("Longest")),
            turn(Sort::Watched, t("Most watched")),
        ]
    }

    fn kept(&self) -> Vec<(&'static str, String)> {
        let kind = self.kind.map(|kind| ("kind", kind.as_str().to_owned()));
        let sort = Some(self.sort)
            .filter(|sort| *sort != Sort::Newest)
            .map(|sort| ("sort", sort.as_str().to_owned()));
        let tag = self.tag.clone().map(|tag| ("tag", tag));
        [kind, sort, tag].into_iter().flatten().collect()
    }
}

/// The shelf of all that is filed under the same.
pub fn tag_href(tag: &str) -> String {
    Asked { tag: Some(tag.to_owned()), ..Asked::default() }.href(None)
}

/// `GET /media`
pub async fn library(
    reader: Reader,
    pages: web::Data<Pages>,
    library: web::Data<Library>,
    accounts: web::Data<Accounts>,
    place: web::Query<Place>,
) -> Result<HttpResponse> {
    let (sight, before) = (Sight::from(&reader), place.before);
    let asked = Asked::from(place.into_inner());
    let (items, more) = match library.page(asked.page(before, sight)).await {
        // What the page began at is gone: it begins anew.
        Err(Error::Invalid(_)) if before.is_some() => library.page(asked.page(None, sight)).await?,
        found => found?,
    };
    let (count, bytes) = library.total(sight).await?;
    let summary = match count {
        0 => String::new(),
        1 => fill(t("1 item, {size}"), "size", &size_in_words(bytes)),
        _ => fill(&fill(t("{count} items, {size}"), "count", &count), "size", &size_in_words(bytes)),
    };
    let next = items.last().filter(|_| more).map(|last| asked.href(Some(last.id)));
    let adds = reader.visitor.as_ref().is_some_and(|v| accounts.allows(&v.person, Right::Files));
    let shell = pages.shell(reader.viewer(), t("Library"), "/media").await;
    let query = asked.query.clone();
    let look = move |conn: &mut Conn| {
        let ids: Vec<MediaId> = items.iter().map(|item| item.id).collect();
        let kept = sight.0.map(|user| position::among(conn, user, &ids)).transpose()?.unwrap_or_default();
        let found = if query.is_empty() { HashMap::new() } else { shelf::moments(conn, &items, &query)? };
        Ok((items, kept, found))
    };
    let (items, kept, mut found) = library.db().read(look).await?;
    let items = items.into_iter().map(|item| Poster {
        seen: kept.get(&item.id).and_then(|at| at.percent(&item)),
        moments: found
            .remove(&item.id)
            .unwrap_or_default()
            .into_iter()
            .map(|one| said(item.id, one))
            .collect(),
        item: item.into(),
    });
    let items = items.collect();
    let (kinds, sorts, kept) = (asked.kinds(), asked.sorts(), asked.kept());
    let Asked { tag, query, .. } = asked;
    html(StatusCode::OK, &LibraryPage { shell, items, summary, next, adds, tag, query, kinds, sorts, kept })
}

fn said(id: MediaId, Moment { start, language, text }: Moment) -> Said {
    Said { href: format!("/media/{id}?t={}", start / 1000), clock: clock(start), language, text }
}
