//! Link previews: what pages that people link to say of themselves, fetched in the background and put under the message.

mod card;
mod desk;
mod letters;
mod look;

pub use desk::Desk;
