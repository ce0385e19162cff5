//! Who is who: accounts and guests, their passwords and sessions, and the extractors that tell a handler who asks.

pub mod api;
pub mod audit;
mod authority;
mod cookie;
mod device;
mod directory;
pub mod entry;
pub mod faces;
mod handover;
pub mod handover_pages;
pub mod invite;
mod keeper;
pub mod key;
mod known;
mod log_in;
pub mod log_in_pages;
mod names;
pub mod pages;
mod password;
pub mod people;
mod private_key;
mod proof;
pub mod reset;
pub mod reset_pages;
pub mod restraint;
mod rights;
mod role;
mod seal;
pub mod second;
pub mod security_pages;
pub mod session;
pub mod settings;
pub(crate) mod state;
mod status;
pub mod token;
mod totp;
pub mod user;
mod visitor;

pub use cookie::Cookies;
pub use directory::{Directory, Presence};
pub use faces::Faces;
pub use keeper::Keeper;
pub use known::deliver;
pub use names::{DisplayName, Username};
pub use password::{Hasher, Password};
pub use private_key::PrivateKey;
pub use session::{SessionRow, Sessions};
pub use state::{Accounts, Db, Newcomer};
pub use token::{TokenLabel, Tokens};
pub use user::{PeopleQuery, Person, Profile, Role, Status, StatusState};
pub use visitor::{Reader, Speaker, Visitor};

#[cfg(test)]
mod tests;
