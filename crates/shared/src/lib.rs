//! What the browser and the server of Natter both know: ids, texts, entries, frames, errors, limits and URLs.
//!
//! No framework, no I/O, no clock and no randomness live here; everything is plain data with one `parse` for both sides.

pub mod account;
pub mod admin;
pub mod entry;
pub mod error;
pub mod event;
pub mod file;
pub mod frame;
pub mod id;
pub mod integration;
pub mod limits;
pub mod mention;
pub mod page;
pub mod path;
pub mod room;
pub mod text;
pub mod timestamp;
