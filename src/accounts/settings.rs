//! The person's own settings: name, colour, sessions, tokens.

use super::entry::field_errors;
use super::names::DisplayName;
use super::session::SessionRow;
use super::state::Accounts;
use super::token::{TokenLabel, TokenRow};
use super::user::{self, Profile, Status, StatusState};
use super::visitor::Visitor;
use crate::clock::now_ms;
use crate::error::{Error, FieldError, Result};
use crate::ids::{SessionId, TokenId};
use crate::site::answer::{html, see_other};
use crate::site::page::{FieldErrors, Pages, Shell, Stamp};
use crate::site::words::{filters, t};
use actix_session::Session;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

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
    /// A picture stands in the place of the colour.
    pub has_picture: bool,
    /// `online`, `away` or `dnd`.
    pub state: &'static str,
    pub status_text: String,
    /// Fields `display_name`, `picture`, `color`, `status` and `label`.
    pub errors: FieldErrors,
    /// One sentence after something was done, for example "Saved."
    pub notice: Option<String>,
    pub sessions: Vec<SessionView>,
    pub tokens: Vec<TokenView>,
    /// The token that was made just now: shown this once.
    pub new_token: Option<String>,
    /// What was typed as a new token's label.
    pub token_label: String,
    /// A guest can become a full account here.
    pub may_register: bool,
    /// That takes an invite.
    pub needs_invite: bool,
    /// The fewest characters of a password.
    pub password_min: usize,
}

/// One API token.
#[derive(Debug, Clone)]
pub struct TokenView {
    /// As in `/settings/tokens/{id}/revoke`.
    pub id: String,
    pub label: String,
    pub since: Stamp,
    /// The day it was last used.
    pub used: Option<Stamp>,
}

/// The hue of a place whose visitor has chosen none; `--hue` in `static/css/tokens.css`.
const OWN_HUE: i32 = 172;

impl SettingsPage {
    /// Where the slider of the accent stands.
    fn hue_or_own(&self) -> i32 {
        self.shell.hue().unwrap_or(OWN_HUE)
    }
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
        "revoked" => Some(t("That token is over.")),
        _ => None,
    };
    let page = settings_page(&accounts, &pages, &visitor, notice).await?;
    html(StatusCode::OK, &page)
}

pub(super) async fn settings_page(
    accounts: &Accounts,
    pages: &Pages,
    visitor: &Visitor,
    notice: Option<&str>,
) -> Result<SettingsPage> {
    let sessions = accounts.sessions.list(visitor.person.id).await?;
    let tokens = accounts.tokens.list(visitor.person.id).await?;
    Ok(SettingsPage {
        shell: pages.shell(Some(visitor.viewer()), t("Settings"), "/settings").await,
        username: visitor.person.username.clone(),
        display_name: visitor.person.display_name.clone(),
        guest: visitor.person.is_guest(),
        has_picture: visitor.person.picture.is_some(),
        state: visitor.person.status_state.as_str(),
        status_text: visitor.person.status_text.clone(),
        errors: FieldErrors::default(),
        notice: notice.map(str::to_owned),
        sessions: sessions.into_iter().map(|row| SessionView::new(row, visitor.session())).collect(),
        tokens: tokens.into_iter().map(TokenView::from).collect(),
        new_token: None,
        token_label: String::new(),
        may_register: accounts.may_register(&visitor.person),
        needs_invite: accounts.needs_invite(),
        password_min: accounts.config.password_min,
    })
}

impl SessionView {
    fn new(row: SessionRow, asking: Option<SessionId>) -> Self {
        let current = Some(row.id) == asking;
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
    /// `online`, `away` or `dnd`.
    status_state: Option<String>,
    status_text: Option<String>,
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
        let state = self.status_state.clone().map(StatusState::from);
        let status =
            state.map(|s| Status::parse(s, self.status_text.as_deref().unwrap_or_default())).transpose();
        match status {
            Ok(status) => profile.status = status,
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
            let form = form.into_inner();
            page.display_name = form.display_name.unwrap_or(page.display_name);
            page.status_text = form.status_text.unwrap_or(page.status_text);
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
    if visitor.session() == Some(id) {
        session.purge();
        return Ok(see_other("/login"));
    }
    accounts.sessions.revoke(visitor.person.id, id).await?;
    Ok(see_other("/settings?done=ended"))
}

/// `POST /settings/sessions/revoke-others`
pub async fn revoke_other_sessions(accounts: web::Data<Accounts>, visitor: Visitor) -> Result<HttpResponse> {
    let Some(own) = visitor.session() else { return Err(Error::SignInFirst) };
    accounts.sessions.revoke_others(visitor.person.id, own).await?;
    Ok(see_other("/settings?done=ended"))
}

impl From<TokenRow> for TokenView {
    fn from(row: TokenRow) -> Self {
        Self {
            id: row.id.to_string(),
            label: row.label,
            since: Stamp(row.created_at),
            used: row.used_at.map(Stamp),
        }
    }
}

/// The body of `POST /settings/tokens`.
#[derive(Deserialize)]
pub struct TokenForm {
    #[serde(default)]
    label: String,
}

/// `POST /settings/tokens`: the page with the token on it, which no other answer shows again.
pub async fn add_token(
    accounts: web::Data<Accounts>,
    pages: web::Data<Pages>,
    visitor: Visitor,
    web::Form(form): web::Form<TokenForm>,
) -> Result<HttpResponse> {
    let added = match TokenLabel::parse(&form.label) {
        Ok(label) => accounts.tokens.add(visitor.person.id, label).await,
        Err(wrong) => Err(Error::Invalid(vec![wrong])),
    };
    let mut page = settings_page(&accounts, &pages, &visitor, None).await?;
    match added {
        Ok(token) => {
            page.new_token = Some(token);
            html(StatusCode::OK, &page)
        }
        Err(error @ (Error::Invalid(_) | Error::Conflict { .. })) => {
            page.errors = FieldErrors::of_error(&error, "label");
            page.token_label = form.label;
            html(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(error) => Err(error),
    }
}

/// `POST /settings/tokens/{id}/revoke`
pub async fn revoke_token(
    accounts: web::Data<Accounts>,
    visitor: Visitor,
    id: web::Path<TokenId>,
) -> Result<HttpResponse> {
    accounts.tokens.revoke(visitor.person.id, *id).await?;
    Ok(see_other("/settings?done=revoked"))
}

#[cfg(test)]
mod page_tests {
    use super::*;

    const HOSTILE: &str = "\"><script>alert('x')</script>";

    #[test]
    fn the_settings_escape_names() {
        let settings = SettingsPage {
            shell: Shell::new("Settings", "/settings"),
            username: HOSTILE.into(),
            display_name: HOSTILE.into(),
            guest: true,
            has_picture: true,
            state: "away",
            status_text: HOSTILE.into(),
            errors: FieldErrors::one("display_name", HOSTILE),
            notice: Some(HOSTILE.into()),
            sessions: vec![SessionView {
                id: HOSTILE.into(),
                device: HOSTILE.into(),
                since: Stamp(0),
                seen: Stamp(0),
                current: false,
            }],
            tokens: vec![TokenView {
                id: HOSTILE.into(),
                label: HOSTILE.into(),
                since: Stamp(0),
                used: Some(Stamp(0)),
            }],
            new_token: Some(HOSTILE.into()),
            token_label: HOSTILE.into(),
            may_register: true,
            needs_invite: true,
            password_min: 8,
        };
        let html = settings.render().unwrap();
        assert!(!html.contains("<script>alert") && html.contains("action=\"/register\""), "{html}");
    }
}
