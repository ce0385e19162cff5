//! Something on its way into the library: its row, and what everybody may have there.
//!
//! How much of it has arrived is not in the row: the part file's own length is the one truth about that.

use super::format::Format;
use super::part::hash_of;
use super::sight::Sight;
use crate::clock::now_ms;
use crate::db::Conn;
use crate::db::schema::messages::{media_items, media_uploads};
use crate::error::{Error, Result};
use crate::ids::{self, MediaId, UserId};
use crate::on_conn;
use crate::rooms::Db;
use crate::site::words::size_in_words;
use diesel::dsl::{count_star, sql};
use diesel::prelude::*;
use diesel::sql_types::{Double, Nullable};
use diesel_derive_newtype::DieselNewType;
use std::fmt;
use std::path::Path;

/// Unfinished uploads of one person. A folder of holiday films has fewer, and a script gone wrong more.
const UNDER_WAY: i64 = 100;
/// How long an upload that nobody goes on with is kept: over a weekend and a week's travel, ms.
pub const KEPT: i64 = 7 * 24 * 60 * 60 * 1000;
/// How long a finished one still answers, for a client that lost the last answer, ms.
const REMEMBERED: i64 = 24 * 60 * 60 * 1000;

/// 128 random bits in hexadecimal: whoever knows it has been told.
#[derive(Clone, Debug, PartialEq, Eq, Hash, DieselNewType)]
pub struct UploadId(String);

impl UploadId {
    /// A new one.
    pub fn random() -> Result<Self> {
        ids::random().map(Self)
    }

    /// The id in an address or a file's name; nothing for what can't be one.
    pub fn parse(text: &str) -> Option<Self> {
        ids::is_random(text).then(|| Self(text.to_owned()))
    }
}

impl fmt::Display for UploadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One upload.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = media_uploads)]
pub struct Upload {
    pub id: UploadId,
    pub user_id: UserId,
    /// The sender's name for the file.
    pub name: String,
    /// Bytes, as announced.
    pub length: i64,
    /// Where the whole file is about to stand in the library's folder.
    pub path: Option<String>,
    /// SHA-256 in hexadecimal, once all of it has arrived.
    pub hash: Option<String>,
    /// The item that came of it.
    pub media_id: Option<MediaId>,
    pub started_at: i64,
    /// When the sender was last heard of, ms.
    pub touched_at: i64,
    /// Whom the item will be for, as stored.
    pub audience: String,
}

/// How many bytes people may bring.
#[derive(Clone, Copy, Debug)]
pub struct Quota {
    /// Of one person.
    pub person: u64,
    /// Of all together.
    pub total: u64,
}

/// A file that stands in the folder, whole.
#[derive(Clone, Debug)]
pub struct Placed {
    pub path: String,
    pub title: String,
    pub format: Format,
    pub size: i64,
    pub modified_at: i64,
    pub hash: String,
}

/// Announces an upload.
///
/// # Errors
/// `TooLarge` when it would go beyond a quota; what is on its way counts as if it were there. `Forbidden` when too
/// many are under way.
pub fn create(conn: &mut Conn, upload: &Upload, quota: Quota) -> Result<()> {
    use media_uploads as u;
    let count: i64 = u::table
        .filter(u::user_id.eq(upload.user_id).and(u::media_id.is_null()))
        .select(count_star())
        .first(conn)?;
    if count >= UNDER_WAY {
        return Err(Error::forbidden(
            "too_many_uploads",
            "Too many of your uploads are unfinished. Finish some of them or remove them first.",
        ));
    }
    let (own, all) = left(conn, upload.user_id, quota)?;
    if upload.length > own {
        let (size, left) = (size_in_words(upload.length), size_in_words(own));
        let words = format!("That file has {size}, and you may add {left} to the library.");
        return Err(Error::TooLarge(words.into()));
    }
    if upload.length > all {
        let (size, left) = (size_in_words(upload.length), size_in_words(all));
        let words = format!("That file has {size}, and the library has room for {left}.");
        return Err(Error::TooLarge(words.into()));
    }
    on_conn!(conn, c => diesel::insert_into(u::table).values(upload).execute(c))?;
    Ok(())
}

/// Bytes that this person may still add, and all together.
fn left(conn: &mut Conn, user: UserId, quota: Quota) -> Result<(i64, i64)> {
    let left = |most: u64, used: i64| i64::try_from(most).unwrap_or(i64::MAX).saturating_sub(used).max(0);
    Ok((left(quota.person, used(conn, Some(user))?), left(quota.total, used(conn, None)?)))
}

/// Bytes that this person may still bring.
pub fn room(conn: &mut Conn, user: UserId, quota: Quota) -> Result<u64> {
    let (own, all) = left(conn, user, quota)?;
    Ok(u64::try_from(own.min(all)).unwrap_or_default())
}

/// Announces up to `more` further bytes for an upload whose length nobody knows. Answers with how many.
///
/// # Errors
/// `TooLarge` when a quota leaves none.
pub fn extend(conn: &mut Conn, upload: &Upload, more: i64, quota: Quota) -> Result<i64> {
    let (own, all) = left(conn, upload.user_id, quota)?;
    let more = more.min(own).min(all);
    if more == 0 {
        let words = if own == 0 {
            "That file is larger than what you may add to the library."
        } else {
            "That file is larger than what the library has room for."
        };
        return Err(Error::TooLarge(words.into()));
    }
    let length = media_uploads::length;
    diesel::update(media_uploads::table.find(&upload.id)).set(length.eq(length + more)).execute(conn)?;
    Ok(more)
}

/// All of it has arrived, and it is so long; bytes.
pub fn close(conn: &mut Conn, id: &UploadId, length: i64) -> Result<()> {
    diesel::update(media_uploads::table.find(id)).set(media_uploads::length.eq(length)).execute(conn)?;
    Ok(())
}

/// Bytes that one person, or everybody together, has brought or announced.
fn used(conn: &mut Conn, user: Option<UserId>) -> Result<i64> {
    // The sum of BIGINTs is a NUMERIC on Postgres, which would need a library of its own to be read.
    let mut items = media_items::table
        .filter(media_items::gone.eq(false).and(media_items::user_id.is_not_null()))
        .select(sql::<Nullable<Double>>("CAST(SUM(size) AS DOUBLE PRECISION)"))
        .into_boxed();
    let mut uploads = media_uploads::table
        .filter(media_uploads::media_id.is_null())
        .select(sql::<Nullable<Double>>("CAST(SUM(length) AS DOUBLE PRECISION)"))
        .into_boxed();
    if let Some(user) = user {
        items = items.filter(media_items::user_id.eq(user));
        uploads = uploads.filter(media_uploads::user_id.eq(user));
    }
    let items: Option<f64> = items.first(conn)?;
    let uploads: Option<f64> = uploads.first(conn)?;
    #[expect(clippy::cast_possible_truncation, reason = "no library comes near 2^53 bytes")]
    Ok((items.unwrap_or_default() + uploads.unwrap_or_default()) as i64)
}

/// The upload with this id, whatever has become of it.
pub fn known(conn: &mut Conn, id: &UploadId) -> Result<Option<Upload>> {
    Ok(media_uploads::table.find(id).select(Upload::as_select()).first(conn).optional()?)
}

/// One's own upload.
///
/// # Errors
/// `NotFound`, for somebody else's too.
pub fn find(conn: &mut Conn, id: &UploadId, user: UserId) -> Result<Upload> {
    media_uploads::table
        .filter(media_uploads::id.eq(id).and(media_uploads::user_id.eq(user)))
        .select(Upload::as_select())
        .first(conn)
        .optional()?
        .ok_or(Error::NotFound("There is no such upload. It may have been given up too long ago."))
}

/// Those of one person, or of everybody, that have not become an item yet; the oldest first.
pub fn unfinished(conn: &mut Conn, user: Option<UserId>) -> Result<Vec<Upload>> {
    let mut query = media_uploads::table
        .filter(media_uploads::media_id.is_null())
        .order(media_uploads::started_at)
        .select(Upload::as_select())
        .into_boxed();
    if let Some(user) = user {
        query = query.filter(media_uploads::user_id.eq(user));
    }
    Ok(query.load(conn)?)
}

/// Whether there is such an upload that still needs its part file.
pub fn is_unfinished(conn: &mut Conn, id: &UploadId) -> Result<bool> {
    let open = media_uploads::table.filter(media_uploads::id.eq(id).and(media_uploads::media_id.is_null()));
    Ok(diesel::select(diesel::dsl::exists(open)).get_result(conn)?)
}

/// The sender was heard of.
pub fn touch(conn: &mut Conn, id: &UploadId) -> Result<()> {
    diesel::update(media_uploads::table.find(id))
        .set(media_uploads::touched_at.eq(now_ms()))
        .execute(conn)?;
    Ok(())
}

/// The whole file is about to be moved to `path`. Answers with whether it may: a path keeps its item for ever, even
/// while its file is gone.
pub fn promise(conn: &mut Conn, id: &UploadId, path: &str, hash: &str) -> Result<bool> {
    let taken = media_items::table.filter(media_items::path.eq(path));
    if diesel::select(diesel::dsl::exists(taken)).get_result(conn)? {
        return Ok(false);
    }
    diesel::update(media_uploads::table.find(id))
        .set((media_uploads::path.eq(path), media_uploads::hash.eq(hash)))
        .execute(conn)?;
    Ok(true)
}

/// The file is in its place: makes it an item. A look at the folder may have met it already.
pub fn place(conn: &mut Conn, upload: &Upload, file: &Placed) -> Result<MediaId> {
    use media_items as m;
    let known = (
        m::title.eq(&file.title),
        m::folded.eq(""),
        m::kind.eq(file.format.kind.as_str()),
        m::mime.eq(file.format.mime),
        m::size.eq(file.size),
        m::modified_at.eq(file.modified_at),
        m::gone.eq(false),
        m::user_id.eq(upload.user_id),
        m::hash.eq(&file.hash),
        m::audience.eq(&upload.audience),
    );
    let row = (m::path.eq(&file.path), m::added_at.eq(now_ms()), known);
    let id: MediaId = on_conn!(&mut *conn, c => diesel::insert_into(m::table)
        .values(row)
        .on_conflict(m::path)
        .do_update()
        .set(known)
        .returning(m::id)
        .get_result(c))?;
    settle(conn, &upload.id, id)?;
    Ok(id)
}

/// It became this item, or was there already.
pub fn settle(conn: &mut Conn, id: &UploadId, item: MediaId) -> Result<()> {
    diesel::update(media_uploads::table.find(id))
        .set((media_uploads::media_id.eq(item), media_uploads::touched_at.eq(now_ms())))
        .execute(conn)?;
    Ok(())
}

/// Removes the row.
pub fn forget(conn: &mut Conn, id: &UploadId) -> Result<()> {
    diesel::delete(media_uploads::table.find(id)).execute(conn)?;
    Ok(())
}

/// Forgets those that ended long ago; answers with those that were given up and whose files must go first.
pub fn expire(conn: &mut Conn, now: i64) -> Result<Vec<Upload>> {
    use media_uploads as u;
    diesel::delete(u::table.filter(u::media_id.is_not_null().and(u::touched_at.lt(now - REMEMBERED))))
        .execute(conn)?;
    Ok(u::table
        .filter(u::media_id.is_null().and(u::touched_at.lt(now - KEPT)))
        .select(Upload::as_select())
        .load(conn)?)
}

/// An item of this size whose content may be the same.
#[derive(Clone, Debug, Queryable)]
pub struct Likeness {
    pub id: MediaId,
    pub path: String,
    pub modified_at: i64,
    pub hash: Option<String>,
}

/// The items of exactly this size in bytes that these eyes see.
pub fn of_size(conn: &mut Conn, size: i64, sight: Sight) -> Result<Vec<Likeness>> {
    use media_items as m;
    Ok(m::table
        .filter(m::size.eq(size))
        .filter(sight.shown())
        .order(m::id)
        .select((m::id, m::path, m::modified_at, m::hash))
        .load(conn)?)
}

/// Keeps the hash of a file that was looked at, unless it was changed since.
fn note_hash(conn: &mut Conn, of: &Likeness, hash: &str) -> Result<()> {
    use media_items as m;
    diesel::update(m::table.filter(m::id.eq(of.id).and(m::modified_at.eq(of.modified_at))))
        .set(m::hash.eq(hash))
        .execute(conn)?;
    Ok(())
}

/// The first of these with this content, its SHA-256 in hexadecimal. What isn't known of a file is looked up, and
/// kept. Blocks.
pub fn of_content(db: &Db, folder: &Path, likes: Vec<Likeness>, hash: &str) -> Result<Option<Likeness>> {
    for like in likes {
        let found = match &like.hash {
            Some(known) => Some(known.clone()),
            None => hash_of(&folder.join(&like.path)).ok(),
        };
        if let (None, Some(found)) = (&like.hash, &found) {
            let (like, found) = (like.clone(), found.clone());
            db.write_blocking(move |conn| note_hash(conn, &like, &found))?;
        }
        if found.as_deref() == Some(hash) {
            return Ok(Some(like));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_never_a_path() {
        for text in ["", "..", "../../etc/passwd", &"A".repeat(32), &"g".repeat(32), &"a".repeat(33)] {
            assert_eq!(UploadId::parse(text), None, "{text}");
        }
        let id = UploadId::random().unwrap();
        assert_eq!(UploadId::parse(&id.to_string()), Some(id));
    }
}
