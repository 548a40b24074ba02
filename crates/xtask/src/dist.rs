//! `cargo xtask dist`: what a release is made of, in one folder and one archive. The same
//! files give the same bytes: names are sorted, and times are the commit's.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use flate2::{Compression, GzBuilder};
use sha2::{Digest, Sha256};

use crate::progress::{Stopwatch, say};
use crate::{fingerprint, page, process, sbom, workspace};

/// What lies beside the program and the page, with its name there.
const BESIDE: &[(&str, &str)] = &[
    ("LICENSE", "LICENSE"),
    ("LICENSE-APACHE", "LICENSE-APACHE"),
    ("LICENSE-MIT", "LICENSE-MIT"),
    ("README.md", "README.md"),
    ("CHANGELOG.md", "CHANGELOG.md"),
    ("crates/api/config.default.toml", "config.default.toml"),
];
const VERSION: &str = env!("CARGO_PKG_VERSION");
const LIMIT: Duration = Duration::from_mins(1);

/// What is released, and when it was committed.
pub struct Commit {
    /// Short, with `+changes` behind it if files differ from it.
    pub name: String,
    /// Seconds since 1970.
    pub seconds: u64,
    /// The same as RFC 3339.
    pub time: String,
}

pub fn run() -> Result<()> {
    let since = Stopwatch::start();
    let commit = commit();
    if let Some(commit) = commit.as_ref().filter(|commit| commit.name.ends_with(CHANGES)) {
        say(&format!("what is packed differs from every commit: it says {}", commit.name));
    }
    let target = host()?;
    let built = page::build_of(commit.as_ref().map(|commit| commit.name.as_str()))?;
    // A build takes minutes, in which somebody may go on working here.
    let (before, after) = (commit.as_ref().map(|commit| &commit.name), self::commit().map(|commit| commit.name));
    ensure!(
        before == after.as_ref(),
        "the checkout changed while it was built; start again and leave it alone meanwhile"
    );
    let name = format!("natter-{VERSION}-{target}");
    let out = workspace::target()?.join("dist");
    let folder = out.join(&name);
    match fs::remove_dir_all(&folder) {
        Err(why) if why.kind() != std::io::ErrorKind::NotFound => {
            return Err(why).with_context(|| format!("cannot empty {}", folder.display()));
        }
        _ => {}
    }
    fill(&folder, &built)?;
    let parts = sbom::write(&folder.join("sbom.cdx.json"), &target, commit.as_ref())?;
    let archive = out.join(format!("{name}.tar.gz"));
    pack(&folder, &name, &archive, commit.as_ref().map_or(0, |commit| commit.seconds))?;
    let bytes = fs::read(&archive)?;
    let sum = sbom::hex(&Sha256::digest(&bytes));
    let line = format!("{sum}  {name}.tar.gz\n");
    fs::write(out.join(format!("{name}.tar.gz.sha256")), &line)?;
    say(&format!(
        "\n{}\n{} KiB, made of {parts} packages besides ours (sbom.cdx.json)\n{line}done after {}",
        archive.display(),
        bytes.len().div_ceil(1024),
        since.words()
    ));
    Ok(())
}

const CHANGES: &str = "+changes";

/// `None` where the sources are no git checkout.
fn commit() -> Option<Commit> {
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.current_dir(workspace::root()).args(arguments);
        process::read(git, LIMIT).ok().map(|said| said.trim().to_owned())
    };
    let said = git(&["log", "-1", "--abbrev=12", "--format=%h %ct %cI"])?;
    let mut words = said.split(' ');
    let (name, seconds, time) = (words.next()?, words.next()?.parse().ok()?, words.next()?.to_owned());
    let is_clean = git(&["status", "--porcelain"]).is_some_and(|changed| changed.is_empty());
    Some(Commit { name: format!("{name}{}", if is_clean { "" } else { CHANGES }), seconds, time })
}

/// The target that cargo builds for by itself.
fn host() -> Result<String> {
    let mut rustc = Command::new("rustc");
    rustc.current_dir(workspace::root()).arg("-vV");
    let said = process::read(rustc, LIMIT)?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc does not say for what it builds")
}

fn fill(folder: &Path, built: &page::Built) -> Result<()> {
    let copy = |from: &Path, to: PathBuf| {
        let copied = to.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::copy(from, &to));
        copied.with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))
    };
    copy(&built.binary, folder.join("natter"))?;
    built.copy_page(&folder.join("dist"))?;
    for (from, name) in BESIDE {
        copy(&workspace::root().join(from), folder.join(name))?;
    }
    Ok(())
}

/// Packs `folder` under `name`. Owners, modes and times are no one's but the archive's.
fn pack(folder: &Path, name: &str, archive: &Path, seconds: u64) -> Result<()> {
    let packed = || -> Result<()> {
        let gzip = GzBuilder::new().mtime(0).write(BufWriter::new(File::create(archive)?), Compression::best());
        let mut tar = tar::Builder::new(gzip);
        for file in fingerprint::files(folder)? {
            let within = file.strip_prefix(folder)?;
            let bytes = fs::read(&file)?;
            let mut header = tar::Header::new_ustar();
            header.set_size(bytes.len() as u64);
            header.set_mode(if within == Path::new("natter") { 0o755 } else { 0o644 });
            header.set_mtime(seconds);
            header.set_uid(0);
            header.set_gid(0);
            tar.append_data(&mut header, Path::new(name).join(within), bytes.as_slice())?;
        }
        tar.into_inner()?.finish()?.flush()?;
        Ok(())
    };
    packed().with_context(|| format!("cannot write {}", archive.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    #[test]
    fn the_same_files_are_the_same_archive_whenever_they_were_written() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for (at, folder) in [&one, &two].into_iter().enumerate() {
            fs::create_dir(folder.path().join("in")).unwrap();
            fs::create_dir(folder.path().join("in/dist")).unwrap();
            let mut names = ["in/natter", "in/dist/index.html", "in/README.md"];
            if at == 1 {
                names.reverse();
            }
            for name in names {
                let file = File::create(folder.path().join(name)).unwrap();
                (&file).write_all(name.as_bytes()).unwrap();
                file.set_modified(std::time::UNIX_EPOCH + Duration::from_secs(at as u64 * 1000)).unwrap();
            }
            pack(&folder.path().join("in"), "natter-1", &folder.path().join("a.tar.gz"), 7).unwrap();
        }
        let bytes = |folder: &tempfile::TempDir| fs::read(folder.path().join("a.tar.gz")).unwrap();
        assert_eq!(bytes(&one), bytes(&two));
        let packed = bytes(&one);
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(packed.as_slice()));
        let mut held = Vec::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            let header = entry.header();
            assert_eq!((header.mtime().unwrap(), header.uid().unwrap()), (7, 0));
            held.push((entry.path().unwrap().display().to_string(), header.mode().unwrap(), text));
        }
        let expected = [("README.md", 0o644), ("dist/index.html", 0o644), ("natter", 0o755)];
        assert_eq!(held, expected.map(|(name, mode)| (format!("natter-1/{name}"), mode, format!("in/{name}"))));
    }

    #[test]
    fn what_lies_beside_the_program_is_there() {
        for (file, _) in BESIDE {
            assert!(workspace::root().join(file).is_file(), "{file}");
        }
        assert!(host().unwrap().contains('-'));
    }
}
