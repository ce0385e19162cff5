//! What a room, a member and a message are: nouns, queries and rules. No sockets, no pages.
//!
//! Everything that changes a room is a [`Change`] that passes through the messages database's one write door; what
//! came of it leaves as [`Committed`], in the order of the commits.

pub mod change;
pub mod membership;
pub mod message;
pub mod post;
pub mod room;
mod state;
pub mod unread;

pub use change::{Asker, Change, Committed, Fact, Origin, Outcome, Request, Target};
pub use membership::{Verb, may};
pub use message::{Message, Nonce, Page, Text, Title};
pub use post::{Author, Post, Posted, Typed};
pub use room::{Kind, Room, RoomName, RoomView};
pub use state::Rooms;
pub use unread::ReadMarks;

/// The messages database.
pub type Db = crate::db::Database<Change>;
