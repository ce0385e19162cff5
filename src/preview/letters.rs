//! A page's bytes as text, whatever its letters are written in.

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

/// Bytes in which a page says how it is written (HTML, "Determining the character encoding").
const BEGINNING: usize = 1024;

/// Reads a page. What the server says counts before what the page says; without either it is UTF-8 if it can be.
pub fn read(bytes: &[u8], said: Option<&str>) -> String {
    let named = |label: &str| Encoding::for_label(label.as_bytes());
    let known = said.and_then(named).or_else(|| declared(bytes).as_deref().and_then(named));
    let encoding = known.unwrap_or(if is_utf8(bytes) { UTF_8 } else { WINDOWS_1252 });
    encoding.decode(bytes).0.into_owned()
}

/// Whether it is UTF-8, but for a letter that was cut in two at its end.
fn is_utf8(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).map_or_else(|error| error.error_len().is_none(), |_| true)
}

/// What stands behind the first `charset=`.
fn declared(bytes: &[u8]) -> Option<String> {
    let beginning = String::from_utf8_lossy(&bytes[..bytes.len().min(BEGINNING)]).to_ascii_lowercase();
    let (_, value) = beginning.split_once("charset=")?;
    let value = value.trim_start_matches(['"', '\'', ' ']);
    let end = value.find(|c: char| !c.is_ascii_alphanumeric() && !"-_:".contains(c)).unwrap_or(value.len());
    Some(value[..end].to_owned())
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn letters_are_read_as_the_server_or_the_page_says() {
        let big5 = b"<meta charset=\"big5\"><title>\xa4\xa4\xa4\xe5</title>";
        assert!(read(big5, None).contains("中文"));
        assert!(read(b"<title>\xa4\xa4\xa4\xe5</title>", Some("Big5")).contains("中文"));
        let old = b"<meta http-equiv=content-type content='text/html; charset=iso-8859-1'>caf\xe9";
        assert!(read(old, None).ends_with("café"));
        assert!(read("é 中文".as_bytes(), Some("nonsense")).ends_with("中文"));
        assert!(read(b"caf\xe9 noir", None).ends_with("café noir"));
        assert!(read(&"中文".as_bytes()[..5], None).starts_with('中'), "cut off within a letter");
    }
}
