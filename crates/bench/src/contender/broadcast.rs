//! The floor as a contender: this program itself, started once more.

use std::net::SocketAddr;
use std::process::Command;

use anyhow::{Context, Result};

use super::{BROADCAST, Contender, Program, Town};
use crate::load::Person;
use crate::process::Server;
use crate::wire::dialect::Dialect;
use crate::workload::Bench;

pub fn prepare(town: &Town) -> Contender {
    // As long as a real hello and a real room id are.
    let person = |group| Person {
        hello: format!(r#"{{"type":"hello","token":"{}"}}"#, "x".repeat(400)).into(),
        room: "0b8e1a5c-7d3f-4a61-9d7e-2f6f0a9c1b22".into(),
        group,
    };
    let people = town.connected(town.people().into_iter().map(person).collect());
    Contender { name: BROADCAST, dialect: Dialect::Natter, people, program: Program::Broadcast, store: None }
}

pub fn start(bench: &Bench) -> Result<(Server, SocketAddr)> {
    let mut command = Command::new(std::env::current_exe().context("this program does not know where it is")?);
    command.arg("broadcast");
    Server::start_on_a_port(command, bench.cores, &bench.args.work.join("broadcast.err"))
}
