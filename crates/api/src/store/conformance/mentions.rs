//! Who is mentioned, and what calls for whose attention.

use super::World;
use super::world::{body, calling, message, seq};
use crate::store::{Call, Heard, NewMark};
use natter_shared::account::User;
use natter_shared::entry::EntryKind;
use natter_shared::id::{RoomId, Seq, UserId};
use natter_shared::limits;
use natter_shared::room::{Notify, Role};

async fn mentions(world: &World, user: &User, room: RoomId) -> u32 {
    let overviews = world.store.overviews(user.id).await.unwrap();
    overviews.into_iter().find(|it| it.room.id == room).unwrap().mentions
}

pub async fn who_is_mentioned_is_counted_as_the_text_stands(world: &World) {
    let (ann, bob, eve) = (world.person("ann").await, world.person("bob").await, world.person("eve").await);
    let room = world.room("Lobby", &[&ann, &bob, &eve]).await.id;
    let other = world.room("Office", &[&ann, &bob]).await.id;
    let counts = async || (mentions(world, &bob, room).await, mentions(world, &eve, room).await);
    let first = world.does(room, &ann, calling(message("@bob @eve"), &[bob.id, eve.id])).await;
    let second = world.does(room, &ann, calling(message("@bob"), &[bob.id])).await;
    let plain = world.says(room, &ann, "hello").await;
    assert_eq!(counts().await, (2, 1));
    assert_eq!(mentions(world, &ann, room).await, 0);
    assert_eq!(mentions(world, &bob, other).await, 0);
    // They stand with the message, in the log and in the page.
    let log = world.log(room).await;
    assert_eq!(log[3], first);
    assert_eq!(world.store.message(room, first.seq).await.unwrap().unwrap().content.mentions, [bob.id, eve.id]);

    let edits = |target: Seq, text: &str, whom: &[UserId]| calling(EntryKind::edited(target, body(text)), whom);
    world.does(room, &ann, edits(first.seq, "@eve", &[eve.id])).await;
    world.does(room, &ann, edits(plain.seq, "hello @eve", &[eve.id])).await;
    assert_eq!(counts().await, (1, 2));
    assert_eq!(world.store.message(room, first.seq).await.unwrap().unwrap().content.mentions, [eve.id]);
    // An edit without names takes back what an edit has brought.
    world.does(room, &ann, edits(plain.seq, "hello again", &[])).await;
    assert_eq!(counts().await, (1, 1));
    assert!(world.store.message(room, plain.seq).await.unwrap().unwrap().content.mentions.is_empty());
    // A deleted message mentions nobody, and nothing of it says whom it did.
    world.does(room, &ann, EntryKind::Deleted { target: first.seq }).await;
    assert_eq!(counts().await, (1, 0));
    assert!(world.store.message(room, first.seq).await.unwrap().unwrap().content.mentions.is_empty());
    let log = serde_json::to_string(&world.log(room).await).unwrap();
    assert_eq!(log.matches("\"mentions\"").count(), 2, "{log}");
    // Several steps with one message in one commit.
    let third = world.says(room, &ann, "x").await.seq;
    let steps = [edits(third, "@bob", &[bob.id]), edits(third, "@eve", &[eve.id]), edits(third, "y", &[])];
    world.store.append(steps.map(|what| world.entry(room, &ann, what)).to_vec()).await.unwrap();
    assert_eq!(counts().await, (1, 0));

    let mark = NewMark { room, user: bob.id, delivered: Seq::ZERO, read: second.seq };
    world.store.raise_marks(vec![mark]).await.unwrap();
    assert_eq!(counts().await, (0, 0));
}

pub async fn everybody_is_everybody_else(world: &World) {
    let (ann, bob, eve) = (world.person("ann").await, world.person("bob").await, world.person("eve").await);
    let room = world.room("Lobby", &[&ann, &bob]).await.id;
    world.does(room, &ann, calling(message("@all"), &[UserId::EVERYBODY])).await;
    world.does(room, &bob, calling(message("@ann"), &[ann.id])).await;
    world.does(room, &eve, EntryKind::Joined).await;
    assert_eq!(mentions(world, &ann, room).await, 1);
    assert_eq!(mentions(world, &bob, room).await, 1);
    assert_eq!(mentions(world, &eve, room).await, 0, "what was said before one came");
}

pub async fn mentions_are_counted_to_their_limit(world: &World) {
    let (ann, bob) = (world.person("ann").await, world.person("bob").await);
    let room = world.room("Lobby", &[&ann, &bob]).await.id;
    let batch = async |n: u32| {
        let entries = (0..n).map(|_| world.entry(room, &ann, calling(message("@bob"), &[bob.id]))).collect();
        world.store.append(entries).await.unwrap();
    };
    batch(limits::UNREAD_MAX - 1).await;
    assert_eq!(mentions(world, &bob, room).await, limits::UNREAD_MAX - 1);
    batch(2).await;
    assert_eq!(mentions(world, &bob, room).await, limits::UNREAD_MAX);
}

pub async fn a_call_is_heard_by_members(world: &World) {
    let (ann, bob, eve) = (world.person("ann").await, world.person("bob").await, world.person("eve").await);
    let room = world.room("Lobby", &[&ann, &bob, &eve]).await.id;
    let other = world.room("Office", &[&bob]).await.id;
    world.does(room, &ann, EntryKind::Role { user: bob.id, role: Role::Admin }).await;
    world.does(room, &eve, EntryKind::Left).await;
    let call = |room: RoomId, who: &User, names: &[&str]| Call {
        room,
        author: who.id,
        names: names.iter().map(|name| (*name).to_owned()).collect(),
    };
    let calls = [
        call(room, &bob, &["eve", "bob", "nobody", "ann"]),
        call(other, &ann, &["ann", "bob"]),
        call(RoomId::from_bytes(world.fresh()), &ann, &["ann"]),
        call(room, &ann, &[]),
        call(room, &eve, &["' OR 1=1 --", "$ne", "bob"]),
    ];
    let heard = world.store.heard(&calls).await.unwrap();
    let expected = [
        Heard { members: 2, role: Some(Role::Admin), people: vec![bob.id, ann.id] },
        Heard { members: 1, role: None, people: vec![bob.id] },
        Heard { members: 0, role: None, people: vec![] },
        Heard { members: 2, role: Some(Role::Owner), people: vec![] },
        Heard { members: 2, role: None, people: vec![bob.id] },
    ];
    assert_eq!(heard, expected);
    assert_eq!(world.store.heard(&[]).await.unwrap(), []);
}

pub async fn what_calls_for_attention_is_kept_for_each(world: &World) {
    let (ann, bob) = (world.person("ann").await, world.person("bob").await);
    let room = world.room("Lobby", &[&ann, &bob]).await.id;
    let (direct, _) = world.store.direct(ann.id, bob.id, RoomId::from_bytes(world.fresh()), world.now()).await.unwrap();
    let notify = async |user: &User, room: RoomId| {
        let overviews = world.store.overviews(user.id).await.unwrap();
        overviews.into_iter().find(|it| it.room.id == room).unwrap().notify
    };
    let set = async |user: &User, room, notify| world.store.set_notify(room, user.id, notify).await.unwrap();
    assert_eq!(notify(&bob, room).await, Notify::Everything);
    assert!(set(&bob, room, Notify::Nothing).await);
    assert!(set(&bob, direct.id, Notify::Mentions).await);
    assert!(set(&bob, direct.id, Notify::Mentions).await);
    assert_eq!(
        (notify(&bob, room).await, notify(&bob, direct.id).await, notify(&ann, room).await),
        (Notify::Nothing, Notify::Mentions, Notify::Everything)
    );
    // Marks and a role change nothing about it, nor does going and coming back.
    let mark = NewMark { room, user: bob.id, delivered: seq(2), read: seq(2) };
    world.store.raise_marks(vec![mark]).await.unwrap();
    world.does(room, &ann, EntryKind::Role { user: bob.id, role: Role::Admin }).await;
    world.does(room, &bob, EntryKind::Left).await;
    assert!(!set(&bob, room, Notify::Everything).await, "not a member");
    assert!(!set(&bob, RoomId::from_bytes(world.fresh()), Notify::Everything).await);
    world.does(room, &bob, EntryKind::Joined).await;
    assert_eq!(notify(&bob, room).await, Notify::Nothing);
    assert!(set(&bob, room, Notify::Everything).await);
    assert_eq!(notify(&bob, room).await, Notify::Everything);
}
