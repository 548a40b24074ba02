//! What has no place in a log, each for its reason.

use super::World;
use super::world::{body, emoji, message, reply, seq, whisper};
use crate::store::{Appended, Refused, Standing};
use futures_util::future::join_all;
use natter_shared::account::User;
use natter_shared::entry::EntryKind;
use natter_shared::id::{RoomId, Seq, UserId};
use natter_shared::limits;
use natter_shared::room::Role;
use natter_shared::text::{RoomName, Topic};

async fn three(world: &World) -> (User, User, User, RoomId) {
    let (ann, bob, eve) = (world.person("ann").await, world.person("bob").await, world.person("eve").await);
    let room = world.room("Lobby", &[&ann, &bob]).await.id;
    (ann, bob, eve, room)
}

fn renamed(name: &str) -> EntryKind {
    EntryKind::Renamed { name: RoomName::parse(name).unwrap() }
}

pub async fn only_members_write(world: &World) {
    let (ann, bob, eve, room) = three(world).await;
    let target = world.says(room, &ann, "hello").await.seq;
    let unknown = RoomId::from_bytes(world.fresh());
    assert_eq!(world.refused(unknown, &ann, message("anybody?")).await, Refused::NoRoom);
    assert_eq!(world.refused(unknown, &ann, EntryKind::Joined).await, Refused::NoRoom);
    let everything = [
        message("hello"),
        EntryKind::edited(target, body("changed")),
        EntryKind::Deleted { target },
        EntryKind::Reacted { target, emoji: emoji("👍") },
        EntryKind::Unreacted { target, emoji: emoji("👍") },
        EntryKind::Pinned { target },
        EntryKind::Unpinned { target },
        EntryKind::Left,
        EntryKind::Removed { user: bob.id, banned: false },
        EntryKind::Role { user: eve.id, role: Role::Owner },
        EntryKind::Topic { topic: Topic::parse("mine").unwrap() },
        EntryKind::Archived { archived: true },
        renamed("Mine"),
    ];
    for what in everything.clone() {
        assert_eq!(world.refused(room, &eve, what.clone()).await, Refused::NotMember, "a stranger: {what:?}");
    }
    world.does(room, &eve, EntryKind::Joined).await;
    world.does(room, &eve, EntryKind::Left).await;
    for what in everything {
        assert_eq!(world.refused(room, &eve, what.clone()).await, Refused::NotMember, "a former member: {what:?}");
    }
    for user in [eve.id, UserId::from_bytes(world.fresh())] {
        assert_eq!(world.refused(room, &ann, EntryKind::Removed { user, banned: true }).await, Refused::NotMember);
        assert_eq!(world.refused(room, &ann, EntryKind::Role { user, role: Role::Admin }).await, Refused::NotMember);
    }
    let nobody = User { id: UserId::from_bytes(world.fresh()), ..eve };
    assert_eq!(world.refused(room, &nobody, EntryKind::Joined).await, Refused::NotMember);
}

pub async fn an_archived_room_takes_nothing_but_going_and_opening(world: &World) {
    let (ann, bob, eve, room) = three(world).await;
    let joe = world.person("joe").await;
    world.does(room, &joe, EntryKind::Joined).await;
    let target = world.says(room, &bob, "hello").await.seq;
    world.does(room, &ann, EntryKind::Archived { archived: true }).await;
    for what in [
        message("hello"),
        EntryKind::edited(target, body("changed")),
        EntryKind::Deleted { target },
        EntryKind::Reacted { target, emoji: emoji("👍") },
        EntryKind::Pinned { target },
        EntryKind::Archived { archived: true },
        EntryKind::Role { user: ann.id, role: Role::Admin },
        renamed("Elsewhere"),
    ] {
        assert_eq!(world.refused(room, &bob, what.clone()).await, Refused::Archived, "{what:?}");
    }
    assert_eq!(world.refused(room, &eve, EntryKind::Joined).await, Refused::Archived);
    world.does(room, &bob, EntryKind::Left).await;
    world.does(room, &ann, EntryKind::Removed { user: joe.id, banned: false }).await;
    world.does(room, &ann, EntryKind::Archived { archived: false }).await;
    world.does(room, &bob, EntryKind::Joined).await;
}

pub async fn what_is_changed_must_be_there(world: &World) {
    let (ann, bob, _, room) = three(world).await;
    let target = world.says(room, &ann, "hello").await.seq;
    let gone = world.says(room, &ann, "gone").await.seq;
    world.does(room, &ann, EntryKind::Reacted { target: gone, emoji: emoji("👍") }).await;
    let deleted = world.does(room, &ann, EntryKind::Deleted { target: gone }).await.seq;
    // Not there, not yet there, another kind of entry, deleted.
    for target in [Seq::ZERO, seq(1), deleted, seq(99), Seq::MAX, gone] {
        for what in [
            EntryKind::edited(target, body("changed")),
            EntryKind::Reacted { target, emoji: emoji("👍") },
            EntryKind::Unreacted { target, emoji: emoji("👍") },
            EntryKind::Pinned { target },
            EntryKind::Unpinned { target },
            EntryKind::Deleted { target },
        ] {
            if target == gone && matches!(what, EntryKind::Deleted { .. }) {
                continue;
            }
            assert_eq!(world.refused(room, &ann, what.clone()).await, Refused::NoTarget, "{what:?}");
        }
    }
    let edited = EntryKind::edited(target, body("changed"));
    assert_eq!(world.refused(room, &bob, edited).await, Refused::NotAuthor);
    let unreacted = EntryKind::Unreacted { target, emoji: emoji("👍") };
    assert_eq!(world.refused(room, &bob, unreacted.clone()).await, Refused::NoReaction);
    world.does(room, &ann, EntryKind::Reacted { target, emoji: emoji("👍") }).await;
    world.does(room, &ann, unreacted.clone()).await;
    assert_eq!(world.refused(room, &bob, unreacted).await, Refused::NoReaction, "somebody else's");
}

pub async fn reactions_have_a_limit(world: &World) {
    let (ann, bob, _, room) = three(world).await;
    let target = world.says(room, &ann, "hello").await.seq;
    let nth = |n: u32| EntryKind::Reacted { target, emoji: emoji(&char::from_u32(0x1F600 + n).unwrap().to_string()) };
    let most = u32::try_from(limits::REACTIONS_PER_MESSAGE).unwrap();
    let batch = (0..most).map(|n| world.entry(room, &ann, nth(n))).collect();
    assert!(world.store.append(batch).await.unwrap().iter().all(|it| matches!(it, Appended::New(_))));
    assert_eq!(world.refused(room, &bob, nth(most)).await, Refused::TooManyReactions);
    // One that is there may be joined by any number of people.
    world.does(room, &bob, nth(3)).await;
    let EntryKind::Reacted { emoji, .. } = nth(0) else { panic!() };
    world.does(room, &ann, EntryKind::Unreacted { target, emoji }).await;
    world.does(room, &bob, nth(most)).await;
}

pub async fn pins_have_a_limit(world: &World) {
    let (ann, bob, _, room) = three(world).await;
    let mut said = Vec::new();
    for n in 0..=limits::PINS_PER_ROOM {
        said.push(world.says(room, &ann, &n.to_string()).await.seq);
    }
    let pinned = |n: usize| EntryKind::Pinned { target: said[n] };
    let batch = (0..limits::PINS_PER_ROOM - 1).map(|n| world.entry(room, &ann, pinned(n))).collect();
    assert!(world.store.append(batch).await.unwrap().iter().all(|it| matches!(it, Appended::New(_))));
    // The last one that fits and the first that does not, in one batch.
    let both = [limits::PINS_PER_ROOM - 1, limits::PINS_PER_ROOM].map(|n| world.entry(room, &bob, pinned(n)));
    let appended = world.store.append(both.to_vec()).await.unwrap();
    assert!(matches!(appended[..], [Appended::New(_), Appended::Refused(Refused::TooManyPins)]), "{appended:?}");
    world.repeats(room, &bob, pinned(3)).await;
    world.does(room, &ann, EntryKind::Deleted { target: said[0] }).await;
    world.does(room, &bob, pinned(limits::PINS_PER_ROOM)).await;
    assert_eq!(world.refused(room, &ann, pinned(0)).await, Refused::NoTarget);
    world.does(room, &ann, EntryKind::Unpinned { target: said[1] }).await;
    world.does(room, &ann, pinned(1)).await;
    assert_eq!(world.store.pins(room, ann.id).await.unwrap().len(), limits::PINS_PER_ROOM);
}

pub async fn names_are_unique_when_rooms_are_renamed(world: &World) {
    let (ann, _, _, room) = three(world).await;
    let other = world.room("Office", &[&ann]).await.id;
    assert_eq!(world.refused(room, &ann, renamed("OFFICE")).await, Refused::NameTaken);
    world.does(room, &ann, renamed("LOBBY")).await;
    let both = vec![world.entry(room, &ann, renamed("Attic")), world.entry(other, &ann, renamed("attic"))];
    let appended = world.store.append(both).await.unwrap();
    assert!(matches!(appended[0], Appended::New(_)), "{appended:?}");
    assert_eq!(appended[1], Appended::Refused(Refused::NameTaken));
    world.does(other, &ann, renamed("lobby")).await;
    let names = [room, other].map(async |room| world.store.room(room).await.unwrap().unwrap().name);
    assert_eq!(join_all(names).await.iter().map(RoomName::as_str).collect::<Vec<_>>(), ["Attic", "lobby"]);
}

pub async fn a_room_is_not_left_without_an_owner(world: &World) {
    let (ann, bob, eve, room) = three(world).await;
    let set = |user: &User, role| EntryKind::Role { user: user.id, role };
    for what in [
        EntryKind::Left,
        set(&ann, Role::Admin),
        set(&ann, Role::Member),
        EntryKind::Removed { user: ann.id, banned: false },
    ] {
        assert_eq!(world.refused(room, &ann, what.clone()).await, Refused::LastOwner, "{what:?}");
    }
    // Also by somebody else's hand, and also within one batch.
    assert_eq!(world.refused(room, &bob, EntryKind::Removed { user: ann.id, banned: true }).await, Refused::LastOwner);
    let batch = vec![
        world.entry(room, &ann, set(&bob, Role::Owner)),
        world.entry(room, &ann, EntryKind::Left),
        world.entry(room, &eve, EntryKind::Joined),
        world.entry(room, &bob, EntryKind::Left),
    ];
    let appended = world.store.append(batch).await.unwrap();
    assert!(appended[..3].iter().all(|it| matches!(it, Appended::New(_))), "{appended:?}");
    assert_eq!(appended[3], Appended::Refused(Refused::LastOwner));
    // Who is alone may go.
    world.does(room, &eve, EntryKind::Left).await;
    world.does(room, &bob, EntryKind::Left).await;
    assert_eq!(world.store.standing(room, bob.id).await.unwrap(), Standing::Former);
}

pub async fn a_reply_and_a_whisper_name_what_is_there(world: &World) {
    let (ann, bob, eve, room) = three(world).await;
    let first = world.says(room, &ann, "hello").await.seq;
    for target in [Seq::ZERO, seq(1), seq(4), Seq::MAX] {
        assert_eq!(world.refused(room, &bob, reply("re", target)).await, Refused::NoReference, "{target}");
    }
    world.does(room, &bob, reply("re", first)).await;
    assert_eq!(world.refused(room, &bob, whisper("psst", &eve)).await, Refused::NoReference);
    let psst = world.does(room, &bob, whisper("psst", &ann)).await.seq;
    world.does(room, &ann, reply("what?", psst)).await;
    // A whisper between others is not there.
    world.does(room, &eve, EntryKind::Joined).await;
    assert_eq!(world.refused(room, &eve, reply("what?", psst)).await, Refused::NoReference);
    for what in [
        EntryKind::Reacted { target: psst, emoji: emoji("👍") },
        EntryKind::edited(psst, body("changed")),
        EntryKind::Deleted { target: psst },
        EntryKind::Pinned { target: psst },
    ] {
        assert_eq!(world.refused(room, &eve, what.clone()).await, Refused::NoTarget, "{what:?}");
    }
    // What was deleted while the reply was typed does not lose the reply.
    world.does(room, &ann, EntryKind::Deleted { target: first }).await;
    world.does(room, &bob, reply("re", first)).await;
}

pub async fn nobody_is_in_more_rooms_than_allowed(world: &World) {
    let (ann, bob, cleo) = (world.person("ann").await, world.person("bob").await, world.person("cleo").await);
    let names: Vec<_> = (0..=limits::ROOMS_PER_USER).map(|n| format!("Room {n}")).collect();
    let half = limits::ROOMS_PER_USER / 2;
    let owner = |n| if n < half { &ann } else { &cleo };
    let mut rooms = Vec::new();
    // Not all at once: a store may turn calls away when too many are under way.
    for some in names.chunks(100) {
        let before = rooms.len();
        let made = some.iter().enumerate().map(async |(n, name)| world.room(name, &[owner(before + n)]).await);
        rooms.extend(join_all(made).await);
    }
    let joins = rooms.iter().map(|room| world.entry(room.id, &bob, EntryKind::Joined)).collect();
    let mut appended = world.store.append(joins).await.unwrap();
    assert_eq!(appended.pop(), Some(Appended::Refused(Refused::Full)));
    assert!(appended.iter().all(|it| matches!(it, Appended::New(_))));
    assert_eq!(world.store.rooms_of(bob.id).await.unwrap().len(), limits::ROOMS_PER_USER);
    world.does(rooms[0].id, &bob, EntryKind::Left).await;
    world.does(rooms[limits::ROOMS_PER_USER].id, &bob, EntryKind::Joined).await;
}

pub async fn a_refusal_takes_nothing_else_with_it(world: &World) {
    let (ann, bob, eve, room) = three(world).await;
    let batch = vec![
        world.entry(room, &ann, message("one")),
        world.entry(room, &eve, message("not a member")),
        world.entry(room, &bob, message("two")),
        world.entry(room, &bob, EntryKind::Deleted { target: seq(77) }),
        world.entry(room, &ann, message("three")),
    ];
    let appended = world.store.append(batch).await.unwrap();
    let taken: Vec<_> = appended
        .iter()
        .map(|it| match it {
            Appended::New(entry) => Some(entry.seq.get()),
            _ => None,
        })
        .collect();
    assert_eq!(taken, [Some(3), None, Some(4), None, Some(5)]);
    assert_eq!(world.log(room).await.len(), 5);
    assert_eq!(world.store.append(Vec::new()).await.unwrap(), []);
}
