//! The commands that change a message: edit, delete, react, pin, take its preview off.

use super::command::submit_words;
use super::connection::Connection;
use crate::error::{Error, Result};
use crate::ids::RoomId;
use crate::rooms::{Amend, Amendment, Emoji, Request};
use actix::Actor;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub struct Edit {
    pub room: RoomId,
    pub seq: i64,
    pub text: String,
}

#[derive(Debug, Deserialize)]
pub struct Delete {
    pub room: RoomId,
    pub seq: i64,
}

#[derive(Debug, Deserialize)]
pub struct React {
    pub room: RoomId,
    pub seq: i64,
    pub emoji: String,
    pub on: bool,
}

#[derive(Debug, Deserialize)]
pub struct Pin {
    pub room: RoomId,
    pub seq: i64,
    pub on: bool,
}

#[derive(Debug, Deserialize)]
pub struct Preview {
    pub room: RoomId,
    pub seq: i64,
    pub on: bool,
}

/// Submits other words for a message.
pub fn edit(
    connection: &mut Connection,
    ctx: &mut <Connection as Actor>::Context,
    request: Option<u64>,
    edit: Edit,
) {
    let text = edit.text.clone();
    submit_words(connection, ctx, request, (edit.room, &text), move |connection, people| {
        let link = &connection.link;
        let words = link.chat.rooms.author(&link.person).words(&edit.text, people)?;
        amend(connection, (edit.room, edit.seq), Amendment::Edit(words))
    });
}

pub fn delete(connection: &Connection, delete: &Delete) -> Result<Request> {
    amend(connection, (delete.room, delete.seq), Amendment::Delete)
}

pub fn react(connection: &Connection, react: &React) -> Result<Request> {
    let emoji = Emoji::parse(&react.emoji).map_err(|wrong| Error::Invalid(vec![wrong]))?;
    amend(connection, (react.room, react.seq), Amendment::React { emoji, on: react.on })
}

pub fn pin(connection: &Connection, pin: &Pin) -> Result<Request> {
    amend(connection, (pin.room, pin.seq), Amendment::Pin { on: pin.on })
}

pub fn preview(connection: &Connection, preview: &Preview) -> Result<Request> {
    amend(connection, (preview.room, preview.seq), Amendment::Preview { on: preview.on })
}

fn amend(connection: &Connection, (room, seq): (RoomId, i64), what: Amendment) -> Result<Request> {
    // It goes to everybody in the room, as a message does.
    connection.link.chat.limits.send(connection.link.person.id)?;
    Ok(Request::Amend(Amend { room, seq, by: connection.link.person.as_ref().into(), what }))
}
