//! One channel as a page with its newest messages, and the forms on it. Everything here works without a script.

use askama::Template;

use super::command;
use super::protocol::History;
use super::timeline::{MessageView, arrange};
use super::{Chat, protocol};
use crate::accounts::{Reader, Visitor};
use crate::error::{Error, Result};
use crate::events::Event;
use crate::ids::{RoomId, UserId};
use crate::rooms::{Kind, Nonce, Request, Target, Typed, message, room};
use crate::site::answer::{html, see_other};
use crate::site::page::{FieldErrors, Pages, Shell, channel_href};
use crate::site::words::filters;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Deserialize;

/// The channel that a page shows.
#[derive(Debug, Clone, Default)]
pub struct RoomView {
    pub id: i64,
    pub name: String,
    /// `/c/{name}`, percent-encoded; `…/join` and `…/leave` belong to it.
    pub href: String,
    pub topic: String,
    pub members: i64,
    /// The viewer is a member and may write.
    pub joined: bool,
    /// The room's `rev` in the snapshot that the messages were read in.
    pub rev: i64,
    pub last_seq: i64,
    pub read_seq: i64,
}

/// One channel.
#[derive(Template)]
#[template(path = "chat/channel.html")]
pub struct ChannelPage {
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
    /// Field `text`, and `""` for the form as a whole.
    pub errors: FieldErrors,
}

impl ChannelPage {
    fn first_seq(&self) -> i64 {
        self.messages.first().map_or(0, |message| message.seq)
    }

    fn blank(&self) -> MessageView {
        MessageView::default()
    }
}

#[derive(Default, Deserialize)]
pub struct PageQuery {
    before: Option<i64>,
    after: Option<i64>,
    around: Option<i64>,
}

/// `GET /c/{name}`: the channel with its newest messages, or those that the query asks for.
pub async fn channel(
    reader: Reader,
    name: web::Path<String>,
    query: web::Query<PageQuery>,
    chat: web::Data<Chat>,
    pages: web::Data<Pages>,
) -> Result<HttpResponse> {
    let query = query.into_inner();
    let page = channel_page(&reader, &name, &query, &chat, &pages).await?;
    if let Some(visitor) = &reader.visitor {
        let (accounts, person, href) =
            (chat.accounts.clone(), visitor.person.clone(), page.room.href.clone());
        if page.room.joined && !page.newer {
            // Whoever is shown the newest message has seen it, with scripts or without.
            chat.rooms.marks.set(visitor.person.id, RoomId(page.room.id), page.room.last_seq, false);
            chat.accounts.events.publish(&Event::ReadMoved(visitor.person.id));
        }
        // Nobody waits for it: the page is right whether or not the place could be kept.
        actix_web::rt::spawn(async move { accounts.remember_place(&person, &href).await });
    }
    html(StatusCode::OK, &page)
}

async fn channel_page(
    reader: &Reader,
    name: &str,
    query: &PageQuery,
    chat: &Chat,
    pages: &Pages,
) -> Result<ChannelPage> {
    let wanted = message::Page::parse(query.before, query.after, query.around)?;
    let user = reader.visitor.as_ref().map(|v| v.person.id);
    let asked = name.to_owned();
    let (mut view, found, more) = chat
        .rooms
        .db
        .snapshot(move |conn| {
            let found = room::find_channel(conn, &asked)?;
            let mark = user.map_or(Ok(None), |user| room::read_mark(conn, user, found.id))?;
            let (messages, more) = message::page(conn, found.id, wanted, message::PAGE)?;
            Ok((crate::rooms::RoomView::new(found, mark), messages, more))
        })
        .await?;
    if let Some(user) = user {
        chat.rooms.marks.overlay(user, std::slice::from_mut(&mut view));
    }
    let newer = found.last().is_some_and(|last| last.seq < view.last_seq);
    // Going forward, `more` speaks of the newer ones; older ones exist unless the page starts with the first.
    let older = if matches!(wanted, message::Page::After(_)) {
        found.first().is_some_and(|m| m.seq > 1)
    } else {
        more
    };
    let mut messages: Vec<MessageView> = found.into_iter().map(MessageView::from).collect();
    for message in &mut messages {
        message.focus = query.around == Some(message.seq);
    }
    arrange(&mut messages, view.read_seq, user.map(|id| id.0));
    let href = channel_href(&view.name);
    Ok(ChannelPage {
        shell: pages.shell(reader.viewer(), view.name.clone(), href.clone()).await,
        room: RoomView {
            id: view.id.0,
            name: view.name,
            href,
            topic: view.topic,
            members: view.members,
            joined: view.joined,
            rev: view.rev,
            last_seq: view.last_seq,
            read_seq: view.read_seq,
        },
        messages,
        more: older,
        newer,
        nonce: Nonce::random()?.as_str().to_owned(),
        typed_text: String::new(),
        errors: FieldErrors::default(),
    })
}

#[derive(Deserialize)]
pub struct SendForm {
    #[serde(default)]
    text: String,
    /// A browser's form brings one; a hand-written request may leave it out.
    nonce: Option<String>,
}

/// `POST /c/{name}`: sends a message and goes back to the channel.
pub async fn send(
    visitor: Visitor,
    name: web::Path<String>,
    form: web::Form<SendForm>,
    chat: web::Data<Chat>,
    pages: web::Data<Pages>,
) -> Result<HttpResponse> {
    let form = form.into_inner();
    let asked = name.clone();
    let room = chat.rooms.db.read(move |conn| room::find_channel(conn, &asked)).await?;
    match post(&visitor, room.id, &form, &chat).await {
        Ok(()) => Ok(see_other(&channel_href(&room.name))),
        Err(error @ (Error::Invalid(_) | Error::Conflict { .. } | Error::TooMany { .. })) => {
            let reader = Reader { visitor: Some(visitor) };
            let mut page = channel_page(&reader, &name, &PageQuery::default(), &chat, &pages).await?;
            page.errors = FieldErrors::of_error(&error, "text");
            page.typed_text = form.text;
            html(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(error) => Err(error),
    }
}

async fn post(visitor: &Visitor, room: RoomId, form: &SendForm, chat: &Chat) -> Result<()> {
    chat.limits.send(visitor.person.id)?;
    let nonce = match &form.nonce {
        Some(nonce) => nonce.clone(),
        None => Nonce::random()?.as_str().to_owned(),
    };
    let typed = Typed { nonce, text: form.text.clone(), ..Typed::default() };
    chat.rooms.post(typed.check(visitor.person.as_ref().into(), room)?).await.map(drop)
}

/// `POST /c/{name}/join`
pub async fn join(visitor: Visitor, name: web::Path<String>, chat: web::Data<Chat>) -> Result<HttpResponse> {
    let target = Target::Channel(name.into_inner());
    let room = chat.rooms.change_room(Request::Join { user: visitor.person.id, target }).await?;
    Ok(see_other(&channel_href(&room.name)))
}

/// `POST /c/{name}/leave`
pub async fn leave(visitor: Visitor, name: web::Path<String>, chat: web::Data<Chat>) -> Result<HttpResponse> {
    let target = Target::Channel(name.into_inner());
    chat.rooms.change_room(Request::Leave { user: visitor.person.id, target }).await?;
    Ok(see_other("/channels"))
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
    let around = History {
        room: id,
        before: None,
        after: Some(seq.saturating_sub(1).max(0)),
        around: None,
        limit: Some(1),
    };
    let page = command::history(&chat, user, protocol::History { ..around }).await?;
    if page.messages.first().is_none_or(|m| m.seq != seq) {
        return Err(Error::NotFound("There is no such message."));
    }
    let room = chat.rooms.db.read(move |conn| room::find(conn, id)).await?;
    let place = match room.kind {
        Kind::Board => format!("/board?before={}", seq + 1),
        _ => format!("{}?around={seq}", channel_href(&room.name)),
    };
    Ok(see_other(&format!("{place}#m-{seq}")))
}

#[cfg(test)]
mod page_tests {
    use super::*;
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

    #[test]
    fn the_channel_page_escapes_everything() {
        let mut messages = vec![message(1, 1, 0), message(2, 2, 1000)];
        messages[1].title = HOSTILE.into();
        messages[1].edited = true;
        arrange(&mut messages, 1, Some(1));
        let page = ChannelPage {
            shell: Shell::new(HOSTILE, HOSTILE),
            room: RoomView {
                id: 5,
                name: HOSTILE.into(),
                href: "/c/%22".into(),
                topic: HOSTILE.into(),
                members: 2,
                joined: true,
                rev: 2,
                last_seq: 2,
                read_seq: 1,
            },
            messages,
            more: true,
            newer: true,
            nonce: HOSTILE.into(),
            typed_text: HOSTILE.into(),
            errors: FieldErrors::one("text", HOSTILE),
        };
        let html = page.render().unwrap();
        assert!(!html.contains("<script>alert"), "{html}");
        assert!(html.contains("id=\"m-2\"") && html.contains("data-read-seq=\"1\""), "{html}");
    }
}
