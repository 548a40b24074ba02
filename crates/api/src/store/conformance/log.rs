//! The log: seqs, cursors, repeats, catching up.

use super::World;
use super::world::{Dice, body, emoji, message, seq, seqs};
use crate::store::{Appended, NewEntry};
use futures_util::future::{join, join_all};
use natter_shared::account::User;
use natter_shared::entry::{Entry, EntryKind};
use natter_shared::id::{ClientId, RoomId, Seq};
use natter_shared::room::{Role, Visibility};
use natter_shared::text::{RoomName, Topic};

/// Writes `n` messages in batches of varying sizes and returns the entries that were answered.
async fn write_batches(world: &World, room: RoomId, author: &User, n: usize, mut dice: Dice) -> Vec<Entry> {
    let mut answered = Vec::new();
    while answered.len() < n {
        let size = (1 + dice.below(7)).min(n - answered.len());
        let text = |k: usize| message(&format!("{} {}", author.username, answered.len() + k));
        let batch: Vec<_> = (0..size).map(|k| world.entry(room, author, text(k))).collect();
        for (sent, appended) in batch.clone().into_iter().zip(world.store.append(batch).await.unwrap()) {
            let Appended::New(entry) = appended else { panic!("{appended:?}") };
            assert_eq!((entry.client_id, &entry.what, entry.at), (sent.client_id, &sent.what, sent.at));
            assert_eq!((entry.room, entry.author.id), (room, author.id));
            answered.push(entry);
        }
    }
    assert!(answered.is_sorted_by(|a, b| a.seq < b.seq), "one writer's entries stand in the order in which it wrote");
    answered
}

async fn crowd(world: &World, n: usize) -> (Vec<User>, RoomId) {
    let mut people = Vec::new();
    for k in 0..n {
        people.push(world.person(&format!("writer{k}")).await);
    }
    let room = world.room("Lobby", &people.iter().collect::<Vec<_>>()).await.id;
    (people, room)
}

pub async fn fifty_writers_give_contiguous_seqs(world: &World) {
    let (people, room) = crowd(world, 50).await;
    let writers = people.iter().zip(0..).map(|(author, k)| write_batches(world, room, author, 40, Dice::new(k)));
    let mut answered: Vec<Entry> = join_all(writers).await.into_iter().flatten().collect();
    answered.sort_by_key(|entry| entry.seq);
    assert_eq!(seqs(&answered), (51..=2_050).collect::<Vec<_>>());
    assert_eq!(world.log(room).await[50..], answered);
}

pub async fn nothing_appears_below_a_cursor(world: &World) {
    let (people, room) = crowd(world, 50).await;
    for seed in 0..3 {
        let start = world.store.heads(&[room]).await.unwrap()[0].1;
        let end = start.forward(50 * 12);
        let writing = join_all(
            people
                .iter()
                .zip(0..)
                .map(|(author, k)| write_batches(world, room, author, 12, Dice::new(seed * 1_000 + k))),
        );
        let reading = join_all((0..5).map(async |k| {
            let mut dice = Dice::new(seed * 77 + k);
            let mut seen: Vec<Entry> = Vec::new();
            let mut cursor = start;
            while cursor < end {
                let head = world.store.heads(&[room]).await.unwrap()[0].1;
                let limit = u32::try_from(1 + dice.below(60)).unwrap();
                let slice = world.store.entries_after(room, cursor, limit).await.unwrap().unwrap();
                assert!(slice.head >= head, "a head goes back");
                // What a head promised is there, and next to the cursor: no gap.
                let promised = head.get().saturating_sub(cursor.get()).min(limit.into());
                assert!(u64::try_from(slice.entries.len()).unwrap() >= promised, "a head was shown before its entry");
                for entry in slice.entries {
                    assert_eq!(entry.seq, cursor.next(), "a gap");
                    cursor = entry.seq;
                    seen.push(entry);
                }
            }
            seen
        }));
        let (mut written, read) = join(writing, reading).await;
        let mut written: Vec<Entry> = written.drain(..).flatten().collect();
        written.sort_by_key(|entry| entry.seq);
        let log = world.log(room).await;
        assert_eq!(log[usize::try_from(start.get()).unwrap()..], written);
        for seen in read {
            assert_eq!(seen, written);
        }
    }
}

pub async fn one_client_id_sent_twenty_times_at_once_is_one_entry(world: &World) {
    let (people, room) = crowd(world, 2).await;
    let first = world.entry(room, &people[0], message("hello"));
    let calls = (0..20).map(|n| {
        // Other content and another time do not make it another entry.
        let what = if n % 2 == 0 { message("hello") } else { message(&format!("hello {n}")) };
        world.append(NewEntry { what, at: world.now(), ..first.clone() })
    });
    let answers = join_all(calls).await;
    let entries: Vec<_> = answers
        .iter()
        .map(|answer| match answer {
            Appended::New(entry) | Appended::Again(entry) => entry,
            Appended::Refused(why) => panic!("{why:?}"),
        })
        .collect();
    assert_eq!(answers.iter().filter(|answer| matches!(answer, Appended::New(_))).count(), 1);
    assert!(entries.iter().all(|entry| **entry == *entries[0]));
    assert_eq!(world.log(room).await.len(), 3);

    // Also within one batch, and in every later one.
    let twice = world.entry(room, &people[1], message("twice"));
    let answers = world.store.append(vec![twice.clone(), twice.clone(), first, twice]).await.unwrap();
    let Appended::New(new) = &answers[0] else { panic!("{answers:?}") };
    assert_eq!(
        answers[1..],
        [Appended::Again(new.clone()), Appended::Again(entries[0].clone()), Appended::Again(new.clone())]
    );
    assert_eq!(world.log(room).await.len(), 4);
}

pub async fn a_client_id_is_its_authors_and_its_rooms(world: &World) {
    let (people, room) = crowd(world, 2).await;
    let other = world.room("Office", &[&people[0], &people[1]]).await.id;
    let client_id = Some(ClientId::from_bytes(world.fresh()));
    let mut batch = Vec::new();
    for room in [room, other] {
        for author in &people {
            batch.push(NewEntry { client_id, ..world.entry(room, author, message("mine")) });
        }
    }
    let appended = world.store.append(batch.clone()).await.unwrap();
    assert!(appended.iter().all(|appended| matches!(appended, Appended::New(_))), "{appended:?}");
    let again = world.store.append(batch).await.unwrap();
    for (first, second) in appended.into_iter().zip(again) {
        let Appended::New(entry) = first else { continue };
        assert_eq!(second, Appended::Again(entry));
    }
    // Without a client id nothing is a repeat.
    let bare = NewEntry { client_id: None, ..world.entry(room, &people[0], message("bare")) };
    let appended = world.store.append(vec![bare.clone(), bare]).await.unwrap();
    assert!(appended.iter().all(|appended| matches!(appended, Appended::New(_))));
}

pub async fn a_repeat_gets_the_first_entry_whatever_has_happened_since(world: &World) {
    let (people, room) = crowd(world, 2).await;
    let (ann, bob) = (&people[0], &people[1]);
    let sent = world.entry(room, bob, message("hello"));
    let Appended::New(first) = world.append(sent.clone()).await else { panic!("not new") };
    let edit = world.entry(room, bob, EntryKind::edited(first.seq, body("hello there")));
    let Appended::New(edited) = world.append(edit.clone()).await else { panic!("not new") };
    let went = world.entry(room, bob, EntryKind::Left);
    let Appended::New(left) = world.append(went.clone()).await else { panic!("not new") };
    world.does(room, ann, EntryKind::Archived { archived: true }).await;
    assert_eq!(world.append(sent.clone()).await, Appended::Again(first.clone()));
    assert_eq!(world.append(edit).await, Appended::Again(edited));
    assert_eq!(world.append(went).await, Appended::Again(left));
    // Even as another kind of entry.
    let other = NewEntry { what: EntryKind::Deleted { target: seq(999) }, ..sent };
    assert_eq!(world.append(other).await, Appended::Again(first));
}

pub async fn catching_up_brings_everything_that_happened(world: &World) {
    let (people, room) = crowd(world, 3).await;
    let [ann, bob, eve] = &people[..] else { panic!() };
    let cursor = world.store.heads(&[room]).await.unwrap()[0].1;
    let target = cursor.next();
    let script = [
        (ann, message("hello")),
        (ann, EntryKind::edited(target, body("hello there"))),
        (bob, EntryKind::Reacted { target, emoji: emoji("👍") }),
        (bob, EntryKind::Unreacted { target, emoji: emoji("👍") }),
        (bob, EntryKind::Pinned { target }),
        (ann, EntryKind::Unpinned { target }),
        (bob, EntryKind::Left),
        (bob, EntryKind::Joined),
        (ann, EntryKind::Role { user: bob.id, role: Role::Admin }),
        (ann, EntryKind::Removed { user: eve.id, banned: true }),
        (ann, EntryKind::Renamed { name: RoomName::parse("Hall").unwrap() }),
        (ann, EntryKind::Topic { topic: Topic::parse("Everything").unwrap() }),
        (ann, EntryKind::Visibility { visibility: Visibility::Private }),
        (ann, EntryKind::Archived { archived: true }),
        (ann, EntryKind::Archived { archived: false }),
    ];
    let mut made = Vec::new();
    for (who, what) in script.clone() {
        let entry = world.does(room, who, what.clone()).await;
        assert_eq!(entry.what, what);
        made.push(entry);
    }
    let slice = world.store.entries_after(room, cursor, 500).await.unwrap().unwrap();
    assert_eq!(slice.entries, made);
    assert_eq!(slice.head, made.last().unwrap().seq);
    let part = world.store.entries_after(room, cursor.next(), 3).await.unwrap().unwrap();
    assert_eq!((part.entries.as_slice(), part.head), (&made[1..4], slice.head));
    let none = world.store.entries_after(room, slice.head, 500).await.unwrap().unwrap();
    assert_eq!((none.entries.len(), none.head), (0, slice.head));
    let beyond = world.store.entries_after(room, Seq::MAX, 500).await.unwrap().unwrap();
    assert_eq!((beyond.entries.len(), beyond.head), (0, slice.head));
    assert_eq!(world.store.entries_after(RoomId::from_bytes(world.fresh()), Seq::ZERO, 500).await.unwrap(), None);
    let now = world.store.room(room).await.unwrap().unwrap();
    assert_eq!((now.name.as_str(), now.topic.as_str()), ("Hall", "Everything"));
    assert_eq!((now.visibility, now.archived, now.member_count, now.head), (Visibility::Private, false, 2, slice.head));
}

pub async fn many_cursors_are_answered_in_one_read(world: &World) {
    let ann = world.person("ann").await;
    let mut rooms = Vec::new();
    for n in 0..4 {
        let room = world.room(&format!("Room {n}"), &[&ann]).await.id;
        let batch = (0..9).map(|n| world.entry(room, &ann, message(&n.to_string()))).collect();
        world.store.append(batch).await.unwrap();
        rooms.push(room);
    }
    let unknown = RoomId::from_bytes(world.fresh());
    let cursors = [(rooms[0], seq(6)), (unknown, seq(1)), (rooms[1], seq(5)), (rooms[2], seq(10)), (rooms[3], seq(11))];
    let slices = world.store.entries_after_many(&cursors, 4).await.unwrap();
    let found = |room| &slices.iter().find(|(of, _)| *of == room).unwrap().1;
    assert_eq!(slices.len(), 4);
    assert!(slices.iter().all(|(_, slice)| slice.head == seq(10)));
    assert_eq!(seqs(&found(rooms[0]).entries), [7, 8, 9, 10]);
    assert_eq!(found(rooms[0]).entries, world.log(rooms[0]).await[6..]);
    assert_eq!(seqs(&found(rooms[1]).entries), [0; 0], "too far behind");
    assert_eq!(seqs(&found(rooms[2]).entries), [0; 0], "up to date");
    assert_eq!(seqs(&found(rooms[3]).entries), [0; 0], "from another life of the room");
    let mut heads = world.store.heads(&[rooms[3], unknown, rooms[0]]).await.unwrap();
    heads.sort();
    let mut expected = [(rooms[3], seq(10)), (rooms[0], seq(10))];
    expected.sort();
    assert_eq!(heads, expected);
}

pub async fn what_has_happened_already_is_not_done_again(world: &World) {
    let (people, room) = crowd(world, 2).await;
    let (ann, bob) = (&people[0], &people[1]);
    assert_eq!(world.repeats(room, ann, EntryKind::Joined).await.seq, seq(1));
    assert_eq!(world.repeats(room, bob, EntryKind::Joined).await.seq, seq(2));
    let target = world.says(room, ann, "hello").await.seq;
    let reacted = EntryKind::Reacted { target, emoji: emoji("👍") };
    let unreacted = EntryKind::Unreacted { target, emoji: emoji("👍") };
    let first = world.does(room, bob, reacted.clone()).await;
    assert_eq!(world.repeats(room, bob, reacted.clone()).await, first);
    world.does(room, ann, reacted.clone()).await;
    let taken = world.does(room, bob, unreacted.clone()).await;
    assert_eq!(world.repeats(room, bob, unreacted.clone()).await, taken);
    // Once more there and gone: other entries.
    let second = world.does(room, bob, reacted.clone()).await;
    assert_eq!(world.repeats(room, bob, reacted).await, second);
    assert!(world.does(room, bob, unreacted).await.seq > taken.seq);
    let pinned = world.does(room, bob, EntryKind::Pinned { target }).await;
    assert_eq!(world.repeats(room, ann, EntryKind::Pinned { target }).await, pinned);
    let unpinned = world.does(room, ann, EntryKind::Unpinned { target }).await;
    assert_eq!(world.repeats(room, bob, EntryKind::Unpinned { target }).await, unpinned);
    let deleted = world.does(room, ann, EntryKind::Deleted { target }).await;
    assert_eq!(world.repeats(room, bob, EntryKind::Deleted { target }).await, deleted);
    let again = [EntryKind::Deleted { target }, EntryKind::Joined].map(|what| world.entry(room, bob, what));
    assert!(world.store.append(again.to_vec()).await.unwrap().iter().all(|it| matches!(it, Appended::Again(_))));
    assert_eq!(world.log(room).await.last(), Some(&deleted));
}
