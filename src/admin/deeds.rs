//! What is done to somebody, or for order, in both databases. What is done to somebody stands in the log before it happens.

use crate::accounts::Accounts;
use crate::accounts::audit::Deed;
use crate::accounts::restraint::Reason;
use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::ids::UserId;
use crate::rooms::filter::{Effect, FilterWord};
use crate::rooms::{Rooms, report, takedown};

const DAY: i64 = 24 * 3600 * 1000;

/// How much of what somebody wrote is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Span {
    Day,
    Week,
    All,
}

impl Span {
    /// Nothing for none.
    ///
    /// # Errors
    /// `Invalid` for the field `span`.
    pub fn parse(typed: &str) -> Result<Option<Self>> {
        match typed {
            "" => Ok(None),
            "day" => Ok(Some(Self::Day)),
            "week" => Ok(Some(Self::Week)),
            "all" => Ok(Some(Self::All)),
            _ => Err(Error::field("span", "Say how much of it: day, week or all.")),
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::All => "all",
        }
    }

    fn since(self) -> i64 {
        match self {
            Self::Day => now_ms() - DAY,
            Self::Week => now_ms() - 7 * DAY,
            Self::All => 0,
        }
    }
}

/// Locks somebody out, and takes down what they wrote if that is wanted.
pub async fn ban(
    (accounts, rooms): (&Accounts, &Rooms),
    by: UserId,
    whom: UserId,
    span: Option<Span>,
    reason: Reason,
) -> Result<()> {
    accounts.ban(by, whom, true, reason).await?;
    if let Some(span) = span {
        take_down(accounts, rooms, by, whom, span).await?;
    }
    Ok(())
}

/// Takes down what somebody wrote, and answers with the takedown's number.
pub async fn take_down(
    accounts: &Accounts,
    rooms: &Rooms,
    by: UserId,
    whom: UserId,
    span: Span,
) -> Result<i64> {
    accounts.note_takedown(by, whom, Deed::TakeDown, span.as_str().to_owned()).await?;
    rooms.take_down(by, whom, span.since()).await
}

/// Brings back what a takedown took; answers with whose it is.
pub async fn bring_back(accounts: &Accounts, rooms: &Rooms, by: UserId, id: i64) -> Result<UserId> {
    let found = rooms.db.read(move |conn| takedown::find(conn, id)).await?;
    if !found.can_return() {
        let words = "That can't be brought back any more, or is back already.";
        return Err(Error::conflict("not_down", words));
    }
    let count = found.messages.to_string();
    accounts.note_takedown(by, found.user_id, Deed::BringBack, count).await?;
    rooms.bring_back(id).await?;
    Ok(found.user_id)
}

/// Marks a report as dealt with.
pub async fn resolve(accounts: &Accounts, rooms: &Rooms, by: UserId, id: i64) -> Result<()> {
    let author = rooms.db.write(move |conn| report::resolve(conn, id, by)).await?;
    accounts.log(by, Deed::Resolve, Some(author), String::new()).await
}

/// Puts a word into the filter.
pub async fn add_word(
    accounts: &Accounts,
    rooms: &Rooms,
    by: UserId,
    word: String,
    effect: Effect,
) -> Result<FilterWord> {
    let added = rooms.add_filter_word(word, effect).await?;
    let detail = format!("{} → {}", added.word, added.effect.as_str());
    accounts.log(by, Deed::AddWord, None, detail).await?;
    Ok(added)
}

/// Takes a word out of the filter.
pub async fn remove_word(accounts: &Accounts, rooms: &Rooms, by: UserId, id: i64) -> Result<()> {
    let removed = rooms.remove_filter_word(id).await?;
    accounts.log(by, Deed::RemoveWord, None, removed.word).await
}
