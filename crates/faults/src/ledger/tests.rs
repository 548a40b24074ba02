//! The judge on trial: for each promise a history that keeps it and one that breaks it.

use super::*;
use natter_shared::entry::{Author, MessageContent};
use natter_shared::id::Seq;
use natter_shared::text::{DisplayName, MessageBody, Username};
use natter_shared::timestamp::Timestamp;

const ROOM: RoomId = RoomId::from_bytes([7; 16]);
const ANN: UserId = UserId::from_bytes([1; 16]);

/// A ledger with one reader, and a room whose log is written by hand.
struct Story {
    ledger: Ledger,
    reader: ReaderId,
    log: Vec<Entry>,
}

fn id(number: u8) -> ClientId {
    ClientId::from_random_bytes([number; 16])
}

fn body(number: u8) -> String {
    format!("{} hello", id(number))
}

fn entry(seq: u64, what: EntryKind) -> Entry {
    let username = Username::parse("ann").unwrap();
    let display_name = DisplayName::parse("Ann").unwrap();
    let author = Author {
        id: ANN,
        username,
        display_name,
        avatar_url: None,
        gender: None,
        guest: false,
        deleted: false,
        bot: false,
    };
    let at = Timestamp::from_millis(1_000 + i64::try_from(seq).unwrap());
    Entry { room: ROOM, seq: Seq::new(seq).unwrap(), at, author, client_id: None, what }
}

fn message(text: &str) -> EntryKind {
    let body = MessageBody::from_stored(text.to_owned());
    EntryKind::Message(MessageContent { body, reply_to: None, attachments: Vec::new(), to: None, mentions: Vec::new() })
}

impl Story {
    fn new() -> Self {
        let ledger = Ledger::default();
        let reader = ledger.reader("bob");
        Self { ledger, reader, log: Vec::new() }
    }

    fn tries(&self, number: u8) {
        self.ledger.intent(Intent { room: ROOM, author: ANN, client_id: id(number), body: body(number) });
    }

    fn stored(&mut self, number: u8) -> Entry {
        let entry = entry(u64::try_from(self.log.len()).unwrap() + 1, message(&body(number)));
        self.log.push(entry.clone());
        entry
    }

    fn acked(&self, number: u8, entry: &Entry) {
        self.ledger.ack(id(number), Ack { seq: entry.seq.get(), at: entry.at.millis() });
    }

    fn seen(&self, entry: &Entry) {
        self.ledger.observed(self.reader, entry);
    }

    /// Tried, stored, acknowledged and seen.
    fn said(&mut self, number: u8) -> Entry {
        self.tries(number);
        let entry = self.stored(number);
        self.acked(number, &entry);
        self.seen(&entry);
        entry
    }

    fn verdict(&self) -> Verdict {
        self.ledger.verdict(&[("here".to_owned(), History::from([(ROOM, self.log.clone())]))])
    }

    /// Lost, doubled, reordered, wrong.
    fn found(&self) -> [u64; 4] {
        let verdict = self.verdict();
        [&verdict.lost, &verdict.doubled, &verdict.reordered, &verdict.wrong].map(|found| found.count)
    }
}

#[test]
fn what_keeps_every_promise_holds() {
    let mut story = Story::new();
    for number in 1..=5 {
        story.said(number);
    }
    story.tries(6);
    story.tries(7);
    let unknown = story.stored(7);
    story.seen(&unknown);
    let verdict = story.verdict();
    assert!(verdict.holds(), "{verdict:?}");
    assert_eq!((verdict.attempted, verdict.acked, verdict.unknown, verdict.unknown_stored), (7, 5, 2, 1));
}

#[test]
fn an_acknowledged_message_that_is_not_there_is_lost() {
    let mut story = Story::new();
    story.said(1);
    story.tries(2);
    story.acked(2, &entry(2, message("")));
    assert_eq!(story.found(), [1, 0, 0, 0]);
}

#[test]
fn what_a_reader_who_stayed_has_not_got_is_lost_and_for_one_who_left_it_is_not() {
    let mut story = Story::new();
    story.said(1);
    story.tries(2);
    let second = story.stored(2);
    story.acked(2, &second);
    assert_eq!(story.found(), [1, 0, 0, 0]);
    story.ledger.leaves(story.reader);
    assert_eq!(story.found(), [0; 4]);
}

#[test]
fn a_message_that_is_there_twice_is_doubled_whatever_its_client_id_says() {
    let mut story = Story::new();
    story.said(1);
    let again = story.stored(1);
    story.seen(&again);
    assert_eq!(story.found()[1], 1);

    let mut story = Story::new();
    story.said(1);
    story.ledger.doubled(story.reader, ROOM, 1);
    assert_eq!(story.found(), [0, 1, 0, 0]);
}

#[test]
fn two_acknowledgements_that_differ_and_one_with_another_seq_are_reordered() {
    let mut story = Story::new();
    story.said(1);
    let second = story.said(2);
    story.acked(1, &second);
    assert_eq!(story.found(), [0, 0, 1, 0]);

    let mut story = Story::new();
    story.said(1);
    story.tries(2);
    let second = story.stored(2);
    story.seen(&second);
    story.acked(2, &story.log[0].clone());
    assert_eq!(story.found(), [0, 0, 1, 0]);
}

#[test]
fn a_reader_who_saw_something_else_or_later_first_is_reordered() {
    let mut story = Story::new();
    let (first, second) = (story.said(1), entry(2, message("something else")));
    story.tries(2);
    let stored = story.stored(2);
    story.acked(2, &stored);
    story.seen(&second);
    assert_eq!(story.found(), [0, 0, 1, 0]);

    let mut story = Story::new();
    story.tries(1);
    story.tries(2);
    let entries = [story.stored(1), story.stored(2)];
    story.seen(&entries[1]);
    story.seen(&entries[0]);
    assert!(story.found()[2] > 0);
    story.ledger.reordered(story.reader, ROOM, first.seq.get());
    assert!(!story.verdict().holds());
}

#[test]
fn nodes_that_tell_different_histories_are_found_out() {
    let mut story = Story::new();
    story.said(1);
    let mut other = story.log.clone();
    other[0].at = Timestamp::from_millis(5);
    let histories = [story.log.clone(), other].map(|log| ("node".to_owned(), History::from([(ROOM, log)])));
    assert!(story.ledger.verdict(&histories).reordered.count > 0);
}

#[test]
fn gaps_strangers_and_refused_messages_in_a_history_are_wrong() {
    let mut story = Story::new();
    story.said(1);
    story.log.push(entry(3, EntryKind::Joined));
    story.ledger.leaves(story.reader);
    assert_eq!(story.found(), [0, 0, 0, 1]);

    let mut story = Story::new();
    let stranger = story.stored(9);
    story.seen(&stranger);
    assert_eq!(story.found(), [0, 0, 0, 1]);

    let mut story = Story::new();
    story.tries(1);
    let refused = story.stored(1);
    story.seen(&refused);
    story.ledger.refused(id(1), "invalid");
    assert_eq!(story.found(), [0, 0, 0, 1]);
}

#[test]
fn a_deleted_message_is_known_by_its_seq() {
    let mut story = Story::new();
    story.said(1);
    let deletion = entry(2, EntryKind::Deleted { target: Seq::new(1).unwrap() });
    story.log.push(deletion.clone());
    story.seen(&deletion);
    story.log[0].what = message("");
    assert_eq!(story.found(), [0; 4]);
    story.log[1].what = EntryKind::Joined;
    assert!(story.found()[0] > 0, "an empty text without a deletion is a loss");
}
