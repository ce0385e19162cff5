//! Looking after the place: what owner, admins and moderators see, and nobody else knows of.

pub mod api;
pub mod api_accounts;
pub mod api_filter;
pub mod api_moderate;
pub mod api_reports;
pub mod audit;
mod deeds;
pub mod filter;
mod gate;
pub mod invites;
pub mod moderate;
pub mod pages;
pub mod people;
