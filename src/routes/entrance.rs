//! The pages by which people come in, look after themselves, and after the place.

use super::get;
use crate::ids::UserId;
use crate::site::{answer, language};
use crate::{accounts, admin};
use actix_web::HttpResponse;
use actix_web::web::{self, ServiceConfig, post, resource};

/// Coming in, and what is one's own.
pub(super) fn accounts(config: &mut ServiceConfig) {
    use accounts::{entry, faces, handover_pages as handover, log_in_pages as log_in, people, reset_pages};
    config
        .service(resource("/language").route(post().to(language::choose)))
        .service(resource("/").route(get().to(entry::start)))
        .service(resource("/login").route(get().to(entry::login_page)).route(post().to(log_in::login)))
        .service(
            resource("/register").route(get().to(entry::register_page)).route(post().to(entry::register)),
        )
        .service(
            resource("/guest")
                .route(get().to(|| async { answer::see_other("/login") }))
                .route(post().to(entry::guest)),
        )
        .service(resource("/login/code").route(get().to(log_in::page)).route(post().to(log_in::enter)))
        .service(resource("/handover").route(get().to(handover::arrive)).route(post().to(handover::claim)))
        .service(resource("/handover/wait").route(get().to(handover::wait)))
        .service(resource("/reset").route(get().to(reset_pages::page)).route(post().to(reset_pages::reset)))
        .service(resource("/logout").route(post().to(entry::logout)))
        .service(resource("/people").route(get().to(people::people)))
        .service(resource("/people/faces.css").route(get().to(faces::sheet)))
        .service(resource("/people/{id}/picture").route(get().to(faces::picture)));
    own(config);
}

/// What is one's own.
fn own(config: &mut ServiceConfig) {
    use accounts::{faces, handover_pages as handover, security_pages as security, settings};
    config
        .service(
            resource("/settings/picture")
                .route(get().to(|| async { answer::see_other("/settings") }))
                .route(post().to(faces::choose)),
        )
        .service(
            resource("/settings/picture/remove")
                .route(get().to(|| async { answer::see_other("/settings") }))
                .route(post().to(faces::remove_chosen)),
        )
        .service(resource("/settings").route(get().to(settings::settings)))
        .service(
            resource("/settings/profile")
                .route(get().to(|| async { answer::see_other("/settings") }))
                .route(post().to(settings::save_profile)),
        )
        .service(
            resource("/settings/sessions/revoke-others").route(post().to(settings::revoke_other_sessions)),
        )
        .service(resource("/settings/sessions/{id}/revoke").route(post().to(settings::revoke_session)))
        .service(
            resource("/settings/devices")
                .route(get().to(|| async { answer::see_other("/settings/security") }))
                .route(post().to(handover::begin)),
        )
        .service(
            resource("/settings/devices/{id}")
                .route(get().to(handover::show))
                .route(post().to(handover::decide)),
        )
        .service(
            resource("/settings/security").route(get().to(security::page)).route(post().to(security::change)),
        )
        .service(
            resource("/settings/security/second")
                .route(get().to(security::setup))
                .route(post().to(security::confirm)),
        )
        .service(
            resource("/settings/tokens")
                .route(get().to(|| async { answer::see_other("/settings") }))
                .route(post().to(settings::add_token)),
        )
        .service(resource("/settings/tokens/{id}/revoke").route(post().to(settings::revoke_token)));
}

/// Looking after the place.
pub(super) fn administration(config: &mut ServiceConfig) {
    use admin::{audit, filter, invites, moderate, pages as desk, people};
    config
        .service(resource("/admin").route(get().to(desk::reports)))
        .service(
            resource("/admin/reports/{id}/resolve")
                .route(get().to(|| async { answer::see_other("/admin") }))
                .route(post().to(desk::resolve)),
        )
        .service(
            resource("/admin/moderate/{id}").route(get().to(moderate::show)).route(post().to(moderate::act)),
        )
        .service(resource("/admin/filter").route(get().to(filter::show)).route(post().to(filter::change)))
        .service(resource("/admin/audit").route(get().to(audit::page)))
        .service(resource("/admin/invites").route(get().to(invites::list)).route(post().to(invites::create)))
        .service(
            resource("/admin/invites/{id}/revoke")
                .route(get().to(|| async { answer::see_other("/admin/invites") }))
                .route(post().to(invites::revoke)),
        )
        .service(resource("/admin/people").route(get().to(people::list)))
        .service(resource("/admin/people/{id}").route(get().to(people::one)))
        .service(
            resource("/admin/people/{id}/role")
                .route(get().to(back_to_person))
                .route(post().to(people::role)),
        )
        .service(
            resource("/admin/people/{id}/disable")
                .route(get().to(back_to_person))
                .route(post().to(people::disable)),
        )
        .service(
            resource("/admin/people/{id}/reset")
                .route(get().to(back_to_person))
                .route(post().to(people::reset)),
        );
}

/// A form's address, opened by hand or after a reload.
async fn back_to_person(id: web::Path<UserId>) -> HttpResponse {
    answer::see_other(&format!("/admin/people/{id}"))
}
