//! `hubbub serve`: runs the server until Ctrl-C or SIGTERM.

use crate::app::{self, Running};
use crate::config::Config;
use clap::Command;

pub fn command() -> Command {
    Command::new("serve").about("runs the server (the default)")
}

/// Starts, says what to open, and stops when asked to.
///
/// # Errors
/// One sentence about what is in the way of starting, or about a stop that lost something.
pub fn run(config: Config) -> Result<(), String> {
    let running = app::start(config)?;
    greet(&running);
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
