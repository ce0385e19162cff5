//! Forms with files (`multipart/form-data`, RFC 7578): fields in memory, files aside on the disk, nothing without a bound.

use crate::error::{Error, Result};
use actix_multipart::{Field, Multipart, MultipartError};
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE, ContentDisposition};
use actix_web::{FromRequest as _, HttpRequest, web};
use futures_core::Stream;
use std::fs::File;
use std::future::poll_fn;
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;

/// Bytes of all fields together that are no files.
const FIELDS_BYTES: usize = super::body::BODY_MAX;
/// Fields and files of one form.
const PARTS: usize = 40;
/// How long a sender may stay silent. One that is gone for good would keep its file otherwise.
const SILENCE: Duration = Duration::from_secs(30);
/// Bytes of the lines between the parts.
const FRAME_BYTES: u64 = 64 * 1024;

/// How much a form may bring.
#[derive(Clone, Copy, Debug)]
pub struct Bounds<'a> {
    /// Where files are received.
    pub folder: &'a Path,
    /// Bytes of one file.
    pub file_bytes: u64,
    pub files: usize,
}

/// A form as it came.
#[derive(Debug, Default)]
pub struct FormData {
    fields: Vec<(String, String)>,
    pub files: Vec<Upload>,
}

/// A file of a form, complete. It has no name in any folder: the end of the process is its end.
#[derive(Debug)]
pub struct Upload {
    /// The sender's name for it.
    pub name: String,
    pub file: File,
    /// Bytes.
    pub size: u64,
}

impl FormData {
    /// A form without files.
    fn typed(fields: Vec<(String, String)>) -> Self {
        Self { fields, files: Vec::new() }
    }

    /// What was typed into the field; empty when there is none.
    pub fn field(&self, name: &str) -> String {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, text)| text.clone()).unwrap_or_default()
    }
}

/// Whether the request's body is such a form.
fn is_form_data(request: &HttpRequest) -> bool {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.trim_start().to_ascii_lowercase().starts_with("multipart/form-data")
}

/// Reads a form of either kind to its end: a browser sends this one only where the page asks for it.
///
/// # Errors
/// As for [`read`].
pub async fn read_any(request: &HttpRequest, payload: web::Payload, bounds: Bounds<'_>) -> Result<FormData> {
    if is_form_data(request) {
        return read(request, payload, bounds).await;
    }
    let form = web::Form::<Vec<(String, String)>>::from_request(request, &mut payload.into_inner()).await;
    form.map(|form| FormData::typed(form.into_inner())).map_err(|error| {
        // The words are ours already: `body` gives them to whatever the extractor refuses.
        let status = error.as_response_error().status_code().as_u16();
        if status == 413 { super::body::too_large() } else { unreadable() }
    })
}

/// Reads a form to its end.
///
/// # Errors
/// `TooLarge` as soon as it is, `BadRequest` for what is no form or ends early.
pub async fn read(request: &HttpRequest, payload: web::Payload, bounds: Bounds<'_>) -> Result<FormData> {
    let most = bounds.file_bytes.saturating_mul(bounds.files as u64) + FIELDS_BYTES as u64 + FRAME_BYTES;
    let announced =
        request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|bytes| bytes > most) {
        return Err(too_large(bounds.file_bytes));
    }
    let mut parts = Multipart::new(request.headers(), payload);
    let mut form = FormData::default();
    let mut typed = 0;
    for _ in 0..=PARTS {
        let Some(mut part) = next(&mut parts).await? else { return Ok(form) };
        let name = part.name().unwrap_or_default().to_owned();
        let file_name = part.content_disposition().and_then(file_name);
        match file_name {
            Some(file_name) => {
                let upload = receive(&mut part, file_name, bounds).await?;
                // What a form sends for a file that nobody chose.
                if upload.name.is_empty() && upload.size == 0 {
                    continue;
                }
                if form.files.len() == bounds.files {
                    return Err(Error::field("file", "Those are too many files at once."));
                }
                form.files.push(upload);
            }
            None => {
                let text = text(&mut part, &mut typed).await?;
                form.fields.push((name, text));
            }
        }
    }
    Err(unreadable())
}

/// The name that makes a part a file. Browsers write it in UTF-8, others in the form for headers (RFC 8187).
fn file_name(disposition: &ContentDisposition) -> Option<String> {
    let encoded =
        disposition.get_filename_ext().map(|name| String::from_utf8_lossy(&name.value).into_owned());
    encoded.or_else(|| disposition.get_filename().map(str::to_owned))
}

async fn next<T, S>(stream: &mut S) -> Result<Option<T>>
where
    S: Stream<Item = std::result::Result<T, MultipartError>> + Unpin,
{
    let item = poll_fn(|context| Pin::new(&mut *stream).poll_next(context));
    match tokio::time::timeout(SILENCE, item).await {
        Ok(item) => item.transpose().map_err(|_| unreadable()),
        Err(_) => Err(unreadable()),
    }
}

async fn receive(part: &mut Field, name: String, bounds: Bounds<'_>) -> Result<Upload> {
    let folder = bounds.folder.to_owned();
    let made = tokio::task::spawn_blocking(move || tempfile::tempfile_in(folder)).await;
    let mut file = tokio::fs::File::from_std(made.map_err(Error::internal)?.map_err(Error::internal)?);
    let mut size = 0;
    while let Some(bytes) = next(part).await? {
        size += bytes.len() as u64;
        if size > bounds.file_bytes {
            return Err(too_large(bounds.file_bytes));
        }
        file.write_all(&bytes).await.map_err(|error| not_written(&error))?;
    }
    file.flush().await.map_err(|error| not_written(&error))?;
    Ok(Upload { name, file: file.into_std().await, size })
}

async fn text(part: &mut Field, typed: &mut usize) -> Result<String> {
    let mut bytes = Vec::new();
    while let Some(more) = next(part).await? {
        *typed += more.len();
        if *typed > FIELDS_BYTES {
            return Err(super::body::too_large());
        }
        bytes.extend_from_slice(&more);
    }
    String::from_utf8(bytes).map_err(|_| unreadable())
}

/// The answer to a file over the limit of so many bytes.
pub fn too_large(bytes: u64) -> Error {
    let most = bytes / (1024 * 1024);
    Error::TooLarge(format!("A file can have {most} MiB at most.").into())
}

fn unreadable() -> Error {
    Error::bad_request("bad_form", "The form could not be read. Send it again.")
}

fn not_written(error: &std::io::Error) -> Error {
    tracing::error!(%error, "an upload could not be written to the data folder");
    Error::Busy("That could not be stored just now. Try again in a moment.")
}
