//! Old state and whatever frames came of it, in whatever order, is the state loaded afresh.

use crate::client::Client;
use crate::server::{Server, room, seq, user};
use natter_shared::entry::{Entry, EntryKind, Message};
use natter_shared::frame::ServerFrame;
use natter_shared::id::{RoomId, Seq, UserId};
use natter_shared::room::{Role, RoomOverview};
use natter_shared::text::{Emoji, MessageBody, RoomName};
use natter_web::state::Timeline;
use natter_web::state::map::Map;
use proptest::prelude::*;

#[derive(Debug, Clone, Copy)]
enum Act {
    Says { room: u8, who: u8 },
    Whispers { room: u8, from: u8, to: u8 },
    Edits { room: u8, who: u8, nth: usize },
    Deletes { room: u8, nth: usize },
    Reacts { room: u8, who: u8, nth: usize, emoji: bool, on: bool },
    Pins { room: u8, nth: usize, on: bool },
    JoinsOrLeaves { room: u8, who: u8 },
    Renames { room: u8, n: u8 },
    Promotes { room: u8, who: u8 },
    Marks { room: u8, who: u8, at: u64 },
    Sends { room: u8 },
    Hears { frames: usize },
    HearsTwice,
    Loses,
    Answers { calls: usize },
    AnswerFails,
    Heads,
    Reconnects,
    Disconnects,
    Opens { room: u8 },
    Older { room: u8 },
    Attends { room: Option<u8> },
    Waits,
}

fn act() -> impl Strategy<Value = Act> {
    let (room, other, nth) = (0..2_u8, 1..4_u8, 0..40_usize);
    prop_oneof![
        6 => (room.clone(), other.clone()).prop_map(|(room, who)| Act::Says { room, who }),
        1 => (room.clone(), 0..4_u8, 0..4_u8).prop_map(|(room, from, to)| Act::Whispers { room, from, to }),
        2 => (room.clone(), 0..4_u8, nth.clone()).prop_map(|(room, who, nth)| Act::Edits { room, who, nth }),
        2 => (room.clone(), nth.clone()).prop_map(|(room, nth)| Act::Deletes { room, nth }),
        2 => (room.clone(), nth.clone(), any::<bool>()).prop_map(|(room, nth, on)| Act::Pins { room, nth, on }),
        3 => (room.clone(), 0..4_u8, nth, any::<bool>(), any::<bool>())
            .prop_map(|(room, who, nth, emoji, on)| Act::Reacts { room, who, nth, emoji, on }),
        2 => (room.clone(), other.clone()).prop_map(|(room, who)| Act::JoinsOrLeaves { room, who }),
        1 => (room.clone(), 0..3_u8).prop_map(|(room, n)| Act::Renames { room, n }),
        1 => (room.clone(), other.clone()).prop_map(|(room, who)| Act::Promotes { room, who }),
        2 => (room.clone(), 0..4_u8, 1..60_u64).prop_map(|(room, who, at)| Act::Marks { room, who, at }),
        3 => room.clone().prop_map(|room| Act::Sends { room }),
        8 => (1..4_usize).prop_map(|frames| Act::Hears { frames }),
        2 => Just(Act::HearsTwice),
        2 => Just(Act::Loses),
        5 => (1..3_usize).prop_map(|calls| Act::Answers { calls }),
        1 => Just(Act::AnswerFails),
        2 => Just(Act::Heads),
        1 => Just(Act::Reconnects),
        1 => Just(Act::Disconnects),
        2 => room.clone().prop_map(|room| Act::Opens { room }),
        2 => room.clone().prop_map(|room| Act::Older { room }),
        1 => prop::option::of(room).prop_map(|room| Act::Attends { room }),
        1 => Just(Act::Waits),
    ]
}

/// The nth message of a room that is still there, counted from the newest.
fn nth(server: &Server, room: RoomId, nth: usize) -> Option<Message> {
    let messages = server.messages(room, user(0).id);
    messages.into_iter().rev().filter(|message| !message.deleted).nth(nth)
}

/// Whom the nth text mentions.
fn whom(n: u32, author: u8) -> Vec<UserId> {
    match n % 4 {
        0 => vec![UserId::EVERYBODY],
        1 if author != 0 => vec![user(0).id],
        _ => Vec::new(),
    }
}

/// What people do in the rooms: the entry that it makes.
fn write(act: Act, server: &mut Server, said: &mut u32) -> Option<Entry> {
    match act {
        Act::Says { room: n, who } if server.is_member(room(n), user(who).id) => {
            *said += 1;
            let mut what = crate::server::text(&format!("{said}"));
            if let EntryKind::Message(content) = &mut what {
                content.mentions = whom(*said, who);
            }
            Some(server.append(room(n), &user(who), None, what))
        }
        Act::Whispers { room: n, from, to } if from != to && server.is_member(room(n), user(from).id) => {
            *said += 1;
            let mut what = crate::server::text(&format!("{said}"));
            if let EntryKind::Message(content) = &mut what {
                content.to = Some(user(to).id);
            }
            Some(server.append(room(n), &user(from), None, what))
        }
        Act::Edits { room: n, who, nth: at } => nth(server, room(n), at).map(|message| {
            *said += 1;
            let body = MessageBody::parse(&format!("edited {said}")).unwrap();
            let mentions = whom(*said, who);
            server.append(room(n), &user(who), None, EntryKind::Edited { target: message.seq, body, mentions })
        }),
        Act::Deletes { room: n, nth: at } => nth(server, room(n), at)
            .map(|message| server.append(room(n), &user(1), None, EntryKind::Deleted { target: message.seq })),
        Act::Reacts { room: n, who, nth: at, emoji, on } => nth(server, room(n), at).map(|message| {
            let (target, emoji) = (message.seq, Emoji::parse(if emoji { "👍" } else { "🎉" }).unwrap());
            let what = if on { EntryKind::Reacted { target, emoji } } else { EntryKind::Unreacted { target, emoji } };
            server.append(room(n), &user(who), None, what)
        }),
        Act::Pins { room: n, nth: at, on } => {
            let message =
                nth(server, room(n), at).filter(|message| message.content.to.is_none() && message.pinned != on)?;
            let target = message.seq;
            let what = if on { EntryKind::Pinned { target } } else { EntryKind::Unpinned { target } };
            Some(server.append(room(n), &user(1), None, what))
        }
        Act::JoinsOrLeaves { room: n, who } => {
            let is_in = server.is_member(room(n), user(who).id);
            Some(server.append(room(n), &user(who), None, if is_in { EntryKind::Left } else { EntryKind::Joined }))
        }
        Act::Renames { room: n, n: name } => {
            let name = RoomName::parse(&format!("name {name}")).unwrap();
            Some(server.append(room(n), &user(0), None, EntryKind::Renamed { name }))
        }
        Act::Promotes { room: n, who } if server.is_member(room(n), user(who).id) => {
            let what = EntryKind::Role { user: user(who).id, role: Role::Admin };
            Some(server.append(room(n), &user(0), None, what))
        }
        _ => None,
    }
}

/// Gaps are for the page to find; other frames that get lost take the connection with them.
fn may_get_lost(frame: Option<&ServerFrame>) -> bool {
    matches!(frame, Some(ServerFrame::Entries { .. } | ServerFrame::Ack { .. }))
}

/// What happens to the connection, and what the person does at the page.
fn play(act: Act, server: &mut Server, ann: &mut Client, said: &mut u32) {
    if let Some(entry) = write(act, server, said) {
        ann.push(server, &entry);
        return;
    }
    match act {
        Act::Marks { room: n, who, at } => {
            let frame = server.mark(room(n), user(who).id, seq(at), seq(at));
            if ann.live {
                ann.pipe.extend(frame);
            }
        }
        Act::Sends { room: n } => {
            *said += 1;
            ann.sends(server, room(n), &format!("own {said}"));
        }
        Act::Hears { frames } => (0..frames).for_each(|_| ann.hear(server)),
        Act::HearsTwice => {
            // Only a connection repeats frames, and a welcome is its first word.
            if let Some(frame) = ann.pipe.front().filter(|it| !matches!(it, ServerFrame::Welcome { .. })).cloned() {
                ann.hear(server);
                ann.take(server, frame);
            }
        }
        Act::Loses if may_get_lost(ann.pipe.front()) => drop(ann.pipe.pop_front()),
        Act::Answers { calls } => {
            for _ in 0..calls {
                ann.answer(server);
            }
        }
        Act::AnswerFails => ann.lose_answer(),
        Act::Heads if ann.live => {
            let heads = server.heads();
            ann.pipe.push_back(ServerFrame::Heads { heads });
        }
        Act::Reconnects => ann.connect(server),
        Act::Disconnects => ann.disconnect(),
        Act::Opens { room: n } => ann.open(server, room(n)),
        Act::Older { room: n } => ann.older(server, room(n)),
        Act::Attends { room: n } => ann.attend(server, n.map(room)),
        Act::Waits => {
            ann.now += 16_000;
            ann.drain(server);
        }
        _ => {}
    }
}

/// What must be equal, without what depends on who looked where.
fn overviews(client: &Client) -> Vec<RoomOverview> {
    // What was delivered is for the server to know.
    client.state.rooms.iter().map(|it| RoomOverview { delivered: Seq::ZERO, ..it.clone() }).collect()
}

fn timelines(client: &Client) -> Map<RoomId, Timeline> {
    let mut timelines = client.state.timelines.clone();
    for timeline in timelines.values_mut() {
        timeline.set_new_above(None);
    }
    timelines
}

fn people(client: &Client, room: RoomId) -> Vec<(String, Role)> {
    client.state.members.get(&room).unwrap().iter().map(|it| (it.user.username.to_string(), it.role)).collect()
}

/// What the list of pins shows of each.
fn pins(pins: &[Message]) -> Vec<(Seq, &str)> {
    pins.iter().map(|pin| (pin.seq, pin.content.body.as_str())).collect()
}

fn check(acts: Vec<Act>) -> Result<(), TestCaseError> {
    let mut server = Server::default();
    server.open(room(0), "one");
    server.open(room(1), "two");
    let mut ann = Client::new(0);
    let mut said = 0;
    ann.connect(&server);
    for act in acts {
        play(act, &mut server, &mut ann, &mut said);
        for timeline in ann.state.timelines.values() {
            let seqs: Vec<Seq> = timeline.messages().map(|message| message.seq).collect();
            prop_assert!(seqs.is_sorted_by(|a, b| a < b), "out of order or twice: {seqs:?}");
        }
    }
    if !ann.live {
        ann.connect(&server);
    }
    let rooms = [room(0), room(1)];
    ann.settle(&mut server);
    for room in rooms {
        ann.open(&server, room);
        ann.settle(&mut server);
        ann.load_all(&mut server, room);
    }
    let fresh = Client::afresh(0, &mut server, &rooms);
    prop_assert_eq!(timelines(&ann), timelines(&fresh));
    prop_assert_eq!(overviews(&ann), overviews(&fresh));
    for room in rooms {
        prop_assert_eq!(people(&ann, room), people(&fresh, room));
        let pinned = server.pins(room, ann.me.id);
        prop_assert_eq!(pins(ann.state.pins.get(&room).unwrap().messages()), pins(&pinned));
        prop_assert_eq!(ann.state.outbox.unconfirmed(room), 0);
        // What one said oneself stands there once, in the order in which it was said.
        let own: Vec<u32> = server
            .messages(room, user(0).id)
            .iter()
            .filter(|it| it.client_id.is_some() && it.edited_at.is_none() && !it.deleted)
            .filter_map(|it| it.content.body.as_str().strip_prefix("own ")?.parse().ok())
            .collect();
        prop_assert!(own.is_sorted_by(|a, b| a < b), "{own:?}");
    }
    prop_assert!(ann.state.outbox.items().is_empty());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_comes_in_whatever_order(acts in prop::collection::vec(act(), 1..120)) {
        check(acts)?;
    }
}
