//! A private redis-server that writes nothing to disk: what is in it may be lost at any time.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::launch::launch;
use crate::process::Running;
use crate::tools::redis_server;

/// How long one answer may take.
const ANSWER: Duration = Duration::from_secs(2);

/// Starts it in `folder` and waits until it answers. Returns its port as well.
pub fn start(folder: &Path, log: &Path) -> Result<(Running, u16)> {
    let program = redis_server::find()?.context("redis-server is not installed")?;
    let command = |port: u16| {
        let mut redis = Command::new(&program);
        redis.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--appendonly", "no"]);
        redis.arg("--dir").arg(folder).arg("--logfile").arg(log);
        redis
    };
    launch("redis-server", log, command, pong)
}

fn pong(port: u16) -> Result<()> {
    let mut stream = TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), ANSWER)?;
    stream.set_read_timeout(Some(ANSWER))?;
    stream.write_all(b"PING\r\n")?;
    let mut answer = [0; 7];
    stream.read_exact(&mut answer)?;
    ensure!(answer == *b"+PONG\r\n", "it answers PING with {}", String::from_utf8_lossy(&answer));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[ignore = "needs a redis-server: cargo xtask test finds or unpacks one"]
    fn it_answers_until_it_is_let_go_and_leaves_only_its_log() {
        let folder = tempfile::tempdir().unwrap();
        let (server, port) = start(folder.path(), &folder.path().join("log")).unwrap();
        pong(port).unwrap();
        drop(server);
        assert!(pong(port).is_err());
        let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["log"]);
    }

    #[test]
    #[ignore = "needs a redis-server: cargo xtask test finds or unpacks one"]
    fn why_it_cannot_start_is_in_the_error() {
        let folder = tempfile::tempdir().unwrap();
        let failure = start(&folder.path().join("missing"), &folder.path().join("log")).err().unwrap().to_string();
        assert!(failure.starts_with("redis-server ended at its start") && failure.contains("missing"), "{failure}");
    }
}
