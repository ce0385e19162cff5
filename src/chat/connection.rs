//! One WebSocket as an actor: its input, its commands and its lifetime. What it sends goes through its outbox.

use super::outbox::Outbox;
use super::server::{Arrive, Depart};
use super::shard::{Ears, HasJoined, Local, PersonChanged};
use super::{Chat, command, protocol, ready};
use crate::accounts::{Person, Visitor};
use crate::error::{Error, Result};
use crate::ids::Credential;
use crate::rooms::Request;
use crate::site::lifeline::Rope;
use crate::site::limit::Address;
use actix::{Actor, ActorContext, ActorFutureExt, AsyncContext, Handler, StreamHandler, WrapFuture};
use actix_http::ws::{CloseCode, Item, Message, OpCode, ProtocolError};
use actix_web_actors::ws::WebsocketContext;
use bytes::{Bytes, BytesMut};
use std::cell::Cell;
use std::collections::HashMap;
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Frames that can't be read before the connection is closed.
const STRIKES: u32 = 3;
/// Requests of one connection that may wait for the database at once.
const UNDER_WAY: usize = 32;
/// How often one connection may tell a room that its person types.
const TYPING_EVERY: Duration = Duration::from_secs(2);

/// The outbox with a count of the frames that weren't requests.
pub struct Patience {
    outbox: Rc<Outbox>,
    /// Makes an error frame of the connection's protocol.
    error: fn(&'static str, &str) -> Bytes,
    strikes: Cell<u32>,
}

impl Patience {
    pub fn new(outbox: Rc<Outbox>, error: fn(&'static str, &str) -> Bytes) -> Self {
        Self { outbox, error, strikes: Cell::new(0) }
    }

    /// Answers a frame that can't be answered with a reply; closes when that goes on.
    pub fn strike(&self, code: &'static str, message: &str) {
        self.strikes.set(self.strikes.get() + 1);
        if self.strikes.get() < STRIKES {
            // An overflow here is noticed by the shard's next delivery; the error frame isn't worth more.
            let _ = self.outbox.push((self.error)(code, message));
        } else {
            self.give_up(code, message, CloseCode::Policy);
        }
    }

    /// Answers and closes at once.
    pub fn give_up(&self, code: &'static str, message: &str, close: CloseCode) {
        let mut frames = BytesMut::from(&(self.error)(code, message)[..]);
        frames.extend_from_slice(&protocol::close_frame(close, message));
        self.outbox.close_with(frames.freeze());
    }
}

/// What the actor runs in.
pub type Context = <Connection as Actor>::Context;

/// The actor.
pub struct Connection {
    pub(super) chat: Chat,
    pub(super) local: Local,
    pub(super) person: Arc<Person>,
    credential: Credential,
    /// Where the client is, for limits.
    pub(super) address: Address,
    outbox: Rc<Outbox>,
    patience: Rc<Patience>,
    rope: Rope,
    /// Its number among its worker's connections; 0 before it is seated.
    pub(super) key: u64,
    under_way: usize,
    typed: HashMap<crate::ids::RoomId, Instant>,
    /// The fragments of a message that isn't complete.
    fragments: Option<BytesMut>,
}

impl Connection {
    pub fn new(
        chat: Chat,
        local: Local,
        visitor: Visitor,
        outbox: Rc<Outbox>,
        patience: Rc<Patience>,
        rope: Rope,
    ) -> Self {
        Self {
            chat,
            local,
            person: visitor.person,
            credential: visitor.credential,
            address: visitor.address,
            outbox,
            patience,
            rope,
            key: 0,
            under_way: 0,
            typed: HashMap::new(),
            fragments: None,
        }
    }

    /// Sends frames to this client; one that lets too much pile up is ended.
    pub(super) fn send(&self, frames: Bytes) {
        if self.outbox.push(frames).is_err() {
            self.rope.cut();
        }
    }

    /// Runs a request that needs the database; its reply goes out when it is ready.
    pub(super) fn answer(
        &mut self,
        ctx: &mut Context,
        request: Option<u64>,
        work: impl Future<Output = Bytes> + 'static,
    ) {
        if self.under_way >= UNDER_WAY {
            self.send(protocol::refusal(request, &Error::TooMany { retry_after_ms: 500 }));
            return;
        }
        self.under_way += 1;
        ctx.spawn(work.into_actor(self).map(|reply, connection, _| {
            connection.under_way -= 1;
            connection.send(reply);
        }));
    }

    /// Prepares a change that asks the other database first, then submits it; its reply travels with its commit.
    pub(super) fn prepare(
        &mut self,
        ctx: &mut Context,
        request: Option<u64>,
        work: impl Future<Output = Result<Request>> + 'static,
    ) {
        if self.under_way >= UNDER_WAY {
            self.send(protocol::refusal(request, &Error::TooMany { retry_after_ms: 500 }));
            return;
        }
        self.under_way += 1;
        ctx.spawn(work.into_actor(self).map(move |change, connection, _| {
            connection.under_way -= 1;
            command::submit(connection, request, |_| change);
        }));
    }

    /// Whether typing in this room may be told now.
    pub(super) fn may_tell_typing(&mut self, room: crate::ids::RoomId) -> bool {
        let now = Instant::now();
        self.typed.retain(|_, at| now.duration_since(*at) < TYPING_EVERY);
        !self.typed.contains_key(&room) && self.typed.insert(room, now).is_none()
    }

    fn text(&mut self, frame: &str, ctx: &mut Context) {
        match protocol::parse(frame) {
            Ok((request, Ok(command))) => command::run(self, ctx, request, command),
            Ok((request, Err(error))) => self.send(protocol::refusal(request, &error)),
            Err(protocol::NotARequest) => {
                self.patience.strike("not_json", "A frame is one JSON object with a type.");
            }
        }
    }

    fn fragment(&mut self, item: Item, ctx: &mut Context) {
        match item {
            Item::FirstText(bytes) => self.fragments = Some(BytesMut::from(&bytes[..])),
            Item::FirstBinary(_) => self.fragments = None,
            Item::Continue(bytes) => {
                if let Some(text) = &mut self.fragments {
                    text.extend_from_slice(&bytes);
                }
            }
            Item::Last(bytes) => match self.fragments.take() {
                Some(mut text) => {
                    text.extend_from_slice(&bytes);
                    match std::str::from_utf8(&text) {
                        Ok(text) => self.text(text, ctx),
                        Err(_) => {
                            self.patience.give_up("not_utf8", "A text frame is UTF-8.", CloseCode::Invalid);
                        }
                    }
                }
                None => self.binary(),
            },
        }
    }

    fn binary(&self) {
        self.patience.strike("not_text", "This protocol has text frames only.");
    }
}

impl Actor for Connection {
    type Context = WebsocketContext<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let who = (self.person.id, self.credential);
        self.key = self.local.seat(who, self.outbox.clone(), self.rope.clone(), Ears::Current(ctx.address()));
        self.chat.server.do_send(Arrive {
            connection: (self.local.worker, self.key),
            user: self.person.id,
            state: self.person.status_state.as_str(),
            text: self.person.status_text.clone(),
        });
        let load = ready::load(self.chat.clone(), self.local.clone(), self.key, self.person.clone());
        ctx.spawn(load.into_actor(self).map(|ready: Result<Bytes>, connection, _| match ready {
            Ok(frame) => connection.outbox.open_with(frame),
            Err(error) => {
                tracing::warn!(%error, "a connection could not be made ready");
                connection.patience.give_up(error.code(), &error.detail(), CloseCode::Again);
            }
        }));
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        self.local.vacate(self.key);
        self.chat.server.do_send(Depart((self.local.worker, self.key)));
    }
}

impl StreamHandler<std::result::Result<Message, ProtocolError>> for Connection {
    fn handle(&mut self, frame: std::result::Result<Message, ProtocolError>, ctx: &mut Self::Context) {
        self.local.heard(self.key);
        match frame {
            // A session that was ended a moment ago does nothing more, even if its browser hasn't heard of it yet.
            Ok(Message::Text(_) | Message::Continuation(_) | Message::Binary(_))
                if self.outbox.is_closed() => {}
            Ok(Message::Text(text)) => self.text(&text, ctx),
            Ok(Message::Continuation(item)) => self.fragment(item, ctx),
            Ok(Message::Binary(_)) => self.binary(),
            Ok(Message::Ping(payload)) => self.send(protocol::control_frame(OpCode::Pong, &payload)),
            Ok(Message::Pong(_) | Message::Nop) => {}
            Ok(Message::Close(reason)) => {
                let code = reason.map_or(CloseCode::Normal, |r| r.code);
                self.outbox.close_with(protocol::close_frame(code, ""));
                ctx.stop();
            }
            // An error doesn't close by itself: without this the connection would stay, deaf.
            Err(error) => {
                let (code, words) = fault(&error);
                self.outbox.close_with(protocol::close_frame(code, words));
                ctx.stop();
            }
        }
    }
}

/// How a connection is closed that breaks the WebSocket protocol itself.
pub fn fault(error: &ProtocolError) -> (CloseCode, &'static str) {
    match error {
        ProtocolError::Overflow => (CloseCode::Size, "That frame is too large."),
        // The library's name for a text that isn't UTF-8, and for a socket that has gone anyway.
        ProtocolError::Io(_) => (CloseCode::Invalid, "A text frame is UTF-8."),
        _ => (CloseCode::Protocol, "That is not the WebSocket protocol."),
    }
}

impl Handler<HasJoined> for Connection {
    type Result = ();

    fn handle(&mut self, HasJoined { request, room }: HasJoined, ctx: &mut Self::Context) {
        let work = command::joined(self.chat.clone(), self.person.id, request, room);
        self.answer(ctx, request, work);
    }
}

impl Handler<PersonChanged> for Connection {
    type Result = ();

    fn handle(&mut self, PersonChanged(person): PersonChanged, _: &mut Self::Context) {
        self.person = person;
    }
}
