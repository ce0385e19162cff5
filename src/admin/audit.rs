//! The log of what those who look after the place have done: as a page, and over the HTTP API.

use super::api_accounts::named;
use super::gate::{staff_call, staff_only};
use crate::accounts::audit::{self, Deed, Entry, PAGE, Wanted};
use crate::accounts::{Accounts, Visitor};
use crate::error::Result;
use crate::ids::UserId;
use crate::site::answer::html;
use crate::site::page::{Pages, Shell, Stamp};
use crate::site::words::{filters, t};
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{self, Json};
use askama::Template;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// One entry, in words.
pub(super) struct EntryView {
    pub at: Stamp,
    pub deed: String,
    /// Name and, where there is one, the way to the person.
    pub actor: (String, Option<UserId>),
    /// Nobody when it concerns the whole place.
    pub target: Option<(String, Option<UserId>)>,
    pub detail: String,
}

/// The log.
#[derive(Template)]
#[template(path = "admin/audit.html")]
struct AuditPage {
    shell: Shell,
    administers: bool,
    entries: Vec<EntryView>,
    next: Option<String>,
}

fn in_words(deed: Deed) -> &'static str {
    match deed {
        Deed::Role => t("another role"),
        Deed::Ban => t("locked out"),
        Deed::Unban => t("let in again"),
        Deed::TimeOut => t("time-out"),
        Deed::EndTimeOut => t("time-out ended"),
        Deed::TakeDown => t("messages taken down"),
        Deed::BringBack => t("messages brought back"),
        Deed::Reset => t("link for a new password"),
        Deed::Password => t("new password"),
        Deed::SecondStep => t("second step turned off"),
        Deed::Invite => t("invite made"),
        Deed::EndInvite => t("invite revoked"),
        Deed::Resolve => t("report dealt with"),
        Deed::AddWord => t("word added to the filter"),
        Deed::RemoveWord => t("word removed from the filter"),
        Deed::SlowMode => t("slow mode"),
    }
}

fn called(name: &str, username: &str) -> String {
    match (name.is_empty(), username.is_empty()) {
        (true, true) => t("somebody who is gone").to_owned(),
        (_, true) => name.to_owned(),
        _ => format!("{name} @{username}"),
    }
}

impl From<Entry> for EntryView {
    fn from(entry: Entry) -> Self {
        let actor = match entry.actor_id {
            Some(id) => (called(&entry.actor_name, &entry.actor_username), Some(id)),
            None => (t("the server's shell").to_owned(), None),
        };
        let target = entry.target_id.map(|id| (called(&entry.target_name, &entry.target_username), Some(id)));
        Self {
            at: Stamp(entry.at),
            deed: Deed::parse(&entry.deed).map_or(entry.deed, |deed| in_words(deed).to_owned()),
            actor,
            target,
            detail: entry.detail,
        }
    }
}

/// `?before=` of the page.
#[derive(Deserialize)]
pub struct PageQuery {
    before: Option<i64>,
}

/// `GET /admin/audit`
pub async fn page(
    visitor: Visitor,
    query: web::Query<PageQuery>,
    accounts: web::Data<Accounts>,
    pages: web::Data<Pages>,
) -> Result<HttpResponse> {
    staff_only(&visitor)?;
    let wanted = Wanted { before: query.before, limit: PAGE, ..Wanted::default() };
    let (found, more) = accounts.db.read(move |conn| audit::page(conn, wanted)).await?;
    let next = found.last().filter(|_| more).map(|last| format!("/admin/audit?before={}", last.id));
    let page = AuditPage {
        shell: pages.shell(Some(visitor.viewer()), t("Audit log"), "/admin").await,
        administers: visitor.person.role.administers(),
        entries: found.into_iter().map(EntryView::from).collect(),
        next,
    };
    html(StatusCode::OK, &page)
}

/// Somebody as the log keeps them.
#[derive(Debug, Serialize, ToSchema)]
pub struct Named {
    pub id: i64,
    /// As it was then.
    pub username: String,
    /// As it was then.
    pub display_name: String,
}

/// One entry of the log.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditEntry {
    pub id: i64,
    /// Milliseconds since the Unix epoch, UTC.
    pub at: i64,
    /// `role`, `ban`, `unban`, `time_out`, `end_time_out`, `take_down`, `bring_back`, `reset`, `password`, `second_step`,
    /// `invite`, `end_invite`, `resolve`, `add_word`, `remove_word` or `slow_mode`.
    pub deed: String,
    /// Nobody when it was done at the server's shell.
    pub actor: Option<Named>,
    /// Nobody when it concerns the whole place.
    pub target: Option<Named>,
    /// What else there is to know, such as the reason.
    pub detail: String,
}

impl From<Entry> for AuditEntry {
    fn from(entry: Entry) -> Self {
        let person = |id: Option<UserId>, username, display_name| {
            id.map(|id| Named { id: id.0, username, display_name })
        };
        Self {
            id: entry.id,
            at: entry.at,
            deed: entry.deed,
            actor: person(entry.actor_id, entry.actor_username, entry.actor_name),
            target: person(entry.target_id, entry.target_username, entry.target_name),
            detail: entry.detail,
        }
    }
}

/// A page of the log, the latest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditList {
    pub entries: Vec<AuditEntry>,
    /// Whether there is more before the last one.
    pub more: bool,
}

/// Which part of the log.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// The id before which the page starts.
    before: Option<i64>,
    /// At most 100; 50 when it isn't given.
    limit: Option<i64>,
    /// Only what was done to the person of this user name.
    username: Option<String>,
    /// Only what the person of this user name did.
    by: Option<String>,
}

/// What those who look after the place have done, a page at a time.
///
/// `GET /api/v1/audit?before=&limit=&username=&by=`
#[utoipa::path(get, path = "/api/v1/audit", tag = "admin", params(AuditQuery),
    responses((status = 200, body = AuditList), (status = 401, description = "Nobody is signed in"),
        (status = 403, description = "Only owner, admins and moderators may"),
        (status = 404, description = "There is nobody by that name")))]
pub async fn list(
    visitor: Visitor,
    accounts: web::Data<Accounts>,
    web::Query(query): web::Query<AuditQuery>,
) -> Result<Json<AuditList>> {
    staff_call(&visitor)?;
    let (mut whom, mut by) = (None, None);
    for (name, id) in [(&query.username, &mut whom), (&query.by, &mut by)] {
        if let Some(name) = name {
            *id = Some(named(&accounts, name).await?);
        }
    }
    let wanted = Wanted { before: query.before, whom, by, limit: query.limit.unwrap_or(PAGE) };
    let (found, more) = accounts.db.read(move |conn| audit::page(conn, wanted)).await?;
    Ok(Json(AuditList { entries: found.into_iter().map(AuditEntry::from).collect(), more }))
}

#[cfg(test)]
mod page_tests {
    use super::*;

    const HOSTILE: &str = "\"><script>alert('x')</script>";

    #[test]
    fn the_log_escapes_names_and_reasons() {
        let entry = EntryView {
            at: Stamp(0),
            deed: HOSTILE.into(),
            actor: (HOSTILE.into(), Some(UserId(1))),
            target: Some((HOSTILE.into(), None)),
            detail: HOSTILE.into(),
        };
        let page = AuditPage {
            shell: Shell::new("Audit log", "/admin"),
            administers: true,
            entries: vec![entry],
            next: Some(HOSTILE.into()),
        };
        assert!(!page.render().unwrap().contains("<script>alert"));
    }
}
