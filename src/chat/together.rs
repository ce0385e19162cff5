//! Watching together: for each talk one state of playing that everybody follows who watches there.
//!
//! The server holds the state and nothing else: which moment of the item, at which moment of its clock, how fast. It ends
//! with the last one who watches, and with the server; the first to come back begins it again from what they have.

use super::protocol;
use super::server::{ChatServer, Item};
use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::ids::{RoomId, UserId};
use actix::{Context, Handler, Message, MessageResult};
use bytes::Bytes;
use serde::Serialize;
use std::collections::HashMap;
use std::time::Instant;

/// Names in one frame; more are counted.
const NAMES: usize = 20;

/// A connection by its worker and number.
type Connection = (usize, u64);

/// Which moment is playing.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct State {
    /// The item of the library.
    pub item: i64,
    pub playing: bool,
    /// Where it was at `at`, ms from the beginning.
    pub position: i64,
    /// 1 for as fast as it was recorded.
    pub rate: f64,
    /// The server's clock, ms.
    pub at: i64,
    /// Who moved it last.
    pub by: UserId,
    /// Grows with every move, and over restarts too, since it begins with the clock.
    pub version: i64,
}

impl State {
    /// The position at `now`, ms both.
    fn position_at(&self, now: i64) -> i64 {
        if !self.playing {
            return self.position;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "days in ms")]
        let gone = ((now - self.at).max(0) as f64 * self.rate) as i64;
        self.position.saturating_add(gone)
    }
}

/// What somebody's player does, for a state that begins with it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Start {
    pub playing: bool,
    pub position: i64,
    pub rate: f64,
}

/// What is to be another than before.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Move {
    /// The version that whoever moves has seen.
    pub version: i64,
    pub playing: Option<bool>,
    pub position: Option<i64>,
    pub rate: Option<f64>,
}

/// Somebody who watches, as the others see them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Watcher {
    pub user: UserId,
    pub name: String,
}

/// What is told of a talk's watching: in replies, and to its members whenever something changes.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Told {
    pub room: RoomId,
    /// How many people watch.
    pub watching: usize,
    /// The first of them.
    pub people: Vec<Watcher>,
    /// Nothing when nobody watches.
    pub state: Option<State>,
}

#[derive(Debug)]
struct Show {
    state: State,
    /// In the order in which they came, each with how many connections they watch by.
    people: Vec<(Watcher, usize)>,
}

/// All that is being watched together.
#[derive(Debug, Default)]
pub struct Shows {
    rooms: HashMap<RoomId, Show>,
    /// Where each connection watches; in one room at a time.
    places: HashMap<Connection, (RoomId, UserId)>,
}

impl Shows {
    pub fn told(&self, room: RoomId) -> Told {
        let Some(show) = self.rooms.get(&room) else { return Told { room, ..Told::default() } };
        let people = show.people.iter().take(NAMES).map(|(watcher, _)| watcher.clone()).collect();
        Told { room, watching: show.people.len(), people, state: Some(show.state.clone()) }
    }

    /// Somebody watches from now on, and nowhere else by this connection. Answers with the other room where they did,
    /// and with whether that began it here, with what their own player does.
    fn join(
        &mut self,
        (room, item): (RoomId, i64),
        connection: Connection,
        watcher: Watcher,
        start: Start,
        now: i64,
    ) -> (Option<RoomId>, bool) {
        let place = (room, watcher.user);
        if self.places.get(&connection) == Some(&place) {
            return (None, false);
        }
        let before = self.depart(connection);
        self.places.insert(connection, place);
        let begins = !self.rooms.contains_key(&room);
        let Start { playing, position, rate } = start;
        let by = watcher.user;
        let show = self.rooms.entry(room).or_insert_with(|| Show {
            state: State { item, playing, position, rate, at: now, by, version: now },
            people: Vec::new(),
        });
        match show.people.iter_mut().find(|(known, _)| known.user == by) {
            Some((_, connections)) => *connections += 1,
            None => show.people.push((watcher, 1)),
        }
        (before, begins)
    }

    /// Moves everybody.
    ///
    /// # Errors
    /// `Forbidden` for one who doesn't watch; `Conflict` for one who hasn't seen the newest state, whose move would undo
    /// another's.
    fn change(&mut self, room: RoomId, connection: Connection, wanted: Move, now: i64) -> Result<()> {
        let place = self.places.get(&connection).filter(|(place, _)| *place == room);
        let (Some((_, by)), Some(show)) = (place, self.rooms.get_mut(&room)) else {
            return Err(Error::forbidden("not_watching", "You aren't watching together here."));
        };
        let state = &mut show.state;
        if wanted.version != state.version {
            return Err(Error::conflict("outdated", "Somebody else was quicker."));
        }
        state.position = wanted.position.unwrap_or_else(|| state.position_at(now));
        state.at = now;
        state.playing = wanted.playing.unwrap_or(state.playing);
        state.rate = wanted.rate.unwrap_or(state.rate);
        state.by = *by;
        state.version += 1;
        Ok(())
    }

    /// A connection has ended, or watches no more. Answers with the room that it watched in.
    pub fn depart(&mut self, connection: Connection) -> Option<RoomId> {
        let (room, user) = self.places.remove(&connection)?;
        let show = self.rooms.get_mut(&room)?;
        if let Some(index) = show.people.iter().position(|(watcher, _)| watcher.user == user) {
            show.people[index].1 -= 1;
            if show.people[index].1 == 0 {
                show.people.remove(index);
            }
        }
        if show.people.is_empty() {
            self.rooms.remove(&room);
        }
        Some(room)
    }

    /// The same, if it watched in this room.
    fn leave(&mut self, connection: Connection, room: RoomId) -> Option<RoomId> {
        let is_here = self.places.get(&connection).is_some_and(|(place, _)| *place == room);
        if is_here { self.depart(connection) } else { None }
    }

    /// Somebody isn't in the room any more; `true` when they watched there.
    pub fn left(&mut self, user: UserId, room: RoomId) -> bool {
        if !self.rooms.contains_key(&room) {
            return false;
        }
        let theirs: Vec<Connection> =
            self.places.iter().filter(|(_, place)| **place == (room, user)).map(|(key, _)| *key).collect();
        theirs.into_iter().filter_map(|connection| self.depart(connection)).count() > 0
    }
}

/// What a connection wants. That it may has been found out before.
#[derive(Clone, Debug)]
pub enum Wish {
    Look,
    Join { item: i64, watcher: Watcher, start: Start },
    Move(Move),
    Leave,
}

/// A reply: what is told, and whether it was begun by this very wish.
#[derive(Debug, Serialize)]
pub struct Answer {
    #[serde(flatten)]
    pub told: Told,
    pub begun: bool,
}

/// A connection's wish in one room.
#[derive(Message)]
#[rtype(result = "Result<Answer>")]
pub struct Together {
    pub room: RoomId,
    pub connection: Connection,
    pub wish: Wish,
}

impl Handler<Together> for ChatServer {
    type Result = MessageResult<Together>;

    fn handle(&mut self, asked: Together, _: &mut Context<Self>) -> Self::Result {
        let Together { room, connection, wish } = asked;
        let now = now_ms();
        let mut begun = false;
        let changed = match wish {
            Wish::Look => Vec::new(),
            Wish::Join { item, watcher, start } => {
                let (before, begins) = self.shows.join((room, item), connection, watcher, start, now);
                begun = begins;
                before.into_iter().chain([room]).collect()
            }
            Wish::Move(wanted) => {
                if let Err(error) = self.shows.change(room, connection, wanted, now) {
                    return MessageResult(Err(error));
                }
                self.pace.told(room, Instant::now());
                self.tell_together(room, Some(connection));
                Vec::new()
            }
            Wish::Leave => self.shows.leave(connection, room).into_iter().collect(),
        };
        for room in changed {
            self.watchers_changed(room, Some(connection));
        }
        MessageResult(Ok(Answer { told: self.shows.told(room), begun }))
    }
}

impl ChatServer {
    /// Others have begun to watch or have stopped. A crowd that comes at once costs each member a frame a second.
    pub(super) fn watchers_changed(&mut self, room: RoomId, except: Option<Connection>) {
        if self.pace.changed(room, Instant::now()) {
            self.tell_together(room, except);
        }
    }

    /// Tells of those who came and went within the last second.
    pub(super) fn tell_watchers(&mut self) {
        for room in self.pace.due(Instant::now()) {
            self.tell_together(room, None);
        }
    }

    /// Tells a room's members who watches there, and what; not whoever is told by a reply.
    fn tell_together(&self, room: RoomId, except: Option<Connection>) {
        self.deliver_one(Item::Together { room, frame: frame(&self.shows.told(room)), except });
    }
}

fn frame(told: &Told) -> Bytes {
    #[derive(Serialize)]
    #[serde(tag = "type", rename = "together")]
    struct Frame<'a> {
        #[serde(flatten)]
        told: &'a Told,
    }
    protocol::frame(&Frame { told })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: RoomId = RoomId(5);
    const ANN: Connection = (0, 1);
    const BOB: Connection = (1, 1);

    fn who(user: i64) -> Watcher {
        Watcher { user: UserId(user), name: format!("p{user}") }
    }

    fn start(position: i64) -> Start {
        Start { playing: true, position, rate: 1.0 }
    }

    fn state(shows: &Shows) -> State {
        shows.told(ROOM).state.unwrap()
    }

    #[test]
    fn the_first_begins_it_and_the_second_follows() {
        let mut shows = Shows::default();
        assert_eq!(shows.join((ROOM, 7), ANN, who(1), start(10_000), 1000), (None, true));
        // The same connection again, after it asked to be back.
        assert_eq!(shows.join((ROOM, 7), ANN, who(1), start(0), 2000), (None, false));
        assert_eq!(shows.join((ROOM, 7), BOB, who(2), start(0), 3000), (None, false));
        let told = shows.told(ROOM);
        assert_eq!((told.watching, state(&shows).position_at(3000)), (2, 12_000));
        // In a second window Bob is still one.
        shows.join((ROOM, 7), (1, 2), who(2), start(0), 3000);
        assert_eq!(shows.told(ROOM).watching, 2);
        assert!(shows.left(UserId(2), ROOM) && !shows.left(UserId(2), ROOM));
        // Elsewhere Ann isn't here any more.
        assert_eq!(shows.join((RoomId(6), 8), ANN, who(1), start(0), 4000), (Some(ROOM), true));
        assert_eq!((shows.leave(ANN, ROOM), shows.depart(ANN)), (None, Some(RoomId(6))));
        assert!(shows.rooms.is_empty() && shows.places.is_empty());
        assert_eq!(shows.told(ROOM), Told { room: ROOM, ..Told::default() });
    }

    #[test]
    fn a_move_changes_what_it_names_and_keeps_the_moment() {
        let mut shows = Shows::default();
        shows.join((ROOM, 7), ANN, who(1), start(0), 1000);
        let version = state(&shows).version;
        let wanted = Move { version, rate: Some(2.0), ..Move::default() };
        shows.change(ROOM, ANN, wanted, 2000).unwrap();
        let faster = state(&shows);
        assert_eq!((faster.position, faster.position_at(3000), faster.playing), (1000, 3000, true));
        let wanted = Move { version: faster.version, playing: Some(false), ..Move::default() };
        shows.change(ROOM, ANN, wanted, 2500).unwrap();
        let still = state(&shows);
        assert_eq!((still.position, still.position_at(99_000)), (2000, 2000));
        assert_eq!(still.version, version + 2);
    }

    #[test]
    fn an_old_move_and_a_strangers_move_are_refused() {
        let mut shows = Shows::default();
        shows.join((ROOM, 7), ANN, who(1), start(0), 1000);
        shows.join((ROOM, 7), BOB, who(2), start(0), 1000);
        let version = state(&shows).version;
        let seek = |position| Move { version, position: Some(position), ..Move::default() };
        shows.change(ROOM, ANN, seek(50_000), 1100).unwrap();
        for unseen in [version, i64::MAX] {
            let late = shows.change(ROOM, BOB, Move { version: unseen, ..seek(9000) }, 1101);
            assert_eq!(late.map_err(|error| error.code()), Err("outdated"));
        }
        assert_eq!(state(&shows).position, 50_000);
        let strange = shows.change(ROOM, (0, 9), seek(1), 1102);
        assert_eq!(strange.map_err(|error| error.code()), Err("not_watching"));
    }
}
