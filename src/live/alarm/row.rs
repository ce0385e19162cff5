//! Alarms that were raised, as they are kept: what raised them, who has them, when they were over.

use super::guard::Raised;
use crate::db::Conn;
use crate::db::schema::messages::{alarms, streams};
use crate::error::{Error, Result};
use crate::ids::{AlarmId, StreamId, UserId};
use crate::on_conn;
use diesel::prelude::*;
use std::collections::HashSet;

/// How long one that is over is kept, ms: 90 days.
const KEPT: i64 = 90 * 24 * 60 * 60 * 1000;
/// Rows that are looked through for those that stand: each rule's newest counts, and a stream has at most 32.
const LOOKED_AT: i64 = 500;
/// Messages that one acknowledgement changes. What was called out again and again while nobody looked is older.
const SAID: usize = 20;

/// What is answered for an alarm that isn't there.
pub const NO_ALARM: Error = Error::NotFound("There is no such alarm.");

/// A row of `alarms`.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = alarms)]
pub struct Alarm {
    pub id: AlarmId,
    pub stream_id: StreamId,
    /// As it stood among the stream's rules then.
    pub rule: String,
    /// Whose number raised it; empty where none did.
    pub reading: String,
    /// That number with its unit.
    pub value: String,
    /// ms
    pub raised_at: i64,
    /// ms; nothing while its condition is true, or was true lately.
    pub over_at: Option<i64>,
    /// It is over because its rule was taken away.
    pub retired: bool,
    /// ms
    pub acknowledged_at: Option<i64>,
    pub acknowledged_by: Option<UserId>,
    /// Their display name then.
    pub acknowledged_name: Option<String>,
}

/// Stores an alarm, and removes old ones that are over. `value` is its number with the unit.
///
/// # Errors
/// `NotFound` when the stream is gone.
pub fn raise(conn: &mut Conn, stream: StreamId, raised: &Raised, value: &str, at: i64) -> Result<Alarm> {
    streams::table.find(stream).select(streams::id).first::<StreamId>(conn)?;
    let old = alarms::stream_id.eq(stream).and(alarms::over_at.is_not_null());
    diesel::delete(alarms::table.filter(old.and(alarms::raised_at.lt(at - KEPT)))).execute(conn)?;
    let row = (
        alarms::stream_id.eq(stream),
        alarms::rule.eq(&raised.rule),
        alarms::reading.eq(raised.reading.as_ref().map_or("", |(name, _)| name)),
        alarms::value.eq(value),
        alarms::raised_at.eq(at),
    );
    let id: AlarmId = on_conn!(&mut *conn, c => diesel::insert_into(alarms::table)
        .values(row)
        .returning(alarms::id)
        .get_result(c))?;
    find(conn, stream, id)
}

/// One alarm of this stream.
///
/// # Errors
/// `NotFound`.
pub fn find(conn: &mut Conn, stream: StreamId, id: AlarmId) -> Result<Alarm> {
    let row = alarms::table.find(id).filter(alarms::stream_id.eq(stream));
    row.select(Alarm::as_select()).first(conn).optional()?.ok_or(NO_ALARM)
}

/// Ends the alarms that stand by this rule. Answers with their numbers.
pub fn end(conn: &mut Conn, stream: StreamId, rule: &str, at: i64, retired: bool) -> Result<Vec<AlarmId>> {
    let standing =
        alarms::stream_id.eq(stream).and(alarms::rule.eq(rule.to_owned())).and(alarms::over_at.is_null());
    let ids: Vec<AlarmId> =
        alarms::table.filter(standing.clone()).select(alarms::id).order(alarms::id).load(conn)?;
    diesel::update(alarms::table.filter(standing))
        .set((alarms::over_at.eq(at), alarms::retired.eq(retired)))
        .execute(conn)?;
    Ok(ids)
}

/// Writes down who has an alarm, and with it those that the same rule raised before. Twice is harmless: the first one has
/// it. Answers with the alarm, and the numbers of those that this has changed, the newest first.
///
/// # Errors
/// `NotFound`.
pub fn acknowledge(
    conn: &mut Conn,
    (stream, id): (StreamId, AlarmId),
    (by, name): (UserId, &str),
    at: i64,
) -> Result<(Alarm, Vec<AlarmId>)> {
    let rule = find(conn, stream, id)?.rule;
    let open = alarms::stream_id.eq(stream).and(alarms::rule.eq(rule));
    let open = open.and(alarms::id.le(id)).and(alarms::acknowledged_at.is_null());
    let mut ids: Vec<AlarmId> =
        alarms::table.filter(open.clone()).select(alarms::id).order(alarms::id.desc()).load(conn)?;
    diesel::update(alarms::table.filter(open))
        .set((
            alarms::acknowledged_at.eq(at),
            alarms::acknowledged_by.eq(by),
            alarms::acknowledged_name.eq(name),
        ))
        .execute(conn)?;
    ids.truncate(SAID);
    Ok((find(conn, stream, id)?, ids))
}

/// Those that stand: of each rule the newest, unless that is over and somebody has it. In the order in which they were
/// raised.
pub fn standing(conn: &mut Conn, stream: StreamId) -> Result<Vec<Alarm>> {
    let open = alarms::over_at.is_null().or(alarms::acknowledged_at.is_null());
    let mut found: Vec<Alarm> = alarms::table
        .filter(alarms::stream_id.eq(stream).and(open))
        .order(alarms::id.desc())
        .limit(LOOKED_AT)
        .select(Alarm::as_select())
        .load(conn)?;
    let mut rules = HashSet::new();
    found.retain(|alarm| rules.insert(alarm.rule.clone()));
    found.reverse();
    Ok(found)
}

/// A page of a stream's alarms, the newest first; and whether there are older ones.
pub fn page(
    conn: &mut Conn,
    stream: StreamId,
    before: Option<i64>,
    limit: i64,
) -> Result<(Vec<Alarm>, bool)> {
    let before = AlarmId(before.unwrap_or(i64::MAX));
    let mut found: Vec<Alarm> = alarms::table
        .filter(alarms::stream_id.eq(stream).and(alarms::id.lt(before)))
        .order(alarms::id.desc())
        .limit(limit + 1)
        .select(Alarm::as_select())
        .load(conn)?;
    let more = i64::try_from(found.len()).is_ok_and(|found| found > limit);
    found.truncate(usize::try_from(limit).unwrap_or_default());
    Ok((found, more))
}

/// Writes down that a sample has come since the stream's rules were set.
pub fn note_sampled(conn: &mut Conn, stream: StreamId) -> Result<()> {
    diesel::update(streams::table.find(stream)).set(streams::sampled.eq(true)).execute(conn)?;
    Ok(())
}

/// The names of the streams that have rules, or alarms that stand.
pub fn guarded(conn: &mut Conn) -> Result<Vec<String>> {
    let open = alarms::table.filter(alarms::over_at.is_null()).select(alarms::stream_id);
    let unseen = alarms::table.filter(alarms::acknowledged_at.is_null()).select(alarms::stream_id);
    let wanted = streams::alarms.ne("").or(streams::id.eq_any(open)).or(streams::id.eq_any(unseen));
    Ok(streams::table.filter(wanted).order(streams::name).select(streams::name).load(conn)?)
}
