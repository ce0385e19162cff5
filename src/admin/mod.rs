//! Looking after the place: what owner, admins and moderators see, and nobody else knows of.

pub mod pages;
