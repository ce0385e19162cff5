//! Reported messages over the HTTP API.

use super::deeds;
use super::gate::staff_call;
use crate::accounts::{Accounts, Visitor};
use crate::error::Result;
use crate::ids::HOUSE;
use crate::rooms::Rooms;
use crate::rooms::report::{self, Listed};
use actix_web::HttpResponse;
use actix_web::web::{self, Json};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A message as it was when somebody reported it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReportObject {
    pub id: i64,
    pub room: i64,
    pub seq: i64,
    /// The id of whoever wrote it.
    pub author: i64,
    /// Their display name then.
    pub author_name: String,
    pub title: Option<String>,
    pub text: String,
    /// The id of whoever reported it; nobody for the filter, whose reason is the word.
    pub reporter: Option<i64>,
    pub reason: String,
    /// Milliseconds since the Unix epoch, UTC.
    pub reported_at: i64,
    /// Milliseconds since the Unix epoch, UTC.
    pub resolved_at: Option<i64>,
    pub resolved_by: Option<i64>,
}

impl From<Listed> for ReportObject {
    fn from((report, _): Listed) -> Self {
        Self {
            id: report.id,
            room: report.room_id.0,
            seq: report.seq,
            author: report.author_id.0,
            author_name: report.author_name,
            title: report.title,
            text: report.text,
            reporter: Some(report.reporter_id.0).filter(|id| *id != HOUSE.0),
            reason: report.reason,
            reported_at: report.reported_at,
            resolved_at: report.resolved_at,
            resolved_by: report.resolved_by.map(|id| id.0),
        }
    }
}

/// A page of reports, the latest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReportList {
    pub reports: Vec<ReportObject>,
    /// Whether there are more before the last one.
    pub more: bool,
}

/// Which reports.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ReportsQuery {
    /// Those that are dealt with, instead of the open ones.
    #[serde(default)]
    resolved: bool,
    /// The id before which the page starts.
    before: Option<i64>,
}

/// Reported messages, a page at a time; for those who look after the place.
///
/// `GET /api/v1/reports?resolved=&before=`
#[utoipa::path(get, path = "/api/v1/reports", tag = "admin", params(ReportsQuery),
    responses((status = 200, body = ReportList), (status = 401, description = "Nobody is signed in"),
        (status = 403, description = "Only owner, admins and moderators may")))]
pub async fn list(
    visitor: Visitor,
    rooms: web::Data<Rooms>,
    web::Query(query): web::Query<ReportsQuery>,
) -> Result<Json<ReportList>> {
    staff_call(&visitor)?;
    let ReportsQuery { resolved, before } = query;
    let (found, more) = rooms.db.read(move |conn| report::page(conn, resolved, before)).await?;
    Ok(Json(ReportList { reports: found.into_iter().map(ReportObject::from).collect(), more }))
}

/// Mark a report as dealt with.
///
/// `POST /api/v1/reports/{id}/resolve`
#[utoipa::path(post, path = "/api/v1/reports/{id}/resolve", tag = "admin", params(("id" = i64, Path)),
    responses((status = 204), (status = 401, description = "Nobody is signed in"),
        (status = 403, description = "Only owner, admins and moderators may"),
        (status = 404, description = "It isn't there, or dealt with already")))]
pub async fn resolve(
    visitor: Visitor,
    accounts: web::Data<Accounts>,
    rooms: web::Data<Rooms>,
    id: web::Path<i64>,
) -> Result<HttpResponse> {
    staff_call(&visitor)?;
    deeds::resolve(&accounts, &rooms, visitor.person.id, *id).await?;
    Ok(HttpResponse::NoContent().finish())
}
