//! What is found of the certificate by who only looks, and changes nothing.

use super::authority::{Own, RENEWED_BEFORE};
use super::certificate::{Certificate, day};
use super::keeper::SOON;
use super::names::{Names, listed};
use super::{given, pinned};
use crate::config::Config;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use std::net::SocketAddr;

/// One finding about HTTPS.
pub enum Report {
    Good(String),
    /// It works, with something to look after.
    Note(String),
    /// The server doesn't start with this.
    Bad(String),
}

/// What is found at `now`, ms; nothing when HTTPS is off.
pub fn report(config: &Config, now: i64) -> Vec<Report> {
    if config.tls_listen.is_none() {
        let idle = "The certificate of the settings is for nothing as long as tls_listen is off.";
        let has_idle = config.tls_cert.is_some() || config.tls_key.is_some();
        let redirect = "The setting tls_redirect needs tls_listen, the address to lead to.";
        let redirect = config.tls_redirect.then(|| Report::Bad(redirect.to_owned()));
        return redirect.into_iter().chain(has_idle.then(|| Report::Note(idle.to_owned()))).collect();
    }
    match (&config.tls_cert, &config.tls_key) {
        #[cfg(feature = "acme")]
        (None, None) if !config.acme_names.is_empty() => asked(config, now),
        #[cfg(not(feature = "acme"))]
        (None, None) if !config.acme_names.is_empty() => {
            vec![Report::Bad("The setting acme_names needs a build with --features acme.".to_owned())]
        }
        (None, None) => own(config, now),
        (Some(cert), Some(key)) => match given::open(cert, key, &ring::default_provider(), now) {
            Ok(ready) => vec![of_given(&ready.read, now)],
            Err(sentence) => vec![Report::Bad(sentence)],
        },
        _ => {
            vec![Report::Bad("Of tls_cert and tls_key one is set; HTTPS needs both, or neither.".to_owned())]
        }
    }
}

fn of_given(read: &Certificate, now: i64) -> Report {
    let words =
        format!("The certificate is for {} and good until {}.", listed(&read.names), day(read.not_after));
    if read.not_after - now < SOON {
        Report::Note(format!("{words} That is soon: put a new one in its place and send the server SIGHUP."))
    } else {
        Report::Good(words)
    }
}

#[cfg(feature = "acme")]
fn asked(config: &Config, now: i64) -> Vec<Report> {
    let path = super::acme::file(&config.data);
    match given::open(&path, &path, &ring::default_provider(), now) {
        Ok(ready) => vec![of_given(&ready.read, now)],
        Err(_) => {
            let words =
                "The authority has given no certificate that holds yet; until then the place's own is shown.";
            vec![Report::Note(words.to_owned())]
        }
    }
}

fn own(config: &Config, now: i64) -> Vec<Report> {
    let own = match Own::look(&config.data) {
        Ok(Some(own)) => own,
        Ok(None) => {
            let words = "There is no certificate for HTTPS yet; the first start makes one, and an authority of its own.";
            return vec![Report::Good(words.to_owned())];
        }
        Err(sentence) => return vec![Report::Bad(sentence)],
    };
    let (leaf, authority) = (&own.leaf.read, &own.authority.read);
    let words =
        format!("The certificate is for {} and good until {}.", listed(&leaf.names), day(leaf.not_after));
    let missing: Vec<_> =
        Names::of_host(config).needed.into_iter().filter(|name| !leaf.names.contains(name)).collect();
    let leaf = if !missing.is_empty() {
        Report::Note(format!(
            "{words} It isn't for {} yet; the server makes another when it starts.",
            listed(&missing)
        ))
    } else if leaf.is_good_at(now) && now + RENEWED_BEFORE < leaf.not_after {
        Report::Good(words)
    } else {
        Report::Note(format!(
            "{words} The server makes another when it starts, and every hour it looks again."
        ))
    };
    let authority = Report::Good(format!(
        "Its authority “{}” is good until {}. SHA-256: {}.",
        authority.called,
        day(authority.not_after),
        authority.fingerprint
    ));
    vec![leaf, authority]
}

/// Whether a Hubbub answers at this address with the certificate of these settings, and says that it is healthy.
pub fn is_healthy(config: &Config, address: SocketAddr, now: i64) -> bool {
    let expected: Option<CertificateDer<'static>> = match &config.tls_cert {
        Some(cert) => given::look(cert, now).ok().map(|(der, _)| der),
        #[cfg(feature = "acme")]
        None if given::look(&super::acme::file(&config.data), now).is_ok() => {
            given::look(&super::acme::file(&config.data), now).ok().map(|(der, _)| der)
        }
        None => Own::look(&config.data).ok().flatten().map(|own| own.leaf.der),
    };
    expected.is_some_and(|expected| pinned::is_healthy(address, expected).unwrap_or(false))
}
