//! The one place that puts databases, actors, caches and HTTP workers together, and takes them apart in order.

mod chores;
mod shelf;

use crate::accounts::Accounts;
use crate::board::{BoardRev, Front};
use crate::chat::{AddShard, Chat, ChatServer, Local, Presence, Publish, Shard};
use crate::config::Config;
use crate::events::{Event, Events};
use crate::home::{RailMemory, Rails};
use crate::ids::BOARD;
use crate::jobs::Jobs;
use crate::live::{Desk, Live, Relay};
use crate::media::prepare::{Preparation, Tools};
use crate::media::{Library, Reception};
use crate::rooms::{Committed, Fact, ReadMark, Rooms};
use crate::routes;
use crate::site::limit::Limits;
use crate::site::page::Pages;
use crate::site::rail::RailProvider;
use crate::site::socket::seat::Seats;
use crate::site::{answer, body, lifeline, origin};
use actix::{Actor, Addr, Arbiter, System};
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{Semaphore, oneshot};

/// Committed batches that may be on their way to the connections. The writer waits beyond that, which in the end
/// refuses senders instead of filling the memory.
const BATCHES_UNDER_WAY: usize = 64;
/// How long a connection may wait for its next request: longer than proxies keep one (nginx 60 s), so that none sends a request down
/// a connection that is just being closed.
const IDLE: Duration = Duration::from_secs(75);
/// How long open requests may finish after a stop.
const STOP_SECONDS: u64 = 5;
/// Connections that the kernel may hold before they are accepted: a restart brings everybody back within a second.
const BACKLOG: i32 = 4096;

/// A server that runs in threads of its own.
pub struct Running {
    /// Where it listens; the real port when it was asked for port 0.
    pub address: SocketAddr,
    /// Nobody has registered yet.
    pub awaits_owner: bool,
    /// What the first account needs when strangers can reach the server.
    pub owner_code: Option<String>,
    public_url: Option<String>,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<Result<(), String>>,
}

impl Running {
    /// The address to open in a browser.
    pub fn url(&self) -> String {
        match &self.public_url {
            Some(url) => url.clone(),
            // Cookies are the same for both names; this is the one that people type.
            None if self.address.ip().is_loopback() && self.address.is_ipv4() => {
                format!("http://localhost:{}", self.address.port())
            }
            None => format!("http://{}", self.address),
        }
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

/// Starts a server and returns when it answers.
///
/// # Errors
/// One sentence about what is in the way: the port, the data folder, a database.
pub fn start(config: Config) -> Result<Running, String> {
    let listener = listen(config.listen)?;
    let address = listener.local_addr().map_err(|e| format!("The address of the port can't be read: {e}"))?;
    // Ten thousand people need more descriptors than the usual 1,024.
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let public_url = config.public_url.clone();
    let (stop, stopped) = oneshot::channel();
    let (started, ready) = mpsc::channel();
    let thread = std::thread::Builder::new()
        .name("hubbub".into())
        .spawn(move || System::new().block_on(run(Arc::new(config), listener, started, stopped)))
        .map_err(|e| format!("No thread can be started: {e}"))?;
    match ready.recv() {
        Ok(Ok((awaits_owner, owner_code))) => {
            Ok(Running { address, awaits_owner, owner_code, public_url, stop, thread })
        }
        Ok(Err(sentence)) => Err(sentence),
        Err(_) => Err("The server ended while it was starting.".into()),
    }
}

fn listen(address: SocketAddr) -> Result<TcpListener, String> {
    let open = || {
        let socket =
            socket2::Socket::new(socket2::Domain::for_address(address), socket2::Type::STREAM, None)?;
        // Only so that a restart needn't wait for the last connections; two servers still can't share the port.
        #[cfg(unix)]
        socket.set_reuse_address(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        Ok(TcpListener::from(socket))
    };
    open().map_err(|error: std::io::Error| match error.kind() {
        std::io::ErrorKind::AddrInUse => format!(
            "Port {} is in use by another program. Stop that one, or choose another port with --listen {}:PORT.",
            address.port(),
            address.ip()
        ),
        std::io::ErrorKind::PermissionDenied => {
            format!("Port {} needs more rights than this user has. Choose one above 1023.", address.port())
        }
        _ => format!("The server can't listen on {address}: {error}."),
    })
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
    pages: Pages,
    limits: Arc<Limits>,
}

impl House {
    async fn open(config: Arc<Config>) -> Result<Self, String> {
        let events = Events::default();
        let presence = Presence::default();
        let server = ChatServer::new(presence.clone()).start();
        // An actor begins at its first turn. One that is dropped before would begin then, outside the runtime.
        tokio::task::yield_now().await;
        let accounts = Accounts::open(config.clone(), events.clone())?;
        let rev = BoardRev::default();
        let memory = RailMemory::default();
        let rooms = Rooms::open(&config, publisher(server.clone(), rev.clone(), memory.clone()))?;
        let limits = Arc::new(Limits::new(&config));
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
            pages,
            limits,
        })
    }

    /// Writes what is only in memory and closes the databases. Blocks.
    fn close(&self) -> Result<(), String> {
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
    listener: TcpListener,
    started: mpsc::Sender<Started>,
    stopped: oneshot::Receiver<()>,
) -> Result<(), String> {
    let opened = async {
        let house = House::open(config).await?;
        let awaits_owner = house.accounts.awaits_owner().await.map_err(|e| e.detail())?;
        let server =
            serve(&house, listener).map_err(|e| format!("The server can't start its workers: {e}."))?;
        let working = house.work().map_err(|e| e.detail())?;
        Ok((house, awaits_owner, server, working))
    };
    let (house, awaits_owner, server, working) = match opened.await {
        Ok(opened) => opened,
        Err(sentence) => {
            let _ = started.send(Err(sentence));
            return Ok(());
        }
    };
    house.keep_going();
    let handle = server.handle();
    let serving = actix::spawn(server);
    let _ = started.send(Ok((awaits_owner, house.accounts.owner_code().map(str::to_owned))));
    let _ = stopped.await;
    handle.pause().await;
    house.chat.say_farewell();
    house.live.close();
    tokio::join!(working.stop(), handle.stop(true));
    let ended = serving.await;
    if let Err(error) = house.accounts.note_left(house.chat.presence.take_left()).await {
        tracing::warn!(%error, "when people left was not written down");
    }
    let closed = tokio::task::spawn_blocking(move || house.close()).await;
    closed.map_err(|e| format!("The databases could not be closed: {e}"))??;
    ended.map_err(|e| e.to_string())?.map_err(|e| e.to_string())
}

fn serve(house: &House, listener: TcpListener) -> std::io::Result<actix_web::dev::Server> {
    let config = house.config.clone();
    let workers = Arc::new(AtomicUsize::new(0));
    let (accounts, rooms, board) = (house.accounts.clone(), house.rooms.clone(), house.board.clone());
    let (library, reception) = (house.library.clone(), house.reception.clone());
    let (preparation, live) = (house.preparation.clone(), house.live.clone());
    let (chat, pages, limits) = (house.chat.clone(), house.pages.clone(), house.limits.clone());
    let presence: Arc<dyn crate::accounts::Presence> = Arc::new(chat.presence.clone());
    let talks: Arc<dyn crate::rooms::TalkProvider> = Arc::new(chat.clone());
    let threads = config.workers;
    let server = HttpServer::new(move || {
        // Runs on each worker's own thread: its connections share this floor without locks.
        let local = Local::new(workers.fetch_add(1, Ordering::Relaxed));
        chat.server.do_send(AddShard(Shard(local.clone()).start()));
        let desk = Desk::new(local.worker);
        live.add_worker(desk.worker, Relay(desk.clone()).start());
        let seats: Rc<dyn Seats> = Rc::new(local.clone());
        App::new()
            .app_data(web::Data::new(accounts.clone()))
            .app_data(web::Data::new(rooms.clone()))
            .app_data(web::Data::new(board.clone()))
            .app_data(web::Data::new(library.clone()))
            .app_data(web::Data::new(reception.clone()))
            .app_data(web::Data::new(preparation.clone()))
            .app_data(web::Data::new(live.clone()))
            .app_data(web::Data::new(chat.clone()))
            .app_data(web::Data::new(pages.clone()))
            .app_data(web::Data::from(limits.clone()))
            .app_data(web::Data::from(config.clone()))
            .app_data(web::Data::from(presence.clone()))
            .app_data(web::Data::from(talks.clone()))
            .app_data(web::ThinData(local))
            .app_data(web::ThinData(desk))
            .app_data(web::ThinData(seats))
            .configure(body::limits)
            .configure(routes::all)
            .wrap(accounts.session_middleware())
            .wrap(from_fn(crate::accounts::deliver))
            .wrap(from_fn(origin::check))
            .wrap(from_fn(answer::answer))
    });
    Ok(server
        .workers(threads)
        .on_connect(lifeline::keep)
        .keep_alive(IDLE)
        // Without it 100 members got a twentieth of the deliveries.
        .tcp_nodelay(true)
        // A finished connection is closed at once; a socket's close frames have been exchanged by then.
        .client_disconnect_timeout(Duration::ZERO)
        .shutdown_timeout(STOP_SECONDS)
        .disable_signals()
        .listen(listener)?
        .run())
}
