//! Data of earlier versions. In `tests/upgrade` lies what the code of commit 8d209ef wrote, which knew the first three steps
//! of the embedded store's schema: its database, its signing key, and an archive that it exported. Three people and a guest
//! wrote it through its API. Neither is ever made anew; a later version adds files of its own.

use crate::support::{Person, Server, also_on_a_cluster};
use natter_shared::account::Me;
use natter_shared::entry::{Entry, EntryKind};
use natter_shared::id::Seq;
use natter_shared::page::{MessagePage, Page};
use natter_shared::path;
use natter_shared::room::RoomOverview;
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};

also_on_a_cluster! {
    an_archive_of_an_earlier_version_fills_a_store_of_this_one,
}

fn kept(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/upgrade").join(name)
}

#[tokio::test]
async fn a_database_of_an_earlier_version_goes_on() {
    let mut server = Server::on_what_is_there(|place| {
        fs::copy(kept("schema-3.db"), place.database()).unwrap();
        fs::copy(kept("schema-3.secret"), place.key()).unwrap();
    });
    everything_is_there_and_goes_on(&server).await;
    server = server.restart();
    let ann = returns(&server, "ann").await;
    let rooms = rooms_of(&ann).await;
    assert!(room(&rooms, "Garden").last_message.is_some(), "the second start finds it as the first one left it");
}

#[tokio::test]
async fn an_archive_of_an_earlier_version_fills_a_store_of_this_one() {
    let server = Server::on_what_is_there(|place| {
        fs::copy(kept("schema-3.secret"), place.key()).unwrap();
        let settings = place.settings();
        let settings: Vec<_> = settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let mut import = crate::binary::natter(&settings);
        import.arg("import").arg(kept("format-1.natter"));
        let output = crate::binary::ends(import);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    });
    everything_is_there_and_goes_on(&server).await;
}

/// Logs in with the password that the earlier version hashed.
async fn returns(server: &Server, username: &str) -> Person {
    let mut person = server.stranger();
    person.username = username.to_owned();
    person.login_again(server).await
}

async fn rooms_of(person: &Person) -> Vec<RoomOverview> {
    person.get(path::MY_ROOMS).await.expect(200).read::<Page<RoomOverview>>().items
}

fn room<'a>(rooms: &'a [RoomOverview], name: &str) -> &'a RoomOverview {
    let found = rooms.iter().find(|r| r.room.name.as_str() == name);
    found.unwrap_or_else(|| panic!("{name} is there"))
}

async fn everything_is_there_and_goes_on(server: &Server) {
    let (ann, bob, cem) = (returns(server, "ann").await, returns(server, "bob").await, returns(server, "cem").await);
    assert!(
        ann.get(path::ME).await.expect(200).read::<Me>().admin
            && !bob.get(path::ME).await.expect(200).read::<Me>().admin
    );

    let rooms = rooms_of(&ann).await;
    assert_eq!(rooms.len(), 3);
    let garden = room(&rooms, "Garden");
    assert_eq!(garden.room.topic.as_str(), "What grows, and what does not");
    let id = garden.room.id;
    let log = ann.log(id, Seq::ZERO).await;
    assert!(log.complete && log.head == garden.head);
    assert!(log.entries.iter().enumerate().all(|(at, entry)| entry.seq.get() == at as u64 + 1), "no gap");
    let rows = log
        .entries
        .iter()
        .filter(|e| matches!(&e.what, EntryKind::Message(m) if m.body.as_str().ends_with("of beans")));
    assert_eq!(rows.count(), 40);

    let latest: MessagePage = ann.history(id, "?limit=100").await;
    let message = |text: &str| latest.messages.iter().find(|m| m.content.body.as_str() == text);
    let tomato = message("the first tomato").expect("it is there");
    assert_eq!(tomato.reactions[0].users, [cem.id()]);
    assert_eq!(message("well grown").unwrap().content.reply_to, Some(tomato.seq));
    assert!(message("tomatoes, and @ann knows which").unwrap().edited_at.is_some() && message("tomatos").is_none());
    assert!(message("gone again").is_none() && latest.messages.iter().any(|m| m.deleted));
    assert_eq!(message("only for bob").unwrap().content.to, Some(bob.id()));
    let overview = rooms_of(&bob).await;
    assert_eq!(room(&overview, "Garden").read, Seq::new(20).unwrap());
    let found = ann.get(&format!("{}?q=tomatoes", path::SEARCH)).await.expect(200);
    assert_eq!(found.json()["items"].as_array().map(Vec::len), Some(1), "{}", found.text);

    // Who was banned stays out; who was not goes on where the log ends, with what came after that version too.
    cem.get(&path::entries(id)).await.refused(403, "forbidden");
    let next: Entry = bob.says(id, "@ann, the log goes on").await;
    assert_eq!(next.seq, garden.head.next());
    assert_eq!(room(&rooms_of(&ann).await, "Garden").mentions, 1);
    bob.put(&path::pin(id, tomato.seq), &json!({})).await.expect(200);
    let between = rooms.iter().find(|r| r.room.peer.is_some()).expect("the direct conversation");
    ann.says(between.room.id, "still between us").await;
    let page = bob.history(between.room.id, "").await;
    let said: Vec<_> = page.messages.iter().map(|m| m.content.body.as_str()).collect();
    assert_eq!(said, ["between us", "quite", "still between us"]);
    let attic = room(&rooms, "Attic").room.id;
    assert!(ann.history(attic, "").await.messages.iter().any(|m| m.content.body.as_str() == "hello from outside"));
    bob.makes_room("Shed", "public").await;
    let dan = server.person("dan").await;
    dan.joins(id).await;
    dan.says(id, "new here").await;
}
