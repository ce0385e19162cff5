//! Connections of other features: they sit on the worker's floor too, so that what ends sessions, and the server, reaches
//! them as it reaches the chat's own.

use super::floor::{GONE, QUIET};
use super::protocol;
use super::shard::Local;
use crate::ids::Credential;
use crate::site::socket::seat::{Seat, Seats, Speech};
use actix_http::ws::{CloseCode, OpCode};
use bytes::Bytes;
use std::collections::HashMap;
use std::time::Instant;

struct Other {
    seat: Seat,
    last_heard: Instant,
    asked: bool,
}

/// All of a worker, by number.
#[derive(Default)]
pub(super) struct Others {
    seats: HashMap<u64, Other>,
    next: u64,
}

impl Others {
    fn sit(&mut self, seat: Seat) -> u64 {
        self.next += 1;
        self.seats.insert(self.next, Other { seat, last_heard: Instant::now(), asked: false });
        self.next
    }

    pub(super) fn len(&self) -> usize {
        self.seats.len()
    }

    pub(super) fn end(&self, ended: &[Credential], frame: &Bytes) {
        for Other { seat, .. } in self.seats.values() {
            if seat.credential.is_some_and(|credential| ended.contains(&credential)) {
                seat.outbox.close_with(if seat.speech == Speech::WebSocket {
                    frame.clone()
                } else {
                    Bytes::new()
                });
            }
        }
    }

    /// Tells each when to come back, as `reconnect_in` (ms) says for the next one, and closes.
    pub(super) fn farewell(&self, mut reconnect_in: impl FnMut() -> usize) {
        for Other { seat, .. } in self.seats.values() {
            let wait = reconnect_in();
            seat.outbox.close_with(match seat.speech {
                Speech::WebSocket => {
                    let notice = serde_json::json!({
                        "type": "notice", "text": "The server is restarting.", "reconnect_in": wait,
                    });
                    let mut frames = protocol::frame(&notice).to_vec();
                    let close = protocol::close_frame(CloseCode::Restart, "The server is restarting.");
                    frames.extend_from_slice(&close);
                    frames.into()
                }
                Speech::Events => format!("retry: {wait}\n\n").into(),
            });
        }
    }

    /// Ends those who don't read or don't answer, and asks the quiet ones.
    pub(super) fn look_after(&mut self, now: Instant) {
        for other in self.seats.values_mut() {
            let answers = other.seat.speech == Speech::WebSocket;
            let quiet = now.duration_since(other.last_heard);
            if other.seat.outbox.is_stuck(now) || (answers && quiet > GONE) {
                other.seat.rope.cut();
            } else if !answers && quiet > QUIET {
                // A comment. Over HTTP/2 nothing else tells that whoever listened has gone.
                other.seat.outbox.offer(Bytes::from_static(b":\n\n"));
                other.last_heard = now;
            } else if answers && quiet > QUIET && !other.asked {
                other.asked = true;
                other.seat.outbox.offer(protocol::control_frame(OpCode::Ping, b""));
            }
        }
    }
}

impl Seats for Local {
    fn sit(&self, seat: Seat) -> u64 {
        self.floor().others.sit(seat)
    }

    fn heard(&self, number: u64) {
        if let Some(other) = self.floor().others.seats.get_mut(&number) {
            other.last_heard = Instant::now();
            other.asked = false;
        }
    }

    fn leave(&self, number: u64) {
        self.floor().others.seats.remove(&number);
    }
}
