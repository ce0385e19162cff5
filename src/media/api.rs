//! The library over HTTP: `/api/v1/media`.

use super::format::Kind;
use super::item::{Item, Page};
use super::library::Library;
use crate::accounts::Reader;
use crate::error::{Error, FieldError, Result};
use crate::ids::MediaId;
use crate::rooms::message::parse_limit;
use actix_web::web;
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
    /// What lies in the folder can be played.
    #[schema(example = "ready")]
    state: &'static str,
    /// Where its bytes are, byte ranges honoured.
    url: String,
    /// When it came into the library, ms.
    added_at: i64,
}

impl From<Item> for ItemObject {
    fn from(item: Item) -> Self {
        Self {
            url: format!("/api/v1/media/{}/file?v={}", item.id, item.version()),
            id: item.id,
            title: item.title,
            kind: item.kind,
            mime: item.mime,
            size: item.size,
            state: "ready",
            added_at: item.added_at,
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

/// Which part of the library.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// 1 to 100, 100 when not given.
    limit: Option<i64>,
    /// Only items older than this one.
    before: Option<i64>,
    /// Only items newer than this one; those next to it.
    after: Option<i64>,
    /// `audio` or `video`.
    kind: Option<String>,
    /// A part of the title.
    query: Option<String>,
}

impl Wanted {
    fn page(self) -> Result<Page> {
        let kind = self.kind.map(Kind::try_from).transpose();
        let kind = kind.map_err(|_| Error::field("kind", "The kind is audio or video."))?;
        let query = self.query.filter(|text| !text.is_empty());
        if query.as_ref().is_some_and(|text| text.chars().count() > 200 || text.contains('\0')) {
            let wrong = FieldError::new("query", "A title is looked for by at most 200 characters.");
            return Err(Error::Invalid(vec![wrong]));
        }
        let limit = parse_limit(self.limit)?;
        Ok(Page { limit, before: self.before.map(MediaId), after: self.after.map(MediaId), kind, query })
    }
}

/// `GET /api/v1/media`
#[utoipa::path(get, path = "/api/v1/media", tag = "media", params(Wanted),
    responses((status = 200, body = Items), (status = 401), (status = 422)))]
pub async fn list(
    _reader: Reader,
    library: web::Data<Library>,
    wanted: web::Query<Wanted>,
) -> Result<web::Json<Items>> {
    let (items, more) = library.page(wanted.into_inner().page()?).await?;
    Ok(web::Json(Items { items: items.into_iter().map(ItemObject::from).collect(), more }))
}

/// `GET /api/v1/media/{id}`
#[utoipa::path(get, path = "/api/v1/media/{id}", tag = "media", params(("id" = i64, Path)),
    responses((status = 200, body = ItemObject), (status = 401), (status = 404)))]
pub async fn one(
    _reader: Reader,
    library: web::Data<Library>,
    id: web::Path<MediaId>,
) -> Result<web::Json<ItemObject>> {
    Ok(web::Json(library.item(id.into_inner()).await?.into()))
}
