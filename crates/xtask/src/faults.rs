//! `cargo xtask faults`: builds the server as it is shipped, the server with planted bugs, and the harness, and runs it.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::process::{self, Output, Running};
use crate::progress::say;
use crate::workspace;

/// Returns with the exit status of the harness.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    let mut harness = workspace::cargo();
    harness.args(["build", "--quiet", "--package", "natter-faults"]);
    say("building the server, the server with planted bugs, and the harness");
    process::shown(harness)?;
    let planted = server("natter-planted", &["--features", "planted-bugs"])?;
    // Built last, so that what lies in the target folder afterwards is what is shipped.
    let natter = server("natter", &[])?;
    let mut faults = std::process::Command::new(workspace::target()?.join("debug/natter-faults"));
    faults.current_dir(workspace::root());
    faults.arg("--binary").arg(natter).arg("--planted-binary").arg(planted);
    faults.args(arguments.iter().skip_while(|argument| *argument == "--"));
    let status = Running::start(faults, Output::Shown)?.wait();
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

/// Builds the server and copies it to where no later build replaces it.
fn server(name: &str, features: &[&str]) -> Result<PathBuf> {
    let mut build = workspace::cargo();
    build.args(["build", "--quiet", "--package", "natter-api", "--bin", "natter"]).args(features);
    process::shown(build)?;
    let folder = workspace::target()?.join("faults");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let copy = folder.join(name);
    fs::copy(workspace::target()?.join("debug/natter"), &copy).context("the server cannot be copied")?;
    Ok(copy)
}
