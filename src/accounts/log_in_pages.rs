//! Logging in: the form with the password, and the page after it for those whose account takes a second step.

use super::cookie;
use super::entry::{Entry, come_in, go_on, safe_next};
use super::known::Known;
use super::log_in::{LogIn, Trying};
use super::pages::EntryForm;
use super::state::Accounts;
use super::visitor::Visitor;
use crate::error::{Error, Result};
use crate::ids::UserId;
use crate::site::answer::{html, see_other};
use crate::site::limit::Limits;
use crate::site::page::{FieldErrors, Shell};
use crate::site::words::{filters, t};
use actix_session::Session;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

/// The page that asks for the code.
#[derive(Template)]
#[template(path = "accounts/code.html")]
struct CodePage {
    shell: Shell,
    /// The path to go on to, or empty.
    next: String,
    /// The field `code`.
    errors: FieldErrors,
}

/// `?next=`
#[derive(Deserialize)]
pub struct CodeQuery {
    #[serde(default)]
    next: String,
}

/// The body of `POST /login/code`.
#[derive(Deserialize)]
pub struct CodeForm {
    #[serde(default)]
    code: String,
    #[serde(default)]
    next: String,
}

fn show(next: &str, errors: FieldErrors, status: StatusCode) -> Result<HttpResponse> {
    let page = CodePage {
        shell: Shell::new(t("One more step"), "/login"),
        next: safe_next(next).unwrap_or_default().to_owned(),
        errors,
    };
    html(status, &page)
}

/// The path to go on to as the last parameter of an address, behind a `?` or an `&`.
fn carried(before: &str, next: &str) -> String {
    match safe_next(next) {
        Some(next) => format!("{before}next={}", utf8_percent_encode(next, NON_ALPHANUMERIC)),
        None => String::new(),
    }
}

/// Whoever waited too long, or never gave a password, begins again.
fn begin_again(next: &str) -> HttpResponse {
    see_other(&format!("/login?done=late{}", carried("&", next)))
}

fn wait(mut page: HttpResponse, ms: u64) -> HttpResponse {
    let seconds = header::HeaderValue::from(ms.div_ceil(1000).max(1));
    page.headers_mut().insert(header::RETRY_AFTER, seconds);
    page
}

/// The body of `POST /login`. A field that isn't sent counts as empty, and gets its own sentence.
#[derive(Deserialize)]
pub struct LoginForm {
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    next: String,
}

/// `POST /login`
pub async fn login(
    req: HttpRequest,
    accounts: web::Data<Accounts>,
    limits: web::Data<Limits>,
    session: Session,
    web::Form(form): web::Form<LoginForm>,
) -> Result<HttpResponse> {
    let known = Known::of(&req);
    let browser = known.here(&accounts.key, &form.username);
    // A browser that has been in has tries of its own, which what others do from the same address can't use up.
    if browser.is_none() {
        limits.sign_in(&req)?;
    }
    let who = Trying { from: limits.address(&req), browser };
    let (words, status, retry_after_ms) = match accounts.log_in(&form.username, form.password, who).await {
        Ok(LogIn::In(person)) => return Ok(come_in(&req, &accounts, &session, &person, &form.next)),
        Ok(LogIn::CodeNeeded(half)) => {
            cookie::begin_half(&session, &half);
            return Ok(see_other(&format!("/login/code{}", carried("?", &form.next))));
        }
        Ok(LogIn::Refused) => {
            let words = "That user name and password don't belong together. Check both and try again.";
            (words, StatusCode::UNPROCESSABLE_ENTITY, None)
        }
        Err(Error::TooMany { retry_after_ms }) => {
            let words = "Too many wrong passwords. Try again in a quarter of an hour, or in a browser where you have been signed in.";
            (words, StatusCode::TOO_MANY_REQUESTS, Some(retry_after_ms))
        }
        Err(error) => return Err(error),
    };
    let mut entry = Entry::new(EntryForm::Login, &form.next);
    entry.typed.username = form.username;
    entry.errors = FieldErrors::one("", words);
    let page = entry.show(&accounts, status).await?;
    Ok(match retry_after_ms {
        Some(ms) => wait(page, ms),
        None => page,
    })
}

/// `GET /login/code?next=`
pub async fn page(
    visitor: Option<Visitor>,
    session: Session,
    query: web::Query<CodeQuery>,
) -> Result<HttpResponse> {
    match (visitor, cookie::half(&session)) {
        (Some(visitor), _) => Ok(go_on(&visitor.person, &query.next)),
        (None, Some(_)) => show(&query.next, FieldErrors::default(), StatusCode::OK),
        (None, None) => Ok(begin_again(&query.next)),
    }
}

/// `POST /login/code`
pub async fn enter(
    req: HttpRequest,
    accounts: web::Data<Accounts>,
    limits: web::Data<Limits>,
    session: Session,
    web::Form(form): web::Form<CodeForm>,
) -> Result<HttpResponse> {
    let Some(half) = cookie::half(&session) else { return Ok(begin_again(&form.next)) };
    let known = Known::of(&req);
    let browser = known_here(&accounts, &known, half.user).await?;
    if browser.is_none() {
        limits.sign_in(&req)?;
    }
    let who = Trying { from: limits.address(&req), browser: browser.as_deref() };
    match accounts.log_in_by_code(&half, form.code, who).await {
        Ok(Some(person)) => Ok(come_in(&req, &accounts, &session, &person, &form.next)),
        Ok(None) => {
            let wrong = FieldErrors::one("code", "That code isn't right, or was used already.");
            show(&form.next, wrong, StatusCode::UNPROCESSABLE_ENTITY)
        }
        Err(Error::TooMany { retry_after_ms }) => {
            let words = "Too many wrong codes. Try again in a quarter of an hour, or use a recovery code.";
            let page = show(&form.next, FieldErrors::one("code", words), StatusCode::TOO_MANY_REQUESTS)?;
            Ok(wait(page, retry_after_ms))
        }
        Err(error) => Err(error),
    }
}

/// The browser's name, when this person has been in there.
async fn known_here(accounts: &Accounts, known: &Known, id: UserId) -> Result<Option<String>> {
    let person = accounts.directory.get(id).await?;
    Ok(person.and_then(|p| known.here(&accounts.key, &p.username).map(str::to_owned)))
}

#[cfg(test)]
mod page_tests {
    use super::*;

    const HOSTILE: &str = "\"><script>alert('x')</script>";

    #[test]
    fn the_page_escapes_what_it_is_told() {
        let page = CodePage {
            shell: Shell::new("One more step", "/login"),
            next: HOSTILE.into(),
            errors: FieldErrors::one("code", HOSTILE),
        };
        assert!(!page.render().unwrap().contains("<script>alert"));
    }
}
