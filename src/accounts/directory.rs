//! Who is behind an id: people by number, from memory for a few seconds.

use super::state::Db;
use super::user::{self, Person};
use crate::db::Conn;
use crate::db::schema::accounts::users;
use crate::error::{Error, Result};
use crate::ids::UserId;
use diesel::prelude::*;
use moka::sync::Cache;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How long a row may answer from memory: the shell and other nodes change rows too.
const CACHED: Duration = Duration::from_secs(10);
/// People in one query; SQLite takes some thousand parameters, Postgres plans long lists slowly.
const AT_ONCE: usize = 500;

/// Says who has a live connection. Implemented above this floor.
pub trait Presence: Send + Sync {
    /// One answer per id, in the same order.
    fn online(&self, ids: &[UserId]) -> Vec<bool>;

    /// When somebody's last connection ended, ms, if that was too lately to be in the database.
    fn left_at(&self, id: UserId) -> Option<i64>;
}

/// People by id.
#[derive(Clone)]
pub struct Directory {
    db: Db,
    people: Cache<UserId, Arc<Person>>,
    /// Whom folded user names mean.
    names: Cache<String, UserId>,
    // Counts our own changes: what was read before one must not be kept after it.
    changes: Arc<AtomicU64>,
}

impl Directory {
    pub fn new(db: Db) -> Self {
        let people = Cache::builder().max_capacity(100_000).time_to_live(CACHED).build();
        let names = Cache::builder().max_capacity(100_000).time_to_live(CACHED).build();
        Self { db, people, names, changes: Arc::default() }
    }

    /// The person, disabled or not; `None` when there is no such id.
    pub async fn get(&self, id: UserId) -> Result<Option<Arc<Person>>> {
        if let Some(person) = self.people.get(&id) {
            return Ok(Some(person));
        }
        let before = self.changes.load(Ordering::Acquire);
        match self.db.read(move |conn| user::find(conn, id)).await {
            Ok(person) => Ok(Some(self.keep(person, before))),
            Err(Error::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The person if they are known already; never waits.
    pub fn peek(&self, id: UserId) -> Option<Arc<Person>> {
        self.people.get(&id)
    }

    /// Those of `ids` that exist.
    pub async fn many(&self, ids: &[UserId]) -> Result<HashMap<UserId, Arc<Person>>> {
        let mut found = HashMap::with_capacity(ids.len());
        let mut missing = Vec::new();
        for id in ids {
            match self.people.get(id) {
                Some(person) => drop(found.insert(*id, person)),
                None => missing.push(*id),
            }
        }
        missing.sort_unstable();
        missing.dedup();
        for part in missing.chunks(AT_ONCE) {
            let part = part.to_vec();
            let before = self.changes.load(Ordering::Acquire);
            for person in self.db.read(move |conn| user::find_many(conn, &part)).await? {
                found.insert(person.id, self.keep(person, before));
            }
        }
        Ok(found)
    }

    /// The person of a user name as it was typed, regardless of case. Always asks the database.
    pub async fn by_username(&self, typed: &str) -> Result<Option<Arc<Person>>> {
        let typed = typed.to_owned();
        let before = self.changes.load(Ordering::Acquire);
        let person = self.db.read(move |conn| user::find_by_username(conn, &typed)).await?;
        Ok(person.map(|person| self.keep(person, before)))
    }

    /// Those of these folded user names that somebody has who can sign in.
    pub async fn named(&self, keys: Vec<String>) -> Result<HashMap<String, UserId>> {
        let mut found = HashMap::with_capacity(keys.len());
        let mut missing = Vec::new();
        for key in keys {
            match self.names.get(&key) {
                Some(id) => drop(found.insert(key, id)),
                None => missing.push(key),
            }
        }
        for part in missing.chunks(AT_ONCE) {
            let part = part.to_vec();
            for (key, id) in self.db.read(move |conn| ids_of(conn, &part)).await? {
                self.names.insert(key.clone(), id);
                found.insert(key, id);
            }
        }
        Ok(found)
    }

    /// Takes over a row that this process has just written.
    pub(super) fn put(&self, person: Person) -> Arc<Person> {
        self.changes.fetch_add(1, Ordering::AcqRel);
        let person = Arc::new(person);
        self.people.insert(person.id, person.clone());
        person
    }

    /// Has the row read again: somebody else may have changed it.
    pub fn forget(&self, id: UserId) {
        self.changes.fetch_add(1, Ordering::AcqRel);
        self.people.invalidate(&id);
    }

    fn keep(&self, person: Person, before: u64) -> Arc<Person> {
        let person = Arc::new(person);
        if self.changes.load(Ordering::Acquire) == before {
            self.people.insert(person.id, person.clone());
        }
        person
    }
}

/// Those of these folded user names that exist and aren't disabled, with their ids.
fn ids_of(conn: &mut Conn, keys: &[String]) -> Result<Vec<(String, UserId)>> {
    Ok(users::table
        .filter(users::username_key.eq_any(keys).and(users::disabled.eq(false)))
        .select((users::username_key, users::id))
        .load(conn)?)
}
