//! A conversation by its address: a channel by name, a group by number, a private one by the other's user name.

use super::Chat;
use super::command_rooms::person;
use crate::accounts::Person;
use crate::error::Result;
use crate::ids::{RoomId, UserId};
use crate::rooms::room::nowhere;
use crate::rooms::{Kind, RoomView, Verb, direct, may, room};
use crate::site::page::{channel_href, direct_href, group_href, talk_href};
use actix_web::web;
use std::sync::Arc;

/// What a path names.
#[derive(Clone, Debug)]
pub enum Place {
    Channel(String),
    Group(RoomId),
    /// The talk about a thing, by its number.
    Talk(RoomId),
    Direct(String),
}

impl From<web::Path<(String, String)>> for Place {
    /// The kind and the name, as the routes write them.
    fn from(path: web::Path<(String, String)>) -> Self {
        let (kind, name) = path.into_inner();
        match kind.as_str() {
            // A number that is none is the number of no room.
            "g" => Self::Group(name.parse().unwrap_or(RoomId(0))),
            "talk" => Self::Talk(name.parse().unwrap_or(RoomId(0))),
            "dm" => Self::Direct(name),
            _ => Self::Channel(name),
        }
    }
}

/// What was found there.
pub struct Found {
    /// `None` for two people who haven't written to each other yet.
    pub room: Option<RoomId>,
    /// The other one of a private conversation.
    pub peer: Option<Arc<Person>>,
}

impl Place {
    /// Finds the room for `user`, who is nobody's member when signed out.
    ///
    /// # Errors
    /// `NotFound` for what isn't there, or isn't there for them.
    pub async fn find(&self, chat: &Chat, user: Option<UserId>) -> Result<Found> {
        let user = user.unwrap_or(UserId(0));
        match self {
            Self::Channel(name) => {
                let name = name.clone();
                let room = chat.rooms.db.read(move |conn| Ok(room::find_channel(conn, &name)?.id)).await?;
                Ok(Found { room: Some(room), peer: None })
            }
            Self::Group(id) | Self::Talk(id) => {
                let id = *id;
                let kind = if matches!(self, Self::Talk(_)) { Kind::Talk } else { Kind::Group };
                let read = move |conn: &mut _| {
                    let found = room::find(conn, id)?;
                    may(conn, user, &found, Verb::Read)?;
                    if found.kind == kind { Ok(found.id) } else { Err(nowhere()) }
                };
                Ok(Found { room: Some(chat.rooms.db.read(read).await?), peer: None })
            }
            Self::Direct(username) => {
                let peer = person(chat, username).await?;
                let other = peer.id;
                let found = chat.rooms.db.read(move |conn| direct::find(conn, user, other)).await?;
                Ok(Found { room: found.map(|room| room.id), peer: Some(peer) })
            }
        }
    }
}

/// The address of a room. That of a talk leads to what it is about.
pub fn href(view: &RoomView) -> String {
    match (view.kind, &view.peer) {
        (Kind::Board, _) => "/board".to_owned(),
        (Kind::Direct, Some(peer)) => direct_href(&peer.username),
        (Kind::Group | Kind::Direct, _) => group_href(view.id.0),
        (Kind::Talk, _) => talk_href(view.id.0),
        (Kind::Channel, _) => channel_href(&view.name),
    }
}
