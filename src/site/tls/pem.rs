//! PEM (RFC 7468): reading the blocks of a file, and writing files that only the server's own user reads.

use data_encoding::BASE64;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::io::{self, Write as _};
use std::path::Path;

/// Characters of a line.
const LINE: usize = 64;

/// One block.
pub fn block(label: &str, der: &[u8]) -> String {
    let body = BASE64.encode(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(LINE));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text + &format!("-----END {label}-----\n")
}

/// The certificates of a file, in its order; nothing when one of its blocks is broken.
pub fn certificates(text: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    CertificateDer::pem_slice_iter(text).collect::<Result<_, _>>().ok()
}

/// The first key of a file.
pub fn key(text: &[u8]) -> Option<PrivateKeyDer<'static>> {
    PrivateKeyDer::from_pem_slice(text).ok()
}

/// Replaces a file in one step, so that a crash leaves the old one or the new one, and nobody but the server's own user
/// ever reads it.
///
/// # Errors
/// Whatever the file system says.
pub fn write_secret(path: &Path, text: &str) -> io::Result<()> {
    // Made with the mode 0600 from its first moment on.
    let mut file = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(Path::new(".")))?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_read_as_it_was_written() {
        for length in [0, 1, 47, 48, 49, 500] {
            let der: Vec<u8> = (0..length).map(|n| u8::try_from(n % 251).unwrap()).collect();
            let text = block("CERTIFICATE", &der);
            assert!(text.lines().all(|line| line.len() <= LINE));
            assert_eq!(certificates(text.as_bytes()).unwrap()[0].as_ref(), der, "{length}");
            let half = format!("{text}{}", text.replace("-----END", "-----"));
            assert_eq!(certificates(half.as_bytes()), None, "{length}");
        }
        assert_eq!((certificates(b"nothing"), key(b"nothing")), (Some(Vec::new()), None));
    }
}
