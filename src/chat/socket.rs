//! One WebSocket, whichever protocol it speaks: its handshake, its limits, its frames and its end.

use super::Chat;
use super::protocol::{close_frame, control_frame};
use super::server::{Arrive, Depart};
use super::shard::{Ears, Local};
use crate::accounts::{Person, Visitor};
use crate::error::{Error, Result};
use crate::ids::Credential;
use crate::site::lifeline::{self, Rope};
use crate::site::limit::Address;
use crate::site::open_connections::Held;
use crate::site::socket::frame_guard::{Alarm, FrameGuard};
use crate::site::socket::frames::fault;
use crate::site::socket::outbox::{Outbox, OutboxStream};
use actix::{Actor, ActorContext, StreamHandler};
use actix_http::ws::{CloseCode, Codec, Item, Message, OpCode, ProtocolError};
use actix_web::{HttpRequest, HttpResponse, web};
use actix_web_actors::ws::{WebsocketContext, handshake_with_protocols};
use bytes::{Bytes, BytesMut};
use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

/// Frames that can't be read before the connection is closed.
const STRIKES: u32 = 3;

/// What comes in from one WebSocket.
pub type Frame = std::result::Result<Message, ProtocolError>;

/// An actor that speaks one of the protocols over a [`Link`].
pub trait Protocol: Actor<Context = WebsocketContext<Self>> + StreamHandler<Frame> {
    /// The subprotocols that a handshake may ask for.
    const NAMES: &'static [&'static str];
    /// Bytes of one frame.
    const FRAME_BYTES: usize;
    /// What a client is told whose frame has more.
    const TOO_LARGE: &'static str;
    /// Bytes that have to be able to wait for one client, if more than the operator's bound.
    const WAITING_BYTES: usize = 0;

    fn new(link: Link) -> Self;

    fn link(&mut self) -> &mut Link;

    /// An error frame about no request in particular.
    fn error(code: &'static str, message: &str) -> Bytes;

    /// Takes a whole text message.
    fn text(&mut self, text: &str, ctx: &mut Self::Context);
}

/// `GET /ws` and `GET /ws/classic`, for signed-in people. The Origin has been checked before.
///
/// # Errors
/// `SignInFirst`, `TooMany`, or `BadRequest` for a request that is no handshake.
pub async fn connect<P: Protocol>(
    request: HttpRequest,
    payload: web::Payload,
    visitor: Visitor,
    chat: web::Data<Chat>,
    local: web::ThinData<Local>,
) -> Result<HttpResponse> {
    let held = chat.limits.connection(&request, Some(visitor.person.id))?;
    let mut response = handshake_with_protocols(&request, P::NAMES)
        .map_err(|_| Error::bad_request("no_handshake", "This address speaks WebSocket only."))?;
    let outbox = Rc::new(chat.limits.outbox(P::WAITING_BYTES));
    let patience = Rc::new(Patience::new(outbox.clone(), P::error));
    let guarded = FrameGuard::new(payload, P::FRAME_BYTES, {
        let patience = patience.clone();
        move |alarm| match alarm {
            Alarm::Oversized => patience.strike("too_large", P::TOO_LARGE),
            Alarm::Hopeless => patience.give_up("too_large", P::TOO_LARGE, CloseCode::Size),
        }
    });
    let link = Link {
        chat: chat.get_ref().clone(),
        local: local.0.clone(),
        person: visitor.person,
        credential: visitor.credential,
        address: visitor.address,
        outbox: outbox.clone(),
        patience,
        rope: lifeline::of(&request),
        key: 0,
        fragments: None,
        _held: held,
    };
    // The guard has judged sizes already; the codec's own limit only has to stand above them.
    let codec = Codec::new().max_size(P::FRAME_BYTES + 1);
    let actor = WebsocketContext::with_codec(P::new(link), guarded, codec);
    Ok(response.streaming(OutboxStream::new(actor, outbox)))
}

/// Takes one frame.
pub fn handle<P: Protocol>(actor: &mut P, frame: Frame, ctx: &mut P::Context) {
    let link = actor.link();
    link.local.heard(link.key);
    match frame {
        // A session that was ended a moment ago does nothing more, even if its browser hasn't heard of it yet.
        Ok(Message::Text(_) | Message::Continuation(_) | Message::Binary(_)) if link.outbox.is_closed() => {}
        Ok(Message::Text(text)) => actor.text(&text, ctx),
        Ok(Message::Continuation(item)) => {
            if let Some(text) = link.joined(item) {
                actor.text(&text, ctx);
            }
        }
        Ok(Message::Binary(_)) => link.binary(),
        Ok(Message::Ping(payload)) => link.send(control_frame(OpCode::Pong, &payload)),
        Ok(Message::Pong(_) | Message::Nop) => {}
        Ok(Message::Close(reason)) => {
            let code = reason.map_or(CloseCode::Normal, |r| r.code);
            link.outbox.close_with(close_frame(code, ""));
            ctx.stop();
        }
        // An error doesn't close by itself: without this the connection would stay, deaf.
        Err(error) => {
            let (code, words) = fault(&error);
            link.outbox.close_with(close_frame(code, words));
            ctx.stop();
        }
    }
}

/// One client: who it is, and what goes out to it.
pub struct Link {
    pub(super) chat: Chat,
    pub(super) local: Local,
    pub(super) person: Arc<Person>,
    credential: Credential,
    /// Where the client is, for limits.
    pub(super) address: Address,
    pub(super) outbox: Rc<Outbox>,
    pub(super) patience: Rc<Patience>,
    pub(super) rope: Rope,
    /// Its number among its worker's connections; 0 before it is seated.
    pub(super) key: u64,
    /// The fragments of a message that isn't complete.
    fragments: Option<BytesMut>,
    /// Its place among the open connections.
    _held: Option<Held>,
}

impl Link {
    /// Sends frames to this client; one that lets too much pile up is ended.
    pub(super) fn send(&self, frames: Bytes) {
        if self.outbox.push(frames).is_err() {
            self.rope.cut();
        }
    }

    /// Seats the connection, so that what concerns its person reaches it, and says that they are here.
    pub(super) fn arrive(&mut self, ears: Ears) {
        let who = (self.person.id, self.credential);
        self.key = self.local.seat(who, self.outbox.clone(), self.rope.clone(), ears);
        self.chat.server.do_send(Arrive {
            connection: (self.local.worker, self.key),
            user: self.person.id,
            state: self.person.status_state.as_str(),
            text: self.person.status_text.clone(),
        });
    }

    /// Lets `first` out and after it all that waits; a client that can't be served is told to come again.
    pub(super) fn ready(&self, first: Result<Bytes>) {
        match first {
            Ok(frames) => self.outbox.open_with(frames),
            Err(error) => {
                tracing::warn!(%error, "a connection could not be made ready");
                self.patience.give_up(error.code(), &error.detail(), CloseCode::Again);
            }
        }
    }

    /// Gives the seat back.
    pub(super) fn depart(&self) {
        self.local.vacate(self.key);
        self.chat.server.do_send(Depart((self.local.worker, self.key)));
    }

    /// Joins fragments; a whole text message comes out with the last one.
    fn joined(&mut self, item: Item) -> Option<String> {
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
                    let text = String::from_utf8(text.into());
                    if text.is_err() {
                        self.patience.give_up("not_utf8", "A text frame is UTF-8.", CloseCode::Invalid);
                    }
                    return text.ok();
                }
                None => self.binary(),
            },
        }
        None
    }

    fn binary(&self) {
        self.patience.strike("not_text", "This protocol has text frames only.");
    }
}

/// The outbox with a count of the frames that weren't requests.
pub struct Patience {
    outbox: Rc<Outbox>,
    /// Makes an error frame of the connection's protocol.
    error: fn(&'static str, &str) -> Bytes,
    strikes: Cell<u32>,
}

impl Patience {
    fn new(outbox: Rc<Outbox>, error: fn(&'static str, &str) -> Bytes) -> Self {
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
    fn give_up(&self, code: &'static str, message: &str, close: CloseCode) {
        let mut frames = BytesMut::from(&(self.error)(code, message)[..]);
        frames.extend_from_slice(&close_frame(close, message));
        self.outbox.close_with(frames.freeze());
    }
}
