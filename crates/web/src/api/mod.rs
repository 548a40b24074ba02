//! The server's REST calls: one function an endpoint, all through one `send` that adds the token and speaks in
//! [`ApiError`]. Nothing here knows the state or draws.

mod error;

#[cfg(target_arch = "wasm32")]
pub mod accounts;
#[cfg(target_arch = "wasm32")]
pub mod admin;
#[cfg(target_arch = "wasm32")]
mod client;
#[cfg(target_arch = "wasm32")]
pub mod fetch;
#[cfg(target_arch = "wasm32")]
pub mod integrations;
#[cfg(target_arch = "wasm32")]
pub mod messages;
#[cfg(target_arch = "wasm32")]
pub mod rooms;
#[cfg(target_arch = "wasm32")]
pub mod upload;

#[cfg(target_arch = "wasm32")]
pub use client::{Api, Method, answers};
pub use error::ApiError;
