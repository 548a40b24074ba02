//! `cargo xtask e2e`: Playwright's specs in a real browser against the release binary and page. The specs start the server.

use std::process::Command;

use anyhow::{Context, Result};

use crate::tools::{self, Part, chromium};
use crate::{page, process, workspace};

/// What the specs need to be installed, besides what the page's build needs.
pub const NEEDS: &[Part] = &[Part::E2ePackages, Part::Chromium];

/// Builds, then runs the specs with their output on the terminal.
pub fn run(arguments: &[String]) -> Result<()> {
    process::shown(command(arguments)?).context("the tests in the browser failed")
}

/// Builds, and returns the command that runs the specs.
pub fn command(arguments: &[String]) -> Result<Command> {
    tools::ensure(NEEDS)?;
    let built = page::build()?;
    let mut playwright = Command::new(workspace::e2e().join("node_modules/.bin/playwright"));
    playwright.current_dir(workspace::e2e()).arg("test").args(arguments);
    playwright.env("NATTER_BIN", built.binary).env("NATTER_WEB_DIR", built.page);
    if let Some(path) = chromium::find().and_then(chromium::Chromium::into_path) {
        playwright.env("CHROMIUM_PATH", path);
    }
    if tools::is_root() {
        // Chromium's sandbox refuses to work for root.
        playwright.env("NATTER_E2E_NO_SANDBOX", "1");
    }
    Ok(playwright)
}
