//! Which language a request is answered in: the one that was chosen, else the first that the browser asks for.

use super::answer::{is_local, see_other};
use super::origin;
use super::words::{LANGUAGES, Language};
use crate::error::{Error, Result};
use actix_web::cookie::{Cookie, SameSite, time::Duration};
use actix_web::dev::ServiceRequest;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

const COOKIE: &str = "hubbub_lang";
/// Over HTTPS, so that plain HTTP on another port of the same host keeps one that it can change.
const SECURE_COOKIE: &str = "__Host-hubbub_lang";
/// Kept for a year: nobody changes their language often.
const KEPT: Duration = Duration::days(365);

/// The language of `request`: cookie, `Accept-Language`, English.
pub fn of_request(request: &ServiceRequest) -> &'static Language {
    let chosen =
        request.cookie(cookie_name(request.request())).and_then(|cookie| Language::find(cookie.value()));
    let header = request.headers().get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    chosen.or_else(|| preferred(header.unwrap_or_default())).unwrap_or_else(Language::english)
}

fn cookie_name(request: &HttpRequest) -> &'static str {
    if origin::is_https(request) { SECURE_COOKIE } else { COOKIE }
}

/// The best of ours for an `Accept-Language` (RFC 9110, 12.5.4). A reader of one form of a language is told in the
/// other rather than in a language further down their list.
fn preferred(header: &str) -> Option<&'static Language> {
    let mut wishes: Vec<(&str, f32)> = header
        .split(',')
        .take(20)
        .filter_map(|wish| {
            let (tag, quality) = wish.split_once(';').unwrap_or((wish, ""));
            let quality = quality.trim().strip_prefix("q=").map_or(Some(1.0), |q| q.parse().ok())?;
            (quality > 0.0).then_some((tag.trim(), quality))
        })
        .collect();
    // A stable sort: equal wishes stay in the order that the browser gave them.
    wishes.sort_by(|a, b| b.1.total_cmp(&a.1));
    wishes.into_iter().find_map(|(tag, _)| {
        let primary = |tag: &str| tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
        let same = |language: &&Language| primary(language.code) == primary(tag);
        Language::find(tag).or_else(|| LANGUAGES.iter().find(same))
    })
}

/// The body of `POST /language`.
#[derive(Deserialize)]
pub struct Choice {
    language: String,
    /// The path to go back to when the browser doesn't say where it was.
    #[serde(default)]
    next: String,
}

/// `POST /language`: remembers the choice in this browser, and goes back to where it was made.
pub async fn choose(request: HttpRequest, choice: web::Form<Choice>) -> Result<HttpResponse> {
    let Some(language) = Language::find(&choice.language) else {
        return Err(Error::field("language", "This place does not speak that language."));
    };
    let referer = request.headers().get(header::REFERER).and_then(|value| value.to_str().ok());
    let from = referer.and_then(|address| address.parse::<actix_web::http::Uri>().ok());
    let from =
        from.as_ref().and_then(|address| address.path_and_query()).map(actix_http::uri::PathAndQuery::as_str);
    // Only the path is taken over, so that no other site can be led to.
    let back = from.filter(|path| is_local(path)).or(Some(&choice.next)).filter(|path| is_local(path));
    let cookie = Cookie::build(cookie_name(&request), language.code)
        .path("/")
        .max_age(KEPT)
        .same_site(SameSite::Lax)
        .http_only(true)
        .secure(origin::is_https(&request))
        .finish();
    let mut response = see_other(back.unwrap_or("/"));
    response.add_cookie(&cookie).map_err(|error| Error::internal(error.to_string()))?;
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn the_browsers_first_wish_that_is_spoken_here_counts() {
        for (header, code) in [
            ("zh-TW,zh;q=0.9,en;q=0.8", Some("zh-Hant")),
            ("zh-Hant", Some("zh-Hant")),
            ("de-DE,de;q=0.9,en;q=0.5,zh;q=0.4", Some("en")),
            ("en;q=0.2, zh-HK;q=0.7", Some("zh-Hant")),
            ("en-GB,en;q=0.9,zh-TW;q=0.8", Some("en")),
            ("zh;q=0", None),
            ("fr;q=x,;;,*", None),
            ("", None),
        ] {
            assert_eq!(preferred(header).map(|language| language.code), code, "{header}");
        }
    }

    #[test]
    fn a_choice_beats_what_the_browser_asks_for() {
        let request = TestRequest::get()
            .insert_header(("Accept-Language", "zh-TW"))
            .cookie(Cookie::new(COOKIE, "en"))
            .to_srv_request();
        assert_eq!(of_request(&request).code, "en");
        let request = TestRequest::get()
            .insert_header(("Accept-Language", "zh-TW"))
            .cookie(Cookie::new(COOKIE, "tlh"))
            .to_srv_request();
        assert_eq!(of_request(&request).code, "zh-Hant");
    }

    #[actix_web::test]
    async fn choosing_leads_back_and_never_away() {
        for (referer, next, back) in [
            ("http://localhost:8080/c/a%20b?around=3", "/board", "/c/a%20b?around=3"),
            ("", "/board", "/board"),
            ("", "//evil.example", "/"),
            ("http://localhost//evil.example", "/people", "/people"),
        ] {
            let request = TestRequest::post().insert_header(("Referer", referer)).to_http_request();
            let choice = web::Form(Choice { language: "zh-Hant".into(), next: next.into() });
            let response = choose(request, choice).await.unwrap();
            assert_eq!(response.headers().get(header::LOCATION).unwrap(), back);
            assert!(response.cookies().any(|cookie| cookie.name() == COOKIE && cookie.value() == "zh-Hant"));
        }
        let request = TestRequest::post().to_http_request();
        let choice = web::Form(Choice { language: "tlh".into(), next: String::new() });
        assert_eq!(choose(request, choice).await.unwrap_err().status(), 422);
    }
}
