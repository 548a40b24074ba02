//! What reading costs: not the length of the logs. A plan that reads a whole room is right in every test with a small one.

use super::{Mongo, World, open};
use crate::store::conformance::{calling, message};
use crate::store::mongo::document::{EntryDoc, Id};
use crate::store::mongo::overviews;
use crate::store::{Log, Rooms};
use futures_util::TryStreamExt;
use mongodb::bson::{DateTime, Document, doc};
use natter_shared::account::User;
use natter_shared::id::{RoomId, UserId};
use natter_shared::limits;

/// Messages in each room: more than are ever counted as unread.
const LONG: i64 = 2_000;
const ROOMS: usize = 5;

/// Rooms with as many messages of `author`.
async fn long_rooms(mongo: &Mongo, world: &World, reader: &User, author: &User) -> Vec<RoomId> {
    let mut rooms = Vec::new();
    for n in 0..ROOMS {
        let room = world.room(&format!("Room {n}"), &[reader]).await.id;
        let hello = |seq| EntryDoc {
            room: room.stored(),
            seq,
            at: DateTime::from_millis(seq),
            author: author.id.stored(),
            ..EntryDoc::of(&message("hello")).unwrap()
        };
        mongo.shared.entries.insert_many((2..=LONG).map(hello)).await.unwrap();
        rooms.push(room);
    }
    rooms
}

/// What a number in a document is, of whatever width.
fn number(doc: &Document, key: &str) -> i64 {
    doc.get_i64(key).or_else(|_| doc.get_i32(key).map(i64::from)).unwrap_or_else(|_| panic!("no {key} in {doc}"))
}

#[tokio::test]
#[ignore = "needs a MongoDB: cargo xtask test starts one"]
async fn heads_cost_a_key_a_room() {
    let (mongo, world) = open(&super::address(), |_| ()).await;
    let (ann, bob) = (world.person("ann").await, world.person("bob").await);
    let rooms = long_rooms(&mongo, &world, &ann, &bob).await;
    let db = &mongo.shared.db;
    db.run_command(doc! { "profile": 2 }).await.unwrap();
    assert!(mongo.heads(&rooms).await.unwrap().iter().all(|(_, head)| head.get() == LONG.unsigned_abs()));
    mongo.room_for(rooms[0], ann.id).await.unwrap().unwrap();
    mongo.directory(Some("room"), None, 10).await.unwrap();
    db.run_command(doc! { "profile": 0 }).await.unwrap();
    let profile = db.collection::<Document>("system.profile");
    let which = doc! { "op": { "$in": ["query", "command", "getmore"] }, "keysExamined": { "$exists": true } };
    let done: Vec<Document> = profile.find(which).await.unwrap().try_collect().await.unwrap();
    assert!(done.len() >= 5, "{done:?}");
    for call in done {
        assert!(number(&call, "keysExamined") <= 4 * i64::try_from(ROOMS).unwrap(), "{call}");
        assert!(!call.get_str("planSummary").unwrap_or_default().contains("COLLSCAN"), "{call}");
    }
}

#[tokio::test]
#[ignore = "needs a MongoDB: cargo xtask test starts one"]
async fn an_overview_goes_by_the_index_of_the_log() {
    let (mongo, world) = open(&super::address(), |_| ()).await;
    let (ann, bob) = (world.person("ann").await, world.person("bob").await);
    let rooms = long_rooms(&mongo, &world, &ann, &bob).await;
    // All but the last ten are read.
    let read = doc! { "$set": { "read": LONG - 10, "delivered": LONG } };
    mongo.shared.members.update_many(doc! { "user": ann.id.stored() }, read).await.unwrap();
    let command = doc! {
        "explain": { "aggregate": "members", "pipeline": overviews::pipeline(ann.id), "cursor": {} },
        "verbosity": "executionStats",
    };
    let plan = mongo.shared.db.run_command(command).await.unwrap();
    let stages = plan.get_array("stages").unwrap().iter().filter_map(|stage| stage.as_document());
    let mut lookups = Vec::new();
    for stage in stages.filter(|stage| stage.contains_key("$lookup")) {
        let by = stage.get_array("indexesUsed").unwrap();
        let by: Vec<&str> = by.iter().filter_map(|index| index.as_str()).collect();
        assert_eq!(number(stage, "collectionScans"), 0, "{stage}");
        assert!(number(stage, "totalKeysExamined") <= 12 * i64::try_from(ROOMS).unwrap(), "{stage}");
        lookups.push(by.join(" "));
    }
    assert_eq!(lookups, ["_id_", "log", "log"], "{plan}");
    let overviews = mongo.overviews(ann.id).await.unwrap();
    assert_eq!(overviews.len(), rooms.len());
    assert!(overviews.iter().all(|overview| overview.unread == 10 && overview.last_message.is_some()));
}

#[tokio::test]
#[ignore = "needs a MongoDB: cargo xtask test starts one"]
async fn unread_messages_are_counted_in_an_index_and_to_their_limit() {
    let (mongo, world) = open(&super::address(), |_| ()).await;
    let (ann, bob) = (world.person("ann").await, world.person("bob").await);
    let room = long_rooms(&mongo, &world, &ann, &bob).await[0];
    for (read, most) in [(LONG - 10, 10), (1, i64::from(limits::UNREAD_MAX))] {
        let pipeline = overviews::unread(ann.id, room.stored(), read, LONG);
        let explain = doc! { "aggregate": "entries", "pipeline": &pipeline, "cursor": {} };
        let command = doc! { "explain": explain, "verbosity": "executionStats" };
        let plan = mongo.shared.db.run_command(command).await.unwrap();
        let first = plan.get_array("stages").unwrap()[0].as_document().unwrap();
        let done = first.get_document("$cursor").unwrap().get_document("executionStats").unwrap();
        assert_eq!(number(done, "totalDocsExamined"), 0, "no message is read: {plan}");
        // The bounds leave the reader's own messages out, which takes a look at where they would be.
        assert!((most..=most + 2).contains(&number(done, "totalKeysExamined")), "{plan}");
        let counted: Vec<Document> =
            mongo.shared.entries.aggregate(pipeline).await.unwrap().try_collect().await.unwrap();
        assert_eq!(counted.iter().map(|count| number(count, "n")).collect::<Vec<_>>(), [most]);
    }
}

#[tokio::test]
#[ignore = "needs a MongoDB: cargo xtask test starts one"]
async fn mentions_are_counted_without_reading_what_mentions_nobody() {
    let (mongo, world) = open(&super::address(), |_| ()).await;
    let (ann, bob) = (world.person("ann").await, world.person("bob").await);
    let room = long_rooms(&mongo, &world, &ann, &bob).await[0];
    let called = |seq: i64, whom: &[UserId]| EntryDoc {
        room: room.stored(),
        seq,
        at: DateTime::from_millis(seq),
        author: bob.id.stored(),
        ..EntryDoc::of(&calling(message("@ann"), whom)).unwrap()
    };
    let docs =
        [called(LONG + 1, &[ann.id]), called(LONG + 2, &[bob.id, ann.id]), called(LONG + 3, &[UserId::EVERYBODY])];
    mongo.shared.entries.insert_many(docs).await.unwrap();
    let pipeline = overviews::mentions(ann.id, room.stored(), 1, LONG + 3);
    let explain = doc! { "aggregate": "entries", "pipeline": &pipeline, "cursor": {} };
    let plan = mongo.shared.db.run_command(doc! { "explain": explain, "verbosity": "executionStats" }).await.unwrap();
    let first = plan.get_array("stages").unwrap()[0].as_document().unwrap();
    let done = first.get_document("$cursor").unwrap().get_document("executionStats").unwrap();
    assert!(number(done, "totalKeysExamined") <= 8 && number(done, "totalDocsExamined") <= 3, "{plan}");
    let overviews = mongo.overviews(ann.id).await.unwrap();
    let counts = overviews.iter().find(|it| it.room.id == room).map(|it| (it.unread, it.mentions));
    assert_eq!(counts, Some((limits::UNREAD_MAX, 3)));
}

#[tokio::test]
#[ignore = "needs a MongoDB: cargo xtask test starts one"]
async fn pins_go_by_their_index() {
    let (mongo, world) = open(&super::address(), |_| ()).await;
    let (ann, bob) = (world.person("ann").await, world.person("bob").await);
    let room = long_rooms(&mongo, &world, &ann, &bob).await[0];
    for seq in [7, 700] {
        let which = doc! { "room": room.stored(), "seq": seq };
        mongo.shared.entries.update_one(which, doc! { "$set": { "pinned": LONG + seq } }).await.unwrap();
    }
    let db = &mongo.shared.db;
    db.run_command(doc! { "profile": 2 }).await.unwrap();
    let seqs: Vec<u64> = mongo.pins(room, ann.id).await.unwrap().iter().map(|pin| pin.seq.get()).collect();
    db.run_command(doc! { "profile": 0 }).await.unwrap();
    assert_eq!(seqs, [700, 7]);
    let profile = db.collection::<Document>("system.profile");
    let which = doc! { "op": "query", "keysExamined": { "$exists": true } };
    let done: Vec<Document> = profile.find(which).await.unwrap().try_collect().await.unwrap();
    assert!(!done.is_empty());
    for call in done {
        assert!(number(&call, "keysExamined") <= 8 && number(&call, "docsExamined") <= 4, "{call}");
        // They come out of the index in their order; what changed them is few.
        let of_pins = call.get_document("command").unwrap().get_document("filter").unwrap().contains_key("pinned");
        assert!(!of_pins || !call.get_bool("hasSortStage").unwrap_or(false), "{call}");
    }
}
