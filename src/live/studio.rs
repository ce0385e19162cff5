//! All live streams as the handlers reach them: rows from the database, stations that run, and who may do what.

use super::alarm::bell::Bell;
use super::alarm::sentry::{Renewed, Sentry};
use super::alarm::{Alarm, row as alarms};
use super::recording::{Order, Recordings, Shelf, Switch, Tap};
use super::relay::{Lines, Relay, Whom};
use super::ring::Store;
use super::station::{Close, Shared, Station};
use super::stream::{self, NO_STREAM, Record, Stream, StreamName};
use crate::accounts::{Keeper, Reader, Visitor, key};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::ids::UserId;
use crate::rooms::talk::Deed;
use crate::rooms::{About, Asker, Change, Db, Request};
use actix::{Actor as _, Addr, ArbiterHandle};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Deserialize;
use sha2::Sha256;
use std::collections::HashMap;
use std::net::IpAddr;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use tokio::sync::watch;

/// How the keys of this machine begin.
const LOCAL_PREFIX: &str = "local_";

/// Why a source has to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The key is another one now, or the stream is gone.
    Ended,
    /// The server goes.
    Closing,
}

/// A stream whose station runs.
pub struct Running {
    row: RwLock<Arc<Stream>>,
    store: Shared,
    pub station: Addr<Station>,
    /// Tells the sources to stop; replaced when a new key begins.
    stop: Mutex<watch::Sender<Option<Stop>>>,
}

impl Running {
    pub fn row(&self) -> Arc<Stream> {
        self.row.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What is remembered of it. Not to be held across anything that waits.
    pub fn store(&self) -> RwLockReadGuard<'_, Store> {
        self.store.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// For a source: when it has to stop, and why.
    pub fn until(&self) -> watch::Receiver<Option<Stop>> {
        self.stop.lock().unwrap_or_else(PoisonError::into_inner).subscribe()
    }

    fn stop(&self, why: Stop) {
        let mut stop = self.stop.lock().unwrap_or_else(PoisonError::into_inner);
        stop.send_replace(Some(why));
        *stop = watch::Sender::new(None);
    }
}

/// All streams. Cheap to clone.
#[derive(Clone)]
pub struct Live(Arc<Inner>);

struct Inner {
    db: Db,
    running: Mutex<HashMap<String, Arc<Running>>>,
    /// How many rows were changed or deleted, counted while `running` is locked.
    changed: AtomicU64,
    /// Held from a change of a row until memory has it: of two at once the later one is what stays.
    changing: tokio::sync::Mutex<()>,
    lines: Lines,
    bell: Bell,
    arbiter: ArbiterHandle,
    local: LocalKeys,
    recordings: Recordings,
}

impl Live {
    /// Streams over `db`; stations will run on `arbiter`, and what is recorded goes to `shelf`.
    ///
    /// # Errors
    /// A sentence that names the file of this machine's own keys.
    pub fn open(
        config: &Config,
        db: Db,
        (arbiter, shelf): (ArbiterHandle, Arc<dyn Shelf>),
    ) -> Result<Self, String> {
        let recordings = Recordings::new(&config.data, db.clone(), shelf);
        let (running, changing, lines) = (Mutex::default(), tokio::sync::Mutex::default(), Lines::default());
        let (changed, bell) = (AtomicU64::new(0), Bell::open(db.clone(), &arbiter));
        let local = LocalKeys::open(&config.data)?;
        Ok(Self(Arc::new(Inner { db, running, changed, changing, lines, bell, arbiter, local, recordings })))
    }

    pub fn db(&self) -> &Db {
        &self.0.db
    }

    pub(super) fn bell(&self) -> &Bell {
        &self.0.bell
    }

    pub fn recordings(&self) -> &Recordings {
        &self.0.recordings
    }

    /// A worker has started.
    pub fn add_worker(&self, worker: usize, relay: Addr<Relay>) {
        self.0.lines.add(worker, relay);
    }

    /// The stream of this name, whoever asks.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn find(&self, name: &str) -> Result<Arc<Running>> {
        if let Some(running) = self.running(name) {
            return Ok(running);
        }
        loop {
            let changed = self.0.changed.load(Ordering::Acquire);
            let wanted = name.to_owned();
            let found = self.0.db.read(move |conn| {
                let row = stream::find(conn, &wanted)?.ok_or(NO_STREAM)?;
                let standing = alarms::standing(conn, row.id)?;
                Ok((row, standing))
            });
            let (row, standing) = found.await?;
            if let Some(running) = self.run(&row, &standing, changed) {
                return Ok(running);
            }
        }
    }

    fn running(&self, name: &str) -> Option<Arc<Running>> {
        self.0.running.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// Its station, started unless it runs; nothing when a row was changed or deleted since this one was
    /// read, which may be this one: an old key would open it again.
    fn run(&self, row: &Stream, standing: &[Alarm], changed: u64) -> Option<Arc<Running>> {
        let mut all = self.0.running.lock().unwrap_or_else(PoisonError::into_inner);
        if self.0.changed.load(Ordering::Acquire) != changed {
            return None;
        }
        let start = || {
            let (store, id, lines): (Shared, _, _) = (Shared::default(), row.id, self.0.lines.clone());
            let sentry = Sentry::new(row, standing, self.0.bell.clone());
            let alarms = standing.iter().cloned().map(Arc::new).collect();
            store.write().unwrap_or_else(PoisonError::into_inner).alarms = alarms;
            let (shared, tap) = (store.clone(), Tap::new(self.0.recordings.clone()));
            let make = move |_: &mut _| Station::new(id, shared, lines, sentry, tap);
            let station = Station::start_in_arbiter(&self.0.arbiter, make);
            station.do_send(Switch(Order::of(row)));
            let stop = Mutex::new(watch::Sender::new(None));
            Arc::new(Running { row: RwLock::new(Arc::new(row.clone())), store, station, stop })
        };
        Some(all.entry(row.name.clone()).or_insert_with(start).clone())
    }

    /// The stream of this name for somebody who wants to watch it.
    ///
    /// # Errors
    /// `NotFound` where it isn't for them; `SignInFirst` for somebody who isn't signed in, whether it is there or not.
    pub async fn shown(&self, name: &str, who: &Onlooker) -> Result<Arc<Running>> {
        let found = match self.find(name).await {
            Err(Error::NotFound(_)) => None,
            found => Some(found?),
        };
        match found {
            Some(running) if who.may_watch(&running.row()) => Ok(running),
            _ if who.visitor.is_none() => Err(Error::SignInFirst),
            _ => Err(NO_STREAM),
        }
    }

    /// All that somebody may watch, each with its station if that runs.
    pub async fn list(&self, who: Option<UserId>) -> Result<Vec<(Stream, Option<Arc<Running>>)>> {
        let rows = self.0.db.read(move |conn| stream::list(conn, who)).await?;
        let with = |row: Stream| {
            let running = self.running(&row.name);
            (row, running)
        };
        Ok(rows.into_iter().map(with).collect())
    }

    /// Makes a stream. Answers with it and its key.
    ///
    /// # Errors
    /// `Conflict`, `Invalid`.
    pub async fn create(&self, by: UserId, name: StreamName, record: Record) -> Result<(Stream, String)> {
        let made = self.0.db.write(move |conn| stream::create(conn, Some(by), &name, &record)).await?;
        if !made.0.alarms.is_empty() {
            self.bring_caller_in(by, &made.0).await;
        }
        Ok(made)
    }

    /// Changes a stream. Answers with it as it is then.
    ///
    /// # Errors
    /// `NotFound`, `Forbidden`, `Invalid`.
    pub async fn change(&self, name: &str, by: Keeper, record: Record) -> Result<Arc<Stream>> {
        let _alone = self.0.changing.lock().await;
        let name = name.to_owned();
        let (before, row) = self.0.db.write(move |conn| stream::change(conn, &name, by, &record)).await?;
        if before.alarms.is_empty() && !row.alarms.is_empty() {
            // Whoever asks to be called has to be where it is called out.
            self.bring_caller_in(by.id, &row).await;
        }
        let deed = Deed::Rename { about: About::stream(row.id), name: row.called().to_owned() };
        self.tell_talk(deed)?;
        let row = self.renew(row);
        if !row.public {
            self.0.lines.dismiss(row.id, Whom::Strangers);
        }
        Ok(row)
    }

    /// Gives a stream another key and ends its sources. Answers with the new one.
    ///
    /// # Errors
    /// `NotFound`, `Forbidden`.
    pub async fn replace_key(&self, name: &str, by: Keeper) -> Result<(Arc<Stream>, String)> {
        let _alone = self.0.changing.lock().await;
        let name = name.to_owned();
        let (row, key) = self.0.db.write(move |conn| stream::replace_key(conn, &name, by)).await?;
        let row = self.renew(row);
        if let Some(running) = self.running(&row.name) {
            running.stop(Stop::Ended);
        }
        Ok((row, key))
    }

    /// Makes or ends the token for players, and ends those that watch by an older one.
    ///
    /// # Errors
    /// `NotFound`, `Forbidden`.
    pub async fn replace_token(
        &self,
        name: &str,
        by: Keeper,
        wanted: bool,
    ) -> Result<(Arc<Stream>, Option<String>)> {
        let _alone = self.0.changing.lock().await;
        let name = name.to_owned();
        let (row, token) =
            self.0.db.write(move |conn| stream::replace_token(conn, &name, by, wanted)).await?;
        let row = self.renew(row);
        self.0.lines.dismiss(row.id, Whom::Tokens);
        Ok((row, token))
    }

    /// Deletes a stream with its talk; its sources and viewers are ended.
    ///
    /// # Errors
    /// `NotFound`, `Forbidden`.
    pub async fn delete(&self, name: &str, by: Keeper) -> Result<()> {
        let _alone = self.0.changing.lock().await;
        let name = name.to_owned();
        let row = self.0.db.write(move |conn| stream::remove(conn, &name, by)).await?;
        self.tell_talk(Deed::Close { about: About::stream(row.id) })?;
        let running = {
            let mut all = self.0.running.lock().unwrap_or_else(PoisonError::into_inner);
            self.0.changed.fetch_add(1, Ordering::Release);
            all.remove(&row.name)
        };
        if let Some(running) = running {
            running.stop(Stop::Ended);
            running.station.do_send(Close);
        }
        self.0.lines.dismiss(row.id, Whom::All);
        Ok(())
    }

    fn renew(&self, row: Stream) -> Arc<Stream> {
        let row = Arc::new(row);
        let running = {
            let all = self.0.running.lock().unwrap_or_else(PoisonError::into_inner);
            self.0.changed.fetch_add(1, Ordering::Release);
            all.get(&row.name).cloned()
        };
        if let Some(running) = running {
            *running.row.write().unwrap_or_else(PoisonError::into_inner) = row.clone();
            running.station.do_send(Switch(Order::of(&row)));
            running.station.do_send(Renewed(row.clone()));
        }
        row
    }

    fn tell_talk(&self, deed: Deed) -> Result<()> {
        self.0.db.submit(Change::new(Request::Talk(deed), Asker::Nobody))
    }

    /// Whether a source with this key, at this address, may push into the stream.
    pub fn admits(&self, stream: &Stream, key: &str, from: Option<IpAddr>) -> bool {
        let here = from.is_some_and(|ip| ip.to_canonical().is_loopback());
        stream.opens_with(key) || (here && self.0.local.is_key(&stream.name, key))
    }

    /// Tells all sources that the server goes.
    pub fn close(&self) {
        for running in self.0.running.lock().unwrap_or_else(PoisonError::into_inner).values() {
            running.stop(Stop::Closing);
        }
    }
}

/// Keys for programs on the machine that holds the data folder: whoever can read the secret there needs no other.
pub struct LocalKeys(Hmac<Sha256>);

impl LocalKeys {
    /// The secret of `DATA/live.secret`, made when it isn't there yet; nobody but the server's own user may read it.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub fn open(data: &Path) -> Result<Self, String> {
        let lost = "delete it; the next start makes a new one.";
        let secret: [u8; 32] = key::secret(data, "live.secret", lost)?;
        Hmac::new_from_slice(&secret).map(Self).map_err(|e| e.to_string())
    }

    /// The same of a data folder that a server has begun; nothing is made.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub fn read(data: &Path) -> Result<Self, String> {
        let path = data.join("live.secret");
        let secret =
            std::fs::read(&path).map_err(|e| format!("The file {} can't be read: {e}", path.display()))?;
        Hmac::new_from_slice(&secret).map(Self).map_err(|e| e.to_string())
    }

    /// The key of one stream. Whoever it is sent to learns nothing about the others.
    pub fn key(&self, name: &str) -> String {
        let mut mac = self.0.clone();
        mac.update(name.as_bytes());
        format!("{LOCAL_PREFIX}{}", data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes()))
    }

    fn is_key(&self, name: &str, shown: &str) -> bool {
        let Some(hex) = shown.strip_prefix(LOCAL_PREFIX) else { return false };
        let mut mac = self.0.clone();
        mac.update(name.as_bytes());
        data_encoding::HEXLOWER.decode(hex.as_bytes()).is_ok_and(|tag| mac.verify_slice(&tag).is_ok())
    }
}

/// By what somebody watches who has no cookie.
#[derive(Debug, Default, Deserialize)]
pub struct Shown {
    pub token: Option<String>,
}

/// Somebody who wants to watch.
#[derive(Clone, Debug, Default)]
pub struct Onlooker {
    pub visitor: Option<Visitor>,
    /// What the address shows in place of a cookie.
    pub token: Option<String>,
}

impl Onlooker {
    /// Whoever the request is from; somebody unknown is nobody in particular here.
    ///
    /// # Errors
    /// When that can't be found out just now.
    pub fn of(visitor: Result<Visitor>, token: Option<String>) -> Result<Self> {
        match visitor {
            Ok(visitor) => Ok(Self { visitor: Some(visitor), token }),
            Err(Error::SignInFirst) => Ok(Self { visitor: None, token }),
            Err(error) => Err(error),
        }
    }

    pub fn user(&self) -> Option<UserId> {
        self.visitor.as_ref().map(|visitor| visitor.person.id)
    }

    /// The same as who reads rooms.
    pub fn reader(&self) -> Reader {
        Reader { visitor: self.visitor.clone() }
    }

    fn may_watch(&self, stream: &Stream) -> bool {
        let token = self.token.as_deref().is_some_and(|token| stream.shows_with(token));
        stream.public || self.visitor.is_some() || token
    }
}
