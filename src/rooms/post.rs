//! The batch: how many messages are numbered and stored in one transaction.
//!
//! Rooms are locked in ascending id, each item is checked, the survivors are numbered in memory and inserted together.
//! One bad item refuses itself, not the batch. That a nonce has been here before is rare: the first time it is looked for
//! only where the answer could depend on it, and otherwise left to the index to say, which runs the whole batch again.

use super::attachment;
use super::author::Author;
use super::content::Content;
use super::membership::{self, Verb};
use super::mention;
use super::message::{Json, Message};
use super::report;
use super::room::{Kind, Room};
use super::slow;
use super::typed::{Nonce, Text, Title};
use super::words::{Mentionable, Words};
use crate::clock::now_ms;
use crate::db::schema::messages::{messages, rooms};
use crate::db::{self, Conn, Run};
use crate::error::{Error, FieldError, Result};
use crate::ids::{AttachmentId, HOUSE, RoomId, UserId};
use crate::on_conn;
use diesel::prelude::*;
use std::collections::{BTreeMap, HashMap, HashSet};

/// A message on its way into a room. Nothing else makes one.
#[derive(Debug)]
pub struct Post {
    pub room: RoomId,
    pub author: Author,
    pub nonce: Nonce,
    pub title: Option<Title>,
    pub words: Words,
    pub reply_to: Option<i64>,
    /// Uploads of the same author to the same room.
    pub attachments: Vec<AttachmentId>,
}

impl Post {
    fn content(&self) -> Content<'_> {
        Content {
            text: self.words.text.as_str(),
            title: self.title.as_ref().map(Title::as_str),
            reply_to: self.reply_to,
            attachments: &self.attachments,
        }
    }
}

/// A message as somebody typed it, before anything is checked.
#[derive(Clone, Debug, Default)]
pub struct Typed {
    pub nonce: String,
    pub text: String,
    /// Empty for none.
    pub title: String,
    pub reply_to: Option<i64>,
    /// With some, the text may be empty.
    pub attachments: Vec<AttachmentId>,
}

impl Typed {
    /// A text under a number of its own.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn new(text: impl Into<String>) -> Result<Self> {
        Ok(Self { nonce: Nonce::random()?.as_str().to_owned(), text: text.into(), ..Self::default() })
    }

    /// Checks and renders it; `people` has those of [`text::candidates`](crate::text::candidates) that exist.
    ///
    /// # Errors
    /// `Invalid` with one sentence per wrong field.
    pub fn check(self, author: Author, room: RoomId, people: &Mentionable) -> Result<Post> {
        let mut wrong: Vec<FieldError> = Vec::new();
        let mut keep = |error| wrong.push(error);
        let title = Title::parse(&self.title).map_err(&mut keep).ok();
        let text =
            if self.attachments.is_empty() { Text::parse(&self.text) } else { Text::beside(&self.text) };
        let text = text.map_err(&mut keep).ok();
        let nonce = Nonce::parse(self.nonce).map_err(&mut keep).ok();
        check_attachments(&self.attachments).unwrap_or_else(&mut keep);
        match (title, text, nonce) {
            (Some(title), Some(text), Some(nonce)) if wrong.is_empty() => {
                let (mut words, reply_to, attachments) =
                    (Words::new(text, people), self.reply_to, self.attachments);
                author
                    .bounds
                    .check(title.as_ref(), &mut words)
                    .map_err(|wrong| Error::Invalid(vec![wrong]))?;
                Ok(Post { room, author, nonce, title, words, reply_to, attachments })
            }
            _ => Err(Error::Invalid(wrong)),
        }
    }
}

fn check_attachments(ids: &[AttachmentId]) -> Result<(), FieldError> {
    let wrong = |message: &'static str| Err(FieldError::new("attachments", message));
    if ids.len() > attachment::PER_MESSAGE {
        return wrong("A message carries at most 10 files.");
    }
    if ids.iter().collect::<HashSet<_>>().len() < ids.len() {
        return wrong("The same file is attached twice.");
    }
    Ok(())
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
    New(Box<Message>),
    /// The same nonce with the same content was stored before.
    Again(Posted),
    Refused(Error),
}

/// Posts to one room in a batch from which on its members are asked for together, and how many of them at most.
const MANY: usize = 4;
const AT_ONCE: i64 = 50;

/// What a batch needs to know of one room.
struct Locked {
    room: Room,
    /// Those already found to be allowed to post.
    posters: HashSet<UserId>,
}

/// Applies the posts in order and returns one outcome for each.
///
/// # Errors
/// Only what fails the whole transaction; in the first run a nonce that has been here before does.
pub fn apply(conn: &mut Conn, posts: &[&Post], run: Run) -> QueryResult<Vec<Stored>> {
    let at = now_ms();
    let mut locked: BTreeMap<RoomId, Option<Locked>> = posts.iter().map(|p| (p.room, None)).collect();
    let mut waiting: HashMap<RoomId, usize> = HashMap::new();
    for post in posts {
        *waiting.entry(post.room).or_default() += 1;
    }
    for (id, slot) in &mut locked {
        let Some(room) = lock(conn, *id)? else { continue };
        let posters = known_posters(conn, &room, waiting[id])?;
        *slot = Some(Locked { room, posters });
    }
    let mut outcomes: Vec<Stored> = Vec::with_capacity(posts.len());
    let mut seen: HashMap<(UserId, &str), usize> = HashMap::new();
    for post in posts {
        let key = (post.author.id, post.nonce.as_str());
        let outcome = match seen.get(&key).map(|&first| &outcomes[first]) {
            Some(Stored::New(message)) => repeated(message, post),
            // What it was compared with is in the table; what was refused stored nothing, and this one is judged by itself.
            Some(Stored::Again(_) | Stored::Refused(_)) => {
                unless_repeated(conn, &mut locked, post, at, Run::Again)?
            }
            None => unless_repeated(conn, &mut locked, post, at, run)?,
        };
        let outcome = enter_thread(conn, &outcomes, outcome)?;
        seen.entry(key).or_insert(outcomes.len());
        outcomes.push(outcome);
    }
    insert(conn, &outcomes)?;
    let called = called(conn, &locked, posts, &outcomes)?;
    mention::insert(conn, &called)?;
    report::file_flagged(conn, posts, &outcomes)?;
    for held in locked.values().flatten() {
        store_counts(conn, held, at)?;
    }
    Ok(outcomes)
}

/// Those who may post because they are members, where asking for all of them at once is less work than for each who
/// posts. Whoever isn't among them is judged alone.
fn known_posters(conn: &mut Conn, room: &Room, waiting: usize) -> QueryResult<HashSet<UserId>> {
    if waiting < MANY || room.members > AT_ONCE || !matches!(room.kind, Kind::Channel | Kind::Group) {
        return Ok(HashSet::new());
    }
    Ok(membership::members(conn, room.id, UserId(0), AT_ONCE)?.into_iter().collect())
}

/// A reply belongs to the thread of what it replies to, which may stand in this very batch.
fn enter_thread(conn: &mut Conn, before: &[Stored], outcome: Stored) -> QueryResult<Stored> {
    let Stored::New(mut message) = outcome else { return Ok(outcome) };
    let Some(seq) = message.reply_to else { return Ok(Stored::New(message)) };
    let parent = before.iter().rev().find_map(|stored| match stored {
        Stored::New(parent) if (parent.room, parent.seq) == (message.room, seq) => Some(parent.thread),
        _ => None,
    });
    let thread = match parent {
        Some(thread) => thread,
        None => messages::table
            .find((message.room, seq))
            .select(messages::thread)
            .first::<Option<i64>>(conn)
            .optional()?
            .flatten(),
    };
    message.thread = thread.or(Some(seq));
    Ok(Stored::New(message))
}

/// The rows of those whom the new messages call by name.
fn called(
    conn: &mut Conn,
    locked: &BTreeMap<RoomId, Option<Locked>>,
    posts: &[&Post],
    outcomes: &[Stored],
) -> QueryResult<Vec<(UserId, RoomId, i64)>> {
    let mut rows = Vec::new();
    for (post, stored) in posts.iter().zip(outcomes) {
        let (false, Stored::New(message)) = (post.words.mentions.is_empty(), stored) else { continue };
        let Some(held) = locked.get(&post.room).and_then(Option::as_ref) else { continue };
        let reached = mention::reached(conn, &held.room, post.author.id, &post.words.mentions)?;
        rows.extend(reached.into_iter().map(|user| (user, message.room, message.seq)));
    }
    Ok(rows)
}

/// Locks a room's row: SQLite's write lock covers it already, Postgres is asked to.
pub(super) fn lock(conn: &mut Conn, id: RoomId) -> QueryResult<Option<Room>> {
    let there = rooms::table.find(id).filter(rooms::deleted_at.is_null());
    match conn {
        Conn::Sqlite(c) => there.select(Room::as_select()).first(c).optional(),
        Conn::Postgres(c) => there.select(Room::as_select()).for_update().first(c).optional(),
    }
}

fn by_nonce(conn: &mut Conn, author: UserId, nonce: &str) -> QueryResult<Option<Message>> {
    on_conn!(conn, c => messages::table
        .filter(messages::author_id.eq(author).and(messages::nonce.eq(nonce)))
        .select(Message::as_select())
        .first(c)
        .optional())
}

/// The answer to a nonce that has been here before: the first result, or a refusal when the content differs.
fn repeated(first: &Message, post: &Post) -> Stored {
    if first.room == post.room && first.was_sent_as(&post.content()) {
        Stored::Again(Posted { seq: first.seq, rev: first.first_rev, at: first.at })
    } else {
        Stored::Refused(Error::conflict("nonce_reused", "This nonce was used for another message."))
    }
}

/// [`judge`], after a look whether the nonce has been here. In the first run the look comes afterwards, and only where
/// what is judged could not be taken again: the answer to what was stored is the first one, whatever holds by now.
fn unless_repeated(
    conn: &mut Conn,
    locked: &mut BTreeMap<RoomId, Option<Locked>>,
    post: &Post,
    at: i64,
    run: Run,
) -> QueryResult<Stored> {
    let changes_more = !post.attachments.is_empty();
    if (run == Run::Again || changes_more)
        && let Some(first) = by_nonce(conn, post.author.id, post.nonce.as_str())?
    {
        return Ok(repeated(&first, post));
    }
    let judged = judge(conn, locked, post, at)?;
    if run == Run::First
        && let Stored::Refused(_) = judged
        && let Some(first) = by_nonce(conn, post.author.id, post.nonce.as_str())?
    {
        return Ok(repeated(&first, post));
    }
    Ok(judged)
}

/// The message that this author's nonce has made already, if any.
pub fn earlier(conn: &mut Conn, author: UserId, nonce: &str) -> Result<Option<Message>> {
    Ok(by_nonce(conn, author, nonce)?)
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
    // Nobody is signed in as the house: its words come from inside.
    if post.author.id != HOUSE && !held.posters.contains(&post.author.id) {
        match membership::may(conn, post.author.id, &held.room, Verb::Post) {
            Ok(()) => held.posters.insert(post.author.id),
            Err(refusal) => return db::raise(refusal).map(Stored::Refused),
        };
    }
    // After the room: whether it is there is nothing that a time-out tells.
    if let Err(refusal) = membership::may_speak(post.author.bounds.silenced_until, Verb::Post) {
        return Ok(Stored::Refused(refusal));
    }
    if post.reply_to.is_some_and(|seq| seq < 1 || seq > held.room.last_seq) {
        return Ok(Stored::Refused(Error::field(
            "reply_to",
            "The message that you reply to isn't in this room.",
        )));
    }
    let is_slow = slow::binds(&held.room, &post.author);
    if is_slow && let Some(wait_ms) = slow::wait(conn, &held.room, post.author.id, at)? {
        return Ok(Stored::Refused(Error::Slow { wait_ms }));
    }
    let attachments = match attach(conn, post, held.room.last_seq + 1) {
        Ok(attachments) => attachments,
        Err(refusal) => return db::raise(refusal).map(Stored::Refused),
    };
    if is_slow {
        slow::note(conn, post.room, post.author.id, at)?;
    }
    held.room.last_seq += 1;
    held.room.rev += 1;
    Ok(Stored::New(Box::new(Message {
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
        text: post.words.text.as_str().to_owned(),
        html: post.words.html.clone(),
        to_all: post.words.to_all,
        reply_to: post.reply_to,
        attachments,
        ..Message::default()
    })))
}

/// Nothing is refused after this: what was taken would be lost with the refusal.
fn attach(conn: &mut Conn, post: &Post, seq: i64) -> Result<Option<Json>> {
    if post.attachments.is_empty() {
        return Ok(None);
    }
    attachment::take(conn, post.author.id, post.room, &post.attachments, seq).map(Some)
}

fn insert(conn: &mut Conn, outcomes: &[Stored]) -> QueryResult<()> {
    let rows: Vec<&Message> = outcomes
        .iter()
        .filter_map(|o| if let Stored::New(message) = o { Some(message.as_ref()) } else { None })
        .collect();
    match conn {
        // One prepared statement, run for each row: a statement of many rows would be another one for every length.
        Conn::Sqlite(c) => {
            for row in rows {
                diesel::insert_into(messages::table).values(row).execute(c)?;
            }
        }
        // Each statement is a way to the server and back.
        Conn::Postgres(c) if !rows.is_empty() => {
            diesel::insert_into(messages::table).values(rows).execute(c)?;
        }
        Conn::Postgres(_) => {}
    }
    Ok(())
}

fn store_counts(conn: &mut Conn, held: &Locked, at: i64) -> QueryResult<()> {
    let room = &held.room;
    let counts = diesel::update(rooms::table.find(room.id).filter(rooms::rev.ne(room.rev))).set((
        rooms::last_seq.eq(room.last_seq),
        rooms::rev.eq(room.rev),
        rooms::active_at.eq(at),
    ));
    on_conn!(conn, c => counts.execute(c)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_field_is_named_at_once() {
        let author = Author { id: UserId(1), name: "Ann".into(), ..Author::default() };
        let wrong = |typed: Typed| {
            let error = typed.check(author.clone(), RoomId(1), &Mentionable::new()).err();
            error.map_or_else(Vec::new, |error| error.fields().iter().map(|f| f.field).collect())
        };
        let nonce = "0123456789abcdef".to_owned();
        assert_eq!(
            wrong(Typed {
                title: "x".repeat(121),
                text: " ".into(),
                nonce: "short".into(),
                ..Typed::default()
            }),
            ["title", "text", "nonce"]
        );
        assert_eq!(
            wrong(Typed { text: "x".repeat(4001), nonce: nonce.clone(), ..Typed::default() }),
            ["text"]
        );
        assert!(wrong(Typed { text: "x".into(), nonce: nonce.clone(), ..Typed::default() }).is_empty());
        let with = |ids: &[i64], text: &str| Typed {
            text: text.into(),
            nonce: nonce.clone(),
            attachments: ids.iter().copied().map(AttachmentId).collect(),
            ..Typed::default()
        };
        assert!(wrong(with(&[1, 2], " ")).is_empty(), "with a file, no words are needed");
        assert_eq!(wrong(with(&[1, 1], "x")), ["attachments"]);
        assert_eq!(wrong(with(&[1], "\u{0}")), ["text"]);
        assert_eq!(wrong(with(&(0..11).collect::<Vec<_>>(), "x")), ["attachments"]);
    }
}
