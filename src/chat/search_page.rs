//! The page of a search: its results by room, with the words that were searched for marked. Works without a script.

use super::Chat;
use super::search::SearchQuery;
use crate::accounts::Reader;
use crate::db::Conn;
use crate::db::schema::messages::rooms as r;
use crate::error::{Error, Result};
use crate::ids::{RoomId, UserId};
use crate::rooms::search::{Asked, Found, Query, before_each, find};
use crate::rooms::{Kind, Message, Room};
use crate::site::answer::html;
use crate::site::page::{Pages, Person, Shell, Stamp, channel_href, talk_href};
use crate::site::words::{filters, said as in_words, t};
use crate::text;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use diesel::prelude::*;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

/// Characters of a message that are shown.
const EXCERPT: usize = 320;
/// Characters that are shown before the first word that was searched for.
const LEAD: usize = 90;
/// Characters of the message before it.
const CONTEXT: usize = 140;
/// Filters that are offered below the box.
const OFFERS: [&str; 4] = ["from:me", "has:link", "has:image", "since:7d"];

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    pub text: String,
    /// It is what was searched for.
    pub marked: bool,
}

/// One message that was found.
pub struct Hit {
    pub author: Person,
    pub at: Stamp,
    /// Where it stands among its neighbours.
    pub href: String,
    pub title: Vec<Piece>,
    pub text: Vec<Piece>,
    pub edited: bool,
    /// Who said what right before it.
    pub before: Option<(String, String)>,
}

impl Hit {
    pub fn new(message: &Message, before: Option<&Message>, query: &Query) -> Self {
        let title = message.title.clone().unwrap_or_default();
        let text = shown(message, query);
        Self {
            author: Person::new(message.user.0, message.name.clone(), message.guest),
            at: Stamp(message.at),
            href: format!("/m/{}/{}", message.room, message.seq),
            title: pieces(&title, &query.marks(&title), 0..title.len()),
            text: excerpt(&text, &query.marks(&text)),
            edited: message.edited_at.is_some(),
            before: before.map(|before| (before.name.clone(), beginning(&said(before)))),
        }
    }
}

/// The hits of one room, newest first.
pub struct Group {
    pub place: String,
    /// A channel is written with its mark.
    pub channel: bool,
    /// The page of the room; empty for one that is found by its people.
    pub href: String,
    pub hits: Vec<Hit>,
}

/// A filter that can be taken away or added by a press.
pub struct Chip {
    pub label: String,
    pub href: String,
}

/// The page of a search.
#[derive(Template)]
#[template(path = "chat/search.html")]
pub struct SearchPage {
    pub shell: Shell,
    pub typed: String,
    /// Something was searched for.
    pub searched: bool,
    /// What is wrong with it.
    pub wrong: Option<String>,
    pub groups: Vec<Group>,
    pub count: usize,
    /// The address of the next page.
    pub next: Option<String>,
    /// This isn't the first page.
    pub goes_on: bool,
    /// Much is new and not all of it was looked through.
    pub behind: bool,
    /// Filters that are in use; a press takes one away.
    pub used: Vec<Chip>,
    /// Filters that a press adds.
    pub offered: Vec<Chip>,
}

/// `GET /search`
pub async fn search(
    reader: Reader,
    query: web::Query<SearchQuery>,
    chat: web::Data<Chat>,
    pages: web::Data<Pages>,
) -> Result<HttpResponse> {
    let shell = pages.shell(reader.viewer(), t("Search"), "/search").await;
    let mut page = SearchPage::empty(shell, &query.q);
    page.goes_on = query.before.is_some();
    let outcome = async {
        let mut asked = query.read(&reader)?;
        if asked.query.is_empty() {
            return Ok(());
        }
        page.searched = true;
        asked.find_people(&chat.accounts).await?;
        page.fill(asked, &chat).await
    };
    match outcome.await {
        Ok(()) => html(StatusCode::OK, &page),
        Err(error @ (Error::Invalid(_) | Error::NotFound(_))) => {
            page.wrong = Some(in_words(&error.detail()).into_owned());
            html(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(error) => Err(error),
    }
}

impl SearchPage {
    fn empty(shell: Shell, typed: &str) -> Self {
        let chip = |label: &str, query: &str| Chip { label: label.to_owned(), href: href(query, None) };
        let filters = Query::filters(typed);
        let used: Vec<Chip> = filters.iter().map(|(filter, rest)| chip(filter, rest)).collect();
        let is_used = |offer: &str| {
            let key = offer.split(':').next().unwrap_or_default();
            filters.iter().any(|(filter, _)| filter.starts_with(if key == "has" { offer } else { key }))
        };
        let viewed = shell.viewer.is_some();
        let offers = OFFERS.into_iter().filter(|offer| !is_used(offer) && (viewed || *offer != "from:me"));
        let offered = offers.map(|offer| chip(offer, format!("{} {offer}", typed.trim()).trim())).collect();
        Self {
            shell,
            typed: typed.to_owned(),
            searched: false,
            wrong: None,
            groups: Vec::new(),
            count: 0,
            next: None,
            goes_on: false,
            behind: false,
            used,
            offered,
        }
    }

    async fn fill(&mut self, asked: Asked, chat: &Chat) -> Result<()> {
        let (user, query) = (asked.user, asked.query.clone());
        let (found, before, rooms) = chat
            .rooms
            .db
            .snapshot(move |conn| {
                let found = find(conn, &asked)?;
                let before = before_each(conn, &found.messages)?;
                let rooms = Places::rooms(conn, user, &found.messages)?;
                Ok((found, before, rooms))
            })
            .await?;
        let Found { messages, next, behind } = found;
        let places = Places::named(rooms, chat).await?;
        self.next = next.map(|key| href(&self.typed, Some(&key.to_string())));
        self.behind = behind;
        self.count = messages.len();
        let mut order: Vec<RoomId> = Vec::new();
        let mut groups: HashMap<RoomId, Vec<Hit>> = HashMap::new();
        for message in messages {
            let earlier = before.get(&(message.room, message.seq));
            let hits = groups.entry(message.room).or_insert_with(|| {
                order.push(message.room);
                Vec::new()
            });
            hits.push(Hit::new(&message, earlier, &query));
        }
        self.groups = order
            .into_iter()
            .map(|room| Group {
                place: places.name(room),
                channel: places.is_channel(room),
                href: places.href(room),
                hits: groups.remove(&room).unwrap_or_default(),
            })
            .collect();
        Ok(())
    }
}

fn href(query: &str, before: Option<&str>) -> String {
    let query = utf8_percent_encode(query, NON_ALPHANUMERIC);
    before.map_or_else(|| format!("/search?q={query}"), |before| format!("/search?q={query}&before={before}"))
}

/// What the rooms of some messages are called by the person who looks.
#[derive(Default)]
pub struct Places {
    names: HashMap<RoomId, (Kind, String)>,
}

/// A room, and the other one of a direct room.
pub type Seen = (Room, Option<UserId>);

impl Places {
    /// Reads the rooms that `messages` stand in.
    pub fn rooms(conn: &mut Conn, user: Option<UserId>, messages: &[Message]) -> Result<Vec<Seen>> {
        let ids: BTreeSet<RoomId> = messages.iter().map(|message| message.room).collect();
        let rows: Vec<(Room, Option<String>)> =
            r::table.filter(r::id.eq_any(ids)).select((Room::as_select(), r::peers)).load(conn)?;
        let other = |peers: Option<String>| {
            let peers = peers?;
            let (one, two) = peers.split_once('-')?;
            let (one, two) = (UserId(one.parse().ok()?), UserId(two.parse().ok()?));
            Some(if Some(one) == user { two } else { one })
        };
        Ok(rows.into_iter().map(|(room, peers)| (room, other(peers))).collect())
    }

    /// Looks up the people of direct rooms.
    pub async fn named(rooms: Vec<Seen>, chat: &Chat) -> Result<Self> {
        let others: Vec<UserId> = rooms.iter().filter_map(|(_, other)| *other).collect();
        let people = chat.accounts.directory.many(&others).await?;
        let name = |room: &Room, other: Option<UserId>| match (room.kind, other) {
            (Kind::Board, _) => t("Board").to_owned(),
            (_, Some(other)) => {
                people.get(&other).map(|person| person.display_name.clone()).unwrap_or_default()
            }
            _ => room.name.clone(),
        };
        let names = rooms.iter().map(|(room, other)| (room.id, (room.kind, name(room, *other))));
        Ok(Self { names: names.collect() })
    }

    pub fn name(&self, room: RoomId) -> String {
        self.names.get(&room).map(|(_, name)| name.clone()).unwrap_or_default()
    }

    fn is_channel(&self, room: RoomId) -> bool {
        self.names.get(&room).is_some_and(|(kind, _)| *kind == Kind::Channel)
    }

    fn href(&self, room: RoomId) -> String {
        match self.names.get(&room) {
            Some((Kind::Channel, name)) => channel_href(name),
            Some((Kind::Board, _)) => "/board".into(),
            Some((Kind::Group, _)) => format!("/g/{room}"),
            Some((Kind::Talk, _)) => talk_href(room.0),
            _ => String::new(),
        }
    }
}

/// `within` of the text, cut into what is marked and what isn't.
fn pieces(text: &str, marks: &[Range<usize>], within: Range<usize>) -> Vec<Piece> {
    let mut found = Vec::new();
    let mut push = |range: Range<usize>, marked: bool| {
        let range = range.start.max(within.start)..range.end.min(within.end);
        if let Some(piece) = text.get(range).filter(|piece| !piece.is_empty()) {
            found.push(Piece { text: piece.to_owned(), marked });
        }
    };
    let mut at = within.start;
    for mark in marks {
        push(at..mark.start, false);
        push(mark.clone(), true);
        at = at.max(mark.end);
    }
    push(at..within.end, false);
    found
}

/// As much of a long text as shows the first mark among its neighbours.
fn excerpt(text: &str, marks: &[Range<usize>]) -> Vec<Piece> {
    let first = marks.first().map_or(0, |mark| mark.start);
    let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    if places.len() <= EXCERPT {
        return pieces(text, marks, 0..text.len());
    }
    let first = places.partition_point(|at| *at < first);
    let start = first.saturating_sub(LEAD).min(places.len() - EXCERPT);
    let start = if first <= LEAD { 0 } else { start };
    let end = places.get(start + EXCERPT).copied().unwrap_or(text.len());
    let mut shown = pieces(text, marks, places[start]..end);
    let dots = || Piece { text: "…".into(), marked: false };
    if start > 0 {
        shown.insert(0, dots());
    }
    if end < text.len() {
        shown.push(dots());
    }
    shown
}

/// The words of a message as its room shows them.
fn said(message: &Message) -> Cow<'_, str> {
    let html = message.html.as_deref();
    html.map_or(Cow::Borrowed(message.text.as_str()), |html| Cow::Owned(text::words(html)))
}

/// The same; or as it was typed, where what was searched for stands only there: in the address of a link.
fn shown<'a>(message: &'a Message, query: &Query) -> Cow<'a, str> {
    let said = said(message);
    let only_typed = query.marks(&said).is_empty() && !query.marks(&message.text).is_empty();
    if only_typed { Cow::Borrowed(&message.text) } else { said }
}

/// The beginning of a text, in one line.
fn beginning(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(CONTEXT) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod page_tests {
    use super::*;

    const HOSTILE: &str = "\"><script>alert('x')</script>";

    fn whole(pieces: &[Piece]) -> String {
        pieces.iter().map(|p| if p.marked { format!("[{}]", p.text) } else { p.text.clone() }).collect()
    }

    #[test]
    fn a_hit_has_the_words_of_a_message_and_not_its_signs() {
        let text = "**Bring** the [map](https://example.org/tracks), `now`";
        let message = Message { text: text.into(), html: text::render(text).html, ..Message::default() };
        let hit =
            |query: &str| whole(&Hit::new(&message, Some(&message), &Query::parse(query).unwrap()).text);
        assert_eq!(hit("map "), "Bring the [map], now");
        assert_eq!(hit("tracks "), "**Bring** the [map](https://example.org/[tracks]), `now`");
        let before = Hit::new(&message, Some(&message), &Query::default()).before;
        assert_eq!(before.unwrap().1, "Bring the map, now");
    }

    #[test]
    fn an_excerpt_shows_the_first_word_that_was_searched_for() {
        let query = Query::parse("needle").unwrap();
        let shown = |text: &str| whole(&excerpt(text, &query.marks(text)));
        assert_eq!(shown("a needle in hay"), "a [needle] in hay");
        let long = format!("{}needle{}", "字 ".repeat(300), " hay".repeat(300));
        let cut = shown(&long);
        assert!(cut.starts_with('…') && cut.ends_with('…') && cut.contains("[needle]"), "{cut}");
        assert_eq!(cut.chars().count(), EXCERPT + 4);
        let at_end = format!("{}needle", "hay ".repeat(300));
        assert!(shown(&at_end).ends_with("[needle]"));
        assert_eq!(shown(&"x".repeat(400)).chars().count(), EXCERPT + 1);
        assert_eq!(beginning(&"ab\n ".repeat(100)).chars().count(), CONTEXT + 1);
    }

    #[test]
    fn the_page_escapes_everything() {
        let mut page = SearchPage::empty(Shell::new("Search", "/search"), HOSTILE);
        let message = Message {
            text: HOSTILE.into(),
            title: Some(HOSTILE.into()),
            name: HOSTILE.into(),
            ..Message::default()
        };
        let query = Query::parse("script").unwrap();
        page.searched = true;
        page.count = 1;
        page.groups = vec![Group {
            place: HOSTILE.into(),
            channel: true,
            href: "/c/x".into(),
            hits: vec![Hit::new(&message, Some(&message), &query)],
        }];
        let html = page.render().unwrap();
        assert!(!html.contains("<script>alert"), "{html}");
        assert!(html.contains("<mark>script</mark>"), "{html}");
        page.wrong = Some(HOSTILE.into());
        let html = page.render().unwrap();
        assert!(!html.contains("<script>alert"), "{html}");
    }
}
