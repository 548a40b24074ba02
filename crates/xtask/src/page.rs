//! The two things that are shipped: the page in dist/, with brotli and gzip beside each file, and the release binary.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::progress::{Stopwatch, say};
use crate::tools::{self, Part};
use crate::{budget, compress, fingerprint, parts, process, styles, worker, workspace};

/// What the page is made from; nothing else makes it be built again.
const INPUTS: &[&str] =
    &["crates/web", "crates/shared", "crates/split", ".cargo/config.toml", "Trunk.toml", "Cargo.toml", "Cargo.lock"];
/// Trunk empties the folder before it fills it, so the mark is gone after a build that was not ours.
const MARK: &str = ".fingerprint";
/// How long the registry may take to hand out all crates.
const FETCH: Duration = Duration::from_mins(20);

/// What the page's build needs to be installed.
pub const NEEDS: &[Part] = &[Part::WasmTarget, Part::Trunk, Part::WasmBindgen, Part::WasmOpt];

/// Where the two are.
pub struct Built {
    pub binary: PathBuf,
    pub page: PathBuf,
}

impl Built {
    /// Copies the page, without the mark of the build: hidden files are left out.
    pub fn copy_page(&self, to: &Path) -> Result<()> {
        for file in fingerprint::files(&self.page)? {
            let target = to.join(file.strip_prefix(&self.page)?);
            let copied = target.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::copy(&file, &target));
            copied.with_context(|| format!("cannot copy {} to {}", file.display(), target.display()))?;
        }
        Ok(())
    }
}

/// Builds the page alone, also if it is up to date: that is how one learns what it weighs.
pub fn build_alone() -> Result<()> {
    tools::ensure(NEEDS)?;
    fetch_crates()?;
    build_page(&fingerprint()?)
}

/// Builds whichever of the two is not up to date, both at a time: the end of each build keeps one core idle.
pub fn build() -> Result<Built> {
    build_of(None)
}

/// The same, with the name of a commit that the binary shall say with its version.
pub fn build_of(commit: Option<&str>) -> Result<Built> {
    let fingerprint = fingerprint()?;
    let fresh = is_fresh(&fingerprint);
    if fresh {
        say("page: up to date");
    } else {
        ensure!(workspace::root().join("crates/web/index.html").is_file(), "crates/web/index.html is missing");
        tools::ensure(NEEDS)?;
        fetch_crates()?;
    }
    let binary = thread::scope(|scope| {
        let page = scope.spawn(|| if fresh { Ok(()) } else { build_page(&fingerprint) });
        let binary = build_binary_of("release", commit);
        let page = page.join().unwrap_or_else(|_| anyhow::bail!("the page's build panicked"));
        page.and(binary)
    })?;
    Ok(Built { binary, page: workspace::dist() })
}

/// Builds `natter` with the cargo profile `release` or `dev`. Returns where it is.
pub fn build_binary(profile: &str) -> Result<PathBuf> {
    build_binary_of(profile, None)
}

fn build_binary_of(profile: &str, commit: Option<&str>) -> Result<PathBuf> {
    let since = Stopwatch::start();
    let mut cargo = workspace::cargo();
    cargo.args(["build", "--package=natter-api", "--bin=natter", "--profile", profile]);
    if let Some(commit) = commit {
        cargo.env("NATTER_BUILD_COMMIT", commit);
    }
    process::shown(cargo).context("the server does not build")?;
    say(&format!("server: built in {}", since.words()));
    let folder = if profile == "dev" { "debug" } else { profile };
    Ok(workspace::target()?.join(folder).join("natter"))
}

/// Downloads every crate of Cargo.lock, so that builds after it need no network.
pub fn fetch_crates() -> Result<()> {
    let mut offline = workspace::cargo();
    offline.args(["fetch", "--quiet", "--offline"]);
    if process::read(offline, FETCH).is_ok() {
        return Ok(());
    }
    say("crates: downloading those in Cargo.lock");
    let mut fetch = workspace::cargo();
    fetch.arg("fetch");
    let status = process::follow(fetch, FETCH, FETCH, |event| {
        if let process::Event::Err(line) = event {
            say(&line);
        }
    })?;
    process::succeed(status, "cargo fetch")
}

fn build_page(fingerprint: &str) -> Result<()> {
    let since = Stopwatch::start();
    say("page: building with Trunk (release); the first time takes some minutes");
    let mut trunk = Command::new(tools::program("trunk")?);
    trunk.current_dir(workspace::root()).args(["build", "--cargo-profile", parts::PROFILE]);
    trunk.args(["--features", parts::FEATURE]);
    // For a release Trunk uses wasm-opt, which it downloads if there is none. Ours comes later, after the page is cut; where
    // there is none of ours, Trunk shall leave us its own.
    trunk.arg(if tools::program("wasm-opt").is_ok() { "--offline" } else { "--release" });
    trunk.env("PATH", tools::search_path()?).env_remove("NO_COLOR");
    process::shown(trunk).context("the page does not build")?;
    let dist = workspace::dist();
    styles::join(&dist)?;
    parts::cut(&dist)?;
    worker::fill(&dist)?;
    let sizes = compress::folder(&dist)?;
    for (file, brotli) in &sizes.files {
        say(&format!("  {brotli:>7} bytes  {file}"));
    }
    let first = budget::check(&dist, &sizes)?;
    fs::write(dist.join(MARK), fingerprint).with_context(|| format!("cannot write into {}", dist.display()))?;
    let kib = |bytes: u64| bytes.div_ceil(1024);
    say(&format!(
        "page: built in {}; {} KiB, {} KiB as gzip; {} of {} bytes as brotli in {} of {} files on a first visit, {} bytes later",
        since.words(),
        kib(sizes.plain),
        kib(sizes.gzip),
        first.brotli,
        budget::FIRST_LOAD_BYTES_MAX,
        first.files,
        budget::FIRST_LOAD_MAX,
        sizes.brotli - first.brotli
    ));
    Ok(())
}

fn fingerprint() -> Result<String> {
    let mut rustc = Command::new("rustc");
    rustc.current_dir(workspace::root()).arg("--version");
    let compiler = process::read(rustc, Duration::from_mins(1))?;
    fingerprint::of(workspace::root(), INPUTS, &[compiler, tools::TRUNK.to_owned(), tools::BINARYEN.to_owned()])
}

fn is_fresh(fingerprint: &str) -> bool {
    let dist = workspace::dist();
    fs::read_to_string(dist.join(MARK)).is_ok_and(|mark| mark == fingerprint) && dist.join("index.html.br").is_file()
}
