//! What a person has read and wants to hear: read marks and levels, told to all their devices, and the way to a day.

use super::place::{self, Place};
use super::protocol::{self, Nothing, ReadEvent, RoomBody};
use super::server::{Item, Tell};
use super::{Chat, command_rooms};
use crate::accounts::Visitor;
use crate::error::{Error, Result};
use crate::events::Event;
use crate::ids::{RoomId, UserId};
use crate::rooms::{Level, Page, ReadMark, RoomView, message, room};
use crate::site::answer::see_other;
use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use time::Date;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

/// A connection by its worker and number.
type Origin = (usize, u64);

/// The reply to `read`: where the mark stands, if it moved.
#[derive(Serialize)]
#[serde(untagged)]
pub enum Marked {
    Moved(ReadMark),
    Stayed(Nothing),
}

/// Moves a read mark, and tells the person's other devices.
pub async fn mark(chat: &Chat, user: UserId, from: Origin, read: protocol::Read) -> Result<Marked> {
    match chat.rooms.mark_read(user, read.room, read.seq, read.back).await? {
        Some(mark) => {
            chat.tell_read(user, mark, Some(from));
            chat.accounts.events.publish(&Event::ReadMoved(user));
            Ok(Marked::Moved(mark))
        }
        None => Ok(Marked::Stayed(Nothing {})),
    }
}

impl Chat {
    /// Tells a person's devices, except one, where their read mark has come to.
    pub fn tell_read(&self, user: UserId, mark: ReadMark, except: Option<Origin>) {
        let frame = protocol::frame(&ReadEvent { mark });
        self.server.do_send(Tell(Item::Person { user, frame, except }));
    }

    /// Whoever is shown the newest message has seen it, with scripts or without.
    pub(super) fn seen(&self, user: UserId, room: RoomId, last_seq: i64) {
        self.rooms.marks.set(user, room, last_seq, false);
        self.tell_read(user, ReadMark { room, seq: last_seq, back: false, mentions: 0 }, None);
        self.accounts.events.publish(&Event::ReadMoved(user));
    }
}

/// Sets what the person wants to hear of a room, on all their devices.
async fn set_level(
    chat: &Chat,
    user: UserId,
    room: RoomId,
    level: &str,
    from: Option<Origin>,
) -> Result<RoomView> {
    let view = chat.rooms.set_level(user, room, Level::parse(level)?).await?;
    let frame = protocol::level_changed(&view);
    chat.server.do_send(Tell(Item::Person { user, frame, except: from }));
    chat.accounts.events.publish(&Event::LevelChanged(user));
    Ok(view)
}

/// The command `level`.
pub async fn level(chat: &Chat, user: UserId, from: Origin, asked: protocol::SetLevel) -> Result<RoomBody> {
    Ok(RoomBody { room: set_level(chat, user, asked.room, &asked.level, Some(from)).await? })
}

/// What to hear of a room.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct LevelBody {
    /// `all`, `mentions` or `none`.
    level: String,
}

/// Sets what the caller wants to hear of a room: every message, those that call them, or nothing.
#[utoipa::path(put, path = "/api/v1/rooms/{id}/level", tag = "rooms", params(("id" = i64, Path)),
    request_body = LevelBody,
    responses((status = 200, body = RoomView), (status = 403, description = "Not a member"),
        (status = 404, description = "No such room"), (status = 422, description = "No such level")))]
pub async fn put_level(
    visitor: Visitor,
    id: web::Path<RoomId>,
    body: web::Json<LevelBody>,
    chat: web::Data<Chat>,
) -> Result<web::Json<RoomView>> {
    Ok(web::Json(set_level(&chat, visitor.person.id, *id, &body.level, None).await?))
}

/// `POST …/level` below the address of a conversation: the same by a form.
pub async fn post_level(
    visitor: Visitor,
    path: web::Path<(String, String)>,
    form: web::Form<LevelBody>,
    chat: web::Data<Chat>,
) -> Result<HttpResponse> {
    let found = Place::from(path).find(&chat, Some(visitor.person.id)).await?;
    let id = found.room.ok_or_else(room::nowhere)?;
    set_level(&chat, visitor.person.id, id, &form.level, None).await?;
    let view = command_rooms::one(&chat, visitor.person.id, id).await?;
    Ok(see_other(&format!("{}?details=members", place::href(&view))))
}

/// The page of messages that is asked for: by numbers, or around the first message from a moment on.
///
/// # Errors
/// More than one of the four.
pub fn wanted(
    before: Option<i64>,
    after: Option<i64>,
    around: Option<i64>,
    at: Option<i64>,
) -> Result<Wanted> {
    match at {
        None => Ok(Wanted::Page(Page::parse(before, after, around)?)),
        // Answered as the others are when they come together.
        Some(_) if [before, after, around].iter().any(Option::is_some) => {
            Page::parse(Some(-1), after, around).map(Wanted::Page)
        }
        Some(at) => Ok(Wanted::At(at)),
    }
}

/// The first moment of a day in UTC, ms.
///
/// # Errors
/// A sentence for the field `day`.
pub fn day(text: &str) -> Result<i64> {
    const DAY: &[BorrowedFormatItem<'static>] = format_description!("[year]-[month]-[day]");
    Date::parse(text, DAY)
        .map(|date| date.midnight().assume_utc().unix_timestamp() * 1000)
        .map_err(|_| Error::field("day", "A day is written as 2026-11-20."))
}

/// Which page of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    Page(Page),
    /// A moment, ms.
    At(i64),
}

impl Wanted {
    /// The page, once the room is there to look it up.
    pub fn find(self, conn: &mut crate::db::Conn, room: &room::Room) -> Result<Page> {
        match self {
            Self::Page(page) => Ok(page),
            Self::At(at) => Ok(Page::Around(message::seq_at(conn, room, at)?)),
        }
    }
}
