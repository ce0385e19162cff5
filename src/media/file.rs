//! `/media/{id}/file` and its likes: an item's bytes, whole or in ranges, to be kept by browsers but never mixed.

use super::library::{Library, Opened};
use super::pieces::{Piece, Pieces};
use super::scan::{modified_ms, size};
use super::sight::{NO_ITEM, Sight};
use crate::accounts::Reader;
use crate::error::{Error, Result};
use crate::ids::{self, MediaId};
use crate::media::item::version;
use crate::media::prepared::POSTER;
use crate::site::range::{Span, Unsent, Validators, Wanted};
use actix_files::NamedFile;
use actix_web::http::Method;
use actix_web::http::header::{
    ACCEPT_RANGES, ALLOW, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_RANGE, CONTENT_SECURITY_POLICY,
    CONTENT_TYPE, DispositionType, ETAG, HttpDate, LAST_MODIFIED, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};
use bytes::Bytes;
use std::time::UNIX_EPOCH;

/// An answer that names the file's state in its address never changes.
const FOR_GOOD: &str = "private, max-age=31536000, immutable";
/// Kept, but asked about before each use: the file may be replaced.
const ASKED_ABOUT: &str = "private, no-cache";
/// Opened by itself, a file is a document of this origin: it may show itself and nothing else.
const POLICY: &str = "default-src 'none'; media-src 'self'; style-src 'unsafe-inline'; sandbox";

/// `GET` and `HEAD` of `/media/{id}/file` and `/api/v1/media/{id}/file`: the best that every browser plays. With `?v=`
/// of the item's page it may be kept for good; with `?download` the browser saves it.
pub async fn get(reader: Reader, request: HttpRequest, library: web::Data<Library>) -> Result<HttpResponse> {
    serve(&request, &library, Sight::from(&reader)).await
}

/// The same of `/original`: the file as it came.
pub async fn original(
    reader: Reader,
    request: HttpRequest,
    library: web::Data<Library>,
) -> Result<HttpResponse> {
    match asked(&request)? {
        Some(id) => answer(&request, library.open_file(id, &reader).await?),
        None => Ok(not_allowed()),
    }
}

/// The same of `/media/{id}/r/{name}`: something that was made of the file.
pub async fn product(
    reader: Reader,
    request: HttpRequest,
    library: web::Data<Library>,
) -> Result<HttpResponse> {
    let name = request.match_info().get("name").unwrap_or(POSTER);
    match asked(&request)? {
        Some(id) => answer(&request, library.open_product(id, &reader, name, version_asked(&request)).await?),
        None => Ok(not_allowed()),
    }
}

async fn serve(request: &HttpRequest, library: &Library, sight: Sight) -> Result<HttpResponse> {
    match asked(request)? {
        Some(id) => answer(request, library.open_best(id, sight).await?),
        None => Ok(not_allowed()),
    }
}

/// Which item; nothing for a method that isn't allowed.
fn asked(request: &HttpRequest) -> Result<Option<MediaId>> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Ok(None);
    }
    let id: Option<MediaId> = request.match_info().get("id").and_then(|id| id.parse().ok());
    id.map(Some).ok_or(NO_ITEM)
}

fn not_allowed() -> HttpResponse {
    HttpResponse::MethodNotAllowed().insert_header((ALLOW, "GET, HEAD")).finish()
}

fn answer(request: &HttpRequest, opened: Opened) -> Result<HttpResponse> {
    let length = opened.meta.len();
    let validators = validators(&opened);
    let wanted = validators.judge(request, length);
    // Refusals stay bare: the outermost middleware words them for who asked, and they are not to be kept.
    let mut response = match wanted {
        Wanted::PreconditionFailed => return Ok(HttpResponse::PreconditionFailed().finish()),
        Wanted::NotSatisfiable => {
            let range = (CONTENT_RANGE, format!("bytes */{length}"));
            return Ok(HttpResponse::RangeNotSatisfiable().insert_header(range).finish());
        }
        Wanted::NotModified => HttpResponse::NotModified(),
        Wanted::Part(_) | Wanted::Parts(_) => HttpResponse::PartialContent(),
        Wanted::Whole => HttpResponse::Ok(),
    };
    response
        .insert_header((ETAG, validators.tag.to_string()))
        .insert_header((ACCEPT_RANGES, "bytes"))
        .insert_header((CACHE_CONTROL, lifetime(request, &opened)))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((CONTENT_SECURITY_POLICY, POLICY));
    if let Some(modified) = validators.modified {
        response.insert_header((LAST_MODIFIED, HttpDate::from(modified)));
    }
    if wanted == Wanted::NotModified {
        Ok(response.finish())
    } else {
        send(request, response, opened, &wanted)
    }
}

/// Size and time of change: the same on every node that serves a copy with its times kept, unlike the inode.
fn validators(opened: &Opened) -> Validators {
    let modified = opened.meta.modified().ok();
    if let Some(product) = &opened.product {
        return Validators::new(format!("{}-{}", product.set, product.name), modified);
    }
    let nanos =
        modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok()).map_or(0, |since| since.as_nanos());
    Validators::new(format!("{}-{:x}-{nanos:x}", opened.item.id, opened.meta.len()), modified)
}

fn lifetime(request: &HttpRequest, opened: &Opened) -> &'static str {
    let current = match &opened.product {
        Some(product) => product.set.clone(),
        None => version(size(&opened.meta), modified_ms(&opened.meta)),
    };
    if version_asked(request) == Some(current.as_str()) { FOR_GOOD } else { ASKED_ABOUT }
}

fn version_asked(request: &HttpRequest) -> Option<&str> {
    parameters(request).find_map(|pair| pair.strip_prefix("v="))
}

fn parameters(request: &HttpRequest) -> impl Iterator<Item = &str> {
    request.query_string().split('&')
}

fn send(
    request: &HttpRequest,
    mut response: HttpResponseBuilder,
    opened: Opened,
    wanted: &Wanted,
) -> Result<HttpResponse> {
    let (length, name) = (opened.meta.len(), opened.file_name());
    let mime = opened.mime;
    let file = NamedFile::from_file(opened.file, name).map_err(Error::internal)?;
    let mut disposition = file.content_disposition().clone();
    let download = parameters(request).any(|pair| pair == "download" || pair.starts_with("download="));
    disposition.disposition = if download { DispositionType::Attachment } else { DispositionType::Inline };
    response.insert_header((CONTENT_DISPOSITION, disposition)).insert_header((CONTENT_TYPE, mime.as_str()));
    let pieces = match wanted {
        Wanted::Part(span) => {
            response.insert_header((CONTENT_RANGE, content_range(*span, length)));
            vec![Piece::File(*span)]
        }
        Wanted::Parts(spans) => {
            // No file can hold it on purpose.
            let boundary = ids::random()?;
            let kind = format!("multipart/byteranges; boundary={boundary}");
            response.insert_header((CONTENT_TYPE, kind));
            parts(spans, &boundary, &mime, length)
        }
        _ if *request.method() == Method::HEAD => return Ok(response.body(Unsent(length))),
        _ => vec![Piece::File(Span { start: 0, length })],
    };
    Ok(response.body(Pieces::new(file, pieces.into_iter().filter(|piece| !piece.is_empty()))))
}

fn content_range(Span { start, length }: Span, size: u64) -> String {
    format!("bytes {start}-{}/{size}", start + length - 1)
}

/// The body of several ranges, RFC 9110 section 14.6.
fn parts(spans: &[Span], boundary: &str, mime: &str, size: u64) -> Vec<Piece> {
    let words = |text: String| Piece::Words(Bytes::from(text));
    let mut pieces = Vec::with_capacity(spans.len() * 2 + 1);
    for span in spans {
        let range = content_range(*span, size);
        pieces.push(words(format!(
            "\r\n--{boundary}\r\nContent-Type: {mime}\r\nContent-Range: {range}\r\n\r\n"
        )));
        pieces.push(Piece::File(*span));
    }
    pieces.push(words(format!("\r\n--{boundary}--\r\n")));
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::media::shelf::Page;
    use crate::rooms::Rooms;
    use actix_web::App;
    use actix_web::dev::ServiceResponse;
    use actix_web::http::StatusCode;
    use actix_web::http::header::{HeaderMap, HeaderName};
    use actix_web::test::{TestRequest, call_service, init_service, read_body};
    use std::path::PathBuf;

    type Tested = std::result::Result<(), Box<dyn std::error::Error>>;

    struct Place {
        media: PathBuf,
        library: Library,
        id: MediaId,
        _temp: tempfile::TempDir,
    }

    async fn place(name: &str, bytes: &[u8]) -> std::result::Result<Place, Box<dyn std::error::Error>> {
        let temp = tempfile::tempdir()?;
        let media = temp.path().join("media");
        std::fs::create_dir(&media)?;
        std::fs::write(media.join(name), bytes)?;
        let mut config = Config::default();
        config.set("data", &temp.path().to_string_lossy())?;
        let library = Library::open(&media, Rooms::open(&config, |_| ())?.db)?;
        let id = library.page(Page::default()).await?.0[0].id;
        Ok(Place { media, library, id, _temp: temp })
    }

    impl Place {
        async fn ask(&self, request: TestRequest) -> ServiceResponse {
            let resource =
                web::resource("/media/{id}/file").to(async |request, library: web::Data<Library>| {
                    serve(&request, &library, Sight::default()).await.unwrap_or_else(|error| {
                        HttpResponse::build(StatusCode::from_u16(error.status()).unwrap()).finish()
                    })
                });
            let app =
                init_service(App::new().app_data(web::Data::new(self.library.clone())).service(resource))
                    .await;
            call_service(&app, request.to_request()).await
        }

        fn request(&self) -> TestRequest {
            TestRequest::get().uri(&self.address())
        }

        fn address(&self) -> String {
            format!("/media/{}/file", self.id)
        }
    }

    fn letters() -> Vec<u8> {
        (0..100).flat_map(|n| format!("X{n:03}XXXXXX").into_bytes()).collect()
    }

    fn text(headers: &HeaderMap, name: HeaderName) -> String {
        headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned()
    }

    #[actix_web::test]
    async fn a_range_gets_its_bytes_and_no_others() -> Tested {
        let place = place("a.wav", &letters()).await?;
        let response = place.ask(place.request().insert_header(("Range", "bytes=990-1990"))).await;
        assert_eq!(response.status(), 206);
        assert_eq!(text(response.headers(), CONTENT_RANGE), "bytes 990-999/1000");
        assert_eq!(text(response.headers(), CONTENT_TYPE), "audio/wav");
        assert_eq!(read_body(response).await, "X099XXXXXX");
        let bad = place.ask(place.request().insert_header(("Range", "bytes=1000-"))).await;
        assert_eq!((bad.status().as_u16(), text(bad.headers(), CONTENT_RANGE)), (416, "bytes */1000".into()));
        Ok(())
    }

    #[actix_web::test]
    async fn several_ranges_come_as_parts() -> Tested {
        let place = place("a.wav", &letters()).await?;
        let response = place.ask(place.request().insert_header(("Range", "bytes=0-9, -10, 10-19"))).await;
        assert_eq!(response.status(), 206);
        let kind = text(response.headers(), CONTENT_TYPE);
        let boundary = kind.strip_prefix("multipart/byteranges; boundary=").unwrap().to_owned();
        let body = String::from_utf8(read_body(response).await.to_vec())?;
        let part = |range: &str, bytes: &str| {
            format!(
                "\r\n--{boundary}\r\nContent-Type: audio/wav\r\nContent-Range: bytes {range}/1000\r\n\r\n{bytes}"
            )
        };
        let expected =
            [part("0-9", "X000XXXXXX"), part("990-999", "X099XXXXXX"), part("10-19", "X001XXXXXX")].concat();
        assert_eq!(body, format!("{expected}\r\n--{boundary}--\r\n"));
        Ok(())
    }

    #[actix_web::test]
    async fn an_answer_says_what_it_is_and_how_long_it_may_be_kept() -> Tested {
        let place = place("Ä \"song\".mp3", b"ID3 and so on").await?;
        let response = place.ask(place.request()).await;
        let headers = response.headers();
        assert_eq!(text(headers, CACHE_CONTROL), ASKED_ABOUT);
        assert_eq!(text(headers, X_CONTENT_TYPE_OPTIONS), "nosniff");
        assert!(text(headers, CONTENT_SECURITY_POLICY).contains("sandbox"));
        assert!(
            headers.get(CONTENT_DISPOSITION).is_some_and(|value| value.as_bytes().starts_with(b"inline"))
        );
        assert!(text(headers, ETAG).starts_with('"'));
        let version = place.library.item(place.id, Sight::default()).await?.version();
        let uri = format!("{}?v={version}&download", place.address());
        let response = place.ask(TestRequest::get().uri(&uri)).await;
        assert_eq!(text(response.headers(), CACHE_CONTROL), FOR_GOOD);
        let disposition = response.headers().get(CONTENT_DISPOSITION).unwrap().as_bytes();
        assert!(disposition.starts_with(b"attachment"));
        Ok(())
    }

    #[actix_web::test]
    async fn a_replaced_file_has_another_tag_and_is_not_kept_for_good_under_the_old_address() -> Tested {
        let place = place("a.wav", b"RIFF0000WAVE").await?;
        let old = text(place.ask(place.request()).await.headers(), ETAG);
        let version = place.library.item(place.id, Sight::default()).await?.version();
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        std::fs::write(place.media.join("a.wav"), b"ID3 is an mp3 now")?;
        let uri = format!("{}?v={version}", place.address());
        let response = place
            .ask(
                TestRequest::get()
                    .uri(&uri)
                    .insert_header(("Range", "bytes=0-3"))
                    .insert_header(("If-Range", old.as_str())),
            )
            .await;
        assert_eq!(
            (response.status().as_u16(), text(response.headers(), CACHE_CONTROL)),
            (200, ASKED_ABOUT.into())
        );
        assert_eq!(text(response.headers(), CONTENT_TYPE), "audio/mpeg");
        assert_ne!(text(response.headers(), ETAG), old);
        assert_eq!(read_body(response).await, "ID3 is an mp3 now");
        Ok(())
    }

    #[actix_web::test]
    async fn head_has_the_length_and_other_methods_are_told_what_is_allowed() -> Tested {
        let place = place("a.wav", &letters()).await?;
        let response = place
            .ask(
                TestRequest::with_uri(&place.address())
                    .method(Method::HEAD)
                    .insert_header(("Range", "bytes=0-1")),
            )
            .await;
        assert_eq!(response.status(), 200);
        assert_eq!(
            actix_web::body::MessageBody::size(response.response().body()),
            actix_web::body::BodySize::Sized(1000)
        );
        for method in [Method::POST, Method::DELETE, Method::OPTIONS] {
            let response = place.ask(TestRequest::with_uri(&place.address()).method(method)).await;
            assert_eq!(
                (response.status().as_u16(), text(response.headers(), ALLOW)),
                (405, "GET, HEAD".into())
            );
        }
        Ok(())
    }

    #[actix_web::test]
    async fn what_is_not_there_is_not_found_whatever_is_asked_of_it() -> Tested {
        let place = place("a.wav", &letters()).await?;
        for id in ["99", "0", "-1", "x", "%2e%2e", "99999999999999999999"] {
            let request = TestRequest::get().uri(&format!("/media/{id}/file"));
            assert_eq!(place.ask(request.insert_header(("If-Match", "\"foo\""))).await.status(), 404, "{id}");
        }
        Ok(())
    }

    #[actix_web::test]
    async fn an_empty_file_is_an_answer() -> Tested {
        let place = place("a.wav", b"").await?;
        assert_eq!(place.ask(place.request()).await.status(), 200);
        let ranged = place.ask(place.request().insert_header(("Range", "bytes=-5"))).await;
        assert_eq!(
            (ranged.status().as_u16(), text(ranged.headers(), CONTENT_RANGE)),
            (416, "bytes */0".into())
        );
        Ok(())
    }
}
