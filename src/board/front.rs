//! The board's front: the wall of notes as HTML, rendered once for each state of the board.
//!
//! The writer raises [`BoardRev`] after a commit and before its author is answered. Whoever asks later asks for the
//! raised number, so that what is kept under an older one can't be shown to them.

use super::pages::{BoardWall, NoteView};
use crate::error::{Error, Result};
use crate::ids::BOARD;
use crate::rooms::{Attachment, Db, Message, Page, Preview, message, room};
use crate::site::page::{Person, Stamp};
use crate::site::words::Language;
use askama::Template;
use moka::future::Cache;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// Notes on one page: about three screens.
const NOTES: i64 = 50;
/// HTML kept for all pages and states together; bytes. The top alone is asked for a thousand times a second.
const KEPT: u64 = 32 * 1024 * 1024;

/// The number of the board's newest change, as this process knows it.
#[derive(Clone, Debug, Default)]
pub struct BoardRev(Arc<AtomicI64>);

impl BoardRev {
    /// The board has reached `rev`. To be called after the commit and before anybody is told of it.
    pub fn raise(&self, rev: i64) {
        self.0.fetch_max(rev, Ordering::AcqRel);
    }

    fn get(&self) -> i64 {
        self.0.load(Ordering::Acquire)
    }
}

/// A page of the board, ready to be put into a page for anybody.
#[derive(Debug)]
pub struct Wall {
    pub html: Arc<str>,
    /// The newest note of the whole board; 0 when there is none.
    pub last_seq: i64,
    /// Whether this page begins with it.
    pub is_top: bool,
}

/// Where a page begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Start {
    Top,
    Before(i64),
}

/// What a kept page depends on: the board's newest change, where the page begins, and the language of its words.
type State = (i64, Start, &'static str);

/// The kept pages. Cheap to clone.
#[derive(Clone)]
pub struct Front {
    db: Db,
    rev: BoardRev,
    walls: Cache<State, Arc<Wall>>,
}

impl Front {
    /// `rev` is the one that the writer raises.
    pub fn new(db: Db, rev: BoardRev) -> Self {
        let walls = Cache::builder()
            .max_capacity(KEPT)
            .weigher(|_, wall: &Arc<Wall>| u32::try_from(wall.html.len()).unwrap_or(u32::MAX))
            .build();
        Self { db, rev, walls }
    }

    /// The page that ends before the note `before`, or the newest one.
    pub async fn wall(&self, before: Option<i64>) -> Result<Arc<Wall>> {
        let top = self.page(Start::Top).await?;
        match before {
            // Numbers that no note has are one page, or anybody could fill the memory with copies of it.
            Some(seq) if seq <= top.last_seq => self.page(Start::Before(seq.max(0))).await,
            _ => Ok(top),
        }
    }

    async fn page(&self, start: Start) -> Result<Arc<Wall>> {
        let rev = self.rev.get();
        let render = self.render(start);
        // Everybody who asks while it is rendered waits for the one that renders.
        self.walls
            .try_get_with((rev, start, Language::spoken().code), render)
            .await
            .map_err(|error: Arc<Error>| copy(&error))
    }

    async fn render(&self, start: Start) -> Result<Arc<Wall>> {
        let page = match start {
            Start::Top => Page::Newest,
            Start::Before(seq) => Page::Before(seq),
        };
        let (board, notes, more) = self
            .db
            .snapshot(move |conn| {
                let board = room::find(conn, BOARD)?;
                let (notes, more) = message::page(conn, BOARD, page, NOTES)?;
                Ok((board, notes, more))
            })
            .await?;
        let last_seq = board.last_seq;
        let is_top = notes.last().map_or(last_seq == 0, |newest| newest.seq == last_seq);
        let html = BoardWall {
            room: BOARD.0,
            rev: board.rev,
            last_seq,
            notes: notes.into_iter().rev().map(NoteView::from).collect(),
            more,
            newer: !is_top,
        }
        .render()
        .map_err(Error::internal)?;
        Ok(Arc::new(Wall { html: html.into(), last_seq, is_top }))
    }
}

/// The error that several waiters share, for one of them.
fn copy(error: &Error) -> Error {
    match error {
        Error::Busy(words) => Error::Busy(words),
        Error::NotFound(words) => Error::NotFound(words),
        other => Error::internal(format!("the board could not be drawn: {other:?}")),
    }
}

impl From<Message> for NoteView {
    fn from(message: Message) -> Self {
        Self {
            reactions: message.reactions(),
            seq: message.seq,
            rev: message.rev,
            author: Person::new(message.user.0, message.name, message.guest),
            at: Stamp(message.at),
            title: message.title.unwrap_or_default(),
            text: message.text,
            attachments: Attachment::list(message.attachments.as_ref()),
            preview: Preview::of(message.preview.as_ref()),
            html: message.html,
            edited: message.edited_at.is_some(),
            deleted: message.deleted_at.is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::ids::UserId;
    use crate::rooms::{Author, Fact, Mentionable, Rooms, Typed};

    type Tested = std::result::Result<(), Box<dyn std::error::Error>>;

    struct House {
        rooms: Rooms,
        front: Front,
        _folder: tempfile::TempDir,
    }

    fn house() -> std::result::Result<House, Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let mut config = Config::default();
        config.set("data", &folder.path().to_string_lossy())?;
        let rev = BoardRev::default();
        let raised = rev.clone();
        let rooms = Rooms::open(&config, move |committed| {
            for fact in committed.facts {
                if let Fact::Message(message) = fact {
                    raised.raise(message.rev);
                }
            }
        })?;
        Ok(House { front: Front::new(rooms.db.clone(), rev), rooms, _folder: folder })
    }

    async fn post(house: &House, text: &str) -> Result<()> {
        let author = Author { id: UserId(1), name: "Ann".into(), ..Author::default() };
        let note = Typed::new(text)?.check(author, BOARD, &Mentionable::new())?;
        house.rooms.post(note).await.map(drop)
    }

    #[tokio::test]
    async fn a_note_is_on_the_wall_as_soon_as_its_author_is_answered() -> Tested {
        let house = house()?;
        assert!(house.front.wall(None).await?.html.contains("Nothing here yet"));
        for n in 0..20 {
            post(&house, &format!("note number {n}.")).await?;
            let wall = house.front.wall(None).await?;
            assert!(wall.html.contains(&format!("note number {n}.")), "{}", wall.html);
            assert_eq!((wall.last_seq, wall.is_top), (n + 1, true));
        }
        Ok(())
    }

    #[tokio::test]
    async fn one_state_of_the_board_is_rendered_once() -> Tested {
        let house = house()?;
        post(&house, "hello").await?;
        let (a, b, c) =
            tokio::join!(house.front.wall(None), house.front.wall(None), house.front.wall(Some(999)));
        let (a, b, c) = (a?, b?, c?);
        assert!(Arc::ptr_eq(&a, &b) && Arc::ptr_eq(&a, &c));
        assert!(Arc::ptr_eq(&a, &house.front.wall(None).await?));
        Ok(())
    }

    #[tokio::test]
    async fn each_language_has_its_own_wall_and_is_as_new() -> Tested {
        let house = house()?;
        let chinese = Language::find("zh-Hant").ok_or("not spoken")?;
        post(&house, "hello").await?;
        let plain = house.front.wall(None).await?;
        let other = chinese.speak(house.front.wall(None)).await?;
        assert!(plain.html.contains("Notes, newest first") && !other.html.contains("Notes, newest first"));
        post(&house, "again").await?;
        assert!(chinese.speak(house.front.wall(None)).await?.html.contains("again"));
        assert!(house.front.wall(None).await?.html.contains("again"));
        Ok(())
    }

    #[tokio::test]
    async fn older_pages_lead_on_and_back() -> Tested {
        let house = house()?;
        for n in 1..=NOTES + 5 {
            post(&house, &format!("n{n}")).await?;
        }
        let top = house.front.wall(None).await?;
        assert!(
            top.is_top && top.html.contains("data-first-seq=\"6\"") && top.html.contains("/board?before=6\"")
        );
        let older = house.front.wall(Some(6)).await?;
        assert!(!older.is_top && older.html.contains("data-newer") && !older.html.contains("?before="));
        assert!(older.html.contains(">n5<") && !older.html.contains(">n6<"), "{}", older.html);
        assert!(house.front.wall(Some(-7)).await?.html.contains("data-newer"));
        let after_a_restart = Front::new(house.rooms.db.clone(), BoardRev::default());
        assert_eq!(after_a_restart.wall(Some(6)).await?.html, older.html);
        Ok(())
    }
}
