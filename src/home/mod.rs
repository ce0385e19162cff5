//! A person's home: the dashboard with the board below it, and the rail of rooms beside every page.

pub mod key;
pub mod pages;
mod rail;

pub use rail::{RailMemory, Rails};
