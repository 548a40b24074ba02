//! What stands in a timeline and how it is grouped, parted and marked.

use crate::client::{Client, ann_in_a_room};
use crate::server::{Server, room, seq, text, user};
use natter_shared::entry::EntryKind;
use natter_shared::frame::ServerFrame;
use natter_shared::id::RoomId;
use natter_shared::timestamp::Timestamp;
use natter_web::state::{ChatState, Day, Effect, Load, MessageView, Row, RowKey};

const ROOM: u8 = 0;

fn started() -> (Server, Client) {
    let mut server = Server::default();
    server.open(room(ROOM), "one");
    let ann = ann_in_a_room(&mut server);
    (server, ann)
}

fn says(server: &mut Server, ann: &mut Client, who: u8, body: &str) {
    let entry = server.says(room(ROOM), who, body);
    ann.push(server, &entry);
    ann.hear(server);
}

fn views(ann: &Client) -> Vec<MessageView> {
    let rows = ann.state.rows(room(ROOM));
    rows.iter().filter_map(|row| ann.state.message(room(ROOM), row.key())).collect()
}

fn groups(ann: &Client) -> Vec<(bool, bool)> {
    views(ann).iter().map(|view| (view.starts, view.ends)).collect()
}

#[test]
fn messages_of_one_author_stand_together_until_something_parts_them() {
    let (mut server, mut ann) = started();
    for who in [1, 1, 2, 1] {
        says(&mut server, &mut ann, who, "x");
    }
    assert_eq!(groups(&ann), [(true, false), (false, true), (true, true), (true, true)]);
    let left = server.append(room(ROOM), &user(3), None, EntryKind::Left);
    ann.push(&server, &left);
    ann.hear(&mut server);
    says(&mut server, &mut ann, 1, "y");
    assert_eq!(groups(&ann)[3..], [(true, true), (true, true)]);
    assert!(matches!(ann.state.rows(room(ROOM))[..], [Row::Day(_), Row::Event(_), .., Row::Event(_), Row::Message(_)]));
}

#[test]
fn five_minutes_and_midnight_part_a_group() {
    let at = |minutes: i64| Timestamp::from_millis(minutes * 60_000);
    // At two hours ahead of UTC the day begins at 22:00 UTC.
    assert_eq!(Day::of(at(22 * 60 - 1), 120), Day { year: 1970, month: 1, day: 1 });
    assert_eq!(Day::of(at(22 * 60), 120), Day { year: 1970, month: 1, day: 2 });
    assert_eq!(Day::of(at(0), -60), Day { year: 1969, month: 12, day: 31 });
    assert_eq!(Day::of(at(22 * 60), 120).days_since(Day::of(at(0), 120)), 1);
}

#[test]
fn the_line_stands_above_what_came_while_one_was_away() {
    let (mut server, mut ann) = started();
    ann.attend(&mut server, Some(room(ROOM)));
    says(&mut server, &mut ann, 1, "seen");
    let new = |ann: &Client| ann.state.rows(room(ROOM)).iter().position(|row| *row == Row::New);
    assert_eq!(new(&ann), None);
    ann.attend(&mut server, None);
    says(&mut server, &mut ann, 1, "missed");
    says(&mut server, &mut ann, 1, "missed too");
    let rows = ann.state.rows(room(ROOM));
    assert_eq!(rows[rows.len() - 3], Row::New);
    assert_eq!(ann.state.rooms.get(room(ROOM)).unwrap().unread, 2);
    assert_eq!(groups(&ann), [(true, true), (true, false), (false, true)]);
    // Coming back reads, and the line stays where one left off, until one says something.
    ann.attend(&mut server, Some(room(ROOM)));
    assert_eq!(ann.state.rooms.get(room(ROOM)).unwrap().unread, 0);
    assert!(new(&ann).is_some());
    ann.sends(&mut server, room(ROOM), "there");
    assert_eq!(new(&ann), None);
}

#[test]
fn going_into_a_room_draws_the_line_where_one_left_off() {
    let mut server = Server::default();
    server.open(room(ROOM), "one");
    server.says(room(ROOM), 1, "old");
    server.mark(room(ROOM), user(0).id, seq(5), seq(5));
    server.says(room(ROOM), 1, "new");
    let ann = ann_in_a_room(&mut server);
    let rows = ann.state.rows(room(ROOM));
    assert_eq!(rows[rows.len() - 2..], [Row::New, Row::Message(RowKey::Message(seq(6)))]);
}

#[test]
fn a_room_opened_before_the_list_is_there_gets_its_line_and_is_read() {
    let mut server = Server::default();
    server.open(room(ROOM), "one");
    server.says(room(ROOM), 1, "old");
    server.mark(room(ROOM), user(0).id, seq(5), seq(5));
    server.says(room(ROOM), 1, "new");
    let mut ann = Client::new(0);
    ann.open(&server, room(ROOM));
    ann.attend(&mut server, Some(room(ROOM)));
    while ann.answer(&mut server) {}
    ann.connect(&server);
    ann.settle(&mut server);
    let rows = ann.state.rows(room(ROOM));
    assert_eq!(rows[rows.len() - 2..], [Row::New, Row::Message(RowKey::Message(seq(6)))]);
    let it = ann.state.rooms.get(room(ROOM)).unwrap();
    assert_eq!((it.unread, it.read), (0, seq(6)));
}

#[test]
fn older_pages_come_in_front_and_stop_at_the_beginning() {
    let mut server = Server::default();
    server.open(room(ROOM), "one");
    for n in 0..12 {
        server.says(room(ROOM), 1, &format!("{n}"));
    }
    let mut ann = ann_in_a_room(&mut server);
    assert_eq!(ann.sees(room(ROOM)), ["7", "8", "9", "10", "11"]);
    ann.older(&server, room(ROOM));
    assert!(ann.state.timeline_view(room(ROOM)).loading_older);
    ann.older(&server, room(ROOM));
    assert!(ann.answer(&mut server));
    assert!(!ann.answer(&mut server), "one page at a time");
    assert_eq!(ann.sees(room(ROOM))[..2], ["2", "3"]);
    ann.load_all(&mut server, room(ROOM));
    let all: Vec<String> = (0..12).map(|n| n.to_string()).collect();
    assert_eq!(ann.sees(room(ROOM)), all);
    assert!(!ann.state.timeline_view(room(ROOM)).older);
}

#[test]
fn a_hole_is_filled_before_anything_stands_below_it() {
    let (mut server, mut ann) = started();
    for n in 0..3 {
        let entry = server.says(room(ROOM), 1, &format!("{n}"));
        if n == 2 {
            ann.push(&server, &entry);
        }
    }
    ann.hear(&mut server);
    assert_eq!(ann.sees(room(ROOM)), [] as [&str; 0]);
    ann.answer(&mut server);
    assert_eq!(ann.sees(room(ROOM)), ["0", "1", "2"]);
}

#[test]
fn too_far_behind_loads_the_newest_page() {
    let (mut server, mut ann) = started();
    ann.disconnect();
    for n in 0..20 {
        server.says(room(ROOM), 1, &format!("{n}"));
    }
    ann.connect(&server);
    ann.settle(&mut server);
    assert_eq!(ann.sees(room(ROOM)), ["15", "16", "17", "18", "19"]);
    assert!(ann.state.timeline_view(room(ROOM)).older);
}

#[test]
fn a_lost_room_is_not_found_and_its_text_is_gone() {
    let (mut server, mut ann) = started();
    says(&mut server, &mut ann, 1, "secret");
    ann.take(&mut server, ServerFrame::RoomGone { room: room(ROOM) });
    assert_eq!(ann.state.timeline_view(room(ROOM)).load, Load::NotFound);
    assert_eq!(ann.sees(room(ROOM)), [] as [&str; 0]);
    assert_eq!(ann.state.toasts.shown().len(), 1);
}

#[test]
fn replies_show_what_their_target_says_now() {
    let (mut server, mut ann) = started();
    says(&mut server, &mut ann, 1, "first");
    let mut what = text("answer");
    if let EntryKind::Message(content) = &mut what {
        content.reply_to = Some(seq(5));
    }
    let answer = server.append(room(ROOM), &user(2), None, what);
    ann.push(&server, &answer);
    let deleted = server.append(room(ROOM), &user(1), None, EntryKind::Deleted { target: seq(5) });
    ann.push(&server, &deleted);
    ann.hear(&mut server);
    assert_eq!(views(&ann)[1].reply.as_ref().unwrap().body, "first");
    ann.hear(&mut server);
    let reply = views(&ann)[1].reply.clone().unwrap();
    assert!(reply.deleted && reply.body.is_empty());
}

#[test]
fn another_person_finds_nothing_of_the_one_before() {
    let (mut server, mut ann) = started();
    says(&mut server, &mut ann, 1, "secret");
    ann.state.drafts.set(room(ROOM), "draft");
    ann.state.sign_in(user(2));
    let empty = |state: &ChatState, room: RoomId| state.rows(room).is_empty() && state.rooms.get(room).is_none();
    assert!(empty(&ann.state, room(ROOM)));
    assert_eq!(ann.state.drafts.get(room(ROOM)), "");
    assert!(ann.state.people.get(user(1).id).is_none());
}

#[test]
fn the_servers_warning_asks_for_a_fresh_token() {
    let (_, mut ann) = started();
    let frame = ServerFrame::Error {
        code: natter_shared::error::ErrorCode::NotSignedIn,
        message: "The access token ends soon: send a fresh one".to_owned(),
        client_id: None,
        retry: false,
        retry_after_ms: None,
    };
    assert_eq!(natter_web::state::apply(frame, &mut ann.state, 0), [Effect::Renew]);
    assert!(ann.state.toasts.shown().is_empty());
}
