//! A Chromium that Playwright can drive: Playwright's own, or one that the system has. It counts as found once it has
//! started, for a browser without its libraries is there and useless.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Result, bail};

use super::{apt, is_on_path, is_root, node, step};
use crate::progress::say;
use crate::{process, workspace};

/// Playwright's download has some 150 MB, and prints its progress.
const DOWNLOAD: Duration = Duration::from_mins(10);
const DOWNLOAD_SILENCE: Duration = Duration::from_secs(45);
/// How long a browser may take to start.
const START: Duration = Duration::from_secs(40);

const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

const LAUNCH: &str = "const { chromium } = require('@playwright/test'); \
    chromium.launch({ executablePath: process.argv[1] || undefined, chromiumSandbox: false, timeout: 30000 }) \
    .then((browser) => browser.close()).catch((e) => { console.error(e.message); process.exit(1); });";

/// Which browser there is.
#[derive(Clone, Debug)]
pub enum Chromium {
    /// The one that Playwright finds by itself.
    Playwrights,
    At(PathBuf),
}

impl Chromium {
    /// What Playwright must be told.
    pub fn into_path(self) -> Option<PathBuf> {
        match self {
            Chromium::Playwrights => None,
            Chromium::At(path) => Some(path),
        }
    }
}

/// The browser of `CHROMIUM_PATH`, else Playwright's own, else one on PATH. `None` if none of them starts.
pub fn find() -> Option<Chromium> {
    // Starting a browser takes a second: one that was found stays found.
    static FOUND: OnceLock<Chromium> = OnceLock::new();
    if FOUND.get().is_none() {
        let _ = FOUND.set(look()?);
    }
    FOUND.get().cloned()
}

fn look() -> Option<Chromium> {
    if let Some(path) = std::env::var_os("CHROMIUM_PATH").filter(|path| !path.is_empty()).map(PathBuf::from) {
        return starts(Some(&path)).is_ok().then_some(Chromium::At(path));
    }
    if starts(None).is_ok() {
        return Some(Chromium::Playwrights);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut on_path = std::env::split_paths(&path).flat_map(|folder| NAMES.map(|name| folder.join(name)));
    on_path.find(|path| path.is_file() && starts(Some(path)).is_ok()).map(Chromium::At)
}

/// Installs Playwright's Chromium, or where its download fails the one of Debian's packages.
pub fn install(label: &str) -> Result<()> {
    node::needs_node()?;
    // Without Playwright nothing could be started; now that it is installed, a browser of the system may turn out to fit.
    if find().is_some() {
        return Ok(());
    }
    say(&format!("{label}: downloading Playwright's"));
    let mut download = Command::new(playwright());
    download.args(["install", "chromium"]).current_dir(workspace::e2e());
    match step::run(label, download, DOWNLOAD, DOWNLOAD_SILENCE) {
        Ok(()) => match starts(None) {
            Ok(()) => return Ok(()),
            Err(failure) if is_root() => {
                say(&format!("{label}: it does not start yet ({failure}); installing the libraries it needs"));
                let mut libraries = Command::new(playwright());
                libraries.args(["install-deps", "chromium"]).current_dir(workspace::e2e());
                step::run(label, libraries, apt::LIMIT, apt::SILENCE)?;
                return starts(None);
            }
            Err(failure) => bail!(
                "{failure}\nPlaywright's Chromium needs libraries of the system. Type:\n  sudo {} install-deps chromium",
                playwright().display()
            ),
        },
        Err(failure) => say(&format!("{label}: Playwright's download failed ({})", step::reason(&failure))),
    }
    if !is_on_path("apt-get") {
        bail!(
            "install Chromium or Chrome with your system's packages, and if it is not on PATH set CHROMIUM_PATH to it"
        );
    }
    if !is_root() {
        bail!("this needs root. Type:\n  sudo apt-get update && sudo apt-get install --yes chromium");
    }
    say(&format!("{label}: installing Debian's"));
    apt::install(label, &["chromium", "fonts-liberation"])?;
    match find() {
        Some(_) => Ok(()),
        None => bail!("Debian's chromium is installed and does not start; `chromium --version` may say why"),
    }
}

fn playwright() -> PathBuf {
    workspace::e2e().join("node_modules/.bin/playwright")
}

/// Starts the browser at `path`, or Playwright's own, and ends it.
fn starts(path: Option<&Path>) -> Result<()> {
    let mut node = Command::new("node");
    node.current_dir(workspace::e2e()).args(["-e", LAUNCH, "--"]);
    if let Some(path) = path {
        node.arg(path);
    }
    match process::read(node, START) {
        Ok(_) => Ok(()),
        Err(failure) => bail!("{}", failure.to_string().lines().take(3).collect::<Vec<_>>().join(" ")),
    }
}
