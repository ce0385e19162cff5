//! Looking after the place: what owner, admins and moderators see, and nobody else knows of.

pub mod api;
pub mod api_accounts;
mod gate;
pub mod invites;
pub mod pages;
pub mod people;
