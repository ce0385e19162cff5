//! The HTTP API about oneself and about people.

use super::directory::Presence;
use super::names::DisplayName;
use super::state::Accounts;
use super::user::{self, PeopleQuery, Person, Profile, Status, StatusState};
use super::visitor::Visitor;
use crate::error::{Error, Result};
use crate::ids::UserId;
use actix_web::web::{self, Json};
use serde::{Deserialize, Deserializer, Serialize};
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
    pub sounds: bool,
    pub status: StatusView,
    pub login_count: i64,
    /// Milliseconds since the Unix epoch, UTC.
    pub last_login_at: Option<i64>,
    pub has_private_key: bool,
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
            sounds: person.sounds,
            status: person.into(),
            login_count: person.login_count,
            last_login_at: person.last_login_at,
            // There is no way yet to set one, so nobody has one.
            has_private_key: false,
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
    pub status: StatusView,
    /// Whether they have a live connection.
    pub online: bool,
}

impl UserView {
    pub fn new(person: &Person, online: bool) -> Self {
        Self {
            id: person.id.0,
            username: person.username.clone(),
            display_name: person.display_name.clone(),
            guest: person.is_guest(),
            color: person.hue,
            status: person.into(),
            online,
        }
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
}

/// Tells null from absent.
fn named<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Option<i32>>, D::Error> {
    Option::deserialize(value).map(Some)
}

impl MeChange {
    fn parse(&self) -> Result<Profile> {
        let mut wrong = Vec::new();
        let mut profile = Profile { sounds: self.sounds, ..Profile::default() };
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
        if wrong.is_empty() { Ok(profile) } else { Err(Error::Invalid(wrong)) }
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
    let person = accounts.change_profile(visitor.person.id, change.parse()?).await?;
    Ok(Json(Me::from(person.as_ref())))
}

/// Which part of the list of people.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct UsersQuery {
    /// How the user name or the display name begins.
    #[serde(default)]
    query: String,
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
    let wanted = PeopleQuery { begins: query.query, after: query.after, limit: query.limit.unwrap_or(50) };
    let (people, more) = accounts.db.read(move |conn| user::page(conn, &wanted)).await?;
    let ids: Vec<UserId> = people.iter().map(|p| p.id).collect();
    let online = presence.online(&ids);
    let users = people.iter().zip(online).map(|(person, online)| UserView::new(person, online)).collect();
    Ok(Json(Users { users, more }))
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
    let online = presence.online(&[person.id]).first().copied().unwrap_or_default();
    Ok(Json(UserView::new(&person, online)))
}
