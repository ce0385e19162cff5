//! What guests may do: the owner's setting `guest_rights` says so.

use super::state::Accounts;
use super::user::Person;
use crate::config::Right;
use crate::error::{Error, Result};

impl Accounts {
    /// Whether this person may do what a guest needs a right for; everybody with an account may.
    pub fn allows(&self, person: &Person, right: Right) -> bool {
        !person.is_guest() || self.config.guest_rights.contains(&right)
    }

    /// [`allows`](Self::allows), as the condition of what follows.
    ///
    /// # Errors
    /// `Forbidden`, with the way to an account in its sentence.
    pub fn allow(&self, person: &Person, right: Right) -> Result<()> {
        if self.allows(person, right) {
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
