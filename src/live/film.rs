//! A stream's video: how a body of it comes in, and what the station makes of its pieces.

use super::body::{Body, Came};
use super::ingest::{Counted, Feed, Outcome};
use super::relay::{Role, Unit};
use super::sample::Refused;
use super::station::Station;
use super::video::{Fragment, Init, Part, Piece, Walker};
use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::site::socket::frames::{put_binary, put_text};
use actix::{Handler, Message, MessageResult};
use bytes::{Bytes, BytesMut};
use serde::Serialize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};

/// Sources of video so far, of all streams.
static SOURCES: AtomicU64 = AtomicU64::new(0);

impl Feed {
    /// A body of fragmented MP4. What is wrong with it ends it: there is no telling where the next box would begin.
    pub(super) async fn video(mut self, mut body: Body, start: Bytes) -> Outcome {
        let _counted = Counted::new(self.running.station.clone());
        let source = SOURCES.fetch_add(1, Ordering::Relaxed);
        let mut walker = Walker::default();
        let mut bytes = start;
        let came = loop {
            match walker.push(&bytes) {
                Ok(pieces) => {
                    for piece in pieces {
                        self.piece(source, piece).await?;
                    }
                }
                Err(refused) => {
                    self.receipt.refuse(&refused);
                    break Came::End;
                }
            }
            match body.next().await {
                Came::Bytes(more) => bytes = more,
                came => {
                    if matches!(came, Came::End) && !walker.is_between() {
                        self.receipt.refuse(&Refused::new("The video ends in the middle of a piece."));
                    }
                    break came;
                }
            }
        };
        self.running.station.do_send(FilmEnds(source));
        self.answer(&came)
    }

    async fn piece(&mut self, source: u64, piece: Piece) -> Result<()> {
        let counts = matches!(piece, Piece::Fragment(_));
        let taken = self.running.station.send(TakeVideo { source, piece }).await;
        match taken.map_err(|_| Refused::new("This stream has just been deleted."))? {
            Taken::Yes => self.receipt.accepted += u64::from(counts),
            Taken::Early => self.receipt.refuse(&Refused::new(
                "Video can only be shown from a key frame on. With -g 25 ffmpeg sends one every 25 pictures.",
            )),
            Taken::Replaced => {
                return Err(Error::conflict("replaced", "Another source sends video into this stream now."));
            }
        }
        Ok(())
    }
}

/// A piece of video has come.
#[derive(Message)]
#[rtype(result = "Taken")]
pub struct TakeVideo {
    /// Its source's number; who begins last is shown.
    pub source: u64,
    pub piece: Piece,
}

/// What has become of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    Yes,
    /// It needs a key frame before it, and there was none.
    Early,
    /// Another source has begun meanwhile.
    Replaced,
}

impl Handler<TakeVideo> for Station {
    type Result = MessageResult<TakeVideo>;

    fn handle(&mut self, TakeVideo { source, piece }: TakeVideo, ctx: &mut Self::Context) -> Self::Result {
        let unit = match piece {
            Piece::Init(init) => {
                self.filming = Some(source);
                self.record_beginning();
                self.begin(init)
            }
            _ if self.filming != Some(source) => return MessageResult(Taken::Replaced),
            Piece::Fragment(fragment) => match self.keep(fragment) {
                Some(unit) => {
                    self.judge_film(ctx);
                    unit
                }
                None => return MessageResult(Taken::Early),
            },
        };
        self.cast(&Arc::new(unit));
        MessageResult(Taken::Yes)
    }
}

/// A body of video is over.
#[derive(Message)]
#[rtype(result = "()")]
pub struct FilmEnds(pub u64);

impl Handler<FilmEnds> for Station {
    type Result = ();

    fn handle(&mut self, FilmEnds(source): FilmEnds, _: &mut Self::Context) {
        if self.filming == Some(source) {
            self.filming = None;
            self.record_film_end();
            self.store.write().unwrap_or_else(PoisonError::into_inner).video.close();
        }
    }
}

impl Station {
    fn begin(&mut self, init: Arc<Init>) -> Unit {
        let unit = Unit { frames: init_frames(&init), role: Role::Init, ..Unit::default() };
        self.store.write().unwrap_or_else(PoisonError::into_inner).video.begin(init);
        unit
    }

    fn keep(&mut self, fragment: Fragment) -> Option<Unit> {
        let (frames, part) = encode(fragment);
        let key = part.fragment.timing.key;
        let (now, bytes) = (now_ms(), part.fragment.bytes.clone());
        let mut store = self.store.write().unwrap_or_else(PoisonError::into_inner);
        if !store.video.push(part, now) {
            return None;
        }
        let init = store.video.init().cloned();
        let role = match store.video.init() {
            Some(init) if key => Role::Key(init_frames(init)),
            _ => Role::Between,
        };
        drop(store);
        self.came(now);
        self.record_fragment(&bytes, key, init.as_ref());
        Some(Unit { frames, role, ..Unit::default() })
    }

    /// What a new viewer's player begins with: the newest segment's fragments so far. Nothing while nobody films.
    pub(super) fn newest_video(&self) -> Vec<Arc<Unit>> {
        let store = self.store.read().unwrap_or_else(PoisonError::into_inner);
        let Some(segment) = store.video.newest() else { return Vec::new() };
        let begin = Unit { frames: init_frames(&segment.init), role: Role::Init, ..Unit::default() };
        let between =
            |part: &Part| Unit { frames: part.frames.clone(), role: Role::Between, ..Unit::default() };
        std::iter::once(begin).chain(segment.parts.iter().map(between)).map(Arc::new).collect()
    }
}

/// What announces the binary frame that follows it.
#[derive(Serialize)]
#[serde(tag = "type", rename = "video")]
struct Announced<'a> {
    part: &'static str,
    mime: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<bool>,
    /// Seconds by the sender's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<f64>,
}

fn frames(announced: &Announced, content: &[u8]) -> Bytes {
    // Strings, a flag and a finite number can't fail.
    let json = serde_json::to_string(announced).unwrap_or_default();
    let mut frames = BytesMut::with_capacity(json.len() + content.len() + 16);
    put_text(&mut frames, json.as_bytes());
    put_binary(&mut frames, content);
    frames.freeze()
}

fn init_frames(init: &Init) -> Bytes {
    frames(&Announced { part: "init", mime: &init.mime, key: None, start: None }, &init.bytes)
}

/// A fragment as viewers get it, and as it is kept: a part of the same bytes.
fn encode(fragment: Fragment) -> (Bytes, Part) {
    let Fragment { bytes, timing } = fragment;
    let start = Some(timing.start.as_secs_f64());
    let frames =
        frames(&Announced { part: "fragment", mime: "video/mp4", key: Some(timing.key), start }, &bytes);
    // A server's frames aren't masked, so the last one ends with the fragment itself.
    let bytes = frames.slice(frames.len() - bytes.len()..);
    (frames.clone(), Part { fragment: Fragment { bytes, timing }, frames })
}
