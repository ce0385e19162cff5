//! Keeping order among people: time-outs, bans, and who may do it to whom.

use super::audit::{self, Deed};
use super::authority::{above, both, rank};
use super::state::{Accounts, end_everything};
use super::user::{self, Person};
use crate::clock::now_ms;
use crate::db::Conn;
use crate::db::schema::accounts::users;
use crate::error::{Error, FieldError, Result};
use crate::events::Event;
use crate::ids::UserId;
use crate::site::page::Stamp;
use diesel::prelude::*;
use std::sync::Arc;

/// The longest time-out, s: whoever is to be quiet for longer is rather not to come in.
pub const TIME_OUT_MAX: i64 = 28 * 24 * 3600;
/// Characters of a reason.
const REASON_MAX: usize = 200;

/// Why something is done to somebody, for the log. May be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reason(String);

impl Reason {
    /// # Errors
    /// For the field `reason`: too long, or with control characters.
    pub fn parse(typed: &str) -> Result<Self, FieldError> {
        let reason = typed.split_whitespace().collect::<Vec<_>>().join(" ");
        if reason.chars().nth(REASON_MAX).is_some() {
            return Err(FieldError::new("reason", format!("A reason has at most {REASON_MAX} characters.")));
        }
        if reason.chars().any(char::is_control) {
            return Err(FieldError::new("reason", "A reason can't have control characters."));
        }
        Ok(Self(reason))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What else there is to say, with the reason behind it.
    fn behind(&self, detail: &str) -> String {
        match (detail.is_empty(), self.0.is_empty()) {
            (_, true) => detail.to_owned(),
            (true, _) => self.0.clone(),
            _ => format!("{detail} · {}", self.0),
        }
    }
}

/// A moment as every language writes it: `2026-11-30 14:05`.
fn moment(ms: i64) -> String {
    Stamp(ms).iso().replace('T', " ").chars().take(16).collect()
}

/// What somebody in a time-out is told.
pub fn silenced(until: i64) -> Error {
    let moment = moment(until);
    Error::forbidden(
        "timed_out",
        format!("You are in a time-out until {moment} UTC: you can read, but not write."),
    )
}

impl Person {
    /// Whether this person may send the other one out, or keep them quiet: moderators those below them.
    pub fn may_restrain(&self, other: &Self) -> bool {
        self.id != other.id && !self.disabled && self.role.moderates() && rank(other.role) < rank(self.role)
    }

    /// Whether they came less than so many hours ago. Whoever looks after the place isn't new.
    pub fn is_new(&self, hours: i64) -> bool {
        hours > 0 && !self.is_staff() && now_ms() - self.created_at < hours * 3_600_000
    }

    /// Until when they may only read, ms; nothing when they may write.
    pub fn silenced(&self) -> Option<i64> {
        self.silenced_until.filter(|until| *until > now_ms())
    }

    /// # Errors
    /// `Forbidden` in a time-out, with the moment in which it ends.
    pub fn may_speak(&self) -> Result<()> {
        self.silenced().map_or(Ok(()), |until| Err(silenced(until)))
    }
}

/// The one whom `by` may restrain.
fn target(conn: &mut Conn, by: UserId, id: UserId) -> Result<Person> {
    let (actor, target) = both(conn, by, id)?;
    if by == id {
        return Err(Error::forbidden("yourself", "You can't do that to yourself."));
    }
    if actor.may_restrain(&target) { Ok(target) } else { Err(above()) }
}

impl Accounts {
    /// Whether they are in their first hours here, as the setting `newcomer_hours` says.
    pub fn is_newcomer(&self, person: &Person) -> bool {
        person.is_new(self.config.newcomer_hours)
    }

    /// Lets somebody only read for so many seconds; 0 lets them write again.
    ///
    /// # Errors
    /// `Forbidden` for oneself and for those who don't stand below; `Invalid` for too long a time.
    pub async fn time_out(
        &self,
        by: UserId,
        id: UserId,
        seconds: i64,
        reason: Reason,
    ) -> Result<Arc<Person>> {
        if !(0..=TIME_OUT_MAX).contains(&seconds) {
            return Err(Error::field("seconds", "A time-out lasts from a second to 28 days."));
        }
        let until = (seconds > 0).then(|| now_ms() + seconds * 1000);
        let change = move |conn: &mut Conn| {
            target(conn, by, id)?;
            diesel::update(users::table.find(id)).set(users::silenced_until.eq(until)).execute(conn)?;
            let (deed, detail) = match until {
                Some(until) => (Deed::TimeOut, format!("→ {} UTC", moment(until))),
                None => (Deed::EndTimeOut, String::new()),
            };
            audit::note(conn, Some(by), deed, Some(id), &reason.behind(&detail))?;
            user::find(conn, id)
        };
        let person = self.directory.put(self.db.write(change).await?);
        self.events.publish(&Event::Silenced(id));
        Ok(person)
    }

    /// Locks somebody out, with all sessions and tokens, or lets them in again. A moderator's
    /// [`set_disabled`](Self::set_disabled).
    ///
    /// # Errors
    /// `Forbidden` for oneself and for those who don't stand below; `Conflict` when it is so already.
    pub async fn ban(&self, by: UserId, id: UserId, banned: bool, reason: Reason) -> Result<()> {
        let change = move |conn: &mut Conn| {
            let target = target(conn, by, id)?;
            if target.disabled == banned {
                let words = if banned { "They are locked out already." } else { "They aren't locked out." };
                return Err(Error::conflict("no_change", words));
            }
            lock_out(conn, Some(by), id, banned, reason.as_str())
        };
        self.db.write(change).await?;
        self.directory.forget(id);
        // The rows carry the news: the sweep publishes what was revoked a moment ago.
        self.sweep().await
    }

    /// Writes down that what somebody wrote is to be taken down, or brought back: the other database follows.
    ///
    /// # Errors
    /// `Forbidden` for oneself and for those who don't stand below.
    pub async fn note_takedown(&self, by: UserId, id: UserId, deed: Deed, detail: String) -> Result<()> {
        let change = move |conn: &mut Conn| {
            target(conn, by, id)?;
            audit::note(conn, Some(by), deed, Some(id), &detail)
        };
        self.db.write(change).await
    }
}

/// Locks out or lets in again, and writes it down; being locked out ends all sessions and tokens.
pub(crate) fn lock_out(
    conn: &mut Conn,
    by: Option<UserId>,
    id: UserId,
    banned: bool,
    detail: &str,
) -> Result<()> {
    user::set_disabled(conn, id, banned)?;
    audit::note(conn, by, if banned { Deed::Ban } else { Deed::Unban }, Some(id), detail)?;
    if banned { end_everything(conn, id) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::Role;

    fn person(id: i64, role: Role) -> Person {
        Person { role, ..Person::for_tests(id, "Somebody") }
    }

    #[test]
    fn moderators_restrain_those_below_them_and_nobody_beside_or_above() {
        let all = [Role::Owner, Role::Admin, Role::Moderator, Role::Member, Role::Guest];
        for (actor, restrained) in
            [(Role::Owner, 4), (Role::Admin, 3), (Role::Moderator, 2), (Role::Member, 0), (Role::Guest, 0)]
        {
            let under = all.iter().rev().take_while(|role| person(1, actor).may_restrain(&person(2, **role)));
            assert_eq!(under.count(), restrained, "{actor:?}");
        }
        assert!(!person(1, Role::Owner).may_restrain(&person(1, Role::Member)), "nobody themselves");
        let locked_out = Person { disabled: true, ..person(1, Role::Owner) };
        assert!(!locked_out.may_restrain(&person(2, Role::Member)));
    }

    #[test]
    fn a_time_out_is_told_with_its_end_and_is_over_then() {
        let until = 1_796_047_500_000;
        let said = silenced(until).detail();
        assert_eq!(said, "You are in a time-out until 2026-11-30 14:05 UTC: you can read, but not write.");
        let quiet = |until| Person { silenced_until: Some(until), ..person(1, Role::Member) };
        assert!(quiet(now_ms() + 60_000).may_speak().is_err());
        assert!(quiet(now_ms() - 1).may_speak().is_ok());
    }

    #[test]
    fn a_reason_is_one_short_line() {
        assert_eq!(Reason::parse(" spam \n again ").map(|r| r.behind("x")), Ok("x · spam again".to_owned()));
        assert_eq!(Reason::parse("").map(|r| r.behind("x")), Ok("x".to_owned()));
        assert!(Reason::parse(&"x".repeat(201)).is_err() && Reason::parse("a\u{7}b").is_err());
    }
}
