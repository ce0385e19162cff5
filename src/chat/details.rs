//! What a conversation shows beside it on demand, as the server renders it: so that it opens without a script, and a
//! reload keeps it.

use super::Chat;
use super::members::{self, Member, MembersQuery};
use crate::error::Result;
use crate::ids::{RoomId, UserId};
use serde::Deserialize;

/// What is open beside the conversation.
#[derive(Debug, Clone)]
pub enum Details {
    Members(MembersView),
}

impl Details {
    /// Its name in the address and for scripts.
    pub fn view(&self) -> &'static str {
        match self {
            Self::Members(_) => "members",
        }
    }
}

/// Who is in the room: those who are here first.
#[derive(Debug, Clone, Default)]
pub struct MembersView {
    pub here: Vec<Member>,
    pub others: Vec<Member>,
    /// The query of the address with the next page.
    pub next: Option<String>,
}

impl MembersView {
    /// No member at all, on this page.
    pub fn is_empty(&self) -> bool {
        self.here.is_empty() && self.others.is_empty()
    }
}

/// The part of an address that is about the details.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct DetailsQuery {
    /// The view's name, with its argument after a dot if it takes one; a name that nobody knows opens nothing.
    details: Option<String>,
    /// The members' page starts after this one,
    members_after: Option<i64>,
    /// among those who are here, or those who aren't.
    here: Option<bool>,
}

/// What the address opens beside `room`, for one who may read it.
pub async fn open(chat: &Chat, user: UserId, room: RoomId, query: &DetailsQuery) -> Result<Option<Details>> {
    match query.details.as_deref() {
        Some("members") => Ok(Some(Details::Members(members(chat, user, room, query).await?))),
        _ => Ok(None),
    }
}

async fn members(chat: &Chat, user: UserId, room: RoomId, query: &DetailsQuery) -> Result<MembersView> {
    let page =
        |here, after| members::page(chat, user, room, MembersQuery { after, limit: None, here: Some(here) });
    let next = |here: bool, last: Option<&Member>| {
        last.map(|member| format!("?details=members&here={here}&members_after={}", member.id))
    };
    let mut view = MembersView::default();
    if query.here != Some(false) {
        let found = page(true, query.members_after).await?;
        view.next = next(true, found.users.last()).filter(|_| found.more);
        view.here = found.users;
    }
    if view.next.is_none() {
        let found = page(false, query.members_after.filter(|_| query.here == Some(false))).await?;
        view.next = next(false, found.users.last()).filter(|_| found.more);
        view.others = found.users;
    }
    Ok(view)
}
