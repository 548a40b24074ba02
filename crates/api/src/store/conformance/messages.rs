//! Messages as they stand: pages, whispers, deletion, reactions.

use super::World;
use super::script::{applied, live, members, seen_by};
use super::world::{Dice, body, emoji, message, reply, seq, seqs, text_of, whisper};
use crate::store::{MessageSlice, Search};
use natter_shared::account::User;
use natter_shared::entry::{Entry, EntryKind, Message};
use natter_shared::id::{RoomId, Seq, UserId};
use natter_shared::page::Window;
use natter_shared::text::Topic;
use std::collections::BTreeMap;

async fn page(world: &World, room: RoomId, reader: UserId, window: Window, limit: u32) -> MessageSlice {
    world.store.messages(room, reader, window, limit).await.unwrap().unwrap()
}

/// All messages and events, read from the newest page back.
async fn backwards(world: &World, room: RoomId, reader: UserId, limit: u32) -> (Vec<Message>, Vec<Entry>) {
    let mut window = Window::Latest;
    let (mut messages, mut events) = (Vec::new(), Vec::new());
    loop {
        let slice = page(world, room, reader, window, limit).await;
        assert!(slice.messages.len() <= usize::try_from(limit).unwrap());
        messages.splice(0..0, slice.messages.iter().cloned());
        events.splice(0..0, slice.events);
        if !slice.has_more {
            return (messages, events);
        }
        window = Window::Before(slice.messages[0].seq);
    }
}

/// All messages and events, read from the beginning on.
async fn forwards(world: &World, room: RoomId, reader: UserId, limit: u32) -> (Vec<Message>, Vec<Entry>) {
    let mut cursor = Seq::ZERO;
    let (mut messages, mut events) = (Vec::new(), Vec::new());
    loop {
        let slice = page(world, room, reader, Window::After(cursor), limit).await;
        messages.extend(slice.messages);
        events.extend(slice.events);
        if !slice.has_more {
            return (messages, events);
        }
        cursor = messages.last().unwrap().seq;
    }
}

pub async fn the_page_equals_the_log_applied(world: &World) {
    let mut people = Vec::new();
    for name in ["ann", "bob", "cleo", "dan"] {
        people.push(world.person(name).await);
    }
    let mut all = Vec::new();
    for seed in 0..4 {
        let mut dice = Dice::new(seed);
        let room = world.room(&format!("Room {seed}"), &people.iter().collect::<Vec<_>>()).await.id;
        for _ in 0..4 {
            live(world, room, &people, &mut dice, 40).await;
            compare(world, room, &people, &mut dice).await;
        }
        all.extend(applied(&world.log(room).await));
    }
    // The script has done what is worth comparing.
    assert!(all.iter().any(|message| message.edited_at.is_some() && !message.deleted));
    assert!(all.iter().any(|message| message.edited_at.is_some() && message.deleted));
    assert!(all.iter().any(|message| message.reactions.len() > 1));
    assert!(all.iter().any(|message| message.pinned));
    assert!(all.iter().any(|message| message.content.to.is_some()));
}

async fn compare(world: &World, room: RoomId, people: &[User], dice: &mut Dice) {
    let log = world.log(room).await;
    let messages = applied(&log);
    for message in &messages {
        assert_eq!(world.store.message(room, message.seq).await.unwrap().as_ref(), Some(message));
    }
    for reader in people {
        let seen = seen_by(&messages, reader.id);
        let happened: Vec<_> =
            log.iter().filter(|entry| entry.what.is_event()).map(|entry| entry.seen_by(reader.id)).collect();
        let limit = u32::try_from(1 + dice.below(20)).unwrap();
        assert_eq!(backwards(world, room, reader.id, limit).await, (seen.clone(), happened.clone()));
        assert_eq!(forwards(world, room, reader.id, limit).await, (seen, happened));
    }
    let stored: BTreeMap<_, _> =
        world.store.members(room).await.unwrap().into_iter().map(|member| (member.user.id, member.role)).collect();
    assert_eq!(stored, members(&log, people[0].id));
    let record = world.store.room(room).await.unwrap().unwrap();
    assert_eq!(usize::try_from(record.member_count).unwrap(), stored.len());
    let topic = log.iter().rev().find_map(|entry| match &entry.what {
        EntryKind::Topic { topic } => Some(topic.clone()),
        _ => None,
    });
    assert_eq!(record.topic, topic.unwrap_or(Topic::parse("").unwrap()));
    // The index of words knows the same messages.
    for word in ["word", "edited", "whisper", "reply"] {
        let reader = dice.pick(people);
        let is_member = stored.contains_key(&reader.id);
        let ask = Search { reader: reader.id, query: word.into(), room: Some(room), after: None, limit: 1_000 };
        let mut found: Vec<_> = world.store.search(ask).await.unwrap();
        found.sort_by_key(|message| message.seq);
        let expected: Vec<_> = seen_by(&messages, reader.id)
            .into_iter()
            .filter(|message| is_member && message.content.body.as_str().split(' ').any(|part| part.starts_with(word)))
            .collect();
        assert_eq!(found, expected, "{word}");
    }
}

fn numbers(slice: &MessageSlice) -> (Vec<u64>, Vec<u64>, bool) {
    (slice.messages.iter().map(|message| message.seq.get()).collect(), seqs(&slice.events), slice.has_more)
}

pub async fn pages_go_back_and_forth_and_lose_no_event(world: &World) {
    let (ann, bob) = (world.person("ann").await, world.person("bob").await);
    let room = world.room("Lobby", &[&ann]).await.id; // 1 joined
    for _ in 0..3 {
        world.says(room, &ann, "a").await; // 2, 5, 8
        world.does(room, &bob, EntryKind::Joined).await; // 3, 6, 9
        world.does(room, &bob, EntryKind::Left).await; // 4, 7, 10
    }
    world.says(room, &ann, "last").await; // 11
    world.does(room, &ann, EntryKind::Topic { topic: Topic::parse("end").unwrap() }).await; // 12
    let get = async |window, limit| page(world, room, bob.id, window, limit).await;
    let of = |messages: &[u64], events: &[u64], more| (messages.to_vec(), events.to_vec(), more);
    assert_eq!(numbers(&get(Window::Latest, 2).await), of(&[8, 11], &[9, 10, 12], true));
    assert_eq!(numbers(&get(Window::Before(seq(8)), 1).await), of(&[5], &[6, 7], true));
    assert_eq!(numbers(&get(Window::Before(seq(5)), 1).await), of(&[2], &[1, 3, 4], false));
    assert_eq!(numbers(&get(Window::Before(seq(2)), 5).await), of(&[], &[1], false));
    assert_eq!(numbers(&get(Window::Latest, 4).await), of(&[2, 5, 8, 11], &[1, 3, 4, 6, 7, 9, 10, 12], false));
    assert_eq!(numbers(&get(Window::After(seq(2)), 2).await), of(&[5, 8], &[3, 4, 6, 7], true));
    assert_eq!(numbers(&get(Window::After(seq(8)), 1).await), of(&[11], &[9, 10, 12], false));
    assert_eq!(numbers(&get(Window::After(seq(11)), 5).await), of(&[], &[12], false));
    assert_eq!(numbers(&get(Window::After(Seq::MAX), 5).await), of(&[], &[], false));
    assert_eq!(numbers(&get(Window::Before(Seq::MAX), 1).await), of(&[11], &[12], true));
    assert_eq!(numbers(&get(Window::Before(Seq::ZERO), 1).await), of(&[], &[], false));
    assert_eq!(get(Window::Latest, 1).await.head, seq(12));
    let unknown = RoomId::from_bytes(world.fresh());
    assert_eq!(world.store.messages(unknown, ann.id, Window::Latest, 5).await.unwrap(), None);
    assert_eq!(world.store.message(room, seq(3)).await.unwrap(), None);
    assert_eq!(world.store.message(unknown, seq(1)).await.unwrap(), None);
}

pub async fn a_page_around_a_message_has_both_sides(world: &World) {
    let ann = world.person("ann").await;
    let room = world.room("Lobby", &[&ann]).await.id;
    let batch = (2..=20).map(|n| world.entry(room, &ann, message(&n.to_string()))).collect();
    world.store.append(batch).await.unwrap();
    let get = async |around: u64, limit| numbers(&page(world, room, ann.id, Window::Around(seq(around)), limit).await);
    assert_eq!(get(10, 6).await, ((8..=13).collect(), vec![], true));
    assert_eq!(get(3, 6).await, ((2..=6).collect(), vec![1], false));
    assert_eq!(get(20, 4).await, (vec![19, 20], vec![], true));
    assert_eq!(get(10, 1).await, (vec![10], vec![], true));
    assert_eq!(get(10, 100).await, ((2..=20).collect(), vec![1], false));
}

pub async fn whispers_are_for_two(world: &World) {
    let (ann, bob, eve) = (world.person("ann").await, world.person("bob").await, world.person("eve").await);
    let room = world.room("Lobby", &[&ann, &bob, &eve]).await.id;
    world.says(room, &ann, "for all").await; // 4
    for n in 0..5 {
        world.does(room, &ann, whisper(&format!("for bob {n}"), &bob)).await; // 5 to 9
    }
    world.says(room, &ann, "for all again").await; // 10
    let get = async |reader: &User, window, limit| numbers(&page(world, room, reader.id, window, limit).await);
    for party in [&ann, &bob] {
        assert_eq!(get(party, Window::Latest, 3).await, (vec![8, 9, 10], vec![], true));
    }
    // They are not counted for others, so their page is as long as asked for.
    assert_eq!(get(&eve, Window::Latest, 2).await, (vec![4, 10], vec![1, 2, 3], false));
    assert_eq!(get(&eve, Window::Before(seq(10)), 2).await, (vec![4], vec![1, 2, 3], false));
    assert_eq!(get(&eve, Window::After(seq(4)), 1).await, (vec![10], vec![], false));
    assert_eq!(get(&eve, Window::Around(seq(7)), 2).await, (vec![4, 10], vec![1, 2, 3], false));
    let log = world.log(room).await;
    assert_eq!(text_of(&log[4]), "for bob 0", "the log is whole; who reads it is the service's business");
    assert!(log[4].client_id.is_some());
}

pub async fn a_deletion_blanks_everywhere(world: &World) {
    let (ann, bob) = (world.person("ann").await, world.person("bob").await);
    let room = world.room("Lobby", &[&ann, &bob]).await.id;
    let sent = world.entry(room, &ann, message("secret alpha"));
    let target = world.store.append(vec![sent.clone()]).await.map(|_| seq(3)).unwrap();
    world.does(room, &ann, EntryKind::edited(target, body("secret beta"))).await;
    world.does(room, &bob, EntryKind::Reacted { target, emoji: emoji("👍") }).await;
    world.does(room, &bob, EntryKind::Pinned { target }).await;
    world.does(room, &ann, EntryKind::edited(target, body("secret gamma"))).await;
    let other = world.says(room, &ann, "secret delta").await.seq;
    world.does(room, &ann, EntryKind::edited(other, body("secret epsilon"))).await;
    world.does(room, &bob, reply("indeed", target)).await;
    let deleted = world.does(room, &bob, EntryKind::Deleted { target }).await;

    let log = world.log(room).await;
    for blank in [3, 4, 7] {
        assert_eq!(text_of(&log[blank - 1]), "", "entry {blank}");
    }
    assert_eq!((text_of(&log[7]), text_of(&log[8])), ("secret delta", "secret epsilon"));
    assert_eq!(log.last(), Some(&deleted));
    let message = world.store.message(room, target).await.unwrap().unwrap();
    assert_eq!((message.content.body.as_str(), message.deleted, message.pinned), ("", true, false));
    assert_eq!((message.reactions.len(), &message.author.id), (0, &ann.id));
    assert_eq!(page(world, room, bob.id, Window::Latest, 9).await.messages[0].content.body.as_str(), "");
    for reader in [&ann, &bob] {
        let ask = Search { reader: reader.id, query: "secret".into(), room: None, after: None, limit: 9 };
        let found = world.store.search(ask).await.unwrap();
        assert_eq!(found.iter().map(|message| message.seq).collect::<Vec<_>>(), [other]);
    }
    // Not even a repeat brings it back.
    let crate::store::Appended::Again(first) = world.append(sent).await else { panic!("not there before") };
    assert_eq!((first.seq, text_of(&first)), (target, ""));
}

pub async fn reactions_keep_their_order(world: &World) {
    let (ann, bob, eve) = (world.person("ann").await, world.person("bob").await, world.person("eve").await);
    let room = world.room("Lobby", &[&ann, &bob, &eve]).await.id;
    let target = world.says(room, &ann, "hello").await.seq;
    let react = async |who: &User, what: &str| {
        world.does(room, who, EntryKind::Reacted { target, emoji: emoji(what) }).await;
    };
    let unreact = async |who: &User, what: &str| {
        world.does(room, who, EntryKind::Unreacted { target, emoji: emoji(what) }).await;
    };
    let stand = async || {
        let message = world.store.message(room, target).await.unwrap().unwrap();
        message.reactions.into_iter().map(|it| (it.emoji.as_str().to_owned(), it.users)).collect::<Vec<_>>()
    };
    let of = |emoji: &str, users: &[&User]| (emoji.to_owned(), users.iter().map(|user| user.id).collect::<Vec<_>>());
    react(&bob, "👍").await;
    react(&eve, "🎉").await;
    react(&ann, "👍").await;
    react(&eve, "👍").await;
    assert_eq!(stand().await, [of("👍", &[&bob, &ann, &eve]), of("🎉", &[&eve])]);
    // The first one's going does not move the emoji; everybody's going does.
    unreact(&bob, "👍").await;
    assert_eq!(stand().await, [of("👍", &[&ann, &eve]), of("🎉", &[&eve])]);
    react(&bob, "👍").await;
    assert_eq!(stand().await, [of("👍", &[&ann, &eve, &bob]), of("🎉", &[&eve])]);
    unreact(&eve, "🎉").await;
    for who in [&ann, &bob, &eve] {
        unreact(who, "👍").await;
    }
    assert_eq!(stand().await, []);
    react(&ann, "🎉").await;
    react(&ann, "👍").await;
    assert_eq!(stand().await, [of("🎉", &[&ann]), of("👍", &[&ann])]);
}

pub async fn pins_are_listed_and_change_with_their_messages(world: &World) {
    let (ann, bob, eve) = (world.person("ann").await, world.person("bob").await, world.person("eve").await);
    let room = world.room("Lobby", &[&ann, &bob, &eve]).await.id;
    let elsewhere = world.room("Office", &[&ann]).await.id;
    let pins = async |reader: &User| world.store.pins(room, reader.id).await.unwrap();
    let listed = async |reader: &User| pins(reader).await.into_iter().map(|pin| pin.seq).collect::<Vec<_>>();
    assert_eq!(listed(&ann).await, []);
    let mut said = Vec::new();
    for text in ["one", "two", "three"] {
        said.push(world.says(room, &ann, text).await.seq);
    }
    let other = world.says(elsewhere, &ann, "there").await.seq;
    world.does(elsewhere, &ann, EntryKind::Pinned { target: other }).await;
    for target in [said[2], said[0], said[1]] {
        world.does(room, &bob, EntryKind::Pinned { target }).await;
    }
    // By when they were pinned, not by when they were said.
    assert_eq!(listed(&eve).await, [said[1], said[0], said[2]]);
    world.does(room, &ann, EntryKind::edited(said[0], body("one and a half"))).await;
    world.does(room, &eve, EntryKind::Reacted { target: said[0], emoji: emoji("👍") }).await;
    let pin = pins(&bob).await.remove(1);
    assert_eq!(
        Some(&pin),
        world.store.message(room, said[0]).await.unwrap().map(|it| Message { client_id: None, ..it }).as_ref()
    );
    assert_eq!((pin.content.body.as_str(), pin.pinned, pin.reactions.len()), ("one and a half", true, 1));
    world.does(room, &ann, EntryKind::Unpinned { target: said[1] }).await;
    world.does(room, &ann, EntryKind::Deleted { target: said[2] }).await;
    assert_eq!(listed(&bob).await, [said[0]]);
    world.does(room, &ann, EntryKind::Pinned { target: said[1] }).await;
    assert_eq!(listed(&bob).await, [said[1], said[0]]);
    // A store that lets a whisper be pinned still shows it to its two people alone.
    let psst = world.does(room, &ann, whisper("psst", &bob)).await.seq;
    world.does(room, &ann, EntryKind::Pinned { target: psst }).await;
    assert_eq!(listed(&bob).await, [psst, said[1], said[0]]);
    assert_eq!(listed(&eve).await, [said[1], said[0]]);
    assert_eq!(world.store.pins(elsewhere, ann.id).await.unwrap().len(), 1);
}
