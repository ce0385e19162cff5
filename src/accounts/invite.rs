//! Invites: links by which people make accounts, and who came by which.

use super::audit::{self, Deed};
use super::key;
use super::state::Accounts;
use super::user::{self, Person};
use crate::clock::now_ms;
use crate::config::Registration;
use crate::db::Conn;
use crate::db::schema::accounts::{arrivals, invites};
use crate::error::{Error, FieldError, Result};
use crate::ids::{InviteId, UserId};
use crate::text::{is_blank, is_unruly};
use diesel::prelude::*;
use std::sync::Arc;

/// Characters of what an invite is called.
const LABEL_MAX: usize = 48;
/// People whom one invite may bring: a year of students.
pub const USES_MAX: i64 = 1000;
/// Days for which one may hold.
pub const DAYS_MAX: i64 = 365;
/// Milliseconds.
const DAY: i64 = 24 * 3600 * 1000;
/// Invites that may hold at once: more than anybody hands out, fewer than would fill a disk.
const MOST: i64 = 500;
/// Invites on one page of the list.
const PAGE: i64 = 20;
/// People who are named beside an invite; the others are only counted.
const NAMED: i64 = 20;

/// What an invite is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InviteWish {
    label: String,
    uses: i64,
    expires_at: i64,
}

impl InviteWish {
    /// # Errors
    /// For the fields `label`, `uses` and `expires_at`, one sentence each.
    pub fn parse(label: &str, uses: i64, expires_at: i64) -> Result<Self, Vec<FieldError>> {
        let label = label.trim();
        let mut wrong = Vec::new();
        if is_blank(label) {
            wrong.push(FieldError::new("label", "Say whom or what the invite is for."));
        } else if label.chars().nth(LABEL_MAX).is_some() {
            wrong.push(FieldError::new(
                "label",
                format!("The name of an invite has at most {LABEL_MAX} characters."),
            ));
        } else if label.chars().any(is_unruly) {
            let words = "The name of an invite can't have line breaks or other control characters.";
            wrong.push(FieldError::new("label", words));
        }
        if !(1..=USES_MAX).contains(&uses) {
            wrong.push(FieldError::new("uses", format!("An invite is for 1 to {USES_MAX} people.")));
        }
        let now = now_ms();
        if expires_at <= now || expires_at > now + DAYS_MAX * DAY {
            let words = format!("An invite ends within {DAYS_MAX} days, and not in the past.");
            wrong.push(FieldError::new("expires_at", words));
        }
        let label = label.to_owned();
        if wrong.is_empty() { Ok(Self { label, uses, expires_at }) } else { Err(wrong) }
    }

    /// When an invite ends that holds for so many days from now on; a moment that nobody may have for other numbers.
    pub fn end_after(days: i64) -> i64 {
        if (1..=DAYS_MAX).contains(&days) { now_ms() + days * DAY } else { 0 }
    }
}

/// An invite as those who look after the place see it.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = invites)]
pub struct Invite {
    pub id: InviteId,
    pub label: String,
    pub made_by: UserId,
    /// How many may come by it.
    pub uses: i64,
    /// How many have.
    pub used: i64,
    /// Milliseconds.
    pub created_at: i64,
    /// Milliseconds.
    pub expires_at: i64,
    /// Milliseconds; nothing unless somebody ended it.
    pub revoked_at: Option<i64>,
}

impl Invite {
    /// Whether it brings anybody in at this moment, as far as the invite itself says.
    pub fn holds(&self) -> bool {
        self.revoked_at.is_none() && self.expires_at > now_ms() && self.used < self.uses
    }
}

/// An invite with those who came by it, the latest first, as many as are named.
#[derive(Clone, Debug)]
pub struct Listed {
    pub invite: Invite,
    pub came: Vec<UserId>,
}

fn hash(code: &str) -> String {
    key::fingerprint(&code.trim().to_lowercase())
}

/// Unknown, ended and revoked are one: the difference is nobody's business.
fn over() -> Error {
    Error::field("invite", "That invite doesn't hold, or not any more. Ask for a new one.")
}

fn used_up() -> Error {
    Error::field("invite", "That invite is used up. Ask for a new one.")
}

fn needed() -> Error {
    let words = "To make an account here you need an invite. Ask somebody who looks after this place.";
    Error::field("invite", words)
}

/// Makes an invite; answers with it and its code, which nobody sees again.
///
/// # Errors
/// `Conflict` when too many hold already.
pub fn create(conn: &mut Conn, by: UserId, wish: &InviteWish) -> Result<(Invite, String)> {
    let code = key::random_word()?;
    let now = now_ms();
    let holding = invites::table
        .filter(invites::revoked_at.is_null().and(invites::expires_at.gt(now)))
        .filter(invites::used.lt(invites::uses));
    if holding.count().get_result::<i64>(conn)? >= MOST {
        return Err(Error::conflict(
            "too_many_invites",
            "That is one invite too many. Revoke one that isn't needed any more.",
        ));
    }
    let code_hash = hash(&code);
    diesel::insert_into(invites::table)
        .values((
            invites::code_hash.eq(&code_hash),
            invites::label.eq(&wish.label),
            invites::made_by.eq(by),
            invites::uses.eq(wish.uses),
            invites::created_at.eq(now),
            invites::expires_at.eq(wish.expires_at),
        ))
        .execute(conn)?;
    audit::note(conn, Some(by), Deed::Invite, None, &wish.label)?;
    let made = invites::table.filter(invites::code_hash.eq(&code_hash));
    Ok((made.select(Invite::as_select()).first(conn)?, code))
}

/// A page of invites, the latest first, and whether there are more.
pub fn page(conn: &mut Conn, before: Option<InviteId>) -> Result<(Vec<Listed>, bool)> {
    let mut rows =
        invites::table.select(Invite::as_select()).order(invites::id.desc()).limit(PAGE + 1).into_boxed();
    if let Some(before) = before {
        rows = rows.filter(invites::id.lt(before));
    }
    let mut found: Vec<Invite> = rows.load(conn)?;
    let size = usize::try_from(PAGE).unwrap_or(usize::MAX);
    let more = found.len() > size;
    found.truncate(size);
    let mut listed = Vec::with_capacity(found.len());
    for invite in found {
        let came = arrivals::table
            .filter(arrivals::invite_id.eq(invite.id))
            .order(arrivals::user_id.desc())
            .limit(NAMED)
            .select(arrivals::user_id)
            .load(conn)?;
        listed.push(Listed { invite, came });
    }
    Ok((listed, more))
}

/// Ends an invite; who came by it stays.
///
/// # Errors
/// `NotFound` when there is no such invite, or it was ended already.
pub fn revoke(conn: &mut Conn, by: UserId, id: InviteId) -> Result<()> {
    let live = invites::table.find(id).filter(invites::revoked_at.is_null());
    let label: Option<String> = live.select(invites::label).first(conn).optional()?;
    let label = label.ok_or(Error::NotFound("That invite is over already."))?;
    diesel::update(live).set(invites::revoked_at.eq(now_ms())).execute(conn)?;
    audit::note(conn, Some(by), Deed::EndInvite, None, &label)
}

/// The invite with this code and who made it.
///
/// # Errors
/// `Invalid` for the field `invite` when nobody may come by it.
fn look(conn: &mut Conn, code: &str) -> Result<(Invite, Person)> {
    let invite: Option<Invite> = invites::table
        .filter(invites::code_hash.eq(hash(code)))
        .select(Invite::as_select())
        .first(conn)
        .optional()?;
    let invite = invite.ok_or_else(over)?;
    let maker = user::find(conn, invite.made_by)?;
    // Whoever doesn't look after the place any more brings nobody in either.
    if maker.disabled
        || !maker.role.administers()
        || invite.revoked_at.is_some()
        || invite.expires_at <= now_ms()
    {
        return Err(over());
    }
    if invite.used >= invite.uses { Err(used_up()) } else { Ok((invite, maker)) }
}

/// Takes one use of the invite with this code, if one was given.
///
/// # Errors
/// `Invalid` for the field `invite`: none where one is needed, or one that doesn't hold.
pub(super) fn take(conn: &mut Conn, registration: Registration, code: &str) -> Result<Option<InviteId>> {
    if code.trim().is_empty() {
        return if registration == Registration::Invite { Err(needed()) } else { Ok(None) };
    }
    let (invite, _) = look(conn, code)?;
    // The condition once more: on Postgres another node may be taking the last use in the same moment.
    let left = invites::table
        .find(invite.id)
        .filter(invites::used.lt(invites::uses).and(invites::revoked_at.is_null()));
    match diesel::update(left).set(invites::used.eq(invites::used + 1)).execute(conn)? {
        0 => Err(used_up()),
        _ => Ok(Some(invite.id)),
    }
}

/// Writes down who came by it.
pub(super) fn note(conn: &mut Conn, invite: InviteId, who: UserId) -> Result<()> {
    diesel::insert_into(arrivals::table)
        .values((
            arrivals::user_id.eq(who),
            arrivals::invite_id.eq(invite),
            arrivals::arrived_at.eq(now_ms()),
        ))
        .execute(conn)?;
    Ok(())
}

/// By which invite somebody came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    pub label: String,
    pub made_by: UserId,
}

/// How somebody came, if it was by an invite.
pub fn arrival(conn: &mut Conn, who: UserId) -> Result<Option<Arrival>> {
    let row: Option<(String, UserId)> = arrivals::table
        .inner_join(invites::table)
        .filter(arrivals::user_id.eq(who))
        .select((invites::label, invites::made_by))
        .first(conn)
        .optional()?;
    Ok(row.map(|(label, made_by)| Arrival { label, made_by }))
}

impl Accounts {
    /// Whether a guest can become a full account here.
    pub fn may_register(&self, person: &Person) -> bool {
        person.is_guest() && self.config.registration != Registration::Closed
    }

    /// Whether an account takes an invite here.
    pub fn needs_invite(&self) -> bool {
        self.config.registration == Registration::Invite
    }

    /// Who invites whoever has this code.
    ///
    /// # Errors
    /// `Invalid` for the field `invite` when nobody may come by it.
    pub async fn inviter(&self, code: &str) -> Result<Arc<Person>> {
        let code = code.to_owned();
        let (_, maker) = self.db.read(move |conn| look(conn, &code)).await?;
        Ok(Arc::new(maker))
    }

    /// Whether somebody with this code, or without one, may make an account: asked before anything else, so that
    /// whoever isn't invited learns nothing of who is here.
    pub(super) async fn admits(&self, code: &str) -> Result<()> {
        match code.trim() {
            "" if self.needs_invite() => Err(needed()),
            "" => Ok(()),
            code => self.inviter(code).await.map(drop),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_of_invites_has_its_own_sentence() {
        let soon = InviteWish::end_after(7);
        let refusal = |label: &str, uses, end| {
            InviteWish::parse(label, uses, end)
                .err()
                .map(|wrong| wrong.iter().map(|e| e.field).collect::<Vec<_>>())
        };
        assert_eq!(refusal("the new ones", 5, soon), None);
        assert_eq!(refusal(&"é".repeat(48), USES_MAX, InviteWish::end_after(DAYS_MAX)), None);
        for label in ["", " \u{200B} ", "a\nb", &"x".repeat(49)] {
            assert_eq!(refusal(label, 1, soon).unwrap(), ["label"], "{label:?}");
        }
        for uses in [0, -1, USES_MAX + 1, i64::MAX] {
            assert_eq!(refusal("x", uses, soon).unwrap(), ["uses"]);
        }
        for days in [0, -1, DAYS_MAX + 1, i64::MAX] {
            assert_eq!(refusal("x", 1, InviteWish::end_after(days)).unwrap(), ["expires_at"]);
        }
        assert_eq!(refusal("", 0, i64::MAX).unwrap(), ["label", "uses", "expires_at"]);
    }

    #[test]
    fn a_code_is_the_same_however_it_is_typed() {
        assert_eq!(hash(" ABCD2345 \n"), hash("abcd2345"));
        assert_ne!(hash("abcd2345"), hash("abcd2346"));
    }
}
