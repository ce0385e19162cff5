//! `hubbub serve`: runs the server until Ctrl-C or SIGTERM.

use super::live;
use crate::app::{self, Running};
use crate::config::Config;
use crate::site::tls::Keeper;
use clap::{Arg, ArgMatches, Command, value_parser};
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Arc;

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
    wait_for_signal(running.tls.clone())?;
    // The terminal may be what has gone.
    let _ = writeln!(io::stdout(), "Stopping. Everybody connected is told to come back in a moment.");
    running.stop()
}

fn greet(running: &Running) {
    println!("Hubbub is running. Open {} in your browser.", running.url());
    if let Some(url) = running.tls_url() {
        println!("Over HTTPS it is at {url}");
        if let Some(authority) = running.authority() {
            println!(
                "Its certificate is from an authority of its own, which browsers have to trust first: {}/authority says how.",
                running.url()
            );
            println!("The authority's SHA-256 fingerprint is {}", authority.read.fingerprint);
        }
    }
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

/// Waits for Ctrl-C, SIGTERM, or the end of the terminal. With HTTPS, SIGHUP has the certificate read again; without, it
/// ends the program as it always does.
fn wait_for_signal(keeper: Option<Arc<Keeper>>) -> Result<(), String> {
    let cannot = |error: std::io::Error| format!("Signals can't be received: {error}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(cannot)?;
    runtime.block_on(async {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let mut terminate = signal(SignalKind::terminate()).map_err(cannot)?;
            let read_again = async {
                match keeper {
                    Some(keeper) => read_on_hangup(&keeper).await.map_err(cannot),
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                done = tokio::signal::ctrl_c() => done.map_err(cannot),
                _ = terminate.recv() => Ok(()),
                done = read_again => done,
            }
        }
        #[cfg(not(unix))]
        drop(keeper);
        #[cfg(not(unix))]
        tokio::signal::ctrl_c().await.map_err(cannot)
    })
}

/// Ends when the terminal that the server was started from has gone; the same signal tells that.
#[cfg(unix)]
async fn read_on_hangup(keeper: &Keeper) -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut hangup = signal(SignalKind::hangup())?;
    let has_terminal = io::stdin().is_terminal();
    while hangup.recv().await.is_some() {
        if has_terminal && !io::stdin().is_terminal() {
            break;
        }
        keeper.renew_and_tell();
    }
    Ok(())
}
