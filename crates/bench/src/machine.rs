//! The machine that is measured on: which core is whose, how many files may be open, what it is and what runs on it. The
//! wall clock is read here and nowhere else.

use std::fs::File;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::statfs::{TMPFS_MAGIC, statfs};
use nix::unistd::Pid;

use crate::RunArgs;

/// The core of the servers, stores included, and the core of the client. The same one where there is only one.
#[derive(Debug, Clone, Copy)]
pub struct Cores {
    pub server: usize,
    pub client: usize,
}

impl Cores {
    /// Takes the first two cores that this program may use, and stays on the client's.
    pub fn choose() -> Result<Self> {
        let allowed = sched_getaffinity(Pid::from_raw(0)).context("the cores of this machine are not known")?;
        let mut cores = (0..CpuSet::count()).filter(|core| allowed.is_set(*core).unwrap_or(false));
        let server = cores.next().context("this program may use no core")?;
        let cores = Self { server, client: cores.next().unwrap_or(server) };
        keep_to(cores.client)?;
        Ok(cores)
    }

    /// Does `start` on the servers' core: what it starts stays there.
    pub fn as_server<T>(self, start: impl FnOnce() -> Result<T>) -> Result<T> {
        keep_to(self.server)?;
        let started = start();
        keep_to(self.client)?;
        started
    }
}

/// Keeps the calling thread, and what it starts from here on, to one core.
pub fn keep_to(core: usize) -> Result<()> {
    let mut only = CpuSet::new();
    only.set(core).context("no such core")?;
    sched_setaffinity(Pid::from_raw(0), &only).with_context(|| format!("core {core} cannot be had"))
}

/// As many files as this program may open, which its servers inherit.
pub fn raise_file_limit() -> Result<u64> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).context("the limit of open files is not known")?;
    if soft < hard {
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard).context("the limit of open files cannot be raised")?;
    }
    Ok(hard)
}

/// An empty folder on a disk that keeps what was synced. It is this program's alone as long as the lock is held.
pub fn prepare_folder(folder: &Path) -> Result<File> {
    let parent = folder.parent().context("the work folder must be in another folder")?;
    std::fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
    let path = folder.with_extension("lock");
    let lock = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    ensure!(lock.try_lock().is_ok(), "another benchmark is using {}; wait for its end", folder.display());
    if folder.exists() {
        std::fs::remove_dir_all(folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let disk = statfs(folder).with_context(|| format!("cannot look at the disk of {}", folder.display()))?;
    if disk.filesystem_type() == TMPFS_MAGIC {
        bail!("{} is in memory, where a sync costs nothing: name a folder on a disk with --work", folder.display());
    }
    Ok(lock)
}

/// What was measured on, a sentence each.
pub fn describe(args: &RunArgs, cores: Cores) -> Vec<String> {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ").map(|(_, name)| name));
    let count = cpu.lines().filter(|line| line.starts_with("processor")).count();
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let mut lines = vec![format!("{count} cores of {}, Linux {}", model.unwrap_or("an unnamed CPU"), kernel.trim())];
    lines.push(if cores.server == cores.client {
        "one core for servers, stores and client together".to_owned()
    } else {
        "one core for the server and its store, one for the client".to_owned()
    });
    let mut versions = vec![version(&args.natter, "--version")];
    versions
        .push(version(Path::new("rustc"), "--version").map(|said| said.split(" (").next().unwrap_or("").to_owned()));
    versions.push(args.mongod.as_deref().map_or_else(|| Ok("no mongod".to_owned()), mongod_version));
    versions.push(args.peer.as_deref().map_or_else(|| Ok("no peer".to_owned()), peer_versions));
    lines.push(
        versions.into_iter().map(|said| said.unwrap_or_else(|why| why.to_string())).collect::<Vec<_>>().join(", "),
    );
    lines
}

fn mongod_version(mongod: &Path) -> Result<String> {
    let said = version(mongod, "--version")?;
    Ok(said.replacen("db version v", "mongod ", 1))
}

fn peer_versions(peer: &Path) -> Result<String> {
    let mut said = vec![format!("Node {}", version(Path::new("node"), "--version")?)];
    for package in ["socket.io", "mongodb"] {
        let path = peer.join("node_modules").join(package).join("package.json");
        let manifest = std::fs::read_to_string(&path)
            .with_context(|| format!("{} is missing: type `npm ci` in {}", path.display(), peer.display()))?;
        let manifest: serde_json::Value = serde_json::from_str(&manifest)?;
        said.push(format!("{package} {}", manifest["version"].as_str().unwrap_or("?")));
    }
    Ok(said.join(", "))
}

/// The first line that `program` says about its version.
fn version(program: &Path, argument: &str) -> Result<String> {
    let said = Command::new(program).arg(argument).output();
    let said = said.with_context(|| format!("{} does not start", program.display()))?;
    ensure!(said.status.success(), "{} does not say its version", program.display());
    let said = String::from_utf8_lossy(&said.stdout);
    Ok(said.lines().next().unwrap_or_default().trim().to_owned())
}

/// Today, as `2026-11-28`.
#[expect(clippy::disallowed_methods, reason = "the date of a table")]
pub fn today() -> String {
    time::OffsetDateTime::now_utc().date().to_string()
}

/// A number that no other run on this machine has.
#[expect(clippy::disallowed_methods, reason = "ids of one run must not be those of another; nothing is secret here")]
pub fn run_number() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    now.as_secs().rotate_left(32) ^ u64::from(now.subsec_nanos()) ^ u64::from(std::process::id()).rotate_left(48)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_work_folder_is_emptied_and_has_one_owner() {
        // Beside this program, for the system's temporary folder may be in memory.
        let program = std::env::current_exe().unwrap();
        let folder = tempfile::tempdir_in(program.parent().unwrap()).unwrap();
        let work = folder.path().join("work");
        std::fs::create_dir(&work).unwrap();
        std::fs::write(work.join("old"), "").unwrap();
        let owner = prepare_folder(&work).unwrap();
        assert!(work.is_dir() && !work.join("old").exists());
        assert!(prepare_folder(&work).unwrap_err().to_string().contains("another benchmark"));
        drop(owner);
        prepare_folder(&work).unwrap();
    }
}
