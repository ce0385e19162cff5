//! Changes of a message that is there: edit, delete, react, pin. Each takes the next `rev` of its room, unless it
//! changes nothing.

use super::attachment;
use super::change::Fact;
use super::membership::{self, Asking, Verb};
use super::mention;
use super::message::{self, Message};
use super::post;
use super::preview::{self, Linked};
use super::reaction::{self, Emoji};
use super::report;
use super::room::Room;
use super::words::Words;
use crate::clock::now_ms;
use crate::db::Conn;
use crate::db::schema::messages::{messages, rooms};
use crate::error::{Error, Result};
use crate::ids::RoomId;
use diesel::prelude::*;

/// What is done to it.
#[derive(Clone, Debug)]
pub enum Amendment {
    Edit(Words),
    Delete,
    React {
        emoji: Emoji,
        on: bool,
    },
    Pin {
        on: bool,
    },
    /// Whether it shows what the page that it leads to says of itself.
    Preview {
        on: bool,
    },
}

/// A change of one message on its way through the write door.
#[derive(Clone, Debug)]
pub struct Amend {
    pub room: RoomId,
    pub seq: i64,
    pub by: Asking,
    pub what: Amendment,
}

impl Amend {
    /// The page that the message leads to because of this change.
    pub(super) fn leads(&self, message: &Message) -> Option<Fact> {
        match &self.what {
            Amendment::Edit(words) => Linked::of(message, words.link.as_ref()),
            Amendment::Preview { on: true } => Linked::of(message, preview::link_of(message).as_ref()),
            _ => None,
        }
    }
}

/// Applies one change inside a savepoint. Answers with the message as it is now, and `false` when it was so already: no
/// `rev` was taken then.
///
/// # Errors
/// `NotFound` for a room that the person can't see or a message that isn't there, `Forbidden`, `Conflict` for a
/// message that was deleted, `Invalid` for one emoji too many.
pub fn apply(conn: &mut Conn, amend: &Amend) -> Result<(Message, bool)> {
    let room = post::lock(conn, amend.room)?.ok_or(Error::NotFound("There is no such room."))?;
    membership::may(conn, amend.by, &room, Verb::Read)?;
    let mut message = message::find(conn, room.id, amend.seq)?;
    membership::may(conn, amend.by, &room, verb(amend, &message)?)?;
    if message.deleted_at.is_some() {
        return match amend.what {
            Amendment::Delete => Ok((message, false)),
            _ => Err(Error::conflict("deleted", "This message was deleted.")),
        };
    }
    let is_changed = match &amend.what {
        Amendment::Edit(words) => edit(conn, &room, &mut message, words)?,
        Amendment::Delete => delete(conn, &mut message)?,
        Amendment::React { emoji, on } => reaction::set(conn, &mut message, amend.by.id, *emoji, *on)?,
        Amendment::Pin { on } => std::mem::replace(&mut message.pinned, *on) != *on,
        Amendment::Preview { on } => preview::set(conn, &mut message, *on)?,
    };
    if is_changed {
        message.rev = room.rev + 1;
        store(conn, &message)?;
        if let Amendment::Edit(Words { flagged: Some(word), .. }) = &amend.what {
            report::file(conn, &message, word)?;
        }
    }
    Ok((message, is_changed))
}

/// Other words in the place of what the house has said itself. Nothing where they are the same, or the message is gone.
pub(super) fn reword(conn: &mut Conn, first: &Message, words: &Words) -> Result<Option<Message>> {
    let Some(room) = post::lock(conn, first.room)? else { return Ok(None) };
    let mut message = message::find(conn, room.id, first.seq)?;
    if message.deleted_at.is_some() || !edit(conn, &room, &mut message, words)? {
        return Ok(None);
    }
    message.rev = room.rev + 1;
    store(conn, &message)?;
    Ok(Some(message))
}

fn verb(amend: &Amend, message: &Message) -> Result<Verb> {
    let is_own = message.user == amend.by.id;
    match amend.what {
        Amendment::Edit(_) | Amendment::Preview { .. } if is_own => Ok(Verb::Edit),
        Amendment::Edit(_) => Err(Error::forbidden("not_yours", "Only its author can edit a message.")),
        Amendment::Delete if is_own => Ok(Verb::Retract),
        Amendment::Delete | Amendment::Preview { .. } => Ok(Verb::Remove),
        Amendment::React { .. } => Ok(Verb::React),
        Amendment::Pin { .. } => Ok(Verb::Pin),
    }
}

fn edit(conn: &mut Conn, room: &Room, message: &mut Message, words: &Words) -> Result<bool> {
    if message.text == words.text.as_str() {
        return Ok(false);
    }
    keep_digest(message);
    if preview::link_of(message) != words.link {
        preview::forget(conn, message)?;
    }
    words.text.as_str().clone_into(&mut message.text);
    message.html.clone_from(&words.html);
    message.to_all = words.to_all;
    message.edited_at = Some(now_ms());
    let called = mention::reached(conn, room, message.user, &words.mentions)?;
    mention::replace(conn, message.room, message.seq, &called)?;
    Ok(true)
}

/// Keeps the place, and nothing of what was said there.
fn delete(conn: &mut Conn, message: &mut Message) -> Result<bool> {
    reaction::clear(conn, message)?;
    empty(conn, message)?;
    if message.attachments.take().is_some() {
        attachment::forget(conn, message.room, message.seq)?;
    }
    Ok(true)
}

/// Leaves of a message what a deleted one leaves, but for the files that came with it.
pub(super) fn empty(conn: &mut Conn, message: &mut Message) -> Result<()> {
    keep_digest(message);
    mention::replace(conn, message.room, message.seq, &[])?;
    preview::forget(conn, message)?;
    message.reactions = None;
    message.text.clear();
    message.title = None;
    message.html = None;
    message.edited_at = None;
    message.pinned = false;
    message.to_all = false;
    message.deleted_at = Some(now_ms());
    Ok(())
}

/// What it said at first is what a repeated nonce is compared with, for ever.
fn keep_digest(message: &mut Message) {
    if message.first_digest.is_none() {
        message.first_digest = Some(message.digest());
    }
}

/// Writes what a change may have changed, and the `rev` that the message carries.
pub(super) fn store(conn: &mut Conn, message: &Message) -> Result<()> {
    diesel::update(messages::table.find((message.room, message.seq)))
        .set((
            messages::rev.eq(message.rev),
            messages::title.eq(&message.title),
            messages::text.eq(&message.text),
            messages::html.eq(&message.html),
            messages::edited_at.eq(message.edited_at),
            messages::deleted_at.eq(message.deleted_at),
            messages::first_digest.eq(&message.first_digest),
            messages::pinned.eq(message.pinned),
            messages::to_all.eq(message.to_all),
            messages::reactions.eq(&message.reactions),
            messages::attachments.eq(&message.attachments),
            messages::preview.eq(&message.preview),
        ))
        .execute(conn)?;
    diesel::update(rooms::table.find(message.room)).set(rooms::rev.eq(message.rev)).execute(conn)?;
    Ok(())
}
