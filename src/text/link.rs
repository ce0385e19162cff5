//! The page of another server that a message leads to first.

/// The first address of the web among a message's links, as it stands there; `html` is what the text was rendered to.
///
/// What is said in code is no link, what stands between `||` is meant to stay hidden, and `<https://…>` is how people
/// say that they want an address and nothing else.
pub fn first_link(text: &str, html: Option<&str>) -> Option<String> {
    let mut rest = html?;
    // Text has no bare angle bracket, so that this is the beginning of an element.
    while let Some((_, after)) = rest.split_once("<a ") {
        let (tag, after) = after.split_once('>')?;
        rest = after;
        let address = tag.split_once("href=\"").and_then(|(_, value)| value.split_once('"'));
        let Some((address, _)) = address else { continue };
        let address = unescape(address);
        if is_web(&address) && !is_hidden(text, &address) {
            return Some(address);
        }
    }
    None
}

fn is_web(address: &str) -> bool {
    ["http://", "https://"]
        .iter()
        .any(|scheme| address.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
}

fn is_hidden(text: &str, address: &str) -> bool {
    let Some(at) = text.find(address) else { return false };
    let (before, after) = (&text[..at], &text[at + address.len()..]);
    let is_bracketed = before.ends_with('<') && after.starts_with('>');
    is_bracketed || (before.matches("||").count() % 2 == 1 && after.contains("||"))
}

/// What the wall writes otherwise in an attribute.
fn unescape(value: &str) -> String {
    value
        .replace("&quot;", "\"")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&nbsp;", "\u{A0}")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::render;

    #[test]
    fn the_first_address_of_the_web_is_found_in_what_people_write() {
        for (text, link) in [
            ("see https://a.org/?b=1&c=2, and https://b.org", "https://a.org/?b=1&c=2"),
            ("[the page](http://a.org/x)", "http://a.org/x"),
            ("mailto:ann@a.org and HTTPS://A.org", "HTTPS://A.org"),
            ("`https://code.org` but https://a.org", "https://a.org"),
            ("<https://quiet.org> https://a.org", "https://a.org"),
            ("||https://secret.org|| https://a.org", "https://a.org"),
            ("`<a href=\"http://code.org\">` or https://a.org/é", "https://a.org/é"),
        ] {
            assert_eq!(first_link(text, render(text).html.as_deref()).as_deref(), Some(link), "{text}");
        }
    }

    #[test]
    fn nothing_is_found_where_no_page_is_meant() {
        for text in [
            "hello",
            "`https://a.org`",
            "```\nhttps://a.org\n```",
            "<https://a.org>",
            "the end is ||https://a.org||",
            "mailto:ann@a.org",
            "@ann #lab 1:23",
        ] {
            assert_eq!(first_link(text, render(text).html.as_deref()), None, "{text}");
        }
    }
}
