//! HTTPS: the certificate, made here or given, and what is the same for both.

#[cfg(feature = "acme")]
mod acme;
mod authority;
mod certificate;
mod given;
mod keeper;
mod names;
mod pem;
mod pinned;
mod report;

pub use keeper::{Keeper, Offer};
pub use names::Name;
pub use report::{Report, is_healthy, report};
