//! `hubbub restore`: a backup into an empty data folder, whole or not at all.
//!
//! Everything is made beside its place first. A file in the data folder says that a restore goes on: whoever finds it after a
//! kill doesn't take what is there for a place to run.

use super::archive::{folder_of, sync_folder};
use super::gate::MARK;
use super::load::{fill, prepare, settle};
use super::make::databases;
use super::manifest::{Dump, Manifest};
use super::proof::{prove, unpack};
use super::shelf::Shelf;
use super::{MEDIA, RECORDINGS, tables, words};
use crate::config::Config;
use crate::db::{self, Access, Conn, FUTURE, Manager, Url, Which};
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// What may lie in an "empty" data folder: secrets and certificates, which no backup has.
const MAY_STAY: [&str; 4] = [".secret", ".key", ".pem", ".crt"];
/// Files that SQLite keeps beside a database, which would be taken for the new one's.
const BESIDE: [&str; 4] = ["", "-wal", "-shm", "-journal"];
/// Loading happens on a file that counts only when all of it is there: nothing has to be undone or survive before.
const SQLITE_LOAD: &str = "PRAGMA foreign_keys = OFF; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; \
    PRAGMA cache_size = -200000;";

/// What was put back.
#[derive(Debug)]
pub struct Restored {
    pub manifest: Manifest,
    /// API tokens that are valid, as they were then.
    pub tokens: i64,
    pub files: usize,
}

/// Puts a backup back.
///
/// # Errors
/// A sentence; what was there is as it was then.
pub fn restore(config: &Config, archive: &Path) -> Result<Restored, String> {
    let manifest = prove(archive)?;
    for (which, url) in databases(config) {
        if !is_known(&manifest, which, &url)? {
            return Err(format!("{} can't be restored: {FUTURE}.", archive.display()));
        }
    }
    is_empty(config, &manifest, archive)?;
    let mark = Mark::set(&config.data)?;
    let mut shelves =
        [(RECORDINGS, Shelf::new(config.data.join(RECORDINGS))), (MEDIA, Shelf::new(config.media.clone()))];
    let mut staged = Vec::new();
    let filled = fill_all(config, archive, &manifest, &mut staged, &mut shelves);
    let tokens = match filled {
        Ok(tokens) => tokens,
        Err(what) => {
            staged.iter().for_each(Staged::clear);
            for (_, shelf) in &shelves {
                shelf.clear();
            }
            mark.remove()?;
            return Err(format!(
                "{} could not be restored: {what}. Nothing was put into place.",
                archive.display()
            ));
        }
    };
    // From here on the mark stays if anything fails: a part may be in place.
    let failed = |what: String| format!("The restore broke off while it put things into place: {what}.");
    shelves.iter().try_for_each(|(_, shelf)| shelf.place()).map_err(failed)?;
    staged.iter().try_for_each(Staged::place).map_err(failed)?;
    mark.remove()?;
    let files = manifest.files_in(RECORDINGS) + manifest.files_in(MEDIA);
    Ok(Restored { manifest, tokens, files })
}

fn is_known(manifest: &Manifest, which: Which, url: &Url) -> Result<bool, String> {
    let dump = dump_of(manifest, which)?;
    let on_sqlite = matches!(url, Url::Sqlite(_));
    let standing = db::standing_of(&dump.migrations, on_sqlite, which).map_err(|error| words(&error))?;
    Ok(standing.unknown.is_empty())
}

fn dump_of(manifest: &Manifest, which: Which) -> Result<&Dump, String> {
    manifest.database(which).ok_or_else(|| format!("The backup has no {} database.", which.name()))
}

fn fill_all(
    config: &Config,
    archive: &Path,
    manifest: &Manifest,
    staged: &mut Vec<Staged>,
    shelves: &mut [(&str, Shelf)],
) -> Result<i64, String> {
    let mut tokens = 0;
    for (which, url) in databases(config) {
        let source = Source { archive, manifest, which, dump: dump_of(manifest, which)? };
        tokens += match url {
            Url::Sqlite(path) => {
                staged.push(Staged::beside(&path));
                staged.last().map_or(Ok(0), |file| source.fill_sqlite(file))?
            }
            url => source.fill_postgres(url)?,
        };
    }
    for (folder, shelf) in shelves {
        let inside = |name: &str| name.strip_prefix(*folder)?.strip_prefix('/').map(str::to_owned);
        let receive = |kept: &super::manifest::Kept, content: &mut dyn std::io::Read| {
            shelf.receive(&inside(&kept.name).unwrap_or_default(), kept.modified, content)
        };
        unpack(archive, manifest, receive, |name| inside(name).is_some())?;
    }
    Ok(tokens)
}

/// One database of the archive, on its way.
struct Source<'a> {
    archive: &'a Path,
    manifest: &'a Manifest,
    which: Which,
    dump: &'a Dump,
}

/// Why a transaction is given up.
struct Stop(String);

impl From<diesel::result::Error> for Stop {
    fn from(error: diesel::result::Error) -> Self {
        Self(words(&error))
    }
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    many: i64,
}

impl Source<'_> {
    fn fill_sqlite(&self, file: &Staged) -> Result<i64, String> {
        let manager =
            Manager { url: Url::Sqlite(file.staging.clone()), which: self.which, access: Access::Write };
        std::fs::create_dir_all(folder_of(&file.staging)).map_err(|error| words(&error))?;
        let mut conn = manager.open().map_err(|error| words(&error))?;
        conn.batch_execute(SQLITE_LOAD).map_err(|error| words(&error))?;
        let tokens = conn.transaction(|conn| self.fill(conn).map_err(Stop)).map_err(|Stop(what)| what)?;
        conn.batch_execute("PRAGMA journal_mode = WAL").map_err(|error| words(&error))?;
        drop(conn);
        File::open(&file.staging).and_then(|file| file.sync_all()).map_err(|error| words(&error))?;
        Ok(tokens)
    }

    fn fill_postgres(&self, url: Url) -> Result<i64, String> {
        let manager = Manager { url, which: self.which, access: Access::Write };
        let mut conn = db::open_to_migrate(&manager).map_err(|error| words(&error))?;
        let filled = conn.transaction(|conn| {
            // A server that starts meanwhile waits with its migrations.
            conn.batch_execute("SELECT pg_advisory_xact_lock(4859872)")?;
            if !tables::tables(conn).map_err(Stop)?.is_empty() {
                return Err(Stop(format!("the {} database isn't empty", self.which.name())));
            }
            self.fill(conn).map_err(Stop)
        });
        filled.map_err(|Stop(what)| what)
    }

    /// Answers with the number of tokens that are valid.
    fn fill(&self, conn: &mut Conn) -> Result<i64, String> {
        let name = self.which.name();
        prepare(conn, self.which, self.dump)?;
        let table_of =
            |file: &str| self.dump.tables.iter().find(|table| Dump::file(name, &table.name) == file);
        let mut missing: u64 = self.dump.tables.iter().map(|table| table.rows).sum();
        let visit = |kept: &super::manifest::Kept, content: &mut dyn std::io::Read| {
            let Some(table) = table_of(&kept.name) else { return Ok(()) };
            let rows = fill(conn, table, content)?;
            if rows != table.rows {
                return Err(format!("the table “{}” has {rows} rows instead of {}", table.name, table.rows));
            }
            missing -= rows;
            Ok(())
        };
        unpack(self.archive, self.manifest, visit, |file| table_of(file).is_some())?;
        if missing > 0 {
            return Err(format!("{missing} rows are missing"));
        }
        settle(conn, self.dump)?;
        if !self.dump.tables.iter().any(|table| table.name == "tokens") {
            return Ok(0);
        }
        let valid = diesel::sql_query("SELECT COUNT(*) AS many FROM tokens WHERE revoked_at IS NULL");
        Ok(valid.get_result::<Count>(conn).map_err(|error| words(&error))?.many)
    }
}

/// A SQLite file that is made beside its place.
struct Staged {
    staging: PathBuf,
    path: PathBuf,
}

impl Staged {
    fn beside(path: &Path) -> Self {
        Self { staging: beside(path, MARK), path: path.to_owned() }
    }

    fn place(&self) -> Result<(), String> {
        std::fs::rename(&self.staging, &self.path)
            .and_then(|()| sync_folder(folder_of(&self.path)))
            .map_err(|error| format!("{}: {}", self.path.display(), words(&error)))
    }

    fn clear(&self) {
        for ending in BESIDE {
            // It may have been made or not.
            let _ = std::fs::remove_file(beside(&self.staging, ending));
        }
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Says that a restore goes on here.
struct Mark(PathBuf);

impl Mark {
    fn set(data: &Path) -> Result<Self, String> {
        let path = data.join(MARK);
        crate::site::disk::make_private(data)
            .and_then(|()| File::create_new(&path)?.sync_all())
            .and_then(|()| sync_folder(data))
            .map_err(|error| {
                format!("The data folder {} can't be written: {}.", data.display(), words(&error))
            })?;
        Ok(Self(path))
    }

    fn remove(self) -> Result<(), String> {
        std::fs::remove_file(&self.0)
            .and_then(|()| sync_folder(folder_of(&self.0)))
            .map_err(|error| format!("The file {} can't be removed: {}.", self.0.display(), words(&error)))
    }
}

/// Nothing lies where something is to be put.
fn is_empty(config: &Config, manifest: &Manifest, archive: &Path) -> Result<(), String> {
    let data = &config.data;
    if let Some(found) = found_in(data, archive, &MAY_STAY)? {
        return Err(format!(
            "The data folder {} isn't empty: “{found}” is there. Move it aside first; files of secrets and certificates \
             may stay.",
            data.display()
        ));
    }
    if manifest.files_in(MEDIA) > 0
        && let Some(found) = found_in(&config.media, archive, &[])?
    {
        return Err(format!(
            "The library's folder {} isn't empty: “{found}” is there. Move it aside first, since this backup brings \
             the library's files.",
            config.media.display()
        ));
    }
    for (which, url) in databases(config) {
        let (name, shown) = (which.name(), url.to_string());
        let on_postgres = matches!(url, Url::Postgres(_));
        let is_there = match url {
            Url::Sqlite(path) => BESIDE.iter().any(|ending| beside(&path, ending).exists()),
            url => {
                let manager = Manager { url, which, access: Access::Look };
                let made = manager
                    .open()
                    .map_err(|error| words(&error))
                    .and_then(|mut conn| tables::tables(&mut conn));
                !made
                    .map_err(|what| format!("The {name} database at {shown} does not answer: {what}."))?
                    .is_empty()
            }
        };
        if is_there {
            let left = if on_postgres {
                format!(
                    " What a restore left that was killed between the two goes with: DROP SCHEMA {name} CASCADE"
                )
            } else {
                String::new()
            };
            return Err(format!(
                "The {name} database at {shown} isn't empty. A backup is put into an empty one.{left}"
            ));
        }
    }
    Ok(())
}

/// The first thing in a folder that isn't nothing: an empty folder is, and so is the archive itself.
fn found_in(folder: &Path, archive: &Path, may_stay: &[&str]) -> Result<Option<String>, String> {
    let unread =
        |error: std::io::Error| format!("The folder {} can't be read: {}.", folder.display(), words(&error));
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        entries => entries.map_err(unread)?,
    };
    let archive = archive.canonicalize().ok();
    for entry in entries {
        let entry = entry.map_err(unread)?;
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        let is_empty_folder = std::fs::read_dir(&path).is_ok_and(|mut inside| inside.next().is_none());
        let may_stay = may_stay.iter().any(|ending| name.ends_with(ending))
            || (!may_stay.is_empty() && name.starts_with(super::gate::BEFORE))
            || (archive.is_some() && path.canonicalize().ok() == archive);
        if !is_empty_folder && !may_stay {
            return Ok(Some(name));
        }
    }
    Ok(None)
}
