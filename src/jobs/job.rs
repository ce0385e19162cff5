//! What a kind of job is, and what its run can end with.

use crate::db::Conn;
use crate::error::{Error, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// What a finished job writes, in the transaction that takes it off the queue.
pub type Done = Box<dyn FnMut(&mut Conn) -> Result<()> + Send>;

/// Something to be done in the background, as it is stored.
pub trait Job: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Its kind, as stored.
    const NAME: &'static str;
    /// What a run needs to reach.
    type Place: Clone + 'static;

    /// What it is about: the queue has at most one job of a kind for each.
    fn subject(&self) -> i64;

    /// Does it. Dropping the future ends it: a cancelled job, a stop, a lease that was lost. It runs on the server's
    /// main thread, so whatever blocks belongs elsewhere.
    fn run(self, place: Self::Place, turn: Turn) -> impl Future<Output = Result<Done, Halt>>;

    /// Writes in the feature's own tables how the job stands, in the transaction that changes it.
    fn note(&self, conn: &mut Conn, stage: &Stage) -> Result<()>;

    /// The same for one that failed because it can't be read any more: all that is known is what it was about.
    /// `sentence` is for people.
    fn note_lost(conn: &mut Conn, subject: i64, sentence: &str) -> Result<()>;
}

/// How a job stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    Waiting,
    /// With its percent.
    Running(u8),
    /// One sentence for people.
    Failed(String),
}

/// Why a run ended without being done.
#[derive(Debug)]
pub enum Halt {
    /// It can't be done, however often; one sentence for people.
    Failed(String),
    /// Something around it doesn't work; it is worth another try.
    Again(Error),
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Again(error)
    }
}

impl From<std::io::Error> for Halt {
    fn from(error: std::io::Error) -> Self {
        Self::Again(Error::internal(error))
    }
}

/// One run of a job.
#[derive(Clone, Debug)]
pub struct Turn {
    lease: Arc<str>,
    percent: Arc<AtomicU8>,
    is_last: bool,
}

impl Turn {
    pub(super) fn new(lease: &str, is_last: bool) -> Self {
        Self { lease: lease.into(), percent: Arc::default(), is_last }
    }

    /// Whether it is given up when this run ends with [`Halt::Again`]: whoever knows better words than those for any
    /// job says them now.
    pub fn is_last(&self) -> bool {
        self.is_last
    }

    /// 32 hexadecimal digits that no other run has.
    pub fn lease(&self) -> &str {
        &self.lease
    }

    /// Says how far it is, 0 to 100. It is written at most once a second.
    pub fn reach(&self, percent: f64) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        self.percent.store(percent.clamp(0.0, 100.0) as u8, Ordering::Relaxed);
    }

    pub(super) fn percent(&self) -> u8 {
        self.percent.load(Ordering::Relaxed)
    }
}
