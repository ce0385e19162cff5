//! The words of a message without its form: for a line that quotes it.

/// What sanitised HTML says, on one line.
///
/// Only for what [`render`](super::render) has made: its tags have no `>` in them.
pub fn words(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some((before, after)) = rest.split_once('<') {
        out += before;
        let (tag, behind) = after.split_once('>').unwrap_or((after, ""));
        // Within a line nothing parts the words on both sides of a tag.
        if !INLINE.contains(&tag.trim_start_matches('/').split(' ').next().unwrap_or_default()) {
            out.push(' ');
        }
        rest = behind;
    }
    out += rest;
    let line = out.split_whitespace().collect::<Vec<_>>().join(" ");
    line.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&nbsp;", " ")
        .replace("&amp;", "&")
}

const INLINE: [&str; 8] = ["a", "code", "del", "em", "span", "strong", "sub", "sup"];

#[cfg(test)]
mod tests {
    use super::super::render;
    use super::*;

    #[test]
    fn the_form_goes_and_the_words_stay() {
        let said = |text: &str| words(&render(text).html.unwrap_or_default());
        assert_eq!(
            said("Who brings what?\n\n1. **Hall:** tables\n2. *Tours:* `every <hour>`"),
            "Who brings what? Hall: tables Tours: every <hour>"
        );
        assert_eq!(said("**a** &amp; \"b\" < c"), "a &amp; \"b\" < c");
        assert_eq!(said("half *way* there, ~~not~~."), "half way there, not.");
        assert_eq!(said("```\nfn main() {}\n```"), "fn main() {}");
    }
}
