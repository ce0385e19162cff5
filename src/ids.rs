//! One type per kind of id, so that a room's number can't be passed where a person's is meant.

use crate::error::{Error, Result};
use diesel_derive_newtype::DieselNewType;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

macro_rules! id {
    ($(#[$doc:meta] $name:ident),+ $(,)?) => {$(
        #[$doc]
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, DieselNewType)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = std::num::ParseIntError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )+};
}

id! {
    /// A person: a full account or a guest.
    UserId,
    /// One signed-in browser (the row's number, never the secret key).
    SessionId,
    /// An API token (the row's number, never the secret).
    TokenId,
    /// An invite (the row's number, never its code).
    InviteId,
    /// A board, channel, group, direct or talk.
    RoomId,
    /// An item of the media library.
    MediaId,
    /// A playlist of the library.
    ListId,
    /// A live stream.
    StreamId,
    /// Something that a live stream called for.
    AlarmId,
    /// Something sent with a message, or about to be.
    AttachmentId,
}

/// By what somebody is known to the server: what ends, and with it the sockets that it opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Credential {
    Session(SessionId),
    Token(TokenId),
}

/// 128 random bits as 32 hexadecimal digits: what nobody else has, and nobody can guess.
///
/// # Errors
/// `Internal` when the system has no randomness to give.
pub fn random() -> Result<String> {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits).map_err(Error::internal)?;
    Ok(data_encoding::HEXLOWER.encode(&bits))
}

/// Whether this text could come from [`random`], and so is no path.
pub fn is_random(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// The author of what nobody has typed: a stream that calls out in its talk. No account has this number.
pub const HOUSE: UserId = UserId(-1);

/// The board is the first room of every server; the migration that creates the rooms makes it.
pub const BOARD: RoomId = RoomId(1);
