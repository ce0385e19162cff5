//! What is said about items, and the trash, over `/api/v1/media`.

use super::api::{ItemObject, Items};
use super::library::Library;
use super::record::{self, Wish};
use crate::accounts::{Keeper, Speaker, Visitor};
use crate::error::Result;
use crate::ids::MediaId;
use actix_web::{HttpResponse, web};
use serde::Deserialize;

/// Changes title, description, tags or licence of what one has added.
#[utoipa::path(patch, path = "/api/v1/media/{id}", tag = "media", params(("id" = i64, Path)), request_body = Wish,
    responses((status = 200, body = ItemObject), (status = 401), (status = 403), (status = 404), (status = 422)))]
pub async fn change(
    Speaker(visitor): Speaker,
    id: web::Path<MediaId>,
    wish: web::Json<Wish>,
    library: web::Data<Library>,
) -> Result<web::Json<ItemObject>> {
    let by = Keeper::from(&*visitor.person);
    Ok(web::Json(library.describe(*id, by, wish.into_inner()).await?.into()))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Deletion {
    /// Out of the trash, with its file, for good.
    #[serde(default)]
    forever: bool,
}

/// Puts an item into the trash; with `forever`, deletes one that is there.
#[utoipa::path(delete, path = "/api/v1/media/{id}", tag = "media", params(("id" = i64, Path), Deletion),
    responses((status = 204), (status = 401), (status = 403), (status = 404), (status = 409, description = "Not in the trash")))]
pub async fn delete(
    visitor: Visitor,
    id: web::Path<MediaId>,
    how: web::Query<Deletion>,
    library: web::Data<Library>,
) -> Result<HttpResponse> {
    let by = Keeper::from(&*visitor.person);
    if how.forever {
        library.delete(*id, by).await?;
    } else {
        library.put_away(*id, by, true).await?;
    }
    Ok(HttpResponse::NoContent().finish())
}

/// Takes an item out of the trash.
#[utoipa::path(post, path = "/api/v1/media/{id}/restore", tag = "media", params(("id" = i64, Path)),
    responses((status = 200, body = ItemObject), (status = 401), (status = 403), (status = 404)))]
pub async fn restore(
    visitor: Visitor,
    id: web::Path<MediaId>,
    library: web::Data<Library>,
) -> Result<web::Json<ItemObject>> {
    Ok(web::Json(library.put_away(*id, Keeper::from(&*visitor.person), false).await?.into()))
}

/// What lies in the trash, as far as one may take it back; the newest 100.
#[utoipa::path(get, path = "/api/v1/media/trash", tag = "media", responses((status = 200, body = Items), (status = 401)))]
pub async fn trash(visitor: Visitor, library: web::Data<Library>) -> Result<web::Json<Items>> {
    let by = Keeper::from(&*visitor.person);
    let items = library.db().read(move |conn| record::trash(conn, by)).await?;
    Ok(web::Json(Items::whole(items)))
}
