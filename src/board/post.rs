//! What makes a note: the rules for what was typed, before it goes through the one door that every message takes.

use crate::accounts::Person;
use crate::error::Result;
use crate::ids::BOARD;
use crate::rooms::{self, Nonce, Post};
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

impl Typed {
    /// Checks the note as `person`'s.
    ///
    /// # Errors
    /// `Invalid` with one sentence per wrong field.
    pub fn check(self, person: &Person) -> Result<Post> {
        let nonce = if self.nonce.is_empty() { Nonce::random()?.as_str().to_owned() } else { self.nonce };
        rooms::Typed { nonce, text: self.text, title: self.title, reply_to: None }.check(person.into(), BOARD)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_without_a_nonce_gets_one_and_a_wrong_one_is_named() {
        let person = Person::for_tests(1, "Ann");
        let typed = |nonce: &str| Typed { text: "字".repeat(4000), nonce: nonce.into(), ..Typed::default() };
        assert!(typed("").check(&person).is_ok_and(|post| post.room == BOARD && post.title.is_none()));
        let wrong = typed("short").check(&person).err();
        assert_eq!(wrong.map(|error| error.fields().iter().map(|f| f.field).collect()), Some(vec!["nonce"]));
    }
}
