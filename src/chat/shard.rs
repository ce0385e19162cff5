//! One worker's part of the chat: which of its connections are in which room, and their outboxes.
//!
//! [`Local`] lives on the worker's thread and is shared by its connections without locks; the [`Shard`] actor is how
//! the ChatServer reaches it, with one message per worker and batch.

use super::classic::Classic;
use super::connection::Connection;
use super::floor::{Floor, Seat};
use super::server::{Delivery, Item};
use crate::accounts::Person;
use crate::ids::{Credential, RoomId, UserId};
use crate::rooms::RoomView;
use crate::site::lifeline::Rope;
use crate::site::socket::outbox::Outbox;
use actix::{Actor, Addr, AsyncContext, Context, Handler, Message};
use std::cell::{RefCell, RefMut};
use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often connections are looked after.
const TICK: Duration = Duration::from_secs(5);
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

    pub(super) fn floor(&self) -> RefMut<'_, Floor> {
        self.floor.borrow_mut()
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
                Item::Together { room, frame, except } => {
                    let except = except.filter(|(worker, _)| *worker == self.worker).map(|(_, key)| key);
                    floor.tell_others(*room, frame, except);
                }
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
