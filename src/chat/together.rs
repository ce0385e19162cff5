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
    /// By connection, in the order in which they came.
    watchers: Vec<(Connection, Watcher)>,
}

/// All that is being watched together.
#[derive(Debug, Default)]
pub struct Shows(HashMap<RoomId, Show>);

impl Shows {
    pub fn told(&self, room: RoomId) -> Told {
        let Some(show) = self.0.get(&room) else { return Told { room, ..Told::default() } };
        let mut people: Vec<Watcher> = Vec::new();
        for (_, watcher) in &show.watchers {
            if !people.iter().any(|other| other.user == watcher.user) {
                people.push(watcher.clone());
            }
        }
        let watching = people.len();
        people.truncate(NAMES);
        Told { room, watching, people, state: Some(show.state.clone()) }
    }

    /// Somebody watches from now on. Answers with whether that began it, with what their own player does.
    fn join(
        &mut self,
        (room, item): (RoomId, i64),
        connection: Connection,
        watcher: Watcher,
        start: Start,
        now: i64,
    ) -> bool {
        let begins = !self.0.contains_key(&room);
        let Start { playing, position, rate } = start;
        let by = watcher.user;
        let show = self.0.entry(room).or_insert_with(|| Show {
            state: State { item, playing, position, rate, at: now, by, version: now },
            watchers: Vec::new(),
        });
        show.watchers.retain(|(known, _)| *known != connection);
        show.watchers.push((connection, watcher));
        begins
    }

    /// Moves everybody.
    ///
    /// # Errors
    /// `Forbidden` for one who doesn't watch; `Conflict` for one who hasn't seen the newest state, whose move would undo
    /// another's.
    fn change(&mut self, room: RoomId, connection: Connection, wanted: Move, now: i64) -> Result<()> {
        let show = self.0.get_mut(&room);
        let show = show.filter(|show| show.watchers.iter().any(|(known, _)| *known == connection));
        let Some(show) = show else {
            return Err(Error::forbidden("not_watching", "You aren't watching together here."));
        };
        if wanted.version < show.state.version {
            return Err(Error::conflict("outdated", "Somebody else was quicker."));
        }
        let by = show.watchers.iter().find(|(known, _)| *known == connection).map(|(_, who)| who.user);
        let state = &mut show.state;
        state.position = wanted.position.unwrap_or_else(|| state.position_at(now));
        state.at = now;
        state.playing = wanted.playing.unwrap_or(state.playing);
        state.rate = wanted.rate.unwrap_or(state.rate);
        state.by = by.unwrap_or(state.by);
        state.version += 1;
        Ok(())
    }

    /// Ends the watching of those who fit; `true` when there were any.
    fn remove(&mut self, room: RoomId, fits: impl Fn(&Connection, &Watcher) -> bool) -> bool {
        let Some(show) = self.0.get_mut(&room) else { return false };
        let before = show.watchers.len();
        show.watchers.retain(|(connection, watcher)| !fits(connection, watcher));
        let is_changed = show.watchers.len() < before;
        if show.watchers.is_empty() {
            self.0.remove(&room);
        }
        is_changed
    }

    /// A connection has ended, or watches something else now. Answers with the rooms that it watched in.
    pub fn depart(&mut self, connection: Connection) -> Vec<RoomId> {
        let rooms: Vec<RoomId> = self.0.keys().copied().collect();
        rooms.into_iter().filter(|room| self.remove(*room, |known, _| *known == connection)).collect()
    }

    /// Somebody isn't in the room any more; `true` when they watched there.
    pub fn left(&mut self, user: UserId, room: RoomId) -> bool {
        self.remove(room, |_, watcher| watcher.user == user)
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
        let (mut begun, mut changed) = (false, vec![room]);
        match wish {
            Wish::Look => changed.clear(),
            Wish::Join { item, watcher, start } => {
                changed.extend(self.shows.depart(connection).into_iter().filter(|other| *other != room));
                begun = self.shows.join((room, item), connection, watcher, start, now);
            }
            Wish::Move(wanted) => {
                if let Err(error) = self.shows.change(room, connection, wanted, now) {
                    return MessageResult(Err(error));
                }
            }
            Wish::Leave => {
                if !self.shows.remove(room, |known, _| *known == connection) {
                    changed.clear();
                }
            }
        }
        for room in changed {
            self.tell_together(room);
        }
        MessageResult(Ok(Answer { told: self.shows.told(room), begun }))
    }
}

impl ChatServer {
    /// Tells a room's members who watches there, and what.
    pub(super) fn tell_together(&self, room: RoomId) {
        let frames = frame(&self.shows.told(room));
        self.deliver_one(Item::Room { room, frames, messages: Vec::new() });
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
        assert!(shows.join((ROOM, 7), ANN, who(1), start(10_000), 1000));
        assert!(!shows.join((ROOM, 7), BOB, who(2), start(0), 3000));
        let told = shows.told(ROOM);
        assert_eq!((told.watching, state(&shows).position_at(3000)), (2, 12_000));
        // The same connection again, after it asked to be back.
        assert!(!shows.join((ROOM, 7), BOB, who(2), start(0), 3000));
        assert_eq!(shows.told(ROOM).watching, 2);
        assert!(shows.left(UserId(2), ROOM) && !shows.left(UserId(2), ROOM));
        assert_eq!(shows.depart(ANN), [ROOM]);
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
        let late = shows.change(ROOM, BOB, seek(9000), 1101);
        assert_eq!(late.map_err(|error| error.code()), Err("outdated"));
        assert_eq!(state(&shows).position, 50_000);
        let strange = shows.change(ROOM, (0, 9), seek(1), 1102);
        assert_eq!(strange.map_err(|error| error.code()), Err("not_watching"));
    }
}
