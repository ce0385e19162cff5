//! The library over HTTP: `/api/v1/media`.

use super::api_prepared::PreparedObject;
use super::format::Kind;
use super::item::Item;
use super::library::Library;
use super::receive::Sending;
use super::reception::{OPEN, Reception, State};
use super::shelf::{self, Moment, Page, Sort};
use super::sight::{Audience, Sight};
use super::upload::Upload;
use crate::accounts::{Accounts, Reader, Visitor};
use crate::config::Right;
use crate::db::Conn;
use crate::error::{Error, FieldError, Result};
use crate::ids::{MediaId, RoomId, UserId};
use crate::rooms::message::parse_limit;
use crate::site::limit::Limits;
use crate::text::fold;
use actix_web::http::header::{CONTENT_LENGTH, LOCATION};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};

/// One thing of the library.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ItemObject {
    #[schema(value_type = i64)]
    id: MediaId,
    /// The file's stem, unless somebody chose another one.
    title: String,
    kind: Kind,
    #[schema(example = "video/mp4")]
    mime: String,
    /// Bytes.
    size: i64,
    /// Where its bytes are, byte ranges honoured.
    url: String,
    /// When it came into the library, ms.
    added_at: i64,
    /// Who uploaded it, by id; nobody where it was dropped into the folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    added_by: Option<UserId>,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    licence: String,
    audience: Audience,
    /// The group that it is for, by id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    room: Option<RoomId>,
    /// Where its captions have what was looked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    moments: Vec<Moment>,
    /// When it was put into the trash, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    trashed_at: Option<i64>,
    #[serde(flatten)]
    preparation: PreparedObject,
}

impl From<Item> for ItemObject {
    fn from(item: Item) -> Self {
        let tags = item.tags().map(str::to_owned).collect();
        Self {
            preparation: PreparedObject::from(&item),
            url: format!("/api/v1/media/{}/file?v={}", item.id, item.version()),
            id: item.id,
            title: item.title,
            kind: item.kind,
            mime: item.mime,
            size: item.size,
            added_at: item.added_at,
            added_by: item.user_id,
            tags,
            description: item.description,
            licence: item.licence,
            audience: item.audience,
            room: item.room_id,
            moments: Vec::new(),
            trashed_at: item.trashed_at,
        }
    }
}

/// A page of the library, newest first.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Items {
    items: Vec<ItemObject>,
    /// More of them lie beyond this page.
    more: bool,
}

impl Items {
    /// All there are.
    pub fn whole(items: Vec<Item>) -> Self {
        Self { items: items.into_iter().map(ItemObject::from).collect(), more: false }
    }
}

/// Which part of the library.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// 1 to 100, 100 when not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
    /// Only what comes behind this one: with the newest first, what is older.
    before: Option<i64>,
    /// Only what comes ahead of this one; those next to it.
    after: Option<i64>,
    /// `audio` or `video`.
    kind: Option<String>,
    /// Words of the title, the description, the tags or the captions, in any order.
    query: Option<String>,
    /// Only what is filed under this.
    tag: Option<String>,
    /// `newest`, `title`, `length` or `watched`; the newest first when not given. `before` and `after` follow it.
    sort: Option<Sort>,
}

impl Wanted {
    fn page(self, sight: Sight) -> Result<Page> {
        let kind = self.kind.map(Kind::try_from).transpose();
        let kind = kind.map_err(|_| Error::field("kind", "The kind is audio or video."))?;
        let query = self.query.filter(|text| !text.is_empty());
        if query.as_ref().is_some_and(|text| text.chars().count() > 200 || text.contains('\0')) {
            let wrong = FieldError::new("query", "An item is looked for by at most 200 characters.");
            return Err(Error::Invalid(vec![wrong]));
        }
        let tag = self.tag.filter(|tag| !tag.is_empty()).map(|tag| fold(tag.trim()));
        let limit = parse_limit(self.limit)?;
        let (before, after) = (self.before.map(MediaId), self.after.map(MediaId));
        let sort = self.sort.unwrap_or_default();
        Ok(Page { limit, before, after, kind, query, tag, sort, sight })
    }
}

/// `GET /api/v1/media`
#[utoipa::path(get, path = "/api/v1/media", tag = "media", params(Wanted),
    responses((status = 200, body = Items), (status = 401), (status = 422)))]
pub async fn list(
    reader: Reader,
    library: web::Data<Library>,
    wanted: web::Query<Wanted>,
) -> Result<web::Json<Items>> {
    let page = wanted.into_inner().page(Sight::from(&reader))?;
    let query = page.query.clone();
    let (items, more) = library.page(page).await?;
    let look = move |conn: &mut Conn| {
        let found = query.map(|query| shelf::moments(conn, &items, &query)).transpose()?;
        Ok((items, found.unwrap_or_default()))
    };
    let (items, mut found) = library.db().read(look).await?;
    let object = |item: Item| {
        let moments = found.remove(&item.id).unwrap_or_default();
        ItemObject { moments, ..ItemObject::from(item) }
    };
    Ok(web::Json(Items { items: items.into_iter().map(object).collect(), more }))
}

/// `GET /api/v1/media/{id}`
#[utoipa::path(get, path = "/api/v1/media/{id}", tag = "media", params(("id" = i64, Path)),
    responses((status = 200, body = ItemObject), (status = 401), (status = 404)))]
pub async fn one(
    reader: Reader,
    library: web::Data<Library>,
    id: web::Path<MediaId>,
) -> Result<web::Json<ItemObject>> {
    Ok(web::Json(library.item(id.into_inner(), &reader).await?.into()))
}

/// Puts a whole file into the library in one request, as `curl -T` does, with its length or without. One that breaks off leaves nothing; uploads
/// that can go on are those of `POST /api/v1/media`.
#[utoipa::path(put, path = "/api/v1/media/{id}", tag = "media",
    params(("id" = String, Path, description = "The name of the file")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, body = ItemObject), (status = 200, description = "Its content was there already", body = ItemObject),
        (status = 400, description = "It broke off"), (status = 401), (status = 403, description = "A guest without the right"),
        (status = 413, description = "More than the quota leaves"), (status = 422, description = "No media")))]
pub async fn put(
    visitor: Visitor,
    name: web::Path<String>,
    request: HttpRequest,
    payload: web::Payload,
    services: (web::Data<Accounts>, web::Data<Limits>, web::Data<Reception>),
) -> Result<HttpResponse> {
    let (user, (accounts, limits, reception)) = (visitor.person.id, services);
    accounts.allow(&visitor.person, Right::Files)?;
    limits.upload(user)?;
    let length = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    // The router leaves a slash inside a name as it came.
    let name = name.replace("%2F", "/").replace("%2f", "/");
    let upload = reception.announce(user, &name, length.unwrap_or(OPEN)).await?;
    let id = upload.id.clone();
    let whole = Whole { upload: Some(upload), reception: reception.get_ref().clone() };
    let sending = Sending { payload, offset: 0, bytes: length, checksum: None, open: length.is_none() };
    let State { item: Some(item), known, .. } = (match reception.receive(&id, user, sending).await {
        Ok(state) => state,
        Err(error) => {
            // Before the answer: the next file finds the quota as if this one had never come.
            whole.give_up().await;
            return Err(error);
        }
    }) else {
        return Err(Error::bad_request("broken_off", "The file broke off before its end. Send it again."));
    };
    whole.arrived();
    let found = reception.library().item(item, user).await?;
    let mut response = if known { HttpResponse::Ok() } else { HttpResponse::Created() };
    Ok(response.insert_header((LOCATION, format!("/api/v1/media/{item}"))).json(ItemObject::from(found)))
}

/// An upload that is given up unless it arrives: nobody knows its id, so nobody could go on with it.
struct Whole {
    upload: Option<Upload>,
    reception: Reception,
}

impl Whole {
    fn arrived(mut self) {
        self.upload = None;
    }

    async fn give_up(mut self) {
        if let Some(upload) = self.upload.take() {
            discard(&self.reception, &upload).await;
        }
    }
}

async fn discard(reception: &Reception, upload: &Upload) {
    // One that was refused is gone already.
    if let Err(error) = reception.discard(&upload.id, upload.user_id).await {
        tracing::debug!(%error, "a file that broke off was not given up");
    }
}

impl Drop for Whole {
    fn drop(&mut self) {
        let Some(upload) = self.upload.take() else { return };
        let reception = self.reception.clone();
        actix_web::rt::spawn(async move { discard(&reception, &upload).await });
    }
}

/// Something on its way into the library.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct UploadObject {
    /// Where its bytes go.
    #[schema(example = "/api/v1/media/uploads/0123456789abcdef0123456789abcdef")]
    url: String,
    name: String,
    /// Bytes.
    size: i64,
    /// Bytes that have arrived.
    offset: u64,
    /// ms.
    started_at: i64,
}

/// One's own unfinished uploads, the oldest first.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Unfinished {
    uploads: Vec<UploadObject>,
}

/// `GET /api/v1/media/uploads`
#[utoipa::path(get, path = "/api/v1/media/uploads", tag = "media",
    responses((status = 200, body = Unfinished), (status = 401)))]
pub async fn uploads(visitor: Visitor, reception: web::Data<Reception>) -> Result<web::Json<Unfinished>> {
    let found = reception.unfinished(visitor.person.id).await?;
    let object = |(upload, offset): (Upload, u64)| UploadObject {
        url: format!("/api/v1/media/uploads/{}", upload.id),
        name: upload.name,
        size: upload.length,
        offset,
        started_at: upload.started_at,
    };
    Ok(web::Json(Unfinished { uploads: found.into_iter().map(object).collect() }))
}
