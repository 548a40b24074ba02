//! What comes from npm: wasm-opt, and the packages of e2e/.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::{BINARYEN, is_on_path, step, version};
use crate::progress::say;
use crate::{fingerprint, process, workspace};

/// How long npm may take; the packages are some tens of megabytes.
const LIMIT: Duration = Duration::from_mins(15);
/// How long it may be silent; it says nothing while it downloads.
const SILENCE: Duration = Duration::from_mins(5);
const OLDEST_NODE: u32 = 20;

/// Installs npm's binaryen. Without npm Trunk is left to download wasm-opt by itself, so that is no error.
pub fn install_wasm_opt(label: &str) -> Result<()> {
    if !is_on_path("npm") {
        say(&format!("{label}: npm is not installed, so Trunk downloads wasm-opt when it builds the page"));
        return Ok(());
    }
    let folder = workspace::tools()?.join("node");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    say(&format!("{label}: installing with npm"));
    let mut npm = npm();
    npm.args(["install", "--prefix"]).arg(&folder).arg(format!("binaryen@{BINARYEN}")).current_dir(&folder);
    step::run(label, npm, LIMIT, SILENCE)
}

/// Installs exactly what e2e/package-lock.json names.
pub fn install_e2e_packages(label: &str) -> Result<()> {
    needs_node()?;
    say(&format!("{label}: installing with npm ci"));
    let mut npm = npm();
    npm.arg("ci").current_dir(workspace::e2e()).env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1");
    step::run(label, npm, LIMIT, SILENCE)?;
    let mark = mark();
    fs::write(&mark, lock_fingerprint()?).with_context(|| format!("cannot write {}", mark.display()))
}

/// Whether `node_modules` was installed from the package-lock.json that is there now.
pub fn e2e_packages_are_there() -> Result<bool> {
    let lock = lock_fingerprint()?;
    Ok(fs::read_to_string(mark()).is_ok_and(|installed| installed == lock))
}

/// An error that says what to install if Node is missing or too old.
pub fn needs_node() -> Result<()> {
    let hint =
        format!("install Node.js {OLDEST_NODE} or later with npm (https://nodejs.org, or your system's packages)");
    let mut node = Command::new("node");
    node.arg("--version");
    let Ok(said) = process::read(node, Duration::from_mins(1)) else { bail!("Node.js is missing: {hint}") };
    let said = version::first_number(&said.replace('v', "")).unwrap_or_default();
    let major = said.split('.').next().and_then(|major| major.parse::<u32>().ok()).unwrap_or(0);
    ensure!(major >= OLDEST_NODE, "Node.js {said} is too old: {hint}");
    ensure!(is_on_path("npm"), "npm is missing: {hint}");
    Ok(())
}

fn npm() -> Command {
    let mut npm = Command::new("npm");
    npm.args(["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]);
    npm
}

fn mark() -> PathBuf {
    workspace::e2e().join("node_modules/.installed-from")
}

fn lock_fingerprint() -> Result<String> {
    let lock = "package-lock.json";
    ensure!(workspace::e2e().join(lock).is_file(), "e2e/{lock} is missing");
    fingerprint::of(&workspace::e2e(), &[lock], &[])
}
