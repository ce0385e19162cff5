//! A certificate from an authority that everybody trusts already (RFC 8555), proven by a handshake on the very port that
//! it is for (TLS-ALPN-01, RFC 8737): nothing but port 443 has to be reachable.

use super::certificate::Certificate;
use super::pem;
use crate::config::Config;
use instant_acme::{
    Account, AccountCredentials, AuthorizationStatus, ChallengeType, Identifier, NewAccount, NewOrder,
    OrderStatus, RetryPolicy,
};
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::CertifiedKey;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The protocol of a handshake that is nothing but the authority's look.
pub const PROTOCOL: &[u8] = b"acme-tls/1";

/// Certificate and key in one file, and what makes the authority know us again.
pub fn file(data: &Path) -> PathBuf {
    data.join("acme.pem")
}

fn account_file(data: &Path) -> PathBuf {
    data.join("acme-account.json")
}

/// Whether it is time for another one: a third of its life is left, or it isn't for these names.
pub fn is_due(read: &Certificate, names: &[String], now: i64) -> bool {
    let life = read.not_after - read.not_before;
    let lacks = |name: &String| !read.names.iter().any(|known| known.to_string() == *name);
    read.not_after - now < life / 3 || names.iter().any(lacks)
}

/// What is shown to the authority while it looks, by name.
#[derive(Debug, Default)]
pub struct Proofs(Mutex<HashMap<String, Arc<CertifiedKey>>>);

impl Proofs {
    pub fn of(&self, name: &str) -> Option<Arc<CertifiedKey>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    fn show(&self, name: &str, digest: &[u8], provider: &CryptoProvider) -> anyhow::Result<()> {
        let mut params = CertificateParams::new(vec![name.to_owned()])?;
        params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
        let key = KeyPair::generate()?;
        let chain = vec![params.self_signed(&key)?.der().clone()];
        let secret = PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?;
        // Not by `from_der`, which would read the certificate and refuse what RFC 8737 has in it.
        let certified = CertifiedKey::new(chain, provider.key_provider.load_private_key(secret)?);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), Arc::new(certified));
        Ok(())
    }

    fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// Asks for a certificate and stores it. Takes from seconds to minutes.
///
/// # Errors
/// What the authority said, or what was in the way to it. What was stored before stays.
pub async fn order(config: &Config, proofs: &Proofs, provider: &CryptoProvider) -> anyhow::Result<()> {
    let account = account(config).await?;
    let names: Vec<Identifier> = config.acme_names.iter().cloned().map(Identifier::Dns).collect();
    let mut order = account.new_order(&NewOrder::new(&names)).await?;
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        let name = match &authorization.identifier().identifier {
            Identifier::Dns(name) => name.clone(),
            other => anyhow::bail!("the authority asks about {other:?}"),
        };
        match authorization.status {
            AuthorizationStatus::Pending => {}
            AuthorizationStatus::Valid => continue,
            status => anyhow::bail!("the authority doesn't let {name} be proven: {status:?}"),
        }
        let mut challenge = authorization
            .challenge(ChallengeType::TlsAlpn01)
            .ok_or_else(|| anyhow::anyhow!("the authority offers no proof by TLS for {name}"))?;
        proofs.show(&name, challenge.key_authorization().digest().as_ref(), provider)?;
        challenge.set_ready().await?;
    }
    let ready = order.poll_ready(&RetryPolicy::default()).await;
    let why = order.state().error.as_ref().map(ToString::to_string).unwrap_or_default();
    proofs.clear();
    match ready? {
        OrderStatus::Ready => {}
        status => anyhow::bail!("the names were not proven ({status:?}). {why}"),
    }
    let key = order.finalize().await?;
    let chain = order.poll_certificate(&RetryPolicy::default()).await?;
    pem::write_secret(&file(&config.data), &format!("{chain}\n{key}"))?;
    Ok(())
}

/// The account that was made before, or a new one.
async fn account(config: &Config) -> anyhow::Result<Account> {
    let builder = || match &config.acme_root {
        Some(root) => Account::builder_with_root(root),
        None => Account::builder(),
    };
    let path = account_file(&config.data);
    if let Ok(text) = std::fs::read_to_string(&path) {
        let known: AccountCredentials = serde_json::from_str(&text)?;
        return Ok(builder()?.from_credentials(known).await?);
    }
    let contact: Vec<String> = config.acme_contact.iter().map(|to| format!("mailto:{to}")).collect();
    let contact: Vec<&str> = contact.iter().map(String::as_str).collect();
    let new = NewAccount { contact: &contact, terms_of_service_agreed: true, only_return_existing: false };
    let (account, credentials) = builder()?.create(&new, config.acme_directory.clone(), None).await?;
    pem::write_secret(&path, &serde_json::to_string(&credentials)?)?;
    Ok(account)
}
