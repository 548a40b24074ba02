//! A whole Natter as it is run: nodes, and where asked for MongoDB and Redis with bad networks before them, each a real
//! process on a loopback port with its data in one scratch folder.

mod backends;
pub mod compose;

use crate::dice::Dice;
use crate::processes::{Memory, Process, free_address, log_path, without_settings};
use crate::proxy::Proxy;
use anyhow::{Context, Result, bail, ensure};
use backends::{Mongo, Redis};
use compose::Compose;
use nix::sys::signal::Signal;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;
use tempfile::TempDir;
use tokio::process::Command;
use tokio::time::{Instant, sleep};

/// A node listens, and a database accepts, within this time.
const UP: Duration = Duration::from_mins(1);
const LOOK: Duration = Duration::from_millis(25);

/// Which of the two stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Store {
    /// One node on its embedded store.
    Sqlite,
    /// Two nodes on MongoDB and Redis.
    Cluster,
    /// Containers, as `docker-compose.yml` has them.
    Compose,
}

impl Store {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Cluster => "cluster",
            Self::Compose => "compose",
        }
    }
}

/// The programs that a run starts.
#[derive(Debug, Clone)]
pub struct Programs {
    /// Natter as it is shipped.
    pub natter: PathBuf,
    /// Natter with the feature `planted-bugs`.
    pub planted: Option<PathBuf>,
    pub mongod: PathBuf,
    pub redis: PathBuf,
    /// The checkout with `docker-compose.yml`, and the tag of the images that were built from it.
    pub compose: PathBuf,
    pub images: String,
}

/// What a row wants to have started.
#[derive(Debug, Clone)]
pub struct Wiring {
    pub store: Store,
    /// Members of the replica set.
    pub mongods: usize,
    pub settings: Vec<(String, String)>,
    /// Runs the build with planted bugs and failpoints.
    pub planted: bool,
    /// Where the database's files lie; in the scratch folder if `None`.
    pub data: Option<PathBuf>,
}

impl Wiring {
    pub const fn new(store: Store) -> Self {
        Self { store, mongods: 1, settings: Vec::new(), planted: false, data: None }
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }
}

pub struct Node {
    name: String,
    address: SocketAddr,
    process: Option<Process>,
    /// For its next starts.
    pub settings: Vec<(String, String)>,
    /// Between clients and this node.
    pub front: Proxy,
    /// Between this node and Redis.
    pub redis: Option<Proxy>,
    /// Between this node and MongoDB.
    pub store: Option<Proxy>,
}

impl Node {
    /// Whether it does not run.
    pub fn has_ended(&mut self) -> bool {
        self.process.as_mut().is_none_or(|process| process.ended().is_some())
    }
}

pub struct System {
    pub nodes: Vec<Node>,
    pub mongo: Option<Mongo>,
    pub redis: Option<Redis>,
    /// Instead of all of these.
    pub compose: Option<Compose>,
    program: PathBuf,
    scratch: Option<TempDir>,
}

impl System {
    pub async fn start(wiring: &Wiring, programs: &Programs, dice: &mut Dice) -> Result<Self> {
        let scratch = tempfile::Builder::new().prefix("natter-faults-").tempdir().context("no scratch folder")?;
        let folder = scratch.path().to_owned();
        if wiring.store == Store::Compose {
            let compose = Some(Compose::start(&programs.compose, &programs.images, &folder).await?);
            let (nodes, program) = (Vec::new(), PathBuf::new());
            return Ok(Self { nodes, mongo: None, redis: None, compose, program, scratch: Some(scratch) });
        }
        let program = if wiring.planted {
            programs.planted.clone().context(
                "this row needs a natter with the feature planted-bugs: give it with --planted-binary, or run \
                 `cargo xtask faults`, which builds it",
            )?
        } else {
            programs.natter.clone()
        };
        ensure!(program.is_file(), "there is no natter at {}", program.display());
        let count = if wiring.store == Store::Cluster { 2 } else { 1 };
        let (mongo, redis) = if wiring.store == Store::Cluster {
            let mongo = Mongo::start(&programs.mongod, wiring.mongods, &folder).await?;
            (Some(mongo), Some(Redis::start(&programs.redis, &folder).await?))
        } else {
            (None, None)
        };
        write_key(&folder.join("secret"), dice)?;
        let data = wiring.data.clone().unwrap_or_else(|| folder.clone());
        let mut nodes = Vec::new();
        let mut public_url = None;
        for number in 1..=count {
            let address = free_address()?;
            let front = Proxy::start(address, dice.fork()).await?;
            // One public URL for all nodes: it stands in the tokens.
            let public_url = public_url.get_or_insert_with(|| format!("http://{address}"));
            let mut settings = vec![
                ("NATTER_LISTEN".to_owned(), address.to_string()),
                ("NATTER_PUBLIC_URL".to_owned(), public_url.clone()),
                ("NATTER_SECRET_FILE".to_owned(), folder.join("secret").display().to_string()),
                ("NATTER_BCRYPT_COST".to_owned(), "4".to_owned()),
                ("NATTER_RATE_LIMITS".to_owned(), "off".to_owned()),
                ("NATTER_WEB_DIR".to_owned(), String::new()),
            ];
            let (mut to_store, mut to_redis) = (None, None);
            if let (Some(mongo), Some(redis)) = (&mongo, &redis) {
                // With several members the driver finds them by itself, past any proxy.
                let proxy = Proxy::start(mongo.address(), dice.fork()).await?;
                let url = mongo.url((wiring.mongods == 1).then(|| proxy.address()));
                settings.push(("NATTER_STORE".to_owned(), url));
                to_store = Some(proxy);
                let proxy = Proxy::start(redis.address(), dice.fork()).await?;
                settings.push(("NATTER_REDIS".to_owned(), format!("redis://{}", proxy.address())));
                to_redis = Some(proxy);
                settings.push(("NATTER_FILES".to_owned(), format!("file:{}", data.join("files").display())));
            } else {
                let database = data.join("natter.db");
                settings.push(("NATTER_STORE".to_owned(), format!("sqlite:{}", database.display())));
            }
            for (name, value) in &wiring.settings {
                settings.retain(|(known, _)| known != name);
                settings.push((name.clone(), value.clone()));
            }
            let name = format!("natter-{number}");
            nodes.push(Node { name, address, process: None, settings, front, redis: to_redis, store: to_store });
        }
        let mut system = Self { nodes, mongo, redis, compose: None, program, scratch: Some(scratch) };
        for node in 0..system.nodes.len() {
            system.start_node(node)?;
        }
        for node in 0..system.nodes.len() {
            system.is_up(node).await?;
        }
        Ok(system)
    }

    pub fn folder(&self) -> &Path {
        self.scratch.as_ref().map_or(Path::new("."), TempDir::path)
    }

    /// Where clients knock: the proxies before the nodes.
    pub fn gates(&self) -> Vec<SocketAddr> {
        self.published().unwrap_or_else(|| self.nodes.iter().map(|node| node.front.address()).collect())
    }

    /// The nodes themselves.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.published().unwrap_or_else(|| self.nodes.iter().map(|node| node.address).collect())
    }

    /// The one address that containers have.
    fn published(&self) -> Option<Vec<SocketAddr>> {
        self.compose.as_ref().map(|compose| vec![compose.gate()])
    }

    /// Starts a node and does not wait for it.
    pub fn start_node(&mut self, node: usize) -> Result<()> {
        let folder = self.folder().to_owned();
        let node = &mut self.nodes[node];
        let mut command = Command::new(&self.program);
        command.arg("serve").current_dir(&folder);
        without_settings(command.as_std_mut(), &["NATTER_"]);
        command.envs(node.settings.iter().map(|(name, value)| (name, value)));
        node.process = Some(Process::start(&node.name, command, &folder)?);
        Ok(())
    }

    /// Waits until a node listens. An error holds the end of its log if it has ended instead.
    pub async fn is_up(&mut self, node: usize) -> Result<()> {
        let since = Instant::now();
        let log = log_path(self.folder(), &self.nodes[node].name);
        let node = &mut self.nodes[node];
        loop {
            let ended = node.process.as_mut().and_then(Process::ended);
            // Whoever listens there when the node has ended is somebody else.
            if ended.is_none() && tokio::net::TcpStream::connect(node.address).await.is_ok() {
                return Ok(());
            }
            if ended.is_some() || since.elapsed() > UP {
                let said = std::fs::read_to_string(&log).unwrap_or_default();
                let tail: Vec<&str> = said.lines().rev().take(8).collect();
                let tail = tail.into_iter().rev().collect::<Vec<_>>().join("\n");
                bail!("{} does not come up ({ended:?}): {tail}", node.name);
            }
            sleep(LOOK).await;
        }
    }

    /// kill -9.
    pub async fn kill_node(&mut self, node: usize) -> Result<()> {
        let process = self.nodes[node].process.take().context("the node does not run")?;
        process.kill().await
    }

    /// Waits for the end of a node that ends by itself.
    pub async fn node_ends(&mut self, node: usize, limit: Duration) -> Result<ExitStatus> {
        let process = self.nodes[node].process.as_mut().context("the node does not run")?;
        let status = process.ends_within(limit).await?;
        self.nodes[node].process = None;
        Ok(status)
    }

    pub fn signal_node(&self, node: usize, signal: Signal) {
        if let Some(process) = &self.nodes[node].process {
            process.signal(signal);
        }
    }

    pub fn resident_kib(&self, node: usize) -> Result<u64> {
        self.nodes[node].process.as_ref().context("the node does not run")?.resident_kib()
    }

    /// Looks at a node's memory from now on.
    pub fn watch_memory(&self, node: usize) -> Result<Memory> {
        self.nodes[node].process.as_ref().context("the node does not run")?.watch_memory()
    }

    /// What a node has said.
    pub fn log_of(&self, node: usize) -> String {
        std::fs::read_to_string(log_path(self.folder(), &self.nodes[node].name)).unwrap_or_default()
    }

    /// Lines of all nodes that tell of a panic.
    pub fn panics(&self) -> Vec<String> {
        let logs = (0..self.nodes.len()).map(|node| self.log_of(node)).chain(self.compose.as_ref().map(Compose::log));
        let lines: Vec<String> = logs.flat_map(|log| log.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
        lines.into_iter().filter(|line| line.contains("panicked")).collect()
    }

    /// Keeps the scratch folder with all logs and says where it is.
    pub fn keep(&mut self) -> Option<PathBuf> {
        self.scratch.take().map(TempDir::keep)
    }
}

/// A signing key for all nodes of a system.
fn write_key(path: &Path, dice: &mut Dice) -> Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let [a, b, c, d] = std::array::from_fn(|_| dice.number());
    let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    file.and_then(|mut file| writeln!(file, "{a:016x}{b:016x}{c:016x}{d:016x}")).context("cannot write a signing key")
}
