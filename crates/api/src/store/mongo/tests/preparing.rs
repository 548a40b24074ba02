//! A fresh mongod that asks for passwords is made ready, and what its users may and may not do then.

use super::server::Mongod;
use crate::store::mongo::prepare::{PrepareError, prepare_at};
use crate::store::mongo::{Mongo, MongoUrl};
use mongodb::Client;
use mongodb::bson::{Document, doc};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

fn secret(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), format!("{text}\n")).unwrap();
}

fn as_user(mongod: &Mongod, user: &str) -> MongoUrl {
    mongod.address(&format!("{user}@"), "natter?replicaSet=natter&authSource=natter")
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the program mongod: cargo xtask test names one"]
async fn a_fresh_mongod_gets_a_set_an_owner_and_two_users_with_few_rights() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    std::fs::write(&key, "a key that only the members of this set know").unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o400)).unwrap();
    let mongod = Mongod::start(&["--replSet", "natter", "--keyFile", key.to_str().unwrap()]).await;
    let (port, secrets) = (mongod.port(), folder.path());
    let member = format!("127.0.0.1:{port}");

    let refused = prepare_at(port, &member, secrets).await.unwrap_err();
    assert!(matches!(&refused, PrepareError::NoPassword { .. }) && refused.is_an_argument(), "{refused}");
    for (name, text) in [("mongo_root", "owner's"), ("mongo_natter", "own"), ("mongo_backup", "")] {
        secret(secrets, name, text);
    }
    assert!(matches!(prepare_at(port, &member, secrets).await, Err(PrepareError::EmptyPassword(_))));
    secret(secrets, "mongo_backup", "reader's");
    assert!(matches!(prepare_at(port, "nowhere", secrets).await, Err(PrepareError::NoMember(_))));
    let told = prepare_at(port, &member, secrets).await.unwrap();
    assert!(told.contains("was made"), "{told}");

    // The server's user works with its own database, and with nothing else.
    let own = as_user(&mongod, "natter:own");
    drop(Mongo::open(&own).await.unwrap());
    let client = Client::with_uri_str(own.text()).await.unwrap();
    assert!(client.database("admin").collection::<Document>("system.users").find_one(doc! {}).await.is_err());
    assert!(client.database("other").collection("things").insert_one(doc! { "a": 1 }).await.is_err());
    // The one for backups reads it, and writes nothing.
    let reader = as_user(&mongod, "backup:reader's");
    drop(Mongo::open_to_read(&reader).await.unwrap());
    let client = Client::with_uri_str(reader.text()).await.unwrap().database("natter");
    assert!(client.collection::<Document>("about").find_one(doc! {}).await.unwrap().is_some());
    assert!(client.collection("users").insert_one(doc! { "a": 1 }).await.is_err());
    // Nobody comes in without a password.
    let stranger = mongod.address("", "natter?replicaSet=natter");
    let Err(refused) = Mongo::open(&stranger).await else { panic!("a stranger came in") };
    assert!(refused.to_string().contains("requires authentication"), "{refused}");

    // Done again it changes passwords, and nothing else.
    secret(secrets, "mongo_natter", "another");
    let told = prepare_at(port, &member, secrets).await.unwrap();
    assert!(!told.contains("was made"), "{told}");
    drop(Mongo::open(&as_user(&mongod, "natter:another")).await.unwrap());
    secret(secrets, "mongo_root", "not the owner's");
    let refused = prepare_at(port, &member, secrets).await.unwrap_err();
    assert!(matches!(refused, PrepareError::OtherPassword(_)), "{refused}");

    let alone = Mongod::start(&[]).await;
    assert!(matches!(prepare_at(alone.port(), &member, secrets).await, Err(PrepareError::Standalone)));
}
