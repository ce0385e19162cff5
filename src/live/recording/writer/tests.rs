//! Disks that are full, or that hang.

use super::*;
use crate::config::Config;
use crate::ids::{MediaId, StreamId, UserId};
use crate::live::recording::{FOLDER, Film, Shelf};
use crate::rooms::Rooms;
use futures_core::future::BoxFuture;
use std::path::Path;

/// A library with room, which takes nothing.
struct Closed;

impl Shelf for Closed {
    fn room(&self, _: UserId) -> BoxFuture<'static, Result<u64>> {
        Box::pin(async { Ok(u64::MAX) })
    }
    fn land(&self, _: Film) -> BoxFuture<'static, Result<MediaId>> {
        Box::pin(async { Err(Error::Busy("The server's disk is full.")) })
    }
    fn seen(&self, _: Option<UserId>, _: Vec<MediaId>) -> BoxFuture<'static, Result<Vec<MediaId>>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}

fn recordings(folder: &Path) -> Recordings {
    let mut config = Config::default();
    config.set("data", &folder.to_string_lossy()).unwrap();
    std::fs::create_dir(folder.join(FOLDER)).unwrap();
    Recordings::new(folder, Rooms::open(&config, |_| ()).unwrap().db, Arc::new(Closed))
}

/// The two ends of a recording whose film will be written to whatever stands under its name.
fn ends(recordings: &Recordings, id: &str) -> (Writer, Scribe) {
    let (pieces, queue) = channel();
    let (waiting, bytes) = (Arc::<AtomicUsize>::default(), Arc::<AtomicU64>::default());
    let order = Order { stream: StreamId(1), user: UserId(1), title: "Gate".into(), public: true };
    let writer = Writer { id: id.to_owned(), pieces, waiting: waiting.clone() };
    let open = Open { user: order.user, bytes, station: None };
    let (recordings, id) = (recordings.clone(), id.to_owned());
    (
        writer,
        Scribe { recordings, id, order, started_at: 0, queue, waiting, open, looked: AtomicU64::default() },
    )
}

fn kept(seq: i64) -> Arc<Kept> {
    Arc::new(Kept { seq, at: seq, json: format!("{{\"seq\":{seq},\"at\":{seq},\"fields\":{{}}}}").into() })
}

fn row(recordings: &Recordings, id: &str) -> Recording {
    recordings.0.db.read_blocking(|conn| row::find(conn, id)).unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_ends_a_recording_with_the_reason_and_keeps_what_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let (recordings, id) = (recordings(folder.path()), "a".repeat(32));
    std::os::unix::fs::symlink("/dev/full", recordings.path(&id, FILM)).unwrap();
    let (writer, scribe) = ends(&recordings, &id);
    assert!(writer.sample(kept(1)) && writer.film(Bytes::from_static(b"anything")));
    tokio::task::spawn_blocking(|| scribe.run()).await.unwrap();
    let row = tokio::task::block_in_place(|| row(&recordings, &id));
    assert_eq!((row.trouble.as_deref(), row.samples, row.settled), (Some(FULL), 1, true));
    assert_eq!(std::fs::read_to_string(recordings.path(&id, READINGS)).unwrap().lines().count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_hangs_holds_nobody_up() {
    let folder = tempfile::tempdir().unwrap();
    let (recordings, id) = (recordings(folder.path()), "b".repeat(32));
    // Whoever opens it waits until somebody reads.
    let film = recordings.path(&id, FILM);
    assert!(std::process::Command::new("mkfifo").arg(&film).status().unwrap().success());
    let (writer, scribe) = ends(&recordings, &id);
    let thread = std::thread::spawn(move || scribe.run());
    assert!(writer.sample(kept(1)));
    let (begun, piece) = (Instant::now(), Bytes::from(vec![0; 1024 * 1024]));
    let taken = (0..100).take_while(|_| writer.film(piece.clone())).count();
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    assert!((30..=32).contains(&taken), "{taken} MiB wait, no more");
    // The disk is back: what had been taken is written, and the reason.
    let read = std::thread::spawn(move || std::fs::read(film).unwrap().len());
    let piped = tokio::task::spawn_blocking(|| read.join().unwrap()).await.unwrap();
    assert_eq!(piped, taken * 1024 * 1024);
    std::fs::remove_file(recordings.path(&id, FILM)).ok();
    tokio::task::spawn_blocking(|| thread.join().unwrap()).await.unwrap();
    let row = tokio::task::block_in_place(|| row(&recordings, &id));
    assert_eq!((row.trouble.as_deref(), row.samples), (Some(SLOW), 1));
}
