//! Playlists over `/api/v1/media/lists`.

use super::api::ItemObject;
use super::library::Library;
use super::list::{self, List, parse_name};
use super::sight::Sight;
use crate::accounts::{Accounts, Reader, Speaker, Visitor};
use crate::config::Right;
use crate::error::Result;
use crate::ids::{ListId, MediaId, UserId};
use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};

/// One list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ListObject {
    #[schema(value_type = i64)]
    id: ListId,
    name: String,
    /// Everybody sees it.
    public: bool,
    /// Who made it, by id.
    #[schema(value_type = i64)]
    owner: UserId,
    /// ms
    changed_at: i64,
    /// How many items the caller sees in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<i64>,
    /// In the order in which they play.
    #[serde(skip_serializing_if = "Option::is_none")]
    items: Option<Vec<ItemObject>>,
}

impl From<List> for ListObject {
    fn from(List { id, user_id, name, public, changed_at }: List) -> Self {
        Self { id, name, public, owner: user_id, changed_at, count: None, items: None }
    }
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Lists {
    lists: Vec<ListObject>,
}

/// What a list is to be.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
pub struct ListWish {
    /// 1 to 100 characters.
    name: Option<String>,
    /// Everybody sees it.
    public: Option<bool>,
}

/// The order of a list.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct Order {
    /// Each of its items once, by id.
    #[schema(value_type = Vec<i64>)]
    items: Vec<MediaId>,
}

/// One's own lists and those for everybody, the last changed first.
#[utoipa::path(get, path = "/api/v1/media/lists", tag = "media", responses((status = 200, body = Lists), (status = 401)))]
pub async fn all(reader: Reader, library: web::Data<Library>) -> Result<web::Json<Lists>> {
    let sight = Sight::from(&reader);
    let found = library.db().read(move |conn| list::all(conn, sight)).await?;
    let object = |(list, count)| ListObject { count: Some(count), ..ListObject::from(list) };
    Ok(web::Json(Lists { lists: found.into_iter().map(object).collect() }))
}

/// Makes a list.
#[utoipa::path(post, path = "/api/v1/media/lists", tag = "media", request_body = ListWish,
    responses((status = 201, body = ListObject), (status = 401), (status = 403), (status = 409), (status = 422)))]
pub async fn create(
    visitor: Visitor,
    wish: web::Json<ListWish>,
    library: web::Data<Library>,
    accounts: web::Data<Accounts>,
) -> Result<HttpResponse> {
    accounts.allow(&visitor.person, Right::Files)?;
    let (user, public) = (visitor.person.id, wish.public.unwrap_or_default());
    let name = parse_name(wish.name.as_deref().unwrap_or_default())?;
    let made = library.db().write(move |conn| list::create(conn, user, &name, public)).await?;
    Ok(HttpResponse::Created().json(ListObject::from(made)))
}

/// One list with what is in it.
#[utoipa::path(get, path = "/api/v1/media/lists/{id}", tag = "media", params(("id" = i64, Path)),
    responses((status = 200, body = ListObject), (status = 401), (status = 404)))]
pub async fn one(
    reader: Reader,
    id: web::Path<ListId>,
    library: web::Data<Library>,
) -> Result<web::Json<ListObject>> {
    let (id, sight) = (*id, Sight::from(&reader));
    let look =
        move |conn: &mut crate::db::Conn| Ok((list::find(conn, id, sight)?, list::items(conn, id, sight)?));
    let (found, items) = library.db().read(look).await?;
    let items: Vec<ItemObject> = items.into_iter().map(ItemObject::from).collect();
    let count = i64::try_from(items.len()).ok();
    Ok(web::Json(ListObject { items: Some(items), count, ..found.into() }))
}

/// Gives one's own list another name, or other eyes.
#[utoipa::path(patch, path = "/api/v1/media/lists/{id}", tag = "media", params(("id" = i64, Path)), request_body = ListWish,
    responses((status = 200, body = ListObject), (status = 401), (status = 403), (status = 404), (status = 422)))]
pub async fn change(
    Speaker(visitor): Speaker,
    id: web::Path<ListId>,
    wish: web::Json<ListWish>,
    library: web::Data<Library>,
) -> Result<web::Json<ListObject>> {
    let (id, user, public) = (*id, visitor.person.id, wish.public);
    let name = wish.name.as_deref().map(parse_name).transpose()?;
    let changed = library.db().write(move |conn| list::change(conn, id, user, name.as_deref(), public));
    Ok(web::Json(changed.await?.into()))
}

/// Deletes one's own list; its items stay.
#[utoipa::path(delete, path = "/api/v1/media/lists/{id}", tag = "media", params(("id" = i64, Path)),
    responses((status = 204), (status = 401), (status = 403), (status = 404)))]
pub async fn remove(
    visitor: Visitor,
    id: web::Path<ListId>,
    library: web::Data<Library>,
) -> Result<HttpResponse> {
    let (id, user) = (*id, visitor.person.id);
    library.db().write(move |conn| list::remove(conn, id, user)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Puts an item at the end of one's own list; one that is in it keeps its place.
#[utoipa::path(put, path = "/api/v1/media/lists/{id}/items/{item}", tag = "media",
    params(("id" = i64, Path), ("item" = i64, Path)),
    responses((status = 204), (status = 401), (status = 403), (status = 404), (status = 409)))]
pub async fn add(
    Speaker(visitor): Speaker,
    at: web::Path<(ListId, MediaId)>,
    library: web::Data<Library>,
) -> Result<HttpResponse> {
    let ((id, item), user) = (at.into_inner(), visitor.person.id);
    library.db().write(move |conn| list::add(conn, id, user, item)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Takes an item out of one's own list.
#[utoipa::path(delete, path = "/api/v1/media/lists/{id}/items/{item}", tag = "media",
    params(("id" = i64, Path), ("item" = i64, Path)),
    responses((status = 204), (status = 401), (status = 403), (status = 404)))]
pub async fn take(
    visitor: Visitor,
    at: web::Path<(ListId, MediaId)>,
    library: web::Data<Library>,
) -> Result<HttpResponse> {
    let ((id, item), user) = (at.into_inner(), visitor.person.id);
    library.db().write(move |conn| list::take(conn, id, user, item)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Puts one's own list into another order.
#[utoipa::path(put, path = "/api/v1/media/lists/{id}/order", tag = "media", params(("id" = i64, Path)), request_body = Order,
    responses((status = 204), (status = 401), (status = 403), (status = 404), (status = 422)))]
pub async fn order(
    Speaker(visitor): Speaker,
    id: web::Path<ListId>,
    order: web::Json<Order>,
    library: web::Data<Library>,
) -> Result<HttpResponse> {
    let (id, user) = (*id, visitor.person.id);
    let items = order.into_inner().items;
    library.db().write(move |conn| list::reorder(conn, id, user, &items)).await?;
    Ok(HttpResponse::NoContent().finish())
}
