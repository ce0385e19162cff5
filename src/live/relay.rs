//! One worker's viewers: what a station has encoded once goes from here into their outboxes.
//!
//! [`Desk`] lives on the worker's thread and is shared by its viewers without locks; the [`Relay`] actor is how stations
//! reach it, with one message per worker and sample.

use crate::ids::StreamId;
use crate::site::socket::frames::close_frame;
use crate::site::socket::outbox::Outbox;
use crate::site::socket::seat::Speech;
use actix::{Actor, Addr, Context, Handler, Message};
use actix_http::ws::CloseCode;
use bytes::Bytes;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::oneshot;

/// Things on their way to one worker. A worker that is further behind misses some, as a slow viewer does.
const UNDER_WAY: usize = 256;

/// Something for the viewers of a stream, encoded once for everybody.
#[derive(Debug, Default)]
pub struct Unit {
    /// Whole WebSocket frames.
    pub frames: Bytes,
    /// The same as Server-Sent Events.
    pub events: Bytes,
}

impl Unit {
    fn spoken(&self, speech: Speech) -> Bytes {
        match speech {
            Speech::WebSocket => self.frames.clone(),
            Speech::Events => self.events.clone(),
        }
    }
}

/// By what somebody watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// They are signed in.
    Person,
    /// The stream's own token for players.
    Token,
    /// It is public.
    Nobody,
}

struct Viewer {
    stream: StreamId,
    pass: Pass,
    speech: Speech,
    outbox: Rc<Outbox>,
}

#[derive(Default)]
struct Viewers {
    all: HashMap<u64, Viewer>,
    /// Those that have had their first frame.
    of: HashMap<StreamId, HashSet<u64>>,
    next: u64,
}

/// The worker's viewers. Cheap to clone; every clone is the same desk.
#[derive(Clone)]
pub struct Desk {
    /// The worker's number.
    pub worker: usize,
    viewers: Rc<RefCell<Viewers>>,
}

impl Desk {
    pub fn new(worker: usize) -> Self {
        Self { worker, viewers: Rc::default() }
    }

    /// Writes a viewer down; the station's [`Welcome`] lets the first frame out. Answers with their number.
    pub fn enter(&self, stream: StreamId, pass: Pass, speech: Speech, outbox: Rc<Outbox>) -> u64 {
        let mut viewers = self.viewers.borrow_mut();
        viewers.next += 1;
        let number = viewers.next;
        viewers.all.insert(number, Viewer { stream, pass, speech, outbox });
        number
    }

    /// Forgets a viewer.
    pub fn leave(&self, number: u64) {
        let mut viewers = self.viewers.borrow_mut();
        let Some(Viewer { stream, .. }) = viewers.all.remove(&number) else { return };
        if let Some(of) = viewers.of.get_mut(&stream) {
            of.remove(&number);
            if of.is_empty() {
                viewers.of.remove(&stream);
            }
        }
    }

    fn welcome(&self, number: u64, first: &Unit) -> bool {
        let mut viewers = self.viewers.borrow_mut();
        let Some(viewer) = viewers.all.get(&number) else { return false };
        let stream = viewer.stream;
        viewer.outbox.open_with(first.spoken(viewer.speech));
        viewers.of.entry(stream).or_default().insert(number)
    }

    fn cast(&self, stream: StreamId, unit: &Unit) {
        let viewers = self.viewers.borrow();
        for number in viewers.of.get(&stream).into_iter().flatten() {
            if let Some(viewer) = viewers.all.get(number) {
                viewer.outbox.push_newest(unit.spoken(viewer.speech));
            }
        }
    }

    fn dismiss(&self, stream: StreamId, whom: Whom) {
        let viewers = self.viewers.borrow();
        for viewer in viewers.all.values().filter(|viewer| viewer.stream == stream) {
            let goes = match whom {
                Whom::All => true,
                Whom::Strangers => viewer.pass == Pass::Nobody,
                Whom::Tokens => viewer.pass == Pass::Token,
            };
            if goes {
                viewer.outbox.close_with(match viewer.speech {
                    Speech::WebSocket => {
                        close_frame(CloseCode::Policy, "This stream isn't to be seen any more.")
                    }
                    Speech::Events => Bytes::new(),
                });
            }
        }
    }
}

/// Which viewers have to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whom {
    All,
    /// Those who aren't signed in and have no token.
    Strangers,
    /// Those with the stream's token.
    Tokens,
}

/// The worker's actor.
pub struct Relay(pub Desk);

impl Actor for Relay {
    type Context = Context<Self>;
}

/// Lets a viewer in: `first` goes out before all that is cast from now on.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Welcome {
    pub number: u64,
    pub first: Arc<Unit>,
    /// Told whether they were still there.
    pub done: oneshot::Sender<bool>,
}

impl Handler<Welcome> for Relay {
    type Result = ();

    fn handle(&mut self, welcome: Welcome, _: &mut Self::Context) {
        let is_in = self.0.welcome(welcome.number, &welcome.first);
        // Whoever asked may have gone meanwhile, and has left by themselves.
        let _ = welcome.done.send(is_in);
    }
}

/// Something for all viewers of a stream.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Cast {
    stream: StreamId,
    unit: Arc<Unit>,
    under_way: Arc<AtomicUsize>,
}

impl Handler<Cast> for Relay {
    type Result = ();

    fn handle(&mut self, cast: Cast, _: &mut Self::Context) {
        self.0.cast(cast.stream, &cast.unit);
        cast.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Some viewers of a stream have to go.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Dismiss {
    pub stream: StreamId,
    pub whom: Whom,
}

impl Handler<Dismiss> for Relay {
    type Result = ();

    fn handle(&mut self, Dismiss { stream, whom }: Dismiss, _: &mut Self::Context) {
        self.0.dismiss(stream, whom);
    }
}

#[derive(Clone)]
struct Line {
    worker: usize,
    relay: Addr<Relay>,
    under_way: Arc<AtomicUsize>,
}

/// The way from stations to all workers. Cheap to clone.
#[derive(Clone, Default)]
pub struct Lines(Arc<RwLock<Vec<Line>>>);

impl Lines {
    /// A worker has started.
    pub fn add(&self, worker: usize, relay: Addr<Relay>) {
        let line = Line { worker, relay, under_way: Arc::default() };
        self.0.write().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    fn each(&self, workers: impl Fn(usize) -> bool, mut tell: impl FnMut(&Line)) {
        let lines = self.0.read().unwrap_or_else(PoisonError::into_inner);
        lines.iter().filter(|line| workers(line.worker)).for_each(&mut tell);
    }

    pub fn welcome(&self, worker: usize, welcome: Welcome) {
        let mut welcome = Some(welcome);
        self.each(
            |one| one == worker,
            |line| {
                if let Some(welcome) = welcome.take() {
                    line.relay.do_send(welcome);
                }
            },
        );
    }

    /// Sends to the workers that `watch`, unless one is far behind.
    pub fn cast(&self, stream: StreamId, unit: &Arc<Unit>, watch: impl Fn(usize) -> bool) {
        self.each(watch, |line| {
            if line.under_way.load(Ordering::Relaxed) < UNDER_WAY {
                line.under_way.fetch_add(1, Ordering::Relaxed);
                let (unit, under_way) = (unit.clone(), line.under_way.clone());
                line.relay.do_send(Cast { stream, unit, under_way });
            }
        });
    }

    pub fn dismiss(&self, stream: StreamId, whom: Whom) {
        self.each(|_| true, |line| line.relay.do_send(Dismiss { stream, whom }));
    }
}
