//! Everything that is tested on the whole: one binary, one module per matter.
//!
//! The shape of the project, read from its files:
//! - `floors`      imports go downwards only, and every module stands on a floor
//! - `schema`      the tables that Diesel is told of are the tables that the migrations make, on both engines
//! - `licences`    every dependency may be used and passed on under a permissive licence
//! - `settings`    the README's table of settings says what the program says
//! - `catalogue`   what the build collects for the languages of `locales/`
//! - `words`       nothing half done, no machine's own paths, every module introduces itself
//!
//! What people and programs get from a running server, on SQLite, or with `HUBBUB_TEST_POSTGRES` on Postgres:
//! - `accounts`    register, log in, enter as a guest, log out, sessions, the shell's `user` commands
//! - `board`       notes by form and by socket, at once for everybody
//! - `channels`    create, join, talk, read back, leave, unread counts
//! - `protocol`    every command of `hubbub.v1`
//! - `frames`      frames that are no requests, frames in parts, and who gets a socket at all
//! - `api`         the HTTP API's description, its errors, its pages
//! - `media`       the library: ranges, files that come and go
//! - `language`    which language a page is in, and in which hue
//! - `headers`     what every answer carries, and who is refused for coming from elsewhere
//! - `limits`      how much and how often
//! - `durability`  the server killed and stopped while people write
//!
//! What they are written with: `app` starts a server, `visitor` is somebody at a browser, `socket` speaks
//! WebSocket, `child` runs the program itself, `store` says where the databases are, `tree` reads the project.

// All of this is test, the helpers too: what meets the unexpected stops there and then.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod accounts;
mod api;
mod board;
mod catalogue;
mod channels;
mod durability;
mod floors;
mod frames;
mod headers;
mod language;
mod licences;
mod limits;
mod media;
mod protocol;
mod schema;
mod settings;
mod words;

mod app;
mod child;
mod socket;
mod store;
mod tree;
mod visitor;
