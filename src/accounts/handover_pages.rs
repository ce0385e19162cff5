//! The pages of signing in on another device: two on the one that is signed in, two on the other.

use super::cookie;
use super::entry::{come_in, device_of};
use super::handover::{self, Asked, Handover};
use super::state::Accounts;
use super::visitor::Visitor;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::site::answer::{html, see_other};
use crate::site::limit::Limits;
use crate::site::origin::address_of;
use crate::site::page::{Pages, Shell};
use crate::site::qr;
use crate::site::words::{filters, t};
use actix_session::Session;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

/// What the device that is signed in shows.
#[derive(Template)]
#[template(path = "accounts/handover.html")]
struct HandoverPage {
    shell: Shell,
    id: i64,
    stage: Stage,
}

/// How far it has come.
enum Stage {
    /// The code, for the other device.
    Shown { link: String, drawing: String },
    /// The other device has come.
    Asked { number: i32, device: String },
    /// It was let in, and is coming.
    Allowed,
    /// It is in; or the code is over.
    Over,
}

impl Stage {
    /// What a script compares, to see that something has changed.
    fn name(&self) -> &'static str {
        match self {
            Self::Shown { .. } => "shown",
            Self::Asked { .. } => "asked",
            Self::Allowed => "allowed",
            Self::Over => "over",
        }
    }
}

/// What the other device shows.
#[derive(Template)]
#[template(path = "accounts/arrival.html")]
struct ArrivalPage {
    shell: Shell,
    arrival: Arrival,
}

/// How far it has come there.
enum Arrival {
    /// Whose account it is, and the code to bring.
    Begin { name: String, username: String, code: String },
    /// The number to compare.
    Waiting { number: i32 },
}

impl Arrival {
    /// It goes on by itself.
    fn waits(&self) -> bool {
        matches!(self, Self::Waiting { .. })
    }
}

/// `POST /settings/devices`: begins.
pub async fn begin(accounts: web::Data<Accounts>, visitor: Visitor) -> Result<HttpResponse> {
    let user = visitor.person.id;
    let id = accounts.db.write(move |conn| handover::begin(conn, user)).await?;
    Ok(see_other(&format!("/settings/devices/{id}")))
}

/// `GET /settings/devices/{id}`
pub async fn show(
    request: HttpRequest,
    accounts: web::Data<Accounts>,
    pages: web::Data<Pages>,
    visitor: Visitor,
    id: web::Path<i64>,
) -> Result<HttpResponse> {
    let (user, id) = (visitor.person.id, *id);
    let found = accounts.db.read(move |conn| handover::own(conn, user, id)).await?;
    let stage = match found.filter(Handover::holds) {
        None => Stage::Over,
        Some(Handover { allowed: true, .. }) => Stage::Allowed,
        Some(Handover { number: Some(number), device, .. }) => Stage::Asked { number, device },
        Some(fresh) => {
            let origin = address_of(&request);
            let link = format!("{origin}/handover?code={}", fresh.code(&accounts.key)?);
            Stage::Shown { drawing: qr::svg(&link)?, link }
        }
    };
    let shell = pages.shell(Some(visitor.viewer()), t("Sign in on another device"), "/settings").await;
    html(StatusCode::OK, &HandoverPage { shell, id, stage })
}

/// The body of `POST /settings/devices/{id}`.
#[derive(Deserialize)]
pub struct AnswerForm {
    /// `allow` or `refuse`.
    #[serde(default, rename = "do")]
    what: String,
    /// The number that both devices show.
    #[serde(default)]
    number: String,
}

/// `POST /settings/devices/{id}`
pub async fn decide(
    accounts: web::Data<Accounts>,
    visitor: Visitor,
    id: web::Path<i64>,
    web::Form(form): web::Form<AnswerForm>,
) -> Result<HttpResponse> {
    let (user, id) = (visitor.person.id, *id);
    if form.what != "allow" {
        accounts.db.write(move |conn| handover::end(conn, user)).await?;
        return Ok(see_other("/settings/security?done=refused"));
    }
    let number = form.number.trim().parse().unwrap_or_default();
    accounts.db.write(move |conn| handover::allow(conn, user, id, number)).await?;
    Ok(see_other(&format!("/settings/devices/{id}")))
}

/// `?code=`
#[derive(Deserialize)]
pub struct ArriveQuery {
    #[serde(default)]
    code: String,
}

fn arrival(arrival: Arrival) -> Result<HttpResponse> {
    html(StatusCode::OK, &ArrivalPage { shell: Shell::new(t("Sign in here"), "/login"), arrival })
}

/// `GET /handover?code=`: changes nothing, since programs that look at links come here too.
pub async fn arrive(
    accounts: web::Data<Accounts>,
    limits: web::Data<Limits>,
    request: HttpRequest,
    _: Option<Visitor>,
    web::Query(query): web::Query<ArriveQuery>,
) -> Result<HttpResponse> {
    limits.sign_in(&request)?;
    let (key, code) = (accounts.key.clone(), query.code.clone());
    let (_, person) = accounts.db.read(move |conn| handover::brought(conn, &key, &code)).await?;
    arrival(Arrival::Begin { name: person.display_name, username: person.username, code: query.code })
}

/// `POST /handover`: this device brings the code.
pub async fn claim(
    accounts: web::Data<Accounts>,
    limits: web::Data<Limits>,
    request: HttpRequest,
    session: Session,
    _: Option<Visitor>,
    web::Form(form): web::Form<ArriveQuery>,
) -> Result<HttpResponse> {
    limits.sign_in(&request)?;
    let (key, device) = (accounts.key.clone(), device_of(&request));
    let change = move |conn: &mut Conn| handover::claim(conn, &key, &form.code, &device);
    cookie::keep_claim(&session, &accounts.db.write(change).await?);
    Ok(see_other("/handover/wait"))
}

/// `GET /handover/wait`: the number, until the other device has agreed; then the way in.
pub async fn wait(
    accounts: web::Data<Accounts>,
    request: HttpRequest,
    session: Session,
    _: Option<Visitor>,
) -> Result<HttpResponse> {
    let over = Error::NotFound("That took too long, or your other device said no. Show a new code there.");
    let Some(claim) = cookie::claim(&session) else { return Err(over) };
    match accounts.db.write(move |conn| handover::ask(conn, &claim)).await? {
        Asked::Waiting(number) => arrival(Arrival::Waiting { number }),
        Asked::Over => Err(over),
        Asked::Allowed(user) => {
            let person = accounts.directory.get(user).await?.ok_or(over)?;
            Ok(come_in(&request, &accounts, &session, &person, ""))
        }
    }
}

#[cfg(test)]
mod page_tests {
    use super::*;

    const HOSTILE: &str = "\"><script>alert('x')</script>";

    #[test]
    fn the_pages_escape_names_and_devices() {
        let shell = || Shell::new("Sign in on another device", "/settings");
        for stage in [
            Stage::Shown { link: HOSTILE.into(), drawing: String::new() },
            Stage::Asked { number: 1234, device: HOSTILE.into() },
        ] {
            assert!(
                !HandoverPage { shell: shell(), id: 1, stage }.render().unwrap().contains("<script>alert")
            );
        }
        let begin = Arrival::Begin { name: HOSTILE.into(), username: HOSTILE.into(), code: HOSTILE.into() };
        for arrival in [begin, Arrival::Waiting { number: 1234 }] {
            assert!(!ArrivalPage { shell: shell(), arrival }.render().unwrap().contains("<script>alert"));
        }
    }
}
