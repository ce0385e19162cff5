//! Cancelling an item's preparation and ordering it again, from its page and over the API.

use super::api::ItemObject;
use super::prepare::Preparation;
use crate::accounts::{Keeper, Visitor};
use crate::error::{Error, Result};
use crate::ids::MediaId;
use crate::site::answer::see_other;
use actix_web::{HttpResponse, web};
use serde::Deserialize;

/// The form beside the player.
#[derive(Debug, Deserialize)]
pub struct Form {
    /// `cancel` or `again`.
    #[serde(rename = "do")]
    what: String,
}

/// `POST /media/{id}/preparation`
pub async fn post(
    visitor: Visitor,
    id: web::Path<MediaId>,
    form: web::Form<Form>,
    desk: web::Data<Preparation>,
) -> Result<HttpResponse> {
    let by = Keeper::from(&*visitor.person);
    match form.what.as_str() {
        "cancel" => match desk.cancel(*id, by).await {
            // It was done while somebody looked at the button.
            Ok(_) | Err(Error::Conflict { .. }) => {}
            Err(error) => return Err(error),
        },
        "again" => drop(desk.again(*id, by).await?),
        _ => return Err(Error::bad_request("bad_request", "This form doesn't say what to do.")),
    }
    Ok(see_other(&format!("/media/{id}")))
}

/// Prepares an item once more, from the beginning.
#[utoipa::path(post, path = "/api/v1/media/{id}/preparation", tag = "media", params(("id" = i64, Path)),
    responses((status = 200, body = ItemObject), (status = 401), (status = 403), (status = 404),
        (status = 409, description = "This server can't prepare anything")))]
pub async fn again(
    visitor: Visitor,
    id: web::Path<MediaId>,
    desk: web::Data<Preparation>,
) -> Result<web::Json<ItemObject>> {
    Ok(web::Json(desk.again(*id, Keeper::from(&*visitor.person)).await?.into()))
}

/// Ends an item's preparation.
#[utoipa::path(delete, path = "/api/v1/media/{id}/preparation", tag = "media", params(("id" = i64, Path)),
    responses((status = 200, body = ItemObject), (status = 401), (status = 403), (status = 404),
        (status = 409, description = "It isn't being prepared")))]
pub async fn cancel(
    visitor: Visitor,
    id: web::Path<MediaId>,
    desk: web::Data<Preparation>,
) -> Result<web::Json<ItemObject>> {
    Ok(web::Json(desk.cancel(*id, Keeper::from(&*visitor.person)).await?.into()))
}
