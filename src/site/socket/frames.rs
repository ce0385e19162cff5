//! Frames as a server writes them (RFC 6455 §5.2), encoded once for everybody who gets them.

use actix_http::ws::{CloseCode, CloseReason, OpCode, Parser, ProtocolError};
use bytes::{Bytes, BytesMut};
use serde::Serialize;
use std::io::ErrorKind;

/// One JSON object as a whole text frame.
pub fn frame(value: &impl Serialize) -> Bytes {
    let mut bytes = BytesMut::new();
    put_frame(&mut bytes, value);
    bytes.freeze()
}

/// Appends one JSON object as a whole text frame.
pub fn put_frame(bytes: &mut BytesMut, value: &impl Serialize) {
    // Our own types have string keys only, which is all that could fail.
    put_text(bytes, &serde_json::to_vec(value).unwrap_or_default());
}

/// Appends a whole text frame; `text` is UTF-8.
pub fn put_text(bytes: &mut BytesMut, text: &[u8]) {
    Parser::write_message(bytes, text, OpCode::Text, true, false);
}

/// Appends a whole binary frame.
pub fn put_binary(bytes: &mut BytesMut, content: &[u8]) {
    Parser::write_message(bytes, content, OpCode::Binary, true, false);
}

/// The close frame, with a sentence of at most 123 bytes.
pub fn close_frame(code: CloseCode, words: &str) -> Bytes {
    let mut bytes = BytesMut::new();
    Parser::write_close(&mut bytes, Some(CloseReason { code, description: Some(words.to_owned()) }), false);
    bytes.freeze()
}

/// A control frame that echoes or asks for life.
pub fn control_frame(code: OpCode, payload: &[u8]) -> Bytes {
    let mut bytes = BytesMut::new();
    Parser::write_message(&mut bytes, payload, code, true, false);
    bytes.freeze()
}

/// How a connection is closed that breaks the WebSocket protocol itself.
pub fn fault(error: &ProtocolError) -> (CloseCode, &'static str) {
    match error {
        ProtocolError::Overflow => (CloseCode::Size, "That frame is too large."),
        // The library's name for a text that isn't UTF-8, and for a socket that has gone anyway; for reserved bits it has
        // another kind.
        ProtocolError::Io(error) if error.kind() != ErrorKind::InvalidData => {
            (CloseCode::Invalid, "A text frame is UTF-8.")
        }
        _ => (CloseCode::Protocol, "That is not the WebSocket protocol."),
    }
}
