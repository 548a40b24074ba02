//! Group commit on the real store. `Watched` counts what the writer asks of the log, holds it up or lets it fail.

use super::*;
use crate::service::Caller;
use crate::stage::{Heard, Stage};
use crate::store::{Call, EntrySlice, MessageSlice, Search, Stored};
use async_trait::async_trait;
use futures_util::FutureExt;
use futures_util::future::join_all;
use natter_shared::entry::{Message, MessageContent};
use natter_shared::id::{ClientId, Seq, UserId};
use natter_shared::page::Window;
use natter_shared::room::Visibility;
use natter_shared::text::MessageBody;
use std::collections::VecDeque;
use std::sync::Mutex;
use tokio::sync::Semaphore;

struct Watched {
    log: Arc<dyn Log>,
    batches: Mutex<Vec<usize>>,
    /// How many calls each question about names had.
    calls: Mutex<Vec<usize>>,
    faults: Mutex<VecDeque<StoreError>>,
    /// One permit lets one batch through.
    gate: Semaphore,
}

impl Watched {
    fn over(stage: &Stage, permits: usize) -> Arc<Self> {
        let log: Arc<dyn Log> = stage.parts.store.clone();
        let gate = Semaphore::new(permits);
        Arc::new(Self { log, batches: Mutex::default(), calls: Mutex::default(), faults: Mutex::default(), gate })
    }

    fn batches(&self) -> Vec<usize> {
        self.batches.lock().unwrap().clone()
    }
}

#[async_trait]
impl Log for Watched {
    async fn append(&self, batch: Vec<NewEntry>) -> Stored<Vec<Appended>> {
        self.batches.lock().unwrap().push(batch.len());
        self.gate.acquire().await.unwrap().forget();
        let fault = self.faults.lock().unwrap().pop_front();
        match fault {
            Some(fault) => Err(fault),
            None => self.log.append(batch).await,
        }
    }

    async fn heard(&self, calls: &[Call]) -> Stored<Vec<crate::store::Heard>> {
        self.calls.lock().unwrap().push(calls.len());
        self.log.heard(calls).await
    }

    async fn entries_after(&self, room: RoomId, after: Seq, limit: u32) -> Stored<Option<EntrySlice>> {
        self.log.entries_after(room, after, limit).await
    }

    async fn entries_after_many(&self, cursors: &[(RoomId, Seq)], limit: u32) -> Stored<Vec<(RoomId, EntrySlice)>> {
        self.log.entries_after_many(cursors, limit).await
    }

    async fn heads(&self, rooms: &[RoomId]) -> Stored<Vec<(RoomId, Seq)>> {
        self.log.heads(rooms).await
    }

    async fn messages(&self, room: RoomId, reader: UserId, window: Window, limit: u32) -> Stored<Option<MessageSlice>> {
        self.log.messages(room, reader, window, limit).await
    }

    async fn message(&self, room: RoomId, seq: Seq) -> Stored<Option<Message>> {
        self.log.message(room, seq).await
    }

    async fn sent(&self, room: RoomId, author: UserId, client_id: ClientId) -> Stored<Option<Message>> {
        self.log.sent(room, author, client_id).await
    }

    async fn pins(&self, room: RoomId, reader: UserId) -> Stored<Vec<Message>> {
        self.log.pins(room, reader).await
    }

    async fn search(&self, search: Search) -> Stored<Vec<Message>> {
        self.log.search(search).await
    }
}

fn message(stage: &Stage, author: &Caller, room: RoomId, body: &str) -> NewEntry {
    let body = MessageBody::parse(body).unwrap();
    let content = MessageContent { body, reply_to: None, attachments: Vec::new(), to: None, mentions: Vec::new() };
    NewEntry {
        room,
        author: author.user,
        at: stage.parts.clock.now(),
        client_id: Some(ClientId::from_random_bytes(stage.bytes())),
        what: EntryKind::Message(content),
    }
}

fn seqs(entries: &[Entry]) -> Vec<u64> {
    entries.iter().map(|entry| entry.seq.get()).collect()
}

#[tokio::test]
async fn what_is_queued_together_is_one_commit_and_one_notice() {
    let stage = Stage::new();
    let ann = stage.person("ann").await;
    let room = stage.room(&ann, "garden", Visibility::Public).await.id;
    stage.heard.forget();
    let watched = Watched::over(&stage, Semaphore::MAX_PERMITS);
    let writer = LogWriter::start(watched.clone(), stage.parts.bus.clone());
    let sent = (0..64).map(|n| writer.append(message(&stage, &ann, room, &n.to_string())));
    for (n, outcome) in (0..).zip(join_all(sent).await) {
        let Ok(Appended::New(entry)) = outcome else { panic!("{outcome:?}") };
        assert_eq!(entry.seq.get(), 2 + n, "acknowledged in the order in which they were queued");
    }
    assert_eq!(watched.batches(), [64]);
    let told = stage.heard.until(|notices| Heard::entries(notices, room).pop()).await;
    assert_eq!(seqs(&told), (2..66).collect::<Vec<_>>());
    assert_eq!(Heard::entries(&stage.heard.all(), room).len(), 1);
}

#[tokio::test]
async fn names_are_asked_for_once_a_batch_and_only_if_there_are_any() {
    let stage = Stage::new();
    let (ann, bob) = (stage.person("ann").await, stage.person("bob").await);
    let room = stage.room(&ann, "garden", Visibility::Public).await.id;
    stage
        .parts
        .store
        .append(vec![NewEntry { what: EntryKind::Joined, ..message(&stage, &bob, room, "x") }])
        .await
        .unwrap();
    let watched = Watched::over(&stage, Semaphore::MAX_PERMITS);
    let writer = LogWriter::start(watched.clone(), stage.parts.bus.clone());
    let says = async |texts: &[&str]| {
        let sent = texts.iter().map(|text| writer.append(message(&stage, &ann, room, text)));
        join_all(sent).await.into_iter().map(|outcome| match outcome {
            Ok(Appended::New(Entry { what: EntryKind::Message(content), .. })) => content.mentions,
            other => panic!("{other:?}"),
        })
    };
    assert!(says(&["one", "two", "ann@example.org"]).await.all(|mentions| mentions.is_empty()));
    assert_eq!(*watched.calls.lock().unwrap(), [0; 0]);
    let mentions: Vec<Vec<UserId>> = says(&["@bob", "three", "@all", "@ann @eve"]).await.collect();
    assert_eq!(mentions, [vec![bob.user], vec![], vec![UserId::EVERYBODY], vec![]]);
    assert_eq!(*watched.calls.lock().unwrap(), [3]);
    assert_eq!(watched.batches(), [3, 4]);
}

#[tokio::test]
async fn what_arrives_while_sockets_are_written_to_is_one_batch() {
    let stage = Stage::new();
    let ann = stage.person("ann").await;
    let room = stage.room(&ann, "garden", Visibility::Public).await.id;
    let watched = Watched::over(&stage, Semaphore::MAX_PERMITS);
    let writer = LogWriter::start(watched.clone(), stage.parts.bus.clone());
    stage.heard.behind.send_replace(true);
    let mut sent = Vec::new();
    for n in 0..8 {
        let mut sending = Box::pin(writer.append(message(&stage, &ann, room, &n.to_string())));
        assert!(sending.as_mut().now_or_never().is_none());
        // The writer has all the time it could want to commit them one by one.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        sent.push(sending);
    }
    assert_eq!(watched.batches(), [0; 0]);
    stage.heard.behind.send_replace(false);
    assert!(join_all(sent).await.iter().all(Result::is_ok));
    assert_eq!(watched.batches(), [8]);
}

#[tokio::test]
async fn what_gathers_during_a_commit_is_the_next_batch_up_to_its_limits() {
    let stage = Stage::new();
    let ann = stage.person("ann").await;
    let room = stage.room(&ann, "garden", Visibility::Public).await.id;
    let watched = Watched::over(&stage, Semaphore::MAX_PERMITS);
    let writer = LogWriter::start(watched.clone(), stage.parts.bus.clone());
    join_all((0..1_300).map(|_| writer.append(message(&stage, &ann, room, "short")))).await;
    assert_eq!(watched.batches(), [512, 512, 276]);
    let long = "x".repeat(4_000);
    join_all((0..100).map(|_| writer.append(message(&stage, &ann, room, &long)))).await;
    assert_eq!(watched.batches()[3..], [64, 36], "256 KiB hold 64 of these");
}

#[tokio::test]
async fn each_room_of_a_batch_is_told_once_and_in_its_order() {
    let stage = Stage::new();
    let ann = stage.person("ann").await;
    let garden = stage.room(&ann, "garden", Visibility::Public).await.id;
    let shed = stage.room(&ann, "shed", Visibility::Public).await.id;
    stage.heard.forget();
    let mixed = (0..20).map(|n| if n % 2 == 0 { garden } else { shed });
    join_all(mixed.map(|room| stage.log.append(message(&stage, &ann, room, "hello")))).await;
    let all_told = |notices: &[Notice]| (notices.len() == 2).then(|| notices.to_vec());
    let notices = stage.heard.until(all_told).await;
    for room in [garden, shed] {
        assert_eq!(
            Heard::entries(&notices, room).iter().map(|e| seqs(e)).collect::<Vec<_>>(),
            [(2..12).collect::<Vec<_>>()]
        );
    }
}

#[tokio::test]
async fn a_repeat_is_answered_with_the_first_entry_and_told_to_nobody() {
    let stage = Stage::new();
    let ann = stage.person("ann").await;
    let room = stage.room(&ann, "garden", Visibility::Public).await.id;
    stage.heard.forget();
    let entry = message(&stage, &ann, room, "once");
    let outcomes = join_all((0..20).map(|_| stage.log.append(entry.clone()))).await;
    let first = match &outcomes[0] {
        Ok(Appended::New(entry)) => entry.clone(),
        other => panic!("{other:?}"),
    };
    for outcome in &outcomes[1..] {
        assert!(matches!(outcome, Ok(Appended::Again(entry)) if *entry == first), "{outcome:?}");
    }
    stage.log.append(message(&stage, &ann, room, "after it")).await.unwrap();
    let told = stage.heard.until(|all| Some(Heard::entries(all, room).concat()).filter(|told| told.len() > 1)).await;
    assert_eq!(seqs(&told), [2, 3]);
}

#[tokio::test]
async fn a_caller_who_goes_away_takes_nothing_back() {
    let stage = Stage::new();
    let ann = stage.person("ann").await;
    let room = stage.room(&ann, "garden", Visibility::Public).await.id;
    stage.heard.forget();
    let watched = Watched::over(&stage, 0);
    let writer = LogWriter::start(watched.clone(), stage.parts.bus.clone());
    {
        let mut append = Box::pin(writer.append(message(&stage, &ann, room, "still there")));
        assert!((&mut append).now_or_never().is_none());
    }
    watched.gate.add_permits(1);
    let told = stage.heard.until(|notices| Heard::entries(notices, room).pop()).await;
    assert_eq!(seqs(&told), [2]);
}

#[tokio::test]
async fn an_unknown_outcome_is_neither_success_nor_failure() {
    let stage = Stage::new();
    let ann = stage.person("ann").await;
    let room = stage.room(&ann, "garden", Visibility::Public).await.id;
    stage.heard.forget();
    let watched = Watched::over(&stage, Semaphore::MAX_PERMITS);
    let faults =
        [StoreError::Unknown("slow".into()), StoreError::Unwritable("full".into()), StoreError::Broken("?".into())];
    watched.faults.lock().unwrap().extend(faults);
    let writer = LogWriter::start(watched.clone(), stage.parts.bus.clone());
    let entry = message(&stage, &ann, room, "in the end");
    assert!(matches!(writer.append(entry.clone()).await, Err(WriteError::Unknown(_))));
    assert!(matches!(writer.append(entry.clone()).await, Err(WriteError::Unwritable(_))));
    assert!(matches!(writer.append(entry.clone()).await, Err(WriteError::Broken(_))));
    assert!(stage.heard.all().is_empty(), "nothing is told that was not stored for certain");
    assert!(matches!(writer.append(entry).await, Ok(Appended::New(_))));
}

#[tokio::test]
async fn a_full_queue_says_so_at_once() {
    let stage = Stage::new();
    let ann = stage.person("ann").await;
    let room = stage.room(&ann, "garden", Visibility::Public).await.id;
    let watched = Watched::over(&stage, 0);
    let writer = LogWriter::start(watched.clone(), stage.parts.bus.clone());
    // All are queued before the writer gets its first turn.
    let mut appends: Vec<_> =
        (0..=QUEUE_MAX).map(|_| Box::pin(writer.append(message(&stage, &ann, room, "x")))).collect();
    for append in &mut appends[..QUEUE_MAX] {
        assert!(append.now_or_never().is_none());
    }
    assert!(matches!(appends.pop().unwrap().await, Err(WriteError::Busy)));
    watched.gate.add_permits(Semaphore::MAX_PERMITS);
    let outcomes = join_all(appends).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Ok(Appended::New(_)))));
}

#[tokio::test]
async fn a_stop_commits_what_is_queued_and_takes_no_more() {
    let stage = Stage::new();
    let ann = stage.person("ann").await;
    let room = stage.room(&ann, "garden", Visibility::Public).await.id;
    let watched = Watched::over(&stage, 0);
    let writer = LogWriter::start(watched.clone(), stage.parts.bus.clone());
    let mut appends: Vec<_> = (0..600).map(|_| Box::pin(writer.append(message(&stage, &ann, room, "x")))).collect();
    for append in &mut appends {
        assert!(append.now_or_never().is_none());
    }
    let stopping = tokio::spawn({
        let writer = writer.clone();
        async move { writer.stop().await }
    });
    watched.gate.add_permits(10);
    stopping.await.unwrap();
    for outcome in join_all(appends).await {
        assert!(matches!(outcome, Ok(Appended::New(_))), "{outcome:?}");
    }
    let late = writer.append(message(&stage, &ann, room, "too late")).await;
    assert!(matches!(late, Err(WriteError::Stopping)), "{late:?}");
    writer.stop().await;
}

#[tokio::test]
async fn what_its_caller_was_told_to_repeat_is_not_stored_late() {
    let stage = Stage::new();
    let ann = stage.person("ann").await;
    let room = stage.room(&ann, "garden", Visibility::Public).await.id;
    let watched = Watched::over(&stage, 0);
    let writer = LogWriter::start(watched.clone(), stage.parts.bus.clone());
    let (held_up, queued) = (message(&stage, &ann, room, "held up"), message(&stage, &ann, room, "queued"));
    let mut first = Box::pin(writer.append(held_up.clone()));
    assert!((&mut first).now_or_never().is_none());
    while watched.batches().is_empty() {
        tokio::task::yield_now().await;
    }
    // With nothing else to do, a clock that is stopped goes on to the end of what is waited for.
    tokio::time::pause();
    for outcome in join_all([first, Box::pin(writer.append(queued.clone()))]).await {
        assert!(matches!(outcome, Err(WriteError::Unknown(_))), "{outcome:?}");
    }
    tokio::time::resume();
    watched.gate.add_permits(Semaphore::MAX_PERMITS);
    assert!(matches!(writer.append(queued).await, Ok(Appended::New(_))));
    assert!(matches!(writer.append(held_up).await, Ok(Appended::Again(_))), "it was on its way already");
    assert_eq!(watched.batches(), [1, 1, 1], "only the repeat was stored of what had waited too long");
}

#[tokio::test]
async fn after_a_batch_that_took_too_long_smaller_ones_are_tried_and_grow_again() {
    let stage = Stage::new();
    let ann = stage.person("ann").await;
    let room = stage.room(&ann, "garden", Visibility::Public).await.id;
    let watched = Watched::over(&stage, Semaphore::MAX_PERMITS);
    watched.faults.lock().unwrap().push_back(StoreError::Unknown("slow".into()));
    let writer = LogWriter::start(watched.clone(), stage.parts.bus.clone());
    join_all((0..8).map(|_| writer.append(message(&stage, &ann, room, "too many")))).await;
    let outcomes = join_all((0..1_000).map(|_| writer.append(message(&stage, &ann, room, "fewer")))).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Ok(Appended::New(_)))));
    let batches = watched.batches();
    assert_eq!(batches[..4], [8, 4, 5, 6]);
    assert!(batches[1..batches.len() - 1].is_sorted() && batches[batches.len() - 2] > 64, "{batches:?}");
}

#[tokio::test]
async fn what_callers_are_told_and_how_large_commits_were_is_counted() {
    let stage = Stage::new();
    let ann = stage.person("ann").await;
    let room = stage.room(&ann, "garden", Visibility::Public).await.id;
    let watched = Watched::over(&stage, Semaphore::MAX_PERMITS);
    let writer = LogWriter::start(watched.clone(), stage.parts.bus.clone());
    let mut registry = Registry::default();
    writer.register(&mut registry);
    let entry = message(&stage, &ann, room, "once");
    join_all((0..3).map(|_| writer.append(entry.clone()))).await;
    watched.faults.lock().unwrap().push_back(StoreError::Unknown("the line is cut".to_owned()));
    join_all((0..2).map(|n| writer.append(message(&stage, &ann, room, &n.to_string())))).await;
    watched.faults.lock().unwrap().push_back(StoreError::Unwritable("the disk is full".to_owned()));
    writer.append(message(&stage, &ann, room, "x")).await.unwrap_err();

    let text = registry.text();
    for line in [
        "natter_appends_total{outcome=\"new\"} 1",
        "natter_appends_total{outcome=\"again\"} 2",
        "natter_appends_total{outcome=\"unknown\"} 2",
        "natter_appends_total{outcome=\"unwritable\"} 1",
        "natter_appends_total{outcome=\"busy\"} 0",
        "natter_batch_entries_bucket{le=\"4\"} 3",
        "natter_batch_entries_sum 6.0",
        "natter_commit_seconds_count 3",
        "natter_append_wait_seconds_count 6",
        "natter_append_queue_depth 0",
    ] {
        assert!(text.lines().any(|known| known == line), "{line} is not in {text}");
    }
}
