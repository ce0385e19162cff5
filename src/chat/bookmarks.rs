//! Kept messages over the HTTP API, and the page with them.

use super::Chat;
use super::search_page::{Hit, Places};
use crate::accounts::Visitor;
use crate::error::{Error, Result};
use crate::ids::RoomId;
use crate::rooms::bookmark::{self, Place};
use crate::rooms::message::parse_limit;
use crate::rooms::{Message, search};
use crate::site::answer::{html, is_local, see_other};
use crate::site::page::{Pages, Shell};
use crate::site::words::{filters, t};
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use serde::{Deserialize, Serialize};

/// Bookmarks on one page.
const PAGE: usize = 30;

/// A kept message.
#[derive(Serialize, utoipa::ToSchema)]
pub struct KeptMessage {
    #[schema(value_type = i64)]
    room: RoomId,
    seq: i64,
    /// When it was kept, ms.
    kept_at: i64,
    /// The message as it is now; none when it stands where the caller may not read any more.
    message: Option<Message>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct KeptPage {
    bookmarks: Vec<KeptMessage>,
    more: bool,
    /// Goes on as `before`.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct KeptQuery {
    /// The `next` of the page before.
    before: Option<String>,
    /// 1 to 100.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
}

impl KeptQuery {
    fn before(&self) -> Result<Option<Place>> {
        let read = |text: &String| {
            text.parse().map_err(|()| Error::field("before", "Give what the page before said as “next”."))
        };
        self.before.as_ref().map(read).transpose()
    }
}

/// What the caller has kept, the newest first.
#[utoipa::path(get, path = "/api/v1/bookmarks", tag = "messages", params(KeptQuery),
    responses((status = 200, body = KeptPage), (status = 401, description = "Nobody is signed in")))]
pub async fn list(
    visitor: Visitor,
    query: web::Query<KeptQuery>,
    chat: web::Data<Chat>,
) -> Result<web::Json<KeptPage>> {
    let (user, before) = (visitor.person.id, query.before()?);
    let limit = usize::try_from(parse_limit(query.limit)?).unwrap_or(1);
    let (found, more) = chat.rooms.db.snapshot(move |conn| bookmark::list(conn, user, before, limit)).await?;
    let next = found.last().filter(|_| more).map(|last| last.place.to_string());
    let bookmarks = found.into_iter().map(|kept| KeptMessage {
        room: kept.place.room,
        seq: kept.place.seq,
        kept_at: kept.place.kept_at,
        message: kept.message,
    });
    Ok(web::Json(KeptPage { bookmarks: bookmarks.collect(), more, next }))
}

/// What one has done with a message.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Kept {
    kept: bool,
}

/// Whether the caller has kept a message; `false` too for one that isn't there for them.
#[utoipa::path(get, path = "/api/v1/rooms/{id}/messages/{seq}/bookmark", tag = "messages",
    params(("id" = i64, Path), ("seq" = i64, Path)), responses((status = 200, body = Kept)))]
pub async fn is_kept(
    visitor: Visitor,
    path: web::Path<(RoomId, i64)>,
    chat: web::Data<Chat>,
) -> Result<web::Json<Kept>> {
    let (user, (room, seq)) = (visitor.person.id, path.into_inner());
    let kept = chat.rooms.db.read(move |conn| bookmark::is_kept(conn, user, room, seq)).await?;
    Ok(web::Json(Kept { kept }))
}

/// Keeps a message for oneself; nobody else learns of it.
#[utoipa::path(put, path = "/api/v1/rooms/{id}/messages/{seq}/bookmark", tag = "messages",
    params(("id" = i64, Path), ("seq" = i64, Path)),
    responses((status = 204, description = "Kept"), (status = 404, description = "No such message")))]
pub async fn keep(
    visitor: Visitor,
    path: web::Path<(RoomId, i64)>,
    chat: web::Data<Chat>,
) -> Result<HttpResponse> {
    set(&visitor, *path, true, &chat).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Lets a kept message go.
#[utoipa::path(delete, path = "/api/v1/rooms/{id}/messages/{seq}/bookmark", tag = "messages",
    params(("id" = i64, Path), ("seq" = i64, Path)),
    responses((status = 204, description = "Not kept any more")))]
pub async fn let_go(
    visitor: Visitor,
    path: web::Path<(RoomId, i64)>,
    chat: web::Data<Chat>,
) -> Result<HttpResponse> {
    set(&visitor, *path, false, &chat).await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn set(visitor: &Visitor, (room, seq): (RoomId, i64), on: bool, chat: &Chat) -> Result<()> {
    let user = visitor.person.id;
    let change = move |conn: &mut crate::db::Conn| {
        if on { bookmark::keep(conn, user, room, seq) } else { bookmark::let_go(conn, user, room, seq) }
    };
    chat.rooms.db.write(change).await
}

/// One kept message as the page shows it.
pub struct KeptView {
    pub room: i64,
    pub seq: i64,
    /// Where it stands; empty when that isn't to be read any more.
    pub place: String,
    pub deleted: bool,
    pub hit: Option<Hit>,
}

/// The page with everything that somebody has kept.
#[derive(Template)]
#[template(path = "chat/bookmarks.html")]
pub struct BookmarksPage {
    pub shell: Shell,
    /// The newest first.
    pub kept: Vec<KeptView>,
    /// The address of the next page.
    pub next: Option<String>,
}

/// `GET /bookmarks`
pub async fn page(
    visitor: Visitor,
    query: web::Query<KeptQuery>,
    chat: web::Data<Chat>,
    pages: web::Data<Pages>,
) -> Result<HttpResponse> {
    let (user, before) = (visitor.person.id, query.before()?);
    let (found, more, earlier, rooms) = chat
        .rooms
        .db
        .snapshot(move |conn| {
            let (found, more) = bookmark::list(conn, user, before, PAGE)?;
            let messages: Vec<Message> = found.iter().filter_map(|kept| kept.message.clone()).collect();
            let earlier = search::before_each(conn, &messages)?;
            let rooms = Places::rooms(conn, Some(user), &messages)?;
            Ok((found, more, earlier, rooms))
        })
        .await?;
    let places = Places::named(rooms, &chat).await?;
    let next = found.last().filter(|_| more).map(|last| format!("/bookmarks?before={}", last.place));
    let kept = found.into_iter().map(|kept| {
        let earlier = earlier.get(&(kept.place.room, kept.place.seq));
        KeptView {
            room: kept.place.room.0,
            seq: kept.place.seq,
            place: places.name(kept.place.room),
            deleted: kept.message.as_ref().is_some_and(|message| message.deleted_at.is_some()),
            hit: kept.message.map(|message| Hit::new(&message, earlier, &search::Query::default())),
        }
    });
    let kept = kept.collect();
    let shell = pages.shell(Some(visitor.viewer()), t("Kept messages"), "/bookmarks").await;
    html(StatusCode::OK, &BookmarksPage { shell, kept, next })
}

#[derive(Deserialize)]
pub struct KeepForm {
    room: RoomId,
    seq: i64,
    /// `on` keeps it, anything else lets it go.
    #[serde(default)]
    keep: String,
    next: Option<String>,
}

/// `POST /bookmarks`: keeps a message or lets it go, from a plain form.
pub async fn change(
    visitor: Visitor,
    form: web::Form<KeepForm>,
    chat: web::Data<Chat>,
) -> Result<HttpResponse> {
    set(&visitor, (form.room, form.seq), form.keep == "on", &chat).await?;
    let next = form.next.as_deref().filter(|next| is_local(next));
    Ok(see_other(next.unwrap_or("/bookmarks")))
}
