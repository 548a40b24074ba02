//! Child processes. Each gets a process group of its own, which ends with the child, with this program, with Ctrl-C and
//! with its time limit: nothing that was started here is left behind.

mod running;

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode, ExitStatus};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
pub use running::{Event, Output, Running, end_children_on_signals, stopping};

use crate::progress::{Stopwatch, in_words};

/// Runs `command` with its output on the terminal. An error if it fails, with the command itself.
pub fn shown(command: Command) -> Result<()> {
    let said = words(&command);
    let status = Running::start(command, Output::Shown)?.wait();
    succeed(status, &said)
}

/// Runs `command`, returns its standard output, and shows nothing. An error holds the end of its standard error.
pub fn read(command: Command, limit: Duration) -> Result<String> {
    let said = words(&command);
    let mut out = String::new();
    let mut err = Vec::new();
    let status = follow(command, limit, limit, |event| match event {
        Event::Out(line) => {
            out.push_str(&line);
            out.push('\n');
        }
        Event::Err(line) => err.push(line),
        Event::Ended(_) => {}
    })?;
    succeed(status, &said).with_context(|| tail(&err))?;
    Ok(out)
}

/// Runs `command` with piped output and hands each event to `each`. Ended with an error when it takes longer than `limit`
/// or says nothing for as long as `silence`.
pub fn follow(command: Command, limit: Duration, silence: Duration, mut each: impl FnMut(Event)) -> Result<ExitStatus> {
    let said = words(&command);
    let since = Stopwatch::start();
    let mut child = Running::start(command, Output::Piped)?;
    loop {
        let left = limit.saturating_sub(since.elapsed());
        match child.next(left.min(silence)) {
            Some(Event::Ended(status)) => {
                child.last_words().for_each(&mut each);
                return Ok(status);
            }
            Some(event) => each(event),
            None if since.elapsed() >= limit => bail!("not done after {}: {said}", in_words(limit)),
            None => bail!("silent for {}: {said}", in_words(silence)),
        }
    }
}

/// `Ok` for success; else an error that repeats the command.
pub fn succeed(status: ExitStatus, said: &str) -> Result<()> {
    ensure!(!stopping(), "stopped");
    match (status.success(), status.code(), status.signal()) {
        (true, ..) => Ok(()),
        (_, Some(code), _) => bail!("exit status {code} of: {said}"),
        (_, _, signal) => bail!("ended by signal {}: {said}", signal.unwrap_or_default()),
    }
}

/// What this program ends with where it stands for another one; 128 and its number for a signal, as shells have it.
pub fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}

/// The command as one would type it.
pub fn words(command: &Command) -> String {
    let arguments = std::iter::once(command.get_program()).chain(command.get_args());
    let quoted = arguments.map(|word| {
        let word = word.to_string_lossy();
        if word.is_empty() || word.contains([' ', '*', '"', '$', '|']) {
            format!("'{word}'")
        } else {
            word.into_owned()
        }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

/// The last lines of an output, for an error message.
pub fn tail(lines: &[String]) -> String {
    lines[lines.len().saturating_sub(30)..].join("\n")
}

#[cfg(test)]
pub mod tests {
    use super::running::GRACE;
    use super::*;

    pub fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn the_output_of_a_command_is_read_whole() {
        assert_eq!(read(shell("echo one; echo two >&2; printf three"), GRACE).unwrap(), "one\nthree\n");
    }

    #[test]
    fn a_failure_names_the_command_and_what_it_said() {
        let failure = format!("{:#}", read(shell("echo no such thing >&2; exit 3"), GRACE).unwrap_err());
        assert!(failure.contains("no such thing") && failure.contains("exit status 3"), "{failure}");
    }

    #[test]
    fn a_command_that_takes_too_long_is_ended_with_all_that_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        let script = format!("sleep 600 & echo $! > {0}.new; mv {0}.new {0}; wait", file.display());
        let failure = read(shell(&script), Duration::from_secs(1)).unwrap_err();
        assert!(format!("{failure:#}").contains("not done after"), "{failure:#}");
        let grandchild: i32 = std::fs::read_to_string(&file).unwrap().trim().parse().unwrap();
        let since = Stopwatch::start();
        while is_alive(grandchild) {
            assert!(since.elapsed() < GRACE, "the grandchild lives on");
            std::thread::yield_now();
        }
    }

    fn is_alive(pid: i32) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        !stat.is_empty() && !stat.contains(") Z ")
    }

    #[test]
    fn a_silent_command_is_ended() {
        let failure = follow(shell("echo a; exec sleep 600"), GRACE, Duration::from_millis(300), |_| {}).unwrap_err();
        assert!(format!("{failure:#}").contains("silent"), "{failure:#}");
    }
}
