//! Rooms, their members, and what a person's list of rooms shows.

use super::World;
use super::world::{emoji, message, seq, whisper};
use crate::store::{CreatedRoom, NewMark, Refused, SetCode, Standing};
use futures_util::future::join_all;
use natter_shared::account::User;
use natter_shared::entry::EntryKind;
use natter_shared::id::{RoomId, Seq};
use natter_shared::limits;
use natter_shared::room::{Role, RoomKind, Visibility};
use natter_shared::text::JoinCode;

pub async fn a_hundred_rooms_of_one_name_make_one_room(world: &World) {
    let ann = world.person("ann").await;
    let calls = (0..100).map(|n| {
        let name = if n % 2 == 0 { "Lobby" } else { "LOBBY" };
        world.store.create_room(world.new_room(name, &ann))
    });
    let answers: Vec<_> = join_all(calls).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(answers.iter().filter(|answer| matches!(answer, CreatedRoom::Created(..))).count(), 1);
    assert_eq!(answers.iter().filter(|answer| matches!(answer, CreatedRoom::NameTaken)).count(), 99);
    assert_eq!(world.store.rooms_of(ann.id).await.unwrap().len(), 1);
}

pub async fn a_room_is_made_once_however_often_it_is_asked_for(world: &World) {
    let ann = world.person("ann").await;
    let new = world.new_room("Lobby", &ann);
    let made = world.store.create_room(new.clone()).await.unwrap();
    let CreatedRoom::Created(room, first) = &made else { panic!("{made:?}") };
    assert_eq!((room.id, &room.name, room.kind, room.visibility), (new.id, &new.name, RoomKind::Room, new.visibility));
    assert_eq!((room.owner, room.member_count, room.head, room.archived), (Some(ann.id), 1, seq(1), false));
    assert_eq!((&room.code, room.created_at, room.peers), (&Some(new.code.clone()), new.created_at, None));
    assert_eq!((first.seq, &first.what, first.author.id), (seq(1), &EntryKind::Joined, ann.id));
    assert_eq!(world.store.create_room(new).await.unwrap(), made);
    assert_eq!(world.log(room.id).await, std::slice::from_ref(first));
    assert_eq!(world.store.standing(room.id, ann.id).await.unwrap(), Standing::Member(Role::Owner));
    assert_eq!(world.store.room(room.id).await.unwrap().as_ref(), Some(room));
    assert_eq!(world.store.room(RoomId::from_bytes(world.fresh())).await.unwrap(), None);
}

pub async fn codes_are_unique_and_can_be_switched_off(world: &World) {
    let ann = world.person("ann").await;
    let (one, two) = (world.room("One", &[&ann]).await, world.room("Two", &[&ann]).await);
    let code = one.code.clone().unwrap();
    let found = async |code: &JoinCode| world.store.room_by_code(code).await.unwrap().map(|room| room.id);
    assert_eq!(found(&code).await, Some(one.id));
    let mut third = world.new_room("Three", &ann);
    third.code = code.clone();
    assert_eq!(world.store.create_room(third).await.unwrap(), CreatedRoom::CodeTaken);
    assert_eq!(world.store.set_code(two.id, Some(&code)).await.unwrap(), SetCode::CodeTaken);
    assert_eq!(world.store.set_code(one.id, Some(&code)).await.unwrap(), SetCode::Set);
    assert_eq!(world.store.set_code(one.id, None).await.unwrap(), SetCode::Set);
    assert_eq!(found(&code).await, None);
    assert_eq!(world.store.room(one.id).await.unwrap().unwrap().code, None);
    assert_eq!(world.store.set_code(two.id, Some(&code)).await.unwrap(), SetCode::Set);
    assert_eq!(found(&code).await, Some(two.id));
    assert_eq!(world.store.set_code(RoomId::from_bytes(world.fresh()), None).await.unwrap(), SetCode::NoRoom);
}

pub async fn the_directory_comes_in_pages(world: &World) {
    let ann = world.person("ann").await;
    for name in ["Zebra", "apples", "Äpfel", "Banana", "pineApple"] {
        world.room(name, &[&ann]).await;
    }
    let mut hidden = world.new_room("apples in private", &ann);
    hidden.visibility = Visibility::Private;
    world.store.create_room(hidden).await.unwrap();
    let closed = world.room("apples of old", &[&ann]).await.id;
    world.does(closed, &ann, EntryKind::Archived { archived: true }).await;
    let bob = world.person("bob").await;
    world.store.direct(ann.id, bob.id, RoomId::from_bytes(world.fresh()), world.now()).await.unwrap();

    let names = async |query: Option<&str>, after: Option<&str>, limit| {
        let rooms = world.store.directory(query, after, limit).await.unwrap();
        rooms.into_iter().map(|room| room.name.as_str().to_owned()).collect::<Vec<_>>()
    };
    let all = ["apples", "Banana", "pineApple", "Zebra", "Äpfel"];
    assert_eq!(names(None, None, 10).await, all);
    assert_eq!(names(None, None, 2).await, all[..2]);
    assert_eq!(names(None, Some("banana"), 2).await, all[2..4]);
    assert_eq!(names(None, Some("zebra"), 2).await, all[4..]);
    assert_eq!(names(Some("APPLE"), None, 10).await, ["apples", "pineApple"]);
    assert_eq!(names(Some("ÄPF"), None, 10).await, ["Äpfel"]);
    for nothing in ["%", "_", "*", ".", "' OR '1'='1"] {
        assert!(names(Some(nothing), None, 10).await.is_empty(), "{nothing}");
    }
    world.does(closed, &ann, EntryKind::Archived { archived: false }).await;
    world
        .does(closed, &ann, EntryKind::Renamed { name: natter_shared::text::RoomName::parse("Cherry").unwrap() })
        .await;
    assert_eq!(names(Some("e"), Some("banana"), 2).await, ["Cherry", "pineApple"]);
    world.does(closed, &ann, EntryKind::Visibility { visibility: Visibility::Private }).await;
    assert_eq!(names(None, None, 10).await, all);
}

pub async fn fifty_first_messages_make_one_direct_conversation(world: &World) {
    let (ann, bob) = (world.person("ann").await, world.person("bob").await);
    let calls = (0..50).map(|n| {
        let (a, b) = if n % 2 == 0 { (&ann, &bob) } else { (&bob, &ann) };
        world.store.direct(a.id, b.id, RoomId::from_bytes(world.fresh()), world.now())
    });
    let answers: Vec<_> = join_all(calls).await.into_iter().map(Result::unwrap).collect();
    let room = answers[0].0.clone();
    assert!(answers.iter().all(|(other, _)| *other == room));
    assert_eq!(answers.iter().filter(|(_, made)| *made).count(), 1);
    assert_eq!((room.kind, room.visibility, room.member_count), (RoomKind::Direct, Visibility::Private, 2));
    assert_eq!((room.head, room.owner, &room.code, room.name.as_str()), (Seq::ZERO, None, &None, ""));
    assert_eq!(room.peers, Some((ann.id.min(bob.id), ann.id.max(bob.id))));
    for user in [&ann, &bob] {
        assert!(matches!(world.store.standing(room.id, user.id).await.unwrap(), Standing::Member(_)));
        assert_eq!(world.store.rooms_of(user.id).await.unwrap(), [room.id]);
    }
    assert_eq!(world.log(room.id).await, []);
    assert_eq!(world.says(room.id, &bob, "hello").await.seq, seq(1));
    let eve = world.person("eve").await;
    assert_eq!(world.refused(room.id, &eve, EntryKind::Joined).await, Refused::Full);
    let (other, made) =
        world.store.direct(ann.id, eve.id, RoomId::from_bytes(world.fresh()), world.now()).await.unwrap();
    assert!(made && other.id != room.id);
}

pub async fn people_come_and_go_and_are_banned(world: &World) {
    let (ann, bob, eve) = (world.person("ann").await, world.person("bob").await, world.person("eve").await);
    let room = world.room("Lobby", &[&ann]).await.id;
    let stands = async |user: &User| world.store.standing(room, user.id).await.unwrap();
    let count = async || world.store.room(room).await.unwrap().unwrap().member_count;
    assert_eq!(stands(&bob).await, Standing::Stranger);
    world.does(room, &bob, EntryKind::Joined).await;
    world.does(room, &eve, EntryKind::Joined).await;
    world.does(room, &ann, EntryKind::Role { user: bob.id, role: Role::Admin }).await;
    assert_eq!((stands(&bob).await, count().await), (Standing::Member(Role::Admin), 3));
    world.does(room, &bob, EntryKind::Left).await;
    assert_eq!((stands(&bob).await, count().await), (Standing::Former, 2));
    assert_eq!(world.store.rooms_of(bob.id).await.unwrap(), []);
    // Who comes back is a plain member.
    world.does(room, &bob, EntryKind::Joined).await;
    assert_eq!(stands(&bob).await, Standing::Member(Role::Member));
    world.does(room, &ann, EntryKind::Removed { user: bob.id, banned: false }).await;
    assert_eq!(stands(&bob).await, Standing::Former);
    world.does(room, &bob, EntryKind::Joined).await;
    world.does(room, &ann, EntryKind::Removed { user: eve.id, banned: true }).await;
    assert_eq!((stands(&eve).await, count().await), (Standing::Banned, 2));
    assert_eq!(world.refused(room, &eve, EntryKind::Joined).await, Refused::Banned);
    assert_eq!(world.refused(room, &eve, message("let me in")).await, Refused::NotMember);
    assert_eq!(world.store.member(room, eve.id).await.unwrap(), None);
    let (found, standing) = world.store.room_for(room, eve.id).await.unwrap().unwrap();
    assert_eq!((found.id, standing), (room, Standing::Banned));
    assert_eq!(world.store.room_for(RoomId::from_bytes(world.fresh()), eve.id).await.unwrap(), None);
    // A ban is taken back once; who it was for may come in again.
    assert_eq!(world.store.banned(room).await.unwrap(), std::slice::from_ref(&eve));
    assert_eq!(world.refused(room, &ann, EntryKind::Unbanned { user: bob.id }).await, Refused::NotMember);
    world.does(room, &ann, EntryKind::Unbanned { user: eve.id }).await;
    assert_eq!((stands(&eve).await, count().await), (Standing::Former, 2));
    assert_eq!(world.store.banned(room).await.unwrap(), []);
    assert_eq!(world.refused(room, &ann, EntryKind::Unbanned { user: eve.id }).await, Refused::NotMember);
    assert!(world.log(room).await.iter().any(|entry| entry.what == EntryKind::Unbanned { user: eve.id }));
    let batch = [EntryKind::Joined, EntryKind::Left].map(|what| world.entry(room, &eve, what));
    world.store.append(batch.to_vec()).await.unwrap();
    world.does(room, &eve, EntryKind::Joined).await;
    world.does(room, &ann, EntryKind::Removed { user: eve.id, banned: true }).await;
    // Coming and going in one batch is done in its order.
    let batch = [EntryKind::Left, EntryKind::Joined, EntryKind::Left, EntryKind::Joined];
    world.store.append(batch.map(|what| world.entry(room, &bob, what)).to_vec()).await.unwrap();
    assert_eq!((stands(&bob).await, count().await), (Standing::Member(Role::Member), 2));
    // The last one out leaves an empty room, which can be entered again.
    world.does(room, &bob, EntryKind::Left).await;
    world.does(room, &ann, EntryKind::Left).await;
    assert_eq!(count().await, 0);
    world.does(room, &bob, EntryKind::Joined).await;
    assert_eq!(count().await, 1);
}

pub async fn members_come_by_role_and_name(world: &World) {
    let people =
        [world.person("dan").await, world.person("cleo").await, world.person("bob").await, world.person("ann").await];
    let room = world.room("Lobby", &people.each_ref()).await.id;
    world.does(room, &people[0], EntryKind::Role { user: people[1].id, role: Role::Admin }).await;
    let members = world.store.members(room).await.unwrap();
    let names: Vec<_> = members.iter().map(|member| (member.user.username.as_str(), member.role)).collect();
    let (owner, admin, member) = (Role::Owner, Role::Admin, Role::Member);
    assert_eq!(names, [("dan", owner), ("cleo", admin), ("ann", member), ("bob", member)]);
    assert_eq!(world.store.member(room, people[2].id).await.unwrap().as_ref(), Some(&members[3]));
    assert_eq!(world.store.members(RoomId::from_bytes(world.fresh())).await.unwrap(), []);
    world.does(room, &people[0], EntryKind::Role { user: people[3].id, role: Role::Owner }).await;
    world.does(room, &people[0], EntryKind::Role { user: people[0].id, role: Role::Member }).await;
    let members = world.store.members(room).await.unwrap();
    assert_eq!(
        members.iter().map(|member| member.user.username.as_str()).collect::<Vec<_>>(),
        ["ann", "cleo", "bob", "dan"]
    );
}

pub async fn an_overview_shows_what_is_unread_for_each(world: &World) {
    let (ann, bob, eve) = (world.person("ann").await, world.person("bob").await, world.person("eve").await);
    let room = world.room("Lobby", &[&ann, &bob, &eve]).await.id;
    let (direct, _) = world.store.direct(ann.id, bob.id, RoomId::from_bytes(world.fresh()), world.now()).await.unwrap();
    world.room("Elsewhere", &[&eve]).await;
    let overview = async |user: &User, room: RoomId| {
        let all = world.store.overviews(user.id).await.unwrap();
        all.into_iter().find(|overview| overview.room.id == room).unwrap()
    };
    let first = world.says(room, &ann, "one").await;
    let second = world.says(room, &ann, "two").await;
    world.does(room, &bob, EntryKind::Reacted { target: first.seq, emoji: emoji("👍") }).await;
    world.does(room, &ann, whisper("for bob", &bob)).await;
    assert_eq!(overview(&ann, room).await.unread, 0);
    assert_eq!(overview(&bob, room).await.unread, 3);
    let of_eve = overview(&eve, room).await;
    assert_eq!(of_eve.unread, 2);
    assert_eq!(of_eve.last_message.unwrap().content.body.as_str(), "two");
    assert_eq!(overview(&bob, room).await.last_message.unwrap().content.body.as_str(), "for bob");
    world.does(room, &ann, EntryKind::Deleted { target: second.seq }).await;
    let of_eve = overview(&eve, room).await;
    assert_eq!(of_eve.unread, 1);
    assert!(of_eve.last_message.unwrap().deleted);
    let mark = NewMark { room, user: eve.id, delivered: Seq::ZERO, read: first.seq };
    world.store.raise_marks(vec![mark]).await.unwrap();
    let of_eve = overview(&eve, room).await;
    assert_eq!((of_eve.unread, of_eve.read, of_eve.delivered, of_eve.role), (0, first.seq, first.seq, Role::Member));
    assert_eq!(of_eve.room, world.store.room(room).await.unwrap().unwrap());
    assert_eq!(of_eve.peer, None);

    assert_eq!(overview(&ann, direct.id).await.peer, Some(bob.clone()));
    let of_bob = overview(&bob, direct.id).await;
    assert_eq!((of_bob.peer, of_bob.last_message, of_bob.unread), (Some(ann.clone()), None, 0));
    world.says(direct.id, &ann, "psst").await;
    assert_eq!(overview(&bob, direct.id).await.unread, 1);
    assert_eq!(world.store.overviews(eve.id).await.unwrap().len(), 2);
    world.does(room, &eve, EntryKind::Left).await;
    assert_eq!(world.store.overviews(eve.id).await.unwrap().len(), 1);
}

pub async fn unread_is_counted_to_its_limit(world: &World) {
    let (ann, bob) = (world.person("ann").await, world.person("bob").await);
    let room = world.room("Lobby", &[&ann, &bob]).await.id;
    let unread = async |user: &User| world.store.overviews(user.id).await.unwrap()[0].unread;
    let batch = async |n: u32| {
        let entries = (0..n).map(|n| world.entry(room, &ann, message(&n.to_string()))).collect();
        world.store.append(entries).await.unwrap();
    };
    batch(limits::UNREAD_MAX - 1).await;
    assert_eq!(unread(&bob).await, limits::UNREAD_MAX - 1);
    batch(200).await;
    assert_eq!((unread(&bob).await, unread(&ann).await), (limits::UNREAD_MAX, 0));
}

pub async fn acquaintances_share_a_room(world: &World) {
    let (ann, bob, eve, joe) =
        (world.person("ann").await, world.person("bob").await, world.person("eve").await, world.person("joe").await);
    let lobby = world.room("Lobby", &[&ann, &bob]).await.id;
    world.room("Office", &[&bob, &ann]).await;
    world.room("Attic", &[&eve, &bob]).await;
    let knows = async |user: &User| {
        let (mut rooms, mut people) = world.store.surroundings(user.id).await.unwrap();
        let mut overviews = world.store.overviews(user.id).await.unwrap();
        rooms.sort_by_key(|overview| overview.room.id);
        overviews.sort_by_key(|overview| overview.room.id);
        assert_eq!(rooms, overviews);
        people.sort();
        people
    };
    let sorted = |people: &[&User]| {
        let mut ids: Vec<_> = people.iter().map(|user| user.id).collect();
        ids.sort();
        ids
    };
    assert_eq!(knows(&ann).await, sorted(&[&bob]));
    assert_eq!(knows(&bob).await, sorted(&[&ann, &eve]));
    assert_eq!(knows(&joe).await, []);
    world.store.direct(joe.id, eve.id, RoomId::from_bytes(world.fresh()), world.now()).await.unwrap();
    assert_eq!(knows(&joe).await, sorted(&[&eve]));
    world.does(lobby, &eve, EntryKind::Joined).await;
    assert_eq!(knows(&ann).await, sorted(&[&bob, &eve]));
    world.does(lobby, &eve, EntryKind::Left).await;
    assert_eq!(knows(&ann).await, sorted(&[&bob]));
}

pub async fn every_room_is_listed_for_administrators(world: &World) {
    let (ann, bob) = (world.person("ann").await, world.person("bob").await);
    world.room("Banana", &[&ann]).await;
    let mut hidden = world.new_room("apples in private", &ann);
    hidden.visibility = Visibility::Private;
    world.store.create_room(hidden).await.unwrap();
    let closed = world.room("Cherry of old", &[&ann, &bob]).await.id;
    world.does(closed, &ann, EntryKind::Archived { archived: true }).await;
    world.store.direct(ann.id, bob.id, RoomId::from_bytes(world.fresh()), world.now()).await.unwrap();
    let names = async |query: Option<&str>, after: Option<&str>, limit| {
        let rooms = world.store.every_room(query, after, limit).await.unwrap();
        rooms.into_iter().map(|room| room.name.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(None, None, 10).await, ["apples in private", "Banana", "Cherry of old"]);
    assert_eq!(names(None, Some("apples in private"), 1).await, ["Banana"]);
    assert_eq!(names(Some("OF OLD"), None, 10).await, ["Cherry of old"]);
    let closed = world.store.every_room(Some("cherry"), None, 1).await.unwrap().remove(0);
    assert_eq!((closed.member_count, closed.head.get(), closed.archived), (2, 3, true));
}
