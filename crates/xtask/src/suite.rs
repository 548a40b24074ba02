//! `cargo xtask test`: one step after the other, each with its time; the first that fails ends it with its command.

use std::io::IsTerminal;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::process::Event;
use crate::progress::{Stopwatch, say};
use crate::servers::{self, Servers};
use crate::tools::{self, Part, mongod, redis_server};
use crate::{browser, containers, faults, licence, page, process, workspace};

/// What one step has to say for itself.
enum Report {
    Done,
    Counted {
        tests: u32,
    },
    /// Done but for what is said.
    Partly(&'static str),
    Skipped(String),
}

type Step = (&'static str, fn() -> Result<Report>);

const QUICK: &[Step] = &[
    ("format", format),
    ("licences", licences),
    ("cargo deny", deny),
    ("clippy, native", clippy_native),
    ("unit, conformance and integration tests", native_tests),
];

const FULL: &[Step] = &[
    ("format", format),
    ("licences", licences),
    ("cargo deny", deny),
    ("clippy, native", clippy_native),
    ("clippy, wasm32", clippy_wasm),
    ("unit, conformance and integration tests, on SQLite and on MongoDB and Redis", native_tests_on_both),
    ("examples in the documentation", doc_tests),
    ("tests on wasm32, in Node", wasm_tests),
    ("types of the browser tests", types_of_specs),
    ("tests in the browser", browser_tests),
    ("faults: planted bugs are found, then kill -9, cuts and floods on SQLite and on MongoDB and Redis", faults),
    ("containers: the images, what they may do, a rolling restart, a reboot, a restore", compose),
];

/// Where a bucket of an S3-compatible store is named, `id secret endpoint bucket`, and the tests that need one.
const BUCKET: &str = "NATTER_TEST_S3";
const BUCKETS_TESTS: [&str; 2] =
    ["files::tests::a_bucket_keeps_bytes_by_name", "backup::keeping::a_bucket_keeps_backups_too"];

const NEXTEST: &[&str] = &["nextest", "run", "--workspace", "--no-fail-fast"];
const CARGO_TEST: &[&str] = &["test", "--workspace", "--all-targets", "--no-fail-fast"];

/// Runs every step, or with `quick` those that need neither the wasm32 target nor a browser nor a server.
pub fn run(quick: bool) -> Result<()> {
    let since = Stopwatch::start();
    let steps = if quick { QUICK } else { FULL };
    if !quick {
        let parts: Vec<Part> = page::NEEDS.iter().chain(browser::NEEDS).chain(servers::NEEDS).copied().collect();
        tools::ensure(&parts)?;
        say(&format!("set-up: ok in {}\n", since.words()));
    }
    let mut summary = Vec::new();
    let mut all = 0;
    for (number, (name, step)) in steps.iter().enumerate() {
        let title = format!("[{}/{}] {name}", number + 1, steps.len());
        say(&format!("{title} …"));
        let since = Stopwatch::start();
        let report = step().with_context(|| format!("{title} failed after {}", since.words()))?;
        let line = match report {
            Report::Done => format!("{title} … ok in {}", since.words()),
            Report::Counted { tests } => {
                all += tests;
                format!("{title} … ok in {}: {tests} tests passed", since.words())
            }
            Report::Partly(how) => format!("{title} … ok in {}, {how}", since.words()),
            Report::Skipped(why) => format!("{title} … skipped: {why}"),
        };
        say(&format!("{line}\n"));
        summary.push(line);
    }
    say(&format!("{}\n\n{all} tests passed; all ok in {}", summary.join("\n"), since.words()));
    Ok(())
}

fn format() -> Result<Report> {
    cargo_step(&["fmt", "--all", "--check"])
}

fn licences() -> Result<Report> {
    let packages = licence::check()?;
    say(&format!("{packages} packages, each with a licence that deny.toml allows"));
    Ok(Report::Done)
}

fn deny() -> Result<Report> {
    if !responds("cargo-deny") {
        return Ok(Report::Skipped("cargo-deny is not installed".to_owned()));
    }
    // Advisories come from the network and change from day to day: they have no place among tests.
    cargo_step(&["deny", "--all-features", "check", "bans", "licenses", "sources"])
}

fn clippy_native() -> Result<Report> {
    cargo_step(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])
}

fn clippy_wasm() -> Result<Report> {
    cargo_step(&[
        "clippy",
        "--package=natter-web",
        "--target=wasm32-unknown-unknown",
        // As it is shipped.
        "--features=split",
        // Not all targets: a standard library that was built by hand may lack the crate that unit tests link.
        "--lib",
        "--bins",
        "--test=wasm",
        "--",
        "-D",
        "warnings",
    ])
}

/// Those that need no server beside them. The others are `#[ignore]`d.
fn native_tests() -> Result<Report> {
    let mut cargo = workspace::cargo();
    if responds("cargo-nextest") {
        cargo.args(NEXTEST);
    } else {
        cargo.args(CARGO_TEST);
    }
    counted(cargo)
}

/// All of them, with a MongoDB and a Redis that end with this step.
fn native_tests_on_both() -> Result<Report> {
    let mut servers = Servers::start(None)?;
    let mut cargo = workspace::cargo();
    let has_bucket = std::env::var_os(BUCKET).is_some();
    if !has_bucket {
        say(&format!("{BUCKET} names no bucket: the tests of images and backups in one are left out"));
    }
    if responds("cargo-nextest") {
        cargo.args(NEXTEST).args(["--run-ignored", "all"]);
        if !has_bucket {
            let each = BUCKETS_TESTS.map(|test| format!("not test(={test})"));
            cargo.args(["-E", &each.join(" and ")]);
        }
    } else {
        cargo.args(CARGO_TEST).args(["--", "--include-ignored"]);
        if !has_bucket {
            cargo.args(BUCKETS_TESTS.iter().flat_map(|test| ["--skip", test]));
        }
    }
    cargo.env("NATTER_TEST_MONGODB", &servers.mongodb).env("NATTER_TEST_REDIS", &servers.redis);
    // Some tests kill a server of their own.
    for (name, program) in [(mongod::VARIABLE, mongod::find()?), (redis_server::VARIABLE, redis_server::find()?)] {
        if let Some(program) = program {
            cargo.env(name, program);
        } else {
            say(&format!("{name} is not set, and nothing on PATH fits: tests that kill a server of their own fail"));
        }
    }
    let report = counted(cargo);
    if servers.has_ended() {
        return report.context("MongoDB or Redis ended while the tests used it");
    }
    report
}

fn doc_tests() -> Result<Report> {
    let mut cargo = workspace::cargo();
    cargo.args(["test", "--workspace", "--doc"]);
    counted(cargo)
}

fn wasm_tests() -> Result<Report> {
    let mut cargo = workspace::cargo();
    cargo.args(["test", "--package=natter-web", "--target=wasm32-unknown-unknown", "--test=wasm"]);
    cargo.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", tools::program("wasm-bindgen-test-runner")?);
    counted(cargo)
}

fn types_of_specs() -> Result<Report> {
    let mut tsc = Command::new(workspace::e2e().join("node_modules/.bin/tsc"));
    tsc.arg("--noEmit").current_dir(workspace::e2e());
    process::shown(tsc)?;
    Ok(Report::Done)
}

fn browser_tests() -> Result<Report> {
    counted(browser::command(&[])?)
}

/// Nothing is lost, doubled or reordered, whatever happens meanwhile; times are shown and decide nothing.
fn faults() -> Result<Report> {
    Ok(faults::quickly()?.map_or(Report::Done, Report::Partly))
}

/// The real compose file, where there is an engine that has the base images or gets them.
fn compose() -> Result<Report> {
    Ok(containers::quickly()?.map_or(Report::Done, Report::Skipped))
}

fn responds(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version");
    process::read(command, Duration::from_mins(1)).is_ok()
}

fn cargo_step(arguments: &[&str]) -> Result<Report> {
    let mut cargo = workspace::cargo();
    cargo.args(arguments);
    process::shown(cargo)?;
    Ok(Report::Done)
}

/// Runs tests with their output on the terminal, and counts those that passed.
fn counted(mut command: Command) -> Result<Report> {
    if std::io::stderr().is_terminal() {
        command.env("CARGO_TERM_COLOR", "always").env("FORCE_COLOR", "1");
    }
    let said = process::words(&command);
    let mut tests = 0;
    let status = process::follow(command, Duration::from_hours(1), Duration::from_hours(1), |event| {
        if let Event::Out(line) | Event::Err(line) = event {
            tests += passed(&line);
            eprintln!("{line}");
        }
    })?;
    process::succeed(status, &said)?;
    Ok(Report::Counted { tests })
}

/// How many tests passed, if `line` is the summary of cargo test, nextest, wasm-bindgen's runner or Playwright.
fn passed(line: &str) -> u32 {
    let line = without_colours(line);
    let line = line.trim();
    let summary = line.starts_with("test result: ok.")
        || line.starts_with("Summary [")
        || (line.starts_with(|c: char| c.is_ascii_digit()) && line.contains(" passed ("));
    let number = line.split_once(" passed").and_then(|(before, _)| before.rsplit(' ').next()?.parse().ok());
    if summary { number.unwrap_or(0) } else { 0 }
}

/// The text of a line without the escape sequences that colour it or move the cursor.
fn without_colours(line: &str) -> String {
    let mut parts = line.split("\u{1b}[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        // A sequence ends with its first letter.
        plain.push_str(part.split_once(|c: char| c.is_ascii_alphabetic()).map_or("", |(_, text)| text));
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summaries_of_all_test_runners_are_counted_and_nothing_else() {
        for (line, tests) in [
            ("test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s", 12),
            ("     Summary [   0.009s] 50 tests run: 50 passed (1 slow), 2 skipped", 50),
            (
                "\u{1b}[32;1m     Summary\u{1b}[0m [   0.009s] \u{1b}[1m50\u{1b}[0m tests run: \u{1b}[1m50\u{1b}[0m \u{1b}[32mpassed\u{1b}[0m, 0 skipped",
                50,
            ),
            ("  23 passed (1.4m)", 23),
            ("\u{1b}[32m  23 passed\u{1b}[39m\u{1b}[2m (4.5s)\u{1b}[22m", 23),
            ("\u{1b}[1A\u{1b}[2K  23 passed (4.5s)", 23),
            ("\u{1b}[1A\u{1b}[2K[7/23] chat.spec.ts: 7 passed (so far)", 0),
            ("test result: FAILED. 3 passed; 1 failed", 0),
            ("7 days passed", 0),
            ("", 0),
        ] {
            assert_eq!(passed(line), tests, "{line}");
        }
    }
}
