//! Coming in and leaving: register, log in, enter as a guest, log out.

use super::names::{DisplayName, Username};
use super::pages::{EntryForm, EntryPage, EntryTyped};
use super::password::Password;
use super::state::{Accounts, Newcomer};
use super::user::Person;
use super::visitor::Visitor;
use super::{cookie, device, known};
use crate::config::Registration;
use crate::error::{Error, FieldError, Result};
use crate::site::answer::{html, is_local, see_other};
use crate::site::limit::Limits;
use crate::site::page::{self, FieldErrors, Shell};
use crate::site::words::{fill, t};
use actix_session::Session;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

/// `?next=` of the entry page, and the code of the invite that somebody comes by.
#[derive(Deserialize)]
pub struct EntryQuery {
    #[serde(default)]
    next: String,
    #[serde(default)]
    invite: String,
    /// What has just been done.
    #[serde(default)]
    done: String,
}

/// The body of `POST /register`.
#[derive(Deserialize)]
pub struct RegisterForm {
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    display_name: String,
    #[serde(default)]
    invite: String,
    #[serde(default)]
    next: String,
}

/// The body of `POST /guest`.
#[derive(Deserialize)]
pub struct GuestForm {
    #[serde(default)]
    display_name: String,
    #[serde(default)]
    next: String,
}

/// `GET /`: the last place of whoever is signed in, the entry page for everybody else.
pub async fn start(accounts: web::Data<Accounts>, visitor: Option<Visitor>) -> Result<HttpResponse> {
    match visitor {
        Some(visitor) => Ok(see_other(home_of(&visitor.person))),
        None => {
            // Logging in leads nowhere as long as nobody has an account.
            let open =
                accounts.config.registration != Registration::Closed && accounts.awaits_owner().await?;
            let form = if open { EntryForm::Register } else { EntryForm::Login };
            Entry::new(form, "").show(&accounts, StatusCode::OK).await
        }
    }
}

/// `GET /login?next=`
pub async fn login_page(
    accounts: web::Data<Accounts>,
    visitor: Option<Visitor>,
    query: web::Query<EntryQuery>,
) -> Result<HttpResponse> {
    match visitor {
        Some(visitor) => Ok(go_on(&visitor.person, &query.next)),
        None => {
            let mut entry = Entry::new(EntryForm::Login, &query.next);
            entry.notice = match query.done.as_str() {
                "password" => Some(t("Your new password is set. Log in with it.").to_owned()),
                "late" => Some(t("That took too long. Log in again.").to_owned()),
                _ => None,
            };
            entry.show(&accounts, StatusCode::OK).await
        }
    }
}

/// `GET /register?next=&invite=`: open to a guest too, who becomes a full account here.
pub async fn register_page(
    accounts: web::Data<Accounts>,
    visitor: Option<Visitor>,
    query: web::Query<EntryQuery>,
) -> Result<HttpResponse> {
    let mut entry = Entry::new(EntryForm::Register, &query.next);
    match visitor {
        Some(visitor) if !visitor.person.is_guest() => return Ok(go_on(&visitor.person, &query.next)),
        Some(visitor) => {
            entry.typed.display_name.clone_from(&visitor.person.display_name);
            entry.notice = Some(t("What you wrote as a guest stays yours.").to_owned());
        }
        None => {}
    }
    if !query.invite.is_empty() && accounts.config.registration != Registration::Closed {
        entry.come_by(&accounts, &query.invite).await?;
    }
    entry.show(&accounts, StatusCode::OK).await
}

/// `POST /register`
pub async fn register(
    req: HttpRequest,
    accounts: web::Data<Accounts>,
    limits: web::Data<Limits>,
    visitor: Option<Visitor>,
    session: Session,
    web::Form(form): web::Form<RegisterForm>,
) -> Result<HttpResponse> {
    limits.newcomer(&req)?;
    if accounts.config.registration == Registration::Closed {
        return Err(Error::forbidden(
            "registration_closed",
            "Nobody can register here at the moment. Ask the person who runs this place for an account.",
        ));
    }
    let guest = visitor.filter(|v| v.person.is_guest()).map(|v| v.person.id);
    let registered = match newcomer(&form, guest, accounts.config.password_min) {
        Ok(new) => accounts.register(new).await,
        Err(wrong) => Err(Error::Invalid(wrong)),
    };
    match registered {
        Ok(person) => {
            // A guest's sessions stay as they are: a new one would end the sockets that the person talks by.
            if guest.is_none() {
                cookie::begin(&session, person.id, &device_of(&req));
            }
            Ok(go_on(&person, &form.next))
        }
        Err(Error::Invalid(wrong)) => {
            let mut entry = Entry::new(EntryForm::Register, &form.next);
            entry.typed =
                EntryTyped { username: form.username, display_name: form.display_name, invite: form.invite };
            entry.errors = field_errors(wrong);
            entry.show(&accounts, StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Err(error) => Err(error),
    }
}

/// What was typed, or what is wrong with each field of it.
fn newcomer(
    form: &RegisterForm,
    guest: Option<crate::ids::UserId>,
    password_min: usize,
) -> Result<Newcomer, Vec<FieldError>> {
    let username = Username::parse(&form.username);
    let password = Password::parse(&form.password, password_min);
    // A name that isn't given is the user name; one that is given must be right.
    let display_name = match (form.display_name.trim(), &username) {
        ("", Ok(username)) => Ok(DisplayName::from(username)),
        ("", Err(_)) => DisplayName::parse("nobody"),
        (typed, _) => DisplayName::parse(typed),
    };
    match (username, password, display_name) {
        (Ok(username), Ok(password), Ok(display_name)) => {
            Ok(Newcomer { username, display_name, password, invite: form.invite.clone(), guest })
        }
        (username, password, display_name) => {
            Err([username.err(), password.err(), display_name.err()].into_iter().flatten().collect())
        }
    }
}

/// `POST /guest`
pub async fn guest(
    req: HttpRequest,
    accounts: web::Data<Accounts>,
    limits: web::Data<Limits>,
    session: Session,
    web::Form(form): web::Form<GuestForm>,
) -> Result<HttpResponse> {
    limits.newcomer(&req)?;
    if !accounts.config.guests {
        return Err(Error::forbidden("guests_off", "Guests can't enter here. Register or log in."));
    }
    match DisplayName::parse(&form.display_name) {
        Ok(name) => {
            let person = accounts.enter_as_guest(name).await?;
            cookie::begin(&session, person.id, &device_of(&req));
            Ok(go_on(&person, &form.next))
        }
        Err(wrong) => {
            let mut entry = Entry::new(EntryForm::Guest, &form.next);
            entry.typed.display_name = form.display_name;
            entry.errors = field_errors(vec![wrong]);
            entry.show(&accounts, StatusCode::UNPROCESSABLE_ENTITY).await
        }
    }
}

/// `POST /logout`: also for somebody who isn't signed in any more.
pub async fn logout(
    req: HttpRequest,
    accounts: web::Data<Accounts>,
    visitor: Option<Visitor>,
    session: Session,
) -> HttpResponse {
    session.purge();
    let mut response = see_other("/login");
    if let Some(visitor) = visitor.filter(|v| !v.person.is_guest()) {
        known::remember(&mut response, &req, &accounts, &visitor.person);
    }
    response
}

/// Signs somebody in whose log-in is complete, and remembers the browser.
pub(super) fn come_in(
    req: &HttpRequest,
    accounts: &Accounts,
    session: &Session,
    person: &Person,
    next: &str,
) -> HttpResponse {
    cookie::begin(session, person.id, &device_of(req));
    let mut response = go_on(person, next);
    if !person.is_guest() {
        known::remember(&mut response, req, accounts, person);
    }
    response
}

/// The entry page in the making.
pub(super) struct Entry {
    open: EntryForm,
    pub typed: EntryTyped,
    pub errors: FieldErrors,
    next: String,
    notice: Option<String>,
}

impl Entry {
    pub fn new(open: EntryForm, next: &str) -> Self {
        let next = safe_next(next).unwrap_or_default().to_owned();
        Self { open, typed: EntryTyped::default(), errors: FieldErrors::default(), next, notice: None }
    }

    /// Takes over the code of an invite, and says whose it is, or that nobody can come by it.
    async fn come_by(&mut self, accounts: &Accounts, code: &str) -> Result<()> {
        code.trim().clone_into(&mut self.typed.invite);
        match accounts.inviter(code).await {
            Ok(maker) => {
                let words = || fill(t("{name} invites you."), "name", &maker.display_name);
                self.notice.get_or_insert_with(words);
            }
            Err(Error::Invalid(wrong)) => self.errors = field_errors(wrong),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// What the field for a code asks for; nothing where none is needed and none was brought.
    fn invite_label(&self, accounts: &Accounts, first_account: bool) -> Option<String> {
        let words = match accounts.owner_code() {
            Some(_) => t("The owner's code, printed when the server started"),
            None if first_account => return None,
            None if accounts.needs_invite() => t("Invite code"),
            None if self.typed.invite.is_empty() => return None,
            None => t("Invite code, if you have one"),
        };
        Some(words.to_owned())
    }

    pub async fn show(self, accounts: &Accounts, status: StatusCode) -> Result<HttpResponse> {
        let first_account = accounts.awaits_owner().await?;
        let invite_label = self.invite_label(accounts, first_account);
        let title = match self.open {
            EntryForm::Login => t("Log in"),
            EntryForm::Register => t("Register"),
            EntryForm::Guest => t("Come in"),
        };
        let page = EntryPage {
            shell: Shell::new(title, "/login"),
            open: self.open,
            typed: self.typed,
            errors: self.errors,
            next: self.next,
            registration: accounts.config.registration != Registration::Closed,
            invite_label,
            guests: accounts.config.guests,
            password_min: accounts.config.password_min,
            first_account,
            has_authority: accounts.config.has_own_authority(),
            notice: self.notice,
        };
        html(status, &page)
    }
}

pub(super) fn field_errors(wrong: Vec<FieldError>) -> FieldErrors {
    FieldErrors(
        wrong
            .into_iter()
            .map(|w| page::FieldError { field: w.field.to_owned(), message: w.message.into_owned() })
            .collect(),
    )
}

pub(super) fn device_of(req: &HttpRequest) -> String {
    let header = req.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    device::describe(header.unwrap_or_default())
}

fn home_of(person: &Person) -> &str {
    safe_next(&person.last_place).unwrap_or("/dashboard")
}

pub(super) fn go_on(person: &Person, next: &str) -> HttpResponse {
    see_other(safe_next(next).unwrap_or_else(|| home_of(person)))
}

/// A path of this place; `/` itself and the entry pages would only lead in a circle.
pub(super) fn safe_next(next: &str) -> Option<&str> {
    let path = next.split(['?', '#']).next().unwrap_or_default();
    (is_local(next) && !matches!(path, "/" | "/login" | "/register" | "/logout" | "/guest")).then_some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_never_leads_away() {
        for good in ["/board", "/c/caf\u{e9} 1?before=3#m-2", "/a//b", "/c/%2F%2Fx"] {
            assert_eq!(safe_next(good), Some(good));
        }
        let long = format!("/{}", "x".repeat(crate::site::answer::PATH_MAX));
        for bad in [
            "",
            "board",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/\t/evil.example",
            "/a\r\nSet-Cookie: x",
            "\\/evil",
            " /board",
            "/login?next=/login",
            "/",
            long.as_str(),
        ] {
            assert_eq!(safe_next(bad), None, "{bad:?}");
        }
    }
}
