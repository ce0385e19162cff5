//! What guests may do: the owner's setting `guest_rights` says so.

use super::state::Accounts;
use super::user::Person;
use crate::config::Right;
use crate::error::{Error, Result};

impl Accounts {
    /// Whether this person may do what a guest needs a right for; with an account one may, unless one is in a time-out
    /// or new here.
    pub fn allows(&self, person: &Person, right: Right) -> bool {
        self.allow(person, right).is_ok()
    }

    /// [`allows`](Self::allows), as the condition of what follows.
    ///
    /// # Errors
    /// `Forbidden`, with the way to an account in a guest's sentence.
    pub fn allow(&self, person: &Person, right: Right) -> Result<()> {
        // By a key one is found, and says nothing.
        if right != Right::Key {
            person.may_speak()?;
        }
        if right == Right::Files && self.is_newcomer(person) {
            let hours = self.config.newcomer_hours;
            let words = format!("Whoever is new here can't send files in the first {hours} hours.");
            return Err(Error::forbidden("newcomer", words));
        }
        if !person.is_guest() || self.config.guest_rights.contains(&right) {
            return Ok(());
        }
        let words = match right {
            Right::Channels => {
                "Guests can't create channels here. Make an account; what you wrote stays yours."
            }
            Right::Groups => "Guests can't create groups here. Make an account; what you wrote stays yours.",
            Right::Direct => {
                "Guests can't write privately here. Make an account; what you wrote stays yours."
            }
            Right::Key => {
                "Guests can't have a private key here. Make an account; what you wrote stays yours."
            }
            Right::Files => "Guests can't send files here. Make an account; what you wrote stays yours.",
        };
        Err(Error::forbidden("guest", words))
    }
}
