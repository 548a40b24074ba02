//! The HTTP side: the whole route table, and beside it one file a noun with handlers of a few lines.

pub mod error;
pub mod extract;
