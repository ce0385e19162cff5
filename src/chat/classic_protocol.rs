//! The frames of `/ws/classic`, the protocol of the coursework chat that Hubbub replaces.

use super::protocol;
use crate::error::Error;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// Bytes of one frame from a client: a picture comes inside it.
pub const FRAME_BYTES: usize = 6 * 1024 * 1024;

/// Which of the two kinds of conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Chat {
    Private,
    Group,
}

/// What a client says.
#[derive(Debug, Deserialize)]
#[serde(tag = "Type")]
pub enum Said {
    Connect {
        #[serde(rename = "Username")]
        username: String,
    },
    Send(Send),
    Join {
        #[serde(rename = "Chat")]
        chat: Chat,
        #[serde(rename = "From")]
        from: String,
        #[serde(rename = "To")]
        to: String,
    },
    Create {
        #[serde(rename = "Name")]
        name: String,
        #[serde(rename = "From")]
        from: String,
        #[serde(rename = "List", default)]
        list: Vec<String>,
    },
    Delete {
        #[serde(rename = "Name")]
        name: String,
        #[serde(rename = "From")]
        from: String,
    },
}

impl Said {
    /// The name that the frame gives its sender.
    pub fn from(&self) -> &str {
        match self {
            Self::Connect { username } => username,
            Self::Send(send) => &send.from,
            Self::Join { from, .. } | Self::Create { from, .. } | Self::Delete { from, .. } => from,
        }
    }
}

/// A message, in either direction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Send {
    /// A user name.
    #[serde(rename = "From")]
    pub from: String,
    /// A user name, or the name of a group.
    #[serde(rename = "To")]
    pub to: String,
    /// The text; of a picture, its address, or what is in it.
    #[serde(rename = "Content")]
    pub content: String,
    #[serde(rename = "Chat")]
    pub chat: Chat,
    /// 1 for a picture.
    #[serde(default)]
    pub is_image: u8,
}

/// Somebody in a `Status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Name {
    #[serde(rename = "Name")]
    pub name: String,
    #[serde(rename = "Online")]
    pub online: bool,
}

/// What the server says.
#[derive(Debug, Serialize)]
#[serde(tag = "Type")]
pub enum Says<'a> {
    Status {
        #[serde(rename = "Users")]
        users: &'a [Name],
        #[serde(rename = "Groups")]
        groups: &'a [String],
    },
    Send(&'a Send),
    Join {
        #[serde(rename = "Chat")]
        chat: Chat,
        #[serde(rename = "From")]
        from: &'a str,
        #[serde(rename = "To")]
        to: &'a str,
        /// Oldest first, each with its own `Type`.
        #[serde(rename = "History")]
        history: Vec<Says<'a>>,
    },
    Error {
        #[serde(rename = "Code")]
        code: &'a str,
        #[serde(rename = "Message")]
        message: &'a str,
    },
}

impl Says<'_> {
    pub fn frame(&self) -> Bytes {
        protocol::frame(self)
    }
}

/// An `Error` frame.
pub fn error(code: &'static str, message: &str) -> Bytes {
    Says::Error { code, message }.frame()
}

/// An `Error` frame for a refusal.
pub fn refusal(why: &Error) -> Bytes {
    error(why.code(), &why.detail())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_old_frames_are_read_as_they_were_written() {
        let said = |text: &str| serde_json::from_str::<Said>(text);
        assert!(said(r#"{"Type":"Connect","Id":"x7","Username":"ann"}"#).is_ok_and(|s| s.from() == "ann"));
        let text = r#"{"Type":"Send","From":"ann","To":"ben","Content":"hi","Chat":"Private","is_image":0}"#;
        assert!(matches!(said(text), Ok(Said::Send(Send { chat: Chat::Private, is_image: 0, .. }))));
        assert!(said(r#"{"Type":"Fly"}"#).is_err());
        let send = Send {
            from: "ann".into(),
            to: "ben".into(),
            content: "hi".into(),
            chat: Chat::Private,
            is_image: 0,
        };
        assert_eq!(serde_json::to_string(&Says::Send(&send)).unwrap_or_default(), text);
    }
}
