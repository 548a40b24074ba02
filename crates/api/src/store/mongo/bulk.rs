//! Many updates in one call. The driver has this for MongoDB 8 only; the command itself is as old as the server.

use super::Shared;
use super::fault::DUPLICATE_KEY;
use crate::store::{StoreError, Stored};
use mongodb::bson::{Bson, Document, doc};

/// The most statements of one command.
pub(super) const TOGETHER: usize = 500;

impl Shared {
    /// Does the statements of an `update` command, in no order, durably. What meets a unique key is passed over: another
    /// node has been there.
    pub(super) async fn update_all(&self, collection: &str, mut updates: Vec<Document>) -> Stored<()> {
        while !updates.is_empty() {
            let rest = updates.split_off(updates.len().min(TOGETHER));
            let command = doc! {
                "update": collection,
                "updates": updates,
                "ordered": false,
                "writeConcern": { "w": "majority", "j": true, "wtimeout": 5_000 },
            };
            let reply = self.db.run_command(command).await?;
            if reply.contains_key("writeConcernError") {
                return Err(StoreError::Unknown("MongoDB did not make an update durable in time".into()));
            }
            for error in reply.get_array("writeErrors").into_iter().flatten() {
                let code = error.as_document().and_then(|error| error.get("code")).and_then(Bson::as_i32);
                if code != Some(DUPLICATE_KEY) {
                    return Err(StoreError::Broken(format!("an update failed with MongoDB's code {code:?}")));
                }
            }
            updates = rest;
        }
        Ok(())
    }
}
