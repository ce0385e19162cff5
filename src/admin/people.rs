//! Everybody who has an account or came as a guest: what they may do, whether they may come in, a new password.

use super::gate::admins_only;
use crate::accounts::invite::Arrival;
use crate::accounts::{Accounts, PeopleQuery, Person as Account, Role, Visitor, invite, user};
use crate::error::{Error, Result};
use crate::ids::UserId;
use crate::site::answer::{html, see_other};
use crate::site::origin::address_of;
use crate::site::page::{FieldErrors, Pages, Person, Shell, Stamp};
use crate::site::words::{filters, t};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, ResponseError as _, web};
use askama::Template;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

/// People on one page.
const PEOPLE: i64 = 50;

/// One person in the list.
struct Row {
    person: Person,
    username: String,
    role: &'static str,
    disabled: bool,
}

/// The list.
#[derive(Template)]
#[template(path = "admin/people.html")]
struct PeoplePage {
    shell: Shell,
    administers: bool,
    /// What was looked for, or empty.
    query: String,
    people: Vec<Row>,
    /// The next page's address.
    next: Option<String>,
}

/// One person, with what may be changed.
#[derive(Template)]
#[template(path = "admin/person.html")]
struct PersonPage {
    shell: Shell,
    person: Person,
    username: String,
    role: &'static str,
    disabled: bool,
    since: Stamp,
    login_count: i64,
    last_login: Option<Stamp>,
    /// By which invite they came, and whose it was.
    came_by: Option<(String, String)>,
    /// The roles that may be given; empty when there is no choice.
    roles: Vec<&'static str>,
    /// They may be locked out, and get a link for a new password.
    governed: bool,
    /// They may be kept quiet and sent out.
    restrained: bool,
    /// The link that was made just now: shown this once.
    link: Option<String>,
    /// One sentence after something was done.
    notice: Option<String>,
    /// The field `role`, and `""` for all else.
    errors: FieldErrors,
}

/// A role as people say it. A guest is called so wherever the name shows.
pub(super) fn role_in_words(role: Role) -> &'static str {
    match role {
        Role::Owner => t("owner of the place"),
        Role::Admin => t("admin"),
        Role::Moderator => t("moderator"),
        Role::Member => t("member"),
        Role::Guest => t("guest"),
    }
}

impl PersonPage {
    /// A role's name in words, for the choice.
    fn called(&self, name: &str) -> &'static str {
        role_in_words(Role::from(name.to_owned()))
    }
}

/// `?query=` and `?after=` of the list.
#[derive(Deserialize)]
pub struct PeopleAddress {
    #[serde(default)]
    query: String,
    #[serde(default)]
    after: String,
}

/// `GET /admin/people?query=&after=`
pub async fn list(
    visitor: Visitor,
    accounts: web::Data<Accounts>,
    pages: web::Data<Pages>,
    web::Query(address): web::Query<PeopleAddress>,
) -> Result<HttpResponse> {
    admins_only(&visitor)?;
    let wanted = PeopleQuery { begins: address.query.clone(), after: address.after, limit: PEOPLE };
    let (found, more) = accounts.db.read(move |conn| user::page_of_everybody(conn, &wanted)).await?;
    let escaped = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let next = found.last().filter(|_| more).map(|last| {
        format!("/admin/people?query={}&after={}", escaped(&address.query), escaped(&last.username))
    });
    let row = |account: Account| Row {
        person: Person::new(account.id.0, account.display_name.clone(), account.is_guest()),
        role: role_in_words(account.role),
        disabled: account.disabled,
        username: account.username,
    };
    let page = PeoplePage {
        shell: pages.shell(Some(visitor.viewer()), t("People"), "/admin").await,
        administers: true,
        query: address.query,
        people: found.into_iter().map(row).collect(),
        next,
    };
    html(StatusCode::OK, &page)
}

async fn page(visitor: &Visitor, accounts: &Accounts, pages: &Pages, id: UserId) -> Result<PersonPage> {
    let by = visitor.person.id;
    let (actor, account, came) = accounts
        .db
        .read(move |conn| Ok((user::find(conn, by)?, user::find(conn, id)?, invite::arrival(conn, id)?)))
        .await?;
    let came_by = match came {
        Some(Arrival { label, made_by }) => {
            let maker = accounts.directory.get(made_by).await?;
            Some((label, maker.map(|m| m.display_name.clone()).unwrap_or_default()))
        }
        None => None,
    };
    Ok(PersonPage {
        shell: pages.shell(Some(visitor.viewer()), account.display_name.clone(), "/admin").await,
        person: Person::new(account.id.0, account.display_name.clone(), account.is_guest()),
        role: account.role.as_str(),
        roles: actor.may_make(&account).into_iter().map(Role::as_str).collect(),
        governed: actor.governs(&account),
        restrained: actor.may_restrain(&account),
        disabled: account.disabled,
        since: Stamp(account.created_at),
        login_count: account.login_count,
        last_login: account.last_login_at.map(Stamp),
        username: account.username,
        came_by,
        link: None,
        notice: None,
        errors: FieldErrors::default(),
    })
}

/// What has just been done, as the address says it.
#[derive(Deserialize)]
pub struct DoneQuery {
    #[serde(default)]
    pub(super) done: String,
}

/// `GET /admin/people/{id}`
pub async fn one(
    visitor: Visitor,
    accounts: web::Data<Accounts>,
    pages: web::Data<Pages>,
    id: web::Path<UserId>,
    query: web::Query<DoneQuery>,
) -> Result<HttpResponse> {
    admins_only(&visitor)?;
    let mut page = page(&visitor, &accounts, &pages, *id).await?;
    if query.done == "saved" {
        page.notice = Some(t("Saved.").to_owned());
    }
    html(StatusCode::OK, &page)
}

/// The page again after a change, or with what was in the way of it.
async fn after(
    done: Result<()>,
    visitor: &Visitor,
    accounts: &Accounts,
    pages: &Pages,
    id: UserId,
) -> Result<HttpResponse> {
    match done {
        // Whoever gave their own office away has no business on this page any more.
        Ok(()) if visitor.person.id == id => Ok(see_other("/admin")),
        Ok(()) => Ok(see_other(&format!("/admin/people/{id}?done=saved"))),
        Err(error @ (Error::Forbidden { .. } | Error::Conflict { .. } | Error::Invalid(_))) => {
            let mut page = page(visitor, accounts, pages, id).await?;
            page.errors = FieldErrors::of_error(&error, "").or_whole(&["role"]);
            html(error.status_code(), &page)
        }
        Err(error) => Err(error),
    }
}

/// The body of `POST /admin/people/{id}/role`.
#[derive(Deserialize)]
pub struct RoleForm {
    #[serde(default)]
    role: String,
}

/// `POST /admin/people/{id}/role`
pub async fn role(
    visitor: Visitor,
    accounts: web::Data<Accounts>,
    pages: web::Data<Pages>,
    id: web::Path<UserId>,
    web::Form(form): web::Form<RoleForm>,
) -> Result<HttpResponse> {
    admins_only(&visitor)?;
    let done = match parse_role(&form.role) {
        Ok(role) => accounts.set_role(visitor.person.id, *id, role).await.map(drop),
        Err(error) => Err(error),
    };
    after(done, &visitor, &accounts, &pages, *id).await
}

/// A role that an account can have.
pub(super) fn parse_role(typed: &str) -> Result<Role> {
    let role = Role::from(typed.to_owned());
    if role != Role::Guest && role.as_str() == typed {
        return Ok(role);
    }
    Err(Error::field("role", "A role is owner, admin, moderator or member."))
}

/// The body of `POST /admin/people/{id}/disable`.
#[derive(Deserialize)]
pub struct DisableForm {
    /// `on` or `off`.
    #[serde(default)]
    disabled: String,
}

/// `POST /admin/people/{id}/disable`
pub async fn disable(
    visitor: Visitor,
    accounts: web::Data<Accounts>,
    pages: web::Data<Pages>,
    id: web::Path<UserId>,
    web::Form(form): web::Form<DisableForm>,
) -> Result<HttpResponse> {
    admins_only(&visitor)?;
    let done = match form.disabled.as_str() {
        "on" | "off" => accounts.set_disabled(visitor.person.id, *id, form.disabled == "on").await,
        _ => Err(Error::field("", "Say whether they are to be locked out: on or off.")),
    };
    after(done, &visitor, &accounts, &pages, *id).await
}

/// `POST /admin/people/{id}/reset`: the page with the link on it, which no other answer shows again.
pub async fn reset(
    request: HttpRequest,
    visitor: Visitor,
    accounts: web::Data<Accounts>,
    pages: web::Data<Pages>,
    id: web::Path<UserId>,
) -> Result<HttpResponse> {
    admins_only(&visitor)?;
    match accounts.make_reset(visitor.person.id, *id).await {
        Ok(made) => {
            let mut page = page(&visitor, &accounts, &pages, *id).await?;
            page.link = Some(address_of(&request) + &made.path());
            html(StatusCode::OK, &page)
        }
        Err(error) => after(Err(error), &visitor, &accounts, &pages, *id).await,
    }
}

#[cfg(test)]
mod page_tests {
    use super::*;

    const HOSTILE: &str = "\"><script>alert('x')</script>";

    #[test]
    fn the_list_and_the_person_escape_names() {
        let row = Row {
            person: Person::new(1, HOSTILE, true),
            username: HOSTILE.into(),
            role: "admin",
            disabled: true,
        };
        let list = PeoplePage {
            shell: Shell::new("People", "/admin"),
            administers: true,
            query: HOSTILE.into(),
            people: vec![row],
            next: Some(HOSTILE.into()),
        };
        let one = PersonPage {
            shell: Shell::new(HOSTILE, "/admin"),
            person: Person::new(1, HOSTILE, true),
            username: HOSTILE.into(),
            role: "member",
            disabled: false,
            since: Stamp(0),
            login_count: 3,
            last_login: Some(Stamp(0)),
            came_by: Some((HOSTILE.into(), HOSTILE.into())),
            roles: vec!["owner", "member"],
            governed: true,
            restrained: true,
            link: Some(HOSTILE.into()),
            notice: Some(HOSTILE.into()),
            errors: FieldErrors::one("", HOSTILE),
        };
        for html in [list.render().unwrap(), one.render().unwrap()] {
            assert!(!html.contains("<script>alert"), "{html}");
        }
    }

    #[test]
    fn only_roles_of_accounts_are_roles() {
        assert_eq!(parse_role("moderator").ok(), Some(Role::Moderator));
        for odd in ["", "guest", "king", "Owner"] {
            assert!(parse_role(odd).is_err(), "{odd}");
        }
    }
}
