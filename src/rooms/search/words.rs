//! The words of a text, in any language, as they are indexed and as they are asked for.
//!
//! Scripts that write words without spaces between them are taken apart into characters and pairs of characters;
//! everywhere else a word is what stands between spaces and signs, in its folded form.

use std::ops::Range;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Characters of a word that count: what is longer is no word, and would only fill the index.
const WORD_MAX: usize = 64;

/// A word, or one character of a script without spaces, where it stands in the text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Atom {
    /// The folded form.
    pub word: String,
    /// `read` and `file` of `read_file`; empty for a word of one piece.
    pub parts: Vec<String>,
    /// One character of a script without spaces.
    pub gram: bool,
    /// Stands right behind the character before it.
    pub glued: bool,
    /// The bytes of the text that it is made from.
    pub at: Range<usize>,
}

/// Takes a text apart.
pub fn atoms(text: &str) -> Vec<Atom> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let end = match kind(c) {
            Kind::Gap => at + c.len_utf8(),
            Kind::Gram => {
                let end = at + extent(&text[at..], |c, _| is_gram(c) || is_combining_mark(c));
                push_grams(&text[at..end], at, &mut found);
                end
            }
            Kind::Word => {
                let end = at + word_extent(&text[at..]);
                push_word(&text[at..end], at..end, &mut found);
                end
            }
        };
        at = end;
    }
    found
}

/// Under which terms a text with these atoms is found.
pub fn terms(atoms: &[Atom]) -> impl Iterator<Item = String> + '_ {
    atoms.iter().enumerate().flat_map(|(n, atom)| {
        let pair = if atom.glued { n.checked_sub(1).map(|before| pair(&atoms[before], atom)) } else { None };
        std::iter::once(atom.word.clone()).chain(atom.parts.iter().cloned()).chain(pair)
    })
}

/// Two characters that follow each other, as one term.
pub fn pair(first: &Atom, second: &Atom) -> String {
    format!("{}{}", first.word, second.word)
}

enum Kind {
    Gap,
    Gram,
    Word,
}

fn kind(c: char) -> Kind {
    if is_gram(c) {
        Kind::Gram
    } else if c.is_alphanumeric() || c == '_' {
        Kind::Word
    } else {
        Kind::Gap
    }
}

/// Whether the character belongs to a script that puts no spaces between words, or is a picture.
fn is_gram(c: char) -> bool {
    let script = matches!(c,
        '\u{0E00}'..='\u{0EFF}' | '\u{1000}'..='\u{109F}' | '\u{1100}'..='\u{11FF}' | '\u{1780}'..='\u{17FF}'
        | '\u{2E80}'..='\u{2FDF}' | '\u{3005}'..='\u{3007}' | '\u{3021}'..='\u{3029}' | '\u{3031}'..='\u{318F}'
        | '\u{31A0}'..='\u{31BF}' | '\u{31F0}'..='\u{31FF}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}'
        | '\u{A960}'..='\u{A97F}' | '\u{AC00}'..='\u{D7FF}' | '\u{F900}'..='\u{FAFF}' | '\u{FF66}'..='\u{FFDC}'
        | '\u{1B000}'..='\u{1B16F}' | '\u{20000}'..='\u{3FFFF}');
    (script && c.is_alphanumeric()) || matches!(c, '\u{2600}'..='\u{27BF}' | '\u{1F000}'..='\u{1FAFF}')
}

/// How many bytes from the start belong together.
fn extent(text: &str, belongs: impl Fn(char, &str) -> bool) -> usize {
    text.char_indices().find(|(at, c)| !belongs(*c, &text[*at..])).map_or(text.len(), |(at, _)| at)
}

/// `c++`, `c#`, `don't` and `read_file` are one word each.
fn word_extent(text: &str) -> usize {
    let body = extent(text, |c, rest| {
        !is_gram(c)
            && (c.is_alphanumeric()
                || c == '_'
                || is_combining_mark(c)
                || is_invisible(c)
                || (is_apostrophe(c)
                    && rest[c.len_utf8()..].starts_with(|n: char| n.is_alphanumeric() && !is_gram(n))))
    });
    let rest = &text[body..];
    let sign = if rest.starts_with("++") { 2 } else { usize::from(rest.starts_with('#')) };
    let followed = rest[sign..].starts_with(|c: char| c.is_alphanumeric() || c == '+' || c == '#');
    if followed { body } else { body + sign }
}

fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '\u{2019}' | '\u{02BC}')
}

/// Joiners and soft hyphens inside a word.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{00AD}' | '\u{200B}'..='\u{200D}' | '\u{2060}' | '\u{FE0E}' | '\u{FE0F}')
}

fn push_grams(run: &str, at: usize, found: &mut Vec<Atom>) {
    let folded: Vec<char> = run.nfkc().flat_map(char::to_lowercase).filter(|c| !c.is_whitespace()).collect();
    let places: Vec<Range<usize>> = run.char_indices().map(|(n, c)| at + n..at + n + c.len_utf8()).collect();
    let alike = folded.len() == places.len();
    let mut glued = false;
    for (n, c) in folded.iter().enumerate() {
        // Half of a wide letter and its mark become one: then the whole run is shown as found.
        let at = if alike { places[n].clone() } else { at..at + run.len() };
        found.push(Atom { word: c.to_string(), parts: Vec::new(), gram: true, glued, at });
        glued = true;
    }
}

fn push_word(run: &str, at: Range<usize>, found: &mut Vec<Atom>) {
    // Most words of most languages in Latin letters: nothing to fold, nothing to take apart.
    if run.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) {
        let word = run[..run.len().min(WORD_MAX)].to_owned();
        found.push(Atom { word, at, ..Atom::default() });
        return;
    }
    let word = fold_word(run);
    if !word.contains(char::is_alphanumeric) {
        return;
    }
    let mut parts: Vec<String> = pieces(run).map(fold_word).filter(|part| !part.is_empty()).collect();
    parts.retain(|part| *part != word);
    parts.sort_unstable();
    parts.dedup();
    found.push(Atom { word, parts, gram: false, glued: false, at });
}

/// The pieces of `read_file`, `readFile`, `HTTPServer`, `l'été` and `c++`.
fn pieces(run: &str) -> impl Iterator<Item = &str> {
    run.split(|c: char| c == '_' || c == '+' || c == '#' || is_apostrophe(c)).flat_map(humps)
}

fn humps(word: &str) -> Vec<&str> {
    let letters: Vec<(usize, char)> = word.char_indices().collect();
    let mut cuts = vec![0];
    for n in 1..letters.len() {
        let (before, (at, here)) = (letters[n - 1].1, letters[n]);
        let next_small = letters.get(n + 1).is_some_and(|(_, c)| c.is_lowercase());
        if here.is_uppercase() && (before.is_lowercase() || (before.is_uppercase() && next_small)) {
            cuts.push(at);
        }
    }
    cuts.push(word.len());
    cuts.windows(2).map(|cut| &word[cut[0]..cut[1]]).collect()
}

/// Without case, width and accents; й stays another letter than и.
fn fold_word(word: &str) -> String {
    if word.is_ascii() {
        let kept = word.chars().filter(|c| !is_apostrophe(*c) && !c.is_whitespace());
        return kept.map(|c| c.to_ascii_lowercase()).take(WORD_MAX).collect();
    }
    fold_letters(word)
}

fn fold_letters(word: &str) -> String {
    let mut plain = String::with_capacity(word.len());
    let mut before = ' ';
    for c in word.nfkd().flat_map(char::to_lowercase).nfkd() {
        let accent = matches!(c, '\u{0300}'..='\u{036F}');
        let kept = accent && c == '\u{0306}' && before == 'и';
        // Some letters for display alone come apart into a space and a mark.
        if (accent && !kept) || is_apostrophe(c) || is_invisible(c) || c.is_whitespace() {
            continue;
        }
        match c {
            'ß' => plain.push_str("ss"),
            'ς' => plain.push('σ'),
            c => plain.push(c),
        }
        before = c;
    }
    plain.nfc().take(WORD_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn found(text: &str) -> Vec<String> {
        let all: BTreeSet<String> = terms(&atoms(text)).collect();
        all.into_iter().collect()
    }

    #[test]
    fn words_are_found_in_many_languages() {
        for (text, wanted) in [
            ("Hello, World!", &["hello", "world"][..]),
            ("天氣好", &["天", "天氣", "好", "氣", "氣好"]),
            ("東京タワー", &["タ", "タワ", "ワ", "ワー", "ー", "京", "京タ", "東", "東京"]),
            ("Привет, МИР", &["мир", "привет"]),
            ("ёлка й", &["елка", "й"]),
            ("Ünïcödé STRASSE straße", &["strasse", "unicode"]),
            ("ΟΔΟΣ οδός", &["οδοσ"]),
            ("ＡＢＣ", &["abc"]),
            ("한국", &["국", "한", "한국"]),
            ("สวัส", &["ส", "สว", "ว", "วั", "ส", "ัส"]),
            ("İstanbul", &["istanbul"]),
            ("שלום مرحبا", &["שלום", "مرحبا"]),
            ("use手機now", &["now", "use", "手", "手機", "機"]),
            ("🎉 well", &["well", "🎉"]),
        ] {
            for term in wanted {
                assert!(found(text).iter().any(|t| t == term), "{text}: {term} is not in {:?}", found(text));
            }
        }
    }

    #[test]
    fn identifiers_are_found_whole_and_by_their_pieces() {
        assert_eq!(found("read_file"), ["file", "read", "read_file"]);
        assert_eq!(found("HTTPServer"), ["http", "httpserver", "server"]);
        assert_eq!(found("readFile()"), ["file", "read", "readfile"]);
        assert_eq!(found("std::io::Error"), ["error", "io", "std"]);
        assert_eq!(found("C++ and c#, no #5"), ["5", "and", "c", "c#", "c++", "no"]);
        assert_eq!(found("don't l\u{2019}été"), ["don", "dont", "ete", "l", "lete", "t"]);
        assert_eq!(found("___ --- \u{301}"), Vec::<String>::new());
        assert_eq!(atoms(&"x".repeat(500))[0].word.len(), WORD_MAX);
    }

    #[test]
    fn half_width_letters_with_marks_are_the_wide_ones() {
        assert_eq!(found("ｶﾞｽ"), found("ガス"));
    }

    proptest! {
        #[test]
        fn ascii_is_folded_like_all_letters(word in "[ -~]{0,80}") {
            prop_assert_eq!(fold_word(&word), fold_letters(&word));
        }

        #[test]
        fn a_small_latin_word_is_taken_as_it_is(word in "[a-z0-9]{1,80}") {
            let found = atoms(&word);
            prop_assert_eq!(found.len(), 1);
            prop_assert_eq!(&found[0].word, &fold_letters(&word));
            prop_assert!(found[0].parts.is_empty() && !found[0].gram && !found[0].glued && found[0].at == (0..word.len()));
        }

        #[test]
        fn any_text_is_taken_apart_within_its_bounds(text in any::<String>()) {
            for atom in atoms(&text) {
                prop_assert!(text.get(atom.at.clone()).is_some_and(|piece| !piece.is_empty()));
                prop_assert!(!atom.word.is_empty() && !atom.word.contains([' ', '\0']));
            }
        }

        #[test]
        fn a_folded_word_folds_to_itself(text in "\\PC{1,12}") {
            let once = fold_word(&text);
            prop_assert_eq!(fold_word(&once), once);
        }

        #[test]
        fn every_piece_of_a_chinese_text_is_among_its_terms(text in "[\u{4E00}-\u{4E50}]{2,20}", at in 0usize..18) {
            let letters: Vec<char> = text.chars().collect();
            let at = at.min(letters.len() - 2);
            let pair: String = letters[at..at + 2].iter().collect();
            prop_assert!(found(&text).contains(&pair));
        }

        #[test]
        fn case_does_not_matter(text in "[A-Za-zА-Яа-яÀ-ÿ]{1,10}") {
            let whole = |text: &str| atoms(text).iter().map(|a| a.word.clone()).collect::<Vec<_>>();
            prop_assert_eq!(whole(&text.to_lowercase()), whole(&text));
        }
    }
}
