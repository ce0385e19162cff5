//! The place's own authority, for those who want to trust it: its file, and how each system takes it.

use super::answer;
use super::page::{Shell, Stamp};
use super::redirect;
use super::tls::{Keeper, Offer};
use super::words::{filters, t};
use crate::error::{Error, Result};
use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

/// `GET /authority`
#[derive(Template)]
#[template(path = "site/authority.html")]
struct AuthorityPage {
    shell: Shell,
    offer: Offer,
    until: Stamp,
    /// This place over HTTPS.
    address: String,
    /// For Chromium and Chrome on Linux, which have a store of their own.
    for_chromium: &'static str,
    /// For everything else there, such as curl.
    for_system: &'static str,
}

const FOR_CHROMIUM: &str = "certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n Hubbub -i authority.crt";
const FOR_SYSTEM: &str =
    "sudo cp authority.crt /usr/local/share/ca-certificates/hubbub.crt && sudo update-ca-certificates";

fn offered(request: &HttpRequest) -> Result<(web::Data<Keeper>, Offer)> {
    let keeper = request.app_data::<web::Data<Keeper>>().cloned();
    keeper
        .and_then(|keeper| keeper.offer().map(|offer| (keeper, offer)))
        .ok_or(Error::NotFound("This place has no authority of its own."))
}

/// `GET /authority`: for anybody; whoever has to trust it first can't sign in before.
///
/// # Errors
/// `NotFound` where HTTPS is off or has a certificate of somebody else's.
pub async fn page(request: HttpRequest) -> Result<HttpResponse> {
    let (keeper, offer) = offered(&request)?;
    let page = AuthorityPage {
        shell: Shell::new(t("Trust this place"), "/authority"),
        until: Stamp(offer.read.not_after),
        address: redirect::origin_of(&request, &keeper).map(|origin| origin + "/").unwrap_or_default(),
        offer,
        for_chromium: FOR_CHROMIUM,
        for_system: FOR_SYSTEM,
    };
    answer::html(StatusCode::OK, &page)
}

/// `GET /authority.crt`: the certificate alone. Firefox and Safari offer to import what has this type.
///
/// # Errors
/// As for [`page`].
pub async fn file(request: HttpRequest) -> Result<HttpResponse> {
    let (_, offer) = offered(&request)?;
    Ok(HttpResponse::Ok()
        .content_type("application/x-x509-ca-cert")
        .insert_header((header::CONTENT_DISPOSITION, "inline; filename=\"authority.crt\""))
        .body(offer.pem))
}
