//! Leading from plain HTTP to HTTPS, where the settings ask for it, and keeping browsers there.

use super::origin;
use super::tls::{Keeper, Name};
use crate::config::Config;
use crate::error::Error;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderValue};
use actix_web::http::uri::PathAndQuery;
use actix_web::middleware::Next;
use actix_web::{HttpRequest, HttpResponse, ResponseError as _, web};

/// What stays there: for programs that look after the server, and all that explains whom to trust.
const STAYS: [&str; 5] = ["/healthz", "/authority", "/authority.crt", "/favicon.svg", "/language"];
const ASSETS: &str = "/assets/";

/// How long a browser asks for this host by HTTPS alone (RFC 6797): two years, as Mozilla recommends.
const FOR_GOOD: &str = "max-age=63072000";
/// The same with the place's own authority: a browser that lost it is let in again after a day.
const FOR_A_DAY: &str = "max-age=86400";

/// Middleware: with `tls_redirect`, leads what came by plain HTTP to HTTPS. Needs `web::Data<Config>`, and
/// `web::Data<Keeper>` where HTTPS is spoken.
pub async fn lead(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let asked = req.app_data::<web::Data<Config>>().is_some_and(|config| config.tls_redirect);
    let keeper = req.app_data::<web::Data<Keeper>>().filter(|_| asked).cloned();
    let Some(keeper) = keeper else {
        return next.call(req).await.map(ServiceResponse::map_into_boxed_body);
    };
    if origin::is_https(req.request()) {
        let kept = host(req.request()).is_some_and(|name| name.is_domain());
        let mut response = next.call(req).await?.map_into_boxed_body();
        if kept {
            let how_long = if keeper.is_own() { FOR_A_DAY } else { FOR_GOOD };
            let how_long = HeaderValue::from_static(how_long);
            response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, how_long);
        }
        return Ok(response);
    }
    if stays(req.request()) {
        return next.call(req).await.map(ServiceResponse::map_into_boxed_body);
    }
    let response = match address(req.request(), &keeper) {
        // 308 keeps method and body, so that a form isn't lost.
        Some(address) => {
            HttpResponse::PermanentRedirect().insert_header((header::LOCATION, address)).finish()
        }
        None => {
            Error::bad_request("no_host", "That request doesn't say for which host it is.").error_response()
        }
    };
    Ok(req.into_response(response))
}

/// The address of the same thing over HTTPS; nothing when the request names no host.
pub fn address(request: &HttpRequest, keeper: &Keeper) -> Option<String> {
    let path = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
    origin_of(request, keeper).map(|origin| origin + path)
}

/// `https://HOST:PORT` of this place as whoever asks names it.
pub fn origin_of(request: &HttpRequest, keeper: &Keeper) -> Option<String> {
    let config = request.app_data::<web::Data<Config>>();
    if let Some(url) = config.and_then(|c| c.public_url.as_deref()).filter(|url| url.starts_with("https://"))
    {
        return Some(url.to_owned());
    }
    let host = match host(request)? {
        Name::Ip(std::net::IpAddr::V6(ip)) => format!("[{ip}]"),
        name => name.to_string(),
    };
    Some(match keeper.address.port() {
        443 => format!("https://{host}"),
        port => format!("https://{host}:{port}"),
    })
}

fn host(request: &HttpRequest) -> Option<Name> {
    let named = request.headers().get(header::HOST).and_then(|value| value.to_str().ok());
    let host = match named {
        Some(named) => named.parse::<actix_http::uri::Authority>().ok()?.host().to_owned(),
        None => request.uri().authority()?.host().to_owned(),
    };
    Name::read(&host)
}

fn stays(request: &HttpRequest) -> bool {
    let path = request.path();
    // What a program on this machine sends into a stream crosses no network.
    let source = path.starts_with("/live/") && path.ends_with("/push");
    STAYS.contains(&path) || path.starts_with(ASSETS) || (source && origin::is_from_here(request))
}
