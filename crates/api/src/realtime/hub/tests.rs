//! Stories of who hears what, and a model that checks them all: whatever happens in whatever order, each connection gets
//! every entry of its rooms exactly once and in order.

use super::*;
use crate::realtime::link::Link;
use crate::realtime::outbox::{End, Taken};
use crate::realtime::shard::Seat;
use crate::service::Caller;
use natter_shared::entry::{Author, Entry, EntryKind, MessageContent};
use natter_shared::frame::{Cursors, ServerFrame};
use natter_shared::id::{ClientId, SessionId, UserId};
use natter_shared::text::{DisplayName, MessageBody, Username};
use natter_shared::timestamp::Timestamp;
use proptest::prelude::*;
use std::task::{Context, Poll, Waker};
use tokio::time::Instant;

const ROOM: RoomId = RoomId::from_bytes([9; 16]);

fn user(n: u8) -> UserId {
    UserId::from_bytes([n; 16])
}

fn seq(n: u64) -> Seq {
    Seq::new(n).unwrap()
}

fn entry(n: u64, author: UserId, what: EntryKind) -> Entry {
    let author = Author {
        id: author,
        username: Username::parse("ann").unwrap(),
        display_name: DisplayName::parse("Ann").unwrap(),
        avatar_url: None,
        gender: None,
        guest: false,
        deleted: false,
        bot: false,
    };
    let client_id = Some(ClientId::from_bytes([7; 16]));
    Entry { room: ROOM, seq: seq(n), at: Timestamp::from_millis(0), author, client_id, what }
}

fn says(n: u64, author: UserId, to: Option<UserId>) -> Entry {
    let body = MessageBody::parse(&format!("text {n}")).unwrap();
    entry(
        n,
        author,
        EntryKind::Message(MessageContent { body, reply_to: None, attachments: Vec::new(), to, mentions: Vec::new() }),
    )
}

fn publish(hub: &Hub, entries: Vec<Entry>) {
    hub.publish(Notice::Entries { room: ROOM, entries: Arc::new(entries) });
    hub.shards.iter().for_each(|shard| shard.pump(usize::MAX));
}

/// A connection of somebody, as the tasks around the hub would hold it.
struct Ear {
    link: Arc<Link>,
    seat: Option<Seat>,
}

impl Ear {
    fn enter(shard: &Arc<Shard>, user: UserId) -> Self {
        let link = Arc::new(Link::socket(Instant::now()));
        let session = SessionId::from_bytes(*user.as_bytes());
        let caller = Caller { user, session, expires_at: Timestamp::from_millis(i64::MAX), guest: false, bot: None };
        let seat = Some(shard.enter(&caller, &link));
        Self { link, seat }
    }

    /// A connection that hears the room from the entry after `told` on.
    fn hearing(shard: &Arc<Shard>, user: UserId, told: u64) -> Self {
        let ear = Self::enter(shard, user);
        assert!(ear.seat.as_ref().unwrap().subscribe(&[(ROOM, seq(told))]).is_empty());
        ear.link.outbox.release([]);
        ear
    }

    fn take(&self) -> Vec<Outgoing> {
        let mut all = Vec::new();
        while let Poll::Ready(Some(Taken::Frames(frames))) =
            self.link.outbox.poll_take(&mut Context::from_waker(Waker::noop()))
        {
            all.extend(frames);
        }
        all
    }

    fn hears(&self) -> Vec<ServerFrame> {
        self.take().iter().map(|frame| serde_json::from_slice(frame.json()).unwrap()).collect()
    }

    fn seqs(&self) -> Vec<u64> {
        let seqs = |frame| match frame {
            ServerFrame::Entries { entries, .. } => entries.iter().map(|e| e.seq.get()).collect(),
            _ => Vec::new(),
        };
        self.hears().into_iter().flat_map(seqs).collect()
    }

    fn end(&self) -> Option<End> {
        match self.link.outbox.poll_take(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Some(Taken::End(end))) => Some(end),
            _ => None,
        }
    }
}

#[tokio::test]
async fn who_joins_hears_from_then_on_and_who_leaves_hears_no_more() {
    let hub = Hub::new(2);
    let (one, two) = (hub.next_shard(), hub.next_shard());
    let ann = Ear::hearing(&one, user(1), 3);
    let bob = Ear::enter(&two, user(2));
    bob.seat.as_ref().unwrap().subscribe(&[]);
    bob.link.outbox.release([]);

    publish(&hub, vec![says(4, user(1), None)]);
    assert_eq!((ann.seqs(), bob.seqs()), (vec![4], vec![]));
    publish(&hub, vec![entry(5, user(2), EntryKind::Joined), says(6, user(1), None)]);
    assert_eq!((ann.seqs(), bob.seqs()), (vec![5, 6], vec![5, 6]));
    publish(&hub, vec![entry(7, user(2), EntryKind::Left), says(8, user(1), None)]);
    assert_eq!(ann.seqs(), [7, 8]);
    let frames = bob.hears();
    assert!(matches!(&frames[0], ServerFrame::Entries { entries, .. } if entries.len() == 1));
    assert_eq!(frames[1..], [ServerFrame::RoomGone { room: ROOM }]);

    publish(&hub, vec![says(9, user(1), None)]);
    assert_eq!((ann.seqs(), bob.seqs()), (vec![9], vec![]));
    let removed = EntryKind::Removed { user: user(1), banned: true };
    publish(&hub, vec![entry(10, user(3), removed), says(11, user(3), None)]);
    assert_eq!(ann.seqs(), [10], "whoever is removed hears that and nothing after it");
    assert_eq!(hub.heads(), HashMap::new());
}

#[tokio::test]
async fn a_whisper_is_for_two_and_a_client_id_for_its_author() {
    let hub = Hub::new(1);
    let shard = hub.next_shard();
    let [ann, bob, cleo, dora] = [1, 2, 3, 4].map(|n| Ear::hearing(&shard, user(n), 0));
    publish(&hub, vec![says(1, user(1), None), says(2, user(1), Some(user(2))), says(3, user(4), None)]);
    let heard = |ear: &Ear| match ear.hears().remove(0) {
        ServerFrame::Entries { entries, .. } => {
            let own: Vec<_> = entries.iter().map(|e| e.client_id.is_some()).collect();
            let withheld: Vec<_> = entries.iter().map(|e| e.what == EntryKind::Withheld).collect();
            (own, withheld)
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(heard(&ann), (vec![true, true, false], vec![false, false, false]));
    assert_eq!(heard(&bob), (vec![false, false, false], vec![false, false, false]));
    assert_eq!(heard(&cleo), (vec![false, false, false], vec![false, true, false]));
    assert_eq!(heard(&dora), (vec![false, false, true], vec![false, true, false]));
}

#[tokio::test]
async fn what_everybody_may_see_is_encoded_once() {
    let hub = Hub::new(2);
    let (one, two) = (hub.next_shard(), hub.next_shard());
    let ears = [Ear::hearing(&one, user(2), 0), Ear::hearing(&two, user(3), 0)];
    publish(&hub, vec![says(1, user(1), None)]);
    let [a, b] = ears.map(|ear| ear.take().remove(0).websocket());
    assert_eq!(a.as_ptr(), b.as_ptr());
}

#[tokio::test]
async fn a_jump_is_not_delivered_but_asked_for() {
    let hub = Hub::new(1);
    let ear = Ear::hearing(&hub.next_shard(), user(1), 4);
    publish(&hub, vec![says(7, user(2), None)]);
    assert!(ear.seqs().is_empty());
    assert_eq!(hub.gaps().take(), [(ROOM, seq(4))]);
    publish(&hub, vec![says(5, user(2), None), says(6, user(2), None), says(7, user(2), None)]);
    publish(&hub, vec![says(7, user(2), None), says(8, user(2), None)]);
    assert_eq!(ear.seqs(), [5, 6, 7, 8]);
}

#[tokio::test]
async fn an_ended_login_is_closed_and_the_others_go_on() {
    let hub = Hub::new(1);
    let shard = hub.next_shard();
    let (ann, bob) = (Ear::hearing(&shard, user(1), 0), Ear::hearing(&shard, user(2), 0));
    publish(&hub, vec![says(1, user(2), None)]);
    hub.publish(Notice::SessionsEnded { sessions: vec![SessionId::from_bytes([1; 16])] });
    shard.pump(1);
    assert_eq!(ann.end(), Some(End::SignedOut), "what was queued is dropped");
    assert_eq!(bob.seqs(), [1]);
}

#[tokio::test(start_paused = true)]
async fn whoever_writes_batches_waits_for_every_worker_but_not_for_long() {
    let hub = Hub::new(2);
    hub.caught_up().await;
    let started = Instant::now();
    hub.publish(Notice::Entries { room: ROOM, entries: Arc::new(vec![says(1, user(1), None)]) });
    let mut pace = Box::pin(hub.caught_up());
    for shard in &hub.shards {
        assert!(futures_util::poll!(&mut pace).is_pending());
        shard.pump(1);
    }
    pace.await;
    assert_eq!(started.elapsed(), Duration::ZERO);

    hub.wind_down();
    hub.caught_up().await;
    assert!((PACE..PACE * 2).contains(&started.elapsed()));
}

#[tokio::test]
async fn frames_for_rooms_come_once_and_not_to_the_excepted() {
    let hub = Hub::new(1);
    let shard = hub.next_shard();
    let (ann, bob) = (Ear::enter(&shard, user(1)), Ear::enter(&shard, user(2)));
    let other = RoomId::from_bytes([8; 16]);
    for ear in [&ann, &bob] {
        ear.seat.as_ref().unwrap().subscribe(&[(ROOM, seq(0)), (other, seq(0))]);
        ear.link.outbox.release([]);
    }
    let frame = ServerFrame::Presence { user: user(1), online: true };
    hub.publish(Notice::Rooms { rooms: vec![ROOM, other], except: Some(user(1)), frame: frame.clone() });
    hub.publish(Notice::Users { users: vec![user(1)], frame: frame.clone() });
    hub.publish(Notice::Everyone { frame: frame.clone() });
    shard.pump(3);
    assert_eq!(ann.hears(), [frame.clone(), frame.clone()]);
    assert_eq!(bob.hears(), [frame.clone(), frame]);
}

#[tokio::test]
async fn a_direct_conversation_is_heard_from_its_beginning() {
    let hub = Hub::new(1);
    let shard = hub.next_shard();
    let ear = Ear::enter(&shard, user(1));
    ear.seat.as_ref().unwrap().subscribe(&[]);
    ear.link.outbox.release([]);
    hub.publish(Notice::Subscribe { room: ROOM, users: vec![user(1), user(2)] });
    publish(&hub, vec![says(1, user(2), None)]);
    assert_eq!(ear.seqs(), [1]);
}

#[tokio::test]
async fn heads_come_once_a_round_and_name_what_changed() {
    let hub = Hub::new(1);
    let shard = hub.next_shard();
    let ear = Ear::hearing(&shard, user(1), 0);
    let round = || {
        for _ in 0..crate::realtime::tables::TICKS_A_ROUND {
            shard.tick(Instant::now(), Timestamp::from_millis(0));
        }
        let heads = |frame| match frame {
            ServerFrame::Heads { heads } => Some(heads),
            _ => None,
        };
        ear.hears().into_iter().filter_map(heads).collect::<Vec<_>>()
    };
    round();
    publish(&hub, vec![says(1, user(2), None)]);
    assert_eq!(round(), [Cursors::from([(ROOM, seq(1))])]);
    round();
    assert_eq!(round(), [Cursors::new()], "a round without news is a sign of life");
}

#[tokio::test]
async fn a_server_that_stops_asks_readers_and_ends_streams() {
    let hub = Hub::new(1);
    let shard = hub.next_shard();
    let stream = Arc::new(Link::stream(Instant::now()));
    let caller = Caller {
        user: user(1),
        session: SessionId::from_bytes([1; 16]),
        expires_at: Timestamp::from_millis(i64::MAX),
        guest: false,
        bot: None,
    };
    let _seat = shard.enter(&caller, &stream);
    hub.wind_down();
    shard.pump(1);
    assert!(stream.outbox.has_ended());
    let late = Arc::new(Link::stream(Instant::now()));
    let _late_seat = shard.enter(&caller, &late);
    assert!(late.outbox.has_ended(), "whoever comes after that is told the same");
}

/// What may happen, in any order.
#[derive(Debug, Clone)]
enum Step {
    /// An entry is committed: a message, or the person coming in or going out.
    Commit(u8),
    Toggle(u8),
    /// The oldest notices go out as one batch of so many.
    Publish(usize),
    /// A notice gets lost.
    Lose,
    /// A worker delivers so many.
    Pump(usize),
    /// A connection of the person goes on: enters, reads the room, subscribes, or ends.
    Connect(u8),
    /// The store is asked for what is missing.
    Heal,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0u8..3).prop_map(Step::Commit),
        1 => (0u8..3).prop_map(Step::Toggle),
        4 => (1usize..4).prop_map(Step::Publish),
        1 => Just(Step::Lose),
        4 => (1usize..4).prop_map(Step::Pump),
        4 => (0u8..3).prop_map(Step::Connect),
        1 => Just(Step::Heal),
    ]
}

/// A connection on its way through a sign-in, as `opening.rs` takes it.
enum Way {
    Entered(Ear),
    /// Has read whether its person is a member, and up to where.
    Read(Ear, Option<Seq>),
    /// Subscribed; the entries in the outbox follow this seq.
    Open(Ear, Option<Seq>),
}

#[derive(Default)]
struct World {
    log: Vec<Entry>,
    members: HashMap<u8, bool>,
    unpublished: Vec<Entry>,
    ways: HashMap<u8, Way>,
}

impl World {
    fn head(&self) -> Seq {
        seq(self.log.len() as u64)
    }

    fn commit(&mut self, author: u8, what: EntryKind) {
        let entry = entry(self.log.len() as u64 + 1, user(author), what);
        self.log.push(entry.clone());
        self.unpublished.push(entry);
    }

    fn heal(&self, hub: &Hub, compare: bool) {
        let mut missing = hub.gaps().take();
        if compare {
            missing.extend(hub.heads().into_iter().filter(|(_, head)| *head < self.head()));
        }
        for (room, after) in missing {
            let rest: Vec<Entry> = self.log.iter().filter(|entry| entry.seq > after).cloned().collect();
            hub.publish(Notice::Entries { room, entries: Arc::new(rest) });
        }
    }

    fn connect(&mut self, shard: &Arc<Shard>, n: u8) {
        let next = match self.ways.remove(&n) {
            None => Way::Entered(Ear::enter(shard, user(n))),
            Some(Way::Entered(ear)) => {
                let told = self.members.get(&n).copied().unwrap_or(false).then(|| self.head());
                Way::Read(ear, told)
            }
            Some(Way::Read(ear, told)) => {
                let list: Vec<_> = told.map(|told| (ROOM, told)).into_iter().collect();
                let missed = ear.seat.as_ref().unwrap().subscribe(&list);
                let mut opening = Vec::new();
                for missed in missed {
                    let entries = self.log.iter().filter(|e| e.seq > missed.after && e.seq <= missed.last);
                    let entries: Vec<Entry> = entries.cloned().collect();
                    opening.push(Outgoing::new(&ServerFrame::Entries { room: ROOM, entries }));
                }
                ear.link.outbox.release(opening);
                Way::Open(ear, told)
            }
            Some(Way::Open(ear, told)) => {
                check(&ear, told, n);
                return;
            }
        };
        self.ways.insert(n, next);
    }
}

/// Each stay in the room is a run of seqs without a gap; the first run follows what the welcome told.
fn check(ear: &Ear, told: Option<Seq>, n: u8) {
    let mut last = told.map(Seq::get);
    for frame in ear.hears() {
        match frame {
            ServerFrame::Entries { entries, .. } => {
                for entry in entries {
                    let seq = entry.seq.get();
                    assert!(last.is_none_or(|last| seq == last + 1), "{n} heard {seq} after {last:?}");
                    last = Some(seq);
                }
            }
            ServerFrame::RoomGone { .. } => last = None,
            other => panic!("{other:?}"),
        }
    }
}

proptest! {
    // At least so many; PROPTEST_CASES asks for more.
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(10_000), ..ProptestConfig::default() })]

    #[test]
    fn every_connection_gets_every_entry_once_and_in_order(steps in prop::collection::vec(step(), 1..120)) {
        let hub = Hub::new(1);
        let shard = hub.next_shard();
        let mut world = World::default();
        // Somebody is always there, so that the room has a past.
        world.commit(9, EntryKind::Joined);
        for step in steps {
            match step {
                Step::Commit(n) => {
                    if world.members.get(&n).copied().unwrap_or(false) {
                        let body = MessageBody::parse("x").unwrap();
                        let content = MessageContent { body, reply_to: None, attachments: Vec::new(), to: None, mentions: Vec::new() };
                        world.commit(n, EntryKind::Message(content));
                    }
                }
                Step::Toggle(n) => {
                    let inside = world.members.entry(n).or_default();
                    *inside = !*inside;
                    let what = if *inside { EntryKind::Joined } else { EntryKind::Left };
                    world.commit(n, what);
                }
                Step::Publish(most) => {
                    let most = most.min(world.unpublished.len());
                    let entries: Vec<Entry> = world.unpublished.drain(..most).collect();
                    hub.publish(Notice::Entries { room: ROOM, entries: Arc::new(entries) });
                }
                Step::Lose => {
                    // What makes or ends a membership is not lost in one process; a lost message is healed.
                    let is_message = |entry: &Entry| matches!(entry.what, EntryKind::Message(_));
                    if world.unpublished.first().is_some_and(is_message) {
                        world.unpublished.remove(0);
                    }
                }
                Step::Pump(most) => shard.pump(most),
                Step::Connect(n) => world.connect(&shard, n),
                Step::Heal => world.heal(&hub, true),
            }
        }
        // All that is on its way arrives, and everybody who waits gets in.
        let rest = std::mem::take(&mut world.unpublished);
        hub.publish(Notice::Entries { room: ROOM, entries: Arc::new(rest) });
        shard.pump(usize::MAX);
        for n in 0..3 {
            while matches!(world.ways.get(&n), Some(Way::Entered(_) | Way::Read(..))) {
                world.connect(&shard, n);
            }
        }
        for _ in 0..3 {
            world.heal(&hub, true);
            shard.pump(usize::MAX);
        }
        let inside = world.ways.keys().any(|n| world.members.get(n).copied().unwrap_or(false));
        prop_assert_eq!(hub.heads().get(&ROOM).copied(), inside.then(|| world.head()));
        for (n, way) in &world.ways {
            let Way::Open(ear, told) = way else { unreachable!() };
            check(ear, *told, *n);
        }
    }
}
