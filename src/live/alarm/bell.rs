//! What an alarm sets going: it is stored, said in the stream's talk, and handed to those who watch, in this order and
//! one after the other. No station waits for it.

use super::guard::Raised;
use super::row::{self, Alarm};
use super::sentry::Stands;
use super::wording;
use crate::clock::now_ms;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::ids::{AlarmId, StreamId};
use crate::live::ring::Shot;
use crate::live::station::Station;
use crate::live::stream::{self, Stream};
use crate::live::view;
use crate::rooms::upload::Prepared;
use crate::rooms::{About, Db, Mentionable, Nonce, Request, Saying, Shown, Text, Words};
use actix::{Addr, ArbiterHandle};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// How often something is tried that a busy database didn't take, and the pause between.
const TRIES: usize = 30;
const PAUSE: Duration = Duration::from_secs(1);

/// What has happened.
pub enum News {
    Raised {
        raised: Raised,
        /// The newest picture, and how many ms before it came.
        shot: Option<(Arc<Shot>, i64)>,
    },
    Over {
        rule: String,
        retired: bool,
    },
    /// The first sample since the rules were set.
    Sampled,
    /// These are stored otherwise than they were said.
    Told(Vec<AlarmId>),
}

/// News of one stream.
pub struct Ring {
    stream: StreamId,
    station: Addr<Station>,
    /// ms
    at: i64,
    news: News,
}

impl Ring {
    pub fn new(stream: StreamId, station: Addr<Station>, news: News) -> Self {
        Self { stream, station, at: now_ms(), news }
    }
}

/// The way there. Cheap to clone.
#[derive(Clone)]
pub struct Bell(mpsc::UnboundedSender<Ring>);

impl Bell {
    /// One that stores into `db`, working on `arbiter`.
    pub fn open(db: Db, arbiter: &ArbiterHandle) -> Self {
        // What waits is bounded by how often a rule may call, and how often people may press a button.
        let (bell, mut rings) = mpsc::unbounded_channel::<Ring>();
        arbiter.spawn(async move {
            while let Some(ring) = rings.recv().await {
                match answer(&db, ring).await {
                    Ok(()) | Err(Error::NotFound(_)) => {}
                    Err(error) => tracing::error!(%error, "an alarm of a stream could not be stored or said"),
                }
            }
        });
        Self(bell)
    }

    pub fn ring(&self, ring: Ring) {
        // Nobody hears it when the server has ended.
        let _ = self.0.send(ring);
    }
}

async fn answer(db: &Db, ring: Ring) -> Result<()> {
    let Ring { stream, station, at, news } = ring;
    let (ids, shot) = match news {
        News::Raised { raised, shot } => {
            let store = move |conn: &mut Conn| raise(conn, stream, &raised, at);
            (vec![surely(|| db.write(store.clone())).await?], shot)
        }
        News::Over { rule, retired } => {
            let store = move |conn: &mut Conn| row::end(conn, stream, &rule, at, retired);
            (surely(|| db.write(store.clone())).await?, None)
        }
        News::Sampled => {
            return surely(|| db.write(move |conn| row::note_sampled(conn, stream))).await;
        }
        News::Told(ids) => (ids, None),
    };
    // Those who watch needn't wait for the picture.
    let standing = surely(|| db.read(move |conn| row::standing(conn, stream))).await?;
    station.do_send(Stands(standing));
    let shown = match shot {
        Some((shot, age)) => surely(|| prepare(db, stream, &shot, age)).await?,
        None => None,
    };
    for id in ids {
        surely(|| say(db, stream, id, shown.clone())).await?;
    }
    Ok(())
}

/// Tries until it is done, however busy the database is just now: each of these steps can be taken again.
async fn surely<T, F: Future<Output = Result<T>>>(step: impl Fn() -> F) -> Result<T> {
    for _ in 0..TRIES {
        match step().await {
            // With a stream go its alarms.
            Err(error) if !matches!(error, Error::NotFound(_) | Error::Invalid(_)) => {
                tokio::time::sleep(PAUSE).await;
            }
            done => return done,
        }
    }
    step().await
}

fn raise(conn: &mut Conn, stream: StreamId, raised: &Raised, at: i64) -> Result<AlarmId> {
    let row = stream::get(conn, stream)?;
    let value = raised.reading.as_ref().map(|(name, number)| {
        let unit = row.fields().into_iter().find(|field| field.name == *name).map(|field| field.unit);
        let number = view::written(&serde_json::Value::Number(number.clone()));
        format!("{number} {}", unit.unwrap_or_default()).trim_end().to_owned()
    });
    Ok(row::raise(conn, stream, raised, &value.unwrap_or_default(), at)?.id)
}

/// The picture as messages have them; nothing where it is broken behind its first bytes.
async fn prepare(db: &Db, stream: StreamId, shot: &Shot, age: i64) -> Result<Option<Arc<Shown>>> {
    let row = db.read(move |conn| stream::get(conn, stream)).await?;
    let content = shot.content.to_vec();
    let prepared = tokio::task::spawn_blocking(move || Prepared::new(content)).await;
    let Ok(picture) = prepared.map_err(Error::internal)? else { return Ok(None) };
    let name = format!("{}.{}", row.name, shot.mime.trim_start_matches("image/"));
    Ok(Some(Arc::new(Shown { name, description: wording::picture(row.called(), age), picture })))
}

/// Says how it stands with an alarm, in the place of what was said of it before.
async fn say(db: &Db, stream: StreamId, id: AlarmId, picture: Option<Arc<Shown>>) -> Result<()> {
    let both = move |conn: &mut Conn| Ok((stream::get(conn, stream)?, row::find(conn, stream, id)?));
    let (row, alarm): (Stream, Alarm) = db.read(both).await?;
    let invalid = |wrong| Error::Invalid(vec![wrong]);
    let text = Text::parse(&wording::message(&alarm)).map_err(invalid)?;
    // It calls everybody in the talk, as somebody would who stood beside the instrument.
    let words = Words { to_all: true, ..Words::new(text, &Mentionable::new()) };
    let nonce = Nonce::parse(format!("stream-alarm-{id:0>16}")).map_err(invalid)?;
    let saying =
        Saying { about: About::stream(stream), name: row.called().to_owned(), nonce, words, picture };
    db.carry_out(Request::Say(saying)).await.map(drop)
}
