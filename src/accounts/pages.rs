//! The page to come in by, and the answer of every address that has none.

use super::visitor::Visitor;
use crate::error::{Error, Result};
use crate::site::page::{FieldErrors, Shell};
use crate::site::words::filters;
use actix_web::HttpResponse;
use askama::Template;

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
    /// The place's own authority can be downloaded, to come in by HTTPS.
    pub has_authority: bool,
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

/// Every address that nothing else answers. Who looks is found out for the sake of the page's shell.
pub async fn nothing(_: Option<Visitor>) -> Result<HttpResponse> {
    Err(Error::NotFound("There is nothing at this address."))
}

#[cfg(test)]
mod page_tests {
    use super::*;

    const HOSTILE: &str = "\"><script>alert('x')</script>";

    fn entry(open: EntryForm) -> EntryPage {
        EntryPage {
            has_authority: false,
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
}
