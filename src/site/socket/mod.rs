//! What every WebSocket and event stream shares, whichever feature it belongs to: frames, the guard in front of the codec,
//! the outbox, and the seat by which it is reached from outside.

#[cfg(feature = "echo")]
pub mod echo;
pub mod frame_guard;
pub mod frames;
pub mod outbox;
pub mod seat;
