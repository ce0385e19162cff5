//! The HTTP API of those who look after the place.

use super::gate::admins_call;
use super::invites::link;
use crate::accounts::invite::{self, InviteWish, Listed};
use crate::accounts::{Accounts, Visitor};
use crate::error::{Error, Result};
use crate::ids::InviteId;
use crate::site::origin::address_of;
use actix_web::http::StatusCode;
use actix_web::web::{self, Json};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// An invite.
#[derive(Debug, Serialize, ToSchema)]
pub struct InviteObject {
    pub id: i64,
    pub label: String,
    /// The id of whoever made it.
    pub made_by: i64,
    /// How many may come by it.
    pub uses: i64,
    /// How many have.
    pub used: i64,
    /// Milliseconds since the Unix epoch, UTC.
    pub created_at: i64,
    /// Milliseconds since the Unix epoch, UTC.
    pub expires_at: i64,
    /// Whether it still brings people in.
    pub holds: bool,
    /// The ids of those who came by it, the latest 20.
    pub came: Vec<i64>,
    /// The link to hand out; only in the answer to making it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

impl From<Listed> for InviteObject {
    fn from(Listed { invite, came }: Listed) -> Self {
        Self {
            id: invite.id.0,
            made_by: invite.made_by.0,
            uses: invite.uses,
            used: invite.used,
            created_at: invite.created_at,
            expires_at: invite.expires_at,
            holds: invite.holds(),
            label: invite.label,
            came: came.into_iter().map(|id| id.0).collect(),
            link: None,
        }
    }
}

/// A page of invites, the latest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Invites {
    pub invites: Vec<InviteObject>,
    /// Whether there are more after the last one.
    pub more: bool,
}

/// Which part of the list of invites.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct InvitesQuery {
    /// The id before which the page starts.
    before: Option<i64>,
}

/// What an invite is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewInvite {
    /// 1 to 48 characters.
    label: String,
    /// How many may come by it, 1 to 1000.
    uses: i64,
    /// Milliseconds since the Unix epoch, UTC; at most 365 days from now.
    expires_at: i64,
}

/// Invites, a page at a time; for the owner and admins.
///
/// `GET /api/v1/invites?before=`
#[utoipa::path(get, path = "/api/v1/invites", tag = "admin", params(InvitesQuery),
    responses((status = 200, body = Invites), (status = 401, description = "Nobody is signed in"),
        (status = 403, description = "Only owner and admins may")))]
pub async fn invites(
    visitor: Visitor,
    accounts: web::Data<Accounts>,
    web::Query(query): web::Query<InvitesQuery>,
) -> Result<Json<Invites>> {
    admins_call(&visitor)?;
    let before = query.before.map(InviteId);
    let (found, more) = accounts.db.read(move |conn| invite::page(conn, before)).await?;
    Ok(Json(Invites { invites: found.into_iter().map(InviteObject::from).collect(), more }))
}

/// Make an invite; the answer has its link, this once.
///
/// `POST /api/v1/invites`
#[utoipa::path(post, path = "/api/v1/invites", tag = "admin", request_body = NewInvite,
    responses((status = 201, body = InviteObject), (status = 401, description = "Nobody is signed in"),
        (status = 403, description = "Only owner and admins may"), (status = 409, description = "Too many hold already"),
        (status = 422, description = "A field is wrong")))]
pub async fn invite(
    request: HttpRequest,
    visitor: Visitor,
    accounts: web::Data<Accounts>,
    new: Json<NewInvite>,
) -> Result<HttpResponse> {
    admins_call(&visitor)?;
    let wish = InviteWish::parse(&new.label, new.uses, new.expires_at).map_err(Error::Invalid)?;
    let by = visitor.person.id;
    let (made, code) = accounts.db.write(move |conn| invite::create(conn, by, &wish)).await?;
    let mut object = InviteObject::from(Listed { invite: made, came: Vec::new() });
    object.link = Some(link(&address_of(&request), &code));
    Ok(HttpResponse::build(StatusCode::CREATED).json(object))
}

/// End an invite; whoever came by it stays.
///
/// `DELETE /api/v1/invites/{id}`
#[utoipa::path(delete, path = "/api/v1/invites/{id}", tag = "admin", params(("id" = i64, Path)),
    responses((status = 204), (status = 401, description = "Nobody is signed in"),
        (status = 403, description = "Only owner and admins may"), (status = 404, description = "Over already")))]
pub async fn uninvite(
    visitor: Visitor,
    accounts: web::Data<Accounts>,
    id: web::Path<InviteId>,
) -> Result<HttpResponse> {
    admins_call(&visitor)?;
    let (by, id) = (visitor.person.id, *id);
    accounts.db.write(move |conn| invite::revoke(conn, by, id)).await?;
    Ok(HttpResponse::NoContent().finish())
}
