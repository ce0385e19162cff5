//! A person's private key: whoever knows it can write to them without knowing their user name.
//!
//! A key is found again by its HMAC-SHA-256 (RFC 2104) under a secret of the server, since a salted hash can't be
//! looked up. The secret lies outside the databases and their backups: whoever has only those can't try keys at home.

use super::key;
use super::user::Person;
use crate::db::Conn;
use crate::db::schema::accounts::users;
use crate::error::{Error, FieldError, Result};
use crate::ids::UserId;
use crate::text::is_unruly;
use diesel::prelude::*;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::collections::HashSet;
use std::path::Path;
use unicode_normalization::UnicodeNormalization;

/// The fewest characters of a key.
const MIN: usize = 12;
/// The most; longer ones only cost work.
const MAX: usize = 128;
/// The fewest characters that differ from each other: `abababababab` is guessed at once.
const DIFFERENT: usize = 5;
/// Bytes of the server's secret: as long as the hash, which is as long as helps (RFC 2104 §3).
const SECRET: usize = 32;

/// The name of the field in forms and in JSON.
pub const FIELD: &str = "private_key";

/// The answer to a key that is too easy, and to one that somebody else has: telling the two apart would give a
/// stranger's key away to whoever tries it as their own.
pub fn too_easy() -> FieldError {
    let words = "That key is too easy to guess. Take at least 12 characters that nobody else would think of.";
    FieldError::new(FIELD, words)
}

/// A key as somebody typed it; it has no `Debug`, so that no log line can show it.
pub struct PrivateKey(String);

impl PrivateKey {
    /// A key that somebody wants to have.
    ///
    /// # Errors
    /// For the field `private_key`, the sentence for the first rule that is broken.
    pub fn parse(typed: &str) -> Result<Self, FieldError> {
        let Self(key) = Self::typed(typed);
        let different: HashSet<char> = key.chars().collect();
        if key.chars().count() < MIN || different.len() < DIFFERENT {
            return Err(too_easy());
        }
        if key.chars().nth(MAX).is_some() {
            return Err(FieldError::new(FIELD, format!("A private key has at most {MAX} characters.")));
        }
        if key.chars().any(is_unruly) {
            let words = "A private key can't have line breaks or other control characters.";
            return Err(FieldError::new(FIELD, words));
        }
        Ok(Self(key))
    }

    /// A key that somebody tries: the same text however a keyboard composes it.
    pub fn typed(typed: &str) -> Self {
        // Cut before it is composed: nobody has a longer one, so a huge text needn't cost more than a long one.
        Self(typed.trim().chars().take(4 * MAX).nfc().collect())
    }
}

/// The server's secret.
#[derive(Clone)]
pub struct KeySecret(Hmac<Sha256>);

impl KeySecret {
    /// The secret of `DATA/private-key.secret`, made when it isn't there yet. With a new one nobody is found by the
    /// key they have set before.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub fn open(data: &Path) -> Result<Self, String> {
        let lost = "put back a copy; with a new one nobody is found by the private key they have set.";
        let secret: [u8; SECRET] = key::secret(data, "private-key.secret", lost)?;
        // HMAC takes a key of any length.
        Hmac::new_from_slice(&secret).map(Self).map_err(|e| e.to_string())
    }

    /// What is stored instead of the key.
    pub(super) fn hash(&self, key: &PrivateKey) -> String {
        let mut mac = self.0.clone();
        mac.update(key.0.as_bytes());
        data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes())
    }
}

/// Whose key has this hash.
pub(super) fn find(conn: &mut Conn, hash: &str) -> Result<Option<Person>> {
    Ok(users::table
        .filter(users::private_key_hash.eq(hash).and(users::disabled.eq(false)))
        .select(Person::as_select())
        .first(conn)
        .optional()?)
}

/// Sets a person's key, or takes it away.
///
/// # Errors
/// `Invalid` as for an easy key when somebody else has it.
pub(super) fn set(conn: &mut Conn, id: UserId, hash: Option<&str>) -> Result<()> {
    if let Some(hash) = hash {
        let others = users::table.filter(users::private_key_hash.eq(hash).and(users::id.ne(id)));
        if diesel::select(diesel::dsl::exists(others)).get_result(conn)? {
            return Err(Error::Invalid(vec![too_easy()]));
        }
    }
    diesel::update(users::table.find(id)).set(users::private_key_hash.eq(hash)).execute(conn)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_of_keys_has_its_own_sentence() {
        let refusal = |typed: &str| PrivateKey::parse(typed).err().map(|e| e.message.into_owned());
        assert_eq!(refusal("correct horse"), None);
        assert_eq!(refusal("  秘密的鑰匙一二三四五六七  "), None);
        assert_eq!(refusal(&"abcdefgh".repeat(16)), None);
        for easy in ["", "eleven char", "           x           ", "abababababababab"] {
            assert!(refusal(easy).unwrap().contains("too easy"), "{easy:?}");
        }
        assert!(refusal(&"abcdefghi".repeat(16)).unwrap().contains("at most 128"));
        assert!(refusal("line one\nline two").unwrap().contains("line breaks"));
    }

    #[test]
    fn a_hash_depends_on_the_secret_and_not_on_how_accents_are_typed() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (first, again) = (KeySecret::open(one.path()).unwrap(), KeySecret::open(one.path()).unwrap());
        let elsewhere = KeySecret::open(other.path()).unwrap();
        let hash = |secret: &KeySecret, typed: &str| secret.hash(&PrivateKey::typed(typed));
        assert_eq!(hash(&first, "caf\u{e9} at the corner"), hash(&again, " cafe\u{301} at the corner "));
        assert_ne!(hash(&first, "the same key"), hash(&first, "The same key"));
        assert_ne!(hash(&first, "the same key"), hash(&elsewhere, "the same key"));
        assert_eq!(hash(&first, "x").len(), 64);
    }
}
