//! Secrets that the server makes for itself: random words, and files such as the key that signs cookies.

use crate::error::{Error, Result};
use actix_web::cookie::Key;
use data_encoding::BASE32_NOPAD;
use sha2::{Digest as _, Sha256};
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

/// What `Key` takes: 32 bytes to sign, 32 to encrypt.
const KEY_LENGTH: usize = 64;

/// 80 random bits as 16 letters and digits, easy to read out and to type.
pub fn random_word() -> Result<String> {
    let mut bytes = [0; 10];
    getrandom::fill(&mut bytes).map_err(Error::internal)?;
    Ok(BASE32_NOPAD.encode(&bytes).to_lowercase())
}

/// What is kept of a secret with enough random bits in it, so that it can be compared and not be used.
pub fn fingerprint(secret: &str) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(secret.as_bytes()))
}

/// The key of `DATA/session.key`, made when it isn't there yet. A new one signs everybody out.
///
/// # Errors
/// A sentence that names the file.
pub fn session_key(data: &Path) -> Result<Key, String> {
    let lost = "delete it to make a new one; everybody has to sign in again.";
    secret::<KEY_LENGTH>(data, "session.key", lost).map(|bytes| Key::from(&bytes))
}

/// The random bytes of the file `name` in the data folder, made when it isn't there yet; nobody but the server's own
/// user may read it.
///
/// # Errors
/// A sentence that names the file; `lost` says what to do about a damaged one.
pub fn secret<const LENGTH: usize>(data: &Path, name: &str, lost: &str) -> Result<[u8; LENGTH], String> {
    let path = data.join(name);
    let cannot = |what: &dyn std::fmt::Display| format!("The file {} can't be used: {what}", path.display());
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(&path) {
        Ok(mut file) => {
            let mut bytes = [0; LENGTH];
            getrandom::fill(&mut bytes).map_err(|e| cannot(&e))?;
            file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(|e| cannot(&e))?;
            Ok(bytes)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let bytes = std::fs::read(&path).map_err(|e| cannot(&e))?;
            bytes.try_into().map_err(|_| cannot(&format_args!("it is damaged: {lost}")))
        }
        Err(error) => Err(cannot(&error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_made_once_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let first = session_key(folder.path()).unwrap();
        assert_eq!(first.signing(), session_key(folder.path()).unwrap().signing());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(folder.path().join("session.key")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_damaged_key_is_named_instead_of_used() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("session.key"), b"short").unwrap();
        let message = session_key(folder.path()).err().unwrap();
        assert!(message.contains("session.key") && message.contains("damaged"), "{message}");
    }
}
