//! The indexes of each collection, and the version of the data. Made at every start; making what is there changes nothing.

use super::Shared;
use super::open::OpenError;
use mongodb::IndexModel;
use mongodb::bson::{Document, doc};
use mongodb::options::IndexOptions;

/// The version of what is stored. A newer one is refused; an older one is brought forward here.
const VERSION: i32 = 1;

pub(super) const USERNAME: &str = "username";
pub(super) const NAME_KEY: &str = "name_key";
pub(super) const CODE: &str = "code";
pub(super) const PAIR: &str = "pair";
pub(super) const ROOM_USER: &str = "room_user";
pub(super) const ID: &str = "_id_";
/// What an earlier version made over `entries`, beside the ids. Where it is there, it says the same as they do.
pub(super) const ROOM_SEQ: &str = "room_seq";
pub(super) const ONCE: &str = "room_author_client_id";

fn index(name: &str, keys: Document) -> IndexModel {
    IndexModel::builder().keys(keys).options(IndexOptions::builder().name(name.to_owned()).build()).build()
}

fn unique(name: &str, keys: Document) -> IndexModel {
    let options = IndexOptions::builder().name(name.to_owned()).unique(true).build();
    IndexModel::builder().keys(keys).options(options).build()
}

/// Over the documents that have `field` only.
fn where_there(mut model: IndexModel, field: &str) -> IndexModel {
    if let Some(options) = &mut model.options {
        options.partial_filter_expression = Some(doc! { field: { "$exists": true } });
    }
    model
}

/// Makes what is missing, and checks the version of what is there.
pub(super) async fn prepare(shared: &Shared) -> Result<(), OpenError> {
    note_version(shared).await?;
    let mut admins = index("admin_username", doc! { "admin": 1, "username": 1 });
    if let Some(options) = &mut admins.options {
        options.partial_filter_expression = Some(doc! { "admin": true });
    }
    let deletions = where_there(index("deletion", doc! { "deletion": 1, "_id": 1 }), "deletion");
    let secrets = where_there(unique("integration_secret", doc! { "integration.secret": 1 }), "integration.secret");
    let of_rooms = where_there(index("integration_room", doc! { "integration.room": 1 }), "integration.room");
    shared
        .users
        .create_indexes([unique(USERNAME, doc! { "username": 1 }), admins, deletions, secrets, of_rooms])
        .await?;
    shared
        .sessions
        .create_indexes([index("user", doc! { "user": 1 }), index("expires_at", doc! { "expires_at": 1 })])
        .await?;
    shared
        .rooms
        .create_indexes([
            where_there(unique(NAME_KEY, doc! { "name_key": 1 }), "name_key"),
            where_there(unique(CODE, doc! { "code": 1 }), "code"),
            where_there(unique(PAIR, doc! { "pair": 1 }), "pair"),
        ])
        .await?;
    shared
        .members
        .create_indexes([
            unique(ROOM_USER, doc! { "room": 1, "user": 1 }),
            index("user_state", doc! { "user": 1, "state": 1 }),
            index("room_state_role", doc! { "room": 1, "state": 1, "role": 1 }),
        ])
        .await?;
    // Each further index is paid for by every message: beside the ids these two, the others hold few entries. `log` has all
    // that counting the unread messages asks for, so that none of them is read for it.
    shared
        .entries
        .create_indexes([
            index("log", doc! { "room": 1, "seq": 1, "kind": 1, "author": 1, "other": 1, "deleted": 1 }),
            where_there(unique(ONCE, doc! { "room": 1, "author": 1, "client_id": 1 }), "client_id"),
            where_there(index("room_target", doc! { "room": 1, "target": 1, "seq": 1 }), "target"),
            where_there(index("room_mentioned", doc! { "room": 1, "mentioned": 1, "seq": 1 }), "mentioned"),
            where_there(index("room_pinned", doc! { "room": 1, "pinned": 1 }), "pinned"),
            where_there(index("room_event", doc! { "room": 1, "seq": 1, "event": 1 }), "event"),
        ])
        .await?;
    shared
        .words
        .create_indexes([
            unique(ROOM_SEQ, doc! { "room": 1, "seq": 1 }),
            index("room_words", doc! { "room": 1, "words": 1, "at": -1 }),
        ])
        .await?;
    shared
        .uploads
        .create_indexes([
            index("owner_bytes", doc! { "owner": 1, "bytes": 1 }),
            where_there(index("idle", doc! { "idle": 1, "created_at": 1 }), "idle"),
        ])
        .await?;
    shared
        .events
        .create_indexes([
            index("at", doc! { "at": -1, "_id": -1 }),
            index("kind_at", doc! { "kind": 1, "at": -1, "_id": -1, "count": 1 }),
            where_there(index("user_at", doc! { "user": 1, "at": -1, "_id": -1 }), "user"),
            where_there(index("other_at", doc! { "other": 1, "at": -1, "_id": -1 }), "other"),
        ])
        .await?;
    Ok(())
}

/// Refuses data of a newer version. `false` if nothing was ever stored.
pub(super) async fn check_version(shared: &Shared) -> Result<bool, OpenError> {
    let found = shared.db.collection::<Document>("about").find_one(doc! { "_id": "data" }).await?;
    let version = found.and_then(|data| data.get_i32("version").ok());
    match version {
        Some(stored) if stored > VERSION => Err(OpenError::Newer { stored, known: VERSION }),
        version => Ok(version.is_some()),
    }
}

async fn note_version(shared: &Shared) -> Result<(), OpenError> {
    if !check_version(shared).await? {
        let about = shared.db.collection::<Document>("about");
        let update = doc! { "$setOnInsert": { "version": VERSION } };
        about.update_one(doc! { "_id": "data" }, update).upsert(true).await?;
    }
    Ok(())
}
