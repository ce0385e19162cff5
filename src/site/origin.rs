//! Where a request may come from: other sites can't act with a visitor's cookie.

use crate::config::Config;
use crate::error::Error;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderName};
use actix_web::middleware::Next;
use actix_web::{HttpRequest, ResponseError as _, web};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Middleware: 403 for a state-changing request, or a WebSocket handshake, that another site's page began.
/// Needs `web::Data<Config>`. A request that says nothing of its origin is no browser's; it has its cookie or token alone.
pub async fn check(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    if acts(req.request()) && !is_welcome(req.request()) {
        let refusal = Error::forbidden(
            "foreign_origin",
            "That came from a page of another site, so it was not done. Open this place itself and try again.",
        );
        return Ok(req.into_response(refusal.error_response()));
    }
    next.call(req).await.map(ServiceResponse::map_into_boxed_body)
}

/// Where links into this place begin: as the settings say, or as whoever asks has opened it.
pub fn address_of(req: &HttpRequest) -> String {
    let config = req.app_data::<web::Data<Config>>().map(actix_web::web::Data::get_ref);
    match config.and_then(|c| c.public_url.clone()) {
        Some(url) => url,
        None => format!("{}://{}", own_scheme(req, config), host(req)),
    }
}

fn host(req: &HttpRequest) -> &str {
    let named = req.headers().get(header::HOST).and_then(|value| value.to_str().ok());
    named.or_else(|| req.uri().authority().map(actix_http::uri::Authority::as_str)).unwrap_or_default()
}

fn acts(req: &HttpRequest) -> bool {
    match *req.method() {
        Method::GET | Method::HEAD | Method::OPTIONS => req
            .headers()
            .get(header::UPGRADE)
            .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket")),
        _ => true,
    }
}

fn is_welcome(req: &HttpRequest) -> bool {
    let headers = req.headers();
    let config = req.app_data::<web::Data<Config>>().map(actix_web::web::Data::get_ref);
    // Several, or one that isn't text: no browser sends that, so it counts as foreign.
    let mut origins = headers.get_all(header::ORIGIN);
    let origin = match (origins.next(), origins.next()) {
        (None, _) => None,
        (Some(value), None) => Some(value.to_str().unwrap_or("null").to_ascii_lowercase()),
        _ => return false,
    };
    if let Some(origin) = &origin {
        if config.is_some_and(|c| c.origins.contains(origin)) {
            return true;
        }
        if !is_own(req, config, origin) {
            return false;
        }
    }
    headers.get_all(&SEC_FETCH_SITE).all(|site| matches!(site.as_bytes(), b"same-origin" | b"none"))
}

fn is_own(req: &HttpRequest, config: Option<&Config>, origin: &str) -> bool {
    if config.and_then(|c| c.public_url.as_deref()) == Some(origin) {
        return true;
    }
    let Some((scheme, host)) = origin.split_once("://") else { return false };
    scheme == own_scheme(req, config) && !host.is_empty() && host.eq_ignore_ascii_case(self::host(req))
}

/// The scheme of the connection, or the one that a trusted proxy in front says it has.
fn own_scheme<'a>(req: &'a HttpRequest, config: Option<&Config>) -> &'a str {
    match forwarded_scheme(req, config) {
        Some(scheme) => scheme,
        None if req.app_config().secure() => "https",
        None => "http",
    }
}

fn forwarded_scheme<'a>(req: &'a HttpRequest, config: Option<&Config>) -> Option<&'a str> {
    let peer = req.peer_addr().map(|address| address.ip().to_canonical());
    let trusted = config.zip(peer).is_some_and(|(c, peer)| c.trusted_proxies.contains(&peer));
    let said = req.headers().get(FORWARDED_PROTO).filter(|_| trusted)?.to_str().ok()?;
    Some(said.trim())
}

/// Whether the browser speaks HTTPS: with this server, with a trusted proxy that says so, or with one that says nothing
/// of it in front of a server that speaks none itself. Needs `web::Data<Config>`.
pub fn is_https(req: &HttpRequest) -> bool {
    let config = req.app_data::<web::Data<Config>>().map(web::Data::get_ref);
    match forwarded_scheme(req, config) {
        Some(scheme) => scheme.eq_ignore_ascii_case("https"),
        None => req.app_config().secure() || config.is_some_and(Config::is_behind_https),
    }
}

/// Whether a program on this machine asks, and not a proxy on it for somebody else.
pub fn is_from_here(req: &HttpRequest) -> bool {
    let forwarded = req.headers().contains_key("x-forwarded-for") || req.headers().contains_key("forwarded");
    !forwarded && req.peer_addr().is_some_and(|peer| peer.ip().to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn answer(request: TestRequest, settings: &[(&str, &str)]) -> bool {
        let mut config = Config::default();
        for (name, value) in settings {
            config.set(name, value).unwrap();
        }
        let peer = "127.0.0.1:5000".parse().unwrap();
        let request = request.peer_addr(peer).app_data(web::Data::new(config)).to_http_request();
        !acts(&request) || is_welcome(&request)
    }

    fn post(headers: &[(&'static str, &'static str)]) -> TestRequest {
        headers.iter().fold(
            TestRequest::post().uri("/board").insert_header(("host", "hub.example:8080")),
            |request, header| request.insert_header(*header),
        )
    }

    #[test]
    fn the_own_origin_and_no_origin_are_welcome() {
        assert!(answer(post(&[]), &[]));
        assert!(answer(
            post(&[("origin", "http://hub.example:8080"), ("sec-fetch-site", "same-origin")]),
            &[]
        ));
        assert!(answer(post(&[("sec-fetch-site", "none")]), &[]));
    }

    #[test]
    fn another_origin_is_refused_however_it_is_written() {
        for origin in [
            "http://evil.example",
            "https://hub.example:8080",
            "http://hub.example",
            "http://hub.example:8080.evil.example",
            "http://",
            "null",
            "",
        ] {
            assert!(!answer(post(&[("origin", origin)]), &[]), "{origin:?}");
        }
        for site in ["cross-site", "same-site", "Same-Origin, none"] {
            let both = [("origin", "http://hub.example:8080"), ("sec-fetch-site", site)];
            assert!(!answer(post(&both), &[]), "{site}");
            assert!(!answer(post(&both[1..]), &[]), "{site}");
        }
    }

    #[test]
    fn a_page_may_be_looked_at_from_anywhere_but_a_socket_may_not() {
        let look = TestRequest::get().uri("/board").insert_header(("origin", "http://evil.example"));
        assert!(answer(look, &[]));
        let socket = TestRequest::get().uri("/ws").insert_header(("upgrade", "WebSocket"));
        assert!(!answer(socket.insert_header(("origin", "http://evil.example")), &[]));
    }

    #[test]
    fn settings_name_further_origins() {
        let proxied = || post(&[("origin", "https://talk.example"), ("sec-fetch-site", "same-origin")]);
        assert!(!answer(proxied(), &[]));
        assert!(answer(proxied(), &[("public_url", "https://Talk.example/")]));
        let other = || post(&[("origin", "http://app.example"), ("sec-fetch-site", "cross-site")]);
        assert!(answer(other(), &[("origins", "http://app.example")]));
    }

    #[test]
    fn the_connection_and_who_is_trusted_say_whether_it_is_https() {
        let is = |headers: &[(&'static str, &'static str)], settings: &[(&str, &str)]| {
            let mut config = Config::default();
            for (name, value) in settings {
                config.set(name, value).unwrap();
            }
            let request = post(headers).peer_addr("127.0.0.1:5000".parse().unwrap());
            is_https(&request.app_data(web::Data::new(config)).to_http_request())
        };
        let (behind, trusted) = (("public_url", "https://hub.example"), ("trusted_proxies", "127.0.0.1"));
        let (says_https, says_http) = (("x-forwarded-proto", "https"), ("x-forwarded-proto", "http"));
        assert!(!is(&[], &[]) && !is(&[says_https], &[]));
        assert!(is(&[says_https], &[trusted]) && !is(&[says_http], &[trusted, behind]));
        assert!(is(&[], &[behind]), "nobody else speaks HTTPS then");
        assert!(!is(&[], &[behind, ("tls_listen", "127.0.0.1:8181")]), "the other port does");
    }

    #[test]
    fn only_a_trusted_proxy_may_say_that_it_speaks_https() {
        let said = || post(&[("origin", "https://hub.example:8080"), ("x-forwarded-proto", "https")]);
        assert!(!answer(said(), &[]));
        assert!(answer(said(), &[("trusted_proxies", "127.0.0.1")]));
    }
}
