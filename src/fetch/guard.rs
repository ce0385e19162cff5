//! What may be fetched at all: judged by the address as it is written, and by where that leads.

use super::address;
use std::net::{IpAddr, SocketAddr};
use url::{Host, Url};

/// Characters of an address; what is longer is no page that people link to.
const LONGEST: usize = 4000;

/// Why something wasn't fetched. Told to nobody but the log: it would say what lies behind the wall.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("it isn't an address of the web")]
    Address,
    #[error("it says who asks")]
    Named,
    #[error("it isn't one of the web's ports")]
    Port,
    #[error("its name isn't known: {0}")]
    Unknown(String),
    #[error("it leads to {0}, which isn't of the open internet")]
    Closed(IpAddr),
    #[error("it leads on too often")]
    Redirects,
    #[error("its server can't be reached: {0}")]
    Unreachable(String),
    #[error("its server broke off: {0}")]
    Broken(String),
    #[error("its server answered with {0}")]
    Status(u16),
    #[error("it is something else than was asked for")]
    Kind,
    #[error("it is larger than was asked for")]
    Large,
    #[error("it took too long")]
    Late,
}

/// The rules.
#[derive(Clone, Debug)]
pub struct Guard {
    /// Ports of the open internet that may be asked.
    pub ports: Vec<u16>,
    /// What an operator lets be reached all the same: exactly these addresses, at exactly these ports.
    pub allowed: Vec<SocketAddr>,
    /// Whether an address is of the open internet.
    pub is_open: fn(IpAddr) -> bool,
}

/// Where a fetch goes, before any name is looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// By TLS.
    pub secure: bool,
    pub host: Host<String>,
    pub port: u16,
}

impl Guard {
    /// The open internet, and these of the operator's own.
    pub fn new(allowed: Vec<SocketAddr>) -> Self {
        Self { ports: vec![80, 443], allowed, is_open }
    }

    /// Reads where `url` leads.
    ///
    /// # Errors
    /// For what isn't of the web, says who asks, or leads to a port that nothing may be asked at.
    pub fn target(&self, url: &Url) -> Result<Target, Refused> {
        let secure = match url.scheme() {
            "http" => false,
            "https" => true,
            _ => return Err(Refused::Address),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refused::Named);
        }
        let host = url.host().ok_or(Refused::Address)?.to_owned();
        let port = url.port_or_known_default().ok_or(Refused::Port)?;
        if url.as_str().len() > LONGEST {
            return Err(Refused::Address);
        }
        if !self.ports.contains(&port) && !self.allowed.iter().any(|allowed| allowed.port() == port) {
            return Err(Refused::Port);
        }
        Ok(Target { secure, host, port })
    }

    /// Judges all addresses that a name has. One that may not be reached is enough to refuse the name: who answers so
    /// wants to have it tried.
    ///
    /// # Errors
    /// For the first that may not be reached, and when there is none at all.
    pub fn admit(&self, addresses: &[SocketAddr]) -> Result<(), Refused> {
        if addresses.is_empty() {
            return Err(Refused::Unknown("it has no address".into()));
        }
        let may = |address: &SocketAddr| {
            let is_of_the_web = self.ports.contains(&address.port()) && (self.is_open)(address.ip());
            is_of_the_web || self.allowed.contains(address)
        };
        match addresses.iter().find(|address| !may(address)) {
            Some(address) => Err(Refused::Closed(address.ip())),
            None => Ok(()),
        }
    }
}

/// An address of the open internet that isn't this machine's own: behind that, what is closed to the world may listen.
fn is_open(ip: IpAddr) -> bool {
    // A machine that can't say its addresses has its private ones refused all the same.
    let is_own = || if_addrs::get_if_addrs().is_ok_and(|all| all.iter().any(|own| own.ip() == ip));
    address::is_public(ip) && !is_own()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(address: &str) -> Result<Target, Refused> {
        Guard::new(vec!["10.1.2.3:8443".parse().unwrap()]).target(&address.parse().unwrap())
    }

    #[test]
    fn only_the_web_at_its_own_ports_is_a_target_and_nobody_is_named() {
        for (address, refused) in [
            ("ftp://a.org/", Refused::Address),
            ("file:///etc/passwd", Refused::Address),
            ("gopher://127.0.0.1:70/", Refused::Address),
            ("http://ann@a.org/", Refused::Named),
            ("http://a.org:80@127.0.0.1/", Refused::Named),
            ("http://:secret@a.org/", Refused::Named),
            ("http://a.org:22/", Refused::Port),
            ("http://a.org:8080/", Refused::Port),
            ("https://a.org:6379/", Refused::Port),
        ] {
            assert_eq!(target(address), Err(refused), "{address}");
        }
        let long = format!("http://a.org/{}", "a".repeat(LONGEST));
        assert_eq!(target(&long), Err(Refused::Address));
        assert!(target("https://a.org:8443/").is_ok(), "where it leads is judged when that is known");
        assert_eq!(target("http://a.org:443/").map(|t| (t.secure, t.port)), Ok((false, 443)));
    }

    #[test]
    fn hosts_that_are_numbers_in_disguise_are_read_as_the_numbers() {
        for address in [
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://017700000001/",
            "http://0x7f.0.0.1/",
            "http://0177.0.0.1/",
            "http://127.0.0.1./",
            "http://①②⑦.⓪.⓪.①/",
            "http://１２７.0.0.1/",
            "http://%31%32%37.0.0.1/",
        ] {
            let host = target(address).map(|target| target.host);
            assert_eq!(host, Ok(Host::Ipv4([127, 0, 0, 1].into())), "{address}");
        }
    }

    #[test]
    fn every_address_of_a_name_has_to_be_open_and_those_of_the_operator_are_let_through() {
        let guard = Guard::new(vec!["10.1.2.3:8443".parse().unwrap(), "[::1]:80".parse().unwrap()]);
        let admit = |addresses: &[&str]| {
            let all: Vec<SocketAddr> = addresses.iter().map(|a| a.parse().unwrap()).collect();
            guard.admit(&all)
        };
        assert_eq!(admit(&["93.184.216.34:80", "[2606:2800:220:1::1]:443"]), Ok(()));
        assert_eq!(admit(&["10.1.2.3:8443"]), Ok(()));
        assert_eq!(admit(&["[::1]:80"]), Ok(()));
        for refused in [
            &["93.184.216.34:80", "127.0.0.1:80"][..],
            &["93.184.216.34:8443"],
            &["10.1.2.3:80"],
            &["10.1.2.4:8443"],
            &["[::1]:443"],
            &["127.0.0.1:80"],
            &[],
        ] {
            assert!(admit(refused).is_err(), "{refused:?}");
        }
    }
}
