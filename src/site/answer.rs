//! How an answer goes out: pages, redirects, and every error as a page or as problem+json (RFC 9457).

use super::headers;
use super::language;
use super::page::{ErrorAction, ErrorPage, Pages, Shell, Viewer};
use super::problem::Problem;
use super::words::{said, t};
use crate::error::{Error, FieldError, Result};
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::uri::PathAndQuery;
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, ResponseError, web};
use askama::Template;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What a whole address can't have in a header; separators and escapes in it stay what they are.
const ADDRESS: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'\\');
/// Bytes of a path to go on to; a longer one is dropped.
pub const PATH_MAX: usize = 2048;
/// What the value of a query parameter can't have.
const PARAMETER: &AsciiSet = &ADDRESS.add(b'#').add(b'%').add(b'&').add(b'+').add(b'=').add(b'?');

/// The number of a request, to be quoted when asking for help. Handlers find it in the request's extensions.
#[derive(Clone, Debug)]
pub struct RequestId(pub Arc<str>);

impl RequestId {
    fn next() -> Self {
        static PREFIX: LazyLock<u32> = LazyLock::new(|| getrandom::u32().unwrap_or_default());
        static COUNT: AtomicU64 = AtomicU64::new(1);
        Self(format!("{:08x}-{}", *PREFIX, COUNT.fetch_add(1, Ordering::Relaxed)).into())
    }
}

/// Somebody who looks at pages; implemented above this floor.
pub trait Looker {
    fn viewer(&self) -> Viewer;
}

/// Who looks, left in the request's extensions for the error page.
pub struct Looking(pub Arc<dyn Looker>);

/// Whether `path` is one of this place: one leading slash, and nothing that a browser could read as another host.
pub fn is_local(path: &str) -> bool {
    let here = path.starts_with('/') && !path.starts_with("//") && path.len() <= PATH_MAX;
    here && !path.contains('\\') && !path.chars().any(char::is_control)
}

/// `303 See Other` to a path of this place, in any script.
pub fn see_other(path: &str) -> HttpResponse {
    let location = utf8_percent_encode(path, ADDRESS).to_string();
    HttpResponse::SeeOther().insert_header((header::LOCATION, location)).finish()
}

/// A rendered page.
pub fn html(status: StatusCode, page: &impl Template) -> Result<HttpResponse> {
    let text = page.render().map_err(Error::internal)?;
    Ok(HttpResponse::build(status).content_type("text/html; charset=utf-8").body(text))
}

/// What went wrong, on its way from the handler to [`answer`] in the response's extensions.
#[derive(Clone, Debug)]
struct Trouble {
    status: StatusCode,
    code: &'static str,
    detail: String,
    fields: Vec<FieldError>,
    retry_after_ms: Option<u64>,
    /// For the log alone.
    reason: Option<String>,
}

impl From<&Error> for Trouble {
    fn from(error: &Error) -> Self {
        Self {
            status: error.status_code(),
            code: error.code(),
            detail: error.detail(),
            fields: error.fields().to_vec(),
            retry_after_ms: error.retry_after_ms(),
            reason: match error {
                Error::Internal(source) | Error::Damaged(source) => Some(chain(source.as_ref())),
                _ => None,
            },
        }
    }
}

/// An error with all its causes, from the outermost in.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let trouble = Trouble::from(self);
        let mut response = HttpResponse::new(trouble.status);
        response.extensions_mut().insert(trouble);
        response
    }
}

/// What Actix itself refused: no such route, no such method, a body that it could not read.
impl Trouble {
    fn of_actix(status: StatusCode) -> Self {
        let (code, detail) = match status.as_u16() {
            401 => ("sign_in_first", "Sign in first."),
            403 => ("forbidden", "That is not allowed."),
            404 => ("not_found", "There is nothing here."),
            405 => (
                "method_not_allowed",
                "This address doesn't take that kind of request. Go back and use the button or form that leads here.",
            ),
            408 => ("timeout", "That took too long. Try again."),
            413 => (
                "too_large",
                "That is too large, so nothing was sent. Go back: what you typed is still there.",
            ),
            415 => ("media_type", "That kind of content is not understood here."),
            416 => ("range", "That part of the file does not exist."),
            429 => ("rate_limited", "That was too quick. Try again in a moment."),
            503 => ("busy", "The server is busy. Try again in a moment."),
            400..=499 => ("bad_request", "That request could not be read."),
            _ => ("internal", "Something doesn't work on our side. Nothing you sent was stored."),
        };
        Self {
            status,
            code,
            detail: detail.to_owned(),
            fields: Vec::new(),
            retry_after_ms: None,
            reason: status.is_server_error().then(|| "an answer without a reason".to_owned()),
        }
    }
}

/// The outermost middleware: numbers the request, words every error for who asked, completes the headers.
pub async fn answer(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let id = RequestId::next();
    req.extensions_mut().insert(id.clone());
    language::of_request(&req).speak(worded(req, next, id)).await
}

async fn worded(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
    id: RequestId,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let path = req.path().to_owned();
    let programs = is_for_programs(&path);
    match next.call(req).await {
        Ok(response) => {
            let mut response = response.map_into_boxed_body();
            if let Some(trouble) = trouble_of(&response) {
                let context = Context::of(&response, &id).await;
                say(response.response_mut(), &trouble, &context);
            }
            finish(response.response_mut(), &path, &id);
            Ok(response)
        }
        // Only from a middleware, which had no request left to answer: the session store, in practice.
        Err(error) => {
            let mut response = error.error_response();
            let told = response.extensions().get::<Trouble>().cloned();
            let trouble = told.unwrap_or_else(|| Trouble {
                reason: Some(error.to_string()),
                ..Trouble::from(&Error::Busy("That could not be stored just now. Try again in a moment."))
            });
            let context = Context { id: &id, programs, ..Context::unknown(&id) };
            say(&mut response, &trouble, &context);
            finish(&mut response, &path, &id);
            Err(InternalError::from_response("answered", response).into())
        }
    }
}

/// Programs get problem+json, people get pages. Of a live stream, all but its own page and that of its settings is for
/// programs.
fn is_for_programs(path: &str) -> bool {
    let of_stream = path.strip_prefix("/live/").and_then(|rest| rest.split_once('/'));
    path.starts_with("/api/")
        || path == "/ws"
        || path.starts_with("/ws/")
        || of_stream.is_some_and(|(_, part)| part != "edit")
}

/// The token of `Authorization: Bearer TOKEN` (RFC 6750 §2.1), where programs ask. Pages know only cookies.
pub fn bearer_token(request: &HttpRequest) -> Option<&str> {
    let header = request.headers().get(header::AUTHORIZATION).filter(|_| is_for_programs(request.path()))?;
    let (scheme, token) = header.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn trouble_of(response: &ServiceResponse) -> Option<Trouble> {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return None;
    }
    let response = response.response();
    if let Some(trouble) = response.extensions().get::<Trouble>() {
        return Some(trouble.clone());
    }
    // A handler's own page stays; what Actix says in plain text or not at all is said again in our words.
    let bare =
        response.error().is_some() || matches!(response.body().size(), BodySize::None | BodySize::Sized(0));
    bare.then(|| Trouble::of_actix(status))
}

/// What the wording of an error depends on.
struct Context<'a> {
    id: &'a RequestId,
    programs: bool,
    /// The request showed a token.
    token: bool,
    /// The address to come back to after signing in; only one that can be asked for again.
    address: Option<String>,
    /// Where another try begins: the same address, or the page that the form stands on.
    again: Option<String>,
    /// The route, as logs may show it: addresses carry names.
    route: String,
    shell: Shell,
}

impl<'a> Context<'a> {
    fn unknown(id: &'a RequestId) -> Self {
        Self {
            id,
            programs: false,
            token: false,
            address: None,
            again: None,
            route: String::new(),
            shell: Shell::default(),
        }
    }

    async fn of(response: &ServiceResponse, id: &'a RequestId) -> Self {
        let request = response.request();
        let programs = is_for_programs(request.path());
        let again = matches!(*request.method(), Method::GET | Method::HEAD);
        let shell = if programs { Shell::default() } else { shell_for(request.clone()).await };
        // Over HTTP/2 the whole address is a URL; to come back to, it is one of this place.
        let address =
            again.then(|| request.uri().path_and_query().map_or("/", PathAndQuery::as_str).to_owned());
        Self {
            id,
            programs,
            token: bearer_token(request).is_some(),
            again: address.clone().or_else(|| came_from(request)),
            address,
            route: format!("{} {}", request.method(), request.match_pattern().unwrap_or_default()),
            shell,
        }
    }
}

/// The path of the page whose form was sent, when it is one of this place.
fn came_from(request: &HttpRequest) -> Option<String> {
    let referer =
        request.headers().get(header::REFERER)?.to_str().ok()?.parse::<actix_web::http::Uri>().ok()?;
    let path = referer.path_and_query()?.as_str();
    let here = referer.authority()?.as_str() == request.connection_info().host();
    (here && is_local(path)).then(|| path.to_owned())
}

/// The shell as the viewer knows it, when there is one; otherwise that of a stranger.
async fn shell_for(request: HttpRequest) -> Shell {
    let viewer = request.extensions().get::<Looking>().map(|looking| looking.0.viewer());
    match request.app_data::<web::Data<Pages>>() {
        Some(pages) => pages.shell(viewer, "", request.path()).await,
        None => Shell::new("", request.path()),
    }
}

fn say(response: &mut HttpResponse, trouble: &Trouble, context: &Context<'_>) {
    if let Some(reason) = &trouble.reason {
        tracing::error!(request_id = %context.id.0, route = %context.route, %reason, "a request failed");
    }
    if let Some(ms) = trouble.retry_after_ms {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(ms.div_ceil(1000).max(1)));
    }
    if trouble.status == StatusCode::UNAUTHORIZED && !context.programs {
        lead_to_login(response, context.address.as_deref());
        return;
    }
    if trouble.status == StatusCode::UNAUTHORIZED {
        // RFC 6750 §3: without a token there is nothing to say about it.
        let challenge = if context.token {
            r#"Bearer realm="Hubbub", error="invalid_token""#
        } else {
            r#"Bearer realm="Hubbub""#
        };
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    let (mime, body) = if context.programs {
        ("application/problem+json", problem(trouble, context.id))
    } else {
        ("text/html; charset=utf-8", page(trouble, context))
    };
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(mime));
    // Swapped, so that what is set already stays: `Allow`, `Content-Range`, cookies.
    let bare = std::mem::replace(response, HttpResponse::new(trouble.status));
    *response = bare.set_body(BoxBody::new(body));
}

fn lead_to_login(response: &mut HttpResponse, address: Option<&str>) {
    let location = match address {
        Some(address) => format!("/login?next={}", utf8_percent_encode(address, PARAMETER)),
        None => "/login".to_owned(),
    };
    *response.status_mut() = StatusCode::SEE_OTHER;
    if let Ok(location) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
}

fn problem(trouble: &Trouble, id: &RequestId) -> String {
    let problem = Problem {
        r#type: "about:blank",
        title: trouble.status.canonical_reason().unwrap_or("Error"),
        status: trouble.status.as_u16(),
        code: trouble.code,
        detail: &trouble.detail,
        request_id: &id.0,
        fields: &trouble.fields,
        retry_after_ms: trouble.retry_after_ms,
    };
    serde_json::to_string(&problem).unwrap_or_default()
}

fn page(trouble: &Trouble, context: &Context<'_>) -> String {
    let heading = match trouble.status.as_u16() {
        403 => t("That is not for you"),
        404 => t("Nothing here"),
        405 => t("Not in this way"),
        409 => t("That collides with something"),
        413 => t("Too large"),
        429 => t("A little slower"),
        503 => t("Not just now"),
        400..=499 => t("That did not work"),
        _ => t("That was our fault"),
    };
    let page = ErrorPage {
        shell: Shell { title: heading.to_owned(), ..context.shell.clone() },
        status: trouble.status.as_u16(),
        heading: heading.to_owned(),
        detail: said(&trouble.detail).into_owned(),
        action: Some(way_on(trouble.status, context.again.as_deref())),
        request_id: trouble.status.is_server_error().then(|| context.id.0.to_string()),
    };
    // A template that fails here must not hide the sentence itself.
    page.render().unwrap_or_else(|_| trouble.detail.clone())
}

/// Trying again helps where the time was wrong; elsewhere the start does.
fn way_on(status: StatusCode, again: Option<&str>) -> ErrorAction {
    match again {
        Some(address) if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() => {
            ErrorAction { href: address.to_owned(), label: t("Try again").to_owned() }
        }
        _ => ErrorAction { href: "/".to_owned(), label: t("Back to the start").to_owned() },
    }
}

fn finish(response: &mut HttpResponse, path: &str, id: &RequestId) {
    let status = response.status();
    let headers = response.headers_mut();
    headers::complete(path, status, headers);
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        headers.insert(REQUEST_ID, value);
    }
}
