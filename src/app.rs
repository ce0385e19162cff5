//! The one place that puts databases, actors, caches and HTTP workers together, and takes them apart in order.

mod chores;
mod doors;
mod serve;
mod shelf;

use crate::accounts::Accounts;
use crate::board::{BoardRev, Front};
use crate::chat::{Chat, ChatServer, Presence, Publish};
use crate::config::Config;
use crate::events::{Event, Events};
use crate::fetch::{Guard, Outward};
use crate::home::{RailMemory, Rails};
use crate::ids::BOARD;
use crate::jobs::Jobs;
use crate::live::Live;
use crate::media::prepare::{Preparation, Tools};
use crate::media::{Library, Reception};
use crate::preview;
use crate::rooms::{Committed, Fact, ReadMark, Rooms};
use crate::site::limit::Limits;
use crate::site::page::Pages;
use crate::site::rail::RailProvider;
use crate::site::streams::Lines;
use crate::site::tls::{Keeper, Offer};
use actix::{Actor, Addr, Arbiter, System};
use doors::{Doors, local_address};
use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use tokio::sync::{Semaphore, oneshot};

/// Committed batches that may be on their way to the connections. The writer waits beyond that, which in the end
/// refuses senders instead of filling the memory.
const BATCHES_UNDER_WAY: usize = 64;

/// A server that runs in threads of its own.
pub struct Running {
    /// Where it listens; the real port when it was asked for port 0.
    pub address: SocketAddr,
    /// What it speaks HTTPS with, and where.
    pub tls: Option<Arc<Keeper>>,
    /// Nobody has registered yet.
    pub awaits_owner: bool,
    /// What the first account needs when strangers can reach the server.
    pub owner_code: Option<String>,
    config: Arc<Config>,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<Result<(), String>>,
}

impl Running {
    /// The address to open in a browser.
    pub fn url(&self) -> String {
        let only_tls = self.tls_url().filter(|_| self.config.tls_redirect);
        self.config.public_url.clone().or(only_tls).unwrap_or_else(|| typed("http", self.address))
    }

    /// The same over HTTPS.
    pub fn tls_url(&self) -> Option<String> {
        self.tls.as_ref().map(|keeper| typed("https", keeper.address))
    }

    /// The authority that browsers have to trust first, when it is the place's own.
    pub fn authority(&self) -> Option<Offer> {
        self.tls.as_ref().and_then(|keeper| keeper.offer())
    }

    /// Stops accepting, tells everybody to come back, finishes what was accepted.
    ///
    /// # Errors
    /// When something that was accepted could not be finished.
    pub fn stop(self) -> Result<(), String> {
        let _ = self.stop.send(());
        self.thread.join().unwrap_or_else(|_| Err("The server's main thread panicked.".into()))
    }
}

fn typed(scheme: &str, address: SocketAddr) -> String {
    // Cookies are the same for both names; this is the one that people type.
    if address.ip().is_loopback() && address.is_ipv4() {
        format!("{scheme}://localhost:{}", address.port())
    } else {
        format!("{scheme}://{address}")
    }
}

/// Starts a server and returns when it answers.
///
/// # Errors
/// One sentence about what is in the way: the port, the data folder, a database.
pub fn start(config: Config) -> Result<Running, String> {
    let outward = Outward::new(Guard::new(config.link_preview_allow.clone()));
    start_with(config, outward)
}

/// The same with another way out to other people's servers.
///
/// # Errors
/// As for [`start`].
pub fn start_with(config: Config, outward: Outward) -> Result<Running, String> {
    let config = Arc::new(config);
    let doors = Doors::open(&config)?;
    let address = local_address(&doors.plain)?;
    let tls = doors.tls.as_ref().map(|(_, keeper)| keeper.clone());
    // Ten thousand people need more descriptors than the usual 1,024.
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let (stop, stopped) = oneshot::channel();
    let (started, ready) = mpsc::channel();
    let thread = std::thread::Builder::new()
        .name("hubbub".into())
        .spawn({
            let config = config.clone();
            move || System::new().block_on(run(config, outward, doors, started, stopped))
        })
        .map_err(|e| format!("No thread can be started: {e}"))?;
    match ready.recv() {
        Ok(Ok((awaits_owner, owner_code))) => {
            Ok(Running { address, tls, awaits_owner, owner_code, config, stop, thread })
        }
        Ok(Err(sentence)) => Err(sentence),
        Err(_) => Err("The server ended while it was starting.".into()),
    }
}

/// Everything that is opened once per process.
struct House {
    config: Arc<Config>,
    accounts: Accounts,
    rooms: Rooms,
    board: Front,
    library: Library,
    reception: Reception,
    jobs: Jobs,
    preparation: Preparation,
    live: Live,
    chat: Chat,
    previews: preview::Desk,
    pages: Pages,
    limits: Arc<Limits>,
}

impl House {
    async fn open(config: Arc<Config>, outward: Outward) -> Result<Self, String> {
        let events = Events::default();
        let presence = Presence::default();
        let server = ChatServer::new(presence.clone()).start();
        // An actor begins at its first turn. One that is dropped before would begin then, outside the runtime.
        tokio::task::yield_now().await;
        let accounts = Accounts::open(config.clone(), events.clone())?;
        let rev = BoardRev::default();
        let memory = RailMemory::default();
        let previews = preview::Desk::default();
        let publish = publisher(server.clone(), rev.clone(), memory.clone(), previews.clone());
        let rooms = Rooms::open(&config, publish)?;
        let limits = Arc::new(Limits::new(&config));
        if config.link_previews {
            let working = previews.work(&config, rooms.clone(), limits.clone(), outward);
            working.map_err(|e| e.detail())?;
        }
        let library = Library::open(&config.media, rooms.db.clone())?;
        let reception = Reception::new(&config, library.clone());
        let (jobs, tools) = (Jobs::default(), Tools::find(std::env::var_os("PATH").as_deref()));
        let preparation = Preparation::new(library.clone(), jobs.clone(), tools, config.jobs > 0);
        let shelf = shelf::Library { reception: reception.clone(), public_reading: config.public_reading };
        let live = Live::open(&config, rooms.db.clone(), (Arbiter::current(), Arc::new(shelf)))?;
        let board = Front::new(rooms.db.clone(), rev);
        let rails: Arc<dyn RailProvider> =
            Arc::new(Rails::new(rooms.clone(), &accounts, Arc::new(presence.clone()), memory.clone()));
        let chat = Chat::open(rooms.clone(), accounts.clone(), server, presence, limits.clone())
            .await
            .map_err(|e| e.detail())?;
        connect(&events, &chat, memory);
        let pages = Pages::new(rails);
        Ok(Self {
            config,
            accounts,
            rooms,
            board,
            library,
            reception,
            jobs,
            preparation,
            live,
            chat,
            previews,
            pages,
            limits,
        })
    }

    /// Writes what is only in memory and closes the databases. Blocks.
    fn close(&self) -> Result<(), String> {
        self.previews.close();
        let marks = self.rooms.store_read_marks().map_err(|e| e.detail());
        self.rooms.db.close();
        self.accounts.close();
        marks
    }
}

/// What happens after every commit: what is shown from memory learns of it first, because the author is answered next.
fn publisher(
    server: Addr<ChatServer>,
    board: BoardRev,
    rails: RailMemory,
    previews: preview::Desk,
) -> impl FnMut(Committed) + Send + 'static {
    let permits = Arc::new(Semaphore::new(BATCHES_UNDER_WAY));
    let runtime = tokio::runtime::Handle::current();
    move |committed| {
        for fact in &committed.facts {
            match fact {
                Fact::Message(message) => {
                    if message.room == BOARD {
                        board.raise(message.rev);
                    }
                    rails.forget(message.user);
                }
                Fact::Linked(linked) => previews.offer(linked),
                Fact::Joined { user, .. } | Fact::Left { user, .. } => rails.forget(*user),
                Fact::RoomChanged(_) => rails.forget_all(),
            }
        }
        let permit = runtime.block_on(permits.clone().acquire_owned()).ok();
        server.do_send(Publish { committed, permit });
    }
}

/// Who listens to which facts.
fn connect(events: &Events, chat: &Chat, rails: RailMemory) {
    let chat = chat.clone();
    let arbiter = Arbiter::current();
    events.listen(move |event| match event {
        Event::ReadMoved(user) | Event::LevelChanged(user) | Event::BlocksChanged(user) => {
            rails.forget(*user);
        }
        Event::BoardSeen { user, seq } => {
            rails.forget(*user);
            chat.tell_read(*user, ReadMark { room: BOARD, seq: *seq, back: false, mentions: 0 }, None);
        }
        Event::CredentialsEnded(ended) => chat.end_connections(ended.clone()),
        Event::StatusChanged(user) => {
            let (chat, user) = (chat.clone(), *user);
            arbiter.spawn(async move {
                if let Ok(Some(person)) = chat.accounts.directory.get(user).await {
                    chat.tell_status(&person);
                }
            });
        }
        Event::Silenced(user) => {
            let (chat, user) = (chat.clone(), *user);
            arbiter.spawn(async move {
                if let Ok(Some(person)) = chat.accounts.directory.get(user).await {
                    // The sockets judge by the person that they know.
                    chat.tell_profile(person.clone()).await;
                    chat.tell_silence(&person);
                }
            });
        }
        Event::ProfileChanged(user) => {
            rails.forget(*user);
            let (chat, user) = (chat.clone(), *user);
            arbiter.spawn(async move {
                if let Ok(Some(person)) = chat.accounts.directory.get(user).await {
                    chat.tell_profile(person).await;
                }
            });
        }
    });
}

type Started = Result<(bool, Option<String>), String>;

/// The life of a server on its main thread.
async fn run(
    config: Arc<Config>,
    outward: Outward,
    doors: Doors,
    started: mpsc::Sender<Started>,
    stopped: oneshot::Receiver<()>,
) -> Result<(), String> {
    let (lines, keeper) = (Lines::default(), doors.tls.as_ref().map(|(_, keeper)| keeper.clone()));
    let opened = async {
        let house = House::open(config, outward).await?;
        let awaits_owner = house.accounts.awaits_owner().await.map_err(|e| e.detail())?;
        let server = house.serve(doors, &lines)?;
        let working = house.work().map_err(|e| e.detail())?;
        house.keep_going().map_err(|e| e.detail())?;
        Ok((house, awaits_owner, server, working))
    };
    let (house, awaits_owner, server, working) = match opened.await {
        Ok(opened) => opened,
        Err(sentence) => {
            let _ = started.send(Err(sentence));
            return Ok(());
        }
    };
    if let Some(keeper) = keeper {
        chores::keep_the_certificate(keeper);
    }
    let handle = server.handle();
    let serving = actix::spawn(server);
    let _ = started.send(Ok((awaits_owner, house.accounts.owner_code().map(str::to_owned))));
    let _ = stopped.await;
    handle.pause().await;
    house.chat.say_farewell();
    house.live.close();
    tokio::select! {
        _ = async { tokio::join!(working.stop(), handle.stop(true)) } => {}
        () = lines.wind_down() => {}
    }
    let ended = serving.await;
    if let Err(error) = house.accounts.note_left(house.chat.presence.take_left()).await {
        tracing::warn!(%error, "when people left was not written down");
    }
    let closed = tokio::task::spawn_blocking(move || house.close()).await;
    closed.map_err(|e| format!("The databases could not be closed: {e}"))??;
    ended.map_err(|e| e.to_string())?.map_err(|e| e.to_string())
}
