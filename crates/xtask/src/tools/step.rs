//! A long command of an installation: its output goes to a log, the person sees that it is alive, and what failed.

use std::fs::{self, File};
use std::io::Write;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::process::{self, Event, Output, Running};
use crate::progress::{Stopwatch, in_words, say};
use crate::workspace;

/// How often a step says that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Runs `command` under `label`. It may take `limit` and be silent for `silence`; then it is ended with an error.
pub fn run(label: &str, command: Command, limit: Duration, silence: Duration) -> Result<()> {
    let logs = workspace::tools()?.join("logs");
    fs::create_dir_all(&logs).with_context(|| format!("cannot make {}", logs.display()))?;
    let said = process::words(&command);
    let program = command.get_program().to_string_lossy().into_owned();
    let program = program.rsplit('/').next().unwrap_or("step");
    let path = logs.join(format!("{}-{program}.log", file_name(label)));
    let mut log = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    writeln!(log, "{said}")?;

    let since = Stopwatch::start();
    let mut child = Running::start(command, Output::Piped)?;
    let mut lines: Vec<String> = Vec::new();
    let mut heard = Stopwatch::start();
    let mut shown = Stopwatch::start();
    let status = loop {
        match child.next(HEARTBEAT.saturating_sub(shown.elapsed()).max(Duration::from_millis(10))) {
            Some(Event::Ended(status)) => break status,
            Some(Event::Out(line) | Event::Err(line)) => {
                heard = Stopwatch::start();
                writeln!(log, "{line}")?;
                lines.push(line);
            }
            None => {}
        }
        if shown.elapsed() >= HEARTBEAT {
            shown = Stopwatch::start();
            say(&format!("{label}: {} … {}", since.words(), what_it_does(&lines)));
        }
        if since.elapsed() > limit {
            bail!("not done after {}: {said}", in_words(limit));
        }
        if heard.elapsed() > silence {
            bail!("silent for {}: {said}", in_words(silence));
        }
    };
    for event in child.last_words() {
        if let Event::Out(line) | Event::Err(line) = event {
            writeln!(log, "{line}")?;
            lines.push(line);
        }
    }
    process::succeed(status, &said).with_context(|| format!("{}\nall of it: {}", process::tail(&lines), path.display()))
}

/// Why a step failed, in one line: its first line about an error, or the failure itself.
pub fn reason(failure: &anyhow::Error) -> String {
    let said = failure.to_string();
    let begins =
        |line: &&str| ["error", "npm error", "e: "].iter().any(|word| line.trim().to_lowercase().starts_with(word));
    let line = said.lines().find(begins);
    line.map_or_else(|| failure.root_cause().to_string(), |line| line.trim().chars().take(160).collect())
}

/// The last line that says something, and for cargo how far it has come.
fn what_it_does(lines: &[String]) -> String {
    let compiled = lines.iter().filter(|line| line.trim_start().starts_with("Compiling ")).count();
    let last = lines.iter().rev().map(|line| line.trim()).find(|line| !line.is_empty()).unwrap_or("waiting");
    let last: String = last.chars().take(90).collect();
    if compiled > 0 { format!("crate {compiled}: {last}") } else { last }
}

/// The label without what a file name cannot hold.
fn file_name(label: &str) -> String {
    let name = label.split_once("] ").map_or(label, |(_, name)| name);
    let name = name.split([' ', '/']).next().unwrap_or(name);
    name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heartbeat_tells_how_far_cargo_is() {
        let lines = ["    Updating index", "   Compiling a v1", "   Compiling b v2", ""].map(str::to_owned);
        assert_eq!(what_it_does(&lines), "crate 2: Compiling b v2");
        assert_eq!(what_it_does(&[]), "waiting");
    }

    #[test]
    fn the_reason_is_the_line_about_the_error() {
        let failure = anyhow::anyhow!("exit status 1")
            .context("info: trying\nerror: no such host\n 0: std::error::Error\nall of it: /tmp/log");
        assert_eq!(reason(&failure), "error: no such host");
        assert_eq!(reason(&anyhow::anyhow!("not done after 2 min 00 s")), "not done after 2 min 00 s");
    }

    #[test]
    fn a_label_becomes_a_file_name() {
        assert_eq!(file_name("[2/5] trunk 0.21.14"), "trunk");
        assert_eq!(file_name("[1/5] wasm32-unknown-unknown"), "wasm32-unknown-unknown");
    }
}
