//! Keeping order over the HTTP API: time-outs, bans, taking down what somebody wrote and bringing it back.

use super::api_accounts::{Account, named};
use super::deeds::{self, Span};
use super::gate::staff_call;
use crate::accounts::restraint::Reason;
use crate::accounts::{Accounts, Visitor};
use crate::error::{Error, Result};
use crate::rooms::Rooms;
use crate::rooms::takedown::{self, State, Takedown};
use actix_web::HttpResponse;
use actix_web::web::{self, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// For how long somebody is to be quiet.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TimeOut {
    /// 1 to 2,419,200 (28 days).
    #[schema(minimum = 1, maximum = 2_419_200)]
    seconds: i64,
    /// For the audit log, at most 200 characters.
    #[serde(default)]
    reason: String,
}

/// How somebody is sent out.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Ban {
    /// For the audit log, at most 200 characters.
    #[serde(default)]
    reason: String,
    /// What of theirs is taken down too; nothing when it isn't given.
    take_down: Option<Span>,
}

/// What of somebody's is to be taken down.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTakedown {
    /// What they wrote in the last day, in the last week, or all of it.
    span: Span,
}

/// Messages of one person that are taken down, or back.
#[derive(Debug, Serialize, ToSchema)]
pub struct TakedownObject {
    pub id: i64,
    pub state: State,
    /// How many were taken down so far.
    pub messages: i64,
    /// The id of whoever ordered it.
    pub ordered_by: i64,
    /// Milliseconds since the Unix epoch, UTC.
    pub ordered_at: i64,
    /// What was written before stays, ms.
    pub since: i64,
    /// Until when it can be brought back, ms.
    pub kept_until: i64,
}

impl From<Takedown> for TakedownObject {
    fn from(takedown: Takedown) -> Self {
        Self {
            id: takedown.id,
            state: takedown.state,
            messages: takedown.messages,
            ordered_by: takedown.ordered_by.0,
            ordered_at: takedown.ordered_at,
            since: takedown.since,
            kept_until: takedown.kept_until(),
        }
    }
}

/// Somebody's takedowns, the latest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Takedowns {
    pub takedowns: Vec<TakedownObject>,
}

fn reason(typed: &str) -> Result<Reason> {
    Reason::parse(typed).map_err(|wrong| Error::Invalid(vec![wrong]))
}

/// Let somebody only read for a while; another time-out takes the place of the one before.
///
/// `PUT /api/v1/accounts/{username}/timeout`
#[utoipa::path(put, path = "/api/v1/accounts/{username}/timeout", tag = "admin", request_body = TimeOut,
    params(("username" = String, Path, description = "Regardless of case")),
    responses((status = 200, body = Account), (status = 401, description = "Nobody is signed in"),
        (status = 403, description = "Only those who look after the place may, and only to those below them"),
        (status = 404, description = "There is nobody by that name"), (status = 422, description = "A field is wrong")))]
pub async fn time_out(
    visitor: Visitor,
    accounts: web::Data<Accounts>,
    username: web::Path<String>,
    asked: Json<TimeOut>,
) -> Result<Json<Account>> {
    staff_call(&visitor)?;
    if asked.seconds < 1 {
        return Err(Error::field("seconds", "A time-out lasts from a second to 28 days."));
    }
    let (id, reason) = (named(&accounts, &username).await?, reason(&asked.reason)?);
    let person = accounts.time_out(visitor.person.id, id, asked.seconds, reason).await?;
    Ok(Json(Account::from(&*person)))
}

/// Let somebody write again.
///
/// `DELETE /api/v1/accounts/{username}/timeout`
#[utoipa::path(delete, path = "/api/v1/accounts/{username}/timeout", tag = "admin",
    params(("username" = String, Path, description = "Regardless of case")),
    responses((status = 200, body = Account), (status = 401, description = "Nobody is signed in"),
        (status = 403, description = "Only those who look after the place may, and only to those below them"),
        (status = 404, description = "There is nobody by that name")))]
pub async fn end_time_out(
    visitor: Visitor,
    accounts: web::Data<Accounts>,
    username: web::Path<String>,
) -> Result<Json<Account>> {
    staff_call(&visitor)?;
    let id = named(&accounts, &username).await?;
    let person = accounts.time_out(visitor.person.id, id, 0, Reason::default()).await?;
    Ok(Json(Account::from(&*person)))
}

/// Lock somebody out: their sessions, sockets and tokens end at once.
///
/// `PUT /api/v1/accounts/{username}/ban`
#[utoipa::path(put, path = "/api/v1/accounts/{username}/ban", tag = "admin", request_body = Ban,
    params(("username" = String, Path, description = "Regardless of case")),
    responses((status = 204), (status = 401, description = "Nobody is signed in"),
        (status = 403, description = "Only those who look after the place may, and only to those below them"),
        (status = 404, description = "There is nobody by that name"), (status = 409, description = "They are out already"),
        (status = 422, description = "A field is wrong")))]
pub async fn ban(
    visitor: Visitor,
    accounts: web::Data<Accounts>,
    rooms: web::Data<Rooms>,
    username: web::Path<String>,
    asked: Json<Ban>,
) -> Result<HttpResponse> {
    staff_call(&visitor)?;
    let (id, reason) = (named(&accounts, &username).await?, reason(&asked.reason)?);
    deeds::ban((&accounts, &rooms), visitor.person.id, id, asked.take_down, reason).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Let somebody come in again. What was taken down stays down until it is brought back.
///
/// `DELETE /api/v1/accounts/{username}/ban`
#[utoipa::path(delete, path = "/api/v1/accounts/{username}/ban", tag = "admin",
    params(("username" = String, Path, description = "Regardless of case")),
    responses((status = 204), (status = 401, description = "Nobody is signed in"),
        (status = 403, description = "Only those who look after the place may, and only to those below them"),
        (status = 404, description = "There is nobody by that name"), (status = 409, description = "They aren't out")))]
pub async fn unban(
    visitor: Visitor,
    accounts: web::Data<Accounts>,
    username: web::Path<String>,
) -> Result<HttpResponse> {
    staff_call(&visitor)?;
    let id = named(&accounts, &username).await?;
    accounts.ban(visitor.person.id, id, false, Reason::default()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// What was taken down of somebody's, the latest 20 times.
///
/// `GET /api/v1/accounts/{username}/takedowns`
#[utoipa::path(get, path = "/api/v1/accounts/{username}/takedowns", tag = "admin",
    params(("username" = String, Path, description = "Regardless of case")),
    responses((status = 200, body = Takedowns), (status = 401, description = "Nobody is signed in"),
        (status = 403, description = "Only those who look after the place may"),
        (status = 404, description = "There is nobody by that name")))]
pub async fn takedowns(
    visitor: Visitor,
    accounts: web::Data<Accounts>,
    rooms: web::Data<Rooms>,
    username: web::Path<String>,
) -> Result<Json<Takedowns>> {
    staff_call(&visitor)?;
    let id = named(&accounts, &username).await?;
    let found = rooms.db.read(move |conn| takedown::of(conn, id)).await?;
    Ok(Json(Takedowns { takedowns: found.into_iter().map(TakedownObject::from).collect() }))
}

/// Take down what somebody wrote, in every room, with its pictures and files. It begins at once and can be brought back for 30 days.
///
/// `POST /api/v1/accounts/{username}/takedowns`
#[utoipa::path(post, path = "/api/v1/accounts/{username}/takedowns", tag = "admin", request_body = NewTakedown,
    params(("username" = String, Path, description = "Regardless of case")),
    responses((status = 201, body = TakedownObject), (status = 401, description = "Nobody is signed in"),
        (status = 403, description = "Only those who look after the place may, and only to those below them"),
        (status = 404, description = "There is nobody by that name"), (status = 422, description = "A field is wrong")))]
pub async fn take_down(
    visitor: Visitor,
    accounts: web::Data<Accounts>,
    rooms: web::Data<Rooms>,
    username: web::Path<String>,
    asked: Json<NewTakedown>,
) -> Result<HttpResponse> {
    staff_call(&visitor)?;
    let whom = named(&accounts, &username).await?;
    let id = deeds::take_down(&accounts, &rooms, visitor.person.id, whom, asked.span).await?;
    let made = rooms.db.read(move |conn| takedown::find(conn, id)).await?;
    Ok(HttpResponse::Created().json(TakedownObject::from(made)))
}

/// Bring back what was taken down.
///
/// `DELETE /api/v1/takedowns/{id}`
#[utoipa::path(delete, path = "/api/v1/takedowns/{id}", tag = "admin", params(("id" = i64, Path)),
    responses((status = 204), (status = 401, description = "Nobody is signed in"),
        (status = 403, description = "Only those who look after the place may, and only to those below them"),
        (status = 404, description = "There is nothing to bring back"),
        (status = 409, description = "It can't be brought back any more, or is back already")))]
pub async fn bring_back(
    visitor: Visitor,
    accounts: web::Data<Accounts>,
    rooms: web::Data<Rooms>,
    id: web::Path<i64>,
) -> Result<HttpResponse> {
    staff_call(&visitor)?;
    deeds::bring_back(&accounts, &rooms, visitor.person.id, *id).await?;
    Ok(HttpResponse::NoContent().finish())
}
