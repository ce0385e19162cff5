//! The parts of a message as they may be: what was typed is checked here, once.

use crate::error::{FieldError, Result};

/// The client's own name for a message: 16 to 64 visible ASCII characters, random.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Nonce(String);

impl Nonce {
    /// # Errors
    /// A sentence for the field `nonce`.
    pub fn parse(text: String) -> Result<Self, FieldError> {
        if (16..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic()) {
            Ok(Self(text))
        } else {
            Err(FieldError::new("nonce", "A nonce is 16 to 64 visible ASCII characters."))
        }
    }

    /// 128 random bits, for a sender that brought none.
    pub fn random() -> Result<Self> {
        crate::ids::random().map(Self)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A message's text: 1 to 4,000 characters, no control characters but newline and tab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text(String);

impl Text {
    /// Line ends of forms (CR LF) become LF; space around the text goes.
    ///
    /// # Errors
    /// A sentence for the field `text`.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let text = Self::beside(text)?;
        if text.0.is_empty() {
            return Err(FieldError::new("text", "Write something first."));
        }
        Ok(text)
    }

    /// The same for words that stand beside files: there may be none.
    ///
    /// # Errors
    /// A sentence for the field `text`.
    pub fn beside(text: &str) -> Result<Self, FieldError> {
        let text = if text.contains('\r') {
            text.replace("\r\n", "\n").replace('\r', "\n")
        } else {
            text.to_owned()
        };
        if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
            return Err(FieldError::new(
                "text",
                "The text contains control characters. Remove them and send it again.",
            ));
        }
        let trimmed = text.trim_end().trim_start_matches('\n');
        let length = trimmed.chars().count();
        if length > 4000 {
            return Err(FieldError::new(
                "text",
                format!("A message has at most 4,000 characters; this one has {length}."),
            ));
        }
        Ok(Self(trimmed.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A note's title: one line of at most 120 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Title(String);

impl Title {
    /// `None` for an empty one.
    ///
    /// # Errors
    /// A sentence for the field `title`.
    pub fn parse(text: &str) -> Result<Option<Self>, FieldError> {
        let text = text.trim();
        if text.chars().count() > 120 {
            return Err(FieldError::new("title", "A title has at most 120 characters."));
        }
        if text.chars().any(char::is_control) {
            return Err(FieldError::new("title", "A title is one line without control characters."));
        }
        Ok((!text.is_empty()).then(|| Self(text.to_owned())))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_checked_and_tidied() {
        assert_eq!(Text::parse("a\r\nb\r\n").as_ref().map(Text::as_str), Ok("a\nb"));
        assert_eq!(Text::parse("  code").as_ref().map(Text::as_str), Ok("  code"));
        assert!(Text::parse(&"字".repeat(4000)).is_ok());
        for bad in ["", " \n\t ", "a\u{0}b", "a\u{1b}[0m", &"x".repeat(4001)] {
            assert!(Text::parse(bad).is_err(), "{bad:?}");
        }
    }
}
