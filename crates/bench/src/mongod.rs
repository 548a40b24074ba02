//! A mongod of the benchmarks' own: a replica set of one on loopback, with its journal on the disk of the work folder.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use mongodb::Client;
use mongodb::bson::{Document, doc};
use tokio::time::Instant;

use crate::machine::Cores;
use crate::plan;
use crate::process::Server;

pub struct Mongod {
    server: Server,
    port: u16,
}

impl Mongod {
    /// Returns when it takes writes.
    pub async fn start(program: &Path, folder: &Path, cores: Cores) -> Result<Self> {
        let data = folder.join("mongod");
        std::fs::create_dir_all(&data).with_context(|| format!("cannot make {}", data.display()))?;
        let port = free_port()?;
        let mut command = Command::new(program);
        command.args(["--replSet", "natter", "--bind_ip", "127.0.0.1", "--nounixsocket", "--quiet"]);
        command.args(["--port", &port.to_string(), "--wiredTigerCacheSizeGB", "1"]).arg("--dbpath").arg(&data);
        // Its own measurements would be part of ours.
        command.args(["--setParameter", "diagnosticDataCollectionEnabled=false"]);
        command.arg("--logpath").arg(folder.join("mongod.log")).stdout(Stdio::null());
        let mut mongod = Self { server: Server::start(command, cores, &folder.join("mongod.err"))?, port };
        mongod.become_primary().await.context("mongod does not become ready")?;
        Ok(mongod)
    }

    async fn become_primary(&mut self) -> Result<()> {
        let address =
            format!("mongodb://127.0.0.1:{}/?directConnection=true&serverSelectionTimeoutMS=60000", self.port);
        let admin = Client::with_uri_str(&address).await?.database("admin");
        let host = format!("127.0.0.1:{}", self.port);
        let members = vec![doc! { "_id": 0, "host": host }];
        let since = Instant::now();
        admin.run_command(doc! { "replSetInitiate": { "_id": "natter", "members": members } }).await?;
        while since.elapsed() < plan::START {
            if let Some(status) = self.server.ended() {
                bail!("it ended ({status})");
            }
            let hello: Document = admin.run_command(doc! { "hello": 1 }).await?;
            if hello.get_bool("isWritablePrimary").unwrap_or(false) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("it is no primary after {} seconds", plan::START.as_secs())
    }

    /// The address of one of its databases.
    pub fn uri(&self, database: &str) -> String {
        format!("mongodb://127.0.0.1:{}/{database}?replicaSet=natter", self.port)
    }

    pub fn pid(&self) -> u32 {
        self.server.pid()
    }
}

/// A port that is free now. mongod takes no port 0.
fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port is free")?;
    Ok(listener.local_addr()?.port())
}
