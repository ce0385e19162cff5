//! The one way out: what somebody has linked to is fetched from other people's servers here, through a guard.
//!
//! Whoever can have a server fetch an address can have it knock at doors that only it can reach: its own other programs,
//! the machines of its network, the secrets that clouds hand out on an address of their own. So each address is judged by
//! where it leads in the end: a name is looked up once, every address that it has must be one of the open internet, and
//! exactly these are connected to. A redirect begins again at the beginning.

mod address;
mod guard;
mod line;
mod names;
mod outward;
mod secure;

pub use address::is_public;
pub use guard::{Guard, Refused};
pub use line::{Bound, Fetched, Wanted};
pub use names::{Names, System};
pub use outward::{Outward, Tally};
pub use url::Url;
