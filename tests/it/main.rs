//! Everything that is tested on the whole: one binary, one module per matter.
//!
//! The shape of the project, read from its files:
//! - `floors`    imports go downwards only, and every module stands on a floor
//! - `schema`    the tables that Diesel is told of are the tables that the migrations make, on both engines
//! - `licences`  every dependency may be used and passed on under a permissive licence
//! - `settings`  the README's table of settings says what the program says
//! - `words`     nothing half done, no machine's own paths, every module introduces itself

mod floors;
mod licences;
mod schema;
mod settings;
mod words;

mod store;
mod tree;
