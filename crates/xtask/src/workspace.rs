//! Where things lie: the checkout, cargo's target folder, the folder of the tools, and the versions Cargo.lock names.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::process;

/// The folder of the root Cargo.toml.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().and_then(Path::parent).unwrap_or(Path::new("."))
}

/// The built page, ready to be served.
pub fn dist() -> PathBuf {
    root().join("dist")
}

/// The Playwright specs.
pub fn e2e() -> PathBuf {
    root().join("e2e")
}

/// Cargo's target folder, wherever the environment or a configuration puts it.
pub fn target() -> Result<&'static Path> {
    static TARGET: OnceLock<PathBuf> = OnceLock::new();
    if let Some(known) = TARGET.get() {
        return Ok(known);
    }
    let mut metadata = cargo();
    metadata.args(["metadata", "--no-deps", "--format-version=1", "--offline"]);
    let json = process::read(metadata, Duration::from_mins(1)).context("cargo cannot read the workspace")?;
    let folder = target_directory(&json).context("cargo metadata names no target folder")?;
    Ok(TARGET.get_or_init(|| PathBuf::from(folder)))
}

/// Where `tools` installs: `NATTER_TOOLS_DIR`, or natter/tools in the user's cache folder.
pub fn tools() -> Result<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(folder) = set("NATTER_TOOLS_DIR") {
        return std::path::absolute(&folder).with_context(|| format!("NATTER_TOOLS_DIR: {}", folder.display()));
    }
    let cache = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
    let Some(cache) = cache else { bail!("neither NATTER_TOOLS_DIR, XDG_CACHE_HOME nor HOME says where tools may go") };
    Ok(cache.join("natter/tools"))
}

/// A cargo command in the checkout.
pub fn cargo() -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(root());
    command
}

/// The version of `package` in Cargo.lock. An error if it is not in there.
pub fn locked_version(package: &str) -> Result<String> {
    let path = root().join("Cargo.lock");
    let lock = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    version_in(&lock, package).with_context(|| format!("Cargo.lock has no package {package}"))
}

fn version_in(lock: &str, package: &str) -> Option<String> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name);
    let version = lines.nth(1)?.strip_prefix("version = \"")?.strip_suffix('"')?;
    Some(version.to_owned())
}

fn target_directory(json: &str) -> Option<String> {
    let (_, rest) = json.split_once("\"target_directory\":\"")?;
    let (folder, _) = rest.split_once('"')?;
    Some(folder.replace("\\\\", "\\"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_from_the_lock_file_by_the_whole_name() {
        let lock = "[[package]]\nname = \"wasm-bindgen-macro\"\nversion = \"1.0.0\"\n\n[[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\n";
        assert_eq!(version_in(lock, "wasm-bindgen").as_deref(), Some("0.2.130"));
        assert_eq!(version_in(lock, "wasm"), None);
    }

    #[test]
    fn the_lock_file_of_this_workspace_names_wasm_bindgen() {
        assert!(locked_version("wasm-bindgen").unwrap().starts_with("0.2."));
    }

    #[test]
    fn the_target_folder_is_read_from_cargo_metadata() {
        let json = r#"{"packages":[],"target_directory":"/tmp/a folder/target","version":1}"#;
        assert_eq!(target_directory(json).as_deref(), Some("/tmp/a folder/target"));
    }
}
