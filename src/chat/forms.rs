//! The forms of a conversation: writing, joining, leaving.

use super::Chat;
use super::command_rooms;
use super::pages::{PageQuery, page_of};
use super::place::{self, Place};
use super::protocol_rooms::Open;
use crate::accounts::{Reader, Visitor};
use crate::config::Right;
use crate::error::{Error, Result};
use crate::ids::RoomId;
use crate::rooms::attachment::PER_MESSAGE;
use crate::rooms::{Kind, Nonce, Request, Target, Typed, room};
use crate::site::answer::{html, see_other};
use crate::site::form_data::{self, Bounds, FormData};
use crate::site::page::{FieldErrors, Pages};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

/// `POST` to the address of a conversation with `text` and `nonce`?, as multipart with pictures and files too: sends a
/// message and goes back there.
pub async fn send(
    visitor: Visitor,
    path: web::Path<(String, String)>,
    (request, payload): (HttpRequest, web::Payload),
    chat: web::Data<Chat>,
    pages: web::Data<Pages>,
) -> Result<HttpResponse> {
    let uploads = &chat.rooms.uploads;
    let bounds = Bounds { folder: &uploads.folder, file_bytes: uploads.bytes_max, files: PER_MESSAGE };
    let form = form_data::read_any(&request, payload, bounds).await?;
    let (text, place) = (form.field("text"), Place::from(path));
    match write(&visitor, &place, form, &chat).await {
        Ok(href) => Ok(see_other(&href)),
        // What was typed is kept; "closed" is a person who doesn't want to hear of the writer.
        Err(
            error @ (Error::Invalid(_)
            | Error::Conflict { .. }
            | Error::TooMany { .. }
            | Error::Slow { .. }
            | Error::Forbidden { code: "closed" | "timed_out" | "newcomer", .. }),
        ) => {
            let reader = Reader { visitor: Some(visitor) };
            let mut page = page_of(&reader, &place, &PageQuery::default(), &chat, &pages).await?;
            page.errors = FieldErrors::of_error(&error, "text").or_whole(&["text"]);
            page.typed_text = text;
            html(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(error) => Err(error),
    }
}

/// Sends a message and answers with where it can be read. The first one makes a private room.
async fn write(visitor: &Visitor, place: &Place, form: FormData, chat: &Chat) -> Result<String> {
    let user = visitor.person.id;
    if !form.files.is_empty() {
        chat.accounts.allow(&visitor.person, Right::Files)?;
    }
    let nonce = match form.field("nonce") {
        // A browser's form brings one; a hand-written request may leave it out.
        none if none.is_empty() => Nonce::random()?.as_str().to_owned(),
        nonce => nonce,
    };
    let typed = Typed { nonce: nonce.clone(), text: form.field("text"), ..Typed::default() };
    let found = place.find(chat, Some(user)).await?;
    let people = chat.named_in(found.room, &typed.text).await?;
    let id = match (found.room, &found.peer) {
        (Some(id), _) => id,
        (None, Some(peer)) => {
            // What can't be sent makes no room.
            if form.files.is_empty() {
                typed.clone().check(chat.rooms.author(&visitor.person), RoomId(0), &people)?;
            }
            let asked = Open { user: Some(peer.username.clone()), key: None };
            command_rooms::open_direct(chat, visitor, asked).await?.0.id
        }
        (None, None) => return Err(room::nowhere()),
    };
    chat.limits.send(user)?;
    let attachments = chat.rooms.attach_all(user, id, &nonce, form.files).await?;
    let typed = Typed { attachments, ..typed };
    chat.rooms.post(typed.check(chat.rooms.author(&visitor.person), id, &people)?).await?;
    let view = command_rooms::one(chat, user, id).await?;
    Ok(place::href(&view))
}

/// `POST /c/{name}/join`, `/talk/{id}/join`
pub async fn join(
    visitor: Visitor,
    path: web::Path<(String, String)>,
    chat: web::Data<Chat>,
) -> Result<HttpResponse> {
    let room = member_of(&visitor, path, &chat).await?;
    let request = Request::Join { user: visitor.person.id, target: Target::Id(room) };
    let view = command_rooms::change(&chat, visitor.person.id, request).await?;
    Ok(see_other(&place::href(&view)))
}

/// `POST /c/{name}/leave`, `/g/{id}/leave`, `/talk/{id}/leave`
pub async fn leave(
    visitor: Visitor,
    path: web::Path<(String, String)>,
    chat: web::Data<Chat>,
) -> Result<HttpResponse> {
    let room = member_of(&visitor, path, &chat).await?;
    let request = Request::Leave { user: visitor.person.id, target: Target::Id(room) };
    let left = chat.rooms.change_room(request).await?;
    Ok(see_other(&match left.kind {
        Kind::Group => "/groups".to_owned(),
        Kind::Talk => place::href(&left),
        _ => "/channels".to_owned(),
    }))
}

async fn member_of(visitor: &Visitor, path: web::Path<(String, String)>, chat: &Chat) -> Result<RoomId> {
    let found = Place::from(path).find(chat, Some(visitor.person.id)).await?;
    found.room.ok_or_else(room::nowhere)
}
