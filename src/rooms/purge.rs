//! Removing what was said in deleted rooms, a few messages at a time, so that nobody waits for it.

use super::{Db, attachment};
use crate::db::Conn;
use crate::db::schema::messages::{attachments, bookmarks, mentions, messages, reactions, rooms, taken_down};
use crate::error::Result;
use crate::ids::RoomId;
use diesel::prelude::*;

/// Messages removed in one transaction. Others write in between; this many take a few milliseconds.
const AT_ONCE: i64 = 500;
/// Transactions of one round, so that a round ends before the next one begins.
const ROUNDS: usize = 20;

/// Removes a part of what is left of deleted rooms; meant to be called again and again.
pub(super) async fn round(db: &Db) -> Result<()> {
    for _ in 0..ROUNDS {
        let next = db.read(|conn| Ok(deleted(conn)?)).await?;
        let Some(room) = next else { return Ok(()) };
        db.write(move |conn| piece(conn, room)).await?;
    }
    Ok(())
}

fn deleted(conn: &mut Conn) -> QueryResult<Option<RoomId>> {
    let gone = rooms::table.filter(rooms::deleted_at.is_not_null());
    gone.order(rooms::deleted_at.asc()).select(rooms::id).first(conn).optional()
}

/// Removes the oldest messages of a deleted room with all that hangs on them; at last the room itself.
fn piece(conn: &mut Conn, room: RoomId) -> Result<()> {
    let oldest: Vec<i64> = messages::table
        .filter(messages::room_id.eq(room))
        .order(messages::seq.asc())
        .limit(AT_ONCE)
        .select(messages::seq)
        .load(conn)?;
    let Some(last) = oldest.last().copied() else {
        let files = attachments::table.filter(attachments::room_id.eq(room));
        let hashes: Vec<String> = files.select(attachments::hash).limit(AT_ONCE).load(conn)?;
        if hashes.is_empty() {
            diesel::delete(rooms::table.find(room).filter(rooms::deleted_at.is_not_null())).execute(conn)?;
            return Ok(());
        }
        diesel::delete(files.filter(attachments::hash.eq_any(&hashes))).execute(conn)?;
        return attachment::remove_orphans(conn, hashes);
    };
    let files = attachments::table.filter(attachments::room_id.eq(room).and(attachments::seq.le(last)));
    let hashes: Vec<String> = files.select(attachments::hash).load(conn)?;
    diesel::delete(files).execute(conn)?;
    attachment::remove_orphans(conn, hashes)?;
    diesel::delete(reactions::table.filter(reactions::room_id.eq(room).and(reactions::seq.le(last))))
        .execute(conn)?;
    diesel::delete(mentions::table.filter(mentions::room_id.eq(room).and(mentions::seq.le(last))))
        .execute(conn)?;
    diesel::delete(bookmarks::table.filter(bookmarks::room_id.eq(room).and(bookmarks::seq.le(last))))
        .execute(conn)?;
    diesel::delete(taken_down::table.filter(taken_down::room_id.eq(room).and(taken_down::seq.le(last))))
        .execute(conn)?;
    diesel::delete(messages::table.filter(messages::room_id.eq(room).and(messages::seq.le(last))))
        .execute(conn)?;
    Ok(())
}
