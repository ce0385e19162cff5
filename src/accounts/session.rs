//! Sessions: one row per signed-in browser, read through a cache, ended everywhere at once.

use super::state::Db;
use crate::clock::now_ms;
use crate::db::Conn;
use crate::db::schema::accounts::sessions;
use crate::error::{Error, Result};
use crate::events::{Event, Events};
use crate::ids::{Credential, SessionId, UserId};
use diesel::prelude::*;
use moka::ops::compute::Op;
use moka::sync::Cache;
use sha2::{Digest as _, Sha256};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// How long a session lasts after its last renewal, ms.
pub const LIFE: i64 = 30 * 24 * 3600 * 1000;
/// How long a row may answer from memory. Longer than the sweep's look back, so that a session which has ended here
/// is still known as ended when the sweep meets its row.
const CACHED: Duration = Duration::from_secs(30);
/// How far the sweep looks back behind its last look: a commit may show later than the moment written in it.
const LOOK_BACK: i64 = 10_000;
/// How long a dead row is kept, and how often dead rows are looked for, ms.
const KEPT_DEAD: i64 = 3600 * 1000;
const PURGE_EVERY: i64 = 600 * 1000;
/// Sessions on the settings page.
const LISTED: i64 = 100;

/// What a request needs to know of its session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Live {
    pub id: SessionId,
    pub user: Option<UserId>,
    pub state: String,
    pub seen_at: i64,
    expires_at: i64,
}

#[derive(Clone)]
enum Known {
    Live(Arc<Live>),
    /// Keeps a load that began before the end from bringing the session back.
    Ended,
}

/// One place where a person is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = sessions)]
pub struct SessionRow {
    pub id: SessionId,
    /// Browser and system in a few words.
    pub device: String,
    /// When it signed in, ms.
    pub created_at: i64,
    /// When it was last here, ms; exact to a day.
    pub seen_at: i64,
}

/// A session that is about to be stored.
pub(super) struct NewSession {
    pub user: Option<UserId>,
    pub device: String,
    pub state: String,
}

/// All sessions of the server.
#[derive(Clone)]
pub struct Sessions(Arc<Inner>);

struct Inner {
    db: Db,
    events: Events,
    cache: Cache<String, Known>,
    looked_at: AtomicI64,
    purged_at: AtomicI64,
}

/// What is stored instead of the key: whoever reads the database can't sign in with it.
fn hash(key: &str) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(key.as_bytes()))
}

impl Sessions {
    pub fn new(db: Db, events: Events) -> Self {
        let cache = Cache::builder().max_capacity(100_000).time_to_live(CACHED).build();
        let (looked_at, purged_at) = (AtomicI64::new(now_ms()), AtomicI64::new(0));
        Self(Arc::new(Inner { db, events, cache, looked_at, purged_at }))
    }

    /// The session of a cookie's key, unless it is over.
    pub(super) async fn find(&self, key: &str) -> Result<Option<Arc<Live>>> {
        let hash = hash(key);
        let known = match self.0.cache.get(&hash) {
            Some(known) => known,
            None => {
                let wanted = hash.clone();
                match self.0.db.read(move |conn| load(conn, &wanted)).await? {
                    Some(live) => {
                        self.0.cache.entry(hash).or_insert(Known::Live(Arc::new(live))).into_value()
                    }
                    None => Known::Ended,
                }
            }
        };
        Ok(match known {
            Known::Live(live) if live.expires_at > now_ms() => Some(live),
            _ => None,
        })
    }

    /// Stores a new session; answers with its key, which nobody else ever learns.
    pub(super) async fn create(&self, new: NewSession) -> Result<String> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(Error::internal)?;
        let key = data_encoding::BASE64URL_NOPAD.encode(&bytes);
        let hash = hash(&key);
        self.0.db.write(move |conn| insert(conn, &hash, &new)).await?;
        Ok(key)
    }

    /// Keeps a session for another 30 days. One that has ended meanwhile stays ended.
    pub(super) async fn renew(&self, key: &str, state: String) -> Result<()> {
        let hash = hash(key);
        let wanted = hash.clone();
        self.0.db.write(move |conn| touch(conn, &wanted, &state)).await?;
        self.0.cache.entry(hash).and_compute_with(|entry| match entry.map(moka::Entry::into_value) {
            Some(Known::Ended) | None => Op::Nop,
            Some(Known::Live(_)) => Op::Remove,
        });
        Ok(())
    }

    /// Deletes the session of a cookie's key.
    pub(super) async fn delete(&self, key: &str) -> Result<()> {
        let hash = hash(key);
        let ended = self.0.db.write(move |conn| delete(conn, &hash)).await?;
        self.announce(ended);
        Ok(())
    }

    /// Where the person is signed in, the latest first.
    pub async fn list(&self, user: UserId) -> Result<Vec<SessionRow>> {
        self.0.db.read(move |conn| list(conn, user)).await
    }

    /// Ends one of the person's own sessions.
    ///
    /// # Errors
    /// `NotFound` when it isn't theirs, or over already.
    pub async fn revoke(&self, user: UserId, id: SessionId) -> Result<()> {
        let ended = self.0.db.write(move |conn| revoke(conn, user, |s| s == id)).await?;
        if ended.is_empty() {
            return Err(Error::NotFound("That session is over already."));
        }
        self.announce(ended);
        Ok(())
    }

    /// Ends all of the person's sessions but one.
    pub async fn revoke_others(&self, user: UserId, keep: SessionId) -> Result<()> {
        let ended = self.0.db.write(move |conn| revoke(conn, user, |s| s != keep)).await?;
        self.announce(ended);
        Ok(())
    }

    /// Finds what has ended without this process: revoked from the shell, or expired. Says so to whoever listens and
    /// answers with whose sessions they were. Now and then it deletes rows that have been dead for an hour.
    pub async fn sweep(&self) -> Result<HashSet<UserId>> {
        let now = now_ms();
        let since = self.0.looked_at.load(Ordering::Relaxed) - LOOK_BACK;
        let ended = self.0.db.read(move |conn| ended_between(conn, since, now)).await?;
        self.0.looked_at.store(now, Ordering::Relaxed);
        let mut users = HashSet::new();
        let mut news = Vec::new();
        for (id, hash, user) in ended {
            if !matches!(self.0.cache.get(&hash), Some(Known::Ended)) {
                users.extend(user);
                news.push((id, hash));
            }
        }
        self.announce(news);
        if now - self.0.purged_at.load(Ordering::Relaxed) > PURGE_EVERY {
            self.0.purged_at.store(now, Ordering::Relaxed);
            self.0.db.write(move |conn| purge(conn, now - KEPT_DEAD)).await?;
        }
        Ok(users)
    }

    fn announce(&self, ended: Vec<(SessionId, String)>) {
        if ended.is_empty() {
            return;
        }
        let mut ids = Vec::with_capacity(ended.len());
        for (id, hash) in ended {
            self.0.cache.insert(hash, Known::Ended);
            ids.push(Credential::Session(id));
        }
        self.0.events.publish(&Event::CredentialsEnded(ids));
    }
}

fn load(conn: &mut Conn, hash: &str) -> Result<Option<Live>> {
    let row: Option<(SessionId, Option<UserId>, String, i64, i64)> = sessions::table
        .filter(sessions::key_hash.eq(hash).and(sessions::revoked_at.is_null()))
        .select((sessions::id, sessions::user_id, sessions::state, sessions::seen_at, sessions::expires_at))
        .first(conn)
        .optional()?;
    Ok(row.map(|(id, user, state, seen_at, expires_at)| Live { id, user, state, seen_at, expires_at }))
}

fn insert(conn: &mut Conn, hash: &str, new: &NewSession) -> Result<()> {
    let now = now_ms();
    diesel::insert_into(sessions::table)
        .values((
            sessions::key_hash.eq(hash),
            sessions::user_id.eq(new.user),
            sessions::state.eq(&new.state),
            sessions::device.eq(&new.device),
            sessions::created_at.eq(now),
            sessions::seen_at.eq(now),
            sessions::expires_at.eq(now + LIFE),
        ))
        .execute(conn)?;
    Ok(())
}

fn touch(conn: &mut Conn, hash: &str, state: &str) -> Result<()> {
    let now = now_ms();
    diesel::update(sessions::table)
        .filter(sessions::key_hash.eq(hash).and(sessions::revoked_at.is_null()))
        .set((sessions::state.eq(state), sessions::seen_at.eq(now), sessions::expires_at.eq(now + LIFE)))
        .execute(conn)?;
    Ok(())
}

fn delete(conn: &mut Conn, hash: &str) -> Result<Vec<(SessionId, String)>> {
    let rows = sessions::table.filter(sessions::key_hash.eq(hash));
    let found = rows.select((sessions::id, sessions::key_hash)).load(conn)?;
    diesel::delete(rows).execute(conn)?;
    Ok(found)
}

fn list(conn: &mut Conn, user: UserId) -> Result<Vec<SessionRow>> {
    Ok(sessions::table
        .filter(sessions::user_id.eq(user).and(sessions::revoked_at.is_null()))
        .filter(sessions::expires_at.gt(now_ms()))
        .order(sessions::id.desc())
        .limit(LISTED)
        .select(SessionRow::as_select())
        .load(conn)?)
}

/// Ends those of the person's sessions that `which` picks. Rows stay for an hour, so that other processes see it.
pub fn revoke(
    conn: &mut Conn,
    user: UserId,
    which: impl Fn(SessionId) -> bool,
) -> Result<Vec<(SessionId, String)>> {
    let mut rows: Vec<(SessionId, String)> = sessions::table
        .filter(sessions::user_id.eq(user).and(sessions::revoked_at.is_null()))
        .select((sessions::id, sessions::key_hash))
        .load(conn)?;
    rows.retain(|(id, _)| which(*id));
    let now = now_ms();
    for (id, _) in &rows {
        diesel::update(sessions::table.find(*id)).set(sessions::revoked_at.eq(now)).execute(conn)?;
    }
    Ok(rows)
}

type EndedRow = (SessionId, String, Option<UserId>);

fn ended_between(conn: &mut Conn, since: i64, until: i64) -> Result<Vec<EndedRow>> {
    let columns = (sessions::id, sessions::key_hash, sessions::user_id);
    let mut rows: Vec<EndedRow> =
        sessions::table.filter(sessions::revoked_at.gt(since)).select(columns).load(conn)?;
    let expired = sessions::expires_at.gt(since).and(sessions::expires_at.le(until));
    rows.extend(sessions::table.filter(expired).select(columns).load::<EndedRow>(conn)?);
    Ok(rows)
}

fn purge(conn: &mut Conn, before: i64) -> Result<()> {
    diesel::delete(
        sessions::table.filter(sessions::expires_at.lt(before).or(sessions::revoked_at.lt(before))),
    )
    .execute(conn)?;
    Ok(())
}
