//! What one's own password opens: another password, the second step, new recovery codes.

use super::password::Password;
use super::second::{self, SecondStep};
use super::state::Accounts;
use super::totp::Secret;
use super::visitor::Visitor;
use super::{handover, reset, session, token, user};
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::ids::UserId;
use crate::site::guess::Guess;

/// A change of one's own password.
pub struct PasswordChange {
    /// The one until now.
    pub current: String,
    pub new: Password,
    /// Programs lose their tokens too.
    pub tokens: bool,
}

fn no_guests(visitor: &Visitor) -> Result<()> {
    if visitor.person.is_guest() {
        let words = "A guest has no password. By registering they become a full account.";
        return Err(Error::conflict("guest", words));
    }
    Ok(())
}

fn wrong_code() -> Error {
    Error::field("code", "That code isn't right, or was used already.")
}

impl Accounts {
    /// Goes on if this is the visitor's own password. A wrong one is counted, so that whoever finds a browser open
    /// can't try on; what this answers with is to be forgiven when all else is right, too.
    async fn prove(&self, visitor: &Visitor, typed: String) -> Result<Guess> {
        no_guests(visitor)?;
        let id = visitor.person.id;
        let guess = self.proofs.begin(id, visitor.address)?;
        let hash = self.db.read(move |conn| user::password_hash(conn, id)).await?;
        if self.hasher.verify(typed, hash).await? {
            return Ok(guess);
        }
        Err(Error::field("current", "That isn't your password."))
    }

    /// Sets another password. All other sessions end, with their sockets, and so does what was on its way in.
    ///
    /// # Errors
    /// `Invalid` for the field `current`, `TooMany`, `Conflict` for a guest.
    pub async fn change_password(&self, visitor: &Visitor, change: PasswordChange) -> Result<()> {
        let guess = self.prove(visitor, change.current).await?;
        let hash = self.hasher.hash(change.new).await?;
        let (id, keep, tokens) = (visitor.person.id, visitor.session(), change.tokens);
        let write = move |conn: &mut Conn| {
            user::set_password(conn, id, &hash)?;
            session::revoke(conn, id, |session| Some(session) != keep)?;
            if tokens {
                token::revoke(conn, id, None)?;
            }
            handover::end(conn, id)?;
            reset::end(conn, id)
        };
        self.db.write(write).await?;
        guess.was_right();
        // The rows carry the news: the sweep publishes what was revoked a moment ago.
        self.sweep().await
    }

    /// How the person's second step stands.
    pub async fn second_step(&self, id: UserId) -> Result<SecondStep> {
        self.db.read(move |conn| second::standing(conn, id)).await
    }

    /// Begins to set the second step up.
    ///
    /// # Errors
    /// `Invalid` for the field `current`, `TooMany`, `Conflict` for a guest, or when it is on.
    pub async fn begin_second_step(&self, visitor: &Visitor, current: String) -> Result<()> {
        let guess = self.prove(visitor, current).await?;
        let (id, seal) = (visitor.person.id, self.seal.clone());
        self.db.write(move |conn| second::begin(conn, id, &seal).map(drop)).await?;
        guess.was_right();
        Ok(())
    }

    /// The secret that an app is to take over, while it is being set up.
    pub async fn waiting_second_step(&self, id: UserId) -> Result<Option<Secret>> {
        let seal = self.seal.clone();
        self.db.read(move |conn| second::waiting(conn, id, &seal)).await
    }

    /// Turns the second step on; answers with the recovery codes.
    ///
    /// # Errors
    /// `Invalid` for the field `code`; `Conflict` when it wasn't begun.
    pub async fn confirm_second_step(&self, id: UserId, code: String) -> Result<Vec<String>> {
        let seal = self.seal.clone();
        self.db.write(move |conn| second::confirm(conn, id, &seal, &code)).await
    }

    /// Ten new recovery codes in the place of the old ones.
    ///
    /// # Errors
    /// `Invalid` for the fields `current` and `code`, `TooMany`.
    pub async fn renew_recovery_codes(
        &self,
        visitor: &Visitor,
        current: String,
        code: String,
    ) -> Result<Vec<String>> {
        let guess = self.prove(visitor, current).await?;
        let (id, seal) = (visitor.person.id, self.seal.clone());
        let write = move |conn: &mut Conn| {
            if second::spend(conn, id, &seal, &code)? {
                second::renew_codes(conn, id)
            } else {
                Err(wrong_code())
            }
        };
        let codes = self.db.write(write).await?;
        guess.was_right();
        Ok(codes)
    }

    /// Turns the second step off.
    ///
    /// # Errors
    /// `Invalid` for the fields `current` and `code`, `TooMany`.
    pub async fn end_second_step(&self, visitor: &Visitor, current: String, code: String) -> Result<()> {
        let guess = self.prove(visitor, current).await?;
        let (id, seal) = (visitor.person.id, self.seal.clone());
        let write = move |conn: &mut Conn| {
            if second::spend(conn, id, &seal, &code)? {
                second::off(conn, id).map(drop)
            } else {
                Err(wrong_code())
            }
        };
        self.db.write(write).await?;
        guess.was_right();
        Ok(())
    }
}
