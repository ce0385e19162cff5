//! The media library: what lies in its folder, listed, described and served with byte ranges; and the way into it.

pub mod api;
pub mod file;
mod format;
pub mod item;
mod library;
pub mod pages;
mod part;
mod pieces;
mod receive;
mod reception;
mod scan;
mod shelve;
pub mod tus;
mod upload;

pub use format::Kind;
pub use item::Item;
pub use library::Library;
pub use reception::Reception;
