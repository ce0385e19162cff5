//! What the commands of `/ws/classic` do, with the same rooms, people and rules as everything else.

use super::Chat;
use super::classic_picture::{self, Part};
use super::classic_protocol::{Chat as Which, Name, Said, Says, Send};
use super::command_rooms as commands;
use super::protocol_rooms::{Create, Open};
use crate::accounts::{PeopleQuery, Person, user};
use crate::config::Right;
use crate::error::{Error, Result};
use crate::ids::{RoomId, UserId};
use crate::rooms::message;
use crate::rooms::{
    Asking, Attachment, Kind, Mentionable, Message, Nonce, Page, Request, Room, Typed, direct, group, room,
};
use crate::site::limit::Address;
use crate::text;
use bytes::Bytes;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

/// Names in a `Status`.
const NAMES: usize = 1000;
/// How old the list of names may be: the protocol promises changes within 5 s, and connections look every 2 s.
const NAMES_KEPT: Duration = Duration::from_secs(2);
/// Bytes of a `History`.
const HISTORY_BYTES: usize = 4 * 1024 * 1024;

/// The names of everybody, made once for all classic connections.
#[derive(Clone)]
pub struct Names(moka::sync::Cache<(), Arc<[Name]>>);

impl Default for Names {
    fn default() -> Self {
        Self(moka::sync::Cache::builder().max_capacity(1).time_to_live(NAMES_KEPT).build())
    }
}

/// At most [`NAMES`] people, those who are here first.
async fn names(chat: &Chat) -> Result<Arc<[Name]>> {
    if let Some(names) = chat.names.0.get(&()) {
        return Ok(names);
    }
    let here = chat.presence.everybody(NAMES);
    let people = chat.accounts.directory.many(&here).await?;
    let mut listed: Vec<Name> =
        people.values().map(|p| Name { name: p.username.clone(), online: true }).collect();
    listed.sort_by_cached_key(|name| text::fold(&name.name));
    let online: HashSet<UserId> = here.into_iter().collect();
    let mut after = String::new();
    while listed.len() < NAMES {
        let query = PeopleQuery { begins: String::new(), after: after.clone(), limit: user::PAGE_MAX };
        let (page, more) = chat.accounts.db.read(move |conn| user::page(conn, &query)).await?;
        after = page.last().map(|person| person.username.clone()).unwrap_or_default();
        let absent = page.into_iter().filter(|person| !online.contains(&person.id));
        listed.extend(absent.map(|person| Name { name: person.username, online: false }));
        if !more {
            break;
        }
    }
    listed.truncate(NAMES);
    let names: Arc<[Name]> = listed.into();
    chat.names.0.insert((), names.clone());
    Ok(names)
}

/// The `Status` for one person, whole.
pub async fn status(chat: &Chat, user: UserId) -> Result<Bytes> {
    let names = names(chat).await?;
    let groups = chat.rooms.db.read(move |conn| group::of(conn, user)).await?;
    let mut groups: Vec<String> = groups.into_iter().map(|room| room.name).collect();
    // Two groups may share a name; the old clients know them by nothing else.
    groups.dedup();
    Ok(Says::Status { users: &names, groups: &groups }.frame())
}

/// Does what a client said. Answers with frames for it; what it sent comes back as a delivery.
///
/// # Errors
/// `Forbidden` for a sender that somebody else is, and whatever refuses the thing itself.
pub async fn run(chat: &Chat, person: &Person, from: Address, said: Said) -> Result<Option<Bytes>> {
    if text::fold(said.from()) != text::fold(&person.username) {
        return Err(Error::forbidden(
            "not_you",
            "You are signed in under another name than this frame says.",
        ));
    }
    match said {
        Said::Connect { .. } => status(chat, person.id).await.map(Some),
        Said::Send(send) => say(chat, person, from, send).await.map(|()| None),
        Said::Join { chat: which, to, .. } => history(chat, person, which, &to).await.map(Some),
        Said::Create { name, list, .. } => {
            let asked = Create { kind: "group".into(), name, topic: String::new(), members: list };
            let request = commands::create(chat, person, asked).await?;
            chat.rooms.change_room(request).await?;
            status(chat, person.id).await.map(Some)
        }
        Said::Delete { name, .. } => {
            let room = own_group(chat, person.id, name).await?.id;
            chat.rooms.change_room(Request::DeleteRoom { by: Asking::from(person), room }).await?;
            status(chat, person.id).await.map(Some)
        }
    }
}

/// One of the person's own groups by name; the one that was active last when there are several.
async fn own_group(chat: &Chat, user: UserId, name: String) -> Result<Room> {
    let find = move |conn: &mut _| {
        let groups = group::of(conn, user)?;
        groups.into_iter().find(|room| room.name == name.trim()).ok_or_else(room::nowhere)
    };
    chat.rooms.db.read(find).await
}

async fn say(chat: &Chat, person: &Person, from: Address, send: Send) -> Result<()> {
    chat.limits.send(person.id)?;
    let nonce = Nonce::random()?.as_str().to_owned();
    // What can't be sent makes no room: a text is checked before there is one, and what a picture is by its first bytes.
    if send.is_image == 0 {
        let people = chat.named_in(None, &send.content).await?;
        let typed = Typed { nonce, text: send.content, ..Typed::default() };
        let mut post = typed.check(chat.rooms.author(person), RoomId(0), &people)?;
        post.room = conversation(chat, person, from, send.chat, send.to).await?;
        return chat.rooms.post(post).await.map(drop);
    }
    chat.accounts.allow(person, Right::Files)?;
    chat.limits.upload(person.id)?;
    let bytes = classic_picture::read(&send.content)?;
    let room = conversation(chat, person, from, send.chat, send.to).await?;
    chat.rooms.may_attach(person.id, room).await?;
    let _turn = chat.rooms.uploads.begin(person.id)?;
    let attachments = vec![chat.rooms.store_image(person.id, room, bytes).await?];
    let typed = Typed { nonce, attachments, ..Typed::default() };
    chat.rooms.post(typed.check(chat.rooms.author(person), room, &Mentionable::new())?).await.map(drop)
}

/// The room that a `Send` is for; a private one is made by the first.
async fn conversation(
    chat: &Chat,
    person: &Person,
    from: Address,
    which: Which,
    to: String,
) -> Result<RoomId> {
    match which {
        Which::Group => Ok(own_group(chat, person.id, to).await?.id),
        Which::Private => {
            let asked = Open { user: Some(to), key: None };
            let request = commands::open(chat, person, from, asked).await?;
            Ok(chat.rooms.change_room(request).await?.id)
        }
    }
}

/// The answer to `Join`: the newest messages of a conversation, oldest first.
async fn history(chat: &Chat, person: &Person, which: Which, to: &str) -> Result<Bytes> {
    let user = person.id;
    let room = match which {
        Which::Group => Some(own_group(chat, user, to.to_owned()).await?),
        Which::Private => {
            let peer = commands::person(chat, to).await?.id;
            chat.rooms.db.read(move |conn| direct::find(conn, user, peer)).await?
        }
    };
    let mut parts = Vec::new();
    if let Some(room) = room {
        let id = room.id;
        let read = move |conn: &mut _| message::page(conn, id, Page::Newest, message::PAGE);
        let (messages, _) = chat.rooms.db.snapshot(read).await?;
        for message in &messages {
            parts.extend(parts_of(chat, &room, message).await?);
        }
    }
    let mut left = HISTORY_BYTES;
    let fits = parts.iter().rev().take_while(|part| {
        let bytes = part.send.content.len() + 256;
        let is_left = bytes <= left;
        left = left.saturating_sub(bytes);
        is_left
    });
    let first = parts.len() - fits.count();
    // From the first picture on for which there is no space, the older ones are told by their addresses.
    for part in parts.iter_mut().skip(first).rev() {
        match part.fill(chat, user, left).await? {
            Some(bytes) => left -= bytes,
            None => break,
        }
    }
    let history = parts.iter().skip(first).map(|part| Says::Send(&part.send)).collect();
    Ok(Says::Join { chat: which, from: &person.username, to, history }.frame())
}

/// A message in the form of this protocol: its text, then each of its pictures and files by address.
async fn parts_of(chat: &Chat, room: &Room, message: &Message) -> Result<Vec<Part>> {
    if message.deleted_at.is_some() {
        return Ok(Vec::new());
    }
    let (which, to) = match (room.kind, room.pair()) {
        (Kind::Direct, Some((one, other))) => {
            let peer = if one == message.user { other } else { one };
            (Which::Private, username(chat, peer).await?)
        }
        (Kind::Group, _) => (Which::Group, room.name.clone()),
        _ => return Ok(Vec::new()),
    };
    let from = username(chat, message.user).await?;
    let part = |content: String, picture: Option<Attachment>| {
        let is_image = u8::from(picture.is_some());
        Part { send: Send { from: from.clone(), to: to.clone(), content, chat: which, is_image }, picture }
    };
    let mut parts = Vec::new();
    if !message.text.is_empty() {
        parts.push(part(message.text.clone(), None));
    }
    let attached = Attachment::list(message.attachments.as_ref());
    parts.extend(attached.into_iter().map(|file| part(file.url.clone(), file.is_picture().then_some(file))));
    Ok(parts)
}

async fn username(chat: &Chat, user: UserId) -> Result<String> {
    let person = chat.accounts.directory.get(user).await?;
    Ok(person.map(|person| person.username.clone()).unwrap_or_default())
}

/// The frames for a message that was just stored, for one who may read it.
pub async fn heard(chat: &Chat, reader: UserId, message: &Message) -> Result<Vec<Bytes>> {
    // An edit or a reaction has no form in this protocol.
    if message.rev != message.first_rev {
        return Ok(Vec::new());
    }
    let id = message.room;
    let room = chat.rooms.db.read(move |conn| room::find(conn, id)).await?;
    let mut frames = Vec::new();
    for mut part in parts_of(chat, &room, message).await? {
        part.fill_frame(chat, reader).await?;
        frames.push(Says::Send(&part.send).frame());
    }
    Ok(frames)
}
