//! What this machine is called: the names and addresses that its certificate is for.

use crate::config::Config;
use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;

/// Names of one certificate; a host of many containers has hundreds of addresses that nobody types.
const AT_MOST: usize = 64;
/// Octets of a label, and of a whole name (RFC 1035, 2.3.4).
const LABEL: usize = 63;
const WHOLE: usize = 253;

/// One name in a certificate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Name {
    /// In lower case.
    Dns(String),
    Ip(IpAddr),
}

impl Name {
    /// A name or an address as people type it; nothing for what no certificate can have.
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim_end_matches('.').to_ascii_lowercase();
        if let Ok(ip) = text.trim_matches(['[', ']']).parse::<IpAddr>() {
            return Some(Self::Ip(ip.to_canonical()));
        }
        let label = |label: &str| {
            (1..=LABEL).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        // A last label of digits alone would be read as an address by browsers.
        let numeric = text.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
        (text.len() <= WHOLE && !numeric && text.split('.').all(label)).then_some(Self::Dns(text))
    }

    /// Whether others can reach something by this name, whoever gave it: neither this machine alone nor an address.
    pub fn is_domain(&self) -> bool {
        matches!(self, Self::Dns(name) if name != "localhost" && !name.ends_with(".localhost"))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => f.write_str(name),
            Self::Ip(ip) => ip.fmt(f),
        }
    }
}

/// Names with commas between them.
pub fn listed(names: &[Name]) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// What a server can be reached by.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Those that the settings name, and this machine's own.
    pub needed: BTreeSet<Name>,
    /// Those that were found; they come and go with the network.
    pub found: BTreeSet<Name>,
}

impl Names {
    /// The names of this machine with these settings.
    pub fn of_host(config: &Config) -> Self {
        let loopback = ["localhost", "127.0.0.1", "::1"].into_iter().filter_map(Name::read);
        let public = config.public_host().and_then(Name::read);
        let bound = config.tls_listen.map(|at| at.ip()).filter(|ip| !ip.is_unspecified());
        let bound = bound.map(|ip| Name::Ip(ip.to_canonical()));
        let needed: BTreeSet<Name> = loopback.chain(public).chain(bound).collect();
        let found = host_names().into_iter().chain(addresses());
        let found = found.filter(|name| !needed.contains(name)).take(AT_MOST).collect();
        Self { needed, found }
    }
}

/// The host's name, and how it is found without a name server (RFC 6762).
fn host_names() -> Vec<Name> {
    let system = rustix::system::uname();
    let Some(Name::Dns(name)) = system.nodename().to_str().ok().and_then(Name::read) else {
        return Vec::new();
    };
    let local = (!name.contains('.')).then(|| Name::Dns(format!("{name}.local")));
    std::iter::once(Name::Dns(name)).chain(local).collect()
}

/// The addresses of this machine's interfaces; link-local ones of IPv6 can't be typed into a browser.
fn addresses() -> BTreeSet<Name> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    interfaces
        .into_iter()
        .filter(|one| !one.is_loopback() && (one.ip().is_ipv4() || !one.is_link_local()))
        .map(|one| Name::Ip(one.ip().to_canonical()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_certificate_can_have_is_no_name() {
        for good in ["localhost", "Talk.Example", "a-b.c", "[::1]", "127.0.0.1", "xn--fsq.example."] {
            assert!(Name::read(good).is_some(), "{good}");
        }
        for bad in ["", "a b", "-a", "a-", "a..b", "under_score", "中文.example", "1.2.3", "*.example", "a/b"]
        {
            assert_eq!(Name::read(bad), None, "{bad}");
        }
        assert_eq!(Name::read("Talk.Example."), Some(Name::Dns("talk.example".into())));
    }

    #[test]
    fn the_settings_say_what_is_needed() {
        let mut config = Config::default();
        for (name, value) in [("public_url", "https://talk.example:8181"), ("tls_listen", "0.0.0.0:8181")] {
            config.set(name, value).unwrap();
        }
        let names = Names::of_host(&config);
        let listed = listed(&names.needed.into_iter().collect::<Vec<_>>());
        assert_eq!(listed, "localhost, talk.example, 127.0.0.1, ::1");
        assert!(
            names.found.len() <= AT_MOST
                && names.found.iter().all(|name| *name != Name::Dns("localhost".into()))
        );
    }

    #[test]
    fn localhost_and_addresses_are_no_domains() {
        for (name, is) in
            [("localhost", false), ("a.localhost", false), ("10.0.0.1", false), ("talk.example", true)]
        {
            assert_eq!(Name::read(name).unwrap().is_domain(), is, "{name}");
        }
    }
}
