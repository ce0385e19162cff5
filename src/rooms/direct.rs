//! Private conversations: one room for each pair of people, found by both their ids.

use super::block;
use super::change::{Done, Fact, Outcome};
use super::membership;
use super::room::{self, Kind, NewRoom, Peer, Room, RoomView};
use crate::accounts::{Directory, Person};
use crate::db::Conn;
use crate::db::schema::messages::rooms;
use crate::error::{Error, Result};
use crate::ids::UserId;
use diesel::prelude::*;

/// A person as a change of rooms needs them, since names are in the other database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    pub id: UserId,
    pub username: String,
    pub name: String,
    pub guest: bool,
    /// Nobody begins to write to them without their private key.
    pub only_by_key: bool,
    /// Can't come in any more.
    pub disabled: bool,
}

impl From<&Person> for Party {
    fn from(person: &Person) -> Self {
        Self {
            id: person.id,
            username: person.username.clone(),
            name: person.display_name.clone(),
            guest: person.is_guest(),
            only_by_key: person.direct_only_by_key,
            disabled: person.disabled,
        }
    }
}

/// Two people as the room between them is found.
fn peers(one: UserId, other: UserId) -> String {
    format!("{}-{}", one.min(other), one.max(other))
}

/// The direct room of these two, if they have one.
pub fn find(conn: &mut Conn, one: UserId, other: UserId) -> Result<Option<Room>> {
    Ok(rooms::table
        .filter(rooms::peers.eq(peers(one, other)))
        .select(Room::as_select())
        .first(conn)
        .optional()?)
}

/// Whether `who` may make a room with `whom` in it.
///
/// # Errors
/// `Forbidden`, in words that don't tell why.
pub(super) fn may_reach(conn: &mut Conn, who: UserId, whom: &Party) -> Result<()> {
    if whom.disabled || block::is_blocked(conn, whom.id, who)? { Err(closed()) } else { Ok(()) }
}

/// Whether `who` may write in this direct room of theirs.
///
/// # Errors
/// `Forbidden`, in the same words, when the other one has blocked them.
pub(super) fn may_write(conn: &mut Conn, who: UserId, room: &Room) -> Result<()> {
    let Some((one, other)) = room.pair() else { return Ok(()) };
    let peer = if one == who { other } else { one };
    if block::is_blocked(conn, peer, who)? { Err(closed()) } else { Ok(()) }
}

/// One sentence for every reason: who is blocked mustn't learn of it.
fn closed() -> Error {
    Error::forbidden("closed", "You can't reach this person.")
}

/// The direct room of these two; made when they have none. A room that is there stays open to both.
pub(super) fn open(conn: &mut Conn, by: &Party, with: &Party, by_key: bool) -> Result<Done> {
    if let Some(room) = find(conn, by.id, with.id)? {
        return opened(conn, room, by, with, false);
    }
    may_reach(conn, by.id, with)?;
    if with.only_by_key && !by_key && by.id != with.id {
        return Err(closed());
    }
    let new =
        NewRoom { kind: Kind::Direct.as_str(), peers: Some(peers(by.id, with.id)), ..NewRoom::default() };
    let Some(mut room) = room::insert(conn, new)? else {
        let room = find(conn, by.id, with.id)?.ok_or_else(room::nowhere)?;
        return opened(conn, room, by, with, false);
    };
    membership::add(conn, by.id, &mut room)?;
    membership::add(conn, with.id, &mut room)?;
    opened(conn, room, by, with, true)
}

fn opened(conn: &mut Conn, room: Room, by: &Party, with: &Party, is_new: bool) -> Result<Done> {
    let mut facts = Vec::new();
    if is_new {
        facts.push(Fact::Joined { user: by.id, room: seen(room.clone(), Some(0), with), came: false });
        if by.id != with.id {
            facts.push(Fact::Joined { user: with.id, room: seen(room.clone(), Some(0), by), came: false });
        }
    }
    let mark = room::read_mark(conn, by.id, room.id)?;
    Ok((Outcome::Opened { room: seen(room, mark, with), is_new }, facts))
}

/// The room as the one sees it who talks with `peer` there.
fn seen(room: Room, mark: Option<i64>, peer: &Party) -> RoomView {
    let mut view = RoomView::new(room, mark);
    view.name.clone_from(&peer.name);
    view.peer = Some(Peer { id: peer.id, username: peer.username.clone(), guest: peer.guest });
    view
}

/// Names the other one in each direct room among `views`, which are as `user` sees them.
///
/// # Errors
/// When the people can't be read.
pub async fn introduce(directory: &Directory, user: UserId, views: &mut [RoomView]) -> Result<()> {
    let other = |view: &RoomView| view.pair.map(|(one, two)| if one == user { two } else { one });
    let ids: Vec<UserId> = views.iter().filter_map(other).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let people = directory.many(&ids).await?;
    for view in views {
        if let Some(person) = other(view).and_then(|id| people.get(&id)) {
            view.name.clone_from(&person.display_name);
            view.peer =
                Some(Peer { id: person.id, username: person.username.clone(), guest: person.is_guest() });
        }
    }
    Ok(())
}
