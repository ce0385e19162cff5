//! Every change to rooms and messages as a unit of work for the write door, and what leaves it after the commit.

use super::amend::{self, Amend};
use super::direct::{self, Party};
use super::group::{self, GroupName};
use super::membership::{self, Asking, Verb};
use super::message::Message;
use super::post::{self, Post, Posted, Stored};
use super::preview::{self, Linked, Showing};
use super::room::{self, Kind, NewRoom, Room, RoomName, RoomView};
use super::saying::{self, Saying};
use super::slow;
use super::takedown;
use super::talk;
use super::unread;
use crate::db::schema::messages::rooms;
use crate::db::{Conn, Database, Run, Task, Work, savepoint};
use crate::error::{Error, Result};
use crate::ids::{RoomId, UserId};
use crate::text;
use diesel::prelude::*;
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::oneshot;

/// A live connection's request: where the reply goes and under which number. The chat floor gives it its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    pub worker: usize,
    pub connection: u64,
    /// The client's own number for the request.
    pub request: Option<u64>,
}

/// Who is told what became of a change.
#[derive(Debug)]
pub enum Asker {
    Nobody,
    /// A page or an API call.
    Call(oneshot::Sender<Result<Outcome>>),
    /// A WebSocket: its reply travels with the batch, so that it can't overtake or be overtaken.
    Connection(Origin),
}

/// Which room: by its number, or a channel by its name.
#[derive(Clone, Debug)]
pub enum Target {
    Id(RoomId),
    Channel(String),
}

/// What somebody wants changed.
pub enum Request {
    Post(Post),
    Amend(Amend),
    Join {
        user: UserId,
        target: Target,
    },
    Leave {
        user: UserId,
        target: Target,
    },
    CreateChannel {
        owner: UserId,
        name: RoomName,
        topic: String,
    },
    CreateGroup {
        owner: UserId,
        name: GroupName,
        topic: String,
        members: Vec<Party>,
    },
    Invite {
        by: Asking,
        room: RoomId,
        user: Party,
    },
    Kick {
        by: Asking,
        room: RoomId,
        user: Party,
    },
    /// The name is checked when the kind of the room is known.
    Rename {
        by: Asking,
        room: RoomId,
        name: String,
    },
    SetTopic {
        by: Asking,
        room: RoomId,
        topic: String,
    },
    DeleteRoom {
        by: Asking,
        room: RoomId,
    },
    OpenDirect {
        by: Party,
        with: Party,
        by_key: bool,
    },
    /// Seconds between two messages of one person.
    SetSlow {
        by: Asking,
        room: RoomId,
        seconds: i32,
    },
    /// The next part of a takedown.
    TakeDown(i64),
    Talk(talk::Deed),
    Say(Saying),
    Show(Box<Showing>),
    StoreReadMarks(unread::Batch),
    Task(Task),
}

/// How a change went.
#[derive(Clone, Debug)]
pub enum Outcome {
    Posted(Posted),
    /// The message as it is now, changed or not.
    Amended(Arc<Message>),
    /// The asker is a member of this room now; a socket's reply to it brings the newest messages too.
    Joined(RoomView),
    /// The room after a leave or a creation, as the asker sees it.
    Room(RoomView),
    /// The direct room with somebody, made just now or long ago.
    Opened {
        room: RoomView,
        is_new: bool,
    },
    Stored,
}

/// What is true now that it is committed.
#[derive(Clone, Debug)]
pub enum Fact {
    /// A message is new or changed.
    Message(Arc<Message>),
    /// It leads to a page, and shows nothing of that page so far.
    Linked(Linked),
    /// The person is a member of this room, which is as they see it.
    Joined {
        user: UserId,
        room: RoomView,
        /// They weren't one before, and others were: news for those.
        came: bool,
    },
    Left {
        user: UserId,
        room: RoomId,
        /// How many are left.
        members: i64,
    },
    /// A room is called otherwise, is about something else, or has another owner.
    RoomChanged(Room),
}

/// A whole batch after its commit, in order.
#[derive(Debug, Default)]
pub struct Committed {
    pub facts: Vec<Fact>,
    /// Replies to live connections.
    pub replies: Vec<(Origin, Result<Outcome>)>,
}

/// A unit of work for the messages database: a request, who asked, and what came of it until the commit.
pub struct Change {
    pub(super) request: Request,
    pub(super) asker: Asker,
    pub(super) done: Option<(Result<Outcome>, Vec<Fact>)>,
}

impl Change {
    pub fn new(request: Request, asker: Asker) -> Self {
        Self { request, asker, done: None }
    }
}

impl Database<Change> {
    /// Submits a request and waits for its commit.
    ///
    /// # Errors
    /// What the request is refused with; `Busy` when the queue is full or the server stops.
    pub async fn carry_out(&self, request: Request) -> Result<Outcome> {
        let (asker, answer) = oneshot::channel();
        self.submit(Change::new(request, Asker::Call(asker)))?;
        answer.await.map_err(|_| Error::Busy("The server is stopping. Nothing was stored."))?
    }
}

impl From<Task> for Change {
    fn from(task: Task) -> Self {
        Self::new(Request::Task(task), Asker::Nobody)
    }
}

impl Work for Change {
    fn apply(batch: &mut [Self], conn: &mut Conn, run: Run) -> QueryResult<()> {
        lock_ahead(conn, batch)?;
        let mut rest = batch;
        while let Some(first) = rest.first_mut() {
            let mut taken = 1;
            match &mut first.request {
                Request::Post(_) => taken = apply_posts(conn, rest, run)?,
                Request::Task(task) => task.run(conn)?,
                Request::StoreReadMarks(marks) => {
                    marks.store(conn)?;
                    first.done = Some((Ok(Outcome::Stored), Vec::new()));
                }
                request => first.done = Some(finish(savepoint(conn, |c| one(c, request))?)),
            }
            rest = &mut rest[taken..];
        }
        Ok(())
    }
}

/// Locks the rooms of a batch that posts and changes messages in turns, in ascending order: two nodes that took them
/// as they come could each hold what the other waits for. SQLite's transaction has the whole file.
fn lock_ahead(conn: &mut Conn, batch: &[Change]) -> QueryResult<()> {
    let Conn::Postgres(conn) = conn else { return Ok(()) };
    let room = |change: &Change| match &change.request {
        Request::Post(post) => Some((post.room, false)),
        Request::Amend(amend) => Some((amend.room, true)),
        _ => None,
    };
    let rooms: BTreeSet<(RoomId, bool)> = batch.iter().filter_map(room).collect();
    if rooms.len() < 2 || rooms.iter().all(|(_, amends)| !amends) {
        return Ok(());
    }
    rooms::table
        .filter(rooms::id.eq_any(rooms.into_iter().map(|(id, _)| id)))
        .order(rooms::id.asc())
        .select(rooms::id)
        .for_update()
        .load::<RoomId>(conn)
        .map(drop)
}

/// What came of one request, and what is true then.
pub(super) type Done = (Outcome, Vec<Fact>);

fn finish(result: Result<Done>) -> (Result<Outcome>, Vec<Fact>) {
    match result {
        Ok((outcome, facts)) => (Ok(outcome), facts),
        Err(error) => (Err(error), Vec::new()),
    }
}

/// A request that is applied by itself, in a savepoint of its own.
fn one(conn: &mut Conn, request: &Request) -> Result<Done> {
    match request {
        Request::Join { user, target } => join(conn, *user, target),
        Request::Leave { user, target } => leave(conn, *user, target),
        Request::CreateChannel { owner, name, topic } => create_channel(conn, *owner, name, topic),
        Request::CreateGroup { owner, name, topic, members } => {
            group::create(conn, *owner, name, topic, members)
        }
        Request::Invite { by, room, user } => group::invite(conn, *by, *room, user),
        Request::Kick { by, room, user } => group::kick(conn, *by, *room, user),
        Request::Rename { by, room, name } => group::rename(conn, *by, *room, name),
        Request::SetTopic { by, room, topic } => group::set_topic(conn, *by, *room, topic),
        Request::SetSlow { by, room, seconds } => slow::set(conn, *by, *room, *seconds),
        Request::TakeDown(id) => takedown::piece(conn, *id),
        Request::DeleteRoom { by, room } => group::delete(conn, *by, *room),
        Request::OpenDirect { by, with, by_key } => direct::open(conn, by, with, *by_key),
        Request::Talk(deed) => talk::apply(conn, deed),
        Request::Say(saying) => saying::apply(conn, saying),
        Request::Show(showing) => preview::apply(conn, showing),
        Request::Amend(amend) => {
            let (message, is_changed) = amend::apply(conn, amend)?;
            let message = Arc::new(message);
            let leads = amend.leads(&message).filter(|_| is_changed);
            let is_news = is_changed.then(|| Fact::Message(message.clone()));
            let facts = is_news.into_iter().chain(leads).collect();
            Ok((Outcome::Amended(message), facts))
        }
        // These three don't come here: they are applied in another way.
        Request::Post(_) | Request::Task(_) | Request::StoreReadMarks(_) => Ok((Outcome::Stored, Vec::new())),
    }
}

/// Applies the posts at the head of `units` together; returns how many there were.
fn apply_posts(conn: &mut Conn, units: &mut [Change], run: Run) -> QueryResult<usize> {
    let posts: Vec<&Post> = units
        .iter()
        .map_while(|u| if let Request::Post(post) = &u.request { Some(post) } else { None })
        .collect();
    let count = posts.len();
    let outcomes = post::apply(conn, &posts, run)?;
    for (unit, outcome) in units.iter_mut().zip(outcomes) {
        let Request::Post(post) = &unit.request else { continue };
        unit.done = Some(match outcome {
            Stored::New(message) => {
                let posted = Posted { seq: message.seq, rev: message.rev, at: message.at };
                let leads = Linked::of(&message, post.words.link.as_ref());
                let facts = std::iter::once(Fact::Message(Arc::from(message))).chain(leads).collect();
                (Ok(Outcome::Posted(posted)), facts)
            }
            Stored::Again(posted) => (Ok(Outcome::Posted(posted)), Vec::new()),
            Stored::Refused(error) => (Err(error), Vec::new()),
        });
    }
    Ok(count)
}

fn find(conn: &mut Conn, target: &Target) -> Result<Room> {
    match target {
        Target::Id(id) => room::find(conn, *id),
        Target::Channel(name) => room::find_channel(conn, name),
    }
}

fn join(conn: &mut Conn, user: UserId, target: &Target) -> Result<Done> {
    let mut room = find(conn, target)?;
    membership::may(conn, user, &room, Verb::Join)?;
    let came = room.kind != Kind::Board && membership::add(conn, user, &mut room)?;
    let mark = room::read_mark(conn, user, room.id)?;
    let view = RoomView::new(room, mark);
    // Told even when nothing changed: a connection that asks to join is subscribed by this fact.
    Ok((Outcome::Joined(view.clone()), vec![Fact::Joined { user, room: view, came }]))
}

fn leave(conn: &mut Conn, user: UserId, target: &Target) -> Result<Done> {
    let mut room = find(conn, target)?;
    membership::may(conn, user, &room, Verb::Leave)?;
    if room.kind == Kind::Group {
        return group::leave(conn, user, room.id);
    }
    let id = room.id;
    let was_member = membership::remove(conn, user, &mut room)?;
    let left = Fact::Left { user, room: id, members: room.members };
    Ok((Outcome::Room(RoomView::new(room, None)), was_member.then_some(left).into_iter().collect()))
}

fn create_channel(conn: &mut Conn, owner: UserId, name: &RoomName, topic: &str) -> Result<Done> {
    let new = NewRoom {
        kind: Kind::Channel.as_str(),
        name: name.as_str(),
        name_key: Some(text::fold(name.as_str())),
        topic,
        owner_id: Some(owner),
        ..NewRoom::default()
    };
    let made = room::insert(conn, new)?;
    let mut room = made.ok_or_else(|| Error::conflict("name_taken", "That name is taken."))?;
    membership::add(conn, owner, &mut room)?;
    let view = RoomView::new(room, Some(0));
    Ok((Outcome::Room(view.clone()), vec![Fact::Joined { user: owner, room: view, came: false }]))
}
