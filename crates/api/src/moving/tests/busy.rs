//! Moving out of a store that is in use: what arrives is each room at one moment.

use super::*;
use crate::store::archive::MemberState;
use natter_shared::entry::{Entry, MessageContent};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// Keeps on talking, deleting, coming, going and swapping names, until it is told to stop.
async fn keep_busy(world: &World, town: &Town, stop: &AtomicBool, done: &AtomicU32) {
    let mut dice = Dice::new(99);
    let ann = &town.people[0];
    let spare = world.room("Spare", &[ann]).await.id;
    let pair = [town.rooms[1], spare];
    for round in 0_u64.. {
        live(world, town.rooms[0], &town.people, &mut dice, 3).await;
        done.fetch_add(1, Ordering::SeqCst);
        let old = Seq::new(dice.roll() % 200 + 1).unwrap();
        // Refused for all but its author, and if it is no message.
        let deletions = town.people.iter().map(|author| (town.rooms[0], author, EntryKind::Deleted { target: old }));
        // Two rooms change names by way of a third one.
        let (one, two) = (pair[usize::from(round % 2 == 0)], pair[usize::from(round % 2 == 1)]);
        let renames = [(one, "On the way"), (two, "This"), (one, "That")].map(|(room, new)| (room, ann, name(new)));
        for (room, author, what) in deletions.chain(renames) {
            if stop.load(Ordering::SeqCst) {
                return;
            }
            world.append(world.entry(room, author, what)).await;
            done.fetch_add(1, Ordering::SeqCst);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_in_use_moves_room_by_room() {
    let (old, new) = (Place::new(), Place::new());
    let mut town = town(&old.world).await;
    // Something that takes a while, between rooms that change.
    for n in 0..3 {
        let street = old.world.room(&format!("Street {n}"), &[&town.people[0]]).await.id;
        for _ in 0..5 {
            let batch = (0..400).map(|m| old.world.entry(street, &town.people[0], message(&format!("word{m}"))));
            old.world.store.append(batch.collect()).await.unwrap();
        }
        town.rooms.push(street);
    }
    let file = old.folder.path().join("move.natter");
    let (stop, done) = (AtomicBool::new(false), AtomicU32::new(0));
    // The file is read by itself, as another process does beside the server.
    let beside = Sqlite::open_to_read(old.folder.path().join("natter.db")).unwrap();
    let moved = async {
        while done.load(Ordering::SeqCst) < 20 {
            tokio::task::yield_now().await;
        }
        // A machine may be so slow that nothing was written while the file was.
        for _ in 0..20 {
            let before = done.load(Ordering::SeqCst);
            written(&beside, &file).await;
            if done.load(Ordering::SeqCst) > before + 1 {
                break;
            }
            std::fs::remove_file(&file).unwrap();
        }
        stop.store(true, Ordering::SeqCst);
    };
    tokio::join!(keep_busy(&old.world, &town, &stop, &done), moved);
    assert!(file.exists(), "nothing happened meanwhile");
    filled(&*new.store, &file).await;

    for &room in &town.rooms {
        is_of_one_moment(&old, &new, room, &town).await;
    }
    // The same once more, now that nothing moves: everything, and exactly.
    let (after, file) = (Place::new(), old.folder.path().join("after.natter"));
    written(&beside, &file).await;
    filled(&*after.store, &file).await;
    same(&old.world, &after.world, &town).await;
    goes_on(&old.world, &after.world, &town).await;
}

/// What arrived of a room is the beginning of what it is by now, and all of it belongs together.
async fn is_of_one_moment(old: &Place, new: &Place, room: RoomId, town: &Town) {
    let by_now = old.world.log(room).await;
    let then = new.world.log(room).await;
    assert!(then.len() <= by_now.len());
    let deleted: BTreeSet<Seq> = by_now.iter().filter_map(deletes).collect();
    for (a, b) in by_now.iter().zip(&then) {
        let mut expected = a.clone();
        // What was deleted since has lost its text only here.
        let target = a.what.target().unwrap_or(a.seq);
        if deleted.contains(&target) && !then.iter().filter_map(deletes).any(|it| it == target) {
            expected.what = b.what.clone();
            assert_eq!(std::mem::discriminant(&a.what), std::mem::discriminant(&b.what));
            assert_eq!(a.what.target(), b.what.target());
        }
        assert_eq!(b, &expected);
    }
    same::view_equals_log(&new.world, room, &town.people).await;
    let messages = crate::store::conformance::script::applied(&then);
    let blank = |it: &MessageContent| it.body.as_str().is_empty() && it.attachments.is_empty();
    assert!(messages.iter().all(|message| message.deleted == blank(&message.content)), "a torn deletion");

    let cut = new.store.cut(room).await.unwrap().unwrap();
    let head = then.last().map_or(Seq::ZERO, |last| last.seq);
    assert_eq!(cut.room.head, head);
    if let Some(owner) = cut.room.owner {
        let expected = crate::store::conformance::script::members(&then, owner);
        let there = cut.members.iter().filter(|member| member.state == MemberState::Member);
        assert_eq!(
            there.map(|member| (member.user, member.role)).collect::<std::collections::BTreeMap<_, _>>(),
            expected
        );
    }
    for member in &cut.members {
        assert!(member.read <= member.delivered && member.delivered <= head);
    }
    let named = then.iter().rev().find_map(|entry| match &entry.what {
        EntryKind::Renamed { name } => Some(name),
        _ => None,
    });
    assert!(named.is_none_or(|name| *name == cut.room.name), "{named:?} is {:?}", cut.room.name);
}

fn deletes(entry: &Entry) -> Option<Seq> {
    match entry.what {
        EntryKind::Deleted { target } => Some(target),
        _ => None,
    }
}
