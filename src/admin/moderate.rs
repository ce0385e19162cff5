//! One person as those see them who keep order: time-out, ban, what they wrote, and what was done so far.

use super::audit::EntryView;
use super::deeds::{self, Span};
use super::gate::staff_only;
use super::people::{DoneQuery, role_in_words};
use crate::accounts::audit::{self, Wanted};
use crate::accounts::restraint::Reason;
use crate::accounts::{Accounts, Visitor, user};
use crate::error::{Error, Result};
use crate::ids::UserId;
use crate::rooms::Rooms;
use crate::rooms::takedown::{self, State, Takedown};
use crate::site::answer::{html, see_other};
use crate::site::page::{FieldErrors, Pages, Person, Shell, Stamp};
use crate::site::words::{filters, t};
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError as _, web};
use askama::Template;
use serde::Deserialize;

/// Entries of the log on the page.
const ENTRIES: i64 = 20;

/// One takedown, in words.
struct TakedownView {
    id: i64,
    state: &'static str,
    messages: i64,
    ordered: Stamp,
    /// Until when it can be brought back; nothing when it can't.
    until: Option<Stamp>,
}

impl From<Takedown> for TakedownView {
    fn from(takedown: Takedown) -> Self {
        let state = match takedown.state {
            State::Taking => t("is being taken down"),
            State::Taken => t("taken down"),
            State::Returning => t("is being brought back"),
            State::Returned => t("brought back"),
            State::Gone => t("gone for good"),
        };
        Self {
            id: takedown.id,
            state,
            messages: takedown.messages,
            ordered: Stamp(takedown.ordered_at),
            until: takedown.can_return().then(|| Stamp(takedown.kept_until())),
        }
    }
}

/// The page.
#[derive(Template)]
#[template(path = "admin/moderate.html")]
struct ModeratePage {
    shell: Shell,
    person: Person,
    username: String,
    role: &'static str,
    since: Stamp,
    disabled: bool,
    /// They may only read until then.
    silenced: Option<Stamp>,
    /// The visitor stands above them.
    restrained: bool,
    takedowns: Vec<TakedownView>,
    entries: Vec<EntryView>,
    notice: Option<&'static str>,
    /// The fields `seconds`, `reason` and `span`, and `""` for all else.
    errors: FieldErrors,
}

async fn page(
    visitor: &Visitor,
    (accounts, rooms, pages): (&Accounts, &Rooms, &Pages),
    id: UserId,
) -> Result<ModeratePage> {
    let wanted = Wanted { whom: Some(id), limit: ENTRIES, ..Wanted::default() };
    let (person, (entries, _)) =
        accounts.db.read(move |conn| Ok((user::find(conn, id)?, audit::page(conn, wanted)?))).await?;
    let takedowns = rooms.db.read(move |conn| takedown::of(conn, id)).await?;
    Ok(ModeratePage {
        shell: pages.shell(Some(visitor.viewer()), person.display_name.clone(), "/admin").await,
        role: role_in_words(person.role),
        since: Stamp(person.created_at),
        disabled: person.disabled,
        silenced: person.silenced().map(Stamp),
        restrained: visitor.person.may_restrain(&person),
        person: Person::new(id.0, person.display_name.clone(), person.is_guest()),
        username: person.username,
        takedowns: takedowns.into_iter().map(TakedownView::from).collect(),
        entries: entries.into_iter().map(EntryView::from).collect(),
        notice: None,
        errors: FieldErrors::default(),
    })
}

/// `GET /admin/moderate/{id}`
pub async fn show(
    visitor: Visitor,
    id: web::Path<UserId>,
    query: web::Query<DoneQuery>,
    (accounts, rooms, pages): (web::Data<Accounts>, web::Data<Rooms>, web::Data<Pages>),
) -> Result<HttpResponse> {
    staff_only(&visitor)?;
    let mut page = page(&visitor, (&accounts, &rooms, &pages), *id).await?;
    page.notice = match query.done.as_str() {
        "timeout" => Some(t("They can only read now.")),
        "lift" => Some(t("They may write again.")),
        "ban" => Some(t("They are locked out, and signed out everywhere.")),
        "unban" => Some(t("They may come in again.")),
        "takedown" => Some(t("What they wrote is being taken down.")),
        "return" => Some(t("What they wrote is being brought back.")),
        _ => None,
    };
    html(StatusCode::OK, &page)
}

/// One of the page's forms.
#[derive(Debug, Default, Deserialize)]
pub struct ModerateForm {
    /// `timeout`, `lift`, `ban`, `unban`, `takedown` or `return`.
    #[serde(rename = "do", default)]
    what: String,
    #[serde(default)]
    seconds: i64,
    #[serde(default)]
    reason: String,
    /// `day`, `week`, `all`, or empty for none.
    #[serde(default)]
    span: String,
    #[serde(default)]
    takedown: i64,
}

/// `POST /admin/moderate/{id}`: does what the form says and comes back.
pub async fn act(
    visitor: Visitor,
    id: web::Path<UserId>,
    (accounts, rooms, pages): (web::Data<Accounts>, web::Data<Rooms>, web::Data<Pages>),
    web::Form(form): web::Form<ModerateForm>,
) -> Result<HttpResponse> {
    staff_only(&visitor)?;
    match apply(&visitor, *id, &form, &accounts, &rooms).await {
        Ok(()) => Ok(see_other(&format!("/admin/moderate/{id}?done={}", form.what))),
        Err(error @ (Error::Forbidden { .. } | Error::Conflict { .. } | Error::Invalid(_))) => {
            let mut page = page(&visitor, (&accounts, &rooms, &pages), *id).await?;
            page.errors = FieldErrors::of_error(&error, "").or_whole(&["seconds", "span"]);
            html(error.status_code(), &page)
        }
        Err(error) => Err(error),
    }
}

async fn apply(
    visitor: &Visitor,
    whom: UserId,
    form: &ModerateForm,
    accounts: &Accounts,
    rooms: &Rooms,
) -> Result<()> {
    let by = visitor.person.id;
    let reason = Reason::parse(&form.reason).map_err(|wrong| Error::Invalid(vec![wrong]))?;
    match form.what.as_str() {
        // 0 would lift it.
        "timeout" => accounts.time_out(by, whom, form.seconds.max(1), reason).await.map(drop),
        "lift" => accounts.time_out(by, whom, 0, reason).await.map(drop),
        "ban" => deeds::ban((accounts, rooms), by, whom, Span::parse(&form.span)?, reason).await,
        "unban" => accounts.ban(by, whom, false, reason).await,
        "takedown" => {
            let span = Span::parse(&form.span)?.unwrap_or(Span::Day);
            deeds::take_down(accounts, rooms, by, whom, span).await.map(drop)
        }
        "return" => deeds::bring_back(accounts, rooms, by, form.takedown).await.map(drop),
        _ => Err(Error::bad_request("bad_request", "This form doesn't say what to do.")),
    }
}

#[cfg(test)]
mod page_tests {
    use super::*;

    const HOSTILE: &str = "\"><script>alert('x')</script>";

    #[test]
    fn the_page_escapes_names_and_reasons() {
        let entry = EntryView {
            at: Stamp(0),
            deed: HOSTILE.into(),
            actor: (HOSTILE.into(), None),
            target: None,
            detail: HOSTILE.into(),
        };
        let takedown =
            TakedownView { id: 1, state: "x", messages: 3, ordered: Stamp(0), until: Some(Stamp(0)) };
        let page = ModeratePage {
            shell: Shell::new(HOSTILE, "/admin"),
            person: Person::new(1, HOSTILE, true),
            username: HOSTILE.into(),
            role: "member",
            since: Stamp(0),
            disabled: false,
            silenced: Some(Stamp(0)),
            restrained: true,
            takedowns: vec![takedown],
            entries: vec![entry],
            notice: Some("x"),
            errors: FieldErrors::one("", HOSTILE),
        };
        assert!(!page.render().unwrap().contains("<script>alert"));
    }
}
