//! The HTTP API about oneself and about people.

use super::directory::Presence;
use super::names::DisplayName;
use super::password::Password;
use super::private_key::PrivateKey;
use super::proof::PasswordChange;
use super::state::Accounts;
use super::user::{self, PeopleQuery, Person, Profile, Status, StatusState};
use super::visitor::Visitor;
use crate::config::Right;
use crate::error::{Error, Result};
use crate::ids::UserId;
use actix_web::HttpResponse;
use actix_web::web::{self, Json};
use serde::{Deserialize, Deserializer, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// What somebody says about themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StatusView {
    pub state: StatusState,
    /// At most 100 characters.
    #[serde(default)]
    pub text: String,
}

impl From<&Person> for StatusView {
    fn from(person: &Person) -> Self {
        Self { state: person.status_state, text: person.status_text.clone() }
    }
}

/// One's own profile.
#[derive(Debug, Serialize, ToSchema)]
pub struct Me {
    pub id: i64,
    pub username: String,
    pub display_name: String,
    pub guest: bool,
    /// `owner`, `admin`, `moderator`, `member` or `guest`.
    pub role: &'static str,
    /// The chosen hue in degrees.
    pub color: Option<i32>,
    /// The address of the chosen picture, in the place of the initials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
    pub sounds: bool,
    pub status: StatusView,
    pub login_count: i64,
    /// Milliseconds since the Unix epoch, UTC.
    pub last_login_at: Option<i64>,
    pub has_private_key: bool,
    /// Whether only those who know the private key may begin to write privately.
    pub direct_only_by_key: bool,
}

impl From<&Person> for Me {
    fn from(person: &Person) -> Self {
        Self {
            id: person.id.0,
            username: person.username.clone(),
            display_name: person.display_name.clone(),
            guest: person.is_guest(),
            role: person.role.as_str(),
            color: person.hue,
            picture: person.picture_href(),
            sounds: person.sounds,
            status: person.into(),
            login_count: person.login_count,
            last_login_at: person.last_login_at,
            has_private_key: person.has_private_key,
            direct_only_by_key: person.direct_only_by_key,
        }
    }
}

/// Somebody, as everybody may see them.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct UserView {
    pub id: i64,
    pub username: String,
    pub display_name: String,
    pub guest: bool,
    /// The chosen hue in degrees.
    pub color: Option<i32>,
    /// The address of the chosen picture, in the place of the initials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
    pub status: StatusView,
    /// Whether they have a live connection.
    pub online: bool,
    /// When their last connection ended, ms, exact to a minute; nothing before the first.
    pub last_seen_at: Option<i64>,
}

impl UserView {
    pub fn new(person: &Person, online: bool) -> Self {
        Self {
            id: person.id.0,
            username: person.username.clone(),
            display_name: person.display_name.clone(),
            guest: person.is_guest(),
            color: person.hue,
            picture: person.picture_href(),
            status: person.into(),
            online,
            last_seen_at: person.last_seen_at,
        }
    }

    /// People as they are at this moment.
    pub fn all(people: &[Arc<Person>], presence: &dyn Presence) -> Vec<Self> {
        let ids: Vec<UserId> = people.iter().map(|person| person.id).collect();
        let view = |(person, online): (&Arc<Person>, bool)| {
            let mut view = Self::new(person, online);
            view.last_seen_at = presence.left_at(person.id).or(view.last_seen_at);
            view
        };
        people.iter().zip(presence.online(&ids)).map(view).collect()
    }
}

/// What is to be changed; what isn't named stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MeChange {
    display_name: Option<String>,
    /// Degrees from 0 to 359; null takes the chosen color away.
    #[serde(default, deserialize_with = "named")]
    #[schema(value_type = Option<i32>)]
    color: Option<Option<i32>>,
    sounds: Option<bool>,
    status: Option<StatusView>,
    /// 12 to 128 characters by which people who know it can write to this person; null takes it away. Never read back.
    #[serde(default, deserialize_with = "named")]
    #[schema(value_type = Option<String>)]
    private_key: Option<Option<String>>,
    /// Whether only those who know the private key may begin to write privately.
    direct_only_by_key: Option<bool>,
}

/// Tells null from absent.
fn named<'de, D: Deserializer<'de>, T: Deserialize<'de>>(value: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(value).map(Some)
}

impl MeChange {
    fn parse(&self) -> Result<(Profile, Option<Option<PrivateKey>>)> {
        let mut wrong = Vec::new();
        let mut profile = Profile {
            sounds: self.sounds,
            direct_only_by_key: self.direct_only_by_key,
            ..Profile::default()
        };
        let mut key = None;
        match self.private_key.as_ref().map(|k| k.as_deref().map(PrivateKey::parse).transpose()).transpose() {
            Ok(parsed) => key = parsed,
            Err(error) => wrong.push(error),
        }
        match self.display_name.as_deref().map(DisplayName::parse).transpose() {
            Ok(name) => profile.display_name = name,
            Err(error) => wrong.push(error),
        }
        match self.color.map(|c| c.map(|hue| user::parse_hue(Some(hue))).transpose()).transpose() {
            Ok(hue) => profile.hue = hue,
            Err(error) => wrong.push(error),
        }
        match self.status.as_ref().map(|s| Status::parse(s.state, &s.text)).transpose() {
            Ok(status) => profile.status = status,
            Err(error) => wrong.push(error),
        }
        if wrong.is_empty() { Ok((profile, key)) } else { Err(Error::Invalid(wrong)) }
    }
}

/// One's own profile.
///
/// `GET /api/v1/me`
#[utoipa::path(get, path = "/api/v1/me", tag = "people",
    responses((status = 200, body = Me), (status = 401, description = "Nobody is signed in")))]
pub async fn me(visitor: Visitor) -> Json<Me> {
    Json(Me::from(visitor.person.as_ref()))
}

/// Change one's own profile.
///
/// `PATCH /api/v1/me`
#[utoipa::path(patch, path = "/api/v1/me", tag = "people", request_body = MeChange,
    responses((status = 200, body = Me), (status = 401, description = "Nobody is signed in"),
        (status = 422, description = "A field is wrong")))]
pub async fn change_me(
    accounts: web::Data<Accounts>,
    visitor: Visitor,
    change: Json<MeChange>,
) -> Result<Json<Me>> {
    let (profile, key) = change.parse()?;
    if let Some(key) = key {
        if key.is_some() {
            accounts.allow(&visitor.person, Right::Key)?;
        }
        // First, as it alone can still be refused: nothing is changed by half.
        accounts.set_private_key(visitor.person.id, visitor.address, key).await?;
    }
    let person = accounts.change_profile(visitor.person.id, profile).await?;
    Ok(Json(Me::from(person.as_ref())))
}

/// Another password for oneself.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    /// The one until now. Wrong ones are counted.
    current: String,
    /// At least as long as the place wants, and at most 71 bytes.
    password: String,
    /// Whether all tokens end, too; otherwise they stay.
    #[serde(default)]
    tokens: bool,
}

/// Set another password. All sessions end but the one that asks, with their sockets.
///
/// `POST /api/v1/me/password`
#[utoipa::path(post, path = "/api/v1/me/password", tag = "people", request_body = NewPassword,
    responses((status = 204), (status = 401, description = "Nobody is signed in"),
        (status = 409, description = "A guest has none"), (status = 422, description = "A field is wrong"),
        (status = 429, description = "Too many wrong ones")))]
pub async fn change_password(
    accounts: web::Data<Accounts>,
    visitor: Visitor,
    Json(change): Json<NewPassword>,
) -> Result<HttpResponse> {
    let new = Password::parse(&change.password, accounts.config.password_min);
    let new = new.map_err(|wrong| Error::Invalid(vec![wrong]))?;
    let change = PasswordChange { current: change.current, new, tokens: change.tokens };
    accounts.change_password(&visitor, change).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Which part of the list of people.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct UsersQuery {
    /// How the user name or the display name begins.
    #[serde(default)]
    query: String,
    /// Ids, separated by commas, at most 100: these people and no others, in this order.
    #[serde(default)]
    ids: String,
    /// The user name after which the page starts.
    #[serde(default)]
    after: String,
    /// At most 100; 50 when it isn't given.
    limit: Option<i64>,
}

/// A page of people, by user name.
#[derive(Debug, Serialize, ToSchema)]
pub struct Users {
    pub users: Vec<UserView>,
    /// Whether there are more after the last one.
    pub more: bool,
}

/// People, a page at a time.
///
/// `GET /api/v1/users?query=&after=&limit=`
#[utoipa::path(get, path = "/api/v1/users", tag = "people", params(UsersQuery),
    responses((status = 200, body = Users), (status = 401, description = "Nobody is signed in")))]
pub async fn users(
    accounts: web::Data<Accounts>,
    presence: web::Data<dyn Presence>,
    _visitor: Visitor,
    web::Query(query): web::Query<UsersQuery>,
) -> Result<Json<Users>> {
    if !query.ids.is_empty() {
        let ids = parse_ids(&query.ids)?;
        let found = accounts.directory.many(&ids).await?;
        let people: Vec<_> =
            ids.iter().filter_map(|id| found.get(id).filter(|p| !p.disabled).cloned()).collect();
        return Ok(Json(Users { users: UserView::all(&people, &**presence), more: false }));
    }
    let wanted = PeopleQuery { begins: query.query, after: query.after, limit: query.limit.unwrap_or(50) };
    let (people, more) = accounts.db.read(move |conn| user::page(conn, &wanted)).await?;
    let people: Vec<Arc<Person>> = people.into_iter().map(Arc::new).collect();
    Ok(Json(Users { users: UserView::all(&people, &**presence), more }))
}

fn parse_ids(text: &str) -> Result<Vec<UserId>> {
    let wrong = || Error::field("ids", "Ids are at most 100 numbers, separated by commas.");
    let ids: Option<Vec<UserId>> = text.split(',').map(|id| id.trim().parse().ok()).collect();
    ids.filter(|ids| i64::try_from(ids.len()).is_ok_and(|n| n <= user::PAGE_MAX)).ok_or_else(wrong)
}

/// One person.
///
/// `GET /api/v1/users/{username}`
#[utoipa::path(get, path = "/api/v1/users/{username}", tag = "people",
    params(("username" = String, Path, description = "Regardless of case")),
    responses((status = 200, body = UserView), (status = 401, description = "Nobody is signed in"),
        (status = 404, description = "There is nobody by that name")))]
pub async fn user(
    accounts: web::Data<Accounts>,
    presence: web::Data<dyn Presence>,
    _visitor: Visitor,
    username: web::Path<String>,
) -> Result<Json<UserView>> {
    let person = accounts.directory.by_username(&username).await?.filter(|p| !p.disabled);
    let person = person.ok_or(Error::NotFound("There is nobody by that name."))?;
    let view = UserView::all(&[person], &**presence).pop();
    view.map(Json).ok_or(Error::NotFound("There is nobody by that name."))
}
