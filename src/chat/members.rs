//! Who is in a room, a page at a time: for the API, and for the details beside a conversation.

use super::Chat;
use crate::accounts::Presence as _;
use crate::error::Result;
use crate::ids::{RoomId, UserId};
use crate::rooms::message::parse_limit;
use crate::rooms::{Verb, may, membership, room};
use crate::site::page::Person;
use serde::{Deserialize, Serialize};

/// Ids read at once while looking for those who are here, or aren't.
const STRIDE: i64 = 1000;

/// Which members.
#[derive(Clone, Copy, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MembersQuery {
    /// The user id after which the page starts.
    pub after: Option<i64>,
    /// 1 to 100.
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<i64>,
    /// `true`: only those who are here now; `false`: only those who aren't.
    pub here: Option<bool>,
}

/// A member of a room.
#[derive(Clone, Debug, Default, Serialize, utoipa::ToSchema)]
pub struct Member {
    pub id: i64,
    pub username: String,
    pub display_name: String,
    pub guest: bool,
    pub online: bool,
    /// `online`, `away`, `dnd` or `offline`.
    pub state: &'static str,
    /// What they say about themselves at the moment, or empty.
    pub text: String,
    /// The room is theirs.
    pub owner: bool,
}

#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
pub struct MemberPage {
    /// Ascending by id.
    pub users: Vec<Member>,
    pub more: bool,
}

impl Member {
    /// The member as they are drawn.
    pub fn person(&self) -> Person {
        Person::new(self.id, self.display_name.clone(), self.guest)
    }
}

/// A page of the members of a room that `user` may read.
///
/// # Errors
/// `NotFound` for a room that isn't there for them, `Invalid` for a limit that is none.
pub async fn page(chat: &Chat, user: UserId, id: RoomId, query: MembersQuery) -> Result<MemberPage> {
    let limit = parse_limit(query.limit)?;
    let wanted = usize::try_from(limit).unwrap_or_default();
    let presence = chat.presence.clone();
    let (mut ids, owner) = chat
        .rooms
        .db
        .snapshot(move |conn| {
            let found = room::find(conn, id)?;
            may(conn, user, &found, Verb::Read)?;
            let mut ids: Vec<UserId> = Vec::new();
            let mut after = UserId(query.after.unwrap_or(0));
            let stride = if query.here.is_some() { STRIDE } else { limit + 1 };
            // One more than wanted tells that there are more.
            while ids.len() <= wanted {
                let read = membership::members(conn, id, after, stride)?;
                let Some(last) = read.last() else { break };
                after = *last;
                let here = presence.online(&read);
                let fits = read
                    .into_iter()
                    .zip(here)
                    .filter(|(_, is_here)| query.here.is_none_or(|h| h == *is_here));
                ids.extend(fits.map(|(member, _)| member));
            }
            Ok((ids, found.owner))
        })
        .await?;
    let more = ids.len() > wanted;
    ids.truncate(wanted);
    let people = chat.accounts.directory.many(&ids).await?;
    let here = chat.presence.of(&ids);
    let users = ids.iter().zip(here).filter_map(|(id, here)| {
        people.get(id).map(|person| Member {
            id: id.0,
            username: person.username.clone(),
            display_name: person.display_name.clone(),
            guest: person.is_guest(),
            online: here.state != "offline",
            state: here.state,
            text: here.text,
            owner: owner == Some(*id),
        })
    });
    Ok(MemberPage { users: users.collect(), more })
}
