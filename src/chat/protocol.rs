//! The `hubbub.v1` protocol: what a client may say, and how the server's frames are written.

use super::amend::{Delete, Edit, Pin, Preview, React};
use super::command_rooms::{self, Command as Room};
use super::command_together;
use crate::error::{Error, Result};
use crate::ids::{AttachmentId, RoomId, UserId};
use crate::rooms::{self, Level, Message, Outcome, ReadMark, RoomView};
pub use crate::site::socket::frames::{close_frame, control_frame, frame, put_frame};
use actix_http::ws::CloseCode;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Bytes of one frame from a client, and of all fragments of one message.
pub const FRAME_BYTES: usize = 64 * 1024;

/// Close codes of our own; RFC 6455 leaves 4000 to 4999 to applications.
pub const SIGNED_OUT: CloseCode = CloseCode::Other(4001);

/// The part that every client frame has.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    id: Option<u64>,
}

#[derive(Debug, Deserialize)]
pub struct Send {
    pub room: RoomId,
    pub nonce: String,
    pub text: String,
    pub title: Option<String>,
    pub reply_to: Option<i64>,
    #[serde(default)]
    pub attachments: Vec<AttachmentId>,
}

#[derive(Debug, Default, Deserialize)]
pub struct History {
    pub room: RoomId,
    /// Only the message of this `seq` and the replies in its thread.
    pub thread: Option<i64>,
    pub before: Option<i64>,
    pub after: Option<i64>,
    pub around: Option<i64>,
    /// A moment, ms: the first message from there on, with what stands around it.
    pub at: Option<i64>,
    pub limit: Option<i64>,
}

#[derive(Debug, Deserialize)]
pub struct Changes {
    pub room: RoomId,
    pub after: i64,
    pub limit: Option<i64>,
}

/// A room by number, or a channel by name.
#[derive(Debug, Deserialize)]
pub struct Which {
    pub room: Option<RoomId>,
    pub name: Option<String>,
}

/// A page of rooms or people.
#[derive(Debug, Deserialize)]
pub struct List {
    /// The name after which the page starts.
    pub after: Option<String>,
    pub limit: Option<i64>,
}

#[derive(Debug, Deserialize)]
pub struct Read {
    pub room: RoomId,
    pub seq: i64,
    #[serde(default)]
    pub back: bool,
}

#[derive(Debug, Deserialize)]
pub struct SetLevel {
    pub room: RoomId,
    pub level: String,
}

#[derive(Debug, Deserialize)]
pub struct Typing {
    pub room: RoomId,
}

#[derive(Debug, Deserialize)]
pub struct Status {
    pub state: String,
    pub text: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct Watch {
    pub users: Vec<UserId>,
}

/// What a client asks for.
#[derive(Debug)]
pub enum Command {
    Send(Send),
    Edit(Edit),
    Delete(Delete),
    React(React),
    Pin(Pin),
    Preview(Preview),
    History(History),
    Changes(Changes),
    Join(Which),
    Leave(Which),
    /// One about rooms themselves.
    Room(command_rooms::Command),
    Rooms(List),
    People(List),
    Read(Read),
    Level(SetLevel),
    Typing(Typing),
    Status(Status),
    Watch(Watch),
    Together(command_together::Command),
    Ping,
}

/// A frame that can't be answered with a `reply`, because it isn't even a request.
#[derive(Debug, PartialEq, Eq)]
pub struct NotARequest;

/// Reads one frame: the client's number for it, and the command or what is wrong with it.
///
/// # Errors
/// `NotARequest` when it is no JSON object with a `type`.
pub fn parse(frame: &str) -> std::result::Result<(Option<u64>, Result<Command>), NotARequest> {
    let head: Head<'_> = serde_json::from_str(frame).map_err(|_| NotARequest)?;
    let command = match head.kind.as_ref() {
        "send" => body(frame).map(Command::Send),
        "edit" => body(frame).map(Command::Edit),
        "delete" => body(frame).map(Command::Delete),
        "react" => body(frame).map(Command::React),
        "pin" => body(frame).map(Command::Pin),
        "preview" => body(frame).map(Command::Preview),
        "history" => body(frame).map(Command::History),
        "changes" => body(frame).map(Command::Changes),
        "join" => body(frame).map(Command::Join),
        "leave" => body(frame).map(Command::Leave),
        "create" => body(frame).map(Room::Create).map(Command::Room),
        "invite" => body(frame).map(Room::Invite).map(Command::Room),
        "kick" => body(frame).map(Room::Kick).map(Command::Room),
        "rename" => body(frame).map(Room::Rename).map(Command::Room),
        "topic" => body(frame).map(Room::Topic).map(Command::Room),
        "delete_room" => body(frame).map(Room::Delete).map(Command::Room),
        "open" => body(frame).map(Room::Open).map(Command::Room),
        "rooms" => body(frame).map(Command::Rooms),
        "people" => body(frame).map(Command::People),
        "read" => body(frame).map(Command::Read),
        "level" => body(frame).map(Command::Level),
        "typing" => body(frame).map(Command::Typing),
        "status" => body(frame).map(Command::Status),
        "watch" => body(frame).map(Command::Watch),
        "together" => body(frame).map(Command::Together),
        "ping" => Ok(Command::Ping),
        _ => Err(Error::bad_request("unknown_type", "This server doesn't know that type of request.")),
    };
    Ok((head.id, command))
}

fn body<'a, T: Deserialize<'a>>(frame: &'a str) -> Result<T> {
    serde_json::from_str(frame).map_err(|error| {
        // serde names the field and what was expected; the position would only be about our own reading of it.
        let words = error.to_string();
        let what = words.split(" at line ").next().unwrap_or_default();
        Error::bad_request("bad_request", format!("The request is not complete: {what}."))
    })
}

/// A reply's error.
#[derive(Debug, Serialize)]
pub struct Refusal {
    code: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
}

impl From<&Error> for Refusal {
    fn from(error: &Error) -> Self {
        Self { code: error.code(), message: error.detail(), retry_after: error.retry_after_ms() }
    }
}

/// `{"type":"reply","id":N,"ok":true,…}`, with the fields of `T` beside them.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename = "reply")]
pub struct Reply<T: Serialize> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u64>,
    ok: bool,
    #[serde(flatten)]
    body: T,
}

/// A reply without a body of its own.
#[derive(Debug, Serialize)]
pub struct Nothing {}

/// The reply to `ping`.
#[derive(Debug, Serialize)]
pub struct Pong {
    /// The server's clock, ms.
    pub at: i64,
}

#[derive(Debug, Serialize)]
pub struct Failure {
    error: Refusal,
}

/// A reply that carries `body`.
pub fn reply<T: Serialize>(id: Option<u64>, body: T) -> Bytes {
    frame(&Reply { id, ok: true, body })
}

/// A reply that says why not.
pub fn refusal(id: Option<u64>, error: &Error) -> Bytes {
    frame(&Reply { id, ok: false, body: Failure { error: error.into() } })
}

/// `ok` or an error, whichever it was.
pub fn reply_or_refusal<T: Serialize>(id: Option<u64>, result: Result<T>) -> Bytes {
    match result {
        Ok(body) => reply(id, body),
        Err(error) => refusal(id, &error),
    }
}

#[derive(Debug, Serialize)]
struct PostedBody {
    seq: i64,
    rev: i64,
    at: i64,
}

#[derive(Debug, Serialize)]
struct AmendedBody {
    rev: i64,
}

#[derive(Debug, Serialize)]
pub struct RoomBody {
    pub room: RoomView,
}

#[derive(Debug, Serialize)]
pub struct JoinedBody {
    pub room: RoomView,
    pub messages: Vec<Message>,
}

/// The reply to a change that went through the write door.
pub fn outcome(id: Option<u64>, result: &Result<Outcome>) -> Bytes {
    match result {
        Ok(Outcome::Posted(p)) => reply(id, PostedBody { seq: p.seq, rev: p.rev, at: p.at }),
        Ok(Outcome::Amended(message)) => reply(id, AmendedBody { rev: message.rev }),
        Ok(Outcome::Room(room) | Outcome::Joined(room) | Outcome::Opened { room, .. }) => {
            reply(id, RoomBody { room: room.clone() })
        }
        Ok(Outcome::Stored) => reply(id, Nothing {}),
        Err(error) => refusal(id, error),
    }
}

/// A frame to nobody's request: `{"type":"error","code","message"}`.
pub fn error_frame(code: &'static str, message: &str) -> Bytes {
    frame(&serde_json::json!({ "type": "error", "code": code, "message": message }))
}

/// A `room` event: the room as this person sees it now.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename = "room")]
pub struct RoomEvent<'a> {
    pub room: &'a RoomView,
}

/// A `read` event: the person's own mark moved somewhere else.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename = "read")]
pub struct ReadEvent {
    #[serde(flatten)]
    pub mark: ReadMark,
}

/// A `room` event that says only what the person wants to hear of it.
pub fn level_changed(room: &RoomView) -> Bytes {
    #[derive(Serialize)]
    struct Heard {
        id: RoomId,
        level: Option<Level>,
        mentions: i64,
    }
    #[derive(Serialize)]
    #[serde(tag = "type", rename = "room")]
    struct Event {
        room: Heard,
    }
    frame(&Event { room: Heard { id: room.id, level: room.level, mentions: room.mentions } })
}

/// A `room` event for everybody in it: what changed, without what is different for each.
pub fn room_changed(room: &rooms::Room) -> Bytes {
    frame(&serde_json::json!({
        "type": "room",
        "room": {
            "id": room.id, "kind": room.kind, "name": room.name, "topic": room.topic, "owner": room.owner,
            "members": room.members, "last_seq": room.last_seq, "rev": room.rev, "joined": true,
            "slow_seconds": room.slow_seconds,
        },
    }))
}

/// A `room` event for a room that the person has lost.
pub fn room_gone(room: RoomId) -> Bytes {
    frame(&serde_json::json!({ "type": "room", "room": { "id": room }, "gone": true }))
}

/// One person's presence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Presence {
    pub user: UserId,
    /// `online`, `away`, `dnd` or `offline`.
    pub state: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub text: String,
}

/// A `presence` frame.
pub fn presence<T: Serialize>(users: &[T]) -> Bytes {
    frame(&serde_json::json!({ "type": "presence", "users": users }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_a_request_a_wrong_request_or_no_request() {
        assert!(matches!(parse(r#"{"type":"ping","id":3}"#), Ok((Some(3), Ok(Command::Ping)))));
        assert!(matches!(
            parse(r#"{"id":4,"type":"read","room":1,"seq":9}"#),
            Ok((Some(4), Ok(Command::Read(Read { seq: 9, back: false, .. }))))
        ));
        for (frame, code) in
            [(r#"{"type":"fly","id":1}"#, "unknown_type"), (r#"{"type":"send","id":1}"#, "bad_request")]
        {
            let (id, command) = parse(frame).unwrap_or((None, Ok(Command::Ping)));
            assert_eq!((id, command.map_err(|e| e.code()).err()), (Some(1), Some(code)));
        }
        for frame in ["", "{", "[]", "null", r#"{"id":1}"#, r#"{"type":7}"#] {
            assert_eq!(parse(frame).err(), Some(NotARequest), "{frame}");
        }
    }

    #[test]
    fn frames_carry_type_first() {
        let bytes = reply(Some(1), Nothing {});
        assert_eq!(&bytes[2..], br#"{"type":"reply","id":1,"ok":true}"#);
    }
}
