//! Hubbub: a place of their own for a group of people, in one binary.
#![forbid(unsafe_code)]

pub mod accounts;
pub mod app;
pub mod board;
pub mod chat;
pub mod cli;
pub mod clock;
pub mod config;
pub mod db;
pub mod error;
pub mod events;
pub mod home;
pub mod ids;
pub mod media;
pub mod rooms;
pub mod routes;
pub mod site;
pub mod text;
