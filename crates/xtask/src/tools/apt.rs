//! Debian's packages: installed where this program is root, or downloaded and unpacked into a folder of the user's own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::{is_on_path, step};
use crate::process;
use crate::progress::say;

/// How long apt-get may take for all libraries that a browser needs, and how long it may be silent.
pub const LIMIT: Duration = Duration::from_mins(20);
pub const SILENCE: Duration = Duration::from_mins(5);

/// Installs `packages` for everybody. Needs root.
pub fn install(label: &str, packages: &[&str]) -> Result<()> {
    for (arguments, packages) in
        [(&["update"][..], &[][..]), (&["install", "--yes", "--no-install-recommends"], packages)]
    {
        let mut apt = Command::new("apt-get");
        apt.args(["-q", "-o", "DPkg::Lock::Timeout=120"]).args(arguments).args(packages);
        apt.env("DEBIAN_FRONTEND", "noninteractive");
        step::run(label, apt, LIMIT, SILENCE)?;
    }
    Ok(())
}

/// Unpacks `package`, and what it needs and the system has not, into `folder`/unpacked. Nothing is installed, so that
/// nothing is started and no root is needed. Returns the folder.
pub fn unpack(label: &str, package: &str, folder: &Path) -> Result<PathBuf> {
    for program in ["apt-get", "dpkg"] {
        ensure!(is_on_path(program), "{program} is not on PATH");
    }
    // Fresh machines have no package lists, and old lists name files that are gone: then this program gets its own.
    if let Err(failure) = download(label, package, folder, &[]) {
        say(&format!("{label}: not with the system's package lists ({}); fetching fresh ones", step::reason(&failure)));
        for part in ["lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(folder.join(part))?;
        }
        let own = [
            format!("Dir::State::Lists={}", folder.join("lists").display()),
            format!("Dir::Cache={}", folder.join("cache").display()),
        ];
        let mut update = apt(folder, &own);
        update.arg("update");
        step::run(label, update, LIMIT, SILENCE)?;
        download(label, package, folder, &own)?;
    }
    let unpacked = folder.join("unpacked");
    for archive in archives(folder)? {
        let mut dpkg = Command::new("dpkg");
        dpkg.arg("-x").arg(archive).arg(&unpacked);
        step::run(label, dpkg, LIMIT, SILENCE)?;
    }
    Ok(unpacked)
}

fn download(label: &str, package: &str, folder: &Path, options: &[String]) -> Result<()> {
    let mut plan = apt(folder, options);
    plan.args(["--simulate", "--no-install-recommends", "install", package]).env("LC_ALL", "C");
    let packages = to_install(&process::read(plan, LIMIT)?);
    ensure!(!packages.is_empty(), "the system has {package} installed already, and it does not fit");
    let mut get = apt(folder, options);
    get.arg("download").args(packages);
    step::run(label, get, LIMIT, SILENCE)
}

fn apt(folder: &Path, options: &[String]) -> Command {
    let mut apt = Command::new("apt-get");
    // As root apt-get would download as a user of its own, who cannot write here.
    apt.current_dir(folder).args(["-q", "-o", "APT::Sandbox::User=root"]);
    for option in options {
        apt.args(["-o", option]);
    }
    apt
}

/// The packages that `apt-get --simulate install` would install.
fn to_install(said: &str) -> Vec<String> {
    let names = said.lines().filter_map(|line| line.strip_prefix("Inst ")?.split(' ').next());
    names.map(str::to_owned).collect()
}

fn archives(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let paths = entries.flatten().map(|entry| entry.path());
    let archives: Vec<_> = paths.filter(|path| path.extension().is_some_and(|e| e == "deb")).collect();
    ensure!(!archives.is_empty(), "apt-get downloaded no package");
    Ok(archives)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_simulation_names_what_is_missing() {
        let said = "Reading package lists...\nThe following NEW packages will be installed:\n  liblzf1 redis-server\n\
                    Inst liblzf1 (3.6-3 Debian:12.15/oldstable [amd64])\n\
                    Inst redis-server (5:7.0.15-1~deb12u10 Debian-Security:12/oldstable-security [amd64])\n\
                    Conf liblzf1 (3.6-3 Debian:12.15/oldstable [amd64])\n";
        assert_eq!(to_install(said), ["liblzf1", "redis-server"]);
        assert!(to_install("redis-server is already the newest version").is_empty());
    }
}
