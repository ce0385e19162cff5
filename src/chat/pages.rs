//! A conversation as a page with its newest messages, and the forms on it. Everything here works without a script.

use askama::Template;

use super::details::{self, Details, DetailsQuery};
use super::members::Member;
use super::place::{self, Found, Place};
use super::protocol::History;
use super::reading::{self, Wanted};
use super::room_view::{PeerView, RoomView};
use super::timeline::{MessageView, arrange};
use super::{Chat, command, command_rooms};
use crate::accounts::{Person, Reader};
use crate::config::Right;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::ids::{RoomId, UserId};
use crate::rooms::talk::Subject;
use crate::rooms::{Asking, Kind, Level, Nonce, Verb, may, message, quote, room};
use crate::site::answer::{html, see_other};
use crate::site::page::{FieldErrors, Pages, Shell, direct_href};
use crate::site::words::filters;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Deserialize;

/// One conversation.
#[derive(Template)]
#[template(path = "chat/room.html")]
pub struct RoomPage {
    pub shell: Shell,
    pub room: RoomView,
    /// Ascending by `seq`, grouped and dated.
    pub messages: Vec<MessageView>,
    /// Older messages than these exist.
    pub more: bool,
    /// Newer messages than these exist: this is not the end of the conversation.
    pub newer: bool,
    /// 16 to 64 random characters; a doubled submit stores once.
    pub nonce: String,
    pub typed_text: String,
    /// Bytes of one file; nothing for those who may send none.
    pub bytes_max: Option<u64>,
    /// Field `text`, and `""` for the form as a whole.
    pub errors: FieldErrors,
    /// What is open beside the conversation.
    pub details: Option<Details>,
}

impl RoomPage {
    pub(super) fn first_seq(&self) -> i64 {
        self.messages.first().map_or(0, |message| message.seq)
    }

    pub(super) fn blank(&self) -> MessageView {
        MessageView::default()
    }

    /// What scripts make members from.
    pub(super) fn blank_member(&self) -> Member {
        Member { state: "offline", ..Member::default() }
    }
}

#[derive(Default, Deserialize)]
pub struct PageQuery {
    before: Option<i64>,
    after: Option<i64>,
    around: Option<i64>,
    /// A moment, ms: the first message from there on, among its neighbours.
    at: Option<i64>,
    /// The same for a day in UTC, as `2026-11-20`: what a form without a script sends.
    day: Option<String>,
    // Read by an extractor of its own: serde's `flatten` takes numbers of a query for texts.
    #[serde(skip)]
    details: DetailsQuery,
}

impl PageQuery {
    /// The same with what it says of the details.
    pub(super) fn with(self, details: DetailsQuery) -> Self {
        Self { details, ..self }
    }

    fn wanted(&self) -> Result<Wanted> {
        let day = self.day.as_deref().filter(|day| !day.is_empty()).map(reading::day).transpose()?;
        reading::wanted(self.before, self.after, self.around, self.at.or(day))
    }
}

/// `GET /c/{name}`, `/g/{id}`, `/dm/{username}`: the conversation with its newest messages, or those that the query asks for.
pub async fn show(
    reader: Reader,
    path: web::Path<(String, String)>,
    query: web::Query<PageQuery>,
    details: web::Query<DetailsQuery>,
    chat: web::Data<Chat>,
    pages: web::Data<Pages>,
) -> Result<HttpResponse> {
    let query = query.into_inner().with(details.into_inner());
    let page = page_of(&reader, &path.into(), &query, &chat, &pages).await?;
    if let Some(visitor) = &reader.visitor {
        let (accounts, person, href) =
            (chat.accounts.clone(), visitor.person.clone(), page.room.href.clone());
        chat.note_seen(&person, &page);
        // Nobody waits for it: the page is right whether or not the place could be kept.
        actix_web::rt::spawn(async move { accounts.remember_place(&person, &href).await });
    }
    html(StatusCode::OK, &page)
}

impl Chat {
    /// A page with the newest messages is shown to somebody.
    pub(super) fn note_seen(&self, person: &Person, page: &RoomPage) {
        let unseen = page.room.last_seq > page.room.read_seq;
        if page.room.joined && page.room.id > 0 && !page.newer && unseen {
            self.seen(person.id, RoomId(page.room.id), page.room.last_seq);
        }
    }

    /// Bytes of one file that this person may send; nothing for those who may send none.
    pub(super) fn bytes_max(&self, person: Option<&Person>) -> Option<u64> {
        let person = person.filter(|person| self.accounts.allows(person, Right::Files));
        person.map(|_| self.rooms.uploads.bytes_max)
    }
}

/// Whether there are messages before those on the page.
fn has_older(wanted: message::Page, found: &[crate::rooms::Message], more: bool) -> bool {
    match wanted {
        // Going forward, `more` speaks of the newer ones; older ones exist unless the page starts with the first.
        message::Page::After(_) => found.first().is_some_and(|m| m.seq > 1),
        _ => more,
    }
}

/// What the viewer may do in a room besides writing.
struct Rights {
    /// Change its name and topic.
    rename: bool,
    invite: bool,
    pin: bool,
    /// Delete the messages of others.
    remove: bool,
}

fn rights(conn: &mut Conn, asking: Asking, found: &room::Room) -> Rights {
    let mut has = |verb| asking.id != UserId(0) && may(conn, asking, found, verb).is_ok();
    Rights {
        rename: has(Verb::Rename),
        invite: has(Verb::Invite),
        pin: has(Verb::Pin),
        remove: has(Verb::Remove),
    }
}

/// The conversation at `place` as `reader` sees it.
///
/// # Errors
/// `NotFound` for what isn't there for them.
pub(super) async fn page_of(
    reader: &Reader,
    place: &Place,
    query: &PageQuery,
    chat: &Chat,
    pages: &Pages,
) -> Result<RoomPage> {
    if reader.visitor.is_none() && matches!(place, Place::Direct(_)) {
        return Err(Error::SignInFirst);
    }
    let person = reader.visitor.as_ref().map(|v| &*v.person);
    let page = match place.find(chat, person.map(|p| p.id)).await? {
        Found { room: Some(id), peer } => existing(reader, id, peer.as_deref(), query, chat).await?,
        Found { room: None, peer: Some(peer) } => unwritten(chat, person, &peer)?,
        Found { room: None, peer: None } => return Err(room::nowhere()),
    };
    let bytes_max = chat.bytes_max(person);
    let shell = pages.shell(reader.viewer(), page.room.name.clone(), page.room.href.clone()).await;
    Ok(RoomPage { shell, bytes_max, ..page })
}

/// The page of a room that is there, without what stands around it.
pub(super) async fn existing(
    reader: &Reader,
    id: RoomId,
    peer: Option<&Person>,
    query: &PageQuery,
    chat: &Chat,
) -> Result<RoomPage> {
    let wanted = query.wanted()?;
    let person = reader.visitor.as_ref().map(|v| &*v.person);
    let user = person.map(|p| p.id);
    // A signed-out reader is nobody's member; channels are open to them here.
    let asking = person.map_or(Asking::from(UserId(0)), Asking::from);
    let marks = chat.rooms.marks.clone();
    let (view, page, (found, more), quotes, rights) = chat
        .rooms
        .db
        .snapshot(move |conn| {
            let found = room::find(conn, id)?;
            may(conn, asking, &found, Verb::Read)?;
            let rights = rights(conn, asking, &found);
            let mark = user.map_or(Ok(None), |user| room::read_mark(conn, user, id))?;
            let page = wanted.find(conn, &found)?;
            let messages = message::page(conn, id, page, message::PAGE)?;
            let quotes = quote::of(conn, id, &messages.0)?;
            let mut view = crate::rooms::RoomView::new(found, mark);
            if let Some(user) = user {
                marks.see(conn, user, std::slice::from_mut(&mut view))?;
            }
            Ok((view, page, messages, quotes, rights))
        })
        .await?;
    // Who is in a room is told to those alone who have a name here themselves.
    let details = match user {
        Some(user) => details::open(chat, user, view.id, &query.details).await?,
        None => None,
    };
    let newer = found.last().is_some_and(|last| last.seq < view.last_seq);
    let older = has_older(page, &found, more);
    let mut messages: Vec<MessageView> = found.into_iter().map(MessageView::from).collect();
    for message in &mut messages {
        message.focus = page == message::Page::Around(message.seq);
        message.reply = message.reply.take().map(|reply| quotes.get(&reply.seq).cloned().unwrap_or(reply));
    }
    arrange(&mut messages, view.read_seq, user.map(|id| id.0));
    let room = drawn(chat, view, &rights, peer, user);
    Ok(RoomPage { messages, more: older, newer, details, ..blank_page(room)? })
}

fn blank_page(room: RoomView) -> Result<RoomPage> {
    Ok(RoomPage {
        shell: Shell::default(),
        room,
        messages: Vec::new(),
        more: false,
        newer: false,
        nonce: Nonce::random()?.as_str().to_owned(),
        typed_text: String::new(),
        bytes_max: None,
        errors: FieldErrors::default(),
        details: None,
    })
}

/// A room as the page shows it.
fn drawn(
    chat: &Chat,
    view: crate::rooms::RoomView,
    rights: &Rights,
    peer: Option<&Person>,
    user: Option<UserId>,
) -> RoomView {
    let name = peer.map_or_else(|| view.name.clone(), |peer| peer.display_name.clone());
    RoomView {
        id: view.id.0,
        kind: view.kind.as_str(),
        href: peer.map_or_else(|| place::href(&view), |peer| direct_href(&peer.username)),
        name,
        topic: view.topic,
        members: view.members,
        joined: view.joined,
        own: rights.rename,
        rev: view.rev,
        last_seq: view.last_seq,
        read_seq: view.read_seq,
        level: view.level.unwrap_or_default(),
        timed: view.about.is_some_and(|about| about.kind == Subject::Media),
        may_invite: rights.invite,
        may_pin: rights.pin,
        may_remove: rights.remove,
        peer: peer.map(|peer| PeerView::of(chat, peer, user)),
    }
}

/// The page of a private conversation that nobody has begun: the room is made by its first message.
fn unwritten(chat: &Chat, person: Option<&Person>, peer: &Person) -> Result<RoomPage> {
    let user = person.map(|p| p.id);
    blank_page(RoomView {
        kind: Kind::Direct.as_str(),
        name: peer.display_name.clone(),
        href: direct_href(&peer.username),
        members: 2,
        joined: true,
        peer: Some(PeerView::of(chat, peer, user)),
        ..RoomView::default()
    })
}

/// `GET /m/{room}/{seq}`: a message's own address leads to the page that shows it among its neighbours.
pub async fn permalink(
    reader: Reader,
    path: web::Path<(RoomId, i64)>,
    chat: web::Data<Chat>,
) -> Result<HttpResponse> {
    let (id, seq) = path.into_inner();
    // A signed-out reader is nobody's member; the board and the channels are open to them here.
    let user = reader.visitor.as_ref().map_or(UserId(0), |v| v.person.id);
    let after = Some(seq.saturating_sub(1).max(0));
    let asked = History { room: id, after, limit: Some(1), ..History::default() };
    let page = command::history(&chat, user, asked).await?;
    if page.messages.first().is_none_or(|m| m.seq != seq) {
        return Err(Error::NotFound("There is no such message."));
    }
    let room = command_rooms::one(&chat, user, id).await?;
    let place = match room.kind {
        Kind::Board => format!("/board?before={}", seq + 1),
        _ => format!("{}?around={seq}", place::href(&room)),
    };
    Ok(see_other(&format!("{place}#m-{seq}")))
}

#[cfg(test)]
mod page_tests {
    use super::*;
    use crate::chat::details::MembersView;
    use crate::site::page::{Person, Stamp};

    const HOSTILE: &str = "\"><script>alert('x')</script>";

    fn message(seq: i64, author: i64, at: i64) -> MessageView {
        MessageView {
            seq,
            rev: seq,
            author: Person::new(author, HOSTILE, author == 2),
            at: Stamp(at),
            text: HOSTILE.into(),
            ..MessageView::default()
        }
    }

    fn hostile_preview() -> crate::rooms::Preview {
        let words = || HOSTILE.to_owned();
        let (url, title, description, site) = (words(), words(), words(), words());
        crate::rooms::Preview { url, title, description, site, picture: None }
    }

    #[test]
    fn the_page_escapes_everything() {
        let mut messages = vec![message(1, 1, 0), message(2, 2, 1000)];
        messages[1].title = HOSTILE.into();
        messages[1].edited = true;
        messages[1].reply = Some(crate::rooms::Quote { seq: 1, name: HOSTILE.into(), words: HOSTILE.into() });
        messages[1].preview = Some(hostile_preview());
        messages[1].reactions =
            vec![crate::rooms::Reaction { emoji: HOSTILE.into(), n: 1, users: vec![UserId(7)] }];
        arrange(&mut messages, 1, Some(1));
        let page = RoomPage {
            shell: Shell::new(HOSTILE, HOSTILE),
            room: RoomView {
                id: 5,
                kind: "direct",
                name: HOSTILE.into(),
                href: "/c/%22".into(),
                topic: HOSTILE.into(),
                members: 2,
                joined: true,
                own: true,
                rev: 2,
                last_seq: 2,
                read_seq: 1,
                level: Level::Mentions,
                timed: true,
                peer: Some(PeerView {
                    username: HOSTILE.into(),
                    state: "online",
                    status: HOSTILE.into(),
                    ..PeerView::default()
                }),
                may_invite: true,
                may_pin: true,
                may_remove: true,
            },
            messages,
            more: true,
            newer: true,
            nonce: HOSTILE.into(),
            typed_text: HOSTILE.into(),
            bytes_max: Some(1),
            errors: FieldErrors::one("text", HOSTILE),
            details: Some(Details::Members(MembersView {
                here: vec![Member {
                    username: HOSTILE.into(),
                    display_name: HOSTILE.into(),
                    text: HOSTILE.into(),
                    ..Member::default()
                }],
                others: Vec::new(),
                next: Some(HOSTILE.into()),
            })),
        };
        let html = page.render().unwrap();
        assert!(!html.contains("<script>alert"), "{html}");
        assert!(html.contains("id=\"m-2\"") && html.contains("data-read-seq=\"1\""), "{html}");
    }
}
