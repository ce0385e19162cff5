//! The accounts as a browser meets them: real handlers, middlewares and a real SQLite file.

use super::state::open_database;
use super::{Accounts, Presence, Visitor, api, entry, pages, session, user};
use crate::config::Config;
use crate::db::Conn;
use crate::events::{Event, Events};
use crate::ids::UserId;
use crate::site::limit::Limits;
use crate::site::page::{Pages, Rail, RailFuture, RailProvider};
use crate::site::{answer, body, origin};
use actix_http::Request;
use actix_web::body::BoxBody;
use actix_web::cookie::Cookie;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::http::{Method, header};
use actix_web::middleware::from_fn;
use actix_web::test::{TestRequest, init_service, read_body};
use actix_web::{App, HttpResponse, web};
use std::sync::{Arc, Mutex};

struct NoRails;
impl RailProvider for NoRails {
    fn rail(&self, _: i64) -> RailFuture {
        Box::pin(async { Arc::new(Rail::default()) })
    }
}

struct OddOnesAreHere;
impl Presence for OddOnesAreHere {
    fn online(&self, ids: &[UserId]) -> Vec<bool> {
        ids.iter().map(|id| id.0 % 2 == 1).collect()
    }
}

async fn fails(_: Option<Visitor>) -> crate::error::Result<HttpResponse> {
    Err(crate::error::Error::internal("the disk is on fire"))
}

async fn whoami(visitor: Visitor) -> String {
    visitor.session.to_string()
}

fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/", web::get().to(entry::start))
        .service(web::resource("/login").get(entry::login_page).post(entry::login))
        .service(web::resource("/register").get(entry::register_page).post(entry::register))
        .route("/guest", web::post().to(entry::guest))
        .route("/logout", web::post().to(entry::logout))
        .route("/settings", web::get().to(pages::settings))
        .route("/settings/profile", web::post().to(pages::save_profile))
        .route("/settings/sessions/revoke-others", web::post().to(pages::revoke_other_sessions))
        .route("/settings/sessions/{id}/revoke", web::post().to(pages::revoke_session))
        .route("/people", web::get().to(pages::people))
        .service(web::resource("/api/v1/me").get(api::me).patch(api::change_me))
        .route("/api/v1/users", web::get().to(api::users))
        .route("/api/v1/users/{username}", web::get().to(api::user))
        .route("/fails", web::get().to(fails))
        .route("/api/fails", web::get().to(fails))
        .route("/session", web::get().to(whoami))
        .default_service(web::to(pages::nothing));
}

struct Place<S> {
    app: S,
    accounts: Accounts,
    ended: Arc<Mutex<Vec<Event>>>,
    _folder: tempfile::TempDir,
}

#[derive(Default)]
struct Browser {
    cookie: Option<String>,
    set_cookie: String,
}

struct Answer {
    status: u16,
    location: String,
    kind: String,
    body: String,
    headers: header::HeaderMap,
}

impl Answer {
    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }
}

fn settings(folder: &tempfile::TempDir, more: &[(&str, &str)]) -> Config {
    let mut config = Config::default();
    let data = folder.path().to_str().unwrap();
    for (name, value) in [("data", data), ("bcrypt_cost", "4"), ("rate_limits", "off")].iter().chain(more) {
        config.set(name, value).unwrap();
    }
    config
}

async fn place(
    more: &[(&str, &str)],
) -> Place<impl Service<Request, Response = ServiceResponse<BoxBody>, Error = actix_web::Error>> {
    let folder = tempfile::tempdir().unwrap();
    let config = Arc::new(settings(&folder, more));
    let events = Events::default();
    let ended = Arc::new(Mutex::new(Vec::new()));
    let heard = ended.clone();
    events.listen(move |event| heard.lock().unwrap().push(event.clone()));
    let accounts = Accounts::open(config.clone(), events).unwrap();
    let app = App::new()
        .app_data(web::Data::new(accounts.clone()))
        .app_data(web::Data::new(Limits::new(&config)))
        .app_data(web::Data::new(Pages::new(Arc::new(NoRails))))
        .app_data(web::Data::from(Arc::new(OddOnesAreHere) as Arc<dyn Presence>))
        .app_data(web::Data::from(config))
        .configure(body::limits)
        .configure(routes)
        .wrap(accounts.session_middleware())
        .wrap(from_fn(origin::check))
        .wrap(from_fn(answer::answer));
    Place { app: init_service(app).await, accounts, ended, _folder: folder }
}

impl<S: Service<Request, Response = ServiceResponse<BoxBody>, Error = actix_web::Error>> Place<S> {
    async fn send(&self, browser: &mut Browser, request: TestRequest) -> Answer {
        let request = request.peer_addr("127.0.0.1:5000".parse().unwrap());
        let request = match &browser.cookie {
            Some(cookie) => request.insert_header((header::COOKIE, cookie.as_str())),
            None => request,
        };
        let response = self.app.call(request.to_request()).await.unwrap();
        if let Some(set) = response.headers().get(header::SET_COOKIE) {
            browser.set_cookie = set.to_str().unwrap().to_owned();
            let cookie = Cookie::parse(browser.set_cookie.clone()).unwrap();
            let gone = cookie.value().is_empty();
            browser.cookie = (!gone).then(|| format!("{}={}", cookie.name(), cookie.value()));
        }
        let text = |name| response.headers().get(name).map_or("", |v| v.to_str().unwrap()).to_owned();
        let (location, kind) = (text(header::LOCATION), text(header::CONTENT_TYPE));
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = String::from_utf8(read_body(response).await.to_vec()).unwrap();
        Answer { status, location, kind, body, headers }
    }

    async fn get(&self, browser: &mut Browser, path: &str) -> Answer {
        self.send(browser, TestRequest::get().uri(path)).await
    }

    async fn post(&self, browser: &mut Browser, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(browser, TestRequest::post().uri(path).set_form(fields)).await
    }

    async fn registered(&self, username: &str) -> Browser {
        let mut browser = Browser::default();
        let fields = [("username", username), ("password", "correct horse")];
        let answer = self.post(&mut browser, "/register", &fields).await;
        assert_eq!((answer.status, answer.location.as_str()), (303, "/dashboard"), "{}", answer.body);
        browser
    }
}

#[actix_web::test]
async fn somebody_registers_leaves_and_logs_in_again() {
    let place = place(&[]).await;
    let mut ann = place.registered("Ann").await;
    for part in ["hubbub_session=", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=2592000"] {
        assert!(ann.set_cookie.contains(part), "{}", ann.set_cookie);
    }
    assert!(!ann.set_cookie.contains("Secure"));
    let me = place.get(&mut ann, "/api/v1/me").await.json();
    assert_eq!(
        (&me["username"], &me["role"], &me["login_count"]),
        (&"Ann".into(), &"owner".into(), &0.into())
    );
    let before = ann.cookie.clone();
    let answer = place.post(&mut ann, "/logout", &[]).await;
    assert_eq!((answer.status, answer.location.as_str(), ann.cookie.is_none()), (303, "/login", true));
    assert!(matches!(place.ended.lock().unwrap().as_slice(), [Event::SessionsEnded(ids)] if ids.len() == 1));
    ann.cookie = before;
    assert_eq!(place.get(&mut ann, "/api/v1/me").await.status, 401, "the old cookie is worth nothing");
    ann.cookie = None;
    let fields = [("username", "ANN"), ("password", "correct horse"), ("next", "/c/café")];
    let answer = place.post(&mut ann, "/login", &fields).await;
    assert_eq!((answer.status, answer.location.as_str()), (303, "/c/caf%C3%A9"));
    assert_eq!(place.get(&mut ann, "/api/v1/me").await.json()["login_count"], 1);
    assert_eq!(place.get(&mut ann, "/login").await.status, 303, "nobody logs in twice");
}

#[actix_web::test]
async fn wrong_fields_come_back_with_what_was_typed_but_not_the_password() {
    let place = place(&[]).await;
    place.registered("ann").await;
    let mut browser = Browser::default();
    let fields = [("username", "a b"), ("password", "short"), ("display_name", "x\u{202E}y")];
    let answer = place.post(&mut browser, "/register", &fields).await;
    assert_eq!(answer.status, 422);
    for words in ["letters, digits", "at least 8", "control characters", "value=\"a b\""] {
        assert!(answer.body.contains(words), "{words}: {}", answer.body);
    }
    assert!(!answer.body.contains("short"));
    let taken = [("username", "ANN"), ("password", "correct horse")];
    let answer = place.post(&mut browser, "/register", &taken).await;
    assert!(answer.status == 422 && answer.body.contains("taken"), "{}", answer.body);
    assert_eq!(place.post(&mut browser, "/guest", &[("display_name", "\u{200B}")]).await.status, 422);
    assert!(browser.cookie.is_none());
}

#[actix_web::test]
async fn an_unknown_name_and_a_wrong_password_get_the_same_answer() {
    let place = place(&[]).await;
    place.registered("ann").await;
    let mut browser = Browser::default();
    place.post(&mut browser, "/guest", &[("display_name", "Gus")]).await;
    browser.cookie = None;
    let mut answers = Vec::new();
    for name in ["ann", "nobody", "guest-2"] {
        let answer =
            place.post(&mut browser, "/login", &[("username", name), ("password", "hunter-secret")]).await;
        assert_eq!(answer.status, 422);
        assert!(!answer.body.contains("hunter-secret"));
        answers.push(answer.body.replace(&format!("value=\"{name}\""), ""));
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
    let long = "x".repeat(60_000);
    let answer = place.post(&mut browser, "/login", &[("username", "ann"), ("password", &long)]).await;
    assert_eq!(answer.status, 422);
}

#[actix_web::test]
async fn a_guest_is_marked_and_may_become_a_full_account_with_the_same_id() {
    let place = place(&[]).await;
    let mut gus = Browser::default();
    assert_eq!(place.post(&mut gus, "/guest", &[("display_name", "Gus")]).await.status, 303);
    let me = place.get(&mut gus, "/api/v1/me").await.json();
    assert_eq!(me["username"], format!("guest-{}", me["id"]));
    assert_eq!((&me["guest"], &me["role"]), (&true.into(), &"guest".into()), "a guest never owns the place");
    assert_eq!(place.get(&mut gus, "/register").await.status, 200);
    let fields = [("username", "gus"), ("password", "correct horse"), ("display_name", "Gus Full")];
    assert_eq!(place.post(&mut gus, "/register", &fields).await.status, 303);
    let full = place.get(&mut gus, "/api/v1/me").await.json();
    assert_eq!((&full["id"], &full["guest"], &full["role"]), (&me["id"], &false.into(), &"owner".into()));
}

#[actix_web::test]
async fn the_first_account_on_a_public_address_needs_the_code() {
    let place = place(&[("listen", "0.0.0.0:8080")]).await;
    let code = place.accounts.owner_code().unwrap().to_owned();
    let mut browser = Browser::default();
    assert!(place.get(&mut browser, "/").await.body.contains("name=\"invite\""));
    for wrong in ["", "guess"] {
        let fields = [("username", "mallory"), ("password", "correct horse"), ("invite", wrong)];
        let answer = place.post(&mut browser, "/register", &fields).await;
        assert!(answer.status == 422 && answer.body.contains("the code that the server printed"));
    }
    let fields = [("username", "ann"), ("password", "correct horse"), ("invite", &code)];
    assert_eq!(place.post(&mut browser, "/register", &fields).await.status, 303);
    assert_eq!(place.accounts.owner_code(), None);
    place.registered("bob").await;
}

#[actix_web::test]
async fn closed_doors_say_so() {
    let place = place(&[("registration", "closed"), ("guests", "off")]).await;
    let mut browser = Browser::default();
    let fields = [("username", "ann"), ("password", "correct horse")];
    assert_eq!(place.post(&mut browser, "/register", &fields).await.status, 403);
    assert_eq!(place.post(&mut browser, "/guest", &[("display_name", "Gus")]).await.status, 403);
    let body = place.get(&mut browser, "/").await.body;
    assert!(!body.contains("action=\"/register\"") && !body.contains("action=\"/guest\""));
}

#[actix_web::test]
async fn sessions_are_listed_and_ended_one_by_one_or_all_at_once() {
    let place = place(&[]).await;
    let mut here = place.registered("ann").await;
    let fields = [("username", "ann"), ("password", "correct horse")];
    let (mut there, mut elsewhere) = (Browser::default(), Browser::default());
    for browser in [&mut there, &mut elsewhere] {
        let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
        let login = TestRequest::post().uri("/login").insert_header(("user-agent", agent)).set_form(fields);
        assert_eq!(place.send(browser, login).await.status, 303);
    }
    let page = place.get(&mut here, "/settings").await.body;
    assert_eq!(page.matches("Firefox on Linux</strong>").count(), 2, "{page}");
    let there_id = place.get(&mut there, "/session").await.body;
    let mut mallory = place.registered("mallory").await;
    let revoke = format!("/settings/sessions/{there_id}/revoke");
    assert_eq!(place.post(&mut mallory, &revoke, &[]).await.status, 404, "not hers");
    assert_eq!(place.post(&mut here, &revoke, &[]).await.status, 303);
    assert_eq!(place.get(&mut there, "/session").await.status, 303);
    assert_eq!(place.get(&mut elsewhere, "/session").await.status, 200);
    assert_eq!(place.post(&mut here, "/settings/sessions/revoke-others", &[]).await.status, 303);
    assert_eq!(place.get(&mut elsewhere, "/session").await.location, "/login?next=/session");
    let here_id = place.get(&mut here, "/session").await.body;
    assert_eq!(place.ended.lock().unwrap().len(), 2);
    assert_eq!(
        place.post(&mut here, &format!("/settings/sessions/{here_id}/revoke"), &[]).await.location,
        "/login"
    );
    assert!(here.cookie.is_none());
}

#[actix_web::test]
async fn the_session_gets_a_new_key_at_log_in() {
    let place = place(&[]).await;
    place.registered("ann").await;
    let mut browser = Browser::default();
    place.post(&mut browser, "/guest", &[("display_name", "Gus")]).await;
    let guest_cookie = browser.cookie.clone();
    let fields = [("username", "ann"), ("password", "correct horse")];
    place.post(&mut browser, "/login", &fields).await;
    assert_ne!(browser.cookie, guest_cookie);
    let mut old = Browser { cookie: guest_cookie, ..Browser::default() };
    assert_eq!(place.get(&mut old, "/api/v1/me").await.status, 401);
}

#[actix_web::test]
async fn an_account_disabled_from_the_shell_is_out_with_the_next_sweep() {
    let place = place(&[]).await;
    place.registered("ann").await;
    let mut bob = place.registered("bob").await;
    assert_eq!(place.get(&mut bob, "/api/v1/me").await.status, 200);
    // What `hubbub user disable bob` does, with a connection of its own.
    let shell = open_database(&place.accounts.config).unwrap();
    let change = |conn: &mut Conn| {
        user::set_disabled(conn, UserId(2), true)?;
        session::revoke(conn, UserId(2), |_| true)
    };
    assert_eq!(shell.write(change).await.unwrap().len(), 1);
    shell.close();
    place.accounts.sweep().await.unwrap();
    assert!(matches!(place.ended.lock().unwrap().as_slice(), [Event::SessionsEnded(_)]));
    assert_eq!(place.get(&mut bob, "/api/v1/me").await.status, 401);
    place.accounts.sweep().await.unwrap();
    assert_eq!(place.ended.lock().unwrap().len(), 1, "told once");
    let fields = [("username", "bob"), ("password", "correct horse")];
    assert_eq!(place.post(&mut Browser::default(), "/login", &fields).await.status, 422);
}

#[actix_web::test]
async fn a_profile_is_changed_by_form_and_by_api() {
    let place = place(&[]).await;
    let mut ann = place.registered("ann").await;
    let answer = place.post(&mut ann, "/settings/profile", &[("display_name", "Ann Lee")]).await;
    assert_eq!((answer.status, answer.location.as_str()), (303, "/settings?done=saved"));
    assert_eq!(place.get(&mut ann, "/api/v1/me").await.json()["display_name"], "Ann Lee");
    assert!(place.ended.lock().unwrap().contains(&Event::ProfileChanged(UserId(1))));
    let answer = place.post(&mut ann, "/settings/profile", &[("display_name", " ")]).await;
    assert!(answer.status == 422 && answer.body.contains("that others will see"));
    let patch = |body: &'static str| {
        TestRequest::patch()
            .uri("/api/v1/me")
            .insert_header(("content-type", "application/json"))
            .set_payload(body)
    };
    let good = r#"{"color":200,"sounds":false,"status":{"state":"dnd","text":"soldering"}}"#;
    let me = place.send(&mut ann, patch(good)).await.json();
    assert_eq!(
        (&me["color"], &me["sounds"], &me["status"]["state"]),
        (&200.into(), &false.into(), &"dnd".into())
    );
    assert_eq!(
        place.send(&mut ann, patch(r#"{"color":null}"#)).await.json()["color"],
        serde_json::Value::Null
    );
    for (body, status) in
        [(r#"{"color":360}"#, 422), (r#"{"colour":1}"#, 422), ("{", 400), (r#"{"display_name":""}"#, 422)]
    {
        let answer = place.send(&mut ann, patch(body)).await;
        assert_eq!((answer.status, answer.kind.as_str()), (status, "application/problem+json"), "{body}");
        let problem = answer.json();
        assert!(problem["request_id"].is_string() && problem["detail"].as_str().unwrap().ends_with('.'));
        assert_eq!(problem["fields"].is_array(), status == 422);
    }
}

#[actix_web::test]
async fn people_are_found_by_how_their_names_begin_and_listed_a_page_at_a_time() {
    let place = place(&[]).await;
    let mut ann = place.registered("ann").await;
    for name in ["Bob", "bo_b", "boris"] {
        place.registered(name).await;
    }
    let names = |answer: &Answer| {
        answer.json()["users"]
            .as_array()
            .unwrap()
            .iter()
            .map(|u| u["username"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let page = place.get(&mut ann, "/api/v1/users?limit=2").await;
    assert_eq!(page.json()["more"], true);
    let last = names(&page)[1].clone();
    let rest = place.get(&mut ann, &format!("/api/v1/users?after={last}")).await;
    assert_eq!((names(&page).len() + names(&rest).len(), rest.json()["more"].clone()), (4, false.into()));
    assert_eq!(names(&place.get(&mut ann, "/api/v1/users?query=BO").await).len(), 3);
    assert_eq!(names(&place.get(&mut ann, "/api/v1/users?query=bo_").await), ["bo_b"], "not a wildcard");
    assert!(names(&place.get(&mut ann, "/api/v1/users?query=%25").await).is_empty());
    let bob = place.get(&mut ann, "/api/v1/users/BOB").await.json();
    assert_eq!((&bob["username"], &bob["online"]), (&"Bob".into(), &false.into()));
    assert_eq!(place.get(&mut ann, "/api/v1/users/nobody").await.status, 404);
    assert_eq!(place.get(&mut ann, "/api/v1/users?limit=x").await.status, 400);
    assert!(place.get(&mut ann, "/people?query=bo").await.body.contains("boris"));
}

#[actix_web::test]
async fn whoever_is_signed_out_is_led_to_log_in_and_back() {
    let place = place(&[]).await;
    let mut nobody = Browser::default();
    let answer = place.get(&mut nobody, "/people?query=a%26b&x=1").await;
    assert_eq!(answer.location, "/login?next=/people%3Fquery%3Da%2526b%26x%3D1");
    assert!(
        place.get(&mut nobody, &answer.location).await.body.contains("value=\"/people?query=a%26b&#38;x=1\"")
    );
    let api = place.get(&mut nobody, "/api/v1/me").await;
    assert_eq!((api.status, api.json()["code"].as_str().unwrap()), (401, "sign_in_first"));
    let mut forged = Browser { cookie: Some("hubbub_session=AAAA".into()), ..Browser::default() };
    assert_eq!(place.get(&mut forged, "/api/v1/me").await.status, 401);
}

#[actix_web::test]
async fn errors_of_every_kind_are_worded_for_who_asked() {
    let place = place(&[]).await;
    let mut ann = place.registered("ann").await;
    for (path, status) in [("/nowhere", 404), ("/fails", 500)] {
        let answer = place.get(&mut ann, path).await;
        assert_eq!((answer.status, answer.kind.as_str()), (status, "text/html; charset=utf-8"));
        assert!(answer.body.contains("<h2>") && answer.body.contains("Log out"), "{}", answer.body);
        assert!(!answer.body.contains("fire"), "the reason is for the log");
        assert!(answer.headers.contains_key("content-security-policy"));
    }
    let answer = place.get(&mut ann, "/api/fails").await;
    assert_eq!((answer.status, answer.json()["code"].as_str().unwrap()), (500, "internal"));
    assert_eq!(answer.json()["request_id"], answer.headers.get("x-request-id").unwrap().to_str().unwrap());
    let delete = TestRequest::default().method(Method::DELETE).uri("/api/v1/me");
    let answer = place.send(&mut ann, delete).await;
    assert_eq!((answer.status, answer.json()["code"].as_str().unwrap()), (405, "method_not_allowed"));
    assert!(answer.headers.contains_key(header::ALLOW));
    let large = "x".repeat(100_000);
    let answer = place.post(&mut ann, "/settings/profile", &[("display_name", &large)]).await;
    assert!(answer.status == 413 && answer.body.contains("64 KiB"), "{}", answer.body);
    let wrong =
        TestRequest::post().uri("/login").insert_header(("content-type", "text/plain")).set_payload("x");
    assert_eq!(place.send(&mut ann, wrong).await.status, 400);
    let foreign = TestRequest::post().uri("/logout").insert_header(("origin", "http://evil.example"));
    assert_eq!(place.send(&mut ann, foreign).await.status, 403);
    assert_eq!(place.get(&mut ann, "/api/v1/me").await.status, 200, "still signed in");
}

#[actix_web::test]
async fn too_many_tries_are_told_when_to_come_back() {
    let place = place(&[("rate_limits", "on")]).await;
    let mut browser = Browser::default();
    let mut last = 0;
    for _ in 0..40 {
        let answer = place.post(&mut browser, "/login", &[("username", "x"), ("password", "y")]).await;
        last = answer.status;
        if last == 429 {
            assert!(answer.headers.contains_key(header::RETRY_AFTER));
            break;
        }
    }
    assert_eq!(last, 429);
}

#[actix_web::test]
async fn over_https_the_cookie_is_bound_to_the_host() {
    let place = place(&[("public_url", "https://hub.example")]).await;
    let ann = place.registered("ann").await;
    assert!(ann.set_cookie.starts_with("__Host-hubbub_session=") && ann.set_cookie.contains("Secure"));
    assert!(!ann.set_cookie.contains("Domain"));
}

#[actix_web::test]
async fn the_last_place_is_where_the_start_leads() {
    let place = place(&[]).await;
    let mut ann = place.registered("ann").await;
    assert_eq!(place.get(&mut ann, "/").await.location, "/dashboard");
    let person = place.accounts.directory.get(UserId(1)).await.unwrap().unwrap();
    place.accounts.remember_place(&person, "/c/general").await.unwrap();
    assert_eq!(place.get(&mut ann, "/").await.location, "/c/general");
}
