//! One running child with its process group, and the signals that end every group that was started here.

use std::collections::BTreeMap;
use std::io::{BufReader, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::progress::Stopwatch;

/// How long a child may take to end after it was asked to, before it is killed.
pub const GRACE: Duration = Duration::from_secs(10);
/// How long the output of a child that ended is still waited for: a daemon it left may hold the pipe open.
const LAST_WORDS: Duration = Duration::from_secs(2);

static STOPPING: AtomicBool = AtomicBool::new(false);
static RUNNING: Mutex<BTreeMap<i32, Ends>> = Mutex::new(BTreeMap::new());

/// Passes Ctrl-C, SIGTERM and SIGHUP on to every child but the servers that others still use; a second one, or [`GRACE`],
/// kills them all and this program.
pub fn end_children_on_signals() -> Result<()> {
    ctrlc::set_handler(|| {
        let again = STOPPING.swap(true, Ordering::SeqCst);
        signal_all(Signal::SIGTERM);
        thread::spawn(move || {
            if !again {
                thread::park_timeout(GRACE);
            }
            signal_all(Signal::SIGKILL);
            std::process::exit(130);
        });
    })
    .context("cannot listen for Ctrl-C")
}

/// Whether a signal asked this program to end.
pub fn stopping() -> bool {
    STOPPING.load(Ordering::SeqCst)
}

/// What a child said or did.
pub enum Event {
    /// A line of its standard output.
    Out(String),
    /// A line of its standard error.
    Err(String),
    Ended(ExitStatus),
}

/// Who gets the output of a child.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// The terminal, unchanged.
    Shown,
    /// The caller, line by line, as [`Event`]s.
    Piped,
}

/// What a signal to this program means for a child.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ends {
    AtOnce,
    /// When who started it lets go of it: others may have to write to it before they end.
    WithItsOwner,
}

/// A running child with its process group. Dropping it ends both.
pub struct Running {
    group: i32,
    events: Receiver<Event>,
    ended: Option<ExitStatus>,
}

impl Running {
    /// Starts `command` without standard input. An error names the program if it cannot be started.
    pub fn start(command: Command, output: Output) -> Result<Self> {
        Self::start_until(Ends::AtOnce, command, output)
    }

    /// The same for a server that other children use: Ctrl-C leaves it alone, and dropping it ends it after them. Its
    /// output is piped.
    pub fn start_server(command: Command) -> Result<Self> {
        Self::start_until(Ends::WithItsOwner, command, Output::Piped)
    }

    fn start_until(ends: Ends, mut command: Command, output: Output) -> Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let stdio = || if output == Output::Piped { Stdio::piped() } else { Stdio::inherit() };
        command.stdin(Stdio::null()).stdout(stdio()).stderr(stdio()).process_group(0);
        // The lock is held from the check to the entry, so that a signal finds every child or stops it from starting.
        let mut running = running();
        ensure!(!stopping(), "stopped");
        let mut child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        let group = i32::try_from(child.id()).context("a process id beyond every limit")?;
        running.insert(group, ends);
        drop(running);
        let (events, received) = mpsc::channel();
        if let Some(out) = child.stdout.take() {
            hand_on(out, events.clone(), Event::Out);
        }
        if let Some(err) = child.stderr.take() {
            hand_on(err, events.clone(), Event::Err);
        }
        wait_for(child, group, events);
        Ok(Self { group, events: received, ended: None })
    }

    /// The process id.
    pub const fn id(&self) -> i32 {
        self.group
    }

    /// The next event within `limit`; `None` if there was none. After the end it returns the end again.
    pub fn next(&mut self, limit: Duration) -> Option<Event> {
        if let Some(status) = self.ended {
            return Some(Event::Ended(status));
        }
        match self.events.recv_timeout(limit) {
            Ok(Event::Ended(status)) => {
                self.ended = Some(status);
                Some(Event::Ended(status))
            }
            Ok(said) => Some(said),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => None,
        }
    }

    /// What a child that ended had still said.
    pub fn last_words(&self) -> impl Iterator<Item = Event> {
        std::iter::from_fn(|| self.events.recv_timeout(LAST_WORDS).ok())
    }

    /// Asks the group to end, waits for [`GRACE`], then kills it.
    pub fn stop(&mut self) {
        for signal in [Signal::SIGTERM, Signal::SIGKILL] {
            signal_group(self.group, signal);
            let since = Stopwatch::start();
            while self.ended.is_none() && since.elapsed() < GRACE {
                self.next(GRACE);
            }
            if self.ended.is_some() {
                return;
            }
        }
    }

    /// Waits for the end, whatever the child says. It may take as long as it likes.
    pub fn wait(&mut self) -> ExitStatus {
        loop {
            if let Some(Event::Ended(status)) = self.next(Duration::from_hours(1)) {
                return status;
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.ended.is_none() {
            self.stop();
        }
    }
}

fn hand_on(mut pipe: impl Read + Send + 'static, events: Sender<Event>, event: fn(String) -> Event) {
    thread::spawn(move || {
        let mut reader = BufReader::new(&mut pipe);
        let mut line = Vec::new();
        let mut byte = [0];
        while matches!(reader.read(&mut byte), Ok(1)) {
            // A progress bar ends its lines with a carriage return.
            if matches!(byte[0], b'\n' | b'\r') {
                let whole = String::from_utf8_lossy(&line).into_owned();
                line.clear();
                if events.send(event(whole)).is_err() {
                    return;
                }
            } else {
                line.push(byte[0]);
            }
        }
        if !line.is_empty() {
            let _ = events.send(event(String::from_utf8_lossy(&line).into_owned()));
        }
    });
}

fn wait_for(mut child: Child, group: i32, events: Sender<Event>) {
    thread::spawn(move || {
        let status = child.wait().unwrap_or_else(|_| ExitStatus::from_raw(1 << 8));
        // What the child itself started and left ends with it.
        signal_group(group, Signal::SIGTERM);
        running().remove(&group);
        let _ = events.send(Event::Ended(status));
    });
}

fn running() -> MutexGuard<'static, BTreeMap<i32, Ends>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

fn signal_all(signal: Signal) {
    for (group, ends) in running().iter() {
        if *ends == Ends::AtOnce || signal == Signal::SIGKILL {
            signal_group(*group, signal);
        }
    }
}

fn signal_group(group: i32, signal: Signal) {
    // It fails for a group that has ended, which is what was wanted.
    let _ = killpg(Pid::from_raw(group), signal);
}
