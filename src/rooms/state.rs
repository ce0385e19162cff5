//! The rooms floor as the features above reach it: the messages database and the read marks in front of it.

use super::Db;
use super::amend::Amend;
use super::change::{Asker, Change, Committed, Outcome, Request};
use super::filter::{self, Filter};
use super::level::{self, Level};
use super::membership::{self, Verb};
use super::message::Message;
use super::post::{Post, Posted};
use super::purge;
use super::room::{self, RoomView};
use super::settle;
use super::typed::Nonce;
use super::unread::{ReadMark, ReadMarks};
use super::upload::Uploads;
use crate::config::Config;
use crate::db::schema::messages::server;
use crate::db::{Database, Which};
use crate::error::{Error, Result};
use crate::ids::{RoomId, UserId};
use crate::on_conn;
use diesel::prelude::*;
use std::sync::Arc;
use tokio::sync::Notify;

/// Everything about rooms that a handler may reach. Cheap to clone.
#[derive(Clone)]
pub struct Rooms {
    pub db: Db,
    pub marks: ReadMarks,
    pub uploads: Uploads,
    /// Words that aren't wanted.
    pub filter: Filter,
    pub(super) newcomer_hours: i64,
    /// Something is to be taken down or brought back.
    pub(super) takedowns: Arc<Notify>,
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
            settle::settle(batch, &outcome, &settled, &mut publish);
        })?;
        let filter = Filter::default();
        filter.set(db.read_blocking(filter::all).map_err(|e| e.detail())?);
        Ok(Self {
            db,
            marks,
            uploads: Uploads::new(config),
            filter,
            newcomer_hours: config.newcomer_hours,
            takedowns: Arc::default(),
        })
    }

    /// Submits a change and waits for its commit.
    pub async fn change(&self, request: Request) -> Result<Outcome> {
        self.db.carry_out(request).await
    }

    /// Stores a message and answers after the commit.
    pub async fn post(&self, post: Post) -> Result<Posted> {
        match self.change(Request::Post(post)).await? {
            Outcome::Posted(posted) => Ok(posted),
            other => Err(unexpected(&other)),
        }
    }

    /// Changes a message and answers after the commit, with the message as it is then.
    pub async fn amend(&self, amend: Amend) -> Result<Arc<Message>> {
        match self.change(Request::Amend(amend)).await? {
            Outcome::Amended(message) => Ok(message),
            other => Err(unexpected(&other)),
        }
    }

    /// Submits a change that ends with a room: join, leave, create and so on.
    pub async fn change_room(&self, request: Request) -> Result<RoomView> {
        match self.change(request).await? {
            Outcome::Room(room) | Outcome::Joined(room) | Outcome::Opened { room, .. } => Ok(room),
            other => Err(unexpected(&other)),
        }
    }

    /// Moves a person's read mark, forward only unless `back`. Answers with where it stands if that moved it.
    ///
    /// # Errors
    /// `NotFound` for a room that one may not read, `Forbidden` for one that one has not joined.
    pub async fn mark_read(
        &self,
        user: UserId,
        id: RoomId,
        seq: i64,
        back: bool,
    ) -> Result<Option<ReadMark>> {
        let marks = self.marks.clone();
        let moved = self
            .db
            .snapshot(move |conn| {
                let room = room::find(conn, id)?;
                membership::may(conn, user, &room, Verb::Keep)?;
                let mark = room::read_mark(conn, user, id)?;
                let mut now = [RoomView::new(room, mark)];
                marks.overlay(user, &mut now);
                let seq = seq.clamp(0, now[0].last_seq);
                let moves = if back { seq != now[0].read_seq } else { seq > now[0].read_seq };
                now[0].read_seq = seq;
                level::count_calls(conn, user, &mut now)?;
                Ok(moves.then_some(ReadMark { room: id, seq, back, mentions: now[0].mentions }))
            })
            .await?;
        if let Some(mark) = moved {
            self.marks.set(user, id, mark.seq, back);
        }
        Ok(moved)
    }

    /// A room that was just read or changed, completed as `user` sees it.
    pub async fn seen_by(&self, user: UserId, mut view: RoomView) -> Result<RoomView> {
        let marks = self.marks.clone();
        self.db
            .snapshot(move |conn| {
                marks.see(conn, user, std::slice::from_mut(&mut view))?;
                Ok(view)
            })
            .await
    }

    /// Stores what a person wants to hear of a room, and answers with the room as they see it.
    ///
    /// # Errors
    /// `NotFound` for a room that one may not read, `Forbidden` for one that one has not joined.
    pub async fn set_level(&self, user: UserId, id: RoomId, level: Level) -> Result<RoomView> {
        let marks = self.marks.clone();
        self.db
            .write(move |conn| {
                let mut now = [level::set(conn, user, id, level)?];
                marks.see(conn, user, &mut now)?;
                let [view] = now;
                Ok(view)
            })
            .await
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

    /// Removes a part of what was said in deleted rooms.
    pub async fn purge(&self) -> Result<()> {
        purge::round(&self.db).await
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::{Run, Task};
    use crate::error::Error;
    use crate::ids::BOARD;
    use crate::rooms::change::{Fact, Target};
    use crate::rooms::message::{Changes, Page, changes, page};
    use crate::rooms::post::{self, Stored, Typed};
    use crate::rooms::{Author, Mentionable, Message, RoomName};
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
        let author = Author { id: UserId(author), name: "Ann".into(), ..Author::default() };
        let typed = Typed { nonce: format!("{nonce:0>16}"), text: text.into(), ..Typed::default() };
        typed.check(author, room, &Mentionable::new())
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
            Ok(post::apply(conn, &posts.iter().collect::<Vec<_>>(), Run::Again)?
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
    async fn a_batch_that_meets_a_nonce_from_before_runs_again_and_does_everything_once() -> Tested {
        let house = house()?;
        let room = channel(&house, 1, "general").await?.id;
        let first = house.rooms.post(post(room, 1, "a", "hello")?).await?;
        // While the door is held open, what is submitted waits for one batch.
        let (hold, held) = mpsc::channel::<()>();
        let (holding, _) = Task::new(move |_| {
            let _ = held.recv();
            Ok(())
        });
        house.rooms.db.submit(holding.into())?;
        let ran = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let runs = ran.clone();
        let (task, _) = Task::new(move |_| {
            runs.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Ok(())
        });
        house.rooms.db.submit(task.into())?;
        let mut answers = Vec::new();
        let waiting =
            [("b", 1, "two"), ("a", 1, "hello"), ("a", 2, "another's"), ("a", 1, "other"), ("c", 1, "three")];
        for (nonce, author, text) in waiting {
            let (asker, answer) = tokio::sync::oneshot::channel();
            let request = Request::Post(post(room, author, nonce, text)?);
            house.rooms.db.submit(Change::new(request, Asker::Call(asker)))?;
            answers.push(answer);
        }
        drop(hold);
        let mut said = Vec::new();
        for answer in answers {
            said.push(match answer.await? {
                Ok(Outcome::Posted(posted)) => format!("{}", posted.seq),
                Ok(other) => format!("{other:?}"),
                Err(error) => error.code().to_owned(),
            });
        }
        assert_eq!(said, ["2", "1", "not_member", "nonce_reused", "3"]);
        assert_eq!(ran.load(std::sync::atomic::Ordering::Relaxed), 2, "the batch wasn't run again");
        let (all, _) = house.rooms.db.snapshot(move |conn| page(conn, room, Page::Newest, 9)).await?;
        let kept: Vec<_> = all.iter().map(|m| (m.seq, m.rev, m.text.as_str())).collect();
        assert_eq!(kept, [(1, 1, "hello"), (2, 2, "two"), (3, 3, "three")]);
        assert_eq!(first.seq, 1);
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
