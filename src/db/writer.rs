//! The write door: one thread per database that commits everything waiting in one transaction.

use super::checkpoint::Checkpoints;
use super::{Conn, FULL, Manager, begin, commit, rollback};
use crate::error::{Error, Result};
use diesel::result::DatabaseErrorKind;
use diesel::{Connection, QueryResult};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Units in one transaction. The database gains nothing past some 256, but whoever is told of them does: two hundred busy
/// rooms at once are one write for each connection instead of ten. Postgres takes 65,535 values in a statement.
const BATCH: usize = 2048;
/// Units of a batch from which on as many are expected of the next one.
const CROWD: usize = 4;
/// How long those are waited for. Who writes again once they have been answered comes within it, and shares one commit and
/// one delivery instead of two; whoever writes alone waits for nobody.
const GATHERING: Duration = Duration::from_millis(1);
const LOOK: Duration = Duration::from_micros(100);
/// Units that may wait. More than a second's work would only turn a refusal into a time-out.
const QUEUE: usize = 4096;
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
    fn apply(batch: &mut [Self], conn: &mut Conn, run: Run) -> QueryResult<()>;
}

/// How often a batch has been tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// What hardly ever stands there already need not be looked for: meeting it runs the batch again.
    First,
    /// Something was in the way: everything is looked for.
    Again,
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
    queue: mpsc::SyncSender<Order<W>>,
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
        let (queue, orders) = mpsc::sync_channel(QUEUE);
        let name = manager.which.name();
        let checkpoints = Checkpoints::start(&manager)?;
        let mut door = Door { conn: Some(conn), manager, settle, checkpoints };
        let thread =
            std::thread::Builder::new().name(format!("{name}-writer")).spawn(move || door.serve(&orders))?;
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
        while let Err(mpsc::TrySendError::Full(_)) = self.queue.try_send(Order::Close) {
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
    checkpoints: Checkpoints,
}

impl<S> Door<S> {
    fn serve<W: Work>(&mut self, orders: &mpsc::Receiver<Order<W>>)
    where
        S: FnMut(Vec<W>, std::result::Result<(), Failed>),
    {
        let (mut open, mut expected) = (true, 1);
        while open && let Ok(first) = orders.recv() {
            let mut batch = Vec::with_capacity(expected);
            let deadline = (expected >= CROWD).then(|| Instant::now() + GATHERING);
            let mut next = Some(first);
            while let Some(order) = next {
                match order {
                    Order::Apply(unit) => batch.push(unit),
                    Order::Close => open = false,
                }
                next = match deadline {
                    _ if !open || batch.len() >= BATCH => None,
                    Some(deadline) if batch.len() < expected => gather(orders, deadline),
                    _ => orders.try_recv().ok(),
                };
            }
            expected = batch.len();
            if !batch.is_empty() {
                let outcome = self.commit(&mut batch);
                if let Err(failed) = &outcome {
                    tracing::error!(database = self.manager.which.name(), reason = %failed.0, units = batch.len(), "a batch was not stored");
                }
                (self.settle)(batch, outcome);
            }
            if let Some(conn) = &mut self.conn {
                self.checkpoints.shorten(conn);
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
            let run = if attempt == 0 { Run::First } else { Run::Again };
            let ran = catch_unwind(AssertUnwindSafe(|| transact(conn, batch, run)));
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

/// The next order, if it comes in time. Looks now and then: being woken by each would cost more than the whole batch.
fn gather<W>(orders: &mpsc::Receiver<Order<W>>, deadline: Instant) -> Option<Order<W>> {
    loop {
        match orders.try_recv() {
            Ok(order) => return Some(order),
            Err(mpsc::TryRecvError::Empty) if Instant::now() < deadline => std::thread::sleep(LOOK),
            Err(_) => return None,
        }
    }
}

fn transact<W: Work>(conn: &mut Conn, batch: &mut [W], run: Run) -> QueryResult<()> {
    // A deferred transaction that reads before it writes fails under concurrency; an immediate one waits its turn.
    begin(conn, "BEGIN IMMEDIATE", "BEGIN")?;
    match W::apply(batch, conn, run).and_then(|()| commit(conn)) {
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

/// Another node was in the way, whose rows are visible on the next try; or something that was not looked for.
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
    fn apply(batch: &mut [Self], conn: &mut Conn, _: Run) -> QueryResult<()> {
        batch.iter_mut().try_for_each(|task| task.run(conn))
    }
}
