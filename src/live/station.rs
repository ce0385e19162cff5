//! The actor of one stream: numbers what comes in, keeps the newest of it, encodes each sample once and casts it.

use super::alarm::sentry::{self, Sentry};
use super::recording::{self, Tap};
use super::relay::{Lines, Unit, Welcome};
use super::ring::{Kept, Shot, Store};
use super::sample::Sample;
use crate::clock::now_ms;
use crate::ids::StreamId;
use crate::site::socket::frames::{put_binary, put_text};
use actix::{Actor, ActorContext as _, AsyncContext, Context, Handler, Message, MessageResult};
use bytes::{Bytes, BytesMut};
use serde::Serialize;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::oneshot;

/// How often a station looks whether its source is still there.
const LOOK: Duration = Duration::from_millis(500);
/// How long after its only source has hung up a stream is idle: one that restarts is back sooner. Milliseconds.
const HUNG_UP: i64 = 1_500;
/// A body that lasted so long was meant to go on.
const LASTING: Duration = Duration::from_secs(3);
/// Silence after which a stream is idle: three of its usual intervals, but no less and no more than this; milliseconds.
const SILENCE: (i64, i64) = (3_000, 600_000);
/// The same after a first sample, when nothing is usual yet.
const FIRST_SILENCE: i64 = 10_000;
/// How long an idle stream remembers more pictures than its newest; milliseconds.
const PICTURES_KEPT: i64 = 600_000;

/// What readers see of a station without asking it.
pub type Shared = Arc<RwLock<Store>>;

/// The actor. Runs on the main thread's arbiter.
pub struct Station {
    pub(super) stream: StreamId,
    pub(super) store: Shared,
    lines: Lines,
    /// By worker, how many watch there.
    watching: HashMap<usize, usize>,
    last_seq: i64,
    /// Long bodies that are open.
    sources: usize,
    /// When the last of them ended, ms; nothing since something came.
    hung_up: Option<i64>,
    /// The usual time between two samples, ms.
    interval: Option<i64>,
    /// The number of the source whose video is shown.
    pub(super) filming: Option<u64>,
    pub(super) sentry: Sentry,
    pub(super) tap: Tap,
}

#[derive(Serialize)]
struct SampleObject<'a> {
    seq: i64,
    at: i64,
    fields: &'a super::sample::Fields,
    /// A picture belongs to it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    picture: bool,
    /// The readings that are out of their declared range.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    out: &'a [&'a str],
}

impl Station {
    pub fn new(stream: StreamId, store: Shared, lines: Lines, sentry: Sentry, tap: Tap) -> Self {
        // Numbers go on above those of before a restart, so that an address with a number never means two pictures.
        let last_seq = now_ms();
        Self {
            stream,
            store,
            lines,
            watching: HashMap::new(),
            last_seq,
            sources: 0,
            hung_up: None,
            interval: None,
            filming: None,
            sentry,
            tap,
        }
    }

    fn take(&mut self, sample: &Sample, out: &[&str]) -> i64 {
        let at = now_ms();
        self.last_seq += 1;
        let seq = self.last_seq;
        let object = SampleObject { seq, at, fields: &sample.fields, picture: sample.picture.is_some(), out };
        // Names are strings and numbers finite, which is all that could fail.
        let json = serde_json::to_string(&object).unwrap_or_default();
        let (unit, shot) = encode(seq, &json, sample);
        self.came(at);
        let mut store = self.store.write().unwrap_or_else(PoisonError::into_inner);
        let bytes = json.len() + size_of::<Kept>();
        let kept = Arc::new(Kept { seq, at, json: json.into() });
        store.samples.push(kept.clone(), bytes);
        if let Some(shot) = shot {
            let bytes = shot.content.len();
            store.pictures.push(Arc::new(shot), bytes);
        }
        drop(store);
        self.cast(&Arc::new(unit));
        if !sample.fields.0.is_empty() {
            self.record_sample(&kept);
        }
        seq
    }

    /// Something came: it isn't idle.
    pub(super) fn came(&mut self, at: i64) {
        let mut store = self.store.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = store.last.filter(|_| store.idle_since.is_none()) {
            let between = (at - last).max(0);
            self.interval = Some(self.interval.map_or(between, |usual| (7 * usual + between) / 8));
        }
        store.last = Some(at);
        store.idle_since = None;
        self.hung_up = None;
    }

    pub(super) fn cast(&self, unit: &Arc<Unit>) {
        self.lines.cast(self.stream, unit, |worker| self.watching.contains_key(&worker));
    }

    /// Says that the stream is idle once nothing comes any more, and lets go of what an idle stream needn't remember.
    fn look(&mut self) {
        let now = now_ms();
        let gone = self.sources == 0 && self.hung_up.is_some_and(|at| now - at > HUNG_UP);
        let last = self.store.read().unwrap_or_else(PoisonError::into_inner).last;
        self.record_silence(last.unwrap_or(now), gone);
        let mut store = self.store.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(since) = store.idle_since {
            if now - since > PICTURES_KEPT {
                store.pictures.forget();
            }
            return;
        }
        let Some(last) = store.last else { return };
        let patience = self.interval.map_or(FIRST_SILENCE, |usual| (3 * usual).clamp(SILENCE.0, SILENCE.1));
        if !gone && now - last < patience {
            return;
        }
        store.idle_since = Some(last);
        store.video.close();
        drop(store);
        self.interval = None;
        self.cast(&Arc::new(idle(last)));
    }

    /// What a new viewer gets first: the latest sample with the latest picture, and whether it is idle.
    fn first(&self) -> Unit {
        let store = self.store.read().unwrap_or_else(PoisonError::into_inner);
        let (mut frames, mut events) = (BytesMut::new(), String::new());
        if let Some(kept) = store.samples.newest() {
            put_text(&mut frames, sample_frame(&kept.json).as_bytes());
            events.push_str(&sample_event(kept.seq, &kept.json));
        }
        if let Some(shot) = store.pictures.newest() {
            let announced = picture_frame(shot.seq, shot.mime);
            put_text(&mut frames, announced.as_bytes());
            put_binary(&mut frames, &shot.content);
            events.push_str(&picture_event(&announced));
        }
        if let Some(since) = store.idle_since {
            let unit = idle(since);
            frames.extend_from_slice(&unit.frames);
            events.push_str(&String::from_utf8_lossy(&unit.events));
        }
        if !store.alarms.is_empty() {
            let unit = sentry::unit(&store.alarms);
            frames.extend_from_slice(&unit.frames);
            events.push_str(&String::from_utf8_lossy(&unit.events));
        }
        // Nothing to tell before it was ever switched.
        if store.recording.changed > 0 {
            let unit = recording::unit(&store.recording);
            frames.extend_from_slice(&unit.frames);
            events.push_str(&String::from_utf8_lossy(&unit.events));
        }
        if events.is_empty() {
            // So that the headers leave at once.
            events.push_str(": \n\n");
        }
        Unit { frames: frames.freeze(), events: events.into(), ..Unit::default() }
    }
}

/// `{"type":"sample","seq":…}`
fn sample_frame(json: &str) -> String {
    format!("{{\"type\":\"sample\",{}", json.get(1..).unwrap_or_default())
}

fn sample_event(seq: i64, json: &str) -> String {
    format!("event: sample\nid: {seq}\ndata: {}\n\n", sample_frame(json))
}

fn picture_frame(seq: i64, mime: &str) -> String {
    format!("{{\"type\":\"picture\",\"seq\":{seq},\"mime\":\"{mime}\"}}")
}

fn picture_event(announced: &str) -> String {
    format!("event: picture\ndata: {announced}\n\n")
}

fn idle(since: i64) -> Unit {
    let json = format!("{{\"type\":\"idle\",\"since\":{since}}}");
    Unit::news("idle", &json)
}

/// Everything that viewers get of a sample, and the picture as a part of it.
fn encode(seq: i64, json: &str, sample: &Sample) -> (Unit, Option<Shot>) {
    let picture_bytes = sample.picture.as_ref().map_or(0, |picture| picture.content.len() + 96);
    let mut frames = BytesMut::with_capacity(json.len() + picture_bytes + 32);
    put_text(&mut frames, sample_frame(json).as_bytes());
    let mut events = sample_event(seq, json);
    let Some(picture) = &sample.picture else {
        return (Unit { frames: frames.freeze(), events: events.into(), ..Unit::default() }, None);
    };
    let announced = picture_frame(seq, picture.mime);
    put_text(&mut frames, announced.as_bytes());
    put_binary(&mut frames, &picture.content);
    events.push_str(&picture_event(&announced));
    let frames: Bytes = frames.freeze();
    // A server's frames aren't masked, so the last one ends with the picture itself.
    let content = frames.slice(frames.len() - picture.content.len()..);
    let shot = Shot { seq, mime: picture.mime, width: picture.width, height: picture.height, content };
    (Unit { frames, events: events.into(), ..Unit::default() }, Some(shot))
}

impl Actor for Station {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.tap.connect(&ctx.address());
        ctx.run_interval(LOOK, |station, ctx| {
            station.look();
            station.keep_watch(ctx);
        });
    }
}

/// A checked sample has come, with the readings that are out of range. Answers with its number.
#[derive(Message)]
#[rtype(result = "i64")]
pub struct Take {
    pub sample: Sample,
    pub out: Vec<String>,
}

impl Handler<Take> for Station {
    type Result = MessageResult<Take>;

    fn handle(&mut self, Take { sample, out }: Take, ctx: &mut Self::Context) -> Self::Result {
        let out: Vec<&str> = out.iter().map(String::as_str).collect();
        let seq = self.take(&sample, &out);
        self.judge(&sample.fields, ctx);
        MessageResult(seq)
    }
}

/// A body that brings samples one after the other.
#[derive(Message)]
#[rtype(result = "()")]
pub enum Source {
    Begins,
    Ends { lasted: Duration },
}

impl Handler<Source> for Station {
    type Result = ();

    fn handle(&mut self, source: Source, _: &mut Self::Context) {
        match source {
            Source::Begins => self.sources += 1,
            Source::Ends { lasted } => {
                self.sources = self.sources.saturating_sub(1);
                // One that sends each sample in a body of its own hasn't gone because one of them is over.
                if lasted >= LASTING {
                    self.hung_up = Some(now_ms());
                }
            }
        }
    }
}

/// Somebody on this worker wants to watch.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Join {
    pub worker: usize,
    /// Theirs at the worker's desk.
    pub number: u64,
    pub done: oneshot::Sender<bool>,
}

impl Handler<Join> for Station {
    type Result = ();

    fn handle(&mut self, Join { worker, number, done }: Join, _: &mut Self::Context) {
        *self.watching.entry(worker).or_default() += 1;
        self.lines.welcome(
            worker,
            Welcome { number, first: Arc::new(self.first()), video: self.newest_video(), done },
        );
    }
}

/// One who has joined on this worker watches no more.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Part(pub usize);

impl Handler<Part> for Station {
    type Result = ();

    fn handle(&mut self, Part(worker): Part, _: &mut Self::Context) {
        if let Some(count) = self.watching.get_mut(&worker) {
            *count -= 1;
            if *count == 0 {
                self.watching.remove(&worker);
            }
        }
    }
}

/// The stream is gone for good.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Close;

impl Handler<Close> for Station {
    type Result = ();

    fn handle(&mut self, Close: Close, ctx: &mut Self::Context) {
        self.end_recording();
        ctx.stop();
    }
}
