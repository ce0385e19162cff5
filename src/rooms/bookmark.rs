//! Messages that somebody has kept for themselves. Nobody else learns of it.

use super::membership::{self, Verb};
use super::message::{self, Message};
use super::room;
use crate::clock::now_ms;
use crate::db::Conn;
use crate::db::schema::messages::bookmarks;
use crate::error::{Error, Result};
use crate::ids::{RoomId, UserId};
use crate::on_conn;
use diesel::prelude::*;
use std::collections::HashSet;
use std::str::FromStr;

/// A kept message, as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bookmark {
    pub place: Place,
    /// None when it stands where the person may not read any more.
    pub message: Option<Message>,
}

/// Where a bookmark stands in the order of keeping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// When it was kept, ms.
    pub kept_at: i64,
    pub room: RoomId,
    pub seq: i64,
}

impl FromStr for Place {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let numbers: Vec<i64> = text.split('-').map(str::parse).collect::<Result<_, _>>().map_err(drop)?;
        match numbers[..] {
            [kept_at, room, seq] => Ok(Self { kept_at, room: RoomId(room), seq }),
            _ => Err(()),
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}-{}", self.kept_at, self.room, self.seq)
    }
}

/// Whether this person has kept the message.
pub fn is_kept(conn: &mut Conn, user: UserId, room: RoomId, seq: i64) -> Result<bool> {
    let row = bookmarks::table.find((user, room, seq)).select(bookmarks::seq).first::<i64>(conn);
    Ok(row.optional()?.is_some())
}

/// Keeps a message; keeping it again changes nothing.
///
/// # Errors
/// `NotFound` for a message that isn't there for this person, or is deleted.
pub fn keep(conn: &mut Conn, user: UserId, room: RoomId, seq: i64) -> Result<()> {
    let found = room::find(conn, room)?;
    membership::may(conn, user, &found, Verb::Read)?;
    let there = message::some(conn, room, &[seq])?.pop();
    if there.is_none_or(|message| message.deleted_at.is_some()) {
        return Err(Error::NotFound("There is no such message."));
    }
    let row = (
        bookmarks::user_id.eq(user),
        bookmarks::room_id.eq(room),
        bookmarks::seq.eq(seq),
        bookmarks::kept_at.eq(now_ms()),
    );
    on_conn!(conn, c => diesel::insert_into(bookmarks::table).values(row).on_conflict_do_nothing().execute(c))?;
    Ok(())
}

/// Lets a kept message go, whether or not it can still be read.
pub fn let_go(conn: &mut Conn, user: UserId, room: RoomId, seq: i64) -> Result<()> {
    Ok(diesel::delete(bookmarks::table.find((user, room, seq))).execute(conn).map(drop)?)
}

/// Which of these messages of a room somebody has kept.
pub fn kept(conn: &mut Conn, user: UserId, room: RoomId, seqs: &[i64]) -> Result<HashSet<i64>> {
    let found = bookmarks::table
        .filter(bookmarks::user_id.eq(user).and(bookmarks::room_id.eq(room)))
        .filter(bookmarks::seq.eq_any(seqs))
        .select(bookmarks::seq)
        .load(conn)?;
    Ok(found.into_iter().collect())
}

/// What somebody has kept, the newest first, before the bookmark at `before`; and whether there are more.
/// Call it in a snapshot.
pub fn list(
    conn: &mut Conn,
    user: UserId,
    before: Option<Place>,
    limit: usize,
) -> Result<(Vec<Bookmark>, bool)> {
    use bookmarks as b;
    let mut query = b::table
        .filter(b::user_id.eq(user))
        .order((b::kept_at.desc(), b::room_id.desc(), b::seq.desc()))
        .limit(i64::try_from(limit + 1).unwrap_or(i64::MAX))
        .select((b::kept_at, b::room_id, b::seq))
        .into_boxed();
    if let Some(Place { kept_at, room, seq }) = before {
        let earlier_here = b::room_id.lt(room).or(b::room_id.eq(room).and(b::seq.lt(seq)));
        query = query.filter(b::kept_at.lt(kept_at).or(b::kept_at.eq(kept_at).and(earlier_here)));
    }
    let rows: Vec<(i64, RoomId, i64)> = query.load(conn)?;
    let more = rows.len() > limit;
    let readable: HashSet<RoomId> = membership::readable(conn, Some(user))?.into_iter().collect();
    let mut found = Vec::with_capacity(rows.len());
    for (kept_at, room, seq) in rows.into_iter().take(limit) {
        let there = if readable.contains(&room) { message::some(conn, room, &[seq])?.pop() } else { None };
        found.push(Bookmark { place: Place { kept_at, room, seq }, message: there });
    }
    Ok((found, more))
}
