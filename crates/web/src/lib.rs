//! The page of Natter as a library. `state` is plain and true without a browser; `live` and `api` talk to the server; the
//! rest draws. What needs a browser is compiled for wasm32 only, so that native tests build no framework.

pub mod api;
pub mod emoji;
pub mod json;
pub mod live;
pub mod locale;
pub mod place;
pub mod plot;
pub mod state;
pub mod text_spans;

#[cfg(target_arch = "wasm32")]
pub mod app;
#[cfg(target_arch = "wasm32")]
pub mod components;
#[cfg(target_arch = "wasm32")]
mod language;
#[cfg(target_arch = "wasm32")]
pub mod pages;
