//! Child processes that are killed, stopped and continued by their id. Each has a group and a log file of its own, and ends
//! with this program, whichever way it ends (but for kill -9 of this program itself).

use anyhow::{Context, Result, bail};
use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;
use std::fs::OpenOptions;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Nothing outlives a kill for longer.
const REAPED: Duration = Duration::from_secs(10);
/// How often memory is looked at.
const SAMPLE: Duration = Duration::from_millis(20);

pub struct Process {
    name: String,
    child: Child,
    pid: Pid,
}

impl Process {
    /// Starts `command`; what it says is appended to `<name>.log` in `folder`.
    pub fn start(name: &str, mut command: Command, folder: &Path) -> Result<Self> {
        let path = log_path(folder, name);
        let log = OpenOptions::new().create(true).append(true).open(&path);
        let log = log.with_context(|| format!("cannot write {}", path.display()))?;
        let again = log.try_clone().with_context(|| format!("cannot write {}", path.display()))?;
        command.stdin(Stdio::null()).stdout(log).stderr(again).process_group(0).kill_on_drop(true);
        let child = command.spawn().with_context(|| format!("{name} cannot be started"))?;
        let pid = child.id().and_then(|id| i32::try_from(id).ok()).context("a child without an id")?;
        Ok(Self { name: name.to_owned(), child, pid: Pid::from_raw(pid) })
    }

    pub fn signal(&self, signal: Signal) {
        // It fails for a process that has ended, which whoever waits for it finds out.
        let _ = signal::kill(self.pid, signal);
    }

    /// kill -9, and its end.
    pub async fn kill(mut self) -> Result<()> {
        self.signal(Signal::SIGKILL);
        self.ends_within(REAPED).await.map(|_| ())
    }

    pub async fn ends_within(&mut self, limit: Duration) -> Result<ExitStatus> {
        match timeout(limit, self.child.wait()).await {
            Ok(status) => status.with_context(|| format!("{} cannot be waited for", self.name)),
            Err(_) => bail!("{} has not ended after {limit:?}", self.name),
        }
    }

    /// `Some` once it has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Resident memory in KiB.
    pub fn resident_kib(&self) -> Result<u64> {
        resident_kib(self.pid).with_context(|| format!("/proc says nothing about the memory of {}", self.name))
    }

    /// Looks at the memory again and again, from now on.
    pub fn watch_memory(&self) -> Result<Memory> {
        let (pid, before) = (self.pid, self.resident_kib()?);
        let most = Arc::new(AtomicU64::new(before));
        let noted = Arc::clone(&most);
        let task = tokio::spawn(async move {
            while let Some(now) = resident_kib(pid) {
                noted.fetch_max(now, Ordering::Relaxed);
                tokio::time::sleep(SAMPLE).await;
            }
        });
        Ok(Memory { before, most, task })
    }
}

fn resident_kib(pid: Pid) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}

/// The resident memory of a process while this is there.
pub struct Memory {
    before: u64,
    most: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Memory {
    /// KiB above the beginning, at the most.
    pub fn grown_kib(&self) -> u64 {
        self.most.load(Ordering::Relaxed).saturating_sub(self.before)
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Also what it started itself. A stopped process is killed as well.
        let _ = signal::killpg(self.pid, Signal::SIGKILL);
    }
}

/// Takes out of a command's environment what this program's own may have of these names' beginnings.
pub fn without_settings(command: &mut std::process::Command, beginnings: &[&str]) {
    for (name, _) in std::env::vars_os() {
        if beginnings.iter().any(|beginning| name.to_string_lossy().starts_with(beginning)) {
            command.env_remove(name);
        }
    }
}

pub fn log_path(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.log"))
}

/// A loopback address that nobody listens on. It lies below the ports that the kernel gives to outgoing connections, so
/// that no client that knocks while the server is down gets hold of the server's port, or of itself.
pub fn free_address() -> Result<SocketAddr> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    const FIRST: u16 = 21_000;
    const PORTS: u16 = 10_000;
    // Two runs at once have process ids close together, and begin at places far apart (Fibonacci hashing).
    let spread = std::process::id().wrapping_mul(2_654_435_769) >> 16;
    let offset = u16::try_from(spread % u32::from(PORTS)).unwrap_or(0);
    for _ in 0..PORTS {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + (offset + step % PORTS) % PORTS;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        if TcpListener::bind(address).is_ok() {
            return Ok(address);
        }
    }
    bail!("no port between {FIRST} and {} is free", FIRST + PORTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeps() -> Command {
        let mut command = Command::new("sleep");
        command.arg("600");
        command
    }

    #[tokio::test]
    async fn a_process_is_killed_and_what_is_dropped_ends() {
        let folder = tempfile::tempdir().unwrap();
        let process = Process::start("sleep", sleeps(), folder.path()).unwrap();
        assert!(process.resident_kib().unwrap() > 0);
        process.kill().await.unwrap();

        let stopped = Process::start("sleep", sleeps(), folder.path()).unwrap();
        let pid = stopped.pid;
        stopped.signal(Signal::SIGSTOP);
        drop(stopped);
        let gone = async {
            while std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z ")) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(REAPED, gone).await.expect("a stopped process ends as well");
    }

    #[test]
    fn addresses_differ() {
        assert_ne!(free_address().unwrap(), free_address().unwrap());
    }
}
