//! How names become addresses.

use futures_core::future::BoxFuture;
use std::io;
use std::net::{IpAddr, ToSocketAddrs as _};
use std::sync::Arc;
use std::thread;
use tokio::sync::{Semaphore, oneshot};

/// Names that are looked up at once. The system may take half a minute for one that isn't there.
const AT_ONCE: usize = 8;

/// Who knows the addresses of a name.
pub trait Names: Send + Sync + 'static {
    /// All that it has, in the order in which they are to be tried.
    fn look_up(&self, host: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// The system's own way, with its `hosts` file and its name servers.
pub struct System {
    places: Arc<Semaphore>,
}

impl Default for System {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

impl Names for System {
    fn look_up(&self, host: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let (host, places) = (host.to_owned(), self.places.clone());
        Box::pin(async move {
            let place = places.try_acquire_owned().map_err(io::Error::other)?;
            let (answer, found) = oneshot::channel();
            // Not one of the runtime's threads: a stop of the server would wait for those, however long they take.
            thread::Builder::new().name("lookup".into()).spawn(move || {
                let _place = place;
                let known = (host.as_str(), 0).to_socket_addrs();
                let _ = answer.send(known.map(|all| all.map(|address| address.ip()).collect()));
            })?;
            found.await.map_err(io::Error::other)?
        })
    }
}
