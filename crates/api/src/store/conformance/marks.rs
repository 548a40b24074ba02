//! Watermarks.

use super::World;
use super::world::seq;
use crate::store::{Marked, NewMark};
use futures_util::future::join_all;
use natter_shared::account::User;
use natter_shared::entry::EntryKind;
use natter_shared::id::{RoomId, Seq};

pub async fn watermarks_never_go_back_and_stop_at_the_head(world: &World) {
    let (ann, bob, eve) = (world.person("ann").await, world.person("bob").await, world.person("eve").await);
    let room = world.room("Lobby", &[&ann, &bob]).await.id;
    for n in 0..8 {
        world.says(room, &ann, &format!("message {n}")).await;
    }
    let mark = |room: RoomId, user: &User, delivered: u64, read: u64| NewMark {
        room,
        user: user.id,
        delivered: seq(delivered),
        read: seq(read),
    };
    let stands = async |user: &User| {
        let member = world.store.member(room, user.id).await.unwrap().unwrap();
        (member.delivered.get(), member.read.get())
    };
    // Who comes in has seen what is there.
    assert_eq!(stands(&ann).await, (1, 1));
    assert_eq!(stands(&bob).await, (2, 2));

    let moved = world.store.raise_marks(vec![mark(room, &bob, 5, 0)]).await.unwrap();
    assert_eq!(moved, [Marked { room, user: bob.id, delivered: seq(5), read: seq(2) }]);
    // What is read is delivered; what does not move is not told; strangers and unknown rooms are passed over.
    let unknown = RoomId::from_bytes(world.fresh());
    let moved = world.store.raise_marks(vec![
        mark(room, &eve, 9, 9),
        mark(room, &bob, 4, 3),
        mark(unknown, &bob, 9, 9),
        mark(room, &ann, 0, 7),
        mark(room, &bob, 1, 1),
    ]);
    let moved = moved.await.unwrap();
    assert_eq!(moved.len(), 2);
    assert_eq!(moved[0], Marked { room, user: bob.id, delivered: seq(5), read: seq(3) });
    assert_eq!(moved[1], Marked { room, user: ann.id, delivered: seq(7), read: seq(7) });
    assert_eq!(world.store.raise_marks(vec![mark(room, &bob, 0, 0)]).await.unwrap(), []);
    let beyond = NewMark { room, user: bob.id, delivered: Seq::MAX, read: seq(6) };
    assert_eq!(world.store.raise_marks(vec![beyond]).await.unwrap()[0].delivered, seq(10));
    assert_eq!(stands(&bob).await, (10, 6));

    // Many at once, in any order: the highest stays.
    let calls = (1..=9).rev().chain(1..=9).map(|n| world.store.raise_marks(vec![mark(room, &ann, n, n)]));
    for moved in join_all(calls).await {
        assert!(moved.unwrap().iter().all(|marked| marked.read > seq(7)));
    }
    assert_eq!(stands(&ann).await, (9, 9));

    // Who is out has no marks; who comes back does not start further back.
    world.does(room, &bob, EntryKind::Left).await;
    assert_eq!(world.store.raise_marks(vec![mark(room, &bob, 11, 11)]).await.unwrap(), []);
    assert_eq!(world.store.member(room, bob.id).await.unwrap(), None);
    world.does(room, &bob, EntryKind::Joined).await;
    let (delivered, read) = stands(&bob).await;
    assert!(read >= 6 && (10..=12).contains(&delivered), "{delivered} {read}");
}
