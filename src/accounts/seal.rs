//! What the database keeps only sealed: encrypted and authenticated under a key that lies outside it.

use super::key;
use actix_web::cookie::{Cookie, CookieJar, Key};
use std::path::Path;

/// Seals texts with AES-256-GCM, as private cookies are, each bound to the name of what it is.
#[derive(Clone)]
pub struct Seal(Key);

impl Seal {
    /// The key of `DATA/second-step.key`, made when it isn't there yet. With a new one the codes of apps that were set
    /// up before are worth nothing; recovery codes still are.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub fn open(data: &Path) -> Result<Self, String> {
        let lost = "put back a copy; with a new one the second steps that people have set up take recovery codes only.";
        key::secret::<64>(data, "second-step.key", lost).map(|bytes| Self(Key::from(&bytes)))
    }

    /// Seals a text as what `name` says it is.
    pub fn close(&self, name: &str, text: &str) -> String {
        let mut jar = CookieJar::new();
        jar.private_mut(&self.0).add(Cookie::new(name.to_owned(), text.to_owned()));
        jar.get(name).map(|sealed| sealed.value().to_owned()).unwrap_or_default()
    }

    /// The text, when it was sealed with this key under this name.
    pub fn reveal(&self, name: &str, sealed: &str) -> Option<String> {
        let sealed = Cookie::new(name.to_owned(), sealed.to_owned());
        CookieJar::new().private(&self.0).decrypt(sealed).map(|text| text.value().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_is_read_with_the_same_key_and_name_alone() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let seal = Seal::open(one.path()).unwrap();
        let sealed = seal.close("second step of 7", "GEZDGNBV");
        assert!(!sealed.contains("GEZD") && sealed != seal.close("second step of 7", "GEZDGNBV"));
        let again = Seal::open(one.path()).unwrap();
        assert_eq!(again.reveal("second step of 7", &sealed).as_deref(), Some("GEZDGNBV"));
        assert_eq!(seal.reveal("second step of 8", &sealed), None, "moved to somebody else's row");
        assert_eq!(Seal::open(other.path()).unwrap().reveal("second step of 7", &sealed), None);
        for odd in ["", "GEZDGNBV", &sealed[1..]] {
            assert_eq!(seal.reveal("second step of 7", odd), None);
        }
    }
}
