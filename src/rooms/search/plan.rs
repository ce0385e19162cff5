//! A query with its names looked up: which people, which rooms, and what the index is asked for.

use super::document::{EVERY, author_term, carried, words};
use super::postings::Key;
use super::query::{Named, Query};
use crate::accounts::Accounts;
use crate::db::Conn;
use crate::db::schema::messages::{blocks, memberships, rooms};
use crate::error::{Error, Result};
use crate::ids::{BOARD, RoomId, UserId};
use crate::rooms::room::Kind;
use crate::rooms::{Message, membership};
use crate::text::fold;
use diesel::prelude::*;
use std::collections::{HashMap, HashSet};

/// A search, and who makes it.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Nobody when signed out: then only what everybody may read.
    pub user: Option<UserId>,
    pub query: Query,
    /// In this room alone.
    pub room: Option<RoomId>,
    /// What was posted before this.
    pub before: Option<Key>,
    /// 1 to 100.
    pub limit: usize,
    /// Everybody whom the query names, by the name as it was typed.
    pub people: HashMap<String, UserId>,
}

impl Asked {
    /// Looks up the people whom the query names.
    ///
    /// # Errors
    /// A sentence about a name that nobody has.
    pub async fn find_people(&mut self, accounts: &Accounts) -> Result<()> {
        let rooms = self.query.rooms.iter().filter(|named| named.name.starts_with('@'));
        let names: Vec<String> =
            self.query.from.iter().chain(rooms).map(|named| named.name.clone()).collect();
        for name in names {
            let bare = name.trim_start_matches('@');
            let id = match self.user {
                Some(me) if bare.eq_ignore_ascii_case("me") => Some(me),
                _ => accounts.directory.by_username(bare).await?.map(|person| person.id),
            };
            let id = id.ok_or_else(|| Error::field("q", format!("There is nobody called “{bare}”.")))?;
            self.people.insert(name, id);
        }
        Ok(())
    }

    fn authors(&self, without: bool) -> Vec<UserId> {
        let named = self.query.from.iter().filter(|named| named.without == without);
        named.filter_map(|named| self.people.get(&named.name).copied()).collect()
    }
}

/// A set of rooms, small for the numbers that rooms have.
#[derive(Default)]
pub struct RoomSet(Vec<u64>);

impl RoomSet {
    pub fn of(ids: impl IntoIterator<Item = RoomId>) -> Self {
        let mut set = Self::default();
        for id in ids {
            let Ok(n) = usize::try_from(id.0) else { continue };
            if set.0.len() <= n / 64 {
                set.0.resize(n / 64 + 1, 0);
            }
            set.0[n / 64] |= 1 << (n % 64);
        }
        set
    }

    pub fn contains(&self, id: i64) -> bool {
        usize::try_from(id).is_ok_and(|n| self.0.get(n / 64).is_some_and(|bits| bits & (1 << (n % 64)) != 0))
    }
}

/// At least one of these stands in the message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnyOf {
    pub terms: Vec<String>,
    /// Or a term that begins so.
    pub prefix: Option<String>,
}

/// What the index and the rows are asked for.
pub struct Plan {
    pub query: Query,
    /// Where to look: only rooms that the person may read.
    pub rooms: RoomSet,
    authors: Vec<UserId>,
    not_authors: Vec<UserId>,
    /// Only what comes before this.
    pub before: Key,
}

impl Plan {
    /// Reads what the person may read and narrows it to what they ask for.
    ///
    /// # Errors
    /// A sentence about a room that isn't there for this person.
    pub fn new(conn: &mut Conn, asked: &Asked) -> Result<Self> {
        let readable = membership::readable(conn, asked.user)?;
        let rooms = narrow(conn, asked, readable)?;
        let mut not_authors = asked.authors(true);
        if let Some(user) = asked.user {
            let blocked = blocks::table.filter(blocks::user_id.eq(user)).select(blocks::blocked_id);
            not_authors.extend(blocked.load::<UserId>(conn)?);
        }
        let end =
            Key { at: asked.query.until.map_or(i64::MAX, |until| until.saturating_add(1)), room: 0, seq: 0 };
        Ok(Self {
            query: asked.query.clone(),
            rooms: RoomSet::of(rooms),
            authors: asked.authors(false),
            not_authors,
            before: asked.before.map_or(end, |before| before.min(end)),
        })
    }

    /// The first moment that counts, ms.
    pub fn since(&self) -> i64 {
        self.query.since.unwrap_or(0)
    }

    /// Whether the message as it is now is one of those that are looked for.
    pub fn matches(&self, message: &Message) -> bool {
        let query = &self.query;
        let key = Key { at: message.at, room: message.room.0, seq: message.seq };
        if message.deleted_at.is_some()
            || !self.rooms.contains(message.room.0)
            || key >= self.before
            || message.at < self.since()
            || (!self.authors.is_empty() && !self.authors.contains(&message.user))
            || self.not_authors.contains(&message.user)
        {
            return false;
        }
        if !query.has.is_empty() {
            let has = carried(message);
            if query.has.iter().any(|(wanted, without)| has.contains(wanted) == *without) {
                return false;
            }
        }
        query.clauses.is_empty() || {
            let atoms = words(message);
            query.clauses.iter().all(|clause| clause.stands_in(&atoms) != clause.without)
        }
    }

    /// What must be in a message, as the index knows it.
    pub fn wanted(&self) -> Vec<AnyOf> {
        let one = |term: String| AnyOf { terms: vec![term], prefix: None };
        let mut all = Vec::new();
        for clause in self.query.clauses.iter().filter(|clause| !clause.without) {
            let (whole, beginning) = clause.terms();
            all.extend(whole.into_iter().map(one));
            all.extend(beginning.map(|prefix| AnyOf { terms: Vec::new(), prefix: Some(prefix) }));
        }
        if !self.authors.is_empty() {
            let terms = self.authors.iter().map(|author| author_term(*author)).collect();
            all.push(AnyOf { terms, prefix: None });
        }
        all.extend(
            self.query.has.iter().filter(|(_, without)| !without).map(|(has, _)| one(has.term().into())),
        );
        if all.is_empty() {
            all.push(one(EVERY.into()));
        }
        all
    }

    /// Terms that must not be in it. What can't be said as one term is left to [`matches`](Self::matches).
    pub fn unwanted(&self) -> Vec<String> {
        let words = self.query.clauses.iter().filter(|clause| clause.without && clause.atoms.len() == 1);
        let words = words.filter_map(|clause| clause.terms().0.pop());
        let has = self.query.has.iter().filter(|(_, without)| *without).map(|(has, _)| has.term().to_owned());
        words.chain(has).chain(self.not_authors.iter().map(|author| author_term(*author))).collect()
    }
}

fn narrow(conn: &mut Conn, asked: &Asked, mut readable: Vec<RoomId>) -> Result<Vec<RoomId>> {
    if asked.room.is_some_and(|room| !readable.contains(&room)) {
        return Err(Error::NotFound("There is no such room."));
    }
    let (mut only, mut not) = (HashSet::new(), HashSet::new());
    for named in &asked.query.rooms {
        let mut found = by_name(conn, asked, named)?;
        found.retain(|id| readable.contains(id));
        if found.is_empty() {
            let name = named.name.trim_start_matches('@');
            return Err(Error::field("q", format!("There is no room called “{name}” that you can read.")));
        }
        if named.without { &mut not } else { &mut only }.extend(found);
    }
    readable.retain(|id| {
        (only.is_empty() || only.contains(id))
            && !not.contains(id)
            && asked.room.is_none_or(|room| room == *id)
    });
    Ok(readable)
}

/// Every room that somebody may mean by this name.
fn by_name(conn: &mut Conn, asked: &Asked, named: &Named) -> Result<Vec<RoomId>> {
    if named.name.starts_with('@') {
        let (Some(me), Some(other)) = (asked.user, asked.people.get(&named.name)) else {
            return Ok(Vec::new());
        };
        let peers = format!("{}-{}", me.0.min(other.0), me.0.max(other.0));
        return Ok(rooms::table.filter(rooms::peers.eq(peers)).select(rooms::id).load(conn)?);
    }
    let key = fold(&named.name);
    let mut found: Vec<RoomId> =
        rooms::table.filter(rooms::name_key.eq(&key)).select(rooms::id).load(conn)?;
    if key == "board" {
        found.push(BOARD);
    }
    if let Some(user) = asked.user {
        let groups: Vec<(RoomId, String)> = memberships::table
            .inner_join(rooms::table)
            .filter(memberships::user_id.eq(user))
            .filter(rooms::kind.eq(Kind::Group.as_str()))
            .select((rooms::id, rooms::name))
            .load(conn)?;
        found.extend(groups.into_iter().filter(|(_, name)| fold(name) == key).map(|(id, _)| id));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_of_rooms_has_what_was_put_in() {
        let set = RoomSet::of([1, 63, 64, 1000].map(RoomId));
        for id in [1, 63, 64, 1000] {
            assert!(set.contains(id));
        }
        for id in [0, 2, 65, 999, 1001, 1 << 40, -1] {
            assert!(!set.contains(id), "{id}");
        }
    }
}
