//! Watching a stream as it comes: `/live/{name}/ws`, and `/live/{name}/events` for what knows no WebSockets.

use super::relay::{Desk, Pass};
use super::station::{Join, Part, Station};
use super::studio::{Live, Onlooker, Running, Shown};
use crate::accounts::Visitor;
use crate::error::{Error, Result};
use crate::site::lifeline;
use crate::site::limit::Limits;
use crate::site::open_connections::Held;
use crate::site::socket::frame_guard::strict;
use crate::site::socket::frames::{close_frame, control_frame, fault};
use crate::site::socket::outbox::{Outbox, OutboxStream};
use crate::site::socket::seat::{Seat, Seats, Speech};
use actix::{Actor, ActorContext as _, Addr, StreamHandler};
use actix_http::ws::{CloseCode, Codec, Message, OpCode, ProtocolError};
use actix_web::{HttpRequest, HttpResponse, web};
use actix_web_actors::ws::{WebsocketContext, handshake};
use bytes::Bytes;
use futures_core::Stream;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use tokio::sync::oneshot;

/// Bytes that may wait for one viewer before it skips: some seconds of a stream with small pictures, and in any case
/// one sample of the largest.
const WAITING_BYTES: usize = 512 * 1024;
/// Bytes of a frame from a viewer, who has nothing to say.
const FRAME_BYTES: usize = 4096;

/// The worker's seats, which [`app`](crate::app) gives.
pub type SeatsHere = web::ThinData<Rc<dyn Seats>>;

/// `GET /live/{name}/ws`. The Origin has been checked before.
///
/// # Errors
/// `NotFound`, `SignInFirst`, `TooMany`, or `BadRequest` for a request that is no handshake.
pub async fn socket(
    request: HttpRequest,
    payload: web::Payload,
    name: web::Path<String>,
    shown: web::Query<Shown>,
    visitor: Result<Visitor>,
    (live, limits): (web::Data<Live>, web::Data<Limits>),
    floor: (web::ThinData<Desk>, SeatsHere),
) -> Result<HttpResponse> {
    let who = Onlooker::of(visitor, shown.into_inner().token)?;
    let held = limits.connection(&request, who.visitor.as_ref().map(|visitor| visitor.person.id))?;
    let running = live.shown(&name, &who).await?;
    let mut response = handshake(&request)
        .map_err(|_| Error::bad_request("no_handshake", "This address speaks WebSocket only."))?;
    let (outbox, stay) =
        enter(&request, &running, &who, Speech::WebSocket, limits.outbox(WAITING_BYTES), &floor).await?;
    let guarded = strict(payload, FRAME_BYTES, outbox.clone(), "A viewer's frame has at most 4 KiB.");
    let viewer = Viewer { outbox: outbox.clone(), seats: floor.1.0.clone(), seat: stay.seat };
    let codec = Codec::new().max_size(FRAME_BYTES + 1);
    let actor = WebsocketContext::with_codec(viewer, guarded, codec);
    Ok(response.streaming(Watching { body: OutboxStream::new(actor, outbox), _stay: stay, _held: held }))
}

/// Server-Sent Events: `sample`, `picture` (to be fetched by its number) and `idle`.
#[utoipa::path(get, path = "/live/{name}/events", tag = "live",
    params(("name" = String, Path), ("token" = Option<String>, Query, description = "The stream's token for players")),
    responses((status = 200, description = "Events for as long as one listens", content_type = "text/event-stream"),
        (status = 401), (status = 404)))]
pub async fn events(
    request: HttpRequest,
    name: web::Path<String>,
    shown: web::Query<Shown>,
    visitor: Result<Visitor>,
    (live, limits): (web::Data<Live>, web::Data<Limits>),
    floor: (web::ThinData<Desk>, SeatsHere),
) -> Result<HttpResponse> {
    let who = Onlooker::of(visitor, shown.into_inner().token)?;
    let held = limits.connection(&request, who.visitor.as_ref().map(|visitor| visitor.person.id))?;
    let running = live.shown(&name, &who).await?;
    let (outbox, stay) =
        enter(&request, &running, &who, Speech::Events, limits.outbox(WAITING_BYTES), &floor).await?;
    let body = Watching { body: OutboxStream::new(Silence, outbox), _stay: stay, _held: held };
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        // A proxy that collects answers would make them late.
        .insert_header(("x-accel-buffering", "no"))
        .streaming(body))
}

/// Subscribes somebody; when this returns, the latest sample waits in their outbox, and all that comes will follow it.
async fn enter(
    request: &HttpRequest,
    running: &Running,
    who: &Onlooker,
    speech: Speech,
    outbox: Outbox,
    (desk, seats): &(web::ThinData<Desk>, SeatsHere),
) -> Result<(Rc<Outbox>, Stay)> {
    let row = running.row();
    let pass = match (&who.visitor, &who.token) {
        (Some(_), _) => Pass::Person,
        (None, Some(token)) if row.shows_with(token) => Pass::Token,
        _ => Pass::Nobody,
    };
    let outbox = Rc::new(outbox);
    let credential = who.visitor.as_ref().map(|visitor| visitor.credential);
    let rope = lifeline::of(request);
    let seat = seats.sit(Seat { credential, outbox: outbox.clone(), rope, speech });
    let number = desk.enter(row.id, pass, speech, outbox.clone());
    let (done, is_in) = oneshot::channel();
    running.station.do_send(Join { worker: desk.worker, number, done });
    // From here on it leaves however this ends.
    let (desk, seats, station) = (desk.0.clone(), seats.0.clone(), running.station.clone());
    let stay = Stay { desk, number, seats, seat, station };
    match is_in.await {
        Ok(true) => Ok((outbox, stay)),
        _ => Err(Error::NotFound("There is no such stream.")),
    }
}

/// A viewer's place; given back when it is dropped.
struct Stay {
    desk: Desk,
    number: u64,
    seats: Rc<dyn Seats>,
    seat: u64,
    station: Addr<Station>,
}

impl Drop for Stay {
    fn drop(&mut self) {
        self.desk.leave(self.number);
        self.seats.leave(self.seat);
        self.station.do_send(Part(self.desk.worker));
    }
}

/// The body of an answer that goes on, with the place of whoever reads it.
struct Watching<S> {
    body: OutboxStream<S>,
    _stay: Stay,
    _held: Option<Held>,
}

impl<S: Stream<Item = Result<Bytes, actix_web::Error>>> Stream for Watching<S> {
    type Item = Result<Bytes, actix_web::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.body).poll_next(cx)
    }
}

/// The other side of somebody who only listens.
struct Silence;

impl Stream for Silence {
    type Item = Result<Bytes, actix_web::Error>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Pending
    }
}

/// The actor of one WebSocket: it listens for its end, and for whether anybody is there.
struct Viewer {
    outbox: Rc<Outbox>,
    seats: Rc<dyn Seats>,
    seat: u64,
}

impl Actor for Viewer {
    type Context = WebsocketContext<Self>;
}

impl StreamHandler<std::result::Result<Message, ProtocolError>> for Viewer {
    fn handle(&mut self, frame: std::result::Result<Message, ProtocolError>, ctx: &mut Self::Context) {
        self.seats.heard(self.seat);
        match frame {
            Ok(Message::Ping(payload)) => self.outbox.offer(control_frame(OpCode::Pong, &payload)),
            Ok(Message::Close(reason)) => {
                let code = reason.map_or(CloseCode::Normal, |reason| reason.code);
                self.outbox.close_with(close_frame(code, ""));
                ctx.stop();
            }
            // Whatever a viewer says, a word of life from the page for instance, changes nothing.
            Ok(_) => {}
            Err(error) => {
                let (code, words) = fault(&error);
                self.outbox.close_with(close_frame(code, words));
                ctx.stop();
            }
        }
    }
}
