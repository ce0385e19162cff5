//! `hubbub verify`: whether everything that is stored is whole, one line for each thing that is looked at.

mod library;
mod rooms;

use super::backup;
use crate::backup::{interrupted, prove};
use crate::config::Config;
use crate::db::schema::accounts::users;
use crate::db::{self, Access, Conn, Manager, Url, Which, integrity};
use crate::error::Result as Read;
use crate::ids::UserId;
use clap::{Arg, ArgAction, ArgMatches, Command};
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use std::collections::HashSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Faults of one kind that are printed; a broken disk has thousands.
const SHOWN: usize = 20;

/// The command as the command line knows it.
pub fn command() -> Command {
    let quick = Arg::new("quick")
        .long("quick")
        .action(ArgAction::SetTrue)
        .conflicts_with("file")
        .help("Leaves out what takes reading every file");
    Command::new("verify")
        .about("Says whether everything that is stored is whole; changes nothing")
        .arg(backup::file().help("A backup, to look at it instead of what is stored"))
        .arg(quick)
}

/// Prints what it looks at and what is wrong with it. The server may run meanwhile: each database is read as of
/// one moment, which for the library's folder is one after the folder was listed.
///
/// # Errors
/// A sentence when something isn't whole, or can't be read.
pub fn run(config: &Config, matches: &ArgMatches) -> Result<(), String> {
    if let Some(file) = matches.get_one::<PathBuf>("file") {
        return archive(file);
    }
    if let Some(sentence) = interrupted(config) {
        return Err(sentence);
    }
    let hashes = !matches.get_flag("quick");
    let mut accounts = open(config.accounts_url(), Which::Accounts)?;
    let mut messages = open(config.messages_url(), Which::Messages)?;
    let mut look = Look { faults: 0 };
    let (a, m) = (&mut accounts, &mut messages);
    look.at("the database of people", integrity::faults(a))?;
    look.at("the database of messages", integrity::faults(m))?;
    look.at("the numbers of messages and changes", rooms::numbers(m))?;
    look.at("what belongs to messages", rooms::orphans(m))?;
    let people = people(a).map_err(|error| error.detail())?;
    look.at("authors and members", rooms::strangers(m, &people))?;
    look.at("the search index", rooms::index(m))?;
    if hashes {
        look.at("the content of files in messages", rooms::contents(m))?;
    }
    look.at("what belongs to the library", library::orphans(m))?;
    look.at("the library's files", twice(|| library::items(m, &config.media, hashes)))?;
    look.at("uploads", twice(|| library::uploads(m, &config.media)))?;
    look.at("what was made of the library's files", twice(|| library::products(m, &config.media)))?;
    match look.faults {
        0 => Ok(()),
        1 => Err("One thing is not whole.".to_owned()),
        n => Err(format!("{n} things are not whole.")),
    }
}

/// Looks at a backup.
fn archive(file: &Path) -> Result<(), String> {
    let manifest = prove(file)?;
    // Whoever closes the pipe early has read enough.
    let _ = writeln!(
        std::io::stdout().lock(),
        "ok    {} is whole: {} people, {} messages, as of {}, made by Hubbub {}",
        file.display(),
        manifest.rows(Which::Accounts, "users"),
        manifest.rows(Which::Messages, "messages"),
        backup::moment(manifest.made_at),
        manifest.hubbub
    );
    Ok(())
}

struct Look {
    faults: usize,
}

impl Look {
    fn at(&mut self, what: &str, found: Read<Vec<String>>) -> Result<(), String> {
        let found = found.map_err(|error| format!("Looking at {what} failed: {error}"))?;
        self.faults += found.len();
        let mut out = std::io::stdout().lock();
        let mark = if found.is_empty() { "ok  " } else { "no  " };
        // Whoever closes the pipe early has read enough.
        let _ = writeln!(out, "{mark}  {what}");
        for fault in found.iter().take(SHOWN) {
            let _ = writeln!(out, "      {fault}");
        }
        if found.len() > SHOWN {
            let _ = writeln!(out, "      and {} more", found.len() - SHOWN);
        }
        Ok(())
    }
}

/// Opens a database that is there and up to date, and stays with what it says now.
fn open(url: Url, which: Which) -> Result<Conn, String> {
    let name = which.name();
    if let Url::Sqlite(path) = &url
        && !path.exists()
    {
        return Err(format!("There is no {name} database at {url} yet."));
    }
    let shown = url.to_string();
    let wrong = |error: String| {
        let reason = error.split_whitespace().collect::<Vec<_>>().join(" ");
        format!("The {name} database {shown} can't be read: {reason}")
    };
    let mut conn =
        Manager { url, which, access: Access::Read }.open().map_err(|error| wrong(error.to_string()))?;
    if !db::standing(&mut conn, which).map_err(|error| wrong(error.to_string()))?.is_current() {
        return Err(format!(
            "The {name} database {shown} was made by another version. Start the server once; it brings it up to date."
        ));
    }
    conn.batch_execute(begin(&conn)).map_err(|error| wrong(error.to_string()))?;
    Ok(conn)
}

fn begin(conn: &Conn) -> &'static str {
    match conn {
        Conn::Sqlite(_) => "BEGIN",
        Conn::Postgres(_) => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    }
}

/// Goes on with what the database says now.
fn renew(conn: &mut Conn) -> Read<()> {
    let begin = begin(conn);
    conn.batch_execute("ROLLBACK")?;
    Ok(conn.batch_execute(begin)?)
}

/// What is found in two looks: a server that runs beside this may have been in the middle of something at the first one.
fn twice(mut look: impl FnMut() -> Read<Vec<String>>) -> Read<Vec<String>> {
    let mut found = look()?;
    if !found.is_empty() {
        let again = look()?;
        found.retain(|fault| again.contains(fault));
    }
    Ok(found)
}

fn people(conn: &mut Conn) -> Read<HashSet<UserId>> {
    Ok(users::table.select(users::id).load::<UserId>(conn)?.into_iter().collect())
}
