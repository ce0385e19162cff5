//! The WebSocket handshake of `/ws`.

use super::connection::{Connection, Patience};
use super::frame_guard::{Alarm, FrameGuard};
use super::outbox::{Outbox, OutboxStream};
use super::protocol::FRAME_BYTES;
use super::shard::Local;
use super::{Chat, protocol};
use crate::accounts::Visitor;
use crate::error::{Error, Result};
use crate::site::lifeline;
use actix_http::ws::{CloseCode, Codec};
use actix_web::{HttpRequest, HttpResponse, web};
use actix_web_actors::ws::{WebsocketContext, handshake_with_protocols};
use std::rc::Rc;

/// `GET /ws`: protocol `hubbub.v1`, for signed-in people. The Origin has been checked before.
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
    let mut response = handshake_with_protocols(&request, &["hubbub.v1"])
        .map_err(|_| Error::bad_request("no_handshake", "This address speaks WebSocket only."))?;
    let outbox = Rc::new(Outbox::held());
    let patience = Rc::new(Patience::new(outbox.clone(), protocol::error_frame));
    let guarded = FrameGuard::new(payload, FRAME_BYTES, {
        let patience = patience.clone();
        move |alarm| match alarm {
            Alarm::Oversized => patience.strike("too_large", "A frame has at most 64 KiB."),
            Alarm::Hopeless => patience.give_up("too_large", "A frame has at most 64 KiB.", CloseCode::Size),
        }
    });
    let connection = Connection::new(
        chat.get_ref().clone(),
        local.0.clone(),
        visitor,
        outbox.clone(),
        patience,
        lifeline::of(&request),
    );
    // The guard has judged sizes already; the codec's own limit only has to stand above them.
    let codec = Codec::new().max_size(FRAME_BYTES + 1);
    let actor = WebsocketContext::with_codec(connection, guarded, codec);
    Ok(response.streaming(OutboxStream::new(actor, outbox)))
}
