//! Recording: while it is switched on, a stream's video and readings go to the disk as they come, and its film into the
//! library when it ends.
//!
//! The station hands over what it has cast ([`tap`]), a thread of each recording's own writes it ([`writer`]), and what
//! is whole is brought to the library ([`settle`]), after a kill by the next start. A disk that is slow or full ends a
//! recording, with a reason; it never holds up the source or a viewer.

pub mod api;
mod csv;
pub mod pages;
mod row;
mod settle;
mod tap;
mod writer;

pub use pages::RecordingsView;
pub use row::Recording;
pub use tap::{Order, State, Switch, Tap, unit};

use crate::error::Result;
use crate::ids::{MediaId, UserId};
use crate::rooms::Db;
use actix::WeakAddr;
use futures_core::future::BoxFuture;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::runtime::Handle;

/// Where the files are, in the data folder.
const FOLDER: &str = "recordings";
/// Endings of a recording's files.
const FILM: &str = "mp4";
const READINGS: &str = "ndjson";

/// A film that is whole.
#[derive(Clone, Debug)]
pub struct Film {
    /// 32 hexadecimal digits.
    pub id: String,
    pub user: UserId,
    pub title: String,
    /// Everybody may see it.
    pub public: bool,
    pub file: PathBuf,
}

/// The library, as far as recordings need it; [`app`](crate::app) gives it.
pub trait Shelf: Send + Sync {
    /// Bytes that this person may still add.
    fn room(&self, user: UserId) -> BoxFuture<'static, Result<u64>>;
    /// Makes an item of it. Brought once more, it is the same item.
    fn land(&self, film: Film) -> BoxFuture<'static, Result<MediaId>>;
    /// Which of these somebody sees.
    fn seen(&self, who: Option<UserId>, ids: Vec<MediaId>) -> BoxFuture<'static, Result<Vec<MediaId>>>;
}

/// All recordings. Cheap to clone.
#[derive(Clone)]
pub struct Recordings(Arc<Inner>);

struct Inner {
    db: Db,
    shelf: Arc<dyn Shelf>,
    folder: PathBuf,
    /// Those that this process writes or brings to the library.
    open: Mutex<HashMap<String, Open>>,
    runtime: Handle,
}

/// What is known of one that is written.
#[derive(Clone)]
struct Open {
    user: UserId,
    /// Bytes so far.
    bytes: Arc<AtomicU64>,
    /// Who hears how it goes.
    station: Option<WeakAddr<super::station::Station>>,
}

impl Recordings {
    /// Recordings in the data folder; what is whole goes to `shelf`.
    pub fn new(data: &Path, db: Db, shelf: Arc<dyn Shelf>) -> Self {
        let (folder, runtime) = (data.join(FOLDER), Handle::current());
        Self(Arc::new(Inner { db, shelf, folder, open: Mutex::default(), runtime }))
    }

    fn path(&self, id: &str, ending: &str) -> PathBuf {
        self.0.folder.join(format!("{id}.{ending}"))
    }

    fn is_open(&self, id: &str) -> bool {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner).contains_key(id)
    }

    fn note_open(&self, id: &str, open: Open) {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), open);
    }

    /// It is no more this process's business.
    fn note_closed(&self, id: &str) {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    /// Bytes of somebody's recordings that are being written.
    fn under_way(&self, user: UserId) -> u64 {
        let open = self.0.open.lock().unwrap_or_else(PoisonError::into_inner);
        let own = open.values().filter(|open| open.user == user);
        own.map(|open| open.bytes.load(Ordering::Relaxed)).sum()
    }
}
