//! Captions over `/api/v1/media/{id}/captions`, and the file itself.

use super::caption::{self, Caption, Draft};
use super::library::Library;
use super::sight::{NO_ITEM, Sight};
use super::vtt::{BYTES_MAX, too_large};
use crate::accounts::{Keeper, Reader, Speaker, Visitor};
use crate::error::{Error, Result};
use crate::ids::MediaId;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use actix_web::{HttpResponse, web};
use futures_core::Stream as _;
use serde::{Deserialize, Serialize};
use std::future::poll_fn;
use std::pin::Pin;

/// The captions of an item.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Captions {
    captions: Vec<Caption>,
}

/// How captions are to be called.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Naming {
    /// What readers call the language; its own name when not given.
    #[serde(default)]
    label: String,
    /// Shown unless somebody chose otherwise.
    #[serde(default, rename = "default")]
    usual: bool,
}

/// The captions of an item, one for each language.
#[utoipa::path(get, path = "/api/v1/media/{id}/captions", tag = "media", params(("id" = i64, Path)),
    responses((status = 200, body = Captions), (status = 401), (status = 404)))]
pub async fn list(
    reader: Reader,
    id: web::Path<MediaId>,
    library: web::Data<Library>,
) -> Result<web::Json<Captions>> {
    let item = library.item(*id, &reader).await?;
    Ok(web::Json(Captions { captions: library.db().read(move |conn| caption::list(conn, item.id)).await? }))
}

/// Puts captions in one language, in the place of those there are. The body is WebVTT or SubRip, UTF-8, at most 2 MB.
#[utoipa::path(put, path = "/api/v1/media/{id}/captions/{language}", tag = "media",
    params(("id" = i64, Path), ("language" = String, Path), Naming), request_body(content = String, content_type = "text/vtt"),
    responses((status = 200, body = Captions), (status = 401), (status = 403), (status = 404), (status = 413), (status = 422)))]
pub async fn put(
    Speaker(visitor): Speaker,
    at: web::Path<(MediaId, String)>,
    naming: web::Query<Naming>,
    payload: web::Payload,
    library: web::Data<Library>,
) -> Result<web::Json<Captions>> {
    let (id, language) = at.into_inner();
    let file = read_body(payload).await?;
    let by = Keeper::from(&*visitor.person);
    let check = move || Draft::check(&language, &naming.label, naming.usual, &file);
    let draft = tokio::task::spawn_blocking(check).await.map_err(Error::internal)??;
    let stored = library.db().write(move |conn| {
        caption::put(conn, id, by, &draft)?;
        caption::list(conn, id)
    });
    Ok(web::Json(Captions { captions: stored.await? }))
}

/// Removes the captions in one language.
#[utoipa::path(delete, path = "/api/v1/media/{id}/captions/{language}", tag = "media",
    params(("id" = i64, Path), ("language" = String, Path)),
    responses((status = 204), (status = 401), (status = 403), (status = 404)))]
pub async fn remove(
    visitor: Visitor,
    at: web::Path<(MediaId, String)>,
    library: web::Data<Library>,
) -> Result<HttpResponse> {
    let ((id, language), by) = (at.into_inner(), Keeper::from(&*visitor.person));
    library.db().write(move |conn| caption::remove(conn, id, by, &language)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// `GET /media/{id}/captions/{language}.vtt`. The page's address names when they were added.
pub async fn file(
    reader: Reader,
    at: web::Path<(String, String)>,
    library: web::Data<Library>,
) -> Result<HttpResponse> {
    let ((id, language), sight) = (at.into_inner(), Sight::from(&reader));
    let id: MediaId = id.parse().map_err(|_| NO_ITEM)?;
    let vtt = library.db().read(move |conn| caption::file(conn, id, sight, &language)).await?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/vtt; charset=utf-8"))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"))
        .insert_header((CACHE_CONTROL, "private, no-cache"))
        .body(vtt))
}

/// All of a body that is no longer than captions may be.
async fn read_body(mut payload: web::Payload) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(piece) = poll_fn(|context| Pin::new(&mut payload).poll_next(context)).await {
        let piece = piece.map_err(|_| {
            Error::bad_request("broken_off", "The file broke off before its end. Send it again.")
        })?;
        if body.len() + piece.len() > BYTES_MAX {
            return Err(too_large());
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}
