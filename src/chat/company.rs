//! Who is told of whose presence without asking: direct partners, and the members of groups that aren't large.
//!
//! It is kept by room, not by pairs of people, so that a storm of sign-ins costs one entry for each person and room.

use crate::ids::{RoomId, UserId};
use crate::rooms::{Kind, RoomView};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Members above which a group's people aren't told of each other.
pub const GROUP_MEMBERS: i64 = 200;

/// One person who is here.
#[derive(Debug, Default)]
struct Known {
    rooms: HashSet<RoomId>,
    /// Joins (true) and leaves that were committed while the rooms were still being read; `None` once they are known.
    meanwhile: Option<Vec<(RoomId, bool)>>,
}

/// The rooms that make company, with those of their members who are here.
#[derive(Debug, Default)]
pub struct Company {
    people: HashMap<UserId, Known>,
    rooms: HashMap<RoomId, HashSet<UserId>>,
}

/// Whether this room's members are told of each other.
fn makes_company(room: &RoomView) -> bool {
    match room.kind {
        Kind::Direct => true,
        Kind::Group => room.members <= GROUP_MEMBERS,
        Kind::Board | Kind::Channel | Kind::Talk => false,
    }
}

impl Company {
    /// Somebody has come in; their rooms are being read.
    pub fn expect(&mut self, user: UserId) {
        self.people
            .entry(user)
            .or_insert_with(|| Known { rooms: HashSet::new(), meanwhile: Some(Vec::new()) });
    }

    /// The rooms of somebody who has come in were read; `true` when they weren't known before.
    pub fn meet(&mut self, user: UserId, rooms: Vec<RoomId>) -> bool {
        let Some(known) = self.people.get_mut(&user) else { return false };
        let Some(meanwhile) = known.meanwhile.take() else { return false };
        known.rooms = rooms.into_iter().collect();
        for (room, is_member) in meanwhile {
            if is_member {
                known.rooms.insert(room)
            } else {
                known.rooms.remove(&room)
            };
        }
        for room in &known.rooms {
            self.rooms.entry(*room).or_default().insert(user);
        }
        true
    }

    /// Somebody has joined a room; `true` when it makes company and they are here.
    pub fn joined(&mut self, user: UserId, room: &RoomView) -> bool {
        if !makes_company(room) {
            if room.kind == Kind::Group {
                self.dissolve(room.id);
            }
            return false;
        }
        let Some(known) = self.people.get_mut(&user) else { return false };
        if let Some(meanwhile) = &mut known.meanwhile {
            meanwhile.push((room.id, true));
            return false;
        }
        known.rooms.insert(room.id);
        self.rooms.entry(room.id).or_default().insert(user);
        true
    }

    /// Somebody has left a room.
    pub fn left(&mut self, user: UserId, room: RoomId) {
        let Some(known) = self.people.get_mut(&user) else { return };
        if let Some(meanwhile) = &mut known.meanwhile {
            meanwhile.push((room, false));
        }
        if known.rooms.remove(&room) {
            self.part(user, room);
        }
    }

    /// Somebody has gone.
    pub fn forget(&mut self, user: UserId) {
        for room in self.people.remove(&user).map(|known| known.rooms).unwrap_or_default() {
            self.part(user, room);
        }
    }

    /// The rooms in which this person's presence is told.
    pub fn rooms_of(&self, user: UserId) -> Arc<[RoomId]> {
        self.people.get(&user).map(|known| known.rooms.iter().copied().collect()).unwrap_or_default()
    }

    /// Those who are here in the rooms of `user`, without them, ascending.
    pub fn around(&self, user: UserId) -> Vec<UserId> {
        let rooms = self.people.get(&user).map(|known| &known.rooms);
        let members = rooms.into_iter().flatten().filter_map(|room| self.rooms.get(room)).flatten();
        let mut found: Vec<UserId> =
            members.copied().filter(|other| *other != user).collect::<HashSet<_>>().into_iter().collect();
        found.sort_unstable();
        found
    }

    /// Those who are here in one room, without `user`.
    pub fn inside(&self, room: RoomId, user: UserId) -> Vec<UserId> {
        self.rooms.get(&room).into_iter().flatten().copied().filter(|other| *other != user).collect()
    }

    fn part(&mut self, user: UserId, room: RoomId) {
        if let Some(members) = self.rooms.get_mut(&room) {
            members.remove(&user);
            if members.is_empty() {
                self.rooms.remove(&room);
            }
        }
    }

    /// A group has become too large.
    fn dissolve(&mut self, room: RoomId) {
        for user in self.rooms.remove(&room).unwrap_or_default() {
            if let Some(known) = self.people.get_mut(&user) {
                known.rooms.remove(&room);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(id: i64, members: i64) -> RoomView {
        RoomView { id: RoomId(id), kind: Kind::Group, members, ..RoomView::for_tests() }
    }

    #[test]
    fn what_is_committed_while_rooms_are_read_is_not_lost() {
        let (mut company, ann, ben) = (Company::default(), UserId(1), UserId(2));
        company.expect(ben);
        assert!(company.meet(ben, vec![RoomId(5), RoomId(6)]));
        company.expect(ann);
        assert!(!company.joined(ann, &group(6, 2)));
        company.left(ann, RoomId(5));
        assert!(company.meet(ann, vec![RoomId(5)]));
        assert_eq!(company.rooms_of(ann)[..], [RoomId(6)]);
        assert_eq!((company.around(ann), company.inside(RoomId(5), ann)), (vec![ben], vec![ben]));
        assert!(!company.meet(ann, vec![RoomId(9)]), "a second window brings nothing new");
        company.forget(ben);
        assert!(company.around(ann).is_empty());
    }

    #[test]
    fn a_group_that_grows_large_makes_no_company_any_more() {
        let (mut company, ann, ben) = (Company::default(), UserId(1), UserId(2));
        for user in [ann, ben] {
            company.expect(user);
            company.meet(user, Vec::new());
            assert!(company.joined(user, &group(5, GROUP_MEMBERS)));
        }
        assert_eq!(company.around(ann), [ben]);
        assert!(!company.joined(UserId(3), &group(5, GROUP_MEMBERS + 1)));
        assert!(company.around(ann).is_empty() && company.rooms_of(ben).is_empty());
    }
}
