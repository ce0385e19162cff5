//! A small certificate authority of the place's own, for names that nobody else would vouch for: this machine's, and
//! addresses of private networks.
//!
//! Whoever trusts it trusts the key in the data folder, on every device they import it to. So it is bound (RFC 5280,
//! 4.2.1.10) to names of this machine and to names and addresses that only private networks have: with a stolen key
//! nobody could stand in for the rest of the world.

use super::certificate::Certificate;
use super::names::{Name, Names};
use super::pem;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints, SanType,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::path::Path;
use time::OffsetDateTime;

const DAY: i64 = 86_400_000;
/// People import it by hand on each device; that shouldn't come up every other year.
const AUTHORITY_DAYS: i64 = 10 * 365;
/// What Mozilla recommends, with a day for clocks that are behind.
const LEAF_DAYS: i64 = 90;
/// A clock may be this far behind the server's.
const BEHIND: i64 = DAY;
/// A certificate with less time than this is made again.
pub const RENEWED_BEFORE: i64 = 30 * DAY;

/// Both files have a key and a certificate, so that one never stands there without the other.
const AUTHORITY_FILE: &str = "authority.pem";
const LEAF_FILE: &str = "certificate.pem";

/// Names that are never anybody's on the Internet: RFC 6761, RFC 6762, RFC 8375, ICANN 2024, and what routers use.
const PRIVATE_NAMES: [&str; 5] = ["localhost", "local", "home.arpa", "internal", "lan"];
/// Addresses that are never anybody's on the Internet: RFC 1918, RFC 3927, RFC 4193, RFC 4291, RFC 6598.
const PRIVATE_NETS: [&str; 9] = [
    "127.0.0.0/8",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "169.254.0.0/16",
    "100.64.0.0/10",
    "::1/128",
    "fc00::/7",
    "fe80::/10",
];

/// A certificate with its key.
pub struct Pair {
    pub der: CertificateDer<'static>,
    pub key: PrivateKeyDer<'static>,
    pub read: Certificate,
}

/// The authority, and the certificate that it has signed for this machine.
pub struct Own {
    pub authority: Pair,
    pub leaf: Pair,
}

impl Own {
    /// What lies in the data folder, as far as it is good for these names now; the rest is made.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub fn open(data: &Path, names: &Names, now: i64) -> Result<Self, String> {
        crate::site::disk::make_private(data)
            .map_err(|e| format!("The data folder {} can't be made: {e}.", data.display()))?;
        let path = data.join(AUTHORITY_FILE);
        let stored = load(&path)?;
        let authority = match stored {
            Some(pair) if serves(&pair.read, names, now) => pair,
            stored => {
                if stored.is_some() {
                    tracing::warn!(
                        "the authority no longer serves these names or this time, so a new one was made; whoever trusted the old one has to import it again"
                    );
                }
                let pair = make_authority(names, now)?;
                store(&path, &pair)?;
                pair
            }
        };
        let wanted = wanted(&authority.read, names);
        let path = data.join(LEAF_FILE);
        // A damaged one is simply made again: nobody has imported it anywhere.
        let stored = load(&path).ok().flatten();
        let is_good = |leaf: &Certificate| {
            leaf.signed_by == authority.read.key
                && leaf.not_before <= now
                && now + RENEWED_BEFORE < leaf.not_after
                && wanted.iter().all(|name| leaf.names.contains(name))
        };
        let leaf = match stored.filter(|pair| is_good(&pair.read)) {
            Some(pair) => pair,
            None => {
                let pair = sign(&authority, &wanted, now)?;
                store(&path, &pair)?;
                pair
            }
        };
        Ok(Self { authority, leaf })
    }

    /// What lies in the data folder, with nothing made; for who only looks.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub fn look(data: &Path) -> Result<Option<Self>, String> {
        let both = (load(&data.join(AUTHORITY_FILE))?, load(&data.join(LEAF_FILE)).ok().flatten());
        Ok(match both {
            (Some(authority), Some(leaf)) => Some(Self { authority, leaf }),
            _ => None,
        })
    }
}

/// Whether an authority can sign what is needed for as long as a certificate lasts.
fn serves(authority: &Certificate, names: &Names, now: i64) -> bool {
    now + (LEAF_DAYS * DAY) < authority.not_after && names.needed.iter().all(|name| authority.permits(name))
}

/// The names of a new certificate. A found one that the authority can't sign is left out: for its sake nobody should
/// have to import another authority.
fn wanted(authority: &Certificate, names: &Names) -> Vec<Name> {
    let found = names.found.iter().filter(|name| authority.permits(name));
    names.needed.iter().chain(found).cloned().collect()
}

fn load(path: &Path) -> Result<Option<Pair>, String> {
    let cannot = |why: &str| {
        format!(
            "The file {} can't be used: {why}. Move it away to have a new one made; every device has to import the new authority then.",
            path.display()
        )
    };
    match std::fs::read(path) {
        Ok(text) => {
            let der = pem::certificates(&text).and_then(|all| all.into_iter().next());
            let der = der.ok_or_else(|| cannot("it has no certificate"))?;
            let key = pem::key(&text).ok_or_else(|| cannot("it has no key"))?;
            let read = Certificate::read(&der).ok_or_else(|| cannot("its certificate is damaged"))?;
            Ok(Some(Pair { der, key, read }))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(cannot(&error.to_string())),
    }
}

fn store(path: &Path, pair: &Pair) -> Result<(), String> {
    let text = pem::block("PRIVATE KEY", pair.key.secret_der()) + &pem::block("CERTIFICATE", &pair.der);
    pem::write_secret(path, &text).map_err(|e| format!("The file {} can't be written: {e}.", path.display()))
}

fn cannot_sign(error: impl std::fmt::Display) -> String {
    format!("No certificate can be made: {error}.")
}

fn at(ms: i64) -> Result<OffsetDateTime, String> {
    OffsetDateTime::from_unix_timestamp(ms / 1000).map_err(cannot_sign)
}

fn make_authority(names: &Names, now: i64) -> Result<Pair, String> {
    let key = KeyPair::generate().map_err(cannot_sign)?;
    let host = names.needed.iter().chain(&names.found).find(|name| name.is_domain());
    let host = host.map_or_else(|| "this machine".to_owned(), ToString::to_string);
    let mut params = authority_params(&called(&format!("Hubbub on {host}")));
    params.not_before = at(now - BEHIND)?;
    params.not_after = at(now + AUTHORITY_DAYS * DAY)?;
    params.name_constraints =
        Some(NameConstraints { permitted_subtrees: permitted(names), excluded_subtrees: Vec::new() });
    let made = params.self_signed(&key).map_err(cannot_sign)?;
    pair(made.der().clone(), &key)
}

/// What a certificate of the authority needs to know of it again: its name, and what it may do.
fn authority_params(called: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = subject(called);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn sign(authority: &Pair, names: &[Name], now: i64) -> Result<Pair, String> {
    let signer = KeyPair::try_from(&authority.key).map_err(cannot_sign)?;
    let issuer = Issuer::new(authority_params(&authority.read.called), signer);
    let key = KeyPair::generate().map_err(cannot_sign)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = subject(&called(&names.first().map(ToString::to_string).unwrap_or_default()));
    params.not_before = at(now - BEHIND)?;
    params.not_after = at(now + LEAF_DAYS * DAY)?;
    params.use_authority_key_identifier_extension = true;
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.subject_alt_names = names.iter().map(alternative).collect::<Result<_, _>>()?;
    let made = params.signed_by(&key, &issuer).map_err(cannot_sign)?;
    pair(made.der().clone(), &key)
}

fn pair(der: CertificateDer<'static>, key: &KeyPair) -> Result<Pair, String> {
    let read = Certificate::read(&der).ok_or_else(|| cannot_sign("it can't be read again"))?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    Ok(Pair { der, key, read })
}

fn subject(called: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, "Hubbub");
    name.push(DnType::CommonName, called);
    name
}

/// A common name has at most 64 characters (RFC 5280, appendix A).
fn called(name: &str) -> String {
    name.chars().take(64).collect()
}

fn alternative(name: &Name) -> Result<SanType, String> {
    Ok(match name {
        Name::Dns(name) => SanType::DnsName(name.as_str().try_into().map_err(cannot_sign)?),
        Name::Ip(ip) => SanType::IpAddress(*ip),
    })
}

fn permitted(names: &Names) -> Vec<GeneralSubtree> {
    let private = PRIVATE_NAMES.iter().map(|name| GeneralSubtree::DnsName((*name).to_owned()));
    let nets = PRIVATE_NETS.iter().filter_map(|net| net.parse().ok()).map(GeneralSubtree::IpAddress);
    let own = names.needed.iter().chain(&names.found).map(|name| match name {
        Name::Dns(name) => GeneralSubtree::DnsName(name.clone()),
        // Of IPv6 a machine takes another address of the same net every day (RFC 8981).
        Name::Ip(ip) => {
            GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(*ip, if ip.is_ipv4() { 32 } else { 64 }))
        }
    });
    private.chain(nets).chain(own).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const NOW: i64 = 1_800_000_000_000;

    fn set(names: &[&str]) -> BTreeSet<Name> {
        names.iter().map(|name| Name::read(name).unwrap()).collect()
    }

    fn names(needed: &[&str], found: &[&str]) -> Names {
        Names { needed: set(needed), found: set(found) }
    }

    #[test]
    fn what_is_good_stays_and_what_is_not_is_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let home = names(&["localhost", "127.0.0.1"], &["attic", "192.168.1.7"]);
        let first = Own::open(folder.path(), &home, NOW).unwrap();
        let again = Own::open(folder.path(), &home, NOW + DAY).unwrap();
        assert_eq!(first.leaf.der, again.leaf.der);
        let moved = names(&["localhost", "127.0.0.1"], &["attic", "192.168.1.8"]);
        let other = Own::open(folder.path(), &moved, NOW).unwrap();
        assert_eq!(other.authority.der, first.authority.der, "nobody imports it again for another address");
        assert!(other.leaf.read.names.contains(&Name::read("192.168.1.8").unwrap()));
        let later = Own::open(folder.path(), &moved, NOW + (LEAF_DAYS - 29) * DAY).unwrap();
        assert_ne!(later.leaf.der, other.leaf.der, "before it expires");
        assert_eq!(later.authority.der, first.authority.der);
        let old = Own::open(folder.path(), &moved, NOW + AUTHORITY_DAYS * DAY).unwrap();
        assert_ne!(old.authority.der, first.authority.der);
        assert_eq!(old.leaf.read.signed_by, old.authority.read.key);
    }

    #[test]
    fn it_signs_for_this_machine_and_private_networks_alone() {
        let folder = tempfile::tempdir().unwrap();
        let home = names(&["localhost"], &["attic", "203.0.113.5"]);
        let own = Own::open(folder.path(), &home, NOW).unwrap();
        for (name, may) in [
            ("attic", true),
            ("attic.local", true),
            ("10.1.2.3", true),
            ("203.0.113.5", true),
            ("203.0.113.6", false),
            ("bank.example", false),
            ("notlocal", false),
            ("8.8.8.8", false),
            ("2606:4700::1", false),
        ] {
            assert_eq!(own.authority.read.permits(&Name::read(name).unwrap()), may, "{name}");
        }
        let roamed = names(&["localhost"], &["attic", "198.51.100.9"]);
        let again = Own::open(folder.path(), &roamed, NOW).unwrap();
        assert_eq!(again.authority.der, own.authority.der);
        assert!(!again.leaf.read.names.contains(&Name::read("198.51.100.9").unwrap()));
        let named = names(&["localhost", "talk.example"], &[]);
        let again = Own::open(folder.path(), &named, NOW).unwrap();
        assert_ne!(again.authority.der, own.authority.der, "what the settings ask for has to work");
        assert!(again.leaf.read.names.contains(&Name::read("talk.example").unwrap()));
    }

    #[test]
    fn keys_are_for_the_servers_own_user_and_a_damaged_authority_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let home = names(&["localhost"], &[]);
        Own::open(folder.path(), &home, NOW).unwrap();
        #[cfg(unix)]
        for file in [AUTHORITY_FILE, LEAF_FILE] {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(folder.path().join(file)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{file}");
        }
        std::fs::write(folder.path().join(LEAF_FILE), "half").unwrap();
        assert!(Own::open(folder.path(), &home, NOW).is_ok());
        std::fs::write(folder.path().join(AUTHORITY_FILE), "half").unwrap();
        let message = Own::open(folder.path(), &home, NOW).err().unwrap();
        assert!(message.contains("authority.pem") && message.contains("no certificate"), "{message}");
    }
}
