//! How long the questions take that people's browsers ask all day, from 10,000 stored messages to a million, or to ten.
//!
//! `cargo bench --bench growth [-- --quick | --long] [-- --folder DIR] [-- --database postgres://…]`. One server for each
//! size, all up at once and asked in turns, so that the machine's moods fall on all of them alike. There are 100,000
//! people and 10,000 rooms at every size; who asks is in a thousand. The fillings are made in minutes; with `--folder`
//! they are kept there and used again. `--database` names a Postgres server, without a database: each size gets one of
//! its own. What is read is in the page cache, as on a machine whose memory holds the database. `--quick` takes little
//! sizes.

mod figures;
#[path = "house/fill.rs"]
mod fill;
#[path = "house/line.rs"]
mod line;

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection};
use figures::{Benched, is_quick};
use fill::{AWAY, FIRST, Size, fill, token};
use hubbub::accounts::{Accounts, Presence};
use hubbub::app::{self, Running};
use hubbub::config::Config;
use hubbub::db::Url;
use hubbub::events::Events;
use hubbub::home::{RailMemory, Rails};
use hubbub::ids::UserId;
use hubbub::rooms::{Rooms, room};
use hubbub::site::rail::RailProvider as _;
use line::Line;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

const FULL: Size = Size { people: 100_000, heavy: 50, rooms: 10_000, busy: 25 };
const SMALL: Size = Size { people: 1_000, heavy: 8, rooms: 300, busy: 4 };
/// Blocks of samples; the middle one's p99 is told, so that one bad moment of the machine isn't.
const BLOCKS: usize = 5;

/// What is asked.
#[derive(Clone, Copy)]
enum What {
    Join,
    View,
    Older,
    Around,
    Permalink,
    Changes,
    Thread,
    Pins,
    Ready,
    Unread,
    UnreadAway,
    Rail,
}

const ASKED: [(What, &str); 12] = [
    (What::Join, "enter a room: join"),
    (What::View, "enter a room: its page"),
    (What::Older, "an older page"),
    (What::Around, "around a message"),
    (What::Permalink, "a permalink's page"),
    (What::Changes, "changes"),
    (What::Thread, "a thread"),
    (What::Pins, "what is pinned"),
    (What::Ready, "connect until ready"),
    (What::Unread, "unread counts"),
    (What::UnreadAway, "the same, never read"),
    (What::Rail, "the rail"),
];

fn option(name: &str) -> Option<String> {
    std::env::args().skip_while(|arg| arg != name).nth(1)
}

fn main() -> Benched {
    let asked = |flag: &str| std::env::args().any(|arg| arg == flag);
    let (size, sizes, samples): (_, &[i64], _) = match (is_quick(), asked("--long")) {
        (true, _) => (SMALL, &[2_000, 8_000], 10),
        (_, true) => (FULL, &[10_000, 100_000, 1_000_000, 10_000_000], 2000),
        _ => (FULL, &[10_000, 100_000, 1_000_000], 2000),
    };
    let scratch = tempfile::tempdir()?;
    let folder = option("--folder").map_or(scratch.path().to_owned(), PathBuf::from);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut houses = Vec::new();
    for messages in sizes {
        houses.push(House::open(&folder, size, *messages)?);
    }
    runtime.block_on(measure(&mut houses, samples))?;
    houses.into_iter().try_for_each(House::close)
}

async fn measure(houses: &mut [House], samples: usize) -> Benched {
    print!("\n{:<24}", "p50 / p99 in ms");
    for house in houses.iter() {
        print!(" {:>17}", house.messages);
    }
    println!("   largest / smallest");
    for (what, name) in ASKED {
        // What takes long in all sizes needs fewer: its own length smooths it.
        let samples = if matches!(what, What::Ready | What::UnreadAway) { samples / 4 } else { samples };
        let mut times = vec![Vec::with_capacity(samples); houses.len()];
        for n in 0..samples + samples / 10 {
            for (house, times) in houses.iter_mut().zip(&mut times) {
                let took = house.ask(what, n as u64).await.map_err(|error| format!("{name}: {error}"))?;
                // The first tenth warms up.
                if n >= samples / 10 {
                    times.push(took.as_secs_f64() * 1000.0);
                }
            }
        }
        let told: Vec<(f64, f64)> = times.into_iter().map(|times| (at(&times, 50), at(&times, 99))).collect();
        print!("{name:<24}");
        for (half, most) in &told {
            print!(" {half:>8.2} {most:>8.2}");
        }
        if let (Some(first), Some(last)) = (told.first(), told.last()) {
            println!("   {:>8.2} {:>8.2}", last.0 / first.0, last.1 / first.1);
        }
    }
    Ok(())
}

/// Below which time so many percent of the samples are: the middle of several blocks.
fn at(times: &[f64], percent: usize) -> f64 {
    let of_block = |block: &[f64]| {
        let mut block = block.to_vec();
        block.sort_by(f64::total_cmp);
        block[(block.len() * percent / 100).min(block.len() - 1)]
    };
    figures::median(times.chunks(times.len().div_ceil(BLOCKS).max(1)).map(of_block).collect())
}

/// Nobody is here, which costs the rail nothing.
struct Nobody;

impl Presence for Nobody {
    fn online(&self, ids: &[UserId]) -> Vec<bool> {
        vec![false; ids.len()]
    }

    fn left_at(&self, _: UserId) -> Option<i64> {
        None
    }
}

/// A filled place with its server, and with what asks it.
struct House {
    messages: i64,
    size: Size,
    config: Arc<Config>,
    running: Running,
    asking: Option<Asking>,
}

struct Asking {
    line: Line,
    http: reqwest::Client,
    rooms: Rooms,
    rails: Rails,
    memory: RailMemory,
}

impl House {
    fn open(folder: &Path, size: Size, messages: i64) -> Benched<Self> {
        let folder = folder.join(format!("{messages}-of-{}", size.people));
        let mut config = Config::default();
        for (name, value) in [
            ("listen", "127.0.0.1:0"),
            ("data", &folder.join("data").to_string_lossy()),
            ("media", &folder.join("media").to_string_lossy()),
            ("rate_limits", "off"),
            ("workers", "1"),
            ("jobs", "0"),
        ] {
            config.set(name, value)?;
        }
        let is_new = !folder.join("filled").exists();
        if let Some(server) = option("--database") {
            let url = database(server.trim_end_matches('/'), messages, is_new)?;
            config.set("accounts_url", &url)?;
            config.set("messages_url", &url)?;
        }
        if is_new {
            let began = Instant::now();
            fill(&config, size, messages)?;
            std::fs::write(folder.join("filled"), "")?;
            println!(
                "{messages} messages stored in {:.0} s{}",
                began.elapsed().as_secs_f64(),
                bytes(&config)
            );
        }
        warm(&config)?;
        let running = app::start(config.clone())?;
        Ok(Self { messages, size, config: Arc::new(config), running, asking: None })
    }

    async fn asking(&mut self) -> Benched<&mut Asking> {
        let asking = match self.asking.take() {
            Some(asking) => asking,
            None => {
                let accounts = Accounts::open(self.config.clone(), Events::default())?;
                let (rooms, memory) = (Rooms::open(&self.config, |_| ())?, RailMemory::default());
                let rails = Rails::new(rooms.clone(), &accounts, Arc::new(Nobody), memory.clone());
                let (line, _) = Line::open(self.running.address, &token(3)).await?;
                // The client wants to know whose cryptography it has, though all here is plain.
                let _ = rustls::crypto::ring::default_provider().install_default();
                let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
                Asking { line, http, rooms, rails, memory }
            }
        };
        Ok(self.asking.insert(asking))
    }

    /// Asks the n-th time; the same room and message, as far as it has one, at every size.
    async fn ask(&mut self, what: What, n: u64) -> Benched<Duration> {
        let roll = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
        let (size, last) = (self.size, self.size.of_a_busy_room(self.messages));
        let room = FIRST + i64::try_from(roll % 1000)? % size.busy;
        // Not among the newest, which every size has in memory.
        let seq = 101 + i64::try_from(roll / 1000)? % (last - 150);
        let person = 3 + i64::try_from(n)? % (size.heavy - 2);
        let address = self.running.address;
        let asking = self.asking().await?;
        let history = |about: &str| format!(r#""type":"history","room":{room},{about}"#);
        match what {
            What::Join => asking.hear(&format!(r#""type":"join","room":{room}"#)).await,
            What::View => asking.page(&format!("http://{address}/c/room%20{}", room - FIRST), person).await,
            What::Older => asking.hear(&history(&format!(r#""before":{seq}"#))).await,
            What::Around => asking.hear(&history(&format!(r#""around":{seq}"#))).await,
            What::Permalink => {
                let name = room - FIRST;
                asking.page(&format!("http://{address}/c/room%20{name}?around={seq}"), person).await
            }
            What::Changes => {
                let after = last - 1 - seq % 90;
                asking.hear(&format!(r#""type":"changes","room":{room},"after":{after}"#)).await
            }
            What::Thread => asking.hear(&history(&format!(r#""thread":{}"#, seq - seq % 5 - 1))).await,
            What::Pins => asking.page(&format!("http://{address}/api/v1/rooms/{room}/pins"), person).await,
            What::Ready => Ok(Line::open(address, &token(person)).await?.1),
            What::Unread => asking.unread(person).await,
            What::UnreadAway => asking.unread(AWAY).await,
            What::Rail => asking.rail(person).await,
        }
    }

    fn close(self) -> Benched {
        if let Some(asking) = self.asking {
            asking.rooms.db.close();
        }
        Ok(self.running.stop()?)
    }
}

impl Asking {
    async fn hear(&mut self, request: &str) -> Benched<Duration> {
        Ok(self.line.ask(request).await?.0)
    }

    async fn page(&self, address: &str, person: i64) -> Benched<Duration> {
        let began = Instant::now();
        let asked = self.http.get(address).bearer_auth(token(person)).send().await?.error_for_status()?;
        asked.bytes().await?;
        Ok(began.elapsed())
    }

    async fn unread(&self, person: i64) -> Benched<Duration> {
        let (marks, user) = (self.rooms.marks.clone(), UserId(person));
        let began = Instant::now();
        let count = move |conn: &mut _| {
            let (mut views, _) = room::joined(conn, user, 1000)?;
            marks.see(conn, user, &mut views)?;
            Ok(views.len())
        };
        self.rooms.db.snapshot(count).await?;
        Ok(began.elapsed())
    }

    async fn rail(&self, person: i64) -> Benched<Duration> {
        self.memory.forget(UserId(person));
        let began = Instant::now();
        self.rails.rail(person).await;
        Ok(began.elapsed())
    }
}

/// A database for one size on a Postgres server.
fn database(server: &str, messages: i64, is_new: bool) -> Benched<String> {
    let name = format!("growth_{messages}");
    if is_new {
        let mut conn = PgConnection::establish(&format!("{server}/postgres"))?;
        conn.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))?;
        conn.batch_execute(&format!("CREATE DATABASE {name}"))?;
    }
    Ok(format!("{server}/{name}"))
}

fn bytes(config: &Config) -> String {
    match config.messages_url() {
        Url::Sqlite(path) => format!(", {} MB", std::fs::metadata(path).map_or(0, |file| file.len() >> 20)),
        Url::Postgres(_) => String::new(),
    }
}

/// Reads the files once, so that nobody waits for a disk afterwards.
fn warm(config: &Config) -> Benched {
    for url in [config.accounts_url(), config.messages_url()] {
        if let Url::Sqlite(path) = url {
            std::io::copy(&mut std::fs::File::open(path)?, &mut std::io::sink())?;
        }
    }
    Ok(())
}
