//! A private mongod as a replica set of one, for transactions and majority writes need a set. It is initiated here, since
//! no shell of MongoDB comes with it.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::launch::launch;
use super::wire::{Document, ask};
use crate::process::Running;
use crate::tools::mongod;

/// The name of the replica set.
pub const SET: &str = "natter";
/// The answer of one whose files say to which set it belongs.
const ALREADY_INITIALIZED: f64 = 23.0;

/// Starts it with its files in `data`, where they may lie from a run before, and waits until it takes writes. Returns its
/// port as well.
pub fn start(data: &Path, log: &Path) -> Result<(Running, u16)> {
    let program = mongod::find()?.context("mongod is not installed")?;
    let command = |port: u16| {
        let mut mongod = Command::new(&program);
        mongod.args([
            "--replSet",
            SET,
            "--bind_ip",
            "127.0.0.1",
            "--port",
            &port.to_string(),
            "--nounixsocket",
            "--quiet",
        ]);
        mongod.args([OsStr::new("--dbpath"), data.as_os_str(), OsStr::new("--logpath"), log.as_os_str()]);
        // It shares the machine with a compiler, and no second member waits for its data at the end.
        mongod.args(["--wiredTigerCacheSizeGB", "0.5", "--oplogSize", "256"]);
        for parameter in ["diagnosticDataCollectionEnabled=false", "shutdownTimeoutMillisForSignaledShutdown=0"] {
            mongod.args(["--setParameter", parameter]);
        }
        mongod
    };
    launch("mongod", log, command, be_primary)
}

/// `Ok` once it takes writes; until then does what is missing.
fn be_primary(port: u16) -> Result<()> {
    let hello = ask(port, &Document::new().int("hello", 1).text("$db", "admin"))?;
    if hello.is_true("isWritablePrimary") {
        return Ok(());
    }
    if hello.text("setName").is_some() {
        bail!("it is not elected yet");
    }
    let member = Document::new().int("_id", 0).text("host", &format!("127.0.0.1:{port}"));
    let members = || Document::new().text("_id", SET).int("version", 1).list("members", &[&member]);
    let initiate = Document::new().document("replSetInitiate", &members()).text("$db", "admin");
    let answer = ask(port, &initiate)?;
    let answer = if answer.number("code") == Some(ALREADY_INITIALIZED) {
        // The files are from another run, on another port, which it takes for another machine.
        let config = members().int("protocolVersion", 1);
        let moved = Document::new().document("replSetReconfig", &config).truth("force", true).text("$db", "admin");
        ask(port, &moved)?
    } else {
        answer
    };
    match answer.text("errmsg") {
        Some(why) => bail!("it refuses to be a replica set: {why}"),
        None => bail!("it is not elected yet"),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpStream};

    use super::*;

    #[test]
    #[ignore = "needs a mongod: cargo xtask test finds or fetches one"]
    fn a_set_of_one_takes_writes_and_keeps_them_on_another_port() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let (server, first) = start(folder.path(), &log).unwrap();
        let majority = Document::new().text("w", "majority");
        let insert = Document::new().text("insert", "things").list("documents", &[&Document::new().int("_id", 1)]);
        let answer = ask(first, &insert.document("writeConcern", &majority).text("$db", "test")).unwrap();
        assert_eq!((answer.number("n"), answer.text("errmsg")), (Some(1.0), None));
        drop(server);
        assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, first)).is_err(), "it has ended");

        // Another port than the first, but for one time in thousands.
        let (_server, second) = start(folder.path(), &log).unwrap();
        let answer = ask(second, &Document::new().text("count", "things").text("$db", "test")).unwrap();
        assert_eq!(answer.number("n"), Some(1.0));
    }

    #[test]
    #[ignore = "needs a mongod: cargo xtask test finds or fetches one"]
    fn why_it_cannot_start_is_in_the_error() {
        let folder = tempfile::tempdir().unwrap();
        let failure = start(&folder.path().join("missing"), &folder.path().join("log")).err().unwrap().to_string();
        assert!(failure.starts_with("mongod ended at its start") && failure.contains("missing"), "{failure}");
    }
}
