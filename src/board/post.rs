//! What makes a note: the rules for what was typed, before it goes through the one door that every message takes.

use crate::accounts::Person;
use crate::error::{Error, FieldError, Result};
use crate::ids::BOARD;
use crate::rooms::{Author, Nonce, Post, Posted, Rooms, Text, Title};
use serde::Deserialize;

/// A note as it was typed into the form, or sent with curl.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Typed {
    pub title: String,
    pub text: String,
    /// Empty when the sender has none: it is stored as often as it is sent, then.
    pub nonce: String,
}

/// A note that follows the rules.
#[derive(Debug, PartialEq, Eq)]
pub struct Note {
    title: Option<Title>,
    text: Text,
    nonce: Nonce,
}

impl Note {
    /// # Errors
    /// `Invalid` with one sentence per wrong field.
    pub fn parse(typed: Typed) -> Result<Self> {
        let title = Title::parse(&typed.title);
        let text = Text::parse(&typed.text);
        let nonce = if typed.nonce.is_empty() { Ok(Nonce::random()?) } else { Nonce::parse(typed.nonce) };
        match (title, text, nonce) {
            (Ok(title), Ok(text), Ok(nonce)) => Ok(Self { title, text, nonce }),
            (title, text, nonce) => {
                let wrong: Vec<FieldError> =
                    [title.err(), text.err(), nonce.err()].into_iter().flatten().collect();
                Err(Error::Invalid(wrong))
            }
        }
    }

    /// Stores the note as `person`'s and answers after the commit.
    pub async fn post(self, rooms: &Rooms, person: &Person) -> Result<Posted> {
        let author = Author { id: person.id, name: person.display_name.clone(), guest: person.is_guest() };
        let Self { title, text, nonce } = self;
        rooms.post(Post { room: BOARD, author, nonce, title, text, reply_to: None }).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(typed: Typed) -> Vec<&'static str> {
        let error = Note::parse(typed).err();
        error.map_or_else(Vec::new, |error| error.fields().iter().map(|field| field.field).collect())
    }

    #[test]
    fn every_wrong_field_is_named_at_once() {
        let typed = Typed { title: "x".repeat(121), text: " ".into(), nonce: "short".into() };
        assert_eq!(wrong(typed), ["title", "text", "nonce"]);
        assert_eq!(wrong(Typed { text: "x".repeat(4001), ..Typed::default() }), ["text"]);
        assert_eq!(
            wrong(Typed { text: "a\u{7}".into(), title: "a\nb".into(), ..Typed::default() }),
            ["title", "text"]
        );
    }

    #[test]
    fn a_text_alone_is_a_note() {
        assert!(wrong(Typed { text: "字".repeat(4000), ..Typed::default() }).is_empty());
    }
}
