//! What a reader gets of what was pushed, and when it is given up.

use super::*;
use natter_shared::frame::ServerFrame;
use natter_shared::id::{RoomId, Seq, UserId};

const ROOM: RoomId = RoomId::from_bytes([7; 16]);

fn frame(n: u64) -> Outgoing {
    Outgoing::new(&ServerFrame::Resync { room: ROOM, head: Seq::new(n).unwrap() })
}

fn typing() -> Outgoing {
    Outgoing::new(&ServerFrame::Typing { room: ROOM, user: UserId::from_bytes([1; 16]) })
}

fn take(outbox: &Outbox) -> Poll<Option<Taken>> {
    outbox.poll_take(&mut Context::from_waker(Waker::noop()))
}

fn heads(outbox: &Outbox) -> Vec<u64> {
    match take(outbox) {
        Poll::Ready(Some(Taken::Frames(frames))) => frames.iter().map(|f| f.span.unwrap().1.get()).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_pushed_before_the_welcome_comes_after_it() {
    let outbox = Outbox::holding();
    outbox.push(&frame(3));
    outbox.push(&frame(4));
    assert!(take(&outbox).is_pending());
    outbox.release([frame(1), frame(2)]);
    outbox.push(&frame(5));
    assert_eq!(heads(&outbox), [1, 2, 3, 4, 5]);
    assert!(take(&outbox).is_pending());
}

#[test]
fn a_full_outbox_ends_as_too_slow_and_keeps_nothing() {
    let outbox = Outbox::default();
    for n in 0..FRAMES_MAX as u64 {
        outbox.push(&frame(n));
    }
    assert!(!outbox.has_ended());
    outbox.push(&frame(999));
    assert!(matches!(take(&outbox), Poll::Ready(Some(Taken::End(End::Close(CloseCode::TooSlow))))));
    assert!(matches!(take(&outbox), Poll::Ready(None)));
    outbox.push(&frame(1000));
    assert_eq!(lock(&outbox.0).queue.len(), 0);
}

#[test]
fn many_bytes_end_it_as_well() {
    let outbox = Outbox::default();
    let large = ServerFrame::Error {
        code: natter_shared::error::ErrorCode::Internal,
        message: "x".repeat(BYTES_MAX / 4),
        client_id: None,
        retry: false,
        retry_after_ms: None,
    };
    for _ in 0..3 {
        outbox.push(&Outgoing::new(&large));
    }
    assert!(!outbox.has_ended());
    outbox.push(&Outgoing::new(&large));
    assert!(outbox.has_ended());
}

#[test]
fn a_half_full_outbox_does_without_minor_frames() {
    let outbox = Outbox::default();
    outbox.push(&typing());
    for n in 0..FRAMES_MAX as u64 / 2 {
        outbox.push(&frame(n));
    }
    let before = lock(&outbox.0).queue.len();
    outbox.push(&typing());
    assert_eq!(lock(&outbox.0).queue.len(), before);
    outbox.push(&frame(1));
    assert_eq!(lock(&outbox.0).queue.len(), before + 1);
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_takes_nothing_is_too_slow() {
    let outbox = Outbox::default();
    outbox.push(&frame(1));
    tokio::time::advance(BLOCKED).await;
    outbox.end_if_blocked(Instant::now());
    assert!(!outbox.has_ended());
    tokio::time::advance(Duration::from_secs(1)).await;
    outbox.end_if_blocked(Instant::now());
    assert!(outbox.has_ended());

    let idle = Outbox::default();
    idle.push(&frame(1));
    assert_eq!(heads(&idle), [1]);
    tokio::time::advance(BLOCKED * 9).await;
    idle.end_if_blocked(Instant::now());
    assert!(!idle.has_ended());
}

#[test]
fn last_words_are_heard() {
    let outbox = Outbox::holding();
    outbox.push(&frame(1));
    outbox.end_saying(frame(9), End::Close(CloseCode::NotAllowed));
    outbox.push(&frame(2));
    assert_eq!(heads(&outbox), [9]);
    assert!(matches!(take(&outbox), Poll::Ready(Some(Taken::End(End::Close(CloseCode::NotAllowed))))));

    let outbox = Outbox::default();
    outbox.push(&frame(1));
    outbox.end_after_queue(End::Close(CloseCode::Restart));
    outbox.push(&frame(2));
    outbox.end(End::Gone(None));
    assert_eq!(heads(&outbox), [1]);
    assert!(matches!(take(&outbox), Poll::Ready(Some(Taken::End(End::Close(CloseCode::Restart))))));
}

#[test]
fn the_first_reason_counts() {
    let outbox = Outbox::default();
    outbox.end(End::Close(CloseCode::SignIn));
    outbox.end(End::Gone(None));
    assert!(matches!(take(&outbox), Poll::Ready(Some(Taken::End(End::Close(CloseCode::SignIn))))));
}
