//! Who writes, and what they may say at the moment. It comes with the person and from a list in memory: no message asks
//! a database for it.

use super::Rooms;
use super::filter::{Effect, Rules};
use super::typed::{Text, Title};
use super::words::{Mentionable, Words};
use crate::accounts::Person;
use crate::error::{Error, FieldError, Result};
use crate::ids::UserId;
use std::sync::Arc;

/// Who writes, as it will stand beside the message for ever.
#[derive(Clone, Debug, Default)]
pub struct Author {
    pub id: UserId,
    pub name: String,
    pub guest: bool,
    /// What they may say.
    pub bounds: Bounds,
}

/// What binds an author.
#[derive(Clone, Debug, Default)]
pub struct Bounds {
    /// They may only read until then, ms.
    pub silenced_until: Option<i64>,
    /// They look after the place: none of what follows binds them, nor the slow mode.
    pub staff: bool,
    /// For how many hours they are new here; nothing for who isn't.
    pub newcomer: Option<i64>,
    /// The words that aren't wanted.
    pub rules: Arc<Rules>,
}

impl Bounds {
    /// Looks through the words, and marks those that are to be reported.
    ///
    /// # Errors
    /// A sentence for the field `text` or `title`.
    pub(super) fn check(&self, title: Option<&Title>, words: &mut Words) -> Result<(), FieldError> {
        if self.staff {
            return Ok(());
        }
        if let Some(hours) = self.newcomer
            && leads_elsewhere(words)
        {
            let said = format!("Whoever is new here can't send links in the first {hours} hours.");
            return Err(FieldError::new("text", said));
        }
        let title = title.map(|title| ("title", title.as_str()));
        for (field, text) in title.into_iter().chain([("text", words.text.as_str())]) {
            match self.rules.find(text) {
                Some((word, Effect::Refuse)) => {
                    return Err(FieldError::new(field, format!("The word “{word}” isn't wanted here.")));
                }
                Some((word, Effect::Report)) => words.flagged = Some(word.to_owned()),
                None => {}
            }
        }
        Ok(())
    }
}

/// Whether a link leads out of the place: those that lead to somebody or something here have no scheme.
fn leads_elsewhere(words: &Words) -> bool {
    words.html.as_deref().is_some_and(|html| html.contains("href=\"http") || html.contains("href=\"mailto"))
}

impl Rooms {
    /// Somebody as the author of what they are about to say.
    pub fn author(&self, person: &Person) -> Author {
        Author {
            id: person.id,
            name: person.display_name.clone(),
            guest: person.is_guest(),
            bounds: Bounds {
                silenced_until: person.silenced_until,
                staff: person.is_staff(),
                newcomer: person.is_new(self.newcomer_hours).then_some(self.newcomer_hours),
                rules: self.filter.rules(),
            },
        }
    }
}

impl Author {
    /// Other words for a message of theirs.
    ///
    /// # Errors
    /// `Invalid` for the field `text`.
    pub fn words(&self, text: &str, known: &Mentionable) -> Result<Words> {
        let wrong = |wrong| Error::Invalid(vec![wrong]);
        let mut words = Words::new(Text::parse(text).map_err(wrong)?, known);
        self.bounds.check(None, &mut words).map_err(wrong)?;
        Ok(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    fn author(bounds: Bounds) -> Author {
        Author { id: UserId(1), name: "Ann".into(), bounds, ..Author::default() }
    }

    fn said(author: &Author, text: &str) -> std::result::Result<Words, String> {
        author.words(text, &Mentionable::new()).map_err(|error| error.detail())
    }

    #[test]
    fn a_refusal_names_the_word_and_binds_no_moderator() {
        let rules = Arc::new(Rules::for_tests(&["darn"]));
        let member = author(Bounds { rules: rules.clone(), ..Bounds::default() });
        assert_eq!(said(&member, "Darn it").unwrap_err(), "The word “darn” isn't wanted here.");
        assert!(said(&member, "fine").is_ok());
        assert!(said(&author(Bounds { rules, staff: true, ..Bounds::default() }), "Darn it").is_ok());
    }

    #[test]
    fn whoever_is_new_sends_no_links_but_may_name_what_is_here() {
        let newcomer = author(Bounds { newcomer: Some(24), ..Bounds::default() });
        for text in ["see https://example.org", "[here](http://example.org)", "<https://example.org>"] {
            let refused = said(&newcomer, text).unwrap_err();
            assert_eq!(refused, "Whoever is new here can't send links in the first 24 hours.");
        }
        for text in ["no link", "`https://example.org`", "**bold**"] {
            assert!(said(&newcomer, text).is_ok(), "{text}");
        }
        assert!(said(&author(Bounds::default()), "see https://example.org").is_ok());
    }
}
