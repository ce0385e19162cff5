//! What a person wants to hear of a room, and how often they are called there.

use super::room::{self, RoomView};
use super::unread::{ReadMarks, meet_board};
use crate::db::Conn;
use crate::db::schema::messages::{memberships, mentions, messages};
use crate::error::{Error, Result};
use crate::ids::{BOARD, RoomId, UserId};
use crate::rooms::membership::{self, Verb};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};

/// Rooms in one query: each is a term of its own, and SQLite takes a thousand of them at most.
const AT_ONCE: usize = 100;

/// What of a room makes itself heard: counts in the rail and the title, tones, notifications.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Every message.
    #[default]
    All,
    /// Messages that call the person, or everybody.
    Mentions,
    /// Nothing.
    None,
}

impl Level {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Mentions => "mentions",
            Self::None => "none",
        }
    }

    /// # Errors
    /// A sentence for the field `level`.
    pub fn parse(text: &str) -> Result<Self> {
        match text {
            "all" => Ok(Self::All),
            "mentions" => Ok(Self::Mentions),
            "none" => Ok(Self::None),
            _ => Err(Error::field("level", "A level is all, mentions or none.")),
        }
    }
}

/// Stores what a member wants to hear of a room, and gives the room back.
///
/// # Errors
/// `NotFound` for a room that isn't there for them, `Forbidden` for one that they have not joined.
pub fn set(conn: &mut Conn, user: UserId, id: RoomId, level: Level) -> Result<RoomView> {
    let found = room::find(conn, id)?;
    membership::may(conn, user, &found, Verb::Post)?;
    if id == BOARD {
        meet_board(conn, user)?;
    }
    diesel::update(memberships::table.find((user, id)))
        .set(memberships::level.eq(level.as_str()))
        .execute(conn)?;
    let mark = room::read_mark(conn, user, id)?;
    Ok(RoomView::new(found, mark))
}

impl ReadMarks {
    /// Completes rooms that were just read from the database as `user` sees them: where they have read to by now, what
    /// they want to hear, how often they are called in what they haven't read. Call it in the snapshot of the rooms.
    pub fn see(&self, conn: &mut Conn, user: UserId, views: &mut [RoomView]) -> Result<()> {
        self.overlay(user, views);
        let levels: Vec<(RoomId, String)> = memberships::table
            .filter(memberships::user_id.eq(user).and(memberships::level.ne(Level::All.as_str())))
            .select((memberships::room_id, memberships::level))
            .load(conn)?;
        let levels: HashMap<RoomId, String> = levels.into_iter().collect();
        for view in views.iter_mut() {
            let level = levels.get(&view.id).and_then(|level| Level::parse(level).ok());
            view.level = Some(level.unwrap_or_default());
        }
        count_calls(conn, user, views)
    }
}

/// Counts in each room how many of the messages after its `read_seq` call `user`.
pub(super) fn count_calls(conn: &mut Conn, user: UserId, views: &mut [RoomView]) -> Result<()> {
    let behind: Vec<(RoomId, i64)> =
        views.iter().filter(|view| view.unread() > 0).map(|view| (view.id, view.read_seq)).collect();
    let mut calls: HashMap<RoomId, i64> = HashMap::new();
    for part in behind.chunks(AT_ONCE) {
        for (room, _) in called(conn, user, part)? {
            *calls.entry(room).or_default() += 1;
        }
    }
    for view in views.iter_mut() {
        view.mentions = calls.get(&view.id).copied().unwrap_or(0);
    }
    Ok(())
}

/// The messages after each of these marks that call `user`, by name or with everybody else. A message that does both
/// is one.
fn called(conn: &mut Conn, user: UserId, marks: &[(RoomId, i64)]) -> Result<HashSet<(RoomId, i64)>> {
    let mut by_name = mentions::table.select((mentions::room_id, mentions::seq)).into_boxed();
    let mut to_all = messages::table.select((messages::room_id, messages::seq)).into_boxed();
    for (room, read) in marks {
        // The person in every term, so that each of them is one range of the primary key.
        by_name = by_name.or_filter(
            mentions::user_id.eq(user).and(mentions::room_id.eq(*room)).and(mentions::seq.gt(*read)),
        );
        to_all = to_all.or_filter(
            messages::to_all
                .and(messages::room_id.eq(*room))
                .and(messages::seq.gt(*read))
                .and(messages::author_id.ne(user))
                .and(messages::deleted_at.is_null()),
        );
    }
    let mut found: HashSet<(RoomId, i64)> = by_name.load(conn)?.into_iter().collect();
    found.extend(to_all.load::<(RoomId, i64)>(conn)?);
    Ok(found)
}
