//! `cargo xtask compose`: builds both images, with what was compiled here where that runs in them, and plays the rows of the
//! fault harness that are for containers on the real compose file. A step of `cargo xtask test` where there is an engine.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::process::{self, Event, Output, Running};
use crate::progress::{Stopwatch, say};
use crate::{ComposeArgs, faults, page, workspace};

/// What the images and the compose file are based on.
const BASES: &[&str] = &["debian:bookworm-slim", "caddy:2", "redis:8", "mongo:8.0"];
/// What compiles, where the images are built from the sources.
const COMPILER: &str = "rust:1.95-bookworm";
/// The images' tag: no image that somebody uses is replaced.
const TAG: &str = "test";
/// Names a program that starts an engine and brings the base images, for machines that reach no image registry.
const SETUP: &str = "NATTER_TEST_DOCKER_SETUP";
/// Where `docker/Dockerfile` looks for what was built before.
const BUILT: &str = "docker/built";

const ANSWER: Duration = Duration::from_mins(1);
/// Packages and images, where an engine must be brought.
const BRING: Duration = Duration::from_mins(20);
const PULL: Duration = Duration::from_mins(10);
const BUILD: Duration = Duration::from_mins(90);

/// Returns with the exit status of the harness.
pub fn run(args: &ComposeArgs) -> Result<ExitCode> {
    engine(args.from_sources)?;
    images(args.from_sources)?;
    let mut harness = faults::harness()?;
    harness.args(played()).args(args.harness.iter().skip_while(|argument| *argument == "--"));
    Ok(process::exit_code(Running::start(harness, Output::Shown)?.wait()))
}

/// All rows, with what is built here. Returns why they were left out, if there is no engine.
pub fn quickly() -> Result<Option<String>> {
    if let Err(why) = engine(false) {
        return Ok(Some(format!("{why:#}")));
    }
    images(false)?;
    let mut harness = faults::harness()?;
    harness.args(played());
    process::shown(harness)?;
    Ok(None)
}

fn played() -> [&'static str; 4] {
    ["--store", "compose", "--images", TAG]
}

/// Sees to it that an engine answers and has, or can get, the base images. An error says what is missing.
fn engine(from_sources: bool) -> Result<()> {
    let bases = || BASES.iter().copied().chain(from_sources.then_some(COMPILER));
    let usable = || answers().and_then(|()| bases().try_for_each(has_image)).and_then(|()| confines());
    let Err(why) = usable() else { return Ok(()) };
    let Some(setup) = std::env::var_os(SETUP).filter(|setup| !setup.is_empty()) else {
        bail!(
            "{why:#}. Where no image registry is reached, name a program in {SETUP} that brings {}",
            BASES.join(", ")
        );
    };
    say(&format!("{why:#}; running {}", Path::new(&setup).display()));
    let words = setup.to_string_lossy().into_owned();
    let mut command = Command::new(setup);
    command.current_dir(workspace::root());
    let status = process::follow(command, BRING, BRING, |event| {
        if let Event::Out(line) | Event::Err(line) = event {
            say(&line);
        }
    })?;
    process::succeed(status, &words).with_context(|| format!("the program of {SETUP} failed"))?;
    usable()
}

/// Not every engine may do what the compose file asks of it: one within a container is often denied limits or networks.
fn confines() -> Result<()> {
    let network = format!("natter-probe-{}", std::process::id());
    let cannot = "this engine cannot run confined containers";
    process::read(docker(&["network", "create", "--internal", &network]), ANSWER).context(cannot)?;
    let confined = ["--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges:true", "--init", "--memory=64m"];
    let on = format!("--network={network}");
    let mut inside = docker(&["run", "--rm", "--pids-limit=32", "--tmpfs=/tmp:size=1m", "--user=10001", &on]);
    inside.args(confined).args([BASES[0], "true"]);
    let mut outside = docker(&["run", "--rm", "--publish=127.0.0.1:0:8080"]);
    outside.args(confined).args([BASES[0], "true"]);
    let ran = process::read(inside, ANSWER).and_then(|_| process::read(outside, ANSWER));
    process::read(docker(&["network", "rm", &network]), ANSWER).context(cannot)?;
    ran.map(drop).context(cannot)
}

fn docker(arguments: &[&str]) -> Command {
    let mut command = Command::new("docker");
    command.args(arguments).current_dir(workspace::root());
    command
}

fn answers() -> Result<()> {
    process::read(docker(&["info", "--format", "{{.ServerVersion}}"]), ANSWER).context("no Docker engine answers")?;
    process::read(docker(&["compose", "version"]), ANSWER).context("docker has no Compose v2")?;
    Ok(())
}

fn has_image(name: &str) -> Result<()> {
    if process::read(docker(&["image", "inspect", "--format", "{{.Id}}", name]), ANSWER).is_ok() {
        return Ok(());
    }
    say(&format!("docker: pulling {name}"));
    process::read(docker(&["pull", "--quiet", name]), PULL).with_context(|| format!("{name} cannot be pulled"))?;
    Ok(())
}

/// Builds both images under the tag of tests.
fn images(from_sources: bool) -> Result<()> {
    if from_sources {
        return build("here");
    }
    let built = page::build()?;
    let folder = workspace::root().join(BUILT);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    fs::copy(&built.binary, folder.join("natter")).context("the server cannot be copied")?;
    built.copy_page(&folder.join("page"))?;
    let mut caddy = Command::new(&built.binary);
    caddy.arg("caddy").arg(&built.page);
    fs::write(folder.join("page.caddy"), process::read(caddy, ANSWER)?)?;
    build("before")?;
    // A newer Linux than the images' may have linked what they do not have.
    let api = format!("natter-api:{TAG}");
    if process::read(docker(&["run", "--rm", "--network=none", &api, "--version"]), ANSWER).is_err() {
        say("docker: what is compiled here does not run in the images; they are built from the sources");
        has_image(COMPILER)?;
        build("here")?;
    }
    Ok(())
}

fn build(how: &str) -> Result<()> {
    let since = Stopwatch::start();
    let mut compose = docker(&["compose", "--progress", "plain", "build", "api", "web"]);
    compose.env("NATTER_BUILD", how).env("NATTER_VERSION", TAG);
    // The file refuses to be read without answers, and a build needs none.
    compose.env("NATTER_PUBLIC_URL", "http://localhost").env("NATTER_SECRETS", "./secrets");
    let mut said = Vec::new();
    let status = process::follow(compose, BUILD, BUILD, |event| {
        if let Event::Out(line) | Event::Err(line) = event {
            said.push(line);
        }
    })?;
    ensure!(status.success(), "the images cannot be built:\n{}", process::tail(&said));
    let size = |image: &str| process::read(docker(&["image", "inspect", "--format", "{{.Size}}", image]), ANSWER);
    for image in ["natter-api", "natter-web"] {
        let bytes: u64 = size(&format!("{image}:{TAG}"))?.trim().parse().unwrap_or(0);
        say(&format!("docker: {image} has {} MB", bytes / 1_000_000));
    }
    say(&format!("docker: images built in {}", since.words()));
    Ok(())
}
