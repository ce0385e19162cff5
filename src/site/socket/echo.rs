//! `GET /echo`, behind the feature `echo`: says again what it hears, through the same guard, codec and outbox as every
//! other WebSocket, for the Autobahn Testsuite.

use super::frame_guard::strict;
use super::frames::{close_frame, control_frame, fault, put_binary, put_text};
use super::outbox::{Outbox, OutboxStream};
use crate::error::{Error, Result};
use actix::{Actor, ActorContext as _, StreamHandler};
use actix_http::ws::{CloseCode, Codec, Item, Message, OpCode, ProtocolError};
use actix_web::{HttpRequest, HttpResponse, web};
use actix_web_actors::ws::{WebsocketContext, handshake};
use bytes::BytesMut;
use std::rc::Rc;
use std::time::Duration;

/// Bytes of one message, the largest of the suite's.
const MESSAGE_BYTES: usize = 16 * 1024 * 1024;

/// For anybody.
///
/// # Errors
/// `BadRequest` for a request that is no handshake.
pub async fn connect(request: HttpRequest, payload: web::Payload) -> Result<HttpResponse> {
    let mut response = handshake(&request)
        .map_err(|_| Error::bad_request("no_handshake", "This address speaks WebSocket only."))?;
    let outbox = Rc::new(Outbox::held(2 * MESSAGE_BYTES, Duration::from_secs(30)));
    outbox.open_with(bytes::Bytes::new());
    let guarded = strict(payload, MESSAGE_BYTES, outbox.clone(), "That frame is too large.");
    let codec = Codec::new().max_size(MESSAGE_BYTES + 1);
    let echo = Echo { outbox: outbox.clone(), parts: BytesMut::new(), is_text: false };
    let actor = WebsocketContext::with_codec(echo, guarded, codec);
    Ok(response.streaming(OutboxStream::new(actor, outbox)))
}

struct Echo {
    outbox: Rc<Outbox>,
    /// The fragments of a message that isn't complete.
    parts: BytesMut,
    is_text: bool,
}

impl Actor for Echo {
    type Context = WebsocketContext<Self>;
}

impl Echo {
    fn say(&mut self, content: &[u8], is_text: bool, ctx: &mut WebsocketContext<Self>) {
        let mut frame = BytesMut::with_capacity(content.len() + 10);
        if !is_text {
            put_binary(&mut frame, content);
        } else if std::str::from_utf8(content).is_ok() {
            put_text(&mut frame, content);
        } else {
            return self.close(CloseCode::Invalid, "A text frame is UTF-8.", ctx);
        }
        if self.outbox.push(frame.freeze()).is_err() {
            ctx.stop();
        }
    }

    fn part(&mut self, item: Item, ctx: &mut WebsocketContext<Self>) {
        match item {
            Item::FirstText(bytes) => (self.parts, self.is_text) = (BytesMut::from(&bytes[..]), true),
            Item::FirstBinary(bytes) => (self.parts, self.is_text) = (BytesMut::from(&bytes[..]), false),
            Item::Continue(bytes) => self.parts.extend_from_slice(&bytes),
            Item::Last(bytes) => {
                self.parts.extend_from_slice(&bytes);
                let whole = std::mem::take(&mut self.parts);
                self.say(&whole, self.is_text, ctx);
            }
        }
    }

    fn close(&self, code: CloseCode, words: &str, ctx: &mut WebsocketContext<Self>) {
        self.outbox.close_with(close_frame(code, words));
        ctx.stop();
    }
}

impl StreamHandler<std::result::Result<Message, ProtocolError>> for Echo {
    fn handle(&mut self, message: std::result::Result<Message, ProtocolError>, ctx: &mut Self::Context) {
        match message {
            Ok(_) if self.outbox.is_closed() => {}
            Ok(Message::Text(text)) => self.say(text.as_bytes(), true, ctx),
            Ok(Message::Binary(bytes)) => self.say(&bytes, false, ctx),
            Ok(Message::Continuation(item)) => self.part(item, ctx),
            Ok(Message::Ping(payload)) => self.outbox.offer(control_frame(OpCode::Pong, &payload)),
            Ok(Message::Pong(_) | Message::Nop) => {}
            Ok(Message::Close(reason)) => {
                self.close(reason.map_or(CloseCode::Normal, |reason| reason.code), "", ctx);
            }
            Err(error) => {
                let (code, words) = fault(&error);
                self.close(code, words, ctx);
            }
        }
    }
}
