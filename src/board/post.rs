//! What makes a note: the rules for what was typed, before it goes through the one door that every message takes.

use crate::error::Result;
use crate::ids::{AttachmentId, BOARD};
use crate::rooms::{self, Author, Mentionable, Nonce, Post};
use crate::site::form_data::FormData;

/// A note as it was typed into the form, or sent with curl.
#[derive(Clone, Debug, Default)]
pub struct Typed {
    pub title: String,
    pub text: String,
    /// Empty when the sender has none: it is stored as often as it is sent, then.
    pub nonce: String,
}

impl From<&FormData> for Typed {
    fn from(form: &FormData) -> Self {
        Self { title: form.field("title"), text: form.field("text"), nonce: form.field("nonce") }
    }
}

impl Typed {
    /// Checks the note as `author`'s, with what is sent beside the words; `people` are those whom it can mean by `@name`.
    ///
    /// # Errors
    /// `Invalid` with one sentence per wrong field.
    pub fn check(self, author: Author, attachments: Vec<AttachmentId>, people: &Mentionable) -> Result<Post> {
        let nonce = if self.nonce.is_empty() { Nonce::random()?.as_str().to_owned() } else { self.nonce };
        rooms::Typed { nonce, text: self.text, title: self.title, reply_to: None, attachments }
            .check(author, BOARD, people)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_without_a_nonce_gets_one_and_a_wrong_one_is_named() {
        let typed = |nonce: &str| Typed { text: "字".repeat(4000), nonce: nonce.into(), ..Typed::default() };
        assert!(
            typed("")
                .check(Author::default(), Vec::new(), &Mentionable::new())
                .is_ok_and(|post| post.room == BOARD && post.title.is_none())
        );
        let wrong = typed("short").check(Author::default(), Vec::new(), &Mentionable::new()).err();
        assert_eq!(wrong.map(|error| error.fields().iter().map(|f| f.field).collect()), Some(vec!["nonce"]));
    }
}
