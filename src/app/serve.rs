//! The HTTP workers: what each of their threads holds, and what every handler may reach, by whichever port a request came.

use super::House;
use super::doors::Doors;
use crate::accounts::Presence;
use crate::chat::{AddShard, Local, Shard};
use crate::live::{Desk, Relay};
use crate::rooms::TalkProvider;
use crate::routes;
use crate::site::socket::seat::Seats;
use crate::site::streams::Lines;
use crate::site::tls::Keeper;
use crate::site::{answer, body, origin, redirect, streams};
use actix::Actor as _;
use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use actix_web::{App, HttpServer};
use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// How long a connection may wait for its next request: longer than proxies keep one (nginx 60 s), so that none sends a request down
/// a connection that is just being closed.
const IDLE: Duration = Duration::from_secs(75);
/// How long open requests may finish after a stop.
const STOP_SECONDS: u64 = 5;

/// What the connections of one worker share without locks.
struct Floor {
    local: Local,
    desk: Desk,
}

impl Floor {
    /// The floor of the thread that asks. Actix makes an application for each port on each worker's thread.
    fn here(make: impl FnOnce() -> Self) -> Rc<Self> {
        // Held weakly: it goes with the applications, while the thread's runtime is still there.
        thread_local!(static HERE: RefCell<Weak<Floor>> = const { RefCell::new(Weak::new()) });
        HERE.with_borrow_mut(|here| {
            here.upgrade().unwrap_or_else(|| {
                let floor = Rc::new(make());
                *here = Rc::downgrade(&floor);
                floor
            })
        })
    }
}

impl House {
    /// Begins to answer at all doors.
    pub(super) fn serve(&self, doors: Doors, lines: &Lines) -> Result<Server, String> {
        let (accounts, chat, live) = (self.accounts.clone(), self.chat.clone(), self.live.clone());
        let workers = Arc::new(AtomicUsize::new(0));
        let furnish = self.furnish(doors.tls.as_ref().map(|(_, keeper)| keeper.clone()));
        let lines = lines.clone();
        let server = HttpServer::new(move || {
            let floor = Floor::here(|| {
                let local = Local::new(workers.fetch_add(1, Ordering::Relaxed));
                chat.server.do_send(AddShard(Shard(local.clone()).start()));
                let desk = Desk::new(local.worker);
                live.add_worker(desk.worker, Relay(desk.clone()).start());
                Floor { local, desk }
            });
            let seats: Rc<dyn Seats> = Rc::new(floor.local.clone());
            App::new()
                .app_data(web::ThinData(floor.local.clone()))
                .app_data(web::ThinData(floor.desk.clone()))
                .app_data(web::ThinData(seats))
                .app_data(floor)
                .configure(furnish.clone())
                .configure(body::limits)
                .configure(routes::all)
                .wrap(accounts.session_middleware())
                .wrap(from_fn(crate::accounts::deliver))
                .wrap(from_fn(origin::check))
                .wrap(from_fn(streams::bound))
                .wrap(from_fn(redirect::lead))
                .wrap(from_fn(answer::answer))
        });
        let server = server
            .workers(self.config.workers)
            .on_connect(move |connection, data| lines.keep(connection, data))
            .keep_alive(IDLE)
            .client_request_timeout(self.config.head_within())
            // Without it 100 members got a twentieth of the deliveries.
            .tcp_nodelay(true)
            // A finished connection is closed at once; a socket's close frames have been exchanged by then.
            .client_disconnect_timeout(Duration::ZERO)
            .shutdown_timeout(STOP_SECONDS)
            .disable_signals();
        let cannot = |error: std::io::Error| format!("The server can't start its workers: {error}.");
        let server = server.listen(doors.plain).map_err(cannot)?;
        Ok(match doors.tls {
            Some((listener, keeper)) => {
                server.listen_rustls_0_23(listener, keeper.server_config()?).map_err(cannot)?.run()
            }
            None => server.run(),
        })
    }

    /// Puts what every handler may reach into an application.
    fn furnish(
        &self,
        keeper: Option<Arc<Keeper>>,
    ) -> impl FnOnce(&mut ServiceConfig) + Clone + Send + 'static {
        let config = self.config.clone();
        let (accounts, rooms, board) = (self.accounts.clone(), self.rooms.clone(), self.board.clone());
        let (library, reception) = (self.library.clone(), self.reception.clone());
        let (preparation, live) = (self.preparation.clone(), self.live.clone());
        let (chat, pages, limits) = (self.chat.clone(), self.pages.clone(), self.limits.clone());
        let presence: Arc<dyn Presence> = Arc::new(chat.presence.clone());
        let talks: Arc<dyn TalkProvider> = Arc::new(chat.clone());
        move |app| {
            app.app_data(web::Data::new(accounts))
                .app_data(web::Data::new(rooms))
                .app_data(web::Data::new(board))
                .app_data(web::Data::new(library))
                .app_data(web::Data::new(reception))
                .app_data(web::Data::new(preparation))
                .app_data(web::Data::new(live))
                .app_data(web::Data::new(chat))
                .app_data(web::Data::new(pages))
                .app_data(web::Data::from(limits))
                .app_data(web::Data::from(config))
                .app_data(web::Data::from(presence))
                .app_data(web::Data::from(talks));
            if let Some(keeper) = keeper {
                app.app_data(web::Data::from(keeper));
            }
        }
    }
}
