//! A certificate and its key from files that somebody else looks after: read, and judged before anybody sees it.

use super::authority::Pair;
use super::certificate::{Certificate, day};
use super::pem;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

/// Bytes of a file with a chain of certificates; no more of it is read.
const AT_MOST: u64 = 1 << 20;

/// What HTTPS is spoken with.
pub struct Ready {
    pub key: Arc<CertifiedKey>,
    pub read: Certificate,
}

/// The certificate of `cert` with the key of `key`.
///
/// # Errors
/// A sentence that names the setting and the file, and says what is wrong with it.
pub fn open(cert: &Path, key: &Path, provider: &CryptoProvider, now: i64) -> Result<Ready, String> {
    let chain = chain(cert)?;
    let judged = judge(chain.first(), cert, now)?;
    let text = read("tls_key", key)?;
    let cannot = |why: &str| format!("The file {} (tls_key) {why}.", key.display());
    let Some(secret) = pem::key(&text) else {
        return Err(cannot(match String::from_utf8_lossy(&text) {
            text if text.contains("ENCRYPTED") => {
                "is locked with a passphrase, which nobody can type when the server starts; store the key without one"
            }
            _ => "has no key: a PEM block that begins with -----BEGIN PRIVATE KEY----- is needed",
        }));
    };
    let key = CertifiedKey::from_der(chain, secret, provider).map_err(|error| match error {
        Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => cannot(&format!(
            "doesn't belong to the first certificate of {}, which has to be the server's own",
            cert.display()
        )),
        other => cannot(&format!("can't be used: {other}")),
    })?;
    Ok(Ready { key: Arc::new(key), read: judged })
}

/// The certificate of the place's own authority.
///
/// # Errors
/// A sentence; only when what was just made can't be used.
pub fn of_pair(pair: &Pair, provider: &CryptoProvider) -> Result<Ready, String> {
    let key = CertifiedKey::from_der(vec![pair.der.clone()], pair.key.clone_key(), provider)
        .map_err(|error| format!("The certificate of the place's own authority can't be used: {error}."))?;
    Ok(Ready { key: Arc::new(key), read: pair.read.clone() })
}

/// The certificate of `cert` alone, whatever its key; for who only looks.
///
/// # Errors
/// As for [`open`].
pub fn look(cert: &Path, now: i64) -> Result<(CertificateDer<'static>, Certificate), String> {
    let first = chain(cert)?.into_iter().next();
    let read = judge(first.as_ref(), cert, now)?;
    first.map(|der| (der, read)).ok_or_else(|| no_certificate(cert))
}

fn chain(cert: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    match pem::certificates(&read("tls_cert", cert)?) {
        Some(chain) if !chain.is_empty() => Ok(chain),
        Some(_) => Err(no_certificate(cert)),
        None => {
            Err(format!("The file {} (tls_cert) is damaged: one of its blocks is no PEM.", cert.display()))
        }
    }
}

fn no_certificate(cert: &Path) -> String {
    format!(
        "The file {} (tls_cert) has no certificate: a PEM block that begins with -----BEGIN CERTIFICATE----- is needed.",
        cert.display()
    )
}

fn judge(first: Option<&CertificateDer<'_>>, cert: &Path, now: i64) -> Result<Certificate, String> {
    let cannot = |why: &str| format!("The certificate in {} (tls_cert) {why}.", cert.display());
    let read = first.and_then(Certificate::read).ok_or_else(|| cannot("is damaged"))?;
    if now > read.not_after {
        Err(cannot(&format!("expired on {}; get a new one", day(read.not_after))))
    } else if now < read.not_before {
        Err(cannot(&format!("is not valid before {}; check the clock", day(read.not_before))))
    } else if read.names.is_empty() {
        Err(cannot("is for no name at all; browsers want its names as subject alternative names"))
    } else {
        Ok(read)
    }
}

fn read(setting: &str, path: &Path) -> Result<Vec<u8>, String> {
    let cannot = |why: &dyn std::fmt::Display| format!("The file {} ({setting}) {why}.", path.display());
    let about = std::fs::metadata(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => cannot(&"is not there"),
        _ => cannot(&format_args!("can't be read: {error}")),
    })?;
    if !about.is_file() {
        return Err(cannot(&"is no file"));
    }
    if about.len() > AT_MOST {
        return Err(cannot(&"is larger than 1 MiB, which no certificate and no key is"));
    }
    std::fs::read(path).map_err(|error| cannot(&format_args!("can't be read: {error}")))
}
