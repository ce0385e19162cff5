//! What waits to be sent to one connection, and the response body that sends it.
//!
//! Everything for a client goes through here, replies, pong and close too, or order is lost. Deliveries don't pass
//! through the connection's mailbox: one wake per connection and flush costs half as much.

use actix_web::Error;
use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};
use tokio::time::Sleep;

/// How long the client's own close frame is waited for after ours; RFC 6455 §7.1.1 has the server close the socket.
const LINGER: Duration = Duration::from_secs(1);
/// Bytes handed to the socket in one piece; what is larger goes out in several.
const FLUSH_BYTES: usize = 64 * 1024;

/// The queue of encoded frames for one connection. Lives on the connection's own thread.
pub struct Outbox {
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    frames: VecDeque<Bytes>,
    bytes: usize,
    /// Nothing leaves until the first frame (`ready`) is there.
    held: bool,
    /// Takes nothing more: the close frame is in, or too much was waiting.
    closed: bool,
    /// Bytes that may wait. A client that lets more pile up comes back and asks `changes`.
    limit: usize,
    /// How long nothing of it may be read.
    unread_for: Duration,
    waker: Option<Waker>,
    /// Since when something waits that nobody took.
    waiting_since: Option<Instant>,
}

/// The connection lets too much pile up and has to be ended.
#[derive(Debug, PartialEq, Eq)]
pub struct Overflow;

impl Outbox {
    /// An outbox that holds everything back until [`open_with`](Self::open_with): at most `limit` bytes, of which some are read
    /// within `unread_for`.
    pub fn held(limit: usize, unread_for: Duration) -> Self {
        Self { state: RefCell::new(State { held: true, limit, unread_for, ..State::default() }) }
    }

    /// Queues encoded frames.
    ///
    /// # Errors
    /// `Overflow` when more than its bound would wait: the backlog is dropped, the connection must go.
    pub fn push(&self, frames: Bytes) -> Result<(), Overflow> {
        let mut state = self.state.borrow_mut();
        if state.closed {
            return Ok(());
        }
        if state.bytes + frames.len() > state.limit && !state.frames.is_empty() {
            state.frames = VecDeque::new();
            state.bytes = 0;
            state.closed = true;
            return Err(Overflow);
        }
        state.bytes += frames.len();
        state.frames.push_back(frames);
        wake(state);
        Ok(())
    }

    /// Queues frames that make older ones worthless: when more than its bound would wait, what waits is dropped for them
    /// and the client skips. A client that reads nothing at all still gets stuck. Answers with whether it skipped.
    pub fn push_newest(&self, frames: &[Bytes]) -> bool {
        let bytes: usize = frames.iter().map(Bytes::len).sum();
        let skips = !self.has_room(bytes);
        let mut state = self.state.borrow_mut();
        if state.closed {
            return false;
        }
        if skips {
            state.frames.clear();
            state.bytes = 0;
        }
        state.bytes += bytes;
        state.frames.extend(frames.iter().cloned());
        wake(state);
        skips
    }

    /// Lets at least so many bytes wait from now on.
    pub fn widen(&self, limit: usize) {
        let mut state = self.state.borrow_mut();
        state.limit = state.limit.max(limit);
    }

    /// Whether so many bytes may wait without anything being dropped for them.
    pub fn has_room(&self, bytes: usize) -> bool {
        let state = self.state.borrow();
        state.bytes + bytes <= state.limit || state.frames.is_empty()
    }

    /// Queues frames that nobody misses: not where more than its bound would wait.
    pub fn offer(&self, frames: Bytes) {
        let mut state = self.state.borrow_mut();
        if !state.closed && state.bytes + frames.len() <= state.limit {
            state.bytes += frames.len();
            state.frames.push_back(frames);
            wake(state);
        }
    }

    /// Puts `first` before everything that waits and lets it all go.
    pub fn open_with(&self, first: Bytes) {
        let mut state = self.state.borrow_mut();
        state.held = false;
        if !first.is_empty() {
            state.bytes += first.len();
            state.frames.push_front(first);
        }
        wake(state);
    }

    /// Queues the last frames: what comes later is dropped, what waits still goes out.
    pub fn close_with(&self, last: Bytes) {
        let mut state = self.state.borrow_mut();
        if !state.closed {
            state.held = false;
            state.closed = true;
            state.bytes += last.len();
            state.frames.push_back(last);
            wake(state);
        }
    }

    /// Whether the last frames are in, so that nothing the client still asks can be answered.
    pub fn is_closed(&self) -> bool {
        self.state.borrow().closed
    }

    /// Whether the client hasn't read anything for too long although something waits.
    pub fn is_stuck(&self, now: Instant) -> bool {
        let state = self.state.borrow();
        state.waiting_since.is_some_and(|since| now.duration_since(since) > state.unread_for)
    }

    fn take(&self) -> Option<Bytes> {
        let mut state = self.state.borrow_mut();
        if state.held {
            return None;
        }
        let first = state.frames.pop_front()?;
        let joined = match state.frames.front() {
            Some(next) if first.len() + next.len() <= FLUSH_BYTES => {
                let mut joined = BytesMut::with_capacity((first.len() + state.bytes).min(FLUSH_BYTES));
                joined.extend_from_slice(&first);
                while let Some(next) = state.frames.front() {
                    if joined.len() + next.len() > FLUSH_BYTES {
                        break;
                    }
                    joined.extend_from_slice(next);
                    state.frames.pop_front();
                }
                joined.freeze()
            }
            _ => first,
        };
        state.bytes = state.bytes.saturating_sub(joined.len());
        state.waiting_since = if state.frames.is_empty() { None } else { Some(Instant::now()) };
        if state.frames.is_empty() {
            // An idle connection keeps no buffer: ten thousand of them would.
            state.frames = VecDeque::new();
        }
        Some(joined)
    }
}

fn wake(mut state: std::cell::RefMut<'_, State>) {
    state.waiting_since.get_or_insert_with(Instant::now);
    let waker = state.waker.take();
    drop(state);
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// Wakes the task of a response, and remembers that its actor asked for it.
struct Bell {
    has_rung: AtomicBool,
    task: Mutex<Waker>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.has_rung.store(true, Ordering::Release);
        self.task.lock().unwrap_or_else(PoisonError::into_inner).wake_by_ref();
    }
}

/// The body of a WebSocket response: the actor's own stream, which drives it, and its outbox.
pub struct OutboxStream<S> {
    actor: Option<Pin<Box<S>>>,
    outbox: Rc<Outbox>,
    linger: Option<Pin<Box<Sleep>>>,
    /// A delivery wakes the task too, a thousand of them a message, and the actor has nothing to do with it: it is asked
    /// only when it has called.
    bell: Arc<Bell>,
    caller: Waker,
}

impl<S> OutboxStream<S> {
    pub fn new(actor: S, outbox: Rc<Outbox>) -> Self {
        let bell =
            Arc::new(Bell { has_rung: AtomicBool::new(true), task: Mutex::new(Waker::noop().clone()) });
        let caller = Waker::from(bell.clone());
        Self { actor: Some(Box::pin(actor)), outbox, linger: None, bell, caller }
    }

    /// Has whoever can go on call this task, from before anything is looked at: what happens in between wakes it again.
    fn register(&self, waker: &Waker) {
        let mut state = self.outbox.state.borrow_mut();
        if !state.waker.as_ref().is_some_and(|w| w.will_wake(waker)) {
            state.waker = Some(waker.clone());
            let mut task = self.bell.task.lock().unwrap_or_else(PoisonError::into_inner);
            if !task.will_wake(waker) {
                task.clone_from(waker);
            }
        }
    }
}

impl<S: Stream<Item = Result<Bytes, Error>>> Stream for OutboxStream<S> {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.register(cx.waker());
        if self.bell.has_rung.swap(false, Ordering::AcqRel) {
            let this = &mut *self;
            if let Some(actor) = &mut this.actor {
                match actor.as_mut().poll_next(&mut Context::from_waker(&this.caller)) {
                    Poll::Ready(Some(item)) => {
                        // There may be more.
                        this.bell.has_rung.store(true, Ordering::Release);
                        return Poll::Ready(Some(item));
                    }
                    // The actor has ended; what it left in the outbox (its close frame) still goes out.
                    Poll::Ready(None) => this.actor = None,
                    Poll::Pending => {}
                }
            }
        }
        match self.outbox.take() {
            Some(bytes) => Poll::Ready(Some(Ok(bytes))),
            None if self.actor.is_none() => Poll::Ready(None),
            None if self.outbox.is_closed() => {
                let linger = self.linger.get_or_insert_with(|| Box::pin(tokio::time::sleep(LINGER)));
                linger.as_mut().poll(cx).map(|()| None)
            }
            None => Poll::Pending,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 256 * 1024;

    fn held() -> Outbox {
        Outbox::held(LIMIT, Duration::from_secs(30))
    }

    fn open() -> Outbox {
        let outbox = held();
        outbox.open_with(Bytes::new());
        outbox.take();
        outbox
    }

    #[test]
    fn frames_leave_in_order_and_nothing_before_the_first() {
        let outbox = held();
        assert_eq!(outbox.push(Bytes::from_static(b"b")), Ok(()));
        assert_eq!(outbox.take(), None);
        outbox.open_with(Bytes::from_static(b"a"));
        outbox.close_with(Bytes::from_static(b"c"));
        assert_eq!(outbox.push(Bytes::from_static(b"late")), Ok(()));
        assert_eq!(outbox.take().as_deref(), Some(&b"abc"[..]));
        assert_eq!(outbox.take(), None);
    }

    #[test]
    fn what_is_worthless_is_skipped_and_the_client_stays() {
        let outbox = open();
        let frame = |byte: u8| Bytes::from(vec![byte; 100 * 1024]);
        assert!(!outbox.push_newest(&[frame(1)]) && !outbox.push_newest(&[frame(2)]));
        let since = outbox.state.borrow().waiting_since;
        assert!(outbox.push_newest(&[frame(3)]));
        outbox.offer(frame(4));
        outbox.offer(frame(5));
        assert_eq!(outbox.state.borrow().waiting_since, since, "skipping is not reading");
        let taken: Vec<u8> = std::iter::from_fn(|| outbox.take()).map(|bytes| bytes[0]).collect();
        assert_eq!((taken, outbox.is_closed()), (vec![3, 4], false));
    }

    #[test]
    fn what_waits_is_bounded() {
        let outbox = open();
        let frame = Bytes::from(vec![0; 100 * 1024]);
        assert_eq!((outbox.push(frame.clone()), outbox.push(frame.clone())), (Ok(()), Ok(())));
        assert_eq!(outbox.push(frame.clone()), Err(Overflow));
        assert_eq!(outbox.take(), None);
        let fresh = open();
        assert_eq!(fresh.push(Bytes::from(vec![0; LIMIT + 1])), Ok(()), "one large page alone may go");
    }
}
