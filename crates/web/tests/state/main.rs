//! The page's state against a model of the server: whatever order, loss and repetition frames come in, the state ends up
//! equal to one that is loaded afresh, and nothing is sent or shown twice.
#![cfg(not(target_arch = "wasm32"))]
#![expect(clippy::unwrap_used, reason = "what the tests' own words stand on is there, or the test fails right here")]

mod client;
mod converges;
mod outbox;
mod rooms;
mod saved;
mod server;
mod stretch;
mod timeline;
