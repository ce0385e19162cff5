//! What every answer carries, and who is refused for coming from elsewhere.

use crate::app::{spawn_app, spawn_app_with};
use crate::tree;
use reqwest::Method;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

#[tokio::test]
async fn every_page_carries_the_headers_that_keep_it_safe() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    ann.create("talk").await;
    for path in [
        "/dashboard",
        "/board",
        "/channels",
        "/c/talk",
        "/people",
        "/media",
        "/settings",
        "/c/nowhere",
        "/nothing",
    ] {
        let answer = ann.get(path).await;
        let policy = answer.header("content-security-policy");
        for part in [
            "default-src 'none'",
            "script-src 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "form-action 'self'",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{path}");
        assert_eq!(answer.header("cache-control"), "private, no-cache", "{path}");
        assert!(answer.header("content-type").starts_with("text/html"), "{path}");
        assert!(!answer.header("x-request-id").is_empty(), "{path}");
        assert!(
            !answer.text().contains("<script>")
                && !answer.text().contains(" style=\"")
                && !answer.text().contains(" onclick="),
            "{path}"
        );
    }
}

#[tokio::test]
async fn assets_are_kept_for_good_under_an_address_that_names_their_content() {
    let app = spawn_app().await;
    let page = app.stranger().get("/").await.is(200).text();
    let sheets: Vec<&str> = page
        .split("href=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .filter(|href| href.ends_with(".css"))
        .collect();
    assert!(sheets.len() > 1, "{page}");
    for sheet in sheets {
        let answer = app.stranger().get(sheet).await.is(200);
        assert!(
            answer.header("cache-control").contains("immutable"),
            "{sheet}: {}",
            answer.header("cache-control")
        );
        assert!(answer.header("content-type").starts_with("text/css"), "{sheet}");
        let gzip = app.stranger();
        let answer =
            gzip.answer(gzip.request(Method::GET, sheet).header("accept-encoding", "gzip")).await.is(200);
        assert_eq!(answer.header("vary").to_lowercase(), "accept-encoding", "{sheet}");
    }
}

#[tokio::test]
async fn a_form_on_another_sites_page_can_do_nothing_here() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let post = |headers: &[(&'static str, &str)]| {
        let request = headers
            .iter()
            .fold(ann.request(Method::POST, "/board"), |r, (name, value)| r.header(*name, *value));
        ann.answer(request.form(&[("text", "from elsewhere")]))
    };
    post(&[("origin", "http://evil.example")]).await.is(403).has("another site");
    post(&[("origin", "null")]).await.is(403);
    post(&[("sec-fetch-site", "cross-site")]).await.is(403);
    post(&[("sec-fetch-site", "same-site")]).await.is(403);
    post(&[("origin", &app.origin()), ("sec-fetch-site", "cross-site")]).await.is(403);
    ann.get("/board").await.is(200).lacks("from elsewhere");
    let logout = ann.request(Method::POST, "/logout").header("origin", "http://evil.example");
    ann.answer(logout).await.is(403);
    let api = ann.request(Method::PATCH, "/api/v1/me").header("origin", "http://evil.example").body("{}");
    ann.answer(api).await.problem(403, "foreign_origin");
    post(&[("origin", &app.origin()), ("sec-fetch-site", "same-origin")]).await.is(303);
    post(&[("sec-fetch-site", "none")]).await.is(303);
}

#[tokio::test]
async fn an_origin_from_the_settings_is_welcome() {
    let app = spawn_app_with(&[("origins", "https://portal.example")]).await;
    let ann = app.register("ann").await;
    let post = |origin: &'static str| {
        let request = ann.request(Method::POST, "/board").header("origin", origin);
        ann.answer(request.form(&[("text", "hello")]))
    };
    post("https://portal.example").await.is(303);
    post("https://portal.example.evil.example").await.is(403);
}

#[tokio::test]
async fn what_is_not_there_and_what_cannot_be_done_get_pages_in_our_words() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    ann.get("/nothing").await.is(404).has("There is nothing at this address.").has("<title>");
    let answer = ann.answer(ann.request(Method::DELETE, "/board")).await.is(405);
    assert!(answer.header("allow").contains("GET"), "{:?}", answer.headers);
    for path in [
        "/%",
        "/c/%ff%fe",
        "/c/%00",
        "/c/%2e%2e%2fboard",
        "/c/talk%00",
        "/m/x/y",
        "/media/99999999999999999999",
        "/people?after=%ff",
        "/people?after=%00",
        "/people?query=%00",
        "/channels?after=%00",
        "/login?next=%00",
        "/board?before=-1",
        "/board?before=9223372036854775807",
        "/api/v1/users/%00",
        "/api/v1/users?query=%00&after=%00",
        "/api/v1/users?limit=-9223372036854775808",
        "/api/v1/rooms?after=%00",
        "/api/v1/rooms/-1/messages?before=9223372036854775807",
        "/api/v1/rooms/1/messages?around=9223372036854775807",
        "/api/v1/rooms/1/changes?after=-9223372036854775808",
        "/api/v1/media?query=%00",
        "/api/v1/media?before=-9223372036854775808",
    ] {
        let answer = ann.get(path).await;
        assert!((200..500).contains(&answer.status), "{path}: {} {}", answer.status, answer.text());
    }
    for (path, field) in [
        ("/login", "username"),
        ("/register", "username"),
        ("/guest", "display_name"),
        ("/board", "text"),
        ("/channels", "name"),
    ] {
        let answer = ann.post(path, &[(field, "a\u{0}b"), ("password", "a\u{0}b")]).await;
        assert_eq!(answer.status, 422, "{path}: {}", answer.text());
    }
}

/// Every name that a query may have, as the sources' `web::Query` types say.
fn query_names() -> BTreeSet<String> {
    let sources = tree::files("src", &[".rs"]);
    let mut names = BTreeSet::new();
    for (path, source) in &sources {
        for rest in source.split("web::Query<").skip(1) {
            let kind = rest.split(|c: char| !c.is_alphanumeric()).next().unwrap();
            let head = format!("struct {kind} {{");
            let found: Vec<&str> =
                sources.iter().filter_map(|(_, source)| Some(source.split_once(&head)?.1)).collect();
            assert!(!found.is_empty(), "{path}: there is no {kind}");
            for fields in found {
                let fields = fields.split("\n}").next().unwrap().lines().map(str::trim);
                let fields = fields.filter(|line| !line.starts_with(['/', '#']));
                let field = |line: &str| Some(line.trim_start_matches("pub ").split_once(':')?.0.to_owned());
                names.extend(fields.filter_map(field));
            }
        }
    }
    names
}

/// Method, address, form.
type Asked = (Method, String, Vec<(&'static str, &'static str)>);

/// Every address of the server; `first` stands where its first number or name does, the sign in the others.
fn addresses(first: &str) -> Vec<String> {
    let source = tree::read("src/routes.rs");
    let routes: BTreeSet<&str> =
        source.split("resource(\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(routes.len() > 80, "{routes:?}");
    let fill = |(number, part): (usize, &str)| match part.split_once('}') {
        Some((name, rest)) => {
            let kind = name.strip_prefix("kind:").and_then(|kinds| kinds.split('|').next());
            format!("{}{rest}", kind.unwrap_or(if number == 1 { first } else { "a%00b" }))
        }
        None => part.to_owned(),
    };
    routes.into_iter().map(|route| route.split('{').enumerate().map(fill).collect()).collect()
}

#[tokio::test]
async fn a_sign_that_no_text_has_breaks_no_address() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    std::fs::write(app.media().join("a.wav"), b"RIFF....WAVE").unwrap();
    let item = ann.get("/api/v1/media").await.is(200).json()["items"][0]["id"].to_string();
    ann.create("talk").await;
    let names = query_names();
    for known in ["q", "query", "tag", "from", "room", "after", "next"] {
        assert!(names.contains(known), "{known} is not in {names:?}");
    }
    let mut asked: Vec<Asked> = Vec::new();
    for path in addresses("%00").into_iter().chain(addresses(&item)).filter(|path| path.contains("%00")) {
        asked.push((Method::GET, path.clone(), Vec::new()));
        asked.push((Method::DELETE, path, Vec::new()));
    }
    for path in addresses(&item) {
        // What can't be looked at has no query.
        if ann.get(&path).await.status < 400 {
            asked.extend(names.iter().map(|name| (Method::GET, format!("{path}?{name}=a%00b"), Vec::new())));
        }
    }
    let (captions, edit) = (format!("/media/{item}/captions"), format!("/media/{item}/edit"));
    for (path, form) in [
        (&*captions, [("do", "prefer"), ("language", "a\0b")]),
        (&*captions, [("do", "remove"), ("language", "a\0b")]),
        ("/groups", [("name", "crew"), ("members", "a\0b")]),
        ("/direct", [("user", "a\0b"), ("username", "a\0b")]),
        ("/dashboard/key", [("key", "a secret\0phrase"), ("password", "a\0b")]),
        ("/settings/profile", [("display_name", "a\0b"), ("status", "a\0b")]),
        ("/media/lists", [("do", "make"), ("name", "a\0b")]),
        (&*edit, [("title", "a\0b"), ("description", "a\0b")]),
    ] {
        asked.push((Method::POST, path.to_owned(), form.into()));
    }
    let mut broken = Vec::new();
    for some in asked.chunks(8) {
        let answers = some.iter().map(async |(method, path, form)| {
            let answer = ann.answer(ann.request(method.clone(), path).form(form)).await;
            (answer.status >= 500).then(|| format!("{method} {path}: {}", answer.text()))
        });
        broken.extend(futures_util::future::join_all(answers).await.into_iter().flatten());
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[tokio::test]
async fn a_connection_may_be_quiet_for_longer_than_proxies_check() {
    let app = spawn_app().await;
    let mut line = tokio::net::TcpStream::connect(app.origin().trim_start_matches("http://")).await.unwrap();
    for _ in 0..2 {
        line.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        let mut answer = [0; 4096];
        let n = line.read(&mut answer).await.unwrap();
        assert!(answer[..n].starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer[..n]));
        tokio::time::sleep(Duration::from_secs(7)).await;
    }
}
