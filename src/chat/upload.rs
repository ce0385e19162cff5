//! Files on their way into a room: received, described, taken back, over the HTTP API.

use super::Chat;
use crate::accounts::Visitor;
use crate::config::Right;
use crate::error::{Error, Result};
use crate::ids::{AttachmentId, RoomId};
use crate::rooms::{Attachment, attachment};
use crate::site::form_data::{self, Bounds};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

/// The body of an upload.
#[derive(utoipa::ToSchema)]
#[allow(dead_code, reason = "for the description alone: the body is read as it comes")]
pub struct FileForm {
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// Receives one file, to be sent with a message to this room within a day.
#[utoipa::path(post, path = "/api/v1/rooms/{id}/attachments", tag = "messages", params(("id" = i64, Path)),
    request_body(content = FileForm, content_type = "multipart/form-data"),
    responses((status = 201, body = Attachment), (status = 403, description = "Not a member, or a guest without the right"),
        (status = 404, description = "No such room"), (status = 413, description = "Larger than `limits.attachment_bytes`"),
        (status = 422, description = "A picture that can't be shown")))]
pub async fn create(
    visitor: Visitor,
    id: web::Path<RoomId>,
    request: HttpRequest,
    payload: web::Payload,
    chat: web::Data<Chat>,
) -> Result<HttpResponse> {
    let user = visitor.person.id;
    chat.accounts.allow(&visitor.person, Right::Files)?;
    chat.rooms.may_attach(user, *id).await?;
    chat.limits.upload(user)?;
    let uploads = &chat.rooms.uploads;
    let _turn = uploads.begin(user)?;
    let bounds = Bounds { folder: &uploads.folder, file_bytes: uploads.bytes_max, files: 1 };
    let form = form_data::read(&request, payload, bounds).await?;
    let Some(upload) = form.files.into_iter().next() else {
        return Err(Error::field("file", "Send one file, in a field called file."));
    };
    Ok(HttpResponse::Created().json(chat.rooms.attach(user, *id, upload).await?))
}

#[derive(Deserialize, utoipa::ToSchema)]
pub struct Description {
    /// What is to be seen, in at most 500 characters; empty for nothing.
    description: String,
}

/// Describes an upload that was not sent yet, for those who can't see it.
#[utoipa::path(patch, path = "/api/v1/rooms/{id}/attachments/{attachment}", tag = "messages",
    params(("id" = i64, Path), ("attachment" = i64, Path)), request_body = Description,
    responses((status = 204), (status = 404, description = "Not one's own, or sent already")))]
pub async fn describe(
    visitor: Visitor,
    path: web::Path<(RoomId, AttachmentId)>,
    body: web::Json<Description>,
    chat: web::Data<Chat>,
) -> Result<HttpResponse> {
    let (user, (room, id)) = (visitor.person.id, path.into_inner());
    let words = body.into_inner().description;
    chat.rooms.db.write(move |conn| attachment::describe(conn, user, room, id, &words)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Takes back an upload that was not sent yet.
#[utoipa::path(delete, path = "/api/v1/rooms/{id}/attachments/{attachment}", tag = "messages",
    params(("id" = i64, Path), ("attachment" = i64, Path)),
    responses((status = 204), (status = 404, description = "Not one's own, or sent already")))]
pub async fn withdraw(
    visitor: Visitor,
    path: web::Path<(RoomId, AttachmentId)>,
    chat: web::Data<Chat>,
) -> Result<HttpResponse> {
    let (user, (room, id)) = (visitor.person.id, path.into_inner());
    chat.rooms.db.write(move |conn| attachment::withdraw(conn, user, room, id)).await?;
    Ok(HttpResponse::NoContent().finish())
}
