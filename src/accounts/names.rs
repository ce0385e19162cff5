//! The names of a person, parsed at the border so that inside they can't be wrong.

use crate::error::FieldError;
use crate::text::{USERNAME_MAX, fold, is_blank, is_unruly, may_stand_in_username};
use std::borrow::Cow;
use unicode_normalization::UnicodeNormalization;

/// Characters of a display name.
const DISPLAY_NAME_MAX: usize = 48;
/// Words that mean a group of people where somebody is mentioned.
const RESERVED: [&str; 2] = ["here", "all"];
/// How the names of guests begin; an account of that name would pass for one.
const GUEST_PREFIX: &str = "guest-";

/// What stands after `@` and in addresses: letters of any script, digits, `_`, `-`, `.`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Username {
    name: String,
    key: String,
}

impl Username {
    /// # Errors
    /// For the field `username`, the sentence for the first rule that is broken.
    pub fn parse(typed: &str) -> Result<Self, FieldError> {
        let name: String = typed.trim().nfc().collect();
        let key = fold(&name);
        match complaint(&name, &key) {
            Some(words) => Err(FieldError::new("username", words)),
            None => Ok(Self { name, key }),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// The folded form, under which it is unique.
    pub fn key(&self) -> &str {
        &self.key
    }
}

fn complaint(name: &str, key: &str) -> Option<Cow<'static, str>> {
    if name.is_empty() {
        return Some("Choose a user name.".into());
    }
    if name.chars().nth(USERNAME_MAX).is_some() {
        return Some(format!("A user name has at most {USERNAME_MAX} characters.").into());
    }
    // The key is looked at too: some letters fold into several characters, spaces among them.
    if !name.chars().chain(key.chars()).all(may_stand_in_username) {
        return Some("A user name is made of letters, digits, _ - and . only.".into());
    }
    if !name.starts_with(char::is_alphanumeric) {
        return Some("A user name starts with a letter or a digit.".into());
    }
    if name.ends_with('.') {
        return Some("A user name can't end with a dot.".into());
    }
    if RESERVED.contains(&key) || key.starts_with(GUEST_PREFIX) {
        return Some("That user name is reserved. Choose another one.".into());
    }
    None
}

/// The user name that the guest with this row number has.
pub fn guest_username(id: crate::ids::UserId) -> String {
    format!("{GUEST_PREFIX}{id}")
}

/// What others see. Not unique.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisplayName(String);

impl DisplayName {
    /// # Errors
    /// For the field `display_name`, the sentence for the first rule that is broken.
    pub fn parse(typed: &str) -> Result<Self, FieldError> {
        let name: String = typed.trim().nfc().collect();
        let words: Cow<'static, str> = if is_blank(&name) {
            "Type the name that others will see.".into()
        } else if name.chars().nth(DISPLAY_NAME_MAX).is_some() {
            format!("A display name has at most {DISPLAY_NAME_MAX} characters.").into()
        } else if name.chars().any(is_unruly) {
            "A display name can't have line breaks or other control characters.".into()
        } else {
            return Ok(Self(name));
        };
        Err(FieldError::new("display_name", words))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Every account has a display name; without an own one it is the user name.
impl From<&Username> for DisplayName {
    fn from(username: &Username) -> Self {
        Self(username.name.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(name: &str) -> String {
        Username::parse(name).err().map(|e| e.message.into_owned()).unwrap_or_default()
    }

    #[test]
    fn user_names_of_any_script_are_accepted() {
        for name in ["a", "Ann", "7of9", "anna.b-c_d", "陳思如", "Ольга", "हिन्दी", &"x".repeat(32)]
        {
            assert_eq!(refusal(name), "", "{name}");
        }
    }

    #[test]
    fn each_rule_of_user_names_has_its_own_sentence() {
        let long = "x".repeat(33);
        for (name, words) in [
            ("", "Choose"),
            ("  ", "Choose"),
            (long.as_str(), "at most 32"),
            ("a b", "made of"),
            ("a@b", "made of"),
            ("<b>", "made of"),
            ("ﷺ", "made of"),
            ("a\u{202E}b", "made of"),
            ("_ann", "starts with"),
            ("-", "starts with"),
            ("ann.", "end with a dot"),
            ("HERE", "reserved"),
            ("all", "reserved"),
            ("Guest-7", "reserved"),
            ("ｇｕｅｓｔ-7", "reserved"),
        ] {
            assert!(refusal(name).contains(words), "{name:?}: {}", refusal(name));
        }
    }

    #[test]
    fn display_names_are_visible_and_short() {
        assert_eq!(DisplayName::parse("  Ann Lee 🎈 ").map(|n| n.0), Ok("Ann Lee 🎈".into()));
        let long = "é".repeat(49);
        for name in ["", "\u{200B}\u{3164}", "a\nb", "a\u{202E}b", long.as_str()] {
            assert!(DisplayName::parse(name).is_err(), "{name:?}");
        }
        assert!(DisplayName::parse(&"é".repeat(48)).is_ok());
    }
}
