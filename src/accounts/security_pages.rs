//! How one signs in: the password, a second step, other devices.

use super::password::Password;
use super::proof::PasswordChange;
use super::second::SecondStep;
use super::state::Accounts;
use super::visitor::Visitor;
use crate::error::{Error, Result};
use crate::site::answer::{html, see_other};
use crate::site::origin::address_of;
use crate::site::page::{FieldErrors, Pages, Shell};
use crate::site::qr;
use crate::site::words::{filters, t};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, ResponseError as _, web};
use askama::Template;
use serde::Deserialize;
use std::borrow::Cow;

/// Which form of the page was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Deed {
    #[default]
    Nothing,
    /// Another password.
    Password,
    /// Set the second step up.
    Begin,
    /// New recovery codes.
    Codes,
    /// Turn the second step off.
    Off,
}

impl Deed {
    fn name(self) -> &'static str {
        match self {
            Self::Nothing => "",
            Self::Password => "password",
            Self::Begin => "begin",
            Self::Codes => "codes",
            Self::Off => "off",
        }
    }
}

/// The page.
#[derive(Template)]
#[template(path = "accounts/security.html")]
struct SecurityPage {
    shell: Shell,
    guest: bool,
    username: String,
    /// Recovery codes that are left; nothing when there is no second step.
    codes: Option<i64>,
    /// The form that `errors` are about: fields `current`, `password`, `code`, and `""` for the page as a whole.
    tried: Deed,
    errors: FieldErrors,
    notice: Option<String>,
    password_min: usize,
}

impl SecurityPage {
    /// What is wrong with a field of one of the forms.
    fn wrong(&self, form: &str, field: &str) -> Option<String> {
        let words = self.errors.of(field).filter(|_| self.tried.name() == form);
        words.map(Cow::into_owned)
    }
}

/// The page on which an app takes the secret over.
#[derive(Template)]
#[template(path = "accounts/second.html")]
struct SetupPage {
    shell: Shell,
    /// The QR code as SVG.
    drawing: String,
    /// The same to be typed.
    secret: String,
    uri: String,
    /// The field `code`.
    errors: FieldErrors,
}

/// Ten recovery codes, shown this once.
#[derive(Template)]
#[template(path = "accounts/codes.html")]
struct CodesPage {
    shell: Shell,
    codes: Vec<String>,
    /// The second step has just been turned on.
    fresh: bool,
}

/// What has just been done, as the address says it.
#[derive(Deserialize)]
pub struct SecurityQuery {
    #[serde(default)]
    done: String,
}

/// The body of `POST /settings/security`.
#[derive(Deserialize)]
pub struct SecurityForm {
    #[serde(default, rename = "do")]
    deed: Deed,
    #[serde(default)]
    current: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    code: String,
    /// Sent when the box is ticked.
    tokens: Option<String>,
}

async fn draw(accounts: &Accounts, pages: &Pages, visitor: &Visitor) -> Result<SecurityPage> {
    let codes = match accounts.second_step(visitor.person.id).await? {
        SecondStep::Off => None,
        SecondStep::On { codes } => Some(codes),
    };
    Ok(SecurityPage {
        shell: pages.shell(Some(visitor.viewer()), t("Signing in"), "/settings").await,
        guest: visitor.person.is_guest(),
        username: visitor.person.username.clone(),
        codes,
        tried: Deed::Nothing,
        errors: FieldErrors::default(),
        notice: None,
        password_min: accounts.config.password_min,
    })
}

/// `GET /settings/security`
pub async fn page(
    accounts: web::Data<Accounts>,
    pages: web::Data<Pages>,
    visitor: Visitor,
    query: web::Query<SecurityQuery>,
) -> Result<HttpResponse> {
    let mut page = draw(&accounts, &pages, &visitor).await?;
    let notice = match query.done.as_str() {
        "password" => Some(t("Your new password is set, and you are signed out everywhere else.")),
        "off" => Some(t("The second step is off. Your password alone signs you in.")),
        "refused" => Some(t("That device was not let in.")),
        _ => None,
    };
    page.notice = notice.map(str::to_owned);
    html(StatusCode::OK, &page)
}

/// `POST /settings/security`
pub async fn change(
    accounts: web::Data<Accounts>,
    pages: web::Data<Pages>,
    visitor: Visitor,
    web::Form(form): web::Form<SecurityForm>,
) -> Result<HttpResponse> {
    let deed = form.deed;
    let done = carry_out(&accounts, &pages, &visitor, form).await;
    let error = match done {
        Ok(answer) => return Ok(answer),
        Err(error @ (Error::Invalid(_) | Error::Conflict { .. })) => error,
        Err(error @ Error::TooMany { .. }) => {
            let page = draw(&accounts, &pages, &visitor).await?;
            let words = "Too many wrong tries. Go on in a quarter of an hour.";
            let errors = FieldErrors::one("current", words);
            return html(error.status_code(), &SecurityPage { tried: deed, errors, ..page });
        }
        Err(error) => return Err(error),
    };
    let page = draw(&accounts, &pages, &visitor).await?;
    let errors = FieldErrors::of_error(&error, "");
    html(error.status_code(), &SecurityPage { tried: deed, errors, ..page })
}

async fn carry_out(
    accounts: &Accounts,
    pages: &Pages,
    visitor: &Visitor,
    form: SecurityForm,
) -> Result<HttpResponse> {
    match form.deed {
        Deed::Nothing => Err(Error::bad_request(
            "nothing_to_do",
            "Nothing was asked for. Go back and use one of the buttons.",
        )),
        Deed::Password => {
            let new = Password::parse(&form.password, accounts.config.password_min);
            let new = new.map_err(|wrong| Error::Invalid(vec![wrong]))?;
            let change = PasswordChange { current: form.current, new, tokens: form.tokens.is_some() };
            accounts.change_password(visitor, change).await?;
            Ok(see_other("/settings/security?done=password"))
        }
        Deed::Begin => {
            accounts.begin_second_step(visitor, form.current).await?;
            Ok(see_other("/settings/security/second"))
        }
        Deed::Codes => {
            let codes = accounts.renew_recovery_codes(visitor, form.current, form.code).await?;
            show_codes(pages, visitor, codes, false).await
        }
        Deed::Off => {
            accounts.end_second_step(visitor, form.current, form.code).await?;
            Ok(see_other("/settings/security?done=off"))
        }
    }
}

async fn show_codes(
    pages: &Pages,
    visitor: &Visitor,
    codes: Vec<String>,
    fresh: bool,
) -> Result<HttpResponse> {
    let shell = pages.shell(Some(visitor.viewer()), t("Recovery codes"), "/settings").await;
    html(StatusCode::OK, &CodesPage { shell, codes, fresh })
}

async fn show_setup(
    request: &HttpRequest,
    accounts: &Accounts,
    pages: &Pages,
    visitor: &Visitor,
    errors: FieldErrors,
    status: StatusCode,
) -> Result<HttpResponse> {
    let Some(secret) = accounts.waiting_second_step(visitor.person.id).await? else {
        return Ok(see_other("/settings/security"));
    };
    let origin = address_of(request);
    let host = origin.split_once("://").map_or(origin.as_str(), |(_, host)| host);
    let uri = secret.uri(&visitor.person.username, host);
    let page = SetupPage {
        shell: pages.shell(Some(visitor.viewer()), t("A second step"), "/settings").await,
        drawing: qr::svg(&uri)?,
        secret: secret.grouped(),
        uri,
        errors,
    };
    html(status, &page)
}

/// `GET /settings/security/second`
pub async fn setup(
    request: HttpRequest,
    accounts: web::Data<Accounts>,
    pages: web::Data<Pages>,
    visitor: Visitor,
) -> Result<HttpResponse> {
    show_setup(&request, &accounts, &pages, &visitor, FieldErrors::default(), StatusCode::OK).await
}

/// The body of `POST /settings/security/second`.
#[derive(Deserialize)]
pub struct ConfirmForm {
    #[serde(default)]
    code: String,
}

/// `POST /settings/security/second`: the page with the recovery codes on it, which no other answer shows again.
pub async fn confirm(
    request: HttpRequest,
    accounts: web::Data<Accounts>,
    pages: web::Data<Pages>,
    visitor: Visitor,
    web::Form(form): web::Form<ConfirmForm>,
) -> Result<HttpResponse> {
    match accounts.confirm_second_step(visitor.person.id, form.code).await {
        Ok(codes) => show_codes(&pages, &visitor, codes, true).await,
        Err(error @ (Error::Invalid(_) | Error::Conflict { .. })) => {
            let errors = FieldErrors::of_error(&error, "code");
            show_setup(&request, &accounts, &pages, &visitor, errors, error.status_code()).await
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod page_tests {
    use super::*;

    const HOSTILE: &str = "\"><script>alert('x')</script>";

    #[test]
    fn the_pages_escape_what_they_are_told() {
        let shell = || Shell::new("Signing in", "/settings");
        for (tried, codes) in
            [(Deed::Password, None), (Deed::Begin, None), (Deed::Codes, Some(3)), (Deed::Off, Some(0))]
        {
            let page = SecurityPage {
                shell: shell(),
                guest: false,
                username: HOSTILE.into(),
                codes,
                tried,
                errors: FieldErrors::one("current", HOSTILE),
                notice: Some(HOSTILE.into()),
                password_min: 8,
            };
            let html = page.render().unwrap();
            assert!(!html.contains("<script>alert") && html.contains("aria-invalid"), "{html}");
        }
        let setup = SetupPage {
            shell: shell(),
            drawing: String::new(),
            secret: HOSTILE.into(),
            uri: HOSTILE.into(),
            errors: FieldErrors::one("code", HOSTILE),
        };
        assert!(!setup.render().unwrap().contains("<script>alert"));
        let codes = CodesPage { shell: shell(), codes: vec![HOSTILE.into()], fresh: true };
        assert!(!codes.render().unwrap().contains("<script>alert"));
    }
}
