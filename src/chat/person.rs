//! Somebody's card: as a page of its own, and as the part of one that a script shows beside their name.

use super::Chat;
use super::blocks;
use crate::accounts::{Person, Presence as _, Role, Visitor};
use crate::error::{Error, Result};
use crate::ids::UserId;
use crate::rooms::block;
use crate::site::answer::{html, see_other};
use crate::site::page::{self, Pages, Shell, Stamp, direct_href};
use crate::site::words::{filters, t};
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;

/// The card as a page.
#[derive(Template)]
#[template(path = "chat/person.html")]
struct PersonPage {
    shell: Shell,
    card: PersonCard,
}

/// The card alone.
#[derive(Template)]
#[template(path = "chat/_person.html")]
struct PersonCard {
    person: page::Person,
    username: String,
    /// What they look after, in a word.
    role: Option<&'static str>,
    /// `online`, `away`, `dnd` or `offline`.
    state: &'static str,
    status: String,
    /// When they were last here; nothing for who is here, or has never been.
    seen: Option<Stamp>,
    /// The visitor themselves.
    own: bool,
    blocked: bool,
    /// The visitor may keep them quiet, or send them out.
    restrained: bool,
    message_href: String,
}

/// `?card=1` asks for the card alone.
#[derive(Deserialize)]
pub struct PersonQuery {
    card: Option<String>,
}

fn role(person: &Person) -> Option<&'static str> {
    match person.role {
        Role::Owner => Some(t("owner")),
        Role::Admin => Some(t("admin")),
        Role::Moderator => Some(t("moderator")),
        Role::Member | Role::Guest => None,
    }
}

async fn card(chat: &Chat, visitor: &Visitor, id: UserId) -> Result<PersonCard> {
    let person = chat.accounts.directory.get(id).await?.filter(|p| !p.disabled);
    let person = person.ok_or(Error::NotFound("There is nobody by that name."))?;
    let by = visitor.person.id;
    let blocked = chat.rooms.db.read(move |conn| block::is_blocked(conn, by, id)).await?;
    let here = chat.presence.of(&[id]).into_iter().next();
    let (state, status) = here.map_or(("offline", String::new()), |here| (here.state, here.text));
    let seen = chat.presence.left_at(id).or(person.last_seen_at).filter(|_| state == "offline");
    Ok(PersonCard {
        role: role(&person),
        state,
        status,
        seen: seen.map(Stamp),
        own: id == by,
        blocked,
        restrained: visitor.person.may_restrain(&person),
        message_href: direct_href(&person.username),
        username: person.username.clone(),
        person: page::Person::new(id.0, person.display_name.clone(), person.is_guest()),
    })
}

/// `GET /people/{id}`
pub async fn show(
    visitor: Visitor,
    id: web::Path<UserId>,
    query: web::Query<PersonQuery>,
    chat: web::Data<Chat>,
    pages: web::Data<Pages>,
) -> Result<HttpResponse> {
    let card = card(&chat, &visitor, *id).await?;
    if query.card.is_some() {
        return html(StatusCode::OK, &card);
    }
    let shell = pages.shell(Some(visitor.viewer()), card.person.name.clone(), "/people").await;
    html(StatusCode::OK, &PersonPage { shell, card })
}

/// The body of `POST /people/{id}/block`.
#[derive(Deserialize)]
pub struct BlockForm {
    /// `on` or `off`.
    blocked: String,
}

/// `POST /people/{id}/block`
pub async fn block(
    visitor: Visitor,
    id: web::Path<UserId>,
    form: web::Form<BlockForm>,
    chat: web::Data<Chat>,
) -> Result<HttpResponse> {
    let person =
        chat.accounts.directory.get(*id).await?.ok_or(Error::NotFound("There is nobody by that name."))?;
    blocks::set(&chat, visitor.person.id, person.id, form.blocked == "on").await?;
    Ok(see_other(&format!("/people/{}", person.id)))
}
