//! A fetch from its beginning to its end: looked up, judged, connected, asked, and led on a few times.

use super::guard::Target;
use super::line::{self, Answer};
use super::secure::Secure;
use super::{Fetched, Guard, Names, Refused, System, Wanted};
use rustls::RootCertStore;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use url::{Host, Url};

/// Times that one address may lead to another.
const REDIRECTS: usize = 3;
/// All of it, however many servers take part.
const TOTAL: Duration = Duration::from_secs(12);
/// Until one address has taken the connection, and shaken hands.
const CONNECT: Duration = Duration::from_secs(4);
/// Addresses of one name that are tried.
const TRIED: usize = 3;

/// Fetches. Cheap to clone.
#[derive(Clone)]
pub struct Outward(Arc<Parts>);

struct Parts {
    guard: Guard,
    names: Arc<dyn Names>,
    secure: Secure,
    tally: watch::Sender<Tally>,
    patience: Duration,
}

/// What was done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Connections that were begun, successfully or not.
    pub tried: u64,
    /// Fetches that have come to an end, good or bad.
    pub ended: u64,
}

impl Outward {
    /// Asks the system for names and trusts whom the system trusts.
    pub fn new(guard: Guard) -> Self {
        Self::with(guard, Arc::new(System::default()), None)
    }

    /// With other names and, for HTTPS, other authorities than the system's.
    pub fn with(guard: Guard, names: Arc<dyn Names>, roots: Option<RootCertStore>) -> Self {
        let secure = roots.map_or_else(Secure::default, Secure::trusting);
        Self(Arc::new(Parts { guard, names, secure, tally: watch::Sender::default(), patience: TOTAL }))
    }

    /// What was done so far, and then.
    pub fn tally(&self) -> watch::Receiver<Tally> {
        self.0.tally.subscribe()
    }

    /// Fetches `url`.
    ///
    /// # Errors
    /// For what may not be fetched, can't be, or isn't what was wanted.
    pub async fn get(&self, url: &Url, wanted: &Wanted) -> Result<Fetched, Refused> {
        let done = timeout(self.0.patience, self.follow(url, wanted)).await.unwrap_or(Err(Refused::Late));
        self.0.tally.send_modify(|tally| tally.ended += 1);
        done
    }

    async fn follow(&self, url: &Url, wanted: &Wanted) -> Result<Fetched, Refused> {
        let mut url = url.clone();
        for _ in 0..=REDIRECTS {
            match self.one(&url, wanted).await? {
                Answer::Here(fetched) => return Ok(fetched),
                Answer::Elsewhere(next) => url = next,
            }
        }
        Err(Refused::Redirects)
    }

    /// One address of those on the way: nothing that was found out about another counts here.
    async fn one(&self, url: &Url, wanted: &Wanted) -> Result<Answer, Refused> {
        let Parts { guard, secure, .. } = &*self.0;
        let target = guard.target(url)?;
        let addresses = self.addresses(&target).await?;
        guard.admit(&addresses)?;
        let stream = self.connect(&addresses).await?;
        if !target.secure {
            return line::ask(stream, url, wanted).await;
        }
        let shaken = timeout(CONNECT, secure.shake_hands(&target.host, stream)).await;
        line::ask(shaken.unwrap_or(Err(Refused::Late))?, url, wanted).await
    }

    async fn addresses(&self, target: &Target) -> Result<Vec<SocketAddr>, Refused> {
        let found: Vec<IpAddr> = match &target.host {
            Host::Ipv4(ip) => vec![(*ip).into()],
            Host::Ipv6(ip) => vec![(*ip).into()],
            Host::Domain(name) => {
                let known = self.0.names.look_up(name).await;
                known.map_err(|error| Refused::Unknown(error.to_string()))?
            }
        };
        Ok(found.into_iter().map(|ip| SocketAddr::new(ip, target.port)).collect())
    }

    /// Connects to one of the addresses that were judged, and to no other.
    async fn connect(&self, addresses: &[SocketAddr]) -> Result<TcpStream, Refused> {
        let mut refused = Refused::Late;
        for address in addresses.iter().take(TRIED) {
            self.0.tally.send_modify(|tally| tally.tried += 1);
            match timeout(CONNECT, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => refused = Refused::Unreachable(error.to_string()),
                Err(_) => refused = Refused::Late,
            }
        }
        Err(refused)
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
