//! The load: people who are connected, some of whom speak in a closed loop while all are counted. One thread, and far
//! cheaper than any server it is turned on.

mod connection;
mod crowd;

pub use connection::Person;
pub use crowd::{Crowd, Sample};
