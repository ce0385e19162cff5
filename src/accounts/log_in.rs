//! Logging in: the password, and for those who want it a second step.

use super::password::Password;
use super::state::Accounts;
use super::user::{self, Person};
use super::{key, second};
use crate::db::Conn;
use crate::error::Result;
use crate::ids::UserId;
use crate::site::limit::Address;
use crate::text::fold;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Wrong passwords that all strangers to an account may try in a quarter of an hour: a person mistypes a few, and
/// nobody guesses one at 2,880 a day.
pub(super) const PASSWORDS_OF_STRANGERS: u32 = 30;
/// Wrong codes, for whoever has the password already: at 960 a day a code of six digits is found in a year.
pub(super) const CODES_OF_STRANGERS: u32 = 10;
/// The same for a browser in which the account has been signed in.
pub(super) const OF_A_BROWSER: u32 = 15;

/// Who tries to get in: where from, and the name of the browser when it has been in before.
#[derive(Clone, Copy, Debug)]
pub struct Trying<'a> {
    pub from: Address,
    pub browser: Option<&'a str>,
}

/// Somebody whose password was right, and whose code is to come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct HalfIn {
    pub user: UserId,
    /// When the password was right, ms.
    pub at: i64,
    /// Which password that was: another one ends it.
    proof: String,
}

/// What came of a password.
pub(super) enum LogIn {
    Refused,
    CodeNeeded(HalfIn),
    In(Arc<Person>),
}

fn proof_of(hash: Option<&str>) -> String {
    key::fingerprint(hash.unwrap_or_default())
}

impl Accounts {
    /// Compares a password. It is refused for an unknown name, a wrong password, a guest and a locked account, all
    /// after the same time; the log-in counts when there is nothing more to show.
    ///
    /// # Errors
    /// `TooMany`, for names that nobody has too.
    pub(super) async fn log_in(&self, username: &str, password: String, who: Trying<'_>) -> Result<LogIn> {
        let guess = self.passwords.begin(&fold(username.trim()), who.browser, who.from)?;
        let typed = username.to_owned();
        let found = self.db.read(move |conn| user::credentials(conn, &typed)).await?;
        let account = found.filter(|c| !c.disabled);
        let (id, hash) = account.map_or((None, None), |c| (Some(c.id), c.password_hash));
        let aged = hash.as_deref().filter(|h| !self.hasher.is_current(h)).map(|_| password.clone());
        let right = self.hasher.verify(password, hash).await?;
        let Some(id) = id.filter(|_| right) else { return Ok(LogIn::Refused) };
        let renewed = match aged {
            Some(typed) => Some(self.hasher.hash(Password::proven(typed)).await?),
            None => None,
        };
        let change = move |conn: &mut Conn| {
            if let Some(hash) = &renewed {
                user::set_password(conn, id, hash)?;
            }
            if second::is_on(conn, id)? {
                let proof = proof_of(user::password_hash(conn, id)?.as_deref());
                return Ok(Err(HalfIn { user: id, at: crate::clock::now_ms(), proof }));
            }
            user::record_login(conn, id).map(Ok)
        };
        let done = self.db.write(change).await?;
        guess.was_right();
        Ok(match done {
            Err(half) => LogIn::CodeNeeded(half),
            Ok(person) if person.disabled => LogIn::Refused,
            Ok(person) => LogIn::In(self.directory.put(person)),
        })
    }

    /// Finishes a log-in with a code of the app, or with a recovery code; `None` when it isn't one.
    ///
    /// # Errors
    /// `TooMany` after too many wrong codes of an app; nobody guesses a recovery code.
    pub(super) async fn log_in_by_code(
        &self,
        half: &HalfIn,
        typed: String,
        who: Trying<'_>,
    ) -> Result<Option<Arc<Person>>> {
        let guess = if super::totp::is_code(&second::bare(&typed)) {
            Some(self.codes.begin(&half.user.to_string(), who.browser, who.from)?)
        } else {
            None
        };
        let (id, proof, seal) = (half.user, half.proof.clone(), self.seal.clone());
        let change = move |conn: &mut Conn| {
            let same = proof_of(user::password_hash(conn, id)?.as_deref()) == proof;
            if !same || user::find(conn, id)?.disabled || !second::spend(conn, id, &seal, &typed)? {
                return Ok(None);
            }
            user::record_login(conn, id).map(Some)
        };
        let Some(person) = self.db.write(change).await? else { return Ok(None) };
        if let Some(guess) = guess {
            guess.was_right();
        }
        Ok(Some(self.directory.put(person)))
    }
}
