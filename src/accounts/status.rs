//! What somebody shows beside their name: whether they want to be spoken to, a few words, a colour, when they were here.

use crate::db::Conn;
use crate::db::schema::accounts::users;
use crate::error::{FieldError, Result};
use crate::ids::UserId;
use crate::text::is_unruly;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

/// Characters of what somebody says about themselves.
const STATUS_TEXT_MAX: usize = 100;

/// Whether a person wants to be spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum StatusState {
    Online,
    Away,
    Dnd,
}

impl StatusState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Away => "away",
            Self::Dnd => "dnd",
        }
    }
}

impl From<String> for StatusState {
    fn from(stored: String) -> Self {
        match stored.as_str() {
            "away" => Self::Away,
            "dnd" => Self::Dnd,
            _ => Self::Online,
        }
    }
}

/// What somebody says about themselves at the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    pub state: StatusState,
    pub text: String,
}

impl Status {
    /// # Errors
    /// For the field `status`: longer than a line, or with control characters.
    pub fn parse(state: StatusState, text: &str) -> Result<Self, FieldError> {
        let text = text.trim();
        if text.chars().nth(STATUS_TEXT_MAX).is_some() {
            return Err(FieldError::new(
                "status",
                format!("A status has at most {STATUS_TEXT_MAX} characters."),
            ));
        }
        if text.chars().any(is_unruly) {
            return Err(FieldError::new(
                "status",
                "A status can't have line breaks or other control characters.",
            ));
        }
        Ok(Self { state, text: text.to_owned() })
    }
}

/// A chosen accent.
///
/// # Errors
/// For the field `color`: not a number of degrees.
pub fn parse_hue(degrees: Option<i32>) -> Result<i32, FieldError> {
    degrees
        .filter(|d| (0..360).contains(d))
        .ok_or_else(|| FieldError::new("color", "A color is a hue from 0 to 359 degrees."))
}

/// Keeps when people's last connections ended.
pub fn set_last_seen(conn: &mut Conn, left: &[(UserId, i64)]) -> Result<()> {
    for (id, at) in left {
        diesel::update(users::table.find(id))
            .set(users::last_seen_at.eq(at - at.rem_euclid(60_000)))
            .execute(conn)?;
    }
    Ok(())
}
