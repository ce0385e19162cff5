//! The answers a person can get when something doesn't work, and their one table of status, code and words.

use crate::db::integrity;
use serde::Serialize;
use std::borrow::Cow;

/// What is wrong with one field of a form or a JSON body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FieldError {
    pub field: &'static str,
    /// A whole sentence for the person who typed it.
    pub message: Cow<'static, str>,
}

impl FieldError {
    pub fn new(field: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { field, message: message.into() }
    }
}

/// Every failure that reaches a person; HTML pages, problem+json and socket replies all read the same
/// [`status`](Error::status), [`code`](Error::code) and [`detail`](Error::detail).
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// 400: what came can't be read.
    #[error("{detail}")]
    BadRequest { code: &'static str, detail: Cow<'static, str> },
    /// 401: nobody is signed in.
    #[error("Sign in first.")]
    SignInFirst,
    /// 403: the person is known, and may not.
    #[error("{detail}")]
    Forbidden { code: &'static str, detail: Cow<'static, str> },
    /// 404: not there, or not for this person; the two are never told apart.
    #[error("{0}")]
    NotFound(&'static str),
    /// 409: it collides with what is there.
    #[error("{detail}")]
    Conflict { code: &'static str, detail: Cow<'static, str> },
    /// 422: readable, but fields are wrong.
    #[error("{}", .0.iter().map(|f| f.message.as_ref()).collect::<Vec<_>>().join(" "))]
    Invalid(Vec<FieldError>),
    /// 413: larger than the limit that the sentence names.
    #[error("{0}")]
    TooLarge(Cow<'static, str>),
    /// 429: too often.
    #[error("That was too quick. Try again in a moment.")]
    TooMany { retry_after_ms: u64 },
    /// 429: the room is in slow mode.
    #[error("This room is in slow mode: you can write again in {seconds} seconds.", seconds = .wait_ms.div_ceil(1000))]
    Slow { wait_ms: u64 },
    /// 503: a queue is full or a database is away; nothing was stored.
    #[error("{0}")]
    Busy(&'static str),
    /// 500: a page of the database can't be read any more. The source is logged once at the edge.
    #[error("A part of what is stored here is damaged and can't be read.")]
    Damaged(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// 500: our fault. The source is logged once at the edge and never shown.
    #[error("Something doesn't work on our side. Nothing you sent was stored.")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Too many files and connections are open.
const NO_DESCRIPTOR: Error =
    Error::Busy("Too much is open here at the moment. Nothing was stored. Try again in a moment.");

fn lacks_descriptors(error: &std::io::Error) -> bool {
    let code = error.raw_os_error().map(rustix::io::Errno::from_raw_os_error);
    matches!(code, Some(rustix::io::Errno::MFILE | rustix::io::Errno::NFILE))
}

impl Error {
    /// One wrong field.
    pub fn field(field: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::Invalid(vec![FieldError::new(field, message)])
    }

    pub fn bad_request(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::BadRequest { code, detail: detail.into() }
    }

    pub fn forbidden(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::Forbidden { code, detail: detail.into() }
    }

    pub fn conflict(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::Conflict { code, detail: detail.into() }
    }

    /// 500; but 503 when the system lets no more files be opened, which is over when somebody leaves.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let source = source.into();
        if source.downcast_ref().is_some_and(lacks_descriptors) {
            NO_DESCRIPTOR
        } else {
            Self::Internal(source)
        }
    }

    /// The HTTP status, as a number.
    pub fn status(&self) -> u16 {
        match self {
            Self::BadRequest { .. } => 400,
            Self::SignInFirst => 401,
            Self::Forbidden { .. } => 403,
            Self::NotFound(_) => 404,
            Self::Conflict { .. } => 409,
            Self::TooLarge(_) => 413,
            Self::Invalid(_) => 422,
            Self::TooMany { .. } | Self::Slow { .. } => 429,
            Self::Damaged(_) | Self::Internal(_) => 500,
            Self::Busy(_) => 503,
        }
    }

    /// The stable word that programs compare.
    pub fn code(&self) -> &'static str {
        match self {
            Self::BadRequest { code, .. } | Self::Forbidden { code, .. } | Self::Conflict { code, .. } => {
                code
            }
            Self::SignInFirst => "sign_in_first",
            Self::NotFound(_) => "not_found",
            Self::Invalid(_) => "invalid",
            Self::TooLarge(_) => "too_large",
            Self::TooMany { .. } => "rate_limited",
            Self::Slow { .. } => "slow_mode",
            Self::Busy(_) => "busy",
            Self::Damaged(_) => "damaged",
            Self::Internal(_) => "internal",
        }
    }

    /// The sentence for a person.
    pub fn detail(&self) -> String {
        self.to_string()
    }

    /// The wrong fields; empty for every other answer.
    pub fn fields(&self) -> &[FieldError] {
        match self {
            Self::Invalid(fields) => fields,
            _ => &[],
        }
    }

    /// Milliseconds until another try makes sense.
    pub fn retry_after_ms(&self) -> Option<u64> {
        match self {
            Self::TooMany { retry_after_ms } | Self::Slow { wait_ms: retry_after_ms } => {
                Some(*retry_after_ms)
            }
            _ => None,
        }
    }
}

/// A missing row is a 404 wherever one row was asked for; all else from the database is our fault.
impl From<diesel::result::Error> for Error {
    fn from(error: diesel::result::Error) -> Self {
        match error {
            diesel::result::Error::NotFound => Self::NotFound("There is nothing here."),
            other if integrity::is_damage(&other) => Self::Damaged(other.into()),
            other => Self::internal(other),
        }
    }
}
