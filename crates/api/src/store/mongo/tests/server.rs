//! A mongod of a test's own, in a folder of its own, ended with it.

use super::BOUND;
use crate::store::mongo::MongoUrl;
use mongodb::Client;
use mongodb::bson::doc;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

/// How often a server that starts is asked whether it is there.
const AGAIN: Duration = Duration::from_millis(50);

pub struct Mongod {
    process: Child,
    port: u16,
    folder: TempDir,
    arguments: Vec<String>,
}

/// A port that nobody listens on.
pub fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

impl Mongod {
    /// Starts one and waits until it can be connected to.
    pub async fn start(arguments: &[&str]) -> Self {
        let (folder, port) = (TempDir::new().unwrap(), free_port());
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let mut mongod = Self { process: spawn(&folder, port, &arguments), port, folder, arguments };
        mongod.listens().await;
        mongod
    }

    async fn listens(&mut self) {
        let begun = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            assert_eq!(self.process.try_wait().unwrap(), None, "mongod ended");
            assert!(begun.elapsed() < BOUND, "mongod does not listen");
            sleep(AGAIN).await;
        }
    }

    /// Makes it the one member of a replica set.
    pub async fn initiate(&self, name: &str) {
        let address = format!("mongodb://127.0.0.1:{}/?directConnection=true", self.port);
        let admin = Client::with_uri_str(address).await.unwrap().database("admin");
        let host = format!("127.0.0.1:{}", self.port);
        let set = doc! { "_id": name, "members": [{ "_id": 0, "host": host }] };
        admin.run_command(doc! { "replSetInitiate": set }).await.unwrap();
    }

    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Its address, with something before the host and something after it.
    pub fn address(&self, before: &str, after: &str) -> MongoUrl {
        MongoUrl::parse(&format!("mongodb://{before}127.0.0.1:{}/{after}", self.port)).unwrap()
    }

    /// Ends it as a power cut would.
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Starts it again where it was.
    pub async fn restart(&mut self) {
        self.process = spawn(&self.folder, self.port, &self.arguments);
        self.listens().await;
    }
}

fn spawn(folder: &TempDir, port: u16, arguments: &[String]) -> Child {
    let program = std::env::var("NATTER_TEST_MONGOD")
        .expect("NATTER_TEST_MONGOD must be the program mongod; cargo xtask test names one");
    let mut command = Command::new(program);
    command.arg("--dbpath").arg(folder.path()).arg("--logpath").arg(folder.path().join("log")).arg("--logappend");
    command.args(["--bind_ip", "127.0.0.1", "--wiredTigerCacheSizeGB", "0.25", "--nounixsocket"]);
    command.args(["--port", &port.to_string()]).args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

impl Drop for Mongod {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
