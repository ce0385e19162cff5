//! A link by which somebody sets a new password, made by those who look after the place: no mail is needed.

use super::key;
use super::password::Password;
use super::state::{Accounts, end_everything};
use super::user::{self, Person};
use crate::clock::now_ms;
use crate::db::Conn;
use crate::db::schema::accounts::resets;
use crate::error::{Error, Result};
use crate::ids::UserId;
use diesel::prelude::*;

/// How long a link holds, ms.
const LIFE: i64 = 24 * 3600 * 1000;

/// A link that was made just now.
#[derive(Clone, Debug)]
pub struct Reset {
    /// What only the link has.
    pub code: String,
    /// Milliseconds.
    pub expires_at: i64,
}

impl Reset {
    /// The link's path and query.
    pub fn path(&self) -> String {
        format!("/reset?code={}", self.code)
    }
}

fn hash(code: &str) -> String {
    key::fingerprint(code.trim())
}

fn over() -> Error {
    Error::NotFound("That link doesn't hold, or not any more. Ask for a new one.")
}

/// Makes a link for somebody; an older one is over.
///
/// # Errors
/// `Conflict` for a guest, who has no password, and for somebody who is locked out.
pub fn create(conn: &mut Conn, id: UserId) -> Result<Reset> {
    let person = user::find(conn, id)?;
    if person.is_guest() {
        let words = "A guest has no password. By registering they become a full account.";
        return Err(Error::conflict("guest", words));
    }
    if person.disabled {
        return Err(Error::conflict("locked_out", "That person is locked out. Let them in again first."));
    }
    end(conn, id)?;
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(Error::internal)?;
    let code = data_encoding::BASE64URL_NOPAD.encode(&bytes);
    let expires_at = now_ms() + LIFE;
    diesel::insert_into(resets::table)
        .values((
            resets::user_id.eq(id),
            resets::code_hash.eq(hash(&code)),
            resets::expires_at.eq(expires_at),
        ))
        .execute(conn)?;
    Ok(Reset { code, expires_at })
}

/// Ends somebody's link: they have come in without it, or may not come in any more.
pub(super) fn end(conn: &mut Conn, id: UserId) -> Result<()> {
    diesel::delete(resets::table.find(id)).execute(conn)?;
    Ok(())
}

/// Whose link this is.
///
/// # Errors
/// `NotFound` when it is nobody's, or not any more.
fn find(conn: &mut Conn, code: &str) -> Result<Person> {
    let holder: Option<UserId> = resets::table
        .filter(resets::code_hash.eq(hash(code)).and(resets::expires_at.gt(now_ms())))
        .select(resets::user_id)
        .first(conn)
        .optional()?;
    let person = user::find(conn, holder.ok_or_else(over)?)?;
    if person.disabled { Err(over()) } else { Ok(person) }
}

/// Sets the password of whoever has this link, and ends the link, all sessions and all tokens.
fn use_up(conn: &mut Conn, code: &str, password_hash: &str) -> Result<UserId> {
    let person = find(conn, code)?;
    // Of two with the same link, also on two nodes, one deletes the row.
    let row = resets::table.find(person.id).filter(resets::code_hash.eq(hash(code)));
    if diesel::delete(row).execute(conn)? == 0 {
        return Err(over());
    }
    user::set_password(conn, person.id, password_hash)?;
    end_everything(conn, person.id)?;
    Ok(person.id)
}

impl Accounts {
    /// Whose password a link's code sets.
    ///
    /// # Errors
    /// `NotFound` when it doesn't hold.
    pub async fn holder_of_reset(&self, code: &str) -> Result<Person> {
        let code = code.to_owned();
        self.db.read(move |conn| find(conn, &code)).await
    }

    /// Sets a new password by a link, once; whoever was signed in as this person isn't any more.
    ///
    /// # Errors
    /// `NotFound` when the link doesn't hold.
    pub async fn reset_password(&self, code: String, password: Password) -> Result<()> {
        // Asked before the costly hash.
        self.holder_of_reset(&code).await?;
        let password_hash = self.hasher.hash(password).await?;
        let id = self.db.write(move |conn| use_up(conn, &code, &password_hash)).await?;
        self.directory.forget(id);
        // The rows carry the news: the sweep publishes what was revoked a moment ago.
        self.sweep().await
    }
}
