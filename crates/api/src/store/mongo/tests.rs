//! The contract on this store, and what only a MongoDB can do. `NATTER_TEST_MONGODB` is the address of a replica set, such as
//! `mongodb://127.0.0.1:27017/?replicaSet=rs0`; every test has a database of its own there. Tests that need a server of
//! their own start the program `NATTER_TEST_MONGOD`.

mod durable;
mod hostile;
mod opening;
mod plans;
mod preparing;
mod server;

use super::{Mongo, MongoUrl};
use crate::clock::{SystemEntropy, random};
use crate::store::conformance::{World, conforms};
use mongodb::options::ClientOptions;
use std::sync::Arc;
use std::time::Duration;

/// How long anything is waited for before that is a failure.
const BOUND: Duration = Duration::from_secs(30);

/// A database that nobody else uses, which goes with this.
struct Own(Arc<Mongo>);

impl Drop for Own {
    fn drop(&mut self) {
        let mongo = Arc::clone(&self.0);
        // The test's own thread must not wait for the driver's.
        let dropping = std::thread::spawn(move || {
            mongo.handle.block_on(async { tokio::time::timeout(BOUND, mongo.shared.db.drop()).await })
        });
        let dropped = dropping.join();
        assert!(std::thread::panicking() || matches!(dropped, Ok(Ok(Ok(())))), "the database stays: {dropped:?}");
    }
}

/// The address of a new database.
fn address() -> MongoUrl {
    let server = std::env::var("NATTER_TEST_MONGODB").expect(
        "NATTER_TEST_MONGODB must be the address of a MongoDB that is a replica set; cargo xtask test starts one",
    );
    let (hosts, options) = server.split_once("/?").unwrap_or((server.trim_end_matches('/'), ""));
    let name = format!("natter_test_{:016x}", u64::from_be_bytes(random(&SystemEntropy)));
    let separator = if options.is_empty() { "" } else { "&" };
    MongoUrl::parse(&format!("{hosts}/{name}?maxPoolSize=16{separator}{options}")).unwrap()
}

async fn open(url: &MongoUrl, change: impl FnOnce(&mut ClientOptions)) -> (Arc<Mongo>, World) {
    let mongo = Arc::new(Mongo::open_with(url, BOUND, change).await.unwrap());
    let world = World::new(Arc::<Mongo>::clone(&mongo), Own(Arc::clone(&mongo)));
    (mongo, world)
}

async fn empty() -> World {
    open(&address(), |_| ()).await.1
}

conforms!(empty, #[ignore = "needs a MongoDB: cargo xtask test starts one"]);
