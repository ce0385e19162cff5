//! The pages about oneself and about people: the entry, the settings, the list of people.

use super::directory::Presence;
use super::entry::field_errors;
use super::names::DisplayName;
use super::session::SessionRow;
use super::state::Accounts;
use super::user::{self, PeopleQuery, Profile};
use super::visitor::Visitor;
use crate::clock::now_ms;
use crate::error::{Error, FieldError, Result};
use crate::ids::{SessionId, UserId};
use crate::site::answer::{html, see_other};
use crate::site::page::{FieldErrors, Pages, Person, Shell, Stamp};
use crate::site::words::{filters, t};
use actix_session::Session;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

/// People on one page.
const PEOPLE: i64 = 50;

/// Which of the three forms of the entry page is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EntryForm {
    #[default]
    Login,
    Register,
    Guest,
}

/// What was typed into the entry page and is shown again; never the password.
#[derive(Debug, Clone, Default)]
pub struct EntryTyped {
    pub username: String,
    pub display_name: String,
    pub invite: String,
}

/// The page to register, log in, or enter with a display name.
#[derive(Template)]
#[template(path = "accounts/entry.html")]
pub struct EntryPage {
    pub shell: Shell,
    /// The form that is open; `errors` and `typed` are its own.
    pub open: EntryForm,
    pub typed: EntryTyped,
    /// Fields `username`, `password`, `display_name`, `invite`, and `""` for the form as a whole.
    pub errors: FieldErrors,
    /// The path to go on to, or empty.
    pub next: String,
    /// Whether the form to register is shown.
    pub registration: bool,
    /// The label of the field `invite` when one is needed: an invite, or the owner's code of the first run.
    pub invite_label: Option<String>,
    /// Whether the form to enter as a guest is shown.
    pub guests: bool,
    /// The fewest characters of a password.
    pub password_min: usize,
    /// Nobody has an account yet: the first one owns the place.
    pub first_account: bool,
    /// One sentence above the forms, for example "You are logged out."
    pub notice: Option<String>,
}

impl EntryPage {
    fn is_login(&self) -> bool {
        self.open == EntryForm::Login
    }

    fn is_register(&self) -> bool {
        self.open == EntryForm::Register
    }

    fn is_guest(&self) -> bool {
        self.open == EntryForm::Guest
    }
}

/// One place where the person is signed in.
#[derive(Debug, Clone)]
pub struct SessionView {
    /// As in `/settings/sessions/{id}/revoke`.
    pub id: String,
    /// Browser and system in a few words, for example "Firefox on Linux".
    pub device: String,
    /// When it signed in.
    pub since: Stamp,
    /// When it was last here.
    pub seen: Stamp,
    /// The session that asks.
    pub current: bool,
}

/// The person's own settings.
#[derive(Template)]
#[template(path = "accounts/settings.html")]
pub struct SettingsPage {
    pub shell: Shell,
    pub username: String,
    /// The display name as typed, otherwise as it is.
    pub display_name: String,
    pub guest: bool,
    /// Field `display_name`.
    pub errors: FieldErrors,
    /// One sentence after something was done, for example "Saved."
    pub notice: Option<String>,
    pub sessions: Vec<SessionView>,
}

/// The hue of a place whose visitor has chosen none; `--hue` in `static/css/tokens.css`.
const OWN_HUE: i32 = 172;

impl SettingsPage {
    /// Where the slider of the accent stands.
    fn hue_or_own(&self) -> i32 {
        self.shell.hue().unwrap_or(OWN_HUE)
    }
}

/// One person in the list of people.
#[derive(Debug, Clone)]
pub struct PersonRow {
    pub person: Person,
    pub username: String,
    pub online: bool,
    /// What they say about themselves at the moment, or empty.
    pub status: String,
}

/// Everybody who is here, a page at a time.
#[derive(Template)]
#[template(path = "accounts/people.html")]
pub struct PeoplePage {
    pub shell: Shell,
    /// What was looked for, or empty.
    pub query: String,
    pub people: Vec<PersonRow>,
    /// The next page's address.
    pub next: Option<String>,
}

/// What has just been done, as the address of the settings says it.
#[derive(Deserialize)]
pub struct SettingsQuery {
    #[serde(default)]
    done: String,
}

/// `GET /settings`
pub async fn settings(
    accounts: web::Data<Accounts>,
    pages: web::Data<Pages>,
    visitor: Visitor,
    query: web::Query<SettingsQuery>,
) -> Result<HttpResponse> {
    let notice = match query.done.as_str() {
        "saved" => Some(t("Saved.")),
        "ended" => Some(t("Signed out there.")),
        _ => None,
    };
    let page = settings_page(&accounts, &pages, &visitor, notice).await?;
    html(StatusCode::OK, &page)
}

async fn settings_page(
    accounts: &Accounts,
    pages: &Pages,
    visitor: &Visitor,
    notice: Option<&str>,
) -> Result<SettingsPage> {
    let sessions = accounts.sessions.list(visitor.person.id).await?;
    Ok(SettingsPage {
        shell: pages.shell(Some(visitor.viewer()), t("Settings"), "/settings").await,
        username: visitor.person.username.clone(),
        display_name: visitor.person.display_name.clone(),
        guest: visitor.person.is_guest(),
        errors: FieldErrors::default(),
        notice: notice.map(str::to_owned),
        sessions: sessions.into_iter().map(|row| SessionView::new(row, visitor.session)).collect(),
    })
}

impl SessionView {
    fn new(row: SessionRow, asking: SessionId) -> Self {
        let current = row.id == asking;
        // The row is renewed once a day; who asks is here now.
        let seen = if current { now_ms() } else { row.seen_at };
        Self {
            id: row.id.to_string(),
            device: row.device,
            since: Stamp(row.created_at),
            seen: Stamp(seen),
            current,
        }
    }
}

/// The body of `POST /settings/profile`; a field that isn't sent stays as it is.
#[derive(Deserialize)]
pub struct ProfileForm {
    display_name: Option<String>,
    /// Degrees, or empty for none.
    hue: Option<String>,
    /// `on` or `off`.
    sounds: Option<String>,
}

impl ProfileForm {
    fn parse(&self) -> Result<Profile, Vec<FieldError>> {
        let mut wrong = Vec::new();
        let name = self.display_name.as_deref().map(DisplayName::parse).transpose();
        let hue = self.hue.as_deref().map(|typed| match typed.trim() {
            "" => Ok(None),
            degrees => user::parse_hue(degrees.parse().ok()).map(Some),
        });
        let mut profile = Profile { sounds: self.sounds.as_deref().map(|s| s == "on"), ..Profile::default() };
        match name {
            Ok(name) => profile.display_name = name,
            Err(error) => wrong.push(error),
        }
        match hue.transpose() {
            Ok(hue) => profile.hue = hue,
            Err(error) => wrong.push(error),
        }
        if wrong.is_empty() { Ok(profile) } else { Err(wrong) }
    }
}

/// `POST /settings/profile`
pub async fn save_profile(
    req: HttpRequest,
    accounts: web::Data<Accounts>,
    pages: web::Data<Pages>,
    visitor: Visitor,
    form: web::Form<ProfileForm>,
) -> Result<HttpResponse> {
    match form.parse() {
        Ok(profile) => {
            accounts.change_profile(visitor.person.id, profile).await?;
            // The dashboard has the same form; whoever used it there goes on there.
            let from = req.headers().get(header::REFERER).and_then(|value| value.to_str().ok());
            let at_home = from.is_some_and(|address| address.ends_with("/dashboard"));
            Ok(see_other(if at_home { "/dashboard" } else { "/settings?done=saved" }))
        }
        Err(wrong) => {
            let mut page = settings_page(&accounts, &pages, &visitor, None).await?;
            page.display_name = form.into_inner().display_name.unwrap_or(page.display_name);
            page.errors = field_errors(wrong);
            html(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}

/// `POST /settings/sessions/{id}/revoke`: ending one's own is logging out.
pub async fn revoke_session(
    accounts: web::Data<Accounts>,
    visitor: Visitor,
    session: Session,
    id: web::Path<i64>,
) -> Result<HttpResponse> {
    let id = SessionId(id.into_inner());
    if id == visitor.session {
        session.purge();
        return Ok(see_other("/login"));
    }
    accounts.sessions.revoke(visitor.person.id, id).await?;
    Ok(see_other("/settings?done=ended"))
}

/// `POST /settings/sessions/revoke-others`
pub async fn revoke_other_sessions(accounts: web::Data<Accounts>, visitor: Visitor) -> Result<HttpResponse> {
    accounts.sessions.revoke_others(visitor.person.id, visitor.session).await?;
    Ok(see_other("/settings?done=ended"))
}

/// `?query=` and `?after=` of the list of people.
#[derive(Deserialize)]
pub struct PeopleAddress {
    #[serde(default)]
    query: String,
    #[serde(default)]
    after: String,
}

/// `GET /people?query=&after=`
pub async fn people(
    accounts: web::Data<Accounts>,
    pages: web::Data<Pages>,
    presence: web::Data<dyn Presence>,
    visitor: Visitor,
    web::Query(address): web::Query<PeopleAddress>,
) -> Result<HttpResponse> {
    let wanted = PeopleQuery { begins: address.query.clone(), after: address.after, limit: PEOPLE };
    let (found, more) = accounts.db.read(move |conn| user::page(conn, &wanted)).await?;
    let ids: Vec<UserId> = found.iter().map(|p| p.id).collect();
    let online = presence.online(&ids);
    let next = found.last().filter(|_| more).map(|last| {
        let escaped = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        format!("/people?query={}&after={}", escaped(&address.query), escaped(&last.username))
    });
    let people = found.into_iter().zip(online).map(|(person, online)| PersonRow {
        person: Person::new(person.id.0, person.display_name.clone(), person.is_guest()),
        username: person.username,
        online,
        status: person.status_text,
    });
    let page = PeoplePage {
        shell: pages.shell(Some(visitor.viewer()), t("People"), "/people").await,
        query: address.query,
        people: people.collect(),
        next,
    };
    html(StatusCode::OK, &page)
}

/// Every address that nothing else answers. Who looks is found out for the sake of the page's shell.
pub async fn nothing(_: Option<Visitor>) -> Result<HttpResponse> {
    Err(Error::NotFound("There is nothing at this address."))
}

#[cfg(test)]
mod page_tests {
    use super::*;

    const HOSTILE: &str = "\"><script>alert('x')</script>";

    fn entry(open: EntryForm) -> EntryPage {
        EntryPage {
            shell: Shell::new("Hello", "/"),
            open,
            typed: EntryTyped {
                username: HOSTILE.into(),
                display_name: HOSTILE.into(),
                invite: HOSTILE.into(),
            },
            errors: FieldErrors::one("username", HOSTILE),
            next: HOSTILE.into(),
            registration: true,
            invite_label: Some(HOSTILE.into()),
            guests: true,
            password_min: 8,
            first_account: true,
            notice: Some(HOSTILE.into()),
        }
    }

    #[test]
    fn the_entry_page_escapes_what_was_typed() {
        for open in [EntryForm::Login, EntryForm::Register, EntryForm::Guest] {
            let html = entry(open).render().unwrap();
            assert!(!html.contains("<script>alert"), "{html}");
        }
    }

    #[test]
    fn a_closed_registration_has_no_form() {
        let page = EntryPage { registration: false, guests: false, ..entry(EntryForm::Login) };
        let html = page.render().unwrap();
        assert!(!html.contains("action=\"/register\"") && !html.contains("action=\"/guest\""), "{html}");
        assert!(html.contains("action=\"/login\""));
    }

    #[test]
    fn settings_and_people_escape_names() {
        let settings = SettingsPage {
            shell: Shell::new("Settings", "/settings"),
            username: HOSTILE.into(),
            display_name: HOSTILE.into(),
            guest: true,
            errors: FieldErrors::one("display_name", HOSTILE),
            notice: Some(HOSTILE.into()),
            sessions: vec![SessionView {
                id: HOSTILE.into(),
                device: HOSTILE.into(),
                since: Stamp(0),
                seen: Stamp(0),
                current: false,
            }],
        };
        assert!(!settings.render().unwrap().contains("<script>alert"));
        let people = PeoplePage {
            shell: Shell::new("People", "/people"),
            query: HOSTILE.into(),
            people: vec![PersonRow {
                person: Person::new(1, HOSTILE, true),
                username: HOSTILE.into(),
                online: true,
                status: HOSTILE.into(),
            }],
            next: Some(HOSTILE.into()),
        };
        assert!(!people.render().unwrap().contains("<script>alert"));
    }
}
