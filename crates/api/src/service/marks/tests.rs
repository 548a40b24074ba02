//! Watermarks on the real store: never down, merged, and told where it does not cost too much.

use super::*;
use crate::stage::{Heard, Stage};
use crate::store::NewEntry;
use futures_util::future::join_all;
use natter_shared::entry::EntryKind;
use natter_shared::room::Visibility;

fn seq(n: u64) -> Seq {
    Seq::new(n).unwrap()
}

/// The marks of somebody that were pushed, in their order: (delivered, read).
fn pushed(notices: &[Notice], of: UserId) -> Vec<(u64, u64)> {
    let marks = |notice: &Notice| match notice {
        Notice::Room { frame: ServerFrame::Marks { user, delivered, read, .. }, except: None, .. } if *user == of => {
            Some((delivered.get(), read.get()))
        }
        _ => None,
    };
    notices.iter().filter_map(marks).collect()
}

async fn stands(stage: &Stage, room: RoomId, who: &Caller) -> (u64, u64) {
    let member = stage.parts.store.member(room, who.user).await.unwrap().unwrap();
    (member.delivered.get(), member.read.get())
}

/// Ann's public room, with bob in it and eight messages of hers: seqs 3 to 10.
async fn garden(stage: &Stage) -> (Caller, Caller, RoomId) {
    let (ann, bob) = (stage.person("ann").await, stage.person("bob").await);
    let room = stage.room(&ann, "garden", Visibility::Public).await.id;
    stage.rooms.join(&bob, room).await.unwrap();
    for n in 1..=8 {
        stage.says(&ann, room, &n.to_string()).await;
    }
    (ann, bob, room)
}

#[tokio::test]
async fn a_mark_never_goes_back_and_never_past_the_head() {
    let stage = Stage::new();
    let marks = Marks::start(&stage.parts);
    let (_, bob, room) = garden(&stage).await;
    marks.received(&bob, room, seq(7));
    marks.read_durably(&bob, room, seq(5)).await.unwrap();
    assert_eq!(stands(&stage, room, &bob).await, (7, 5));
    marks.read_durably(&bob, room, seq(4)).await.unwrap();
    assert_eq!(stands(&stage, room, &bob).await, (7, 5));
    marks.read_durably(&bob, room, seq(8)).await.unwrap();
    assert_eq!(stands(&stage, room, &bob).await, (8, 8), "what is read is delivered");
    marks.read_durably(&bob, room, Seq::MAX).await.unwrap();
    assert_eq!(stands(&stage, room, &bob).await, (10, 10), "nobody has read what is not written");
    let told = pushed(&stage.heard.all(), bob.user);
    assert!(told.is_sorted() && told.last() == Some(&(10, 10)), "{told:?}");
}

#[tokio::test]
async fn marks_that_come_together_are_one() {
    let stage = Stage::new();
    let marks = Marks::start(&stage.parts);
    let (ann, bob, room) = garden(&stage).await;
    stage.heard.forget();
    for n in [3, 9, 4, 5, 6, 7, 8] {
        marks.received(&bob, room, seq(n));
        marks.received(&ann, room, seq(n));
    }
    marks.read(&bob, room, seq(6));
    stage
        .heard
        .until(|all| (!pushed(all, bob.user).is_empty() && !pushed(all, ann.user).is_empty()).then_some(()))
        .await;
    marks.stop().await;
    let all = stage.heard.all();
    assert_eq!(pushed(&all, bob.user), [(9, 6)]);
    assert_eq!(pushed(&all, ann.user).len(), 1);
}

#[tokio::test]
async fn who_is_not_a_member_sets_none_and_is_told_of_no_room() {
    let stage = Stage::new();
    let marks = Marks::start(&stage.parts);
    let (ann, bob, room) = garden(&stage).await;
    let cleo = stage.person("cleo").await;
    stage.rooms.leave(&bob, room).await.unwrap();
    for who in [&bob, &cleo] {
        let refused = marks.read_durably(who, room, seq(3)).await;
        assert!(matches!(refused, Err(MarkError::Unknown)), "{refused:?}");
        marks.read(who, room, seq(3));
    }
    marks.read_durably(&ann, room, seq(3)).await.unwrap();
    marks.stop().await;
    for who in [&bob, &cleo] {
        assert!(stage.parts.store.member(room, who.user).await.unwrap().is_none());
        assert!(pushed(&stage.heard.all(), who.user).is_empty());
    }
}

#[tokio::test]
async fn in_a_large_room_marks_are_kept_and_not_told() {
    let stage = Stage::new();
    let marks = Marks::start(&stage.parts);
    let (_, bob, room) = garden(&stage).await;
    for n in 0..PUSHED_MEMBERS_MAX {
        let author = stage.person(&format!("extra-{n}")).await.user;
        let at = stage.parts.clock.now();
        let joined = NewEntry { room, author, at, client_id: None, what: EntryKind::Joined };
        stage.log.append(joined).await.unwrap();
    }
    stage.heard.forget();
    marks.read_durably(&bob, room, seq(5)).await.unwrap();
    assert_eq!(stands(&stage, room, &bob).await, (5, 5));
    assert!(pushed(&stage.heard.all(), bob.user).is_empty());
    assert!(Heard::entries(&stage.heard.all(), room).is_empty());
}

#[tokio::test]
async fn a_stop_keeps_what_waits_and_takes_no_more() {
    let stage = Stage::new();
    let marks = Marks::start(&stage.parts);
    let (ann, bob, room) = garden(&stage).await;
    marks.read_durably(&ann, room, seq(3)).await.unwrap();
    marks.read(&bob, room, seq(9));
    marks.stop().await;
    assert_eq!(stands(&stage, room, &bob).await, (9, 9));
    let late = join_all([marks.read_durably(&ann, room, seq(4)), marks.read_durably(&bob, room, seq(10))]).await;
    assert!(late.iter().all(|late| matches!(late, Err(MarkError::Write(WriteError::Stopping)))), "{late:?}");
}
