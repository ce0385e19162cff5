//! The second wall: whatever was written as HTML, only this gets through.

use ammonia::{Builder, UrlRelative};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// Elements, and what may stand in them.
const TAGS: [(&str, &[&str]); 20] = [
    ("a", &["href"]),
    ("blockquote", &[]),
    ("br", &[]),
    ("code", &[]),
    ("del", &[]),
    ("em", &[]),
    ("hr", &[]),
    ("li", &[]),
    ("ol", &["start"]),
    ("p", &[]),
    ("pre", &["data-language"]),
    ("span", &["data-name"]),
    ("strong", &[]),
    ("table", &[]),
    ("tbody", &[]),
    ("td", &[]),
    ("th", &[]),
    ("thead", &[]),
    ("tr", &[]),
    ("ul", &[]),
];

/// Classes of our own; no other gets in.
const CLASSES: [(&str, &[&str]); 6] = [
    ("a", &["hb-channel", "hb-moment"]),
    ("p", &["hb-big"]),
    ("pre", &["hb-code"]),
    (
        "span",
        &[
            "hb-mention",
            "hb-all",
            "hb-comment",
            "hb-text",
            "hb-number",
            "hb-word",
            "hb-name",
            "hb-type",
            "hb-added",
            "hb-removed",
        ],
    ),
    ("td", &["hb-right", "hb-center"]),
    ("th", &["hb-right", "hb-center"]),
];

static WALL: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let set = |names: &[&'static str]| names.iter().copied().collect::<HashSet<_>>();
    let mut wall = Builder::empty();
    wall.tags(TAGS.iter().map(|(tag, _)| *tag).collect())
        .tag_attributes(TAGS.iter().map(|(tag, names)| (*tag, set(names))).collect::<HashMap<_, _>>())
        .allowed_classes(CLASSES.iter().map(|(tag, names)| (*tag, set(names))).collect())
        .url_schemes(set(&["http", "https", "mailto"]))
        .url_relative(UrlRelative::Custom(Box::new(within)))
        .link_rel(Some("noopener noreferrer nofollow ugc"))
        .set_tag_attribute_value("a", "target", "_blank")
        .strip_comments(true);
    wall
});

/// Of this place's own addresses, those of channels and of moments of recordings.
fn within(url: &str) -> Option<Cow<'_, str>> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let is_moment = url
        .strip_prefix("/media/")
        .and_then(|rest| rest.split_once("?t="))
        .is_some_and(|(item, seconds)| is_number(item) && is_number(seconds));
    (url.starts_with("/c/") || is_moment).then_some(Cow::Borrowed(url))
}

/// Lets through what a message may consist of. Links open beside the page and tell nobody where they come from.
pub fn clean(html: &str) -> String {
    WALL.clean(html).to_string()
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn nothing_but_our_own_gets_through() {
        for (html, kept) in [
            ("<b>a</b>", "a"),
            (
                "<p class=\"hb-big evil\" id=\"x\" style=\"y\" onclick=\"z\">a</p>",
                "<p class=\"hb-big\">a</p>",
            ),
            ("<script>alert(1)</script>a", "a"),
            ("<img src=x onerror=alert(1)>", ""),
            ("<svg><a href=\"javascript:alert(1)\">a</a></svg>b", "b"),
            (
                "<a href=\"/board\">a</a>",
                "<a rel=\"noopener noreferrer nofollow ugc\" target=\"_blank\">a</a>",
            ),
            (
                "<a class=\"hb-channel x\" href=\"/c/lab\">a</a>",
                "<a class=\"hb-channel\" href=\"/c/lab\" target=\"_blank\" rel=\"noopener noreferrer nofollow ugc\">a</a>",
            ),
            (
                "<span class=\"hb-mention\" data-name=\"ann\" data-x=\"y\">@ann</span>",
                "<span class=\"hb-mention\" data-name=\"ann\">@ann</span>",
            ),
            ("a<!-- b -->c", "ac"),
        ] {
            assert_eq!(clean(html), kept, "{html}");
        }
        assert!(
            clean("<a href=\"https://a.org/?a=1&amp;b=2\">a</a>")
                .contains("href=\"https://a.org/?a=1&amp;b=2\"")
        );
    }
}
