//! The files of `static/`, in the binary and in memory: one prefix that names the content, so that browsers keep them for good.
//!
//! The hash covers all files together. A module that imports another relatively stays inside the prefix, so it
//! never meets a neighbour of another version.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::LazyLock;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use flate2::Compression;
use flate2::write::GzEncoder;
use rust_embed::RustEmbed;
use sha2::{Digest as _, Sha256};

use super::lean::lean;
use super::words::{LANGUAGES, Language};
use crate::text;

#[derive(RustEmbed)]
#[folder = "static/"]
struct Files;

/// One file, ready to be sent.
struct Asset {
    mime: &'static str,
    plain: web::Bytes,
    /// Only when it is smaller.
    gzip: Option<web::Bytes>,
}

/// All files by their path, and the prefix that stands before it.
struct Shelf {
    prefix: String,
    assets: BTreeMap<String, Asset>,
}

// Made at the first use: compressing some 50 small files takes a few milliseconds.
static SHELF: LazyLock<Shelf> = LazyLock::new(Shelf::load);

impl Shelf {
    fn load() -> Self {
        let mut hash = Sha256::new();
        let mut assets = BTreeMap::new();
        let mut paths: Vec<Cow<'static, str>> = Files::iter().collect();
        paths.sort();
        let files = paths.into_iter().filter_map(|path| {
            let data = Files::get(&path)?.data;
            Some((path.clone(), if path.ends_with(".js") { without_comments(data) } else { data }))
        });
        // What a script says in a language other than English is a file that the build has made.
        let words = LANGUAGES
            .iter()
            .map(|language| (Cow::from(words_path(language)), Cow::from(language.script.as_bytes())));
        let emoji = (Cow::from("js/lib/emoji.json"), Cow::from(text::emoji_catalogue().into_bytes()));
        for (path, data) in files.chain(words).chain([emoji]) {
            // Lengths keep two different trees from feeding the hash the same bytes.
            hash.update((path.len() as u64).to_le_bytes());
            hash.update(path.as_bytes());
            hash.update((data.len() as u64).to_le_bytes());
            hash.update(&data);
            assets.insert(path.into_owned(), Asset::new(data));
        }
        for (path, asset) in &mut assets {
            asset.mime = mime_of(path);
        }
        let digest = data_encoding::HEXLOWER.encode(&hash.finalize()[..6]);
        Self { prefix: format!("/assets/{digest}/"), assets }
    }
}

/// What isn't text stays as it is.
fn without_comments(data: Cow<'static, [u8]>) -> Cow<'static, [u8]> {
    let script = std::str::from_utf8(&data).map(lean);
    script.map_or(data, |script| script.into_bytes().into())
}

impl Asset {
    fn new(data: Cow<'static, [u8]>) -> Self {
        let gzip = squeeze(&data).filter(|small| small.len() < data.len());
        let plain = match data {
            Cow::Borrowed(bytes) => web::Bytes::from_static(bytes),
            Cow::Owned(bytes) => web::Bytes::from(bytes),
        };
        Self { mime: "application/octet-stream", plain, gzip: gzip.map(web::Bytes::from) }
    }

    fn answer(&self, takes_gzip: bool, cache: &'static str) -> HttpResponse {
        let mut response = HttpResponse::Ok();
        response
            .insert_header((header::CONTENT_TYPE, self.mime))
            .insert_header((header::CACHE_CONTROL, cache))
            .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"));
        let Some(small) = &self.gzip else { return response.body(self.plain.clone()) };
        response.insert_header((header::VARY, "Accept-Encoding"));
        if takes_gzip {
            response.insert_header((header::CONTENT_ENCODING, "gzip")).body(small.clone())
        } else {
            response.body(self.plain.clone())
        }
    }
}

fn squeeze(data: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(data.len() / 2), Compression::best());
    encoder.write_all(data).ok()?;
    encoder.finish().ok()
}

fn mime_of(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "webmanifest" => "application/manifest+json",
        _ => "application/octet-stream",
    }
}

/// Whether `Accept-Encoding` names gzip without `q=0`.
fn takes_gzip(request: &HttpRequest) -> bool {
    let accepted = request.headers().get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    accepted.unwrap_or_default().split(',').any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let refused = parts.any(|part| {
            part.strip_prefix("q=").and_then(|q| q.parse::<f32>().ok()).is_some_and(|quality| quality == 0.0)
        });
        name.eq_ignore_ascii_case("gzip") && !refused
    })
}

/// Where `js/lib/words.js` finds the words of `language`.
fn words_path(language: &Language) -> String {
    format!("js/lib/words.{}.js", language.code)
}

/// Where a page finds the words of its scripts, in the language that it is answered in.
pub fn words_url() -> String {
    url(&words_path(Language::spoken()))
}

/// The address of a file of `static/`, for example `css/site.css`.
pub fn url(path: &str) -> String {
    debug_assert!(SHELF.assets.contains_key(path), "static/{path} does not exist");
    format!("{}{path}", SHELF.prefix)
}

/// `GET /assets/{hash}/{path}`. An address with another hash is one of another version, and unknown: answering it with
/// today's file would put that file into caches for good under yesterday's name.
pub async fn get(request: HttpRequest) -> HttpResponse {
    let asset = request.path().strip_prefix(SHELF.prefix.as_str()).and_then(|path| SHELF.assets.get(path));
    match asset {
        Some(asset) => asset.answer(takes_gzip(&request), "public, max-age=31536000, immutable"),
        None => not_found(),
    }
}

/// `GET /favicon.svg`, under a name that stays.
pub async fn favicon(request: HttpRequest) -> HttpResponse {
    match SHELF.assets.get("favicon.svg") {
        Some(asset) => asset.answer(takes_gzip(&request), "public, max-age=86400"),
        None => not_found(),
    }
}

fn not_found() -> HttpResponse {
    HttpResponse::NotFound()
        .insert_header((header::CONTENT_TYPE, "text/plain; charset=utf-8"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body("There is no such file.")
}

/// The two addresses of this module.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(
            web::resource("/assets/{hash}/{path:.*}").route(web::get().to(get)).route(web::head().to(get)),
        )
        .service(web::resource("/favicon.svg").route(web::get().to(favicon)).route(web::head().to(favicon)));
}

#[cfg(test)]
mod tests {
    use actix_web::http::StatusCode;
    use actix_web::test::TestRequest;

    use super::*;

    fn header_of(response: &HttpResponse, name: header::HeaderName) -> &str {
        response.headers().get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[actix_web::test]
    async fn a_file_is_compressed_and_kept_for_good() {
        let request = TestRequest::get().uri(&url("css/tokens.css"));
        let response = get(request.insert_header(("Accept-Encoding", "br, gzip")).to_http_request()).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(header_of(&response, header::CONTENT_ENCODING), "gzip");
        assert_eq!(header_of(&response, header::CONTENT_TYPE), "text/css; charset=utf-8");
        assert!(header_of(&response, header::CACHE_CONTROL).contains("immutable"));
    }

    #[actix_web::test]
    async fn a_client_that_refuses_gzip_gets_the_plain_file() {
        let request = TestRequest::get().uri(&url("css/tokens.css"));
        let response = get(request.insert_header(("Accept-Encoding", "gzip;q=0")).to_http_request()).await;
        assert_eq!(header_of(&response, header::CONTENT_ENCODING), "");
        assert_eq!(header_of(&response, header::VARY), "Accept-Encoding");
    }

    #[actix_web::test]
    async fn another_hash_and_another_path_are_unknown() {
        for path in ["/assets/000000000000/css/tokens.css", &format!("{}css/none.css", SHELF.prefix)] {
            let response = get(TestRequest::get().uri(path).to_http_request()).await;
            assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        }
    }
}
