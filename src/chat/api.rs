//! Rooms, members and messages over the HTTP API.

use super::Chat;
use super::command::{self, ChangePage, MessagePage, RoomPage};
use super::command_rooms;
use super::members::{self, MemberPage, MembersQuery};
use super::protocol::History;
use super::protocol_rooms::Create;
use crate::accounts::Visitor;
use crate::error::Result;
use crate::ids::{AttachmentId, RoomId};
use crate::rooms::message::Changes;
use crate::rooms::{Request, RoomView, Target, Typed};
use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RoomsQuery {
    /// The channel name after which the page starts.
    after: Option<String>,
    /// 1 to 100.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
}

/// The board and the channels, by name.
#[utoipa::path(get, path = "/api/v1/rooms", tag = "rooms", params(RoomsQuery),
    responses((status = 200, body = RoomPage), (status = 401, description = "Nobody is signed in")))]
pub async fn list(
    visitor: Visitor,
    query: web::Query<RoomsQuery>,
    chat: web::Data<Chat>,
) -> Result<web::Json<RoomPage>> {
    let query = query.into_inner();
    Ok(web::Json(command::rooms(&chat, Some(visitor.person.id), query.after, query.limit).await?))
}

/// Creates a channel or a group; its creator is its owner and first member.
#[utoipa::path(post, path = "/api/v1/rooms", tag = "rooms", request_body = Create,
    responses((status = 201, body = RoomView), (status = 409, description = "The name is taken"),
        (status = 422, description = "A field is wrong")))]
pub async fn create(
    visitor: Visitor,
    body: web::Json<Create>,
    chat: web::Data<Chat>,
) -> Result<HttpResponse> {
    let request = command_rooms::create(&chat, &visitor.person, body.into_inner()).await?;
    Ok(HttpResponse::Created().json(chat.rooms.change_room(request).await?))
}

/// One room as the caller sees it.
#[utoipa::path(get, path = "/api/v1/rooms/{id}", tag = "rooms", params(("id" = i64, Path)),
    responses((status = 200, body = RoomView), (status = 404, description = "No such room")))]
pub async fn one(
    visitor: Visitor,
    id: web::Path<RoomId>,
    chat: web::Data<Chat>,
) -> Result<web::Json<RoomView>> {
    Ok(web::Json(command_rooms::one(&chat, visitor.person.id, *id).await?))
}

/// Joins a room.
#[utoipa::path(post, path = "/api/v1/rooms/{id}/join", tag = "rooms", params(("id" = i64, Path)),
    responses((status = 200, body = RoomView), (status = 404, description = "No such room")))]
pub async fn join(
    visitor: Visitor,
    id: web::Path<RoomId>,
    chat: web::Data<Chat>,
) -> Result<web::Json<RoomView>> {
    let request = Request::Join { user: visitor.person.id, target: Target::Id(*id) };
    Ok(web::Json(command_rooms::change(&chat, visitor.person.id, request).await?))
}

/// Leaves a room.
#[utoipa::path(post, path = "/api/v1/rooms/{id}/leave", tag = "rooms", params(("id" = i64, Path)),
    responses((status = 200, body = RoomView), (status = 404, description = "No such room")))]
pub async fn leave(
    visitor: Visitor,
    id: web::Path<RoomId>,
    chat: web::Data<Chat>,
) -> Result<web::Json<RoomView>> {
    let request = Request::Leave { user: visitor.person.id, target: Target::Id(*id) };
    Ok(web::Json(command_rooms::change(&chat, visitor.person.id, request).await?))
}

/// A page of a room's members, by id: all of them, only those who are here, or only the others.
#[utoipa::path(get, path = "/api/v1/rooms/{id}/members", tag = "rooms", params(("id" = i64, Path), MembersQuery),
    responses((status = 200, body = MemberPage), (status = 404, description = "No such room"),
        (status = 422, description = "The limit is wrong")))]
pub async fn members(
    visitor: Visitor,
    id: web::Path<RoomId>,
    query: web::Query<MembersQuery>,
    chat: web::Data<Chat>,
) -> Result<web::Json<MemberPage>> {
    Ok(web::Json(members::page(&chat, visitor.person.id, *id, query.into_inner()).await?))
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct HistoryQuery {
    /// Messages just before this `seq`.
    before: Option<i64>,
    /// Messages just after this `seq`.
    after: Option<i64>,
    /// This `seq` with what stands around it.
    around: Option<i64>,
    /// A moment, ms: the first message from there on, with what stands around it.
    at: Option<i64>,
    /// Only the message of this `seq` and the replies in its thread.
    thread: Option<i64>,
    /// 1 to 100.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
}

/// A page of messages, ascending by `seq`; the newest by default.
#[utoipa::path(get, path = "/api/v1/rooms/{id}/messages", tag = "messages", params(("id" = i64, Path), HistoryQuery),
    responses((status = 200, body = MessagePage), (status = 404, description = "No such room")))]
pub async fn messages(
    visitor: Visitor,
    id: web::Path<RoomId>,
    query: web::Query<HistoryQuery>,
    chat: web::Data<Chat>,
) -> Result<web::Json<MessagePage>> {
    let HistoryQuery { before, after, around, at, thread, limit } = query.into_inner();
    let asked = History { room: *id, thread, before, after, around, at, limit };
    Ok(web::Json(command::history(&chat, visitor.person.id, asked).await?))
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ChangesQuery {
    /// The `rev` up to which the caller has the room.
    after: i64,
    /// 1 to 100.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
}

/// The caller is ahead of the room: forget it and read it afresh.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Reset {
    reset: bool,
}

/// What has changed, or that nothing can be said of it.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum ChangesAnswer {
    Page(ChangePage),
    Reset(Reset),
}

/// Messages that changed after a `rev`, ascending by `rev`; `{"reset":true}` when that `rev` lies in the future.
#[utoipa::path(get, path = "/api/v1/rooms/{id}/changes", tag = "messages", params(("id" = i64, Path), ChangesQuery),
    responses((status = 200, body = ChangesAnswer), (status = 404, description = "No such room")))]
pub async fn changes(
    visitor: Visitor,
    id: web::Path<RoomId>,
    query: web::Query<ChangesQuery>,
    chat: web::Data<Chat>,
) -> Result<web::Json<ChangesAnswer>> {
    Ok(web::Json(
        match command::changes_since(&chat, visitor.person.id, *id, query.after, query.limit).await? {
            Changes::Reset => ChangesAnswer::Reset(Reset { reset: true }),
            Changes::Since { messages, rev, more } => ChangesAnswer::Page(ChangePage { messages, rev, more }),
        },
    ))
}

#[derive(Deserialize, utoipa::ToSchema)]
pub struct NewMessage {
    /// 16 to 64 random characters; the same one stores once.
    nonce: String,
    /// 1 to 4,000 characters; may be empty when there are attachments.
    #[serde(default)]
    text: String,
    title: Option<String>,
    reply_to: Option<i64>,
    #[serde(default)]
    #[schema(value_type = Vec<i64>)]
    attachments: Vec<AttachmentId>,
}

/// Where a message was stored.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Sent {
    seq: i64,
    rev: i64,
    /// When, ms.
    at: i64,
}

/// Sends a message; answers after it is committed.
#[utoipa::path(post, path = "/api/v1/rooms/{id}/messages", tag = "messages", params(("id" = i64, Path)),
    request_body = NewMessage,
    responses((status = 201, body = Sent), (status = 403, description = "Not a member, or in a time-out"),
        (status = 409, description = "The nonce was used for something else"), (status = 422, description = "A field is wrong"),
        (status = 429, description = "Too often, or the room is in slow mode")))]
pub async fn send(
    visitor: Visitor,
    id: web::Path<RoomId>,
    body: web::Json<NewMessage>,
    chat: web::Data<Chat>,
) -> Result<HttpResponse> {
    chat.limits.send(visitor.person.id)?;
    let NewMessage { nonce, text, title, reply_to, attachments } = body.into_inner();
    let people = chat.named_in(Some(*id), &text).await?;
    let typed = Typed { nonce, text, title: title.unwrap_or_default(), reply_to, attachments };
    let post = typed.check(chat.rooms.author(&visitor.person), *id, &people)?;
    let posted = chat.rooms.post(post).await?;
    Ok(HttpResponse::Created().json(Sent { seq: posted.seq, rev: posted.rev, at: posted.at }))
}
