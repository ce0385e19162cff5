//! What a client says to have rooms made, changed and deleted, and to bring people into them and out again.

use crate::ids::RoomId;
use serde::Deserialize;

#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct Create {
    /// `channel` or `group`.
    pub kind: String,
    pub name: String,
    #[serde(default)]
    pub topic: String,
    /// User names; for a group.
    #[serde(default)]
    pub members: Vec<String>,
}

/// Somebody in a room, by user name.
#[derive(Debug, Deserialize)]
pub struct Somebody {
    pub room: RoomId,
    pub user: String,
}

#[derive(Debug, Deserialize)]
pub struct Rename {
    pub room: RoomId,
    pub name: String,
}

#[derive(Debug, Deserialize)]
pub struct Topic {
    pub room: RoomId,
    pub topic: String,
}

#[derive(Debug, Deserialize)]
pub struct One {
    pub room: RoomId,
}

/// Somebody to talk with privately: by user name, or by their private key.
#[derive(Debug, Deserialize)]
pub struct Open {
    pub user: Option<String>,
    pub key: Option<String>,
}
