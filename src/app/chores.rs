//! What is done again and again while the server runs.

use super::House;
use crate::error::{Error, Result};
use crate::jobs::{Node, Runner, Working};
use crate::media::prepare::Prepare;
use crate::rooms::search::{Indexer, Pace};
use crate::site::tls::Keeper;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

impl House {
    /// Things that are done again and again while the server runs.
    ///
    /// # Errors
    /// When the system has no thread left.
    pub(super) fn keep_going(&self) -> Result<()> {
        let rooms = self.rooms.clone();
        every(Duration::from_secs(2), move || {
            let rooms = rooms.clone();
            async move { rooms.store_read_marks() }
        });
        let live = self.live.clone();
        actix::spawn(async move {
            if let Err(error) = live.guard_all().await {
                tracing::warn!(%error, "alarms of streams wait for their first sample or viewer");
            }
        });
        let indexer = Indexer::new(self.rooms.db.clone())?;
        every(Duration::from_secs(1), move || {
            let indexer = indexer.clone();
            async move { indexer.run(Pace::Patient).await }
        });
        let chat = self.chat.clone();
        every(Duration::from_secs(1), move || {
            let chat = chat.clone();
            async move { chat.tell_crowds().await }
        });
        let rooms = self.rooms.clone();
        every(Duration::from_secs(5), move || {
            let rooms = rooms.clone();
            async move { rooms.purge().await }
        });
        let limits = self.limits.clone();
        every(Duration::from_mins(1), move || {
            let limits = limits.clone();
            async move {
                limits.tidy();
                Ok(())
            }
        });
        let rooms = self.rooms.clone();
        every(Duration::from_mins(10), move || {
            let rooms = rooms.clone();
            async move { rooms.sweep_attachments().await }
        });
        let reception = self.reception.clone();
        at_once_and_every(Duration::from_mins(10), move || {
            let reception = reception.clone();
            async move { reception.tidy().await }
        });
        let (accounts, presence) = (self.accounts.clone(), self.chat.presence.clone());
        every(Duration::from_secs(20), move || {
            let (accounts, left) = (accounts.clone(), presence.take_left());
            async move { accounts.note_left(left).await }
        });
        let accounts = self.accounts.clone();
        every(Duration::from_secs(3), move || {
            let accounts = accounts.clone();
            async move { accounts.sweep().await }
        });
        self.keep_the_library();
        self.keep_order();
        Ok(())
    }

    /// What is ordered to be taken down or brought back, at once; and the filter, which another node may have changed.
    fn keep_order(&self) {
        let rooms = self.rooms.clone();
        at_once_and_every(Duration::from_millis(10), move || {
            let rooms = rooms.clone();
            async move {
                rooms.work_on_takedowns().await?;
                // Another node's order, and what has been kept long enough, are looked for when nobody rings.
                let _ = tokio::time::timeout(Duration::from_secs(30), rooms.takedown_ordered()).await;
                Ok(())
            }
        });
        let rooms = self.rooms.clone();
        every(Duration::from_secs(10), move || {
            let rooms = rooms.clone();
            async move { rooms.read_filter().await }
        });
    }

    fn keep_the_library(&self) {
        let recordings = self.live.recordings().clone();
        at_once_and_every(Duration::from_mins(1), move || {
            let recordings = recordings.clone();
            async move { recordings.sweep().await }
        });
        let preparation = self.preparation.clone();
        at_once_and_every(Duration::from_secs(2), move || {
            let preparation = preparation.clone();
            async move { preparation.order().await }
        });
        let library = self.library.clone();
        at_once_and_every(Duration::from_mins(1), move || {
            let library = library.clone();
            async move {
                // A file that was dropped into the folder is prepared before anybody looks.
                library.refresh().await?;
                library.sweep_products().await
            }
        });
    }

    /// Begins with the background jobs.
    pub(super) fn work(&self) -> Result<Working> {
        let slots = if self.preparation.place().is_some() { self.config.jobs } else { 0 };
        let node = Node::open(&self.config.data)?;
        let runner = Runner::new(self.rooms.db.clone(), self.jobs.clone(), slots, node);
        Ok(match self.preparation.place() {
            Some(place) => runner.knows::<Prepare>(place).start(),
            None => runner.start(),
        })
    }
}

/// Has the place's own certificate made again before it ends, and for the names that this machine has by then. Given ones
/// are read again when a signal says so; here only their end is spoken of.
pub(super) fn keep_the_certificate(keeper: Arc<Keeper>) {
    let pause = if keeper.is_own() { Duration::from_hours(1) } else { Duration::from_hours(24) };
    at_once_and_every(pause, move || {
        let keeper = keeper.clone();
        async move {
            #[cfg(feature = "acme")]
            keeper.order().await;
            let looked = tokio::task::spawn_blocking(move || {
                if keeper.is_own() { keeper.renew_and_tell() } else { keeper.warn() }
            });
            looked.await.map_err(Error::internal)
        }
    });
}

fn every<F, T>(pause: Duration, task: F)
where
    F: Fn() -> T + 'static,
    T: Future<Output = Result<()>>,
{
    repeat(pause, pause, task);
}

/// What a crash left unfinished waits for no pause.
fn at_once_and_every<F, T>(pause: Duration, task: F)
where
    F: Fn() -> T + 'static,
    T: Future<Output = Result<()>>,
{
    repeat(Duration::ZERO, pause, task);
}

fn repeat<F, T>(first: Duration, pause: Duration, task: F)
where
    F: Fn() -> T + 'static,
    T: Future<Output = Result<()>>,
{
    actix::spawn(async move {
        let mut wait = first;
        loop {
            tokio::time::sleep(wait).await;
            wait = pause;
            if let Err(error) = task().await {
                tracing::warn!(%error, "a recurring task failed; it is tried again");
            }
        }
    });
}
