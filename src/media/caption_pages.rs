//! The page on which captions are brought, chosen and removed. It works without a script.

use super::caption::{self, Caption, Draft};
use super::library::Library;
use super::record::find_own;
use super::vtt::{BYTES_MAX, too_large};
use crate::accounts::{Accounts, Keeper, Speaker, Visitor};
use crate::error::{Error, Result};
use crate::ids::MediaId;
use crate::site::answer::{html, see_other};
use crate::site::form_data::{self, Bounds, FormData};
use crate::site::page::{FieldErrors, Pages, Shell};
use crate::site::words::filters;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use std::io::{Read as _, Seek as _};

/// The captions of one item.
#[derive(Template)]
#[template(path = "media/captions.html")]
pub struct CaptionsPage {
    pub shell: Shell,
    /// `/media/{id}`
    pub href: String,
    pub captions: Vec<Caption>,
    /// As typed.
    pub language: String,
    pub label: String,
    pub errors: FieldErrors,
}

async fn page(visitor: &Visitor, id: MediaId, library: &Library, pages: &Pages) -> Result<CaptionsPage> {
    let by = Keeper::from(&*visitor.person);
    let look = move |conn: &mut crate::db::Conn| Ok((find_own(conn, id, by)?, caption::list(conn, id)?));
    let (item, captions) = library.db().read(look).await?;
    Ok(CaptionsPage {
        shell: pages.shell(Some(visitor.viewer()), item.title, "/media").await,
        href: format!("/media/{id}"),
        captions,
        language: String::new(),
        label: String::new(),
        errors: FieldErrors::default(),
    })
}

/// `GET /media/{id}/captions`
pub async fn show(
    visitor: Visitor,
    id: web::Path<MediaId>,
    library: web::Data<Library>,
    pages: web::Data<Pages>,
) -> Result<HttpResponse> {
    html(StatusCode::OK, &page(&visitor, *id, &library, &pages).await?)
}

/// `POST /media/{id}/captions`: adds, prefers or removes, as the field `do` says.
pub async fn change(
    Speaker(visitor): Speaker,
    id: web::Path<MediaId>,
    request: HttpRequest,
    payload: web::Payload,
    services: (web::Data<Library>, web::Data<Pages>, web::Data<Accounts>),
) -> Result<HttpResponse> {
    let (library, pages, accounts) = services;
    let (id, by) = (*id, Keeper::from(&*visitor.person));
    let bounds = Bounds { folder: &accounts.config.data, file_bytes: BYTES_MAX as u64, files: 1 };
    let form = form_data::read_any(&request, payload, bounds).await.map_err(|error| match error {
        Error::TooLarge(_) => too_large(),
        error => error,
    })?;
    let language = form.field("language");
    match form.field("do").as_str() {
        "prefer" => library.db().write(move |conn| caption::prefer(conn, id, by, &language)).await?,
        "remove" => library.db().write(move |conn| caption::remove(conn, id, by, &language)).await?,
        "add" => {
            let (language, label) = (form.field("language"), form.field("label"));
            match add(&library, id, by, form).await {
                Err(error @ Error::Invalid(_)) => {
                    let errors = FieldErrors::of_error(&error, "file");
                    let page = page(&visitor, id, &library, &pages).await?;
                    let page = CaptionsPage { language, label, errors, ..page };
                    return html(StatusCode::UNPROCESSABLE_ENTITY, &page);
                }
                added => added?,
            }
        }
        _ => return Err(Error::bad_request("bad_request", "This form doesn't say what to do.")),
    }
    Ok(see_other(&format!("/media/{id}/captions")))
}

async fn add(library: &Library, id: MediaId, by: Keeper, mut form: FormData) -> Result<()> {
    let file = form.files.pop().ok_or_else(|| Error::field("file", "Choose a file with captions."))?;
    let check = move || {
        let (mut file, mut bytes) = (file.file, Vec::new());
        file.rewind().and_then(|()| file.read_to_end(&mut bytes)).map_err(Error::internal)?;
        let usual = !form.field("usual").is_empty();
        Draft::check(&form.field("language"), &form.field("label"), usual, &bytes)
    };
    let draft = tokio::task::spawn_blocking(check).await.map_err(Error::internal)??;
    library.db().write(move |conn| caption::put(conn, id, by, &draft)).await
}

#[cfg(test)]
mod page_tests {
    use super::*;

    #[test]
    fn what_was_typed_is_escaped() {
        let hostile = "\"><script>alert('x')</script>".to_owned();
        let caption =
            Caption { language: hostile.clone(), label: hostile.clone(), usual: false, added_at: 0 };
        let page = CaptionsPage {
            shell: Shell::new(hostile.clone(), "/media"),
            href: "/media/1".into(),
            captions: vec![caption],
            language: hostile.clone(),
            label: hostile.clone(),
            errors: FieldErrors::one("file", hostile),
        };
        assert!(!page.render().unwrap().contains("<script>alert"));
    }
}
