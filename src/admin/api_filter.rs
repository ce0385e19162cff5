//! The filter over the HTTP API, for the owner and admins.

use super::deeds;
use super::gate::admins_call;
use crate::accounts::{Accounts, Visitor};
use crate::error::Result;
use crate::rooms::Rooms;
use crate::rooms::filter::{self, Effect, FilterWord};
use actix_web::HttpResponse;
use actix_web::web::{self, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The whole filter.
#[derive(Debug, Serialize, ToSchema)]
pub struct FilterWords {
    pub words: Vec<FilterWord>,
}

/// A word that isn't wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewFilterWord {
    /// 1 to 64 characters. Case, width and accents make no difference; in a script without spaces it is found anywhere,
    /// otherwise between other words.
    word: String,
    /// Whether a message with it is refused, or stored and reported.
    effect: Effect,
}

/// The words that aren't wanted here, in their order.
///
/// `GET /api/v1/filter`
#[utoipa::path(get, path = "/api/v1/filter", tag = "admin",
    responses((status = 200, body = FilterWords), (status = 401, description = "Nobody is signed in"),
        (status = 403, description = "Only owner and admins may")))]
pub async fn list(visitor: Visitor, rooms: web::Data<Rooms>) -> Result<Json<FilterWords>> {
    admins_call(&visitor)?;
    Ok(Json(FilterWords { words: rooms.db.read(filter::all).await? }))
}

/// Put a word into the filter, or give it another effect; it holds from the answer on.
///
/// `POST /api/v1/filter`
#[utoipa::path(post, path = "/api/v1/filter", tag = "admin", request_body = NewFilterWord,
    responses((status = 201, body = FilterWord), (status = 401, description = "Nobody is signed in"),
        (status = 403, description = "Only owner and admins may"), (status = 409, description = "The filter is full"),
        (status = 422, description = "The word is wrong")))]
pub async fn add(
    visitor: Visitor,
    accounts: web::Data<Accounts>,
    rooms: web::Data<Rooms>,
    new: Json<NewFilterWord>,
) -> Result<HttpResponse> {
    admins_call(&visitor)?;
    let NewFilterWord { word, effect } = new.into_inner();
    let added = deeds::add_word(&accounts, &rooms, visitor.person.id, word, effect).await?;
    Ok(HttpResponse::Created().json(added))
}

/// Take a word out of the filter.
///
/// `DELETE /api/v1/filter/{id}`
#[utoipa::path(delete, path = "/api/v1/filter/{id}", tag = "admin", params(("id" = i64, Path)),
    responses((status = 204), (status = 401, description = "Nobody is signed in"),
        (status = 403, description = "Only owner and admins may"), (status = 404, description = "It isn't there")))]
pub async fn remove(
    visitor: Visitor,
    accounts: web::Data<Accounts>,
    rooms: web::Data<Rooms>,
    id: web::Path<i64>,
) -> Result<HttpResponse> {
    admins_call(&visitor)?;
    deeds::remove_word(&accounts, &rooms, visitor.person.id, *id).await?;
    Ok(HttpResponse::NoContent().finish())
}
