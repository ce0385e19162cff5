//! Who is meant by `@name`, `@here` and `@all`.

use super::fold;
use unicode_normalization::char::is_combining_mark;

/// Characters of a user name.
pub const USERNAME_MAX: usize = 32;
/// People mentioned by one message; whoever wants more says `@all`.
pub const MOST: usize = 50;
/// Readings that are looked up for one message.
const MOST_READINGS: usize = 200;
/// Words that mean a group of people instead of one.
const EVERYBODY: [&str; 2] = ["here", "all"];

/// Letters of any script, digits, `_`, `-`, `.`; scripts of India and others write parts of a letter as marks of their own.
pub fn may_stand_in_username(c: char) -> bool {
    c.is_alphanumeric() || is_combining_mark(c) || matches!(c, '_' | '-' | '.')
}

/// Whether `name` means a group of people: `here`, `all`.
pub fn is_everybody(name: &str) -> bool {
    EVERYBODY.iter().any(|word| name.eq_ignore_ascii_case(word))
}

/// The name behind the `@` that stands at `at`, when it mentions somebody. What follows it belongs to no name.
pub fn at(text: &str, at: usize) -> Option<&str> {
    if text[..at].chars().next_back().is_some_and(continues_a_word) {
        return None;
    }
    let rest = &text[at + 1..];
    let name = &rest[..rest.find(|c| !may_stand_in_username(c)).unwrap_or(rest.len())];
    // The dot belongs to the sentence, and so do dashes that lead on.
    let name = name.trim_end_matches(['.', '-']);
    let name = match name.char_indices().nth(USERNAME_MAX) {
        // What is too long may be a name and the sentence behind it, where that is written without a space.
        Some((end, _)) if name[..end].contains(is_wide) => &name[..end],
        Some(_) => return None,
        None => name,
    };
    name.starts_with(char::is_alphanumeric).then_some(name)
}

/// The names in a text, left to right.
pub fn find(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices('@').filter_map(|(sign, _)| at(text, sign))
}

/// `ann@example.org` and `/@ann` mention nobody. Chinese puts no space before an `@`, and has no such addresses.
pub fn continues_a_word(c: char) -> bool {
    (c.is_alphanumeric() && !is_wide(c)) || matches!(c, '_' | '-' | '.' | '+' | '/' | '@' | '\\' | '%')
}

/// Characters of the scripts that write without spaces: Han, kana, Hangul and their punctuation, full-width forms.
pub fn is_wide(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{11FF}' | '\u{2E80}'..='\u{A4CF}' | '\u{A960}'..='\u{A97F}' | '\u{AC00}'..='\u{D7FF}'
        | '\u{F900}'..='\u{FAFF}' | '\u{FE30}'..='\u{FE6F}' | '\u{FF00}'..='\u{FFEF}' | '\u{20000}'..='\u{3FFFF}')
}

/// What `@name` can mean, the likeliest first: the whole, and where its script writes without spaces also every
/// beginning of it, since the sentence may go on right behind the name.
pub fn readings(name: &str) -> impl Iterator<Item = &str> {
    let ends = name
        .char_indices()
        .skip(1)
        .filter(|&(at, c)| is_wide(c) || name[..at].chars().next_back().is_some_and(is_wide));
    let mut shorter: Vec<&str> = ends.map(|(at, _)| name[..at].trim_end_matches(['.', '-'])).collect();
    shorter.reverse();
    std::iter::once(name).chain(shorter)
}

/// The names that a text may mention, in folded form and without doubles, to be looked up together before
/// [`super::render_for`] is asked. Code isn't left out yet: a name in it is looked up in vain.
pub fn candidates(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in find(text).filter(|name| !is_everybody(name)).take(MOST) {
        for reading in readings(name) {
            let key = fold(reading);
            if !names.contains(&key) {
                names.push(key);
            }
        }
    }
    names.truncate(MOST_READINGS);
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<&str> {
        find(text).collect()
    }

    #[test]
    fn a_name_ends_where_the_sentence_goes_on() {
        for (text, name) in [
            ("@ann", "ann"),
            ("hi @ann, how", "ann"),
            ("(@Ann)", "Ann"),
            ("that was @ann.", "ann"),
            ("@a.b-c_d!", "a.b-c_d"),
            ("@ann's", "ann"),
            ("問@陳思如 一下", "陳思如"),
            ("謝謝！@Ольга", "Ольга"),
            ("@हिन्दी", "हिन्दी"),
            ("@ann--no", "ann--no"),
            ("@guest-7:", "guest-7"),
        ] {
            assert_eq!(names(text), [name], "{text}");
        }
        assert_eq!(names("@ann @bob,@eve"), ["ann", "bob", "eve"]);
    }

    #[test]
    fn addresses_and_lone_signs_mention_nobody() {
        let long = format!("@{}", "x".repeat(33));
        for text in ["ann@example.org", "a_b@c", "@", "@ ann", "@@ann", "@_ann", "x/@ann", "@-", &long] {
            assert_eq!(names(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn a_name_without_a_space_behind_it_has_several_readings() {
        assert_eq!(readings("ann").collect::<Vec<_>>(), ["ann"]);
        assert_eq!(readings("思如好").collect::<Vec<_>>(), ["思如好", "思如", "思"]);
        assert_eq!(readings("ann早").collect::<Vec<_>>(), ["ann早", "ann"]);
        assert_eq!(candidates("@Ann早 @here @ANN"), ["ann早", "ann"]);
    }
}
