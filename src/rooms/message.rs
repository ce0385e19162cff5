//! A message: what a person wrote, numbered by `seq` in its room and by `rev` among the room's changes.

use super::room::Room;
use crate::db::Conn;
use crate::db::schema::messages::{messages, rooms};
use crate::error::{Error, FieldError, Result};
use crate::ids::{RoomId, UserId};
use diesel::prelude::*;
use serde::Serialize;

/// Messages in one page.
pub const PAGE: i64 = 100;
/// Bytes of text after which a page is cut short.
const PAGE_BYTES: usize = 128 * 1024;

/// A row of `messages`, which serialises as the contract's `message` object.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable, Serialize, utoipa::ToSchema)]
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
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<i64>,
}

/// The client's own name for a message: 16 to 64 visible ASCII characters, random.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Nonce(String);

impl Nonce {
    /// # Errors
    /// A sentence for the field `nonce`.
    pub fn parse(text: String) -> Result<Self, FieldError> {
        if (16..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic()) {
            Ok(Self(text))
        } else {
            Err(FieldError::new("nonce", "A nonce is 16 to 64 visible ASCII characters."))
        }
    }

    /// 128 random bits, for a sender that brought none.
    pub fn random() -> Result<Self> {
        let mut bits = [0; 16];
        getrandom::fill(&mut bits).map_err(|e| Error::internal(e.to_string()))?;
        Ok(Self(data_encoding::HEXLOWER.encode(&bits)))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A message's text: 1 to 4,000 characters, no control characters but newline and tab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text(String);

impl Text {
    /// Line ends of forms (CR LF) become LF; space around the text goes.
    ///
    /// # Errors
    /// A sentence for the field `text`.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let text = if text.contains('\r') {
            text.replace("\r\n", "\n").replace('\r', "\n")
        } else {
            text.to_owned()
        };
        if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
            return Err(FieldError::new(
                "text",
                "The text contains control characters. Remove them and send it again.",
            ));
        }
        let trimmed = text.trim_end().trim_start_matches('\n');
        if trimmed.trim().is_empty() {
            return Err(FieldError::new("text", "Write something first."));
        }
        let length = trimmed.chars().count();
        if length > 4000 {
            return Err(FieldError::new(
                "text",
                format!("A message has at most 4,000 characters; this one has {length}."),
            ));
        }
        Ok(Self(trimmed.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A note's title: one line of at most 120 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Title(String);

impl Title {
    /// `None` for an empty one.
    ///
    /// # Errors
    /// A sentence for the field `title`.
    pub fn parse(text: &str) -> Result<Option<Self>, FieldError> {
        let text = text.trim();
        if text.chars().count() > 120 {
            return Err(FieldError::new("title", "A title has at most 120 characters."));
        }
        if text.chars().any(char::is_control) {
            return Err(FieldError::new("title", "A title is one line without control characters."));
        }
        Ok((!text.is_empty()).then(|| Self(text.to_owned())))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
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
            _ => Err(Error::field("before", "Give one of before, after and around, as a number from 0.")),
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
    match page {
        Page::Newest => backwards(conn, room, i64::MAX, limit),
        Page::Before(seq) => backwards(conn, room, seq, limit),
        Page::After(seq) => forwards(conn, room, seq, limit),
        Page::Around(seq) => {
            let (mut found, more) = backwards(conn, room, seq, limit / 2)?;
            let rest = limit - i64::try_from(found.len()).unwrap_or(0);
            found.extend(forwards(conn, room, seq - 1, rest)?.0);
            Ok((found, more))
        }
    }
}

fn backwards(conn: &mut Conn, room: RoomId, before: i64, limit: i64) -> Result<(Vec<Message>, bool)> {
    let rows: Vec<Message> = messages::table
        .filter(messages::room_id.eq(room).and(messages::seq.lt(before)))
        .order(messages::seq.desc())
        .limit(limit + 1)
        .select(Message::as_select())
        .load(conn)?;
    let (mut rows, more) = cut(rows, limit);
    rows.reverse();
    Ok((rows, more))
}

fn forwards(conn: &mut Conn, room: RoomId, after: i64, limit: i64) -> Result<(Vec<Message>, bool)> {
    let rows: Vec<Message> = messages::table
        .filter(messages::room_id.eq(room).and(messages::seq.gt(after)))
        .order(messages::seq.asc())
        .limit(limit + 1)
        .select(Message::as_select())
        .load(conn)?;
    Ok(cut(rows, limit))
}

/// Keeps at most `limit` rows and about [`PAGE_BYTES`]; says whether something was left.
fn cut(mut rows: Vec<Message>, limit: i64) -> (Vec<Message>, bool) {
    let mut bytes = 0;
    let fits = rows
        .iter()
        .take_while(|m| {
            bytes += m.text.len() + m.name.len() + m.title.as_ref().map_or(0, String::len) + 160;
            bytes <= PAGE_BYTES
        })
        .count();
    let keep = fits.max(1).min(usize::try_from(limit).unwrap_or(0));
    let more = rows.len() > keep;
    rows.truncate(keep);
    (rows, more)
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
    fn a_text_is_checked_and_tidied() {
        assert_eq!(Text::parse("a\r\nb\r\n").as_ref().map(Text::as_str), Ok("a\nb"));
        assert_eq!(Text::parse("  code").as_ref().map(Text::as_str), Ok("  code"));
        assert!(Text::parse(&"字".repeat(4000)).is_ok());
        for bad in ["", " \n\t ", "a\u{0}b", "a\u{1b}[0m", &"x".repeat(4001)] {
            assert!(Text::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_page_of_long_messages_is_cut_at_128_kib() {
        let long = |seq| Message {
            room: RoomId(1),
            seq,
            rev: seq,
            first_rev: seq,
            user: UserId(1),
            name: "Ann".into(),
            guest: false,
            nonce: String::new(),
            at: 0,
            title: None,
            text: "x".repeat(16_000),
            reply_to: None,
        };
        let (kept, more) = cut((1..=20).map(long).collect(), 100);
        assert_eq!((kept.len(), more), (8, true));
    }
}
