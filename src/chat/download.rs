//! `/attachments/{id}/{name}`: what was sent, for those who may read the room that it was sent to.

use super::Chat;
use crate::accounts::Reader;
use crate::error::{Error, Result};
use crate::ids::{AttachmentId, UserId};
use crate::rooms::Db;
use crate::rooms::attachment::{self, Stored};
use crate::site::range::{Span, Unsent, Validators, Wanted};
use actix_web::body::{BodySize, MessageBody};
use actix_web::http::Method;
use actix_web::http::header::{
    ACCEPT_RANGES, ALLOW, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_RANGE, CONTENT_SECURITY_POLICY,
    CONTENT_TYPE, Charset, ContentDisposition, DispositionParam, DispositionType, ETAG, ExtendedValue,
    X_CONTENT_TYPE_OPTIONS,
};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// An attachment never changes; it can only be removed, with its address.
const FOR_GOOD: &str = "private, max-age=31536000, immutable";
/// Opened by itself it is a document of this origin: it may show its own pixels and nothing else.
const POLICY: &str = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; sandbox";
/// Bytes read in one go. SQLite walks a blob from its beginning each time, so that small pieces of a large one cost
/// more than they save.
const PIECE: u64 = 1024 * 1024;

/// `GET` and `HEAD`; with `?thumbnail` the small picture, with `?download` the browser saves it.
pub async fn get(reader: Reader, request: HttpRequest, chat: web::Data<Chat>) -> Result<HttpResponse> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Ok(HttpResponse::MethodNotAllowed().insert_header((ALLOW, "GET, HEAD")).finish());
    }
    let nothing = Error::NotFound("There is no such file.");
    let id: Option<AttachmentId> = request.match_info().get("id").and_then(|id| id.parse().ok());
    let id = id.ok_or(nothing)?;
    // A signed-out reader is nobody's member; the board and the channels are open to them here.
    let user = reader.visitor.as_ref().map_or(UserId(0), |v| v.person.id);
    let db = chat.rooms.db.clone();
    let stored = db.read(move |conn| attachment::find(conn, user, id)).await?;
    answer(&request, db, id, stored)
}

fn asks_for(request: &HttpRequest, word: &str) -> bool {
    request.query_string().split('&').any(|pair| pair.split('=').next() == Some(word))
}

fn answer(request: &HttpRequest, db: Db, id: AttachmentId, stored: Stored) -> Result<HttpResponse> {
    let small = asks_for(request, "thumbnail");
    let mime = if small { stored.thumbnail_mime.clone() } else { Some(stored.mime.clone()) };
    let mime = mime.ok_or(Error::NotFound("There is no such file."))?;
    let size = stored.bytes(small);
    let validators = Validators::new(format!("{id}{}", if small { "-small" } else { "" }), None);
    let wanted = validators.judge(request, size);
    let (mut response, span) = match wanted {
        Wanted::PreconditionFailed => return Ok(HttpResponse::PreconditionFailed().finish()),
        Wanted::NotSatisfiable => {
            let range = (CONTENT_RANGE, format!("bytes */{size}"));
            return Ok(HttpResponse::RangeNotSatisfiable().insert_header(range).finish());
        }
        Wanted::NotModified => (HttpResponse::NotModified(), Span { start: 0, length: 0 }),
        Wanted::Part(span) => (HttpResponse::PartialContent(), span),
        // Nobody assembles a picture from many parts; the whole is a correct answer.
        Wanted::Whole | Wanted::Parts(_) => (HttpResponse::Ok(), Span { start: 0, length: size }),
    };
    response
        .insert_header((ETAG, validators.tag.to_string()))
        .insert_header((ACCEPT_RANGES, "bytes"))
        .insert_header((CACHE_CONTROL, FOR_GOOD))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((CONTENT_SECURITY_POLICY, POLICY));
    if wanted == Wanted::NotModified {
        return Ok(response.finish());
    }
    let shown = mime.starts_with("image/") && !asks_for(request, "download");
    response
        .insert_header((CONTENT_TYPE, mime))
        .insert_header((CONTENT_DISPOSITION, disposition(&stored.name, shown)));
    if let Wanted::Part(Span { start, length }) = wanted {
        response.insert_header((CONTENT_RANGE, format!("bytes {start}-{}/{size}", start + length - 1)));
    }
    if *request.method() == Method::HEAD {
        return Ok(response.body(Unsent(size)));
    }
    Ok(response.body(Blob { db, hash: stored.hash, small, rest: span, length: span.length, reading: None }))
}

/// The name in any script (RFC 6266, appendix D: the extended form alone is enough today).
fn disposition(name: &str, shown: bool) -> ContentDisposition {
    let value =
        ExtendedValue { charset: Charset::Ext("UTF-8".into()), language_tag: None, value: name.into() };
    let disposition = if shown { DispositionType::Inline } else { DispositionType::Attachment };
    ContentDisposition { disposition, parameters: vec![DispositionParam::FilenameExt(value)] }
}

type Reading = Pin<Box<dyn Future<Output = Result<Vec<u8>>>>>;

/// Stored bytes that are read while they are sent, so that a slow client keeps a piece of memory and no connection to
/// the database.
struct Blob {
    db: Db,
    hash: String,
    small: bool,
    rest: Span,
    length: u64,
    reading: Option<Reading>,
}

impl Blob {
    fn read(&mut self) -> Reading {
        let (db, hash, small) = (self.db.clone(), self.hash.clone(), self.small);
        let Span { start, length } = self.rest;
        let count = length.min(PIECE);
        self.rest = Span { start: start + count, length: length - count };
        Box::pin(async move { db.read(move |conn| attachment::read(conn, &hash, small, start, count)).await })
    }
}

impl MessageBody for Blob {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.length)
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let mut reading = match self.reading.take() {
            Some(reading) => reading,
            None if self.rest.length == 0 => return Poll::Ready(None),
            None => self.read(),
        };
        match reading.as_mut().poll(context) {
            Poll::Pending => {
                self.reading = Some(reading);
                Poll::Pending
            }
            Poll::Ready(Ok(bytes)) => Poll::Ready(Some(Ok(bytes.into()))),
            // Removed meanwhile: the answer ends early, which the client sees by its length.
            Poll::Ready(Err(error)) => Poll::Ready(Some(Err(error.into()))),
        }
    }
}
