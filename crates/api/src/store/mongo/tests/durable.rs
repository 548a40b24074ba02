//! Every write asks for a majority of journals, in whatever way it is made.

use super::{address, open};
use crate::store::conformance::{World, message, whisper};
use crate::store::{CreatedRoom, NewEntry, NewMark, NewSession, Rotate, Store};
use mongodb::bson::Document;
use mongodb::event::EventHandler;
use mongodb::event::command::CommandEvent;
use natter_shared::account::ProfileChange;
use natter_shared::entry::EntryKind;
use natter_shared::id::{RoomId, Seq, SessionId};
use natter_shared::room::{Notify, Role, Visibility};
use natter_shared::text::{DisplayName, Emoji, MessageBody, RoomName, Topic};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// Commands that change what is kept, or make it so.
const WRITES: &[&str] =
    &["insert", "update", "delete", "findAndModify", "commitTransaction", "createIndexes", "bulkWrite"];

#[tokio::test]
#[ignore = "needs a MongoDB: cargo xtask test starts one"]
async fn every_write_asks_for_a_majority_of_journals() {
    let sent = Arc::new(Mutex::new(Vec::<(String, Document)>::new()));
    let ear = Arc::clone(&sent);
    let handler = EventHandler::callback(move |event| {
        if let CommandEvent::Started(started) = event {
            ear.lock().unwrap().push((started.command_name, started.command));
        }
    });
    let (mongo, world) = open(&address(), |options| options.command_event_handler = Some(handler)).await;
    people_and_logins(&world, &*mongo).await;
    rooms_and_entries(&world, &*mongo).await;

    let mut count: BTreeMap<&str, usize> = BTreeMap::new();
    let sent = sent.lock().unwrap();
    for (name, command) in sent.iter().filter(|(name, _)| WRITES.contains(&name.as_str())) {
        *count.entry(name).or_default() += 1;
        if command.contains_key("autocommit") && name != "commitTransaction" {
            assert!(!command.contains_key("writeConcern"), "a transaction's commit decides: {command}");
            continue;
        }
        let concern = command.get_document("writeConcern");
        let concern = concern.unwrap_or_else(|_| panic!("without a write concern: {command}"));
        assert!(concern.get_str("w").is_ok_and(|w| w == "majority"), "{command}");
        assert!(concern.get_bool("j").is_ok_and(|j| j), "{command}");
        let wtimeout = concern.get_i64("wtimeout").or_else(|_| concern.get_i32("wtimeout").map(i64::from));
        assert_eq!(wtimeout.unwrap(), 5_000, "{command}");
    }
    for name in ["insert", "update", "delete", "findAndModify", "commitTransaction", "createIndexes"] {
        assert!(count.contains_key(name), "nothing was tried with {name}: {count:?}");
    }
}

/// Does everything that can be done with people and logins.
async fn people_and_logins(world: &World, store: &dyn Store) {
    let ann = world.person("ann").await;
    let display_name = Some(DisplayName::parse("Ann O.").unwrap());
    store.update_profile(ann.id, &ProfileChange { display_name, ..ProfileChange::default() }).await.unwrap();
    store.set_password(ann.id, "other").await.unwrap();
    let now = world.now();
    for _ in 0..3 {
        let id = SessionId::from_bytes(world.fresh());
        let (expires_at, user_agent) = (now.plus_millis(1_000), String::new());
        store
            .create_session(NewSession { id, user: ann.id, created_at: now, expires_at, user_agent, token: [0; 32] })
            .await
            .unwrap();
        let rotate =
            Rotate { id, presented: [0; 32], generation: 0, next: [1; 32], was_ours: true, now, grace_ms: 1_000 };
        store.rotate(rotate).await.unwrap();
    }
    let ended = store.sessions_of(ann.id, now).await.unwrap()[0].id;
    assert!(store.revoke_session(ann.id, ended, now).await.unwrap());
    assert_eq!(store.revoke_sessions_of(ann.id, None, now).await.unwrap().len(), 2);
    assert_eq!(store.prune_sessions(now.plus_millis(2_000)).await.unwrap(), 3);
}

/// Does everything that can be done in rooms.
async fn rooms_and_entries(world: &World, store: &dyn Store) {
    let (bob, eve, joe) = (world.person("bob").await, world.person("eve").await, world.person("joe").await);
    store.direct(bob.id, eve.id, RoomId::from_bytes(world.fresh()), world.now()).await.unwrap();
    let made = store.create_room(world.new_room("Lobby", &bob)).await.unwrap();
    let CreatedRoom::Created(room, _) = made else { panic!("{made:?}") };
    store.set_code(room.id, None).await.unwrap();
    let room = room.id;
    for user in [&eve, &joe] {
        world.does(room, user, EntryKind::Joined).await;
    }
    let target = world.says(room, &bob, "hello").await.seq;
    let batch: Vec<NewEntry> =
        [message("one"), message("two"), whisper("three", &eve)].map(|what| world.entry(room, &bob, what)).to_vec();
    store.append(batch.clone()).await.unwrap();
    store.append(batch).await.unwrap();
    let (body, emoji) = (MessageBody::parse("hullo").unwrap(), Emoji::parse("👍").unwrap());
    for what in [
        EntryKind::Edited { target, body: body.clone(), mentions: vec![eve.id] },
        EntryKind::edited(target, body),
        EntryKind::Reacted { target, emoji: emoji.clone() },
        EntryKind::Unreacted { target, emoji },
        EntryKind::Pinned { target },
        EntryKind::Unpinned { target },
        EntryKind::Renamed { name: RoomName::parse("Hall").unwrap() },
        EntryKind::Topic { topic: Topic::parse("this and that").unwrap() },
        EntryKind::Visibility { visibility: Visibility::Private },
        EntryKind::Role { user: eve.id, role: Role::Admin },
        EntryKind::Removed { user: joe.id, banned: true },
        EntryKind::Deleted { target },
        EntryKind::Archived { archived: true },
    ] {
        world.does(room, &bob, what).await;
    }
    assert!(store.set_notify(room, eve.id, Notify::Nothing).await.unwrap());
    let mark = NewMark { room, user: eve.id, delivered: Seq::MAX, read: Seq::ZERO };
    assert_eq!(store.raise_marks(vec![mark]).await.unwrap().len(), 1);
    world.does(room, &eve, EntryKind::Left).await;
}
