//! Starts one server on a free port and waits until it answers. What it said last is in the error if it does not.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::process::{self, Event, Running};
use crate::progress::{Stopwatch, in_words};

/// How long a server may take from its start to its first answer; one that was killed has to read its journal.
const START: Duration = Duration::from_mins(1);
/// How often it is asked.
const ASK_EVERY: Duration = Duration::from_millis(20);
/// How many ports are tried: between finding a free one and listening on it, somebody else may take it.
const PORTS: u32 = 3;
/// The lines of servers are long.
const LINE: usize = 400;

/// Starts `command` for a free port, and waits until `answers` on that port. The reason of an `Err` of `answers` is why it
/// is not ready yet.
pub fn launch(
    name: &str,
    log: &Path,
    command: impl Fn(u16) -> Command,
    answers: impl Fn(u16) -> Result<()>,
) -> Result<(Running, u16)> {
    let mut tried = 1;
    loop {
        let port = free_port()?;
        let mut server = Running::start_server(command(port))?;
        match until(name, log, &mut server, || answers(port)) {
            Ok(()) => return Ok((server, port)),
            Err(failure) if tried < PORTS && format!("{failure:#}").contains("ddress already in use") => tried += 1,
            Err(failure) => return Err(failure),
        }
    }
}

/// A port of 127.0.0.1 on which nothing listens.
pub fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("127.0.0.1 has no free port")?;
    Ok(listener.local_addr()?.port())
}

/// Whether it has ended by itself.
pub fn has_ended(server: &mut Running) -> bool {
    loop {
        match server.next(Duration::ZERO) {
            Some(Event::Ended(_)) => return true,
            Some(_) => {}
            None => return false,
        }
    }
}

fn until(name: &str, log: &Path, server: &mut Running, answers: impl Fn() -> Result<()>) -> Result<()> {
    let since = Stopwatch::start();
    let mut said = Vec::new();
    while let Err(not_yet) = answers() {
        match server.next(ASK_EVERY) {
            Some(Event::Ended(status)) => bail!(ended(name, log, server, said, status)),
            Some(Event::Out(line) | Event::Err(line)) => said.push(line),
            None => {}
        }
        ensure!(!process::stopping(), "stopped");
        if since.elapsed() > START {
            bail!("{name} was not ready within {}: {not_yet:#}\n{}", in_words(START), last_lines(said, log));
        }
    }
    Ok(())
}

fn ended(name: &str, log: &Path, server: &Running, mut said: Vec<String>, status: ExitStatus) -> String {
    said.extend(server.last_words().filter_map(|event| match event {
        Event::Out(line) | Event::Err(line) => Some(line),
        Event::Ended(_) => None,
    }));
    format!("{name} ended at its start ({status}):\n{}", last_lines(said, log))
}

/// The end of what it printed and of its log.
fn last_lines(mut lines: Vec<String>, log: &Path) -> String {
    let written = fs::read(log).unwrap_or_default();
    lines.extend(String::from_utf8_lossy(&written).lines().map(|line| line.chars().take(LINE).collect()));
    process::tail(&lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::tests::shell;

    #[test]
    fn one_that_dies_at_its_start_is_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let script = format!("echo out of memory > '{}'; echo bad option >&2; exit 3", log.display());
        let started = launch("the server", &log, |_| shell(&script), |_| bail!("not yet"));
        let failure = started.err().unwrap().to_string();
        assert!(failure.starts_with("the server ended at its start"), "{failure}");
        assert!(failure.contains("bad option") && failure.contains("out of memory"), "{failure}");
    }

    #[test]
    fn a_port_that_is_taken_is_left_for_another() {
        let folder = tempfile::tempdir().unwrap();
        let (tried, up) = (folder.path().join("tried"), folder.path().join("up"));
        let script = format!(
            "if test -e '{0}'; then touch '{1}'; exec sleep 600; fi; touch '{0}'; echo 'Address already in use'; exit 1",
            tried.display(),
            up.display()
        );
        let answers = |_| {
            ensure!(up.exists(), "not yet");
            Ok(())
        };
        let (mut server, _) = launch("the server", &folder.path().join("log"), |_| shell(&script), answers).unwrap();
        assert!(tried.exists() && !has_ended(&mut server), "the first had no port, and the second runs");
    }
}
