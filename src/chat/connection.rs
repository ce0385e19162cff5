//! One WebSocket as an actor: its input, its commands and its lifetime. What it sends goes through its outbox.

use super::shard::{Ears, HasJoined, PersonChanged};
use super::socket::{self, Frame, Link, Protocol};
use super::{command, protocol, ready};
use crate::error::{Error, Result};
use crate::ids::RoomId;
use crate::rooms::Request;
use actix::{Actor, ActorFutureExt, AsyncContext, Handler, StreamHandler, WrapFuture};
use actix_web_actors::ws::WebsocketContext;
use bytes::Bytes;
use std::collections::HashMap;
use std::future::Future;
use std::time::{Duration, Instant};

/// Requests of one connection that may wait for the database at once.
const UNDER_WAY: usize = 32;
/// How often one connection may tell a room that its person types.
const TYPING_EVERY: Duration = Duration::from_secs(2);

/// What the actor runs in.
pub type Context = <Connection as Actor>::Context;

/// The actor.
pub struct Connection {
    pub(super) link: Link,
    under_way: usize,
    typed: HashMap<RoomId, Instant>,
}

impl Connection {
    /// Runs a request that needs the database; its reply goes out when it is ready.
    pub(super) fn answer(
        &mut self,
        ctx: &mut Context,
        request: Option<u64>,
        work: impl Future<Output = Bytes> + 'static,
    ) {
        if self.under_way >= UNDER_WAY {
            self.link.send(protocol::refusal(request, &Error::TooMany { retry_after_ms: 500 }));
            return;
        }
        self.under_way += 1;
        ctx.spawn(work.into_actor(self).map(|reply, connection, _| {
            connection.under_way -= 1;
            connection.link.send(reply);
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
            self.link.send(protocol::refusal(request, &Error::TooMany { retry_after_ms: 500 }));
            return;
        }
        self.under_way += 1;
        ctx.spawn(work.into_actor(self).map(move |change, connection, _| {
            connection.under_way -= 1;
            command::submit(connection, request, |_| change);
        }));
    }

    /// Whether typing in this room may be told now.
    pub(super) fn may_tell_typing(&mut self, room: RoomId) -> bool {
        let now = Instant::now();
        self.typed.retain(|_, at| now.duration_since(*at) < TYPING_EVERY);
        !self.typed.contains_key(&room) && self.typed.insert(room, now).is_none()
    }
}

impl Protocol for Connection {
    const NAMES: &'static [&'static str] = &["hubbub.v1"];
    const FRAME_BYTES: usize = protocol::FRAME_BYTES;
    const TOO_LARGE: &'static str = "A frame has at most 64 KiB.";

    fn new(link: Link) -> Self {
        Self { link, under_way: 0, typed: HashMap::new() }
    }

    fn link(&mut self) -> &mut Link {
        &mut self.link
    }

    fn error(code: &'static str, message: &str) -> Bytes {
        protocol::error_frame(code, message)
    }

    fn text(&mut self, frame: &str, ctx: &mut Context) {
        match protocol::parse(frame) {
            Ok((request, Ok(command))) => command::run(self, ctx, request, command),
            Ok((request, Err(error))) => self.link.send(protocol::refusal(request, &error)),
            Err(protocol::NotARequest) => {
                self.link.patience.strike("not_json", "A frame is one JSON object with a type.");
            }
        }
    }
}

impl Actor for Connection {
    type Context = WebsocketContext<Self>;

    fn started(&mut self, ctx: &mut Context) {
        self.link.arrive(Ears::Current(ctx.address()));
        let Link { chat, local, key, person, .. } = &self.link;
        let load = ready::load(chat.clone(), local.clone(), *key, person.clone());
        ctx.spawn(load.into_actor(self).map(|ready, connection, _| connection.link.ready(ready)));
    }

    fn stopped(&mut self, _: &mut Context) {
        self.link.depart();
    }
}

impl StreamHandler<Frame> for Connection {
    fn handle(&mut self, frame: Frame, ctx: &mut Context) {
        socket::handle(self, frame, ctx);
    }
}

impl Handler<HasJoined> for Connection {
    type Result = ();

    fn handle(&mut self, HasJoined { request, room }: HasJoined, ctx: &mut Context) {
        let work = command::joined(self.link.chat.clone(), self.link.person.id, request, room);
        self.answer(ctx, request, work);
    }
}

impl Handler<PersonChanged> for Connection {
    type Result = ();

    fn handle(&mut self, PersonChanged(person): PersonChanged, _: &mut Context) {
        self.link.person = person;
    }
}
