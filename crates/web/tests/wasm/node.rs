//! Runs under Node, without a page.

#![expect(clippy::unwrap_used, reason = "clippy does not see that wasm_bindgen_test marks tests")]

use natter_shared::frame::{ClientFrame, SendFrame, ServerFrame};
use natter_shared::id::{ClientId, RoomId, Seq};
use natter_shared::timestamp::Timestamp;
use natter_web::live::browser;
use natter_web::live::event_stream::EventStream;
use natter_web::state::{Outbox, Sending, Unsent};
use std::collections::BTreeSet;
use wasm_bindgen_test::wasm_bindgen_test;

const ROOM: &str = "0b8e1a5c-7d3f-4a61-9d7e-2f6f0a9c1b22";

fn room() -> RoomId {
    ROOM.parse().unwrap()
}

#[wasm_bindgen_test]
fn seqs_keep_all_their_digits() {
    // 32-bit pointers must not mean 32-bit numbers.
    let text = format!(r#"{{"type":"heads","heads":{{"{ROOM}":9007199254740991}}}}"#);
    let frame: ServerFrame = serde_json::from_str(&text).unwrap();
    assert_eq!(frame, ServerFrame::Heads { heads: [(room(), Seq::MAX)].into() });
    assert_eq!(serde_json::to_string(&frame).unwrap(), text);
}

#[wasm_bindgen_test]
fn frames_read_as_the_server_writes_them() {
    let text = format!(
        r#"{{"type":"entries","room":"{ROOM}","entries":[{{"room":"{ROOM}","seq":7,"at":"2026-11-21T09:03:00.042Z",
        "author":{{"id":"{ROOM}","username":"ann","display_name":"Ann ☕"}},"kind":"message","body":"näh 👩‍👩‍👧‍👦"}},
        {{"room":"{ROOM}","seq":8,"at":"2026-11-21T09:03:00.042Z",
        "author":{{"id":"{ROOM}","username":"ann","display_name":"Ann ☕"}},"kind":"something_new","x":1}}]}}"#
    );
    let ServerFrame::Entries { entries, .. } = serde_json::from_str(&text).unwrap() else {
        panic!("not entries");
    };
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[0].at.millis(), 1_795_251_780_042);
    assert_eq!(entries[0].seq.next(), entries[1].seq);
}

#[wasm_bindgen_test]
fn client_ids_are_random_uuids() {
    let ids: BTreeSet<ClientId> = (0..1_000).map(|_| browser::client_id().unwrap()).collect();
    assert_eq!(ids.len(), 1_000);
    for id in ids {
        let text = id.to_string();
        assert_eq!((&text[14..15], text.parse::<ClientId>()), ("4", Ok(id)));
    }
}

#[wasm_bindgen_test]
fn the_clock_and_chance_of_this_machine_make_sense() {
    assert!(browser::now() > 1_700_000_000_000);
    assert!((-14 * 60..=14 * 60).contains(&browser::offset_min()));
    assert!((0.0..1.0).contains(&browser::chance()));
    // Without a page there is nothing in view, and asking is no error.
    assert!(!browser::is_visible());
}

#[wasm_bindgen_test]
fn an_event_stream_is_read_in_pieces() {
    let text = format!(
        ": hello\n\nevent: typing\nid: {ROOM}=7\ndata: {{\"type\":\"typing\",\"room\":\"{ROOM}\",\"user\":\"{ROOM}\"}}\n\n"
    );
    let mut stream = EventStream::default();
    let mut events = Vec::new();
    for byte in text.bytes() {
        events.extend(stream.push(&[byte]).unwrap());
    }
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].id.as_deref(), Some(format!("{ROOM}=7").as_str()));
    let frame: ServerFrame = serde_json::from_str(&events[0].data).unwrap();
    assert_eq!(frame, ServerFrame::Typing { room: room(), user: ROOM.parse().unwrap() });
}

#[wasm_bindgen_test]
fn what_is_unsent_goes_to_storage_and_comes_back() {
    let message = SendFrame {
        client_id: browser::client_id().unwrap(),
        room: room(),
        body: "\"</script>\u{1F469}\u{200D}\u{1F467}\n".to_owned(),
        reply_to: Some(Seq::MAX),
        attachments: Vec::new(),
        to: None,
    };
    let mut outbox = Outbox::default();
    outbox.push(Unsent::new(message.clone(), browser::timestamp()));
    outbox.due(browser::now());
    let (id, kept) = outbox.take_writes().remove(0);
    assert_eq!(id, message.client_id);
    let text = serde_json::to_string(&kept.unwrap()).unwrap();
    let back: Unsent = serde_json::from_str(&text).unwrap();
    assert_eq!((&back.message, &back.sending), (&message, &Sending::Queued));
    let sent = serde_json::to_string(&ClientFrame::Send(message)).unwrap();
    assert!(sent.starts_with(r#"{"type":"send","client_id":""#), "{sent}");
    outbox.stored(id, Seq::MAX, Timestamp::from_millis(1), true);
    assert_eq!(outbox.take_writes(), [(id, None)]);
}
