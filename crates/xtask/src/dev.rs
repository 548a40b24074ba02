//! `cargo xtask dev`: the API in its debug profile and Trunk's live reload in front of it; the API is built and started
//! again when its sources change. One Ctrl-C ends both.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use anyhow::{Result, bail};

use crate::process::{Event, Output, Running};
use crate::progress::say;
use crate::tools::{self, Part};
use crate::{DevArgs, fingerprint, page, ready, serve, workspace};

/// Where Trunk.toml sends /api.
const API_PORT: u16 = 8090;
/// How often the sources are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// What the API is made from.
const SOURCES: &[&str] = &["crates/api", "crates/shared", "Cargo.toml", "Cargo.lock"];

/// Runs until Ctrl-C, or until Trunk ends.
pub fn run(args: &DevArgs) -> Result<()> {
    ready::port_is_free(API_PORT, "; the API of `cargo xtask dev` needs it, for Trunk.toml sends /api there")?;
    ready::port_is_free(args.port, ", or choose another with `cargo xtask dev --port 8082`")?;
    tools::ensure(&[Part::WasmTarget, Part::Trunk, Part::WasmBindgen])?;
    page::fetch_crates()?;

    let mut seen = changes()?;
    let binary = page::build_binary("dev")?;
    let mut api = Some(start_api(&binary, args)?);
    let mut trunk = start_trunk(args)?;
    say(&format!("\nWhen Trunk has built it, the page is at http://127.0.0.1:{}\nStop with Ctrl-C.\n", args.port));

    loop {
        if let Some(Event::Ended(status)) = trunk.next(LOOK_EVERY) {
            bail!("Trunk ended ({status})");
        }
        if let Some(Event::Ended(status)) = api.as_mut().and_then(|api| api.next(Duration::ZERO)) {
            say(&format!("the API ended ({status}); it starts again when its sources change"));
            api = None;
        }
        let now = changes()?;
        if now != seen {
            seen = now;
            say("the API's sources have changed");
            match page::build_binary("dev") {
                Ok(binary) => {
                    drop(api.take());
                    api = start_api(&binary, args).inspect_err(|failure| say(&format!("error: {failure:#}"))).ok();
                }
                Err(failure) => say(&format!("error: {failure:#}; the API from before keeps running")),
            }
        }
    }
}

fn start_api(binary: &Path, args: &DevArgs) -> Result<Running> {
    // Browsers send Trunk's address as their Origin, so that is the public one.
    let mut natter = serve::server(binary, API_PORT, &format!("http://127.0.0.1:{}", args.port), &args.data)?;
    natter.env("NATTER_WEB_DIR", "");
    let mut api = Running::start(natter, Output::Shown)?;
    ready::until_ready(&mut api, API_PORT, |_| {})?;
    Ok(api)
}

fn start_trunk(args: &DevArgs) -> Result<Running> {
    let mut trunk = Command::new(tools::program("trunk")?);
    trunk.current_dir(workspace::root()).args(["serve", "--offline", "--port", &args.port.to_string(), "--dist"]);
    // Not dist/, which holds the release page.
    let dist = workspace::target()?.join("xtask/dev-dist");
    std::fs::create_dir_all(&dist)?;
    trunk.arg(dist).env("PATH", tools::search_path()?).env_remove("NO_COLOR");
    Running::start(trunk, Output::Shown)
}

/// When each source file was last written.
fn changes() -> Result<BTreeMap<PathBuf, SystemTime>> {
    let mut times = BTreeMap::new();
    for source in SOURCES {
        for file in fingerprint::files(&workspace::root().join(source))? {
            // A file that was removed between the listing and now is a change that the next look sees.
            if let Ok(time) = std::fs::metadata(&file).and_then(|metadata| metadata.modified()) {
                times.insert(file, time);
            }
        }
    }
    Ok(times)
}
