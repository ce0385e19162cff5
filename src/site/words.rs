//! What Hubbub says, in the language of whoever asks. The English sentence is the key; `build.rs` makes sure that
//! each language of `locales/` has words for every one.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Display;
use std::sync::LazyLock;

/// One file of `locales/`.
#[derive(Debug)]
pub struct Language {
    /// BCP 47, for example `zh-Hant`; `locales/{code}.toml`.
    pub code: &'static str,
    /// As its readers call it.
    pub name: &'static str,
    /// The same in as little room as a phone has.
    pub short: &'static str,
    /// How a date is written, as the crate `time` describes it.
    pub date: &'static str,
    /// How a date with its time is written.
    pub exact: &'static str,
    /// English and its words, in order.
    words: &'static [(&'static str, &'static str)],
    /// The words that scripts need, as a module for browsers.
    pub script: &'static str,
}

include!(concat!(env!("OUT_DIR"), "/languages.rs"));

tokio::task_local! {
    /// What the request is answered in; set by the outermost middleware.
    static SPOKEN: &'static Language;
}

/// A sentence with blanks, as the pieces between them.
struct Pattern {
    pieces: Vec<&'static str>,
    names: Vec<&'static str>,
    words: &'static str,
}

struct Catalogue {
    words: HashMap<&'static str, &'static str>,
    patterns: Vec<Pattern>,
}

/// One catalogue for each of [`LANGUAGES`].
static CATALOGUES: LazyLock<HashMap<&'static str, Catalogue>> =
    LazyLock::new(|| LANGUAGES.iter().map(|language| (language.code, Catalogue::new(language))).collect());

impl Language {
    /// The language that the code speaks.
    pub fn english() -> &'static Self {
        LANGUAGES.iter().find(|language| language.code == "en").unwrap_or(&LANGUAGES[0])
    }

    /// The language with this code, regardless of case.
    pub fn find(code: &str) -> Option<&'static Self> {
        LANGUAGES.iter().find(|language| language.code.eq_ignore_ascii_case(code))
    }

    /// The language of the request that is being answered; English outside of one.
    pub fn spoken() -> &'static Self {
        SPOKEN.try_with(|language| *language).unwrap_or_else(|_| Self::english())
    }

    /// Runs `answering` in this language.
    pub async fn speak<F: Future>(&'static self, answering: F) -> F::Output {
        SPOKEN.scope(self, answering).await
    }

    fn catalogue(&self) -> Option<&'static Catalogue> {
        CATALOGUES.get(self.code)
    }
}

impl Catalogue {
    fn new(language: &Language) -> Self {
        let patterns =
            language.words.iter().filter(|(sentence, _)| sentence.contains('{') && sentence.ends_with('.'));
        Self {
            words: language.words.iter().copied().collect(),
            patterns: patterns.map(|(sentence, words)| Pattern::new(sentence, words)).collect(),
        }
    }
}

impl Pattern {
    fn new(sentence: &'static str, words: &'static str) -> Self {
        let mut pieces = Vec::new();
        let mut names = Vec::new();
        let mut rest = sentence;
        while let Some((piece, (name, after))) =
            rest.split_once('{').and_then(|(piece, inside)| Some((piece, inside.split_once('}')?)))
        {
            pieces.push(piece);
            names.push(name);
            rest = after;
        }
        pieces.push(rest);
        Self { pieces, names, words }
    }

    /// The words for `said` when it is this sentence, filled.
    fn fit(&self, said: &str) -> Option<String> {
        let (first, others) = self.pieces.split_first()?;
        let (last, between) = others.split_last()?;
        let mut rest = said.strip_prefix(first)?.strip_suffix(last)?;
        let mut words = self.words.to_owned();
        for (name, piece) in self.names.iter().zip(between) {
            let (value, after) = rest.split_once(piece)?;
            words = fill(&words, name, &value);
            rest = after;
        }
        let name = self.names.last()?;
        Some(fill(&words, name, &rest))
    }
}

/// The words for an English sentence of the code. In templates: `"…"|t`.
pub fn t(sentence: &'static str) -> &'static str {
    Language::spoken().catalogue().and_then(|known| known.words.get(sentence)).unwrap_or(&sentence)
}

/// The words for a sentence that was made somewhere below, filled already: an error, in practice.
pub fn said(sentence: &str) -> Cow<'_, str> {
    let Some(known) = Language::spoken().catalogue() else { return Cow::Borrowed(sentence) };
    if let Some(words) = known.words.get(sentence) {
        return Cow::Borrowed(words);
    }
    let filled = known.patterns.iter().find_map(|pattern| pattern.fit(sentence));
    filled.map_or(Cow::Borrowed(sentence), Cow::Owned)
}

/// `words` with `{name}` replaced.
pub fn fill(words: &str, name: &str, value: &dyn Display) -> String {
    words.replace(&format!("{{{name}}}"), &value.to_string())
}

/// A number of bytes as people read it: `512 bytes`, `3.2 MB`.
pub fn size_in_words(bytes: i64) -> String {
    let units = ["kB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return fill(t("{count} bytes"), "count", &bytes);
    }
    // In tenths of a unit, rounded; whole numbers keep the sum exact for every file.
    let (mut tenths, mut unit) = (bytes.saturating_add(50) / 100, 0);
    while tenths >= 10_000 && unit + 1 < units.len() {
        (tenths, unit) = ((tenths + 500) / 1000, unit + 1);
    }
    let name = units[unit];
    if tenths < 100 {
        format!("{}.{} {name}", tenths / 10, tenths % 10)
    } else {
        format!("{} {name}", (tenths + 5) / 10)
    }
}

/// What templates write after a `|`. Everything is escaped as any other text.
pub mod filters {
    use std::fmt::Display;

    /// The words for an English sentence.
    #[askama::filter_fn]
    pub fn t(sentence: &'static str, _: &dyn askama::Values) -> askama::Result<&'static str> {
        Ok(super::t(sentence))
    }

    /// The words with the blank `{name}` filled.
    #[askama::filter_fn]
    pub fn with<V: Display>(
        words: impl Display,
        _: &dyn askama::Values,
        name: &'static str,
        value: V,
    ) -> askama::Result<String> {
        Ok(super::fill(&words.to_string(), name, &value))
    }

    /// What stands before the blank `{name}`, where markup fills it.
    #[askama::filter_fn]
    pub fn before(words: impl Display, _: &dyn askama::Values, name: &'static str) -> askama::Result<String> {
        let words = words.to_string();
        Ok(words.split_once(&format!("{{{name}}}")).map_or(String::new(), |(before, _)| before.to_owned()))
    }

    /// What stands after the blank `{name}`, where markup fills it.
    #[askama::filter_fn]
    pub fn after(words: impl Display, _: &dyn askama::Values, name: &'static str) -> askama::Result<String> {
        let words = words.to_string();
        Ok(words.split_once(&format!("{{{name}}}")).map_or(String::new(), |(_, after)| after.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chinese() -> &'static Language {
        Language::find("zh-hant").unwrap()
    }

    #[tokio::test]
    async fn a_sentence_is_said_in_the_language_of_who_asks() {
        assert_eq!(t("Log in"), "Log in");
        chinese().speak(async { assert_eq!(t("Log in"), "登入") }).await;
    }

    #[tokio::test]
    async fn a_filled_sentence_is_known_by_its_pieces() {
        chinese()
            .speak(async {
                assert_eq!(said("A password has at least 12 characters."), "密碼至少要 12 個字元。");
                assert_eq!(said("There is nothing here."), "這裡沒有東西。");
                assert_eq!(said("Nobody ever said this."), "Nobody ever said this.");
                assert_eq!(said(""), "");
            })
            .await;
        assert_eq!(said("A password has at least 12 characters."), "A password has at least 12 characters.");
    }

    #[test]
    fn a_pattern_with_two_blanks_fills_both() {
        let pattern = Pattern::new("From {a} to {b}.", "{b} ← {a}");
        assert_eq!(pattern.fit("From x to y.").unwrap(), "y ← x");
        assert!(pattern.fit("From x.").is_none());
    }

    #[test]
    fn every_language_knows_how_its_dates_are_written() {
        for language in LANGUAGES {
            for format in [language.date, language.exact] {
                time::format_description::parse_borrowed::<2>(format).unwrap();
            }
        }
    }
}
