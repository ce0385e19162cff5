//! Who sees an item: everybody, the members of a group, or whoever added it. For others it isn't there.

use super::item::Item;
use crate::accounts::{Reader, Visitor};
use crate::db::Conn;
use crate::db::schema::messages::{media_items, memberships, rooms};
use crate::error::{Error, Result};
use crate::ids::{MediaId, RoomId, UserId};
use crate::rooms::membership::is_member;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable};

/// What is answered for an item that isn't there, and for one that isn't for whoever asks.
pub const NO_ITEM: Error = Error::NotFound("There is no such item in the library.");

/// Whom an item is for. Whoever uploaded it always sees it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Audience {
    /// Everybody who may read here.
    #[default]
    All,
    /// The members of one group.
    Group,
    /// Its uploader.
    Own,
}

impl Audience {
    /// As stored and as sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Group => "group",
            Self::Own => "own",
        }
    }
}

impl From<String> for Audience {
    /// What this version doesn't know is kept from everybody else.
    fn from(text: String) -> Self {
        match text.as_str() {
            "all" => Self::All,
            "group" => Self::Group,
            _ => Self::Own,
        }
    }
}

/// Whose eyes look at the library. The default is nobody's in particular, who sees what is for everybody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sight(pub Option<UserId>);

impl From<&Reader> for Sight {
    fn from(reader: &Reader) -> Self {
        Self(reader.visitor.as_ref().map(|visitor| visitor.person.id))
    }
}

impl From<&Visitor> for Sight {
    fn from(visitor: &Visitor) -> Self {
        Self(Some(visitor.person.id))
    }
}

impl From<UserId> for Sight {
    fn from(id: UserId) -> Self {
        Self(Some(id))
    }
}

/// What is known of whether somebody sees an item, without asking the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    Yes,
    No,
    /// When this person is in this group.
    ByMembers(UserId, RoomId),
}

impl Seen {
    /// # Errors
    /// `NotFound`, as for an item that isn't there.
    pub fn check(self, conn: &mut Conn) -> Result<()> {
        let seen = match self {
            Self::Yes => true,
            Self::No => false,
            Self::ByMembers(user, room) => is_member(conn, user, room)?,
        };
        if seen { Ok(()) } else { Err(NO_ITEM) }
    }
}

/// A condition on rows of the library.
pub type Condition =
    Box<dyn BoxableExpression<media_items::table, <Conn as Connection>::Backend, SqlType = Nullable<Bool>>>;

/// What [`Sight::condition`] says, for a query inside another.
#[diesel::dsl::auto_type]
fn seen_by(user: UserId) -> _ {
    let groups =
        memberships::table.filter(memberships::user_id.eq(user)).select(memberships::room_id.nullable());
    let shared = media_items::audience.eq("group").and(media_items::room_id.eq_any(groups));
    media_items::audience.eq("all").or(media_items::user_id.eq(user)).or(shared)
}

/// What [`Sight::shown`] says, for a query inside another.
#[diesel::dsl::auto_type(no_type_alias)]
pub(super) fn shown_to(user: UserId) -> _ {
    let seen: seen_by = seen_by(user);
    media_items::gone.eq(false).and(media_items::trashed_at.is_null()).and(seen)
}

impl Sight {
    /// The condition of all that is seen.
    pub fn condition(self) -> Condition {
        Box::new(seen_by(self.user()))
    }

    /// The condition of all that these eyes find on the shelf: its file is there, and it isn't in the trash.
    pub fn shown(self) -> Condition {
        Box::new(shown_to(self.user()))
    }

    /// Whose they are; a number that nobody has for nobody's in particular.
    pub(super) fn user(self) -> UserId {
        self.0.unwrap_or_default()
    }

    /// Whether an item that was read before is still seen.
    pub fn of(self, item: &Item) -> Seen {
        let mine = self.0.is_some() && self.0 == item.user_id;
        match (item.audience, self.0, item.room_id) {
            (Audience::All, ..) => Seen::Yes,
            _ if mine => Seen::Yes,
            (Audience::Group, Some(user), Some(room)) => Seen::ByMembers(user, room),
            _ => Seen::No,
        }
    }
}

/// The groups that an item can be given to by this person: those they are in, by name.
pub fn groups(conn: &mut Conn, user: UserId) -> Result<Vec<(RoomId, String)>> {
    Ok(rooms::table
        .inner_join(memberships::table)
        .filter(memberships::user_id.eq(user).and(rooms::kind.eq("group")))
        .order((rooms::name, rooms::id))
        .select((rooms::id, rooms::name))
        .load(conn)?)
}

/// Makes an item another one's to see.
///
/// # Errors
/// `Invalid` for a group that this person isn't in, and for what nobody uploaded when it is to be its uploader's alone.
pub fn give(
    conn: &mut Conn,
    item: &Item,
    by: UserId,
    audience: Audience,
    room: Option<RoomId>,
) -> Result<()> {
    let room = match audience {
        Audience::Group => {
            let room = room.ok_or_else(|| Error::field("audience", "Say which group it is for."))?;
            let known = item.audience == Audience::Group && item.room_id == Some(room);
            if !known && !groups(conn, by)?.iter().any(|(id, _)| *id == room) {
                return Err(Error::field("audience", "Choose a group that you are in."));
            }
            Some(room)
        }
        Audience::Own if item.user_id.is_none() => {
            return Err(Error::field(
                "audience",
                "Nobody has uploaded it, so it can't be one person's alone.",
            ));
        }
        Audience::All | Audience::Own => None,
    };
    set(conn, item.id, audience, room)
}

fn set(conn: &mut Conn, id: MediaId, audience: Audience, room: Option<RoomId>) -> Result<()> {
    use media_items as m;
    diesel::update(m::table.find(id))
        .set((m::audience.eq(audience.as_str()), m::room_id.eq(room)))
        .execute(conn)?;
    Ok(())
}
