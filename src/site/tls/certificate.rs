//! What stands in a certificate: for whom it is, and from when until when.

use super::names::Name;
use rustls::pki_types::CertificateDer;
use sha2::{Digest as _, Sha256};
use std::net::IpAddr;
use x509_cert::Certificate as Parsed;
use x509_cert::der::Decode as _;
use x509_cert::ext::pkix::constraints::name::GeneralSubtree;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{AuthorityKeyIdentifier, NameConstraints, SubjectAltName, SubjectKeyIdentifier};
use x509_cert::time::Time;

/// A certificate as it was read.
#[derive(Clone, Debug)]
pub struct Certificate {
    pub names: Vec<Name>,
    /// Milliseconds since the Unix epoch, both.
    pub not_before: i64,
    pub not_after: i64,
    /// The subject's common name; nothing where it has none.
    pub called: String,
    /// SHA-256 of the whole, as people compare it: pairs of hexadecimal digits with colons between.
    pub fingerprint: String,
    /// Which key it has, and which key has signed it.
    pub key: Vec<u8>,
    pub signed_by: Vec<u8>,
    /// For an authority: the only names that it can sign, when it is bound to any.
    permitted: Option<Vec<GeneralSubtree>>,
}

impl Certificate {
    /// Reads a certificate (RFC 5280); nothing for what isn't one.
    pub fn read(der: &CertificateDer<'_>) -> Option<Self> {
        let parsed = Parsed::from_der(der).ok()?;
        let body = parsed.tbs_certificate();
        let names =
            body.get_extension::<SubjectAltName>().ok()?.map(|(_, names)| names.0).unwrap_or_default();
        let key = body.get_extension::<SubjectKeyIdentifier>().ok()?;
        let signer = body.get_extension::<AuthorityKeyIdentifier>().ok()?;
        let bounds = body.get_extension::<NameConstraints>().ok()?;
        Some(Self {
            names: names.iter().filter_map(name).collect(),
            not_before: moment(body.validity().not_before),
            not_after: moment(body.validity().not_after),
            called: body
                .subject()
                .common_name()
                .ok()
                .flatten()
                .map(|name| name.value().into_owned())
                .unwrap_or_default(),
            fingerprint: fingerprint(der),
            key: key.map(|(_, key)| key.0.as_bytes().to_vec()).unwrap_or_default(),
            signed_by: signer
                .and_then(|(_, signer)| signer.key_identifier)
                .map(|key| key.as_bytes().to_vec())
                .unwrap_or_default(),
            permitted: bounds.and_then(|(_, bounds)| bounds.permitted_subtrees),
        })
    }

    /// Whether an authority may sign this name.
    pub fn permits(&self, name: &Name) -> bool {
        let Some(permitted) = &self.permitted else { return true };
        permitted.iter().any(|tree| match (&tree.base, name) {
            (GeneralName::DnsName(base), Name::Dns(name)) => {
                let base = base.as_str();
                name == base || name.strip_suffix(base).is_some_and(|rest| rest.ends_with('.'))
            }
            (GeneralName::IpAddress(net), Name::Ip(ip)) => is_inside(net.as_bytes(), *ip),
            _ => false,
        })
    }

    /// Whether it is good at this time, ms.
    pub fn is_good_at(&self, time: i64) -> bool {
        (self.not_before..=self.not_after).contains(&time)
    }
}

fn name(name: &GeneralName) -> Option<Name> {
    match name {
        // Wildcards are shown as they are.
        GeneralName::DnsName(name) => Some(Name::Dns(name.as_str().to_ascii_lowercase())),
        GeneralName::IpAddress(octets) => address(octets.as_bytes()).map(Name::Ip),
        _ => None,
    }
}

fn address(octets: &[u8]) -> Option<IpAddr> {
    match octets.len() {
        4 => <[u8; 4]>::try_from(octets).ok().map(IpAddr::from),
        16 => <[u8; 16]>::try_from(octets).ok().map(IpAddr::from),
        _ => None,
    }
}

/// A net in a certificate is an address followed by its mask (RFC 5280, 4.2.1.10).
fn is_inside(net: &[u8], ip: IpAddr) -> bool {
    let octets = match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let (base, mask) = net.split_at(net.len() / 2);
    base.len() == octets.len()
        && octets.iter().zip(base).zip(mask).all(|((octet, base), mask)| octet & mask == base & mask)
}

fn moment(time: Time) -> i64 {
    i64::try_from(time.to_unix_duration().as_millis()).unwrap_or(i64::MAX)
}

fn fingerprint(der: &[u8]) -> String {
    let pairs: Vec<String> = Sha256::digest(der).iter().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(":")
}

/// A moment as a day and a time, for whoever reads the console.
pub fn day(ms: i64) -> String {
    time::OffsetDateTime::from_unix_timestamp(ms / 1000).map_or_else(
        |_| format!("{ms} ms"),
        |time| format!("{} at {:02}:{:02} UTC", time.date(), time.hour(), time.minute()),
    )
}
