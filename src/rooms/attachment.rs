//! What is sent with a message: the rows, who may see them, and how the same content is kept once.
//!
//! An upload belongs to a room and to its sender from the start, and to nobody's message until it is sent with one. The
//! bytes lie in `blobs`, once for each content; nobody learns that they were there before.

mod stored;

pub use self::stored::{Stored, find, read};
use super::membership::{self, Verb};
use super::message::Json;
use super::room;
use super::upload::Prepared;
use crate::clock::now_ms;
use crate::db::Conn;
use crate::db::schema::messages::{attachments, blobs};
use crate::error::{Error, Result};
use crate::ids::{AttachmentId, RoomId, UserId};
use crate::on_conn;
use diesel::dsl::{exists, not};
use diesel::prelude::*;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

/// Attachments of one message.
pub const PER_MESSAGE: usize = 10;
/// How long an upload waits to be sent, ms.
const WAITS: i64 = 24 * 60 * 60 * 1000;
/// Uploads of one person that wait to be sent; a full message each in three rooms, and some that were given up.
const WAITING_MAX: i64 = 50;
/// Characters of a description.
const DESCRIPTION_MAX: usize = 500;
/// Rows that one round of tidying removes: messages wait behind it.
const SWEPT: i64 = 20;
/// How long content that nobody refers to is left, ms: a node that is about to refer to it has committed by then.
const ORPHANED: i64 = 60 * 60 * 1000;

/// What stays as it is in a path; the rest is written in percent.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The contract's attachment, as it stands in a message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Attachment {
    #[schema(value_type = i64)]
    pub id: AttachmentId,
    pub name: String,
    /// `image/…` for what is shown; everything else is only downloaded.
    pub mime: String,
    /// Pixels of a picture, the right way up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<i32>,
    /// Bytes.
    pub size: i64,
    /// A path of this server.
    pub url: String,
    /// A still picture of at most 640 pixels; none where the picture itself is small.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumbnail: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub animated: bool,
    /// What is to be seen, in the sender's words; empty when they said nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
}

type Row = (AttachmentId, String, String, String, i64, Option<i32>, Option<i32>, bool, Option<String>);

impl From<Row> for Attachment {
    fn from((id, name, description, mime, size, width, height, animated, thumbnail): Row) -> Self {
        let url = format!("/attachments/{id}/{}", utf8_percent_encode(&name, PATH));
        let thumbnail = thumbnail.map(|_| format!("{url}?thumbnail"));
        Self { id, name, mime, width, height, size, url, thumbnail, animated, description }
    }
}

impl Attachment {
    /// It is shown, not only offered.
    pub fn is_picture(&self) -> bool {
        self.width.is_some()
    }

    /// How wide it is for its height, in tenths, for the style sheet: a row of pictures is as high everywhere.
    pub fn shape(&self) -> i32 {
        let (width, height) = (self.width.unwrap_or(1).max(1), self.height.unwrap_or(1).max(1));
        (i64::from(width) * 10 / i64::from(height)).clamp(4, 30).try_into().unwrap_or(10)
    }

    /// Shown as large as it is, which isn't much.
    pub fn is_tiny(&self) -> bool {
        self.width.unwrap_or(0).max(self.height.unwrap_or(0)) <= 160
    }

    /// What a timeline shows.
    pub fn source(&self) -> &str {
        self.thumbnail.as_deref().unwrap_or(&self.url)
    }

    /// For those who can't see it.
    pub fn words(&self) -> &str {
        if self.description.is_empty() { &self.name } else { &self.description }
    }

    /// One picture and one file without content, for scripts to fill.
    pub fn samples() -> Vec<Self> {
        vec![Self { width: Some(1), height: Some(1), ..Self::default() }, Self::default()]
    }

    /// What a message's stored JSON says; nothing when it has none.
    pub fn list(stored: Option<&Json>) -> Vec<Self> {
        stored.and_then(|json| serde_json::from_str(&json.0).ok()).unwrap_or_default()
    }
}

/// Whether there is something to show.
pub fn any_pictures(list: &[Attachment]) -> bool {
    list.iter().any(Attachment::is_picture)
}

/// Whether there is something to offer as a download.
pub fn any_files(list: &[Attachment]) -> bool {
    !list.iter().all(Attachment::is_picture)
}

macro_rules! columns {
    () => {
        (
            attachments::id,
            attachments::name,
            attachments::description,
            blobs::mime,
            blobs::size,
            blobs::width,
            blobs::height,
            blobs::animated,
            blobs::thumbnail_mime,
        )
    };
}

/// Stores an upload, to be sent later. Call it inside the write door.
///
/// # Errors
/// `NotFound` and `Forbidden` as for a message; `Forbidden` when too much of this person waits already.
pub fn store(
    conn: &mut Conn,
    user: UserId,
    room: RoomId,
    name: &str,
    new: &Prepared,
    waiting_max: i64,
) -> Result<Attachment> {
    let found = room::find(conn, room)?;
    membership::may(conn, user, &found, Verb::Post)?;
    check_waiting(conn, user, new.size(), waiting_max)?;
    let id = bring(conn, user, room, (name, ""), new)?;
    let row: Row = attachments::table
        .inner_join(blobs::table)
        .filter(attachments::id.eq(id))
        .select(columns!())
        .first(conn)?;
    Ok(row.into())
}

/// Stores something with its name and description for a message that follows in the same transaction, whoever sends it.
pub(super) fn bring(
    conn: &mut Conn,
    user: UserId,
    room: RoomId,
    (name, description): (&str, &str),
    new: &Prepared,
) -> Result<AttachmentId> {
    store_blob(conn, new)?;
    let row = (
        attachments::room_id.eq(room),
        attachments::user_id.eq(user),
        attachments::hash.eq(&new.hash),
        attachments::name.eq(name),
        attachments::description.eq(description),
        attachments::attached_at.eq(now_ms()),
    );
    Ok(on_conn!(conn, c => diesel::insert_into(attachments::table)
        .values(row)
        .returning(attachments::id)
        .get_result(c))?)
}

fn check_waiting(conn: &mut Conn, user: UserId, size: i64, waiting_max: i64) -> Result<()> {
    let sizes: Vec<i64> = attachments::table
        .inner_join(blobs::table)
        .filter(attachments::user_id.eq(user).and(attachments::seq.is_null()))
        .limit(WAITING_MAX)
        .select(blobs::size)
        .load(conn)?;
    let many = i64::try_from(sizes.len()).unwrap_or(i64::MAX) >= WAITING_MAX;
    if many || sizes.iter().sum::<i64>() + size > waiting_max {
        return Err(Error::forbidden(
            "too_many_uploads",
            "Too many of your uploads wait to be sent. Send some of them or remove them first.",
        ));
    }
    Ok(())
}

fn store_blob(conn: &mut Conn, new: &Prepared) -> Result<()> {
    let thumbnail = new.thumbnail.as_ref();
    let row = (
        blobs::hash.eq(&new.hash),
        blobs::mime.eq(new.mime),
        blobs::size.eq(new.size()),
        blobs::width.eq(new.width),
        blobs::height.eq(new.height),
        blobs::animated.eq(new.animated),
        blobs::content.eq(&new.content),
        blobs::thumbnail.eq(thumbnail.map(|t| &t.content)),
        blobs::thumbnail_mime.eq(thumbnail.map(|t| t.mime)),
        blobs::stored_at.eq(now_ms()),
    );
    let insert = diesel::insert_into(blobs::table).values(row);
    match conn {
        Conn::Sqlite(c) => insert.on_conflict_do_nothing().execute(c)?,
        // Another node may be about to remove it as nobody's: touching the row makes that one wait, and see.
        Conn::Postgres(c) => {
            let touched = blobs::stored_at.eq(now_ms());
            insert.on_conflict(blobs::hash).do_update().set(touched).execute(c)?
        }
    };
    Ok(())
}

/// Gives uploads to the message `seq` and answers with the JSON that stands in it. Call it in the transaction that
/// writes the message, with its room locked.
///
/// # Errors
/// `Invalid` unless all of them are this author's in this room and were not sent yet.
pub fn take(conn: &mut Conn, user: UserId, room: RoomId, ids: &[AttachmentId], seq: i64) -> Result<Json> {
    let rows: Vec<Row> = attachments::table
        .inner_join(blobs::table)
        .filter(attachments::id.eq_any(ids))
        .filter(attachments::user_id.eq(user).and(attachments::room_id.eq(room)))
        .filter(attachments::seq.is_null())
        .select(columns!())
        .load(conn)?;
    let mut found: Vec<Attachment> = rows.into_iter().map(Attachment::from).collect();
    if found.len() != ids.len() {
        return Err(Error::field(
            "attachments",
            "A file that you send isn't there any more. Attach it again.",
        ));
    }
    // In the order in which the sender put them.
    found.sort_by_key(|attachment| ids.iter().position(|id| *id == attachment.id));
    diesel::update(attachments::table.filter(attachments::id.eq_any(ids)))
        .set(attachments::seq.eq(seq))
        .execute(conn)?;
    Ok(Json(serde_json::to_string(&found).map_err(Error::internal)?))
}

/// Says what is to be seen in an upload that was not sent yet.
///
/// # Errors
/// `NotFound` unless it is this person's; `Invalid` for a description that is too long.
pub fn describe(conn: &mut Conn, user: UserId, room: RoomId, id: AttachmentId, words: &str) -> Result<()> {
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.chars().count() > DESCRIPTION_MAX || words.chars().any(char::is_control) {
        return Err(Error::field("description", "A description has at most 500 characters."));
    }
    let changed = diesel::update(attachments::table.find(id))
        .filter(attachments::user_id.eq(user).and(attachments::room_id.eq(room)))
        .filter(attachments::seq.is_null())
        .set(attachments::description.eq(words))
        .execute(conn)?;
    if changed == 0 { Err(nothing()) } else { Ok(()) }
}

/// Removes an upload that its sender doesn't want to send after all.
///
/// # Errors
/// `NotFound` unless it is theirs and was not sent yet.
pub fn withdraw(conn: &mut Conn, user: UserId, room: RoomId, id: AttachmentId) -> Result<()> {
    let hash: Option<String> = attachments::table
        .find(id)
        .filter(attachments::user_id.eq(user).and(attachments::room_id.eq(room)))
        .filter(attachments::seq.is_null())
        .select(attachments::hash)
        .first(conn)
        .optional()?;
    let hash = hash.ok_or_else(nothing)?;
    diesel::delete(attachments::table.find(id)).execute(conn)?;
    remove_orphans(conn, vec![hash])
}

/// Removes what was sent with a message that is deleted.
pub fn forget(conn: &mut Conn, room: RoomId, seq: i64) -> Result<()> {
    let sent = attachments::table.filter(attachments::room_id.eq(room).and(attachments::seq.eq(seq)));
    let hashes: Vec<String> = sent.select(attachments::hash).load(conn)?;
    diesel::delete(sent).execute(conn)?;
    remove_orphans(conn, hashes)
}

/// Removes those of these contents that nothing refers to any more.
pub(super) fn remove_orphans(conn: &mut Conn, hashes: Vec<String>) -> Result<()> {
    let referred = exists(attachments::table.filter(attachments::hash.eq(blobs::hash)));
    let orphans = blobs::table.filter(blobs::hash.eq_any(hashes)).filter(not(referred));
    Ok(diesel::delete(orphans).execute(conn).map(drop)?)
}

/// Removes some of the uploads that nobody sent within a day, and content that nobody refers to; says whether there may
/// be more. Call it inside the write door.
pub fn sweep(conn: &mut Conn, now: i64) -> Result<bool> {
    let old: Vec<AttachmentId> = attachments::table
        .filter(attachments::seq.is_null().and(attachments::attached_at.lt(now - WAITS)))
        .order(attachments::attached_at.asc())
        .limit(SWEPT)
        .select(attachments::id)
        .load(conn)?;
    diesel::delete(attachments::table.filter(attachments::id.eq_any(&old))).execute(conn)?;
    let referred = exists(attachments::table.filter(attachments::hash.eq(blobs::hash)));
    let orphans: Vec<String> = blobs::table
        .filter(blobs::stored_at.lt(now - ORPHANED))
        .filter(not(referred))
        .limit(SWEPT)
        .select(blobs::hash)
        .load(conn)?;
    let full = |count: usize| i64::try_from(count).is_ok_and(|count| count == SWEPT);
    let more = full(old.len()) || full(orphans.len());
    remove_orphans(conn, orphans)?;
    Ok(more)
}

fn nothing() -> Error {
    Error::NotFound("There is no such file.")
}

#[cfg(test)]
mod tests;
