//! Live streams: readings and pictures from any instrument, checked, kept in memory for a while and shown to whoever watches.
//!
//! A push (`ingest`) makes checked [`Sample`](sample::Sample)s and hands them to the stream's actor, the `Station`. It
//! numbers them, keeps them in a bounded ring, encodes each once and sends it to the workers that have viewers of the
//! stream, whose `Relay` puts it into their outboxes. Nothing of it touches a disk, unless it is to be recorded.

pub mod alarm;
pub mod api;
pub mod body;
mod field;
mod film;
pub mod hls;
pub mod ingest;
pub(crate) mod json;
pub(crate) mod lines;
pub mod pages;
mod parts;
pub mod push_socket;
pub mod read;
pub mod recording;
mod relay;
mod ring;
mod sample;
pub mod settings_pages;
mod station;
pub mod stream;
mod studio;
pub mod video;
mod view;
pub mod watch;

pub use field::Field;
pub use relay::{Desk, Relay};
pub use stream::{Stream, StreamName, Wish};
pub use studio::{Live, LocalKeys};

#[cfg(test)]
mod tests {
    /// A grey PNG of this size.
    pub fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        let picture = image::GrayImage::new(width, height);
        picture.write_to(&mut std::io::Cursor::new(&mut bytes), image::ImageFormat::Png).unwrap();
        bytes
    }
}
