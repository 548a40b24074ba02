//! Hands the name of the target, which cargo tells build scripts alone, to the program, which says it with its version.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-env=NATTER_BUILD_TARGET={}", std::env::var("TARGET").unwrap_or_default());
}
