//! `hubbub serve`: runs the server until Ctrl-C or SIGTERM.

use super::live;
use crate::app::{self, Running};
use crate::config::Config;
use clap::{Arg, ArgMatches, Command, value_parser};

pub fn command() -> Command {
    Command::new("serve")
        .about("runs the server (the default)")
        .arg(
            Arg::new("port")
                .short('o')
                .value_name("PORT")
                .value_parser(value_parser!(u16))
                .help("listens on this port"),
        )
        .arg(
            Arg::new("number")
                .short('d')
                .value_name("N")
                .value_parser(value_parser!(u32))
                .help("makes the live stream stream-N, unless it is there, for `hubbub publish -d N`"),
        )
}

/// Starts, says what to open, and stops when asked to.
///
/// # Errors
/// One sentence about what is in the way of starting, or about a stop that lost something.
pub fn run(mut config: Config, matches: Option<&ArgMatches>) -> Result<(), String> {
    if let Some(port) = matches.and_then(|matches| matches.get_one::<u16>("port")) {
        config.listen.set_port(*port);
    }
    let number = matches.and_then(|matches| matches.get_one::<u32>("number"));
    let stream = number.map(|number| live::ensure(&config, *number)).transpose()?;
    let running = app::start(config)?;
    greet(&running);
    if let Some(name) = stream {
        println!("The stream {name} is at {}/live/{name}", running.url());
    }
    wait_for_signal()?;
    println!("Stopping. Everybody connected is told to come back in a moment.");
    running.stop()
}

fn greet(running: &Running) {
    println!("Hubbub is running. Open {} in your browser.", running.url());
    if running.awaits_owner {
        match &running.owner_code {
            None => println!("Nobody has registered yet: the first account to register becomes the owner."),
            Some(code) => println!(
                "Nobody has registered yet: the first account becomes the owner. It needs this one-time code: {code}"
            ),
        }
    }
    println!("Press Ctrl-C to stop.");
}

fn wait_for_signal() -> Result<(), String> {
    let cannot = |error: std::io::Error| format!("Signals can't be received: {error}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(cannot)?;
    runtime.block_on(async {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let mut terminate = signal(SignalKind::terminate()).map_err(cannot)?;
            tokio::select! {
                done = tokio::signal::ctrl_c() => done.map_err(cannot),
                _ = terminate.recv() => Ok(()),
            }
        }
        #[cfg(not(unix))]
        tokio::signal::ctrl_c().await.map_err(cannot)
    })
}
