//! The batch: how many messages are numbered and stored in one transaction.
//!
//! Rooms are locked in ascending id, nonces are looked up (those inside the batch too), each item is checked, the
//! survivors are numbered in memory and inserted together. One bad item refuses itself, not the batch.

use super::membership::{self, Verb};
use super::message::{Message, Nonce, Text, Title};
use super::room::Room;
use crate::accounts::Person;
use crate::clock::now_ms;
use crate::db::schema::messages::{messages, rooms};
use crate::db::{self, Conn};
use crate::error::{Error, FieldError, Result};
use crate::ids::{RoomId, UserId};
use crate::on_conn;
use diesel::prelude::*;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Who writes, as it will stand beside the message for ever.
#[derive(Clone, Debug)]
pub struct Author {
    pub id: UserId,
    pub name: String,
    pub guest: bool,
}

impl From<&Person> for Author {
    fn from(person: &Person) -> Self {
        Self { id: person.id, name: person.display_name.clone(), guest: person.is_guest() }
    }
}

/// A message on its way into a room. Nothing else makes one.
#[derive(Debug)]
pub struct Post {
    pub room: RoomId,
    pub author: Author,
    pub nonce: Nonce,
    pub title: Option<Title>,
    pub text: Text,
    pub reply_to: Option<i64>,
}

/// A message as somebody typed it, before anything is checked.
#[derive(Clone, Debug, Default)]
pub struct Typed {
    pub nonce: String,
    pub text: String,
    /// Empty for none.
    pub title: String,
    pub reply_to: Option<i64>,
}

impl Typed {
    /// # Errors
    /// `Invalid` with one sentence per wrong field.
    pub fn check(self, author: Author, room: RoomId) -> Result<Post> {
        let mut wrong: Vec<FieldError> = Vec::new();
        let mut keep = |error| wrong.push(error);
        let title = Title::parse(&self.title).map_err(&mut keep).ok();
        let text = Text::parse(&self.text).map_err(&mut keep).ok();
        let nonce = Nonce::parse(self.nonce).map_err(&mut keep).ok();
        match (title, text, nonce) {
            (Some(title), Some(text), Some(nonce)) => {
                Ok(Post { room, author, nonce, title, text, reply_to: self.reply_to })
            }
            _ => Err(Error::Invalid(wrong)),
        }
    }
}

/// What became of it: the contract's reply to `send`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Posted {
    pub seq: i64,
    pub rev: i64,
    /// When it was stored, ms.
    pub at: i64,
}

/// One item's outcome in the transaction.
#[derive(Debug)]
pub enum Stored {
    /// A new message.
    New(Message),
    /// The same nonce with the same content was stored before.
    Again(Posted),
    Refused(Error),
}

/// What a batch needs to know of one room.
struct Locked {
    room: Room,
    /// Those already found to be allowed to post.
    posters: HashSet<UserId>,
}

/// Applies the posts in order and returns one outcome for each.
///
/// # Errors
/// Only what fails the whole transaction.
pub fn apply(conn: &mut Conn, posts: &[&Post]) -> QueryResult<Vec<Stored>> {
    let at = now_ms();
    let mut locked: BTreeMap<RoomId, Option<Locked>> = posts.iter().map(|p| (p.room, None)).collect();
    for (id, slot) in &mut locked {
        *slot = lock(conn, *id)?.map(|room| Locked { room, posters: HashSet::new() });
    }
    let mut outcomes: Vec<Stored> = Vec::with_capacity(posts.len());
    let mut seen: HashMap<(UserId, &str), usize> = HashMap::new();
    for post in posts {
        let key = (post.author.id, post.nonce.as_str());
        let outcome = if let Some(&first) = seen.get(&key) {
            match &outcomes[first] {
                Stored::New(message) => repeated(message, post),
                Stored::Again(posted) => Stored::Again(*posted),
                // The first of the two was refused and stored nothing: the second is judged by itself.
                Stored::Refused(_) => judge(conn, &mut locked, post, at)?,
            }
        } else if let Some(message) = by_nonce(conn, post)? {
            repeated(&message, post)
        } else {
            judge(conn, &mut locked, post, at)?
        };
        seen.entry(key).or_insert(outcomes.len());
        outcomes.push(outcome);
    }
    insert(conn, &outcomes)?;
    for held in locked.values().flatten() {
        store_counts(conn, held, at)?;
    }
    Ok(outcomes)
}

/// Locks a room's row: SQLite's write lock covers it already, Postgres is asked to.
fn lock(conn: &mut Conn, id: RoomId) -> QueryResult<Option<Room>> {
    match conn {
        Conn::Sqlite(c) => rooms::table.find(id).select(Room::as_select()).first(c).optional(),
        Conn::Postgres(c) => rooms::table.find(id).select(Room::as_select()).for_update().first(c).optional(),
    }
}

fn by_nonce(conn: &mut Conn, post: &Post) -> QueryResult<Option<Message>> {
    messages::table
        .filter(messages::author_id.eq(post.author.id).and(messages::nonce.eq(post.nonce.as_str())))
        .select(Message::as_select())
        .first(conn)
        .optional()
}

/// The answer to a nonce that has been here before: the first result, or a refusal when the content differs.
fn repeated(first: &Message, post: &Post) -> Stored {
    let same = first.room == post.room
        && first.text == post.text.as_str()
        && first.title.as_deref() == post.title.as_ref().map(Title::as_str)
        && first.reply_to == post.reply_to;
    if same {
        Stored::Again(Posted { seq: first.seq, rev: first.first_rev, at: first.at })
    } else {
        Stored::Refused(Error::conflict("nonce_reused", "This nonce was used for another message."))
    }
}

/// Checks one item and numbers it.
fn judge(
    conn: &mut Conn,
    locked: &mut BTreeMap<RoomId, Option<Locked>>,
    post: &Post,
    at: i64,
) -> QueryResult<Stored> {
    let Some(held) = locked.get_mut(&post.room).and_then(Option::as_mut) else {
        return Ok(Stored::Refused(Error::NotFound("There is no such room.")));
    };
    if !held.posters.contains(&post.author.id) {
        match membership::may(conn, post.author.id, &held.room, Verb::Post) {
            Ok(()) => held.posters.insert(post.author.id),
            Err(refusal) => return db::raise(refusal).map(Stored::Refused),
        };
    }
    if post.reply_to.is_some_and(|seq| seq < 1 || seq > held.room.last_seq) {
        return Ok(Stored::Refused(Error::field(
            "reply_to",
            "The message that you reply to isn't in this room.",
        )));
    }
    held.room.last_seq += 1;
    held.room.rev += 1;
    Ok(Stored::New(Message {
        room: post.room,
        seq: held.room.last_seq,
        rev: held.room.rev,
        first_rev: held.room.rev,
        user: post.author.id,
        name: post.author.name.clone(),
        guest: post.author.guest,
        nonce: post.nonce.as_str().to_owned(),
        at,
        title: post.title.as_ref().map(|t| t.as_str().to_owned()),
        text: post.text.as_str().to_owned(),
        reply_to: post.reply_to,
    }))
}

fn insert(conn: &mut Conn, outcomes: &[Stored]) -> QueryResult<()> {
    let rows: Vec<&Message> = outcomes
        .iter()
        .filter_map(|o| if let Stored::New(message) = o { Some(message) } else { None })
        .collect();
    if !rows.is_empty() {
        on_conn!(conn, c => diesel::insert_into(messages::table).values(rows).execute(c))?;
    }
    Ok(())
}

fn store_counts(conn: &mut Conn, held: &Locked, at: i64) -> QueryResult<()> {
    let room = &held.room;
    diesel::update(rooms::table.find(room.id).filter(rooms::rev.ne(room.rev)))
        .set((rooms::last_seq.eq(room.last_seq), rooms::rev.eq(room.rev), rooms::active_at.eq(at)))
        .execute(conn)
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_field_is_named_at_once() {
        let author = Author { id: UserId(1), name: "Ann".into(), guest: false };
        let wrong = |typed: Typed| {
            let error = typed.check(author.clone(), RoomId(1)).err();
            error.map_or_else(Vec::new, |error| error.fields().iter().map(|f| f.field).collect())
        };
        let nonce = "0123456789abcdef".to_owned();
        assert_eq!(
            wrong(Typed { title: "x".repeat(121), text: " ".into(), nonce: "short".into(), reply_to: None }),
            ["title", "text", "nonce"]
        );
        assert_eq!(
            wrong(Typed { text: "x".repeat(4001), nonce: nonce.clone(), ..Typed::default() }),
            ["text"]
        );
        assert!(wrong(Typed { text: "x".into(), nonce, ..Typed::default() }).is_empty());
    }
}
