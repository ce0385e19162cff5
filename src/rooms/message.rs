//! A message: what a person wrote, numbered by `seq` in its room and by `rev` among the room's changes.

pub use super::json::Json;
use super::preview::{self, Preview};
use super::room::Room;
use crate::db::Conn;
use crate::db::schema::messages::{messages, rooms};
use crate::error::{Error, Result};
use crate::ids::{RoomId, UserId};
use diesel::prelude::*;
use serde::{Serialize, Serializer};

/// Messages in one page.
pub const PAGE: i64 = 100;
/// Bytes of text after which a page is cut short.
const PAGE_BYTES: usize = 128 * 1024;

/// A row of `messages`, which serialises as the contract's `message` object.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, Queryable, Selectable, Insertable, Serialize, utoipa::ToSchema,
)]
#[diesel(table_name = messages, treat_none_as_default_value = false)]
#[serde(tag = "type", rename = "message")]
pub struct Message {
    #[diesel(column_name = room_id)]
    #[schema(value_type = i64)]
    pub room: RoomId,
    pub seq: i64,
    pub rev: i64,
    /// The `rev` it was born with: what a repeated nonce is answered with.
    #[serde(skip)]
    pub first_rev: i64,
    #[diesel(column_name = author_id)]
    #[schema(value_type = i64)]
    pub user: UserId,
    /// The author's display name when it was sent.
    #[diesel(column_name = author_name)]
    pub name: String,
    #[diesel(column_name = author_guest)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub guest: bool,
    pub nonce: String,
    /// When it was stored, ms.
    #[diesel(column_name = posted_at)]
    pub at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    pub text: String,
    /// The text as sanitised HTML, when Markdown changed something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
    /// When its text was changed last, ms.
    #[diesel(column_name = edited_at)]
    #[serde(rename = "edited", skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<i64>,
    /// When it was deleted, ms; clients learn only that it was.
    #[diesel(column_name = deleted_at)]
    #[serde(rename = "deleted", skip_serializing_if = "Option::is_none", serialize_with = "as_true")]
    #[schema(value_type = Option<bool>)]
    pub deleted_at: Option<i64>,
    /// What it said at first, as a digest, once it says something else: a repeated nonce is compared with that.
    #[serde(skip)]
    pub first_digest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<i64>,
    /// The message that began the thread which this one replies in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread: Option<i64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub pinned: bool,
    /// It calls everybody in the room.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub to_all: bool,
    /// `{"👍":{"n":2,"users":[7,9]}}`
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub reactions: Option<Json>,
    /// `[{"id","mime","width","height","size","url"}]`
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    pub attachments: Option<Json>,
    /// What the page that it leads to says of itself, or that this was taken off.
    #[serde(skip_serializing_if = "preview::is_nothing")]
    #[schema(value_type = Option<Preview>)]
    pub preview: Option<Json>,
}

/// The moment of a deletion is nobody's business; that there was one is.
#[allow(clippy::ref_option, reason = "serde hands over the field itself")]
fn as_true<S: Serializer>(_: &Option<i64>, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_bool(true)
}

impl Message {
    /// About the bytes that it takes on the wire.
    fn weight(&self) -> usize {
        let long = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let json = |json: &Option<Json>| json.as_ref().map_or(0, |json| json.0.len());
        self.text.len()
            + self.name.len()
            + long(&self.title)
            + long(&self.html)
            + json(&self.reactions)
            + json(&self.attachments)
            + json(&self.preview)
            + 160
    }
}

/// Which messages of a room a page is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    All,
    /// The message that began a thread, and the replies.
    Thread(i64),
    Pinned,
}

/// Which messages of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    Newest,
    /// Those just before this `seq`.
    Before(i64),
    /// Those just after this `seq`.
    After(i64),
    /// This `seq` with what stands around it.
    Around(i64),
}

impl Page {
    /// # Errors
    /// More than one of the three, or a number below 0.
    pub fn parse(before: Option<i64>, after: Option<i64>, around: Option<i64>) -> Result<Self> {
        match (before, after, around) {
            (None, None, None) => Ok(Self::Newest),
            (Some(n), None, None) if n >= 0 => Ok(Self::Before(n)),
            (None, Some(n), None) if n >= 0 => Ok(Self::After(n)),
            (None, None, Some(n)) if n >= 0 => Ok(Self::Around(n)),
            _ => Err(Error::field("before", "Give one of before, after, around and at, as a number from 0.")),
        }
    }
}

/// Checks a page's length: 1 to 100, 100 when not given.
///
/// # Errors
/// A sentence for the field `limit`.
pub fn parse_limit(limit: Option<i64>) -> Result<i64> {
    match limit.unwrap_or(PAGE) {
        n @ 1..=PAGE => Ok(n),
        _ => Err(Error::field("limit", "A page has 1 to 100 entries.")),
    }
}

/// A page of a room's messages, ascending by `seq`; and whether there are more in the page's direction
/// (backwards for `Newest` and `Around`).
pub fn page(conn: &mut Conn, room: RoomId, page: Page, limit: i64) -> Result<(Vec<Message>, bool)> {
    page_of(conn, room, Scope::All, page, limit)
}

/// [`page`] of some of a room's messages.
pub fn page_of(
    conn: &mut Conn,
    room: RoomId,
    scope: Scope,
    page: Page,
    limit: i64,
) -> Result<(Vec<Message>, bool)> {
    match page {
        Page::Newest => backwards(conn, room, scope, i64::MAX, limit),
        Page::Before(seq) => backwards(conn, room, scope, seq, limit),
        Page::After(seq) => forwards(conn, room, scope, seq, limit),
        Page::Around(seq) => {
            let (mut found, more) = backwards(conn, room, scope, seq, limit / 2)?;
            let rest = limit - i64::try_from(found.len()).unwrap_or(0);
            found.extend(forwards(conn, room, scope, seq - 1, rest)?.0);
            Ok((found, more))
        }
    }
}

/// The rows that a scope has in a room, but for the beginning of a thread: the index that finds replies doesn't have it,
/// and asked for together they would be sought among all that the room has.
macro_rules! rows_of {
    ($room:expr, $scope:expr) => {{
        let rows = messages::table.filter(messages::room_id.eq($room)).into_boxed();
        match $scope {
            Scope::All => rows,
            Scope::Thread(seq) => rows.filter(messages::thread.eq(seq)),
            // The column itself, as the index's condition has it: compared with a value it isn't used.
            Scope::Pinned => rows.filter(messages::pinned),
        }
    }};
}

fn backwards(
    conn: &mut Conn,
    room: RoomId,
    scope: Scope,
    before: i64,
    limit: i64,
) -> Result<(Vec<Message>, bool)> {
    let mut rows: Vec<Message> = rows_of!(room, scope)
        .filter(messages::seq.lt(before))
        .order(messages::seq.desc())
        .limit(limit + 1)
        .select(Message::as_select())
        .load(conn)?;
    // A thread's beginning is older than all replies.
    if let Scope::Thread(seq) = scope
        && seq < before
    {
        rows.extend(some(conn, room, &[seq])?);
    }
    let (mut rows, more) = cut(rows, limit);
    rows.reverse();
    Ok((rows, more))
}

fn forwards(
    conn: &mut Conn,
    room: RoomId,
    scope: Scope,
    after: i64,
    limit: i64,
) -> Result<(Vec<Message>, bool)> {
    let mut rows: Vec<Message> = match scope {
        Scope::Thread(seq) if seq > after => some(conn, room, &[seq])?,
        _ => Vec::new(),
    };
    let others: Vec<Message> = rows_of!(room, scope)
        .filter(messages::seq.gt(after))
        .order(messages::seq.asc())
        .limit(limit + 1)
        .select(Message::as_select())
        .load(conn)?;
    rows.extend(others);
    Ok(cut(rows, limit))
}

/// These messages of a room, as far as they are there, in any order.
pub fn some(conn: &mut Conn, room: RoomId, seqs: &[i64]) -> Result<Vec<Message>> {
    let wanted = messages::room_id.eq(room).and(messages::seq.eq_any(seqs));
    Ok(messages::table.filter(wanted).select(Message::as_select()).load(conn)?)
}

/// One message of a room.
///
/// # Errors
/// `NotFound` when the room has none of this number.
pub fn find(conn: &mut Conn, room: RoomId, seq: i64) -> Result<Message> {
    let found = messages::table.find((room, seq)).select(Message::as_select()).first(conn).optional()?;
    found.ok_or(Error::NotFound("There is no such message."))
}

/// Keeps at most `limit` rows and about [`PAGE_BYTES`]; says whether something was left.
fn cut(mut rows: Vec<Message>, limit: i64) -> (Vec<Message>, bool) {
    let mut bytes = 0;
    let fits = rows
        .iter()
        .take_while(|m| {
            bytes += m.weight();
            bytes <= PAGE_BYTES
        })
        .count();
    let keep = fits.max(1).min(usize::try_from(limit).unwrap_or(0));
    let more = rows.len() > keep;
    rows.truncate(keep);
    (rows, more)
}

/// The first message at or after a moment (ms), the last one when all are older; 0 in an empty room.
///
/// Messages ascend in time as they do in `seq`, so halving finds it without an index: twenty looks among a million.
pub fn seq_at(conn: &mut Conn, room: &Room, at: i64) -> Result<i64> {
    let (mut from, mut to) = (1, room.last_seq);
    while from < to {
        let middle = from + (to - from) / 2;
        let found: Option<(i64, i64)> = messages::table
            .filter(messages::room_id.eq(room.id).and(messages::seq.ge(middle)))
            .order(messages::seq.asc())
            .select((messages::seq, messages::posted_at))
            .first(conn)
            .optional()?;
        match found {
            Some((seq, posted)) if posted < at => from = seq + 1,
            _ => to = middle,
        }
    }
    Ok(from.min(room.last_seq))
}

/// What changed in a room after a `rev`.
#[derive(Debug, PartialEq, Eq)]
pub enum Changes {
    /// Ascending by `rev`, one per message. `rev` is the last one's with `more`, otherwise the room's.
    Since { messages: Vec<Message>, rev: i64, more: bool },
    /// The asker is ahead of the room (its database was restored): forget the room, read it afresh.
    Reset,
}

/// Call it in a snapshot, with the room read in the same one.
pub fn changes(conn: &mut Conn, room: &Room, after: i64, limit: i64) -> Result<Changes> {
    if after > room.rev {
        return Ok(Changes::Reset);
    }
    let rows: Vec<Message> = messages::table
        .filter(messages::room_id.eq(room.id).and(messages::rev.gt(after)))
        .order(messages::rev.asc())
        .limit(limit + 1)
        .select(Message::as_select())
        .load(conn)?;
    let (messages, more) = cut(rows, limit);
    let rev = messages.last().filter(|_| more).map_or(room.rev, |m| m.rev);
    Ok(Changes::Since { messages, rev, more })
}

/// The newest `rev` of a room; 0 for one that isn't there.
pub fn rev(conn: &mut Conn, room: RoomId) -> Result<i64> {
    Ok(rooms::table.find(room).select(rooms::rev).first(conn).optional()?.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_long_messages_is_cut_at_128_kib() {
        let long = |seq| Message { room: RoomId(1), seq, text: "x".repeat(16_000), ..Message::default() };
        let (kept, more) = cut((1..=20).map(long).collect(), 100);
        assert_eq!((kept.len(), more), (8, true));
    }
}
