//! Natter in containers, as an operator runs it: the compose file and its scripts in a folder of their own, secrets made by
//! the one command, and nothing reached but the published port. The images were built before.

use crate::processes::{free_address, without_settings};
use anyhow::{Context, Result, bail, ensure};
use nix::sys::resource::{Resource, getrlimit};
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;
use tokio::time::{Instant, sleep, timeout};

/// One command of docker's takes no longer.
const COMMAND: Duration = Duration::from_mins(4);
/// All containers of a system are up within this time.
const UP: Duration = Duration::from_mins(4);
const LOOK: Duration = Duration::from_millis(250);
/// What the compose file gives a container.
const FILES: u64 = 65_536;
/// So many api containers.
pub const REPLICAS: usize = 3;

/// What a test changes of what operators have: passwords are hashed fast and nobody is held back.
const OVERRIDE: &str =
    "services:\n  api:\n    environment:\n      NATTER_RATE_LIMITS: \"off\"\n      NATTER_BCRYPT_COST: \"4\"\n";

pub struct Compose {
    folder: PathBuf,
    project: String,
    gate: SocketAddr,
}

impl Compose {
    /// Starts everything, with the files of the checkout `files` and the images of the tag `version`.
    pub async fn start(files: &Path, version: &str, folder: &Path) -> Result<Self> {
        let gate = free_address()?;
        let folder = folder.join("compose");
        copy(files, &folder)?;
        let project = format!("natter-faults-{}-{}", std::process::id(), gate.port());
        let compose = Self { folder, project, gate };
        compose.script("docker/setup", &["--port", &gate.port().to_string()]).await?;
        let env = compose.folder.join(".env");
        let mut settings = std::fs::read_to_string(&env)?;
        // A machine may allow containers fewer files than operators give them.
        let files = getrlimit(Resource::RLIMIT_NOFILE).map_or(FILES, |(_, hard)| hard.min(FILES));
        let _ = writeln!(settings, "NATTER_VERSION={version}\nNATTER_NOFILE={files}");
        std::fs::write(&env, settings)?;
        std::fs::write(compose.folder.join("docker-compose.override.yml"), OVERRIDE)?;
        compose.up().await?;
        Ok(compose)
    }

    /// The published port.
    pub const fn gate(&self) -> SocketAddr {
        self.gate
    }

    /// What the names of its volumes begin with.
    pub fn project(&self) -> &str {
        &self.project
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Starts what does not run, and waits until every api container and web are healthy.
    pub async fn up(&self) -> Result<()> {
        let scale = format!("api={REPLICAS}");
        self.compose(&["up", "--detach", "--no-build", "--scale", &scale]).await?;
        self.is_healthy().await
    }

    async fn is_healthy(&self) -> Result<()> {
        let since = Instant::now();
        loop {
            let said = self.compose(&["ps", "--format", "{{.Service}} {{.Health}}", "api", "web"]).await?;
            let healthy = |service: &str| said.lines().filter(|line| *line == format!("{service} healthy")).count();
            if healthy("api") >= REPLICAS && healthy("web") >= 1 {
                return Ok(());
            }
            if since.elapsed() > UP {
                let logs = self.compose(&["logs", "--tail", "5"]).await.unwrap_or_default();
                bail!("not all containers are healthy after {UP:?}: {said}\n{logs}");
            }
            sleep(LOOK).await;
        }
    }

    /// The ids of the containers of a service.
    pub async fn containers(&self, service: &str) -> Result<Vec<String>> {
        let said = self.compose(&["ps", "--quiet", service]).await?;
        Ok(said.lines().map(str::to_owned).collect())
    }

    /// One command of `docker compose`, and what it said.
    pub async fn compose(&self, arguments: &[&str]) -> Result<String> {
        self.run("docker", ["compose"].iter().chain(arguments)).await
    }

    /// One command of `docker`, and what it said.
    pub async fn docker(&self, arguments: &[&str]) -> Result<String> {
        self.run("docker", arguments).await
    }

    /// One of the scripts that operators have.
    pub async fn script(&self, name: &str, arguments: &[&str]) -> Result<String> {
        self.run(self.folder.join(name), arguments).await
    }

    async fn run(
        &self,
        program: impl AsRef<OsStr>,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Result<String> {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&self.folder).kill_on_drop(true).stdin(Stdio::null());
        self.environment(command.as_std_mut());
        let said = command.as_std().get_args().map(|argument| argument.to_string_lossy()).collect::<Vec<_>>().join(" ");
        let done = timeout(COMMAND, command.output()).await;
        let done =
            done.with_context(|| format!("{said} is not done after {COMMAND:?}"))?.context("docker cannot be run")?;
        let out = String::from_utf8_lossy(&done.stdout).trim().to_owned();
        // What went well comes first, and is long.
        let error = String::from_utf8_lossy(&done.stderr);
        let error = error.trim().lines().next_back().unwrap_or("without a word");
        ensure!(done.status.success(), "{said} failed: {error}");
        Ok(out)
    }

    /// Nothing of this shell's settings, and a project of its own.
    fn environment(&self, command: &mut std::process::Command) {
        without_settings(command, &["NATTER_", "COMPOSE_"]);
        command.env("COMPOSE_PROJECT_NAME", &self.project);
    }

    /// What the api containers have said.
    pub fn log(&self) -> String {
        let mut command = std::process::Command::new("docker");
        command.args(["compose", "logs", "--no-color", "api"]).current_dir(&self.folder);
        self.environment(&mut command);
        command.output().map(|done| String::from_utf8_lossy(&done.stdout).into_owned()).unwrap_or_default()
    }
}

impl Drop for Compose {
    fn drop(&mut self) {
        let mut command = std::process::Command::new("docker");
        command.args(["compose", "--profile", "*", "down", "--volumes", "--timeout", "5"]).current_dir(&self.folder);
        self.environment(&mut command);
        let _ = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
}

/// The compose file and all that it and an operator need beside it.
fn copy(files: &Path, to: &Path) -> Result<()> {
    for name in [
        "docker-compose.yml",
        "docker/setup",
        "docker/roll",
        "docker/redis.conf",
        "docker/observability/prometheus.yml",
        "docker/observability/alerts.yml",
    ] {
        let target = to.join(name);
        if let Some(folder) = target.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::copy(files.join(name), target).with_context(|| format!("{name} cannot be copied"))?;
    }
    Ok(())
}
