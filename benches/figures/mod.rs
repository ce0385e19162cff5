//! How every bench takes its figures: for how long, and the middle of several rounds.

#![allow(dead_code, reason = "each bench uses its own part of this")]

use std::time::Duration;

pub type Benched<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// How long a figure is measured: `--quick` for a check that the bench still works.
pub fn seconds() -> Duration {
    Duration::from_secs_f64(if std::env::args().any(|a| a == "--quick") { 0.4 } else { 3.0 })
}

/// The middle of several rounds.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}
