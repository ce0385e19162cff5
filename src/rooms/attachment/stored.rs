//! Attachments as they are fetched: who may, and the bytes.

use super::super::membership::{self, Verb};
use super::super::room;
use super::nothing;
use crate::db::Conn;
use crate::db::schema::messages::{attachments, blobs};
use crate::error::{Error, Result};
use crate::ids::{AttachmentId, RoomId, UserId};
use diesel::prelude::*;

/// What can be fetched of an attachment.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub struct Stored {
    pub name: String,
    pub mime: String,
    pub size: i64,
    pub hash: String,
    /// The type of the small picture, if there is one.
    pub thumbnail_mime: Option<String>,
    thumbnail_size: Option<i32>,
    room: RoomId,
    user: UserId,
    seq: Option<i64>,
}

impl Stored {
    /// Bytes of the small picture, or of the attachment itself.
    pub fn bytes(&self, thumbnail: bool) -> u64 {
        let bytes = if thumbnail { self.thumbnail_size.map_or(0, i64::from) } else { self.size };
        u64::try_from(bytes).unwrap_or(0)
    }
}

diesel::define_sql_function! {
    /// Bytes, and on both engines characters of a text.
    fn length(bytes: diesel::sql_types::Nullable<diesel::sql_types::Binary>) -> diesel::sql_types::Nullable<diesel::sql_types::Integer>;
}
diesel::define_sql_function! {
    /// `count` bytes from the one called `start`, which begins at 1.
    fn substr(
        bytes: diesel::sql_types::Nullable<diesel::sql_types::Binary>,
        start: diesel::sql_types::Integer,
        count: diesel::sql_types::Integer,
    ) -> diesel::sql_types::Nullable<diesel::sql_types::Binary>;
}

/// An attachment for one who may read it: members of its room once it is sent, before that its sender alone.
///
/// # Errors
/// `NotFound` for everybody else, as if it weren't there.
pub fn find(conn: &mut Conn, reader: UserId, id: AttachmentId) -> Result<Stored> {
    let stored: Option<Stored> = attachments::table
        .inner_join(blobs::table)
        .filter(attachments::id.eq(id))
        // What is taken down has a number below 0.
        .filter(attachments::seq.is_null().or(attachments::seq.gt(0)))
        .select((
            attachments::name,
            blobs::mime,
            blobs::size,
            blobs::hash,
            blobs::thumbnail_mime,
            length(blobs::thumbnail),
            attachments::room_id,
            attachments::user_id,
            attachments::seq,
        ))
        .first(conn)
        .optional()?;
    let stored = stored.ok_or_else(nothing)?;
    let room = room::find(conn, stored.room).map_err(|_| nothing())?;
    membership::may(conn, reader, &room, Verb::Read).map_err(|_| nothing())?;
    if stored.seq.is_none() && stored.user != reader {
        return Err(nothing());
    }
    Ok(stored)
}

/// A stretch of the content, or of the small picture. Shorter than asked for where it ends.
///
/// # Errors
/// `NotFound` when it was removed meanwhile.
pub fn read(conn: &mut Conn, hash: &str, thumbnail: bool, start: u64, count: u64) -> Result<Vec<u8>> {
    let number = |n: u64| i32::try_from(n).map_err(|_| Error::internal("a blob of more than 2 GiB"));
    let (start, count) = (number(start)? + 1, number(count)?);
    let row = blobs::table.find(hash);
    let bytes: Option<Vec<u8>> = if thumbnail {
        row.select(substr(blobs::thumbnail, start, count)).first(conn).optional()?.flatten()
    } else {
        row.select(substr(blobs::content.nullable(), start, count)).first(conn).optional()?.flatten()
    };
    bytes.ok_or_else(nothing)
}
