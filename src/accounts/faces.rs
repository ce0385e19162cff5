//! The pictures that people choose for themselves, in the place of their colour.
//!
//! Whatever shows a face, a page or a script, knows only whose it is. So one style sheet says what each chosen picture
//! looks like; its address changes with its content, and browsers keep both it and the pictures.

use super::settings::settings_page;
use super::state::{Accounts, Db};
use super::user::{self, Person};
use super::visitor::{Reader, Visitor};
use crate::clock::now_ms;
use crate::config::Right;
use crate::db::Conn;
use crate::db::schema::accounts::{pictures, users};
use crate::error::{Error, Result};
use crate::events::Event;
use crate::ids::UserId;
use crate::on_conn;
use crate::picture::{self, Thumbnail};
use crate::site::answer::{html, see_other};
use crate::site::form_data::{self, Bounds, Upload};
use crate::site::limit::Limits;
use crate::site::page::{FieldErrors, Pages};
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, X_CONTENT_TYPE_OPTIONS};
use actix_web::{HttpRequest, HttpResponse, web};
use diesel::prelude::*;
use diesel::upsert::excluded;
use moka::future::Cache;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::io::{Read as _, Seek as _};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// How long the style sheet may answer from memory: other nodes change pictures too.
const CACHED: Duration = Duration::from_secs(10);
/// Hexadecimal digits of a hash that stand in an address.
const SHORT: usize = 16;
/// What never changes under its address; only those who are signed in may see it.
const FOR_GOOD: &str = "private, max-age=31536000, immutable";
const FOR_NOW: &str = "private, no-cache";

/// The style sheet with everybody's picture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sheet {
    css: String,
    tag: String,
}

impl Sheet {
    fn new(faces: &[(UserId, Option<String>)]) -> Self {
        let mut css = String::new();
        for (id, hash) in faces {
            let address = address(*id, hash.as_deref().unwrap_or_default());
            // Writing to a text doesn't fail.
            let _ = writeln!(
                css,
                ".face.face-{id}{{background-image:url(\"{address}\");background-size:cover;color:transparent}}"
            );
        }
        Self { tag: short_hash(css.as_bytes()), css }
    }

    /// Where it is; empty as long as nobody has chosen a picture.
    pub fn href(&self) -> String {
        if self.css.is_empty() { String::new() } else { format!("/people/faces.css?v={}", self.tag) }
    }
}

fn short_hash(bytes: &[u8]) -> String {
    let mut hash = data_encoding::HEXLOWER.encode(&Sha256::digest(bytes));
    hash.truncate(SHORT);
    hash
}

fn address(id: UserId, hash: &str) -> String {
    format!("/people/{id}/picture?v={hash}")
}

impl Person {
    /// Where the chosen picture is.
    pub fn picture_href(&self) -> Option<String> {
        self.picture.as_deref().map(|hash| address(self.id, hash))
    }
}

/// The pictures. Cheap to clone.
#[derive(Clone)]
pub struct Faces {
    db: Db,
    sheet: Cache<(), Arc<Sheet>>,
    /// Pictures that are decoded at once: a large one takes hundreds of megabytes.
    decoded: Arc<Semaphore>,
}

impl Faces {
    pub fn new(db: Db) -> Self {
        let sheet = Cache::builder().max_capacity(1).time_to_live(CACHED).build();
        Self { db, sheet, decoded: Arc::new(Semaphore::new(1)) }
    }

    /// The style sheet as it is now.
    pub async fn sheet(&self) -> Result<Arc<Sheet>> {
        if let Some(sheet) = self.sheet.get(&()).await {
            return Ok(sheet);
        }
        let sheet = Arc::new(Sheet::new(&self.db.read(chosen).await?));
        self.sheet.insert((), sheet.clone()).await;
        Ok(sheet)
    }

    async fn prepare(&self, upload: Upload) -> Result<Thumbnail> {
        let _turn = self.decoded.acquire().await.map_err(Error::internal)?;
        let work = move || {
            let Upload { mut file, size, .. } = upload;
            let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
            file.rewind().map_err(Error::internal)?;
            file.read_to_end(&mut bytes).map_err(Error::internal)?;
            let face = picture::face(&bytes).map_err(|refused| Error::field("picture", refused.0))?;
            face.ok_or_else(|| Error::field("picture", "Only JPEG, PNG, GIF and WebP are taken as pictures."))
        };
        tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
    }
}

/// Who has chosen a picture, and its hash.
fn chosen(conn: &mut Conn) -> Result<Vec<(UserId, Option<String>)>> {
    Ok(users::table
        .filter(users::picture.is_not_null())
        .order(users::id.asc())
        .select((users::id, users::picture))
        .load(conn)?)
}

fn store(conn: &mut Conn, id: UserId, face: &Thumbnail) -> Result<Person> {
    let row = (
        pictures::user_id.eq(id),
        pictures::mime.eq(face.mime),
        pictures::content.eq(&face.content),
        pictures::chosen_at.eq(now_ms()),
    );
    on_conn!(conn, c => diesel::insert_into(pictures::table)
        .values(row)
        .on_conflict(pictures::user_id)
        .do_update()
        .set((
            pictures::mime.eq(excluded(pictures::mime)),
            pictures::content.eq(excluded(pictures::content)),
            pictures::chosen_at.eq(excluded(pictures::chosen_at)),
        ))
        .execute(c))?;
    let hash = short_hash(&face.content);
    diesel::update(users::table.find(id)).set(users::picture.eq(Some(hash))).execute(conn)?;
    user::find(conn, id)
}

fn remove(conn: &mut Conn, id: UserId) -> Result<Person> {
    diesel::delete(pictures::table.find(id)).execute(conn)?;
    diesel::update(users::table.find(id)).set(users::picture.eq(None::<String>)).execute(conn)?;
    user::find(conn, id)
}

impl Accounts {
    /// Puts a picture in the place of somebody's colour, or with nothing the colour in its place again.
    async fn change_picture(&self, id: UserId, face: Option<Thumbnail>) -> Result<Arc<Person>> {
        let change = move |conn: &mut Conn| match &face {
            Some(face) => store(conn, id, face),
            None => remove(conn, id),
        };
        let person = self.directory.put(self.db.write(change).await?);
        self.faces.sheet.invalidate(&()).await;
        self.events.publish(&Event::ProfileChanged(id));
        Ok(person)
    }

    /// The file of a form as the visitor's picture.
    async fn choose(
        &self,
        visitor: &Visitor,
        limits: &Limits,
        request: &HttpRequest,
        payload: web::Payload,
    ) -> Result<Arc<Person>> {
        self.allow(&visitor.person, Right::Files)?;
        limits.upload(visitor.person.id)?;
        let bounds = Bounds { folder: &self.config.data, file_bytes: self.config.attachment_bytes, files: 1 };
        let form = form_data::read(request, payload, bounds).await?;
        let Some(upload) = form.files.into_iter().next() else {
            return Err(Error::field("picture", "Choose a picture first."));
        };
        let face = self.faces.prepare(upload).await?;
        self.change_picture(visitor.person.id, Some(face)).await
    }
}

/// `POST /settings/picture`: the form with the file.
pub async fn choose(
    accounts: web::Data<Accounts>,
    pages: web::Data<Pages>,
    limits: web::Data<Limits>,
    visitor: Visitor,
    (request, payload): (HttpRequest, web::Payload),
) -> Result<HttpResponse> {
    let error = match accounts.choose(&visitor, &limits, &request, payload).await {
        Ok(_) => return Ok(see_other("/settings?done=saved")),
        Err(error @ (Error::Invalid(_) | Error::TooLarge(_) | Error::Forbidden { .. })) => error,
        Err(error) => return Err(error),
    };
    let mut page = settings_page(&accounts, &pages, &visitor, None).await?;
    page.errors = FieldErrors::one("picture", error.detail());
    html(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

/// `POST /settings/picture/remove`: back to the colour.
pub async fn remove_chosen(accounts: web::Data<Accounts>, visitor: Visitor) -> Result<HttpResponse> {
    accounts.change_picture(visitor.person.id, None).await?;
    Ok(see_other("/settings?done=saved"))
}

/// Which version somebody knows.
#[derive(Deserialize)]
pub struct Version {
    #[serde(default)]
    v: String,
}

fn lasting(asked: &str, now: &str) -> &'static str {
    if asked == now { FOR_GOOD } else { FOR_NOW }
}

/// `GET /people/faces.css`
pub async fn sheet(
    _reader: Reader,
    asked: web::Query<Version>,
    accounts: web::Data<Accounts>,
) -> Result<HttpResponse> {
    let sheet = accounts.faces.sheet().await?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/css; charset=utf-8"))
        .insert_header((CACHE_CONTROL, lasting(&asked.v, &sheet.tag)))
        .body(sheet.css.clone()))
}

/// `GET /people/{id}/picture`
pub async fn picture(
    _reader: Reader,
    id: web::Path<UserId>,
    asked: web::Query<Version>,
    accounts: web::Data<Accounts>,
) -> Result<HttpResponse> {
    let id = *id;
    let found = accounts
        .db
        .read(move |conn| {
            let row = pictures::table.find(id).select((pictures::mime, pictures::content));
            Ok(row.first::<(String, Vec<u8>)>(conn).optional()?)
        })
        .await?;
    let (mime, content) = found.ok_or(Error::NotFound("There is no such picture."))?;
    let hash = short_hash(&content);
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, mime))
        .insert_header((CACHE_CONTROL, lasting(&asked.v, &hash)))
        .insert_header((ETAG, format!("\"{hash}\"")))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(content))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sheet_has_an_address_of_its_own_for_every_content() {
        assert_eq!(Sheet::new(&[]).href(), "");
        let one = Sheet::new(&[(UserId(7), Some("abc".into()))]);
        let other = Sheet::new(&[(UserId(7), Some("abd".into()))]);
        assert!(one.css.starts_with(".face.face-7{background-image:url(\"/people/7/picture?v=abc\")"));
        assert_ne!(one.href(), other.href());
    }
}
