//! The list of places beside every page. Floor 0 can't know rooms, so `app.rs` gives a [`RailProvider`].

use std::pin::Pin;
use std::sync::Arc;

/// The rail of one person, when it is ready.
pub type RailFuture = Pin<Box<dyn Future<Output = Arc<Rail>>>>;

/// Gives the rail of one person; implemented above this floor.
pub trait RailProvider: Send + Sync {
    /// The rail of `user`, cheap enough to be asked for every page.
    fn rail(&self, user: i64) -> RailFuture;
}

/// The list of places beside every page.
#[derive(Debug, Clone, Default)]
pub struct Rail {
    /// The board has notes that the person hasn't seen.
    pub board_unread: bool,
    /// Joined channels, in the order they are shown.
    pub channels: Vec<RailRoom>,
    /// The person's groups, in the order they are shown.
    pub groups: Vec<RailRoom>,
    /// Private conversations that have been begun, the newest first.
    pub directs: Vec<RailRoom>,
    /// Talks about things with something unread in them, the newest first.
    pub talks: Vec<RailRoom>,
    /// The person is in more rooms than are listed.
    pub more_channels: bool,
    /// Whom the person has blocked, by id.
    pub blocked: Vec<i64>,
    /// The address of the style sheet with the pictures that people have chosen; empty for none.
    pub faces: String,
}

/// One room in the rail.
#[derive(Debug, Clone, Default)]
pub struct RailRoom {
    pub id: i64,
    /// `channel`, `group`, `direct` or `talk`.
    pub kind: &'static str,
    /// Of a private conversation, what the other one is called.
    pub name: String,
    /// `/c/{name}`, `/g/{id}`, `/dm/{username}` or `/talk/{id}`, percent-encoded.
    pub href: String,
    /// The other one of a private conversation.
    pub peer: Option<i64>,
    /// Whether the other one is here: `online`, `away`, `dnd`, `offline`.
    pub state: &'static str,
    /// `last_seq - read_seq`.
    pub unread: i64,
    /// Of those, how many call the person.
    pub mentions: i64,
    /// What of it makes itself heard: `mentions`, `none`, or all.
    pub level: &'static str,
}

impl RailRoom {
    /// One of each kind, from which scripts make those that come while one looks.
    pub fn blanks() -> [Self; 4] {
        let blank = |kind, peer| Self { kind, peer, state: "offline", ..Self::default() };
        [blank("channel", None), blank("group", None), blank("direct", Some(0)), blank("talk", None)]
    }

    /// Counts nothing and stays quiet.
    pub fn is_muted(&self) -> bool {
        self.level == "none"
    }

    /// How much of it wants to be read; `static/js/lib/rooms.js` follows the same rule.
    pub fn count(&self) -> i64 {
        match self.level {
            "none" => 0,
            "mentions" => self.mentions,
            _ => self.unread,
        }
    }

    /// Somebody called the person there, and they want to know.
    pub fn is_called(&self) -> bool {
        self.mentions > 0 && !self.is_muted()
    }

    /// The count as it is shown: short, so that the rail keeps its width.
    pub fn label(&self) -> String {
        let count = if self.count() > 99 { "99+".into() } else { self.count().to_string() };
        if self.is_called() { format!("@{count}") } else { count }
    }
}
