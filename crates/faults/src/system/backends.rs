//! MongoDB as a replica set of one or three, and Redis: started, killed, stopped, and spoken to where a row must.

use crate::processes::{Process, free_address};
use anyhow::{Context, Result, bail, ensure};
use mongodb::Client;
use mongodb::bson::{Bson, Document, doc};
use mongodb::options::ClientOptions;
use nix::sys::signal::Signal;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::{Instant, sleep, timeout};

const UP: Duration = Duration::from_mins(1);
const LOOK: Duration = Duration::from_millis(100);
const SET: &str = "natter";
/// What is said where Redis does not answer.
const REDIS_DOWN: &str = "Redis does not answer";

struct Member {
    name: String,
    address: SocketAddr,
    process: Option<Process>,
}

pub struct Mongo {
    program: PathBuf,
    folder: PathBuf,
    members: Vec<Member>,
}

impl Mongo {
    pub async fn start(program: &Path, members: usize, folder: &Path) -> Result<Self> {
        let member = |number| Ok(Member { name: format!("mongod-{number}"), address: free_address()?, process: None });
        let members = (1..=members).map(member).collect::<Result<Vec<_>>>()?;
        let mut mongo = Self { program: program.to_owned(), folder: folder.to_owned(), members };
        for number in 0..mongo.members.len() {
            mongo.start_member(number)?;
        }
        let hosts = mongo.members.iter().zip(0..);
        let hosts = hosts.map(|(member, id)| Bson::Document(doc! { "_id": id, "host": member.address.to_string() }));
        let settings = doc! { "electionTimeoutMillis": 5_000 };
        let config = doc! { "_id": SET, "members": hosts.collect::<Vec<_>>(), "settings": settings };
        let since = Instant::now();
        loop {
            match mongo.command(0, doc! { "replSetInitiate": &config }).await {
                Ok(_) => break,
                Err(error) => ensure!(since.elapsed() < UP, "the replica set cannot be made: {error:#}"),
            }
            sleep(LOOK).await;
        }
        mongo.has_primary().await?;
        Ok(mongo)
    }

    fn start_member(&mut self, number: usize) -> Result<()> {
        let member = &mut self.members[number];
        let data = self.folder.join(&member.name);
        std::fs::create_dir_all(&data).context("no folder for mongod")?;
        let mut command = Command::new(&self.program);
        command.args(["--replSet", SET, "--bind_ip", "127.0.0.1", "--wiredTigerCacheSizeGB", "0.25", "--quiet"]);
        command.args(["--setParameter", "diagnosticDataCollectionEnabled=false"]);
        command.arg("--port").arg(member.address.port().to_string()).arg("--dbpath").arg(&data);
        member.process = Some(Process::start(&member.name, command, &self.folder)?);
        Ok(())
    }

    /// One command to one member, past every proxy.
    async fn command(&self, number: usize, command: Document) -> Result<Document> {
        let mut options = ClientOptions::parse(format!("mongodb://{}/", self.members[number].address)).await?;
        options.direct_connection = Some(true);
        options.server_selection_timeout = Some(Duration::from_secs(2));
        let client = Client::with_options(options)?;
        Ok(client.database("admin").run_command(command).await?)
    }

    /// The member that takes writes.
    pub async fn primary(&self) -> Option<usize> {
        for number in 0..self.members.len() {
            let hello = timeout(Duration::from_secs(3), self.command(number, doc! { "hello": 1 })).await;
            if let Ok(Ok(hello)) = hello
                && hello.get_bool("isWritablePrimary").unwrap_or(false)
            {
                return Some(number);
            }
        }
        None
    }

    pub async fn has_primary(&self) -> Result<usize> {
        let since = Instant::now();
        loop {
            if let Some(primary) = self.primary().await {
                return Ok(primary);
            }
            ensure!(since.elapsed() < UP, "MongoDB has no primary after {UP:?}");
            sleep(LOOK).await;
        }
    }

    /// Asks the primary to stand down for a minute; it cuts the connection on which it is asked.
    pub async fn steps_down(&self) -> Result<()> {
        let primary = self.has_primary().await?;
        let _ = self.command(primary, doc! { "replSetStepDown": 60, "force": true }).await;
        Ok(())
    }

    /// The first member.
    pub fn address(&self) -> SocketAddr {
        self.members[0].address
    }

    /// The setting of the server; through a proxy, if there is one.
    pub fn url(&self, proxy: Option<SocketAddr>) -> String {
        if let Some(proxy) = proxy {
            return format!("mongodb://{proxy}/natter?replicaSet={SET}&directConnection=true");
        }
        let hosts: Vec<String> = self.members.iter().map(|member| member.address.to_string()).collect();
        format!("mongodb://{}/natter?replicaSet={SET}", hosts.join(","))
    }

    /// kill -9 of every member.
    pub async fn kill(&mut self) -> Result<()> {
        for member in &mut self.members {
            if let Some(process) = member.process.take() {
                process.kill().await?;
            }
        }
        Ok(())
    }

    /// Starts every member and waits for a primary.
    pub async fn restart(&mut self) -> Result<()> {
        for number in 0..self.members.len() {
            if self.members[number].process.is_none() {
                self.start_member(number)?;
            }
        }
        self.has_primary().await.map(|_| ())
    }

    pub fn signal(&self, number: usize, signal: Signal) {
        if let Some(process) = &self.members[number].process {
            process.signal(signal);
        }
    }
}

pub struct Redis {
    program: PathBuf,
    folder: PathBuf,
    address: SocketAddr,
    process: Option<Process>,
}

impl Redis {
    pub async fn start(program: &Path, folder: &Path) -> Result<Self> {
        let (program, folder) = (program.to_owned(), folder.to_owned());
        let mut redis = Self { program, folder, address: free_address()?, process: None };
        redis.restart().await?;
        Ok(redis)
    }

    pub async fn restart(&mut self) -> Result<()> {
        let mut command = Command::new(&self.program);
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        command.arg("--port").arg(self.address.port().to_string()).arg("--dir").arg(&self.folder);
        self.process = Some(Process::start("redis", command, &self.folder)?);
        let since = Instant::now();
        while let Err(error) = self.says("PING").await {
            ensure!(since.elapsed() < UP, "Redis does not come up: {error:#}");
            sleep(LOOK).await;
        }
        Ok(())
    }

    pub async fn kill(&mut self) -> Result<()> {
        match self.process.take() {
            Some(process) => process.kill().await,
            None => Ok(()),
        }
    }

    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// One command in Redis' inline form, and its answer.
    pub async fn says(&self, command: &str) -> Result<String> {
        let talk = async {
            let mut stream = TcpStream::connect(self.address).await?;
            stream.write_all(format!("{command}\r\n").as_bytes()).await?;
            let mut answer = vec![0; 4096];
            let read = stream.read(&mut answer).await?;
            answer.truncate(read);
            Ok::<_, std::io::Error>(String::from_utf8_lossy(&answer).into_owned())
        };
        match timeout(Duration::from_secs(5), talk).await {
            Ok(Ok(answer)) if answer.starts_with(['+', ':', '$', '*']) => Ok(answer),
            Ok(Ok(answer)) => bail!("{REDIS_DOWN}: {answer}"),
            Ok(Err(error)) => bail!("{REDIS_DOWN}: {error}"),
            Err(_) => bail!("{REDIS_DOWN} within five seconds"),
        }
    }
}
