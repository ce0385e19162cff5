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

/// Adds what the handler hasn't set itself.
pub fn complete(status: StatusCode, headers: &mut HeaderMap) {
    if status == StatusCode::SWITCHING_PROTOCOLS {
        return;
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
        complete(StatusCode::OK, &mut headers);
        assert_eq!(headers.get(header::CACHE_CONTROL).unwrap(), "public");
        let policy = headers.get(header::CONTENT_SECURITY_POLICY).unwrap().to_str().unwrap();
        assert!(policy.contains("script-src 'self';") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(headers.len(), HEADERS.len());
    }
}
