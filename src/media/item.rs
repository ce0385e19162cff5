//! An item of the library: its row, and how rows follow what the folder holds.

use super::format::Kind;
use super::prepared::Made;
use super::scan::{modified_ms, size};
use super::sight::{Audience, NO_ITEM, Sight};
use crate::db::Conn;
use crate::db::schema::messages::media_items;
use crate::error::Result;
use crate::ids::{MediaId, RoomId, UserId};
use crate::on_conn;
use diesel::dsl::count_star;
use diesel::prelude::*;
use std::fs::Metadata;

/// Rows in one insert: far below what either database takes as parameters.
const ROWS: usize = 200;

/// One file of the library.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable)]
#[diesel(table_name = media_items)]
pub struct Item {
    pub id: MediaId,
    /// Relative to the library's folder, with forward slashes.
    pub path: String,
    pub title: String,
    #[diesel(deserialize_as = String)]
    pub kind: Kind,
    pub mime: String,
    /// Bytes.
    pub size: i64,
    /// When the file was changed; milliseconds.
    pub modified_at: i64,
    /// When it came into the library; milliseconds.
    pub added_at: i64,
    /// Who uploaded it; nobody where it was dropped into the folder.
    pub user_id: Option<UserId>,
    pub description: String,
    /// As stored; [`tags`](Self::tags) takes them apart.
    pub tags: String,
    pub licence: String,
    /// When it was put into the trash; milliseconds.
    pub trashed_at: Option<i64>,
    /// As stored; [`standing`](Self::standing) says it.
    pub state: Option<String>,
    /// Percent, while it is prepared.
    pub progress: i32,
    /// Why its preparation failed, one English sentence.
    pub error: Option<String>,
    /// Milliseconds.
    pub duration: Option<i64>,
    /// Pixels as shown.
    pub width: Option<i32>,
    pub height: Option<i32>,
    /// As stored; [`chapters`](Self::chapters) reads it.
    pub chapters: Option<String>,
    /// [`prepared`](Self::prepared) says it.
    #[diesel(column_name = prepared, deserialize_as = Option<String>)]
    pub(super) made: Made,
    #[diesel(deserialize_as = String)]
    pub audience: Audience,
    /// The group, where it is for one.
    pub room_id: Option<RoomId>,
    /// As stored; [`own_chapters`](Self::own_chapters) reads it.
    pub own_chapters: String,
}

impl Item {
    /// What changes whenever the file does: the page's `?v=`, which makes an address cacheable for good.
    pub fn version(&self) -> String {
        version(self.size, self.modified_at)
    }

    /// Whether the file is the one that the row describes, by size and time.
    pub fn is_of(&self, meta: &Metadata) -> bool {
        (self.size, self.modified_at) == (size(meta), modified_ms(meta))
    }

    /// What it is filed under.
    pub fn tags(&self) -> impl Iterator<Item = &str> {
        self.tags.lines().filter(|tag| !tag.is_empty())
    }

    /// The file's name without its folders.
    pub fn file_name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }
}

/// The version of a file with this size in bytes and this time of change in milliseconds.
pub fn version(size: i64, modified_at: i64) -> String {
    format!("{size:x}-{modified_at:x}")
}

/// A file as the folder shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub path: String,
    pub title: String,
    pub kind: Kind,
    pub mime: &'static str,
    pub size: i64,
    pub modified_at: i64,
}

/// What the table knows of a file, to compare the folder with.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub struct Known {
    pub id: MediaId,
    pub path: String,
    pub size: i64,
    pub modified_at: i64,
    pub gone: bool,
}

/// What must be written so that the table says what the folder shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Not in the table yet, in the order in which they get their ids.
    pub new: Vec<Found>,
    /// Replaced, or back again.
    pub changed: Vec<(MediaId, Found)>,
    pub gone: Vec<MediaId>,
}

impl Changes {
    pub fn is_empty(&self) -> bool {
        self.new.is_empty() && self.changed.is_empty() && self.gone.is_empty()
    }
}

/// Every row, those of absent files too.
pub fn known(conn: &mut Conn) -> Result<Vec<Known>> {
    use media_items as m;
    Ok(m::table.select((m::id, m::path, m::size, m::modified_at, m::gone)).load(conn)?)
}

/// One item whose file is there.
///
/// # Errors
/// `NotFound` when there is no such item, its file is gone, or it isn't for these eyes.
pub fn find(conn: &mut Conn, id: MediaId, sight: Sight) -> Result<Item> {
    media_items::table
        .filter(media_items::id.eq(id))
        .filter(sight.shown())
        .select(Item::as_select())
        .first(conn)
        .optional()?
        .ok_or(NO_ITEM)
}

/// Which of these these eyes find on the shelf.
pub fn seen(conn: &mut Conn, sight: Sight, ids: &[MediaId]) -> Result<Vec<MediaId>> {
    use media_items as m;
    Ok(m::table.filter(m::id.eq_any(ids)).filter(sight.shown()).select(m::id).load(conn)?)
}

/// One item's row, wherever its file is; nothing when there is none, or its file is gone.
pub fn row(conn: &mut Conn, id: MediaId) -> Result<Option<Item>> {
    let one = media_items::table.filter(media_items::id.eq(id).and(media_items::gone.eq(false)));
    Ok(one.select(Item::as_select()).first(conn).optional()?)
}

/// How many items these eyes see, and their bytes together.
pub fn total(conn: &mut Conn, sight: Sight) -> Result<(i64, i64)> {
    // The sum of BIGINTs is a NUMERIC on Postgres, which would need a library of its own to be read.
    let (count, bytes): (i64, Option<f64>) = media_items::table
        .filter(sight.shown())
        .select((
            count_star(),
            diesel::dsl::sql::<diesel::sql_types::Nullable<diesel::sql_types::Double>>(
                "CAST(SUM(size) AS DOUBLE PRECISION)",
            ),
        ))
        .first(conn)?;
    #[expect(clippy::cast_possible_truncation, reason = "no library comes near 2^53 bytes")]
    Ok((count, bytes.unwrap_or_default() as i64))
}

/// Writes what a scan found. `now` is when the new ones came and those that are gone went; milliseconds.
pub fn apply(conn: &mut Conn, changes: &Changes, now: i64) -> Result<()> {
    use media_items as m;
    for some in changes.new.chunks(ROWS) {
        let rows: Vec<_> = some
            .iter()
            .map(|file| {
                (
                    m::path.eq(&file.path),
                    m::title.eq(&file.title),
                    m::kind.eq(file.kind.as_str()),
                    m::mime.eq(file.mime),
                    m::size.eq(file.size),
                    m::modified_at.eq(file.modified_at),
                    m::added_at.eq(now),
                    m::gone.eq(false),
                )
            })
            .collect();
        // Another node over the same folder may have been quicker; its row is as good as ours.
        on_conn!(&mut *conn, c => diesel::insert_into(m::table)
            .values(&rows).on_conflict(m::path).do_nothing().execute(c))?;
    }
    for (id, file) in &changes.changed {
        // One that is back as it was needs no new preparation.
        let other = m::size.ne(file.size).or(m::modified_at.ne(file.modified_at));
        diesel::update(m::table.filter(m::id.eq(id).and(other)))
            .set((
                m::state.eq(None::<&str>),
                m::error.eq(None::<&str>),
                m::duration.eq(None::<i64>),
                m::width.eq(None::<i32>),
                m::height.eq(None::<i32>),
                m::chapters.eq(None::<&str>),
                m::prepared.eq(None::<&str>),
            ))
            .execute(conn)?;
        diesel::update(m::table.filter(m::id.eq(id)))
            .set((
                m::kind.eq(file.kind.as_str()),
                m::mime.eq(file.mime),
                m::size.eq(file.size),
                m::modified_at.eq(file.modified_at),
                m::gone.eq(false),
                m::gone_at.eq(None::<i64>),
                m::hash.eq(None::<&str>),
            ))
            .execute(conn)?;
    }
    for some in changes.gone.chunks(ROWS) {
        diesel::update(m::table.filter(m::id.eq_any(some)))
            .set((m::gone.eq(true), m::gone_at.eq(now)))
            .execute(conn)?;
    }
    Ok(())
}
