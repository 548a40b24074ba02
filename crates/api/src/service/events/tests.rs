//! What becomes of events on their way to the store, which is the real one.

use super::*;
use crate::clock::{ManualClock, SystemEntropy};
use crate::scene::Scene;
use crate::store::{EventSearch, Events as _, StoreError, Tally, TallySearch};
use async_trait::async_trait;
use std::sync::atomic::AtomicUsize;

/// A store that fails when it is told to.
struct Flaky {
    inner: Arc<dyn store::Store>,
    failures: AtomicUsize,
    writes: AtomicUsize,
}

#[async_trait]
impl store::Events for Flaky {
    async fn append_events(&self, events: Vec<Event>) -> Stored<()> {
        self.writes.fetch_add(1, Ordering::SeqCst);
        // The write happens in any case: who is told that it may not have must not make two of one.
        self.inner.append_events(events).await?;
        let left = self.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if left.is_ok() { Err(StoreError::Unknown("the answer was lost".into())) } else { Ok(()) }
    }

    async fn events(&self, search: EventSearch) -> Stored<Vec<Event>> {
        self.inner.events(search).await
    }

    async fn tally_events(&self, search: TallySearch) -> Stored<Vec<Tally>> {
        self.inner.tally_events(search).await
    }

    async fn prune_events(&self, before: Timestamp) -> Stored<u64> {
        self.inner.prune_events(before).await
    }
}

struct World {
    scene: Scene,
    store: Arc<Flaky>,
    events: Events,
}

fn world(days: u32, failures: usize) -> World {
    let scene = Scene::new();
    let (failures, writes) = (AtomicUsize::new(failures), AtomicUsize::new(0));
    let store = Arc::new(Flaky { inner: Arc::clone(&scene.parts.store), failures, writes });
    let clock = Arc::<ManualClock>::clone(&scene.clock);
    let events = Events::start(Arc::<Flaky>::clone(&store), clock, Arc::new(SystemEntropy), days);
    World { scene, store, events }
}

impl World {
    async fn kept(&self) -> Vec<Event> {
        self.store.events(EventSearch { limit: 2_000, ..EventSearch::default() }).await.unwrap()
    }

    async fn counts(&self) -> Vec<(EventKind, Option<String>, u64)> {
        let mut counts: Vec<_> =
            self.kept().await.into_iter().map(|event| (event.kind, event.what, event.count)).collect();
        counts.sort();
        counts
    }
}

const ANN: UserId = UserId::from_bytes([1; 16]);

#[tokio::test]
async fn what_happened_is_kept_with_all_that_is_said_of_it() {
    let world = world(90, 0);
    let (room, session) = (RoomId::from_bytes([2; 16]), SessionId::from_bytes([3; 16]));
    let note = Note::of(EventKind::Denied).by(ANN).to(ANN).in_room(room).login(session);
    let what = format!("one\nline \u{1b}[31m{}", "x".repeat(500));
    world.events.note(note.at_ip("::ffff:203.0.113.7".parse().unwrap()).saying(what).times(3));
    world.events.stop().await;
    let kept = world.kept().await;
    let [event] = &kept[..] else { panic!("{kept:?}") };
    assert_eq!((event.at, event.kind, event.count), (world.scene.now(), EventKind::Denied, 3));
    assert_eq!((event.user, event.other, event.room, event.session), (Some(ANN), Some(ANN), Some(room), Some(session)));
    assert_eq!(event.ip.as_deref(), Some("203.0.113.7"));
    let what = event.what.as_deref().unwrap();
    assert!(what.starts_with("oneline [31mxxx") && what.chars().count() == WHAT_MAX, "{what}");
    world.events.note(Note::of(EventKind::Login));
    assert_eq!(world.kept().await.len(), 1, "nothing is taken after the end");
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_tried_again_and_keeps_one_of_each() {
    let world = world(90, 1);
    world.events.note(Note::of(EventKind::Login).by(ANN));
    let end = Instant::now() + PAUSE * 10;
    while world.store.writes.load(Ordering::SeqCst) < 2 {
        assert!(Instant::now() < end, "it is not tried again");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    world.events.stop().await;
    assert_eq!(world.counts().await, [(EventKind::Login, None, 1)]);
}

#[tokio::test]
async fn what_happens_all_the_time_is_counted() {
    let world = world(90, 0);
    for _ in 0..3 {
        world.events.count(EventKind::MessagesSent, "", 2);
    }
    world.events.count(EventKind::Errors, "retry", 1);
    world.events.count(EventKind::Errors, "not_found", 1);
    world.events.count(EventKind::EntriesDelivered, "", 0);
    world.events.online(7);
    world.events.online(5);
    world.events.stop().await;
    let code = |code: &str| Some(code.to_owned());
    let counted = [
        (EventKind::MessagesSent, None, 6),
        (EventKind::Online, None, 5),
        (EventKind::Errors, code("not_found"), 1),
        (EventKind::Errors, code("retry"), 1),
    ];
    assert_eq!(world.counts().await, counted);
    assert!(world.kept().await.iter().all(|event| event.at.millis() % MINUTE_MS == 0));
}

#[tokio::test]
async fn a_flood_of_one_kind_is_counted_and_hides_no_other() {
    let world = world(90, 0);
    // On one thread, the task has its turn only where this waits: all of these are in the queue at once.
    let flood = SINGLE_MAX as usize + 700;
    for _ in 0..flood {
        world.events.note(Note::of(EventKind::LoginFailed));
    }
    world.events.note(Note::of(EventKind::Login).by(ANN));
    world.events.stop().await;
    let kept = world.kept().await;
    let of = |kind| kept.iter().filter(move |event| event.kind == kind);
    assert_eq!(of(EventKind::Login).count(), 1);
    assert_eq!(of(EventKind::LoginFailed).count(), SINGLE_MAX as usize + 1);
    assert_eq!(of(EventKind::LoginFailed).map(|event| event.count).sum::<u64>(), flood as u64);
}

#[tokio::test]
async fn what_finds_no_room_is_dropped_and_that_is_told() {
    let world = world(90, 0);
    for _ in 0..QUEUE_MAX + 5 {
        world.events.note(Note::of(EventKind::Login));
    }
    world.events.stop().await;
    let kept = world.kept().await;
    let count = |kind| kept.iter().filter(|event| event.kind == kind).map(|event| event.count).sum::<u64>();
    assert_eq!((count(EventKind::Login), count(EventKind::EventsDropped)), (QUEUE_MAX as u64, 5));
}

#[tokio::test]
async fn events_are_kept_for_their_days_and_with_none_not_at_all() {
    let world = world(2, 0);
    world.events.note(Note::of(EventKind::Login));
    world.events.stop().await;
    world.scene.passes_seconds(2 * 24 * 3_600);
    assert_eq!(world.events.prune().await.unwrap(), 0);
    world.scene.passes_seconds(1);
    assert_eq!(world.events.prune().await.unwrap(), 1);

    let none = self::world(0, 0);
    none.events.note(Note::of(EventKind::Login));
    none.events.count(EventKind::MessagesSent, "", 1);
    none.events.stop().await;
    assert!(none.kept().await.is_empty() && none.store.writes.load(Ordering::SeqCst) == 0);
}

/// What is written to it, all clones together.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn each_that_is_kept_is_one_line_of_the_servers_log() {
    let (lines, world) = (Lines::default(), world(90, 0));
    let to = lines.clone();
    let log = tracing_subscriber::fmt().json().flatten_event(true).with_writer(move || to.clone()).finish();
    let _here = tracing::subscriber::set_default(log);
    world.events.note(Note::of(EventKind::LoginFailed).saying("ann\r\n{\"event\":\"forged\"}\u{1b}[2J"));
    world.events.note(Note::of(EventKind::RoomCreated).by(ANN));
    world.events.count(EventKind::MessagesSent, "", 2);
    world.events.count(EventKind::Errors, "retry", 3);
    world.events.online(5);
    world.events.stop().await;

    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let mut told: Vec<_> = lines
        .filter(|line| line["target"] == TARGET)
        .map(|line| {
            let text = |name: &str| line[name].as_str().map(ToOwned::to_owned);
            (text("event").unwrap(), text("what"), line["count"].as_u64().unwrap_or(1))
        })
        .collect();
    let mut kept: Vec<_> =
        world.counts().await.into_iter().map(|(kind, what, count)| (kind.word().to_owned(), what, count)).collect();
    told.sort();
    kept.sort();
    assert_eq!(told, kept);
    assert_eq!(told.len(), 5);
    let mut registry = Registry::default();
    world.events.register(&mut registry);
    let numbers = registry.text();
    for line in ["natter_events_total{kind=\"login_failed\"} 1", "natter_errors_total{code=\"retry\"} 3"] {
        assert!(numbers.lines().any(|known| known == line), "{line} is not in {numbers}");
    }
}
