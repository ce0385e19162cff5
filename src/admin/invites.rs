//! Invites: made, handed out as links, looked through, ended.

use super::gate::admins_only;
use crate::accounts::invite::{self, DAYS_MAX, InviteWish, Listed, USES_MAX};
use crate::accounts::{Accounts, Visitor};
use crate::config::Registration;
use crate::error::{Error, Result};
use crate::ids::{InviteId, UserId};
use crate::site::answer::{html, see_other};
use crate::site::origin::address_of;
use crate::site::page::{FieldErrors, Pages, Person, Shell, Stamp};
use crate::site::words::{filters, t};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::Arc;

/// One invite.
struct InviteView {
    id: i64,
    label: String,
    maker: String,
    uses: i64,
    used: i64,
    until: Stamp,
    /// Somebody ended it.
    revoked: bool,
    /// It still brings people in.
    holds: bool,
    came: Vec<Person>,
    /// How many came who aren't named.
    others: usize,
}

/// All invites, and the form for another one.
#[derive(Template)]
#[template(path = "admin/invites.html")]
struct InvitesPage {
    shell: Shell,
    administers: bool,
    /// Nobody can register at all.
    closed: bool,
    /// Nobody needs an invite.
    open: bool,
    invites: Vec<InviteView>,
    /// The next page's address.
    next: Option<String>,
    /// The link that was made just now: shown this once.
    link: Option<String>,
    /// Fields `label`, `uses` and `expires_at`.
    errors: FieldErrors,
    form: InviteForm,
    uses_max: i64,
    days_max: i64,
}

/// The body of `POST /admin/invites`.
#[derive(Debug, Deserialize)]
pub struct InviteForm {
    #[serde(default)]
    label: String,
    #[serde(default)]
    uses: String,
    #[serde(default)]
    days: String,
}

impl Default for InviteForm {
    fn default() -> Self {
        Self { label: String::new(), uses: "1".to_owned(), days: "7".to_owned() }
    }
}

impl InviteForm {
    fn parse(&self) -> Result<InviteWish> {
        // What is no number is told as one that nobody may have.
        let number = |typed: &str| typed.trim().parse::<i64>().unwrap_or_default();
        let end = InviteWish::end_after(number(&self.days));
        InviteWish::parse(&self.label, number(&self.uses), end).map_err(Error::Invalid)
    }
}

/// `?before=` of the list.
#[derive(Deserialize)]
pub struct InvitesQuery {
    before: Option<InviteId>,
}

fn view(listed: Listed, people: &HashMap<UserId, Arc<crate::accounts::Person>>) -> InviteView {
    let Listed { invite, came } = listed;
    let named = came.iter().filter_map(|id| people.get(id));
    let came: Vec<Person> =
        named.map(|p| Person::new(p.id.0, p.display_name.clone(), p.is_guest())).collect();
    InviteView {
        id: invite.id.0,
        maker: people.get(&invite.made_by).map(|p| p.display_name.clone()).unwrap_or_default(),
        holds: invite.holds(),
        others: usize::try_from(invite.used).unwrap_or_default().saturating_sub(came.len()),
        label: invite.label,
        uses: invite.uses,
        used: invite.used,
        until: Stamp(invite.expires_at),
        revoked: invite.revoked_at.is_some(),
        came,
    }
}

async fn page(
    visitor: &Visitor,
    accounts: &Accounts,
    pages: &Pages,
    before: Option<InviteId>,
) -> Result<InvitesPage> {
    let (found, more) = accounts.db.read(move |conn| invite::page(conn, before)).await?;
    let mut ids: Vec<UserId> =
        found.iter().flat_map(|l| l.came.iter().copied().chain([l.invite.made_by])).collect();
    ids.sort_unstable();
    ids.dedup();
    let people = accounts.directory.many(&ids).await?;
    let next = found.last().filter(|_| more).map(|last| format!("/admin/invites?before={}", last.invite.id));
    Ok(InvitesPage {
        shell: pages.shell(Some(visitor.viewer()), t("Invites"), "/admin").await,
        administers: true,
        closed: accounts.config.registration == Registration::Closed,
        open: accounts.config.registration == Registration::Open,
        invites: found.into_iter().map(|listed| view(listed, &people)).collect(),
        next,
        link: None,
        errors: FieldErrors::default(),
        form: InviteForm::default(),
        uses_max: USES_MAX,
        days_max: DAYS_MAX,
    })
}

/// `GET /admin/invites`
pub async fn list(
    visitor: Visitor,
    query: web::Query<InvitesQuery>,
    accounts: web::Data<Accounts>,
    pages: web::Data<Pages>,
) -> Result<HttpResponse> {
    admins_only(&visitor)?;
    html(StatusCode::OK, &page(&visitor, &accounts, &pages, query.before).await?)
}

/// `POST /admin/invites`: the page with the link on it, which no other answer shows again.
pub async fn create(
    request: HttpRequest,
    visitor: Visitor,
    accounts: web::Data<Accounts>,
    pages: web::Data<Pages>,
    web::Form(form): web::Form<InviteForm>,
) -> Result<HttpResponse> {
    admins_only(&visitor)?;
    let by = visitor.person.id;
    let made = match form.parse() {
        Ok(wish) => accounts.db.write(move |conn| invite::create(conn, by, &wish)).await,
        Err(error) => Err(error),
    };
    let mut page = page(&visitor, &accounts, &pages, None).await?;
    match made {
        Ok((_, code)) => {
            page.link = Some(link(&address_of(&request), &code));
            html(StatusCode::OK, &page)
        }
        Err(error @ (Error::Invalid(_) | Error::Conflict { .. })) => {
            page.errors = FieldErrors::of_error(&error, "label");
            page.form = form;
            html(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(error) => Err(error),
    }
}

/// The address by which somebody comes.
pub(super) fn link(origin: &str, code: &str) -> String {
    format!("{origin}/register?invite={code}")
}

/// `POST /admin/invites/{id}/revoke`
pub async fn revoke(
    visitor: Visitor,
    id: web::Path<InviteId>,
    accounts: web::Data<Accounts>,
) -> Result<HttpResponse> {
    admins_only(&visitor)?;
    let (by, id) = (visitor.person.id, *id);
    accounts.db.write(move |conn| invite::revoke(conn, by, id)).await?;
    Ok(see_other("/admin/invites"))
}

#[cfg(test)]
mod page_tests {
    use super::*;

    const HOSTILE: &str = "\"><script>alert('x')</script>";

    #[test]
    fn the_invites_escape_what_was_typed() {
        let invite = InviteView {
            id: 1,
            label: HOSTILE.into(),
            maker: HOSTILE.into(),
            uses: 5,
            used: 3,
            until: Stamp(0),
            revoked: false,
            holds: true,
            came: vec![Person::new(1, HOSTILE, false)],
            others: 2,
        };
        let page = InvitesPage {
            shell: Shell::new("Invites", "/admin"),
            administers: true,
            closed: true,
            open: true,
            invites: vec![invite],
            next: Some(HOSTILE.into()),
            link: Some(HOSTILE.into()),
            errors: FieldErrors::one("label", HOSTILE),
            form: InviteForm { label: HOSTILE.into(), uses: HOSTILE.into(), days: HOSTILE.into() },
            uses_max: 5,
            days_max: 5,
        };
        assert!(!page.render().unwrap().contains("<script>alert"));
    }
}
