//! Limits and wording for what comes in: forms, JSON, queries, addresses.

use crate::error::Error;
use actix_web::error::{JsonPayloadError, UrlencodedError};
use actix_web::web::{FormConfig, JsonConfig, PathConfig, PayloadConfig, QueryConfig, ServiceConfig};

/// Bytes of a form or a JSON body. A message of 4,000 characters, percent-encoded, takes 48,000.
pub const BODY_MAX: usize = 64 * 1024;

/// Sets the limits, and our words for whatever an extractor refuses.
pub fn limits(config: &mut ServiceConfig) {
    config
        .app_data(PayloadConfig::new(BODY_MAX))
        .app_data(FormConfig::default().limit(BODY_MAX).error_handler(|error, _| form(&error).into()))
        .app_data(JsonConfig::default().limit(BODY_MAX).error_handler(|error, _| json(&error).into()))
        .app_data(
            PathConfig::default().error_handler(|_, _| Error::NotFound("There is nothing here.").into()),
        )
        .app_data(QueryConfig::default().error_handler(|error, _| {
            Error::bad_request("bad_query", format!("The address is not complete or not right: {error}."))
                .into()
        }));
}

/// The answer to a body over the limit.
pub fn too_large() -> Error {
    Error::TooLarge("That is too large: at most 64 KiB are taken here. Nothing was sent; go back, and what you typed is still there to be shortened.".into())
}

fn form(error: &UrlencodedError) -> Error {
    match error {
        UrlencodedError::Overflow { .. } => too_large(),
        UrlencodedError::ContentType => Error::bad_request(
            "not_a_form",
            "A form is expected here, with the content type application/x-www-form-urlencoded.",
        ),
        _ => Error::bad_request("bad_form", "The form could not be read. Send it again."),
    }
}

fn json(error: &JsonPayloadError) -> Error {
    match error {
        JsonPayloadError::Overflow { .. } | JsonPayloadError::OverflowKnownLength { .. } => too_large(),
        JsonPayloadError::ContentType => {
            Error::bad_request("not_json", "JSON is expected here, with the content type application/json.")
        }
        // Readable JSON with the wrong fields; the library says which.
        JsonPayloadError::Deserialize(error) if error.is_data() => {
            Error::field("", format!("The JSON doesn't fit: {error}."))
        }
        JsonPayloadError::Deserialize(error) => {
            Error::bad_request("bad_json", format!("The body is not JSON: {error}."))
        }
        _ => Error::bad_request("bad_json", "The body could not be read. Send it again."),
    }
}
