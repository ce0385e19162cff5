//! Preparing what lies in the library, with ffmpeg: looking into a file, and making of it what pages and browsers need.

mod desk;
mod facts;
mod job;
mod limits;
mod make;
mod peaks;
mod picture;
mod plan;
mod probe;
mod publish;
mod run;
mod sweep;
mod tones;
mod tools;
mod workshop;

pub use desk::Preparation;
pub use job::{Place, Prepare};
pub use tools::Tools;
