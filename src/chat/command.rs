//! What each command of the protocol does. No SQL and no blocking here: a few lines that call a named function.

use super::Chat;
use super::amend;
use super::command_rooms;
use super::command_together;
use super::connection::{Connection, Context};
use super::protocol::{self, Command, JoinedBody, Nothing, Pong, Presence};
use super::reading;
use super::server::{Item, Tell};
use super::shard::WATCHED;
use crate::accounts::user::{PeopleQuery, Status, StatusState};
use crate::accounts::{Profile, user};
use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::ids::{RoomId, UserId};
use crate::rooms::message::{self, Changes, parse_limit};
use crate::rooms::{
    Asker, Mentionable, Message, Origin, Request, RoomView, Scope, Target, Typed, Verb, direct, may, room,
};
use crate::text::names_something;
use actix::{ActorFutureExt, AsyncContext, WrapFuture};
use bytes::Bytes;
use serde::Serialize;

/// Members above which nobody is told who types.
const TYPING_MEMBERS: i64 = 200;

/// Runs one command; its reply goes into the connection's outbox, now or later.
pub fn run(connection: &mut Connection, ctx: &mut Context, request: Option<u64>, command: Command) {
    let chat = connection.link.chat.clone();
    let user = connection.link.person.id;
    match command {
        Command::Send(send) => {
            let (room, text) = (send.room, send.text.clone());
            submit_words(connection, ctx, request, (room, &text), |c, people| post(c, send, people));
        }
        Command::Edit(edit) => amend::edit(connection, ctx, request, edit),
        Command::Delete(delete) => submit(connection, request, |c| amend::delete(c, &delete)),
        Command::React(react) => submit(connection, request, |c| amend::react(c, &react)),
        Command::Pin(pin) => submit(connection, request, |c| amend::pin(c, &pin)),
        Command::Preview(preview) => submit(connection, request, |c| amend::preview(c, &preview)),
        Command::Join(which) => {
            submit(connection, request, |_| Ok(Request::Join { user, target: target(which)? }));
        }
        Command::Leave(which) => {
            submit(connection, request, |_| Ok(Request::Leave { user, target: target(which)? }));
        }
        Command::Room(command) => command_rooms::run(connection, ctx, request, command),
        Command::History(h) => connection.answer(ctx, request, async move {
            protocol::reply_or_refusal(request, history(&chat, user, h).await)
        }),
        Command::Changes(c) => connection.answer(ctx, request, changes(chat, user, request, c)),
        Command::Rooms(list) => connection.answer(ctx, request, async move {
            protocol::reply_or_refusal(request, rooms(&chat, Some(user), list.after, list.limit).await)
        }),
        Command::People(list) => connection.answer(ctx, request, async move {
            protocol::reply_or_refusal(request, people(&chat, list).await)
        }),
        Command::Read(read) => {
            let from = (connection.link.local.worker, connection.link.key);
            connection.answer(ctx, request, async move {
                protocol::reply_or_refusal(request, reading::mark(&chat, user, from, read).await)
            });
        }
        Command::Level(asked) => {
            let from = (connection.link.local.worker, connection.link.key);
            connection.answer(ctx, request, async move {
                protocol::reply_or_refusal(request, reading::level(&chat, user, from, asked).await)
            });
        }
        Command::Typing(typing) => tell_typing(connection, typing.room),
        Command::Status(status) => connection.answer(ctx, request, async move {
            protocol::reply_or_refusal(request, set_status(&chat, user, status).await)
        }),
        Command::Watch(watch) => {
            let reply = protocol::reply_or_refusal(request, watch_people(connection, watch.users));
            connection.link.send(reply);
        }
        Command::Together(command) => command_together::run(connection, ctx, request, command),
        Command::Ping => connection.link.send(protocol::reply(request, Pong { at: now_ms() })),
    }
}

/// Submits a change whose reply will travel with its commit, or refuses it now.
pub fn submit(
    connection: &mut Connection,
    request: Option<u64>,
    change: impl FnOnce(&Connection) -> Result<Request>,
) {
    let origin = Origin { worker: connection.link.local.worker, connection: connection.link.key, request };
    let submitted = change(connection).and_then(|change| {
        connection.link.chat.rooms.db.submit(crate::rooms::Change::new(change, Asker::Connection(origin)))
    });
    if let Err(error) = submitted {
        connection.link.send(protocol::refusal(request, &error));
    }
}

/// [`submit`] for something with a text: whom and what it may name is looked up before.
pub fn submit_words(
    connection: &mut Connection,
    ctx: &mut Context,
    request: Option<u64>,
    (room, text): (RoomId, &str),
    change: impl FnOnce(&Connection, &Mentionable) -> Result<Request> + 'static,
) {
    if !names_something(text) {
        return submit(connection, request, |c| change(c, &Mentionable::new()));
    }
    let (chat, text) = (connection.link.chat.clone(), text.to_owned());
    let found = async move { chat.named_in(Some(room), &text).await };
    // The connection reads nothing meanwhile: what is sent next must not come before this.
    ctx.wait(found.into_actor(connection).map(move |people, connection, _| {
        submit(connection, request, |c| change(c, &people?));
    }));
}

fn post(connection: &Connection, send: protocol::Send, people: &Mentionable) -> Result<Request> {
    connection.link.chat.limits.send(connection.link.person.id)?;
    let typed = Typed {
        nonce: send.nonce,
        text: send.text,
        title: send.title.unwrap_or_default(),
        reply_to: send.reply_to,
        attachments: send.attachments,
    };
    let author = connection.link.chat.rooms.author(&connection.link.person);
    typed.check(author, send.room, people).map(Request::Post)
}

fn target(which: protocol::Which) -> Result<Target> {
    match (which.room, which.name) {
        (Some(id), None) => Ok(Target::Id(id)),
        (None, Some(name)) => Ok(Target::Channel(name)),
        _ => Err(Error::bad_request("bad_request", "Say which: a room's number or a channel's name.")),
    }
}

/// A page of messages.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct MessagePage {
    /// Ascending by `seq`.
    pub messages: Vec<Message>,
    pub more: bool,
}

/// A page of a room's messages, for one who may read there.
pub async fn history(chat: &Chat, user: UserId, history: protocol::History) -> Result<MessagePage> {
    let wanted = reading::wanted(history.before, history.after, history.around, history.at)?;
    let limit = parse_limit(history.limit)?;
    let scope = history.thread.map_or(Scope::All, Scope::Thread);
    page_of(chat, user, history.room, scope, wanted, limit).await
}

/// A page of what is pinned in a room, the newest by default.
pub async fn pins(
    chat: &Chat,
    user: UserId,
    room: RoomId,
    before: Option<i64>,
    limit: Option<i64>,
) -> Result<MessagePage> {
    let wanted = reading::wanted(before, None, None, None)?;
    page_of(chat, user, room, Scope::Pinned, wanted, parse_limit(limit)?).await
}

async fn page_of(
    chat: &Chat,
    user: UserId,
    room: RoomId,
    scope: Scope,
    wanted: reading::Wanted,
    limit: i64,
) -> Result<MessagePage> {
    chat.rooms
        .db
        .snapshot(move |conn| {
            let room = room::find(conn, room)?;
            may(conn, user, &room, Verb::Read)?;
            let page = wanted.find(conn, &room)?;
            if let Scope::Thread(seq) = scope {
                message::find(conn, room.id, seq)?;
            }
            let (messages, more) = message::page_of(conn, room.id, scope, page, limit)?;
            Ok(MessagePage { messages, more })
        })
        .await
}

/// What changed in a room, for one who may read there.
pub async fn changes_since(
    chat: &Chat,
    user: UserId,
    room: RoomId,
    after: i64,
    limit: Option<i64>,
) -> Result<Changes> {
    let limit = parse_limit(limit)?;
    chat.rooms
        .db
        .snapshot(move |conn| {
            let room = room::find(conn, room)?;
            may(conn, user, &room, Verb::Read)?;
            message::changes(conn, &room, after, limit)
        })
        .await
}

async fn changes(chat: Chat, user: UserId, request: Option<u64>, asked: protocol::Changes) -> Bytes {
    #[derive(Serialize)]
    struct Reset {
        reset: bool,
    }
    match changes_since(&chat, user, asked.room, asked.after, asked.limit).await {
        Ok(Changes::Reset) => protocol::reply(request, Reset { reset: true }),
        Ok(Changes::Since { messages, rev, more }) => {
            protocol::reply(request, ChangePage { messages, rev, more })
        }
        Err(error) => protocol::refusal(request, &error),
    }
}

/// A page of changes.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ChangePage {
    /// Ascending by `rev`, one per message.
    pub messages: Vec<Message>,
    pub rev: i64,
    pub more: bool,
}

/// The reply to a join: the newest messages, read after the connection was subscribed.
pub async fn joined(chat: Chat, user: UserId, request: Option<u64>, view: RoomView) -> Bytes {
    protocol::reply_or_refusal(request, joined_body(&chat, user, view).await)
}

async fn joined_body(chat: &Chat, user: UserId, view: RoomView) -> Result<JoinedBody> {
    let asked = protocol::History { room: view.id, ..protocol::History::default() };
    let page = history(chat, user, asked).await?;
    let mut view = chat.rooms.seen_by(user, view).await?;
    direct::introduce(&chat.accounts.directory, user, std::slice::from_mut(&mut view)).await?;
    Ok(JoinedBody { room: view, messages: page.messages })
}

/// A page of the channels, the board first on the first page.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct RoomPage {
    pub rooms: Vec<RoomView>,
    pub more: bool,
}

/// Rooms that one may see, by name after `after`.
pub async fn rooms(
    chat: &Chat,
    user: Option<UserId>,
    after: Option<String>,
    limit: Option<i64>,
) -> Result<RoomPage> {
    let limit = parse_limit(limit)?;
    let marks = chat.rooms.marks.clone();
    let (rooms, more) = chat
        .rooms
        .db
        .snapshot(move |conn| {
            let (channels, more) = room::channels(conn, user, after.as_deref(), limit)?;
            let mut rooms = if after.is_none() { vec![room::board(conn, user)?] } else { Vec::new() };
            rooms.extend(channels);
            if let Some(user) = user {
                marks.see(conn, user, &mut rooms)?;
            }
            Ok((rooms, more))
        })
        .await?;
    Ok(RoomPage { rooms, more })
}

#[derive(Debug, Serialize)]
struct PersonHere {
    id: UserId,
    username: String,
    display_name: String,
    guest: bool,
    color: Option<i32>,
    online: bool,
    state: &'static str,
    text: String,
}

#[derive(Debug, Serialize)]
struct People {
    users: Vec<PersonHere>,
    more: bool,
}

async fn people(chat: &Chat, list: protocol::List) -> Result<People> {
    let limit = parse_limit(list.limit)?;
    let query = PeopleQuery { begins: String::new(), after: list.after.unwrap_or_default(), limit };
    let (people, more) = chat.accounts.db.read(move |conn| user::page(conn, &query)).await?;
    let ids: Vec<UserId> = people.iter().map(|p| p.id).collect();
    let here = chat.presence.of(&ids);
    let users = people.into_iter().zip(here).map(|(person, here)| PersonHere {
        id: person.id,
        guest: person.is_guest(),
        color: person.hue,
        online: here.state != "offline",
        state: here.state,
        text: here.text,
        username: person.username,
        display_name: person.display_name,
    });
    Ok(People { users: users.collect(), more })
}

fn tell_typing(connection: &mut Connection, room: RoomId) {
    // Nobody waits for an answer: where it may not be told, nothing happens.
    if !connection.link.local.is_in(connection.link.key, room) || !connection.may_tell_typing(room) {
        return;
    }
    let chat = connection.link.chat.clone();
    let user = connection.link.person.id;
    actix::spawn(async move {
        if chat.size(room).await.is_ok_and(|members| members <= TYPING_MEMBERS) {
            let frame = protocol::frame(&serde_json::json!({ "type": "typing", "room": room, "user": user }));
            chat.server.do_send(Tell(Item::Typing { room, user, frame }));
        }
    });
}

async fn set_status(chat: &Chat, user: UserId, asked: protocol::Status) -> Result<Nothing> {
    let state = match asked.state.as_str() {
        "online" => StatusState::Online,
        "away" => StatusState::Away,
        "dnd" => StatusState::Dnd,
        _ => return Err(Error::field("state", "A state is online, away or dnd.")),
    };
    let status =
        Status::parse(state, &asked.text.unwrap_or_default()).map_err(|e| Error::Invalid(vec![e]))?;
    let profile = Profile { status: Some(status), ..Profile::default() };
    chat.accounts.change_profile(user, profile).await?;
    Ok(Nothing {})
}

#[derive(Serialize)]
struct Watched {
    users: Vec<Presence>,
}

fn watch_people(connection: &Connection, mut users: Vec<UserId>) -> Result<Watched> {
    users.sort_unstable();
    users.dedup();
    if users.len() > WATCHED {
        return Err(Error::field("users", "You can watch at most 100 people at once."));
    }
    let now = connection.link.chat.presence.of(&users);
    connection.link.local.watch(connection.link.key, users);
    Ok(Watched { users: now })
}
