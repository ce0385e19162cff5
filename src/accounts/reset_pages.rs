//! The page behind a link for a new password.

use super::entry::field_errors;
use super::password::Password;
use super::state::Accounts;
use super::visitor::Visitor;
use crate::error::{Error, Result};
use crate::site::answer::{html, see_other};
use crate::site::limit::Limits;
use crate::site::page::{FieldErrors, Shell};
use crate::site::words::{filters, t};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;

/// A new password for somebody.
#[derive(Template)]
#[template(path = "accounts/reset.html")]
struct ResetPage {
    shell: Shell,
    /// What only the link has.
    code: String,
    username: String,
    /// The field `password`.
    errors: FieldErrors,
    /// The fewest characters of a password.
    password_min: usize,
}

/// `?code=`
#[derive(Deserialize)]
pub struct ResetQuery {
    #[serde(default)]
    code: String,
}

/// The body of `POST /reset`.
#[derive(Deserialize)]
pub struct ResetForm {
    #[serde(default)]
    code: String,
    #[serde(default)]
    password: String,
}

async fn show(
    accounts: &Accounts,
    code: String,
    errors: FieldErrors,
    status: StatusCode,
) -> Result<HttpResponse> {
    let holder = accounts.holder_of_reset(&code).await?;
    let page = ResetPage {
        shell: Shell::new(t("A new password"), "/login"),
        code,
        username: holder.username,
        errors,
        password_min: accounts.config.password_min,
    };
    html(status, &page)
}

/// `GET /reset?code=`. Who looks is found out for the sake of the error page's shell.
pub async fn page(
    accounts: web::Data<Accounts>,
    _: Option<Visitor>,
    web::Query(query): web::Query<ResetQuery>,
) -> Result<HttpResponse> {
    show(&accounts, query.code, FieldErrors::default(), StatusCode::OK).await
}

/// `POST /reset`
pub async fn reset(
    req: HttpRequest,
    accounts: web::Data<Accounts>,
    limits: web::Data<Limits>,
    _: Option<Visitor>,
    web::Form(form): web::Form<ResetForm>,
) -> Result<HttpResponse> {
    limits.sign_in(&req)?;
    let done = match Password::parse(&form.password, accounts.config.password_min) {
        Ok(password) => accounts.reset_password(form.code.clone(), password).await,
        Err(wrong) => Err(Error::Invalid(vec![wrong])),
    };
    match done {
        Ok(()) => Ok(see_other("/login?done=password")),
        Err(Error::Invalid(wrong)) => {
            show(&accounts, form.code, field_errors(wrong), StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod page_tests {
    use super::*;

    const HOSTILE: &str = "\"><script>alert('x')</script>";

    #[test]
    fn the_page_escapes_the_code() {
        let page = ResetPage {
            shell: Shell::new("A new password", "/login"),
            code: HOSTILE.into(),
            username: HOSTILE.into(),
            errors: FieldErrors::one("password", HOSTILE),
            password_min: 8,
        };
        assert!(!page.render().unwrap().contains("<script>alert"));
    }
}
