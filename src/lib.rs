//! Hubbub: a place of their own for a group of people, in one binary.
//!
//! The house has floors; what stands on one may use what stands below it, never its neighbours and never what stands
//! above. `tests/it/floors.rs` reads the imports and fails on the first that goes elsewhere.
//!
//! ```text
//! 5  app  backup  cli  routes
//!                            put it together: databases, actors, caches, workers; one file of it all; every command and URL
//! 4  admin  home             features over features: keeping order, who comes in; the dashboard, the rail of rooms
//! 3  chat  board  media  live  preview
//!                            features: talking over sockets, the wall of notes, the library, streams from instruments, what
//!                            linked pages say of themselves
//! 2  rooms                   what a room, a member and a message are; how a batch of messages is stored
//! 1  accounts                who is who: people, passwords, sessions
//! 0  clock config db error events fetch ids jobs picture site text
//!                            the shared floor: knows no feature; `fetch` is the one way out to other people's servers
//! ```
//!
//! The way of one message, from a browser back to all browsers:
//!
//! ```text
//! composer.js ── send ──▶ chat::connection    reads the frame, checks limits
//!                           │ rooms::Change     into a bounded queue; full = "busy", said to the sender
//!                         db::writer          one thread: takes what waits, one transaction
//!                           │                   rooms::post applies the batch: rights, nonces, seq and rev
//!                           │ rooms::Committed  after the commit
//!                         chat::server        the ChatServer actor: encodes each message once
//!                           │ chat::Delivery    one actor message per worker and batch
//!                         chat::shard         on each HTTP worker's thread: rooms → outboxes
//!                           │ Bytes             a cloned handle and a wake per connection
//!                         site::socket  ──▶ timeline.js, which keeps the newest `rev` of each message
//! ```
//!
//! A page's form and an API call enter at the same door with the same [`rooms::Change`]; nothing else makes a message.
#![forbid(unsafe_code)]

pub mod accounts;
pub mod admin;
pub mod app;
pub mod backup;
pub mod board;
pub mod chat;
pub mod cli;
pub mod clock;
pub mod config;
pub mod db;
pub mod error;
pub mod events;
pub mod fetch;
#[cfg(feature = "fuzz")]
pub mod fuzz;
pub mod home;
pub mod ids;
pub mod jobs;
pub mod live;
pub mod media;
pub mod picture;
pub mod preview;
pub mod rooms;
pub mod routes;
pub mod site;
pub mod text;
