//! Who may do what in a room: the one place that decides, and the rows that it decides by.

use super::direct;
use super::room::{Kind, Room, nowhere};
use super::talk;
use crate::accounts::restraint::silenced;
use crate::accounts::{Person, Role};
use crate::clock::now_ms;
use crate::db::Conn;
use crate::db::schema::messages::{memberships, rooms};
use crate::error::{Error, Result};
use crate::ids::{RoomId, UserId};
use crate::on_conn;
use diesel::prelude::*;

/// People in one query: SQLite takes some thousands of values at most.
const AT_ONCE: usize = 1000;

/// What somebody wants to do in a room.
///
/// What a person may do in the whole place isn't in this database: where it matters, the verb says whether they are
/// a moderator (or more) there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Read,
    Post,
    /// What a member does for themselves alone, such as reading on.
    Keep,
    Join,
    Leave,
    /// Change the words of one's own message.
    Edit,
    /// Take back one's own message.
    Retract,
    /// Delete somebody else's message.
    Remove,
    React,
    Pin,
    /// Make somebody else a member.
    Invite,
    /// End somebody else's membership.
    Kick,
    Rename,
    SetTopic,
    /// Say how often one person may write.
    Slow,
    Delete,
}

impl Verb {
    /// The least role that may do it in every room that it sees, not in its own ones alone.
    fn needs(self) -> Option<&'static [Role]> {
        match self {
            Self::Kick | Self::Rename | Self::SetTopic | Self::Slow | Self::Remove | Self::Pin => {
                Some(&[Role::Owner, Role::Admin, Role::Moderator])
            }
            Self::Delete => Some(&[Role::Owner, Role::Admin]),
            Self::Read
            | Self::Post
            | Self::Edit
            | Self::React
            | Self::Retract
            | Self::Keep
            | Self::Join
            | Self::Leave
            | Self::Invite => None,
        }
    }
}

/// Who wants something, with the role that they have in the whole place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asking {
    pub id: UserId,
    pub role: Role,
    /// They may only read until then, ms.
    pub silenced_until: Option<i64>,
}

impl From<&Person> for Asking {
    fn from(person: &Person) -> Self {
        Self { id: person.id, role: person.role, silenced_until: person.silenced_until }
    }
}

impl From<UserId> for Asking {
    fn from(id: UserId) -> Self {
        Self { id, role: Role::Guest, silenced_until: None }
    }
}

/// Whether somebody whose time-out lasts until then may do this: read and keep up, and take back what they said.
///
/// # Errors
/// `Forbidden`, with the moment in which it ends.
pub(super) fn may_speak(silenced_until: Option<i64>, verb: Verb) -> Result<()> {
    let quiet = matches!(verb, Verb::Read | Verb::Keep | Verb::Join | Verb::Leave | Verb::Retract);
    match silenced_until.filter(|until| !quiet && *until > now_ms()) {
        Some(until) => Err(silenced(until)),
        None => Ok(()),
    }
}

/// Whether `who` may do this in `room`. Authoritative: it reads the membership in the caller's transaction.
///
/// # Errors
/// `NotFound` for a private room that they are no member of, as if it weren't there; `Forbidden` otherwise.
pub fn may(conn: &mut Conn, who: impl Into<Asking>, room: &Room, verb: Verb) -> Result<()> {
    let who = who.into();
    stands(conn, who, room, verb)?;
    // Last: whether a room is there is nothing that a time-out tells.
    may_speak(who.silenced_until, verb)
}

/// What the room and the rows say.
fn stands(conn: &mut Conn, who: Asking, room: &Room, verb: Verb) -> Result<()> {
    let open = matches!(room.kind, Kind::Board | Kind::Channel | Kind::Talk);
    if room.kind == Kind::Talk && !talk::is_open(conn, who.id, room.about())? {
        return Err(nowhere());
    }
    // What one has said one may take back, member or not.
    if open && verb == Verb::Retract {
        return Ok(());
    }
    match (room.kind, verb) {
        (Kind::Board, Verb::Read | Verb::Post | Verb::Edit | Verb::React | Verb::Keep | Verb::Join)
        | (Kind::Channel | Kind::Talk, Verb::Read | Verb::Join | Verb::Leave) => return Ok(()),
        _ if open && matches!(verb, Verb::Remove | Verb::Pin | Verb::Slow) => {
            return presides(who, room, verb);
        }
        (Kind::Board, Verb::Leave) => {
            return Err(Error::forbidden(
                "everybodys_room",
                "The board belongs to everybody; nobody leaves it.",
            ));
        }
        (Kind::Board, _) => {
            return Err(Error::forbidden(
                "everybodys_room",
                "The board belongs to everybody; it stays as it is.",
            ));
        }
        _ => {}
    }
    let is_member = is_member(conn, who.id, room.id)?;
    match verb {
        _ if !is_member && !open => Err(nowhere()),
        Verb::Post | Verb::Edit | Verb::React if room.kind == Kind::Direct => {
            direct::may_write(conn, who.id, room)
        }
        Verb::Read | Verb::Post | Verb::Edit | Verb::React | Verb::Keep | Verb::Join
        // In a group or a private conversation; the open rooms were judged above.
        | Verb::Retract | Verb::Pin
            if is_member =>
        {
            Ok(())
        }
        Verb::Remove => presides(who, room, verb),
        _ if room.kind == Kind::Direct => Err(Error::forbidden(
            "direct",
            "A private conversation belongs to the two of you and stays as it is.",
        )),
        _ if room.kind == Kind::Talk
            && !matches!(verb, Verb::Post | Verb::Edit | Verb::React | Verb::Keep) =>
        {
            Err(Error::forbidden("talk", "This conversation belongs to what it is about and stays as it is."))
        }
        _ => may_change(who, room, verb, is_member),
    }
}

/// The last question, for channels and groups.
fn may_change(who: Asking, room: &Room, verb: Verb, is_member: bool) -> Result<()> {
    match verb.needs() {
        None if is_member => Ok(()),
        None if room.kind == Kind::Talk => {
            Err(Error::forbidden("not_member", "Join the talk to write in it."))
        }
        None => Err(Error::forbidden("not_member", "Join this channel to write in it.")),
        Some(roles) if room.owner == Some(who.id) || roles.contains(&who.role) => Ok(()),
        Some(_) => Err(Error::forbidden("not_owner", "Only the owner of this room can do that.")),
    }
}

/// Every room that `who` may read; only what is open to all for somebody who isn't signed in.
pub fn readable(conn: &mut Conn, who: Option<UserId>) -> Result<Vec<RoomId>> {
    let open = [Kind::Board, Kind::Channel].map(Kind::as_str);
    let mut ids: Vec<RoomId> = rooms::table
        .filter(rooms::kind.eq_any(open).and(rooms::deleted_at.is_null()))
        .select(rooms::id)
        .load(conn)?;
    ids.extend(talk::open_ones(conn, who)?);
    if let Some(who) = who {
        let own = memberships::table
            .inner_join(rooms::table)
            .filter(memberships::user_id.eq(who))
            .filter(rooms::kind.ne_all(open).and(rooms::kind.ne(Kind::Talk.as_str())))
            .filter(rooms::deleted_at.is_null());
        ids.extend(own.select(rooms::id).load::<RoomId>(conn)?);
    }
    Ok(ids)
}

/// Whether somebody decides there over the words of others. In a private conversation nobody does.
fn presides(who: Asking, room: &Room, verb: Verb) -> Result<()> {
    if room.kind != Kind::Direct && (who.role.moderates() || room.owner == Some(who.id)) {
        return Ok(());
    }
    Err(match verb {
        Verb::Pin => Error::forbidden("not_owner", "Only the room's owner and moderators pin messages here."),
        Verb::Slow => {
            Error::forbidden("not_owner", "Only the room's owner and moderators set the slow mode here.")
        }
        _ => Error::forbidden("not_yours", "Only its author and the room's owner can delete this message."),
    })
}

pub fn is_member(conn: &mut Conn, who: UserId, room: RoomId) -> Result<bool> {
    let row = memberships::table.find((who, room)).select(memberships::user_id);
    Ok(on_conn!(conn, c => row.first::<UserId>(c)).optional()?.is_some())
}

/// Makes `who` a member who has read everything so far; `false` when they were one already.
pub fn add(conn: &mut Conn, who: UserId, room: &mut Room) -> Result<bool> {
    if is_member(conn, who, room.id)? {
        return Ok(false);
    }
    diesel::insert_into(memberships::table)
        .values((
            memberships::user_id.eq(who),
            memberships::room_id.eq(room.id),
            memberships::joined_at.eq(now_ms()),
            memberships::read_seq.eq(room.last_seq),
        ))
        .execute(conn)?;
    count(conn, room, 1)?;
    Ok(true)
}

/// Ends a membership; `false` when there was none.
pub fn remove(conn: &mut Conn, who: UserId, room: &mut Room) -> Result<bool> {
    let gone = diesel::delete(memberships::table.find((who, room.id))).execute(conn)?;
    if gone > 0 {
        count(conn, room, -1)?;
    }
    Ok(gone > 0)
}

/// The same for many at once. Answers with those who were members.
pub fn remove_all(conn: &mut Conn, who: &[UserId], room: &mut Room) -> Result<Vec<UserId>> {
    let mut gone = Vec::new();
    for part in who.chunks(AT_ONCE) {
        let rows = memberships::table
            .filter(memberships::room_id.eq(room.id))
            .filter(memberships::user_id.eq_any(part));
        let left: Vec<UserId> =
            on_conn!(conn, c => diesel::delete(rows).returning(memberships::user_id).get_results(c))?;
        gone.extend(left);
    }
    if !gone.is_empty() {
        count(conn, room, -i64::try_from(gone.len()).unwrap_or(i64::MAX))?;
    }
    Ok(gone)
}

fn count(conn: &mut Conn, room: &mut Room, by: i64) -> Result<()> {
    diesel::update(rooms::table.find(room.id)).set(rooms::members.eq(rooms::members + by)).execute(conn)?;
    room.members += by;
    Ok(())
}

/// The ids of a room's members, ascending, at most `limit`.
pub fn members(conn: &mut Conn, room: RoomId, after: UserId, limit: i64) -> QueryResult<Vec<UserId>> {
    let page = memberships::table
        .filter(memberships::room_id.eq(room))
        .filter(memberships::user_id.gt(after))
        .order(memberships::user_id.asc())
        .limit(limit)
        .select(memberships::user_id);
    on_conn!(conn, c => page.load(c))
}

/// The member who has been there the longest, if there is any.
pub fn eldest(conn: &mut Conn, room: RoomId) -> Result<Option<UserId>> {
    Ok(memberships::table
        .filter(memberships::room_id.eq(room))
        .order((memberships::joined_at.asc(), memberships::user_id.asc()))
        .select(memberships::user_id)
        .first(conn)
        .optional()?)
}
