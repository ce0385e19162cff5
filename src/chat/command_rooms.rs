//! Having rooms made, changed and deleted, bringing people into them and out again: for sockets, pages and the API.
//!
//! People are named by user name, which the other database knows: each function looks them up and answers with the
//! change to submit.

use super::Chat;
use super::command::submit;
use super::connection::{Connection, Context};
use super::protocol_rooms::{self as protocol, Create, Open, Somebody};
use crate::accounts::audit::Deed;
use crate::accounts::{Person, Visitor};
use crate::config::Right;
use crate::error::{Error, FieldError, Result};
use crate::ids::{RoomId, UserId};
use crate::rooms::room::parse_topic;
use crate::rooms::{Asking, GroupName, Kind, Outcome, Party, Request, RoomName, RoomView, direct};
use crate::site::limit::Address;
use std::collections::HashSet;
use std::sync::Arc;

/// People that a group is made with at once; more are invited.
const MEMBERS_AT_ONCE: usize = 500;

/// What a socket asks for; the reply travels with the commit.
#[derive(Debug)]
pub enum Command {
    Create(Create),
    Invite(Somebody),
    Kick(Somebody),
    Rename(protocol::Rename),
    Topic(protocol::Topic),
    Delete(protocol::One),
    Open(Open),
}

/// Runs one of these commands.
pub fn run(connection: &mut Connection, ctx: &mut Context, request: Option<u64>, command: Command) {
    let (chat, person, address) =
        (connection.link.chat.clone(), connection.link.person.clone(), connection.link.address);
    let by = Asking::from(&*person);
    match command {
        Command::Rename(c) => submit(connection, request, |_| Ok(rename(by, c.room, c.name))),
        Command::Topic(c) => submit(connection, request, |_| Ok(set_topic(by, c.room, c.topic))),
        Command::Delete(c) => submit(connection, request, |_| Ok(Request::DeleteRoom { by, room: c.room })),
        Command::Create(c) => {
            connection.prepare(ctx, request, async move { create(&chat, &person, c).await });
        }
        Command::Invite(c) => {
            connection.prepare(ctx, request, async move { invite(&chat, by, c.room, &c.user).await });
        }
        Command::Kick(c) => {
            connection.prepare(ctx, request, async move { kick(&chat, by, c.room, &c.user).await });
        }
        Command::Open(c) => {
            connection.prepare(ctx, request, async move { open(&chat, &person, address, c).await });
        }
    }
}

/// The request to make a channel or group.
///
/// # Errors
/// `Invalid` with one sentence per wrong field, `Forbidden` for a guest without the right.
pub async fn create(chat: &Chat, person: &Person, create: Create) -> Result<Request> {
    match create.kind.as_str() {
        "channel" => {
            chat.accounts.allow(person, Right::Channels)?;
            new_channel(person.id, &create)
        }
        "group" => {
            chat.accounts.allow(person, Right::Groups)?;
            new_group(chat, person.id, create).await
        }
        _ => Err(Error::field("kind", "A room of one's own is a channel or a group.")),
    }
}

fn new_channel(owner: UserId, create: &Create) -> Result<Request> {
    let mut wrong: Vec<FieldError> = Vec::new();
    let name = RoomName::parse(&create.name).map_err(|e| wrong.push(e)).ok();
    let topic = parse_topic(&create.topic).map_err(|e| wrong.push(e)).ok();
    if !create.members.is_empty() {
        wrong.push(FieldError::new("members", "A channel is open to everybody; people join it themselves."));
    }
    match (name, topic) {
        (Some(name), Some(topic)) if wrong.is_empty() => Ok(Request::CreateChannel { owner, name, topic }),
        _ => Err(Error::Invalid(wrong)),
    }
}

async fn new_group(chat: &Chat, owner: UserId, create: Create) -> Result<Request> {
    let mut wrong: Vec<FieldError> = Vec::new();
    let name = GroupName::parse(&create.name).map_err(|e| wrong.push(e)).ok();
    let topic = parse_topic(&create.topic).map_err(|e| wrong.push(e)).ok();
    let members = people(chat, create.members).await?.map_err(|e| wrong.push(e)).ok();
    match (name, topic, members) {
        (Some(name), Some(topic), Some(members)) => Ok(Request::CreateGroup { owner, name, topic, members }),
        _ => Err(Error::Invalid(wrong)),
    }
}

/// Those with these user names, each once.
async fn people(chat: &Chat, names: Vec<String>) -> Result<std::result::Result<Vec<Party>, FieldError>> {
    if names.len() > MEMBERS_AT_ONCE {
        let words = "A group begins with at most 500 people. Invite the others afterwards.";
        return Ok(Err(FieldError::new("members", words)));
    }
    let (mut found, mut seen) = (Vec::with_capacity(names.len()), HashSet::new());
    for name in names {
        match chat.accounts.directory.by_username(&name).await? {
            Some(person) if seen.insert(person.id) => found.push(Party::from(&*person)),
            Some(_) => {}
            None => {
                let name: String = name.trim().chars().take(48).collect();
                return Ok(Err(FieldError::new("members", format!("There is nobody called {name}."))));
            }
        }
    }
    Ok(Ok(found))
}

/// The person of a user name.
///
/// # Errors
/// `NotFound`.
pub async fn person(chat: &Chat, username: &str) -> Result<Arc<Person>> {
    let found = chat.accounts.directory.by_username(username).await?;
    found.ok_or(Error::NotFound("There is nobody by that name."))
}

/// The request to make somebody a member.
///
/// # Errors
/// As for a room that isn't there, whoever is asked for, when it isn't there for `by`.
pub async fn invite(chat: &Chat, by: Asking, room: RoomId, username: &str) -> Result<Request> {
    let user = member(chat, by, room, username).await?;
    Ok(Request::Invite { by, room, user })
}

/// The request to end somebody's membership.
///
/// # Errors
/// As [`invite`].
pub async fn kick(chat: &Chat, by: Asking, room: RoomId, username: &str) -> Result<Request> {
    let user = member(chat, by, room, username).await?;
    Ok(Request::Kick { by, room, user })
}

async fn member(chat: &Chat, by: Asking, room: RoomId, username: &str) -> Result<Party> {
    // A room that isn't theirs must not answer that there is nobody of that name, for then it would be there.
    one(chat, by.id, room).await?;
    Ok(Party::from(&*person(chat, username).await?))
}

pub fn rename(by: Asking, room: RoomId, name: String) -> Request {
    Request::Rename { by, room, name }
}

/// Sets how long one person has to wait between two messages, and writes it down.
pub async fn slow_down(chat: &Chat, by: Asking, room: RoomId, seconds: i32) -> Result<RoomView> {
    let view = change(chat, by.id, Request::SetSlow { by, room, seconds }).await?;
    // A private room's name is nobody's business but its members'.
    let name = if view.kind == Kind::Group { view.id.to_string() } else { view.name.clone() };
    chat.accounts.log(by.id, Deed::SlowMode, None, format!("{name} → {seconds} s")).await?;
    Ok(view)
}

pub fn set_topic(by: Asking, room: RoomId, topic: String) -> Request {
    Request::SetTopic { by, room, topic }
}

/// The request for the direct room with somebody.
///
/// # Errors
/// `NotFound` for nobody, `TooMany` for too many wrong keys, `Forbidden` for a guest without the right.
pub async fn open(chat: &Chat, by: &Person, from: Address, open: Open) -> Result<Request> {
    chat.accounts.allow(by, Right::Direct)?;
    let (with, by_key) = match (open.user, open.key) {
        (Some(user), None) => (person(chat, &user).await?, false),
        (None, Some(key)) => (chat.accounts.person_by_key(by.id, from, &key).await?, true),
        _ => return Err(Error::bad_request("bad_request", "Say who: a user name, or a private key.")),
    };
    if !by_key && !with.is_staff() && with.id != by.id && chat.accounts.is_newcomer(by) {
        has_begun(chat, by.id, with.id).await?;
    }
    Ok(Request::OpenDirect { by: by.into(), with: Party::from(&*with), by_key })
}

/// Whoever is new answers privately, and begins with those who look after the place.
async fn has_begun(chat: &Chat, by: UserId, with: UserId) -> Result<()> {
    if chat.rooms.db.read(move |conn| direct::find(conn, by, with)).await?.is_some() {
        return Ok(());
    }
    let hours = chat.accounts.config.newcomer_hours;
    let words = format!(
        "Whoever is new here can't begin a private conversation in the first {hours} hours, but with those who look after the place."
    );
    Err(Error::forbidden("newcomer", words))
}

/// Submits a request and answers with the room as `user` sees it, with its people introduced.
pub async fn change(chat: &Chat, user: UserId, request: Request) -> Result<RoomView> {
    let view = chat.rooms.change_room(request).await?;
    let mut view = chat.rooms.seen_by(user, view).await?;
    direct::introduce(&chat.accounts.directory, user, std::slice::from_mut(&mut view)).await?;
    Ok(view)
}

/// Opens the direct room with somebody; `true` when it was made just now.
pub async fn open_direct(chat: &Chat, visitor: &Visitor, asked: Open) -> Result<(RoomView, bool)> {
    let request = open(chat, &visitor.person, visitor.address, asked).await?;
    match chat.rooms.change(request).await? {
        Outcome::Opened { room, is_new } => Ok((chat.rooms.seen_by(visitor.person.id, room).await?, is_new)),
        other => Err(Error::internal(format!("a direct room ended with {other:?}"))),
    }
}

/// One room as `user` sees it.
///
/// # Errors
/// `NotFound` for a room that isn't there for them.
pub async fn one(chat: &Chat, user: UserId, id: RoomId) -> Result<RoomView> {
    let read = move |conn: &mut _| {
        let found = crate::rooms::room::find(conn, id)?;
        crate::rooms::may(conn, user, &found, crate::rooms::Verb::Read)?;
        let mark = crate::rooms::room::read_mark(conn, user, id)?;
        Ok(RoomView::new(found, mark))
    };
    let view = chat.rooms.db.snapshot(read).await?;
    let mut view = chat.rooms.seen_by(user, view).await?;
    direct::introduce(&chat.accounts.directory, user, std::slice::from_mut(&mut view)).await?;
    Ok(view)
}
