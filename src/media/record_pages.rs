//! Pages about what is said of an item, and the trash. They work without a script.

use super::chapter;
use super::item::Item;
use super::library::Library;
use super::pages::ItemView;
use super::record::{self, Wish, find_own};
use super::sight::{Audience, groups};
use crate::accounts::{Keeper, Speaker, Visitor};
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::ids::{MediaId, RoomId};
use crate::site::answer::{html, see_other};
use crate::site::page::{FieldErrors, Pages, Shell};
use crate::site::words::{fill, filters, t};
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;

/// What is said of one item, to be changed.
#[derive(Template)]
#[template(path = "media/edit.html")]
pub struct EditPage {
    pub shell: Shell,
    /// `/media/{id}`
    pub href: String,
    /// Each as typed, otherwise as it is.
    pub title: String,
    pub description: String,
    /// With commas between.
    pub tags: String,
    pub licence: String,
    /// One a line, those of the keeper alone.
    pub chapters: String,
    /// How many the file brings along.
    pub file_chapters: usize,
    /// For whom it can be.
    pub audiences: Vec<Choice>,
    pub errors: FieldErrors,
}

/// Somebody whom an item can be for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// `all`, `own`, or a group's number.
    pub value: String,
    pub words: String,
    pub chosen: bool,
}

/// The trash.
#[derive(Template)]
#[template(path = "media/trash.html")]
pub struct TrashPage {
    pub shell: Shell,
    /// The last one put away first.
    pub items: Vec<Discarded>,
}

/// One item in the trash.
pub struct Discarded {
    pub id: MediaId,
    pub view: ItemView,
}

/// The form of [`EditPage`].
#[derive(Debug, Deserialize)]
pub struct EditForm {
    /// `change` or `trash`.
    #[serde(rename = "do")]
    what: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    tags: String,
    #[serde(default)]
    licence: String,
    /// Nothing where they stay.
    chapters: Option<String>,
    /// As in [`Choice`]; nothing where it stays.
    #[serde(default)]
    audience: String,
}

/// `GET /media/{id}/edit`
pub async fn edit(
    visitor: Visitor,
    id: web::Path<MediaId>,
    library: web::Data<Library>,
    pages: web::Data<Pages>,
) -> Result<HttpResponse> {
    let (id, by) = (*id, Keeper::from(&*visitor.person));
    let found = library.db().read(move |conn| own_and_groups(conn, id, by)).await?;
    html(StatusCode::OK, &page_of(&visitor, found, &pages).await)
}

type Groups = Vec<(RoomId, String)>;

/// An item that this person may change, and the groups that they may give it to.
fn own_and_groups(conn: &mut Conn, id: MediaId, by: Keeper) -> Result<(Item, Groups)> {
    Ok((find_own(conn, id, by)?, groups(conn, by.id)?))
}

fn choices(item: &Item, groups: Groups) -> Vec<Choice> {
    let choice = |value: String, words: String, chosen| Choice { value, words, chosen };
    let mut all = vec![choice("all".into(), t("Everybody").into(), item.audience == Audience::All)];
    let given = item.room_id.filter(|_| item.audience == Audience::Group);
    if let Some(room) = given.filter(|room| !groups.iter().any(|(id, _)| id == room)) {
        all.push(choice(room.to_string(), t("A group that you are not in").into(), true));
    }
    for (id, name) in groups {
        let words = fill(t("The members of {name}"), "name", &name);
        all.push(choice(id.to_string(), words, given == Some(id)));
    }
    if item.user_id.is_some() {
        all.push(choice("own".into(), t("Its uploader alone").into(), item.audience == Audience::Own));
    }
    all
}

/// What a [`Choice`] says.
fn chosen(value: &str) -> Result<(Option<Audience>, Option<RoomId>)> {
    Ok(match value {
        "" => (None, None),
        "all" => (Some(Audience::All), None),
        "own" => (Some(Audience::Own), None),
        room => {
            let room =
                room.parse().map_err(|_| Error::field("audience", "Choose a group that you are in."))?;
            (Some(Audience::Group), Some(room))
        }
    })
}

async fn page_of(visitor: &Visitor, (item, groups): (Item, Groups), pages: &Pages) -> EditPage {
    EditPage {
        audiences: choices(&item, groups),
        chapters: chapter::lines(&item.own_chapters()),
        file_chapters: item.file_chapters().len(),
        shell: pages.shell(Some(visitor.viewer()), item.title.clone(), "/media").await,
        href: format!("/media/{}", item.id),
        tags: item.tags().collect::<Vec<_>>().join(", "),
        title: item.title,
        description: item.description,
        licence: item.licence,
        errors: FieldErrors::default(),
    }
}

/// `POST /media/{id}/edit`
pub async fn save(
    Speaker(visitor): Speaker,
    id: web::Path<MediaId>,
    form: web::Form<EditForm>,
    library: web::Data<Library>,
    pages: web::Data<Pages>,
) -> Result<HttpResponse> {
    let (id, by, form) = (*id, Keeper::from(&*visitor.person), form.into_inner());
    if form.what == "trash" {
        library.put_away(id, by, true).await?;
        return Ok(see_other("/media/trash"));
    }
    let wish = chosen(&form.audience).map(|(audience, room)| Wish {
        audience,
        room,
        chapters: form.chapters.clone(),
        title: Some(form.title.clone()),
        description: Some(form.description.clone()),
        tags: Some(vec![form.tags.clone()]),
        licence: Some(form.licence.clone()),
    });
    let saved = match wish {
        Ok(wish) => library.describe(id, by, wish).await,
        Err(error) => Err(error),
    };
    match saved {
        // Whoever looks after the place may have given it to people of whom they are none.
        Ok(item) => match library.item(item.id, &visitor).await {
            Ok(item) => Ok(see_other(&format!("/media/{}", item.id))),
            Err(_) => Ok(see_other("/media")),
        },
        Err(error @ Error::Invalid(_)) => {
            let found = library.db().read(move |conn| own_and_groups(conn, id, by)).await?;
            let EditForm { title, description, tags, licence, chapters, .. } = form;
            let chapters = chapters.unwrap_or_default();
            let errors = FieldErrors::of_error(&error, "title");
            let page = page_of(&visitor, found, &pages).await;
            html(
                StatusCode::UNPROCESSABLE_ENTITY,
                &EditPage { title, description, tags, licence, chapters, errors, ..page },
            )
        }
        Err(error) => Err(error),
    }
}

/// `GET /media/trash`
pub async fn trash(
    visitor: Visitor,
    library: web::Data<Library>,
    pages: web::Data<Pages>,
) -> Result<HttpResponse> {
    let by = Keeper::from(&*visitor.person);
    let items = library.db().read(move |conn| record::trash(conn, by)).await?;
    let items = items.into_iter().map(|item| Discarded { id: item.id, view: item.into() }).collect();
    let shell = pages.shell(Some(visitor.viewer()), t("Trash"), "/media").await;
    html(StatusCode::OK, &TrashPage { shell, items })
}

/// A form of the trash.
#[derive(Debug, Deserialize)]
pub struct TrashForm {
    /// `restore` or `delete`.
    #[serde(rename = "do")]
    what: String,
    id: MediaId,
}

/// `POST /media/trash`
pub async fn take_out(
    visitor: Visitor,
    form: web::Form<TrashForm>,
    library: web::Data<Library>,
) -> Result<HttpResponse> {
    let by = Keeper::from(&*visitor.person);
    match form.what.as_str() {
        "restore" => {
            library.put_away(form.id, by, false).await?;
            Ok(see_other(&format!("/media/{}", form.id)))
        }
        "delete" => {
            library.delete(form.id, by).await?;
            Ok(see_other("/media/trash"))
        }
        _ => Err(Error::bad_request("bad_request", "This form doesn't say what to do.")),
    }
}

#[cfg(test)]
mod page_tests {
    use super::*;

    const HOSTILE: &str = "\"></textarea><script>alert('x')</script>";

    #[test]
    fn what_was_typed_is_escaped() {
        let page = EditPage {
            shell: Shell::new(HOSTILE, "/media"),
            href: "/media/1".into(),
            title: HOSTILE.into(),
            description: HOSTILE.into(),
            tags: HOSTILE.into(),
            licence: HOSTILE.into(),
            chapters: HOSTILE.into(),
            file_chapters: 2,
            audiences: vec![Choice { value: HOSTILE.into(), words: HOSTILE.into(), chosen: true }],
            errors: FieldErrors::one("title", HOSTILE),
        };
        assert!(!page.render().unwrap().contains("<script>alert"));
        let view = ItemView { title: HOSTILE.into(), ..ItemView::default() };
        let items = vec![Discarded { id: MediaId(1), view }];
        let page = TrashPage { shell: Shell::new("Trash", "/media"), items };
        assert!(!page.render().unwrap().contains("<script>alert"));
    }
}
