//! Opening: what is refused and the sentence that says why, and what a start finds and mends.

use super::server::{Mongod, free_port};
use super::{World, address, open};
use crate::store::mongo::{Mongo, MongoUrl, OpenError};
use crate::store::{Accounts, Health, StoreError};
use mongodb::IndexModel;
use mongodb::bson::{Document, doc};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// A server that is not there is not waited for longer.
const PATIENCE: Duration = Duration::from_secs(1);
const PASSWORD: &str = "hunter22";

/// Why the address is not used. No sentence holds a password.
async fn refusal(url: &MongoUrl) -> OpenError {
    let Err(error) = Mongo::open_with(url, PATIENCE, |_| ()).await else { panic!("{url} was opened") };
    for said in [error.to_string(), format!("{error:?}")] {
        assert!(!said.contains(PASSWORD), "{said}");
    }
    assert!(error.to_string().starts_with("NATTER_STORE"), "{error}");
    error
}

#[tokio::test]
async fn an_address_that_cannot_be_read_is_refused() {
    for bad in ["mongodb://", "mongodb://ann:hunter22@/x", "mongodb://ann:hunter22@h:x/", "mongodb://ann:hunter/22@h/"]
    {
        let error = refusal(&MongoUrl::parse(bad).unwrap()).await;
        assert!(matches!(error, OpenError::BadUrl(_)) && error.is_a_setting(), "{bad}: {error:?}");
    }
}

#[tokio::test]
async fn nobody_at_the_address_is_said_so() {
    let nobody = format!("mongodb://ann:{PASSWORD}@127.0.0.1:{}/natter?replicaSet=rs0", free_port());
    let error = refusal(&MongoUrl::parse(&nobody).unwrap()).await;
    assert!(matches!(error, OpenError::Unreachable { .. }) && !error.is_a_setting(), "{error:?}");
}

#[tokio::test]
#[ignore = "needs the program mongod: cargo xtask test names one"]
async fn a_server_that_stands_alone_is_refused() {
    let alone = Mongod::start(&[]).await;
    let error = refusal(&alone.address("", "")).await;
    assert!(matches!(error, OpenError::Standalone { .. }) && error.is_a_setting(), "{error:?}");
    assert!(error.to_string().contains("--replSet"), "{error}");
}

#[tokio::test]
#[ignore = "needs the program mongod: cargo xtask test names one"]
async fn a_wrong_password_is_said_so() {
    let server = Mongod::start(&[]).await;
    let error = refusal(&server.address(&format!("ann:{PASSWORD}@"), "")).await;
    assert!(matches!(error, OpenError::Refused { .. }) && error.is_a_setting(), "{error:?}");
}

#[tokio::test]
#[ignore = "needs the program mongod: cargo xtask test names one"]
async fn a_set_is_waited_for_at_the_start_and_after_a_kill() {
    let mut member = Mongod::start(&["--replSet", "rs0"]).await;
    for options in ["?replicaSet=rs0", "?directConnection=true"] {
        let error = refusal(&member.address("", options)).await;
        assert!(matches!(error, OpenError::Unreachable { .. }), "{error:?}");
    }
    let (url, patience) = (member.address("", "?replicaSet=rs0"), super::BOUND);
    let opening = tokio::spawn(async move { Mongo::open_with(&url, patience, |_| ()).await });
    member.initiate("rs0").await;
    let mongo = Arc::new(opening.await.unwrap().unwrap());
    mongo.ping().await.unwrap();
    let world = World::new(Arc::<Mongo>::clone(&mongo), ());
    let ann = world.person("ann").await;
    member.kill();
    assert!(matches!(mongo.ping().await, Err(StoreError::Unknown(_))));
    assert!(matches!(mongo.users(&[ann.id]).await, Err(StoreError::Unknown(_))));
    member.restart().await;
    let begun = Instant::now();
    while let Err(error) = mongo.ping().await {
        assert!(matches!(error, StoreError::Unknown(_)) && begun.elapsed() < super::BOUND, "{error}");
    }
    assert_eq!(mongo.users(&[ann.id]).await.unwrap(), [ann]);
}

#[tokio::test]
#[ignore = "needs a MongoDB: cargo xtask test starts one"]
async fn a_second_start_keeps_what_is_there_and_makes_what_is_missing() {
    let url = address();
    let (mongo, world) = open(&url, |_| ()).await;
    let ann = world.person("ann").await;
    mongo.shared.members.drop_index("user_state").await.unwrap();
    let more = IndexModel::builder().keys(doc! { "display_name": 1 }).build();
    mongo.shared.users.create_index(more).await.unwrap();
    let again = Mongo::open(&url).await.unwrap();
    assert_eq!(again.user(ann.id).await.unwrap().unwrap().user, ann);
    let indexes = again.shared.members.list_index_names().await.unwrap();
    assert!(indexes.iter().any(|name| name == "user_state"), "{indexes:?}");
    // Both nodes go on.
    let bob = world.person("bob").await;
    assert_eq!(again.users(&[bob.id]).await.unwrap(), [bob]);
}

#[tokio::test]
#[ignore = "needs a MongoDB: cargo xtask test starts one"]
async fn newer_data_is_left_alone() {
    let url = address();
    let (mongo, _world) = open(&url, |_| ()).await;
    let about = mongo.shared.db.collection::<Document>("about");
    about.update_one(doc! { "_id": "data" }, doc! { "$set": { "version": 1_000 } }).await.unwrap();
    mongo.shared.users.drop_index("username").await.unwrap();
    let error = refusal(&url).await;
    assert!(matches!(error, OpenError::Newer { stored: 1_000, .. }), "{error:?}");
    let indexes = mongo.shared.users.list_index_names().await.unwrap();
    assert!(indexes.iter().all(|name| name != "username"), "nothing is made: {indexes:?}");
}
