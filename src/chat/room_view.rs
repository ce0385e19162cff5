//! The room that a page shows, as its viewer sees it.

use super::Chat;
use crate::accounts::Person;
use crate::ids::UserId;
use crate::rooms::{Kind, Level};

/// The room that a page shows.
#[derive(Debug, Clone, Default)]
pub struct RoomView {
    /// 0 for a private conversation that nobody has begun.
    pub id: i64,
    /// `channel`, `group` or `direct`.
    pub kind: &'static str,
    /// Of a private conversation, what the other one is called.
    pub name: String,
    /// `/c/{name}`, `/g/{id}` or `/dm/{username}`, percent-encoded; `…/join`, `…/leave` and `…/settings` belong to it.
    pub href: String,
    pub topic: String,
    pub members: i64,
    /// The viewer is a member and may write.
    pub joined: bool,
    /// The viewer may change the room.
    pub own: bool,
    /// The room's `rev` in the snapshot that the messages were read in.
    pub rev: i64,
    pub last_seq: i64,
    pub read_seq: i64,
    /// What the viewer wants to hear of it.
    pub level: Level,
    /// The other one of a private conversation.
    pub peer: Option<PeerView>,
    /// A talk about a recording: times that are written in it lead there.
    pub timed: bool,
    /// The viewer may bring others in.
    pub may_invite: bool,
    /// The viewer may pin messages here.
    pub may_pin: bool,
    /// The viewer may delete the messages of others here.
    pub may_remove: bool,
}

/// The other one of a private conversation.
#[derive(Debug, Clone, Default)]
pub struct PeerView {
    pub id: i64,
    pub username: String,
    pub guest: bool,
    /// `online`, `away`, `dnd` or `offline`.
    pub state: &'static str,
    /// What they say about themselves at the moment, or empty.
    pub status: String,
    /// The viewer themselves: this is where they keep notes.
    pub oneself: bool,
}

impl RoomView {
    pub fn is_channel(&self) -> bool {
        self.kind == Kind::Channel.as_str()
    }

    /// The name as it stands before what one writes: a channel has its mark.
    pub fn called(&self) -> String {
        if self.is_channel() { format!("# {}", self.name) } else { self.name.clone() }
    }
}

impl PeerView {
    /// `peer` as they are at the moment, for `viewer`.
    pub fn of(chat: &Chat, peer: &Person, viewer: Option<UserId>) -> Self {
        let here = chat.presence.of(&[peer.id]).pop();
        Self {
            id: peer.id.0,
            username: peer.username.clone(),
            guest: peer.is_guest(),
            state: here.as_ref().map_or("offline", |here| here.state),
            status: here.map(|here| here.text).unwrap_or_default(),
            oneself: viewer == Some(peer.id),
        }
    }
}
