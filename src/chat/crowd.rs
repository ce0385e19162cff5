//! Who has come into a room and who has gone, gathered until its members are told.
//!
//! A join would cost a frame to every member, and a storm of joins the square of it. So what happens is gathered: a room
//! tells its members at most once a second, a large one every five seconds and without names.

use super::protocol;
use crate::accounts::Person;
use crate::ids::{RoomId, UserId};
use bytes::Bytes;
use serde::Serialize;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Members above which comings and goings aren't told by name, as typing isn't: nobody follows them there.
pub const NAMED_MEMBERS: i64 = 200;
/// Names in one frame: more at once is a crowd, and the list of members says who they are.
const NAMES: usize = 20;
/// A second less a little, so that a tick that comes early by a hair doesn't skip a turn.
const EVERY: Duration = Duration::from_millis(900);
/// Thousands of connections are told then; a count that is five seconds old is good enough for as many.
const LARGE_EVERY: Duration = Duration::from_millis(4900);

/// What is to be told in one room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    pub room: RoomId,
    pub members: i64,
    /// The first of those who came, none in a large room.
    pub came: Vec<UserId>,
    pub went: Vec<UserId>,
}

/// One room between two tellings.
#[derive(Debug)]
struct Crowd {
    members: i64,
    came: Vec<UserId>,
    went: Vec<UserId>,
    has_news: bool,
    told: Option<Instant>,
}

/// The rooms that something has happened in.
#[derive(Debug, Default)]
pub struct Crowds(HashMap<RoomId, Crowd>);

impl Crowds {
    /// Somebody has joined; `members` counts them.
    pub fn came(&mut self, room: RoomId, members: i64, user: UserId) {
        let crowd = self.changed(room, members);
        // In and out within a second is no news, and neither is out and in.
        if !take(&mut crowd.went, user) && crowd.came.len() < NAMES && !crowd.came.contains(&user) {
            crowd.came.push(user);
        }
    }

    /// Somebody has left; `members` doesn't count them any more.
    pub fn went(&mut self, room: RoomId, members: i64, user: UserId) {
        let crowd = self.changed(room, members);
        if !take(&mut crowd.came, user) && crowd.went.len() < NAMES && !crowd.went.contains(&user) {
            crowd.went.push(user);
        }
    }

    fn changed(&mut self, room: RoomId, members: i64) -> &mut Crowd {
        let crowd = self.0.entry(room).or_insert(Crowd {
            members,
            came: Vec::new(),
            went: Vec::new(),
            has_news: true,
            told: None,
        });
        crowd.members = members;
        crowd.has_news = true;
        crowd
    }

    /// What is to be told by `now`; a room that has been quiet for long enough is forgotten.
    pub fn due(&mut self, now: Instant) -> Vec<News> {
        let mut news = Vec::new();
        self.0.retain(|room, crowd| {
            let is_large = crowd.members > NAMED_MEMBERS;
            let pause = if is_large { LARGE_EVERY } else { EVERY };
            if crowd.told.is_some_and(|told| now.duration_since(told) < pause) {
                return true;
            }
            if !crowd.has_news {
                return false;
            }
            let (came, went) = (std::mem::take(&mut crowd.came), std::mem::take(&mut crowd.went));
            let named = |people: Vec<UserId>| if is_large { Vec::new() } else { people };
            news.push(News { room: *room, members: crowd.members, came: named(came), went: named(went) });
            crowd.has_news = false;
            crowd.told = Some(now);
            true
        });
        news
    }
}

/// Takes `user` out of the list; `false` when they weren't in it.
fn take(people: &mut Vec<UserId>, user: UserId) -> bool {
    let before = people.len();
    people.retain(|other| *other != user);
    people.len() < before
}

/// A `room` event that is laid over what a member has: it says only what is new.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename = "room")]
struct CrowdEvent<'a> {
    room: Count,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    came: Vec<Newcomer<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    went: &'a [UserId],
}

#[derive(Debug, Serialize)]
struct Count {
    id: RoomId,
    members: i64,
}

#[derive(Debug, Serialize)]
struct Newcomer<'a> {
    user: UserId,
    username: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    guest: bool,
}

impl News {
    /// The frame for the room's members; `people` has the names.
    pub fn frame(&self, people: &HashMap<UserId, Arc<Person>>) -> Bytes {
        fn newcomer(person: &Arc<Person>) -> Newcomer<'_> {
            Newcomer {
                user: person.id,
                username: &person.username,
                name: &person.display_name,
                guest: person.is_guest(),
            }
        }
        protocol::frame(&CrowdEvent {
            room: Count { id: self.room, members: self.members },
            came: self.came.iter().filter_map(|id| people.get(id)).map(newcomer).collect(),
            went: &self.went,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: RoomId = RoomId(2);

    #[test]
    fn a_room_is_told_once_a_second_by_name_and_the_count_is_the_last_one() {
        let (mut crowds, start) = (Crowds::default(), Instant::now());
        crowds.came(ROOM, 2, UserId(2));
        crowds.came(ROOM, 3, UserId(3));
        crowds.went(ROOM, 2, UserId(1));
        let news = News { room: ROOM, members: 2, came: vec![UserId(2), UserId(3)], went: vec![UserId(1)] };
        assert_eq!(crowds.due(start), [news]);
        crowds.came(ROOM, 3, UserId(4));
        assert_eq!(crowds.due(start + Duration::from_millis(500)), []);
        let told = crowds.due(start + Duration::from_secs(1));
        assert_eq!((told[0].members, &told[0].came[..]), (3, &[UserId(4)][..]));
        assert_eq!(crowds.due(start + Duration::from_secs(2)), []);
        assert!(crowds.0.is_empty(), "a quiet room is forgotten");
    }

    #[test]
    fn who_comes_and_goes_within_a_second_is_only_counted() {
        let (mut crowds, start) = (Crowds::default(), Instant::now());
        crowds.came(ROOM, 3, UserId(3));
        crowds.went(ROOM, 2, UserId(3));
        assert_eq!(crowds.due(start), [News { room: ROOM, members: 2, came: vec![], went: vec![] }]);
    }

    #[test]
    fn a_storm_of_joins_is_a_handful_of_frames_without_names() {
        let (mut crowds, start) = (Crowds::default(), Instant::now());
        let mut told = Vec::new();
        for number in 1..=5000_i64 {
            crowds.came(ROOM, number, UserId(number));
            // A hundred joins a second, and a look every second.
            if number % 100 == 0 {
                let seconds = u64::try_from(number / 100).unwrap_or_default();
                told.extend(crowds.due(start + Duration::from_secs(seconds)));
            }
        }
        // Two while the room was small, then one every five seconds of the fifty.
        assert!(told.len() <= 12, "{} frames", told.len());
        assert!(told.iter().all(|news| news.came.len() <= NAMES));
        assert!(told.iter().filter(|news| news.members > NAMED_MEMBERS).all(|news| news.came.is_empty()));
        told.extend(crowds.due(start + Duration::from_mins(2)));
        assert_eq!(told.last().map(|news| news.members), Some(5000));
    }
}
