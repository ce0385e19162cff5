//! The same video for players and phones that ask for it piece by piece: HTTP Live Streaming (RFC 8216).

use super::studio::{Live, Onlooker, Running, Shown};
use crate::accounts::Visitor;
use crate::error::{Error, Result};
use actix_web::body::SizedStream;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpResponse, web};
use bytes::Bytes;
use futures_core::Stream;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

const NO_SEGMENT: Error = Error::NotFound("This part of the stream isn't kept any more.");

async fn shown(
    name: &str,
    shown: Shown,
    visitor: Result<Visitor>,
    live: &Live,
) -> Result<(Arc<Running>, String)> {
    let query = shown
        .token
        .as_deref()
        .map(|token| format!("?token={}", utf8_percent_encode(token, NON_ALPHANUMERIC)))
        .unwrap_or_default();
    let who = Onlooker::of(visitor, shown.token)?;
    Ok((live.shown(name, &who).await?, query))
}

/// The newest segments, 404 before there is one: players ask again.
#[utoipa::path(get, path = "/live/{name}/index.m3u8", tag = "live",
    params(("name" = String, Path), ("token" = Option<String>, Query, description = "The stream's token for players")),
    responses((status = 200, description = "The newest segments", content_type = "application/vnd.apple.mpegurl"),
        (status = 401), (status = 404)))]
pub async fn index(
    name: web::Path<String>,
    query: web::Query<Shown>,
    visitor: Result<Visitor>,
    live: web::Data<Live>,
) -> Result<HttpResponse> {
    let (running, query) = shown(&name, query.into_inner(), visitor, &live).await?;
    let store = running.store();
    if store.video.whole().next().is_none() {
        return Err(Error::NotFound("No video comes from this stream just now."));
    }
    Ok(HttpResponse::Ok()
        .content_type("application/vnd.apple.mpegurl")
        .insert_header((CACHE_CONTROL, "no-cache"))
        .body(store.video.playlist(&query)))
}

/// `GET /live/{name}/init-{era}.mp4`: what a player has to have before the segments of one source.
pub async fn init(
    path: web::Path<(String, u64)>,
    query: web::Query<Shown>,
    visitor: Result<Visitor>,
    live: web::Data<Live>,
) -> Result<HttpResponse> {
    let (name, era) = path.into_inner();
    let (running, _) = shown(&name, query.into_inner(), visitor, &live).await?;
    let bytes = running.store().video.init_of(era).map(|init| init.bytes.clone()).ok_or(NO_SEGMENT)?;
    Ok(piece().body(bytes))
}

/// `GET /live/{name}/segment-{number}.m4s`
pub async fn segment(
    path: web::Path<(String, u64)>,
    query: web::Query<Shown>,
    visitor: Result<Visitor>,
    live: web::Data<Live>,
) -> Result<HttpResponse> {
    let (name, number) = path.into_inner();
    let (running, _) = shown(&name, query.into_inner(), visitor, &live).await?;
    let (length, pieces) = {
        let store = running.store();
        let segment = store.video.segment(number).ok_or(NO_SEGMENT)?;
        (segment.length(), segment.pieces().collect::<Vec<_>>())
    };
    Ok(piece().body(SizedStream::new(length as u64, Pieces(pieces.into_iter()))))
}

/// One after the other, without putting them together.
struct Pieces(std::vec::IntoIter<Bytes>);

impl Stream for Pieces {
    type Item = std::io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.next().map(Ok))
    }
}

fn piece() -> actix_web::HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    // A number never means two things, after a restart neither.
    response.content_type("video/mp4").insert_header((CACHE_CONTROL, "private, max-age=30"));
    response
}
