//! Finding messages by their words, in every language, among those that a person may read.
//!
//! The index is this program's own and kept in plain tables, so that it is the same on both engines. It is made
//! of segments: each holds some messages in the order of time, and for every word the documents that it stands in,
//! room by room. A search reads the segments from the newest on, meets the sets of documents in memory, skips rooms
//! that the person may not read, and reads the messages themselves last: what is shown is judged by the message as it
//! is now, whatever the index knows. A beginning that very many words share is indexed like a word, for those who
//! search while they type. What isn't indexed yet is looked through directly.

mod beginnings;
mod bits;
mod document;
mod find;
mod index;
mod moment;
mod plan;
mod postings;
mod query;
mod quiet;
mod segment;
mod streams;
mod words;

pub use document::Has;
pub use find::{Found, before_each, find};
pub use index::{Indexer, Pace};
pub use moment::moment;
pub use plan::Asked;
pub use postings::Key;
pub use query::{Named, Query};
