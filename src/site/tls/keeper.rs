//! The certificate that every HTTPS handshake shows, and how it is exchanged while connections stay open.

#[cfg(feature = "acme")]
use super::acme;
use super::authority::Own;
use super::certificate::{Certificate, day};
use super::given::{self, Ready};
use super::names::{Names, listed};
use super::pem;
use crate::clock::now_ms;
use crate::config::Config;
use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, ring};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Time before the end of a given certificate from which on its end is spoken of, ms.
pub const SOON: i64 = 14 * 86_400_000;

/// Where the certificate comes from.
#[derive(Debug)]
enum Source {
    Given {
        cert: PathBuf,
        key: PathBuf,
    },
    /// The place's own authority, in the data folder.
    Own,
    /// An authority that is asked; until it has answered, the place's own.
    #[cfg(feature = "acme")]
    Acme,
}

/// The authority, for those who are to trust it.
#[derive(Clone, Debug)]
pub struct Offer {
    pub pem: String,
    pub read: Certificate,
}

#[derive(Debug)]
struct Shown {
    key: Arc<CertifiedKey>,
    read: Certificate,
    offer: Option<Offer>,
}

/// Keeps the certificate. One for the whole server.
#[derive(Debug)]
pub struct Keeper {
    config: Arc<Config>,
    source: Source,
    provider: Arc<CryptoProvider>,
    /// Where HTTPS is spoken; the real port when it was asked for port 0.
    pub address: SocketAddr,
    shown: Mutex<Shown>,
    #[cfg(feature = "acme")]
    proofs: acme::Proofs,
}

impl Keeper {
    /// The certificate that the settings ask for, read or made.
    ///
    /// # Errors
    /// One sentence about the settings, a file, or the certificate in it.
    pub fn open(config: &Arc<Config>, address: SocketAddr) -> Result<Self, String> {
        let source = match (&config.tls_cert, &config.tls_key) {
            (Some(cert), Some(key)) => Source::Given { cert: cert.clone(), key: key.clone() },
            #[cfg(feature = "acme")]
            (None, None) if !config.acme_names.is_empty() => Source::Acme,
            #[cfg(not(feature = "acme"))]
            (None, None) if !config.acme_names.is_empty() => {
                return Err(
                    "The setting acme_names needs a build with it: cargo build --release --features acme."
                        .into(),
                );
            }
            (None, None) => Source::Own,
            (Some(_), None) => {
                return Err("The setting tls_cert needs tls_key beside it, the file with its key.".into());
            }
            (None, Some(_)) => {
                return Err(
                    "The setting tls_key needs tls_cert beside it, the file with its certificate.".into()
                );
            }
        };
        let provider = Arc::new(ring::default_provider());
        let shown = load(config, &source, &provider)?;
        Ok(Self {
            config: config.clone(),
            source,
            provider,
            address,
            shown: Mutex::new(shown),
            #[cfg(feature = "acme")]
            proofs: acme::Proofs::default(),
        })
    }

    /// TLS 1.2 and 1.3 with this certificate. What rustls speaks with ring is within Mozilla's “intermediate”
    /// configuration: ECDHE with AEAD ciphers, X25519, P-256 and P-384.
    ///
    /// # Errors
    /// A sentence; not with the versions that are asked for here.
    pub fn server_config(self: &Arc<Self>) -> Result<ServerConfig, String> {
        let builder = ServerConfig::builder_with_provider(self.provider.clone())
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(|error| format!("HTTPS can't be spoken: {error}."))?;
        let mut config = builder.with_no_client_auth().with_cert_resolver(self.clone());
        // Ours is the best first; a client may have none.
        config.ignore_client_order = true;
        #[cfg(feature = "acme")]
        if matches!(self.source, Source::Acme) {
            config.alpn_protocols.push(acme::PROTOCOL.to_vec());
        }
        Ok(config)
    }

    /// Reads the files again, or looks whether the place's own certificate is still good for this machine's names. Open
    /// connections go on as they are. Answers whether another certificate is shown from now on. Blocks.
    ///
    /// # Errors
    /// One sentence; the certificate stays what it was.
    pub fn renew(&self) -> Result<bool, String> {
        let fresh = load(&self.config, &self.source, &self.provider)?;
        let mut shown = self.shown();
        let changed = fresh.key.cert != shown.key.cert;
        *shown = fresh;
        Ok(changed)
    }

    /// The same, as an hourly chore and a signal do it: what came of it is in the log.
    pub fn renew_and_tell(&self) {
        match self.renew() {
            Ok(changed) => {
                if changed {
                    let read = self.shown().read.clone();
                    let (until, names) = (day(read.not_after), listed(&read.names));
                    tracing::info!(%until, %names, "HTTPS has another certificate now");
                }
                self.warn();
            }
            Err(reason) => tracing::error!(%reason, "the certificate for HTTPS stays what it was"),
        }
    }

    /// Says in the log when the certificate ends soon.
    pub fn warn(&self) {
        let until = self.shown().read.not_after;
        if until - now_ms() < SOON {
            tracing::warn!(until = %day(until), "the certificate for HTTPS ends soon");
        }
    }

    /// Whether it needs looking after when nobody asks: files are read when a signal says so.
    pub fn is_own(&self) -> bool {
        !matches!(self.source, Source::Given { .. })
    }

    /// Asks the authority for another certificate when it is time; what came of it is in the log.
    #[cfg(feature = "acme")]
    pub async fn order(&self) {
        let is_shown = self.shown().offer.is_none();
        let is_due = !is_shown || acme::is_due(&self.shown().read, &self.config.acme_names, now_ms());
        if !matches!(self.source, Source::Acme) || !is_due {
            return;
        }
        if let Err(reason) = acme::order(&self.config, &self.proofs, &self.provider).await {
            tracing::error!(%reason, directory = %self.config.acme_directory, "no certificate for HTTPS from the authority; it is asked again in an hour");
        }
    }

    /// The authority to download, when it is the place's own.
    pub fn offer(&self) -> Option<Offer> {
        self.shown().offer.clone()
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ResolvesServerCert for Keeper {
    #[allow(unused_variables, reason = "looked at with the feature acme")]
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        #[cfg(feature = "acme")]
        if hello.alpn().is_some_and(|mut offered| offered.any(|protocol| protocol == acme::PROTOCOL)) {
            return self.proofs.of(hello.server_name()?);
        }
        Some(self.shown().key.clone())
    }
}

fn load(config: &Config, source: &Source, provider: &CryptoProvider) -> Result<Shown, String> {
    let now = now_ms();
    match source {
        Source::Given { cert, key } => {
            let Ready { key, read } = given::open(cert, key, provider, now)?;
            Ok(Shown { key, read, offer: None })
        }
        #[cfg(feature = "acme")]
        Source::Acme => {
            let path = acme::file(&config.data);
            match given::open(&path, &path, provider, now) {
                Ok(Ready { key, read }) => Ok(Shown { key, read, offer: None }),
                // None yet, or one that has ended: people come in all the same, with a warning.
                Err(_) => load(config, &Source::Own, provider),
            }
        }
        Source::Own => {
            let own = Own::open(&config.data, &Names::of_host(config), now)?;
            let Ready { key, read } = given::of_pair(&own.leaf, provider)?;
            let offer =
                Offer { pem: pem::block("CERTIFICATE", &own.authority.der), read: own.authority.read };
            Ok(Shown { key, read, offer: Some(offer) })
        }
    }
}
