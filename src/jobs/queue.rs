//! The queue's rows. Every change of a job goes through here, inside a transaction of the write door.

use super::job::{Job, Stage};
use crate::db::Conn;
use crate::db::schema::messages::jobs;
use crate::error::{Error, Result};
use diesel::prelude::*;

/// How long whoever runs a job is believed to live without saying so; ms.
pub const LEASE: i64 = 30_000;
/// How often a job is begun before it is given up.
pub const ATTEMPTS: i32 = 3;
/// How long a job waits after each try that went wrong; ms.
const PAUSE: i64 = 5_000;

/// Said when a job was begun [`ATTEMPTS`] times and never came to an end.
pub const GIVEN_UP: &str =
    "It was tried three times and never finished. Look at the server's log, then try again.";
/// Said of a job that was stored in a form which this version doesn't know.
pub const UNREAD: &str = "It was ordered by another version of this server. Try again.";

/// A job that was taken off the queue to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    pub id: i64,
    pub kind: String,
    pub subject: i64,
    pub payload: String,
    /// It was begun too often before: it is to be failed instead.
    pub worn_out: bool,
    /// It is begun for the last time.
    pub is_last: bool,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = jobs)]
struct Row {
    id: i64,
    kind: String,
    subject: i64,
    payload: String,
    state: String,
    attempts: i32,
}

/// Puts a job into the queue. One of its kind about the same thing is replaced, even one that runs: whoever runs it
/// learns that its lease is gone.
pub fn put<J: Job>(conn: &mut Conn, job: &J, now: i64) -> Result<()> {
    let payload = serde_json::to_string(job).map_err(Error::internal)?;
    remove::<J>(conn, job.subject())?;
    diesel::insert_into(jobs::table)
        .values((
            jobs::kind.eq(J::NAME),
            jobs::subject.eq(job.subject()),
            jobs::payload.eq(payload),
            jobs::state.eq("waiting"),
            jobs::attempts.eq(0),
            jobs::progress.eq(0),
            jobs::queued_at.eq(now),
            jobs::due_at.eq(now),
        ))
        .execute(conn)?;
    job.note(conn, &Stage::Waiting)
}

/// Takes a job off the queue, whatever it does. Answers whether there was one that had not failed.
pub fn remove<J: Job>(conn: &mut Conn, subject: i64) -> Result<bool> {
    let one = jobs::table.filter(jobs::kind.eq(J::NAME).and(jobs::subject.eq(subject)));
    let failed = diesel::delete(one.filter(jobs::state.eq("failed"))).execute(conn)?;
    Ok(failed == 0 && diesel::delete(one).execute(conn)? > 0)
}

/// Whether [`take`] would find anything.
pub fn is_due(conn: &mut Conn, kinds: &[&str], now: i64) -> Result<bool> {
    let due = jobs::due_at.le(now).and(jobs::state.eq_any(["waiting", "running"]));
    let found = jobs::table.filter(jobs::kind.eq_any(kinds.iter().copied()).and(due)).select(jobs::id);
    Ok(found.first::<i64>(conn).optional()?.is_some())
}

/// Takes the next job of one of these kinds: one that waits, or one whose runner has not been heard of. The lease is
/// 32 hexadecimal digits that nobody had before.
pub fn take(conn: &mut Conn, kinds: &[&str], lease: &str, now: i64) -> Result<Option<Taken>> {
    let due = jobs::due_at.le(now).and(jobs::state.eq_any(["waiting", "running"]));
    let found: Option<Row> = jobs::table
        .filter(jobs::kind.eq_any(kinds.iter().copied()).and(due))
        .order((jobs::queued_at, jobs::id))
        .select(Row::as_select())
        .first(conn)
        .optional()?;
    let Some(row) = found else { return Ok(None) };
    // Another node may have taken it since: it has one more attempt then, and this changes nothing.
    let before = jobs::table.filter(jobs::id.eq(row.id).and(jobs::attempts.eq(row.attempts)));
    let taken = diesel::update(before.filter(jobs::state.eq(&row.state).and(jobs::due_at.le(now))))
        .set((
            jobs::state.eq("running"),
            jobs::attempts.eq(row.attempts + 1),
            jobs::progress.eq(0),
            jobs::due_at.eq(now + LEASE),
            jobs::lease.eq(lease),
        ))
        .execute(conn)?;
    let Row { id, kind, subject, payload, attempts, .. } = row;
    let (worn_out, is_last) = (attempts >= ATTEMPTS, attempts + 1 >= ATTEMPTS);
    Ok((taken == 1).then_some(Taken { id, kind, subject, payload, worn_out, is_last }))
}

/// Says that a job still runs, and how far it is. Answers whether it is still this runner's.
pub fn beat(conn: &mut Conn, id: i64, lease: &str, percent: u8, now: i64) -> Result<bool> {
    let changed = diesel::update(own(id, lease))
        .set((jobs::progress.eq(i32::from(percent)), jobs::due_at.eq(now + LEASE)))
        .execute(conn)?;
    Ok(changed == 1)
}

/// Takes a job that is done off the queue. Answers whether it was still this runner's.
pub fn finish(conn: &mut Conn, id: i64, lease: &str) -> Result<bool> {
    Ok(diesel::delete(own(id, lease)).execute(conn)? == 1)
}

/// Keeps a job that can't be done, with why. Answers whether it was still this runner's.
pub fn fail(conn: &mut Conn, id: i64, lease: &str, error: &str) -> Result<bool> {
    let changed = diesel::update(own(id, lease))
        .set((jobs::state.eq("failed"), jobs::error.eq(error), jobs::lease.eq(None::<&str>)))
        .execute(conn)?;
    Ok(changed == 1)
}

/// Puts a job back. One that was interrupted by a stop may be begun at once and this try doesn't count.
pub fn put_back(conn: &mut Conn, id: i64, lease: &str, interrupted: bool, now: i64) -> Result<bool> {
    let (less, due) = if interrupted { (1, now) } else { (0, now + PAUSE) };
    let changed = diesel::update(own(id, lease))
        .set((
            jobs::state.eq("waiting"),
            jobs::attempts.eq(jobs::attempts - less),
            jobs::progress.eq(0),
            jobs::due_at.eq(due),
            jobs::lease.eq(None::<&str>),
        ))
        .execute(conn)?;
    Ok(changed == 1)
}

/// Lets what an earlier life of this node held be taken at once: its name is nobody's while it starts.
pub fn take_back(conn: &mut Conn, node: &str, now: i64) -> Result<()> {
    let own = jobs::table.filter(jobs::state.eq("running").and(jobs::lease.like(format!("{node}%"))));
    diesel::update(own).set(jobs::due_at.eq(now)).execute(conn)?;
    Ok(())
}

/// The leases of all that runs.
pub fn leases(conn: &mut Conn) -> Result<Vec<String>> {
    let held: Vec<Option<String>> =
        jobs::table.filter(jobs::lease.is_not_null()).select(jobs::lease).load(conn)?;
    Ok(held.into_iter().flatten().collect())
}

#[diesel::dsl::auto_type(no_type_alias)]
fn own<'a>(id: i64, lease: &'a str) -> _ {
    jobs::table.filter(jobs::id.eq(id).and(jobs::lease.eq(lease)))
}
