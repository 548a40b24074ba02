//! Full-text search.

use super::World;
use super::world::{body, message, whisper};
use crate::store::{NewEntry, Search};
use natter_shared::account::User;
use natter_shared::entry::{EntryKind, Message};
use natter_shared::id::{RoomId, Seq};
use natter_shared::timestamp::Timestamp;

async fn find(world: &World, reader: &User, query: &str) -> Vec<String> {
    let ask = Search { reader: reader.id, query: query.to_owned(), room: None, after: None, limit: 50 };
    texts(&world.store.search(ask).await.unwrap())
}

fn texts(found: &[Message]) -> Vec<String> {
    found.iter().map(|message| message.content.body.as_str().to_owned()).collect()
}

pub async fn words_are_found_by_their_beginnings(world: &World) {
    let ann = world.person("ann").await;
    let room = world.room("Lobby", &[&ann]).await.id;
    for text in
        ["The quick brown fox", "quicksand, and a brown bear", "Größe zählt — naïve café", "寿司 をたべる", "42 geese"]
    {
        world.says(room, &ann, text).await;
    }
    assert_eq!(find(world, &ann, "qui").await, ["quicksand, and a brown bear", "The quick brown fox"]);
    assert_eq!(find(world, &ann, "BROWN fo").await, ["The quick brown fox"]);
    assert_eq!(find(world, &ann, "fox-brown").await, ["The quick brown fox"]);
    assert_eq!(find(world, &ann, "größe").await.len(), 1);
    assert_eq!(find(world, &ann, "GRÖ").await.len(), 1);
    assert_eq!(find(world, &ann, "寿").await.len(), 1);
    assert_eq!(find(world, &ann, "4").await, ["42 geese"]);
    for nothing in ["rown", "fox bear", "foxes", "lobby", "ann"] {
        assert!(find(world, &ann, nothing).await.is_empty(), "{nothing}");
    }
}

pub async fn only_what_the_reader_may_see_is_found(world: &World) {
    let (ann, bob, eve) = (world.person("ann").await, world.person("bob").await, world.person("eve").await);
    let lobby = world.room("Lobby", &[&ann, &bob, &eve]).await.id;
    let office = world.room("Office", &[&ann, &bob]).await.id;
    world.says(lobby, &ann, "treasure in the lobby").await;
    world.says(office, &ann, "treasure in the office").await;
    world.does(lobby, &ann, whisper("treasure for bob", &bob)).await;
    world.does(lobby, &ann, EntryKind::Topic { topic: natter_shared::text::Topic::parse("treasure").unwrap() }).await;
    assert_eq!(find(world, &bob, "treasure").await.len(), 3);
    assert_eq!(find(world, &ann, "treasure").await.len(), 3);
    assert_eq!(find(world, &eve, "treasure").await, ["treasure in the lobby"]);
    let within = |reader: &User, room: RoomId| Search {
        reader: reader.id,
        query: "treasure".into(),
        room: Some(room),
        after: None,
        limit: 50,
    };
    assert_eq!(texts(&world.store.search(within(&bob, office)).await.unwrap()), ["treasure in the office"]);
    assert_eq!(world.store.search(within(&eve, office)).await.unwrap(), []);
    assert_eq!(world.store.search(within(&eve, RoomId::from_bytes(world.fresh()))).await.unwrap(), []);
    // Who is out finds nothing of it any more; what is in the room's other words does not leak either.
    world.does(lobby, &eve, EntryKind::Left).await;
    assert!(find(world, &eve, "treasure").await.is_empty());
    // A client id is its author's business.
    let found = world.store.search(within(&bob, office)).await.unwrap();
    assert_eq!(found[0].client_id, None);
    assert!(world.store.search(within(&ann, office)).await.unwrap()[0].client_id.is_some());
}

pub async fn edits_and_deletions_change_what_is_found(world: &World) {
    let ann = world.person("ann").await;
    let room = world.room("Lobby", &[&ann]).await.id;
    let first = world.says(room, &ann, "apples and pears").await.seq;
    let second = world.says(room, &ann, "apples only").await.seq;
    world.does(room, &ann, EntryKind::edited(first, body("plums and pears"))).await;
    assert_eq!(find(world, &ann, "apples").await, ["apples only"]);
    assert_eq!(find(world, &ann, "plums").await, ["plums and pears"]);
    world.does(room, &ann, EntryKind::edited(first, body("cherries"))).await;
    assert!(find(world, &ann, "plums").await.is_empty());
    assert!(find(world, &ann, "pears").await.is_empty());
    assert_eq!(find(world, &ann, "cherries").await, ["cherries"]);
    world.does(room, &ann, EntryKind::Deleted { target: first }).await;
    world.does(room, &ann, EntryKind::Deleted { target: second }).await;
    for gone in ["apples", "plums", "pears", "cherries", "only", "and"] {
        assert!(find(world, &ann, gone).await.is_empty(), "{gone}");
    }
}

pub async fn hostile_queries_are_words(world: &World) {
    let ann = world.person("ann").await;
    let room = world.room("Lobby", &[&ann]).await.id;
    world.says(room, &ann, "near and or not aaaa body place rowid").await;
    for nothing in [
        "", " ", "\"", "*", "\"\"", "-", "^", ".*", "\\", "'", "( )", "\u{0}", "\u{301}", "👍", "{}:[]", "%", "_",
        ";--",
    ] {
        assert!(find(world, &ann, nothing).await.is_empty(), "{nothing:?}");
    }
    for found in [
        "\"near",
        "near\"",
        "a*",
        "AND",
        "OR",
        "NOT",
        "near AND",
        "NEAR(",
        "(a+)+$",
        "body:near",
        "place",
        "^near",
        "near + and",
        "-near",
        "near*and",
        "near\"* OR \"*and",
        "' OR '",
    ] {
        assert_eq!(find(world, &ann, found).await.len(), 1, "{found:?}");
    }
    for other in ["r0", "words", "NEAR(zebra)", "body:zebra", "near zebra", "near OR zebra", "near NOT and zebra"] {
        assert!(find(world, &ann, other).await.is_empty(), "{other:?}");
    }
    // Far beyond what the edge lets through.
    let long = "near ".repeat(20_000);
    assert_eq!(find(world, &ann, &long).await.len(), 1);
    assert!(find(world, &ann, &"x".repeat(70_000)).await.is_empty());
    assert!(find(world, &ann, &"(a+)+$ OR * \" NEAR( \u{202e}é".repeat(50)).await.is_empty());
}

pub async fn hits_come_newest_first_in_pages(world: &World) {
    let ann = world.person("ann").await;
    let rooms = [world.room("One", &[&ann]).await.id, world.room("Two", &[&ann]).await.id];
    // Several messages share each moment, and the clock goes back once.
    let start = world.now();
    let mut batch = Vec::new();
    for n in 0..60_u32 {
        let at = start.plus_millis(i64::from(if n < 40 { n / 4 } else { n / 8 }));
        let entry = world.entry(rooms[usize::from(n % 3 == 0)], &ann, message(&format!("pebble {n}")));
        batch.push(NewEntry { at, ..entry });
    }
    world.store.append(batch).await.unwrap();
    let place = |message: &Message| (message.at, message.room, message.seq);
    let page = async |after: Option<(Timestamp, RoomId, Seq)>, room: Option<RoomId>, limit: u32| {
        let ask = Search { reader: ann.id, query: "peb".into(), room, after, limit };
        world.store.search(ask).await.unwrap()
    };
    let all = page(None, None, 100).await;
    assert_eq!(all.len(), 60);
    assert!(all.is_sorted_by(|a, b| place(a) > place(b)));
    for limit in [1, 7, 60] {
        let mut paged: Vec<Message> = Vec::new();
        loop {
            let next = page(paged.last().map(place), None, limit).await;
            if next.is_empty() {
                break;
            }
            assert!(next.len() <= usize::try_from(limit).unwrap());
            paged.extend(next);
        }
        assert_eq!(paged, all, "in pages of {limit}");
    }
    let one: Vec<_> = all.iter().filter(|message| message.room == rooms[1]).cloned().collect();
    assert_eq!(page(None, Some(rooms[1]), 100).await, one);
}
