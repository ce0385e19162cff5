//! What somebody says, ready to be stored: the text, what it looks like, and whom it calls.

use super::typed::Text;
use crate::error::FieldError;
use crate::ids::UserId;
use crate::text;
use std::collections::HashMap;

/// The people whom a text can mean, by folded user name. Looked up before the words are made, since the write door
/// doesn't know them.
pub type Mentionable = HashMap<String, UserId>;

/// Words of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    pub text: Text,
    /// Sanitised; `None` when the text is shown as it is.
    pub html: Option<String>,
    /// Whom it calls by name, each once.
    pub mentions: Vec<UserId>,
    /// It calls everybody in the room.
    pub to_all: bool,
}

impl Words {
    /// Renders a text; `people` has those of [`text::candidates`] that exist.
    pub fn new(text: Text, people: &Mentionable) -> Self {
        let rendered = text::render_for(text.as_str(), &|name| people.contains_key(name));
        let mentions = rendered.mentions.iter().filter_map(|name| people.get(name).copied()).collect();
        Self { html: rendered.html, mentions, to_all: rendered.to_all, text }
    }

    /// # Errors
    /// A sentence for the field `text`.
    pub fn parse(text: &str, people: &Mentionable) -> Result<Self, FieldError> {
        Ok(Self::new(Text::parse(text)?, people))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_call_the_people_who_exist() -> Result<(), FieldError> {
        let people = Mentionable::from([("ann".into(), UserId(7)), ("bob".into(), UserId(9))]);
        let words = Words::parse("@Ann and @ANN, not @eve; and @all", &people)?;
        assert_eq!((words.mentions, words.to_all), (vec![UserId(7)], true));
        assert!(Words::parse(" ", &people).is_err());
        Ok(())
    }
}
