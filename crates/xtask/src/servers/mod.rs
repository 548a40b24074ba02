//! MongoDB and Redis for the tests and for trying by hand: those that `MONGODB_URI` and `REDIS_URL` name, which are never
//! stopped, else private ones on free ports of 127.0.0.1, which end with this program and leave nothing behind.

mod launch;
mod mongodb;
mod redis;
mod scratch;
mod wire;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::process::Running;
use crate::progress::{Stopwatch, say};
use crate::tools::Part;
pub use launch::free_port;
use scratch::Scratch;

/// The variables that name servers to be used instead of private ones.
pub const MONGODB: &str = "MONGODB_URI";
pub const REDIS: &str = "REDIS_URL";

/// What the private servers need to be installed.
pub const NEEDS: &[Part] = &[Part::Mongod, Part::RedisServer];

/// The two servers. Dropping it ends the private ones.
pub struct Servers {
    /// Where MongoDB is, without a database in the address. It may hold a password: it is not to be shown.
    pub mongodb: String,
    /// Where Redis is. It may hold a password as well.
    pub redis: String,
    /// Ended before the folder goes in which they write, and in this order.
    private: Vec<Running>,
    _scratch: Scratch,
}

impl Servers {
    /// Starts those that the environment does not name and waits until they answer. `data`: where MongoDB keeps its files
    /// between runs; without it they go with the servers.
    pub fn start(data: Option<&Path>) -> Result<Self> {
        let since = Stopwatch::start();
        let scratch = Scratch::new()?;
        let mut private = Vec::new();
        let mut words = Vec::new();
        let mongodb = if let Some(address) = given(MONGODB) {
            words.push(format!("MongoDB of {MONGODB}"));
            address
        } else {
            let data = data.map_or_else(|| scratch.folder().join("mongo"), Path::to_owned);
            fs::create_dir_all(&data).with_context(|| format!("cannot make {}", data.display()))?;
            let (server, port) = mongodb::start(&data, &scratch.folder().join("mongod.log"))?;
            words.push(format!("MongoDB on port {port} (process {})", server.id()));
            private.push(server);
            format!("mongodb://127.0.0.1:{port}/?replicaSet={}", mongodb::SET)
        };
        let redis = if let Some(address) = given(REDIS) {
            words.push(format!("Redis of {REDIS}"));
            address
        } else {
            let (server, port) = redis::start(scratch.folder(), &scratch.folder().join("redis.log"))?;
            words.push(format!("Redis on port {port} (process {})", server.id()));
            private.push(server);
            format!("redis://127.0.0.1:{port}")
        };
        say(&format!("{}: ready in {}", words.join(", "), since.words()));
        Ok(Self { mongodb, redis, private, _scratch: scratch })
    }

    /// Whether a private one has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.private.iter_mut().any(launch::has_ended)
    }
}

/// The address that the environment gives.
pub fn given(variable: &str) -> Option<String> {
    std::env::var(variable).ok().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

/// The same address with `name` as its database, where it names none.
pub fn with_database(address: &str, name: &str) -> String {
    let (path, query) = address.split_once('?').map_or((address, None), |(path, query)| (path, Some(query)));
    let (scheme, hosts) = path.split_once("://").unwrap_or(("mongodb", path));
    let (hosts, database) = hosts.split_once('/').unwrap_or((hosts, ""));
    let database = if database.is_empty() { name } else { database };
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("{scheme}://{hosts}/{database}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_put_where_none_is_named() {
        for (address, with) in [
            ("mongodb://127.0.0.1:1/?replicaSet=natter", "mongodb://127.0.0.1:1/natter?replicaSet=natter"),
            ("mongodb://a:1,b:2", "mongodb://a:1,b:2/natter"),
            ("mongodb+srv://ann:pw@cluster.invalid/", "mongodb+srv://ann:pw@cluster.invalid/natter"),
            ("mongodb://a/chat?w=majority", "mongodb://a/chat?w=majority"),
        ] {
            assert_eq!(with_database(address, "natter"), with);
        }
    }
}
