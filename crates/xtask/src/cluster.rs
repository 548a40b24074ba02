//! `cargo xtask run --cluster`: MongoDB, Redis, several nodes of Natter on them, and one address in front, to see by hand
//! what happens when a node is killed.

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::front::Front;
use crate::process::{Event, Output, Running};
use crate::progress::{Stopwatch, say};
use crate::servers::{self, Servers};
use crate::{RunArgs, page, ready, serve, tools};

/// How often each node is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Settings that this command makes itself.
const OURS: [&str; 3] = ["NATTER_STORE", "NATTER_REDIS", "NATTER_SECRET_FILE"];

struct Node {
    name: String,
    port: u16,
    running: Running,
    ended: bool,
}

/// Runs until Ctrl-C, or until every node has ended.
pub fn run(args: &RunArgs, count: u8) -> Result<()> {
    for name in OURS {
        ensure!(
            std::env::var_os(name).is_none(),
            "{name} is set, but --cluster makes it itself; MONGODB_URI and REDIS_URL name servers to use"
        );
    }
    ready::port_is_free(args.port, ", or choose another with `cargo xtask run --cluster 3 --port 8081`")?;
    let since = Stopwatch::start();
    let built = page::build()?;
    tools::ensure(servers::NEEDS)?;
    let data = serve::data_folder(&args.data)?;
    let secret = secret_file(&data)?;
    let mut servers = Servers::start(Some(&data.join("mongo")))?;

    let front = Front::listen(args.port)?;
    let address = format!("http://127.0.0.1:{}", args.port);
    let public_url = args.public_url.clone().unwrap_or_else(|| address.clone());
    let mut nodes = Vec::new();
    for number in 1..=count {
        let port = servers::free_port()?;
        let mut natter = serve::listening(&built.binary, port, &public_url);
        natter.env("NATTER_STORE", servers::with_database(&servers.mongodb, "natter"));
        natter.env("NATTER_REDIS", &servers.redis).env("NATTER_SECRET_FILE", &secret);
        natter.env("NATTER_FILES", format!("file:{}", data.join("files").display()));
        serve::set_default(&mut natter, "NATTER_WEB_DIR", &built.page);
        let name = format!("node {number}");
        let mut running = Running::start(natter, Output::Piped)?;
        // One after the other: the first makes the indexes of an empty database.
        ready::until_ready(&mut running, port, |line| say(&format!("{name} | {line}")))?;
        nodes.push(Node { name, port, running, ended: false });
    }
    front.serve(nodes.iter().map(|node| SocketAddr::from((Ipv4Addr::LOCALHOST, node.port))).collect());
    say(&welcome(&address, &nodes, &since.words()));
    watch(&mut nodes, &mut servers)
}

/// Shows what the nodes say, and says when one ends.
fn watch(nodes: &mut [Node], servers: &mut Servers) -> Result<()> {
    let mut servers_are_there = true;
    while nodes.iter().any(|node| !node.ended) {
        for node in nodes.iter_mut().filter(|node| !node.ended) {
            let mut patience = LOOK_EVERY;
            while let Some(event) = node.running.next(patience) {
                patience = Duration::ZERO;
                match event {
                    Event::Out(line) | Event::Err(line) => say(&format!("{} | {line}", node.name)),
                    Event::Ended(status) => {
                        node.ended = true;
                        say(&format!("{} has ended ({status})", node.name));
                        break;
                    }
                }
            }
        }
        if servers_are_there && servers.has_ended() {
            servers_are_there = false;
            say(
                "MongoDB or Redis has ended: without MongoDB nothing can be sent, without Redis nodes hear late of each other",
            );
        }
    }
    bail!("every node has ended")
}

fn welcome(address: &str, nodes: &[Node], after: &str) -> String {
    let mut text = format!("\nNatter is running on {} nodes: {address}\n", nodes.len());
    for Node { name, port, running, .. } in nodes {
        let _ = writeln!(text, "  {name}: http://127.0.0.1:{port}, process {}", running.id());
    }
    let last = nodes.last().map_or(0, |node| node.running.id());
    let _ = write!(
        text,
        "Try: chat in two browsers, and type `kill -9 {last}` meanwhile: those who were on that node come back on another, \
         and nothing is lost or doubled.\nReady after {after}. Stop all of it with Ctrl-C.\n"
    );
    text
}

/// The signing key that all nodes share: made on the first run, for its owner alone.
fn secret_file(data: &Path) -> Result<PathBuf> {
    let path = data.join("secret");
    if path.is_file() {
        return Ok(path);
    }
    let mut bytes = [0; 32];
    File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut bytes))
        .context("/dev/urandom gives no bytes")?;
    let mut line = bytes.iter().fold(String::new(), |mut line, byte| {
        let _ = write!(line, "{byte:02x}");
        line
    });
    line.push('\n');
    // In one step, so that an interrupted run leaves no half of a key.
    let partial = data.join("secret.partial");
    let _ = fs::remove_file(&partial);
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&partial);
    let written = file.and_then(|mut file| file.write_all(line.as_bytes()).and_then(|()| file.sync_all()));
    written.and_then(|()| fs::rename(&partial, &path)).with_context(|| format!("cannot make {}", path.display()))?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_key_is_made_once_and_for_its_owner_alone() {
        let data = tempfile::tempdir().unwrap();
        let path = secret_file(data.path()).unwrap();
        let key = fs::read_to_string(&path).unwrap();
        assert!(key.len() == 65 && key.trim_end().bytes().all(|byte| byte.is_ascii_hexdigit()), "{key}");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_to_string(secret_file(data.path()).unwrap()).unwrap(), key);
        assert_ne!(fs::read_to_string(secret_file(tempfile::tempdir().unwrap().path()).unwrap()).unwrap(), key);
    }
}
