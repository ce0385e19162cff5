//! Playlists as pages: all of them, one that plays, and the choice of where an item goes. They work without a script.

use super::caption::{self, Caption};
use super::item::Item;
use super::library::Library;
use super::list::{self, List, parse_name};
use super::pages::ItemView;
use super::playing::Playing;
use super::position;
use super::sight::Sight;
use crate::accounts::{Accounts, Reader, Speaker, Visitor};
use crate::config::Right;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::ids::{ListId, MediaId};
use crate::site::answer::{html, see_other};
use crate::site::page::{FieldErrors, Pages, Shell};
use crate::site::words::{filters, t};
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;

/// All lists.
#[derive(Template)]
#[template(path = "media/lists.html")]
pub struct ListsPage {
    pub shell: Shell,
    pub lists: Vec<Line>,
    /// The viewer may make one.
    pub makes: bool,
    /// The item that is to be put into one of them, with its title.
    pub item: Option<(MediaId, String)>,
    /// As typed.
    pub name: String,
    pub errors: FieldErrors,
}

/// One list among others.
#[derive(Debug, Clone)]
pub struct Line {
    pub id: ListId,
    pub name: String,
    pub public: bool,
    pub count: i64,
    /// The viewer's own.
    pub own: bool,
    /// The display name of whoever made it.
    pub by: String,
}

/// One list, playing.
#[derive(Template)]
#[template(path = "media/list.html")]
pub struct ListPage {
    pub shell: Shell,
    pub id: ListId,
    pub name: String,
    pub public: bool,
    pub own: bool,
    pub by: String,
    pub entries: Vec<Entry>,
    /// What plays; nothing in an empty list.
    pub now: Option<(ItemView, Playing, Vec<Caption>)>,
    /// What comes next: its address here, and its title.
    pub next: Option<(String, String)>,
    pub errors: FieldErrors,
}

/// An item of a list.
#[derive(Debug, Clone)]
pub struct Entry {
    pub item: ItemView,
    /// Where it plays in the list.
    pub href: String,
    /// It is the one that plays.
    pub here: bool,
    pub first: bool,
    pub last: bool,
}

/// What a page of lists is asked.
#[derive(Debug, Deserialize)]
pub struct At {
    item: Option<i64>,
}

/// Forms about lists.
#[derive(Debug, Deserialize)]
pub struct Form {
    #[serde(rename = "do")]
    what: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    public: String,
    item: Option<MediaId>,
    list: Option<ListId>,
}

async fn lists_page(
    reader: &Reader,
    item: Option<MediaId>,
    services: (&Library, &Pages, &Accounts),
) -> Result<ListsPage> {
    let ((library, pages, accounts), sight) = (services, Sight::from(reader));
    let item = match item {
        Some(id) => Some(library.item(id, sight).await?),
        None => None,
    };
    let found = library.db().read(move |conn| list::all(conn, sight)).await?;
    let mut lists = Vec::new();
    for (one, count) in found {
        let own = sight.0 == Some(one.user_id);
        // An item goes only into what is one's own.
        if item.is_none() || own {
            let by = name_of(accounts, &one).await?;
            lists.push(Line { id: one.id, name: one.name, public: one.public, count, own, by });
        }
    }
    let makes = reader.visitor.as_ref().is_some_and(|v| accounts.allows(&v.person, Right::Files));
    let title = if item.is_some() { t("Add to a list") } else { t("Lists") };
    let shell = pages.shell(reader.viewer(), title, "/media").await;
    let item = item.map(|item| (item.id, item.title));
    Ok(ListsPage { shell, lists, makes, item, name: String::new(), errors: FieldErrors::default() })
}

async fn name_of(accounts: &Accounts, list: &List) -> Result<String> {
    let person = accounts.directory.get(list.user_id).await?;
    Ok(person.map(|person| person.display_name.clone()).unwrap_or_default())
}

/// `GET /media/lists`; with `?item=`, which of one's own it is to be put into.
pub async fn lists(
    reader: Reader,
    at: web::Query<At>,
    services: (web::Data<Library>, web::Data<Pages>, web::Data<Accounts>),
) -> Result<HttpResponse> {
    let (library, pages, accounts) = services;
    let page = lists_page(&reader, at.item.map(MediaId), (&library, &pages, &accounts)).await?;
    html(StatusCode::OK, &page)
}

/// `POST /media/lists`: makes a list, or puts an item into one.
pub async fn change_lists(
    visitor: Visitor,
    form: web::Form<Form>,
    services: (web::Data<Library>, web::Data<Pages>, web::Data<Accounts>),
) -> Result<HttpResponse> {
    let (library, pages, accounts) = services;
    let (form, user) = (form.into_inner(), visitor.person.id);
    let made = match (form.what.as_str(), form.item, form.list) {
        ("make", item, _) => {
            accounts.allow(&visitor.person, Right::Files)?;
            let public = !form.public.is_empty();
            match parse_name(&form.name) {
                Ok(name) => {
                    let make = move |conn: &mut Conn| {
                        let made = list::create(conn, user, &name, public)?;
                        item.map(|item| list::add(conn, made.id, user, item)).transpose()?;
                        Ok(made)
                    };
                    library.db().write(make).await
                }
                Err(error) => Err(error),
            }
        }
        ("add", Some(item), Some(id)) => {
            library.db().write(move |conn| list::add(conn, id, user, item)).await
        }
        _ => return Err(Error::bad_request("bad_request", "This form doesn't say what to do.")),
    };
    match made {
        Ok(list) => Ok(see_other(&format!("/media/lists/{}", list.id))),
        Err(error @ Error::Invalid(_)) => {
            let reader = Reader { visitor: Some(visitor) };
            let page = lists_page(&reader, form.item, (&library, &pages, &accounts)).await?;
            let errors = FieldErrors::of_error(&error, "name");
            html(StatusCode::UNPROCESSABLE_ENTITY, &ListsPage { name: form.name, errors, ..page })
        }
        Err(error) => Err(error),
    }
}

async fn list_page(
    reader: &Reader,
    id: ListId,
    asked: Option<MediaId>,
    services: (&Library, &Pages, &Accounts),
) -> Result<ListPage> {
    let ((library, pages, accounts), sight) = (services, Sight::from(reader));
    let look = move |conn: &mut Conn| Ok((list::find(conn, id, sight)?, list::items(conn, id, sight)?));
    library.refresh_to_read().await?;
    let (found, items) = library.db().read(look).await?;
    let at = asked.and_then(|asked| items.iter().position(|item| item.id == asked)).unwrap_or(0);
    let href = |item: &Item| format!("/media/lists/{id}?item={}", item.id);
    let next = items.get(at + 1).map(|item| (href(item), item.title.clone()));
    let last = items.len().saturating_sub(1);
    let now = match items.get(at).cloned() {
        Some(item) => {
            let kept = match sight.0 {
                Some(user) => {
                    let id = item.id;
                    library.db().read(move |conn| position::of(conn, user, id)).await?
                }
                None => None,
            };
            let (playing, id) = (Playing::new(&item, None, kept), item.id);
            let captions = library.db().read(move |conn| caption::list(conn, id)).await?;
            Some((ItemView::from(item), playing, captions))
        }
        None => None,
    };
    let entry = |(index, item): (usize, Item)| Entry {
        href: href(&item),
        here: index == at,
        first: index == 0,
        last: index == last,
        item: item.into(),
    };
    Ok(ListPage {
        shell: pages.shell(reader.viewer(), found.name.clone(), "/media").await,
        id,
        own: sight.0 == Some(found.user_id),
        by: name_of(accounts, &found).await?,
        name: found.name,
        public: found.public,
        entries: items.into_iter().enumerate().map(entry).collect(),
        now,
        next,
        errors: FieldErrors::default(),
    })
}

/// `GET /media/lists/{id}`; with `?item=`, from this one on.
pub async fn show(
    reader: Reader,
    id: web::Path<ListId>,
    at: web::Query<At>,
    services: (web::Data<Library>, web::Data<Pages>, web::Data<Accounts>),
) -> Result<HttpResponse> {
    let (library, pages, accounts) = services;
    let page = list_page(&reader, *id, at.item.map(MediaId), (&library, &pages, &accounts)).await?;
    html(StatusCode::OK, &page)
}

/// `POST /media/lists/{id}`: changes what it is called, its order, what is in it; or deletes it.
pub async fn change(
    Speaker(visitor): Speaker,
    id: web::Path<ListId>,
    form: web::Form<Form>,
    services: (web::Data<Library>, web::Data<Pages>, web::Data<Accounts>),
) -> Result<HttpResponse> {
    let (library, pages, accounts) = services;
    let (id, form, user) = (*id, form.into_inner(), visitor.person.id);
    let back = see_other(&format!("/media/lists/{id}"));
    match (form.what.as_str(), form.item) {
        ("up" | "down", Some(item)) => {
            let up = form.what == "up";
            library.db().write(move |conn| list::step(conn, id, user, item, up)).await?;
        }
        ("take", Some(item)) => library.db().write(move |conn| list::take(conn, id, user, item)).await?,
        ("delete", _) => {
            library.db().write(move |conn| list::remove(conn, id, user)).await?;
            return Ok(see_other("/media/lists"));
        }
        ("change", _) => {
            let public = !form.public.is_empty();
            match parse_name(&form.name) {
                Ok(name) => {
                    let change =
                        move |conn: &mut Conn| list::change(conn, id, user, Some(&name), Some(public));
                    library.db().write(change).await?;
                }
                Err(error) => {
                    let reader = Reader { visitor: Some(visitor) };
                    let page = list_page(&reader, id, form.item, (&library, &pages, &accounts)).await?;
                    let errors = FieldErrors::of_error(&error, "name");
                    return html(
                        StatusCode::UNPROCESSABLE_ENTITY,
                        &ListPage { name: form.name, errors, ..page },
                    );
                }
            }
        }
        _ => return Err(Error::bad_request("bad_request", "This form doesn't say what to do.")),
    }
    Ok(back)
}
