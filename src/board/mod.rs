//! The board: notes that everyone sees, kept as a rendered wall that every commit renews.

pub mod front;
pub mod pages;
pub mod post;

pub use front::{BoardRev, Front, Wall};
