//! A recording: its row.

use super::super::stream::Stream;
use crate::db::Conn;
use crate::db::schema::messages::{recordings, streams};
use crate::error::{Error, Result};
use crate::ids::{MediaId, StreamId, UserId};
use diesel::dsl::{exists, not, sql};
use diesel::prelude::*;
use diesel::sql_types::{Double, Nullable};

/// A row of `recordings`.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = recordings)]
pub struct Recording {
    /// 32 hexadecimal digits.
    pub id: String,
    pub stream_id: StreamId,
    /// Whose it is.
    pub user_id: UserId,
    /// What the film is called.
    pub title: String,
    /// Everybody could watch the stream.
    pub public: bool,
    /// ms
    pub started_at: i64,
    /// ms; nothing while it is written, and after a kill until it was looked at.
    pub ended_at: Option<i64>,
    /// ms of film; nothing where there is none.
    pub duration: Option<i64>,
    /// Readings that were written.
    pub samples: i64,
    /// Of its files, without a film that is in the library.
    pub bytes: i64,
    pub media_id: Option<MediaId>,
    /// Nothing is left to be done.
    pub settled: bool,
    /// Why it ended before the source did.
    pub trouble: Option<String>,
    /// Why the film isn't in the library.
    pub refused: Option<String>,
}

/// What is known of one that has ended.
#[derive(Clone, Debug, PartialEq, Eq, AsChangeset)]
#[diesel(table_name = recordings)]
pub struct Finished {
    pub ended_at: i64,
    pub duration: Option<i64>,
    pub samples: i64,
    pub bytes: i64,
    pub settled: bool,
    /// Stays as it was where there is none.
    pub trouble: Option<String>,
}

pub fn insert(conn: &mut Conn, row: &Recording) -> Result<()> {
    crate::on_conn!(conn, c => diesel::insert_into(recordings::table).values(row).execute(c))?;
    Ok(())
}

/// The one with this id.
pub fn find(conn: &mut Conn, id: &str) -> Result<Option<Recording>> {
    Ok(recordings::table.find(id).select(Recording::as_select()).first(conn).optional()?)
}

/// One of this stream.
///
/// # Errors
/// `NotFound`
pub fn find_of(conn: &mut Conn, stream: StreamId, id: &str) -> Result<Recording> {
    let found = find(conn, id)?.filter(|row| row.stream_id == stream);
    found.ok_or(Error::NotFound("There is no such recording."))
}

/// Those of a stream that began before `before` (ms), the newest first.
pub fn list(conn: &mut Conn, stream: StreamId, before: Option<i64>, limit: i64) -> Result<Vec<Recording>> {
    let mut query = recordings::table
        .filter(recordings::stream_id.eq(stream))
        .order((recordings::started_at.desc(), recordings::id.desc()))
        .limit(limit)
        .select(Recording::as_select())
        .into_boxed();
    if let Some(before) = before {
        query = query.filter(recordings::started_at.lt(before));
    }
    Ok(query.load(conn)?)
}

/// Those with which something is left to be done, the oldest first.
pub fn unsettled(conn: &mut Conn) -> Result<Vec<Recording>> {
    Ok(recordings::table
        .filter(recordings::settled.eq(false))
        .order(recordings::started_at)
        .select(Recording::as_select())
        .load(conn)?)
}

/// Settled ones whose stream is gone.
pub fn left_over(conn: &mut Conn) -> Result<Vec<String>> {
    let stream = streams::table.filter(streams::id.eq(recordings::stream_id));
    Ok(recordings::table
        .filter(recordings::settled.eq(true).and(not(exists(stream))))
        .select(recordings::id)
        .load(conn)?)
}

/// The stream that it is of, if that is still there.
pub fn stream_of(conn: &mut Conn, row: &Recording) -> Result<Option<Stream>> {
    Ok(streams::table.find(row.stream_id).select(Stream::as_select()).first(conn).optional()?)
}

pub fn end(conn: &mut Conn, id: &str, finished: &Finished) -> Result<()> {
    diesel::update(recordings::table.find(id)).set(finished).execute(conn)?;
    Ok(())
}

/// Its film is this item.
pub fn land(conn: &mut Conn, id: &str, item: MediaId, readings: i64) -> Result<()> {
    use recordings as r;
    let bytes = r::bytes.eq(readings);
    let landed = (r::media_id.eq(item), r::settled.eq(true), r::refused.eq(None::<&str>), bytes);
    diesel::update(r::table.find(id)).set(landed).execute(conn)?;
    Ok(())
}

/// Its film isn't taken just now, for this reason.
pub fn refuse(conn: &mut Conn, id: &str, reason: &str) -> Result<()> {
    diesel::update(recordings::table.find(id)).set(recordings::refused.eq(reason)).execute(conn)?;
    Ok(())
}

pub fn remove(conn: &mut Conn, id: &str) -> Result<()> {
    diesel::delete(recordings::table.find(id)).execute(conn)?;
    Ok(())
}

/// Bytes of all that lies in the data folder and is somebody's.
pub fn held_by(conn: &mut Conn, user: UserId) -> Result<u64> {
    // The sum of BIGINTs is a NUMERIC on Postgres, which would need a library of its own to be read.
    let sum: Option<f64> = recordings::table
        .filter(recordings::user_id.eq(user))
        .select(sql::<Nullable<Double>>("CAST(SUM(bytes) AS DOUBLE PRECISION)"))
        .first(conn)?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a sum of lengths below 2^53"
    )]
    Ok(sum.unwrap_or_default() as u64)
}
