//! Most messages are a plain sentence. Telling so is a hundred times quicker than reading it as Markdown.

use super::{channel, mention};

/// Whether a text is one line of words and the punctuation of sentences, in which nothing has a second meaning: it is
/// shown as it is, and calls nobody. One that isn't may come to nothing else all the same.
pub fn is_one(text: &str) -> bool {
    let mut chars = text.chars();
    // A digit at the beginning may number a list.
    chars.next().is_some_and(|c| is_letter(c) || c == '@')
        && chars.all(|c| is_letter(c) || is_sign(c))
        && mention::find(text).next().is_none()
        && (!text.contains('#') || channel::candidates(text).is_empty())
}

/// Letters of most scripts; not those that are pictures too.
fn is_letter(c: char) -> bool {
    c.is_ascii_alphabetic()
        || (matches!(c, '\u{C0}'..='\u{1FFF}' | '\u{3005}'..='\u{3029}' | '\u{3040}'..='\u{31FF}' | '\u{3400}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7FF}')
            && c.is_alphabetic())
}

/// `@` and `#` call by a name alone, which is looked for.
fn is_sign(c: char) -> bool {
    c.is_ascii_digit()
        || matches!(
            c,
            ' ' | ',' | '.' | ';' | '?' | '!' | '\'' | '"' | '@' | '#' | '，' | '。' | '、' | '！' | '？'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_has_no_signs() {
        for text in [
            "Morning. Energy is at 2.98, isn't it?",
            "很漂亮！謝謝。",
            "Ça va",
            "mail me @ home",
            "item #",
            "a 1. b",
        ] {
            assert!(is_one(text), "{text}");
        }
        for text in [
            "",
            "1. a",
            "# a",
            "a *b*",
            "a_b",
            "`a`",
            "a: b",
            "@ann hi",
            "to #lab",
            "a\nb",
            " a",
            "<b>",
            "a & b",
            "ok 👍",
            "https://a.b",
        ] {
            assert!(!is_one(text), "{text}");
        }
    }
}
