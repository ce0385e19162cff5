//! Every URL in one table, grouped by feature.

mod description;
mod entrance;

use crate::error::Result;
use crate::site::{answer, assets, authority};
use crate::{accounts, admin, board, chat, home, live, media};
use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig, delete, patch, post, put, resource};
use actix_web::{HttpResponse, Route, guard};
use description::Api;
use utoipa::OpenApi as _;
use utoipa_swagger_ui::SwaggerUi;

/// GET, and HEAD with it.
fn get() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

/// All routes of the server.
pub fn all(config: &mut ServiceConfig) {
    entrance::accounts(config);
    entrance::administration(config);
    chat(config);
    media(config);
    streams(config);
    home(config);
    api(config);
    assets::routes(config);
    #[cfg(feature = "echo")]
    config.service(resource("/echo").route(web::get().to(crate::site::socket::echo::connect)));
    config
        .service(resource("/authority").route(get().to(authority::page)))
        .service(resource("/authority.crt").route(get().to(authority::file)))
        .service(resource("/healthz").route(get().to(healthz)))
        .default_service(web::to(accounts::pages::nothing));
}

fn chat(config: &mut ServiceConfig) {
    use chat::{
        blocks, bookmarks, channel_list, download, forms, group_list, pages, person, room_settings,
        search_page, socket,
    };
    config
        .service(resource("/ws").route(web::get().to(socket::connect::<chat::Connection>)))
        .service(resource("/ws/classic").route(web::get().to(socket::connect::<chat::Classic>)))
        .service(
            resource("/channels")
                .route(get().to(channel_list::channels))
                .route(post().to(channel_list::create)),
        )
        .service(resource("/groups").route(get().to(group_list::groups)).route(post().to(group_list::create)))
        .service(resource("/direct").route(get().to(group_list::direct)).route(post().to(group_list::begin)))
        // A channel by name, a group by number, a private conversation by the other one's user name.
        .service(resource("/{kind:c|g|dm}/{name}").route(get().to(pages::show)).route(post().to(forms::send)))
        .service(
            resource("/{kind:talk}/{id}").route(get().to(chat::talk::lead)).route(post().to(forms::send)),
        )
        .service(resource("/{kind:c|g|dm|talk}/{name}/level").route(post().to(chat::reading::post_level)))
        .service(resource("/{kind:c|talk}/{name}/join").route(post().to(forms::join)))
        .service(resource("/{kind:c|g|talk}/{name}/leave").route(post().to(forms::leave)))
        .service(
            resource("/{kind:c|g}/{name}/settings")
                .route(get().to(room_settings::settings))
                .route(post().to(room_settings::save)),
        )
        .service(resource("/attachments/{id}/{name}").to(download::get))
        .service(resource("/people/{id}").route(get().to(person::show)))
        .service(resource("/people/{id}/block").route(post().to(person::block)))
        .service(resource("/settings/blocked").route(get().to(blocks::page)))
        .service(
            resource("/settings/blocked/{username}/remove")
                .route(get().to(|| async { answer::see_other("/settings/blocked") }))
                .route(post().to(blocks::unblock)),
        )
        .service(resource("/m/{room}/{seq}").route(get().to(pages::permalink)))
        .service(resource("/search").route(get().to(search_page::search)))
        .service(resource("/bookmarks").route(get().to(bookmarks::page)).route(post().to(bookmarks::change)));
}

fn home(config: &mut ServiceConfig) {
    use home::key;
    let back = || get().to(|| async { answer::see_other("/dashboard") });
    config
        .service(resource("/dashboard").route(get().to(home::pages::dashboard)))
        .service(resource("/dashboard/key").route(back()).route(post().to(key::set)))
        .service(resource("/dashboard/key/remove").route(back()).route(post().to(key::remove)))
        .service(resource("/dashboard/key/only").route(back()).route(post().to(key::only)))
        .service(
            resource("/board").route(get().to(board::pages::board)).route(post().to(board::pages::post)),
        );
}

fn media(config: &mut ServiceConfig) {
    use media::{
        api_captions, caption_pages as captions, file, list_pages as lists, pages, record_pages as records,
        shelf_pages as shelf,
    };
    config
        .service(resource("/media").route(get().to(shelf::library)))
        .service(resource("/media/trash").route(get().to(records::trash)).route(post().to(records::take_out)))
        .service(resource("/media/lists").route(get().to(lists::lists)).route(post().to(lists::change_lists)))
        .service(resource("/media/lists/{id}").route(get().to(lists::show)).route(post().to(lists::change)))
        .service(resource("/media/{id}").route(get().to(pages::player)))
        .service(resource("/media/{id}/edit").route(get().to(records::edit)).route(post().to(records::save)))
        .service(
            resource("/media/{id}/captions")
                .route(get().to(captions::show))
                .route(post().to(captions::change)),
        )
        .service(resource("/media/{id}/captions/{language}.vtt").route(get().to(api_captions::file)))
        .service(resource("/media/{id}/file").to(file::get))
        .service(resource("/media/{id}/preparation").route(post().to(media::preparation::post)))
        .service(resource("/media/{id}/r/{name}").to(file::product));
}

fn streams(config: &mut ServiceConfig) {
    use live::alarm::api as alarms;
    use live::recording::{api as recordings, pages as recorded};
    use live::{api, hls, ingest, pages, push_socket, read, settings_pages as settings, watch};
    config
        .service(resource("/live").route(get().to(pages::wall)).route(post().to(pages::create)))
        .service(resource("/live/{name}").route(get().to(pages::panel)))
        .service(
            resource("/live/{name}/edit").route(get().to(settings::show)).route(post().to(settings::save)),
        )
        .service(resource("/live/{name}/acknowledge").route(post().to(alarms::press)))
        .service(
            resource("/live/{name}/push")
                .route(post().to(ingest::push))
                .route(put().to(ingest::push))
                .route(web::get().to(push_socket::socket)),
        )
        .service(resource("/live/{name}/ws").route(web::get().to(watch::socket)))
        .service(resource("/live/{name}/events").route(web::get().to(watch::events)))
        .service(resource("/live/{name}/samples").route(get().to(read::samples)))
        .service(resource("/live/{name}/samples.csv").route(get().to(read::csv)))
        .service(resource("/live/{name}/picture.jpg").route(get().to(read::picture)))
        .service(resource("/live/{name}/index.m3u8").route(get().to(hls::index)))
        .service(resource("/live/{name}/init-{era}.mp4").route(get().to(hls::init)))
        .service(resource("/live/{name}/segment-{number}.m4s").route(get().to(hls::segment)))
        .service(
            resource("/live/{name}/recordings")
                .route(get().to(recorded::part))
                .route(post().to(recorded::save)),
        )
        .service(resource("/live/{name}/recordings/{id}.ndjson").route(get().to(recordings::ndjson)))
        .service(resource("/live/{name}/recordings/{id}.csv").route(get().to(recordings::table)))
        .service(resource("/api/v1/live/{name}/recordings").route(get().to(recordings::list)))
        .service(resource("/api/v1/live/{name}/recordings/{id}").route(delete().to(recordings::remove)))
        .service(resource("/api/v1/live").route(get().to(api::list)).route(post().to(api::create)))
        .service(
            resource("/api/v1/live/{name}")
                .route(get().to(api::one))
                .route(patch().to(api::change))
                .route(delete().to(api::remove)),
        )
        .service(resource("/api/v1/live/{name}/key").route(post().to(api::key)))
        .service(resource("/api/v1/live/{name}/alarms").route(get().to(alarms::list)))
        .service(
            resource("/api/v1/live/{name}/alarms/{id}/acknowledge").route(post().to(alarms::acknowledge)),
        )
        .service(
            resource("/api/v1/live/{name}/token")
                .route(post().to(api::make_token))
                .route(delete().to(api::end_token)),
        );
}

fn api(config: &mut ServiceConfig) {
    use accounts::api as people;
    use chat::{api as rooms, api_rooms as own, blocks, upload as uploads};
    let docs = SwaggerUi::new("/api/docs/{_:.*}").url("/api/openapi.json", Api::openapi());
    config
        .service(resource("/api/v1/me").route(get().to(people::me)).route(patch().to(people::change_me)))
        .service(resource("/api/v1/me/password").route(post().to(people::change_password)))
        .service(resource("/api/v1/me/blocks").route(get().to(blocks::list)))
        .service(
            resource("/api/v1/me/blocks/{username}")
                .route(put().to(blocks::add))
                .route(delete().to(blocks::remove)),
        )
        .configure(administration)
        .service(resource("/api/v1/users").route(get().to(people::users)))
        .service(resource("/api/v1/users/{username}").route(get().to(people::user)))
        .service(resource("/api/v1/rooms").route(get().to(rooms::list)).route(post().to(rooms::create)))
        .service(
            resource("/api/v1/rooms/{id}")
                .route(get().to(rooms::one))
                .route(patch().to(own::patch))
                .route(delete().to(own::delete)),
        )
        .service(resource("/api/v1/rooms/{id}/level").route(put().to(chat::reading::put_level)))
        .service(resource("/api/v1/rooms/{id}/join").route(post().to(rooms::join)))
        .service(resource("/api/v1/rooms/{id}/leave").route(post().to(rooms::leave)))
        .service(
            resource("/api/v1/rooms/{id}/members")
                .route(get().to(rooms::members))
                .route(post().to(own::invite)),
        )
        .service(resource("/api/v1/rooms/{id}/members/{username}").route(delete().to(own::kick)))
        .service(resource("/api/v1/direct").route(post().to(own::direct)))
        .service(resource("/api/v1/rooms/{id}/changes").route(get().to(rooms::changes)))
        .service(
            resource("/api/v1/rooms/{id}/messages")
                .route(get().to(rooms::messages))
                .route(post().to(rooms::send)),
        )
        .service(resource("/api/v1/rooms/{id}/attachments").route(post().to(uploads::create)))
        .service(
            resource("/api/v1/rooms/{id}/attachments/{attachment}")
                .route(patch().to(uploads::describe))
                .route(delete().to(uploads::withdraw)),
        )
        .service(
            resource("/api/v1/rooms/{id}/messages/{seq}/bookmark")
                .route(get().to(chat::bookmarks::is_kept))
                .route(put().to(chat::bookmarks::keep))
                .route(delete().to(chat::bookmarks::let_go)),
        )
        .service(resource("/api/v1/bookmarks").route(get().to(chat::bookmarks::list)))
        .service(resource("/api/v1/search").route(get().to(chat::search::search)))
        .configure(amendments)
        .service(resource("/api/v1/rooms/{id}/messages/{seq}/report").route(post().to(chat::reports::report)))
        .configure(library)
        .service(resource("/api/docs").route(get().to(|| async { answer::see_other("/api/docs/") })))
        .service(docs);
}

fn administration(config: &mut ServiceConfig) {
    use admin::{
        api, api_accounts as accounts, api_filter as filter, api_moderate as moderate, api_reports as reports,
    };
    config
        .service(resource("/api/v1/invites").route(get().to(api::invites)).route(post().to(api::invite)))
        .service(resource("/api/v1/invites/{id}").route(delete().to(api::uninvite)))
        .service(resource("/api/v1/accounts").route(get().to(accounts::list)))
        .service(resource("/api/v1/accounts/{username}").route(patch().to(accounts::change)))
        .service(resource("/api/v1/accounts/{username}/reset").route(post().to(accounts::reset)))
        .service(
            resource("/api/v1/accounts/{username}/timeout")
                .route(put().to(moderate::time_out))
                .route(delete().to(moderate::end_time_out)),
        )
        .service(
            resource("/api/v1/accounts/{username}/ban")
                .route(put().to(moderate::ban))
                .route(delete().to(moderate::unban)),
        )
        .service(
            resource("/api/v1/accounts/{username}/takedowns")
                .route(get().to(moderate::takedowns))
                .route(post().to(moderate::take_down)),
        )
        .service(resource("/api/v1/takedowns/{id}").route(delete().to(moderate::bring_back)))
        .service(resource("/api/v1/reports").route(get().to(reports::list)))
        .service(resource("/api/v1/reports/{id}/resolve").route(post().to(reports::resolve)))
        .service(resource("/api/v1/filter").route(get().to(filter::list)).route(post().to(filter::add)))
        .service(resource("/api/v1/filter/{id}").route(delete().to(filter::remove)))
        .service(resource("/api/v1/audit").route(get().to(admin::audit::list)));
}

fn library(config: &mut ServiceConfig) {
    use media::{api, api_captions as captions, api_position as position, api_records as records, file, tus};
    let options = || web::method(Method::OPTIONS).to(tus::options);
    config
        .service(
            resource("/api/v1/media")
                .route(get().to(api::list))
                .route(post().to(tus::create))
                .route(options()),
        )
        .service(resource("/api/v1/media/uploads").route(get().to(api::uploads)))
        .service(
            resource("/api/v1/media/uploads/{id}")
                .route(web::head().to(tus::status))
                .route(patch().to(tus::append))
                .route(delete().to(tus::terminate))
                .route(post().to(tus::overridden))
                .route(options()),
        )
        .service(resource("/api/v1/media/trash").route(get().to(records::trash)))
        .configure(lists)
        .service(
            resource("/api/v1/media/{id}")
                .route(get().to(api::one))
                .route(put().to(api::put))
                .route(patch().to(records::change))
                .route(delete().to(records::delete)),
        )
        .service(resource("/api/v1/media/{id}/captions").route(get().to(captions::list)))
        .service(
            resource("/api/v1/media/{id}/captions/{language}")
                .route(put().to(captions::put))
                .route(delete().to(captions::remove)),
        )
        .service(
            resource("/api/v1/media/{id}/position")
                .route(get().to(position::get))
                .route(put().to(position::put)),
        )
        .service(
            resource("/api/v1/media/{id}/preparation")
                .route(post().to(media::preparation::again))
                .route(delete().to(media::preparation::cancel)),
        )
        .service(resource("/api/v1/media/{id}/restore").route(post().to(records::restore)))
        .service(resource("/api/v1/media/{id}/file").to(file::get))
        .service(resource("/api/v1/media/{id}/original").to(file::original))
        .service(resource("/api/v1/media/{id}/poster").to(file::product));
}

fn lists(config: &mut ServiceConfig) {
    use media::api_lists as lists;
    config
        .service(resource("/api/v1/media/lists").route(get().to(lists::all)).route(post().to(lists::create)))
        .service(
            resource("/api/v1/media/lists/{id}")
                .route(get().to(lists::one))
                .route(patch().to(lists::change))
                .route(delete().to(lists::remove)),
        )
        .service(
            resource("/api/v1/media/lists/{id}/items/{item}")
                .route(put().to(lists::add))
                .route(delete().to(lists::take)),
        )
        .service(resource("/api/v1/media/lists/{id}/order").route(put().to(lists::order)));
}

fn amendments(config: &mut ServiceConfig) {
    use chat::api_amend as amend;
    config
        .service(resource("/api/v1/rooms/{id}/pins").route(get().to(amend::pins)))
        .service(
            resource("/api/v1/rooms/{id}/messages/{seq}")
                .route(patch().to(amend::edit))
                .route(delete().to(amend::delete)),
        )
        .service(
            resource("/api/v1/rooms/{id}/messages/{seq}/reactions/{emoji}")
                .route(put().to(amend::react))
                .route(delete().to(amend::unreact)),
        )
        .service(
            resource("/api/v1/rooms/{id}/messages/{seq}/pin")
                .route(put().to(amend::pin))
                .route(delete().to(amend::unpin)),
        )
        .service(
            resource("/api/v1/rooms/{id}/messages/{seq}/preview")
                .route(put().to(amend::preview))
                .route(delete().to(amend::bare)),
        );
}

/// `GET /healthz`: 200 only when both databases answer with what is stored in them.
async fn healthz(
    accounts: web::Data<accounts::Accounts>,
    rooms: web::Data<crate::rooms::Rooms>,
) -> Result<HttpResponse> {
    let away = |_| crate::db::AWAY;
    accounts.db.read(crate::db::answers).await.map_err(away)?;
    rooms.db.read(crate::db::answers).await.map_err(away)?;
    Ok(HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ok\n"))
}
