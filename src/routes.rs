//! Every URL in one table, grouped by feature.

use crate::error::{Error, Result};
use crate::site::{answer, assets, language};
use crate::{accounts, board, chat, home, media};
use actix_web::web::{self, ServiceConfig, patch, post, resource};
use actix_web::{HttpResponse, Route, guard};
use utoipa::OpenApi;
use utoipa_swagger_ui::SwaggerUi;

/// The HTTP API's description, served at `/api/openapi.json` and browsable at `/api/docs/`.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Hubbub",
        description = "Times are milliseconds since the Unix epoch, UTC. Errors are RFC 9457 problem details with a stable `code`."
    ),
    paths(
        accounts::api::me,
        accounts::api::change_me,
        accounts::api::users,
        accounts::api::user,
        chat::api::list,
        chat::api::create,
        chat::api::one,
        chat::api::join,
        chat::api::leave,
        chat::api::members,
        chat::api::messages,
        chat::api::send,
        chat::api::changes,
        media::api::list,
        media::api::one,
    )
)]
struct Api;

/// GET, and HEAD with it.
fn get() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

/// All routes of the server.
pub fn all(config: &mut ServiceConfig) {
    accounts(config);
    chat(config);
    media(config);
    home(config);
    api(config);
    assets::routes(config);
    config
        .service(resource("/healthz").route(get().to(healthz)))
        .default_service(web::to(accounts::pages::nothing));
}

fn accounts(config: &mut ServiceConfig) {
    use accounts::{entry, pages};
    config
        .service(resource("/language").route(post().to(language::choose)))
        .service(resource("/").route(get().to(entry::start)))
        .service(resource("/login").route(get().to(entry::login_page)).route(post().to(entry::login)))
        .service(
            resource("/register").route(get().to(entry::register_page)).route(post().to(entry::register)),
        )
        .service(
            resource("/guest")
                .route(get().to(|| async { answer::see_other("/login") }))
                .route(post().to(entry::guest)),
        )
        .service(resource("/logout").route(post().to(entry::logout)))
        .service(resource("/people").route(get().to(pages::people)))
        .service(resource("/settings").route(get().to(pages::settings)))
        .service(
            resource("/settings/profile")
                .route(get().to(|| async { answer::see_other("/settings") }))
                .route(post().to(pages::save_profile)),
        )
        .service(resource("/settings/sessions/revoke-others").route(post().to(pages::revoke_other_sessions)))
        .service(resource("/settings/sessions/{id}/revoke").route(post().to(pages::revoke_session)));
}

fn chat(config: &mut ServiceConfig) {
    use chat::{channel_list, pages, socket};
    config
        .service(resource("/ws").route(web::get().to(socket::connect)))
        .service(
            resource("/channels")
                .route(get().to(channel_list::channels))
                .route(post().to(channel_list::create)),
        )
        .service(resource("/c/{name}").route(get().to(pages::channel)).route(post().to(pages::send)))
        .service(resource("/c/{name}/join").route(post().to(pages::join)))
        .service(resource("/c/{name}/leave").route(post().to(pages::leave)))
        .service(resource("/m/{room}/{seq}").route(get().to(pages::permalink)));
}

fn home(config: &mut ServiceConfig) {
    config.service(resource("/dashboard").route(get().to(home::pages::dashboard))).service(
        resource("/board").route(get().to(board::pages::board)).route(post().to(board::pages::post)),
    );
}

fn media(config: &mut ServiceConfig) {
    use media::{file, pages};
    config
        .service(resource("/media").route(get().to(pages::library)))
        .service(resource("/media/{id}").route(get().to(pages::player)))
        .service(resource("/media/{id}/file").to(file::get));
}

fn api(config: &mut ServiceConfig) {
    use accounts::api as people;
    use chat::api as rooms;
    let docs = SwaggerUi::new("/api/docs/{_:.*}").url("/api/openapi.json", Api::openapi());
    config
        .service(resource("/api/v1/me").route(get().to(people::me)).route(patch().to(people::change_me)))
        .service(resource("/api/v1/users").route(get().to(people::users)))
        .service(resource("/api/v1/users/{username}").route(get().to(people::user)))
        .service(resource("/api/v1/rooms").route(get().to(rooms::list)).route(post().to(rooms::create)))
        .service(resource("/api/v1/rooms/{id}").route(get().to(rooms::one)))
        .service(resource("/api/v1/rooms/{id}/join").route(post().to(rooms::join)))
        .service(resource("/api/v1/rooms/{id}/leave").route(post().to(rooms::leave)))
        .service(resource("/api/v1/rooms/{id}/members").route(get().to(rooms::members)))
        .service(resource("/api/v1/rooms/{id}/changes").route(get().to(rooms::changes)))
        .service(
            resource("/api/v1/rooms/{id}/messages")
                .route(get().to(rooms::messages))
                .route(post().to(rooms::send)),
        )
        .service(resource("/api/v1/media").route(get().to(media::api::list)))
        .service(resource("/api/v1/media/{id}").route(get().to(media::api::one)))
        .service(resource("/api/v1/media/{id}/file").to(media::file::get))
        .service(resource("/api/v1/media/{id}/original").to(media::file::get))
        .service(resource("/api/docs").route(get().to(|| async { answer::see_other("/api/docs/") })))
        .service(docs);
}

/// `GET /healthz`: 200 only when both databases answer.
async fn healthz(
    accounts: web::Data<accounts::Accounts>,
    rooms: web::Data<crate::rooms::Rooms>,
) -> Result<HttpResponse> {
    let away = |_| Error::Busy("A database does not answer.");
    accounts.db.read(crate::db::answers).await.map_err(away)?;
    rooms.db.read(crate::db::answers).await.map_err(away)?;
    Ok(HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ok\n"))
}
