//! Every URL in one table, grouped by feature.

use crate::site::assets;
use crate::{accounts, board, chat, home, media};
use actix_web::web::{self, ServiceConfig, delete, get, patch, post};
use utoipa::OpenApi;

/// The HTTP API's description, served at `/api/openapi.json` and browsable at `/api/docs`.
#[derive(OpenApi)]
#[openapi(
    info(title = "Hubbub", description = "Times are milliseconds since the Unix epoch, UTC. Errors are RFC 9457 problem details with a stable `code`."),
    paths(
        accounts::api::me, accounts::api::change_me, accounts::api::users, accounts::api::user,
        chat::api::list, chat::api::create, chat::api::one, chat::api::join, chat::api::leave, chat::api::members,
        chat::api::messages, chat::api::send, chat::api::changes,
        media::api::list, media::api::one,
    )
)]
struct Api;
