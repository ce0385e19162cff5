//! What a person wants to hear of a room, and how often they are called there.

use super::room::{self, RoomView};
use super::unread::{ReadMarks, meet_board};
use crate::db::Conn;
use crate::db::schema::messages::memberships;
use crate::error::{Error, Result};
use crate::ids::{BOARD, RoomId, UserId};
use crate::rooms::membership::{self, Verb};
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Where counting ends: who comes back after a year is told at once that there were many.
const COUNTED: i64 = 1000;

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

/// Counts in each room how many of the messages after its `read_seq` call `user`, by name or with everybody else; at
/// most [`COUNTED`] of each kind.
pub(super) fn count_calls(conn: &mut Conn, user: UserId, views: &mut [RoomView]) -> Result<()> {
    let behind: Vec<&RoomView> = views.iter().filter(|view| view.unread() > 0).collect();
    let calls = if behind.is_empty() { HashMap::new() } else { called(conn, user, &behind)? };
    for view in views.iter_mut() {
        view.mentions = calls.get(&view.id).copied().unwrap_or(0);
    }
    Ok(())
}

#[derive(QueryableByName)]
struct Calls {
    #[diesel(sql_type = BigInt)]
    room: RoomId,
    #[diesel(sql_type = BigInt)]
    calls: i64,
}

/// Written out, as Diesel has neither a table of values nor a choice of index. Each room is one range of two indexes,
/// however much was said there: left to itself, SQLite would read every message that the person hasn't.
fn called(conn: &mut Conn, user: UserId, behind: &[&RoomView]) -> Result<HashMap<RoomId, i64>> {
    let marks: Vec<String> = behind.iter().map(|view| format!("({}, {})", view.id, view.read_seq)).collect();
    let by_index = match conn {
        Conn::Sqlite(_) => " INDEXED BY messages_to_all",
        Conn::Postgres(_) => "",
    };
    // A message that does both is one call.
    let found: Vec<Calls> = diesel::sql_query(format!(
        "WITH marks (room, seen) AS (VALUES {}) SELECT CAST(room AS BIGINT) AS room, \
         (SELECT count(*) FROM (SELECT 1 FROM mentions WHERE user_id = {user} AND room_id = room AND seq > seen \
         LIMIT {COUNTED}) AS named) + \
         (SELECT count(*) FROM (SELECT 1 FROM messages AS m{by_index} WHERE to_all AND room_id = room AND seq > seen \
         AND author_id <> {user} AND NOT EXISTS (SELECT 1 FROM mentions AS n WHERE n.user_id = {user} \
         AND n.room_id = m.room_id AND n.seq = m.seq) LIMIT {COUNTED}) AS everybody) AS calls FROM marks",
        marks.join(", ")
    ))
    .load(conn)?;
    Ok(found.into_iter().map(|row| (row.room, row.calls)).collect())
}
