//! Messages that somebody reported: a frozen copy for those who look after the place.

use super::membership::{self, Verb};
use super::message::Message;
use super::post::{Post, Stored};
use super::{Kind, Rooms, room};
use crate::clock::now_ms;
use crate::db::Conn;
use crate::db::schema::messages::{messages, reports, rooms};
use crate::error::{Error, FieldError, Result};
use crate::ids::{HOUSE, RoomId, UserId};
use crate::on_conn;
use crate::text::is_blank;
use diesel::prelude::*;

/// Characters of a reason.
const REASON_MAX: usize = 500;
/// Reports on one page.
const PAGE: i64 = 50;

/// Why somebody reported a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason(String);

impl Reason {
    /// # Errors
    /// For the field `reason`: empty, too long, or with control characters.
    pub fn parse(typed: &str) -> Result<Self, FieldError> {
        let reason = typed.trim();
        if is_blank(reason) {
            return Err(FieldError::new("reason", "Say in a few words what is wrong with it."));
        }
        if reason.chars().nth(REASON_MAX).is_some() {
            return Err(FieldError::new("reason", format!("A reason has at most {REASON_MAX} characters.")));
        }
        if reason.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
            return Err(FieldError::new("reason", "A reason can't have control characters."));
        }
        Ok(Self(reason.to_owned()))
    }
}

/// One report, with the message as it was then.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = reports)]
pub struct Report {
    pub id: i64,
    pub room_id: RoomId,
    pub seq: i64,
    pub reporter_id: UserId,
    pub reason: String,
    pub author_id: UserId,
    /// The author's name when the message was sent.
    pub author_name: String,
    pub title: Option<String>,
    pub text: String,
    pub reported_at: i64,
    pub resolved_at: Option<i64>,
    pub resolved_by: Option<UserId>,
}

/// A report, and the name and kind of its room now; nothing when it is gone.
pub type Listed = (Report, Option<(String, Kind)>);

fn no_message() -> Error {
    Error::NotFound("There is no such message.")
}

/// Keeps a copy of a message that `reporter` may read. Reporting it again changes the reason and opens it again.
///
/// # Errors
/// `NotFound` for a room or message that the reporter can't see.
pub fn add(conn: &mut Conn, reporter: UserId, room: RoomId, seq: i64, reason: &Reason) -> Result<()> {
    let room = room::find(conn, room)?;
    membership::may(conn, reporter, &room, Verb::Read)?;
    let before = reports::table
        .filter(reports::room_id.eq(room.id).and(reports::seq.eq(seq)))
        .filter(reports::reporter_id.eq(reporter));
    let again = diesel::update(before)
        .set((
            reports::reason.eq(&reason.0),
            reports::resolved_at.eq(None::<i64>),
            reports::resolved_by.eq(None::<UserId>),
        ))
        .execute(conn)?;
    if again > 0 {
        return Ok(());
    }
    let found: Option<(UserId, String, Option<String>, String)> = messages::table
        .filter(messages::room_id.eq(room.id).and(messages::seq.eq(seq)))
        .filter(messages::deleted_at.is_null())
        .select((messages::author_id, messages::author_name, messages::title, messages::text))
        .first(conn)
        .optional()?;
    let (author, name, title, text) = found.ok_or_else(no_message)?;
    diesel::insert_into(reports::table)
        .values((
            reports::room_id.eq(room.id),
            reports::seq.eq(seq),
            reports::reporter_id.eq(reporter),
            reports::reason.eq(&reason.0),
            reports::author_id.eq(author),
            reports::author_name.eq(name),
            reports::title.eq(title),
            reports::text.eq(text),
            reports::reported_at.eq(now_ms()),
        ))
        .execute(conn)?;
    Ok(())
}

/// Reports a message for a word of the filter. One that was reported for another one before is opened again.
pub(super) fn file(conn: &mut Conn, message: &Message, word: &str) -> QueryResult<()> {
    let row = (
        reports::room_id.eq(message.room),
        reports::seq.eq(message.seq),
        reports::reporter_id.eq(HOUSE),
        reports::reason.eq(word),
        reports::author_id.eq(message.user),
        reports::author_name.eq(&message.name),
        reports::title.eq(&message.title),
        reports::text.eq(&message.text),
        reports::reported_at.eq(now_ms()),
    );
    let now = (
        reports::reason.eq(word),
        reports::title.eq(&message.title),
        reports::text.eq(&message.text),
        reports::reported_at.eq(now_ms()),
        reports::resolved_at.eq(None::<i64>),
        reports::resolved_by.eq(None::<UserId>),
    );
    on_conn!(conn, c => diesel::insert_into(reports::table)
        .values(row)
        .on_conflict((reports::room_id, reports::seq, reports::reporter_id))
        .do_update()
        .set(now)
        .execute(c))
    .map(drop)
}

/// Reports the new messages whose words the filter has marked.
pub(super) fn file_flagged(conn: &mut Conn, posts: &[&Post], outcomes: &[Stored]) -> QueryResult<()> {
    for (post, stored) in posts.iter().zip(outcomes) {
        if let (Some(word), Stored::New(message)) = (&post.words.flagged, stored) {
            file(conn, message, word)?;
        }
    }
    Ok(())
}

/// A page of reports, open or resolved, the latest first; and whether there are more before it.
pub fn page(conn: &mut Conn, resolved: bool, before: Option<i64>) -> Result<(Vec<Listed>, bool)> {
    let mut rows = reports::table
        .left_join(rooms::table.on(rooms::id.eq(reports::room_id)))
        .select((Report::as_select(), (rooms::name, rooms::kind).nullable()))
        .order(reports::id.desc())
        .limit(PAGE + 1)
        .into_boxed();
    rows = if resolved {
        rows.filter(reports::resolved_at.is_not_null())
    } else {
        rows.filter(reports::resolved_at.is_null())
    };
    if let Some(before) = before {
        rows = rows.filter(reports::id.lt(before));
    }
    let rows: Vec<(Report, Option<(String, String)>)> = rows.load(conn)?;
    let mut found: Vec<Listed> = rows
        .into_iter()
        .map(|(report, room)| (report, room.map(|(name, kind)| (name, Kind::from(kind)))))
        .collect();
    let size = usize::try_from(PAGE).unwrap_or(usize::MAX);
    let more = found.len() > size;
    found.truncate(size);
    Ok((found, more))
}

/// Marks a report as dealt with. Answers with whose message it is about.
///
/// # Errors
/// `NotFound` when it isn't there, or dealt with already.
pub fn resolve(conn: &mut Conn, id: i64, by: UserId) -> Result<UserId> {
    let open = reports::table.filter(reports::id.eq(id).and(reports::resolved_at.is_null()));
    let changed = diesel::update(open)
        .set((reports::resolved_at.eq(now_ms()), reports::resolved_by.eq(by)))
        .execute(conn)?;
    if changed == 0 {
        return Err(Error::NotFound("That report is dealt with already."));
    }
    Ok(reports::table.find(id).select(reports::author_id).first(conn)?)
}

impl Rooms {
    /// [`add`] through the write door.
    pub async fn report(&self, reporter: UserId, room: RoomId, seq: i64, reason: Reason) -> Result<()> {
        self.db.write(move |conn| add(conn, reporter, room, seq, &reason)).await
    }
}
