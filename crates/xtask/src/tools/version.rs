//! Which versions of a program fit.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;

use super::TRUNK;
use crate::{process, workspace};

/// The oldest wasm-opt that knows what today's compilers write.
const OLDEST_WASM_OPT: u32 = 123;
/// The oldest mongod and redis-server that have what the store and the bus use (sharded channels came with Redis 7).
const OLDEST_MONGOD: u32 = 6;
const OLDEST_REDIS: u32 = 7;
/// How long a program may think about its own version; wasm-opt is a large script for Node.
const LIMIT: Duration = Duration::from_secs(30);

/// Whether the program at `path`, whose name is `name`, says a version that fits. A program that fails does not.
pub fn fits(path: &Path, name: &str) -> Result<bool> {
    let Some(version) = said_by(path) else { return Ok(false) };
    Ok(match name {
        "trunk" => is_compatible(&version, TRUNK),
        "wasm-bindgen" | "wasm-bindgen-test-runner" => version == workspace::locked_version("wasm-bindgen")?,
        "wasm-opt" => version.parse().is_ok_and(|version: u32| version >= OLDEST_WASM_OPT),
        "mongod" => major(&version) >= OLDEST_MONGOD,
        "redis-server" => major(&version) >= OLDEST_REDIS,
        _ => true,
    })
}

/// What the program said; a good answer is asked for once only.
fn said_by(path: &Path) -> Option<String> {
    static KNOWN: LazyLock<Mutex<HashMap<PathBuf, String>>> = LazyLock::new(Mutex::default);
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(version) = known().get(path) {
        return Some(version.clone());
    }
    let mut command = Command::new(path);
    command.arg("--version");
    let version = first_number(&process::read(command, LIMIT).ok()?)?;
    known().insert(path.to_owned(), version.clone());
    Some(version)
}

/// The first word that is a number: `0.21.14` of `trunk 0.21.14`, `132` of `wasm-opt version 132 (version_132)`, `6.0.5` of
/// `db version v6.0.5`, `7.0.15` of `Redis server v=7.0.15`.
pub fn first_number(said: &str) -> Option<String> {
    said.split_whitespace().find_map(|word| {
        let number = word.strip_prefix('v').unwrap_or(word);
        let number = number.strip_prefix('=').unwrap_or(number);
        number.starts_with(|c: char| c.is_ascii_digit()).then(|| number.to_owned())
    })
}

fn major(version: &str) -> u32 {
    version.split('.').next().and_then(|major| major.parse().ok()).unwrap_or(0)
}

/// Whether `version` is `wanted` or a later fix of it.
fn is_compatible(version: &str, wanted: &str) -> bool {
    let (line, fix) = wanted.rsplit_once('.').unwrap_or((wanted, "0"));
    let fix_of = |fix: &str| fix.parse::<u32>().ok();
    version.rsplit_once('.').is_some_and(|(l, f)| l == line && fix_of(f) >= fix_of(fix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_found_in_what_each_program_says() {
        for (said, version) in [
            ("trunk 0.21.14\n", "0.21.14"),
            ("wasm-bindgen-test-runner 0.2.130", "0.2.130"),
            ("wasm-opt version 132 (version_132)\n", "132"),
            ("rustc 1.95.0 (59807616e 2026-04-14)", "1.95.0"),
            ("db version v6.0.5\nBuild Info: {\n    \"openSSLVersion\": \"OpenSSL 3.0.19 27 Jan 2026\"", "6.0.5"),
            ("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=ae4d", "7.0.15"),
        ] {
            assert_eq!(first_number(said).as_deref(), Some(version));
        }
        assert_eq!(first_number("error: no such thing"), None);
    }

    #[test]
    fn the_major_number_decides_for_servers() {
        assert_eq!((major("6.0.5"), major("10"), major("unknown")), (6, 10, 0));
    }

    #[test]
    fn a_later_fix_fits_and_another_line_does_not() {
        assert!(is_compatible("0.21.14", "0.21.14"));
        assert!(is_compatible("0.21.20", "0.21.14"));
        for version in ["0.21.13", "0.22.0", "1.21.14", "0.21.14-rc.1", "unknown"] {
            assert!(!is_compatible(version, "0.21.14"), "{version}");
        }
    }
}
