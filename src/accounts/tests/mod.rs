//! The accounts as a browser meets them: real handlers, middlewares and a real database, SQLite or (when
//! `HUBBUB_TEST_POSTGRES` names a server, as `postgres://USER@HOST:PORT`) Postgres.

mod entry;
mod keys;
mod people;
mod rows;
mod site;
mod tokens;

use super::state::open_database;
use super::{
    Accounts, Presence, Visitor, api, entry as door, log_in_pages, pages, people as list, session,
    settings as own, user,
};
use crate::config::Config;
use crate::db::Conn;
use crate::events::{Event, Events};
use crate::ids::UserId;
use crate::site::limit::Limits;
use crate::site::page::Pages;
use crate::site::rail::{Rail, RailFuture, RailProvider};
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

    fn left_at(&self, _: UserId) -> Option<i64> {
        None
    }
}

async fn fails(_: Option<Visitor>) -> crate::error::Result<HttpResponse> {
    Err(crate::error::Error::internal("the disk is on fire"))
}

async fn whoami(visitor: Visitor) -> String {
    visitor.session().map(|id| id.to_string()).unwrap_or_default()
}

fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/", web::get().to(door::start))
        .service(web::resource("/login").get(door::login_page).post(log_in_pages::login))
        .service(web::resource("/register").get(door::register_page).post(door::register))
        .route("/guest", web::post().to(door::guest))
        .route("/logout", web::post().to(door::logout))
        .route("/settings", web::get().to(own::settings))
        .route("/settings/profile", web::post().to(own::save_profile))
        .route("/settings/sessions/revoke-others", web::post().to(own::revoke_other_sessions))
        .route("/settings/sessions/{id}/revoke", web::post().to(own::revoke_session))
        .route("/people", web::get().to(list::people))
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
    if let Ok(server) = std::env::var("HUBBUB_TEST_POSTGRES") {
        config.set("accounts_url", &fresh_database(&server)).unwrap();
    }
    for (name, value) in [("data", data), ("bcrypt_cost", "4"), ("rate_limits", "off")].iter().chain(more) {
        config.set(name, value).unwrap();
    }
    config
}

/// A new database of the server, since every test counts its own people.
fn fresh_database(server: &str) -> String {
    use diesel::{Connection as _, RunQueryDsl as _};
    let name = format!("hubbub_{}", super::key::random_word().unwrap());
    let mut conn = diesel::PgConnection::establish(&format!("{server}/postgres")).unwrap();
    diesel::sql_query(format!("CREATE DATABASE {name}")).execute(&mut conn).unwrap();
    format!("{server}/{name}")
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
        .wrap(from_fn(super::deliver))
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
        let code = self.accounts.owner_code().unwrap_or_default();
        let fields = [("username", username), ("password", "correct horse"), ("invite", code)];
        let answer = self.post(&mut browser, "/register", &fields).await;
        assert_eq!((answer.status, answer.location.as_str()), (303, "/dashboard"), "{}", answer.body);
        browser
    }
}
