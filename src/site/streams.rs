//! HTTP/2: how much one client may ask at once, and how its connections end when the server does. Actix bounds neither:
//! it takes any number of requests from one connection, and waits for an idle one until the client leaves.

use super::lifeline::{self, Rope};
use crate::error::Error;
use actix_web::ResponseError as _;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Extensions, ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use bytes::Bytes;
use std::any::Any;
use std::collections::{HashMap, HashSet};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

/// Requests of one connection that may be under way. Browsers ask at most 100 things at once.
const AT_ONCE: usize = 128;
/// Bytes of one request's header fields; over HTTP/1.1 Actix takes as many.
const HEADER_BYTES: usize = 128 * 1024;
/// How long nothing may be under way on a connection before it is ended with the server: what was answered last has gone
/// out by then.
const MOMENT: Duration = Duration::from_millis(100);

/// The connections of a server that speak HTTP/2. Cheap to clone.
#[derive(Clone, Default)]
pub struct Lines(Arc<Mutex<HashMap<u64, Weak<Line>>>>);

/// One of them.
struct Line {
    number: u64,
    rope: Rope,
    under_way: AtomicUsize,
    all: Lines,
}

impl Lines {
    /// For `HttpServer::on_connect`.
    pub fn keep(&self, connection: &dyn Any, data: &mut Extensions) {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let rope = lifeline::keep(connection, data);
        let Some(stream) = lifeline::tls(connection) else { return };
        if stream.get_ref().1.alpn_protocol() != Some(b"h2") {
            return;
        }
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let line = Arc::new(Line { number, rope, under_way: AtomicUsize::new(0), all: self.clone() });
        self.lock().insert(number, Arc::downgrade(&line));
        data.insert(line);
    }

    /// Ends each connection as soon as nothing is under way on it. Goes on until it is dropped.
    pub async fn wind_down(&self) {
        let mut idle_before = HashSet::new();
        loop {
            let lines: Vec<Arc<Line>> = self.lock().values().filter_map(Weak::upgrade).collect();
            let idle = lines.iter().filter(|line| line.under_way.load(Ordering::Relaxed) == 0);
            let mut idle_now = HashSet::new();
            for line in idle {
                if idle_before.contains(&line.number) {
                    line.rope.cut();
                }
                idle_now.insert(line.number);
            }
            idle_before = idle_now;
            drop(lines);
            tokio::time::sleep(MOMENT).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Weak<Line>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.all.lock().remove(&self.number);
    }
}

/// A request of a connection, from its first moment until the last byte of its answer.
struct UnderWay(Arc<Line>);

impl UnderWay {
    /// Counts it; the number is that of all that are under way now.
    fn begin(line: Arc<Line>) -> (Self, usize) {
        let count = line.under_way.fetch_add(1, Ordering::Relaxed) + 1;
        (Self(line), count)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Middleware: over HTTP/2, refuses what is too much at once, and counts what is under way.
pub async fn bound(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let Some(line) = req.conn_data::<Arc<Line>>().cloned() else {
        return next.call(req).await.map(ServiceResponse::map_into_boxed_body);
    };
    let (under_way, count) = UnderWay::begin(line);
    let refusal = if count > AT_ONCE {
        Some(Error::Busy("That is too much at once. Try again in a moment."))
    } else if header_bytes(&req) > HEADER_BYTES {
        Some(Error::bad_request("headers_too_large", "The header fields of that request are too large."))
    } else {
        None
    };
    if let Some(refusal) = refusal {
        return Ok(req.into_response(refusal.error_response()));
    }
    let response = next.call(req).await?.map_into_boxed_body();
    Ok(response.map_body(|_, body| BoxBody::new(Counted { body, _under_way: under_way })))
}

fn header_bytes(req: &ServiceRequest) -> usize {
    req.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
}

struct Counted {
    body: BoxBody,
    _under_way: UnderWay,
}

impl MessageBody for Counted {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(cx)
    }
}
