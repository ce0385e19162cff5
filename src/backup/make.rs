//! `hubbub backup`: both databases as of one moment, and the files of the data folder.

use super::archive::Archive;
use super::manifest::{Dump, FORMAT, Manifest};
use super::tables::tables;
use super::unload::unload;
use super::{DATABASES, MEDIA, RECORDINGS, gate, shelf, words};
use crate::clock::now_ms;
use crate::config::Config;
use crate::db::schema::messages::server;
use crate::db::{self, Access, Conn, FUTURE, Manager, Url, Which};
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use std::path::Path;

/// What isn't in a backup: a session is somebody's proof that they are signed in on a device, and a reset link or a hand-over
/// to another device makes one. A copy that lies around must not be one, and one that comes back must not bring back those
/// that were ended or used since.
const LEFT_OUT: [(Which, &str); 3] =
    [(Which::Accounts, "sessions"), (Which::Accounts, "resets"), (Which::Accounts, "handovers")];

/// What a backup is to have.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Replaces a file of that name.
    pub force: bool,
    /// The files of live recordings, which lie in the data folder.
    pub recordings: bool,
    /// The library's folder.
    pub media: bool,
}

/// A backup that is whole.
#[derive(Debug)]
pub struct Made {
    pub bytes: u64,
    pub people: u64,
    pub messages: u64,
    pub files: usize,
    /// Sentences about files that weren't to be had whole.
    pub notes: Vec<String>,
}

/// Makes a backup while the server runs or doesn't.
///
/// # Errors
/// A sentence; nothing stays at `target` or beside it then.
pub fn make(config: &Config, target: &Path, wanted: Wanted) -> Result<Made, String> {
    if let Some(sentence) = gate::interrupted(config) {
        return Err(sentence);
    }
    // This one first: whoever has written something by now is among the people a moment later.
    let (messages_url, accounts_url) = (config.messages_url(), config.accounts_url());
    let mut messages = Source::open(Which::Messages, &messages_url)?;
    let mut accounts = Source::open(Which::Accounts, &accounts_url)?;
    let mut archive = Archive::begin(target, wanted.force)?;
    let failed = |what: String| format!("The backup could not be made: {what}.");
    let mut manifest = Manifest {
        format: FORMAT,
        hubbub: env!("CARGO_PKG_VERSION").to_owned(),
        made_at: now_ms(),
        epoch: messages.epoch(),
        databases: Vec::new(),
        files: Vec::new(),
    };
    for source in [&mut accounts, &mut messages] {
        manifest.databases.push(source.dump(&mut archive).map_err(failed)?);
    }
    let mut notes = Vec::new();
    let (recordings, media) = (config.data.join(RECORDINGS), config.media.as_path());
    for (folder, name, is_wanted) in
        [(recordings.as_path(), RECORDINGS, wanted.recordings), (media, MEDIA, wanted.media)]
    {
        if is_wanted {
            notes.extend(shelf::pack(&mut archive, folder, name).map_err(failed)?);
        }
    }
    let (people, messages) =
        (manifest.rows(Which::Accounts, "users"), manifest.rows(Which::Messages, "messages"));
    let (bytes, manifest) = archive.finish(manifest)?;
    let files = manifest.files_in(RECORDINGS) + manifest.files_in(MEDIA);
    Ok(Made { bytes, people, messages, files, notes })
}

/// A database that stays with what it said when it was opened.
struct Source {
    conn: Conn,
    which: Which,
    migrations: Vec<String>,
}

impl Source {
    fn open(which: Which, url: &Url) -> Result<Self, String> {
        let name = which.name();
        let missing = || format!("There is no {name} database at {url} yet.");
        if matches!(url, Url::Sqlite(path) if !path.exists()) {
            return Err(missing());
        }
        let unread = |error: &dyn std::fmt::Display| {
            format!("The {name} database at {url} can't be read: {}.", words(&error))
        };
        let manager = Manager { url: url.clone(), which, access: Access::Look };
        let mut conn = manager.open().map_err(|error| unread(&error))?;
        let begin = match &conn {
            Conn::Sqlite(_) => "BEGIN",
            Conn::Postgres(_) => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        };
        conn.batch_execute(begin).map_err(|error| unread(&error))?;
        // The first question decides what is seen.
        let standing = db::standing(&mut conn, which).map_err(|error| unread(&error))?;
        if standing.applied.is_empty() {
            return Err(missing());
        }
        if !standing.unknown.is_empty() {
            return Err(format!("The {name} database at {url} can't be backed up: {FUTURE}."));
        }
        Ok(Self { conn, which, migrations: standing.applied })
    }

    /// What the messages database says of itself; nothing before the first start.
    fn epoch(&mut self) -> Option<String> {
        server::table.find("epoch").select(server::value).first(&mut self.conn).ok()
    }

    fn dump(&mut self, archive: &mut Archive) -> Result<Dump, String> {
        let name = self.which.name();
        let mut tables = tables(&mut self.conn)?;
        for table in &mut tables {
            if LEFT_OUT.contains(&(self.which, table.name.as_str())) {
                continue;
            }
            let rows = archive
                .add(&Dump::file(name, &table.name), None, |out| unload(&mut self.conn, table, out))?;
            table.rows = rows;
        }
        let engine = if matches!(self.conn, Conn::Sqlite(_)) { "sqlite" } else { "postgres" };
        Ok(Dump {
            name: name.to_owned(),
            engine: engine.to_owned(),
            migrations: self.migrations.clone(),
            tables,
        })
    }
}

/// Both databases, by name and address.
pub fn databases(config: &Config) -> [(Which, Url); 2] {
    DATABASES.map(|which| match which {
        Which::Accounts => (which, config.accounts_url()),
        Which::Messages => (which, config.messages_url()),
    })
}
