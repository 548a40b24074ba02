//! Trunk and wasm-bindgen: as binaries through cargo-binstall where that is installed and gets through, else from source.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use super::{is_on_path, step};
use crate::progress::say;
use crate::workspace;

/// Ready binaries are a few megabytes.
const DOWNLOAD: Duration = Duration::from_mins(2);
/// Four minutes on two cores, and far more on a small board.
const BUILD: Duration = Duration::from_hours(1);
/// The longest crate takes a minute on two cores; a registry that stalls is given up on by cargo itself.
const SILENCE: Duration = Duration::from_mins(15);

/// Installs `package` of the registry into the tools folder.
pub fn install(label: &str, package: &str, version: &str) -> Result<()> {
    let tools = workspace::tools()?;
    if is_on_path("cargo-binstall") {
        say(&format!("{label}: asking cargo-binstall for a ready binary"));
        let mut binstall = Command::new("cargo-binstall");
        binstall.args(["--no-confirm", "--force", "--disable-strategies", "compile", "--root"]).arg(&tools);
        binstall.arg(format!("{package}@{version}"));
        match step::run(label, binstall, DOWNLOAD, DOWNLOAD) {
            Ok(()) => return Ok(()),
            Err(failure) => say(&format!("{label}: no ready binary ({})", step::reason(&failure))),
        }
    }
    let minutes = if package == "trunk" { "about 4 minutes" } else { "about 2 minutes" };
    say(&format!("{label}: building from source, {minutes} on 2 cores"));
    let mut cargo = Command::new("cargo");
    cargo.args(["install", package, "--version", version, "--force", "--root"]).arg(&tools);
    if package == "trunk" {
        // Tried with these versions; wasm-bindgen-cli is built beside it and shares more when it may choose its own.
        cargo.arg("--locked");
    }
    cargo.env("CARGO_TARGET_DIR", build_folder(&tools));
    // Both are bound by disk and by what they call: without their own fat LTO they are built in half the time and work as
    // fast.
    cargo.env("CARGO_PROFILE_RELEASE_LTO", "off");
    cargo.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1");
    cargo.env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "64");
    // Not in the checkout: its cargo configuration and lints are for its own crates.
    cargo.current_dir(&tools);
    step::run(label, cargo, BUILD, SILENCE)
}

/// The intermediate files take a gigabyte and are of no use after the installation.
pub fn remove_build_folder(tools: &Path) {
    let _ = fs::remove_dir_all(build_folder(tools));
}

fn build_folder(tools: &Path) -> PathBuf {
    tools.join("build")
}
