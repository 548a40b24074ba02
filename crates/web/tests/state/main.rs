//! The page's state against a model of the server: whatever order, loss and repetition frames come in, the state ends up
//! equal to one that is loaded afresh, and nothing is sent or shown twice.
#![cfg(not(target_arch = "wasm32"))]

mod client;
mod converges;
mod outbox;
mod rooms;
mod server;
mod timeline;
