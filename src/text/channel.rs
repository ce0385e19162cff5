//! Which channel is meant by `#name`.

use super::fold;
use super::mention::{self, continues_a_word, may_stand_in_username};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Characters of a channel's name.
const NAME_MAX: usize = 64;
/// Words behind the first that may belong to a name.
const MORE_WORDS: usize = 3;
/// Channels that are looked for in one message.
const MOST: usize = 50;
/// Readings that are looked up for one message.
const MOST_READINGS: usize = 200;
/// What stays as it is in a path.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// What the `#` at `at` can mean, the likeliest first: names have spaces too, so the longest; nothing when no name
/// follows it, or when it goes on with a word or an address.
pub fn readings(text: &str, at: usize) -> Vec<&str> {
    if text[..at].chars().next_back().is_some_and(|c| continues_a_word(c) || matches!(c, '&' | '#')) {
        return Vec::new();
    }
    let rest = &text[at + 1..];
    if !rest.starts_with(char::is_alphanumeric) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut end = 0;
    for _ in 0..=MORE_WORDS {
        let word = &rest[end..];
        let length = word.find(|c| !may_stand_in_username(c)).unwrap_or(word.len());
        if length == 0 {
            break;
        }
        end += length;
        // The dot belongs to the sentence, and so do dashes that lead on.
        found.push(rest[..end].trim_end_matches(['.', '-']));
        if !rest[end..].starts_with(' ') {
            break;
        }
        end += 1;
    }
    let first = found.first().copied().unwrap_or_default();
    found.reverse();
    found.extend(mention::readings(first).skip(1));
    found.retain(|name| name.chars().count() <= NAME_MAX);
    found
}

/// The names that a text may mean, in folded form and without doubles, to be looked up together before
/// [`super::render_for`] is asked.
pub fn candidates(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (at, _) in text.match_indices('#').take(MOST) {
        for key in readings(text, at).into_iter().map(fold) {
            if !names.contains(&key) {
                names.push(key);
            }
        }
    }
    names.truncate(MOST_READINGS);
    names
}

/// Where a channel is, by its name in any case.
pub fn href(name: &str) -> String {
    format!("/c/{}", utf8_percent_encode(name, SEGMENT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_several_readings_the_longest_first() {
        for (text, expected) in [
            ("#lab", &["lab"][..]),
            ("see (#lab).", &["lab"]),
            ("#night shift, then", &["night shift", "night"]),
            ("#a b c d e", &["a b c d", "a b c", "a b", "a"]),
            ("#lab.", &["lab"]),
            ("到#實驗室看", &["實驗室看", "實驗室", "實驗", "實"]),
        ] {
            assert_eq!(readings(text, text.find('#').unwrap_or(0)), expected, "{text}");
        }
        for text in ["C#", "a#b", "x/#b", "&#39;", "# a", "##b", "#", "#-", "#️⃣"] {
            assert!(candidates(text).is_empty(), "{text}");
        }
        assert_eq!(candidates("#Lab, #LAB"), ["lab"]);
        assert!(readings(&format!("#{}", "x".repeat(65)), 0).is_empty());
    }
}
