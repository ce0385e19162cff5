//! One file that holds the whole place: made while the server runs, proven before it counts, put back whole or not at all.
//!
//! The file is a tar archive. A table lies in it row by row, in the binary format of PostgreSQL's `COPY`
//! ([`row`]), whichever engine it came from, so that it goes back into either. The [`manifest`] says how many rows and
//! bytes there are and which SHA-256 each file has; behind it the [`seal`](proof) is the SHA-256 of everything before it,
//! so that no byte can be changed unseen.

mod archive;
mod gate;
mod load;
mod make;
mod manifest;
mod proof;
mod restore;
mod row;
mod shelf;
mod tables;
mod unload;

pub use gate::{before_change, interrupted};
pub use make::{Made, Wanted, make};
pub use manifest::Manifest;
pub use proof::prove;
pub use restore::{Restored, restore};

use crate::db::Which;

/// In this order: whoever wrote a message in the second is in the first.
const DATABASES: [Which; 2] = [Which::Accounts, Which::Messages];

/// The folder inside the archive.
const ROOT: &str = "hubbub-backup";
/// Where recordings of live streams lie, in the data folder and in the archive.
const RECORDINGS: &str = "recordings";
/// Where the library's files lie in the archive.
const MEDIA: &str = "media";

/// A message of a database or of the system, which may have several lines, as a part of one sentence.
fn words(error: &impl std::fmt::Display) -> String {
    let words = error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
    words.trim_end_matches('.').to_owned()
}
