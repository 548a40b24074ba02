//! Entries that no notice told of.

use super::*;
use crate::realtime::link::Link;
use crate::stage::Stage;
use natter_shared::room::Visibility;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, timeout};

/// Shorter than a round, so that what is seen within it was asked for.
const SOON: Duration = Duration::from_secs(5);

async fn delivered(heard: &mut UnboundedReceiver<Notice>) -> Vec<Seq> {
    match timeout(SOON, heard.recv()).await.expect("something is delivered").unwrap() {
        Notice::Entries { entries, .. } => entries.iter().map(|entry| entry.seq).collect(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_another_node_wrote_is_found_when_somebody_asks() {
    let stage = Stage::new();
    let ann = stage.person("ann").await;
    let room = stage.room(&ann, "garden", Visibility::Public).await;
    // The hub of a node that hears nothing of what the stage publishes.
    let hub = Arc::new(Hub::new(1));
    let mut heard = hub.overhear();
    let shard = hub.next_shard();
    let seat = shard.enter(&ann, &Arc::new(Link::socket(Instant::now())));
    let own_arrival = Seq::ZERO.next();
    assert!(seat.subscribe(&[(room.id, own_arrival)]).is_empty());
    let first = stage.says(&ann, room.id, "one").await;
    let task = tokio::spawn(run(Arc::clone(&hub), Arc::clone(&stage.parts.store)));
    assert_eq!(delivered(&mut heard).await, [first.seq], "the first round");
    shard.pump(usize::MAX);

    let second = stage.says(&ann, room.id, "two").await;
    let third = stage.says(&ann, room.id, "three").await;
    hub.gaps().ask_everywhere();
    assert_eq!(delivered(&mut heard).await, [second.seq, third.seq]);
    task.abort();
}
