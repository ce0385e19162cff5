//! Who may do what to whose account: roles, locking out, new passwords.

use super::audit::{self, Deed};
use super::reset::{self, Reset};
use super::restraint::lock_out;
use super::role::Role;
use super::state::Accounts;
use super::user::{self, Person};
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::events::Event;
use crate::ids::UserId;
use std::sync::Arc;

/// All roles of full accounts, the highest first.
const ROLES: [Role; 4] = [Role::Owner, Role::Admin, Role::Moderator, Role::Member];

pub(super) fn rank(role: Role) -> u8 {
    match role {
        Role::Owner => 4,
        Role::Admin => 3,
        Role::Moderator => 2,
        Role::Member => 1,
        Role::Guest => 0,
    }
}

impl Person {
    /// Whether this person may change what the other one may do: an owner everybody's, an admin that of those below.
    pub fn governs(&self, other: &Self) -> bool {
        self.id != other.id
            && !self.disabled
            && match self.role {
                Role::Owner => true,
                Role::Admin => rank(other.role) < rank(Role::Admin),
                _ => false,
            }
    }

    /// The roles that this person may give the other one; nothing when there is no choice.
    pub fn may_make(&self, other: &Self) -> Vec<Role> {
        let steps_down = self.id == other.id && self.role.administers() && !self.disabled;
        if other.is_guest() || !(self.governs(other) || steps_down) {
            return Vec::new();
        }
        ROLES.into_iter().filter(|role| rank(*role) <= rank(self.role)).collect()
    }
}

pub(super) fn above() -> Error {
    let words =
        "That isn't yours to change: you look after those below you, and raise nobody above yourself.";
    Error::forbidden("above_you", words)
}

/// The two as they are in this transaction: either may have become another since the page was made.
pub(super) fn both(conn: &mut Conn, by: UserId, id: UserId) -> Result<(Person, Person)> {
    Ok((user::find(conn, by)?, user::find(conn, id)?))
}

impl Accounts {
    /// Gives somebody another role.
    ///
    /// # Errors
    /// `Forbidden` when it isn't theirs to give; `Conflict` for the only owner, and for a guest.
    pub async fn set_role(&self, by: UserId, id: UserId, role: Role) -> Result<Arc<Person>> {
        let change = move |conn: &mut Conn| {
            let (actor, target) = both(conn, by, id)?;
            if !target.is_guest() && !actor.may_make(&target).contains(&role) {
                return Err(above());
            }
            user::set_role(conn, id, role)?;
            let detail = format!("{} → {}", target.role.as_str(), role.as_str());
            audit::note(conn, Some(by), Deed::Role, Some(id), &detail)?;
            user::find(conn, id)
        };
        let person = self.directory.put(self.db.write(change).await?);
        // Open sockets judge by the role that they know.
        self.events.publish(&Event::ProfileChanged(id));
        Ok(person)
    }

    /// Locks somebody out or lets them in again; being locked out ends all their sessions and tokens.
    ///
    /// # Errors
    /// `Forbidden` for oneself and for those who don't stand below; `Conflict` for the only owner.
    pub async fn set_disabled(&self, by: UserId, id: UserId, disabled: bool) -> Result<()> {
        let change = move |conn: &mut Conn| {
            let (actor, target) = both(conn, by, id)?;
            if by == id {
                return Err(Error::forbidden("yourself", "You can't lock yourself out."));
            }
            if !actor.governs(&target) {
                return Err(above());
            }
            lock_out(conn, Some(by), id, disabled, "")
        };
        self.db.write(change).await?;
        self.directory.forget(id);
        // The rows carry the news: the sweep publishes what was revoked a moment ago.
        self.sweep().await
    }

    /// Makes a link by which somebody sets a new password.
    ///
    /// # Errors
    /// `Forbidden` for oneself, as a session left open would be enough to take the account over, and for those who
    /// don't stand below; `Conflict` for guests and for who is locked out.
    pub async fn make_reset(&self, by: UserId, id: UserId) -> Result<Reset> {
        let change = move |conn: &mut Conn| {
            let (actor, target) = both(conn, by, id)?;
            if by == id {
                let words = "You set your own password in your settings, with the one you have.";
                return Err(Error::forbidden("yourself", words));
            }
            if !actor.governs(&target) {
                return Err(above());
            }
            audit::note(conn, Some(by), Deed::Reset, Some(id), "")?;
            reset::create(conn, id)
        };
        self.db.write(change).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(id: i64, role: Role) -> Person {
        Person { role, ..Person::for_tests(id, "Somebody") }
    }

    #[test]
    fn nobody_governs_those_above_or_beside_them_but_an_owner() {
        let all = [Role::Owner, Role::Admin, Role::Moderator, Role::Member, Role::Guest];
        for (actor, governed) in
            [(Role::Owner, 5), (Role::Admin, 3), (Role::Moderator, 0), (Role::Member, 0), (Role::Guest, 0)]
        {
            let under = all.iter().rev().take_while(|role| person(1, actor).governs(&person(2, **role)));
            assert_eq!(under.count(), governed, "{actor:?}");
        }
        assert!(!person(1, Role::Owner).governs(&person(1, Role::Owner)), "oneself is another matter");
    }

    #[test]
    fn nobody_raises_anybody_above_themself() {
        assert_eq!(person(1, Role::Owner).may_make(&person(2, Role::Member)), ROLES);
        assert_eq!(person(1, Role::Admin).may_make(&person(2, Role::Member)), ROLES[1..]);
        assert!(person(1, Role::Admin).may_make(&person(2, Role::Admin)).is_empty());
        assert_eq!(person(1, Role::Admin).may_make(&person(1, Role::Admin)), ROLES[1..], "one may step down");
        assert!(person(1, Role::Moderator).may_make(&person(1, Role::Moderator)).is_empty());
        assert!(person(1, Role::Owner).may_make(&person(2, Role::Guest)).is_empty());
        let locked_out = Person { disabled: true, ..person(1, Role::Owner) };
        assert!(locked_out.may_make(&person(2, Role::Member)).is_empty());
    }
}
