//! Browsers in which somebody has been signed in: a cookie that is worth nothing but patience.
//!
//! Whoever has it isn't counted among the strangers who try passwords and codes at that account, so that strangers
//! can't keep its owner out (OWASP calls it a device cookie). It opens nothing and has no name in it.

use super::state::Accounts;
use super::user::Person;
use crate::site::origin;
use crate::text::fold;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::cookie::{Cookie, Key, SameSite, time::Duration};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{HttpRequest, HttpResponse};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// Accounts that one browser is known for; the oldest goes.
const ACCOUNTS: usize = 5;
/// A browser that nobody has used for so long is a stranger again.
const LIFE: Duration = Duration::days(180);
/// Bytes of the browser's own name, and of a mark.
const LENGTH: usize = 16;

/// What the request's browser is known by: a name of its own, and a mark for each account.
pub(super) struct Known {
    name: String,
    marks: Vec<String>,
}

impl Known {
    pub fn of(request: &HttpRequest) -> Self {
        let cookie = request.cookie(cookie_name(origin::is_https(request)));
        let mut parts = cookie.iter().flat_map(|c| c.value().split('.')).map(str::to_owned);
        let name = parts.next().unwrap_or_default();
        Self { name, marks: parts.take(ACCOUNTS).collect() }
    }

    /// The browser's name, when this account has been signed in to there.
    pub fn here(&self, key: &Key, username: &str) -> Option<&str> {
        let own = |mark: &String| verifies(key, &self.name, username, mark);
        (!self.name.is_empty() && self.marks.iter().any(own)).then_some(self.name.as_str())
    }

    /// The cookie of a browser in which this account is signed in, too.
    pub fn with(mut self, key: &Key, username: &str, https: bool) -> Option<Cookie<'static>> {
        if self.name.len() != data_encoding::BASE64URL_NOPAD.encode_len(LENGTH) {
            let mut bytes = [0; LENGTH];
            getrandom::fill(&mut bytes).ok()?;
            self.name = data_encoding::BASE64URL_NOPAD.encode(&bytes);
            self.marks.clear();
        }
        self.marks.retain(|mark| !verifies(key, &self.name, username, mark));
        let mark = mac(key, &self.name, username)?.finalize().into_bytes();
        self.marks.insert(0, data_encoding::BASE64URL_NOPAD.encode(&mark[..LENGTH]));
        self.marks.truncate(ACCOUNTS);
        let value = format!("{}.{}", self.name, self.marks.join("."));
        let cookie = Cookie::build(cookie_name(https), value)
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(https)
            .max_age(LIFE);
        Some(cookie.finish())
    }
}

/// What [`deliver`] adds to an answer.
struct ToKeep(Cookie<'static>);

/// Has the browser remembered as one in which this person has been signed in.
pub(super) fn remember(
    response: &mut HttpResponse,
    request: &HttpRequest,
    accounts: &Accounts,
    person: &Person,
) {
    let known = Known::of(request);
    if let Some(cookie) = known.with(&accounts.key, &person.username, origin::is_https(request)) {
        response.extensions_mut().insert(ToKeep(cookie));
    }
}

/// Middleware, to be wrapped around the one of the session: whoever looks at one cookie alone looks at the first, and
/// that is the session's.
pub async fn deliver(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let mut response = next.call(req).await?.map_into_boxed_body();
    let kept = response.response_mut().extensions_mut().remove::<ToKeep>();
    if let Some(ToKeep(cookie)) = kept {
        response.response_mut().add_cookie(&cookie)?;
    }
    Ok(response)
}

/// A cookie of each scheme's own, like that of the session.
fn cookie_name(https: bool) -> &'static str {
    if https { "__Host-hubbub_known" } else { "hubbub_known" }
}

fn mac(key: &Key, browser: &str, username: &str) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.signing()).ok()?;
    mac.update(b"known browser\0");
    mac.update(browser.as_bytes());
    mac.update(b"\0");
    mac.update(fold(username.trim()).as_bytes());
    Some(mac)
}

fn verifies(key: &Key, browser: &str, username: &str, mark: &str) -> bool {
    let Ok(mark) = data_encoding::BASE64URL_NOPAD.decode(mark.as_bytes()) else { return false };
    mark.len() == LENGTH
        && mac(key, browser, username).is_some_and(|mac| mac.verify_truncated_left(&mark).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn browser(cookie: &str) -> Known {
        let request = TestRequest::get().insert_header(("cookie", format!("hubbub_known={cookie}")));
        Known::of(&request.to_http_request())
    }

    fn value(known: Known, key: &Key, username: &str) -> String {
        known.with(key, username, false).unwrap().value().to_owned()
    }

    #[test]
    fn a_browser_is_known_for_the_accounts_that_were_there_and_no_others() {
        let (key, other) = (Key::generate(), Key::generate());
        let first = value(browser(""), &key, "Ann");
        assert!(!first.to_lowercase().contains("ann"));
        let here = |cookie: &str, key: &Key, name: &str| browser(cookie).here(key, name).is_some();
        assert!(here(&first, &key, " aNN ") && !here(&first, &key, "bob") && !here(&first, &other, "ann"));
        let both = value(browser(&first), &key, "bob");
        assert!(here(&both, &key, "ann") && here(&both, &key, "bob"));
        assert_eq!(
            browser(&both).here(&key, "bob"),
            browser(&first).here(&key, "ann"),
            "one browser, one name"
        );
        let again = value(browser(&both), &key, "bob");
        assert_eq!(again.split('.').count(), 3, "no mark twice");
        let many = (0..9).fold(both, |cookie, n| value(browser(&cookie), &key, &format!("person{n}")));
        assert!(many.split('.').count() == 6 && here(&many, &key, "person8") && !here(&many, &key, "ann"));
    }

    #[test]
    fn a_forged_cookie_is_nobodys() {
        let key = Key::generate();
        let name = value(browser(""), &key, "ann").split('.').next().unwrap().to_owned();
        for cookie in ["", ".", "x", &name, &format!("{name}."), &format!("{name}.AAAAAAAAAAAAAAAAAAAAAA")] {
            assert!(browser(cookie).here(&key, "ann").is_none(), "{cookie}");
        }
    }
}
