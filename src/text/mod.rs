//! How names are compared, which characters a line of text may have, and how a message's words become what is seen.

mod address;
mod channel;
mod emoji;
mod highlight;
mod html;
mod language;
mod line;
mod link;
mod mention;
mod moment;
mod render;
mod run;
mod sentence;
mod source;
mod wall;
mod words;

pub use channel::candidates as channel_candidates;
pub use emoji::catalogue as emoji_catalogue;
pub use link::first_link;
pub use mention::{USERNAME_MAX, candidates, may_stand_in_username};
pub use moment::{any as has_moments, clock};
pub use render::{Known, Rendered, render, render_for};
pub use words::words;

/// Whether anything in a text has to be looked up before it is rendered: a name, a channel, a moment of a recording.
pub fn names_something(text: &str) -> bool {
    has_moments(text)
        || mention::find(text).next().is_some()
        || (text.contains('#') && !channel::candidates(text).is_empty())
}

use unicode_normalization::UnicodeNormalization;

/// The form under which names are unique: NFKC, lower case.
///
/// Whatever was typed is looked up under it, and Postgres takes no NUL in a text: it becomes the sign for what
/// can't be shown, so that such a name is only one that nobody has.
pub fn fold(name: &str) -> String {
    name.nfkc().flat_map(char::to_lowercase).nfkc().map(|c| if c == '\0' { '\u{FFFD}' } else { c }).collect()
}

/// A control character, newline and tab included, or one that turns the direction of what stands around it:
/// with those, a name could rewrite the rest of its line.
pub fn is_unruly(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

/// Whether there is nothing to see: only white space and characters without a picture.
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| {
        c.is_whitespace()
            || is_unruly(c)
            || matches!(
                c,
                '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
                    | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{2060}'..='\u{206F}'
                    | '\u{2800}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}'
                    | '\u{E0000}'..='\u{E0FFF}'
            )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_look_alike_by_case_or_width_are_one() {
        assert_eq!(fold("ＡＮＮ"), fold("ann"));
        assert_eq!(fold("Straße"), "straße");
        assert_eq!(fold("e\u{301}"), fold("É"));
        assert!(!fold("a\0b").contains('\0'));
    }

    #[test]
    fn a_name_of_invisible_characters_is_blank() {
        for blank in ["", " \u{3000}", "\u{200B}\u{FEFF}", "\u{3164}", "\u{202E}"] {
            assert!(is_blank(blank), "{blank:?}");
        }
        assert!(!is_blank("\u{200D}👩"));
        assert!(is_unruly('\u{202E}') && is_unruly('\n') && !is_unruly('\u{200D}'));
    }
}
