//! Live video: fragmented MP4 (ISO/IEC 14496-12) as it comes from a sender, and as it is handed on.
//!
//! Nothing is decoded. [`Walker`] reads the boxes and cuts the body into its beginning ([`Init`]: what the tracks are) and
//! its [`Fragment`]s; [`Ring`] keeps the newest of them, in segments that begin with a key frame. Browsers get both over
//! the viewers' WebSocket for Media Source Extensions, players the same bytes by HLS.

mod boxes;
mod codec;
mod fragment;
mod init;
mod moov;
mod playlist;
mod ring;
mod table;
mod walker;
mod whole;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod whole_tests;

pub use fragment::Fragment;
pub use init::Init;
pub use ring::{Part, Ring, Segment};
pub use walker::{Piece, Walker};
pub use whole::{beginning, finish};

use super::sample::Refused;
use std::borrow::Cow;

/// What was sent ends in the middle of a box, or a box says that it is longer than what it is in.
const BROKEN: Refused = Refused(Cow::Borrowed("The MP4 is broken: a box is longer than what holds it."));
