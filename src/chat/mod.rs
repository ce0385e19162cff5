//! Talking: channels over WebSockets, pages and the HTTP API.
//!
//! Each WebSocket is a `Connection` actor registered with the [`ChatServer`], which sends every
//! committed change to the [`Shard`] of each HTTP worker, which puts it into its connections' outboxes.

mod amend;
pub mod api;
pub mod api_amend;
pub mod api_rooms;
pub mod blocks;
pub mod bookmarks;
pub mod channel_list;
mod classic;
mod classic_picture;
mod classic_protocol;
mod classic_talk;
mod command;
mod command_rooms;
mod command_together;
mod company;
mod connection;
mod crowd;
mod details;
pub mod download;
mod floor;
pub mod forms;
pub mod group_list;
mod members;
mod others;
mod pace;
pub mod pages;
pub mod person;
mod place;
mod presence;
pub(crate) mod protocol;
mod protocol_rooms;
pub mod reading;
mod ready;
pub mod reports;
pub mod room_settings;
mod room_view;
pub mod search;
pub mod search_page;
mod server;
mod shard;
pub mod socket;
pub mod talk;
mod timeline;
mod together;
pub mod upload;

pub use classic::Classic;
pub use connection::Connection;
pub use presence::Presence;
pub use protocol::FRAME_BYTES;
pub use server::{AddShard, ChatServer, Count, Item, Publish, Tell};
pub use shard::{Local, Shard};

use crate::accounts::{Accounts, Person};
use crate::error::{Error, Result};
use crate::ids::{RoomId, UserId};
use crate::rooms::{Asking, Mentionable, RoomView, Rooms, room};
use crate::site::limit::Limits;
use actix::Addr;
use std::sync::Arc;
use std::time::Duration;

/// What every part of the chat may reach. Cheap to clone: each frame does.
#[derive(Clone)]
pub struct Chat(Arc<Parts>);

/// What a [`Chat`] is a handle to.
pub struct Parts {
    pub rooms: Rooms,
    pub accounts: Accounts,
    pub server: Addr<ChatServer>,
    pub presence: Presence,
    pub limits: Arc<Limits>,
    /// This process, by a random word.
    pub node: Arc<str>,
    /// Changes when the messages database was restored: clients drop what they have then.
    pub epoch: Arc<str>,
    sizes: moka::sync::Cache<RoomId, i64>,
    names: classic_talk::Names,
}

impl std::ops::Deref for Chat {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl Chat {
    /// Puts the chat together on an opened house.
    ///
    /// # Errors
    /// When the messages database can't say its epoch.
    pub async fn open(
        rooms: Rooms,
        accounts: Accounts,
        server: Addr<ChatServer>,
        presence: Presence,
        limits: Arc<Limits>,
    ) -> Result<Self> {
        let epoch = rooms.epoch().await?;
        let node = crate::rooms::Nonce::random()?.as_str()[..8].into();
        // A room's size decides only whether typing is told; ten seconds old is good enough.
        let sizes =
            moka::sync::Cache::builder().max_capacity(10_000).time_to_live(Duration::from_secs(10)).build();
        Ok(Self(Arc::new(Parts {
            rooms,
            accounts,
            server,
            presence,
            limits,
            node,
            epoch: epoch.into(),
            sizes,
            names: classic_talk::Names::default(),
        })))
    }

    /// What a text for `room` can mean by `@name`, `#name` and, about a recording, by `1:23`.
    async fn named_in(&self, room: Option<RoomId>, text: &str) -> Result<Mentionable> {
        self.rooms.mentionable(&self.accounts.directory, room, text).await
    }

    /// How many members a room has; the board counts as everybody.
    async fn size(&self, id: RoomId) -> Result<i64> {
        if id == crate::ids::BOARD {
            return Ok(i64::MAX);
        }
        if let Some(size) = self.sizes.get(&id) {
            return Ok(size);
        }
        let size = self.rooms.db.read(move |conn| Ok(room::find(conn, id)?.members)).await?;
        self.sizes.insert(id, size);
        Ok(size)
    }

    /// Tells the person's own browsers, and those who watch them, how they are called, coloured and pictured now.
    pub async fn tell_profile(&self, person: Arc<Person>) {
        // Without the style sheet the next page has it.
        let faces = self.accounts.faces.sheet().await.map(|sheet| sheet.href()).unwrap_or_default();
        let frame = protocol::frame(&serde_json::json!({
            "type": "profile", "user": person.id, "username": person.username, "name": person.display_name,
            "guest": person.is_guest(),
            "color": person.hue, "picture": person.picture_href(), "faces": faces,
        }));
        self.server.do_send(Tell(Item::Profile { person, frame }));
    }

    /// Sets how long one person has to wait between two messages in a room.
    ///
    /// # Errors
    /// `Forbidden` for who is neither the room's owner nor a moderator; `Invalid` for too long a time.
    pub async fn slow_down(&self, by: Asking, room: RoomId, seconds: i32) -> Result<RoomView> {
        command_rooms::slow_down(self, by, room, seconds).await
    }

    /// Says something to a person's own browsers, in a banner. Nothing takes the last one away.
    pub fn tell_notice(&self, user: UserId, text: &str) {
        let frame = protocol::frame(&serde_json::json!({ "type": "notice", "text": text }));
        self.server.do_send(Tell(Item::Person { user, frame, except: None }));
    }

    /// Tells somebody until when they may only read, or that they may write again.
    pub fn tell_silence(&self, person: &Person) {
        let words = person.may_speak().err().map(|refused| refused.detail()).unwrap_or_default();
        self.tell_notice(person.id, &words);
    }

    /// Takes over the state that somebody has chosen and what they say with it.
    pub fn tell_status(&self, person: &Person) {
        self.server.do_send(server::SetStatus {
            user: person.id,
            state: person.status_state.as_str(),
            text: person.status_text.clone(),
        });
    }

    /// Tells the members of rooms who has come and gone, and how many they are; meant to be called every second.
    ///
    /// # Errors
    /// When the newcomers' names can't be read. Their rooms learn the count with the next change.
    pub async fn tell_crowds(&self) -> Result<()> {
        let news = self.server.send(server::TakeNews).await.map_err(|e| Error::internal(e.to_string()))?;
        let came: Vec<UserId> = news.iter().flat_map(|n| n.came.iter().copied()).collect();
        let people = self.accounts.directory.many(&came).await?;
        for one in news {
            self.server.do_send(Tell(Item::Room {
                room: one.room,
                frames: one.frame(&people),
                messages: Vec::new(),
            }));
        }
        Ok(())
    }

    /// Tells everybody to come back after the restart, each in a moment of their own.
    pub fn say_farewell(&self) {
        self.server.do_send(Tell(Item::Farewell));
    }

    /// Tells the sockets of ended sessions and tokens to go.
    pub fn end_connections(&self, ended: Vec<crate::ids::Credential>) {
        let frame = protocol::close_frame(protocol::SIGNED_OUT, "You are signed out.");
        self.server.do_send(Tell(Item::End { ended, frame }));
    }
}
