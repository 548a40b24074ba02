//! What is loaded of a long room stays bounded, however far somebody scrolls, and is what the server has, whatever is said
//! and changed meanwhile.

use crate::client::{Client, ann_in_a_room};
use crate::server::{Server, room, seq, text, user};
use natter_shared::entry::{EntryKind, Message};
use natter_shared::id::{RoomId, Seq};
use natter_shared::text::{Emoji, MessageBody};
use natter_web::state::{KEPT, RowKey};

const ROOM: u8 = 0;
const PAGE: usize = 100;

fn long_room(messages: u64) -> (Server, Client) {
    let mut server = Server::default();
    server.open(room(ROOM), "one");
    for n in 0..messages {
        server.says(room(ROOM), u8::try_from(n % 3 + 1).unwrap(), &format!("{n}"));
        if n % 50 == 0 {
            server.append(room(ROOM), &user(1), None, EntryKind::Joined);
        }
    }
    let ann = ann_in_a_room(&mut server);
    (server, ann)
}

fn held(ann: &Client) -> Vec<Message> {
    ann.state.timelines.get(&room(ROOM)).unwrap().messages().cloned().collect()
}

/// What is loaded is a stretch of what the server has, as it stands there.
fn is_true(server: &Server, ann: &Client) {
    let held = held(ann);
    assert!(held.len() <= KEPT, "{} messages", held.len());
    let (first, last) = (held[0].seq, held[held.len() - 1].seq);
    let mut there = server.messages(room(ROOM), ann.me.id);
    there.retain(|message| message.seq >= first && message.seq <= last);
    assert_eq!(held, there);
    let rows = ann.state.rows(room(ROOM));
    // Before the first message stands what happened at the beginning; past the last one, what comes with the next page.
    let begins = if ann.state.timeline_view(room(ROOM)).older { first } else { seq(1) };
    let events = rows.iter().filter_map(|row| match row.key() {
        RowKey::Event(seq) if seq <= last => Some(seq),
        _ => None,
    });
    let all = server.page_after(room(ROOM), ann.me.id, begins.back(1), usize::MAX);
    let expected = all.events.iter().map(|it| it.seq).filter(|seq| *seq <= last);
    assert_eq!(events.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    let mut keys: Vec<String> = rows.iter().map(|row| format!("{:?}", row.key())).collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), rows.len(), "no row stands twice");
}

/// Something happens while a page may be on its way.
fn something_happens(server: &mut Server, ann: &mut Client, n: u64) {
    let id: RoomId = room(ROOM);
    let target = seq(5 + n * 37 % 900);
    let what = match n % 4 {
        0 => text(&format!("new {n}")),
        1 if server.messages(id, ann.me.id).iter().any(|it| it.seq == target && !it.deleted) => {
            EntryKind::edited(target, MessageBody::parse(&format!("edited {n}")).unwrap())
        }
        2 => EntryKind::Reacted { target, emoji: Emoji::parse("👍").unwrap() },
        _ => EntryKind::Left,
    };
    let entry = server.append(id, &user(2), None, what);
    if matches!(entry.what, EntryKind::Left) {
        server.append(id, &user(2), None, EntryKind::Joined);
    }
    let page = server.entries(id, ann.me.id, entry.seq.back(1));
    for entry in page.entries {
        ann.push(server, &entry);
    }
    while !ann.pipe.is_empty() {
        ann.hear(server);
    }
}

fn goes_up(server: &mut Server, ann: &mut Client, n: u64) -> bool {
    let Some(before) = ann.state.begin_older(room(ROOM)) else { return false };
    let page = server.page(room(ROOM), ann.me.id, Some(before), PAGE);
    something_happens(server, ann, n);
    ann.state.older_loaded(room(ROOM), before, Some(page));
    true
}

fn goes_down(server: &mut Server, ann: &mut Client, n: u64, happens: bool) -> bool {
    let Some(after) = ann.state.begin_newer(room(ROOM)) else { return false };
    let page = server.page_after(room(ROOM), ann.me.id, after, PAGE);
    if happens {
        something_happens(server, ann, n);
    }
    ann.state.newer_loaded(room(ROOM), after, Some(page));
    true
}

#[test]
fn up_to_the_beginning_and_down_again_holds_a_part_at_a_time() {
    let (mut server, mut ann) = long_room(1_500);
    let mut n = 0;
    while goes_up(&mut server, &mut ann, n) {
        is_true(&server, &ann);
        n += 1;
    }
    assert!(n >= 15, "it was the whole way");
    assert_eq!(held(&ann)[0].content.body.as_str(), "0");
    let view = ann.state.timeline_view(room(ROOM));
    assert!(view.newer && !view.older);
    let mut steps = 0;
    while goes_down(&mut server, &mut ann, n, steps < 12) {
        is_true(&server, &ann);
        (n, steps) = (n + 1, steps + 1);
        assert!(steps < 40, "it comes to its end");
    }
    let view = ann.state.timeline_view(room(ROOM));
    assert!(!view.newer && view.older);
    assert_eq!(held(&ann).last(), server.messages(room(ROOM), ann.me.id).last());
    // From here on what is said comes by itself again.
    let entry = server.says(room(ROOM), 1, "and on");
    ann.push(&server, &entry);
    ann.hear(&mut server);
    assert_eq!(held(&ann).last().unwrap().content.body.as_str(), "and on");
    assert_eq!(ann.sees(room(ROOM)).last().map(String::as_str), Some("and on"));
}

#[test]
fn what_is_far_away_is_gone_to_at_once_and_left_at_once() {
    let (mut server, mut ann) = long_room(1_500);
    let goal = seq(700);
    assert!(ann.state.begin_around(room(ROOM)));
    let page = server.page_around(room(ROOM), ann.me.id, goal, PAGE);
    something_happens(&mut server, &mut ann, 0);
    ann.state.around_loaded(room(ROOM), Some(page));
    is_true(&server, &ann);
    assert!(held(&ann).iter().any(|message| message.seq == goal) && held(&ann).len() <= PAGE);
    for n in 0..3 {
        goes_up(&mut server, &mut ann, n);
        goes_down(&mut server, &mut ann, n, true);
        is_true(&server, &ann);
    }
    // What is sent from there is confirmed, and shown where the end is.
    let client_id = ann.sends(&mut server, room(ROOM), "from far above");
    while !ann.pipe.is_empty() {
        ann.hear(&mut server);
    }
    assert_eq!(ann.state.outbox.unconfirmed(room(ROOM)), 0);
    assert!(ann.state.begin_reload(room(ROOM)));
    let newest = server.page(room(ROOM), ann.me.id, None, PAGE);
    ann.state.page_loaded(room(ROOM), newest);
    is_true(&server, &ann);
    assert!(!ann.state.timeline_view(room(ROOM)).newer);
    assert!(ann.state.message(room(ROOM), RowKey::Own(client_id)).is_some());
    // A page that was asked for before that has no place any more.
    let late = server.page_after(room(ROOM), ann.me.id, goal, PAGE);
    let there = held(&ann);
    ann.state.newer_loaded(room(ROOM), goal, Some(late));
    assert_eq!(held(&ann), there);
}

#[test]
fn whoever_comes_back_to_a_room_begins_at_its_end() {
    let (mut server, mut ann) = long_room(1_500);
    server.open(room(1), "two");
    for n in 0..8 {
        goes_up(&mut server, &mut ann, n);
    }
    assert!(ann.state.timeline_view(room(ROOM)).newer);
    ann.open(&server, room(1));
    ann.settle(&mut server);
    assert!(ann.state.rows(room(ROOM)).is_empty(), "nothing of it is kept");
    ann.open(&server, room(ROOM));
    ann.settle(&mut server);
    assert_eq!(held(&ann).last(), server.messages(room(ROOM), ann.me.id).last());
}

#[test]
fn a_room_that_is_talked_in_all_day_lets_go_of_its_beginning() {
    let (mut server, mut ann) = long_room(10);
    ann.state.stand_at_end(Some(room(ROOM)));
    let mut most = 0;
    for n in 0..1_800 {
        let entry = server.says(room(ROOM), 1, &format!("more {n}"));
        ann.push(&server, &entry);
        ann.hear(&mut server);
        most = most.max(held(&ann).len());
    }
    assert!((KEPT..KEPT * 2).contains(&most), "{most}");
    let view = ann.state.timeline_view(room(ROOM));
    assert!(view.older && !view.newer);
    assert_eq!(held(&ann).last().unwrap().content.body.as_str(), "more 1799");
    let before = ann.state.begin_older(room(ROOM)).unwrap();
    assert!(before > Seq::ZERO, "what was let go is loaded again when somebody scrolls to it");
}
