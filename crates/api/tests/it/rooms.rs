//! Making rooms, coming and going, roles, codes, direct conversations.

use crate::support::{Server, Socket, also_on_a_cluster};
use futures_util::future::join_all;
use natter_shared::entry::EntryKind;
use natter_shared::frame::ServerFrame;
use natter_shared::id::Seq;
use natter_shared::page::Page;
use natter_shared::path;
use natter_shared::room::{Member, Role, Room, RoomKind, RoomOverview};
use serde_json::json;

also_on_a_cluster! {
    a_room_has_a_unique_name_and_its_maker_owns_it,
    everybody_connected_sees_a_new_public_room_and_nobody_a_private_one,
    a_private_room_does_not_exist_for_strangers,
    codes_are_shown_renewed_and_switched_off_by_admins,
    joining_and_leaving_are_in_the_log_and_can_be_repeated,
    the_last_owner_cannot_leave_others_alone,
    owners_leaving_at_once_leave_one_behind,
    who_is_removed_hears_and_reads_nothing_more,
    an_administrator_does_not_remove_the_owner,
    a_ban_is_listed_and_taken_back,
    a_room_is_renamed_and_archived_but_never_destroyed,
    a_direct_conversation_is_one_for_both,
    the_list_of_rooms_says_where_one_stands,
    who_joins_hears_the_room_from_then_on,
}

#[tokio::test]
async fn a_room_has_a_unique_name_and_its_maker_owns_it() {
    let server = Server::start();
    let ann = server.person("ann").await;
    let room = ann.makes_room("Garden", "public").await;
    assert_eq!((room.role, room.owner, room.member_count), (Some(Role::Owner), ann.id, 1));
    for name in ["Garden", "garden", " GARDEN "] {
        let form = json!({"name": name, "visibility": "private"});
        ann.post(path::ROOMS, &form).await.refused(409, "room_name_taken");
    }
    for bad in [json!({"name": "", "visibility": "public"}), json!({"name": "x".repeat(65), "visibility": "public"})] {
        let answer = ann.post(path::ROOMS, &bad).await.refused(400, "invalid");
        assert!(answer.json()["error"]["fields"]["name"].is_string());
    }
    for bad in [json!({"name": "x"}), json!({"name": "x", "visibility": "secret"}), json!({"name": 1})] {
        ann.post(path::ROOMS, &bad).await.refused(400, "bad_request");
    }
}

#[tokio::test]
async fn everybody_connected_sees_a_new_public_room_and_nobody_a_private_one() {
    let server = Server::start();
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    let mut socket = bob.connects().await;
    ann.makes_room("secret", "private").await;
    let open = ann.makes_room("open", "public").await;
    let seen = socket
        .until(|frame| match frame {
            ServerFrame::Room { room } => Some(room.clone()),
            _ => None,
        })
        .await;
    assert_eq!((seen.id, seen.role), (open.id, None));
    let directory: Page<Room> = bob.get(path::ROOMS).await.expect(200).read();
    assert_eq!(directory.items.iter().map(|r| r.id).collect::<Vec<_>>(), [open.id]);
}

#[tokio::test]
async fn a_private_room_does_not_exist_for_strangers() {
    let server = Server::start();
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    let room = ann.makes_room("secret", "private").await;
    let unknown: natter_shared::id::RoomId = "0b8e1a5c-7d3f-4a61-9d7e-2f6f0a9c1b22".parse().unwrap();
    let same = async |real: String, other: String| {
        let (a, b) = (bob.get(&real).await.refused(404, "not_found"), bob.get(&other).await.refused(404, "not_found"));
        assert_eq!(a.json()["error"]["message"], b.json()["error"]["message"]);
    };
    same(path::room(room.id), path::room(unknown)).await;
    same(path::messages(room.id), path::messages(unknown)).await;
    same(path::members(room.id), path::members(unknown)).await;
    bob.post(&path::join(room.id), &json!({})).await.refused(404, "not_found");
    ann.lets_in(&bob, room.id).await;
    bob.says(room.id, "thank you").await;
}

#[tokio::test]
async fn codes_are_shown_renewed_and_switched_off_by_admins() {
    let server = Server::start();
    let (ann, bob, cleo) = (server.person("ann").await, server.person("bob").await, server.person("cleo").await);
    let room = ann.makes_room("secret", "private").await;
    let first = ann.get(&path::code(room.id)).await.expect(200).json()["code"].clone();
    ann.lets_in(&bob, room.id).await;
    bob.post(&path::code(room.id), &json!({})).await.refused(403, "forbidden");
    let second = ann.post(&path::code(room.id), &json!({})).await.expect(200).json()["code"].clone();
    assert_ne!(first, second);
    cleo.post(path::JOIN_BY_CODE, &json!({"code": first})).await.refused(404, "not_found");
    let typed = second.as_str().unwrap().to_lowercase().replace('-', " ");
    cleo.post(path::JOIN_BY_CODE, &json!({"code": typed})).await.expect(200);
    ann.delete(&path::code(room.id)).await.expect(204);
    let dora = server.person("dora").await;
    dora.post(path::JOIN_BY_CODE, &json!({"code": second})).await.refused(404, "not_found");
    dora.post(path::JOIN_BY_CODE, &json!({"code": "?"})).await.refused(400, "invalid");
}

#[tokio::test]
async fn joining_and_leaving_are_in_the_log_and_can_be_repeated() {
    let server = Server::start();
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    let room = ann.makes_room("garden", "public").await;
    let mut socket = ann.connects().await;
    bob.joins(room.id).await;
    bob.joins(room.id).await;
    bob.leaves(room.id).await;
    bob.joins(room.id).await;
    let log = ann.log(room.id, Seq::ZERO).await;
    let kinds: Vec<_> = log.entries.iter().map(|e| (e.author.username.to_string(), e.what.clone())).collect();
    let expected = [("ann", EntryKind::Joined), ("bob", EntryKind::Joined), ("bob", EntryKind::Left)];
    let expected = expected.into_iter().chain([("bob", EntryKind::Joined)]);
    assert_eq!(kinds, expected.map(|(who, what)| (who.to_owned(), what)).collect::<Vec<_>>());
    for _ in 0..3 {
        socket.until(|f| matches!(f, ServerFrame::Entries { .. }).then_some(())).await;
    }
}

#[tokio::test]
async fn the_last_owner_cannot_leave_others_alone() {
    let server = Server::start();
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    let room = ann.makes_room("garden", "public").await;
    bob.joins(room.id).await;
    ann.post(&path::leave(room.id), &json!({})).await.refused(409, "last_owner");
    ann.put(&path::member(room.id, ann.id()), &json!({"role": "member"})).await.refused(409, "last_owner");
    ann.put(&path::member(room.id, bob.id()), &json!({"role": "owner"})).await.expect(200);
    ann.leaves(room.id).await;
    bob.leaves(room.id).await;
}

#[tokio::test]
async fn owners_leaving_at_once_leave_one_behind() {
    let server = Server::start();
    let people = join_all(["ann", "bob", "cleo", "dora"].map(|name| server.person(name))).await;
    let room = people[0].makes_room("garden", "public").await;
    for person in &people[1..] {
        person.joins(room.id).await;
        people[0].put(&path::member(room.id, person.id()), &json!({"role": "owner"})).await.expect(200);
    }
    let erin = server.person("erin").await;
    erin.joins(room.id).await;
    let empty = json!({});
    let path = path::leave(room.id);
    let answers = join_all(people.iter().map(|p| p.post(&path, &empty))).await;
    let stayed: Vec<_> = answers.into_iter().filter(|a| a.status != 204).collect();
    assert_eq!(stayed.len(), 1);
    for answer in stayed {
        answer.refused(409, "last_owner");
    }
}

#[tokio::test]
async fn who_is_removed_hears_and_reads_nothing_more() {
    let server = Server::start();
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    let room = ann.makes_room("garden", "public").await;
    bob.joins(room.id).await;
    let mut socket = bob.connects().await;
    ann.delete(&path::member(room.id, bob.id())).await.expect(204);
    ann.says(room.id, "he is gone").await;
    let gone = ServerFrame::RoomGone { room: room.id };
    socket.until(|frame| (*frame == gone).then_some(())).await;
    let other = bob.makes_room("elsewhere", "private").await;
    bob.says(other.id, "over here").await;
    socket.sees("over here").await;
    let leaked = socket.seen.iter().any(|f| crate::support::texts(f).contains(&"he is gone".to_owned()));
    assert!(!leaked, "{:#?}", socket.seen);
    for path in [path::messages(room.id), path::entries(room.id)] {
        let status = bob.get(&path).await.status.as_u16();
        assert!([403, 404].contains(&status), "{path}: {status}");
    }
    bob.joins(room.id).await;
    ann.delete(&format!("{}?ban=true", path::member(room.id, bob.id()))).await.expect(204);
    let status = bob.post(&path::join(room.id), &json!({})).await.status.as_u16();
    assert!([403, 404].contains(&status));
}

#[tokio::test]
async fn a_ban_is_listed_and_taken_back() {
    let server = Server::start();
    let (ann, bob, cleo) = (server.person("ann").await, server.person("bob").await, server.person("cleo").await);
    let room = ann.makes_room("garden", "public").await.id;
    bob.joins(room).await;
    cleo.joins(room).await;
    let listed = async || {
        let page: Page<natter_shared::account::User> = ann.get(&path::bans(room)).await.expect(200).read();
        page.items.into_iter().map(|user| user.id).collect::<Vec<_>>()
    };
    ann.delete(&path::ban(room, bob.id())).await.refused(404, "not_found");
    ann.delete(&format!("{}?ban=true", path::member(room, bob.id()))).await.expect(204);
    assert_eq!(listed().await, [bob.id()]);
    bob.post(&path::join(room), &json!({})).await.refused(403, "forbidden");
    cleo.get(&path::bans(room)).await.refused(403, "forbidden");
    cleo.delete(&path::ban(room, bob.id())).await.refused(403, "forbidden");

    let mut socket = cleo.connects().await;
    ann.delete(&path::ban(room, bob.id())).await.expect(204);
    let told = |frame: &ServerFrame| match frame {
        ServerFrame::Entries { entries, .. } => {
            entries.iter().any(|entry| entry.what == EntryKind::Unbanned { user: bob.id() }).then_some(())
        }
        _ => None,
    };
    socket.until(told).await;
    assert!(listed().await.is_empty());
    bob.joins(room).await;
    ann.delete(&path::ban(room, bob.id())).await.refused(404, "not_found");
}

#[tokio::test]
async fn an_administrator_does_not_remove_the_owner() {
    let server = Server::start();
    let (ann, bob, cleo) = (server.person("ann").await, server.person("bob").await, server.person("cleo").await);
    let room = ann.makes_room("garden", "public").await;
    for person in [&bob, &cleo] {
        person.joins(room.id).await;
    }
    ann.put(&path::member(room.id, bob.id()), &json!({"role": "admin"})).await.expect(200);
    bob.delete(&path::member(room.id, ann.id())).await.refused(403, "forbidden");
    bob.put(&path::member(room.id, bob.id()), &json!({"role": "owner"})).await.refused(403, "forbidden");
    cleo.delete(&path::member(room.id, bob.id())).await.refused(403, "forbidden");
    cleo.patch(&path::room(room.id), &json!({"name": "mine"})).await.refused(403, "forbidden");
    bob.delete(&path::member(room.id, cleo.id())).await.expect(204);
    let members: Page<Member> = ann.get(&path::members(room.id)).await.expect(200).read();
    assert_eq!(members.items.iter().map(|m| m.role).collect::<Vec<_>>(), [Role::Owner, Role::Admin]);
}

#[tokio::test]
async fn a_room_is_renamed_and_archived_but_never_destroyed() {
    let server = Server::start();
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    let room = ann.makes_room("garden", "public").await;
    ann.makes_room("shed", "public").await;
    bob.joins(room.id).await;
    bob.says(room.id, "kept").await;
    ann.patch(&path::room(room.id), &json!({"name": "Shed"})).await.refused(409, "room_name_taken");
    let change = json!({"name": "orchard", "topic": "Apples"});
    let changed: Room = ann.patch(&path::room(room.id), &change).await.expect(200).read();
    assert_eq!((changed.name.as_str(), changed.topic.as_str()), ("orchard", "Apples"));
    ann.patch(&path::room(room.id), &json!({"archived": true})).await.expect(200);
    let client_id = crate::support::client_id();
    bob.tries_to_say(room.id, client_id, "too late").await.refused(409, "room_archived");
    assert_eq!(bob.history(room.id, "").await.messages[0].content.body.as_str(), "kept");
    ann.patch(&path::room(room.id), &json!({"archived": false})).await.expect(200);
    bob.tries_to_say(room.id, client_id, "in time").await.expect(201);
    ann.delete(&path::room(room.id)).await.refused(405, "method_not_allowed");
}

#[tokio::test]
async fn a_direct_conversation_is_one_for_both() {
    let server = Server::start();
    let (ann, bob, cleo) = (server.person("ann").await, server.person("bob").await, server.person("cleo").await);
    let mut socket = bob.connects().await;
    let rooms = join_all((0..5).flat_map(|_| [ann.direct(&bob), bob.direct(&ann)])).await;
    assert!(rooms.windows(2).all(|pair| pair[0].id == pair[1].id));
    let room = bob.direct(&ann).await;
    assert_eq!((room.id, room.kind), (rooms[0].id, RoomKind::Direct));
    assert_eq!(room.peer.unwrap().username.as_str(), "ann");
    ann.says(room.id, "hello bob").await;
    socket.sees("hello bob").await;
    cleo.get(&path::messages(room.id)).await.refused(404, "not_found");
    let own = ann.put(&format!("{}/ann", path::DM.trim_end_matches("/{username}")), &json!({})).await;
    assert!(own.status.is_client_error(), "{}", own.text);
    let nobody = ann.put(&format!("{}/nobody", path::DM.trim_end_matches("/{username}")), &json!({})).await;
    nobody.refused(404, "not_found");
    let left = ann.post(&path::leave(room.id), &json!({})).await;
    assert_eq!(left.status.as_u16(), 403, "{}", left.text);
}

#[tokio::test]
async fn the_list_of_rooms_says_where_one_stands() {
    let server = Server::start();
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    let room = ann.makes_room("garden", "public").await;
    bob.joins(room.id).await;
    for n in 1..=3 {
        ann.says(room.id, &format!("message {n}")).await;
    }
    let overview = async || -> RoomOverview {
        let page: Page<RoomOverview> = bob.get(path::MY_ROOMS).await.expect(200).read();
        page.items.into_iter().next().unwrap()
    };
    let before = overview().await;
    assert_eq!((before.unread, before.head.get()), (3, 5));
    assert_eq!(before.last_message.unwrap().content.body.as_str(), "message 3");
    bob.put(&path::read(room.id), &json!({"seq": 4})).await.expect(204);
    assert_eq!(overview().await.unread, 1);
    bob.put(&path::read(room.id), &json!({"seq": 2})).await.expect(204);
    let after = overview().await;
    assert_eq!((after.unread, after.read.get(), after.delivered.get()), (1, 4, 4), "a watermark never goes back");
    bob.put(&path::read(room.id), &json!({"seq": 9_000_000})).await.expect(204);
    assert_eq!(overview().await.read.get(), 5, "nobody has read what is not written");
}

#[tokio::test]
async fn who_joins_hears_the_room_from_then_on() {
    let server = Server::start();
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    let room = ann.makes_room("garden", "public").await;
    let mut sockets: Vec<Socket> = vec![bob.connects().await, bob.connects().await];
    bob.joins(room.id).await;
    ann.says(room.id, "welcome").await;
    for socket in &mut sockets {
        socket.sees("welcome").await;
        assert!(socket.seen.iter().any(|f| matches!(f, ServerFrame::Room { room: r } if r.id == room.id)));
    }
}
