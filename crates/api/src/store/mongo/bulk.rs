//! Many updates in one call. The driver has this for MongoDB 8 only; the command itself is as old as the server.

use super::Shared;
use super::fault::{DUPLICATE_KEY, Duplicate, index_of};
use super::open::majority;
use crate::store::{StoreError, Stored};
use mongodb::bson::{Document, doc, serialize_to_bson};

/// The most statements of one command.
pub(super) const TOGETHER: usize = 500;

impl Shared {
    /// Does the statements of an `update` command, in no order, durably. What meets a unique key is passed over: another
    /// node has been there.
    pub(super) async fn update_all(&self, collection: &str, mut updates: Vec<Document>) -> Stored<()> {
        let durable = serialize_to_bson(&majority()).map_err(|error| StoreError::Broken(error.to_string()))?;
        while !updates.is_empty() {
            let rest = updates.split_off(updates.len().min(TOGETHER));
            let command = doc! {
                "update": collection,
                "updates": updates,
                "ordered": false,
                // The driver adds its own only to the commands that it makes itself.
                "writeConcern": durable.clone(),
            };
            let reply = self.db.run_command(command).await?;
            if reply.contains_key("writeConcernError") {
                return Err(StoreError::Unknown("MongoDB did not make an update durable in time".into()));
            }
            if let Some(refused) = refusals(&reply).find(|refused| refused.code != DUPLICATE_KEY) {
                return Err(StoreError::Broken(format!("an update failed with MongoDB's code {}", refused.code)));
            }
            updates = rest;
        }
        Ok(())
    }
}

/// A statement that the server did not carry out.
pub(super) struct Refused {
    pub code: i32,
    message: String,
}

impl Refused {
    /// Whether a unique key was there already.
    pub fn duplicate(&self) -> Option<Duplicate> {
        (self.code == DUPLICATE_KEY).then(|| Duplicate { at: 0, index: index_of(&self.message).to_owned() })
    }
}

fn refusals(reply: &Document) -> impl Iterator<Item = Refused> {
    let errors = reply.get_array("writeErrors").into_iter().flatten();
    errors.filter_map(|error| error.as_document()).map(|error| Refused {
        code: error.get_i32("code").unwrap_or_default(),
        message: error.get_str("errmsg").unwrap_or_default().to_owned(),
    })
}

/// The first statement of an ordered command that was not carried out.
pub(super) fn refused(reply: &Document) -> Option<Refused> {
    refusals(reply).next()
}
