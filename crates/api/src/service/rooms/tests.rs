//! Rooms on the real store: what is announced, what stays untouched, and what two at once cannot break. Who may do what is
//! `tests/standing`.

mod limit;
mod standing;

use super::*;
use crate::stage::{Heard, Stage};
use futures_util::future::join_all;
use natter_shared::frame::ServerFrame;
use natter_shared::id::UserId;
use natter_shared::room::{RoomKind, Visibility};

fn kinds(notices: &[Notice], room: RoomId) -> Vec<EntryKind> {
    Heard::entries(notices, room).concat().into_iter().map(|entry| entry.what).collect()
}

/// Room frames: to whom (nobody for everyone), and the role that they say.
fn room_frames(notices: &[Notice]) -> Vec<(Vec<UserId>, Option<Role>)> {
    let frame = |notice: &Notice| match notice {
        Notice::Everyone { frame: ServerFrame::Room { room } } => Some((Vec::new(), room.role)),
        Notice::Users { users, frame: ServerFrame::Room { room } } => Some((users.clone(), room.role)),
        _ => None,
    };
    notices.iter().filter_map(frame).collect()
}

fn patch(change: impl FnOnce(&mut RoomPatch)) -> RoomPatch {
    let mut patch = RoomPatch::default();
    change(&mut patch);
    patch
}

#[tokio::test]
async fn everybody_hears_of_a_public_room_and_the_maker_alone_of_a_private_one() {
    let stage = Stage::new();
    let ann = stage.person("ann").await;
    let room = stage.room(&ann, "garden", Visibility::Public).await;
    let all = stage.heard.all();
    assert_eq!(kinds(&all, room.id), [EntryKind::Joined]);
    assert_eq!(room_frames(&all), [(vec![], None), (vec![ann.user], Some(Role::Owner))]);
    stage.heard.forget();
    let secret = stage.room(&ann, "secret", Visibility::Private).await;
    assert_eq!(room_frames(&stage.heard.all()), [(vec![ann.user], Some(Role::Owner))]);
    stage.heard.forget();
    let open = patch(|patch| patch.visibility = Some(Visibility::Public));
    stage.rooms.change(&ann, secret.id, open).await.unwrap();
    assert_eq!(room_frames(&stage.heard.all())[0], (vec![], None), "a private room that opens is new to everybody");
}

#[tokio::test]
async fn a_change_is_an_entry_for_each_thing_that_differs() {
    let stage = Stage::new();
    let (ann, bob) = (stage.person("ann").await, stage.person("bob").await);
    let room = stage.room(&ann, "garden", Visibility::Public).await.id;
    stage.rooms.join(&bob, room).await.unwrap();
    stage.heard.forget();
    let same = patch(|patch| {
        patch.name = Some(" garden ".into());
        patch.topic = Some(String::new());
        patch.visibility = Some(Visibility::Public);
        patch.archived = Some(false);
    });
    stage.rooms.change(&ann, room, same).await.unwrap();
    assert!(stage.heard.all().is_empty(), "nothing changed, nothing is said");
    let change = patch(|patch| {
        patch.name = Some("Garden".into());
        patch.archived = Some(true);
        patch.topic = Some("Beans".into());
    });
    let changed = stage.rooms.change(&ann, room, change).await.unwrap();
    assert_eq!((changed.name.as_str(), changed.topic.as_str(), changed.archived), ("Garden", "Beans", true));
    let told = stage.heard.until(|all| Some(kinds(all, room)).filter(|kinds| kinds.len() == 3)).await;
    assert!(
        matches!(
            &told[..],
            [EntryKind::Renamed { .. }, EntryKind::Topic { .. }, EntryKind::Archived { archived: true }]
        ),
        "{told:?}"
    );
    let frames = room_frames(&stage.heard.all());
    assert_eq!(frames, [(vec![bob.user], Some(Role::Member)), (vec![ann.user], Some(Role::Owner))]);
    let back = patch(|patch| {
        patch.topic = Some("Peas".into());
        patch.archived = Some(false);
    });
    let back = stage.rooms.change(&ann, room, back).await.unwrap();
    assert_eq!((back.topic.as_str(), back.archived), ("Peas", false));
}

#[tokio::test]
async fn a_name_that_is_taken_changes_nothing_else() {
    let stage = Stage::new();
    let ann = stage.person("ann").await;
    let room = stage.room(&ann, "garden", Visibility::Public).await.id;
    stage.room(&ann, "Shed", Visibility::Private).await;
    let change = patch(|patch| {
        patch.topic = Some("Tools".into());
        patch.name = Some("shed".into());
    });
    let refused = stage.rooms.change(&ann, room, change).await;
    assert!(matches!(refused, Err(RoomError::NameTaken)), "{refused:?}");
    assert_eq!(stage.rooms.get(&ann, room).await.unwrap().topic.as_str(), "");
    let form = RoomForm { name: "SHED".into(), topic: None, visibility: Visibility::Public };
    assert!(matches!(stage.rooms.create(&ann, form).await, Err(RoomError::NameTaken)));
}

#[tokio::test]
async fn a_room_is_never_left_without_an_owner() {
    let stage = Stage::new();
    let ann = stage.person("ann").await;
    let room = stage.room(&ann, "garden", Visibility::Public).await.id;
    let mut owners = vec![ann];
    for n in 0..7 {
        let person = stage.person(&format!("owner-{n}")).await;
        stage.rooms.join(&person, room).await.unwrap();
        stage.rooms.set_role(&ann, room, person.user, Role::Owner).await.unwrap();
        owners.push(person);
    }
    // Each takes the role from the next one, all at once.
    let next = owners.iter().cycle().skip(1);
    let demote = owners.iter().zip(next).map(|(who, next)| stage.rooms.set_role(who, room, next.user, Role::Member));
    let outcomes = join_all(demote).await;
    let refused = |outcome: &Result<_, RoomError>| match outcome {
        Ok(_) | Err(RoomError::LastOwner | RoomError::Forbidden(_)) => {}
        Err(other) => panic!("{other}"),
    };
    outcomes.iter().for_each(refused);
    let left = stage.parts.store.members(room).await.unwrap();
    let still: Vec<_> = left.iter().filter(|member| member.role == Role::Owner).collect();
    assert!(!still.is_empty());
    let last = owners.iter().find(|who| who.user == still[0].user.id).unwrap();
    for owner in still[1..].iter().map(|member| member.user.id) {
        stage.rooms.set_role(last, room, owner, Role::Member).await.unwrap();
    }
    let refused = stage.rooms.set_role(last, room, last.user, Role::Admin).await;
    assert!(matches!(refused, Err(RoomError::LastOwner)), "{refused:?}");
    assert!(matches!(stage.rooms.leave(last, room).await, Err(RoomError::LastOwner)));
}

#[tokio::test]
async fn who_comes_in_twice_is_in_once() {
    let stage = Stage::new();
    let (ann, bob) = (stage.person("ann").await, stage.person("bob").await);
    let room = stage.room(&ann, "garden", Visibility::Public).await.id;
    let joins = join_all((0..20).map(|_| stage.rooms.join(&bob, room))).await;
    for joined in joins {
        let joined = joined.unwrap();
        assert_eq!((joined.role, joined.member_count), (Some(Role::Member), 2));
    }
    assert_eq!(stage.parts.store.heads(&[room]).await.unwrap()[0].1.get(), 2);
    let repeated = stage.rooms.set_role(&ann, room, bob.user, Role::Member).await.unwrap();
    assert_eq!(repeated.role, Role::Member);
    assert_eq!(stage.parts.store.heads(&[room]).await.unwrap()[0].1.get(), 2, "a role that one has is no entry");
}

#[tokio::test]
async fn a_conversation_of_two_is_one_however_often_it_is_asked_for() {
    let stage = Stage::new();
    let (ann, bob, cleo) = (stage.person("ann").await, stage.person("bob").await, stage.person("cleo").await);
    let asked = (0..10).map(|n| match n % 2 {
        0 => stage.rooms.direct(&ann, "bob"),
        _ => stage.rooms.direct(&bob, "ann"),
    });
    let rooms: Vec<Room> = join_all(asked).await.into_iter().map(Result::unwrap).collect();
    let id = rooms[0].id;
    assert!(rooms.iter().all(|room| room.id == id && room.kind == RoomKind::Direct));
    assert_eq!((rooms[0].name.as_str(), rooms[1].name.as_str()), ("bob", "ann"), "called after the other one");
    let told = stage.heard.all();
    let subscribed = told.iter().filter(|notice| matches!(notice, Notice::Subscribe { room, .. } if *room == id));
    assert_eq!(subscribed.count(), 1);
    for (viewer, peer) in [(ann.user, bob.user), (bob.user, ann.user)] {
        let seen: Vec<_> = told
            .iter()
            .filter_map(|notice| match notice {
                Notice::Users { users, frame: ServerFrame::Room { room } } if *users == [viewer] => room.peer.clone(),
                _ => None,
            })
            .collect();
        assert_eq!(seen.iter().map(|peer| peer.id).collect::<Vec<_>>(), [peer]);
    }
    assert!(matches!(stage.rooms.get(&cleo, id).await, Err(RoomError::Unknown)));
    assert!(matches!(stage.rooms.join(&cleo, id).await, Err(RoomError::Unknown)));
    assert!(matches!(stage.rooms.leave(&ann, id).await, Err(RoomError::Forbidden(_))));
    let rename = patch(|patch| patch.name = Some("ours".into()));
    assert!(matches!(stage.rooms.change(&ann, id, rename).await, Err(RoomError::Forbidden(_))));
    assert!(matches!(stage.rooms.code(&ann, id).await, Err(RoomError::Forbidden(_))));
    assert!(matches!(stage.rooms.remove(&ann, id, bob.user, true).await, Err(RoomError::Forbidden(_))));
    assert!(matches!(stage.rooms.set_role(&ann, id, bob.user, Role::Owner).await, Err(RoomError::Forbidden(_))));
    assert!(matches!(stage.rooms.direct(&ann, "ann").await, Err(RoomError::Invalid(_))));
    for unknown in ["nobody", "", "Bob", "../bob", "b\u{43e}b"] {
        assert!(matches!(stage.rooms.direct(&ann, unknown).await, Err(RoomError::Unknown)), "{unknown}");
    }
}

#[tokio::test]
async fn the_directory_comes_in_parts_and_says_where_one_is_in() {
    let stage = Stage::new();
    let (ann, bob) = (stage.person("ann").await, stage.person("bob").await);
    for n in 0..7 {
        stage.room(&ann, &format!("Room {n}"), Visibility::Public).await;
    }
    stage.room(&ann, "Room secret", Visibility::Private).await;
    let own = stage.room(&bob, "room 3b", Visibility::Public).await.id;
    let mut names = Vec::new();
    let mut cursor = None;
    loop {
        let query = ListQuery { q: Some("ROOM".into()), limit: Some(3), cursor };
        let page = stage.rooms.directory(&bob, query).await.unwrap();
        assert!(page.items.len() <= 3);
        assert!(page.items.iter().all(|room| room.role.is_some() == (room.id == own)));
        names.extend(page.items.into_iter().map(|room| room.name.to_string()));
        cursor = page.cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(names, ["Room 0", "Room 1", "Room 2", "Room 3", "room 3b", "Room 4", "Room 5", "Room 6"]);
    for bad in ["?", "w6g", &"A".repeat(3)] {
        let query = ListQuery { cursor: Some(bad.to_owned()), ..ListQuery::default() };
        let outcome = stage.rooms.directory(&bob, query).await;
        assert!(!matches!(outcome, Err(RoomError::Store(_))), "{bad}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_removal_ends_a_membership_and_a_ban_keeps_it_so() {
    let stage = Stage::new();
    let (ann, bob) = (stage.person("ann").await, stage.person("bob").await);
    let room = stage.room(&ann, "secret", Visibility::Private).await.id;
    stage.lets_in(&ann, &bob, room).await;
    stage.rooms.remove(&ann, room, bob.user, false).await.unwrap();
    assert!(matches!(stage.rooms.get(&bob, room).await, Err(RoomError::Unknown)));
    assert_eq!(stage.lets_in(&ann, &bob, room).await.role, Some(Role::Member), "a removal is no ban");
    stage.rooms.remove(&ann, room, bob.user, true).await.unwrap();
    let code = stage.rooms.code(&ann, room).await.unwrap();
    let form = natter_shared::room::CodeForm { code: code.as_str().to_lowercase() };
    let origin = crate::service::Origin { ip: [127, 0, 0, 1].into(), user_agent: String::new() };
    let refused = stage.rooms.join_by_code(&bob, &form, &origin).await;
    assert!(matches!(refused, Err(RoomError::Unknown)), "{refused:?}");
    assert!(matches!(stage.rooms.remove(&ann, room, ann.user, false).await, Err(RoomError::Invalid(_))));
    stage.rooms.drop_code(&ann, room).await.unwrap();
    assert!(matches!(stage.rooms.code(&ann, room).await, Err(RoomError::Unknown)));
}
