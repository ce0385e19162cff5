//! `hubbub backup` and `hubbub restore`: the whole place as one file, and back.

use crate::backup::{self, Made, Restored, Wanted};
use crate::config::Config;
use crate::db::Which;
use crate::site::words::size_in_words;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use std::io::Write as _;
use std::path::PathBuf;

/// The argument that names the archive.
pub(super) fn file() -> Arg {
    Arg::new("file").value_name("FILE").value_parser(value_parser!(PathBuf))
}

/// `hubbub backup`.
pub fn backup_command() -> Command {
    Command::new("backup")
        .about("Writes everything that is stored into one file, while the server runs too, and reads it back")
        .long_about(
            "Writes everything that is stored into one file, while the server runs too, and reads all of it back before \
             it says so: both databases as of one moment, with pictures and files of messages, and the recordings of \
             live streams. The media library's folder is left out unless --with-media is given: it may be very large, and \
             its files can be copied like any others.\n\nNot in it are sessions and the secrets of the data folder \
             (session.key, private-key.secret, second-step.key, live.secret): keep copies of private-key.secret and \
             second-step.key elsewhere.",
        )
        .arg(file().required(true).help("Where to; a tar archive"))
        .arg(
            Arg::new("force")
                .long("force")
                .action(ArgAction::SetTrue)
                .help("Replaces the file if there is one already"),
        )
        .arg(
            Arg::new("with-media")
                .long("with-media")
                .action(ArgAction::SetTrue)
                .help("Takes the media library's folder too"),
        )
}

/// `hubbub restore`.
pub fn restore_command() -> Command {
    Command::new("restore")
        .about("Puts a backup into an empty data folder, whole or not at all")
        .long_about(
            "Puts a backup into an empty data folder, whole or not at all, on SQLite or PostgreSQL, whichever it came \
             from. Every byte of it is proven first. Files of secrets and certificates may lie in the folder: put your \
             copies of private-key.secret and second-step.key there, or people will have to set their private keys again, and \
             come in by recovery codes where they have a second step.\n\nEverybody has to sign in again afterwards, and pages that are open start afresh.",
        )
        .arg(file().required(true).help("What `hubbub backup` wrote"))
}

/// Runs `hubbub backup`.
///
/// # Errors
/// A sentence for the person at the shell.
pub fn backup(config: &Config, matches: &ArgMatches) -> Result<(), String> {
    let target = named(matches)?;
    let wanted =
        Wanted { force: matches.get_flag("force"), recordings: true, media: matches.get_flag("with-media") };
    let Made { bytes, people, messages, files, notes } = backup::make(config, &target, wanted)?;
    let mut said = notes.iter().fold(String::new(), |said, note| said + "note  " + note + "\n");
    said += &format!(
        "{} holds {people} people, {messages} messages and {files} files: {}, read back and found whole.\n",
        target.display(),
        size_in_words(i64::try_from(bytes).unwrap_or(i64::MAX))
    );
    say(&said);
    Ok(())
}

/// Runs `hubbub restore`.
///
/// # Errors
/// A sentence for the person at the shell.
pub fn restore(config: &Config, matches: &ArgMatches) -> Result<(), String> {
    let Restored { manifest, tokens, files } = backup::restore(config, &named(matches)?)?;
    let (people, messages) =
        (manifest.rows(Which::Accounts, "users"), manifest.rows(Which::Messages, "messages"));
    let mut said = format!(
        "{people} people, {messages} messages and {files} files are back, as of {}. Everybody has to sign in again.\n",
        moment(manifest.made_at)
    );
    if tokens > 0 {
        said += &format!(
            "{tokens} API tokens are valid as they were then, those included that were revoked since: `hubbub token list NAME`.\n"
        );
    }
    if !config.data.join("private-key.secret").exists() {
        said += "Put your copy of private-key.secret into the data folder before the first start: without it nobody is found \
                 by the private key they have set.\n";
    }
    if !config.data.join("second-step.key").exists() {
        said += "And your copy of second-step.key: without it people with a second step come in by their recovery codes alone.\n";
    }
    say(&said);
    Ok(())
}

fn named(matches: &ArgMatches) -> Result<PathBuf, String> {
    matches.get_one::<PathBuf>("file").cloned().ok_or_else(|| "Name the file.".to_owned())
}

/// A moment for the shell, in UTC.
pub(super) fn moment(ms: i64) -> String {
    time::OffsetDateTime::from_unix_timestamp(ms / 1000).map_or_else(
        |_| format!("{ms} ms"),
        |time| format!("{} {:02}:{:02} UTC", time.date(), time.hour(), time.minute()),
    )
}

fn say(words: &str) {
    let mut out = std::io::stdout().lock();
    // A reader that stops early is no error.
    let _ = out.write_all(words.as_bytes()).and_then(|()| out.flush());
}
