//! The pages about oneself and about people: the entry, the settings, the list of people.

use askama::Template;

use crate::site::page::{FieldErrors, Person, Shell, Stamp};

/// Which of the three forms of the entry page is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EntryForm {
    #[default]
    Login,
    Register,
    Guest,
}

/// What was typed into the entry page and is shown again; never the password.
#[derive(Debug, Clone, Default)]
pub struct EntryTyped {
    pub username: String,
    pub display_name: String,
    pub invite: String,
}

/// The page to register, log in, or enter with a display name.
#[derive(Template)]
#[template(path = "accounts/entry.html")]
pub struct EntryPage {
    pub shell: Shell,
    /// The form that is open; `errors` and `typed` are its own.
    pub open: EntryForm,
    pub typed: EntryTyped,
    /// Fields `username`, `password`, `display_name`, `invite`, and `""` for the form as a whole.
    pub errors: FieldErrors,
    /// The path to go on to, or empty.
    pub next: String,
    /// Whether the form to register is shown.
    pub registration: bool,
    /// The label of the field `invite` when one is needed: an invite, or the owner's code of the first run.
    pub invite_label: Option<String>,
    /// Whether the form to enter as a guest is shown.
    pub guests: bool,
    /// The fewest characters of a password.
    pub password_min: usize,
    /// Nobody has an account yet: the first one owns the place.
    pub first_account: bool,
    /// One sentence above the forms, for example "You are logged out."
    pub notice: Option<String>,
}

impl EntryPage {
    fn is_login(&self) -> bool {
        self.open == EntryForm::Login
    }

    fn is_register(&self) -> bool {
        self.open == EntryForm::Register
    }

    fn is_guest(&self) -> bool {
        self.open == EntryForm::Guest
    }
}

/// One place where the person is signed in.
#[derive(Debug, Clone)]
pub struct SessionView {
    /// As in `/settings/sessions/{id}/revoke`.
    pub id: String,
    /// Browser and system in a few words, for example "Firefox on Linux".
    pub device: String,
    /// When it signed in.
    pub since: Stamp,
    /// When it was last here.
    pub seen: Stamp,
    /// The session that asks.
    pub current: bool,
}

/// The person's own settings.
#[derive(Template)]
#[template(path = "accounts/settings.html")]
pub struct SettingsPage {
    pub shell: Shell,
    pub username: String,
    /// The display name as typed, otherwise as it is.
    pub display_name: String,
    pub guest: bool,
    /// Field `display_name`.
    pub errors: FieldErrors,
    /// One sentence after something was done, for example "Saved."
    pub notice: Option<String>,
    pub sessions: Vec<SessionView>,
}

/// One person in the list of people.
#[derive(Debug, Clone)]
pub struct PersonRow {
    pub person: Person,
    pub username: String,
    pub online: bool,
    /// What they say about themselves at the moment, or empty.
    pub status: String,
}

/// Everybody who is here, a page at a time.
#[derive(Template)]
#[template(path = "accounts/people.html")]
pub struct PeoplePage {
    pub shell: Shell,
    /// What was looked for, or empty.
    pub query: String,
    pub people: Vec<PersonRow>,
    /// The next page's address.
    pub next: Option<String>,
}

#[cfg(test)]
mod page_tests {
    use super::*;

    const HOSTILE: &str = "\"><script>alert('x')</script>";

    fn entry(open: EntryForm) -> EntryPage {
        EntryPage {
            shell: Shell::new("Hello", "/"),
            open,
            typed: EntryTyped {
                username: HOSTILE.into(),
                display_name: HOSTILE.into(),
                invite: HOSTILE.into(),
            },
            errors: FieldErrors::one("username", HOSTILE),
            next: HOSTILE.into(),
            registration: true,
            invite_label: Some(HOSTILE.into()),
            guests: true,
            password_min: 8,
            first_account: true,
            notice: Some(HOSTILE.into()),
        }
    }

    #[test]
    fn the_entry_page_escapes_what_was_typed() {
        for open in [EntryForm::Login, EntryForm::Register, EntryForm::Guest] {
            let html = entry(open).render().unwrap();
            assert!(!html.contains("<script>alert"), "{html}");
        }
    }

    #[test]
    fn a_closed_registration_has_no_form() {
        let page = EntryPage { registration: false, guests: false, ..entry(EntryForm::Login) };
        let html = page.render().unwrap();
        assert!(!html.contains("action=\"/register\"") && !html.contains("action=\"/guest\""), "{html}");
        assert!(html.contains("action=\"/login\""));
    }

    #[test]
    fn settings_and_people_escape_names() {
        let settings = SettingsPage {
            shell: Shell::new("Settings", "/settings"),
            username: HOSTILE.into(),
            display_name: HOSTILE.into(),
            guest: true,
            errors: FieldErrors::one("display_name", HOSTILE),
            notice: Some(HOSTILE.into()),
            sessions: vec![SessionView {
                id: HOSTILE.into(),
                device: HOSTILE.into(),
                since: Stamp(0),
                seen: Stamp(0),
                current: false,
            }],
        };
        assert!(!settings.render().unwrap().contains("<script>alert"));
        let people = PeoplePage {
            shell: Shell::new("People", "/people"),
            query: HOSTILE.into(),
            people: vec![PersonRow {
                person: Person::new(1, HOSTILE, true),
                username: HOSTILE.into(),
                online: true,
                status: HOSTILE.into(),
            }],
            next: Some(HOSTILE.into()),
        };
        assert!(!people.render().unwrap().contains("<script>alert"));
    }
}
