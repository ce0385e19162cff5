//! The tables as Diesel's CLI prints them from the SQLite migrations: `diesel.toml` (messages) and
//! `migrations/accounts/diesel.toml` say how. Never edited by hand; a test compares them with the migrations.

pub mod accounts;
pub mod messages;
