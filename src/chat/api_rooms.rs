//! Rooms of one's own and private conversations over the HTTP API.

use super::Chat;
use super::command_rooms::{self as commands, change};
use super::protocol_rooms::Open;
use crate::accounts::Visitor;
use crate::error::{Error, Result};
use crate::ids::RoomId;
use crate::rooms::{Asking, Request, RoomView};
use actix_web::{HttpResponse, web};
use serde::Deserialize;

/// What of a room is changed; what isn't named stays.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RoomChange {
    name: Option<String>,
    topic: Option<String>,
    /// Seconds that one person has to leave between two messages, at most 21,600; 0 ends the slow mode.
    slow_seconds: Option<i32>,
}

/// Renames a channel or group, says what it is about, or sets its slow mode; for its owner and for moderators. The board has
/// a slow mode too.
#[utoipa::path(patch, path = "/api/v1/rooms/{id}", tag = "rooms", params(("id" = i64, Path)),
    request_body = RoomChange,
    responses((status = 200, body = RoomView), (status = 403, description = "Not its owner"),
        (status = 404, description = "No such room"), (status = 409, description = "The name is taken")))]
pub async fn patch(
    visitor: Visitor,
    id: web::Path<RoomId>,
    body: web::Json<RoomChange>,
    chat: web::Data<Chat>,
) -> Result<web::Json<RoomView>> {
    let (by, RoomChange { name, topic, slow_seconds }) = (Asking::from(&*visitor.person), body.into_inner());
    let mut view = commands::one(&chat, by.id, *id).await?;
    // The topic first: a name that is refused is the likelier one, and says more than a topic that was kept.
    if let Some(topic) = topic {
        view = change(&chat, by.id, commands::set_topic(by, *id, topic)).await?;
    }
    if let Some(seconds) = slow_seconds {
        view = commands::slow_down(&chat, by, *id, seconds).await?;
    }
    if let Some(name) = name {
        view = change(&chat, by.id, commands::rename(by, *id, name)).await?;
    }
    Ok(web::Json(view))
}

/// Deletes a channel or group with all that was said in it; for its owner and for admins.
#[utoipa::path(delete, path = "/api/v1/rooms/{id}", tag = "rooms", params(("id" = i64, Path)),
    responses((status = 204, description = "It is gone"), (status = 403, description = "Not its owner"),
        (status = 404, description = "No such room")))]
pub async fn delete(visitor: Visitor, id: web::Path<RoomId>, chat: web::Data<Chat>) -> Result<HttpResponse> {
    let by = Asking::from(&*visitor.person);
    chat.rooms.change_room(Request::DeleteRoom { by, room: *id }).await?;
    Ok(HttpResponse::NoContent().finish())
}

#[derive(Deserialize, utoipa::ToSchema)]
pub struct NewMember {
    username: String,
}

/// Makes somebody a member of a room that one is in.
#[utoipa::path(post, path = "/api/v1/rooms/{id}/members", tag = "rooms", params(("id" = i64, Path)),
    request_body = NewMember,
    responses((status = 201, body = RoomView), (status = 403, description = "Not a member, or the person can't be reached"),
        (status = 404, description = "No such room, or nobody by that name")))]
pub async fn invite(
    visitor: Visitor,
    id: web::Path<RoomId>,
    body: web::Json<NewMember>,
    chat: web::Data<Chat>,
) -> Result<HttpResponse> {
    let by = Asking::from(&*visitor.person);
    let request = commands::invite(&chat, by, *id, &body.username).await?;
    Ok(HttpResponse::Created().json(change(&chat, by.id, request).await?))
}

/// Ends somebody's membership; for the room's owner and for moderators.
#[utoipa::path(delete, path = "/api/v1/rooms/{id}/members/{username}", tag = "rooms",
    params(("id" = i64, Path), ("username" = String, Path)),
    responses((status = 204, description = "They are no member any more"), (status = 403, description = "Not its owner"),
        (status = 404, description = "No such room, or no such member")))]
pub async fn kick(
    visitor: Visitor,
    path: web::Path<(RoomId, String)>,
    chat: web::Data<Chat>,
) -> Result<HttpResponse> {
    let (id, username) = path.into_inner();
    let request = commands::kick(&chat, Asking::from(&*visitor.person), id, &username).await?;
    chat.rooms.change_room(request).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Whom one wants to talk with privately: one of the two.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct Direct {
    username: Option<String>,
    /// The person's private key, instead of their user name.
    key: Option<String>,
}

/// The private room with somebody, made when there is none.
#[utoipa::path(post, path = "/api/v1/direct", tag = "rooms", request_body = Direct,
    responses((status = 200, body = RoomView), (status = 201, description = "It was made just now", body = RoomView),
        (status = 403, description = "The person can't be reached"), (status = 404, description = "Nobody"),
        (status = 429, description = "Too many wrong keys")))]
pub async fn direct(
    visitor: Visitor,
    body: web::Json<Direct>,
    chat: web::Data<Chat>,
) -> Result<HttpResponse> {
    let Direct { username, key } = body.into_inner();
    if username.is_some() == key.is_some() {
        return Err(Error::field("username", "Say who: a user name, or a private key."));
    }
    let (room, is_new) = commands::open_direct(&chat, &visitor, Open { user: username, key }).await?;
    Ok(if is_new { HttpResponse::Created().json(room) } else { HttpResponse::Ok().json(room) })
}
