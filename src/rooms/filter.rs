//! Words that aren't wanted here: refused, or reported by themselves. The list is in memory, compared in a form in which
//! case, width and accents make no difference.

use super::Rooms;
use crate::clock::now_ms;
use crate::db::Conn;
use crate::db::schema::messages::filter_words;
use crate::error::{Error, FieldError, Result};
use crate::text::is_blank;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use unicode_normalization::UnicodeNormalization;

/// Words in the list: each message is looked through for them.
pub const WORDS: i64 = 1000;
/// Characters of one.
pub const WORD_MAX: usize = 64;

/// What happens to a message that has the word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    Refuse,
    /// It is stored, and stands among the reports.
    Report,
}

impl Effect {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Report => "report",
        }
    }
}

impl From<String> for Effect {
    fn from(stored: String) -> Self {
        if stored == "report" { Self::Report } else { Self::Refuse }
    }
}

/// A word of the list.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Serialize, utoipa::ToSchema)]
#[diesel(table_name = filter_words)]
pub struct FilterWord {
    pub id: i64,
    pub word: String,
    #[diesel(deserialize_as = String)]
    pub effect: Effect,
    /// Milliseconds since the Unix epoch, UTC.
    pub added_at: i64,
}

/// The form in which texts and words are compared: full width is half, capitals are small, accents and what can't be
/// seen are gone.
fn loosen(text: &str) -> String {
    let unseen = |c: char| matches!(c, '\u{0300}'..='\u{036F}' | '\u{00AD}' | '\u{200B}'..='\u{200F}' | '\u{2060}'..='\u{2064}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}');
    text.nfkd().filter(|c| !unseen(*c)).flat_map(char::to_lowercase).nfkc().collect()
}

/// Whether the script writes words without spaces between: there a word is found anywhere.
fn is_joined(c: char) -> bool {
    matches!(c, '\u{0E00}'..='\u{0EFF}' | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}' | '\u{3040}'..='\u{30FF}'
        | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7AF}' | '\u{F900}'..='\u{FAFF}'
        | '\u{20000}'..='\u{3FFFF}')
}

/// The list, made ready for comparing.
#[derive(Debug, Default)]
pub struct Rules {
    /// One word each, by its loose form.
    words: HashMap<String, (String, Effect)>,
    /// More than a word, or in a script without spaces: loose form, as typed, effect.
    phrases: Vec<(String, String, Effect)>,
}

impl Rules {
    fn new(list: Vec<FilterWord>) -> Self {
        let mut rules = Self::default();
        for FilterWord { word, effect, .. } in list {
            let loose = loosen(&word);
            if loose.chars().all(char::is_alphanumeric) && !loose.chars().any(is_joined) {
                rules.words.insert(loose, (word, effect));
            } else {
                rules.phrases.push((loose, word, effect));
            }
        }
        rules
    }

    /// A word that the text has, a refused one rather than another.
    pub fn find(&self, text: &str) -> Option<(&str, Effect)> {
        if self.words.is_empty() && self.phrases.is_empty() {
            return None;
        }
        let loose = loosen(text);
        let words = loose.split(|c: char| !c.is_alphanumeric()).filter_map(|word| self.words.get(word));
        let phrases = self.phrases.iter().filter(|(phrase, ..)| has(&loose, phrase));
        let found = words.map(|(word, effect)| (word.as_str(), *effect));
        let found = found.chain(phrases.map(|(_, word, effect)| (word.as_str(), *effect)));
        found.min_by_key(|(_, effect)| *effect == Effect::Report)
    }
}

/// Whether `text` has `phrase` in it, between other words unless its script has no spaces.
fn has(text: &str, phrase: &str) -> bool {
    let bound = |near: Option<char>, end: Option<char>| {
        !near.is_some_and(char::is_alphanumeric) || end.is_some_and(|c| is_joined(c) || !c.is_alphanumeric())
    };
    text.match_indices(phrase).any(|(at, found)| {
        let (before, after) = (text[..at].chars().next_back(), text[at + found.len()..].chars().next());
        bound(before, found.chars().next()) && bound(after, found.chars().next_back())
    })
}

/// The list as all of this process read it; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Filter(Arc<RwLock<Arc<Rules>>>);

impl Filter {
    /// The list as it is now.
    pub fn rules(&self) -> Arc<Rules> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set(&self, list: Vec<FilterWord>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Rules::new(list));
    }
}

/// All words, in their order.
pub fn all(conn: &mut Conn) -> Result<Vec<FilterWord>> {
    Ok(filter_words::table
        .order(filter_words::word_key.asc())
        .limit(WORDS)
        .select(FilterWord::as_select())
        .load(conn)?)
}

/// Puts a word on the list, or gives it another effect.
///
/// # Errors
/// `Invalid` for the field `word`; `Conflict` when the list is full.
pub fn add(conn: &mut Conn, typed: &str, effect: Effect) -> Result<FilterWord> {
    let word = typed.split_whitespace().collect::<Vec<_>>().join(" ");
    let key = loosen(&word);
    let wrong = |message: String| Error::Invalid(vec![FieldError::new("word", message)]);
    if is_blank(&word) || !key.chars().any(char::is_alphanumeric) {
        return Err(wrong("A word has at least one letter or digit.".to_owned()));
    }
    if word.chars().nth(WORD_MAX).is_some() || word.chars().any(char::is_control) {
        return Err(wrong(format!("A word of the filter has at most {WORD_MAX} characters.")));
    }
    let there = filter_words::table.filter(filter_words::word_key.eq(&key));
    let changed = diesel::update(there)
        .set((filter_words::word.eq(&word), filter_words::effect.eq(effect.as_str())))
        .execute(conn)?;
    if changed == 0 {
        if filter_words::table.count().get_result::<i64>(conn)? >= WORDS {
            return Err(Error::conflict("filter_full", "The filter has 1,000 words already. Remove some."));
        }
        diesel::insert_into(filter_words::table)
            .values((
                filter_words::word.eq(&word),
                filter_words::word_key.eq(&key),
                filter_words::effect.eq(effect.as_str()),
                filter_words::added_at.eq(now_ms()),
            ))
            .execute(conn)?;
    }
    Ok(there.select(FilterWord::as_select()).first(conn)?)
}

/// Takes a word off the list and answers with it.
///
/// # Errors
/// `NotFound`.
pub fn remove(conn: &mut Conn, id: i64) -> Result<FilterWord> {
    let row = filter_words::table.find(id);
    let word: Option<FilterWord> = row.select(FilterWord::as_select()).first(conn).optional()?;
    let word = word.ok_or(Error::NotFound("That word isn't in the filter any more."))?;
    diesel::delete(row).execute(conn)?;
    Ok(word)
}

impl Rooms {
    /// Reads the list again: another node may have changed it.
    pub async fn read_filter(&self) -> Result<()> {
        let list = self.db.read(all).await?;
        self.filter.set(list);
        Ok(())
    }

    /// [`add`], in force when this has answered.
    pub async fn add_filter_word(&self, word: String, effect: Effect) -> Result<FilterWord> {
        let added = self.db.write(move |conn| add(conn, &word, effect)).await?;
        self.read_filter().await?;
        Ok(added)
    }

    /// [`remove`], in force when this has answered.
    pub async fn remove_filter_word(&self, id: i64) -> Result<FilterWord> {
        let removed = self.db.write(move |conn| remove(conn, id)).await?;
        self.read_filter().await?;
        Ok(removed)
    }
}

#[cfg(test)]
impl Rules {
    /// Those that refuse these words.
    pub fn for_tests(words: &[&str]) -> Self {
        let word =
            |word: &&str| FilterWord { id: 1, word: (*word).to_owned(), effect: Effect::Refuse, added_at: 0 };
        Self::new(words.iter().map(word).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_whole_whatever_its_case_width_or_accents() {
        let rules = Rules::for_tests(&["Darn", "naïve", "buy now", "c++", "天氣", "ass"]);
        for text in [
            "oh DARN!",
            "ｄａｒｎ",
            "dárn it",
            "da\u{200B}rn",
            "so naive",
            "NAÏVE",
            "Buy  now".replace("  ", " ").as_str(),
            "buy now!",
            "I like C++.",
            "今天天氣很好",
            "天氣",
            "an ass",
            "_darn_",
        ] {
            assert!(rules.find(text).is_some(), "{text}");
        }
        for text in ["darning", "a class", "buy nowadays", "hobuy now", "天 氣", "", "c+", "xc++"] {
            assert_eq!(rules.find(text), None, "{text}");
        }
    }

    #[test]
    fn a_refused_word_counts_for_more_than_a_reported_one() {
        let word = |word: &str, effect| FilterWord { id: 1, word: word.into(), effect, added_at: 0 };
        let rules = Rules::new(vec![word("one", Effect::Report), word("two", Effect::Refuse)]);
        assert_eq!(rules.find("one and two"), Some(("two", Effect::Refuse)));
        assert_eq!(rules.find("one alone"), Some(("one", Effect::Report)));
    }
}
