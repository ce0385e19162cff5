//! Rooms that people run themselves: groups made with their members, and what the owner of a channel or group may change.
//!
//! A group is there for its members alone. When its owner leaves, it belongs to the member who has been there the
//! longest; the last one to leave takes it along.

use super::change::{Done, Fact, Outcome};
use super::direct::{self, Party};
use super::membership::{self, Asking, Verb, may};
use super::post;
use super::room::{self, Kind, NewRoom, Room, RoomName, RoomView, nowhere};
use super::talk;
use crate::clock::now_ms;
use crate::db::Conn;
use crate::db::schema::messages::{memberships, rooms};
use crate::error::{Error, FieldError, Result};
use crate::ids::{RoomId, UserId};
use crate::text;
use diesel::prelude::*;
use unicode_normalization::UnicodeNormalization;

/// Characters of a group's name.
const NAME_MAX: usize = 64;

/// A group's name: 1 to 64 visible characters, not unique.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupName(String);

impl GroupName {
    /// # Errors
    /// A sentence for the field `name`.
    pub fn parse(typed: &str) -> Result<Self, FieldError> {
        let name: String = typed.trim().nfc().collect();
        if text::is_blank(&name) {
            return Err(FieldError::new("name", "Give the group a name."));
        }
        if name.chars().nth(NAME_MAX).is_some() {
            return Err(FieldError::new("name", "A group's name has at most 64 characters."));
        }
        if name.chars().any(text::is_unruly) {
            return Err(FieldError::new(
                "name",
                "A group's name can't have line breaks or other control characters.",
            ));
        }
        Ok(Self(name))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Makes a group of its owner and these members.
///
/// # Errors
/// `Invalid` for `members` when one of them doesn't want to hear of the owner.
pub(super) fn create(
    conn: &mut Conn,
    owner: UserId,
    name: &GroupName,
    topic: &str,
    members: &[Party],
) -> Result<Done> {
    let new = NewRoom {
        kind: Kind::Group.as_str(),
        name: name.as_str(),
        topic,
        owner_id: Some(owner),
        ..NewRoom::default()
    };
    let mut room =
        room::insert(conn, new)?.ok_or_else(|| Error::internal("a group was in the way of another"))?;
    membership::add(conn, owner, &mut room)?;
    for member in members {
        direct::may_reach(conn, owner, member).map_err(|_| refused(&member.username))?;
        membership::add(conn, member.id, &mut room)?;
    }
    let view = RoomView::new(room, Some(0));
    let mut facts = vec![Fact::Joined { user: owner, room: view.clone(), came: false }];
    for member in members.iter().filter(|member| member.id != owner) {
        facts.push(Fact::Joined { user: member.id, room: view.clone(), came: false });
    }
    Ok((Outcome::Room(view), facts))
}

fn refused(name: &str) -> Error {
    Error::field("members", format!("You can't reach {name}."))
}

/// Finds a room for `verb`, locked until the change is committed.
pub(super) fn take(conn: &mut Conn, by: Asking, id: RoomId, verb: Verb) -> Result<Room> {
    let room = post::lock(conn, id)?.ok_or_else(nowhere)?;
    may(conn, by, &room, verb)?;
    Ok(room)
}

/// The room as `by` sees it after a change.
fn seen(conn: &mut Conn, by: UserId, room: Room) -> Result<RoomView> {
    let mark = room::read_mark(conn, by, room.id)?;
    Ok(RoomView::new(room, mark))
}

/// Makes somebody a member; nothing changes when they are one.
pub(super) fn invite(conn: &mut Conn, by: Asking, id: RoomId, user: &Party) -> Result<Done> {
    let mut room = take(conn, by, id, Verb::Invite)?;
    direct::may_reach(conn, by.id, user)?;
    let came = membership::add(conn, user.id, &mut room)?;
    let mut facts = Vec::new();
    if came {
        let view = seen(conn, user.id, room.clone())?;
        facts.push(Fact::Joined { user: user.id, room: view, came });
    }
    Ok((Outcome::Room(seen(conn, by.id, room)?), facts))
}

/// Ends somebody's membership.
pub(super) fn kick(conn: &mut Conn, by: Asking, id: RoomId, user: &Party) -> Result<Done> {
    let mut room = take(conn, by, id, Verb::Kick)?;
    if user.id == by.id {
        return Err(Error::conflict("yourself", "That is you. Leave the room instead."));
    }
    if room.owner == Some(user.id) {
        return Err(Error::forbidden("owner", "The room belongs to that person; they can't be removed."));
    }
    if !membership::remove(conn, user.id, &mut room)? {
        return Err(Error::NotFound("That person isn't in this room."));
    }
    let mut facts = vec![Fact::Left { user: user.id, room: id, members: room.members }];
    facts.extend(talk::follow_group(conn, id, Some(user.id))?);
    Ok((Outcome::Room(seen(conn, by.id, room)?), facts))
}

/// Ends one's own membership of a group.
pub(super) fn leave(conn: &mut Conn, user: UserId, id: RoomId) -> Result<Done> {
    let mut room = post::lock(conn, id)?.ok_or_else(nowhere)?;
    membership::remove(conn, user, &mut room)?;
    let left = Fact::Left { user, room: room.id, members: room.members };
    let mut facts = vec![left];
    facts.extend(talk::follow_group(conn, id, Some(user))?);
    if room.owner == Some(user) {
        room.owner = membership::eldest(conn, room.id)?;
        diesel::update(rooms::table.find(room.id)).set(rooms::owner_id.eq(room.owner)).execute(conn)?;
        facts.push(Fact::RoomChanged(room.clone()));
    }
    if room.members == 0 {
        bury(conn, room.id)?;
    }
    Ok((Outcome::Room(RoomView::new(room, None)), facts))
}

/// Gives a channel or group another name, by the rule of its kind.
pub(super) fn rename(conn: &mut Conn, by: Asking, id: RoomId, name: &str) -> Result<Done> {
    let mut room = take(conn, by, id, Verb::Rename)?;
    let invalid = |wrong| Error::Invalid(vec![wrong]);
    if room.kind == Kind::Group {
        GroupName::parse(name).map_err(invalid)?.as_str().clone_into(&mut room.name);
        diesel::update(rooms::table.find(id)).set(rooms::name.eq(&room.name)).execute(conn)?;
    } else {
        RoomName::parse(name).map_err(invalid)?.as_str().clone_into(&mut room.name);
        rename_channel(conn, id, &room.name)?;
    }
    changed(conn, by, room)
}

/// # Errors
/// `Conflict` when another channel has the name.
fn rename_channel(conn: &mut Conn, id: RoomId, name: &str) -> Result<()> {
    let key = text::fold(name);
    let other = rooms::table.filter(rooms::name_key.eq(&key).and(rooms::id.ne(id)));
    if diesel::select(diesel::dsl::exists(other)).get_result(conn)? {
        return Err(Error::conflict("name_taken", "That name is taken."));
    }
    let names = (rooms::name.eq(name), rooms::name_key.eq(key));
    diesel::update(rooms::table.find(id)).set(names).execute(conn)?;
    Ok(())
}

/// Says what a channel or group is about.
pub(super) fn set_topic(conn: &mut Conn, by: Asking, id: RoomId, topic: &str) -> Result<Done> {
    let mut room = take(conn, by, id, Verb::SetTopic)?;
    room.topic = room::parse_topic(topic).map_err(|wrong| Error::Invalid(vec![wrong]))?;
    diesel::update(rooms::table.find(id)).set(rooms::topic.eq(&room.topic)).execute(conn)?;
    changed(conn, by, room)
}

pub(super) fn changed(conn: &mut Conn, by: Asking, room: Room) -> Result<Done> {
    let view = seen(conn, by.id, room.clone())?;
    Ok((Outcome::Room(view), vec![Fact::RoomChanged(room)]))
}

/// Deletes a channel or group: it is gone for everybody at once, its messages a little later.
pub(super) fn delete(conn: &mut Conn, by: Asking, id: RoomId) -> Result<Done> {
    let mut room = take(conn, by, id, Verb::Delete)?;
    let mut facts = end(conn, id)?;
    room.members = 0;
    facts.extend(talk::follow_group(conn, id, None)?);
    Ok((Outcome::Room(RoomView::new(room, None)), facts))
}

/// Ends a room and all memberships of it.
pub(super) fn end(conn: &mut Conn, id: RoomId) -> Result<Vec<Fact>> {
    let members = membership::members(conn, id, UserId(0), i64::MAX)?;
    diesel::delete(memberships::table.filter(memberships::room_id.eq(id))).execute(conn)?;
    bury(conn, id)?;
    Ok(members.into_iter().map(|user| Fact::Left { user, room: id, members: 0 }).collect())
}

/// Takes a room out of everybody's sight and frees its name; `purge` removes what was said there.
fn bury(conn: &mut Conn, id: RoomId) -> Result<()> {
    diesel::update(rooms::table.find(id))
        .set((
            rooms::deleted_at.eq(now_ms()),
            rooms::name_key.eq(None::<String>),
            rooms::peers.eq(None::<String>),
            rooms::about_kind.eq(None::<String>),
            rooms::about_id.eq(None::<i64>),
            rooms::members.eq(0),
        ))
        .execute(conn)?;
    Ok(())
}

/// A person's groups by name, the one that was active last first among those that share a name.
pub fn of(conn: &mut Conn, user: UserId) -> Result<Vec<Room>> {
    Ok(memberships::table
        .inner_join(rooms::table)
        .filter(memberships::user_id.eq(user))
        .filter(rooms::kind.eq(Kind::Group.as_str()))
        .order((rooms::name.asc(), rooms::active_at.desc(), rooms::id.desc()))
        .select(Room::as_select())
        .load(conn)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_groups_name_is_visible_and_on_one_line() {
        assert_eq!(
            GroupName::parse(" Küche 3/4 — 猫 ").as_ref().map(GroupName::as_str),
            Ok("Küche 3/4 — 猫")
        );
        assert!(GroupName::parse(&"x".repeat(64)).is_ok());
        for bad in ["", " \u{200B} ", "a\nb", "a\u{202E}b", &"x".repeat(65)] {
            assert!(GroupName::parse(bad).is_err(), "{bad:?}");
        }
    }
}
