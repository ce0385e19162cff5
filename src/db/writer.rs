//! The write door: one thread per database that commits everything waiting in one transaction.

use super::{Conn, FULL, Manager, Url, begin, commit, rollback};
use crate::error::{Error, Result};
use diesel::connection::SimpleConnection;
use diesel::result::DatabaseErrorKind;
use diesel::{Connection, QueryResult};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, mpsc as std_mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};

/// Units in one transaction. Past this, one more unit costs as much as it saves.
const BATCH: usize = 256;
/// Units that may wait. More than a second's work would only turn a refusal into a time-out.
const QUEUE: usize = 4096;
/// How often the write-ahead log is moved into the database file.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(1);
/// How often a batch is run again after a conflict with another node.
const RETRIES: u32 = 8;
/// How long a lost connection is sought before the batch fails.
const RECONNECT: Duration = Duration::from_secs(5);

/// Something that changes the database inside a transaction that it shares with others.
pub trait Work: Sized + Send + 'static {
    /// Applies the units in order and keeps each one's outcome inside it. A unit that is refused undoes its own
    /// doings and lets the rest live. Called again with the same units when the database asks for a repetition.
    ///
    /// # Errors
    /// Only what fails the whole transaction.
    fn apply(batch: &mut [Self], conn: &mut Conn) -> QueryResult<()>;
}

/// Why a whole batch was not committed.
#[derive(Debug, Clone)]
pub struct Failed(pub String);

impl Failed {
    /// The answer that each unit of the batch gets; the reason has been logged once, by the writer.
    pub fn answer(&self) -> Error {
        // What SQLite says of a full disk, and of a quota or a limit on a file; what PostgreSQL says.
        let full = ["disk is full", "disk I/O error", "No space left on device", "quota exceeded"];
        if full.iter().any(|words| self.0.contains(words)) {
            FULL
        } else {
            Error::Busy("That could not be stored just now. Try again in a moment.")
        }
    }
}

/// The sending side of the write door.
pub struct Writer<W> {
    queue: mpsc::Sender<Order<W>>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

enum Order<W> {
    Apply(W),
    Close,
}

impl<W> Clone for Writer<W> {
    fn clone(&self) -> Self {
        Self { queue: self.queue.clone(), thread: self.thread.clone() }
    }
}

impl<W: Work> Writer<W> {
    /// Starts the thread, and on SQLite another one for the checkpoints.
    pub fn start(
        conn: Conn,
        manager: Manager,
        settle: impl FnMut(Vec<W>, std::result::Result<(), Failed>) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (queue, orders) = mpsc::channel(QUEUE);
        let name = manager.which.name();
        let checkpoints = start_checkpoints(&manager)?;
        let mut door = Door { conn: Some(conn), manager, settle };
        let thread = std::thread::Builder::new().name(format!("{name}-writer")).spawn(move || {
            door.serve(orders);
            drop(checkpoints);
        })?;
        Ok(Self { queue, thread: Arc::new(Mutex::new(Some(thread))) })
    }

    /// Queues one unit.
    ///
    /// # Errors
    /// `Busy` when the queue is full or closed.
    pub fn submit(&self, unit: W) -> Result<()> {
        self.queue
            .try_send(Order::Apply(unit))
            .map_err(|_| Error::Busy("Too much is waiting to be stored. Try again in a moment."))
    }

    /// Waits until all that was accepted is committed; the thread ends then.
    pub fn close(&self) {
        // A full queue drains by itself: the thread is the one that empties it.
        while let Err(mpsc::error::TrySendError::Full(_)) = self.queue.try_send(Order::Close) {
            std::thread::sleep(Duration::from_millis(5));
        }
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = thread.join();
        }
    }
}

/// The receiving side: the connection and the loop around it.
struct Door<S> {
    conn: Option<Conn>,
    manager: Manager,
    settle: S,
}

impl<S> Door<S> {
    fn serve<W: Work>(&mut self, mut orders: mpsc::Receiver<Order<W>>)
    where
        S: FnMut(Vec<W>, std::result::Result<(), Failed>),
    {
        let mut open = true;
        while open && let Some(first) = orders.blocking_recv() {
            let mut batch = Vec::new();
            let mut next = Some(first);
            while let Some(order) = next {
                match order {
                    Order::Apply(unit) => batch.push(unit),
                    Order::Close => open = false,
                }
                next = if open && batch.len() < BATCH { orders.try_recv().ok() } else { None };
            }
            if !batch.is_empty() {
                let outcome = self.commit(&mut batch);
                if let Err(failed) = &outcome {
                    tracing::error!(database = self.manager.which.name(), reason = %failed.0, units = batch.len(), "a batch was not stored");
                }
                (self.settle)(batch, outcome);
            }
        }
    }

    fn commit<W: Work>(&mut self, batch: &mut [W]) -> std::result::Result<(), Failed> {
        let started = Instant::now();
        let mut attempt = 0;
        loop {
            let conn = match self.conn.take() {
                Some(conn) => conn,
                None => match self.manager.open() {
                    Ok(conn) => conn,
                    Err(_) if started.elapsed() < RECONNECT => {
                        std::thread::sleep(Duration::from_millis(200));
                        continue;
                    }
                    Err(error) => return Err(Failed(error.to_string())),
                },
            };
            let conn = self.conn.insert(conn);
            // A panic in one unit must not take the door with it; the batch fails, the connection is made anew.
            let ran = catch_unwind(AssertUnwindSafe(|| transact(conn, batch)));
            match ran {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) if runs_again(&error) && attempt < RETRIES => {
                    attempt += 1;
                    std::thread::sleep(Duration::from_millis(u64::from(attempt)));
                }
                Ok(Err(error)) => {
                    let lost = is_lost(&error);
                    self.conn = None;
                    if !lost || started.elapsed() > RECONNECT {
                        return Err(Failed(error.to_string()));
                    }
                }
                Err(_) => {
                    self.conn = None;
                    return Err(Failed("a unit of work panicked".to_owned()));
                }
            }
        }
    }
}

fn transact<W: Work>(conn: &mut Conn, batch: &mut [W]) -> QueryResult<()> {
    // A deferred transaction that reads before it writes fails under concurrency; an immediate one waits its turn.
    begin(conn, "BEGIN IMMEDIATE", "BEGIN")?;
    match W::apply(batch, conn).and_then(|()| commit(conn)) {
        Ok(()) => Ok(()),
        Err(error) => {
            let _ = rollback(conn);
            Err(error)
        }
    }
}

/// Runs one unit's doings so that its own error undoes them alone.
///
/// # Errors
/// The outer one fails the whole transaction, the inner one is the unit's.
pub fn savepoint<T>(conn: &mut Conn, change: impl FnOnce(&mut Conn) -> Result<T>) -> QueryResult<Result<T>> {
    match conn.transaction(change) {
        Ok(done) => Ok(Ok(done)),
        Err(error) => raise(error).map(Err),
    }
}

/// Tells a unit's own error (`Ok`) from a conflict or a lost connection, which the whole transaction must repeat (`Err`).
pub fn raise(error: Error) -> QueryResult<Error> {
    match error {
        Error::Internal(source) => match source.downcast::<diesel::result::Error>() {
            Ok(error) if runs_again(&error) || is_lost(&error) => Err(*error),
            Ok(error) => Ok(Error::Internal(error)),
            Err(source) => Ok(Error::Internal(source)),
        },
        other => Ok(other),
    }
}

/// Postgres: another node was in the way. Its rows are visible on the next try.
fn runs_again(error: &diesel::result::Error) -> bool {
    match error {
        diesel::result::Error::DatabaseError(kind, info) => {
            matches!(kind, DatabaseErrorKind::SerializationFailure | DatabaseErrorKind::UniqueViolation)
                || info.message().contains("deadlock detected")
        }
        _ => false,
    }
}

fn is_lost(error: &diesel::result::Error) -> bool {
    matches!(
        error,
        diesel::result::Error::DatabaseError(DatabaseErrorKind::ClosedConnection, _)
            | diesel::result::Error::BrokenTransactionManager
    )
}

/// Moves the write-ahead log into the database file once a second, off the writer's path. Ends when the returned
/// end of the channel is dropped.
fn start_checkpoints(manager: &Manager) -> std::io::Result<std_mpsc::Sender<()>> {
    let (stop, stopped) = std_mpsc::channel::<()>();
    if matches!(manager.url, Url::Sqlite(_)) {
        let manager = manager.clone();
        std::thread::Builder::new().name(format!("{}-checkpoint", manager.which.name())).spawn(
            move || {
                let Ok(mut conn) = manager.open() else { return };
                let mut works = true;
                // The first at once: what a crash left in the log would otherwise be read again after the next crash.
                loop {
                    let done = conn.batch_execute("PRAGMA wal_checkpoint(PASSIVE)");
                    // Said once: a disk that is full already needn't take a line a second.
                    if let Err(error) = &done
                        && works
                    {
                        tracing::warn!(%error, "a checkpoint failed; it is tried again every second");
                    }
                    works = done.is_ok();
                    let stop = stopped.recv_timeout(CHECKPOINT_EVERY);
                    if !matches!(stop, Err(std_mpsc::RecvTimeoutError::Timeout)) {
                        break;
                    }
                }
            },
        )?;
    }
    Ok(stop)
}

/// One closure as a unit of work, with its answer.
pub struct Task(Box<dyn Unit>);

trait Unit: Send {
    fn apply(&mut self, conn: &mut Conn) -> QueryResult<()>;
    fn settle(self: Box<Self>, outcome: &std::result::Result<(), Failed>);
}

struct Answered<T, F> {
    change: F,
    result: Option<Result<T>>,
    answer: oneshot::Sender<Result<T>>,
}

impl<T: Send, F: FnMut(&mut Conn) -> Result<T> + Send> Unit for Answered<T, F> {
    fn apply(&mut self, conn: &mut Conn) -> QueryResult<()> {
        self.result = Some(savepoint(conn, &mut self.change)?);
        Ok(())
    }

    fn settle(self: Box<Self>, outcome: &std::result::Result<(), Failed>) {
        let result = match outcome {
            Ok(()) => self.result.unwrap_or_else(|| Err(Error::internal("a unit of work was never applied"))),
            Err(failed) => Err(failed.answer()),
        };
        // Nobody listens any more when the asker has gone away; the change stands all the same.
        let _ = self.answer.send(result);
    }
}

impl Task {
    /// The unit, and where its result will arrive after the commit.
    pub fn new<T, F>(change: F) -> (Self, oneshot::Receiver<Result<T>>)
    where
        T: Send + 'static,
        F: FnMut(&mut Conn) -> Result<T> + Send + 'static,
    {
        let (answer, receiver) = oneshot::channel();
        (Self(Box::new(Answered { change, result: None, answer })), receiver)
    }

    /// Runs the closure inside the open transaction.
    pub fn run(&mut self, conn: &mut Conn) -> QueryResult<()> {
        self.0.apply(conn)
    }

    /// Hands the result to whoever waits for it.
    pub fn settle(self, outcome: &std::result::Result<(), Failed>) {
        self.0.settle(outcome);
    }
}

impl Work for Task {
    fn apply(batch: &mut [Self], conn: &mut Conn) -> QueryResult<()> {
        batch.iter_mut().try_for_each(|task| task.run(conn))
    }
}
