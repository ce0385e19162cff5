//! The recurring work that brings the search index up to what is written: off the writer's path, in small
//! transactions, from a cursor in each room, so that it goes on after a crash where it was.

use super::document::Indexed;
use super::postings::read_documents;
use super::quiet::Quiet;
use super::segment::{Builder, LARGEST, Segment, Source, due, merge};
use crate::db::schema::messages::{messages, rooms, search_documents, search_segments, search_words};
use crate::db::{self, Conn};
use crate::error::Result;
use crate::ids::RoomId;
use crate::on_conn;
use crate::rooms::{Db, Message};
use diesel::prelude::*;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Changes that are waited for before a segment is begun: a search looks through fewer than these directly.
const ENOUGH: i64 = 100;
/// How long fewer than that may wait.
const PATIENCE: Duration = Duration::from_secs(30);
/// Rows in one transaction: a few milliseconds of the writer's time.
const ROWS: usize = 400;
/// Messages that are read at once.
const PAGE: usize = 1000;

/// How eagerly the index is brought up to date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Waits until it is worth it, and leaves the writer as much time as it takes.
    Patient,
    /// All that there is, at once.
    Eager,
}

/// Keeps the index up to date. One per process.
#[derive(Clone)]
pub struct Indexer {
    db: Db,
    /// Reading, cutting into words and merging; the rows that come of it go through the writer in small pieces.
    quiet: Quiet,
    /// Since when something waits.
    waiting: Arc<Mutex<Option<Instant>>>,
}

/// A room that the index lags behind in.
struct Lag {
    room: RoomId,
    rev: i64,
    indexed: i64,
}

/// How far a room is indexed once a segment is in use.
#[derive(Clone, Copy)]
struct Cursor {
    room: RoomId,
    rev: i64,
}

enum Row {
    Word(String, i64, Vec<u8>),
    List(i64, Vec<u8>),
}

impl Indexer {
    /// # Errors
    /// When the system has no thread left.
    pub fn new(db: Db) -> Result<Self> {
        Ok(Self { db, quiet: Quiet::start("search-index")?, waiting: Arc::default() })
    }

    /// Works until nothing is left to do for now.
    pub async fn run(&self, pace: Pace) -> Result<()> {
        while self.step(pace).await? {}
        Ok(())
    }

    /// One piece of work: leftovers first, then new messages, then merging. `false` when there was none.
    async fn step(&self, pace: Pace) -> Result<bool> {
        if self.remove_leftovers(pace).await? {
            return Ok(true);
        }
        let lags = self.db.read(lags).await?;
        if self.worth_it(&lags, pace) {
            let db = self.db.clone();
            let taken = move || {
                let (builder, cursors) = db.read_blocking(|conn| take(conn, &lags))?;
                Ok((builder.finish(), cursors))
            };
            let (segment, cursors) = self.quiet.run(taken).await?;
            self.store(segment, cursors, Vec::new(), pace).await?;
            return Ok(true);
        }
        let ready = self.db.read(ready).await?;
        let sources = due(&ready);
        if sources.is_empty() {
            return Ok(false);
        }
        let (db, ids) = (self.db.clone(), sources.clone());
        let merged = move || {
            // The merging itself takes long, and an open snapshot keeps the write-ahead log from being begun anew.
            let (sources, dead) =
                db.read_blocking(|conn| db::snapshot(conn, |conn| sources_of(conn, &ids)))?;
            Ok(merge(sources, |room| !dead.contains(&room)))
        };
        let merged = self.quiet.run(merged).await?;
        self.store(merged, Vec::new(), sources, pace).await?;
        Ok(true)
    }

    fn worth_it(&self, lags: &[Lag], pace: Pace) -> bool {
        let changes: i64 = lags.iter().map(|lag| lag.rev - lag.indexed).sum();
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let since = *waiting.get_or_insert_with(Instant::now);
        let now = changes > 0 && (pace == Pace::Eager || changes >= ENOUGH || since.elapsed() > PATIENCE);
        if now || changes == 0 {
            *waiting = None;
        }
        now
    }

    /// Stores a segment piece by piece. With the last one it comes into use, the rooms' cursors move on, and the
    /// segments that it replaces go out of use, all at once.
    async fn store(
        &self,
        segment: Segment,
        cursors: Vec<Cursor>,
        replaced: Vec<i64>,
        pace: Pace,
    ) -> Result<()> {
        let about = (segment.documents, segment.oldest, segment.newest);
        if segment.documents == 0 {
            return self.db.write(move |conn| bring_into_use(conn, None, &cursors, &replaced)).await;
        }
        let id = self.db.write(move |conn| begin(conn, about)).await?;
        let lists = (0..).zip(segment.lists).map(|(part, list)| Row::List(part, list));
        let words = segment.words.into_iter().flat_map(|(word, parts)| {
            (0..).zip(parts).map(move |(part, postings)| Row::Word(word.clone(), part, postings))
        });
        let mut rows = lists.chain(words).peekable();
        while rows.peek().is_some() {
            let some: Vec<Row> = rows.by_ref().take(ROWS).collect();
            let started = Instant::now();
            self.db.write(move |conn| insert(conn, id, &some)).await?;
            rest(started, pace).await;
        }
        self.db.write(move |conn| bring_into_use(conn, Some(id), &cursors, &replaced)).await
    }

    /// Removes what belongs to no segment in use: merged ones, and those that a crash left half written.
    async fn remove_leftovers(&self, pace: Pace) -> Result<bool> {
        use search_segments as s;
        let left = self.db.read(|conn| {
            Ok(s::table
                .filter(s::state.ne("ready"))
                .order(s::id)
                .select(s::id)
                .first::<i64>(conn)
                .optional()?)
        });
        let Some(id) = left.await? else { return Ok(false) };
        loop {
            let started = Instant::now();
            if self.db.write(move |conn| remove_some(conn, id)).await? {
                return Ok(true);
            }
            rest(started, pace).await;
        }
    }
}

/// Leaves the writer to others for as long as it was taken from them.
async fn rest(started: Instant, pace: Pace) {
    if pace == Pace::Patient {
        tokio::time::sleep(started.elapsed().clamp(Duration::from_millis(1), Duration::from_millis(50)))
            .await;
    }
}

fn lags(conn: &mut Conn) -> Result<Vec<Lag>> {
    let rows: Vec<(RoomId, i64, i64)> = rooms::table
        .filter(rooms::rev.gt(rooms::indexed_rev))
        .order(rooms::active_at.asc())
        .select((rooms::id, rooms::rev, rooms::indexed_rev))
        .load(conn)?;
    Ok(rows.into_iter().map(|(room, rev, indexed)| Lag { room, rev, indexed }).collect())
}

/// Reads what isn't indexed yet, at most one of the largest segments.
fn take(conn: &mut Conn, lags: &[Lag]) -> Result<(Builder, Vec<Cursor>)> {
    let (mut builder, mut cursors) = (Builder::default(), Vec::new());
    for lag in lags {
        let mut rev = lag.indexed;
        while rev < lag.rev && builder.len() < LARGEST {
            let rows: Vec<Message> = messages::table
                .filter(
                    messages::room_id.eq(lag.room).and(messages::rev.gt(rev)).and(messages::rev.le(lag.rev)),
                )
                .order(messages::rev.asc())
                .limit(i64::try_from(PAGE).unwrap_or(i64::MAX))
                .select(Message::as_select())
                .load(conn)?;
            // Behind the last row there are only numbers of changes that later ones have taken the place of.
            rev = rows.last().filter(|_| rows.len() == PAGE).map_or(lag.rev, |last| last.rev);
            for message in rows.iter().filter(|message| says_something_new(message, lag.indexed)) {
                builder.add(Indexed::new(message));
            }
        }
        cursors.push(Cursor { room: lag.room, rev });
        if builder.len() >= LARGEST {
            break;
        }
    }
    Ok((builder, cursors))
}

/// A reaction or a pin changes no words, and a deleted message has none. One that was taken down and is back has its digest,
/// and may not have been indexed before.
fn says_something_new(message: &Message, indexed: i64) -> bool {
    message.deleted_at.is_none()
        && (message.first_rev > indexed || message.edited_at.is_some() || message.first_digest.is_some())
}

fn ready(conn: &mut Conn) -> Result<Vec<(i64, i64)>> {
    use search_segments as s;
    Ok(s::table.filter(s::state.eq("ready")).order(s::id).select((s::id, s::documents)).load(conn)?)
}

/// What these segments hold, and the rooms that are gone.
fn sources_of(conn: &mut Conn, ids: &[i64]) -> Result<(Vec<Source>, Vec<i64>)> {
    let mut sources = Vec::with_capacity(ids.len());
    for id in ids {
        let lists: Vec<Vec<u8>> = search_documents::table
            .filter(search_documents::segment.eq(id))
            .order(search_documents::part)
            .select(search_documents::documents)
            .load(conn)?;
        let words = search_words::table
            .filter(search_words::segment.eq(id))
            .select((search_words::word, search_words::postings))
            .load(conn)?;
        sources
            .push(Source { documents: lists.iter().flat_map(|list| read_documents(list)).collect(), words });
    }
    let dead: Vec<i64> = rooms::table.filter(rooms::deleted_at.is_not_null()).select(rooms::id).load(conn)?;
    Ok((sources, dead))
}

fn begin(conn: &mut Conn, (documents, oldest, newest): (i64, i64, i64)) -> Result<i64> {
    use search_segments as s;
    let row =
        (s::state.eq("building"), s::documents.eq(documents), s::oldest.eq(oldest), s::newest.eq(newest));
    Ok(on_conn!(conn, c => diesel::insert_into(s::table).values(row).returning(s::id).get_result(c))?)
}

fn insert(conn: &mut Conn, segment: i64, rows: &[Row]) -> Result<()> {
    use search_documents as d;
    use search_words as w;
    let word = |word: &Row| match word {
        Row::Word(word, part, postings) => Some((
            w::segment.eq(segment),
            w::word.eq(word.clone()),
            w::part.eq(*part),
            w::postings.eq(postings.clone()),
        )),
        Row::List(..) => None,
    };
    let list = |list: &Row| match list {
        Row::List(part, list) => {
            Some((d::segment.eq(segment), d::part.eq(*part), d::documents.eq(list.clone())))
        }
        Row::Word(..) => None,
    };
    match conn {
        // As in `rooms::post`: one prepared statement on SQLite, one way to the server on Postgres.
        Conn::Sqlite(c) => {
            for row in rows.iter().filter_map(list) {
                diesel::insert_into(d::table).values(row).execute(c)?;
            }
            for row in rows.iter().filter_map(word) {
                diesel::insert_into(w::table).values(row).execute(c)?;
            }
        }
        Conn::Postgres(c) => {
            diesel::insert_into(d::table)
                .values(rows.iter().filter_map(list).collect::<Vec<_>>())
                .execute(c)?;
            diesel::insert_into(w::table)
                .values(rows.iter().filter_map(word).collect::<Vec<_>>())
                .execute(c)?;
        }
    }
    Ok(())
}

fn bring_into_use(conn: &mut Conn, id: Option<i64>, cursors: &[Cursor], replaced: &[i64]) -> Result<()> {
    use search_segments as s;
    if let Some(id) = id {
        diesel::update(s::table.find(id)).set(s::state.eq("ready")).execute(conn)?;
    }
    diesel::update(s::table.filter(s::id.eq_any(replaced))).set(s::state.eq("retired")).execute(conn)?;
    for cursor in cursors {
        diesel::update(rooms::table.find(cursor.room))
            .set(rooms::indexed_rev.eq(cursor.rev))
            .execute(conn)?;
    }
    Ok(())
}

/// Removes some rows of a segment that is not in use; `true` when that was all of it.
fn remove_some(conn: &mut Conn, segment: i64) -> Result<bool> {
    use search_words as w;
    let of_segment = w::table.filter(w::segment.eq(segment));
    let end: Option<String> = of_segment
        .order((w::word, w::part))
        .offset(i64::try_from(ROWS).unwrap_or(i64::MAX))
        .select(w::word)
        .first(conn)
        .optional()?;
    if let Some(end) = end {
        // At least the first word goes: one of many parts may fill a piece all by itself.
        let first: String = of_segment.order((w::word, w::part)).select(w::word).first(conn)?;
        if first < end {
            diesel::delete(of_segment.filter(w::word.lt(end))).execute(conn)?;
        } else {
            diesel::delete(of_segment.filter(w::word.eq(first))).execute(conn)?;
        }
        return Ok(false);
    }
    diesel::delete(of_segment).execute(conn)?;
    diesel::delete(search_documents::table.filter(search_documents::segment.eq(segment))).execute(conn)?;
    diesel::delete(search_segments::table.find(segment)).execute(conn)?;
    Ok(true)
}
