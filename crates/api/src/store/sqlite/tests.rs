//! The contract on this store, and what only files can do.

mod crash;
mod files;
mod full;

use super::{Options, Sqlite};
use crate::store::conformance::{World, conforms};
use std::sync::Arc;
use tempfile::TempDir;

async fn empty() -> World {
    let folder = TempDir::new().unwrap();
    let store = Sqlite::open(folder.path().join("natter.db"), Options::default()).unwrap();
    World::new(Arc::new(store), folder)
}

conforms!(empty);
