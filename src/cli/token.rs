//! `hubbub token`: API tokens from the shell, also while the server runs.

use super::user::named;
use crate::accounts::state::open_database;
use crate::accounts::{Db, TokenLabel, token};
use crate::config::Config;
use crate::error::Error;
use crate::ids::TokenId;
use crate::site::page::Stamp;
use clap::{Arg, ArgMatches, Command};
use std::io::Write as _;

/// The command with its three sub-commands.
pub fn command() -> Command {
    let who = || Arg::new("username").value_name("USERNAME").required(true);
    Command::new("token")
        .about("API tokens from the shell, for programs that act as somebody")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("add").about("Makes a token and prints it, this once").arg(who()).arg(
                Arg::new("label")
                    .long("label")
                    .value_name("WORDS")
                    .default_value("from the shell")
                    .help("What it is for"),
            ),
        )
        .subcommand(Command::new("list").about("Somebody's tokens, with their numbers").arg(who()))
        .subcommand(
            Command::new("remove").about("Ends a token and the connections it opened").arg(who()).arg(
                Arg::new("number")
                    .value_name("NUMBER")
                    .required(true)
                    .value_parser(clap::value_parser!(i64))
                    .help("As `list` shows it"),
            ),
        )
}

/// Runs one of the sub-commands.
///
/// # Errors
/// A sentence for the person at the shell.
pub fn run(config: &Config, matches: &ArgMatches) -> Result<(), String> {
    crate::site::disk::make_private(&config.data)
        .map_err(|e| format!("The data folder {} can't be made: {e}", config.data.display()))?;
    let db = open_database(config)?;
    let done = change(&db, matches);
    db.close();
    let said = done.map_err(|e| e.detail())?;
    let mut out = std::io::stdout().lock();
    // A reader that stops early (`| head`) is no error.
    let _ = out.write_all(said.as_bytes()).and_then(|()| out.flush());
    Ok(())
}

fn change(db: &Db, matches: &ArgMatches) -> Result<String, Error> {
    let text = |args: &ArgMatches, name: &str| args.get_one::<String>(name).cloned().unwrap_or_default();
    match matches.subcommand() {
        Some(("add", args)) => add(db, &text(args, "username"), &text(args, "label")),
        Some(("remove", args)) => {
            let number = args.get_one::<i64>("number").copied().unwrap_or_default();
            remove(db, &text(args, "username"), TokenId(number))
        }
        Some((_, args)) => list(db, &text(args, "username")),
        None => Ok(String::new()),
    }
}

/// The token alone on its line: scripts take it from there.
fn add(db: &Db, username: &str, label: &str) -> Result<String, Error> {
    let label = TokenLabel::parse(label).map_err(|e| Error::Invalid(vec![e]))?;
    let id = named(db, username)?.id;
    let token = db.write_blocking(move |conn| token::create(conn, id, &label))?;
    Ok(format!("{token}\n"))
}

fn list(db: &Db, username: &str) -> Result<String, Error> {
    let id = named(db, username)?.id;
    let rows = db.read_blocking(|conn| token::list(conn, id))?;
    let day = |at: i64| Stamp(at).iso().chars().take(10).collect::<String>();
    let line = |row: &token::TokenRow| {
        let used = row.used_at.map_or_else(|| "never".to_owned(), day);
        format!("{:>6}  made {}  used {used:<10}  {}\n", row.id, day(row.created_at), row.label)
    };
    Ok(rows.iter().map(line).collect())
}

fn remove(db: &Db, username: &str, number: TokenId) -> Result<String, Error> {
    let id = named(db, username)?.id;
    let ended = db.write_blocking(move |conn| token::revoke(conn, id, Some(number)))?;
    match ended.first() {
        Some(_) => Ok(format!("The token {number} is over.\n")),
        None => Err(Error::NotFound("There is no such token, or it is over already.")),
    }
}
