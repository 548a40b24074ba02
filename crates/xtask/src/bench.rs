//! `cargo xtask bench`: builds what is measured and what measures, installs the peer, finds mongod, and starts
//! `natter-bench`, which does the rest.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::progress::say;
use crate::tools::mongod;
use crate::{BenchArgs, fingerprint, page, process, workspace};

/// Measures with its output on the terminal.
pub fn run(args: &BenchArgs) -> Result<()> {
    let natter = page::build_binary("release")?;
    let mut bench = Command::new(build()?);
    bench.arg("run").arg("--natter").arg(natter).arg("--work").arg(workspace::target()?.join("bench"));
    bench.arg("--peer").arg(peer()?);
    match mongod::find()? {
        Some(mongod) => {
            bench.arg("--mongod").arg(mongod);
        }
        None => say("mongod is not on PATH and NATTER_TEST_MONGOD is not set: what needs it is left out"),
    }
    if args.quick {
        bench.arg("--quick");
    }
    if let Some(rounds) = args.rounds {
        bench.arg("--rounds").arg(rounds.to_string());
    }
    for workload in &args.only {
        bench.arg("--only").arg(workload);
    }
    if let Some(document) = &args.write {
        bench.arg("--write").arg(document);
    }
    process::shown(bench).context("the benchmarks failed")
}

fn build() -> Result<PathBuf> {
    let mut cargo = workspace::cargo();
    cargo.args(["build", "--package=natter-bench", "--release"]);
    process::shown(cargo).context("the benchmarks do not build")?;
    Ok(workspace::target()?.join("release/natter-bench"))
}

/// The folder of the peer, with exactly what its package-lock.json names.
fn peer() -> Result<PathBuf> {
    let folder = workspace::root().join("crates/bench/peer");
    let lock = fingerprint::of(&folder, &["package-lock.json"], &[])?;
    let mark = folder.join("node_modules/.installed-from");
    if fs::read_to_string(&mark).is_ok_and(|installed| installed == lock) {
        return Ok(folder);
    }
    say("peer: installing with npm ci");
    let mut npm = Command::new("npm");
    npm.args(["ci", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]).current_dir(&folder);
    process::shown(npm).context("the peer's packages cannot be installed; it needs Node.js 20.19 or later with npm")?;
    fs::write(&mark, lock).with_context(|| format!("cannot write {}", mark.display()))?;
    Ok(folder)
}
