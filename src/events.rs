//! Facts that one feature tells the others: past tense, ids only. `app` says who listens.

use crate::ids::{Credential, UserId};
use std::sync::{Arc, RwLock};

/// Something that has happened and is already stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// These sessions and tokens are over (signed out, revoked, expired, account disabled): their sockets must go.
    CredentialsEnded(Vec<Credential>),
    /// Somebody has read on, or marked something unread.
    ReadMoved(UserId),
    /// Somebody was shown the board up to this note, by a page.
    BoardSeen { user: UserId, seq: i64 },
    /// Somebody wants to hear more or less of a room.
    LevelChanged(UserId),
    /// Somebody has blocked another person, or lets them speak again.
    BlocksChanged(UserId),
    /// Somebody has set their state or what they say about themselves.
    StatusChanged(UserId),
    /// Somebody's display name or colour is another one now.
    ProfileChanged(UserId),
    /// Somebody may only read from now on, or may write again.
    Silenced(UserId),
}

type Listener = Box<dyn Fn(&Event) + Send + Sync>;

/// Where facts are published. Listeners run on the publisher's thread, so they only pass the fact on.
#[derive(Clone, Default)]
pub struct Events {
    listeners: Arc<RwLock<Vec<Listener>>>,
}

impl Events {
    pub fn listen(&self, listener: impl Fn(&Event) + Send + Sync + 'static) {
        self.listeners.write().unwrap_or_else(std::sync::PoisonError::into_inner).push(Box::new(listener));
    }

    pub fn publish(&self, event: &Event) {
        for listener in self.listeners.read().unwrap_or_else(std::sync::PoisonError::into_inner).iter() {
            listener(event);
        }
    }
}
