//! Who may do what in a room: the one place that decides, and the rows that it decides by.

use super::room::{Kind, Room};
use crate::clock::now_ms;
use crate::db::Conn;
use crate::db::schema::messages::{memberships, rooms};
use crate::error::{Error, Result};
use crate::ids::{RoomId, UserId};
use diesel::prelude::*;

/// What somebody wants to do in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Read,
    Post,
    Join,
    Leave,
}

/// Whether `who` may do this in `room`. Authoritative: it reads the membership in the caller's transaction.
///
/// # Errors
/// `NotFound` for a private room that they are no member of, as if it weren't there; `Forbidden` otherwise.
pub fn may(conn: &mut Conn, who: UserId, room: &Room, verb: Verb) -> Result<()> {
    let open = matches!(room.kind, Kind::Board | Kind::Channel | Kind::Talk);
    match (room.kind, verb) {
        (Kind::Board, Verb::Leave) => {
            Err(Error::forbidden("everybodys_room", "The board belongs to everybody; nobody leaves it."))
        }
        (Kind::Board, _) | (Kind::Channel | Kind::Talk, Verb::Read | Verb::Join | Verb::Leave) => Ok(()),
        _ if is_member(conn, who, room.id)? => Ok(()),
        _ if open => Err(Error::forbidden("not_member", "Join this channel to write in it.")),
        _ => Err(Error::NotFound("There is no such room.")),
    }
}

pub fn is_member(conn: &mut Conn, who: UserId, room: RoomId) -> Result<bool> {
    let row =
        memberships::table.find((who, room)).select(memberships::user_id).first::<UserId>(conn).optional()?;
    Ok(row.is_some())
}

/// Makes `who` a member who has read everything so far; `false` when they were one already.
pub fn add(conn: &mut Conn, who: UserId, room: &mut Room) -> Result<bool> {
    if is_member(conn, who, room.id)? {
        return Ok(false);
    }
    diesel::insert_into(memberships::table)
        .values((
            memberships::user_id.eq(who),
            memberships::room_id.eq(room.id),
            memberships::joined_at.eq(now_ms()),
            memberships::read_seq.eq(room.last_seq),
        ))
        .execute(conn)?;
    count(conn, room, 1)?;
    Ok(true)
}

/// Ends a membership; `false` when there was none.
pub fn remove(conn: &mut Conn, who: UserId, room: &mut Room) -> Result<bool> {
    let gone = diesel::delete(memberships::table.find((who, room.id))).execute(conn)?;
    if gone > 0 {
        count(conn, room, -1)?;
    }
    Ok(gone > 0)
}

fn count(conn: &mut Conn, room: &mut Room, by: i64) -> Result<()> {
    diesel::update(rooms::table.find(room.id)).set(rooms::members.eq(rooms::members + by)).execute(conn)?;
    room.members += by;
    Ok(())
}

/// The ids of a room's members, ascending, at most `limit`.
pub fn members(conn: &mut Conn, room: RoomId, after: UserId, limit: i64) -> Result<Vec<UserId>> {
    Ok(memberships::table
        .filter(memberships::room_id.eq(room))
        .filter(memberships::user_id.gt(after))
        .order(memberships::user_id.asc())
        .limit(limit)
        .select(memberships::user_id)
        .load(conn)?)
}
