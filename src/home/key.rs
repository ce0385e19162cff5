//! The forms of the private key on the dashboard. What is typed there goes one way only.

use super::pages::show;
use crate::accounts::{Accounts, PrivateKey, Profile, Visitor};
use crate::board::pages::Parts;
use crate::config::Right;
use crate::error::{Error, Result};
use crate::site::answer::see_other;
use crate::site::page::FieldErrors;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Deserialize;

/// The body of `POST /dashboard/key`.
#[derive(Deserialize)]
pub struct KeyForm {
    #[serde(default)]
    private_key: String,
}

/// `POST /dashboard/key`: sets or changes it.
pub async fn set(
    visitor: Visitor,
    parts: Parts,
    accounts: web::Data<Accounts>,
    form: web::Form<KeyForm>,
) -> Result<HttpResponse> {
    accounts.allow(&visitor.person, Right::Key)?;
    let set = match PrivateKey::parse(&form.private_key) {
        Ok(key) => accounts.set_private_key(visitor.person.id, visitor.address, Some(key)).await,
        Err(wrong) => Err(Error::Invalid(vec![wrong])),
    };
    match set {
        Ok(_) => Ok(see_other("/dashboard?done=key")),
        Err(error @ Error::Invalid(_)) => {
            let errors = FieldErrors::of_error(&error, "private_key");
            show(StatusCode::UNPROCESSABLE_ENTITY, &visitor, parts, errors, None).await
        }
        Err(error) => Err(error),
    }
}

/// `POST /dashboard/key/remove`
pub async fn remove(visitor: Visitor, accounts: web::Data<Accounts>) -> Result<HttpResponse> {
    accounts.set_private_key(visitor.person.id, visitor.address, None).await?;
    Ok(see_other("/dashboard?done=keyless"))
}

/// The body of `POST /dashboard/key/only`.
#[derive(Deserialize)]
pub struct OnlyForm {
    /// `on` or `off`.
    direct_only_by_key: String,
}

/// `POST /dashboard/key/only`: whether only those who know the key may begin to write privately.
pub async fn only(
    visitor: Visitor,
    accounts: web::Data<Accounts>,
    form: web::Form<OnlyForm>,
) -> Result<HttpResponse> {
    let profile = Profile { direct_only_by_key: Some(form.direct_only_by_key == "on"), ..Profile::default() };
    accounts.change_profile(visitor.person.id, profile).await?;
    Ok(see_other("/dashboard"))
}
