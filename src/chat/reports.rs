//! Reporting a message to those who look after the place.

use super::Chat;
use crate::accounts::Visitor;
use crate::error::{Error, Result};
use crate::ids::RoomId;
use crate::rooms::report::Reason;
use actix_web::{HttpResponse, web};
use serde::Deserialize;

/// What is wrong with a message.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct NewReport {
    /// 1 to 500 characters.
    reason: String,
}

/// Reports a message: a copy of it as it is now is kept for owner, admins and moderators. Reporting it again changes
/// the reason.
#[utoipa::path(post, path = "/api/v1/rooms/{id}/messages/{seq}/report", tag = "messages",
    params(("id" = i64, Path), ("seq" = i64, Path)), request_body = NewReport,
    responses((status = 204, description = "Reported"), (status = 404, description = "No such room or message"),
        (status = 422, description = "The reason is wrong")))]
pub async fn report(
    visitor: Visitor,
    path: web::Path<(RoomId, i64)>,
    body: web::Json<NewReport>,
    chat: web::Data<Chat>,
) -> Result<HttpResponse> {
    // A flood of reports would bury those that matter.
    chat.limits.send(visitor.person.id)?;
    let reason = Reason::parse(&body.reason).map_err(|wrong| Error::Invalid(vec![wrong]))?;
    let (room, seq) = path.into_inner();
    chat.rooms.report(visitor.person.id, room, seq, reason).await?;
    Ok(HttpResponse::NoContent().finish())
}
