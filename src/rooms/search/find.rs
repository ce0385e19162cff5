//! A search from the plan to the messages.

use super::plan::{Asked, Plan};
use super::postings::Key;
use super::streams::Streams;
use crate::db::Conn;
use crate::db::schema::messages::{messages, rooms};
use crate::error::Result;
use crate::ids::RoomId;
use crate::rooms::{Message, message};
use diesel::prelude::*;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

/// Likely messages that are read in one search. A search for a phrase whose words are common but never stand side by
/// side would otherwise read them all; it says instead how far it has come.
const EXAMINED: usize = 1000;
/// Likely messages that are read at once.
const AT_ONCE: usize = 128;
/// Messages that aren't indexed yet and are looked through.
const TAIL: i64 = 500;

/// What a search has found.
#[derive(Debug, Default)]
pub struct Found {
    /// Newest first.
    pub messages: Vec<Message>,
    /// Where the search goes on; none when everything has been looked through.
    pub next: Option<Key>,
    /// So much is new that not all of it has been looked through; it will be found soon.
    pub behind: bool,
}

/// Looks for messages. Call it in a snapshot.
///
/// # Errors
/// A sentence about a room that isn't there for this person.
pub fn find(conn: &mut Conn, asked: &Asked) -> Result<Found> {
    let plan = Plan::new(conn, asked)?;
    let (tail, behind) = unindexed(conn, &plan)?;
    let mut hunt = Hunt { streams: Streams::new(conn, &plan)?, tail: tail.into(), seen: HashSet::new() };
    let mut found = Found { behind, ..Found::default() };
    let mut examined = 0;
    loop {
        let likely = hunt.take(conn, AT_ONCE.min(asked.limit + 1))?;
        let Some(last) = likely.last().copied() else { return Ok(found) };
        examined += likely.len();
        for message in read(conn, &likely)?.into_iter().filter(|message| plan.matches(message)) {
            if found.messages.len() == asked.limit {
                found.next = found.messages.last().map(key);
                return Ok(found);
            }
            found.messages.push(message);
        }
        if examined >= EXAMINED {
            found.next = Some(last);
            return Ok(found);
        }
    }
}

/// Where a message stands in time.
pub fn key(message: &Message) -> Key {
    Key { at: message.at, room: message.room.0, seq: message.seq }
}

/// Likely messages from the index and from what isn't indexed yet, newest first, each once.
struct Hunt<'a> {
    streams: Streams<'a>,
    tail: VecDeque<Key>,
    seen: HashSet<Key>,
}

impl Hunt<'_> {
    fn take(&mut self, conn: &mut Conn, many: usize) -> Result<Vec<Key>> {
        let mut taken = Vec::with_capacity(many);
        while taken.len() < many {
            let newer = match (self.streams.peek(conn)?, self.tail.front().copied()) {
                (Some(indexed), tail) if tail.is_none_or(|tail| indexed >= tail) => {
                    self.streams.advance(conn)?;
                    indexed
                }
                (_, Some(tail)) => {
                    self.tail.pop_front();
                    tail
                }
                _ => break,
            };
            if self.seen.insert(newer) {
                taken.push(newer);
            }
        }
        Ok(taken)
    }
}

/// Reads the messages that are still there, in the order of `keys`.
fn read(conn: &mut Conn, keys: &[Key]) -> Result<Vec<Message>> {
    let mut by_room: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for key in keys {
        by_room.entry(key.room).or_default().push(key.seq);
    }
    let mut rows: HashMap<(i64, i64), Message> = HashMap::with_capacity(keys.len());
    for (room, seqs) in by_room {
        let of_room = message::some(conn, RoomId(room), &seqs)?;
        rows.extend(of_room.into_iter().map(|message| ((room, message.seq), message)));
    }
    Ok(keys.iter().filter_map(|key| rows.remove(&(key.room, key.seq))).collect())
}

/// What stands right before each of `messages`, by the room and `seq` of the later one.
pub fn before_each(conn: &mut Conn, messages: &[Message]) -> Result<HashMap<(RoomId, i64), Message>> {
    let keys: Vec<Key> = messages
        .iter()
        .filter(|message| message.seq > 1)
        .map(|message| Key { at: 0, room: message.room.0, seq: message.seq - 1 })
        .collect();
    let found = read(conn, &keys)?.into_iter().filter(|message| message.deleted_at.is_none());
    Ok(found.map(|message| ((message.room, message.seq + 1), message)).collect())
}

/// Those of the newest messages that match and that the index doesn't know yet, newest first; and whether there were
/// too many to look through them all.
fn unindexed(conn: &mut Conn, plan: &Plan) -> Result<(Vec<Key>, bool)> {
    let lagging: Vec<(RoomId, i64)> = rooms::table
        .filter(rooms::rev.gt(rooms::indexed_rev))
        .order(rooms::active_at.desc())
        .select((rooms::id, rooms::indexed_rev))
        .load(conn)?;
    let (mut found, mut left) = (Vec::new(), TAIL);
    for (room, indexed) in lagging.into_iter().filter(|(room, _)| plan.rooms.contains(room.0)) {
        let rows: Vec<Message> = messages::table
            .filter(messages::room_id.eq(room).and(messages::rev.gt(indexed)))
            .order(messages::rev.desc())
            .limit(left + 1)
            .select(Message::as_select())
            .load(conn)?;
        let read = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        found.extend(rows.iter().filter(|message| plan.matches(message)).map(key));
        if read > left {
            found.sort_unstable_by(|a, b| b.cmp(a));
            return Ok((found, true));
        }
        left -= read;
    }
    found.sort_unstable_by(|a, b| b.cmp(a));
    Ok((found, false))
}
