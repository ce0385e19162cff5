//! What those who look after the place have done: only ever added to, with names as they were then.

use super::state::Accounts;
use super::user;
use crate::clock::now_ms;
use crate::db::Conn;
use crate::db::schema::accounts::audit;
use crate::error::Result;
use crate::ids::UserId;
use diesel::prelude::*;

/// Entries on one page, unless fewer are asked for.
pub const PAGE: i64 = 50;

macro_rules! deeds {
    ($($(#[$doc:meta])+ $name:ident, $stored:literal;)+) => {
        /// What was done. Programs read the words that are stored.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Deed {
            $($(#[$doc])+ $name,)+
        }

        impl Deed {
            pub const ALL: &[Self] = &[$(Self::$name),+];

            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $stored,)+
                }
            }
        }
    };
}

deeds! {
    /// They may do something else from now on.
    Role, "role";
    /// They are locked out; their sessions and tokens are over.
    Ban, "ban";
    /// They may come in again.
    Unban, "unban";
    /// They may only read for a while.
    TimeOut, "time_out";
    /// They may write again.
    EndTimeOut, "end_time_out";
    /// What they wrote is being taken down.
    TakeDown, "take_down";
    /// What was taken down is being brought back.
    BringBack, "bring_back";
    /// A link for a new password was made.
    Reset, "reset";
    /// A new password was set for them.
    Password, "password";
    /// Their second step was turned off.
    SecondStep, "second_step";
    /// An invite was made.
    Invite, "invite";
    /// An invite was ended.
    EndInvite, "end_invite";
    /// A reported message was dealt with.
    Resolve, "resolve";
    /// A word of the filter was added.
    AddWord, "add_word";
    /// A word of the filter was removed.
    RemoveWord, "remove_word";
    /// How often one person may write in a room.
    SlowMode, "slow_mode";
}

impl Deed {
    /// Nothing for one that another version wrote.
    pub fn parse(stored: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|deed| deed.as_str() == stored)
    }
}

/// One row of the log.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = audit)]
pub struct Entry {
    pub id: i64,
    /// ms.
    pub at: i64,
    /// [`Deed::as_str`]
    pub deed: String,
    /// Nobody when it was done at the shell.
    pub actor_id: Option<UserId>,
    pub actor_username: String,
    pub actor_name: String,
    /// Nobody when it concerns the whole place.
    pub target_id: Option<UserId>,
    pub target_username: String,
    pub target_name: String,
    /// What else there is to know: the new role, the reason.
    pub detail: String,
}

/// Writes down what is done in this transaction. `by` is nobody at the shell.
pub fn note(
    conn: &mut Conn,
    by: Option<UserId>,
    deed: Deed,
    whom: Option<UserId>,
    detail: &str,
) -> Result<()> {
    let ids: Vec<UserId> = by.into_iter().chain(whom).collect();
    let people = user::find_many(conn, &ids)?;
    let names = |id: Option<UserId>| {
        let person = people.iter().find(|person| Some(person.id) == id);
        person.map(|p| (p.username.clone(), p.display_name.clone())).unwrap_or_default()
    };
    let ((actor_username, actor_name), (target_username, target_name)) = (names(by), names(whom));
    diesel::insert_into(audit::table)
        .values((
            audit::at.eq(now_ms()),
            audit::deed.eq(deed.as_str()),
            audit::actor_id.eq(by),
            audit::actor_username.eq(actor_username),
            audit::actor_name.eq(actor_name),
            audit::target_id.eq(whom),
            audit::target_username.eq(target_username),
            audit::target_name.eq(target_name),
            audit::detail.eq(detail),
        ))
        .execute(conn)?;
    Ok(())
}

/// Which part of the log.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// The id before which the page starts.
    pub before: Option<i64>,
    /// Only what was done to this person.
    pub whom: Option<UserId>,
    /// Only what this person did.
    pub by: Option<UserId>,
    /// At most [`PAGE`] times 2.
    pub limit: i64,
}

/// A page of the log, the latest first; and whether there is more before it.
pub fn page(conn: &mut Conn, wanted: Wanted) -> Result<(Vec<Entry>, bool)> {
    let limit = wanted.limit.clamp(1, PAGE * 2);
    let mut rows =
        audit::table.select(Entry::as_select()).order(audit::id.desc()).limit(limit + 1).into_boxed();
    if let Some(before) = wanted.before {
        rows = rows.filter(audit::id.lt(before));
    }
    if let Some(whom) = wanted.whom {
        rows = rows.filter(audit::target_id.eq(whom));
    }
    if let Some(by) = wanted.by {
        rows = rows.filter(audit::actor_id.eq(by));
    }
    let mut found: Vec<Entry> = rows.load(conn)?;
    let size = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = found.len() > size;
    found.truncate(size);
    Ok((found, more))
}

impl Accounts {
    /// Writes down what was done in the other database.
    pub async fn log(
        &self,
        by: UserId,
        deed: Deed,
        whom: Option<UserId>,
        detail: impl Into<String>,
    ) -> Result<()> {
        let detail = detail.into();
        self.db.write(move |conn| note(conn, Some(by), deed, whom, &detail)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_deed_is_known_by_its_word() {
        for deed in Deed::ALL {
            assert_eq!(Deed::parse(deed.as_str()), Some(*deed));
        }
        assert_eq!(Deed::parse("dance"), None);
    }
}
