//! What every page shares: the shell and its assets, how answers and errors look, whom a request may come from, how often.

pub mod answer;
pub mod assets;
pub mod authority;
pub mod body;
pub mod disk;
pub mod form_data;
pub mod guess;
pub mod headers;
pub mod language;
mod lean;
pub mod lifeline;
pub mod limit;
pub mod open_connections;
pub mod origin;
pub mod page;
pub mod problem;
pub mod qr;
pub mod rail;
pub mod range;
pub mod redirect;
pub mod socket;
pub mod streams;
pub mod tls;
pub mod words;
