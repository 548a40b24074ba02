//! Has the linker say where each function and each piece of data is referred to, without which the page can not be cut
//! into parts. A flag of the compiler would compile every crate anew, and replace those of .cargo/config.toml.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is_page = std::env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "wasm32");
    if is_page && std::env::var_os("CARGO_FEATURE_SPLIT").is_some() {
        println!("cargo::rustc-link-arg-bins=--emit-relocs");
    }
}
