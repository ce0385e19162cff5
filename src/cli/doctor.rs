//! `hubbub doctor`: what is found and missing on this machine, one plain line each.

mod bench;
mod client;
mod crowd;

use crate::clock::now_ms;
use crate::config::Config;
use crate::db::{Access, Manager, Url, Which};
use crate::site::tls::{self, Report};
use clap::{Arg, ArgAction, ArgMatches, Command};
use diesel::RunQueryDsl;
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, UNIX_EPOCH};

/// A clock that stands before this was never set: 2026-01-01, when this program did not exist yet; ms.
const EARLIEST: i64 = 1_767_225_600_000;
/// A clock that stands after this is wrong too: 2100-01-01; ms.
const LATEST: i64 = 4_102_444_800_000;
/// How far in the future a file may have been written before the clock is doubted; ms.
const DOUBT: i64 = 86_400_000;
/// Less free space than this ends in a full disk soon; bytes.
const ROOM: u64 = 200 * 1024 * 1024;
/// Descriptors for a small group with a tab or two each; a connection takes one.
const DESCRIPTORS: u64 = 4096;

/// How a finding stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Grade {
    Good,
    /// Hubbub runs, with less.
    Note,
    /// Hubbub can't run.
    Bad,
}

/// One line.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    grade: Grade,
    words: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.grade {
            Grade::Good => "ok  ",
            Grade::Note => "note",
            Grade::Bad => "no  ",
        };
        write!(f, "{mark}  {}", self.words)
    }
}

fn good(words: impl Into<String>) -> Finding {
    Finding { grade: Grade::Good, words: words.into() }
}

fn note(words: impl Into<String>) -> Finding {
    Finding { grade: Grade::Note, words: words.into() }
}

fn bad(words: impl Into<String>) -> Finding {
    Finding { grade: Grade::Bad, words: words.into() }
}

/// The command as the command line knows it.
pub fn command() -> Command {
    let bench = Arg::new("bench").long("bench").action(ArgAction::SetTrue).help(
        "measures for a minute how many people and messages this machine serves, in a folder that goes away",
    );
    Command::new("doctor").about("Says what is found and missing on this machine").arg(bench)
}

/// Prints the findings, or what was measured. It changes nothing: no folder is made, no database is migrated.
///
/// # Errors
/// A sentence when the server could not run as things are; the exit code is 1 then.
pub fn run(config: &Config, matches: &ArgMatches) -> Result<(), String> {
    if matches.get_flag("bench") { bench::run(config) } else { say(config) }
}

fn say(config: &Config) -> Result<(), String> {
    let findings = examine(config);
    let mut out = io::stdout().lock();
    for finding in &findings {
        // Whoever closes the pipe early has read enough.
        let _ = writeln!(out, "{finding}");
    }
    match findings.iter().filter(|finding| finding.grade == Grade::Bad).count() {
        0 => Ok(()),
        1 => Err("Hubbub can't run until the line marked “no” is put right.".to_owned()),
        n => Err(format!("Hubbub can't run until the {n} lines marked “no” are put right.")),
    }
}

fn examine(config: &Config) -> Vec<Finding> {
    let mut findings = vec![
        folder("data", &config.data),
        folder("media", &config.media),
        database(Which::Accounts, config.accounts_url()),
        database(Which::Messages, config.messages_url()),
        port("listen", config.listen, || is_healthy(config.listen)),
    ];
    if let Some(address) = config.tls_listen {
        findings.push(port("tls_listen", address, || tls::is_healthy(config, address, now_ms())));
    }
    findings.extend(tls::report(config, now_ms()).into_iter().map(certificate));
    findings.extend([
        space(&config.data),
        descriptors(),
        clock(now_ms(), newest(&config.data)),
        program("ffmpeg", std::env::var_os("PATH").as_deref()),
        program("ffprobe", std::env::var_os("PATH").as_deref()),
    ]);
    findings
}

fn certificate(report: Report) -> Finding {
    match report {
        Report::Good(words) => good(words),
        Report::Note(words) => note(words),
        Report::Bad(words) => bad(words),
    }
}

/// The folder itself, or where it would be made.
fn standing(folder: &Path) -> PathBuf {
    let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    absolute.ancestors().find(|path| path.exists()).unwrap_or(Path::new("/")).to_owned()
}

fn folder(name: &str, path: &Path) -> Finding {
    let found = standing(path);
    let shown = path.display();
    match try_writing(&found) {
        Ok(()) if path.exists() => good(format!("The {name} folder {shown} can be written.")),
        Ok(()) => good(format!("The {name} folder {shown} is not there yet; the first start makes it.")),
        Err(_) if path.is_file() => bad(format!("The {name} folder {shown} is a file. Move it away.")),
        Err(error) if path.exists() => bad(format!(
            "The {name} folder {shown} can't be written ({error}). Give this user the right to write there."
        )),
        Err(error) => bad(format!(
            "The {name} folder {shown} can't be made ({error}). Make it, or set `{name}` to another folder."
        )),
    }
}

/// The rights of a folder say less than a try: the disk may be full, or mounted read-only.
fn try_writing(folder: &Path) -> io::Result<()> {
    let probe = folder.join(format!(".hubbub-doctor-{}", std::process::id()));
    std::fs::write(&probe, b"x")?;
    std::fs::remove_file(&probe)
}

fn database(which: Which, url: Url) -> Finding {
    let name = which.name();
    if let Url::Sqlite(path) = &url
        && !path.exists()
    {
        return good(format!("The {name} database {url} is not there yet; the first start makes it."));
    }
    let shown = url.to_string();
    let answer = Manager { url, which, access: Access::Read }
        .open()
        .map_err(|error| error.to_string())
        .and_then(|mut conn| {
            // Reads the file's first page, which connecting alone doesn't.
            let question = match conn {
                crate::db::Conn::Sqlite(_) => "SELECT count(*) FROM sqlite_master",
                crate::db::Conn::Postgres(_) => "SELECT 1",
            };
            diesel::sql_query(question).execute(&mut conn).map_err(|error| error.to_string())
        });
    match answer {
        Ok(_) => good(format!("The {name} database {shown} answers.")),
        Err(error) => {
            // Postgres writes its reason over several lines.
            let reason = error.split_whitespace().collect::<Vec<_>>().join(" ");
            bad(format!("The {name} database {shown} does not answer: {reason}"))
        }
    }
}

fn port(setting: &str, address: SocketAddr, is_healthy: impl Fn() -> bool) -> Finding {
    match TcpListener::bind(address) {
        Ok(_) => good(format!("The address {address} is free.")),
        Err(error) if error.kind() == ErrorKind::AddrInUse && is_healthy() => {
            good(format!("The address {address} is in use by a Hubbub that runs and is healthy."))
        }
        Err(error) if error.kind() == ErrorKind::AddrInUse => bad(format!(
            "The address {address} is in use by another program. Stop it, or set `{setting}` to another port."
        )),
        Err(error) => {
            bad(format!("The address {address} can't be listened on ({error}). Set `{setting}` to another."))
        }
    }
}

fn is_healthy(address: SocketAddr) -> bool {
    let ask = || -> io::Result<bool> {
        let patience = Duration::from_secs(1);
        let mut stream = TcpStream::connect_timeout(&address, patience)?;
        stream.set_read_timeout(Some(patience))?;
        stream.write_all(
            format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes(),
        )?;
        let mut head = [0; 12];
        stream.read_exact(&mut head)?;
        Ok(head == *b"HTTP/1.1 200")
    };
    ask().unwrap_or(false)
}

fn space(data: &Path) -> Finding {
    match rustix::fs::statvfs(standing(data)) {
        Ok(disk) => spacious(disk.f_bavail.saturating_mul(disk.f_frsize)),
        Err(error) => note(format!("How much space is left could not be found out ({error}).")),
    }
}

fn spacious(free: u64) -> Finding {
    let mib = free / (1024 * 1024);
    let words = if mib < 10 * 1024 {
        format!("{mib} MiB are free for the data folder.")
    } else {
        format!("{} GiB are free for the data folder.", mib / 1024)
    };
    if mib == 0 {
        bad("No space is left for the data folder.")
    } else if free < ROOM {
        note(format!("{words} That is little; a full disk stops every message."))
    } else {
        good(words)
    }
}

fn descriptors() -> Finding {
    // The server raises its own limit up to the hard one, so that this is the one that counts.
    match rlimit::Resource::NOFILE.get() {
        Ok((_, hard)) if hard < DESCRIPTORS => note(format!(
            "At most {hard} files and connections may be open (`ulimit -Hn`). More people than that can't be here at once."
        )),
        Ok((_, hard)) if hard == rlimit::INFINITY => good("Any number of files and connections may be open."),
        Ok((_, hard)) => good(format!("Up to {hard} files and connections may be open.")),
        Err(error) => note(format!("How many files may be open could not be found out ({error}).")),
    }
}

/// When something in the data folder was last written; ms.
fn newest(data: &Path) -> Option<i64> {
    std::fs::read_dir(data)
        .ok()?
        .filter_map(|entry| entry.ok()?.metadata().ok()?.modified().ok()?.duration_since(UNIX_EPOCH).ok())
        .filter_map(|since| i64::try_from(since.as_millis()).ok())
        .max()
}

fn clock(now: i64, newest: Option<i64>) -> Finding {
    let shown = time::OffsetDateTime::from_unix_timestamp(now / 1000).map_or_else(
        |_| format!("{now} ms"),
        |time| format!("{} at {:02}:{:02} UTC", time.date(), time.hour(), time.minute()),
    );
    if !(EARLIEST..LATEST).contains(&now) {
        bad(format!("The clock says {shown}, which can't be. Set it; messages keep the time that it shows."))
    } else if newest.is_some_and(|newest| newest > now + DOUBT) {
        note(format!(
            "The clock says {shown}, but the data folder was written later than that. Check which is right."
        ))
    } else {
        good(format!("The clock says {shown}."))
    }
}

fn program(name: &str, path: Option<&std::ffi::OsStr>) -> Finding {
    let found = path.and_then(|path| {
        std::env::split_paths(path).map(|folder| folder.join(name)).find(|file| file.is_file())
    });
    let Some(file) = found else {
        return note(format!(
            "{name} is not on the PATH. Hubbub runs without it; films of other formats are not converted."
        ));
    };
    let output =
        std::process::Command::new(&file).arg("-version").stdin(Stdio::null()).stderr(Stdio::null()).output();
    match output {
        Ok(output) if output.status.success() => {
            let words = String::from_utf8_lossy(&output.stdout);
            let version = words.split_whitespace().nth(2).unwrap_or("of an unknown version").to_owned();
            good(format!("{name} {version} is there."))
        }
        _ => {
            note(format!("{name} is there as {}, but does not run. Hubbub runs without it.", file.display()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Tested = Result<(), Box<dyn std::error::Error>>;

    fn config(folder: &Path) -> Result<Config, String> {
        let mut config = Config::default();
        config.set("data", &folder.join("data").to_string_lossy())?;
        config.set("media", &folder.join("media").to_string_lossy())?;
        config.set("listen", "127.0.0.1:0")?;
        Ok(config)
    }

    #[test]
    fn an_empty_folder_is_a_good_place_and_stays_empty() -> Tested {
        let folder = tempfile::tempdir()?;
        let findings = examine(&config(folder.path())?);
        assert!(findings.iter().all(|finding| finding.grade != Grade::Bad), "{findings:#?}");
        assert_eq!(std::fs::read_dir(folder.path())?.count(), 0);
        Ok(())
    }

    #[test]
    fn a_running_installation_is_examined_without_being_changed() -> Tested {
        let folder = tempfile::tempdir()?;
        let config = config(folder.path())?;
        std::fs::create_dir(&config.data)?;
        let rooms = crate::rooms::Rooms::open(&config, |_| ())?;
        let finding = database(Which::Messages, config.messages_url());
        assert_eq!(finding.grade, Grade::Good, "{finding}");
        rooms.db.close();
        Ok(())
    }

    #[test]
    fn what_stands_in_the_way_is_named() -> Tested {
        let folder = tempfile::tempdir()?;
        let mut config = config(folder.path())?;
        std::fs::write(&config.data, b"a file")?;
        let broken = folder.path().join("broken.db");
        std::fs::write(&broken, b"this is no database, whatever its name says".repeat(100))?;
        config.set("accounts_url", &format!("sqlite://{}", broken.display()))?;
        let taken = TcpListener::bind("127.0.0.1:0")?;
        config.set("listen", &taken.local_addr()?.to_string())?;
        let findings = examine(&config);
        let bad: Vec<&str> =
            findings.iter().filter(|f| f.grade == Grade::Bad).map(|finding| finding.words.as_str()).collect();
        assert_eq!(bad.len(), 3, "{findings:#?}");
        assert!(bad[0].contains("data folder") && bad[0].contains("is a file"), "{bad:?}");
        assert!(bad[1].contains("accounts database"), "{bad:?}");
        assert!(bad[2].contains("in use by another program"), "{bad:?}");
        assert!(say(&config).is_err_and(|words| words.contains("3 lines")));
        Ok(())
    }

    #[test]
    fn a_clock_that_was_never_set_or_went_back_is_noticed() {
        assert_eq!(clock(0, None).grade, Grade::Bad);
        assert_eq!(clock(EARLIEST, Some(EARLIEST + 2 * DOUBT)).grade, Grade::Note);
        assert_eq!(clock(EARLIEST, Some(EARLIEST)), good("The clock says 2026-01-01 at 00:00 UTC."));
    }

    #[test]
    fn little_space_is_said_and_none_is_bad() {
        assert_eq!(spacious(0).grade, Grade::Bad);
        assert_eq!(spacious(ROOM / 2).grade, Grade::Note);
        assert_eq!(spacious(20 << 30), good("20 GiB are free for the data folder."));
    }

    #[test]
    fn a_missing_program_is_a_note() {
        let finding = program("ffmpeg", Some("/nowhere".as_ref()));
        assert_eq!(finding.grade, Grade::Note);
    }
}
