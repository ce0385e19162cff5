//! The thread that writes one recording: its queue is bounded in bytes, and what it has written is on the disk within
//! half a second.

use super::super::ring::Kept;
use super::super::station::Station;
use super::row::{self, Recording};
use super::tap::{Heard, Order};
use super::{FILM, Open, READINGS, Recordings};
use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::ids;
use crate::site::disk;
use crate::site::page::Stamp;
use actix::WeakAddr;
use bytes::Bytes;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

/// Bytes that may wait for the disk: some seconds of the best video, and in any case one fragment of the largest.
const WAITING_BYTES: usize = 32 * 1024 * 1024;
/// What a piece takes in the queue besides its content, bytes.
const PIECE_BYTES: usize = 64;
/// How long what was written may stay in the system's memory alone.
const SYNC: Duration = Duration::from_millis(500);
/// How often the room that is left is looked at. In that time a fast source brings less than what stays free.
const LOOK: Duration = Duration::from_secs(5);
/// The same in bytes, for the fastest.
const LOOK_BYTES: u64 = 16 * 1024 * 1024;
/// Bytes that any recording needs.
const MARGIN: u64 = 64 * 1024;

/// Why a recording stops before the source does.
pub const FULL: &str = "The server's disk is full, so recording has stopped.";
pub const NO_ROOM: &str =
    "Whoever this stream belongs to may add nothing more to the library, so recording has stopped.";
pub const SLOW: &str = "The server's disk can't keep up, so recording has stopped.";
pub const NOT_WRITTEN: &str = "The recording can't be written to the server's disk, so it has stopped.";

/// What is to be written.
enum Piece {
    /// The beginning of a film, or a fragment of it.
    Film(Bytes),
    Sample(Arc<Kept>),
    /// It ends, at this time (ms).
    End(i64, Option<&'static str>),
}

impl Piece {
    fn bytes(&self) -> usize {
        PIECE_BYTES
            + match self {
                Self::Film(bytes) => bytes.len(),
                Self::Sample(kept) => kept.json.len() + 1,
                Self::End(..) => 0,
            }
    }
}

/// The station's end of it. Nothing here waits.
pub struct Writer {
    pub id: String,
    pieces: Sender<Piece>,
    waiting: Arc<AtomicUsize>,
}

impl Writer {
    /// Begins a recording that will be written by a thread of its own.
    ///
    /// # Errors
    /// When the system gives no thread or no random numbers.
    pub fn begin(recordings: &Recordings, order: &Order, station: WeakAddr<Station>) -> Result<Self> {
        let id = ids::random()?;
        let (pieces, queue) = channel();
        let (waiting, bytes) = (Arc::<AtomicUsize>::default(), Arc::<AtomicU64>::default());
        let open = Open { user: order.user, bytes: bytes.clone(), station: Some(station) };
        recordings.note_open(&id, open.clone());
        let scribe = Scribe {
            recordings: recordings.clone(),
            id: id.clone(),
            order: order.clone(),
            started_at: now_ms(),
            queue,
            waiting: waiting.clone(),
            open,
            looked: AtomicU64::default(),
        };
        let thread = std::thread::Builder::new().name("recording".into()).spawn(move || scribe.run());
        if let Err(error) = thread {
            recordings.note_closed(&id);
            return Err(Error::internal(error));
        }
        Ok(Self { id, pieces, waiting })
    }

    /// Hands over the beginning of a film or a fragment. False when too much waits already: the recording has ended then.
    #[must_use]
    pub fn film(&self, bytes: Bytes) -> bool {
        self.offer(Piece::Film(bytes))
    }

    /// The same for readings.
    #[must_use]
    pub fn sample(&self, kept: Arc<Kept>) -> bool {
        self.offer(Piece::Sample(kept))
    }

    fn offer(&self, piece: Piece) -> bool {
        let bytes = piece.bytes();
        if self.waiting.load(Ordering::Acquire) + bytes > WAITING_BYTES {
            self.end(Some(SLOW));
            return false;
        }
        self.waiting.fetch_add(bytes, Ordering::AcqRel);
        // A thread that has ended says so to the station itself.
        let _ = self.pieces.send(piece);
        true
    }

    /// What was handed over is all of it.
    pub fn end(&self, trouble: Option<&'static str>) {
        let _ = self.pieces.send(Piece::End(now_ms(), trouble));
    }
}

/// The thread's end.
struct Scribe {
    recordings: Recordings,
    id: String,
    order: Order,
    /// ms
    started_at: i64,
    queue: Receiver<Piece>,
    waiting: Arc<AtomicUsize>,
    open: Open,
    /// Bytes at the last look at the room that is left.
    looked: AtomicU64,
}

/// How the writing ended.
enum Outcome {
    /// At this time (ms), and why, when it wasn't meant to.
    Ended(i64, Option<&'static str>),
    /// The server goes; the next start finishes it.
    Left,
}

impl Scribe {
    fn run(self) {
        let outcome = match self.begin() {
            Ok(files) => self.write(files),
            Err(trouble) => {
                self.recordings.note_closed(&self.id);
                self.tell(Some(trouble));
                return;
            }
        };
        if let Outcome::Ended(at, trouble) = outcome {
            if trouble.is_some() {
                self.tell(trouble);
            }
            let settled = self.recordings.settle(&self.id, Some((at, trouble)));
            if let Err(error) = self.recordings.0.runtime.block_on(settled) {
                tracing::warn!(%error, "a recording could not be finished; it is tried again");
            }
        }
        self.recordings.note_closed(&self.id);
        self.tell(None);
    }

    fn tell(&self, trouble: Option<&'static str>) {
        if let Some(station) = self.open.station.as_ref().and_then(WeakAddr::upgrade) {
            station.do_send(Heard { id: self.id.clone(), trouble });
        }
    }

    /// Makes the row, when there is room. A file comes first: what has a row and no file was brought away.
    fn begin(&self) -> Result<Files<'_>, &'static str> {
        self.look()?;
        let Order { stream, user, public, .. } = self.order;
        let row = Recording {
            id: self.id.clone(),
            stream_id: stream,
            user_id: user,
            title: format!("{} {}", self.order.title, minute(self.started_at)),
            public,
            started_at: self.started_at,
            ended_at: None,
            duration: None,
            samples: 0,
            bytes: 0,
            media_id: None,
            settled: false,
            trouble: None,
            refused: None,
        };
        let mut files = Files { recordings: &self.recordings, id: &self.id, film: None, readings: None };
        let failed = |error: &io::Error| trouble_of(error);
        std::fs::create_dir_all(&self.recordings.0.folder).map_err(|error| failed(&error))?;
        files.readings().map_err(|error| failed(&error))?;
        self.recordings.0.db.write_blocking(move |conn| row::insert(conn, &row)).map_err(|error| {
            tracing::warn!(%error, "a recording could not be written down");
            NOT_WRITTEN
        })?;
        Ok(files)
    }

    /// Whether there is room for more.
    fn look(&self) -> Result<(), &'static str> {
        let inner = &self.recordings.0;
        let folder = if inner.folder.exists() { Some(&*inner.folder) } else { inner.folder.parent() };
        if let Some(Ok(free)) = folder.map(disk::free_now)
            && free < disk::RESERVE
        {
            return Err(FULL);
        }
        let user = self.order.user;
        let bytes = self.open.bytes.load(Ordering::Relaxed);
        // What comes until the next look, and the list of samples at the end, have to find room as well.
        let more = MARGIN + bytes / 32 + 2 * bytes.saturating_sub(self.looked.swap(bytes, Ordering::Relaxed));
        let room = inner.runtime.block_on(inner.shelf.room(user));
        let held = inner.db.read_blocking(|conn| row::held_by(conn, user));
        match (room, held) {
            (Ok(room), Ok(held)) if room <= held + self.recordings.under_way(user) + more => Err(NO_ROOM),
            // A database that is busy is no reason to lose what comes.
            _ => Ok(()),
        }
    }

    fn write(&self, mut files: Files) -> Outcome {
        let (mut synced, mut looked, mut is_dirty) = (Instant::now(), Instant::now(), false);
        loop {
            let pause = if is_dirty { SYNC.saturating_sub(synced.elapsed()) } else { LOOK };
            match self.queue.recv_timeout(pause) {
                Ok(Piece::End(at, trouble)) => {
                    return Outcome::Ended(at, trouble.or(files.sync().err().map(|e| trouble_of(&e))));
                }
                Ok(piece) => {
                    if let Err(error) = files.write(&piece) {
                        return Outcome::Ended(now_ms(), Some(trouble_of(&error)));
                    }
                    self.waiting.fetch_sub(piece.bytes(), Ordering::AcqRel);
                    self.open.bytes.fetch_add(piece.bytes() as u64, Ordering::Relaxed);
                    if !std::mem::replace(&mut is_dirty, true) {
                        synced = Instant::now();
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    let _ = files.sync();
                    return Outcome::Left;
                }
            }
            if is_dirty && synced.elapsed() >= SYNC {
                if let Err(error) = files.sync() {
                    return Outcome::Ended(now_ms(), Some(trouble_of(&error)));
                }
                is_dirty = false;
            }
            let bytes = self.open.bytes.load(Ordering::Relaxed) - self.looked.load(Ordering::Relaxed);
            if looked.elapsed() >= LOOK || bytes >= LOOK_BYTES {
                looked = Instant::now();
                if let Err(trouble) = self.look() {
                    let _ = files.sync();
                    return Outcome::Ended(now_ms(), Some(trouble));
                }
            }
        }
    }
}

/// `2026-11-21 22:33`
fn minute(at: i64) -> String {
    Stamp(at).iso().get(..16).unwrap_or_default().replace('T', " ")
}

fn trouble_of(error: &io::Error) -> &'static str {
    if matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) {
        return FULL;
    }
    tracing::error!(%error, "a recording could not be written");
    NOT_WRITTEN
}

/// The files of a recording, made when something comes for them.
struct Files<'a> {
    recordings: &'a Recordings,
    id: &'a str,
    film: Option<File>,
    readings: Option<File>,
}

impl Files<'_> {
    fn readings(&mut self) -> io::Result<&mut File> {
        file(&mut self.readings, self.recordings, self.id, READINGS)
    }

    fn write(&mut self, piece: &Piece) -> io::Result<()> {
        match piece {
            Piece::Film(bytes) => file(&mut self.film, self.recordings, self.id, FILM)?.write_all(bytes),
            Piece::Sample(kept) => {
                // In one go: a kill between the two would leave a line without its end.
                let line = format!("{}\n", kept.json);
                self.readings()?.write_all(line.as_bytes())
            }
            Piece::End(..) => Ok(()),
        }
    }

    fn sync(&self) -> io::Result<()> {
        self.film.iter().chain(&self.readings).try_for_each(|file| match file.sync_data() {
            // A file system that knows nothing of it.
            Err(error) if error.kind() == ErrorKind::InvalidInput => Ok(()),
            synced => synced,
        })
    }
}

fn file<'a>(
    place: &'a mut Option<File>,
    recordings: &Recordings,
    id: &str,
    ending: &str,
) -> io::Result<&'a mut File> {
    if place.is_none() {
        let made = OpenOptions::new().create(true).append(true).open(recordings.path(id, ending))?;
        // The name as well is to outlast a power cut.
        File::open(&recordings.0.folder)?.sync_all()?;
        *place = Some(made);
    }
    place.as_mut().ok_or_else(|| ErrorKind::NotFound.into())
}

#[cfg(test)]
mod tests;
