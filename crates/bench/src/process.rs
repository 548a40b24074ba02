//! A server under measurement: started on the servers' core, with its standard error in a log; what it costs is read from
//! /proc. Dropping it ends it.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, SysconfVar, sysconf};
use tokio::time::Instant;

use crate::machine::Cores;
use crate::plan;
use crate::statistics::figure;

/// How long a server may take to end after it was asked to.
const GRACE: Duration = Duration::from_secs(10);

pub struct Server {
    child: Child,
    log: PathBuf,
}

impl Server {
    /// Starts `command`, and leaves it to the caller to find out when it is ready.
    pub fn start(mut command: Command, cores: Cores, log: &Path) -> Result<Self> {
        let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        command.stdin(Stdio::null()).stderr(file);
        let name = command.get_program().to_string_lossy().into_owned();
        let child = cores.as_server(|| command.spawn().with_context(|| format!("{name} does not start")))?;
        Ok(Self { child, log: log.to_owned() })
    }

    /// Starts `command`, whose first line ends with the port that it listens on.
    pub fn start_on_a_port(mut command: Command, cores: Cores, log: &Path) -> Result<(Self, SocketAddr)> {
        command.stdout(Stdio::piped());
        let mut server = Self::start(command, cores, log)?;
        let out = server.child.stdout.take().context("a server without an output")?;
        let (line, first) = mpsc::channel();
        thread::spawn(move || {
            // What follows is read as well, so that the server never waits for it.
            for said in BufReader::new(out).lines().map_while(Result::ok) {
                let _ = line.send(said);
            }
        });
        match first.recv_timeout(plan::START) {
            Ok(said) => {
                let port = port_in(&said).with_context(|| format!("no port in what the server says: {said}"))?;
                Ok((server, SocketAddr::from((Ipv4Addr::LOCALHOST, port))))
            }
            Err(mpsc::RecvTimeoutError::Timeout) => bail!("a server says nothing; its log is {}", log.display()),
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                let status = server.child.wait().context("a server is gone")?;
                bail!("it ended at once ({status}): {}", server.last_words())
            }
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its end, if it has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// The last lines of its log.
    pub fn last_words(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(5)..].join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Ok(pid) = i32::try_from(self.child.id()) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        }
        let since = Instant::now();
        while self.ended().is_none() && since.elapsed() < GRACE {
            thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The number after the last colon.
fn port_in(line: &str) -> Option<u16> {
    line.trim_end().trim_end_matches('/').rsplit(':').next()?.parse().ok()
}

/// The CPU seconds that these processes have used, all threads, user and system.
pub fn cpu_seconds(pids: &[u32]) -> Result<f64> {
    let per_second = sysconf(SysconfVar::CLK_TCK).ok().flatten().and_then(|ticks| u64::try_from(ticks).ok());
    let per_second = per_second.context("the length of a clock tick is not known")?;
    let mut ticks = 0;
    for pid in pids {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).with_context(|| format!("process {pid} is gone"))?;
        ticks += ticks_in(&stat).with_context(|| format!("/proc/{pid}/stat is not in its form: {stat}"))?;
    }
    Ok(figure(ticks) / figure(per_second))
}

/// `utime` and `stime` of proc(5), fields 14 and 15. The second field is a name that may hold anything.
fn ticks_in(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ').skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// Resident memory in kB.
pub fn resident_kb(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).with_context(|| format!("process {pid} is gone"))?;
    let kb = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse().ok());
    kb.with_context(|| format!("/proc/{pid}/status names no resident memory"))
}

/// Waits until these processes are almost idle: what one contender still has to do must not be done at another's cost.
/// `false` if they do not come to rest.
pub async fn rest(pids: &[u32]) -> Result<bool> {
    const LOOK: Duration = Duration::from_millis(300);
    const IDLE: f64 = 0.1;
    let since = Instant::now();
    while since.elapsed() < plan::REST {
        let before = cpu_seconds(pids)?;
        tokio::time::sleep(LOOK).await;
        if cpu_seconds(pids)? - before < LOOK.as_secs_f64() * IDLE {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_times_are_found_behind_any_name() {
        let stat = "42 (a ) b) S 1 2 3 4 5 6 7 8 9 10 30 12 13 14 15";
        assert_eq!(ticks_in(stat), Some(42));
        assert_eq!(ticks_in("42 (natter"), None);
    }

    #[test]
    fn this_process_has_used_time_and_memory() {
        let own = std::process::id();
        assert!(cpu_seconds(&[own]).unwrap() >= 0.0);
        assert!(resident_kb(own).unwrap() > 100);
        assert!(cpu_seconds(&[u32::MAX]).is_err());
    }

    #[test]
    fn the_port_stands_at_the_end_of_the_line() {
        assert_eq!(port_in("natter listens on http://127.0.0.1:4711"), Some(4711));
        assert_eq!(port_in("the peer listens on http://127.0.0.1:80/\n"), Some(80));
        assert_eq!(port_in("nothing"), None);
    }

    #[test]
    fn a_server_that_ends_at_once_says_why() {
        let cores = Cores::choose().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "echo the store is missing >&2; exit 2"]);
        let failure = Server::start_on_a_port(command, cores, &folder.path().join("log")).err().unwrap().to_string();
        assert!(failure.contains("the store is missing") && failure.contains('2'), "{failure}");
    }
}
