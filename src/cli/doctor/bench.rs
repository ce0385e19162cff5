//! `hubbub doctor --bench`: what this machine can do, in numbers that its operator can use.
//!
//! A server of its own in a folder that goes away, on the disk of the data folder; people are played by this program, on
//! the same machine. What is called "about" was reached with 99 of 100 deliveries within [`LATE`]: the load is stepped up
//! until they aren't.

use super::client::Client;
use super::crowd::{self, Crowd};
use super::standing;
use crate::app::{self, Running};
use crate::config::Config;
use crate::db::Url;
use std::fs::File;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::task::{JoinSet, LocalSet};

pub type Measured<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// Who waits longer than this for a message notices.
pub const LATE: Duration = Duration::from_millis(250);
/// People who write at once, and browsers that ask for pages at once.
const AT_ONCE: usize = 32;
/// Notes on the board whose page is asked for.
const NOTES: usize = 50;
const TEXT: &str =
    "A message of an ordinary length, as people write them when they talk to each other in a room.";

/// How long and how far is measured.
pub struct Plan {
    /// Each of the first measurements.
    each: Duration,
    /// People in one room, from step to step.
    pub people: &'static [usize],
    /// Messages a second for as many as could be brought in, from step to step.
    pub rates: &'static [u32],
    /// One step.
    pub step: Duration,
    /// Nobody else is let in after this; soon after it, it ends.
    pub length: Duration,
}

const PLAN: Plan = Plan {
    each: Duration::from_millis(2500),
    people: &[100, 200, 300, 450, 700, 1000, 1500, 2200, 3300, 5000],
    rates: &[10, 20, 40, 80, 150, 300, 600, 1200],
    step: Duration::from_millis(2500),
    length: Duration::from_secs(40),
};

/// Measures, and says each number as soon as it is there.
///
/// # Errors
/// A sentence about what got in the way.
pub fn run(config: &Config) -> Result<(), String> {
    let say = |words: &str| {
        // Whoever closes the pipe early has read enough.
        let _ = writeln!(io::stdout().lock(), "{words}");
    };
    measure(config, &PLAN, &say).map_err(|error| {
        let why = error.to_string();
        format!("The measurement broke off: {}.", why.trim_end_matches('.'))
    })
}

fn measure(config: &Config, plan: &Plan, say: &dyn Fn(&str)) -> Measured {
    let folder = tempfile::Builder::new().prefix(".hubbub-bench-").tempdir_in(standing(&config.data))?;
    say(&format!(
        "Measuring for about a minute, in {} (gone afterwards) and on 127.0.0.1. Whatever else runs now makes it less.\n",
        folder.path().display()
    ));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let running = app::start(own(config, folder.path())?)?;
    let measured = LocalSet::new().block_on(&runtime, async {
        tokio::select! {
            measured = serve(&running, folder.path(), plan, say) => measured,
            // The server is to stop and the folder to go, as at the end.
            _ = tokio::signal::ctrl_c() => Err("it was told to stop".into()),
        }
    });
    drop(runtime);
    running.stop()?;
    measured?;
    if let Url::Postgres(_) = config.messages_url() {
        say(&format!(
            "note      All of this is with SQLite. The messages database of these settings, {}, was not measured.",
            config.messages_url()
        ));
    }
    say(
        "\nThe people were played by this program, on the same machine: with them elsewhere it is rather more.",
    );
    Ok(())
}

/// The settings of a server that keeps everything in this folder.
fn own(config: &Config, folder: &Path) -> Result<Config, String> {
    let mut own = Config::default();
    for (name, value) in [
        ("listen", "127.0.0.1:0"),
        ("data", &folder.join("data").to_string_lossy()),
        ("media", &folder.join("media").to_string_lossy()),
        ("rate_limits", "off"),
        ("jobs", "0"),
        ("workers", &config.workers.to_string()),
        ("log", &config.log),
    ] {
        own.set(name, value)?;
    }
    Ok(own)
}

/// How long it takes until a little is on the disk, which every commit waits for.
fn disk(path: &Path, length: Duration) -> io::Result<String> {
    let (mut file, mut times, began) = (File::create(path)?, Vec::new(), Instant::now());
    while began.elapsed() < length || times.is_empty() {
        let began = Instant::now();
        file.write_all(&[0x5A; 4096])?;
        file.sync_data()?;
        times.push(began.elapsed());
    }
    let (half, most) = (share(&mut times, 50), share(&mut times, 99));
    Ok(format!("disk      A sync takes {}, and at most {} in 99 of 100 cases.", ms(half), ms(most)))
}

async fn serve(running: &Running, folder: &Path, plan: &Plan, say: &dyn Fn(&str)) -> Measured {
    let (address, began, each, path) = (running.address, Instant::now(), plan.each, folder.join("sync"));
    say(&tokio::task::spawn_blocking(move || disk(&path, each)).await??);
    let (alone, together) = (write(address, 1, plan.each).await?, write(address, AT_ONCE, plan.each).await?);
    say(&format!(
        "messages  About {} a second when each waits for the one before, about {} when {AT_ONCE} people write at once. Each is on the disk before anybody sees it.",
        about(alone),
        about(together)
    ));
    let (rate, mut times) = pages(address, plan.each).await?;
    say(&format!(
        "pages     About {} of the board a second, signed in; 99 of 100 within {}.",
        about(rate),
        ms(share(&mut times, 99))
    ));
    let mut crowd = Crowd::gather(address).await?;
    let size = crowd.grow(plan, began).await?;
    say(&size.to_string());
    if let Some(pace) = crowd.hurry(plan, &size, began).await? {
        say(&pace.to_string());
    }
    Ok(())
}

/// Messages a second of so many people, who each write in a room of their own and wait until the last one is stored.
async fn write(address: SocketAddr, people: usize, length: Duration) -> Measured<f64> {
    let mut writing = JoinSet::new();
    let mut sockets = Vec::new();
    for n in 0..people {
        let mut client = Client::enter(address, &format!("Writer {people} {n}")).await?;
        let room = crowd::create(&mut client, &format!("writer {people} {n}")).await?;
        sockets.push((client.upgrade().await?, room));
    }
    let began = Instant::now();
    for (mut socket, room) in sockets {
        writing.spawn_local(async move {
            let mut stored = 0_u32;
            while began.elapsed() < length {
                stored += 1;
                socket.say(&crowd::send(room, stored, TEXT)).await?;
                while !socket.hear().await?.starts_with(br#"{"type":"reply""#) {}
            }
            Measured::Ok(stored)
        });
    }
    let mut stored = 0;
    while let Some(done) = writing.join_next().await {
        stored += done??;
    }
    Ok(f64::from(stored) / began.elapsed().as_secs_f64())
}

/// Pages a second of the board, and how long each took.
async fn pages(address: SocketAddr, length: Duration) -> Measured<(f64, Vec<Duration>)> {
    let mut author = Client::enter(address, "Author").await?;
    for n in 0..NOTES {
        let note = format!("title=Note {n}&text={TEXT}");
        author.post("/board", "application/x-www-form-urlencoded", &note).await?.is(303)?;
    }
    let mut reading = JoinSet::new();
    let began = Instant::now();
    for n in 0..AT_ONCE {
        reading.spawn_local(async move {
            let mut client = Client::enter(address, &format!("Reader {n}")).await?;
            let mut times = Vec::new();
            while began.elapsed() < length {
                let began = Instant::now();
                client.get("/board").await?.is(200)?;
                times.push(began.elapsed());
            }
            Measured::Ok(times)
        });
    }
    let mut times = Vec::new();
    while let Some(done) = reading.join_next().await {
        times.extend(done??);
    }
    Ok((times.len() as f64 / began.elapsed().as_secs_f64(), times))
}

/// Below which time so many percent are.
pub fn share(times: &mut [Duration], percent: usize) -> Duration {
    times.sort_unstable();
    let at = (times.len() * percent / 100).min(times.len().saturating_sub(1));
    times.get(at).copied().unwrap_or(Duration::MAX)
}

/// A time as people say it.
pub fn ms(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1000.0;
    match ms {
        ..1.0 => format!("{ms:.2} ms"),
        ..10.0 => format!("{ms:.1} ms"),
        _ => format!("{ms:.0} ms"),
    }
}

/// A number to two digits, the thousands apart: no measurement knows more.
pub fn about(number: f64) -> String {
    let mut step = 1.0;
    while number / step >= 100.0 {
        step *= 10.0;
    }
    let digits = format!("{:.0}", (number / step).round() * step);
    let ends = digits.len() % 3;
    let mut words = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && n % 3 == ends {
            words.push(',');
        }
        words.push(digit);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    const SHORT: Plan = Plan {
        each: Duration::from_millis(50),
        people: &[2, 4],
        rates: &[10],
        step: Duration::from_millis(300),
        length: Duration::from_mins(1),
    };

    #[test]
    fn a_short_measurement_says_its_numbers_and_leaves_nothing_behind() -> Measured {
        let folder = tempfile::tempdir()?;
        let mut config = Config::default();
        config.set("data", &folder.path().join("data").to_string_lossy())?;
        let said = RefCell::new(Vec::new());
        measure(&config, &SHORT, &|words| said.borrow_mut().push(words.to_owned()))?;
        let said = said.into_inner();
        for (line, begins) in said[1..].iter().zip(["disk  ", "messages", "pages", "one room"]) {
            assert!(line.starts_with(begins) && line.ends_with('.'), "{said:#?}");
        }
        assert!(said.len() > 5, "{said:#?}");
        assert_eq!(std::fs::read_dir(folder.path())?.count(), 0);
        Ok(())
    }

    #[test]
    fn numbers_are_told_as_exactly_as_they_are_known() {
        let told = [0.4, 7.0, 99.4, 123.0, 999.0, 5249.0, 1_284_000.0].map(about);
        assert_eq!(told, ["0", "7", "99", "120", "1,000", "5,200", "1,300,000"]);
        let told = [0.2, 3.12, 250.4].map(|ms: f64| super::ms(Duration::from_secs_f64(ms / 1000.0)));
        assert_eq!(told, ["0.20 ms", "3.1 ms", "250 ms"]);
    }
}
