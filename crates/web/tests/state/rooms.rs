//! The list of rooms, who is online, who types, and what is told in passing.

use crate::client::{Client, ann_in_a_room};
use crate::server::{Server, room, seq, text, user};
use natter_shared::account::User;
use natter_shared::entry::{Entry, EntryKind};
use natter_shared::frame::ServerFrame;
use natter_shared::id::UserId;
use natter_shared::room::{Notify, Role, Room, RoomKind};
use natter_shared::text::{MessageBody, RoomName};
use natter_web::state::{Effect, Rooms, Row, ToastKind, Waiting};

fn started() -> (Server, Client) {
    let mut server = Server::default();
    server.open(room(0), "beta");
    server.open(room(1), "Alpha");
    let ann = ann_in_a_room(&mut server);
    (server, ann)
}

#[test]
fn rooms_stand_by_name_and_conversations_by_use() {
    let mut server = Server::default();
    for (n, name) in [(0, "beta"), (1, "Alpha"), (2, "bob"), (3, "cleo")] {
        server.open(room(n), name);
    }
    server.says(room(2), 1, "early");
    server.says(room(3), 2, "late");
    let mut all = server.overviews(user(0).id);
    all.iter_mut().skip(2).for_each(|it| it.room.kind = RoomKind::Direct);
    let mut rooms = Rooms::default();
    rooms.replace(all);
    let names = |list: Vec<&natter_shared::room::RoomOverview>| {
        list.iter().map(|it| it.room.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names(rooms.rooms()), ["Alpha", "beta"]);
    assert_eq!(names(rooms.directs()), ["cleo", "bob"]);
    assert_eq!(rooms.waiting(), Waiting { calls: 2, more: true });
}

#[test]
fn a_room_that_is_not_open_counts_what_comes() {
    let (mut server, mut ann) = started();
    for who in [1, 2, 0] {
        let entry = server.says(room(1), who, "x");
        ann.push(&server, &entry);
        ann.hear(&mut server);
    }
    let it = ann.state.rooms.get(room(1)).unwrap();
    assert_eq!((it.unread, it.last_message.as_ref().unwrap().seq), (2, seq(7)));
    // Read in another tab.
    let frame = server.mark(room(1), user(0).id, seq(7), seq(7)).unwrap();
    ann.take(&mut server, frame);
    assert_eq!(ann.state.rooms.get(room(1)).unwrap().unread, 0);
}

#[test]
fn coming_and_going_is_told_but_not_ones_own_and_not_the_past() {
    let (mut server, mut ann) = started();
    ann.settle(&mut server);
    for (who, what) in [(3, EntryKind::Left), (3, EntryKind::Joined), (0, EntryKind::Left), (0, EntryKind::Joined)] {
        let entry = server.append(room(0), &user(who), None, what);
        ann.pipe.push_back(ServerFrame::Entries { room: room(0), entries: vec![entry] });
        ann.hear(&mut server);
    }
    let kinds: Vec<ToastKind> = ann.state.toasts.shown().iter().map(|toast| toast.kind.clone()).collect();
    let (user, room) = (user(3), room(0));
    assert_eq!(kinds, [ToastKind::Left { user: user.clone(), room }, ToastKind::Joined { user, room }]);
    assert!(ann.state.toasts.expire(ann.now + 5_000));
    assert!(ann.state.toasts.shown().is_empty());
}

#[test]
fn presence_is_told_once_for_each_change() {
    let (mut server, mut ann) = started();
    let bob = user(1);
    for online in [true, true, false] {
        ann.take(&mut server, ServerFrame::Presence { user: bob.id, online });
    }
    ann.take(&mut server, ServerFrame::Presence { user: ann.me.id, online: true });
    let kinds: Vec<ToastKind> = ann.state.toasts.shown().iter().map(|toast| toast.kind.clone()).collect();
    assert_eq!(kinds, [ToastKind::CameOnline { user: bob.clone() }, ToastKind::WentOffline { user: bob }]);
}

#[test]
fn typing_runs_out_and_ends_with_a_message() {
    let (mut server, mut ann) = started();
    for who in [0, 1, 2] {
        ann.take(&mut server, ServerFrame::Typing { room: room(0), user: user(who).id });
    }
    assert_eq!(ann.state.typing.in_room(room(0)), [user(1).id, user(2).id]);
    let entry = server.says(room(0), 1, "said it");
    ann.push(&server, &entry);
    ann.hear(&mut server);
    assert_eq!(ann.state.typing.in_room(room(0)), [user(2).id]);
    assert!(ann.state.typing.expire(ann.now + 5_000));
    assert!(ann.state.typing.in_room(room(0)).is_empty());
}

#[test]
fn a_new_public_room_is_in_the_directory_and_ones_own_asks_for_its_line() {
    let (mut server, mut ann) = started();
    let known = ann.state.rooms.get(room(0)).unwrap().room.clone();
    let new = Room { id: room(7), name: RoomName::parse("new").unwrap(), role: None, ..known.clone() };
    ann.take(&mut server, ServerFrame::Room { room: new });
    assert_eq!(ann.state.rooms.directory().len(), 1);
    assert_eq!(ann.state.rooms.rooms().len(), 2);
    // A change that was told to all keeps one's own role.
    let renamed = Room { name: RoomName::parse("gamma").unwrap(), role: None, ..known };
    ann.take(&mut server, ServerFrame::Room { room: renamed });
    let it = ann.state.rooms.get(room(0)).unwrap();
    assert_eq!((it.room.name.as_str(), it.room.role), ("gamma", Some(Role::Member)));
    // Another tab went into a room.
    server.open(room(2), "third");
    let third = server.overviews(user(0).id)[2].room.clone();
    ann.take(&mut server, ServerFrame::Room { room: third });
    ann.answer(&mut server);
    assert!(ann.state.rooms.contains(room(2)));
}

#[test]
fn a_list_from_before_does_not_undo_what_came_since() {
    let (mut server, mut ann) = started();
    let before = server.overviews(user(0).id);
    let entry = server.says(room(1), 1, "x");
    ann.push(&server, &entry);
    ann.hear(&mut server);
    ann.state.rooms_loaded(before);
    assert_eq!(ann.state.rooms.get(room(1)).unwrap().unread, 1);
}

#[test]
fn whose_account_is_deleted_has_no_name_any_more_in_what_was_loaded_before() {
    let (mut server, mut ann) = started();
    ann.open(&server, room(0));
    server.says(room(0), 1, "I was here");
    ann.settle(&mut server);
    let author = |ann: &Client| {
        let rows = ann.state.rows(room(0));
        let mut views = rows.iter().rev().filter_map(|row| match row {
            Row::Message(key) => ann.state.message(room(0), *key),
            _ => None,
        });
        views.next().map(|view| (view.body, view.author.display_name.to_string(), view.author.deleted))
    };
    assert_eq!(author(&ann), Some(("I was here".to_owned(), "bob".to_owned(), false)));
    let gone = User::erased(user(1).id);
    let left = server.append(room(0), &gone, None, EntryKind::Left);
    ann.push(&server, &left);
    ann.hear(&mut server);
    assert_eq!(author(&ann), Some(("I was here".to_owned(), "Deleted user".to_owned(), true)));
    assert_eq!(ann.state.people.get(gone.id).map(|user| user.deleted), Some(true));

    // A conversation with them is called as they are called now.
    let known = ann.state.rooms.get(room(0)).unwrap().room.clone();
    let closed = Room { kind: RoomKind::Direct, peer: Some(gone), archived: true, ..known };
    ann.take(&mut server, ServerFrame::Room { room: closed });
    let it = ann.state.rooms.get(room(0)).unwrap();
    assert_eq!((it.room.name.as_str(), it.room.archived), ("Deleted user", true));
}

/// The same, by the server's clock: what comes is new.
fn in_time() -> (Server, Client) {
    let (server, mut ann) = started();
    ann.now = 60_000;
    (server, ann)
}

/// A message of bob's that mentions these people.
fn calling(server: &mut Server, to: u8, whom: &[UserId]) -> Entry {
    let mut what = text("listen");
    if let EntryKind::Message(content) = &mut what {
        content.mentions = whom.to_vec();
    }
    server.append(room(to), &user(1), None, what)
}

#[test]
fn what_mentions_one_is_counted_and_calls() {
    let (mut server, mut ann) = in_time();
    let (me, other) = (user(0).id, user(2).id);
    for whom in [&[me, other][..], &[other], &[UserId::EVERYBODY], &[]] {
        let entry = calling(&mut server, 1, whom);
        ann.push(&server, &entry);
        ann.hear(&mut server);
    }
    let stands = |ann: &Client| {
        let it = ann.state.rooms.get(room(1)).unwrap();
        (it.unread, it.mentions)
    };
    assert_eq!(stands(&ann), (4, 2));
    assert_eq!(ann.calls, [(room(1), seq(5)), (room(1), seq(7))]);
    assert_eq!(ann.state.rooms.waiting(), Waiting { calls: 2, more: true });

    // An edit by which it mentions others takes the mention back; the count is in doubt, and asked for.
    let body = MessageBody::parse("never mind").unwrap();
    let entry = server.append(room(1), &user(1), None, EntryKind::edited(seq(5), body));
    ann.push(&server, &entry);
    ann.hear(&mut server);
    ann.answer(&mut server);
    assert_eq!(stands(&ann), (4, 1));
    // Read in another tab.
    let frame = server.mark(room(1), me, seq(9), seq(9)).unwrap();
    ann.take(&mut server, frame);
    assert_eq!((stands(&ann), ann.state.rooms.waiting()), ((0, 0), Waiting::default()));
}

#[test]
fn a_muted_room_calls_for_what_its_reader_wants() {
    let (mut server, mut ann) = in_time();
    for (notify, calls) in [(Notify::Mentions, 1), (Notify::Nothing, 0), (Notify::Everything, 1)] {
        ann.take(&mut server, ServerFrame::Notify { room: room(1), notify });
        ann.calls.clear();
        for whom in [&[user(0).id][..], &[]] {
            let entry = calling(&mut server, 1, whom);
            ann.push(&server, &entry);
            ann.hear(&mut server);
        }
        assert_eq!(ann.calls.len(), calls, "{notify:?}");
        assert_eq!(ann.state.rooms.waiting().more, notify == Notify::Everything);
    }
    assert_eq!(ann.state.rooms.waiting().calls, 3);
    ann.take(&mut server, ServerFrame::Notify { room: room(1), notify: Notify::Nothing });
    assert_eq!(ann.state.rooms.waiting(), Waiting::default());
}

#[test]
fn a_conversation_that_somebody_begins_calls_with_what_they_say_first() {
    let (mut server, mut ann) = in_time();
    let begun = |server: &mut Server, ann: &mut Client, n: u8, whom: &[UserId]| {
        server.open(room(n), "new");
        let entry = calling(server, n, whom);
        let new = server.overviews(user(0).id).into_iter().find(|it| it.room.id == room(n)).unwrap();
        ann.take(server, ServerFrame::Room { room: new.room });
        ann.answer(server);
        entry
    };
    let entry = begun(&mut server, &mut ann, 2, &[user(0).id]);
    assert_eq!(ann.calls, [(room(2), entry.seq)]);
    // Nothing for anybody, and a list that is read again.
    begun(&mut server, &mut ann, 3, &[]);
    ann.state.rooms_loaded(server.overviews(user(0).id));
    assert_eq!(ann.calls.len(), 1);
}

#[test]
fn what_is_looked_at_and_what_is_old_calls_nobody() {
    let (mut server, mut ann) = in_time();
    ann.open(&server, room(1));
    ann.settle(&mut server);
    ann.attend(&mut server, Some(room(1)));
    let entry = calling(&mut server, 1, &[user(0).id]);
    ann.push(&server, &entry);
    ann.hear(&mut server);
    assert_eq!(ann.calls, []);
    // It was written hours ago, and comes now.
    ann.attend(&mut server, None);
    ann.now += 3 * 3_600_000;
    let entry = calling(&mut server, 1, &[user(0).id]);
    ann.push(&server, &entry);
    ann.hear(&mut server);
    assert_eq!(ann.calls, []);
    assert_eq!(ann.state.rooms.get(room(1)).unwrap().mentions, 1);
}

#[test]
fn one_goes_from_room_to_room_round_the_end() {
    let mut server = Server::default();
    for (n, name) in [(0, "beta"), (1, "alpha"), (2, "gamma")] {
        server.open(room(n), name);
    }
    let mut rooms = Rooms::default();
    assert_eq!(rooms.beside(None, true, false), None);
    rooms.replace(server.overviews(user(0).id));
    let beside = |here: Option<u8>, forward, waiting| rooms.beside(here.map(room), forward, waiting);
    assert_eq!([beside(Some(1), true, false), beside(Some(0), true, false)], [Some(room(0)), Some(room(2))]);
    assert_eq!([beside(Some(2), true, false), beside(Some(1), false, false)], [Some(room(1)), Some(room(2))]);
    assert_eq!([beside(None, true, false), beside(None, false, false)], [Some(room(1)), Some(room(2))]);
    assert_eq!(beside(Some(0), true, true), None, "nothing is new anywhere");
    server.says(room(1), 1, "new");
    server.says(room(0), 1, "new");
    rooms.replace(server.overviews(user(0).id));
    let beside = |here: Option<u8>, forward, waiting| rooms.beside(here.map(room), forward, waiting);
    assert_eq!(beside(Some(2), true, true), Some(room(1)));
    assert_eq!(beside(Some(1), true, true), Some(room(0)));
    assert_eq!(beside(Some(2), false, true), Some(room(0)));
}

#[test]
fn what_another_tab_reads_is_read_here() {
    let (mut server, mut ann) = in_time();
    for whom in [&[user(0).id][..], &[]] {
        let entry = calling(&mut server, 1, whom);
        ann.push(&server, &entry);
        ann.hear(&mut server);
    }
    let stands = |ann: &Client| {
        let it = ann.state.rooms.get(room(1)).unwrap();
        (it.unread, it.mentions, it.read)
    };
    assert_eq!(ann.state.read_elsewhere(room(1), seq(5)), [Effect::LoadRooms], "what is left is asked for");
    assert_eq!(stands(&ann).2, seq(5));
    assert_eq!(ann.state.read_elsewhere(room(1), seq(6)), []);
    assert_eq!(stands(&ann), (0, 0, seq(6)));
    // It may be ahead of this tab, and is never behind.
    ann.state.read_elsewhere(room(1), seq(7));
    ann.state.read_elsewhere(room(1), seq(3));
    let entry = calling(&mut server, 1, &[user(0).id]);
    ann.push(&server, &entry);
    ann.hear(&mut server);
    assert_eq!(stands(&ann), (0, 0, seq(7)));
}
