//! The dashboard: a person's home, with the board below it.

use crate::accounts::Visitor;
use crate::board::pages::{NoteForm, Parts, bytes_max, note_seen};
use crate::config::Right;
use crate::error::Result;
use crate::site::answer::html;
use crate::site::page::{FieldErrors, Shell, Stamp};
use crate::site::words::{filters, t};
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;
use std::sync::Arc;

/// A person's home.
#[derive(Template)]
#[template(path = "home/dashboard.html")]
pub struct DashboardPage {
    pub shell: Shell,
    /// The display name as typed, otherwise as it is.
    pub display_name: String,
    /// Fields `display_name` and `private_key`.
    pub errors: FieldErrors,
    /// One sentence after something was done.
    pub notice: Option<String>,
    /// What the card of the private key shows; nothing for who may not have one.
    pub key: Option<KeyCard>,
    /// A guest can become a full account here.
    pub may_register: bool,
    /// That takes an invite.
    pub needs_invite: bool,
    /// The fewest characters of a password.
    pub password_min: usize,
    /// How often the person has logged in, this time included.
    pub login_count: i64,
    /// When they logged in the time before this; nothing on the first.
    pub last_login: Option<Stamp>,
    /// A rendered [`crate::board::pages::BoardWall`].
    pub wall: Arc<str>,
    pub form: NoteForm,
}

/// The card of the private key; never the key.
pub struct KeyCard {
    pub is_set: bool,
    /// Only those who know the key may begin to write privately.
    pub only: bool,
}

/// What has just been done, as the address says it.
#[derive(Deserialize)]
pub struct DashboardQuery {
    #[serde(default)]
    done: String,
}

/// `GET /dashboard`
pub async fn dashboard(
    visitor: Visitor,
    parts: Parts,
    query: web::Query<DashboardQuery>,
) -> Result<HttpResponse> {
    let notice = match query.done.as_str() {
        "key" => Some(t("Your private key is set. Nobody sees it again, not even you.")),
        "keyless" => Some(t("You have no private key any more.")),
        _ => None,
    };
    show(StatusCode::OK, &visitor, parts, FieldErrors::default(), notice).await
}

/// The dashboard with what is wrong, or done, on it.
pub(super) async fn show(
    status: StatusCode,
    visitor: &Visitor,
    parts: Parts,
    errors: FieldErrors,
    notice: Option<&str>,
) -> Result<HttpResponse> {
    let (pages, front, rooms, accounts) = parts;
    let person = &visitor.person;
    let wall = front.wall(None).await?;
    // Coming back to another page than this one next time is no reason to refuse this one now.
    if let Err(error) = accounts.remember_place(person, "/dashboard").await {
        tracing::warn!(%error, "a person's last place was not stored");
    }
    let mut shell = pages.shell(Some(visitor.viewer()), t("Home"), "/dashboard").await;
    note_seen(&rooms, &accounts, visitor, &wall, &mut shell);
    let bytes_max = bytes_max(&accounts, &rooms, visitor);
    let page = DashboardPage {
        shell,
        display_name: person.display_name.clone(),
        errors,
        notice: notice.map(str::to_owned),
        key: accounts
            .allows(person, Right::Key)
            .then(|| KeyCard { is_set: person.has_private_key, only: person.direct_only_by_key }),
        may_register: accounts.may_register(person),
        needs_invite: accounts.needs_invite(),
        password_min: accounts.config.password_min,
        login_count: person.login_count,
        last_login: person.previous_login_at.map(Stamp),
        wall: wall.html.clone(),
        form: NoteForm::fresh(bytes_max)?,
    };
    html(status, &page)
}

#[cfg(test)]
mod page_tests {
    use super::*;
    use crate::site::page::Viewer;
    use crate::site::rail::{Rail, RailRoom};

    const HOSTILE: &str = "\"><script>alert('x')</script>";

    #[test]
    fn the_dashboard_escapes_names() {
        let viewer = Viewer {
            id: 1,
            username: HOSTILE.into(),
            display_name: HOSTILE.into(),
            guest: true,
            staff: true,
            silenced: Some(crate::site::page::Stamp(0)),
            hue: Some(200),
        };
        let room = RailRoom {
            id: 5,
            kind: "direct",
            name: HOSTILE.into(),
            href: "/dm/x".into(),
            peer: Some(7),
            unread: 120,
            ..RailRoom::default()
        };
        let rail = Rail {
            board_unread: true,
            channels: vec![room.clone()],
            groups: vec![room.clone()],
            directs: vec![room],
            talks: Vec::new(),
            more_channels: true,
            blocked: vec![3],
            faces: HOSTILE.into(),
        };
        let page = DashboardPage {
            shell: Shell::new("Home", "/dashboard").seen_by(viewer, Arc::new(rail)),
            display_name: HOSTILE.into(),
            errors: FieldErrors::one("display_name", HOSTILE),
            notice: Some(HOSTILE.into()),
            key: Some(KeyCard { is_set: true, only: true }),
            may_register: true,
            needs_invite: true,
            password_min: 8,
            login_count: 3,
            last_login: Some(Stamp(1_700_000_000_000)),
            wall: Arc::from("<p>wall</p>"),
            form: NoteForm { shown: true, ..NoteForm::default() },
        };
        let html = page.render().unwrap();
        assert!(!html.contains("<script>alert"), "{html}");
        assert!(html.contains("99+") && html.contains("<p>wall</p>"), "{html}");
    }
}
