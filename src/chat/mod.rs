//! Talking: channels over WebSockets, pages and the HTTP API.
//!
//! Each WebSocket is a `Connection` actor registered with the [`ChatServer`], which sends every
//! committed change to the [`Shard`] of each HTTP worker, which puts it into its connections' outboxes.

pub mod api;
pub mod channel_list;
mod command;
mod connection;
mod frame_guard;
mod outbox;
pub mod pages;
mod presence;
mod protocol;
mod ready;
mod server;
mod shard;
pub mod socket;
mod timeline;

pub use presence::Presence;
pub use protocol::FRAME_BYTES;
pub use server::{AddShard, ChatServer, Count, Item, Publish, Tell};
pub use shard::{Local, Shard};

use crate::accounts::{Accounts, Person};
use crate::error::Result;
use crate::ids::RoomId;
use crate::rooms::{Rooms, room};
use crate::site::limit::Limits;
use actix::Addr;
use std::sync::Arc;
use std::time::Duration;

/// What every part of the chat may reach. Cheap to clone.
#[derive(Clone)]
pub struct Chat {
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
        Ok(Self { rooms, accounts, server, presence, limits, node, epoch: epoch.into(), sizes })
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

    /// Tells the person's own browsers, and those who watch them, how they are called and coloured now.
    pub fn tell_profile(&self, person: Arc<Person>) {
        let frame = protocol::frame(&serde_json::json!({
            "type": "profile", "user": person.id, "name": person.display_name, "guest": person.is_guest(),
            "color": person.hue,
        }));
        self.server.do_send(Tell(Item::Profile { person, frame }));
    }

    /// Tells everybody to come back after the restart, each in a moment of their own.
    pub fn say_farewell(&self) {
        self.server.do_send(Tell(Item::Farewell));
    }

    /// Tells a session's sockets to go.
    pub fn end_sessions(&self, sessions: Vec<crate::ids::SessionId>) {
        let frame = protocol::close_frame(protocol::SIGNED_OUT, "You are signed out.");
        self.server.do_send(Tell(Item::EndSessions { sessions, frame }));
    }
}
