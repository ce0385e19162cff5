//! Taking down what one person wrote, and bringing it back: a few messages at a time, each an ordinary change of its
//! room. How far it has come is stored with it, so that it goes on after a restart.

use super::Rooms;
use super::amend;
use super::attachment;
use super::change::{Done, Fact, Outcome, Request};
use super::json::Json;
use super::mention;
use super::message::{self, Message};
use super::post;
use super::preview::{self, Linked};
use super::room::Room;
use crate::clock::now_ms;
use crate::db::Conn;
use crate::db::schema::messages::{attachments, mentions, messages, takedowns, taken_down};
use crate::error::{Error, Result};
use crate::ids::{RoomId, UserId};
use crate::on_conn;
use diesel::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long what was taken down can be brought back, ms.
pub const KEPT: i64 = 30 * 24 * 3600 * 1000;
/// Messages in one transaction: some milliseconds of the writer's time.
const AT_ONCE: i64 = 100;
/// Takedowns of one person on their page.
const LISTED: i64 = 20;

/// How a takedown stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Taking,
    Taken,
    Returning,
    Returned,
    /// It can't be brought back any more.
    Gone,
}

impl State {
    fn as_str(self) -> &'static str {
        match self {
            Self::Taking => "taking",
            Self::Taken => "taken",
            Self::Returning => "returning",
            Self::Returned => "returned",
            Self::Gone => "gone",
        }
    }
}

impl From<String> for State {
    fn from(stored: String) -> Self {
        match stored.as_str() {
            "taking" => Self::Taking,
            "taken" => Self::Taken,
            "returning" => Self::Returning,
            "returned" => Self::Returned,
            // The table's CHECK leaves no other.
            _ => Self::Gone,
        }
    }
}

/// A row of `takedowns`.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = takedowns)]
pub struct Takedown {
    pub id: i64,
    pub user_id: UserId,
    pub ordered_by: UserId,
    pub ordered_at: i64,
    /// What was written before stays, ms.
    pub since: i64,
    #[diesel(deserialize_as = String)]
    pub state: State,
    reached: String,
    /// How many are down.
    pub messages: i64,
}

impl Takedown {
    /// Until when it can be brought back, ms.
    pub fn kept_until(&self) -> i64 {
        self.ordered_at + KEPT
    }

    /// Whether it can be brought back.
    pub fn can_return(&self) -> bool {
        matches!(self.state, State::Taking | State::Taken) && now_ms() < self.kept_until()
    }
}

/// A message as it was.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = taken_down, treat_none_as_default_value = false)]
struct Was {
    takedown_id: i64,
    room_id: RoomId,
    seq: i64,
    title: Option<String>,
    text: String,
    html: Option<String>,
    edited_at: Option<i64>,
    pinned: bool,
    to_all: bool,
    reactions: Option<Json>,
    attachments: Option<Json>,
    mentions: String,
}

/// # Errors
/// `NotFound`.
pub fn find(conn: &mut Conn, id: i64) -> Result<Takedown> {
    let row = takedowns::table.find(id).select(Takedown::as_select()).first(conn).optional()?;
    row.ok_or(Error::NotFound("There is nothing to bring back."))
}

/// A person's takedowns, the latest first.
pub fn of(conn: &mut Conn, user: UserId) -> Result<Vec<Takedown>> {
    Ok(takedowns::table
        .filter(takedowns::user_id.eq(user))
        .order(takedowns::id.desc())
        .limit(LISTED)
        .select(Takedown::as_select())
        .load(conn)?)
}

/// Orders everything of this person's to be taken down that was written from `since` on.
fn order(conn: &mut Conn, by: UserId, user: UserId, since: i64) -> Result<i64> {
    let row = (
        takedowns::user_id.eq(user),
        takedowns::ordered_by.eq(by),
        takedowns::ordered_at.eq(now_ms()),
        takedowns::since.eq(since),
        takedowns::state.eq(State::Taking.as_str()),
    );
    let insert = diesel::insert_into(takedowns::table).values(row).returning(takedowns::id);
    Ok(on_conn!(conn, c => insert.get_result(c))?)
}

/// Orders it to be brought back.
///
/// # Errors
/// `NotFound`; `Conflict` when it can't be.
fn order_back(conn: &mut Conn, id: i64) -> Result<()> {
    if !lock(conn, id)?.can_return() {
        let words = "That can't be brought back any more, or is back already.";
        return Err(Error::conflict("not_down", words));
    }
    set_state(conn, id, State::Returning)
}

fn set_state(conn: &mut Conn, id: i64, state: State) -> Result<()> {
    diesel::update(takedowns::table.find(id)).set(takedowns::state.eq(state.as_str())).execute(conn)?;
    Ok(())
}

/// The row, for this transaction alone: two nodes must not take the same messages.
fn lock(conn: &mut Conn, id: i64) -> Result<Takedown> {
    let row = takedowns::table.find(id);
    let found = match conn {
        Conn::Sqlite(c) => row.select(Takedown::as_select()).first(c).optional()?,
        Conn::Postgres(c) => row.select(Takedown::as_select()).for_update().first(c).optional()?,
    };
    found.ok_or(Error::NotFound("There is nothing to bring back."))
}

/// One that isn't done yet.
fn unfinished(conn: &mut Conn) -> Result<Option<i64>> {
    let now = now_ms();
    for state in [State::Returning, State::Taking] {
        let next = takedowns::table.filter(takedowns::state.eq(state.as_str()));
        let next = next.order(takedowns::ordered_at.asc()).select(takedowns::id).first(conn).optional()?;
        if next.is_some() {
            return Ok(next);
        }
    }
    let old = takedowns::table.filter(takedowns::state.eq(State::Taken.as_str()));
    let old = old.filter(takedowns::ordered_at.lt(now - KEPT));
    Ok(old.order(takedowns::ordered_at.asc()).select(takedowns::id).first(conn).optional()?)
}

/// Does a part of what was ordered.
pub(super) fn piece(conn: &mut Conn, id: i64) -> Result<Done> {
    let takedown = lock(conn, id)?;
    let facts = match takedown.state {
        State::Taking => take(conn, &takedown)?,
        State::Returning => bring_back(conn, &takedown)?,
        State::Taken if now_ms() >= takedown.kept_until() => {
            forget(conn, &takedown)?;
            Vec::new()
        }
        State::Taken | State::Returned | State::Gone => Vec::new(),
    };
    Ok((Outcome::Stored, facts))
}

/// Takes the next ones down. They are found by their nonces, in whose order an index has all that one person wrote.
fn take(conn: &mut Conn, takedown: &Takedown) -> Result<Vec<Fact>> {
    let next: Vec<(String, RoomId, i64, i64, Option<i64>)> = messages::table
        .filter(messages::author_id.eq(takedown.user_id).and(messages::nonce.gt(&takedown.reached)))
        .order(messages::nonce.asc())
        .limit(AT_ONCE)
        .select((
            messages::nonce,
            messages::room_id,
            messages::seq,
            messages::posted_at,
            messages::deleted_at,
        ))
        .load(conn)?;
    let Some((reached, ..)) = next.last() else {
        set_state(conn, takedown.id, State::Taken)?;
        return Ok(Vec::new());
    };
    let reached = reached.clone();
    // Rooms in ascending order, as everybody locks them.
    let mut rooms: BTreeMap<RoomId, Vec<i64>> = BTreeMap::new();
    for (_, room, seq, at, deleted) in next {
        if at >= takedown.since && at <= takedown.ordered_at && deleted.is_none() {
            rooms.entry(room).or_default().push(seq);
        }
    }
    let mut facts = Vec::new();
    for (room, seqs) in rooms {
        let Some(mut room) = post::lock(conn, room)? else { continue };
        for seq in seqs {
            facts.extend(hide(conn, takedown.id, &mut room, seq)?);
        }
    }
    let taken = i64::try_from(facts.len()).unwrap_or(i64::MAX);
    diesel::update(takedowns::table.find(takedown.id))
        .set((takedowns::reached.eq(reached), takedowns::messages.eq(takedowns::messages + taken)))
        .execute(conn)?;
    Ok(facts)
}

/// Keeps a message as it was, and leaves of it what a deleted one leaves.
fn hide(conn: &mut Conn, takedown: i64, room: &mut Room, seq: i64) -> Result<Option<Fact>> {
    let mut message = message::find(conn, room.id, seq)?;
    if message.deleted_at.is_some() {
        return Ok(None);
    }
    let called: Vec<i64> = mentions::table
        .filter(mentions::room_id.eq(room.id).and(mentions::seq.eq(seq)))
        .select(mentions::user_id)
        .load(conn)?;
    diesel::insert_into(taken_down::table).values(was(takedown, &message, &called)?).execute(conn)?;
    // What a page said is asked for again when the message comes back.
    preview::forget(conn, &mut message)?;
    // Out of everybody's reach, and still referring to its content.
    carry(conn, room.id, seq, -seq)?;
    amend::empty(conn, &mut message)?;
    message.attachments = None;
    Ok(Some(next_rev(conn, room, message)?))
}

fn was(takedown: i64, message: &Message, called: &[i64]) -> Result<Was> {
    Ok(Was {
        takedown_id: takedown,
        room_id: message.room,
        seq: message.seq,
        title: message.title.clone(),
        text: message.text.clone(),
        html: message.html.clone(),
        edited_at: message.edited_at,
        pinned: message.pinned,
        to_all: message.to_all,
        reactions: message.reactions.clone(),
        attachments: message.attachments.clone(),
        mentions: serde_json::to_string(called).map_err(Error::internal)?,
    })
}

/// Moves what was sent with a message to another number: below 0 for one that is taken down.
fn carry(conn: &mut Conn, room: RoomId, from: i64, to: i64) -> Result<()> {
    let sent = attachments::table.filter(attachments::room_id.eq(room).and(attachments::seq.eq(from)));
    diesel::update(sent).set(attachments::seq.eq(to)).execute(conn)?;
    Ok(())
}

fn next_rev(conn: &mut Conn, room: &mut Room, mut message: Message) -> Result<Fact> {
    room.rev += 1;
    message.rev = room.rev;
    amend::store(conn, &message)?;
    Ok(Fact::Message(Arc::new(message)))
}

/// Brings the next ones back.
fn bring_back(conn: &mut Conn, takedown: &Takedown) -> Result<Vec<Fact>> {
    let next = some_of(conn, takedown)?;
    if next.is_empty() {
        set_state(conn, takedown.id, State::Returned)?;
        return Ok(Vec::new());
    }
    let mut rooms: BTreeMap<RoomId, Vec<Was>> = BTreeMap::new();
    for was in next {
        rooms.entry(was.room_id).or_default().push(was);
    }
    let mut facts = Vec::new();
    for (id, all) in rooms {
        let mut room = post::lock(conn, id)?;
        for was in all {
            diesel::delete(taken_down::table.find((takedown.id, id, was.seq))).execute(conn)?;
            if let Some(room) = &mut room {
                facts.extend(show(conn, room, was)?);
            }
        }
    }
    Ok(facts)
}

fn some_of(conn: &mut Conn, takedown: &Takedown) -> Result<Vec<Was>> {
    Ok(taken_down::table
        .filter(taken_down::takedown_id.eq(takedown.id))
        .order((taken_down::room_id.asc(), taken_down::seq.asc()))
        .limit(AT_ONCE)
        .select(Was::as_select())
        .load(conn)?)
}

/// Puts a message back to what it was.
fn show(conn: &mut Conn, room: &mut Room, was: Was) -> Result<Vec<Fact>> {
    let mut message = message::find(conn, room.id, was.seq)?;
    carry(conn, room.id, -was.seq, was.seq)?;
    let called: Vec<UserId> = serde_json::from_str(&was.mentions).map_err(Error::internal)?;
    mention::replace(conn, room.id, was.seq, &called)?;
    message.deleted_at = None;
    message.title = was.title;
    message.text = was.text;
    message.html = was.html;
    message.edited_at = was.edited_at;
    message.pinned = was.pinned;
    message.to_all = was.to_all;
    message.reactions = was.reactions;
    message.attachments = was.attachments;
    let leads = Linked::of(&message, preview::link_of(&message).as_ref());
    Ok(std::iter::once(next_rev(conn, room, message)?).chain(leads).collect())
}

/// Removes the next ones for good: nobody wanted them back in time.
fn forget(conn: &mut Conn, takedown: &Takedown) -> Result<()> {
    let next = some_of(conn, takedown)?;
    if next.is_empty() {
        return set_state(conn, takedown.id, State::Gone);
    }
    for was in next {
        attachment::forget(conn, was.room_id, -was.seq)?;
        diesel::delete(taken_down::table.find((takedown.id, was.room_id, was.seq))).execute(conn)?;
    }
    Ok(())
}

impl Rooms {
    /// Orders everything that `user` wrote from `since` (ms) on to be taken down; [`work_on_takedowns`] does it.
    ///
    /// [`work_on_takedowns`]: Self::work_on_takedowns
    pub async fn take_down(&self, by: UserId, user: UserId, since: i64) -> Result<i64> {
        let id = self.db.write(move |conn| order(conn, by, user, since)).await?;
        self.takedowns.notify_one();
        Ok(id)
    }

    /// Orders it to be brought back.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when it can't be any more.
    pub async fn bring_back(&self, id: i64) -> Result<()> {
        self.db.write(move |conn| order_back(conn, id)).await?;
        self.takedowns.notify_one();
        Ok(())
    }

    /// Takes down and brings back what is ordered, what an earlier life of the server left unfinished too. Leaves the
    /// writer to others for as long as it was taken from them.
    pub async fn work_on_takedowns(&self) -> Result<()> {
        while let Some(id) = self.db.read(unfinished).await? {
            let started = Instant::now();
            self.change(Request::TakeDown(id)).await?;
            let rest = started.elapsed().clamp(Duration::from_millis(1), Duration::from_millis(50));
            tokio::time::sleep(rest).await;
        }
        Ok(())
    }

    /// Waits until something is ordered.
    pub async fn takedown_ordered(&self) {
        self.takedowns.notified().await;
    }
}
