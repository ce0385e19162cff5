//! What a person may do in the whole place.

use serde::Serialize;

/// What a person may do in the whole place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Owner,
    Admin,
    Moderator,
    Member,
    Guest,
}

impl Role {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Moderator => "moderator",
            Self::Member => "member",
            Self::Guest => "guest",
        }
    }

    /// Whether they say who comes in and what the others may do.
    pub fn administers(self) -> bool {
        matches!(self, Self::Owner | Self::Admin)
    }

    /// Whether they keep order among the others.
    pub fn moderates(self) -> bool {
        matches!(self, Self::Owner | Self::Admin | Self::Moderator)
    }
}

impl From<String> for Role {
    fn from(stored: String) -> Self {
        match stored.as_str() {
            "owner" => Self::Owner,
            "admin" => Self::Admin,
            "moderator" => Self::Moderator,
            "member" => Self::Member,
            // The table's CHECK leaves no other; the one who may least is the safe reading.
            _ => Self::Guest,
        }
    }
}
