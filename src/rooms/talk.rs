//! Talks: the room in which people speak about one thing, made when somebody first wants it and gone with the thing.
//!
//! A talk is as visible as what it is about; [`may`](super::may) asks here. What stands beside the thing on its page is
//! made above this floor, by a [`TalkProvider`].

use super::change::{Done, Fact, Outcome};
use super::group;
use super::membership;
use super::room::{self, Kind, NewRoom, Room, RoomView, nowhere};
use super::state::Rooms;
use crate::accounts::Reader;
use crate::db::Conn;
use crate::db::schema::messages::{media_items, memberships, rooms, streams};
use crate::error::Result;
use crate::ids::{MediaId, RoomId, StreamId, UserId};
use diesel::prelude::*;
use futures_core::future::LocalBoxFuture;
use serde::Serialize;
use std::collections::HashSet;

/// Things in one query: SQLite takes some thousands of values at most.
const AT_ONCE: usize = 1000;

/// What kind of thing a talk is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Subject {
    /// An item of the library.
    Media,
    /// A live stream.
    Stream,
}

impl Subject {
    fn as_str(self) -> &'static str {
        match self {
            Self::Media => "media",
            Self::Stream => "stream",
        }
    }

    fn stored(text: &str) -> Option<Self> {
        [Self::Media, Self::Stream].into_iter().find(|subject| subject.as_str() == text)
    }
}

/// The thing that a talk is about: the contract's `about` object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, utoipa::ToSchema)]
pub struct About {
    pub kind: Subject,
    /// Its number among its kind.
    pub id: i64,
}

impl About {
    pub fn media(id: MediaId) -> Self {
        Self { kind: Subject::Media, id: id.0 }
    }

    pub fn stream(id: StreamId) -> Self {
        Self { kind: Subject::Stream, id: id.0 }
    }

    /// As the columns have it; nothing where either is missing or unknown.
    pub(super) fn stored(kind: Option<&str>, id: Option<i64>) -> Option<Self> {
        Some(Self { kind: Subject::stored(kind?)?, id: id? })
    }

    /// The page of the thing.
    ///
    /// # Errors
    /// `NotFound` where it isn't there any more.
    pub fn href(self, conn: &mut Conn) -> Result<String> {
        match self.kind {
            Subject::Media => Ok(self.media_href()),
            Subject::Stream => {
                let name = streams::table.find(self.id).select(streams::name);
                let name: String = name.first(conn).optional()?.ok_or_else(nowhere)?;
                Ok(format!("/live/{name}"))
            }
        }
    }

    fn media_href(self) -> String {
        format!("/media/{}", self.id)
    }
}

/// What somebody wants done with the talk of a thing.
#[derive(Clone, Debug)]
pub enum Deed {
    /// To have it, made if need be, called as the thing is now.
    Open { by: Option<UserId>, about: About, name: String },
    /// The thing is called otherwise.
    Rename { about: About, name: String },
    /// The thing is for others than before.
    Narrow { about: About },
    /// The thing is gone for good.
    Close { about: About },
}

/// The talk of a thing, if it has been made.
pub fn find(conn: &mut Conn, about: About) -> Result<Option<Room>> {
    Ok(rooms::table
        .filter(rooms::about_kind.eq(about.kind.as_str()).and(rooms::about_id.eq(about.id)))
        .filter(rooms::deleted_at.is_null())
        .select(Room::as_select())
        .first(conn)
        .optional()?)
}

/// The page of the recording that a room is about, if it is the talk of one.
pub(super) fn recording(conn: &mut Conn, id: RoomId) -> Result<Option<String>> {
    let room = rooms::table.find(id).select(Room::as_select()).first(conn).optional()?;
    Ok(room.and_then(|room| room.about()).filter(|about| about.kind == Subject::Media).map(About::media_href))
}

/// Whether this person may see what the talk is about, and so the talk itself.
pub(super) fn is_open(conn: &mut Conn, who: UserId, about: Option<About>) -> Result<bool> {
    match about {
        Some(About { kind: Subject::Media, id }) => {
            let there = media_items::table.filter(media_items::id.eq(id)).filter(shown(who));
            Ok(diesel::select(diesel::dsl::exists(there)).get_result(conn)?)
        }
        Some(About { kind: Subject::Stream, id }) => {
            let there = streams::table.filter(streams::id.eq(id)).filter(watched(who));
            Ok(diesel::select(diesel::dsl::exists(there)).get_result(conn)?)
        }
        None => Ok(false),
    }
}

/// The talks whose things this person may see; those about what everybody sees without `who`.
pub(super) fn open_ones(conn: &mut Conn, who: Option<UserId>) -> Result<Vec<RoomId>> {
    let who = who.unwrap_or(UserId(0));
    let seen = media_items::table.filter(shown(who)).select(media_items::id.nullable());
    let of_media = rooms::about_kind.eq(Subject::Media.as_str()).and(rooms::about_id.eq_any(seen));
    let watched = streams::table.filter(watched(who)).select(streams::id.nullable());
    let of_streams = rooms::about_kind.eq(Subject::Stream.as_str()).and(rooms::about_id.eq_any(watched));
    Ok(rooms::table
        .filter(rooms::kind.eq(Kind::Talk.as_str()).and(rooms::deleted_at.is_null()))
        .filter(of_media.or(of_streams))
        .select(rooms::id)
        .load(conn)?)
}

/// The streams that somebody may watch: those for everybody, and all for whoever is signed in.
#[diesel::dsl::auto_type(no_type_alias)]
fn watched(who: UserId) -> _ {
    let signed_in: bool = who.0 != 0;
    streams::public.eq(true).or(signed_in.into_sql::<diesel::sql_types::Bool>())
}

/// The items of the library that somebody sees: the library's own rule, which this floor can't ask.
#[diesel::dsl::auto_type(no_type_alias)]
fn shown(who: UserId) -> _ {
    let groups =
        memberships::table.filter(memberships::user_id.eq(who)).select(memberships::room_id.nullable());
    let there = media_items::gone.eq(false).and(media_items::trashed_at.is_null());
    let shared = media_items::audience.eq("group").and(media_items::room_id.eq_any(groups));
    let open = media_items::audience.eq("all").or(media_items::user_id.eq(who)).or(shared);
    there.and(open)
}

/// Those of these things that somebody sees.
fn open_among(conn: &mut Conn, who: UserId, abouts: &[About]) -> Result<HashSet<About>> {
    let (recordings, others): (Vec<About>, Vec<About>) =
        abouts.iter().partition(|about| about.kind == Subject::Media);
    let mut open = HashSet::new();
    for part in recordings.chunks(AT_ONCE) {
        let ids: Vec<i64> = part.iter().map(|about| about.id).collect();
        let seen = media_items::table.filter(media_items::id.eq_any(ids)).filter(shown(who));
        let seen: Vec<MediaId> = seen.select(media_items::id).load(conn)?;
        open.extend(seen.into_iter().map(About::media));
    }
    for about in others {
        if is_open(conn, who, Some(about))? {
            open.insert(about);
        }
    }
    Ok(open)
}

/// Takes the talks out of some rooms whose things can't be seen; `what` says what a room is.
pub(super) fn retain<T>(
    conn: &mut Conn,
    who: UserId,
    found: &mut Vec<T>,
    what: impl Fn(&T) -> (Kind, Option<About>),
) -> Result<()> {
    let abouts: Vec<About> = found.iter().filter_map(|room| what(room).1).collect();
    let open = open_among(conn, who, &abouts)?;
    found.retain(|room| match what(room) {
        (Kind::Talk, about) => about.is_some_and(|about| open.contains(&about)),
        _ => true,
    });
    Ok(())
}

pub(super) fn apply(conn: &mut Conn, deed: &Deed) -> Result<Done> {
    match deed {
        Deed::Open { by, about, name } => open(conn, *by, *about, name),
        Deed::Rename { about, name } => rename(conn, *about, name),
        Deed::Narrow { about } => {
            let room = find(conn, *about)?;
            let facts = room.map_or(Ok(Vec::new()), |room| narrow(conn, room, None))?;
            Ok((Outcome::Stored, facts))
        }
        Deed::Close { about } => close(conn, *about),
    }
}

fn open(conn: &mut Conn, by: Option<UserId>, about: About, name: &str) -> Result<Done> {
    if !is_open(conn, by.unwrap_or(UserId(0)), Some(about))? {
        return Err(nowhere());
    }
    let (room, is_new) = match find(conn, about)? {
        Some(room) => (room, false),
        None => make(conn, about, name)?,
    };
    let (room, facts) = called(conn, room, name)?;
    let mark = by.map_or(Ok(None), |by| room::read_mark(conn, by, room.id))?;
    Ok((Outcome::Opened { room: RoomView::new(room, mark), is_new }, facts))
}

/// The talk of a thing, made if need be, called as the thing is now.
pub(super) fn have(conn: &mut Conn, about: About, name: &str) -> Result<(Room, Vec<Fact>)> {
    let room = match find(conn, about)? {
        Some(room) => room,
        None => make(conn, about, name)?.0,
    };
    called(conn, room, name)
}

/// Another node may be making it in this moment: then it is that one.
fn make(conn: &mut Conn, about: About, name: &str) -> Result<(Room, bool)> {
    let new = NewRoom {
        kind: Kind::Talk.as_str(),
        name,
        about_kind: Some(about.kind.as_str().to_owned()),
        about_id: Some(about.id),
        ..NewRoom::default()
    };
    match room::insert(conn, new)? {
        Some(room) => Ok((room, true)),
        None => Ok((find(conn, about)?.ok_or_else(nowhere)?, false)),
    }
}

fn called(conn: &mut Conn, mut room: Room, name: &str) -> Result<(Room, Vec<Fact>)> {
    if room.name == name {
        return Ok((room, Vec::new()));
    }
    diesel::update(rooms::table.find(room.id)).set(rooms::name.eq(name)).execute(conn)?;
    name.clone_into(&mut room.name);
    let changed = Fact::RoomChanged(room.clone());
    Ok((room, vec![changed]))
}

fn rename(conn: &mut Conn, about: About, name: &str) -> Result<Done> {
    let Some(room) = find(conn, about)? else { return Ok((Outcome::Stored, Vec::new())) };
    let (room, facts) = called(conn, room, name)?;
    Ok((Outcome::Room(RoomView::new(room, None)), facts))
}

/// Ends the memberships of those who don't see any more what the talk is about, or only of `who` if they don't: members
/// hear what is said there without asking again.
fn narrow(conn: &mut Conn, mut room: Room, who: Option<UserId>) -> Result<Vec<Fact>> {
    let lost = match (who, room.about()) {
        (None, Some(About { kind: Subject::Media, id })) => blind(conn, room.id, MediaId(id))?,
        // Streams are for everybody who could be in their talk.
        (None, Some(About { kind: Subject::Stream, .. })) => Vec::new(),
        (Some(who), about) if is_open(conn, who, about)? => Vec::new(),
        (Some(who), _) => vec![who],
        (None, None) => membership::members(conn, room.id, UserId(0), i64::MAX)?,
    };
    let gone = membership::remove_all(conn, &lost, &mut room)?;
    Ok(gone.into_iter().map(|user| Fact::Left { user, room: room.id, members: room.members }).collect())
}

/// Those in the talk about an item who don't see it: [`shown`] for many people and one item.
fn blind(conn: &mut Conn, talk: RoomId, item: MediaId) -> Result<Vec<UserId>> {
    let there = media_items::gone.eq(false).and(media_items::trashed_at.is_null());
    let item: Option<(String, Option<UserId>, Option<RoomId>)> = media_items::table
        .filter(media_items::id.eq(item).and(there))
        .select((media_items::audience, media_items::user_id, media_items::room_id))
        .first(conn)
        .optional()?;
    let members = membership::members(conn, talk, UserId(0), i64::MAX)?;
    let seeing: HashSet<UserId> = match item {
        Some((audience, ..)) if audience == "all" => return Ok(Vec::new()),
        Some((audience, owner, Some(group))) if audience == "group" => {
            membership::members(conn, group, UserId(0), i64::MAX)?.into_iter().chain(owner).collect()
        }
        Some((_, owner, _)) => owner.into_iter().collect(),
        None => HashSet::new(),
    };
    Ok(members.into_iter().filter(|member| !seeing.contains(member)).collect())
}

/// The same in the talks about what is for the members of a group alone: `who` has left that, or everybody has.
pub(super) fn follow_group(conn: &mut Conn, group: RoomId, who: Option<UserId>) -> Result<Vec<Fact>> {
    let items = media_items::table
        .filter(media_items::audience.eq("group").and(media_items::room_id.eq(group)))
        .select(media_items::id.nullable());
    let talks: Vec<Room> = rooms::table
        .filter(rooms::kind.eq(Kind::Talk.as_str()).and(rooms::deleted_at.is_null()))
        .filter(rooms::about_kind.eq(Subject::Media.as_str()).and(rooms::about_id.eq_any(items)))
        .select(Room::as_select())
        .load(conn)?;
    let mut facts = Vec::new();
    for talk in talks {
        facts.extend(narrow(conn, talk, who)?);
    }
    Ok(facts)
}

/// Its messages are removed a little later, as those of every deleted room.
fn close(conn: &mut Conn, about: About) -> Result<Done> {
    let room = find(conn, about)?;
    let facts = room.map_or(Ok(Vec::new()), |room| group::end(conn, room.id))?;
    Ok((Outcome::Stored, facts))
}

impl Rooms {
    /// The talk of a thing as `user` sees it, made unless it is there. Nothing for somebody who isn't signed in while
    /// nobody has begun it: looking at a page makes no room for them.
    ///
    /// # Errors
    /// `NotFound` where the thing isn't to be seen.
    pub async fn talk(&self, user: Option<UserId>, about: About, name: String) -> Result<Option<RoomId>> {
        let found = self.db.read(move |conn| find(conn, about)).await?;
        match (found, user) {
            (Some(room), _) if room.name == name => Ok(Some(room.id)),
            (found, None) => Ok(found.map(|room| room.id)),
            (_, by) => {
                let deed = Deed::Open { by, about, name };
                self.change_room(super::Request::Talk(deed)).await.map(|room| Some(room.id))
            }
        }
    }
}

/// What stands beside a thing on its page, as HTML: the conversation about it.
#[derive(Clone, Debug, Default)]
pub struct Panel {
    /// The style sheets and scripts that it needs.
    pub head: String,
    pub html: String,
    /// The talk's number; nothing where it isn't shown.
    pub room: Option<RoomId>,
}

/// Gives the conversation about a thing; implemented above this floor.
pub trait TalkProvider: Send + Sync {
    /// The talk about a thing called `name` as `reader` sees it; `query` is that of the page's address.
    fn panel(
        &self,
        reader: Reader,
        about: About,
        name: String,
        query: String,
    ) -> LocalBoxFuture<'static, Result<Panel>>;
}

#[cfg(test)]
mod tests;
