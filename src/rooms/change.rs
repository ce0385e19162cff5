//! Every change to rooms and messages as a unit of work for the write door, and what leaves it after the commit.

use super::Db;
use super::membership::{self, Verb};
use super::message::{Message, Nonce};
use super::post::{self, Post, Posted, Stored};
use super::room::{self, Kind, Room, RoomName, RoomView};
use super::unread::{self, ReadMarks};
use crate::clock::now_ms;
use crate::config::Config;
use crate::db::schema::messages::{rooms, server};
use crate::db::{Conn, Database, Failed, Task, Which, Work, savepoint};
use crate::error::{Error, Result};
use crate::ids::{RoomId, UserId};
use crate::{on_conn, text};
use diesel::prelude::*;
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
    Join { user: UserId, target: Target },
    Leave { user: UserId, target: Target },
    CreateChannel { owner: UserId, name: RoomName, topic: String },
    StoreReadMarks(unread::Batch),
    Task(Task),
}

/// How a change went.
#[derive(Clone, Debug)]
pub enum Outcome {
    Posted(Posted),
    /// The asker is a member of this room now; a socket's reply to it brings the newest messages too.
    Joined(RoomView),
    /// The room after a leave or a creation, as the asker sees it.
    Room(RoomView),
    Stored,
}

/// What is true now that it is committed.
#[derive(Clone, Debug)]
pub enum Fact {
    /// A message is new or changed.
    Message(Arc<Message>),
    /// The person is a member of this room, which is as they see it.
    Joined {
        user: UserId,
        room: RoomView,
    },
    Left {
        user: UserId,
        room: RoomId,
    },
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
    request: Request,
    asker: Asker,
    done: Option<(Result<Outcome>, Option<Fact>)>,
}

impl Change {
    pub fn new(request: Request, asker: Asker) -> Self {
        Self { request, asker, done: None }
    }
}

impl From<Task> for Change {
    fn from(task: Task) -> Self {
        Self::new(Request::Task(task), Asker::Nobody)
    }
}

impl Work for Change {
    fn apply(batch: &mut [Self], conn: &mut Conn) -> QueryResult<()> {
        let mut rest = batch;
        while let Some(first) = rest.first_mut() {
            let mut taken = 1;
            match &mut first.request {
                Request::Post(_) => taken = apply_posts(conn, rest)?,
                Request::Task(task) => task.run(conn)?,
                Request::StoreReadMarks(marks) => {
                    marks.store(conn)?;
                    first.done = Some((Ok(Outcome::Stored), None));
                }
                Request::Join { user, target } => {
                    first.done = Some(finish(savepoint(conn, |c| join(c, *user, target))?));
                }
                Request::Leave { user, target } => {
                    first.done = Some(finish(savepoint(conn, |c| leave(c, *user, target))?));
                }
                Request::CreateChannel { owner, name, topic } => {
                    first.done = Some(finish(savepoint(conn, |c| create_channel(c, *owner, name, topic))?));
                }
            }
            rest = &mut rest[taken..];
        }
        Ok(())
    }
}

type Done = (Outcome, Option<Fact>);

fn finish(result: Result<Done>) -> (Result<Outcome>, Option<Fact>) {
    match result {
        Ok((outcome, fact)) => (Ok(outcome), fact),
        Err(error) => (Err(error), None),
    }
}

/// Applies the posts at the head of `units` together; returns how many there were.
fn apply_posts(conn: &mut Conn, units: &mut [Change]) -> QueryResult<usize> {
    let run: Vec<&Post> = units
        .iter()
        .map_while(|u| if let Request::Post(post) = &u.request { Some(post) } else { None })
        .collect();
    let count = run.len();
    let outcomes = post::apply(conn, &run)?;
    for (unit, outcome) in units.iter_mut().zip(outcomes) {
        unit.done = Some(match outcome {
            Stored::New(message) => {
                let posted = Posted { seq: message.seq, rev: message.rev, at: message.at };
                (Ok(Outcome::Posted(posted)), Some(Fact::Message(Arc::new(message))))
            }
            Stored::Again(posted) => (Ok(Outcome::Posted(posted)), None),
            Stored::Refused(error) => (Err(error), None),
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
    if room.kind != Kind::Board {
        membership::add(conn, user, &mut room)?;
    }
    let mark = room::read_mark(conn, user, room.id)?;
    let view = RoomView::new(room, mark);
    // Told even when nothing changed: a connection that asks to join is subscribed by this fact.
    Ok((Outcome::Joined(view.clone()), Some(Fact::Joined { user, room: view })))
}

fn leave(conn: &mut Conn, user: UserId, target: &Target) -> Result<Done> {
    let mut room = find(conn, target)?;
    membership::may(conn, user, &room, Verb::Leave)?;
    let id = room.id;
    let was_member = membership::remove(conn, user, &mut room)?;
    Ok((Outcome::Room(RoomView::new(room, None)), was_member.then_some(Fact::Left { user, room: id })))
}

fn create_channel(conn: &mut Conn, owner: UserId, name: &RoomName, topic: &str) -> Result<Done> {
    let now = now_ms();
    let row = (
        rooms::kind.eq(Kind::Channel.as_str()),
        rooms::name.eq(name.as_str()),
        rooms::name_key.eq(text::fold(name.as_str())),
        rooms::topic.eq(topic),
        rooms::owner_id.eq(owner),
        rooms::created_at.eq(now),
        rooms::active_at.eq(now),
    );
    // "Do nothing" instead of an error: another node may have taken the name in the same moment.
    let made: Option<RoomId> = on_conn!(conn, c => diesel::insert_into(rooms::table)
        .values(row)
        .on_conflict_do_nothing()
        .returning(rooms::id)
        .get_result(c)
        .optional())?;
    let id = made.ok_or_else(|| Error::conflict("name_taken", "That name is taken."))?;
    let mut room = room::find(conn, id)?;
    membership::add(conn, owner, &mut room)?;
    let view = RoomView::new(room, Some(0));
    Ok((Outcome::Room(view.clone()), Some(Fact::Joined { user: owner, room: view })))
}

/// The rooms floor as the features above reach it: the messages database and the read marks.
#[derive(Clone)]
pub struct Rooms {
    pub db: Db,
    pub marks: ReadMarks,
}

impl Rooms {
    /// Opens the messages database. `publish` is called after every commit, before any page or API call of the batch
    /// is answered, on the writer's thread.
    ///
    /// # Errors
    /// A sentence that names the database and what it said.
    pub fn open(
        config: &Config,
        mut publish: impl FnMut(Committed) + Send + 'static,
    ) -> Result<Self, String> {
        let marks = ReadMarks::default();
        let settled = marks.clone();
        let db = Database::open(Which::Messages, &config.messages_url(), move |batch, outcome| {
            settle(batch, &outcome, &settled, &mut publish);
        })?;
        Ok(Self { db, marks })
    }

    /// Submits a change and waits for its commit.
    pub async fn change(&self, request: Request) -> Result<Outcome> {
        let (asker, answer) = oneshot::channel();
        self.db.submit(Change::new(request, Asker::Call(asker)))?;
        answer.await.map_err(|_| Error::Busy("The server is stopping. Nothing was stored."))?
    }

    /// Stores a message and answers after the commit.
    pub async fn post(&self, post: Post) -> Result<Posted> {
        match self.change(Request::Post(post)).await? {
            Outcome::Posted(posted) => Ok(posted),
            other => Err(unexpected(&other)),
        }
    }

    /// Submits a change that ends with a room: join, leave, create.
    pub async fn change_room(&self, request: Request) -> Result<RoomView> {
        match self.change(request).await? {
            Outcome::Room(room) | Outcome::Joined(room) => Ok(room),
            other => Err(unexpected(&other)),
        }
    }

    /// Moves a person's read mark, forward only unless `back`. Answers with where it stands if that moved it.
    ///
    /// # Errors
    /// `NotFound` for a room that one may not read, `Forbidden` for one that one has not joined.
    pub async fn mark_read(&self, user: UserId, id: RoomId, seq: i64, back: bool) -> Result<Option<i64>> {
        let view = self
            .db
            .snapshot(move |conn| {
                let room = room::find(conn, id)?;
                membership::may(conn, user, &room, Verb::Post)?;
                let mark = room::read_mark(conn, user, id)?;
                Ok(RoomView::new(room, mark))
            })
            .await?;
        let mut now = [view];
        self.marks.overlay(user, &mut now);
        let seq = seq.clamp(0, now[0].last_seq);
        let moves = if back { seq != now[0].read_seq } else { seq > now[0].read_seq };
        if moves {
            self.marks.set(user, id, seq, back);
        }
        Ok(moves.then_some(seq))
    }

    /// The messages database's epoch: made once, and anew when the database is restored.
    pub async fn epoch(&self) -> Result<String> {
        let fresh = Nonce::random()?;
        self.db
            .write(move |conn| {
                let row = (server::name.eq("epoch"), server::value.eq(fresh.as_str()));
                on_conn!(conn, c => diesel::insert_into(server::table).values(row).on_conflict_do_nothing().execute(c))?;
                Ok(server::table.find("epoch").select(server::value).first(conn)?)
            })
            .await
    }

    /// Queues the read marks that aren't written yet.
    pub fn store_read_marks(&self) -> Result<()> {
        let batch = self.marks.batch();
        if batch.is_empty() {
            return Ok(());
        }
        self.db.submit(Change::new(Request::StoreReadMarks(batch), Asker::Nobody))
    }
}

fn unexpected(outcome: &Outcome) -> Error {
    Error::internal(format!("a change ended with {outcome:?}"))
}

/// Turns a settled batch into facts and replies, publishes them, then answers the calls.
fn settle(
    batch: Vec<Change>,
    outcome: &Result<(), Failed>,
    marks: &ReadMarks,
    publish: &mut dyn FnMut(Committed),
) {
    let mut committed = Committed::default();
    let mut calls = Vec::new();
    let mut tasks = Vec::new();
    for change in batch {
        let (result, fact) = match (outcome, change.done) {
            (Ok(()), Some(done)) => done,
            (Ok(()), None) => (Ok(Outcome::Stored), None),
            (Err(failed), _) => (Err(failed.answer()), None),
        };
        match &fact {
            // Writing marks what one has written oneself as read.
            Some(Fact::Message(m)) if m.rev == m.first_rev => marks.set(m.user, m.room, m.seq, false),
            Some(Fact::Left { user, room }) => marks.forget(*user, *room),
            _ => {}
        }
        committed.facts.extend(fact);
        match change.request {
            Request::StoreReadMarks(written) if outcome.is_ok() => marks.written(&written),
            Request::Task(task) => tasks.push(task),
            _ => {}
        }
        match change.asker {
            Asker::Nobody => {}
            Asker::Call(answer) => calls.push((answer, result)),
            Asker::Connection(origin) => committed.replies.push((origin, result)),
        }
    }
    if !committed.facts.is_empty() || !committed.replies.is_empty() {
        publish(committed);
    }
    for (answer, result) in calls {
        // Nobody listens any more when the asker has gone; the change stands all the same.
        let _ = answer.send(result);
    }
    for task in tasks {
        task.settle(outcome);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::BOARD;
    use crate::rooms::message::{Changes, Nonce, Page, Text, changes, page};
    use crate::rooms::post::Author;
    use std::sync::mpsc;

    type Tested = std::result::Result<(), Box<dyn std::error::Error>>;

    struct House {
        rooms: Rooms,
        committed: mpsc::Receiver<Committed>,
        _folder: tempfile::TempDir,
    }

    fn house() -> std::result::Result<House, Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let mut config = Config::default();
        config.set("data", &folder.path().to_string_lossy())?;
        let (sender, committed) = mpsc::channel();
        let rooms = Rooms::open(&config, move |batch| drop(sender.send(batch)))?;
        Ok(House { rooms, committed, _folder: folder })
    }

    fn post(room: RoomId, author: i64, nonce: &str, text: &str) -> Result<Post> {
        Ok(Post {
            room,
            author: Author { id: UserId(author), name: "Ann".into(), guest: false },
            nonce: Nonce::parse(format!("{nonce:0>16}")).map_err(|f| Error::Invalid(vec![f]))?,
            title: None,
            text: Text::parse(text).map_err(|f| Error::Invalid(vec![f]))?,
            reply_to: None,
        })
    }

    async fn channel(house: &House, owner: i64, name: &str) -> Result<RoomView> {
        let name = RoomName::parse(name).map_err(|f| Error::Invalid(vec![f]))?;
        house
            .rooms
            .change_room(Request::CreateChannel { owner: UserId(owner), name, topic: String::new() })
            .await
    }

    #[tokio::test]
    async fn posts_of_one_transaction_are_numbered_without_holes_and_refusals_take_no_number() -> Tested {
        let house = house()?;
        let room = channel(&house, 1, "general").await?.id;
        let (done, outcomes) = Task::new(move |conn| {
            let posts = [
                post(room, 1, "a", "one")?,
                post(room, 2, "b", "not a member")?,
                post(room, 1, "c", "two")?,
                post(room, 1, "a", "one")?,
                post(room, 1, "c", "something else")?,
                post(RoomId(99), 1, "d", "nowhere")?,
                post(BOARD, 2, "e", "a note")?,
            ];
            Ok(post::apply(conn, &posts.iter().collect::<Vec<_>>())?
                .into_iter()
                .map(|stored| match stored {
                    Stored::New(m) => format!("new {} {}", m.seq, m.rev),
                    Stored::Again(p) => format!("again {} {}", p.seq, p.rev),
                    Stored::Refused(e) => e.code().to_owned(),
                })
                .collect::<Vec<_>>())
        });
        house.rooms.db.submit(done.into())?;
        assert_eq!(
            outcomes.await??,
            ["new 1 1", "not_member", "new 2 2", "again 1 1", "nonce_reused", "not_found", "new 1 1"]
        );
        Ok(())
    }

    #[tokio::test]
    async fn a_repeated_nonce_is_answered_with_the_first_result_and_published_once() -> Tested {
        let house = house()?;
        let room = channel(&house, 1, "general").await?.id;
        let first = house.rooms.post(post(room, 1, "a", "hello")?).await?;
        house.rooms.post(post(room, 1, "b", "more")?).await?;
        assert_eq!(house.rooms.post(post(room, 1, "a", "hello")?).await?, first);
        assert_eq!(
            house.rooms.post(post(room, 1, "a", "other")?).await.map_err(|e| e.code()),
            Err("nonce_reused")
        );
        assert_eq!(
            house.rooms.post(post(BOARD, 1, "a", "hello")?).await.map_err(|e| e.code()),
            Err("nonce_reused")
        );
        let published: Vec<i64> = house
            .committed
            .try_iter()
            .flat_map(|c| c.facts)
            .filter_map(|f| if let Fact::Message(m) = f { Some(m.seq) } else { None })
            .collect();
        assert_eq!(published, [1, 2]);
        Ok(())
    }

    #[tokio::test]
    async fn channel_names_are_unique_regardless_of_case_and_found_by_any() -> Tested {
        let house = house()?;
        let room = channel(&house, 1, "Straße").await?;
        assert_eq!(channel(&house, 2, "STRASSE").await.map(|r| r.id).map_err(|e| e.code()).err(), None);
        assert_eq!(channel(&house, 2, "straße").await.map_err(|e| e.code()), Err("name_taken"));
        let joined = house
            .rooms
            .change_room(Request::Join { user: UserId(2), target: Target::Channel("STRAßE".into()) })
            .await?;
        assert_eq!((joined.id, joined.members, joined.joined), (room.id, 2, true));
        let again =
            house.rooms.change_room(Request::Join { user: UserId(2), target: Target::Id(room.id) }).await?;
        assert_eq!(again.members, 2);
        let left =
            house.rooms.change_room(Request::Leave { user: UserId(2), target: Target::Id(room.id) }).await?;
        assert_eq!((left.members, left.joined), (1, false));
        Ok(())
    }

    #[tokio::test]
    async fn changes_and_pages_tell_whether_there_is_more() -> Tested {
        let house = house()?;
        let room = channel(&house, 1, "general").await?.id;
        for n in 1..=7 {
            house.rooms.post(post(room, 1, &n.to_string(), &format!("m{n}"))?).await?;
        }
        let (newest, before, around, some, all, reset) = house
            .rooms
            .db
            .snapshot(move |conn| {
                let found = room::find(conn, room)?;
                Ok((
                    page(conn, room, Page::Newest, 3)?,
                    page(conn, room, Page::Before(3), 5)?,
                    page(conn, room, Page::Around(4), 4)?,
                    changes(conn, &found, 2, 3)?,
                    changes(conn, &found, 2, 100)?,
                    changes(conn, &found, 8, 100)?,
                ))
            })
            .await?;
        let seqs = |(messages, more): (Vec<Message>, bool)| {
            (messages.iter().map(|m| m.seq).collect::<Vec<_>>(), more)
        };
        assert_eq!(seqs(newest), (vec![5, 6, 7], true));
        assert_eq!(seqs(before), (vec![1, 2], false));
        assert_eq!(seqs(around), (vec![2, 3, 4, 5], true));
        assert!(matches!(some, Changes::Since { rev: 5, more: true, .. }));
        assert!(matches!(all, Changes::Since { rev: 7, more: false, ref messages } if messages.len() == 5));
        assert_eq!(reset, Changes::Reset);
        Ok(())
    }

    #[tokio::test]
    async fn read_marks_reach_the_database_and_never_pass_the_newest_message() -> Tested {
        let house = house()?;
        let room = channel(&house, 1, "general").await?.id;
        house.rooms.post(post(room, 1, "a", "hello")?).await?;
        for (user, room) in [(1, room), (5, BOARD)] {
            house.rooms.marks.set(UserId(user), room, 99, false);
        }
        house.rooms.store_read_marks()?;
        // Writes are in order: when this one is done, the marks are.
        house.rooms.db.write(|_| Ok(())).await?;
        assert!(house.rooms.marks.batch().is_empty());
        let marks = house
            .rooms
            .db
            .read(move |conn| {
                Ok((room::read_mark(conn, UserId(1), room)?, room::read_mark(conn, UserId(5), BOARD)?))
            })
            .await?;
        assert_eq!(marks, (Some(1), Some(0)));
        Ok(())
    }
}
