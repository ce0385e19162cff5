//! What every page shares: the shell and its assets, how answers and errors look, whom a request may come from, how often.

pub mod answer;
pub mod assets;
pub mod body;
pub mod headers;
pub mod language;
pub mod lifeline;
pub mod limit;
pub mod origin;
pub mod page;
pub mod words;
