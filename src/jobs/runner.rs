//! Takes jobs off the queue and runs them, so many at a time.

use super::job::{Done, Halt, Job, Stage, Turn};
use super::node::Node;
use super::queue::{self, GIVEN_UP, LEASE, Taken, UNREAD};
use crate::clock::now_ms;
use crate::db::{Conn, Database, Task, Work};
use crate::error::{Error, Result};
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, Semaphore, watch};

/// How often the queue is looked at when nobody rings.
const LOOK: Duration = Duration::from_secs(5);
/// How often progress is written.
const PROGRESS: Duration = Duration::from_secs(1);
/// How often a runner says that it lives, whatever the progress: often enough that one lost word is no death.
const BEAT: Duration = Duration::from_millis(LEASE.unsigned_abs() / 6);
/// How long a stop waits for jobs to be put back.
const PATIENCE: Duration = Duration::from_secs(4);

type Ended = Result<Done, Halt>;

/// One kind of job, without its type.
struct Kind {
    name: &'static str,
    start: Start,
    note: fn(&Taken, &mut Conn, &Stage) -> Result<()>,
}

/// The runner as the rest of the program reaches it; cheap to clone.
#[derive(Clone, Default)]
pub struct Jobs {
    bell: Arc<Notify>,
    running: Arc<Mutex<UnderWay>>,
}

/// What runs here, by kind and subject, with what ends it.
type UnderWay = HashMap<(String, i64), Arc<Notify>>;

impl Jobs {
    /// There is something new in the queue.
    pub fn ring(&self) {
        self.bell.notify_one();
    }

    /// Ends a job that was taken off the queue, if this node runs it. Another node learns within seconds that its lease
    /// is gone.
    pub fn end<J: Job>(&self, subject: i64) {
        if let Some(stop) = self.locked().get(&(J::NAME.to_owned(), subject)) {
            stop.notify_one();
        }
    }

    /// Forgets a run; a newer one of the same stays.
    fn leave(&self, key: &(String, i64), end: &Arc<Notify>) {
        let mut running = self.locked();
        if running.get(key).is_some_and(|other| Arc::ptr_eq(other, end)) {
            running.remove(key);
        }
    }

    fn locked(&self) -> MutexGuard<'_, UnderWay> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs jobs on the thread that it was made on.
pub struct Runner<W: Work> {
    db: Database<W>,
    jobs: Jobs,
    kinds: Vec<Kind>,
    slots: usize,
    node: Node,
}

/// A runner at work.
pub struct Working {
    stop: watch::Sender<bool>,
    slots: Arc<Semaphore>,
    all: u32,
}

impl Working {
    /// Ends what runs and puts it back into the queue.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        // Each run gives its slot back when it is over; whoever gets all of them is alone.
        if tokio::time::timeout(PATIENCE, self.slots.acquire_many(self.all)).await.is_err() {
            tracing::warn!("a job did not end in time; it is begun again at the next start");
        }
    }
}

impl<W: Work + From<Task>> Runner<W> {
    /// A runner of at most `slots` jobs at once.
    pub fn new(db: Database<W>, jobs: Jobs, slots: usize, node: Node) -> Self {
        Self { db, jobs, kinds: Vec::new(), slots, node }
    }

    /// Lets it run jobs of this kind.
    #[must_use]
    pub fn knows<J: Job>(mut self, place: J::Place) -> Self {
        let start: Start = Rc::new(move |payload, turn| {
            let (job, place) = (serde_json::from_str::<J>(payload), place.clone());
            Box::pin(async move {
                match job {
                    Ok(job) => job.run(place, turn).await,
                    Err(error) => {
                        tracing::error!(%error, kind = J::NAME, "a job can't be read");
                        Err(Halt::Failed(UNREAD.to_owned()))
                    }
                }
            })
        });
        self.kinds.push(Kind { name: J::NAME, start, note: note::<J> });
        self
    }

    /// Begins to work, on this thread's runtime.
    pub fn start(self) -> Working {
        let (stop, stopped) = watch::channel(false);
        let slots = Arc::new(Semaphore::new(self.slots));
        let all = u32::try_from(self.slots).unwrap_or(u32::MAX);
        actix::spawn(self.work(slots.clone(), stopped));
        Working { stop, slots, all }
    }

    async fn work(self, slots: Arc<Semaphore>, mut stopped: watch::Receiver<bool>) {
        let runner = Rc::new(self);
        let node = runner.node.name().to_owned();
        if let Err(error) = runner.db.write(move |conn| queue::take_back(conn, &node, now_ms())).await {
            tracing::warn!(%error, "jobs of this node's earlier life wait until their leases end");
        }
        loop {
            let permit = tokio::select! {
                permit = slots.clone().acquire_owned() => permit,
                _ = stopped.wait_for(|stop| *stop) => return,
            };
            let Ok(permit) = permit else { return };
            if *stopped.borrow() {
                return;
            }
            match runner.take().await {
                Ok(Some((taken, lease))) => {
                    let (runner, stopped) = (runner.clone(), stopped.clone());
                    actix::spawn(async move {
                        runner.carry_out(taken, &lease, stopped).await;
                        drop(permit);
                        runner.jobs.ring();
                    });
                    continue;
                }
                Ok(None) => {}
                Err(error) => tracing::warn!(%error, "the queue of jobs could not be read"),
            }
            drop(permit);
            tokio::select! {
                () = runner.jobs.bell.notified() => {}
                () = tokio::time::sleep(LOOK) => {}
                _ = stopped.wait_for(|stop| *stop) => return,
            }
        }
    }

    async fn take(&self) -> Result<Option<(Taken, String)>> {
        let kinds: Vec<&'static str> = self.kinds.iter().map(|kind| kind.name).collect();
        // Only a look, so that an idle server writes nothing.
        let names = kinds.clone();
        if !self.db.read(move |conn| queue::is_due(conn, &names, now_ms())).await? {
            return Ok(None);
        }
        let lease = self.node.lease()?;
        let taken = {
            let lease = lease.clone();
            self.db.write(move |conn| queue::take(conn, &kinds, &lease, now_ms())).await?
        };
        Ok(taken.map(|taken| (taken, lease)))
    }

    /// Runs one job to whatever end and writes it down.
    async fn carry_out(&self, taken: Taken, lease: &str, mut stopped: watch::Receiver<bool>) {
        let Some(kind) = self.kinds.iter().find(|kind| kind.name == taken.kind) else { return };
        let turn = Turn::new(lease, taken.is_last);
        let end = Arc::new(Notify::new());
        let key = (taken.kind.clone(), taken.subject);
        self.jobs.locked().insert(key.clone(), end.clone());
        let ended = if taken.worn_out {
            Some(Err(Halt::Failed(GIVEN_UP.to_owned())))
        } else {
            tracing::info!(kind = kind.name, subject = taken.subject, "a job begins");
            tokio::select! {
                ended = (kind.start)(&taken.payload, turn.clone()) => Some(ended),
                () = self.keep(&taken, kind, &turn) => None,
                () = end.notified() => None,
                _ = stopped.wait_for(|stop| *stop) => Some(Err(Halt::Again(Error::Busy(STOPPING)))),
            }
        };
        self.jobs.leave(&key, &end);
        let Some(ended) = ended else {
            tracing::info!(kind = kind.name, subject = taken.subject, "a job was taken away");
            return;
        };
        let interrupted = *stopped.borrow();
        if let Err(error) = self.settle(&taken, kind, lease, ended, interrupted).await {
            tracing::error!(%error, kind = kind.name, "the end of a job could not be written; it is begun again");
        }
    }

    async fn settle(
        &self,
        taken: &Taken,
        kind: &Kind,
        lease: &str,
        ended: Ended,
        interrupted: bool,
    ) -> Result<()> {
        let (id, note, taken, lease) = (taken.id, kind.note, taken.clone(), lease.to_owned());
        let (name, subject) = (kind.name, taken.subject);
        match ended {
            Ok(mut done) => {
                tracing::info!(kind = name, subject, "a job is done");
                let finish = move |conn: &mut Conn| {
                    if queue::finish(conn, id, &lease)? { done(conn) } else { Ok(()) }
                };
                self.db.write(finish).await
            }
            Err(Halt::Failed(sentence)) => {
                tracing::warn!(kind = name, subject, reason = sentence, "a job failed");
                let fail = move |conn: &mut Conn| {
                    if queue::fail(conn, id, &lease, &sentence)? {
                        note(&taken, conn, &Stage::Failed(sentence.clone()))?;
                    }
                    Ok(())
                };
                self.db.write(fail).await
            }
            Err(Halt::Again(error)) => {
                if !interrupted {
                    tracing::warn!(%error, kind = name, subject, "a job broke off; it is tried again");
                }
                let put_back = move |conn: &mut Conn| {
                    if queue::put_back(conn, id, &lease, interrupted, now_ms())? {
                        note(&taken, conn, &Stage::Waiting)?;
                    }
                    Ok(())
                };
                self.db.write(put_back).await
            }
        }
    }

    /// Says again and again that the job runs. Returns when it is not this runner's any more.
    async fn keep(&self, taken: &Taken, kind: &Kind, turn: &Turn) {
        let (mut written, mut at): (Option<u8>, Instant) = (None, Instant::now());
        loop {
            let percent = turn.percent();
            if written != Some(percent) || at.elapsed() >= BEAT {
                at = Instant::now();
                let (id, lease, note) = (taken.id, turn.lease().to_owned(), kind.note);
                let taken = taken.clone();
                let beat = move |conn: &mut Conn| {
                    let own = queue::beat(conn, id, &lease, percent, now_ms())?;
                    if own {
                        note(&taken, conn, &Stage::Running(percent))?;
                    }
                    Ok(own)
                };
                match self.db.write(beat).await {
                    Ok(true) => written = Some(percent),
                    Ok(false) => return,
                    // The database is away for a moment; the lease outlasts that.
                    Err(error) => tracing::warn!(%error, "a job's progress could not be written"),
                }
            }
            tokio::time::sleep(PROGRESS).await;
        }
    }
}

type Start = Rc<dyn Fn(&str, Turn) -> Pin<Box<dyn Future<Output = Ended>>>>;

/// For the log alone.
const STOPPING: &str = "the server is stopping";

fn note<J: Job>(taken: &Taken, conn: &mut Conn, stage: &Stage) -> Result<()> {
    match (serde_json::from_str::<J>(&taken.payload), stage) {
        (Ok(job), _) => job.note(conn, stage),
        (Err(_), Stage::Failed(sentence)) => J::note_lost(conn, taken.subject, sentence),
        (Err(_), _) => Ok(()),
    }
}
