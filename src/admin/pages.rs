//! Reported messages, as they were.

use super::deeds;
use super::gate::staff_only;
use crate::accounts::{Accounts, Visitor};
use crate::error::Result;
use crate::ids::{HOUSE, UserId};
use crate::rooms::report::{self, Listed};
use crate::rooms::{Kind, Rooms};
use crate::site::answer::{html, see_other};
use crate::site::page::{Pages, Person, Shell, Stamp};
use crate::site::words::{filters, t};
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::Arc;

/// One reported message.
struct ReportView {
    id: i64,
    author: Person,
    /// Empty for somebody who isn't there any more.
    username: String,
    /// Where it was written, in words.
    place: String,
    /// `/m/{room}/{seq}`; nothing when the room is gone.
    href: Option<String>,
    title: String,
    text: String,
    reason: String,
    reporter: String,
    reported: Stamp,
    resolved: Option<Stamp>,
    resolver: String,
    /// Whoever looks may keep the author quiet, or send them out.
    restrained: bool,
}

/// The reports that are open, or those that are dealt with.
#[derive(Template)]
#[template(path = "admin/reports.html")]
struct ReportsPage {
    shell: Shell,
    /// Who looks sees the other pages too.
    administers: bool,
    resolved: bool,
    reports: Vec<ReportView>,
    /// The next page's address.
    next: Option<String>,
}

/// `?resolved=true` and `?before=` of the list.
#[derive(Deserialize)]
pub struct ReportsQuery {
    #[serde(default)]
    resolved: bool,
    before: Option<i64>,
}

type People = HashMap<UserId, Arc<crate::accounts::Person>>;

fn view((report, room): Listed, people: &People, visitor: &Visitor) -> ReportView {
    let called = |id: UserId| people.get(&id).map(|p| p.display_name.clone()).unwrap_or_default();
    let author = people.get(&report.author_id);
    let (place, there) = match &room {
        Some((name, Kind::Channel)) => (format!("# {name}"), true),
        Some((_, Kind::Board)) => (t("Board").to_owned(), true),
        Some((_, Kind::Direct)) => (t("a private conversation").to_owned(), true),
        Some((name, Kind::Group | Kind::Talk)) => (name.clone(), true),
        None => (t("a room that is gone").to_owned(), false),
    };
    ReportView {
        id: report.id,
        author: Person::new(report.author_id.0, report.author_name, author.is_some_and(|p| p.is_guest())),
        username: author.map(|p| p.username.clone()).unwrap_or_default(),
        place,
        href: there.then(|| format!("/m/{}/{}", report.room_id, report.seq)),
        title: report.title.unwrap_or_default(),
        text: report.text,
        reason: report.reason,
        // The filter's reason is the word that it found.
        reporter: if report.reporter_id == HOUSE {
            t("the filter").to_owned()
        } else {
            called(report.reporter_id)
        },
        reported: Stamp(report.reported_at),
        resolved: report.resolved_at.map(Stamp),
        resolver: report.resolved_by.map(called).unwrap_or_default(),
        restrained: author.is_some_and(|author| visitor.person.may_restrain(author)),
    }
}

/// `GET /admin`
pub async fn reports(
    visitor: Visitor,
    query: web::Query<ReportsQuery>,
    rooms: web::Data<Rooms>,
    accounts: web::Data<Accounts>,
    pages: web::Data<Pages>,
) -> Result<HttpResponse> {
    staff_only(&visitor)?;
    let ReportsQuery { resolved, before } = query.into_inner();
    let (found, more) = rooms.db.read(move |conn| report::page(conn, resolved, before)).await?;
    let mut ids: Vec<UserId> = found
        .iter()
        .flat_map(|(r, _)| [Some(r.author_id), Some(r.reporter_id), r.resolved_by])
        .flatten()
        .collect();
    ids.sort_unstable();
    ids.dedup();
    let people = accounts.directory.many(&ids).await?;
    let next = found
        .last()
        .filter(|_| more)
        .map(|(last, _)| format!("/admin?resolved={resolved}&before={}", last.id));
    let page = ReportsPage {
        shell: pages.shell(Some(visitor.viewer()), t("Reports"), "/admin").await,
        administers: visitor.person.role.administers(),
        resolved,
        reports: found.into_iter().map(|listed| view(listed, &people, &visitor)).collect(),
        next,
    };
    html(StatusCode::OK, &page)
}

/// `POST /admin/reports/{id}/resolve`
pub async fn resolve(
    visitor: Visitor,
    id: web::Path<i64>,
    rooms: web::Data<Rooms>,
    accounts: web::Data<Accounts>,
) -> Result<HttpResponse> {
    staff_only(&visitor)?;
    deeds::resolve(&accounts, &rooms, visitor.person.id, id.into_inner()).await?;
    Ok(see_other("/admin"))
}

#[cfg(test)]
mod page_tests {
    use super::*;

    const HOSTILE: &str = "\"><script>alert('x')</script>";

    #[test]
    fn the_reports_escape_what_was_written() {
        let report = ReportView {
            id: 1,
            author: Person::new(1, HOSTILE, true),
            username: HOSTILE.into(),
            place: HOSTILE.into(),
            href: Some(HOSTILE.into()),
            title: HOSTILE.into(),
            text: HOSTILE.into(),
            reason: HOSTILE.into(),
            reporter: HOSTILE.into(),
            reported: Stamp(0),
            resolved: None,
            resolver: HOSTILE.into(),
            restrained: true,
        };
        let shell = Shell::new("Reports", "/admin");
        let page = ReportsPage {
            shell,
            administers: true,
            resolved: false,
            reports: vec![report],
            next: Some(HOSTILE.into()),
        };
        assert!(!page.render().unwrap().contains("<script>alert"));
    }
}
