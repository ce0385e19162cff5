//! The job: one file looked into, and everything made of it.

use super::desk::Preparation;
use super::make::Maker;
use super::plan;
use super::probe::{self, TOO_MUCH, UNREADABLE};
use super::publish::{self, Findings};
use super::run::Trouble;
use super::tones;
use super::tools::Tools;
use super::workshop::Workshop;
use crate::db::Conn;
use crate::db::schema::messages::media_items;
use crate::error::{Error, Result};
use crate::ids::MediaId;
use crate::jobs::{Done, Halt, Job, Stage, Turn};
use crate::media::Library;
use crate::media::item::{self, Item};
use crate::media::prepared::{Prepared, Rendition};
use crate::media::scan::{modified_ms, size};
use crate::site::disk::{self, RESERVE};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const CLOSED: &str = "The server can't open this file. Let it read the file, then try again.";
const DISK_FULL: &str = "The server's disk is full. Whoever looks after this place has to make room first.";
const NOT_CONVERTED: &str =
    "It can't be converted: its content is damaged, or of a kind that ffmpeg doesn't know here.";

/// Prepares one state of one item's file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Prepare {
    pub item: MediaId,
    /// Bytes.
    pub size: i64,
    /// Milliseconds.
    pub modified_at: i64,
}

/// What a look at the file finds.
enum File {
    /// The one that this is about, and where it is.
    Same(PathBuf),
    /// Another one, or none. Once the row says so too, the file gets a job of its own.
    Other,
    /// It can't be opened.
    Closed(std::io::Error),
}

/// What a run needs.
#[derive(Clone)]
pub struct Place {
    pub library: Library,
    pub tools: Arc<Tools>,
}

impl From<&Item> for Prepare {
    fn from(item: &Item) -> Self {
        Self { item: item.id, size: item.size, modified_at: item.modified_at }
    }
}

impl Job for Prepare {
    const NAME: &'static str = "prepare_media";
    type Place = Place;

    fn subject(&self) -> i64 {
        self.item.0
    }

    async fn run(self, place: Place, turn: Turn) -> Result<Done, Halt> {
        let id = self.item;
        let row = place.library.db().read(move |conn| item::row(conn, id)).await?;
        // What is gone or another one by now gets a job of its own when it is there.
        let Some(item) = row.filter(|row| self.is_of(row.size, row.modified_at)) else {
            return Ok(publish::nothing(self));
        };
        let path = match self.look(&place.library, &item).await? {
            File::Same(path) => path,
            File::Other => return Ok(publish::nothing(self)),
            File::Closed(_) if turn.is_last() => return Err(Halt::Failed(CLOSED.to_owned())),
            File::Closed(error) => return Err(error.into()),
        };
        if let Some(done) = publish::twin(&place.library, &item, &self).await? {
            return Ok(done);
        }
        let set = turn.lease().to_owned();
        let products = place.library.products();
        let open = move || Workshop::open(&products, &set);
        let workshop = tokio::task::spawn_blocking(open).await.map_err(Error::internal)??;
        let findings = self.make(&place, &item, &path, &workshop, &turn).await?;
        // Made of two states of a file, it would fit neither.
        if !matches!(self.look(&place.library, &item).await?, File::Same(_)) {
            return Ok(publish::nothing(self));
        }
        tokio::task::spawn_blocking(move || workshop.finish()).await.map_err(Error::internal)??;
        Ok(publish::findings(&place.library, self, findings))
    }

    fn note(&self, conn: &mut Conn, stage: &Stage) -> Result<()> {
        use media_items as m;
        let (state, progress, error) = match stage {
            Stage::Waiting => ("waiting", 0, None),
            Stage::Running(percent) => ("preparing", i32::from(*percent), None),
            Stage::Failed(sentence) => ("failed", 0, Some(sentence.as_str())),
        };
        diesel::update(self.own())
            .set((m::state.eq(state), m::progress.eq(progress), m::error.eq(error)))
            .execute(conn)?;
        Ok(())
    }

    fn note_lost(conn: &mut Conn, subject: i64, sentence: &str) -> Result<()> {
        use media_items as m;
        diesel::update(m::table.find(MediaId(subject)))
            .set((m::state.eq("failed"), m::progress.eq(0), m::error.eq(sentence)))
            .execute(conn)?;
        Ok(())
    }
}

/// Shares of the whole, percent: looking, tiles and poster, listening; renditions have the rest.
const LOOKED: f64 = 2.0;
const DRAWN: f64 = 8.0;
const HEARD: f64 = 15.0;

impl Prepare {
    fn is_of(&self, size: i64, modified_at: i64) -> bool {
        (self.size, self.modified_at) == (size, modified_at)
    }

    /// The item as it was when this was put into the queue.
    #[diesel::dsl::auto_type(no_type_alias)]
    pub(super) fn own(&self) -> _ {
        let id: MediaId = self.item;
        let size: i64 = self.size;
        let modified_at: i64 = self.modified_at;
        media_items::table.filter(
            media_items::id
                .eq(id)
                .and(media_items::size.eq(size))
                .and(media_items::modified_at.eq(modified_at)),
        )
    }

    async fn look(&self, library: &Library, item: &Item) -> Result<File> {
        let (library, item) = (library.clone(), Arc::new(item.clone()));
        let opened =
            tokio::task::spawn_blocking(move || library.look_at(item)).await.map_err(Error::internal)?;
        Ok(match opened {
            Ok((path, meta)) if self.is_of(size(&meta), modified_ms(&meta)) => File::Same(path),
            Ok(_) => File::Other,
            Err(error) if error.kind() == ErrorKind::NotFound => File::Other,
            Err(error) => File::Closed(error),
        })
    }

    async fn make(
        &self,
        place: &Place,
        item: &Item,
        path: &Path,
        workshop: &Workshop,
        turn: &Turn,
    ) -> Result<Findings, Halt> {
        let said = probe::look(&place.tools, path).await.map_err(|trouble| halt(trouble, UNREADABLE))?;
        let probe = probe::read(&said).map_err(|sentence| Halt::Failed(sentence.to_owned()))?;
        let tones = match probe.video.as_ref().and_then(|video| video.tones) {
            Some(tones) if tones::can_be_mapped(&place.tools).await => tones.filter(),
            Some(_) => {
                tracing::warn!(
                    "a film of high dynamic range stays grey: this ffmpeg has no zscale or no tonemap"
                );
                String::new()
            }
            None => String::new(),
        };
        let mut maker = Maker {
            tools: &place.tools,
            path: path.to_owned(),
            probe: &probe,
            duration: probe.duration.unwrap_or_default(),
            workshop,
            tones,
        };
        if probe.duration.is_none() {
            maker.duration = maker.measure().await.map_err(|trouble| halt(trouble, UNREADABLE))?;
        }
        turn.reach(LOOKED);
        let mut made = Prepared {
            version: item.version(),
            set: turn.lease().to_owned(),
            facts: probe.facts(),
            plays: plan::plays(&probe, &item.mime),
            ..Prepared::default()
        };
        pictures(&maker, &mut made).await?;
        turn.reach(DRAWN);
        if let Some(audio) = &probe.audio {
            let length = maker.duration.max(1) as f64;
            let reach = |at: i64| turn.reach(DRAWN + (HEARD - DRAWN) * (at as f64 / length).min(1.0));
            let alone = probe.video.is_none();
            let (loudness, heard, wave) = match maker.listen(audio, alone, reach).await {
                Ok(heard) => heard,
                // A film may have sound that can't be decoded; it is shown without.
                Err(Trouble::Failed(_)) if !alone => (None, 0, false),
                Err(trouble) => return Err(halt(trouble, UNREADABLE)),
            };
            (made.loudness, made.wave) = (loudness, wave);
            if alone && maker.duration == 0 {
                maker.duration = heard;
            }
        }
        turn.reach(HEARD);
        made.renditions = renditions(&maker, made.plays, self.size, turn).await?;
        Ok(Findings { duration: maker.duration, chapters: probe.chapters.clone(), video: probe.video, made })
    }
}

/// Tiles and poster. What can't be drawn is left out: the film may still play.
async fn pictures(maker: &Maker<'_>, made: &mut Prepared) -> Result<(), Halt> {
    let unless_failed = |trouble| match trouble {
        Trouble::Failed(_) => Ok(()),
        other => Err(halt(other, UNREADABLE)),
    };
    if let Some(video) = &maker.probe.video {
        let mut moment = 0;
        match maker.sprite(video).await {
            Ok(Some((sprite, best))) => {
                made.sprite = Some(sprite);
                moment = best;
            }
            Ok(None) => {}
            Err(trouble) => unless_failed(trouble)?,
        }
        for at in [moment, 0] {
            match maker.poster(video, at).await {
                Ok(poster) => made.poster = poster,
                Err(trouble) => unless_failed(trouble)?,
            }
            if made.poster.is_some() || moment == 0 {
                break;
            }
        }
    } else if let Some(cover) = maker.probe.cover {
        match maker.cover(cover).await {
            Ok(poster) => made.poster = poster,
            Err(trouble) => unless_failed(trouble)?,
        }
    }
    Ok(())
}

async fn renditions(maker: &Maker<'_>, plays: bool, size: i64, turn: &Turn) -> Result<Vec<Rendition>, Halt> {
    let size = size.unsigned_abs();
    let all = plan::renditions(maker.probe, plays, size, maker.duration);
    // Pixels are what takes time.
    let work = |pixels: Option<(u32, u32)>| pixels.map_or(1.0, |(w, h)| f64::from(w) * f64::from(h));
    let whole: f64 = all.iter().map(|one| work(one.size)).sum();
    let (mut done, mut made) = (0.0, Vec::new());
    for wanted in &all {
        room_for(maker, wanted.bytes_at_most(maker.duration) / 2).await?;
        let share = work(wanted.size);
        let length = maker.duration.max(1) as f64;
        let reach = |at: i64| {
            let part = (done + share * (at as f64 / length).min(1.0)) / whole;
            turn.reach(HEARD + (99.0 - HEARD) * part);
        };
        match maker.rendition(wanted, reach).await {
            // One that isn't smaller helps only those who can't play the original.
            Ok(Some(rendition)) if !plays || rendition.size < size => made.push(rendition),
            Ok(Some(needless)) => {
                tokio::fs::remove_file(maker.workshop.path(&needless.name)).await?;
            }
            Ok(None) if !plays => return Err(Halt::Failed(NOT_CONVERTED.to_owned())),
            Ok(None) => {}
            Err(Trouble::Failed(_)) if plays => {}
            Err(trouble) => return Err(halt(trouble, NOT_CONVERTED)),
        }
        done += share;
    }
    Ok(made)
}

async fn room_for(maker: &Maker<'_>, bytes: u64) -> Result<(), Halt> {
    let free = disk::free(&maker.workshop.path("")).await?;
    if free < bytes.saturating_add(RESERVE) { Err(Halt::Failed(DISK_FULL.to_owned())) } else { Ok(()) }
}

/// What a run's trouble means for the job; `sentence` is what is said when the file is to blame.
fn halt(trouble: Trouble, sentence: &str) -> Halt {
    match trouble {
        Trouble::NotStarted(error) => Halt::Again(Error::internal(error)),
        Trouble::TooMuch => Halt::Failed(TOO_MUCH.to_owned()),
        Trouble::Failed(said) if said.contains("No space left on device") => {
            Halt::Failed(DISK_FULL.to_owned())
        }
        Trouble::Failed(said) => {
            tracing::debug!(said, "ffmpeg ended badly");
            Halt::Failed(sentence.to_owned())
        }
    }
}

impl Place {
    /// As the desk has it; nothing without the tools.
    pub fn of(desk: &Preparation) -> Option<Self> {
        Some(Self { library: desk.library().clone(), tools: desk.tools()?.clone() })
    }
}
