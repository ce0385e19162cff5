//! One worker's viewers: what a station has encoded once goes from here into their outboxes.
//!
//! [`Desk`] lives on the worker's thread and is shared by its viewers without locks; the [`Relay`] actor is how stations
//! reach it, with one message per worker and sample.

use crate::ids::StreamId;
use crate::site::socket::frames::{close_frame, put_text};
use crate::site::socket::outbox::Outbox;
use crate::site::socket::seat::Speech;
use actix::{Actor, Addr, Context, Handler, Message};
use actix_http::ws::CloseCode;
use bytes::{Bytes, BytesMut};
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::oneshot;

/// Things on their way to one worker. A worker that is further behind misses some, as a slow viewer does.
const UNDER_WAY: usize = 256;
/// Bytes that may wait for a viewer of video before it skips: some seconds. All viewers share them.
const VIDEO_BYTES: usize = 8 * 1024 * 1024;

/// Something for the viewers of a stream, encoded once for everybody.
#[derive(Debug, Default)]
pub struct Unit {
    /// Whole WebSocket frames.
    pub frames: Bytes,
    /// The same as Server-Sent Events; empty for video, which those can't carry.
    pub events: Bytes,
    pub role: Role,
}

/// What a unit is for those who skip: video can only be gone on with at a key frame.
#[derive(Clone, Debug, Default)]
pub enum Role {
    #[default]
    Sample,
    /// What a player of video has to have first.
    Init,
    /// Whoever has skipped goes on here, with these frames of the beginning before it.
    Key(Bytes),
    /// Of no use to whoever has missed what is before it.
    Between,
}

impl Unit {
    /// News that is no sample: `json` has its `type`, which is the event's name as well.
    pub fn news(event: &str, json: &str) -> Self {
        let mut frames = BytesMut::new();
        put_text(&mut frames, json.as_bytes());
        let events = format!("event: {event}\ndata: {json}\n\n").into();
        Self { frames: frames.freeze(), events, role: Role::Sample }
    }

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
    /// Video that belongs to what comes next has been skipped.
    behind: Cell<bool>,
}

impl Viewer {
    fn give(&self, unit: &Unit) {
        let bytes = unit.spoken(self.speech);
        if bytes.is_empty() {
            return;
        }
        if !matches!(unit.role, Role::Sample) {
            self.outbox.widen(VIDEO_BYTES);
        }
        match &unit.role {
            Role::Between if self.behind.get() => {}
            Role::Key(init) if self.behind.get() || !self.outbox.has_room(bytes.len()) => {
                self.outbox.push_newest(&[init.clone(), bytes]);
                self.behind.set(false);
            }
            _ => {
                if self.outbox.push_newest(&[bytes]) {
                    self.behind.set(true);
                }
            }
        }
    }
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
        viewers.all.insert(number, Viewer { stream, pass, speech, outbox, behind: Cell::default() });
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

    fn welcome(&self, number: u64, first: &Unit, video: &[Arc<Unit>]) -> bool {
        let mut viewers = self.viewers.borrow_mut();
        let Some(viewer) = viewers.all.get(&number) else { return false };
        let stream = viewer.stream;
        viewer.outbox.open_with(first.spoken(viewer.speech));
        for unit in video {
            viewer.give(unit);
        }
        viewers.of.entry(stream).or_default().insert(number)
    }

    fn cast(&self, stream: StreamId, unit: &Unit) {
        let viewers = self.viewers.borrow();
        for number in viewers.of.get(&stream).into_iter().flatten() {
            if let Some(viewer) = viewers.all.get(number) {
                viewer.give(unit);
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
    /// From the newest key frame on.
    pub video: Vec<Arc<Unit>>,
    /// Told whether they were still there.
    pub done: oneshot::Sender<bool>,
}

impl Handler<Welcome> for Relay {
    type Result = ();

    fn handle(&mut self, welcome: Welcome, _: &mut Self::Context) {
        let is_in = self.0.welcome(welcome.number, &welcome.first, &welcome.video);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::socket::outbox::OutboxStream;
    use futures_util::StreamExt as _;

    fn unit(name: &'static str, bytes: usize, role: Role) -> Unit {
        let frames = [name.as_bytes(), &vec![b'.'; bytes]].concat();
        Unit { frames: frames.into(), role, ..Unit::default() }
    }

    /// Two of them may wait, three may not.
    const LARGE: usize = 2 * VIDEO_BYTES / 5;

    #[tokio::test]
    async fn whoever_skips_goes_on_at_the_next_key_frame_with_the_beginning_before_it() {
        let outbox = Rc::new(Outbox::held(100_000, std::time::Duration::from_secs(30)));
        let desk = Desk::new(0);
        let stream = StreamId(1);
        let number = desk.enter(stream, Pass::Nobody, Speech::WebSocket, outbox.clone());
        let key = |name| unit(name, LARGE, Role::Key(Bytes::from_static(b"init ")));
        let first = [unit("begin ", 0, Role::Init), key("one ")].map(Arc::new);
        assert!(desk.welcome(number, &Unit::default(), &first));
        desk.cast(stream, &unit("two ", LARGE, Role::Between));
        // Here the one before it makes room, and so do all that lean on it.
        desk.cast(stream, &unit("three ", LARGE, Role::Between));
        desk.cast(stream, &unit("four ", 10, Role::Between));
        desk.cast(stream, &unit("reading ", LARGE / 2, Role::Sample));
        desk.cast(stream, &key("five "));
        desk.cast(stream, &unit("six ", 0, Role::Between));
        desk.leave(number);
        outbox.close_with(Bytes::new());
        let mut sent = Vec::new();
        let mut body = OutboxStream::new(futures_util::stream::empty(), outbox);
        while let Some(bytes) = body.next().await {
            sent.extend_from_slice(&bytes.unwrap());
        }
        let sent = String::from_utf8(sent).unwrap().replace('.', "");
        assert!(sent.ends_with("init five six "), "{sent}");
        assert!(!sent.contains("four"), "what leans on what is gone: {sent}");
    }
}
