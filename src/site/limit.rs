//! How often: sends and uploads per person; sign-ins, newcomers and connections per address; how many of these stay.

use super::open_connections::{Held, OpenConnections};
use super::socket::outbox::Outbox;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::ids::UserId;
use actix_web::HttpRequest;
use actix_web::http::header::HeaderName;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::time::Duration;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// Messages a second per person, and how many at once.
pub const SENDS_PER_SECOND: u32 = 10;
pub const SENDS_BURST: u32 = 30;
/// Keys that a limiter remembers before it looks for those it may forget.
const KEYS: usize = 50_000;

/// Where a request comes from, as far as limits are concerned: an IPv4 address, or an IPv6 network of 64 bits,
/// since a single customer has one of those to take addresses from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Address(IpAddr);

impl From<IpAddr> for Address {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(v6) => {
                let [a, b, c, d, ..] = v6.segments();
                Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
            }
            v4 => v4,
        })
    }
}

impl Address {
    /// The peer; behind trusted proxies the last address in `X-Forwarded-For` that isn't one of them. What stands
    /// before that one was written by the client and counts for nothing.
    pub fn of(req: &HttpRequest, trusted: &[IpAddr]) -> Self {
        let unknown = IpAddr::from(Ipv6Addr::UNSPECIFIED);
        let mut address = req.peer_addr().map_or(unknown, |peer| peer.ip().to_canonical());
        let lines: Vec<&str> =
            req.headers().get_all(FORWARDED_FOR).filter_map(|value| value.to_str().ok()).collect();
        let mut hops = lines.iter().rev().flat_map(|line| line.rsplit(',')).map(str::trim);
        while trusted.contains(&address) {
            match hops.next().and_then(|hop| hop.parse::<IpAddr>().ok()) {
                Some(hop) => address = hop.to_canonical(),
                None => break,
            }
        }
        address.into()
    }
}

struct Limiter<K: Clone + Hash + Eq>(DefaultKeyedRateLimiter<K>);

impl<K: Clone + Hash + Eq> Limiter<K> {
    fn new(per_second: u32, burst: u32) -> Self {
        let number = |n: u32| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
        Self(DefaultKeyedRateLimiter::keyed(Quota::per_second(number(per_second)).allow_burst(number(burst))))
    }

    fn check(&self, key: &K) -> Result<()> {
        if self.0.len() > KEYS {
            self.tidy();
        }
        self.0.check_key(key).map_err(|not_until| {
            let wait = not_until.wait_time_from(DefaultClock::default().now());
            Error::TooMany { retry_after_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).max(1) }
        })
    }

    fn tidy(&self) {
        self.0.retain_recent();
        self.0.shrink_to_fit();
    }
}

struct Limiters {
    sends: Limiter<UserId>,
    uploads: Limiter<UserId>,
    moves: Limiter<UserId>,
    positions: Limiter<UserId>,
    previews: Limiter<UserId>,
    sign_ins: Limiter<Address>,
    newcomers: Limiter<Address>,
    connections: Limiter<Address>,
    open: OpenConnections,
}

/// All limits of the server. One of it, shared by all workers.
pub struct Limits {
    limiters: Option<Limiters>,
    trusted: Vec<IpAddr>,
    unread_bytes: usize,
    unread_for: Duration,
}

impl Limits {
    /// Bursts are wide enough for a class of students behind one address.
    pub fn new(config: &Config) -> Self {
        let limiters = config.rate_limits.then(|| Limiters {
            sends: Limiter::new(SENDS_PER_SECOND, SENDS_BURST),
            uploads: Limiter::new(2, 40),
            moves: Limiter::new(10, 30),
            // A player says every few seconds where it is; jumping about, and several open pages, are in the burst.
            positions: Limiter::new(5, 60),
            // Each has this server ask another one.
            previews: Limiter::new(1, 20),
            sign_ins: Limiter::new(1, 30),
            newcomers: Limiter::new(2, 60),
            connections: Limiter::new(50, 200),
            open: OpenConnections::new(config.connections_per_person, config.connections_per_address),
        });
        let trusted = config.trusted_proxies.iter().map(IpAddr::to_canonical).collect();
        let (unread_bytes, unread_for) = (config.unread_bytes, config.unread_for());
        Self { limiters, trusted, unread_bytes, unread_for }
    }

    /// The outbox of a new connection, in which so much may wait as the settings say, and no less than `least` bytes.
    pub fn outbox(&self, least: usize) -> Outbox {
        Outbox::held(self.unread_bytes.max(least), self.unread_for)
    }

    /// Before a message is accepted.
    ///
    /// # Errors
    /// `TooMany`, with the time until the next one is.
    pub fn send(&self, user: UserId) -> Result<()> {
        self.limiters.as_ref().map_or(Ok(()), |l| l.sends.check(&user))
    }

    /// Before a file is received.
    ///
    /// # Errors
    /// As for [`send`](Self::send).
    pub fn upload(&self, user: UserId) -> Result<()> {
        self.limiters.as_ref().map_or(Ok(()), |l| l.uploads.check(&user))
    }

    /// Before somebody moves those who watch with them.
    ///
    /// # Errors
    /// As for [`send`](Self::send).
    pub fn moves(&self, user: UserId) -> Result<()> {
        self.limiters.as_ref().map_or(Ok(()), |l| l.moves.check(&user))
    }

    /// Before it is written down how far somebody has got.
    ///
    /// # Errors
    /// As for [`send`](Self::send).
    pub fn position(&self, user: UserId) -> Result<()> {
        self.limiters.as_ref().map_or(Ok(()), |l| l.positions.check(&user))
    }

    /// Before the page that somebody has linked to is looked at.
    ///
    /// # Errors
    /// As for [`send`](Self::send).
    pub fn preview(&self, user: UserId) -> Result<()> {
        self.limiters.as_ref().map_or(Ok(()), |l| l.previews.check(&user))
    }

    /// Before a password is compared.
    ///
    /// # Errors
    /// As for [`send`](Self::send).
    pub fn sign_in(&self, req: &HttpRequest) -> Result<()> {
        self.limiters.as_ref().map_or(Ok(()), |l| l.sign_ins.check(&self.address(req)))
    }

    /// Before an account or a guest is made.
    ///
    /// # Errors
    /// As for [`send`](Self::send).
    pub fn newcomer(&self, req: &HttpRequest) -> Result<()> {
        self.limiters.as_ref().map_or(Ok(()), |l| l.newcomers.check(&self.address(req)))
    }

    /// Before a WebSocket or an event stream is opened; the answer belongs to it, and counts it for as long as it lives.
    ///
    /// # Errors
    /// `TooMany`: too often, or with as many open as there may be.
    pub fn connection(&self, req: &HttpRequest, person: Option<UserId>) -> Result<Option<Held>> {
        let Some(limiters) = &self.limiters else { return Ok(None) };
        let address = self.address(req);
        limiters.connections.check(&address)?;
        limiters.open.enter(person, address).map(Some)
    }

    /// Where the request comes from.
    pub fn address(&self, req: &HttpRequest) -> Address {
        Address::of(req, &self.trusted)
    }

    /// Forgets those who have all their freedom back; to be called once a minute.
    pub fn tidy(&self) {
        if let Some(limiters) = &self.limiters {
            limiters.sends.tidy();
            limiters.uploads.tidy();
            limiters.moves.tidy();
            limiters.positions.tidy();
            limiters.previews.tidy();
            limiters.sign_ins.tidy();
            limiters.newcomers.tidy();
            limiters.connections.tidy();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn from(peer: &str, forwarded: &[&str], trusted: &[&str]) -> Address {
        let mut request = TestRequest::get().peer_addr(format!("{peer}:5000").parse().unwrap());
        for line in forwarded {
            request = request.append_header(("x-forwarded-for", *line));
        }
        let trusted: Vec<IpAddr> = trusted.iter().map(|t| t.parse().unwrap()).collect();
        Address::of(&request.to_http_request(), &trusted)
    }

    fn at(address: &str) -> Address {
        address.parse::<IpAddr>().unwrap().into()
    }

    #[test]
    fn only_trusted_proxies_say_for_whom_they_ask() {
        assert_eq!(from("192.0.2.1", &["198.51.100.7"], &[]), at("192.0.2.1"));
        assert_eq!(from("192.0.2.1", &["198.51.100.7"], &["192.0.2.1"]), at("198.51.100.7"));
        // The client wrote the first one itself.
        assert_eq!(from("192.0.2.1", &["203.0.113.9, 198.51.100.7"], &["192.0.2.1"]), at("198.51.100.7"));
        let chain = ["203.0.113.9", "198.51.100.7, 192.0.2.2"];
        assert_eq!(from("192.0.2.1", &chain, &["192.0.2.1", "192.0.2.2"]), at("198.51.100.7"));
        assert_eq!(from("192.0.2.1", &["nonsense"], &["192.0.2.1"]), at("192.0.2.1"));
    }

    #[test]
    fn an_ipv6_network_is_one_address() {
        assert_eq!(at("2001:db8:1:2:3:4:5:6"), at("2001:db8:1:2:ffff::1"));
        assert_ne!(at("2001:db8:1:2::1"), at("2001:db8:1:3::1"));
        assert_eq!(at("::ffff:192.0.2.1"), at("192.0.2.1"));
    }

    #[test]
    fn a_burst_is_let_through_and_the_next_is_told_when() {
        let limits = Limits::new(&Config::default());
        for _ in 0..30 {
            limits.send(UserId(1)).unwrap();
        }
        let refusal = limits.send(UserId(1));
        assert!(matches!(refusal, Err(Error::TooMany { retry_after_ms: 1..=100 })), "{refusal:?}");
        assert!(limits.send(UserId(2)).is_ok());
        limits.tidy();
        assert!(limits.send(UserId(1)).is_err(), "tidying must not set anybody free");
    }

    #[test]
    fn limits_can_be_off() {
        let mut config = Config::default();
        config.set("rate_limits", "off").unwrap();
        let limits = Limits::new(&config);
        assert!((0..1000).all(|_| limits.send(UserId(1)).is_ok()));
    }
}
