//! How every bench takes its figures: for how long, and the middle of several rounds.

#![allow(dead_code, reason = "each bench uses its own part of this")]

use std::time::Duration;

pub type Benched<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// Whether this is only to see that the bench still works: about two seconds in all.
pub fn is_quick() -> bool {
    std::env::args().any(|arg| arg == "--quick")
}

/// How long a figure is measured.
pub fn seconds() -> Duration {
    Duration::from_secs_f64(if is_quick() { 0.2 } else { 3.0 })
}

/// How often, so that the middle can be told.
pub fn rounds() -> usize {
    if is_quick() { 1 } else { 3 }
}

/// The middle of several rounds.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}
