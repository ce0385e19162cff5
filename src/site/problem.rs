//! What every operation of the HTTP API may answer, and how the API's description says so.

use crate::error::FieldError;
use serde::Serialize;
use utoipa::openapi::{self, ContentBuilder, PathItem, Ref, RefOr, ResponseBuilder};
use utoipa::{Modify, PartialSchema as _, ToSchema as _};

/// What a program gets instead of what it asked for (RFC 9457).
#[derive(Serialize, utoipa::ToSchema)]
pub struct Problem<'a> {
    pub r#type: &'static str,
    pub title: &'static str,
    pub status: u16,
    /// Stays the same from version to version.
    pub code: &'static str,
    /// One sentence for a person.
    pub detail: &'a str,
    pub request_id: &'a str,
    /// What is wrong with which field.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub fields: &'a [FieldError],
    /// When to try again, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

/// Every operation may answer with a problem.
pub struct Problems;

impl Modify for Problems {
    fn modify(&self, described: &mut openapi::OpenApi) {
        let name = Problem::name();
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(name.clone()))).build();
        let response = ResponseBuilder::new()
            .description("What is in the way")
            .content("application/problem+json", content)
            .build();
        let components = described.components.get_or_insert_default();
        components.schemas.insert(name.into_owned(), Problem::schema());
        let mut more = Vec::new();
        Problem::schemas(&mut more);
        components.schemas.extend(more);
        for path in described.paths.paths.values_mut() {
            for operation in operations(path) {
                let all = &mut operation.responses.responses;
                all.entry("default".into()).or_insert_with(|| RefOr::T(response.clone()));
            }
        }
    }
}

fn operations(path: &mut PathItem) -> impl Iterator<Item = &mut openapi::path::Operation> {
    let PathItem { get, put, post, delete, options, head, patch, trace, .. } = path;
    [get, put, post, delete, options, head, patch, trace].into_iter().flatten()
}
