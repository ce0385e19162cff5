//! `GET /live/{name}/push` as a WebSocket: the way in for a browser's camera. Its binary messages are the body.

use super::body::{Body, Came, Inlet};
use super::ingest::{Feed, Outcome, Receipt, found, key_needed, key_of, peer, query_of, unknown, wrong_key};
use super::studio::{Live, Running};
use super::watch::SeatsHere;
use crate::accounts::{Keeper, Visitor};
use crate::error::{Error, Result};
use crate::site::lifeline;
use crate::site::limit::Limits;
use crate::site::open_connections::Held;
use crate::site::socket::frame_guard::strict;
use crate::site::socket::frames::{close_frame, control_frame, fault, frame};
use crate::site::socket::outbox::{Outbox, OutboxStream};
use crate::site::socket::seat::{Seat, Seats, Speech};
use actix::{Actor, ActorContext as _, AsyncContext as _, StreamHandler, fut::wrap_future};
use actix_http::ws::{CloseCode, Codec, Item, Message, OpCode, ProtocolError};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use actix_web_actors::ws::{WebsocketContext, handshake};
use bytes::Bytes;
use serde::Serialize;
use std::rc::Rc;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Bytes of a frame, and of the fragments of one message together: some seconds of a camera.
const FRAME_BYTES: usize = 4 * 1024 * 1024;
/// Messages that wait for the station; a source that is quicker waits itself.
const WAITING: usize = 4;
/// Close codes of what was refused are this and the HTTP status that the same body would have got.
const REFUSED: u16 = 4000;

/// By the stream's key, or as whoever may change it.
///
/// # Errors
/// `Forbidden`, `TooMany`, or `BadRequest` for a request that is no handshake.
pub async fn socket(
    request: HttpRequest,
    payload: web::Payload,
    name: web::Path<String>,
    visitor: Result<Visitor>,
    (live, limits): (web::Data<Live>, web::Data<Limits>),
    seats: SeatsHere,
) -> Result<HttpResponse> {
    let person = visitor.as_ref().ok().map(|visitor| visitor.person.id);
    let held = limits.connection(&request, person)?;
    let query = query_of(&request)?;
    let running = found(&name, &live).await?;
    let credential = match (key_of(&request, &query), visitor) {
        (Some(key), _) if live.admits(&running.row(), &key, peer(&request)) => None,
        (None, Ok(visitor)) if Keeper::from(&*visitor.person).may_change(running.row().user_id) => {
            Some(visitor.credential)
        }
        (None, Err(Error::SignInFirst)) => return Err(key_needed()),
        (None, Err(error)) => return Err(error),
        _ => return Err(wrong_key()),
    };
    let mut response = handshake(&request)
        .map_err(|_| Error::bad_request("no_handshake", "By GET this address speaks WebSocket only."))?;
    let outbox = Rc::new(limits.outbox(0));
    outbox.open_with(Bytes::new());
    let rope = lifeline::of(&request);
    let seat = seats.sit(Seat { credential, outbox: outbox.clone(), rope, speech: Speech::WebSocket });
    let (messages, body) = mpsc::channel(WAITING);
    actix_web::rt::spawn(take(running, body, query, outbox.clone()));
    let guarded = strict(payload, FRAME_BYTES, outbox.clone(), "A message has at most 4 MiB.");
    let source = Source { messages, outbox: outbox.clone(), seats: seats.0.clone(), seat, _held: held };
    let actor = WebsocketContext::with_codec(source, guarded, Codec::new().max_size(FRAME_BYTES + 1));
    Ok(response.streaming(OutboxStream::new(actor, outbox)))
}

/// What a source is told at the end.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Told<'a> {
    Receipt(&'a Receipt),
    Refused { status: u16, code: &'static str, detail: String },
}

/// Reads the body to its end, and tells the source what became of it.
async fn take(
    running: Arc<Running>,
    messages: mpsc::Receiver<Came>,
    query: Vec<(String, String)>,
    outbox: Rc<Outbox>,
) {
    let (told, status) = match read(running, messages, query).await {
        Ok((status, receipt)) => (frame(&Told::Receipt(&receipt)), status.as_u16()),
        Err(error) => {
            let (status, code, detail) = (error.status(), error.code(), error.detail());
            (frame(&Told::Refused { status, code, detail }), status)
        }
    };
    outbox.offer(told);
    let code = match StatusCode::from_u16(status) {
        Ok(StatusCode::SERVICE_UNAVAILABLE) => CloseCode::Restart,
        Ok(status) if status.is_success() => CloseCode::Normal,
        _ => CloseCode::Other(REFUSED + status),
    };
    outbox.close_with(close_frame(code, ""));
}

async fn read(
    running: Arc<Running>,
    messages: mpsc::Receiver<Came>,
    query: Vec<(String, String)>,
) -> Outcome {
    let mut body = Body::new(Inlet::Socket(messages), running.until());
    let (form, start) = body.start().await;
    Feed::new(running).read(form.ok_or_else(unknown)?, body, start, query).await
}

/// The actor of one source: it hands its messages on, no quicker than they are taken.
struct Source {
    messages: mpsc::Sender<Came>,
    outbox: Rc<Outbox>,
    seats: Rc<dyn Seats>,
    seat: u64,
    /// Its place among the open connections.
    _held: Option<Held>,
}

impl Actor for Source {
    type Context = WebsocketContext<Self>;

    fn stopped(&mut self, _: &mut Self::Context) {
        self.seats.leave(self.seat);
    }
}

impl Source {
    /// Nothing more is heard until this has its place.
    fn hand(&self, came: Came, ctx: &mut WebsocketContext<Self>) {
        let messages = self.messages.clone();
        // Whoever reads may have ended: then the end is already told.
        ctx.wait(wrap_future(async move {
            let _ = messages.send(came).await;
        }));
    }

    fn close(&self, code: CloseCode, words: &str, ctx: &mut WebsocketContext<Self>) {
        self.outbox.close_with(close_frame(code, words));
        ctx.stop();
    }
}

impl StreamHandler<std::result::Result<Message, ProtocolError>> for Source {
    fn handle(&mut self, message: std::result::Result<Message, ProtocolError>, ctx: &mut Self::Context) {
        self.seats.heard(self.seat);
        match message {
            Ok(
                Message::Binary(bytes)
                | Message::Continuation(Item::FirstBinary(bytes) | Item::Continue(bytes) | Item::Last(bytes)),
            ) => self.hand(Came::Bytes(bytes), ctx),
            Ok(Message::Ping(payload)) => self.outbox.offer(control_frame(OpCode::Pong, &payload)),
            // It has said all; what became of it is told before the answer to this.
            Ok(Message::Close(_)) => self.hand(Came::End, ctx),
            Ok(Message::Text(_) | Message::Continuation(Item::FirstText(_))) => {
                self.close(CloseCode::Unsupported, "Send the body in binary messages.", ctx);
            }
            Ok(Message::Pong(_) | Message::Nop) => {}
            Err(error) => {
                let (code, words) = fault(&error);
                self.close(code, words, ctx);
            }
        }
    }

    /// The line is gone, without a word.
    fn finished(&mut self, ctx: &mut Self::Context) {
        ctx.stop();
    }
}
