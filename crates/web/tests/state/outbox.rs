//! Sending: once, in order, whatever the connection and the server do meanwhile.

use crate::client::{Client, ann_in_a_room};
use crate::server::{Server, room, seq, user};
use natter_shared::entry::EntryKind;
use natter_shared::error::ErrorCode;
use natter_shared::frame::{SendFrame, ServerFrame};
use natter_shared::id::ClientId;
use natter_shared::timestamp::Timestamp;
use natter_web::state::{Outbox, Sending, Tick, Unsent};

fn item(n: u8, in_room: u8) -> Unsent {
    let message = SendFrame {
        client_id: ClientId::from_random_bytes([n; 16]),
        room: room(in_room),
        body: format!("{n}"),
        reply_to: None,
        attachments: Vec::new(),
        to: None,
    };
    Unsent::new(message, Timestamp::from_millis(i64::from(n)))
}

fn bodies(frames: &[SendFrame]) -> Vec<&str> {
    frames.iter().map(|frame| frame.body.as_str()).collect()
}

fn refuses(client_id: ClientId, retry: bool, retry_after_ms: Option<u64>) -> ServerFrame {
    let message = "No".to_owned();
    ServerFrame::Error { code: ErrorCode::Retry, message, client_id: Some(client_id), retry, retry_after_ms }
}

#[test]
fn a_room_waits_for_the_answer_and_others_do_not() {
    let mut outbox = Outbox::default();
    for (n, room) in [(1, 0), (2, 0), (3, 1)] {
        outbox.push(item(n, room));
    }
    assert_eq!(bodies(&outbox.due(0)), ["1", "3"]);
    assert!(outbox.due(1).is_empty());
    outbox.stored(ClientId::from_random_bytes([1; 16]), seq(1), Timestamp::from_millis(5), true);
    assert_eq!(bodies(&outbox.due(2)), ["2"]);
}

#[test]
fn what_was_on_its_way_goes_again_first_and_under_the_same_id() {
    let mut outbox = Outbox::default();
    outbox.push(item(1, 0));
    outbox.push(item(2, 0));
    let first = outbox.due(0);
    outbox.connection_lost();
    assert_eq!(outbox.due(1), first);
    // No answer for long enough is like a lost connection.
    assert_eq!(outbox.due(15_001), first);
}

#[test]
fn what_is_put_off_holds_up_its_room_until_its_time() {
    let mut outbox = Outbox::default();
    outbox.push(item(1, 0));
    outbox.push(item(2, 0));
    outbox.due(0);
    outbox.put_off(ClientId::from_random_bytes([1; 16]), Some(4_000), 100);
    assert!(outbox.due(4_099).is_empty());
    assert_eq!(outbox.next_due(), Some(4_100));
    assert_eq!(bodies(&outbox.due(4_100)), ["1"]);
}

#[test]
fn what_is_refused_waits_for_the_person_and_lets_the_rest_go() {
    let mut outbox = Outbox::default();
    outbox.push(item(1, 0));
    outbox.push(item(2, 0));
    outbox.due(0);
    let first = ClientId::from_random_bytes([1; 16]);
    outbox.refused(first, "Too long".to_owned());
    assert_eq!(bodies(&outbox.due(1)), ["2"]);
    outbox.stored(ClientId::from_random_bytes([2; 16]), seq(1), Timestamp::from_millis(5), true);
    assert!(outbox.due(2).is_empty());
    outbox.resend(first, Timestamp::from_millis(9));
    assert_eq!(bodies(&outbox.due(3)), ["1"]);
    assert_eq!(outbox.discard(first), None, "it may be on the server already");
}

#[test]
fn a_reload_keeps_what_is_unsent_and_nothing_else() {
    let mut outbox = Outbox::default();
    for n in 1..=3 {
        outbox.push(item(n, 0));
    }
    outbox.due(0);
    outbox.stored(ClientId::from_random_bytes([1; 16]), seq(1), Timestamp::from_millis(5), false);
    outbox.refused(ClientId::from_random_bytes([2; 16]), "No".to_owned());
    let kept: Vec<String> = outbox.take_writes().iter().filter_map(|(_, item)| item.as_ref()).map(to_text).collect();
    assert_eq!(kept.len(), 2);
    let mut after = Outbox::default();
    // Storage gives them back in any order.
    after.adopt(kept.iter().rev().map(|text| serde_json::from_str(text).unwrap()).collect());
    after.adopt(kept.iter().map(|text| serde_json::from_str(text).unwrap()).collect());
    let states: Vec<_> = after.items().iter().map(|it| (it.message.body.as_str(), it.failed.as_deref())).collect();
    assert_eq!(states, [("2", Some("No")), ("3", None)]);
    assert!(after.items().iter().all(|it| it.sending == Sending::Queued));
    assert!(after.take_writes().is_empty());
}

fn to_text(item: &Unsent) -> String {
    serde_json::to_string(item).unwrap()
}

#[test]
fn typed_offline_and_sent_once_in_order() {
    let mut server = Server::default();
    server.open(room(0), "one");
    let mut ann = ann_in_a_room(&mut server);
    ann.disconnect();
    for body in ["a", "b", "c"] {
        ann.sends(&mut server, room(0), body);
    }
    assert_eq!(ann.sees(room(0)), ["a", "b", "c"]);
    // The first goes out, and its answer is lost with the connection.
    ann.connect(&server);
    ann.hear(&mut server);
    ann.disconnect();
    ann.connect(&server);
    ann.settle(&mut server);
    assert_eq!(ann.sees(room(0)), ["a", "b", "c"]);
    let stored: Vec<String> =
        server.messages(room(0), user(0).id).iter().map(|it| it.content.body.to_string()).collect();
    assert_eq!(stored, ["a", "b", "c"]);
    assert!(ann.state.outbox.items().is_empty());
}

#[test]
fn a_message_keeps_its_row_from_typing_to_stored() {
    let mut server = Server::default();
    server.open(room(0), "one");
    let mut ann = ann_in_a_room(&mut server);
    ann.disconnect();
    ann.sends(&mut server, room(0), "hello");
    let row = *ann.state.rows(room(0)).last().unwrap();
    let tick = |ann: &Client| ann.state.message(room(0), row.key()).unwrap().tick.unwrap();
    assert_eq!(tick(&ann), Tick::Sending);
    ann.connect(&server);
    ann.settle(&mut server);
    assert_eq!(*ann.state.rows(room(0)).last().unwrap(), row);
    assert_eq!(tick(&ann), Tick::Stored);
    for (delivered, read, want) in [(9, 1, Tick::Received), (9, 9, Tick::Read)] {
        for n in 1..4 {
            let frame = server.mark(room(0), user(n).id, seq(delivered), seq(read)).unwrap();
            ann.take(&mut server, frame);
        }
        assert_eq!(tick(&ann), want);
    }
    assert_eq!(ann.state.ticks(room(0), seq(5)).len(), 3);
}

#[test]
fn a_message_does_not_wait_for_programs() {
    let mut server = Server::default();
    server.open(room(0), "one");
    let mut ann = ann_in_a_room(&mut server);
    let program = natter_shared::account::User {
        id: natter_shared::id::UserId::from_bytes([0xB0; 16]),
        username: natter_shared::text::Username::parse("bot-1").unwrap(),
        bot: true,
        ..user(1)
    };
    let joined = server.append(room(0), &program, None, EntryKind::Joined);
    ann.push(&server, &joined);
    ann.hear(&mut server);
    ann.sends(&mut server, room(0), "hello");
    while !ann.pipe.is_empty() {
        ann.hear(&mut server);
    }
    for n in 1..4 {
        let frame = server.mark(room(0), user(n).id, seq(9), seq(9)).unwrap();
        ann.take(&mut server, frame);
    }
    let row = *ann.state.rows(room(0)).last().unwrap();
    assert_eq!(ann.state.message(room(0), row.key()).unwrap().tick, Some(Tick::Read));
    assert_eq!(ann.state.ticks(room(0), seq(6)).len(), 3);
}

#[test]
fn an_answer_before_its_entry_does_not_make_the_message_flicker() {
    let mut server = Server::default();
    server.open(room(0), "one");
    let mut ann = ann_in_a_room(&mut server);
    ann.sends(&mut server, room(0), "hello");
    let entry = ann.pipe.pop_front().unwrap();
    ann.hear(&mut server);
    assert_eq!(ann.sees(room(0)), ["hello"]);
    assert_eq!(ann.state.outbox.unconfirmed(room(0)), 0);
    ann.take(&mut server, entry.clone());
    ann.take(&mut server, entry);
    assert_eq!(ann.sees(room(0)), ["hello"]);
    assert!(ann.state.outbox.items().is_empty());
}

#[test]
fn a_refusal_says_why_and_a_retry_says_nothing() {
    let mut server = Server::default();
    server.open(room(0), "one");
    let mut ann = ann_in_a_room(&mut server);
    ann.disconnect();
    let first = ann.sends(&mut server, room(0), "hello");
    ann.live = true;
    ann.state.outbox.due(ann.now);
    ann.take(&mut server, refuses(first, true, Some(60_000)));
    let row = *ann.state.rows(room(0)).last().unwrap();
    assert_eq!(ann.state.message(room(0), row.key()).unwrap().tick, Some(Tick::Sending));
    ann.take(&mut server, refuses(first, false, None));
    assert_eq!(ann.state.message(room(0), row.key()).unwrap().tick, Some(Tick::Failed("No".to_owned())));
}
