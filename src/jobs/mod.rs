//! Background work that survives the program: a queue in the messages database, and the runner that takes from it.
//!
//! A job is a struct with a name and a `run`. It is put into the queue in the transaction that makes it necessary, is
//! begun again when the program was killed meanwhile, and never runs twice at once, whatever number of nodes share the
//! database: whoever runs it holds a lease and says every few seconds that it still lives. A node that starts again has
//! back at once what its own earlier life held.

mod job;
mod node;
pub mod queue;
mod runner;
#[cfg(test)]
mod tests;

pub use job::{Done, Halt, Job, Stage, Turn};
pub use node::Node;
pub use runner::{Jobs, Runner, Working};
