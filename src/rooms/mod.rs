//! What a room, a member and a message are: nouns, queries and rules. No sockets, no pages.
//!
//! Everything that changes a room is a [`Change`] that passes through the messages database's one write door; what
//! came of it leaves as [`Committed`], in the order of the commits.

pub mod amend;
pub mod attachment;
mod author;
pub mod block;
pub mod bookmark;
pub mod change;
mod content;
pub mod direct;
pub mod filter;
pub mod group;
mod json;
pub mod level;
pub mod membership;
mod mention;
pub mod message;
pub mod post;
pub mod preview;
mod purge;
pub mod quote;
mod reaction;
pub mod report;
pub mod room;
pub mod saying;
pub mod search;
mod settle;
pub mod slow;
mod state;
pub mod takedown;
pub mod talk;
mod typed;
pub mod unread;
pub mod upload;
mod words;

pub use amend::{Amend, Amendment};
pub use attachment::Attachment;
pub use author::{Author, Bounds};
pub use change::{Asker, Change, Committed, Fact, Origin, Outcome, Request, Target};
pub use direct::Party;
pub use group::GroupName;
pub use level::Level;
pub use membership::{Asking, Verb, may};
pub use message::{Message, Page, Scope};
pub use post::{Post, Posted, Typed};
pub use preview::{Linked, Preview, Showing};
pub use quote::Quote;
pub use reaction::{Emoji, Reaction};
pub use room::{Kind, Peer, Room, RoomName, RoomView};
pub use saying::{Saying, Shown};
pub use state::Rooms;
pub use talk::{About, Panel, TalkProvider};
pub use typed::{Nonce, Text, Title};
pub use unread::{ReadMark, ReadMarks};
pub use upload::Uploads;
pub use words::{Mentionable, Words};

/// The messages database.
pub type Db = crate::db::Database<Change>;
