//! The queue: who gets a job, for how long, and how often. And the runner on top of it.

use super::queue::{self, ATTEMPTS, GIVEN_UP, LEASE, UNREAD};
use super::{Done, Halt, Job, Jobs, Node, Runner, Stage, Turn};
use crate::config::Config;
use crate::db::schema::messages::{jobs, server};
use crate::db::{Conn, Database, Task, Which};
use crate::error::Result;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

type Tested = std::result::Result<(), Box<dyn std::error::Error>>;

/// Notes what it is told in the table of the server's own facts.
#[derive(Serialize, Deserialize)]
struct Sing {
    song: i64,
}

impl Job for Sing {
    const NAME: &'static str = "sing";
    type Place = Arc<AtomicUsize>;

    fn subject(&self) -> i64 {
        self.song
    }

    async fn run(self, begun: Self::Place, turn: Turn) -> Result<Done, Halt> {
        begun.fetch_add(1, Ordering::SeqCst);
        turn.reach(50.0);
        match self.song {
            1 => Ok(Box::new(|conn| note(conn, 1, "sung"))),
            2 => Err(Halt::Failed("The song has no notes.".to_owned())),
            _ => std::future::pending().await,
        }
    }

    fn note(&self, conn: &mut Conn, stage: &Stage) -> Result<()> {
        note(conn, self.song, &format!("{stage:?}"))
    }

    fn note_lost(conn: &mut Conn, song: i64, sentence: &str) -> Result<()> {
        note(conn, song, &format!("Lost: {sentence}"))
    }
}

fn note(conn: &mut Conn, song: i64, words: &str) -> Result<()> {
    let name = format!("song {song}");
    diesel::delete(server::table.find(&name)).execute(conn)?;
    diesel::insert_into(server::table)
        .values((server::name.eq(name), server::value.eq(words)))
        .execute(conn)?;
    Ok(())
}

fn noted(db: &Database<Task>, song: i64) -> Result<Option<String>> {
    let name = format!("song {song}");
    db.read_blocking(|conn| Ok(server::table.find(name).select(server::value).first(conn).optional()?))
}

fn database(folder: &std::path::Path) -> std::result::Result<Database<Task>, Box<dyn std::error::Error>> {
    let mut config = Config::default();
    config.set("data", &folder.to_string_lossy())?;
    Ok(Database::open(Which::Messages, &config.messages_url(), |batch: Vec<Task>, outcome| {
        for task in batch {
            task.settle(&outcome);
        }
    })?)
}

#[test]
fn a_job_is_one_runners_until_that_is_not_heard_of_any_more() -> Tested {
    let folder = tempfile::tempdir()?;
    let db = database(folder.path())?;
    db.write_blocking(|conn| queue::put(conn, &Sing { song: 7 }, 1000))?;
    assert_eq!(noted(&db, 7)?.as_deref(), Some("Waiting"));
    let take = |lease: &'static str, now: i64| {
        db.write_blocking(move |conn| queue::take(conn, &["sing"], lease, now))
    };
    assert_eq!(take("early", 999)?, None);
    let taken = take("a", 1000)?.ok_or("nothing")?;
    assert_eq!((taken.subject, taken.worn_out), (7, false));
    assert_eq!(take("b", 1000 + LEASE - 1)?, None);
    let id = taken.id;
    assert!(db.write_blocking(move |conn| queue::beat(conn, id, "a", 10, 5000))?);
    assert_eq!(take("b", 5000 + LEASE - 1)?, None);
    assert_eq!(take("b", 5000 + LEASE)?.map(|taken| taken.id), Some(id));
    // The first one was only slow; nothing of it counts any more.
    assert!(!db.write_blocking(move |conn| queue::beat(conn, id, "a", 20, 5000))?);
    assert!(!db.write_blocking(move |conn| queue::finish(conn, id, "a"))?);
    assert_eq!(db.read_blocking(queue::leases)?, ["b"]);
    assert!(db.write_blocking(move |conn| queue::finish(conn, id, "b"))?);
    assert_eq!(take("c", i64::MAX - LEASE)?, None);
    db.close();
    Ok(())
}

#[test]
fn a_node_that_starts_again_has_back_what_it_held_and_nothing_of_others() -> Tested {
    let folder = tempfile::tempdir()?;
    let db = database(folder.path())?;
    db.write_blocking(|conn| (7..=8).try_for_each(|song| queue::put(conn, &Sing { song }, 1000)))?;
    let take = |lease: String| db.write_blocking(move |conn| queue::take(conn, &["sing"], &lease, 1000));
    let node = Node::open(folder.path())?;
    let other = Node::open(folder.path())?;
    assert_eq!(take(node.lease()?)?.ok_or("nothing")?.subject, 7);
    assert_eq!(take(other.lease()?)?.ok_or("nothing")?.subject, 8);
    assert_eq!(take(node.lease()?)?, None);
    drop(node);
    let again = Node::open(folder.path())?;
    let name = again.name().to_owned();
    db.write_blocking(move |conn| queue::take_back(conn, &name, 1000))?;
    assert_eq!(take(again.lease()?)?.ok_or("nothing")?.subject, 7);
    assert_eq!(take(again.lease()?)?, None);
    db.close();
    Ok(())
}

#[test]
fn a_job_that_never_ends_is_given_up_and_a_stop_does_not_count() -> Tested {
    let folder = tempfile::tempdir()?;
    let db = database(folder.path())?;
    db.write_blocking(|conn| queue::put(conn, &Sing { song: 7 }, 0))?;
    let mut now = 0;
    for stopped in 0..5 {
        let taken = db.write_blocking(move |conn| queue::take(conn, &["sing"], "s", now))?;
        let taken = taken.ok_or("nothing")?;
        assert!(!taken.worn_out, "after {stopped} stops");
        assert!(db.write_blocking(move |conn| queue::put_back(conn, taken.id, "s", true, now))?);
    }
    for attempt in 1..=ATTEMPTS {
        let taken = db.write_blocking(move |conn| queue::take(conn, &["sing"], "k", now))?;
        let taken = taken.ok_or("nothing")?;
        assert_eq!((taken.worn_out, taken.is_last), (false, attempt == ATTEMPTS));
        now += LEASE;
    }
    let taken = db.write_blocking(move |conn| queue::take(conn, &["sing"], "k", now))?;
    assert!(taken.ok_or("nothing")?.worn_out);
    // Ordered anew, it begins from the first.
    db.write_blocking(move |conn| queue::put(conn, &Sing { song: 7 }, now))?;
    let taken = db.write_blocking(move |conn| queue::take(conn, &["sing"], "n", now))?;
    assert!(!taken.ok_or("nothing")?.worn_out);
    assert!(db.write_blocking(|conn| queue::remove::<Sing>(conn, 7))?);
    assert!(!db.write_blocking(|conn| queue::remove::<Sing>(conn, 7))?);
    db.close();
    Ok(())
}

async fn until(db: &Database<Task>, song: i64, words: &str) -> Tested {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        let found = noted(db, song)?;
        if found.as_deref() == Some(words) {
            return Ok(());
        }
        assert!(Instant::now() < deadline, "song {song} never came to {words}: {found:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[actix_web::test]
async fn a_runner_does_what_is_due_and_gives_back_what_it_cannot_finish() -> Tested {
    let folder = tempfile::tempdir()?;
    let db = database(folder.path())?;
    let (jobs, begun) = (Jobs::default(), Arc::new(AtomicUsize::new(0)));
    let working = Runner::new(db.clone(), jobs.clone(), 3, Node::open(folder.path())?)
        .knows::<Sing>(begun.clone())
        .start();
    db.write(|conn| (1..=4).try_for_each(|song| queue::put(conn, &Sing { song }, 0))).await?;
    jobs.ring();
    until(&db, 1, "sung").await?;
    until(&db, 2, "Failed(\"The song has no notes.\")").await?;
    until(&db, 3, "Running(50)").await?;
    until(&db, 4, "Running(50)").await?;
    // Taken off the queue, its run ends and it isn't written about any more.
    assert!(db.write(|conn| queue::remove::<Sing>(conn, 4)).await?);
    jobs.end::<Sing>(4);
    working.stop().await;
    assert_eq!(noted(&db, 3)?.as_deref(), Some("Waiting"));
    assert_eq!(noted(&db, 4)?.as_deref(), Some("Running(50)"));
    assert_eq!(begun.load(Ordering::SeqCst), 4);
    assert!(db.read_blocking(queue::leases)?.is_empty());
    db.close();
    Ok(())
}

#[actix_web::test]
async fn what_cannot_be_done_any_more_ends_with_a_sentence() -> Tested {
    let folder = tempfile::tempdir()?;
    let db = database(folder.path())?;
    let put = |conn: &mut Conn| {
        (1..=3).try_for_each(|song| queue::put(conn, &Sing { song }, 0))?;
        let one = |song: i64| jobs::table.filter(jobs::subject.eq(song));
        diesel::update(one(1)).set(jobs::payload.eq("{\"verse\":1}")).execute(conn)?;
        // Its runner was killed as often as it was begun.
        let killed = (jobs::state.eq("running"), jobs::attempts.eq(ATTEMPTS), jobs::lease.eq("gone"));
        diesel::update(one(3)).set(killed).execute(conn)?;
        Ok(())
    };
    db.write(put).await?;
    let begun = Arc::new(AtomicUsize::new(0));
    let node = Node::open(folder.path())?;
    let working = Runner::new(db.clone(), Jobs::default(), 1, node).knows::<Sing>(begun.clone()).start();
    until(&db, 1, &format!("Lost: {UNREAD}")).await?;
    until(&db, 3, &format!("Failed({GIVEN_UP:?})")).await?;
    assert_eq!(begun.load(Ordering::SeqCst), 1, "only what can be read and isn't worn out is begun");
    let states = |conn: &mut Conn| {
        let rows: Vec<(String, Option<String>)> =
            jobs::table.order(jobs::subject).select((jobs::state, jobs::error)).load(conn)?;
        Ok(rows)
    };
    let failed = |sentence: &str| ("failed".to_owned(), Some(sentence.to_owned()));
    assert_eq!(
        db.read_blocking(states)?,
        [failed(UNREAD), failed("The song has no notes."), failed(GIVEN_UP)]
    );
    working.stop().await;
    db.close();
    Ok(())
}
