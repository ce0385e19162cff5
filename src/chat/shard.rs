//! One worker's part of the chat: which of its connections are in which room, and their outboxes.
//!
//! [`Local`] lives on the worker's thread and is shared by its connections without locks; the [`Shard`] actor is how
//! the ChatServer reaches it, with one message per worker and batch.

use super::classic::{Classic, Heard};
use super::connection::Connection;
use super::outbox::Outbox;
use super::protocol::{self, Presence};
use super::server::{Delivery, Item};
use crate::accounts::Person;
use crate::ids::{Credential, RoomId, UserId};
use crate::rooms::{Message as Stored, RoomView};
use crate::site::lifeline::Rope;
use actix::{Actor, Addr, AsyncContext, Context, Handler, Message};
use actix_http::ws::{CloseCode, OpCode};
use bytes::Bytes;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often connections are looked after.
const TICK: Duration = Duration::from_secs(5);
/// Silence after which the server asks whether anybody is there.
const QUIET: Duration = Duration::from_mins(1);
/// Silence after which nobody is.
const GONE: Duration = Duration::from_mins(2);
/// People whom one connection may watch.
pub const WATCHED: usize = 100;

/// For a connection that asked to join: it reads the newest messages now, since it is subscribed.
#[derive(Message)]
#[rtype(result = "()")]
pub struct HasJoined {
    pub request: Option<u64>,
    pub room: RoomView,
}

/// For a connection: its person is called or coloured otherwise now.
#[derive(Message)]
#[rtype(result = "()")]
pub struct PersonChanged(pub Arc<Person>);

/// Whose seat it is, and so in which protocol its client is told.
pub enum Ears {
    Current(Addr<Connection>),
    Classic(Addr<Classic>),
}

/// One connection as its worker knows it.
pub struct Seat {
    pub user: UserId,
    pub credential: Credential,
    pub outbox: Rc<Outbox>,
    pub rope: Rope,
    pub ears: Ears,
    rooms: HashSet<RoomId>,
    watching: Vec<UserId>,
    /// Joins (true) and leaves that were committed while the memberships were still being read.
    meanwhile: Option<Vec<(RoomId, bool)>>,
    last_heard: Instant,
    asked: bool,
}

#[derive(Default)]
struct Floor {
    seats: HashMap<u64, Seat>,
    rooms: HashMap<RoomId, HashMap<u64, Rc<Outbox>>>,
    /// Connections of the classic protocol, which get messages instead of frames.
    classic: HashMap<RoomId, HashMap<u64, Addr<Classic>>>,
    users: HashMap<UserId, Vec<u64>>,
    watchers: HashMap<UserId, HashSet<u64>>,
    next: u64,
}

/// The worker's connections. Cheap to clone; every clone is the same floor.
#[derive(Clone)]
pub struct Local {
    /// The worker's number.
    pub worker: usize,
    floor: Rc<RefCell<Floor>>,
}

impl Local {
    pub fn new(worker: usize) -> Self {
        Self { worker, floor: Rc::default() }
    }

    /// Seats a connection, so that what concerns its person reaches it from now on. Answers with its number.
    pub fn seat(
        &self,
        (user, credential): (UserId, Credential),
        outbox: Rc<Outbox>,
        rope: Rope,
        ears: Ears,
    ) -> u64 {
        let mut floor = self.floor.borrow_mut();
        floor.next += 1;
        let key = floor.next;
        floor.users.entry(user).or_default().push(key);
        floor.seats.insert(
            key,
            Seat {
                user,
                credential,
                outbox,
                rope,
                ears,
                rooms: HashSet::new(),
                watching: Vec::new(),
                meanwhile: Some(Vec::new()),
                last_heard: Instant::now(),
                asked: false,
            },
        );
        key
    }

    /// Subscribes a connection to the rooms that its person had joined when they were read, corrected by what was
    /// committed since the seat was taken.
    pub fn subscribe_all(&self, key: u64, joined: Vec<RoomId>) {
        let mut floor = self.floor.borrow_mut();
        let Some(seat) = floor.seats.get_mut(&key) else { return };
        let mut rooms: HashSet<RoomId> = joined.into_iter().collect();
        for (room, is_member) in seat.meanwhile.take().unwrap_or_default() {
            if is_member {
                rooms.insert(room)
            } else {
                rooms.remove(&room)
            };
        }
        for room in rooms {
            floor.subscribe(key, room);
        }
    }

    /// Whether the connection is subscribed to the room. Good for early refusals only.
    pub fn is_in(&self, key: u64, room: RoomId) -> bool {
        self.floor.borrow().seats.get(&key).is_some_and(|seat| seat.rooms.contains(&room))
    }

    /// Replaces whom the connection watches.
    pub fn watch(&self, key: u64, users: Vec<UserId>) {
        let mut floor = self.floor.borrow_mut();
        floor.unwatch(key);
        for user in &users {
            floor.watchers.entry(*user).or_default().insert(key);
        }
        if let Some(seat) = floor.seats.get_mut(&key) {
            seat.watching = users;
        }
    }

    /// Something arrived from the client.
    pub fn heard(&self, key: u64) {
        if let Some(seat) = self.floor.borrow_mut().seats.get_mut(&key) {
            seat.last_heard = Instant::now();
            seat.asked = false;
        }
    }

    /// Forgets a connection.
    pub fn vacate(&self, key: u64) {
        let mut floor = self.floor.borrow_mut();
        floor.unwatch(key);
        let Some(seat) = floor.seats.remove(&key) else { return };
        for room in seat.rooms {
            floor.unsubscribe(key, room);
        }
        if let Some(keys) = floor.users.get_mut(&seat.user) {
            keys.retain(|k| *k != key);
            if keys.is_empty() {
                floor.users.remove(&seat.user);
            }
        }
    }

    fn deliver(&self, delivery: &Delivery) {
        let mut floor = self.floor.borrow_mut();
        for item in &delivery.items {
            match item {
                Item::Room { room, frames, messages } => {
                    floor.tell_room(*room, frames, None);
                    floor.tell_classic(*room, messages);
                }
                Item::Typing { room, user, frame } => floor.tell_room(*room, frame, Some(*user)),
                Item::Joined { user, room, frame } => floor.joined(*user, *room, frame),
                Item::Left { user, room, frame } => floor.left(*user, *room, frame),
                Item::Person { user, frame, except } => {
                    let except = except.filter(|(worker, _)| *worker == self.worker).map(|(_, key)| key);
                    floor.tell_person(*user, frame, except);
                }
                Item::Profile { person, frame } => floor.profile(person, frame),
                Item::Reply { origin, frame } if origin.worker == self.worker => {
                    floor.send(origin.connection, frame);
                }
                Item::HasJoined { origin, room } if origin.worker == self.worker => {
                    if let Some(Ears::Current(connection)) =
                        floor.seats.get(&origin.connection).map(|seat| &seat.ears)
                    {
                        connection.do_send(HasJoined { request: origin.request, room: room.clone() });
                    }
                }
                Item::Reply { .. } | Item::HasJoined { .. } => {}
                Item::Presence(changed) => floor.presence(changed),
                Item::End { ended, frame } => floor.end(ended, frame),
                Item::Farewell => floor.farewell(),
            }
        }
    }
}

impl Floor {
    fn subscribe(&mut self, key: u64, room: RoomId) {
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

    fn unsubscribe(&mut self, key: u64, room: RoomId) {
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

    fn unwatch(&mut self, key: u64) {
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
    fn tell_room(&mut self, room: RoomId, frames: &Bytes, except: Option<UserId>) {
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

    fn tell_classic(&self, room: RoomId, messages: &[Arc<Stored>]) {
        let Some(members) = self.classic.get(&room) else { return };
        let full = |connection: &Addr<Classic>| {
            messages.iter().any(|message| connection.try_send(Heard(message.clone())).is_err())
        };
        let full: Vec<u64> = members.iter().filter(|(_, c)| full(c)).map(|(key, _)| *key).collect();
        self.cut(&full);
    }

    /// A frame of the current protocol; nothing for a client of the other.
    fn send(&mut self, key: u64, frame: &Bytes) {
        if let Some(seat) = self.seats.get(&key)
            && matches!(seat.ears, Ears::Current(_))
            && seat.outbox.push(frame.clone()).is_err()
        {
            seat.rope.cut();
        }
    }

    fn tell_person(&mut self, user: UserId, frame: &Bytes, except: Option<u64>) {
        for key in self.users.get(&user).cloned().unwrap_or_default() {
            if Some(key) != except {
                self.send(key, frame);
            }
        }
    }

    fn profile(&mut self, person: &Arc<Person>, frame: &Bytes) {
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

    fn joined(&mut self, user: UserId, room: RoomId, frame: &Bytes) {
        for key in self.users.get(&user).cloned().unwrap_or_default() {
            if let Some(meanwhile) = self.seats.get_mut(&key).and_then(|s| s.meanwhile.as_mut()) {
                meanwhile.push((room, true));
            }
            self.subscribe(key, room);
            self.send(key, frame);
        }
    }

    fn left(&mut self, user: UserId, room: RoomId, frame: &Bytes) {
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

    fn presence(&mut self, changed: &[(Presence, Arc<[RoomId]>)]) {
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

    fn end(&mut self, ended: &[Credential], frame: &Bytes) {
        for seat in self.seats.values().filter(|seat| ended.contains(&seat.credential)) {
            seat.outbox.close_with(frame.clone());
        }
    }

    /// Tells every client to come back in a moment of its own, and closes.
    fn farewell(&mut self) {
        let count = self.seats.len().max(1);
        for (place, seat) in self.seats.values().enumerate() {
            // Spread evenly over a second instead of by chance: no two come back at once.
            let reconnect_in = 200 + 1000 * place / count;
            let notice = serde_json::json!({
                "type": "notice", "text": "The server is restarting.", "reconnect_in": reconnect_in,
            });
            let is_classic = matches!(seat.ears, Ears::Classic(_));
            let mut frames = if is_classic { Vec::new() } else { protocol::frame(&notice).to_vec() };
            frames.extend_from_slice(&protocol::close_frame(CloseCode::Restart, "The server is restarting."));
            seat.outbox.close_with(frames.into());
        }
    }

    fn cut(&self, keys: &[u64]) {
        for seat in keys.iter().filter_map(|key| self.seats.get(key)) {
            seat.rope.cut();
        }
    }

    /// Ends those who don't read or don't answer, and asks the quiet ones.
    fn look_after(&mut self) {
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
    }
}

/// The worker's actor: receives what the ChatServer sends to this worker.
pub struct Shard(pub Local);

impl Actor for Shard {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.run_interval(TICK, |shard, _| shard.0.floor.borrow_mut().look_after());
    }
}

/// One batch of things for this worker's connections.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Deliver(pub Arc<Delivery>);

impl Handler<Deliver> for Shard {
    type Result = ();

    fn handle(&mut self, Deliver(delivery): Deliver, _: &mut Self::Context) {
        self.0.deliver(&delivery);
    }
}
