//! Where a station lets what it casts run into a recording as well. Nothing here waits for a disk.

use super::super::relay::Unit;
use super::super::ring::Kept;
use super::super::station::Station;
use super::super::stream::Stream;
use super::super::video::{self, Init};
use super::Recordings;
use super::writer::{NOT_WRITTEN, SLOW, Writer};
use crate::clock::now_ms;
use crate::ids::{StreamId, UserId};
use actix::{Addr, Handler, Message, WeakAddr};
use bytes::Bytes;
use serde::Serialize;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// How long after its first readings a recording still takes up a film: sources of one thing seldom begin at once.
const TOGETHER: Duration = Duration::from_secs(10);
/// A longer film is begun anew: what finds its samples is in memory while it is finished.
const FILM_MAX: Duration = Duration::from_hours(12);
/// After this silence readings alone are a recording's last, ms. Sources that are seldom heard send oftener.
const SILENCE: i64 = 600_000;
/// How long after a recording had to stop the next one is tried.
const PAUSE: Duration = Duration::from_mins(1);

/// What is to be recorded, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    pub stream: StreamId,
    pub user: UserId,
    /// What the stream is called.
    pub title: String,
    /// Everybody may watch it.
    pub public: bool,
}

impl Order {
    /// Nothing while recording is switched off.
    pub fn of(row: &Stream) -> Option<Self> {
        let user = row.user_id.or(row.recorder)?;
        row.recorder.map(|_| Self {
            stream: row.id,
            user,
            title: row.called().to_owned(),
            public: row.public,
        })
    }
}

/// How recording stands, as pages and the API say it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct State {
    /// It is switched on.
    pub on: bool,
    /// Since when something is written, ms; nothing while nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<i64>,
    /// Why nothing is written though it is switched on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<&'static str>,
    /// When this or the list of recordings changed last, ms.
    pub changed: i64,
}

struct Open {
    writer: Writer,
    films: bool,
    begun: Instant,
}

/// A station's way into recordings.
pub struct Tap {
    recordings: Recordings,
    station: Option<WeakAddr<Station>>,
    order: Option<Order>,
    open: Option<Open>,
    /// Nothing is begun before.
    rests: Option<Instant>,
}

impl Tap {
    pub fn new(recordings: Recordings) -> Self {
        Self { recordings, station: None, order: None, open: None, rests: None }
    }

    /// The station's own address, by which it hears of its recordings.
    pub fn connect(&mut self, station: &Addr<Station>) {
        self.station = Some(station.downgrade());
    }

    fn end(&mut self, trouble: Option<&'static str>) -> bool {
        let Some(open) = self.open.take() else { return false };
        open.writer.end(trouble);
        true
    }

    /// Begins a recording unless one is open or none is wanted. Answers with whether it did, or why it can't.
    fn begin(&mut self) -> Result<bool, &'static str> {
        let (Some(order), Some(station), None) = (&self.order, &self.station, &self.open) else {
            return Ok(false);
        };
        if self.rests.is_some_and(|until| Instant::now() < until) {
            return Ok(false);
        }
        self.rests = None;
        let writer = Writer::begin(&self.recordings, order, station.clone()).map_err(|error| {
            tracing::error!(%error, "a recording could not be begun");
            NOT_WRITTEN
        })?;
        self.open = Some(Open { writer, films: false, begun: Instant::now() });
        Ok(true)
    }
}

impl Station {
    /// A sample has come.
    pub(in super::super) fn record_sample(&mut self, kept: &Arc<Kept>) {
        if self.tap.order.is_none() || !self.begin_recording() {
            return;
        }
        let is_taken = self.tap.open.as_ref().is_none_or(|open| open.writer.sample(kept.clone()));
        self.mind_queue(is_taken);
    }

    /// Another film begins.
    pub(in super::super) fn record_beginning(&mut self) {
        let over = |open: &Open| open.films || open.begun.elapsed() > TOGETHER;
        if self.tap.open.as_ref().is_some_and(over) {
            self.end_recording();
        }
    }

    /// A fragment has come that viewers get as well.
    pub(in super::super) fn record_fragment(
        &mut self,
        fragment: &Bytes,
        key: bool,
        init: Option<&Arc<Init>>,
    ) {
        if self.tap.order.is_none() {
            return;
        }
        if key && self.tap.open.as_ref().is_some_and(|open| open.films && open.begun.elapsed() > FILM_MAX) {
            self.end_recording();
        }
        let is_begun = self.tap.open.as_ref().is_some_and(|open| open.films);
        if !is_begun && (!key || !self.begin_recording()) {
            return;
        }
        let Some(open) = &mut self.tap.open else { return };
        let beginning = match init {
            Some(init) if !open.films => match video::beginning(init) {
                Ok(beginning) => Some(beginning),
                Err(_) => return,
            },
            _ => None,
        };
        open.films = true;
        let begun = beginning.is_none_or(|beginning| open.writer.film(beginning.into()));
        let is_taken = begun && open.writer.film(fragment.clone());
        self.mind_queue(is_taken);
    }

    /// The source of the film is gone.
    pub(in super::super) fn record_film_end(&mut self) {
        if self.tap.open.as_ref().is_some_and(|open| open.films) {
            self.end_recording();
        }
    }

    /// Nothing has come since `last` (ms); `gone`: a source that was meant to go on has hung up.
    pub(in super::super) fn record_silence(&mut self, last: i64, gone: bool) {
        let alone = self.tap.open.as_ref().is_some_and(|open| !open.films);
        if alone && (gone || now_ms() - last > SILENCE) {
            self.end_recording();
        }
    }

    /// Whatever is open is over.
    pub(in super::super) fn end_recording(&mut self) {
        if self.tap.end(None) {
            self.say_recording(None);
        }
    }

    /// Whether one is open then.
    fn begin_recording(&mut self) -> bool {
        match self.tap.begin() {
            Ok(true) => self.say_recording(None),
            Ok(false) => {}
            Err(trouble) => self.rest(trouble),
        }
        self.tap.open.is_some()
    }

    fn mind_queue(&mut self, is_taken: bool) {
        if !is_taken {
            self.tap.open = None;
            self.rest(SLOW);
        }
    }

    fn rest(&mut self, trouble: &'static str) {
        self.tap.rests = Some(Instant::now() + PAUSE);
        self.say_recording(Some(trouble));
    }

    /// Writes down how recording stands, and tells the viewers.
    fn say_recording(&mut self, trouble: Option<&'static str>) {
        let now = now_ms();
        let mut store = self.store.write().unwrap_or_else(PoisonError::into_inner);
        let since = store.recording.since.unwrap_or(now);
        let rests = self.tap.rests.and(trouble.or(store.recording.trouble));
        store.recording = State {
            on: self.tap.order.is_some(),
            since: self.tap.open.is_some().then_some(since),
            trouble: rests.filter(|_| self.tap.order.is_some()),
            // Never twice the same: whoever hears of it knows that it is another.
            changed: now.max(store.recording.changed + 1),
        };
        let unit = unit(&store.recording);
        drop(store);
        self.cast(&Arc::new(unit));
    }
}

#[derive(Serialize)]
#[serde(tag = "type", rename = "recording")]
struct Told<'a> {
    #[serde(flatten)]
    state: &'a State,
}

/// How recording stands, for viewers.
pub fn unit(state: &State) -> Unit {
    // Numbers, flags and a sentence can't fail.
    let json = serde_json::to_string(&Told { state }).unwrap_or_default();
    Unit::news("recording", &json)
}

/// What is to be recorded from now on; nothing for no more.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Switch(pub Option<Order>);

impl Handler<Switch> for Station {
    type Result = ();

    fn handle(&mut self, Switch(order): Switch, _: &mut Self::Context) {
        let (was, is) = (self.tap.order.is_some(), order.is_some());
        self.tap.order = order;
        if was == is {
            return;
        }
        self.tap.rests = None;
        self.tap.end(None);
        self.say_recording(None);
    }
}

/// A recording's thread says how it went: that it had to stop, or that all is done.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Heard {
    pub id: String,
    pub trouble: Option<&'static str>,
}

impl Handler<Heard> for Station {
    type Result = ();

    fn handle(&mut self, Heard { id, trouble }: Heard, _: &mut Self::Context) {
        let is_open = self.tap.open.as_ref().is_some_and(|open| open.writer.id == id);
        if is_open {
            self.tap.open = None;
        }
        match trouble.filter(|_| is_open) {
            Some(trouble) => self.rest(trouble),
            None => self.say_recording(None),
        }
    }
}
