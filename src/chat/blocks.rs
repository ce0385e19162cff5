//! Whom one has blocked: the calls of the HTTP API, and the page that lists them.

use super::server::{Item, Tell};
use super::{Chat, protocol};
use crate::accounts::api::UserView;
use crate::accounts::{Person, Visitor};
use crate::error::{Error, Result};
use crate::events::Event;
use crate::ids::UserId;
use crate::rooms::block;
use crate::site::answer::{html, see_other};
use crate::site::page::{Pages, Shell};
use crate::site::words::{filters, t};
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Serialize;
use std::sync::Arc;

/// Whom one has blocked, the latest first.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Blocked {
    users: Vec<UserView>,
}

async fn people(chat: &Chat, user: UserId) -> Result<Vec<Arc<Person>>> {
    let ids = chat.rooms.db.read(move |conn| block::blocked_by(conn, user)).await?;
    let found = chat.accounts.directory.many(&ids).await?;
    Ok(ids.iter().filter_map(|id| found.get(id).cloned()).collect())
}

/// Whom one has blocked.
#[utoipa::path(get, path = "/api/v1/me/blocks", tag = "people",
    responses((status = 200, body = Blocked), (status = 401, description = "Nobody is signed in")))]
pub async fn list(visitor: Visitor, chat: web::Data<Chat>) -> Result<web::Json<Blocked>> {
    let people = people(&chat, visitor.person.id).await?;
    Ok(web::Json(Blocked { users: UserView::all(&people, &chat.presence) }))
}

/// Blocks somebody: what they write is folded, and they can't write privately. They aren't told.
#[utoipa::path(put, path = "/api/v1/me/blocks/{username}", tag = "people", params(("username" = String, Path)),
    responses((status = 204, description = "Blocked"), (status = 404, description = "There is nobody by that name"),
        (status = 422, description = "Oneself")))]
pub async fn add(visitor: Visitor, name: web::Path<String>, chat: web::Data<Chat>) -> Result<HttpResponse> {
    set(&chat, visitor.person.id, named(&chat, &name).await?, true).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Lets somebody speak again.
#[utoipa::path(delete, path = "/api/v1/me/blocks/{username}", tag = "people", params(("username" = String, Path)),
    responses((status = 204, description = "Not blocked any more"), (status = 404, description = "There is nobody by that name")))]
pub async fn remove(
    visitor: Visitor,
    name: web::Path<String>,
    chat: web::Data<Chat>,
) -> Result<HttpResponse> {
    set(&chat, visitor.person.id, named(&chat, &name).await?, false).await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn named(chat: &Chat, username: &str) -> Result<UserId> {
    let person = chat.accounts.directory.by_username(username).await?;
    person.map(|person| person.id).ok_or(Error::NotFound("There is nobody by that name."))
}

/// Sets it and tells the person's own browsers; never the one who is blocked.
pub(super) async fn set(chat: &Chat, by: UserId, whom: UserId, blocked: bool) -> Result<()> {
    let users = chat.rooms.set_blocked(by, whom, blocked).await?;
    let frame = protocol::frame(&serde_json::json!({ "type": "blocks", "users": users }));
    chat.server.do_send(Tell(Item::Person { user: by, frame, except: None }));
    chat.accounts.events.publish(&Event::BlocksChanged(by));
    Ok(())
}

/// The list with its buttons.
#[derive(Template)]
#[template(path = "chat/blocked.html")]
struct BlockedPage {
    shell: Shell,
    people: Vec<BlockedRow>,
}

struct BlockedRow {
    person: crate::site::page::Person,
    username: String,
}

/// `GET /settings/blocked`
pub async fn page(visitor: Visitor, chat: web::Data<Chat>, pages: web::Data<Pages>) -> Result<HttpResponse> {
    let people = people(&chat, visitor.person.id).await?;
    let row = |person: &Arc<Person>| BlockedRow {
        person: crate::site::page::Person::new(person.id.0, person.display_name.clone(), person.is_guest()),
        username: person.username.clone(),
    };
    let page = BlockedPage {
        shell: pages.shell(Some(visitor.viewer()), t("People you blocked"), "/settings").await,
        people: people.iter().map(row).collect(),
    };
    html(StatusCode::OK, &page)
}

/// `POST /settings/blocked/{username}/remove`
pub async fn unblock(
    visitor: Visitor,
    name: web::Path<String>,
    chat: web::Data<Chat>,
) -> Result<HttpResponse> {
    set(&chat, visitor.person.id, named(&chat, &name).await?, false).await?;
    Ok(see_other("/settings/blocked"))
}
