//! `POST|PUT /live/{name}/push`: the way in for samples, by whoever has the stream's key.

use super::body::{Body, Came, Form, Inlet, Named, named};
use super::lines::{Line, Lines};
use super::parts::{Part, Parts};
use super::sample::{PICTURE_BYTES, Refused, SAMPLE_BYTES, Sample};
use super::station::{Source, Station, Take};
use super::stream::Stream;
use super::studio::{Live, Running, Stop};
use crate::error::{Error, Result};
use actix::Addr;
use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::{Bytes, BytesMut};
use serde::Serialize;
use std::sync::Arc;
use std::time::Instant;

/// What became of a body.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
pub struct Receipt {
    /// Samples, or fragments of video, that were taken.
    pub(super) accepted: u64,
    /// Samples that were not.
    refused: u64,
    /// Why the first of them wasn't.
    first_error: Option<String>,
    /// The number of the last one that was taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_seq: Option<i64>,
}

impl Receipt {
    /// One more was not taken.
    pub(super) fn refuse(&mut self, refused: &Refused) {
        self.refused += 1;
        self.first_error.get_or_insert_with(|| refused.0.to_string());
    }
}

/// How a body ended, for who sent it.
pub type Outcome = Result<(StatusCode, Receipt)>;

/// `POST|PUT /live/{name}/push`
#[utoipa::path(post, path = "/live/{name}/push", tag = "live",
    params(("name" = String, Path), ("key" = Option<String>, Query, description = "The stream's key, where it isn't in the header")),
    request_body(content = Vec<u8>, description = "JSON, NDJSON, a picture (JPEG, PNG, WebP), MJPEG or fragmented MP4, by its content type or its first bytes"),
    responses((status = 200, body = Receipt), (status = 400, description = "Nothing of what is taken"),
        (status = 403, description = "Not the key of this stream"), (status = 422, description = "Not a sample", body = Receipt)))]
pub async fn push(
    request: HttpRequest,
    name: web::Path<String>,
    payload: web::Payload,
    live: web::Data<Live>,
) -> Result<HttpResponse> {
    let query = query_of(&request)?;
    let key = key_of(&request, &query).ok_or_else(key_needed)?;
    let running = found(&name, &live).await?;
    let admits = || live.admits(&running.row(), &key, peer(&request));
    if !admits() {
        return Err(wrong_key());
    }
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let mut body = Body::new(Inlet::Request(payload), running.until());
    let (form, start) = match named(content_type) {
        Named::Form(form) => (Some(form), Bytes::new()),
        Named::Other => (None, Bytes::new()),
        Named::Open => body.start().await,
    };
    // A key that was replaced meanwhile is over.
    if !admits() {
        return Err(wrong_key());
    }
    let Some(form) = form else {
        let length =
            request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        body.drain(length).await;
        return Err(unknown());
    };
    let (status, receipt) = Feed::new(running).read(form, body, start, query).await?;
    Ok(HttpResponse::build(status).json(receipt))
}

/// What stands behind the `?`.
pub(super) fn query_of(request: &HttpRequest) -> Result<Vec<(String, String)>> {
    let query = web::Query::<Vec<(String, String)>>::from_query(request.query_string());
    query
        .map(web::Query::into_inner)
        .map_err(|_| Error::bad_request("bad_query", "The address has readings that can't be read."))
}

pub(super) fn unknown() -> Error {
    Error::bad_request(
        "unknown_content",
        "Send samples as JSON, one or one a line, pictures as JPEG, PNG, WebP or MJPEG, or video as fragmented MP4.",
    )
}

/// Whether the stream isn't there or the key isn't its own is not told apart.
pub(super) fn wrong_key() -> Error {
    Error::forbidden("wrong_key", "There is no stream of this name with this key.")
}

pub(super) fn peer(request: &HttpRequest) -> Option<std::net::IpAddr> {
    // A proxy on this machine speaks for others.
    let forwarded =
        request.headers().contains_key("x-forwarded-for") || request.headers().contains_key("forwarded");
    request.peer_addr().map(|peer| peer.ip()).filter(|_| !forwarded)
}

pub(super) fn key_of(request: &HttpRequest, query: &[(String, String)]) -> Option<String> {
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let bearer = header.and_then(|value| {
        let (scheme, key) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| key.trim().to_owned())
    });
    bearer.or_else(|| query.iter().find(|(name, _)| name == "key").map(|(_, key)| key.clone()))
}

pub(super) fn key_needed() -> Error {
    Error::forbidden(
        "key_needed",
        "Send the stream's key along, as Authorization: Bearer KEY or as ?key=KEY.",
    )
}

/// The stream of this name, for who has not shown yet that they may know of it.
pub(super) async fn found(name: &str, live: &Live) -> Result<Arc<Running>> {
    match live.find(name).await {
        Err(Error::NotFound(_)) => Err(wrong_key()),
        found => found,
    }
}

/// A long body as the station counts it.
pub(super) struct Counted {
    station: Addr<Station>,
    since: Instant,
}

impl Counted {
    pub(super) fn new(station: Addr<Station>) -> Self {
        station.do_send(Source::Begins);
        Self { station, since: Instant::now() }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.station.do_send(Source::Ends { lasted: self.since.elapsed() });
    }
}

/// Samples on their way to the station, and what became of them.
pub(super) struct Feed {
    pub(super) running: Arc<Running>,
    pub(super) receipt: Receipt,
}

impl Feed {
    pub(super) fn new(running: Arc<Running>) -> Self {
        Self { running, receipt: Receipt::default() }
    }

    /// Reads a body to its end. `query` are the readings of a picture.
    pub(super) async fn read(
        self,
        form: Form,
        body: Body,
        start: Bytes,
        query: Vec<(String, String)>,
    ) -> Outcome {
        match form {
            Form::Json => self.one(body, start, SAMPLE_BYTES, |bytes| Sample::from_json(&bytes)).await,
            Form::Picture => {
                let readings: Vec<_> = query.into_iter().filter(|(name, _)| name != "key").collect();
                self.one(body, start, PICTURE_BYTES, |bytes| Sample::from_picture(&bytes, &readings)).await
            }
            Form::Lines => self.lines(body, start).await,
            Form::Parts => self.parts(body, start).await,
            Form::Video => self.video(body, start).await,
        }
    }

    fn row(&self) -> Arc<Stream> {
        self.running.row()
    }

    /// Hands a sample on. One at a time: a station that is busy holds its source back, not its viewers.
    async fn take(&mut self, sample: Result<Sample, Refused>) -> Result<(), Refused> {
        let checked = sample.and_then(|sample| {
            let out = sample.outside(&self.row().fields())?.into_iter().map(str::to_owned).collect();
            Ok(Take { sample, out })
        });
        match checked {
            Ok(take) => {
                let gone = |_| Refused::new("This stream has just been deleted.");
                self.receipt.last_seq = Some(self.running.station.send(take).await.map_err(gone)?);
                self.receipt.accepted += 1;
                Ok(())
            }
            Err(refused) => {
                self.receipt.refuse(&refused);
                Err(refused)
            }
        }
    }

    /// A body that is one sample.
    async fn one(
        mut self,
        mut body: Body,
        start: Bytes,
        limit: usize,
        read: impl FnOnce(Bytes) -> Result<Sample, Refused>,
    ) -> Outcome {
        let mut whole = BytesMut::from(&start[..]);
        loop {
            match body.next().await {
                Came::Bytes(bytes) => whole.extend_from_slice(&bytes),
                Came::End => break,
                Came::Cut => {
                    return Err(Error::bad_request("broken_off", "The sample broke off. Send it again."));
                }
                Came::Stop(stop) => return Err(stopped(stop)),
            }
            if whole.len() > limit {
                body.drain(None).await;
                return Err(Refused::too_long().into());
            }
        }
        self.take(read(whole.freeze())).await?;
        Ok((StatusCode::OK, self.receipt))
    }

    async fn lines(mut self, mut body: Body, start: Bytes) -> Outcome {
        let _counted = Counted::new(self.running.station.clone());
        let mut lines = Lines::new(SAMPLE_BYTES);
        lines.feed(&start);
        let came = loop {
            while let Some(line) = lines.next() {
                self.line(line).await;
            }
            match body.next().await {
                Came::Bytes(bytes) => lines.feed(&bytes),
                came => break came,
            }
        };
        // Half a line of a body that broke off is no sample, whatever it looks like.
        if matches!(came, Came::End)
            && let Some(line) = lines.finish()
        {
            self.line(line).await;
        }
        self.answer(&came)
    }

    async fn line(&mut self, line: Line) {
        let sample = match line {
            Line::Whole(line) => Sample::from_json(&line),
            Line::TooLong => Err(Refused::too_long()),
        };
        // Counted and skipped.
        let _ = self.take(sample).await;
    }

    async fn parts(mut self, mut body: Body, start: Bytes) -> Outcome {
        let _counted = Counted::new(self.running.station.clone());
        let mut parts = Parts::new(PICTURE_BYTES);
        parts.feed(&start);
        let came = loop {
            while let Some(part) = parts.next() {
                self.part(part).await;
            }
            match body.next().await {
                Came::Bytes(bytes) => parts.feed(&bytes),
                came => break came,
            }
        };
        if matches!(came, Came::End)
            && let Some(part) = parts.finish()
        {
            self.part(part).await;
        }
        self.answer(&came)
    }

    async fn part(&mut self, part: Part) {
        let sample = match part {
            Part::Whole(content) => Sample::from_picture(&content, &[]),
            Part::TooLong => Err(Refused::too_long()),
            Part::Broken => Err(Refused::new("This is not a multipart/x-mixed-replace body.")),
        };
        let _ = self.take(sample).await;
    }

    /// The end of a long body.
    pub(super) fn answer(self, came: &Came) -> Outcome {
        let nothing_taken = self.receipt.accepted == 0;
        let status = match came {
            Came::Stop(Stop::Ended) => return Err(stopped(Stop::Ended)),
            Came::Stop(Stop::Closing) => StatusCode::SERVICE_UNAVAILABLE,
            _ if nothing_taken && self.receipt.refused > 0 => StatusCode::UNPROCESSABLE_ENTITY,
            _ => StatusCode::OK,
        };
        Ok((status, self.receipt))
    }
}

fn stopped(stop: Stop) -> Error {
    match stop {
        Stop::Ended => wrong_key(),
        Stop::Closing => Error::Busy("The server is restarting. Come back in a moment."),
    }
}
