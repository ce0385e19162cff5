//! The HTTP API about everybody's accounts, for the owner and admins.

use super::gate::admins_call;
use super::people::parse_role;
use crate::accounts::{Accounts, PeopleQuery, Person, Visitor, user};
use crate::error::{Error, Result};
use crate::ids::UserId;
use crate::site::origin::address_of;
use actix_web::http::StatusCode;
use actix_web::web::{self, Json};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// An account, or a guest, as those see it who look after the place.
#[derive(Debug, Serialize, ToSchema)]
pub struct Account {
    pub id: i64,
    pub username: String,
    pub display_name: String,
    /// `owner`, `admin`, `moderator`, `member` or `guest`.
    pub role: &'static str,
    /// Locked out.
    pub disabled: bool,
    pub login_count: i64,
    /// Milliseconds since the Unix epoch, UTC.
    pub created_at: i64,
    /// Milliseconds since the Unix epoch, UTC.
    pub last_login_at: Option<i64>,
    /// They may only read until then, ms; nothing when they may write.
    pub silenced_until: Option<i64>,
}

impl From<&Person> for Account {
    fn from(person: &Person) -> Self {
        Self {
            id: person.id.0,
            username: person.username.clone(),
            display_name: person.display_name.clone(),
            role: person.role.as_str(),
            disabled: person.disabled,
            login_count: person.login_count,
            created_at: person.created_at,
            last_login_at: person.last_login_at,
            silenced_until: person.silenced(),
        }
    }
}

/// A page of accounts, by user name.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountList {
    pub accounts: Vec<Account>,
    /// Whether there are more after the last one.
    pub more: bool,
}

/// Which part of the list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AccountsQuery {
    /// How the user name or the display name begins.
    #[serde(default)]
    query: String,
    /// The user name after which the page starts.
    #[serde(default)]
    after: String,
    /// At most 100; 50 when it isn't given.
    limit: Option<i64>,
}

/// What is to be changed; what isn't named stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountChange {
    /// `owner`, `admin`, `moderator` or `member`; nobody raises anybody above themself.
    role: Option<String>,
    /// Locks out, which ends all sessions and tokens, or lets in again.
    disabled: Option<bool>,
}

/// A link for a new password.
#[derive(Debug, Serialize, ToSchema)]
pub struct ResetLink {
    /// Whoever has it can take the account over.
    pub link: String,
    /// Milliseconds since the Unix epoch, UTC.
    pub expires_at: i64,
}

pub(super) async fn named(accounts: &Accounts, username: &str) -> Result<UserId> {
    let person = accounts.directory.by_username(username).await?;
    person.map(|p| p.id).ok_or(Error::NotFound("There is nobody by that name."))
}

/// Accounts and guests, a page at a time, those who are locked out too.
///
/// `GET /api/v1/accounts?query=&after=&limit=`
#[utoipa::path(get, path = "/api/v1/accounts", tag = "admin", params(AccountsQuery),
    responses((status = 200, body = AccountList), (status = 401, description = "Nobody is signed in"),
        (status = 403, description = "Only owner and admins may")))]
pub async fn list(
    visitor: Visitor,
    accounts: web::Data<Accounts>,
    web::Query(query): web::Query<AccountsQuery>,
) -> Result<Json<AccountList>> {
    admins_call(&visitor)?;
    let wanted = PeopleQuery { begins: query.query, after: query.after, limit: query.limit.unwrap_or(50) };
    let (found, more) = accounts.db.read(move |conn| user::page_of_everybody(conn, &wanted)).await?;
    Ok(Json(AccountList { accounts: found.iter().map(Account::from).collect(), more }))
}

/// Change what somebody may do, or whether they may come in.
///
/// `PATCH /api/v1/accounts/{username}`
#[utoipa::path(patch, path = "/api/v1/accounts/{username}", tag = "admin", request_body = AccountChange,
    params(("username" = String, Path, description = "Regardless of case")),
    responses((status = 200, body = Account), (status = 401, description = "Nobody is signed in"),
        (status = 403, description = "Not theirs to change"), (status = 404, description = "There is nobody by that name"),
        (status = 409, description = "The only owner, or a guest"), (status = 422, description = "A field is wrong")))]
pub async fn change(
    visitor: Visitor,
    accounts: web::Data<Accounts>,
    username: web::Path<String>,
    change: Json<AccountChange>,
) -> Result<Json<Account>> {
    admins_call(&visitor)?;
    let id = named(&accounts, &username).await?;
    let by = visitor.person.id;
    if let Some(role) = &change.role {
        accounts.set_role(by, id, parse_role(role)?).await?;
    }
    if let Some(disabled) = change.disabled {
        accounts.set_disabled(by, id, disabled).await?;
    }
    let person = accounts.db.read(move |conn| user::find(conn, id)).await?;
    Ok(Json(Account::from(&person)))
}

/// Make a link by which somebody sets a new password: once, within 24 hours, unless they log in before.
///
/// `POST /api/v1/accounts/{username}/reset`
#[utoipa::path(post, path = "/api/v1/accounts/{username}/reset", tag = "admin",
    params(("username" = String, Path, description = "Regardless of case")),
    responses((status = 201, body = ResetLink), (status = 401, description = "Nobody is signed in"),
        (status = 403, description = "Not theirs to make"), (status = 404, description = "There is nobody by that name"),
        (status = 409, description = "A guest, or locked out")))]
pub async fn reset(
    request: HttpRequest,
    visitor: Visitor,
    accounts: web::Data<Accounts>,
    username: web::Path<String>,
) -> Result<HttpResponse> {
    admins_call(&visitor)?;
    let id = named(&accounts, &username).await?;
    let made = accounts.make_reset(visitor.person.id, id).await?;
    let link = address_of(&request) + &made.path();
    Ok(HttpResponse::build(StatusCode::CREATED).json(ResetLink { link, expires_at: made.expires_at }))
}
