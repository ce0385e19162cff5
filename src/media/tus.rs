//! Uploads over HTTP by the protocol tus 1.0 (<https://tus.io/protocols/resumable-upload>), so that its clients work: core,
//! creation, creation-with-upload, checksum, expiration, termination.

use super::receive::{CHECKSUM, Checksum, Sending};
use super::reception::{Reception, State};
use super::upload::{KEPT, UploadId};
use crate::accounts::{Accounts, Visitor};
use crate::clock::now_ms;
use crate::config::Right;
use crate::error::{Error, Result};
use crate::ids::UserId;
use crate::site::limit::Limits;
use actix_web::http::header::{ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HttpDate, LOCATION};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, ResponseError as _, web};
use data_encoding::BASE64;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use std::time::{Duration, UNIX_EPOCH};

const VERSION: (&str, &str) = ("Tus-Resumable", "1.0.0");
const EXTENSIONS: &str = "creation,creation-with-upload,checksum,expiration,termination";
const BYTES: &str = "application/offset+octet-stream";
/// The protocol's own status for bytes that don't add up.
const CHECKSUM_MISMATCH: u16 = 460;
/// Characters of a file's name in the metadata; longer ones are cut later on.
const NAME_MAX: usize = 4096;

/// `OPTIONS /api/v1/media` and of one upload: what of the protocol is spoken here.
pub async fn options(reception: web::Data<Reception>) -> HttpResponse {
    let most = reception.quota.person.min(reception.quota.total);
    HttpResponse::NoContent()
        .insert_header(VERSION)
        .insert_header(("Tus-Version", "1.0.0"))
        .insert_header(("Tus-Extension", EXTENSIONS))
        .insert_header(("Tus-Checksum-Algorithm", "sha1,sha256"))
        .insert_header(("Tus-Max-Size", most.to_string()))
        .finish()
}

/// Announces a file by the protocol tus 1.0, and may bring its first bytes.
#[utoipa::path(post, path = "/api/v1/media", tag = "media",
    params(("Tus-Resumable" = String, Header, description = "1.0.0"), ("Upload-Length" = i64, Header),
        ("Upload-Metadata" = Option<String>, Header, description = "`filename` and its value in base64")),
    responses((status = 201, description = "`Location` is where the bytes go by PATCH"), (status = 401),
        (status = 403, description = "A guest without the right"), (status = 412, description = "Another version of tus"),
        (status = 413, description = "More than the quota leaves"), (status = 422)))]
pub async fn create(
    visitor: Visitor,
    request: HttpRequest,
    payload: web::Payload,
    accounts: web::Data<Accounts>,
    limits: web::Data<Limits>,
    reception: web::Data<Reception>,
) -> HttpResponse {
    let outcome = async {
        accounts.allow(&visitor.person, Right::Files)?;
        limits.upload(visitor.person.id)?;
        announce(&request, payload, visitor.person.id, &reception).await
    };
    spoken(&request, outcome).await
}

async fn announce(
    request: &HttpRequest,
    payload: web::Payload,
    user: UserId,
    reception: &Reception,
) -> Result<HttpResponse> {
    if header(request, "Upload-Defer-Length").is_some() {
        return Err(Error::bad_request("length_needed", "The length has to be known: send Upload-Length."));
    }
    let length = number(request, "Upload-Length")?;
    let name = file_name(header(request, "Upload-Metadata").unwrap_or_default())?;
    let upload = reception.announce(user, &name, length).await?;
    let mut response = HttpResponse::Created();
    response.insert_header((LOCATION, format!("/api/v1/media/uploads/{}", upload.id)));
    let mut state = State { offset: 0, length, item: None, known: false };
    if header(request, CONTENT_TYPE.as_str()) == Some(BYTES) {
        state = reception.receive(&upload.id, user, sending(request, payload, 0)?).await?;
    }
    Ok(tell(&mut response, &state).finish())
}

/// How much of an upload has arrived: `HEAD`.
#[utoipa::path(head, path = "/api/v1/media/uploads/{id}", tag = "media", params(("id" = String, Path)),
    responses((status = 200, description = "`Upload-Offset`, `Upload-Length`; `Hubbub-Item` once it is one"),
        (status = 401), (status = 404)))]
pub async fn status(
    visitor: Visitor,
    request: HttpRequest,
    id: web::Path<String>,
    reception: web::Data<Reception>,
) -> HttpResponse {
    let outcome = async {
        let state = reception.state(&parse(&id)?, visitor.person.id).await?;
        let mut response = HttpResponse::Ok();
        response
            .insert_header(("Upload-Length", state.length.to_string()))
            .insert_header((CACHE_CONTROL, "no-store"));
        Ok(tell(&mut response, &state).finish())
    };
    spoken(&request, outcome).await
}

/// Brings the next bytes.
#[utoipa::path(patch, path = "/api/v1/media/uploads/{id}", tag = "media",
    params(("id" = String, Path), ("Upload-Offset" = i64, Header),
        ("Upload-Checksum" = Option<String>, Header, description = "`sha1` or `sha256`, and the digest in base64")),
    request_body(content = Vec<u8>, content_type = "application/offset+octet-stream"),
    responses((status = 204, description = "`Upload-Offset`; `Hubbub-Item` when it was the last part"), (status = 401), (status = 404),
        (status = 409, description = "Another offset"), (status = 422, description = "No media; the upload is given up"),
        (status = 460, description = "Another checksum; nothing of it is kept")))]
pub async fn append(
    visitor: Visitor,
    request: HttpRequest,
    id: web::Path<String>,
    payload: web::Payload,
    accounts: web::Data<Accounts>,
    reception: web::Data<Reception>,
) -> HttpResponse {
    let outcome = async {
        accounts.allow(&visitor.person, Right::Files)?;
        if header(&request, CONTENT_TYPE.as_str()) != Some(BYTES) {
            return Ok(HttpResponse::UnsupportedMediaType().finish());
        }
        let sending = sending(&request, payload, number(&request, "Upload-Offset")?)?;
        let state = reception.receive(&parse(&id)?, visitor.person.id, sending).await?;
        Ok(tell(&mut HttpResponse::NoContent(), &state).finish())
    };
    spoken(&request, outcome).await
}

/// Gives an upload up; its bytes are removed.
#[utoipa::path(delete, path = "/api/v1/media/uploads/{id}", tag = "media", params(("id" = String, Path)),
    responses((status = 204), (status = 401), (status = 404)))]
pub async fn terminate(
    visitor: Visitor,
    request: HttpRequest,
    id: web::Path<String>,
    reception: web::Data<Reception>,
) -> HttpResponse {
    let outcome = async {
        reception.discard(&parse(&id)?, visitor.person.id).await?;
        Ok(HttpResponse::NoContent().finish())
    };
    spoken(&request, outcome).await
}

/// `POST` to an upload, from where only GET and POST get through: the header says what is meant.
pub async fn overridden(
    visitor: Visitor,
    request: HttpRequest,
    id: web::Path<String>,
    payload: web::Payload,
    accounts: web::Data<Accounts>,
    reception: web::Data<Reception>,
) -> HttpResponse {
    match header(&request, "X-HTTP-Method-Override").and_then(|name| name.parse::<Method>().ok()) {
        Some(Method::PATCH) => append(visitor, request, id, payload, accounts, reception).await,
        Some(Method::DELETE) => terminate(visitor, request, id, reception).await,
        Some(Method::HEAD) => status(visitor, request, id, reception).await,
        _ => HttpResponse::MethodNotAllowed().insert_header((ALLOW, "HEAD, PATCH, DELETE")).finish(),
    }
}

/// Answers in the protocol: its version is asked for first and said in every answer.
async fn spoken(request: &HttpRequest, outcome: impl Future<Output = Result<HttpResponse>>) -> HttpResponse {
    let mut response = if header(request, VERSION.0) == Some(VERSION.1) {
        outcome.await.unwrap_or_else(|error| refuse(&error))
    } else {
        HttpResponse::PreconditionFailed().insert_header(("Tus-Version", VERSION.1)).finish()
    };
    let headers = response.headers_mut();
    headers.insert(
        actix_web::http::header::HeaderName::from_static("tus-resumable"),
        actix_web::http::header::HeaderValue::from_static(VERSION.1),
    );
    response
}

fn refuse(error: &Error) -> HttpResponse {
    let mut response = error.error_response();
    if error.code() == CHECKSUM
        && let Ok(status) = StatusCode::from_u16(CHECKSUM_MISMATCH)
    {
        *response.status_mut() = status;
    }
    response
}

fn tell<'a>(response: &'a mut HttpResponseBuilder, state: &State) -> &'a mut HttpResponseBuilder {
    response.insert_header(("Upload-Offset", state.offset.to_string()));
    match state.item {
        Some(item) => {
            response.insert_header(("Hubbub-Item", item.to_string()));
            if state.known {
                response.insert_header(("Hubbub-Known", "true"));
            }
        }
        None => {
            let ends = u64::try_from(now_ms() + KEPT).unwrap_or_default();
            response.insert_header((
                "Upload-Expires",
                HttpDate::from(UNIX_EPOCH + Duration::from_millis(ends)).to_string(),
            ));
        }
    }
    response
}

fn sending(request: &HttpRequest, payload: web::Payload, offset: u64) -> Result<Sending> {
    let bytes = header(request, CONTENT_LENGTH.as_str()).and_then(|value| value.parse().ok());
    let checksum = header(request, "Upload-Checksum").map(checksum).transpose()?;
    Ok(Sending { payload, offset, bytes, checksum, open: false })
}

fn checksum(text: &str) -> Result<Checksum> {
    let unknown =
        || Error::bad_request("checksum_unknown", "Checksums are sha1 or sha256, with the digest in base64.");
    let (algorithm, digest) = text.trim().split_once(' ').ok_or_else(unknown)?;
    let digest = BASE64.decode(digest.trim().as_bytes()).map_err(|_| unknown())?;
    match algorithm {
        "sha1" => Ok(Checksum::Sha1(Sha1::new(), digest)),
        "sha256" => Ok(Checksum::Sha256(Sha256::new(), digest)),
        _ => Err(unknown()),
    }
}

fn header<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    request.headers().get(name)?.to_str().ok().map(str::trim)
}

fn number(request: &HttpRequest, name: &str) -> Result<u64> {
    let value = header(request, name).and_then(|text| text.parse::<u64>().ok());
    value.filter(|number| i64::try_from(*number).is_ok()).ok_or_else(|| {
        let words = format!("The header {name} is needed here, a number of bytes.");
        Error::bad_request("header_needed", words)
    })
}

fn parse(id: &str) -> Result<UploadId> {
    UploadId::parse(id)
        .ok_or(Error::NotFound("There is no such upload. It may have been given up too long ago."))
}

/// The file's name in `Upload-Metadata`; empty when there is none.
fn file_name(metadata: &str) -> Result<String> {
    let unreadable =
        || Error::bad_request("bad_metadata", "Upload-Metadata is names, each with its value in base64.");
    let mut name = String::new();
    for pair in metadata.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once(' ').unwrap_or((pair, ""));
        let value = BASE64.decode(value.trim().as_bytes()).map_err(|_| unreadable())?;
        if key == "filename" || (key == "name" && name.is_empty()) {
            name = String::from_utf8(value).map_err(|_| unreadable())?;
        }
    }
    if name.chars().count() > NAME_MAX { Err(unreadable()) } else { Ok(name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_gives_the_name_or_is_refused() {
        assert_eq!(file_name("filename ZmlsbS5tcDQ=,filetype dmlkZW8vbXA0").unwrap(), "film.mp4");
        assert_eq!(file_name("is_private, name ZmlsbS5tcDQ=").unwrap(), "film.mp4");
        assert_eq!(file_name("name eC5tcDM=,filename ZmlsbS5tcDQ=").unwrap(), "film.mp4");
        assert_eq!(file_name("").unwrap(), "");
        for wrong in ["filename !!!", "filename /////w=="] {
            assert_eq!(file_name(wrong).map_err(|e| e.code()), Err("bad_metadata"), "{wrong}");
        }
    }

    #[test]
    fn a_checksum_is_one_of_two_kinds() {
        assert!(checksum("sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=").is_ok());
        for wrong in ["md5 Kq5sNclPz7QV2+lfQIuc6R7oRu0=", "sha1", "sha256 ???", ""] {
            assert_eq!(checksum(wrong).err().map(|e| e.code()), Some("checksum_unknown"), "{wrong}");
        }
    }
}
