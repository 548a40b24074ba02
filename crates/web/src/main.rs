//! The page's start. Everything else is in the library, so that it can be tested natively.

fn main() {
    #[cfg(target_arch = "wasm32")]
    natter_web::app::start();
}
