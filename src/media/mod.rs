//! The media library: what lies in its folder, listed, described and served with byte ranges.

pub mod api;
pub mod file;
mod format;
pub mod item;
mod library;
pub mod pages;
mod pieces;
mod scan;

pub use format::Kind;
pub use item::Item;
pub use library::Library;
