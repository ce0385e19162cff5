//! The seat of a connection: by it whoever ends sessions, or the server, reaches connections of every feature.

use super::outbox::Outbox;
use crate::ids::Credential;
use crate::site::lifeline::Rope;
use std::rc::Rc;

/// How a client is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speech {
    /// Frames; it answers when it is asked whether it is there.
    WebSocket,
    /// Server-Sent Events; it only listens.
    Events,
}

/// A connection that goes with its credential, with the server, and when nobody reads it.
pub struct Seat {
    /// By what it was let in; nothing where anybody is.
    pub credential: Option<Credential>,
    pub outbox: Rc<Outbox>,
    pub rope: Rope,
    pub speech: Speech,
}

/// The seats of one worker's thread; implemented above this floor.
pub trait Seats {
    /// Seats a connection. Answers with its number.
    fn sit(&self, seat: Seat) -> u64;

    /// Something arrived from the client.
    fn heard(&self, number: u64);

    /// Forgets a connection.
    fn leave(&self, number: u64);
}
