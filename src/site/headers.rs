//! The headers that every answer carries: what a browser may do with it.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// Nothing inline and nothing from elsewhere: text that slipped through the escaping could still not run.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
    media-src 'self' blob:; connect-src 'self'; font-src 'self'; manifest-src 'self'; form-action 'self'; \
    base-uri 'none'; frame-ancestors 'none'";

/// What a page is never going to use; camera and microphone stay available to the page itself.
const PERMISSIONS: &str = "accelerometer=(), geolocation=(), gyroscope=(), magnetometer=(), midi=(), payment=(), \
    usb=(), camera=(self), microphone=(self)";

/// The browsable description of the API writes its own styles; it is a page of ours alone and shows nothing of anybody.
const DOCS: &str = "/api/docs/";
const DOCS_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";

static HEADERS: [(HeaderName, HeaderValue); 7] = [
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (header::PERMISSIONS_POLICY, HeaderValue::from_static(PERMISSIONS)),
    (header::CROSS_ORIGIN_OPENER_POLICY, HeaderValue::from_static("same-origin")),
    (header::CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static("same-origin")),
    // A page shows what its viewer may see: it is theirs alone, and asked for again each time.
    (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
];

/// Adds to the answer of `path` what the handler hasn't set itself.
pub fn complete(path: &str, status: StatusCode, headers: &mut HeaderMap) {
    if status == StatusCode::SWITCHING_PROTOCOLS {
        return;
    }
    if path.starts_with(DOCS) {
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(DOCS_POLICY));
    }
    for (name, value) in &HEADERS {
        if !headers.contains_key(name) {
            headers.insert(name.clone(), value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handlers_own_header_stays() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public"));
        complete("/board", StatusCode::OK, &mut headers);
        assert_eq!(headers.get(header::CACHE_CONTROL).unwrap(), "public");
        let policy = headers.get(header::CONTENT_SECURITY_POLICY).unwrap().to_str().unwrap();
        assert!(policy.contains("script-src 'self';") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(headers.len(), HEADERS.len());
    }

    #[test]
    fn only_the_description_of_the_api_may_style_itself() {
        for (path, may) in
            [("/api/docs/", true), ("/api/docs/index.html", true), ("/api/docs", false), ("/board", false)]
        {
            let mut headers = HeaderMap::new();
            complete(path, StatusCode::OK, &mut headers);
            let policy = headers.get(header::CONTENT_SECURITY_POLICY).unwrap().to_str().unwrap();
            assert_eq!(policy.contains("style-src 'self' 'unsafe-inline'"), may, "{path}");
            assert!(policy.contains("script-src 'self';"), "{path}");
        }
    }
}
