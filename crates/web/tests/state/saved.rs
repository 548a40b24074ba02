//! A tab that starts with what was saved, and a server that went on meanwhile.

use crate::client::{Client, ann_in_a_room};
use crate::server::{Server, room, user};
use natter_shared::entry::EntryKind;
use natter_shared::id::RoomId;
use natter_shared::text::MessageBody;
use natter_web::json;
use natter_web::state::{ChatState, SAVED_MESSAGES, Saved};

/// What a browser gives back of what it was given: texts.
fn saved(client: &Client, rooms: &[RoomId]) -> Saved {
    let overviews: Vec<_> = client.state.rooms.iter().collect();
    let overviews = serde_json::to_string(&overviews).unwrap();
    let page = |room: &RoomId| {
        let text = serde_json::to_string(&client.state.page_to_save(*room)?).unwrap();
        Some((*room, json::read(&text).unwrap()))
    };
    Saved {
        user: client.me.clone(),
        rooms: json::read(&overviews).unwrap(),
        pages: rooms.iter().filter_map(page).collect(),
    }
}

/// The page is opened again, without a network.
fn reopened(saved: Saved) -> Client {
    let mut client = Client::new(0);
    client.state = ChatState::new(120);
    client.state.restore(saved);
    client
}

fn server() -> Server {
    let mut server = Server::default();
    server.open(room(0), "one");
    server.open(room(1), "two");
    server
}

#[test]
fn what_was_saved_is_shown_and_caught_up_with() {
    let mut server = server();
    for n in 0..8 {
        server.says(room(0), 1, &format!("before {n}"));
    }
    let mut ann = ann_in_a_room(&mut server);
    ann.load_all(&mut server, room(0));
    let before = ann.sees(room(0));
    let mut later = reopened(saved(&ann, &[room(0), room(1)]));
    assert!(later.state.restored);
    assert_eq!(later.sees(room(0)), before);
    assert!(later.state.page_to_save(room(1)).is_none(), "nobody was there");
    assert_eq!(later.state.rooms.get(room(1)).unwrap().room.name.as_str(), "two");

    // Written without a network, while others go on.
    later.sends(&mut server, room(0), "from offline");
    assert_eq!(later.sees(room(0)).last().unwrap(), "from offline");
    let first = server.messages(room(0), user(0).id)[0].seq;
    let body = MessageBody::parse("changed").unwrap();
    server.append(room(0), &user(1), None, EntryKind::edited(first, body));
    let second = server.messages(room(0), user(0).id)[1].seq;
    server.append(room(0), &user(1), None, EntryKind::Deleted { target: second });
    server.says(room(0), 1, "meanwhile");
    server.says(room(1), 1, "elsewhere");
    later.connect(&server);
    later.settle(&mut server);
    assert!(!later.state.restored);
    later.open(&server, room(1));
    later.settle(&mut server);
    let fresh = Client::afresh(0, &mut server, &[room(0), room(1)]);
    for room in [room(0), room(1)] {
        assert_eq!(later.sees(room), fresh.sees(room));
    }
    let sent = server.messages(room(0), user(0).id);
    assert_eq!(sent.iter().filter(|it| it.content.body.as_str() == "from offline").count(), 1);
}

#[test]
fn what_could_not_be_read_without_a_network_is_read_with_it() {
    let mut server = server();
    let said = server.says(room(0), 1, "the rules");
    let ann = ann_in_a_room(&mut server);
    let mut later = reopened(saved(&ann, &[room(0)]));
    assert!(!later.state.enter(room(0)), "its messages are here");
    later.state.pins_failed(room(0));
    server.append(room(0), &user(1), None, EntryKind::Pinned { target: said.seq });
    later.connect(&server);
    later.settle(&mut server);
    let pins = later.state.pins.get(&room(0)).unwrap();
    assert!(pins.is_loaded());
    assert_eq!(pins.messages().iter().map(|pin| pin.seq).collect::<Vec<_>>(), [said.seq]);
    assert!(later.state.members.get(&room(0)).unwrap().is_complete());
}

#[test]
fn a_long_history_is_saved_in_part_and_goes_on_from_there() {
    let mut server = server();
    for n in 0..SAVED_MESSAGES + 7 {
        server.says(room(0), 1, &format!("{n}"));
    }
    let mut ann = ann_in_a_room(&mut server);
    ann.load_all(&mut server, room(0));
    let saved = saved(&ann, &[room(0)]);
    assert_eq!(saved.pages[0].1.messages.len(), SAVED_MESSAGES);
    assert!(saved.pages[0].1.has_more);
    let mut later = reopened(saved);
    assert_eq!(later.sees(room(0)).len(), SAVED_MESSAGES);
    later.connect(&server);
    later.settle(&mut server);
    later.load_all(&mut server, room(0));
    assert_eq!(later.sees(room(0)), ann.sees(room(0)));
}

#[test]
fn another_person_who_signs_in_sees_nothing_of_it() {
    let mut server = server();
    server.says(room(0), 1, "for ann");
    let ann = ann_in_a_room(&mut server);
    let mut later = reopened(saved(&ann, &[room(0)]));
    later.state.sign_in(user(2));
    assert!(!later.state.restored && later.state.rooms.iter().next().is_none());
    assert!(later.sees(room(0)).is_empty());
    let mut ended = reopened(saved(&ann, &[room(0)]));
    ended.state.sign_out(true);
    assert!(ended.sees(room(0)).is_empty());
}

#[test]
fn a_room_that_was_lost_meanwhile_is_gone() {
    let mut server = server();
    server.says(room(0), 1, "for members");
    let ann = ann_in_a_room(&mut server);
    let mut later = reopened(saved(&ann, &[room(0)]));
    server.append(room(0), &user(1), None, EntryKind::Removed { user: user(0).id, banned: false });
    later.connect(&server);
    later.settle(&mut server);
    assert!(later.sees(room(0)).is_empty());
    assert!(!later.state.rooms.contains(room(0)));
}
