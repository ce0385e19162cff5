//! A room: board, channel, group, direct or talk, and how rooms are found.

use super::level::Level;
use super::talk::{self, About};
use crate::clock::now_ms;
use crate::db::Conn;
use crate::db::schema::messages::{memberships, rooms};
use crate::error::{Error, FieldError, Result};
use crate::ids::{BOARD, RoomId, UserId};
use crate::{on_conn, text};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// What a room is; decides who may see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Board,
    Channel,
    Group,
    Direct,
    Talk,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Board => "board",
            Self::Channel => "channel",
            Self::Group => "group",
            Self::Direct => "direct",
            Self::Talk => "talk",
        }
    }
}

impl From<String> for Kind {
    fn from(stored: String) -> Self {
        match stored.as_str() {
            "board" => Self::Board,
            "channel" => Self::Channel,
            "direct" => Self::Direct,
            "talk" => Self::Talk,
            // The table's CHECK leaves no other; the most private kind is the safe reading.
            _ => Self::Group,
        }
    }
}

/// A row of `rooms`.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = rooms)]
pub struct Room {
    pub id: RoomId,
    #[diesel(deserialize_as = String)]
    pub kind: Kind,
    pub name: String,
    pub topic: String,
    #[diesel(column_name = owner_id)]
    pub owner: Option<UserId>,
    /// How many have joined.
    pub members: i64,
    /// The number of the newest message; 0 in an empty room.
    pub last_seq: i64,
    /// The number of the newest change; 0 in an empty room.
    pub rev: i64,
    /// When the last message was posted, ms.
    pub active_at: i64,
    /// Seconds that one person has to leave between two messages; 0 for none.
    pub slow_seconds: i32,
    /// A direct room's two people, the smaller id first, as `3-7`.
    pub peers: Option<String>,
    about_kind: Option<String>,
    about_id: Option<i64>,
}

impl Room {
    /// What a talk belongs to.
    pub fn about(&self) -> Option<About> {
        About::stored(self.about_kind.as_deref(), self.about_id)
    }

    /// The two people of a direct room; the same one twice in a room with oneself.
    pub fn pair(&self) -> Option<(UserId, UserId)> {
        let (one, other) = self.peers.as_deref()?.split_once('-')?;
        Some((one.parse().ok()?, other.parse().ok()?))
    }
}

/// A room as one person sees it: the contract's `room` object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct RoomView {
    #[schema(value_type = i64)]
    pub id: RoomId,
    pub kind: Kind,
    pub name: String,
    pub topic: String,
    #[schema(value_type = Option<i64>)]
    pub owner: Option<UserId>,
    pub members: i64,
    pub last_seq: i64,
    pub rev: i64,
    /// Up to which message this person has read.
    pub read_seq: i64,
    /// Of what they haven't read, how many messages call them: counted up to 1,000 by name, and as many with everybody.
    pub mentions: i64,
    pub joined: bool,
    /// What they want to hear of it; nothing where that isn't read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// The other one, in a direct room whose people have been [introduced](super::direct::introduce).
    #[serde(flatten)]
    #[schema(value_type = Peer)]
    pub peer: Option<Peer>,
    /// What a talk belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<About>,
    /// Seconds that one person has to leave between two messages, in slow mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slow_seconds: Option<i32>,
    #[serde(skip)]
    pub pair: Option<(UserId, UserId)>,
}

/// The other person of a direct room; the room's `name` is their display name. No other room has these fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Peer {
    #[serde(rename = "peer")]
    #[schema(value_type = i64, required = false)]
    pub id: UserId,
    #[serde(rename = "peer_username")]
    #[schema(required = false)]
    pub username: String,
    #[serde(rename = "peer_guest", skip_serializing_if = "std::ops::Not::not")]
    pub guest: bool,
}

impl RoomView {
    /// A channel that nothing is known of.
    #[cfg(test)]
    pub fn for_tests() -> Self {
        Self {
            id: RoomId(2),
            kind: Kind::Channel,
            name: "x".into(),
            topic: String::new(),
            owner: None,
            members: 1,
            last_seq: 10,
            rev: 10,
            read_seq: 0,
            mentions: 0,
            joined: true,
            peer: None,
            pair: None,
            level: None,
            about: None,
            slow_seconds: None,
        }
    }

    /// `read` is the person's stored mark, `None` for one who has not joined.
    pub fn new(room: Room, read: Option<i64>) -> Self {
        let everybodys = room.kind == Kind::Board;
        Self {
            id: room.id,
            pair: room.pair(),
            about: room.about(),
            peer: None,
            kind: room.kind,
            name: room.name,
            topic: room.topic,
            owner: room.owner,
            members: room.members,
            last_seq: room.last_seq,
            rev: room.rev,
            slow_seconds: (room.slow_seconds > 0).then_some(room.slow_seconds),
            read_seq: read.unwrap_or(if everybodys { 0 } else { room.last_seq }).min(room.last_seq),
            mentions: 0,
            joined: everybodys || read.is_some(),
            level: None,
        }
    }

    /// Messages after the person's read mark; none in a room that they have not joined.
    pub fn unread(&self) -> i64 {
        if self.joined { (self.last_seq - self.read_seq).max(0) } else { 0 }
    }
}

/// A channel's name: 1 to 64 letters, digits, spaces, `_ - .`, not starting or ending with a space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomName(String);

impl RoomName {
    /// # Errors
    /// A sentence for the field `name`.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let wrong = |message: &'static str| Err(FieldError::new("name", message));
        let length = text.chars().count();
        if length == 0 {
            return wrong("Give the channel a name.");
        }
        if length > 64 {
            return wrong("A channel's name has at most 64 characters.");
        }
        if text.starts_with(' ') || text.ends_with(' ') {
            return wrong("A channel's name doesn't start or end with a space.");
        }
        if !text.chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | '_' | '-' | '.')) {
            return wrong("A channel's name has letters, digits, spaces and _ - . only.");
        }
        // `/c/.` and `/c/..` would be read as folders by every browser.
        if text.chars().all(|c| c == '.') {
            return wrong("A channel's name has at least one letter or digit.");
        }
        Ok(Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Checks a topic: at most 250 characters on one line.
///
/// # Errors
/// A sentence for the field `topic`.
pub fn parse_topic(text: &str) -> Result<String, FieldError> {
    let text = text.trim();
    if text.chars().count() > 250 {
        return Err(FieldError::new("topic", "A topic has at most 250 characters."));
    }
    if text.chars().any(char::is_control) {
        return Err(FieldError::new("topic", "A topic is one line without control characters."));
    }
    Ok(text.to_owned())
}

/// A room to be made; `Default` leaves out what its kind doesn't have.
#[derive(Default, Insertable)]
#[diesel(table_name = rooms, treat_none_as_default_value = false)]
pub(super) struct NewRoom<'a> {
    /// [`Kind::as_str`]
    pub kind: &'static str,
    pub name: &'a str,
    /// The folded name, of a channel: no two have the same.
    pub name_key: Option<String>,
    pub topic: &'a str,
    pub owner_id: Option<UserId>,
    /// The two people of a direct room: no two have the same.
    pub peers: Option<String>,
    /// What a talk belongs to: no two have the same.
    pub about_kind: Option<String>,
    pub about_id: Option<i64>,
}

/// Makes a room without members; `None` when there is one with its `name_key`, `peers` or `about`.
pub(super) fn insert(conn: &mut Conn, room: NewRoom<'_>) -> Result<Option<Room>> {
    let now = now_ms();
    let row = (room, rooms::created_at.eq(now), rooms::active_at.eq(now));
    // "Do nothing" instead of an error: another node may be making the same room in this moment.
    let made: Option<RoomId> = on_conn!(conn, c => diesel::insert_into(rooms::table)
        .values(row)
        .on_conflict_do_nothing()
        .returning(rooms::id)
        .get_result(c)
        .optional())?;
    made.map(|id| find(conn, id)).transpose()
}

/// One room by id.
pub fn find(conn: &mut Conn, id: RoomId) -> Result<Room> {
    let there = rooms::table.find(id).filter(rooms::deleted_at.is_null());
    let room = there.select(Room::as_select()).first(conn).optional()?;
    room.ok_or_else(nowhere)
}

/// The answer about a room that isn't there, or isn't for this person: the two are never told apart.
pub fn nowhere() -> Error {
    Error::NotFound("There is no such room.")
}

/// One channel by name, regardless of case.
pub fn find_channel(conn: &mut Conn, name: &str) -> Result<Room> {
    let room = rooms::table
        .filter(rooms::name_key.eq(text::fold(name)))
        .select(Room::as_select())
        .first(conn)
        .optional()?;
    room.ok_or(Error::NotFound("There is no such channel."))
}

/// Those of these folded names that channels have.
pub fn channels_named(conn: &mut Conn, keys: &[String]) -> Result<HashSet<String>> {
    let keys: Vec<Option<String>> = rooms::table
        .filter(rooms::name_key.eq_any(keys).and(rooms::kind.eq(Kind::Channel.as_str())))
        .select(rooms::name_key)
        .load(conn)?;
    Ok(keys.into_iter().flatten().collect())
}

/// The person's stored read mark there; `None` for one who has not joined.
pub fn read_mark(conn: &mut Conn, user: UserId, room: RoomId) -> Result<Option<i64>> {
    Ok(memberships::table.find((user, room)).select(memberships::read_seq).first(conn).optional()?)
}

/// The ids of all rooms that a person has joined and may still see, the board included.
pub fn joined_ids(conn: &mut Conn, user: UserId) -> Result<Vec<RoomId>> {
    let mut found: Vec<Room> = memberships::table
        .inner_join(rooms::table)
        .filter(memberships::user_id.eq(user))
        .select(Room::as_select())
        .load(conn)?;
    // A membership may outlive the sight of the thing: what ends the two are two changes.
    talk::retain(conn, user, &mut found, |room| (room.kind, room.about()))?;
    let mut ids: Vec<RoomId> = found.into_iter().map(|room| room.id).collect();
    if !ids.contains(&BOARD) {
        ids.push(BOARD);
    }
    Ok(ids)
}

/// The rooms whose members are told of each other: direct ones, and groups of at most `members`.
pub fn company(conn: &mut Conn, user: UserId, members: i64) -> Result<Vec<RoomId>> {
    let small = rooms::kind.eq(Kind::Group.as_str()).and(rooms::members.le(members));
    Ok(memberships::table
        .inner_join(rooms::table)
        .filter(memberships::user_id.eq(user))
        .filter(rooms::kind.eq(Kind::Direct.as_str()).or(small))
        .select(memberships::room_id)
        .load(conn)?)
}

/// The board as `user` sees it.
pub fn board(conn: &mut Conn, user: Option<UserId>) -> Result<RoomView> {
    let mark = user.map_or(Ok(None), |user| read_mark(conn, user, BOARD))?;
    Ok(RoomView::new(find(conn, BOARD)?, mark))
}

/// The board first, then the joined rooms with the newest activity, at most `limit` of them; and whether there are more.
/// Talks come last: there may be one for every recording, and what people run themselves isn't to give way to them.
pub fn joined(conn: &mut Conn, user: UserId, limit: i64) -> Result<(Vec<RoomView>, bool)> {
    let board = board(conn, Some(user))?;
    let mut found: Vec<(Room, i64)> = memberships::table
        .inner_join(rooms::table)
        .filter(memberships::user_id.eq(user))
        .filter(memberships::room_id.ne(BOARD))
        .order((rooms::kind.eq(Kind::Talk.as_str()).asc(), rooms::active_at.desc(), rooms::id.desc()))
        .limit(limit + 1)
        .select((Room::as_select(), memberships::read_seq))
        .load(conn)?;
    let more = found.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let mut views = vec![board];
    views.extend(found.into_iter().map(|(room, read)| RoomView::new(room, Some(read))));
    talk::retain(conn, user, &mut views, |view| (view.kind, view.about))?;
    Ok((views, more))
}

/// A page of all channels by name, each as `user` sees it, after the channel called `after`; and whether there are more.
pub fn channels(
    conn: &mut Conn,
    user: Option<UserId>,
    after: Option<&str>,
    limit: i64,
) -> Result<(Vec<RoomView>, bool)> {
    let mine = memberships::table
        .on(memberships::room_id.eq(rooms::id).and(memberships::user_id.eq(user.unwrap_or(UserId(0)))));
    let mut found: Vec<(Room, Option<i64>)> = rooms::table
        .left_join(mine)
        .filter(rooms::name_key.gt(text::fold(after.unwrap_or(""))))
        .order(rooms::name_key.asc())
        .limit(limit + 1)
        .select((Room::as_select(), memberships::read_seq.nullable()))
        .load(conn)?;
    let more = found.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok((found.into_iter().map(|(room, read)| RoomView::new(room, read)).collect(), more))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channel_names_follow_the_contract() {
        for good in ["general", "Room 12", "實驗記錄", "a_b-c.d", &"x".repeat(64)] {
            assert!(RoomName::parse(good).is_ok(), "{good}");
        }
        for bad in ["", " x", "x ", "a/b", "a\nb", "..", "<b>", &"x".repeat(65)] {
            assert!(RoomName::parse(bad).is_err(), "{bad:?}");
        }
    }
}
