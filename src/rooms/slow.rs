//! Slow mode: the time that somebody has to leave between two messages in a room. Who is bound by it has a row there;
//! other rooms have none, and ask for none.

use super::author::Author;
use super::change::Done;
use super::group;
use super::membership::{Asking, Verb};
use super::room::Room;
use crate::db::Conn;
use crate::db::schema::messages::{paces, rooms};
use crate::error::{Error, Result};
use crate::ids::{RoomId, UserId};
use crate::on_conn;
use diesel::prelude::*;

/// The slowest, s: six hours.
pub const SLOWEST: i32 = 6 * 3600;

/// Whether the slow mode of this room binds this author.
pub(super) fn binds(room: &Room, author: &Author) -> bool {
    room.slow_seconds > 0 && !author.bounds.staff && room.owner != Some(author.id)
}

/// How long this author still has to wait, ms, if at all.
pub(super) fn wait(conn: &mut Conn, room: &Room, author: UserId, at: i64) -> QueryResult<Option<u64>> {
    let last: Option<i64> =
        paces::table.find((room.id, author)).select(paces::posted_at).first(conn).optional()?;
    let free_at = last.map_or(0, |last| last + i64::from(room.slow_seconds) * 1000);
    Ok(u64::try_from(free_at - at).ok().filter(|ms| *ms > 0))
}

/// This author has written just now.
pub(super) fn note(conn: &mut Conn, room: RoomId, author: UserId, at: i64) -> QueryResult<()> {
    let row = (paces::room_id.eq(room), paces::user_id.eq(author), paces::posted_at.eq(at));
    on_conn!(conn, c => diesel::insert_into(paces::table)
        .values(row)
        .on_conflict((paces::room_id, paces::user_id))
        .do_update()
        .set(paces::posted_at.eq(at))
        .execute(c))
    .map(drop)
}

/// Says how much time one person has to leave between two messages; 0 for none.
///
/// # Errors
/// `Forbidden` for who is neither the room's owner nor a moderator; `Invalid` for too long a time.
pub(super) fn set(conn: &mut Conn, by: Asking, id: RoomId, seconds: i32) -> Result<Done> {
    let mut room = group::take(conn, by, id, Verb::Slow)?;
    if !(0..=SLOWEST).contains(&seconds) {
        return Err(Error::field("slow_seconds", "The slow mode takes 0 to 21,600 seconds (six hours)."));
    }
    room.slow_seconds = seconds;
    diesel::update(rooms::table.find(id)).set(rooms::slow_seconds.eq(seconds)).execute(conn)?;
    if seconds == 0 {
        diesel::delete(paces::table.filter(paces::room_id.eq(id))).execute(conn)?;
    }
    group::changed(conn, by, room)
}
