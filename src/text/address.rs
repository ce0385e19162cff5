//! Addresses as people write them into a sentence, and which of them a message may lead to.

use super::mention::is_wide;

/// What a link may begin with.
const SCHEMES: [&str; 3] = ["https://", "http://", "mailto:"];
/// What belongs to the sentence when an address ends with it.
const TRAILING: [char; 15] = ['.', ',', ':', ';', '!', '?', '\'', '"', '*', '_', '~', '(', '[', '{', '…'];

/// The bytes of the address that `text` begins with, when it does.
///
/// It ends at white space, quotation marks, angle brackets and at the scripts that write without spaces, whose
/// sentences go on right behind an address; at a closing bracket that it hasn't opened; and before the punctuation of
/// the sentence around it.
pub fn length(text: &str) -> Option<usize> {
    let scheme = scheme_of(text)?;
    let mut open = Vec::new();
    let mut end = text.len();
    for (at, c) in text.char_indices().skip(scheme.len()) {
        let is_closed = match c {
            '(' | '[' | '{' => {
                open.push(c);
                false
            }
            ')' => open.pop() != Some('('),
            ']' => open.pop() != Some('['),
            '}' => open.pop() != Some('{'),
            _ => c.is_whitespace() || is_wide(c) || is_mark(c),
        };
        if is_closed {
            end = at;
            break;
        }
    }
    let found = text[..end].trim_end_matches(TRAILING);
    is_whole(found).then_some(found.len())
}

/// What no address has in it without an escape.
fn is_mark(c: char) -> bool {
    c.is_control()
        || matches!(c, '<' | '>' | '"' | '`' | '|' | '\\' | '\u{2018}'..='\u{201F}' | '«' | '»' | '\u{FDD0}'..='\u{FDEF}')
}

/// Whether a message may lead to `address`: the web or a letter, with somebody at the other end.
pub fn is_allowed(address: &str) -> bool {
    !address.chars().any(|c| c.is_control() || c.is_whitespace()) && is_whole(address)
}

/// Where `<https://…>` ends, which may have in it what a bare address may not: the bytes between the brackets.
pub fn bracketed(text: &str) -> Option<usize> {
    let inside = text.strip_prefix('<')?;
    scheme_of(inside)?;
    let end = inside.find(|c: char| c == '>' || c == '<' || c.is_whitespace() || c.is_control())?;
    (inside[end..].starts_with('>') && is_whole(&inside[..end])).then_some(end)
}

fn scheme_of(text: &str) -> Option<&'static str> {
    SCHEMES
        .into_iter()
        .find(|scheme| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
}

fn is_whole(address: &str) -> bool {
    let Some(scheme) = scheme_of(address) else { return false };
    let rest = &address[scheme.len()..];
    if scheme == "mailto:" {
        return rest.split_once('@').is_some_and(|(who, place)| !who.is_empty() && !place.is_empty());
    }
    rest.starts_with(|c: char| c.is_alphanumeric() || c == '[') && !host(address).is_empty()
}

/// The server that `address` leads to, in lower case and without `www.`; empty for letters.
pub fn host(address: &str) -> String {
    let Some((_, rest)) = address.split_once("://") else { return String::new() };
    let authority = &rest[..rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len())];
    let host = authority.rsplit('@').next().unwrap_or_default().to_lowercase();
    host.strip_prefix("www.").map(str::to_owned).unwrap_or(host)
}

/// Whether a link that says `words` pretends to lead somewhere else than to `address`.
pub fn deceives(words: &str, address: &str) -> bool {
    let words = words.trim();
    let said = match words.split_once("://") {
        Some(_) => host(words),
        None if words.starts_with("www.") => host(&format!("http://{words}")),
        None => {
            let name = &words[..words.find('/').unwrap_or(words.len())];
            let looks_like_one = [".com", ".org", ".net"].iter().any(|ending| name.ends_with(ending));
            if !looks_like_one || name.contains(char::is_whitespace) {
                return false;
            }
            name.to_lowercase()
        }
    };
    said != host(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_ends_where_the_sentence_goes_on() {
        for (text, address) in [
            ("https://a.org", "https://a.org"),
            ("https://a.org/b_c?d=e&f=g#h, and", "https://a.org/b_c?d=e&f=g#h"),
            ("https://a.org/b).", "https://a.org/b"),
            ("https://a.org/b_(c) d", "https://a.org/b_(c)"),
            ("http://[::1]:8080/x]", "http://[::1]:8080/x"),
            ("https://a.org/b這裡有", "https://a.org/b"),
            ("https://a.org，很好", "https://a.org"),
            ("https://a.org/\u{201D}", "https://a.org/"),
            ("HTTPS://A.org/!?!", "HTTPS://A.org/"),
            ("https://müller.example/straße.", "https://müller.example/straße"),
            ("mailto:ann@example.org.", "mailto:ann@example.org"),
            ("https://a.org**", "https://a.org"),
            ("https://a.org](https://b.org)", "https://a.org"),
        ] {
            assert_eq!(length(text).map(|n| &text[..n]), Some(address), "{text}");
        }
        for text in
            ["https://", "http://.", "mailto:", "mailto:ann", "ftp://a.org", "javascript://a", "https:/a"]
        {
            assert_eq!(length(text), None, "{text}");
        }
    }

    #[test]
    fn only_the_web_and_letters_are_allowed() {
        for good in ["https://a.org/?q=中文", "http://localhost:8080", "mailto:a@b.c"] {
            assert!(is_allowed(good), "{good}");
        }
        for bad in [
            "javascript:alert(1)",
            "java\nscript:x",
            " https://a.org",
            "data:text/html,x",
            "/board",
            "//a.org",
            "https://",
            "https://@",
        ] {
            assert!(!is_allowed(bad), "{bad}");
        }
    }

    #[test]
    fn brackets_hold_what_a_bare_address_may_not() {
        assert_eq!(bracketed("<https://a.org/中文> x"), Some("https://a.org/中文".len()));
        for text in ["<https://a b>", "<b>", "<javascript:x>", "<https://a", "<https://a<b>"] {
            assert_eq!(bracketed(text), None, "{text}");
        }
    }

    #[test]
    fn words_that_name_another_server_deceive() {
        for words in ["https://bank.org", "www.bank.com/login", "bank.com", "https://evil.example.bank.org"] {
            assert!(deceives(words, "https://evil.example/x"), "{words}");
        }
        for words in ["here", "README.md", "https://evil.example", "www.evil.example", "see evil.com please"]
        {
            assert!(!deceives(words, "https://evil.example/x"), "{words}");
        }
    }
}
