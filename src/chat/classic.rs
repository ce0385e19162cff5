//! `/ws/classic`: one WebSocket of the old protocol as an actor. What it does is in `classic_talk`.
//!
//! It takes one thing after the other: a command waits until the one before it is answered, and so does a delivery.

use super::classic_protocol::{self as classic, FRAME_BYTES, Said};
use super::connection::Patience;
use super::frame_guard::{Alarm, FrameGuard};
use super::outbox::{Outbox, OutboxStream};
use super::server::{Arrive, Depart, Meet};
use super::shard::{Ears, Local, PersonChanged};
use super::{Chat, classic_talk, protocol};
use crate::accounts::{Person, Visitor};
use crate::error::{Error, Result};
use crate::ids::Credential;
use crate::rooms::{Message as Stored, room};
use crate::site::lifeline::{self, Rope};
use crate::site::limit::Address;
use actix::{Actor, ActorContext, ActorFutureExt, AsyncContext, Handler, Message, StreamHandler, WrapFuture};
use actix_http::ws::{self, CloseCode, Codec, OpCode, ProtocolError};
use actix_web::{HttpRequest, HttpResponse, web};
use actix_web_actors::ws::{WebsocketContext, handshake};
use bytes::{Bytes, BytesMut};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// How often each connection looks whether people or groups have changed; the protocol promises 5 s.
const LOOKS_EVERY: Duration = Duration::from_secs(2);
/// Bytes that may wait for one connection: a whole history and what arrives meanwhile.
const WAITING_BYTES: usize = 8 * 1024 * 1024;
/// Deliveries that may wait for one connection; a client that falls further behind is ended.
const DELIVERIES: usize = 1024;

/// `GET /ws/classic`, for signed-in people. The Origin has been checked before.
///
/// # Errors
/// `SignInFirst`, `TooMany`, or `BadRequest` for a request that is no handshake.
pub async fn connect(
    request: HttpRequest,
    payload: web::Payload,
    visitor: Visitor,
    chat: web::Data<Chat>,
    local: web::ThinData<Local>,
) -> Result<HttpResponse> {
    chat.limits.connection(&request)?;
    let mut response = handshake(&request)
        .map_err(|_| Error::bad_request("no_handshake", "This address speaks WebSocket only."))?;
    let outbox = Rc::new(Outbox::held_up_to(WAITING_BYTES));
    let patience = Rc::new(Patience::new(outbox.clone(), classic::error));
    let words = "A frame has at most 6 MiB.";
    let guarded = FrameGuard::new(payload, FRAME_BYTES, {
        let patience = patience.clone();
        move |alarm| match alarm {
            Alarm::Oversized => patience.strike("too_large", words),
            Alarm::Hopeless => patience.give_up("too_large", words, CloseCode::Size),
        }
    });
    let connection = Classic {
        chat: chat.get_ref().clone(),
        local: local.0.clone(),
        person: visitor.person,
        credential: visitor.credential,
        address: visitor.address,
        outbox: outbox.clone(),
        patience,
        rope: lifeline::of(&request),
        key: 0,
        status: None,
        fragments: None,
    };
    // The guard has judged sizes already; the codec's own limit only has to stand above them.
    let codec = Codec::new().max_size(FRAME_BYTES + 1);
    let actor = WebsocketContext::with_codec(connection, guarded, codec);
    Ok(response.streaming(OutboxStream::new(actor, outbox)))
}

type Context = WebsocketContext<Classic>;

/// The actor.
pub struct Classic {
    chat: Chat,
    local: Local,
    person: Arc<Person>,
    credential: Credential,
    address: Address,
    outbox: Rc<Outbox>,
    patience: Rc<Patience>,
    rope: Rope,
    key: u64,
    /// The last `Status` that was sent; none before `Connect`.
    status: Option<Bytes>,
    fragments: Option<BytesMut>,
}

impl Classic {
    fn send(&self, frames: Bytes) {
        if self.outbox.push(frames).is_err() {
            self.rope.cut();
        }
    }

    fn text(&mut self, frame: &str, ctx: &mut Context) {
        let said = match serde_json::from_str::<Said>(frame) {
            Ok(said) => said,
            Err(error) if error.is_data() => {
                let words = "This server doesn't know that type of frame, or something in it is missing.";
                return self.send(classic::error("bad_request", words));
            }
            Err(_) => return self.patience.strike("not_json", "A frame is one JSON object with a Type."),
        };
        let answers_with_status = !matches!(said, Said::Send(_) | Said::Join { .. });
        let (chat, person, address) = (self.chat.clone(), self.person.clone(), self.address);
        let work = async move { classic_talk::run(&chat, &person, address, said).await };
        ctx.wait(work.into_actor(self).map(move |answer, classic, _| match answer {
            Ok(Some(frame)) => {
                if answers_with_status {
                    classic.status = Some(frame.clone());
                }
                classic.send(frame);
            }
            Ok(None) => {}
            Err(error) => classic.send(classic::refusal(&error)),
        }));
    }

    /// Sends the `Status` again when it is another one by now.
    fn look(&mut self, ctx: &mut Context) {
        if self.status.is_none() {
            return;
        }
        let (chat, user) = (self.chat.clone(), self.person.id);
        let work = async move { classic_talk::status(&chat, user).await };
        ctx.wait(work.into_actor(self).map(|status: Result<Bytes>, classic, _| {
            if let Ok(frame) = status
                && classic.status.as_ref() != Some(&frame)
            {
                classic.status = Some(frame.clone());
                classic.send(frame);
            }
        }));
    }

    fn fragment(&mut self, item: ws::Item, ctx: &mut Context) {
        match item {
            ws::Item::FirstText(bytes) => self.fragments = Some(BytesMut::from(&bytes[..])),
            ws::Item::FirstBinary(_) => self.fragments = None,
            ws::Item::Continue(bytes) => {
                if let Some(text) = &mut self.fragments {
                    text.extend_from_slice(&bytes);
                }
            }
            ws::Item::Last(bytes) => {
                let Some(mut text) = self.fragments.take() else { return self.binary() };
                text.extend_from_slice(&bytes);
                match std::str::from_utf8(&text) {
                    Ok(text) => self.text(text, ctx),
                    Err(_) => self.patience.give_up("not_utf8", "A text frame is UTF-8.", CloseCode::Invalid),
                }
            }
        }
    }

    fn binary(&self) {
        self.patience.strike("not_text", "This protocol has text frames only.");
    }
}

/// The rooms that this protocol knows: every group and private conversation.
async fn subscribe(chat: Chat, local: Local, key: u64, user: crate::ids::UserId) -> Result<()> {
    let read = move |conn: &mut _| {
        Ok((room::company(conn, user, i64::MAX)?, room::company(conn, user, super::company::GROUP_MEMBERS)?))
    };
    let (all, company) = chat.rooms.db.snapshot(read).await?;
    local.subscribe_all(key, all);
    chat.server.send(Meet { user, rooms: company }).await.map_err(|e| Error::internal(e.to_string()))?;
    Ok(())
}

impl Actor for Classic {
    type Context = Context;

    fn started(&mut self, ctx: &mut Context) {
        ctx.set_mailbox_capacity(DELIVERIES);
        let who = (self.person.id, self.credential);
        self.key = self.local.seat(who, self.outbox.clone(), self.rope.clone(), Ears::Classic(ctx.address()));
        self.chat.server.do_send(Arrive {
            connection: (self.local.worker, self.key),
            user: self.person.id,
            state: self.person.status_state.as_str(),
            text: self.person.status_text.clone(),
        });
        let work = subscribe(self.chat.clone(), self.local.clone(), self.key, self.person.id);
        ctx.wait(work.into_actor(self).map(|subscribed, classic, _| match subscribed {
            Ok(()) => classic.outbox.open_with(Bytes::new()),
            Err(error) => {
                tracing::warn!(%error, "a connection could not be made ready");
                classic.patience.give_up(error.code(), &error.detail(), CloseCode::Again);
            }
        }));
        ctx.run_interval(LOOKS_EVERY, Self::look);
    }

    fn stopped(&mut self, _: &mut Context) {
        self.local.vacate(self.key);
        self.chat.server.do_send(Depart((self.local.worker, self.key)));
    }
}

impl StreamHandler<std::result::Result<ws::Message, ProtocolError>> for Classic {
    fn handle(&mut self, frame: std::result::Result<ws::Message, ProtocolError>, ctx: &mut Context) {
        self.local.heard(self.key);
        match frame {
            Ok(ws::Message::Text(_) | ws::Message::Continuation(_) | ws::Message::Binary(_))
                if self.outbox.is_closed() => {}
            Ok(ws::Message::Text(text)) => self.text(&text, ctx),
            Ok(ws::Message::Continuation(item)) => self.fragment(item, ctx),
            Ok(ws::Message::Binary(_)) => self.binary(),
            Ok(ws::Message::Ping(payload)) => self.send(protocol::control_frame(OpCode::Pong, &payload)),
            Ok(ws::Message::Pong(_) | ws::Message::Nop) => {}
            Ok(ws::Message::Close(reason)) => {
                let code = reason.map_or(CloseCode::Normal, |r| r.code);
                self.outbox.close_with(protocol::close_frame(code, ""));
                ctx.stop();
            }
            Err(error) => {
                let (code, words) = super::connection::fault(&error);
                self.outbox.close_with(protocol::close_frame(code, words));
                ctx.stop();
            }
        }
    }
}

/// A message in one of the rooms.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Heard(pub Arc<Stored>);

impl Handler<Heard> for Classic {
    type Result = ();

    fn handle(&mut self, Heard(message): Heard, ctx: &mut Context) {
        let chat = self.chat.clone();
        let work = async move { classic_talk::heard(&chat, &message).await };
        ctx.wait(work.into_actor(self).map(|frames: Result<Vec<Bytes>>, classic, _| match frames {
            Ok(frames) => frames.into_iter().for_each(|frame| classic.send(frame)),
            // The room was deleted in this moment.
            Err(Error::NotFound(_)) => {}
            // A client that misses one message must come back and ask for the history.
            Err(_) => classic.rope.cut(),
        }));
    }
}

impl Handler<PersonChanged> for Classic {
    type Result = ();

    fn handle(&mut self, PersonChanged(person): PersonChanged, _: &mut Context) {
        self.person = person;
    }
}
