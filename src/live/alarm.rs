//! Alarms: what the keeper of a stream wants to be called for, and what became of each call.
//!
//! A [`Guard`](guard::Guard) in the stream's actor judges every sample in memory. What it finds goes through the
//! [`Bell`](bell::Bell), which stores it, says it in the stream's talk, and hands what stands back to the actor for
//! those who watch.

pub mod api;
pub mod bell;
pub mod guard;
mod keeping;
pub mod row;
pub mod rule;
pub mod sentry;
pub mod wording;

pub use api::AlarmObject;
pub use row::Alarm;
