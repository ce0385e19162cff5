//! The dashboard: a person's home, with the board below it.

use crate::accounts::Visitor;
use crate::board::pages::{NoteForm, Parts, note_seen};
use crate::error::Result;
use crate::site::answer::html;
use crate::site::page::{FieldErrors, Shell, Stamp};
use crate::site::words::{filters, t};
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;
use std::sync::Arc;

/// A person's home.
#[derive(Template)]
#[template(path = "home/dashboard.html")]
pub struct DashboardPage {
    pub shell: Shell,
    /// The display name as typed, otherwise as it is.
    pub display_name: String,
    /// Field `display_name`.
    pub errors: FieldErrors,
    /// How often the person has logged in, this time included.
    pub login_count: i64,
    /// When they logged in the time before this; nothing on the first.
    pub last_login: Option<Stamp>,
    /// A rendered [`crate::board::pages::BoardWall`].
    pub wall: Arc<str>,
    pub form: NoteForm,
}

/// `GET /dashboard`
pub async fn dashboard(visitor: Visitor, parts: Parts) -> Result<HttpResponse> {
    let (pages, front, rooms, accounts) = parts;
    let person = &visitor.person;
    let wall = front.wall(None).await?;
    // Coming back to another page than this one next time is no reason to refuse this one now.
    if let Err(error) = accounts.remember_place(person, "/dashboard").await {
        tracing::warn!(%error, "a person's last place was not stored");
    }
    let mut shell = pages.shell(Some(visitor.viewer()), t("Home"), "/dashboard").await;
    note_seen(&rooms, &visitor, &wall, &mut shell);
    let page = DashboardPage {
        shell,
        display_name: person.display_name.clone(),
        errors: FieldErrors::default(),
        login_count: person.login_count,
        last_login: person.previous_login_at.map(Stamp),
        wall: wall.html.clone(),
        form: NoteForm::fresh()?,
    };
    html(StatusCode::OK, &page)
}

#[cfg(test)]
mod page_tests {
    use super::*;
    use crate::site::page::{Rail, RailRoom, Viewer};

    const HOSTILE: &str = "\"><script>alert('x')</script>";

    #[test]
    fn the_dashboard_escapes_names() {
        let viewer = Viewer {
            id: 1,
            username: HOSTILE.into(),
            display_name: HOSTILE.into(),
            guest: true,
            hue: Some(200),
        };
        let room = RailRoom { id: 5, name: HOSTILE.into(), href: "/c/x".into(), unread: 120, muted: false };
        let rail = Rail { board_unread: true, channels: vec![room], more_channels: true };
        let page = DashboardPage {
            shell: Shell::new("Home", "/dashboard").seen_by(viewer, Arc::new(rail)),
            display_name: HOSTILE.into(),
            errors: FieldErrors::one("display_name", HOSTILE),
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
