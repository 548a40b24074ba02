//! The floor of a durable write to MongoDB: the same batches by bare `insert_many`, with the same write concern, one
//! after the other, on one connection.

use std::time::Duration;

use anyhow::{Result, ensure};
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, DateTime, Document, doc};
use mongodb::options::WriteConcern;
use mongodb::{Client, Collection};
use tokio::time::Instant;

use super::on_core;
use crate::statistics::figure;
use crate::wire::dialect::BODY;

/// Entries a second, in batches of `batch`.
pub async fn entries_a_second(uri: String, batch: usize, window: Duration, core: usize) -> Result<f64> {
    on_core(core, move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(insert(&uri, batch, window))
    })
    .await
}

async fn insert(uri: &str, batch: usize, window: Duration) -> Result<f64> {
    let client = Client::with_uri_str(uri).await?;
    let database = client.default_database().unwrap_or_else(|| client.database("floor"));
    let entries: Collection<Document> = database.collection("entries");
    let durable = WriteConcern::builder().w(mongodb::options::Acknowledgment::Majority).journal(true).build();
    let documents: Vec<Document> = (0..batch).map(entry).collect();
    let mut inserted = 0;
    // The first one connects and makes the collection.
    entries.insert_many(&documents).write_concern(durable.clone()).await?;
    let since = Instant::now();
    while since.elapsed() < window {
        let outcome = entries.insert_many(&documents).ordered(true).write_concern(durable.clone()).await?;
        ensure!(outcome.inserted_ids.len() == batch, "a batch went in by halves");
        inserted += batch as u64;
    }
    Ok(figure(inserted) / since.elapsed().as_secs_f64())
}

/// A message as a log keeps it. `_id` is the driver's, new for each insert.
fn entry(seq: usize) -> Document {
    let id = |byte: u8| Binary { subtype: BinarySubtype::Uuid, bytes: vec![byte; 16] };
    doc! {
        "room": id(1), "seq": i64::try_from(seq).unwrap_or(i64::MAX), "at": DateTime::from_millis(1_764_331_200_000),
        "author": id(2), "client_id": id(3), "kind": "message", "body": BODY,
    }
}
