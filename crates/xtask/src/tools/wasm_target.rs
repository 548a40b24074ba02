//! Rust's standard library for wasm32-unknown-unknown: from rustup, or built from Debian's package of its sources where
//! rustup's server cannot be reached.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::{is_on_path, step, version};
use crate::progress::say;
use crate::{process, workspace};

const TARGET: &str = "wasm32-unknown-unknown";
/// rustup's part has 20 MB; a server that does not answer must not cost more than this.
const RUSTUP: Duration = Duration::from_secs(90);
/// The package lists have 10 MB and the sources 45 MB.
const PACKAGES: Duration = Duration::from_mins(10);
const PACKAGES_SILENCE: Duration = Duration::from_mins(3);
/// Under a minute on two cores.
const BUILD: Duration = Duration::from_mins(20);
/// The suite that has the sources of compilers newer than Debian's own.
const SUITE: &str = "trixie-backports";
const DEBIAN_SOURCES: &str = "/etc/apt/sources.list.d/debian.sources";

/// Whether the compiler in use can build for the target.
pub fn is_there() -> Result<bool> {
    let library = installed(&sysroot()?);
    let Ok(entries) = fs::read_dir(library) else { return Ok(false) };
    Ok(entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-")))
}

/// Installs it for the compiler in use. Needs the right to write into the compiler's folder.
pub fn install(label: &str) -> Result<()> {
    let sysroot = sysroot()?;
    ensure_writable(&sysroot)?;
    if is_on_path("rustup") {
        say(&format!("{label}: asking rustup"));
        let mut rustup = Command::new("rustup");
        rustup.args(["target", "add", TARGET]).current_dir(workspace::root()).env("RUSTUP_MAX_RETRIES", "1");
        match step::run(label, rustup, RUSTUP, RUSTUP) {
            Ok(()) if is_there()? => return Ok(()),
            Ok(()) => say(&format!("{label}: rustup added it to another toolchain than cargo uses")),
            Err(failure) => say(&format!("{label}: rustup cannot ({})", step::reason(&failure))),
        }
    }
    let scratch = workspace::tools()?.join("wasm-target");
    let _ = fs::remove_dir_all(&scratch);
    fs::create_dir_all(&scratch).with_context(|| format!("cannot make {}", scratch.display()))?;
    let done = build(label, &sysroot, &scratch);
    let _ = fs::remove_dir_all(&scratch);
    done
}

fn build(label: &str, sysroot: &Path, scratch: &Path) -> Result<()> {
    let sources = sysroot.join("lib/rustlib/src/rust/library");
    if !sources.join("std/Cargo.toml").is_file() {
        say(&format!("{label}: downloading the sources of the standard library from Debian's {SUITE} (45 MB)"));
        fetch_sources(label, scratch, &sources)?;
    }
    say(&format!("{label}: building the standard library, under a minute on 2 cores"));
    let tiny = scratch.join("tiny");
    fs::create_dir_all(tiny.join("src"))?;
    fs::write(tiny.join("src/lib.rs"), "")?;
    fs::write(
        tiny.join("Cargo.toml"),
        "[package]\nname = \"tiny\"\nedition = \"2024\"\n[lib]\ncrate-type = [\"cdylib\"]\n[workspace]\n",
    )?;
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--release", "-Zbuild-std=std,panic_abort,test", "--target", TARGET]).current_dir(&tiny);
    // The unstable flag of a stable compiler, and bitcode so that the page can be linked with fat LTO.
    cargo
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTFLAGS", "-Cembed-bitcode=yes")
        .env("CARGO_TARGET_DIR", scratch.join("target"));
    step::run(label, cargo, BUILD, BUILD)?;

    let built = scratch.join("target").join(TARGET).join("release/deps");
    let library = installed(sysroot);
    let partial = library.with_file_name("lib.partial");
    let _ = fs::remove_dir_all(&partial);
    fs::create_dir_all(&partial)?;
    for entry in fs::read_dir(&built).with_context(|| format!("cannot read {}", built.display()))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("lib")
            && !name.starts_with("libtiny")
            && entry.path().extension().is_some_and(|e| e == "rlib")
        {
            fs::copy(entry.path(), partial.join(&name))?;
        }
    }
    // At once, so that an interrupted copy does not look like a library.
    let _ = fs::remove_dir_all(&library);
    fs::rename(&partial, &library)?;
    ensure!(is_there()?, "the build left no standard library in {}", built.display());
    Ok(())
}

/// Downloads Debian's rust-src of the compiler's version, without touching the system's package lists.
fn fetch_sources(label: &str, scratch: &Path, sources: &Path) -> Result<()> {
    let rustc = compiler_version()?;
    for program in ["apt-get", "dpkg"] {
        ensure!(
            is_on_path(program),
            "{program} is not on PATH: only rustup can install the target here, and it failed"
        );
    }
    let stanzas = fs::read_to_string(DEBIAN_SOURCES).with_context(|| format!("cannot read {DEBIAN_SOURCES}"))?;
    let list = scratch.join("backports.sources");
    fs::write(&list, backports(&stanzas).with_context(|| format!("{DEBIAN_SOURCES} names no suite"))?)?;
    for folder in ["lists/partial", "cache/archives/partial"] {
        fs::create_dir_all(scratch.join(folder))?;
    }
    for arguments in [["update", "-q"], ["download", &format!("rust-src={rustc}*")]] {
        let mut apt = Command::new("apt-get");
        apt.current_dir(scratch).args(arguments);
        // As root apt-get would download as a user of its own, who cannot write here.
        for option in [
            format!("Dir::Etc::SourceList={}", list.display()),
            "Dir::Etc::SourceParts=-".to_owned(),
            format!("Dir::State::Lists={}", scratch.join("lists").display()),
            format!("Dir::Cache={}", scratch.join("cache").display()),
            "APT::Sandbox::User=root".to_owned(),
        ] {
            apt.args(["-o", &option]);
        }
        step::run(label, apt, PACKAGES, PACKAGES_SILENCE)?;
    }
    let package = fs::read_dir(scratch)?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|e| e == "deb"));
    let package = package.context("apt-get downloaded no package")?;
    let mut dpkg = Command::new("dpkg");
    dpkg.arg("-x").arg(package).arg(scratch.join("unpacked"));
    step::run(label, dpkg, PACKAGES, PACKAGES)?;

    let parent = sources.parent().context("a folder without a parent")?;
    fs::create_dir_all(parent)?;
    let _ = fs::remove_dir_all(sources);
    let mut copy = Command::new("cp");
    copy.arg("-R").arg(scratch.join(format!("unpacked/usr/src/rustc-{rustc}/library"))).arg(parent);
    step::run(label, copy, PACKAGES, PACKAGES)
}

/// The first stanza of the machine's own sources, for another suite.
fn backports(stanzas: &str) -> Option<String> {
    let stanza: Vec<&str> =
        stanzas.lines().skip_while(|line| line.trim().is_empty()).take_while(|line| !line.trim().is_empty()).collect();
    let suites = stanza.iter().position(|line| line.starts_with("Suites:"))?;
    let lines = stanza
        .iter()
        .enumerate()
        .map(|(at, line)| if at == suites { format!("Suites: {SUITE}") } else { (*line).to_owned() });
    Some(lines.collect::<Vec<_>>().join("\n") + "\n")
}

fn ensure_writable(sysroot: &Path) -> Result<()> {
    let probe = sysroot.join("lib/rustlib/.natter-write-probe");
    if File::create(&probe).is_ok() {
        let _ = fs::remove_file(&probe);
        return Ok(());
    }
    let program = std::env::current_exe()?;
    let kept = ["PATH", "RUSTUP_HOME", "CARGO_HOME", "RUSTUP_TOOLCHAIN"].iter().filter_map(|name| {
        let value = std::env::var(name).ok()?;
        Some(format!("'{name}={value}' "))
    });
    bail!(
        "{} belongs to another user. Type:\n  sudo env {}{} setup wasm-target",
        sysroot.display(),
        kept.collect::<String>(),
        program.display()
    )
}

fn installed(sysroot: &Path) -> PathBuf {
    sysroot.join("lib/rustlib").join(TARGET).join("lib")
}

fn sysroot() -> Result<PathBuf> {
    let said = rustc(&["--print", "sysroot"])?;
    Ok(PathBuf::from(said.trim_end()))
}

fn compiler_version() -> Result<String> {
    version::first_number(&rustc(&["--version"])?).context("rustc --version names no version")
}

fn rustc(arguments: &[&str]) -> Result<String> {
    let mut rustc = Command::new("rustc");
    rustc.current_dir(workspace::root()).args(arguments);
    process::read(rustc, Duration::from_mins(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_stanza_is_kept_but_for_its_suite() {
        let machine = "\nTypes: deb\nURIs: http://packages.invalid/debian\nSuites: bookworm bookworm-updates\nComponents: main\nSigned-By: /key.gpg\n\nTypes: deb\nSuites: bookworm-security\n";
        let wanted = "Types: deb\nURIs: http://packages.invalid/debian\nSuites: trixie-backports\nComponents: main\nSigned-By: /key.gpg\n";
        assert_eq!(backports(machine).as_deref(), Some(wanted));
        assert_eq!(backports("Types: deb\n"), None);
    }
}
