//! Whom a message calls by name, as rows: `@all` and `@here` are a flag on the message instead.

use super::room::{Kind, Room};
use crate::db::Conn;
use crate::db::schema::messages::{memberships, mentions};
use crate::ids::{RoomId, UserId};
use crate::on_conn;
use diesel::prelude::*;

/// Those of `called` whom a message in `room` reaches: everybody where anybody may read, else the members. Never the
/// author.
pub fn reached(conn: &mut Conn, room: &Room, author: UserId, called: &[UserId]) -> QueryResult<Vec<UserId>> {
    let called: Vec<UserId> = called.iter().copied().filter(|id| *id != author).collect();
    if called.is_empty() || matches!(room.kind, Kind::Board | Kind::Channel | Kind::Talk) {
        return Ok(called);
    }
    memberships::table
        .filter(memberships::room_id.eq(room.id).and(memberships::user_id.eq_any(called)))
        .select(memberships::user_id)
        .load(conn)
}

/// Stores whom each message calls: (person, room, seq).
pub fn insert(conn: &mut Conn, rows: &[(UserId, RoomId, i64)]) -> QueryResult<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = rows
        .iter()
        .map(|(user, room, seq)| {
            (mentions::user_id.eq(*user), mentions::room_id.eq(*room), mentions::seq.eq(*seq))
        })
        .collect();
    on_conn!(conn, c => diesel::insert_into(mentions::table).values(rows).on_conflict_do_nothing().execute(c))
        .map(drop)
}

/// The message calls these people from now on, and nobody else.
pub fn replace(conn: &mut Conn, room: RoomId, seq: i64, called: &[UserId]) -> QueryResult<()> {
    diesel::delete(mentions::table.filter(mentions::room_id.eq(room).and(mentions::seq.eq(seq))))
        .execute(conn)?;
    insert(conn, &called.iter().map(|user| (*user, room, seq)).collect::<Vec<_>>())
}
