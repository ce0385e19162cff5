//! The command line: one file per command, and the settings as flags of all of them.

mod backup;
mod doctor;
mod instrument;
mod live;
mod publish;
mod serve;
mod token;
pub mod user;
mod verify;

use crate::config::{Config, LogFormat, SETTINGS};
use clap::{Arg, ArgMatches, Command};
use std::ffi::OsString;
use std::path::PathBuf;

/// Why a command ended without success.
#[derive(Debug)]
pub struct Failure {
    /// One sentence for the person at the terminal.
    pub message: String,
    /// 2 for what has to be put right before it can start, 1 for a command that tried and failed.
    pub code: u8,
}

impl Failure {
    fn to_start(message: String) -> Self {
        Self { message, code: 2 }
    }

    fn to_run(message: String) -> Self {
        Self { message, code: 1 }
    }
}

/// Runs the command that `args` (with the program's name first) asks for; `serve` when it names none.
///
/// # Errors
/// The sentence to print and the code to exit with.
pub fn run(args: impl IntoIterator<Item = OsString>) -> Result<(), Failure> {
    let matches = match command().try_get_matches_from(args) {
        Ok(matches) => matches,
        // Help and version come this way too, and are no failure.
        Err(error) if !error.use_stderr() => {
            let _ = error.print();
            return Ok(());
        }
        Err(error) => return Err(Failure::to_start(error.render().to_string().trim_end().to_owned())),
    };
    let config = load(&matches).map_err(Failure::to_start)?;
    start_log(&config);
    outlive_limits();
    // What opens the databases to change them is held back by what mustn't be changed.
    if matches!(matches.subcommand_name(), None | Some("serve" | "user" | "token" | "live")) {
        crate::backup::before_change(&config).map_err(Failure::to_run)?;
    }
    match matches.subcommand() {
        Some(("user", matches)) => user::run(&config, matches).map_err(Failure::to_run),
        Some(("live", matches)) => live::run(&config, matches).map_err(Failure::to_run),
        Some(("publish", matches)) => publish::run(&config, matches).map_err(Failure::to_run),
        Some(("token", matches)) => token::run(&config, matches).map_err(Failure::to_run),
        Some(("verify", matches)) => verify::run(&config, matches).map_err(Failure::to_run),
        Some(("backup", matches)) => backup::backup(&config, matches).map_err(Failure::to_run),
        Some(("restore", matches)) => backup::restore(&config, matches).map_err(Failure::to_run),
        Some(("doctor", matches)) => doctor::run(&config, matches).map_err(Failure::to_run),
        Some((_, matches)) => serve::run(config, Some(matches)).map_err(Failure::to_start),
        None => serve::run(config, None).map_err(Failure::to_start),
    }
}

fn command() -> Command {
    let settings = SETTINGS.iter().map(|setting| {
        Arg::new(setting.name)
            .long(setting.flag())
            .value_name("VALUE")
            .global(true)
            .help_heading("Settings")
            .help(format!("{} [{}; default: {}]", setting.meaning, setting.variable(), setting.default))
    });
    let file = Arg::new("settings")
        .long("settings")
        .value_name("FILE")
        .global(true)
        .help("the settings file [default: hubbub.toml, if it is there]");
    Command::new("hubbub")
        .version(env!("CARGO_PKG_VERSION"))
        .about("A place of your own for a group of people: board, channels, media, live streams")
        .arg(file)
        .args(settings)
        .subcommand(serve::command())
        .subcommand(user::command())
        .subcommand(token::command())
        .subcommand(live::command())
        .subcommand(publish::command())
        .subcommand(doctor::command())
        .subcommand(verify::command())
        .subcommand(backup::backup_command())
        .subcommand(backup::restore_command())
}

fn load(matches: &ArgMatches) -> Result<Config, String> {
    // A global flag may stand before or behind the command's name; clap hands it down to the innermost matches.
    let innermost = std::iter::successors(Some(matches), |m| m.subcommand().map(|(_, inner)| inner))
        .last()
        .unwrap_or(matches);
    let named = innermost.get_one::<String>("settings").map(PathBuf::from);
    let file = named.or_else(|| Some(PathBuf::from("hubbub.toml")).filter(|path| path.exists()));
    Config::load(
        |name| innermost.get_one::<String>(name).cloned(),
        |variable| std::env::var(variable).ok().filter(|value| !value.is_empty()),
        file.as_deref(),
    )
}

/// A file that may not grow any more (`ulimit -f`) is met like a full disk: the signal that comes with it would end the
/// program in the middle of a write.
fn outlive_limits() {
    #[cfg(unix)]
    if let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() {
        let _inside = runtime.enter();
        let number = rustix::process::Signal::XFSZ.as_raw();
        // What was set once stays for the life of the program. Without it the limit ends it, as before.
        let _ = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::from_raw(number));
    }
}

fn start_log(config: &Config) {
    // It logs every dead or forged cookie; strangers could fill the disk with that. Actix tells each worker's start.
    let quiet = ["actix_session=error", "actix_server=warn"].into_iter().filter_map(|d| d.parse().ok());
    let filter = quiet
        .fold(tracing_subscriber::EnvFilter::new(&config.log), tracing_subscriber::EnvFilter::add_directive);
    let log =
        tracing_subscriber::fmt().with_env_filter(filter).with_target(false).with_writer(std::io::stderr);
    // A second start in one process keeps the first log; only tests do that.
    let _ = match config.log_format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().try_init(),
    };
}
