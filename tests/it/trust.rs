//! What a browser trusts when it comes by HTTPS: one authority, in the forms that the clients of tests want.

use crate::app::App;
use crate::visitor::Visitor;
use reqwest::{Certificate, ClientBuilder};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// One authority's certificate.
#[derive(Clone, Debug)]
pub struct Trust {
    pem: Vec<u8>,
}

/// Has the clients of this process do their cryptography with what the server has.
pub fn with_ring() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

impl Trust {
    pub fn new(pem: impl Into<Vec<u8>>) -> Self {
        with_ring();
        Self { pem: pem.into() }
    }

    /// What a person does first: downloads the authority by plain HTTP.
    pub async fn download(stranger: &Visitor) -> Self {
        let answer = stranger.get("/authority.crt").await.is(200);
        assert_eq!(answer.header("content-type"), "application/x-x509-ca-cert");
        Self::new(answer.body)
    }

    /// A client that trusts nobody else.
    pub fn client(&self) -> ClientBuilder {
        let certificate = Certificate::from_pem(&self.pem).unwrap();
        reqwest::Client::builder().tls_certs_only([certificate])
    }

    /// The same for what speaks no HTTP.
    pub fn config(&self) -> Arc<ClientConfig> {
        Arc::new(ClientConfig::builder().with_root_certificates(self.roots()).with_no_client_auth())
    }

    /// The authority alone.
    pub fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        for der in CertificateDer::pem_slice_iter(&self.pem) {
            roots.add(der.unwrap()).unwrap();
        }
        roots
    }

    /// A TLS connection to `localhost`, and the certificate that was shown.
    pub async fn shake_hands(
        &self,
        port: u16,
    ) -> std::io::Result<(TlsStream<TcpStream>, CertificateDer<'static>)> {
        let line = TcpStream::connect(("127.0.0.1", port)).await?;
        let name = ServerName::try_from("localhost").unwrap();
        let stream = TlsConnector::from(self.config()).connect(name, line).await?;
        let shown = stream.get_ref().1.peer_certificates().unwrap()[0].clone().into_owned();
        Ok((stream, shown))
    }
}

/// The port for HTTPS.
pub fn port(app: &App) -> u16 {
    app.running().tls.as_ref().unwrap().address.port()
}

/// Where it listens for HTTPS, without a path.
pub fn origin(app: &App) -> String {
    format!("https://localhost:{}", port(app))
}
