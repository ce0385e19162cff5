//! Reactions: one row for each person and emoji, and their summary on the message, which is what clients get.

use super::message::{Json, Message};
use crate::clock::now_ms;
use crate::db::Conn;
use crate::db::schema::messages::reactions;
use crate::error::{Error, FieldError, Result};
use crate::ids::{RoomId, UserId};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Different emoji on one message.
const EMOJI: usize = 20;
/// People whom a summary names; the others are only counted.
const NAMED: usize = 20;

/// One emoji of the Unicode set, in the set's own spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Emoji(&'static str);

impl Emoji {
    /// # Errors
    /// A sentence for the field `emoji`.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let found = emojis::get(text).ok_or_else(|| FieldError::new("emoji", "A reaction is one emoji."))?;
        Ok(Self(found.as_str()))
    }

    pub fn as_str(self) -> &'static str {
        self.0
    }
}

/// One emoji on a message: how many chose it, and the first of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reaction {
    pub emoji: String,
    pub n: i64,
    pub users: Vec<UserId>,
}

impl Reaction {
    /// The ids as a page carries them.
    pub fn ids(&self) -> String {
        self.users.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }
}

impl Message {
    /// The reactions in the order in which the emoji came.
    pub fn reactions(&self) -> Vec<Reaction> {
        // Written by this program; a damaged summary must not take a whole page with it.
        let summary = Summary::of(self).unwrap_or_default();
        summary
            .0
            .into_iter()
            .map(|(emoji, count)| Reaction { emoji, n: count.n, users: count.users })
            .collect()
    }
}

/// One emoji's part of the summary.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Count {
    n: i64,
    /// The first [`NAMED`] of them.
    users: Vec<UserId>,
}

/// The summary: emoji in the order in which they came.
#[derive(Debug, Default, PartialEq, Eq)]
struct Summary(Vec<(String, Count)>);

impl Summary {
    fn of(message: &Message) -> Result<Self> {
        let Some(Json(text)) = &message.reactions else { return Ok(Self::default()) };
        let map: Map<String, Value> = serde_json::from_str(text).map_err(Error::internal)?;
        let counts = map.into_iter().map(|(emoji, count)| Ok((emoji, serde_json::from_value(count)?)));
        Ok(Self(counts.collect::<serde_json::Result<_>>().map_err(Error::internal)?))
    }

    fn json(self) -> Result<Option<Json>> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let entries = self.0.into_iter().map(|(emoji, count)| Ok((emoji, serde_json::to_value(count)?)));
        let map: Map<String, Value> = entries.collect::<serde_json::Result<_>>().map_err(Error::internal)?;
        Ok(Some(Json(Value::Object(map).to_string())))
    }
}

/// Puts a reaction on a message, or takes it off; writes the new summary into `message`, which isn't stored yet.
/// `false` when it was so already.
///
/// # Errors
/// `Invalid` for one emoji too many.
pub fn set(conn: &mut Conn, message: &mut Message, user: UserId, emoji: Emoji, on: bool) -> Result<bool> {
    let mut summary = Summary::of(message)?;
    let row = reactions::table.find((message.room, message.seq, emoji.as_str(), user));
    let is_on = row.select(reactions::user_id).first::<UserId>(conn).optional()?.is_some();
    if on == is_on {
        return Ok(false);
    }
    let place = summary.0.iter().position(|(there, _)| there == emoji.as_str());
    if on {
        if place.is_none() && summary.0.len() >= EMOJI {
            return Err(Error::field("emoji", "A message has at most 20 different emoji."));
        }
        insert(conn, message, user, emoji)?;
        let at = place.unwrap_or_else(|| {
            summary.0.push((emoji.as_str().to_owned(), Count::default()));
            summary.0.len() - 1
        });
        let count = &mut summary.0[at].1;
        count.n += 1;
        if count.users.len() < NAMED {
            count.users.push(user);
        }
    } else {
        diesel::delete(row).execute(conn)?;
        if let Some(at) = place {
            let count = &mut summary.0[at].1;
            count.n -= 1;
            if count.users.contains(&user) {
                count.users = first(conn, message.room, message.seq, emoji)?;
            }
            if count.n <= 0 {
                summary.0.remove(at);
            }
        }
    }
    message.reactions = summary.json()?;
    Ok(true)
}

fn insert(conn: &mut Conn, message: &Message, user: UserId, emoji: Emoji) -> QueryResult<()> {
    let row = (
        reactions::room_id.eq(message.room),
        reactions::seq.eq(message.seq),
        reactions::emoji.eq(emoji.as_str()),
        reactions::user_id.eq(user),
        reactions::reacted_at.eq(now_ms()),
    );
    diesel::insert_into(reactions::table).values(row).execute(conn).map(drop)
}

fn first(conn: &mut Conn, room: RoomId, seq: i64, emoji: Emoji) -> QueryResult<Vec<UserId>> {
    reactions::table
        .filter(reactions::room_id.eq(room).and(reactions::seq.eq(seq)))
        .filter(reactions::emoji.eq(emoji.as_str()))
        .order((reactions::reacted_at.asc(), reactions::user_id.asc()))
        .limit(i64::try_from(NAMED).unwrap_or(i64::MAX))
        .select(reactions::user_id)
        .load(conn)
}

/// Takes all reactions off a message.
pub fn clear(conn: &mut Conn, message: &mut Message) -> QueryResult<()> {
    message.reactions = None;
    let rows =
        reactions::table.filter(reactions::room_id.eq(message.room).and(reactions::seq.eq(message.seq)));
    diesel::delete(rows).execute(conn).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reaction_is_one_emoji_however_it_is_spelled() {
        assert_eq!(Emoji::parse("❤").map(Emoji::as_str), Emoji::parse("❤️").map(Emoji::as_str));
        assert!(Emoji::parse("👩🏽‍🚀").is_ok());
        for bad in ["", "a", "👍👍", ":tada:", "👍 ", "<b>", "1"] {
            assert!(Emoji::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_summary_keeps_the_order_in_which_emoji_came() -> Result<()> {
        let json = r#"{"👍":{"n":2,"users":[7,9]},"❤️":{"n":1,"users":[3]},"1️⃣":{"n":1,"users":[3]}}"#;
        let message = Message { reactions: Some(Json(json.into())), ..Message::default() };
        let again = Summary::of(&message)?.json()?;
        assert_eq!(again, message.reactions);
        Ok(())
    }
}
