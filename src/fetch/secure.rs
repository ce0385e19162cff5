//! HTTPS to other people's servers: whom it trusts is what the system trusts.

use super::Refused;
use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use std::sync::{Arc, OnceLock};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::Host;

/// Shakes hands. Reads the system's authorities when it is needed first.
#[derive(Default)]
pub struct Secure {
    connector: OnceLock<Option<TlsConnector>>,
}

impl Secure {
    /// Trusts these authorities and no others.
    pub fn trusting(roots: RootCertStore) -> Self {
        let secure = Self::default();
        let _ = secure.connector.set(connector(roots));
        secure
    }

    /// Makes a connection that was just opened a secure one with `host`.
    pub async fn shake_hands(
        &self,
        host: &Host<String>,
        line: TcpStream,
    ) -> Result<TlsStream<TcpStream>, Refused> {
        let connector = self.connector.get_or_init(|| connector(of_the_system())).as_ref();
        let connector = connector.ok_or_else(|| Refused::Unreachable("no authority is trusted".into()))?;
        let name = match host {
            Host::Domain(name) => ServerName::try_from(name.trim_end_matches('.').to_owned()),
            Host::Ipv4(ip) => Ok(ServerName::from(std::net::IpAddr::from(*ip))),
            Host::Ipv6(ip) => Ok(ServerName::from(std::net::IpAddr::from(*ip))),
        };
        let name = name.map_err(|_| Refused::Address)?;
        connector.connect(name, line).await.map_err(|error| Refused::Unreachable(error.to_string()))
    }
}

fn of_the_system() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        tracing::warn!(
            "this system trusts no authority for HTTPS: only pages without it get a preview (on Debian the package ca-certificates helps)"
        );
    }
    roots
}

fn connector(roots: RootCertStore) -> Option<TlsConnector> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .ok()
        .filter(|_| !roots.is_empty())?;
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Some(TlsConnector::from(Arc::new(config)))
}
