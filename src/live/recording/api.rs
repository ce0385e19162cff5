//! Recordings over the HTTP API, and their readings as files.

use super::super::studio::{Live, Onlooker, Running, Shown};
use super::row::{self, Recording};
use super::{READINGS, csv};
use crate::accounts::{Keeper, Visitor};
use crate::error::{Error, Result};
use crate::ids::MediaId;
use crate::rooms::message::parse_limit;
use actix_web::http::header::{CONTENT_DISPOSITION, X_CONTENT_TYPE_OPTIONS};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::io::{self, Write};
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::mpsc;

/// Recordings on one page.
pub(super) const PAGE: i64 = 50;
/// Bytes of a table that are sent in one go, and how many such pieces wait at most.
const PIECE: usize = 64 * 1024;
const PIECES: usize = 4;

/// A recording of a stream.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct RecordingObject {
    id: String,
    /// What its film is called.
    title: String,
    /// ms
    started_at: i64,
    /// ms; nothing while it is being written.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<i64>,
    /// ms of film; nothing where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    duration: Option<i64>,
    /// How many readings there are.
    samples: i64,
    /// `recording`, `waiting` (its film isn't in the library yet) or `done`.
    #[schema(example = "done")]
    state: &'static str,
    /// The film's item in the library, by id, if whoever asks sees it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    item: Option<MediaId>,
    /// Where its readings are, one JSON object a line.
    #[serde(skip_serializing_if = "Option::is_none")]
    ndjson: Option<String>,
    /// The same as a table.
    #[serde(skip_serializing_if = "Option::is_none")]
    csv: Option<String>,
    /// Why it ended before its source did.
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<String>,
    /// Why its film isn't in the library.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
}

impl Recording {
    /// Where its readings are, without the ending; nothing where there are none, or they are still coming.
    pub(super) fn readings(&self, stream: &str) -> Option<String> {
        let id = &self.id;
        (self.ended_at.is_some() && self.samples > 0).then(|| format!("/live/{stream}/recordings/{id}"))
    }
}

impl RecordingObject {
    fn new(row: Recording, stream: &str, seen: &[MediaId]) -> Self {
        let file = |ending: &str| row.readings(stream).map(|path| format!("{path}.{ending}"));
        Self {
            ndjson: file(READINGS),
            csv: file("csv"),
            state: match row.ended_at {
                None => "recording",
                Some(_) if row.settled => "done",
                Some(_) => "waiting",
            },
            item: row.media_id.filter(|id| seen.contains(id)),
            id: row.id,
            title: row.title,
            started_at: row.started_at,
            ended_at: row.ended_at,
            duration: row.duration,
            samples: row.samples,
            trouble: row.trouble,
            refused: row.refused,
        }
    }
}

/// The recordings of a stream, the newest first.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Recordings {
    recordings: Vec<RecordingObject>,
    /// There are older ones.
    more: bool,
}

/// Which of them.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Only those that began before this time, ms.
    before: Option<i64>,
    /// 1 to 100, 50 when not given.
    limit: Option<i64>,
}

/// A page of them with the items that somebody sees, and whether there are more.
pub(super) async fn page(
    live: &Live,
    running: &Running,
    who: &Onlooker,
    (before, limit): (Option<i64>, i64),
) -> Result<(Vec<Recording>, Vec<MediaId>, bool)> {
    let stream = running.row().id;
    let mut rows =
        live.db().read(move |conn| row::list(conn, stream, before, limit.saturating_add(1))).await?;
    let most = usize::try_from(limit).unwrap_or_default();
    let more = rows.len() > most;
    rows.truncate(most);
    let items: Vec<MediaId> = rows.iter().filter_map(|row| row.media_id).collect();
    let seen =
        if items.is_empty() { items } else { live.recordings().0.shelf.seen(who.user(), items).await? };
    Ok((rows, seen, more))
}

/// What was recorded of a stream.
#[utoipa::path(get, path = "/api/v1/live/{name}/recordings", tag = "live", params(("name" = String, Path), Wanted),
    responses((status = 200, body = Recordings), (status = 401), (status = 404), (status = 422)))]
pub async fn list(
    visitor: Result<Visitor>,
    name: web::Path<String>,
    wanted: web::Query<Wanted>,
    live: web::Data<Live>,
) -> Result<web::Json<Recordings>> {
    let who = Onlooker::of(visitor, None)?;
    let running = live.shown(&name, &who).await?;
    let limit = parse_limit(wanted.limit.or(Some(PAGE)))?;
    let (rows, seen, more) = page(&live, &running, &who, (wanted.before, limit)).await?;
    let recordings = rows.into_iter().map(|row| RecordingObject::new(row, &name, &seen)).collect();
    Ok(web::Json(Recordings { recordings, more }))
}

impl Live {
    /// Deletes a recording with its readings. A film that is in the library stays there.
    ///
    /// # Errors
    /// `NotFound`, `Forbidden`; `Conflict` while it is being written.
    pub(super) async fn forget_recording(
        &self,
        name: &str,
        id: &str,
        by: Keeper,
        who: &Onlooker,
    ) -> Result<()> {
        let running = self.shown(name, who).await?;
        running.row().check(by)?;
        let (stream, wanted) = (running.row().id, id.to_owned());
        let row = self.db().read(move |conn| row::find_of(conn, stream, &wanted)).await?;
        if row.ended_at.is_none() || self.recordings().is_open(&row.id) {
            return Err(Error::conflict(
                "being_recorded",
                "It is still being recorded. Stop that first, and wait a moment.",
            ));
        }
        self.recordings().forget(&row.id).await
    }
}

/// Deletes a recording with its readings. A film that is in the library stays there.
#[utoipa::path(delete, path = "/api/v1/live/{name}/recordings/{id}", tag = "live",
    params(("name" = String, Path), ("id" = String, Path)),
    responses((status = 204), (status = 401), (status = 403), (status = 404),
        (status = 409, description = "It is still being recorded")))]
pub async fn remove(
    visitor: Visitor,
    path: web::Path<(String, String)>,
    live: web::Data<Live>,
) -> Result<HttpResponse> {
    let (name, id) = path.into_inner();
    let by = Keeper::from(&*visitor.person);
    let who = Onlooker { visitor: Some(visitor), token: None };
    live.forget_recording(&name, &id, by, &who).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// A recording's file of readings, for somebody who may see the stream.
async fn readings(
    (name, id): &(String, String),
    shown: Shown,
    visitor: Result<Visitor>,
    live: &Live,
) -> Result<(Recording, PathBuf)> {
    let who = Onlooker::of(visitor, shown.token)?;
    let stream = live.shown(name, &who).await?.row().id;
    let wanted = id.clone();
    let row = live.db().read(move |conn| row::find_of(conn, stream, &wanted)).await?;
    if row.readings(name).is_none() {
        return Err(Error::NotFound("This recording has no readings, or not yet."));
    }
    let path = live.recordings().path(&row.id, READINGS);
    Ok((row, path))
}

/// `attachment; filename="beam 2026-11-21 22.33.csv"`
fn saved_as(row: &Recording, stream: &str, ending: &str) -> String {
    let at: String = crate::site::page::Stamp(row.started_at).iso().chars().take(16).collect();
    format!("attachment; filename=\"{stream} {}.{ending}\"", at.replace('T', " ").replace(':', "."))
}

fn not_here(error: &io::Error) -> Error {
    if error.kind() == io::ErrorKind::NotFound {
        return Error::NotFound("These readings aren't on this server any more.");
    }
    Error::internal(io::Error::from(error.kind()))
}

/// The readings of a recording, one JSON object a line.
#[utoipa::path(get, path = "/live/{name}/recordings/{id}.ndjson", tag = "live",
    params(("name" = String, Path), ("id" = String, Path), ("token" = Option<String>, Query, description = "The stream's token for players")),
    responses((status = 200, description = "`{\"seq\",\"at\",\"fields\",\"picture\"?,\"out\"?}`, one a line", content_type = "application/x-ndjson"),
        (status = 401), (status = 404)))]
pub async fn ndjson(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    shown: web::Query<Shown>,
    visitor: Result<Visitor>,
    live: web::Data<Live>,
) -> Result<HttpResponse> {
    let (row, file) = readings(&path, shown.into_inner(), visitor, &live).await?;
    let opened = tokio::task::spawn_blocking(move || actix_files::NamedFile::open(file)).await;
    let opened = opened.map_err(Error::internal)?.map_err(|error| not_here(&error))?;
    let mut response = opened.prefer_utf8(false).disable_content_disposition().into_response(&request);
    let headers = response.headers_mut();
    for (name, value) in [
        (actix_web::http::header::CONTENT_TYPE, "application/x-ndjson".to_owned()),
        (CONTENT_DISPOSITION, saved_as(&row, &path.0, READINGS)),
        (X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ] {
        headers.insert(name, value.parse().map_err(Error::internal)?);
    }
    Ok(response)
}

/// The same as a table, with a column for every reading.
#[utoipa::path(get, path = "/live/{name}/recordings/{id}.csv", tag = "live",
    params(("name" = String, Path), ("id" = String, Path), ("token" = Option<String>, Query, description = "The stream's token for players")),
    responses((status = 200, description = "A line for each sample, a column for each reading", content_type = "text/csv"),
        (status = 401), (status = 404)))]
pub async fn table(
    path: web::Path<(String, String)>,
    shown: web::Query<Shown>,
    visitor: Result<Visitor>,
    live: web::Data<Live>,
) -> Result<HttpResponse> {
    let (row, file) = readings(&path, shown.into_inner(), visitor, &live).await?;
    tokio::fs::metadata(&file).await.map_err(|error| not_here(&error))?;
    let (to, pieces) = mpsc::channel(PIECES);
    tokio::task::spawn_blocking(move || {
        let mut channel = Channel { to, waiting: Vec::new() };
        if let Err(error) = csv::write(&file, &mut channel) {
            // An answer that breaks off is no whole table; whoever has hung up knows already.
            let _ = channel.to.blocking_send(Err(error));
        }
    });
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header((CONTENT_DISPOSITION, saved_as(&row, &path.0, "csv")))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .streaming(Pieces(pieces)))
}

type Sent = io::Result<Bytes>;

/// What a thread writes while it is sent.
struct Channel {
    to: mpsc::Sender<Sent>,
    waiting: Vec<u8>,
}

impl Write for Channel {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() >= PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let piece = Bytes::from(std::mem::take(&mut self.waiting));
        self.to.blocking_send(Ok(piece)).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

struct Pieces(mpsc::Receiver<Sent>);

impl futures_core::Stream for Pieces {
    type Item = Sent;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Sent>> {
        self.0.poll_recv(cx)
    }
}
