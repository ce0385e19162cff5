//! Where a worker's connections sit: who is in which room, who watches whom, and how each is told.

use super::classic::{Classic, Heard};
use super::others::Others;
use super::protocol::{self, Presence};
use super::shard::{Ears, PersonChanged};
use crate::accounts::Person;
use crate::ids::{Credential, RoomId, UserId};
use crate::rooms::Message as Stored;
use crate::site::lifeline::Rope;
use crate::site::socket::outbox::Outbox;
use actix::Addr;
use actix_http::ws::{CloseCode, OpCode};
use bytes::Bytes;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Silence after which the server asks whether anybody is there.
pub(super) const QUIET: Duration = Duration::from_mins(1);
/// Silence after which nobody is.
pub(super) const GONE: Duration = Duration::from_mins(2);

/// One connection as its worker knows it.
pub struct Seat {
    pub user: UserId,
    pub credential: Credential,
    pub outbox: Rc<Outbox>,
    pub rope: Rope,
    pub ears: Ears,
    pub(super) rooms: HashSet<RoomId>,
    pub(super) watching: Vec<UserId>,
    /// Joins (true) and leaves that were committed while the memberships were still being read.
    pub(super) meanwhile: Option<Vec<(RoomId, bool)>>,
    pub(super) last_heard: Instant,
    pub(super) asked: bool,
}

/// All connections of a worker, by number, by room and by person.
#[derive(Default)]
pub(super) struct Floor {
    pub(super) seats: HashMap<u64, Seat>,
    pub(super) rooms: HashMap<RoomId, HashMap<u64, Rc<Outbox>>>,
    /// Connections of the classic protocol, which get messages instead of frames.
    pub(super) classic: HashMap<RoomId, HashMap<u64, Addr<Classic>>>,
    pub(super) users: HashMap<UserId, Vec<u64>>,
    pub(super) watchers: HashMap<UserId, HashSet<u64>>,
    pub(super) next: u64,
    /// Connections of other features.
    pub(super) others: Others,
}

impl Floor {
    pub(super) fn subscribe(&mut self, key: u64, room: RoomId) {
        if let Some(seat) = self.seats.get_mut(&key)
            && seat.rooms.insert(room)
        {
            match &seat.ears {
                Ears::Current(_) => {
                    self.rooms.entry(room).or_default().insert(key, seat.outbox.clone());
                }
                Ears::Classic(connection) => {
                    self.classic.entry(room).or_default().insert(key, connection.clone());
                }
            }
        }
    }

    pub(super) fn unsubscribe(&mut self, key: u64, room: RoomId) {
        if let Some(seats) = self.rooms.get_mut(&room) {
            seats.remove(&key);
            if seats.is_empty() {
                self.rooms.remove(&room);
            }
        }
        if let Some(seats) = self.classic.get_mut(&room) {
            seats.remove(&key);
            if seats.is_empty() {
                self.classic.remove(&room);
            }
        }
    }

    pub(super) fn unwatch(&mut self, key: u64) {
        for user in
            self.seats.get_mut(&key).map(|seat| std::mem::take(&mut seat.watching)).unwrap_or_default()
        {
            if let Some(keys) = self.watchers.get_mut(&user) {
                keys.remove(&key);
                if keys.is_empty() {
                    self.watchers.remove(&user);
                }
            }
        }
    }

    /// The hot path: one cloned handle and one wake per member.
    pub(super) fn tell_room(&mut self, room: RoomId, frames: &Bytes, except: Option<UserId>) {
        let Some(members) = self.rooms.get(&room) else { return };
        let skipped =
            |key: &u64| except.is_some_and(|user| self.seats.get(key).is_some_and(|s| s.user == user));
        let full: Vec<u64> = members
            .iter()
            .filter(|(key, _)| !skipped(key))
            .filter_map(|(key, outbox)| outbox.push(frames.clone()).is_err().then_some(*key))
            .collect();
        self.cut(&full);
    }

    /// The same for all connections but one.
    pub(super) fn tell_others(&mut self, room: RoomId, frame: &Bytes, except: Option<u64>) {
        let Some(members) = self.rooms.get(&room) else { return };
        let others = members.iter().filter(|(key, _)| Some(**key) != except);
        let full: Vec<u64> =
            others.filter_map(|(key, outbox)| outbox.push(frame.clone()).is_err().then_some(*key)).collect();
        self.cut(&full);
    }

    pub(super) fn tell_classic(&self, room: RoomId, messages: &[Arc<Stored>]) {
        let Some(members) = self.classic.get(&room) else { return };
        let full = |connection: &Addr<Classic>| {
            messages.iter().any(|message| connection.try_send(Heard(message.clone())).is_err())
        };
        let full: Vec<u64> = members.iter().filter(|(_, c)| full(c)).map(|(key, _)| *key).collect();
        self.cut(&full);
    }

    /// A frame of the current protocol; nothing for a client of the other.
    pub(super) fn send(&mut self, key: u64, frame: &Bytes) {
        if let Some(seat) = self.seats.get(&key)
            && matches!(seat.ears, Ears::Current(_))
            && seat.outbox.push(frame.clone()).is_err()
        {
            seat.rope.cut();
        }
    }

    pub(super) fn tell_person(&mut self, user: UserId, frame: &Bytes, except: Option<u64>) {
        for key in self.users.get(&user).cloned().unwrap_or_default() {
            if Some(key) != except {
                self.send(key, frame);
            }
        }
    }

    pub(super) fn profile(&mut self, person: &Arc<Person>, frame: &Bytes) {
        let mut keys: HashSet<u64> = self.watchers.get(&person.id).cloned().unwrap_or_default();
        for key in self.users.get(&person.id).into_iter().flatten() {
            if let Some(seat) = self.seats.get(key) {
                match &seat.ears {
                    Ears::Current(connection) => connection.do_send(PersonChanged(person.clone())),
                    Ears::Classic(connection) => connection.do_send(PersonChanged(person.clone())),
                }
            }
            keys.insert(*key);
        }
        for key in keys {
            self.send(key, frame);
        }
    }

    pub(super) fn joined(&mut self, user: UserId, room: RoomId, frame: &Bytes) {
        for key in self.users.get(&user).cloned().unwrap_or_default() {
            if let Some(meanwhile) = self.seats.get_mut(&key).and_then(|s| s.meanwhile.as_mut()) {
                meanwhile.push((room, true));
            }
            self.subscribe(key, room);
            self.send(key, frame);
        }
    }

    pub(super) fn left(&mut self, user: UserId, room: RoomId, frame: &Bytes) {
        for key in self.users.get(&user).cloned().unwrap_or_default() {
            if let Some(seat) = self.seats.get_mut(&key) {
                seat.rooms.remove(&room);
                if let Some(meanwhile) = &mut seat.meanwhile {
                    meanwhile.push((room, false));
                }
            }
            self.unsubscribe(key, room);
            self.send(key, frame);
        }
    }

    pub(super) fn presence(&mut self, changed: &[(Presence, Arc<[RoomId]>)]) {
        let mut news: HashMap<u64, Vec<&Presence>> = HashMap::new();
        for (presence, rooms) in changed {
            let watchers = self.watchers.get(&presence.user).into_iter().flatten();
            // One's own browsers show it too, with or without a watch.
            let own = self.users.get(&presence.user).into_iter().flatten();
            let company = rooms.iter().filter_map(|room| self.rooms.get(room)).flat_map(HashMap::keys);
            let keys: HashSet<u64> = watchers.chain(own).chain(company).copied().collect();
            for key in keys {
                news.entry(key).or_default().push(presence);
            }
        }
        for (key, users) in news {
            self.send(key, &protocol::presence(&users));
        }
    }

    pub(super) fn end(&mut self, ended: &[Credential], frame: &Bytes) {
        for seat in self.seats.values().filter(|seat| ended.contains(&seat.credential)) {
            seat.outbox.close_with(frame.clone());
        }
        self.others.end(ended, frame);
    }

    /// Tells every client to come back in a moment of its own, and closes.
    pub(super) fn farewell(&mut self) {
        let count = (self.seats.len() + self.others.len()).max(1);
        let mut place = 0;
        // Spread evenly over a second instead of by chance: no two come back at once.
        let mut reconnect_in = || {
            place += 1;
            200 + 1000 * place / count
        };
        for seat in self.seats.values() {
            let notice = serde_json::json!({
                "type": "notice", "text": "The server is restarting.", "reconnect_in": reconnect_in(),
            });
            let is_classic = matches!(seat.ears, Ears::Classic(_));
            let mut frames = if is_classic { Vec::new() } else { protocol::frame(&notice).to_vec() };
            frames.extend_from_slice(&protocol::close_frame(CloseCode::Restart, "The server is restarting."));
            seat.outbox.close_with(frames.into());
        }
        self.others.farewell(reconnect_in);
    }

    pub(super) fn cut(&self, keys: &[u64]) {
        for seat in keys.iter().filter_map(|key| self.seats.get(key)) {
            seat.rope.cut();
        }
    }

    /// Ends those who don't read or don't answer, and asks the quiet ones.
    pub(super) fn look_after(&mut self) {
        let now = Instant::now();
        let ping = protocol::control_frame(OpCode::Ping, b"");
        let mut gone = Vec::new();
        for (key, seat) in &mut self.seats {
            let quiet = now.duration_since(seat.last_heard);
            if seat.outbox.is_stuck(now) || quiet > GONE {
                gone.push(*key);
            } else if quiet > QUIET && !seat.asked {
                seat.asked = true;
                if seat.outbox.push(ping.clone()).is_err() {
                    gone.push(*key);
                }
            }
        }
        self.cut(&gone);
        self.others.look_after(now);
    }
}
