//! The second step of signing in: a code from an app, or one of ten recovery codes.

use super::key;
use super::seal::Seal;
use super::totp::{self, Secret};
use crate::clock::now_ms;
use crate::db::Conn;
use crate::db::schema::accounts::{recovery_codes, second_steps};
use crate::error::{Error, Result};
use crate::ids::UserId;
use diesel::prelude::*;

/// Recovery codes that somebody has at most.
const CODES: usize = 10;

/// How an account's second step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecondStep {
    Off,
    On {
        /// Recovery codes that weren't used.
        codes: i64,
    },
}

/// What a code of ten is to whoever types it, in whatever way.
pub(super) fn bare(typed: &str) -> String {
    typed.chars().filter(|c| !c.is_whitespace() && *c != '-').flat_map(char::to_lowercase).collect()
}

fn hash(id: UserId, code: &str) -> String {
    key::fingerprint(&format!("{id} {}", bare(code)))
}

/// What the sealed secret is, so that it is worth nothing in another person's row.
fn sealed_as(id: UserId) -> String {
    format!("second step of {id}")
}

/// Whether signing in takes a second step.
pub fn is_on(conn: &mut Conn, id: UserId) -> Result<bool> {
    let on = second_steps::table.find(id).filter(second_steps::confirmed_at.is_not_null());
    Ok(diesel::select(diesel::dsl::exists(on)).get_result(conn)?)
}

pub fn standing(conn: &mut Conn, id: UserId) -> Result<SecondStep> {
    if !is_on(conn, id)? {
        return Ok(SecondStep::Off);
    }
    let left = recovery_codes::table.filter(recovery_codes::user_id.eq(id));
    Ok(SecondStep::On { codes: left.count().get_result(conn)? })
}

/// Keeps a fresh secret until a code shows that an app has it.
///
/// # Errors
/// `Conflict` when the second step is on already.
pub(super) fn begin(conn: &mut Conn, id: UserId, seal: &Seal) -> Result<Secret> {
    if is_on(conn, id)? {
        let words = "The second step is on already. Turn it off to set it up with another app.";
        return Err(Error::conflict("second_step_on", words));
    }
    let secret = Secret::fresh()?;
    diesel::delete(second_steps::table.find(id)).execute(conn)?;
    diesel::insert_into(second_steps::table)
        .values((
            second_steps::user_id.eq(id),
            second_steps::secret.eq(seal.close(&sealed_as(id), &secret.base32())),
            second_steps::last_step.eq(0),
        ))
        .execute(conn)?;
    Ok(secret)
}

/// The secret and the last step that was used; of one that is on, or of one that waits for its first code.
fn load(conn: &mut Conn, id: UserId, seal: &Seal, on: bool) -> Result<Option<(Secret, i64)>> {
    let row: Option<(String, i64, Option<i64>)> = second_steps::table
        .find(id)
        .select((second_steps::secret, second_steps::last_step, second_steps::confirmed_at))
        .first(conn)
        .optional()?;
    let Some((sealed, last, _)) = row.filter(|row| row.2.is_some() == on) else { return Ok(None) };
    let secret = seal.reveal(&sealed_as(id), &sealed).and_then(|text| Secret::parse(&text));
    if secret.is_none() {
        tracing::warn!("a second step can't be read: second-step.key is another one than when it was set up");
    }
    Ok(secret.map(|secret| (secret, last)))
}

/// The secret that waits for its first code.
pub(super) fn waiting(conn: &mut Conn, id: UserId, seal: &Seal) -> Result<Option<Secret>> {
    Ok(load(conn, id, seal, false)?.map(|(secret, _)| secret))
}

/// Turns the second step on when the app shows the right code; answers with the recovery codes, which nobody sees
/// again.
///
/// # Errors
/// `Invalid` for the field `code`.
pub(super) fn confirm(conn: &mut Conn, id: UserId, seal: &Seal, typed: &str) -> Result<Vec<String>> {
    let now = now_ms();
    let Some((secret, last)) = load(conn, id, seal, false)? else {
        return Err(Error::conflict("not_begun", "The second step isn't being set up. Begin again."));
    };
    let step = secret.step_of(&bare(typed), now, last)?.ok_or_else(|| {
        let words =
            "That isn't the code that the app shows now. If it goes on so, the clock of your phone is wrong.";
        Error::field("code", words)
    })?;
    diesel::update(second_steps::table.find(id))
        .set((second_steps::last_step.eq(step), second_steps::confirmed_at.eq(now)))
        .execute(conn)?;
    renew_codes(conn, id)
}

/// Ten new recovery codes; the old ones are over.
pub(super) fn renew_codes(conn: &mut Conn, id: UserId) -> Result<Vec<String>> {
    diesel::delete(recovery_codes::table.filter(recovery_codes::user_id.eq(id))).execute(conn)?;
    let mut codes = Vec::with_capacity(CODES);
    for _ in 0..CODES {
        let word: Vec<char> = key::random_word()?.chars().collect();
        let code = word.chunks(4).map(|four| four.iter().collect::<String>()).collect::<Vec<_>>().join("-");
        diesel::insert_into(recovery_codes::table)
            .values((recovery_codes::user_id.eq(id), recovery_codes::code_hash.eq(hash(id, &code))))
            .execute(conn)?;
        codes.push(code);
    }
    Ok(codes)
}

/// Whether this is a code of the person's app that wasn't used, or one of the recovery codes; it is used up then.
pub(super) fn spend(conn: &mut Conn, id: UserId, seal: &Seal, typed: &str) -> Result<bool> {
    let typed = bare(typed);
    if !is_on(conn, id)? {
        return Ok(false);
    }
    if !totp::is_code(&typed) {
        let code = recovery_codes::table
            .filter(recovery_codes::user_id.eq(id).and(recovery_codes::code_hash.eq(hash(id, &typed))));
        return Ok(diesel::delete(code).execute(conn)? == 1);
    }
    let Some((secret, last)) = load(conn, id, seal, true)? else { return Ok(false) };
    let Some(step) = secret.step_of(&typed, now_ms(), last)? else { return Ok(false) };
    // The condition once more: on Postgres another node may take the same code in the same moment.
    let unused = second_steps::table.find(id).filter(second_steps::last_step.lt(step));
    Ok(diesel::update(unused).set(second_steps::last_step.eq(step)).execute(conn)? == 1)
}

/// Takes the second step away, codes and all; whether there was one.
pub fn off(conn: &mut Conn, id: UserId) -> Result<bool> {
    diesel::delete(recovery_codes::table.filter(recovery_codes::user_id.eq(id))).execute(conn)?;
    Ok(diesel::delete(second_steps::table.find(id)).execute(conn)? > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recovery_code_is_the_same_however_it_is_typed_and_another_for_everybody() {
        assert_eq!(hash(UserId(1), "abcd-efgh-ijkl-mnop"), hash(UserId(1), " ABCD EFGHIJKL mnop\n"));
        assert_ne!(hash(UserId(1), "abcd-efgh-ijkl-mnop"), hash(UserId(2), "abcd-efgh-ijkl-mnop"));
        assert_eq!(bare(" 123 456 "), "123456");
    }
}
