//! Who is measured: Natter on each of its stores, the peer, and the broadcast that stores nothing. Each is a program of
//! its own on the servers' core, and each has the same people in the same rooms.

mod broadcast;
mod natter;
mod peer;

use std::net::SocketAddr;

use anyhow::Result;

use crate::load::Person;
use crate::mongod::Mongod;
use crate::process::Server;
use crate::wire::dialect::Dialect;
use crate::workload::Bench;

pub const SQLITE: &str = "natter, SQLite";
pub const MONGODB: &str = "natter, MongoDB";
pub const PEER: &str = "socket.io, MongoDB";
pub const BROADCAST: &str = "tokio broadcast, stores nothing";

/// Who lives where: rooms of so many people each, and how often everybody is connected.
#[derive(Debug, Clone)]
pub struct Town {
    pub rooms: Vec<usize>,
    pub connections: usize,
}

impl Town {
    /// The room of each person.
    pub fn people(&self) -> Vec<usize> {
        self.rooms.iter().enumerate().flat_map(|(room, size)| vec![room; *size]).collect()
    }

    /// Each person as often as they are connected, people of a room beside each other.
    fn connected(&self, people: Vec<Person>) -> Vec<Person> {
        people.into_iter().flat_map(|person| vec![person; self.connections]).collect()
    }
}

/// A contender that is ready to be started, as often as wanted.
pub struct Contender {
    pub name: &'static str,
    pub dialect: Dialect,
    /// Everybody who may connect, as often as they may.
    pub people: Vec<Person>,
    program: Program,
    /// Its store's process, which runs all the time.
    store: Option<u32>,
}

enum Program {
    Natter(natter::Settings),
    Peer(peer::Settings),
    Broadcast,
}

/// A contender that runs; dropping it ends it.
pub struct Running {
    pub address: SocketAddr,
    pub server: Server,
    /// The processes whose CPU counts, the store's included.
    pub pids: Vec<u32>,
}

/// The contenders of a workload, and who is not there, with the reason.
pub struct Field {
    pub contenders: Vec<Contender>,
    pub absent: Vec<String>,
    /// Ends after those who use it.
    pub mongod: Option<Mongod>,
}

impl Field {
    /// Makes everybody ready: databases with the town's people in them.
    pub async fn prepare(bench: &Bench<'_>, town: &Town, with_broadcast: bool) -> Result<Self> {
        let mongod = match &bench.args.mongod {
            Some(program) => Some(Mongod::start(program, &bench.fresh_folder("mongod")?, bench.cores).await?),
            None => None,
        };
        let mut field = Self { contenders: Vec::new(), absent: Vec::new(), mongod };
        let prepared = natter::prepare(bench, town, None).await;
        field.add(SQLITE, prepared)?;
        match &field.mongod {
            None => field.absent.extend([MONGODB, PEER].map(|name| format!("{name}: no mongod was given"))),
            Some(mongod) => {
                let on_mongodb = natter::prepare(bench, town, Some(mongod)).await;
                let peer = peer::prepare(bench, town, mongod);
                field.add(MONGODB, on_mongodb)?;
                match peer {
                    Some(peer) => field.contenders.push(peer),
                    None => field.absent.push(format!("{PEER}: no peer was given")),
                }
            }
        }
        if with_broadcast {
            field.contenders.push(broadcast::prepare(town));
        }
        Ok(field)
    }

    fn add(&mut self, name: &str, prepared: Result<Contender>) -> Result<()> {
        match prepared {
            Ok(contender) => self.contenders.push(contender),
            // The server itself says of a store that it does not have yet that it is not in this build.
            Err(why) if format!("{why:#}").contains("not in this build") => {
                self.absent.push(format!("{name}: not in this build"));
            }
            Err(why) => return Err(why.context(name.to_owned())),
        }
        Ok(())
    }
}

impl Contender {
    pub fn start(&self, bench: &Bench) -> Result<Running> {
        let (server, address) = match &self.program {
            Program::Natter(settings) => natter::start(bench, settings),
            Program::Peer(settings) => peer::start(bench, settings),
            Program::Broadcast => broadcast::start(bench),
        }?;
        let pids = std::iter::once(server.pid()).chain(self.store).collect();
        Ok(Running { address, server, pids })
    }

    /// Those of the people who are in this room.
    pub fn people_of(&self, room: usize) -> Vec<Person> {
        self.people.iter().filter(|person| person.group == room).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_has_a_room_and_their_connections() {
        let town = Town { rooms: vec![2, 1], connections: 2 };
        assert_eq!(town.people(), [0, 0, 1]);
        let people = broadcast::prepare(&town).people;
        assert_eq!(people.iter().map(|person| person.group).collect::<Vec<_>>(), [0, 0, 0, 0, 1, 1]);
    }
}
