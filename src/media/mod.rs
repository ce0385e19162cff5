//! The media library: what lies in its folder, listed, described and served with byte ranges; and the way into it.

pub mod api;
pub mod api_position;
mod api_prepared;
pub mod api_records;
mod chapter;
pub mod file;
mod format;
pub mod item;
mod library;
pub mod pages;
mod part;
mod pieces;
mod playing;
pub mod position;
pub mod prepare;
pub mod prepared;
mod product;
mod receive;
mod reception;
pub mod record;
pub mod record_pages;
mod scan;
mod shelve;
pub mod sight;
pub mod tus;
mod upload;

pub use format::Kind;
pub use item::Item;
pub use library::Library;
pub use part::hash_of;
pub use product::FOLDER as PRODUCTS;
pub use reception::FOLDER as UPLOADS;
pub use reception::Reception;
pub use sight::Sight;
