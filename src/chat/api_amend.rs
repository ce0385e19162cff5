//! Changing messages over the HTTP API, and what is pinned. Each change answers with the message as it is then.

use super::Chat;
use super::command::{self, MessagePage};
use crate::accounts::Visitor;
use crate::error::{Error, Result};
use crate::ids::RoomId;
use crate::rooms::{Amend, Amendment, Emoji, Message};
use actix_web::{HttpResponse, web};
use serde::Deserialize;

type Place = web::Path<(RoomId, i64)>;
type PlaceAndEmoji = web::Path<(RoomId, i64, String)>;

async fn amend(
    visitor: &Visitor,
    (room, seq): (RoomId, i64),
    what: Amendment,
    chat: &Chat,
) -> Result<HttpResponse> {
    chat.limits.send(visitor.person.id)?;
    let amend = Amend { room, seq, by: visitor.person.as_ref().into(), what };
    Ok(HttpResponse::Ok().json(&*chat.rooms.amend(amend).await?))
}

#[derive(Deserialize, utoipa::ToSchema)]
pub struct NewWords {
    /// 1 to 4,000 characters.
    text: String,
}

/// Changes the words of one's own message.
#[utoipa::path(patch, path = "/api/v1/rooms/{id}/messages/{seq}", tag = "messages",
    params(("id" = i64, Path), ("seq" = i64, Path)), request_body = NewWords,
    responses((status = 200, body = Message, description = "The message as it is now"),
        (status = 403, description = "Somebody else wrote it, or not a member"), (status = 404, description = "No such message"),
        (status = 409, description = "It was deleted"), (status = 422, description = "The text is wrong")))]
pub async fn edit(
    visitor: Visitor,
    place: Place,
    body: web::Json<NewWords>,
    chat: web::Data<Chat>,
) -> Result<HttpResponse> {
    let people = chat.named_in(Some(place.0), &body.text).await?;
    let words = chat.rooms.author(&visitor.person).words(&body.text, &people)?;
    amend(&visitor, place.into_inner(), Amendment::Edit(words), &chat).await
}

/// Deletes a message: its author may, and the room's owner and moderators. Its place stays.
#[utoipa::path(delete, path = "/api/v1/rooms/{id}/messages/{seq}", tag = "messages",
    params(("id" = i64, Path), ("seq" = i64, Path)),
    responses((status = 200, body = Message, description = "What is left of it"),
        (status = 403, description = "Somebody else wrote it"), (status = 404, description = "No such message")))]
pub async fn delete(visitor: Visitor, place: Place, chat: web::Data<Chat>) -> Result<HttpResponse> {
    amend(&visitor, place.into_inner(), Amendment::Delete, &chat).await
}

/// Reacts to a message with an emoji.
#[utoipa::path(put, path = "/api/v1/rooms/{id}/messages/{seq}/reactions/{emoji}", tag = "messages",
    params(("id" = i64, Path), ("seq" = i64, Path), ("emoji" = String, Path)),
    responses((status = 200, body = Message, description = "The message as it is now"),
        (status = 403, description = "Not a member"), (status = 404, description = "No such message"),
        (status = 409, description = "It was deleted"), (status = 422, description = "No emoji, or one too many")))]
pub async fn react(visitor: Visitor, place: PlaceAndEmoji, chat: web::Data<Chat>) -> Result<HttpResponse> {
    set_reaction(&visitor, place.into_inner(), true, &chat).await
}

/// Takes one's reaction back.
#[utoipa::path(delete, path = "/api/v1/rooms/{id}/messages/{seq}/reactions/{emoji}", tag = "messages",
    params(("id" = i64, Path), ("seq" = i64, Path), ("emoji" = String, Path)),
    responses((status = 200, body = Message, description = "The message as it is now"),
        (status = 404, description = "No such message"), (status = 422, description = "No emoji")))]
pub async fn unreact(visitor: Visitor, place: PlaceAndEmoji, chat: web::Data<Chat>) -> Result<HttpResponse> {
    set_reaction(&visitor, place.into_inner(), false, &chat).await
}

async fn set_reaction(
    visitor: &Visitor,
    (room, seq, emoji): (RoomId, i64, String),
    on: bool,
    chat: &Chat,
) -> Result<HttpResponse> {
    let emoji = Emoji::parse(&emoji).map_err(|wrong| Error::Invalid(vec![wrong]))?;
    amend(visitor, (room, seq), Amendment::React { emoji, on }, chat).await
}

/// Pins a message; in a channel its owner and moderators may, in a group or a private talk every member.
#[utoipa::path(put, path = "/api/v1/rooms/{id}/messages/{seq}/pin", tag = "messages",
    params(("id" = i64, Path), ("seq" = i64, Path)),
    responses((status = 200, body = Message, description = "The message as it is now"),
        (status = 403, description = "Not one's room"), (status = 404, description = "No such message"),
        (status = 409, description = "It was deleted")))]
pub async fn pin(visitor: Visitor, place: Place, chat: web::Data<Chat>) -> Result<HttpResponse> {
    amend(&visitor, place.into_inner(), Amendment::Pin { on: true }, &chat).await
}

/// Takes a pin off.
#[utoipa::path(delete, path = "/api/v1/rooms/{id}/messages/{seq}/pin", tag = "messages",
    params(("id" = i64, Path), ("seq" = i64, Path)),
    responses((status = 200, body = Message, description = "The message as it is now"),
        (status = 403, description = "Not one's room"), (status = 404, description = "No such message")))]
pub async fn unpin(visitor: Visitor, place: Place, chat: web::Data<Chat>) -> Result<HttpResponse> {
    amend(&visitor, place.into_inner(), Amendment::Pin { on: false }, &chat).await
}

/// Takes off what a message shows of the page that it leads to, and keeps it off: its author may, and the room's owner and
/// moderators.
#[utoipa::path(delete, path = "/api/v1/rooms/{id}/messages/{seq}/preview", tag = "messages",
    params(("id" = i64, Path), ("seq" = i64, Path)),
    responses((status = 200, body = Message, description = "The message as it is now"),
        (status = 403, description = "Somebody else wrote it"), (status = 404, description = "No such message"),
        (status = 409, description = "It was deleted")))]
pub async fn bare(visitor: Visitor, place: Place, chat: web::Data<Chat>) -> Result<HttpResponse> {
    amend(&visitor, place.into_inner(), Amendment::Preview { on: false }, &chat).await
}

/// Has the page of a message looked at after all; what it says comes with a later change of the message.
#[utoipa::path(put, path = "/api/v1/rooms/{id}/messages/{seq}/preview", tag = "messages",
    params(("id" = i64, Path), ("seq" = i64, Path)),
    responses((status = 200, body = Message, description = "The message as it is now"),
        (status = 403, description = "Somebody else wrote it"), (status = 404, description = "No such message"),
        (status = 409, description = "It was deleted")))]
pub async fn preview(visitor: Visitor, place: Place, chat: web::Data<Chat>) -> Result<HttpResponse> {
    amend(&visitor, place.into_inner(), Amendment::Preview { on: true }, &chat).await
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PinsQuery {
    /// Pinned messages before this `seq`.
    before: Option<i64>,
    /// 1 to 100.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
}

/// What is pinned in a room, ascending by `seq`; the newest by default.
#[utoipa::path(get, path = "/api/v1/rooms/{id}/pins", tag = "messages", params(("id" = i64, Path), PinsQuery),
    responses((status = 200, body = MessagePage), (status = 404, description = "No such room")))]
pub async fn pins(
    visitor: Visitor,
    id: web::Path<RoomId>,
    query: web::Query<PinsQuery>,
    chat: web::Data<Chat>,
) -> Result<web::Json<MessagePage>> {
    Ok(web::Json(command::pins(&chat, visitor.person.id, *id, query.before, query.limit).await?))
}
