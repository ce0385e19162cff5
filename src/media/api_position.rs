//! How far one has got, over `/api/v1/media/{id}/position`.

use super::library::Library;
use super::position::{self, Position};
use super::sight::Sight;
use crate::accounts::Visitor;
use crate::error::{Error, Result};
use crate::ids::MediaId;
use crate::site::limit::Limits;
use actix_web::{HttpResponse, web};

/// How far one has got in an item; 404 where one hasn't begun, too.
#[utoipa::path(get, path = "/api/v1/media/{id}/position", tag = "media", params(("id" = i64, Path)),
    responses((status = 200, body = Position), (status = 401), (status = 404)))]
pub async fn get(
    visitor: Visitor,
    id: web::Path<MediaId>,
    library: web::Data<Library>,
) -> Result<web::Json<Position>> {
    let item = library.item(*id, Sight::from(&visitor)).await?;
    let user = visitor.person.id;
    let found = library.db().read(move |conn| position::of(conn, user, item.id)).await?;
    found.map(web::Json).ok_or(Error::NotFound("You have not begun it."))
}

/// Keeps how far one has got, for all of one's devices.
#[utoipa::path(put, path = "/api/v1/media/{id}/position", tag = "media", params(("id" = i64, Path)), request_body = Position,
    responses((status = 204), (status = 401), (status = 404), (status = 422), (status = 429)))]
pub async fn put(
    visitor: Visitor,
    id: web::Path<MediaId>,
    at: web::Json<Position>,
    library: web::Data<Library>,
    limits: web::Data<Limits>,
) -> Result<HttpResponse> {
    limits.position(visitor.person.id)?;
    let (user, id, at) = (visitor.person.id, *id, at.into_inner().check()?);
    library.db().write(move |conn| position::put(conn, user, id, at)).await?;
    Ok(HttpResponse::NoContent().finish())
}
