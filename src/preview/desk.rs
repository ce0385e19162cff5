//! Who looks at linked pages: a thread of its own, a bounded number of looks at once, what was seen kept for a day.
//!
//! Nobody waits for it. What doesn't fit is let go: a message without a preview is a whole message.

use super::look::{self, Seen};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::fetch::{Outward, Url};
use crate::rooms::{Linked, Request, Rooms, Showing};
use crate::site::limit::Limits;
use moka::sync::Cache;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::{Id, JoinSet};

/// Pages that are looked at at once; a page may keep one busy for some seconds.
const AT_ONCE: usize = 4;
/// Messages that wait for that. A minute's work at a second each.
const WAITING: usize = 256;
/// How long what was seen is shown under other messages too.
const KEPT: Duration = Duration::from_hours(24);
/// How long a page that wasn't there is left alone; it may be back later in the day.
const MISSED: Duration = Duration::from_hours(1);
/// Bytes of all that was seen, with its pictures.
const SEEN_BYTES: u64 = 16 * 1024 * 1024;
const MISSED_COUNT: u64 = 10_000;

/// Where messages with a link are handed in. Cheap to clone; without [`work`](Self::work) it takes nothing.
#[derive(Clone, Default)]
pub struct Desk(Arc<Mutex<Option<Worker>>>);

struct Worker {
    inbox: mpsc::Sender<Linked>,
    thread: JoinHandle<()>,
}

impl Desk {
    /// Hands in what leads to a page. Never waits; when too much does already, it is let go.
    pub fn offer(&self, linked: &Linked) {
        if let Some(worker) = &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            let _ = worker.inbox.try_send(linked.clone());
        }
    }

    /// Begins to look at what is handed in.
    ///
    /// # Errors
    /// When the system has no thread left.
    pub fn work(&self, config: &Config, rooms: Rooms, limits: Arc<Limits>, outward: Outward) -> Result<()> {
        let (inbox, handed_in) = mpsc::channel(WAITING);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(Error::internal)?;
        let shop = Shop::new(config, rooms, limits, outward);
        let thread = thread::Builder::new().name("previews".into()).spawn(move || {
            runtime.block_on(shop.serve(handed_in));
            // A picture that is being drawn is drawn for nobody.
            runtime.shutdown_background();
        });
        let thread = thread.map_err(Error::internal)?;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Worker { inbox, thread });
        Ok(())
    }

    /// Drops what waits, breaks off what is under way. Blocks for a moment.
    pub fn close(&self) {
        let worker = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Worker { inbox, thread }) = worker {
            drop(inbox);
            let _ = thread.join();
        }
    }
}

/// What the looks share.
struct Shop {
    rooms: Rooms,
    limits: Arc<Limits>,
    outward: Outward,
    own: Own,
    seen: Cache<String, Seen>,
    missed: Cache<String, ()>,
}

impl Shop {
    fn new(config: &Config, rooms: Rooms, limits: Arc<Limits>, outward: Outward) -> Arc<Self> {
        let weight =
            |link: &String, seen: &Seen| u32::try_from(link.len() + seen.weight() + 512).unwrap_or(u32::MAX);
        Arc::new(Self {
            rooms,
            limits,
            outward,
            own: Own::new(config),
            seen: Cache::builder().max_capacity(SEEN_BYTES).weigher(weight).time_to_live(KEPT).build(),
            missed: Cache::builder().max_capacity(MISSED_COUNT).time_to_live(MISSED).build(),
        })
    }

    async fn serve(self: Arc<Self>, mut handed_in: mpsc::Receiver<Linked>) {
        let mut waiting: VecDeque<(String, Linked)> = VecDeque::new();
        let mut busy: HashMap<Id, String> = HashMap::new();
        let mut under_way = JoinSet::new();
        loop {
            tokio::select! {
                linked = handed_in.recv(), if waiting.len() < WAITING => {
                    let Some(linked) = linked else { return };
                    waiting.extend(self.take(linked));
                }
                Some(done) = under_way.join_next_with_id() => {
                    busy.remove(&done.map_or_else(|error| error.id(), |(id, ())| id));
                }
            }
            // One look at a time for each server, so that nobody can have this one besiege another.
            while busy.len() < AT_ONCE
                && let Some(at) =
                    waiting.iter().position(|(host, _)| !busy.values().any(|other| other == host))
                && let Some((host, linked)) = waiting.remove(at)
            {
                let task = under_way.spawn(self.clone().show(linked));
                busy.insert(task.id(), host);
            }
        }
    }

    /// The server that a message leads to, when there is something to look at.
    fn take(&self, linked: Linked) -> Option<(String, Linked)> {
        let url: Url = linked.link.parse().ok()?;
        let host = url.host_str()?.to_owned();
        if self.own.has(&url) || self.missed.contains_key(&linked.link) {
            return None;
        }
        self.limits.preview(linked.author).ok()?;
        Some((host, linked))
    }

    /// Looks at the page, unless that was done lately, and puts what it says under the message.
    async fn show(self: Arc<Self>, linked: Linked) {
        let Linked { room, seq, link, .. } = linked;
        let seen = match self.seen.get(&link) {
            Some(seen) => seen,
            None if self.missed.contains_key(&link) => return,
            None => match look::look(&self.outward, &link).await {
                Ok(seen) => {
                    self.seen.insert(link, seen.clone());
                    seen
                }
                Err(refused) => {
                    tracing::debug!(room = room.0, seq, reason = %refused, "a link gets no preview");
                    self.missed.insert(link, ());
                    return;
                }
            },
        };
        let Seen { preview, picture } = seen;
        let showing = Request::Show(Box::new(Showing { room, seq, preview, picture }));
        if let Err(error) = self.rooms.change(showing).await {
            tracing::debug!(room = room.0, seq, %error, "a preview was not stored");
        }
    }
}

/// This place's own addresses: what it would fetch there is its page to log in.
struct Own {
    names: Vec<String>,
    ports: Vec<u16>,
}

impl Own {
    fn new(config: &Config) -> Self {
        let origins = config.origins.iter().chain(&config.public_url);
        let host = |origin: &String| Some(origin.parse::<Url>().ok()?.host_str()?.to_owned());
        let listens = std::iter::once(config.listen).chain(config.tls_listen);
        Self { names: origins.filter_map(host).collect(), ports: listens.map(|a| a.port()).collect() }
    }

    fn has(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default();
        let is_here = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
        let port = url.port_or_known_default().unwrap_or_default();
        self.names.iter().any(|name| name == host) || (is_here && self.ports.contains(&port))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_places_own_addresses_are_known() {
        let mut config = Config::default();
        config.set("public_url", "https://talk.example").unwrap();
        config.set("origins", "http://chat.lan:81").unwrap();
        let own = Own::new(&config);
        let has = |address: &str| own.has(&address.parse().unwrap());
        for address in [
            "https://talk.example/m/1/2",
            "http://talk.example:8080/",
            "http://chat.lan/",
            "http://localhost:8080/board",
            "http://127.0.0.1:8080",
            "http://[::1]:8080",
        ] {
            assert!(has(address), "{address}");
        }
        for address in ["https://talk.example.org/", "http://localhost:81/", "https://a.org/"] {
            assert!(!has(address), "{address}");
        }
    }
}
