//! API tokens: what a program shows instead of a session's cookie (RFC 6750), read through a cache, ended everywhere
//! at once.

use super::state::Db;
use crate::clock::now_ms;
use crate::db::Conn;
use crate::db::schema::accounts::tokens;
use crate::error::{Error, FieldError, Result};
use crate::events::{Event, Events};
use crate::ids::{Credential, TokenId, UserId};
use crate::text::{is_blank, is_unruly};
use diesel::prelude::*;
use moka::sync::Cache;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// How every token begins, so that people and scanners see what it is when one lies around.
const PREFIX: &str = "hubbub_";
/// Characters of what a token is called.
const LABEL_MAX: usize = 48;
/// Tokens that one person may have at once.
const MOST: i64 = 50;
/// How long a row may answer from memory; longer than the sweep looks back, as with sessions.
const CACHED: Duration = Duration::from_secs(30);
/// How far the sweep looks back behind its last look, ms: a commit may show later than the moment written in it.
const LOOK_BACK: i64 = 10_000;
/// How long a dead row is kept, ms.
const KEPT_DEAD: i64 = 3600 * 1000;
/// Use is written down once a day: more would be a diary, and a write per call.
const DAY: i64 = 24 * 3600 * 1000;

/// What a token is called by the person who has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenLabel(String);

impl TokenLabel {
    /// # Errors
    /// For the field `label`: empty, too long, or with control characters.
    pub fn parse(typed: &str) -> Result<Self, FieldError> {
        let label = typed.trim();
        let wrong = |words: String| Err(FieldError::new("label", words));
        if is_blank(label) {
            return wrong("Say what the token is for.".to_owned());
        }
        if label.chars().nth(LABEL_MAX).is_some() {
            return wrong(format!("The name of a token has at most {LABEL_MAX} characters."));
        }
        if label.chars().any(is_unruly) {
            return wrong(
                "The name of a token can't have line breaks or other control characters.".to_owned(),
            );
        }
        Ok(Self(label.to_owned()))
    }
}

/// A token as its owner sees it afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = tokens)]
pub struct TokenRow {
    pub id: TokenId,
    pub label: String,
    /// When it was made, ms.
    pub created_at: i64,
    /// When it was last used, ms; exact to a day.
    pub used_at: Option<i64>,
}

/// A token that a request showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    pub id: TokenId,
    pub user: UserId,
    used_at: Option<i64>,
}

#[derive(Clone, Copy)]
enum Known {
    Live(Shown),
    /// Keeps a load that began before the end from bringing the token back.
    Ended,
}

/// All tokens of the server. Cheap to clone.
#[derive(Clone)]
pub struct Tokens(Arc<Inner>);

struct Inner {
    db: Db,
    events: Events,
    cache: Cache<String, Known>,
    looked_at: AtomicI64,
}

/// What is stored instead of the token. With 256 random bits there is nothing to guess, so it needs no salt.
fn hash(token: &str) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(token.as_bytes()))
}

impl Tokens {
    pub(super) fn new(db: Db, events: Events) -> Self {
        let cache = Cache::builder().max_capacity(100_000).time_to_live(CACHED).build();
        Self(Arc::new(Inner { db, events, cache, looked_at: AtomicI64::new(now_ms()) }))
    }

    /// Makes a token; answers with it, which is the only time that anybody sees it.
    ///
    /// # Errors
    /// `Conflict` when the person has too many.
    pub async fn add(&self, user: UserId, label: TokenLabel) -> Result<String> {
        let token = fresh()?;
        let hash = hash(&token);
        self.0.db.write(move |conn| insert(conn, user, &label, &hash)).await?;
        Ok(token)
    }

    /// A person's tokens, the latest first.
    pub async fn list(&self, user: UserId) -> Result<Vec<TokenRow>> {
        self.0.db.read(move |conn| list(conn, user)).await
    }

    /// Ends one of the person's own tokens, and the sockets that it opened.
    ///
    /// # Errors
    /// `NotFound` when it isn't theirs, or over already.
    pub async fn revoke(&self, user: UserId, id: TokenId) -> Result<()> {
        let ended = self.0.db.write(move |conn| revoke(conn, user, Some(id))).await?;
        if ended.is_empty() {
            return Err(Error::NotFound("That token is over already."));
        }
        self.announce(ended);
        Ok(())
    }

    /// The token of a request's header, unless it is over or never was.
    pub(super) async fn find(&self, token: &str) -> Result<Option<Shown>> {
        if !token.starts_with(PREFIX) {
            return Ok(None);
        }
        let hash = hash(token);
        let known = match self.0.cache.get(&hash) {
            Some(known) => known,
            None => {
                let wanted = hash.clone();
                match self.0.db.read(move |conn| load(conn, &wanted)).await? {
                    Some(shown) => {
                        self.0.cache.entry(hash.clone()).or_insert(Known::Live(shown)).into_value()
                    }
                    None => Known::Ended,
                }
            }
        };
        let Known::Live(shown) = known else { return Ok(None) };
        let now = now_ms();
        if shown.used_at.is_none_or(|at| at.div_euclid(DAY) < now.div_euclid(DAY)) {
            self.note_use(hash, Shown { used_at: Some(now), ..shown }).await;
        }
        Ok(Some(shown))
    }

    async fn note_use(&self, hash: String, used: Shown) {
        // In memory first: of many calls at once, one writes.
        self.0.cache.entry(hash).and_upsert_with(|entry| match entry.map(moka::Entry::into_value) {
            Some(Known::Ended) => Known::Ended,
            _ => Known::Live(used),
        });
        let write = move |conn: &mut Conn| {
            diesel::update(tokens::table.find(used.id))
                .set(tokens::used_at.eq(used.used_at))
                .execute(conn)?;
            Ok(())
        };
        // Only the note is lost: failing the call for it would be worse.
        if let Err(error) = self.0.db.write(write).await {
            tracing::warn!(%error, "a token's use was not noted");
        }
    }

    /// Finds what has ended without this process, says so to whoever listens, and deletes rows that have been dead
    /// for an hour.
    pub(super) async fn sweep(&self) -> Result<()> {
        let now = now_ms();
        let since = self.0.looked_at.load(Ordering::Relaxed) - LOOK_BACK;
        let mut ended = self.0.db.read(move |conn| ended_since(conn, since)).await?;
        self.0.looked_at.store(now, Ordering::Relaxed);
        ended.retain(|(_, hash)| !matches!(self.0.cache.get(hash), Some(Known::Ended)));
        self.announce(ended);
        let forgotten = now - KEPT_DEAD;
        if self.0.db.read(move |conn| any_ended_before(conn, forgotten)).await? {
            self.0.db.write(move |conn| purge(conn, forgotten)).await?;
        }
        Ok(())
    }

    fn announce(&self, ended: Vec<(TokenId, String)>) {
        if ended.is_empty() {
            return;
        }
        let mut ids = Vec::with_capacity(ended.len());
        for (id, hash) in ended {
            self.0.cache.insert(hash, Known::Ended);
            ids.push(Credential::Token(id));
        }
        self.0.events.publish(&Event::CredentialsEnded(ids));
    }
}

/// 256 random bits behind the prefix.
fn fresh() -> Result<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(Error::internal)?;
    Ok(format!("{PREFIX}{}", data_encoding::BASE64URL_NOPAD.encode(&bytes)))
}

/// Makes a token on the caller's own connection, for the shell.
pub fn create(conn: &mut Conn, user: UserId, label: &TokenLabel) -> Result<String> {
    let token = fresh()?;
    insert(conn, user, label, &hash(&token))?;
    Ok(token)
}

fn insert(conn: &mut Conn, user: UserId, label: &TokenLabel, hash: &str) -> Result<()> {
    let live = tokens::table.filter(tokens::user_id.eq(user).and(tokens::revoked_at.is_null()));
    if live.count().get_result::<i64>(conn)? >= MOST {
        return Err(Error::conflict(
            "too_many_tokens",
            "That is one token too many. Revoke one that isn't used any more.",
        ));
    }
    diesel::insert_into(tokens::table)
        .values((
            tokens::user_id.eq(user),
            tokens::token_hash.eq(hash),
            tokens::label.eq(&label.0),
            tokens::created_at.eq(now_ms()),
        ))
        .execute(conn)?;
    Ok(())
}

/// A person's tokens that aren't over, the latest first.
pub fn list(conn: &mut Conn, user: UserId) -> Result<Vec<TokenRow>> {
    Ok(tokens::table
        .filter(tokens::user_id.eq(user).and(tokens::revoked_at.is_null()))
        .order(tokens::id.desc())
        .select(TokenRow::as_select())
        .load(conn)?)
}

/// Ends one of a person's tokens, or all. Rows stay for an hour, so that other processes see it.
pub fn revoke(conn: &mut Conn, user: UserId, only: Option<TokenId>) -> Result<Vec<(TokenId, String)>> {
    let mut rows: Vec<(TokenId, String)> = tokens::table
        .filter(tokens::user_id.eq(user).and(tokens::revoked_at.is_null()))
        .select((tokens::id, tokens::token_hash))
        .load(conn)?;
    rows.retain(|(id, _)| only.is_none_or(|only| only == *id));
    let ids: Vec<TokenId> = rows.iter().map(|(id, _)| *id).collect();
    diesel::update(tokens::table.filter(tokens::id.eq_any(ids)))
        .set(tokens::revoked_at.eq(now_ms()))
        .execute(conn)?;
    Ok(rows)
}

fn load(conn: &mut Conn, hash: &str) -> Result<Option<Shown>> {
    let row: Option<(TokenId, UserId, Option<i64>)> = tokens::table
        .filter(tokens::token_hash.eq(hash).and(tokens::revoked_at.is_null()))
        .select((tokens::id, tokens::user_id, tokens::used_at))
        .first(conn)
        .optional()?;
    Ok(row.map(|(id, user, used_at)| Shown { id, user, used_at }))
}

fn ended_since(conn: &mut Conn, since: i64) -> Result<Vec<(TokenId, String)>> {
    let rows = tokens::table.filter(tokens::revoked_at.gt(since));
    Ok(rows.select((tokens::id, tokens::token_hash)).load(conn)?)
}

fn any_ended_before(conn: &mut Conn, before: i64) -> Result<bool> {
    let dead = tokens::table.filter(tokens::revoked_at.lt(before));
    Ok(diesel::select(diesel::dsl::exists(dead)).get_result(conn)?)
}

fn purge(conn: &mut Conn, before: i64) -> Result<()> {
    diesel::delete(tokens::table.filter(tokens::revoked_at.lt(before))).execute(conn)?;
    Ok(())
}
