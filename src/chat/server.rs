//! The ChatServer: every connection is registered with it, every committed change passes through it.
//!
//! It encodes each message once and hands the batch to the workers' shards, which know the outboxes. It holds no
//! message: what it knows can be lost at any moment and is read from the database again.

use super::company::Company;
use super::crowd::{Crowds, News};
use super::pace::Pace;
use super::presence::Presence;
use super::protocol;
use super::shard::{Deliver, Shard};
use super::together::Shows;
use crate::accounts::Person;
use crate::ids::{Credential, RoomId, UserId};
use crate::rooms::{Committed, Fact, Message as Stored, Origin, Outcome, RoomView};
use actix::{Actor, Addr, AsyncContext, Context, Handler, Message};
use bytes::{Bytes, BytesMut};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::OwnedSemaphorePermit;

/// How often changes of presence are told: a storm of sign-ins costs one message per worker.
const PRESENCE_EVERY: Duration = Duration::from_secs(1);

/// What the shards of all workers are to do, in order.
#[derive(Debug, Default)]
pub struct Delivery {
    pub items: Vec<Item>,
    /// Held until every worker has delivered: the writer waits when too many batches are on their way.
    _permit: Option<OwnedSemaphorePermit>,
}

/// One thing to do; frames are encoded already.
#[derive(Debug)]
pub enum Item {
    /// Frames for all connections in a room; the messages among them for those of another protocol.
    Room {
        room: RoomId,
        frames: Bytes,
        messages: Vec<Arc<Stored>>,
    },
    /// The person's connections are in the room from here on.
    Joined {
        user: UserId,
        room: RoomId,
        frame: Bytes,
    },
    /// And from here on they are not.
    Left {
        user: UserId,
        room: RoomId,
        frame: Bytes,
    },
    /// For a person's connections, except the one (worker, number) it came from.
    Person {
        user: UserId,
        frame: Bytes,
        except: Option<(usize, u64)>,
    },
    /// For a person's own connections and for those who watch the person.
    Profile {
        person: Arc<Person>,
        frame: Bytes,
    },
    /// For the others in a room.
    Typing {
        room: RoomId,
        user: UserId,
        frame: Bytes,
    },
    Reply {
        origin: Origin,
        frame: Bytes,
    },
    HasJoined {
        origin: Origin,
        room: RoomView,
    },
    /// Frames for all connections in a room but the one that is told otherwise.
    Together {
        room: RoomId,
        frame: Bytes,
        except: Option<(usize, u64)>,
    },
    /// For those who watch each person, and for the others in the rooms beside them.
    Presence(Vec<(protocol::Presence, Arc<[RoomId]>)>),
    End {
        ended: Vec<Credential>,
        frame: Bytes,
    },
    Farewell,
}

/// The actor. Runs on the main thread's arbiter.
pub struct ChatServer {
    shards: Vec<Addr<Shard>>,
    /// By (worker, number): whose connection it is.
    connections: HashMap<(usize, u64), UserId>,
    presence: Presence,
    /// Whose presence has changed since it was last told.
    changed: HashSet<UserId>,
    company: Company,
    /// Who has come and gone since a room's members were last told.
    crowds: Crowds,
    pub(super) shows: Shows,
    /// When the members of a room were told who watches there.
    pub(super) pace: Pace,
}

impl ChatServer {
    pub fn new(presence: Presence) -> Self {
        Self {
            shards: Vec::new(),
            connections: HashMap::new(),
            presence,
            changed: HashSet::new(),
            company: Company::default(),
            crowds: Crowds::default(),
            shows: Shows::default(),
            pace: Pace::default(),
        }
    }

    fn deliver(&self, delivery: Delivery) {
        let delivery = Arc::new(delivery);
        for shard in &self.shards {
            shard.do_send(Deliver(delivery.clone()));
        }
    }

    pub(super) fn deliver_one(&self, item: Item) {
        self.deliver(Delivery { items: vec![item], _permit: None });
    }

    fn tell_presence(&mut self) {
        if self.changed.is_empty() {
            return;
        }
        let users: Vec<UserId> = self.changed.drain().collect();
        let now = self.presence.of(&users);
        let told = now.into_iter().map(|presence| {
            let rooms = self.company.rooms_of(presence.user);
            (presence, rooms)
        });
        let told: Vec<_> = told.collect();
        for (presence, _) in told.iter().filter(|(presence, _)| presence.state == "offline") {
            self.company.forget(presence.user);
        }
        self.deliver_one(Item::Presence(told));
    }
}

impl Actor for ChatServer {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.run_interval(PRESENCE_EVERY, |server, _| {
            server.tell_presence();
            server.tell_watchers();
        });
    }
}

/// A worker has started.
#[derive(Message)]
#[rtype(result = "()")]
pub struct AddShard(pub Addr<Shard>);

impl Handler<AddShard> for ChatServer {
    type Result = ();

    fn handle(&mut self, AddShard(shard): AddShard, _: &mut Self::Context) {
        self.shards.push(shard);
    }
}

/// A connection registers.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Arrive {
    pub connection: (usize, u64),
    pub user: UserId,
    pub state: &'static str,
    pub text: String,
}

impl Handler<Arrive> for ChatServer {
    type Result = ();

    fn handle(&mut self, arrive: Arrive, _: &mut Self::Context) {
        self.connections.insert(arrive.connection, arrive.user);
        self.company.expect(arrive.user);
        if self.presence.arrive(arrive.user, arrive.state, &arrive.text) {
            self.changed.insert(arrive.user);
        }
    }
}

/// The rooms of somebody who has come in, as [`room::company`](crate::rooms::room::company) read them after the
/// connection was registered. Answers with those who are here in them.
#[derive(Message)]
#[rtype(result = "Vec<UserId>")]
pub struct Meet {
    pub user: UserId,
    pub rooms: Vec<RoomId>,
}

impl Handler<Meet> for ChatServer {
    type Result = Vec<UserId>;

    fn handle(&mut self, Meet { user, rooms }: Meet, _: &mut Self::Context) -> Self::Result {
        if self.company.meet(user, rooms) {
            self.changed.insert(user);
        }
        self.company.around(user)
    }
}

/// A connection has ended.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Depart(pub (usize, u64));

impl Handler<Depart> for ChatServer {
    type Result = ();

    fn handle(&mut self, Depart(connection): Depart, _: &mut Self::Context) {
        if let Some(room) = self.shows.depart(connection) {
            self.watchers_changed(room, None);
        }
        if let Some(user) = self.connections.remove(&connection)
            && self.presence.depart(user)
        {
            self.changed.insert(user);
        }
    }
}

/// Somebody has set their status.
#[derive(Message)]
#[rtype(result = "()")]
pub struct SetStatus {
    pub user: UserId,
    pub state: &'static str,
    pub text: String,
}

impl Handler<SetStatus> for ChatServer {
    type Result = ();

    fn handle(&mut self, status: SetStatus, _: &mut Self::Context) {
        if self.presence.set(status.user, status.state, &status.text) {
            self.changed.insert(status.user);
        }
    }
}

/// Something that the shards should do now.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Tell(pub Item);

impl Handler<Tell> for ChatServer {
    type Result = ();

    fn handle(&mut self, Tell(item): Tell, _: &mut Self::Context) {
        self.deliver_one(item);
    }
}

/// How many connections and people are here.
#[derive(Message)]
#[rtype(result = "(usize, usize)")]
pub struct Count;

impl Handler<Count> for ChatServer {
    type Result = actix::MessageResult<Count>;

    fn handle(&mut self, Count: Count, _: &mut Self::Context) -> Self::Result {
        actix::MessageResult((self.connections.len(), self.presence.count()))
    }
}

/// A batch that the write door has committed.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Publish {
    pub committed: Committed,
    pub permit: Option<OwnedSemaphorePermit>,
}

impl Handler<Publish> for ChatServer {
    type Result = ();

    fn handle(&mut self, Publish { committed, permit }: Publish, _: &mut Self::Context) {
        let mut met = Vec::new();
        for fact in &committed.facts {
            match fact {
                Fact::Joined { user, room, came } => {
                    if *came {
                        self.crowds.came(room.id, room.members, *user);
                    }
                    if self.company.joined(*user, room) {
                        self.changed.insert(*user);
                        met.push((*user, room.id));
                    }
                }
                Fact::Left { user, room, members } => {
                    self.crowds.went(*room, *members, *user);
                    self.company.left(*user, *room);
                    if self.shows.left(*user, *room) {
                        self.watchers_changed(*room, None);
                    }
                }
                Fact::Message(_) | Fact::Linked(_) | Fact::RoomChanged(_) => {}
            }
        }
        let mut items = items(committed);
        items.extend(met.into_iter().map(|(user, room)| {
            let users = self.presence.of(&self.company.inside(room, user));
            Item::Person { user, frame: protocol::presence(&users), except: None }
        }));
        self.deliver(Delivery { items, _permit: permit });
    }
}

/// Takes what the members of rooms are to be told by now.
#[derive(Message)]
#[rtype(result = "Vec<News>")]
pub struct TakeNews;

impl Handler<TakeNews> for ChatServer {
    type Result = Vec<News>;

    fn handle(&mut self, TakeNews: TakeNews, _: &mut Self::Context) -> Self::Result {
        self.crowds.due(Instant::now())
    }
}

/// Turns a committed batch into things to do. Messages of one room become one buffer, but never across a join or
/// leave, so that losing a room stays ordered with its messages.
fn items(committed: Committed) -> Vec<Item> {
    let mut items = Vec::with_capacity(committed.facts.len() + committed.replies.len());
    let mut rooms: Vec<(RoomId, BytesMut, Vec<Arc<Stored>>)> = Vec::new();
    let mut places: HashMap<RoomId, usize> = HashMap::new();
    let flush = |rooms: &mut Vec<(RoomId, BytesMut, Vec<Arc<Stored>>)>,
                 places: &mut HashMap<RoomId, usize>,
                 items: &mut Vec<Item>| {
        items.extend(rooms.drain(..).map(|(room, bytes, messages)| Item::Room {
            room,
            frames: bytes.freeze(),
            messages,
        }));
        places.clear();
    };
    for fact in committed.facts {
        match fact {
            Fact::Message(message) => {
                let place = *places.entry(message.room).or_insert_with(|| {
                    rooms.push((message.room, BytesMut::new(), Vec::new()));
                    rooms.len() - 1
                });
                protocol::put_frame(&mut rooms[place].1, message.as_ref());
                rooms[place].2.push(message);
            }
            // Whoever looks at pages is told of it elsewhere.
            Fact::Linked(_) => {}
            Fact::Joined { user, room, .. } => {
                flush(&mut rooms, &mut places, &mut items);
                let frame = protocol::frame(&protocol::RoomEvent { room: &room });
                items.push(Item::Joined { user, room: room.id, frame });
            }
            Fact::RoomChanged(room) => {
                flush(&mut rooms, &mut places, &mut items);
                items.push(Item::Room {
                    room: room.id,
                    frames: protocol::room_changed(&room),
                    messages: Vec::new(),
                });
            }
            Fact::Left { user, room, .. } => {
                flush(&mut rooms, &mut places, &mut items);
                items.push(Item::Left { user, room, frame: protocol::room_gone(room) });
            }
        }
    }
    flush(&mut rooms, &mut places, &mut items);
    items.extend(committed.replies.into_iter().map(|(origin, result)| match result {
        Ok(Outcome::Joined(room)) => Item::HasJoined { origin, room },
        other => Item::Reply { origin, frame: protocol::outcome(origin.request, &other) },
    }));
    items
}
