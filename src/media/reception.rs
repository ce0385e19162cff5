//! Where uploads arrive: who may bring how much, which request writes to which part file, and what is left lying about.
//!
//! Part files lie in a hidden folder inside the library's own: on the same file system, so that a whole file gets into
//! its place by a rename, and never looked at by those who list the library.

use super::library::Library;
use super::part::Part;
use super::sight::Audience;
use super::upload::{self, Quota, Upload, UploadId};
use crate::clock::now_ms;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::ids::{MediaId, UserId};
use crate::rooms::upload::tidy_name;
use crate::site::disk::{self, RESERVE};
use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard, watch};

/// Where part files lie, inside the library's folder.
pub const FOLDER: &str = ".uploads";
/// How long a request waits until the one before it has let go of the file.
const PATIENCE: Duration = Duration::from_secs(20);
/// What an upload announces whose length nobody knows; it is [extended](Reception::extend) when bytes come.
pub const OPEN: u64 = 1;
/// Bytes by which it is extended: seldom enough for the database, little enough for what others may bring meanwhile.
const STRETCH: i64 = 64 * 1024 * 1024;

/// Uploads as the handlers reach them; cheap to clone.
#[derive(Clone)]
pub struct Reception {
    pub(super) library: Library,
    pub(super) folder: Arc<Path>,
    pub quota: Quota,
    slots: Arc<Mutex<HashMap<UploadId, Arc<Slot>>>>,
    /// One file at a time gets into its place, so that two of the same content or name see each other.
    pub(super) finishing: Arc<AsyncMutex<()>>,
}

/// One upload's place in memory.
#[derive(Default)]
pub(super) struct Slot {
    held: Arc<AsyncMutex<()>>,
    newest: watch::Sender<u64>,
    /// Never locked across an await: a request that is gone may leave a write on another thread behind, and the next
    /// one waits for it here.
    part: Mutex<Option<Part>>,
}

/// The right to write to one upload. A newer request asks for it, and the older lets go: its connection is broken in all
/// likelihood, only that this side doesn't know yet.
pub struct Turn {
    pub(super) id: UploadId,
    slot: Arc<Slot>,
    number: u64,
    newest: watch::Receiver<u64>,
    _held: OwnedMutexGuard<()>,
}

impl Turn {
    /// Returns when somebody newer waits.
    pub(super) async fn is_over(&mut self) {
        let number = self.number;
        // The sender lives in the slot, which this holds.
        let _ = self.newest.wait_for(|newest| *newest > number).await;
    }
}

/// How far an upload is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Bytes that have arrived.
    pub offset: u64,
    /// Bytes that were announced.
    pub length: u64,
    /// What became of it.
    pub item: Option<MediaId>,
    /// Its content was there already.
    pub known: bool,
}

impl Reception {
    pub fn new(config: &Config, library: Library) -> Self {
        Self {
            folder: library.folder().join(FOLDER).into(),
            library,
            quota: Quota { person: config.media_person_bytes, total: config.media_total_bytes },
            slots: Arc::default(),
            finishing: Arc::default(),
        }
    }

    pub fn library(&self) -> &Library {
        &self.library
    }

    /// Announces a file of so many bytes.
    ///
    /// # Errors
    /// `Invalid` for an empty one, and what [`upload::create`] refuses; `Busy` when the disk is full.
    pub async fn announce(&self, user: UserId, name: &str, length: u64) -> Result<Upload> {
        if length == 0 {
            return Err(empty());
        }
        let now = now_ms();
        let announced = Upload {
            id: UploadId::random()?,
            user_id: user,
            name: tidy_name(name),
            length: i64::try_from(length).unwrap_or(i64::MAX),
            path: None,
            hash: None,
            media_id: None,
            started_at: now,
            touched_at: now,
            audience: Audience::All.as_str().to_owned(),
        };
        let free = self.free().await?;
        let (quota, row) = (self.quota, announced.clone());
        self.library.db().write(move |conn| upload::create(conn, &row, quota)).await?;
        if free < length.saturating_add(RESERVE) {
            self.forget(&announced.id).await?;
            return Err(full());
        }
        Ok(announced)
    }

    /// Makes room for a further stretch of a file whose length nobody knows. Answers with its bytes.
    ///
    /// # Errors
    /// `TooLarge` when a quota is used up, `Busy` when the disk is full.
    pub(super) async fn extend(&self, upload: &Upload) -> Result<u64> {
        let (quota, row) = (self.quota, upload.clone());
        let more = self.library.db().write(move |conn| upload::extend(conn, &row, STRETCH, quota)).await?;
        let more = u64::try_from(more).unwrap_or_default();
        if self.free().await? < more.saturating_add(RESERVE) {
            return Err(full());
        }
        Ok(more)
    }

    /// Bytes that are free on the disk of the part files, whose folder is there afterwards.
    pub(super) async fn free(&self) -> Result<u64> {
        tokio::fs::create_dir_all(&*self.folder).await.map_err(|error| not_written(&error))?;
        disk::free(&self.folder).await.map_err(|error| not_written(&error))
    }

    /// One's own upload.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn find(&self, id: &UploadId, user: UserId) -> Result<Upload> {
        let id = id.clone();
        self.library.db().read(move |conn| upload::find(conn, &id, user)).await
    }

    /// One's own unfinished uploads, each with the bytes that have arrived. It disturbs none of them.
    pub async fn unfinished(&self, user: UserId) -> Result<Vec<(Upload, u64)>> {
        let uploads = self.library.db().read(move |conn| upload::unfinished(conn, Some(user))).await?;
        let folder = self.folder.clone();
        let look = move || {
            let arrived =
                |id: &UploadId| std::fs::metadata(part_path(&folder, id)).map_or(0, |meta| meta.len());
            uploads.into_iter().map(|upload| (arrived(&upload.id), upload)).map(|(n, u)| (u, n)).collect()
        };
        tokio::task::spawn_blocking(look).await.map_err(Error::internal)
    }

    /// How far an upload is; one that is whole is finished first.
    ///
    /// # Errors
    /// `NotFound`, and what [`Reception::finish`] refuses.
    pub async fn state(&self, id: &UploadId, user: UserId) -> Result<State> {
        self.find(id, user).await?;
        let turn = self.turn(id).await?;
        // Again: the request before may have finished it.
        let upload = self.find(id, user).await?;
        self.settle(&upload, &turn).await
    }

    /// Gives an upload up.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn discard(&self, id: &UploadId, user: UserId) -> Result<()> {
        self.find(id, user).await?;
        let turn = self.turn(id).await?;
        self.discard_held(&turn).await
    }

    pub(super) async fn discard_held(&self, turn: &Turn) -> Result<()> {
        self.remove_part(turn).await?;
        self.forget(&turn.id).await
    }

    async fn forget(&self, id: &UploadId) -> Result<()> {
        self.drop_slot(id);
        let id = id.clone();
        self.library.db().write(move |conn| upload::forget(conn, &id)).await
    }

    pub(super) async fn remove_part(&self, turn: &Turn) -> Result<()> {
        let (slot, path) = (turn.slot.clone(), part_path(&self.folder, &turn.id));
        let remove = move || {
            *slot.part.lock().unwrap_or_else(PoisonError::into_inner) = None;
            match std::fs::remove_file(path) {
                Err(error) if error.kind() != ErrorKind::NotFound => Err(not_written(&error)),
                _ => Ok(()),
            }
        };
        tokio::task::spawn_blocking(remove).await.map_err(Error::internal)?
    }

    fn drop_slot(&self, id: &UploadId) {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    fn slot(&self, id: &UploadId) -> Arc<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.entry(id.clone()).or_default().clone()
    }

    /// Asks whoever writes to this upload to let go, and waits for it.
    pub(super) async fn turn(&self, id: &UploadId) -> Result<Turn> {
        let slot = self.slot(id);
        let mut number = 0;
        slot.newest.send_modify(|newest| {
            *newest += 1;
            number = *newest;
        });
        let held = tokio::time::timeout(PATIENCE, slot.held.clone().lock_owned()).await;
        let held =
            held.map_err(|_| Error::Busy("That upload is still being written. Try again in a moment."))?;
        Ok(Turn { id: id.clone(), newest: slot.newest.subscribe(), slot, number, _held: held })
    }

    /// The same for tidying, which disturbs nobody.
    fn idle_turn(&self, id: &UploadId) -> Option<Turn> {
        let slot = self.slot(id);
        let held = slot.held.clone().try_lock_owned().ok()?;
        let number = *slot.newest.borrow();
        Some(Turn { id: id.clone(), newest: slot.newest.subscribe(), slot, number, _held: held })
    }

    /// Makes sure that the part file is known as it is. Answers with its length.
    pub(super) async fn begin(&self, turn: &Turn) -> Result<u64> {
        let (slot, path) = (turn.slot.clone(), part_path(&self.folder, &turn.id));
        let open = move || {
            let mut part = slot.part.lock().unwrap_or_else(PoisonError::into_inner);
            if !part.as_ref().is_some_and(Part::holds) {
                *part = Some(Part::open(&path)?);
            }
            Ok(part.as_ref().map_or(0, Part::length))
        };
        let opened: io::Result<u64> = tokio::task::spawn_blocking(open).await.map_err(Error::internal)?;
        opened.map_err(|error| not_written(&error))
    }

    /// Does something to the part file that [`begin`](Self::begin) has opened.
    pub(super) async fn with_part<T, F>(&self, turn: &Turn, act: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Part) -> io::Result<T> + Send + 'static,
    {
        let slot = turn.slot.clone();
        let run = move || {
            let mut part = slot.part.lock().unwrap_or_else(PoisonError::into_inner);
            part.as_mut().map_or_else(|| Err(ErrorKind::NotFound.into()), act)
        };
        let done = tokio::task::spawn_blocking(run).await.map_err(Error::internal)?;
        done.map_err(|error| not_written(&error))
    }

    /// Finishes what a crash interrupted, and removes what was given up. To be called at the start and now and then.
    pub async fn tidy(&self) -> Result<()> {
        for upload in self.library.db().read(|conn| upload::unfinished(conn, None)).await? {
            let Some(turn) = self.idle_turn(&upload.id) else { continue };
            let (path, length) = (part_path(&self.folder, &upload.id), upload.length);
            let whole = tokio::task::spawn_blocking(move || {
                std::fs::metadata(path).is_ok_and(|meta| i64::try_from(meta.len()) == Ok(length))
            });
            // A reader's list is a moment old: what has been finished meanwhile isn't found any more.
            if (upload.path.is_some() || whole.await.map_err(Error::internal)?)
                && let Ok(upload) = self.find(&upload.id, upload.user_id).await
                && let Err(error) = self.settle(&upload, &turn).await
            {
                tracing::warn!(%error, "an upload that was interrupted could not be finished");
            }
        }
        for upload in self.library.db().write(|conn| upload::expire(conn, now_ms())).await? {
            if let Some(turn) = self.idle_turn(&upload.id) {
                self.discard_held(&turn).await?;
            }
        }
        self.sweep().await
    }

    /// Removes part files and places in memory that no upload needs.
    async fn sweep(&self) -> Result<()> {
        let (folder, db) = (self.folder.clone(), self.library.db().clone());
        let slots: Vec<UploadId> =
            self.slots.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect();
        let sweep = move || -> Result<Vec<UploadId>> {
            let needless = |id: &UploadId| -> Result<bool> {
                Ok(!db.read_blocking(|conn| upload::is_unfinished(conn, id))?)
            };
            for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                let id = name.strip_suffix(".part").and_then(UploadId::parse);
                // A row is written before its file, so a file without one is nobody's.
                if let Some(id) = id
                    && needless(&id)?
                {
                    std::fs::remove_file(entry.path()).map_err(|error| not_written(&error))?;
                }
            }
            let mut over = Vec::new();
            for id in slots {
                if needless(&id)? {
                    over.push(id);
                }
            }
            Ok(over)
        };
        for id in tokio::task::spawn_blocking(sweep).await.map_err(Error::internal)?? {
            self.drop_slot(&id);
        }
        Ok(())
    }
}

pub(super) fn part_path(folder: &Path, id: &UploadId) -> PathBuf {
    folder.join(format!("{id}.part"))
}

/// The answer to a write that failed; the reason is for the log.
pub(super) fn not_written(error: &io::Error) -> Error {
    if error.kind() == ErrorKind::StorageFull {
        return full();
    }
    tracing::error!(%error, "an upload could not be written to the media folder");
    Error::Busy("That could not be stored just now. Try again in a moment.")
}

pub(super) fn empty() -> Error {
    Error::field("file", "That file is empty.")
}

pub(super) fn full() -> Error {
    tracing::warn!("an upload was refused: the disk of the media folder is full");
    Error::Busy("The server's disk is full. Whoever looks after this place has to make room first.")
}
