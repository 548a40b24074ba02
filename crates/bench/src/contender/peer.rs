//! The peer: Socket.IO and MongoDB on Node, crates/bench/peer/server.js.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use super::{Contender, PEER, Program, Town};
use crate::load::Person;
use crate::mongod::Mongod;
use crate::process::Server;
use crate::wire::dialect::Dialect;
use crate::workload::Bench;

pub struct Settings {
    program: PathBuf,
    uri: String,
}

/// `None` if no peer was given.
pub fn prepare(bench: &Bench, town: &Town, mongod: &Mongod) -> Option<Contender> {
    let program = bench.args.peer.as_ref()?.join("server.js");
    let person = |(at, group): (usize, usize)| {
        // The same author as Natter's messages have.
        let name = format!("person{at:04}");
        let user =
            format!(r#"{{"id":"7d3f4a61-9d7e-4f6f-8a9c-{at:012}","username":"{name}","display_name":"{name}"}}"#);
        let room = format!("0b8e1a5c-7d3f-4a61-9d7e-{group:012}");
        Person { hello: format!(r#"40{{"user":{user},"room":"{room}"}}"#).into(), room: room.into(), group }
    };
    let people = town.connected(town.people().into_iter().enumerate().map(person).collect());
    let program = Program::Peer(Settings { program, uri: mongod.uri("peer") });
    Some(Contender { name: PEER, dialect: Dialect::SocketIo, people, program, store: Some(mongod.pid()) })
}

pub fn start(bench: &Bench, settings: &Settings) -> Result<(Server, SocketAddr)> {
    let mut command = Command::new("node");
    command.arg(&settings.program).env("MONGODB_URI", &settings.uri).env("NODE_ENV", "production");
    Server::start_on_a_port(command, bench.cores, &bench.args.work.join("peer.err"))
}
