//! What must hold in WebAssembly itself: numbers, randomness, text in pieces, and what is kept in storage.
//!
//! `cargo test --target wasm32-unknown-unknown --test wasm` with wasm-bindgen's test runner; natively there is nothing to
//! run. The runner calls the exported tests itself, so that no harness of Rust's own is needed, which wasm32 may lack.

#[cfg(target_arch = "wasm32")]
mod node;

fn main() {}
