//! Redis servers of a test's own, and the one that all tests share.

use super::eventually;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// The address of the server that `cargo xtask test` has started.
pub fn shared() -> String {
    std::env::var("NATTER_TEST_REDIS").expect(
        "NATTER_TEST_REDIS is not set: it must be the redis:// address of a Redis for tests; `cargo xtask test` starts one",
    )
}

/// The program, for tests that end a server.
pub fn program() -> PathBuf {
    let program = std::env::var_os("NATTER_TEST_REDIS_SERVER")
        .expect("NATTER_TEST_REDIS_SERVER is not set: it must be the path of redis-server; `cargo xtask test` sets it");
    PathBuf::from(program)
}

/// A port that nothing has at the moment.
pub fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// A private server; dropping it ends it.
pub struct Server {
    pub port: u16,
    folder: TempDir,
    settings: Vec<String>,
    child: Option<Child>,
}

impl Server {
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// With further settings, as on redis-server's command line.
    pub async fn with(settings: &[&str]) -> Self {
        Self::on(free_port(), settings).await
    }

    pub async fn on(port: u16, settings: &[&str]) -> Self {
        let settings = settings.iter().map(|setting| (*setting).to_owned()).collect();
        let mut server = Self { port, folder: tempfile::tempdir().unwrap(), settings, child: None };
        server.run().await;
        server
    }

    pub async fn run(&mut self) {
        let port = self.port.to_string();
        let child = Command::new(program())
            .args(["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir"])
            .arg(self.folder.path())
            .args(&self.settings)
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server starts");
        self.child = Some(child);
        eventually("redis-server listens", async || {
            tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await.is_ok()
        })
        .await;
    }

    /// Ends it at once, with all that it holds.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Has it stand still (`STOP`) or go on (`CONT`).
    pub fn signal(&self, name: &str) {
        let pid = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Asks it for something by hand.
    pub async fn does(&self, command: &redis::Cmd) -> redis::Value {
        does(&self.url(), command).await
    }
}

/// Asks a server for something by hand.
pub async fn does(url: &str, command: &redis::Cmd) -> redis::Value {
    let client = redis::Client::open(url).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    command.query_async(&mut connection).await.unwrap()
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
