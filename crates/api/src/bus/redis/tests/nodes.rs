//! What nodes tell each other and count together while all is well.

use super::server::does;
use super::*;
use natter_shared::id::SessionId;

#[tokio::test]
#[ignore = "needs a Redis: cargo xtask test starts one"]
async fn keeps_the_promises_of_a_bus() {
    let node = Node::start(&shared(), &prefix()).await;
    // The bucket flows by the server's clock, so time must really go by.
    let pass = |millis: i64| tokio::time::sleep(Duration::from_millis(u64::try_from(millis).unwrap()));
    crate::bus::conformance::all(&*node.bus, pass).await;
}

#[tokio::test]
#[ignore = "needs a Redis: cargo xtask test starts one"]
async fn a_notice_is_heard_once_on_every_node() {
    let (url, prefix) = (shared(), prefix());
    let (mut a, mut b) = (Node::start(&url, &prefix).await, Node::start(&url, &prefix).await);
    for n in 1..=100 {
        a.says(n);
    }
    for n in 1..=100 {
        assert_eq!(b.hears().await, n, "in the order in which it was said");
    }
    b.says(101);
    assert_eq!(b.hears().await, 101);
    // An echo of its own would have come before b's answer.
    for n in 1..=101 {
        assert_eq!(a.hears().await, n);
    }
}

#[tokio::test]
#[ignore = "needs a Redis: cargo xtask test starts one"]
async fn systems_with_another_prefix_or_database_hear_nothing() {
    let (url, prefix) = (shared(), prefix());
    let mut a = Node::start(&url, &prefix).await;
    let mut b = Node::start(&url, &prefix).await;
    let other_prefix = Node::start(&url, &super::prefix()).await;
    let other_database = Node::start(&format!("{}/1", url.trim_end_matches('/')), &prefix).await;
    other_prefix.says(1);
    other_database.says(2);
    // Both have been sent before these, on connections of their own; so they are waited for.
    eventually("they have spoken", async || {
        other_prefix.bus.publisher.is_idle() && other_database.bus.publisher.is_idle()
    })
    .await;
    a.says(3);
    assert_eq!((a.hears().await, b.hears().await), (3, 3));
}

#[tokio::test]
#[ignore = "needs a Redis: cargo xtask test starts one"]
async fn an_ended_login_is_news_on_the_other_node() {
    let (url, prefix) = (shared(), prefix());
    let (mut a, mut b) = (Node::start(&url, &prefix).await, Node::start(&url, &prefix).await);
    let sessions = vec![SessionId::from_bytes([4; 16])];
    a.bus.publish(Notice::SessionsEnded { sessions: sessions.clone() });
    assert_eq!(b.is_told().await, News::SessionsEnded(sessions.clone()));
    let Some(Notice::SessionsEnded { sessions: heard }) = b.heard.recv().await else { panic!("its sockets hear it") };
    assert_eq!(heard, sessions);
    a.is_told_nothing();
}

#[tokio::test]
#[ignore = "needs a Redis: cargo xtask test starts one"]
async fn what_is_not_understood_is_passed_over() {
    let (url, prefix) = (shared(), prefix());
    let (a, mut b) = (Node::start(&url, &prefix).await, Node::start(&url, &prefix).await);
    let channel = a
        .bus
        .publisher
        .parcel("x", &Notice::Room { room: ROOM, except: None, frame: ServerFrame::RoomGone { room: ROOM } });
    let channel = channel.unwrap().channel;
    for payload in [&b"natter/2 x {\"Later\":{}}"[..], b"natter/1 x {", b"", b"\xff\xfe", &vec![b' '; 100_000]] {
        let heard_by = does(&url, redis::cmd("PUBLISH").arg(&channel).arg(payload)).await;
        assert_eq!(heard_by, redis::Value::Int(2));
    }
    a.says(1);
    assert_eq!(b.hears().await, 1);
}

#[tokio::test]
#[ignore = "needs a Redis: cargo xtask test starts one"]
async fn a_rate_is_one_for_all_nodes() {
    let (url, prefix) = (shared(), prefix());
    let (a, b) = (Node::start(&url, &prefix).await, Node::start(&url, &prefix).await);
    let rate = Rate { burst: 10, per_ms: 3_600_000 };
    let mut granted = 0;
    for _ in 0..10 {
        for node in [&a, &b] {
            granted += u32::from(node.bus.take("login:203.0.113.7", rate).await.is_ok());
        }
    }
    assert_eq!(granted, 10);
}

#[tokio::test]
#[ignore = "needs a Redis: cargo xtask test starts one"]
async fn a_key_that_holds_something_else_does_not_open_the_door() {
    let (url, prefix) = (shared(), prefix());
    let node = Node::start(&url, &prefix).await;
    let rate = Rate { burst: 2, per_ms: 3_600_000 };
    for value in ["no number", "-1", "1e300"] {
        does(&url, redis::cmd("SET").arg(format!("{prefix}rate:{value}")).arg(value)).await;
    }
    does(&url, redis::cmd("SADD").arg(format!("{prefix}rate:a set")).arg("x")).await;
    for bucket in ["no number", "-1", "1e300", "a set"] {
        let mut granted = 0;
        for _ in 0..5 {
            granted += u32::from(node.bus.take(bucket, rate).await.is_ok());
        }
        assert!(granted <= 2, "{bucket}: {granted}");
    }
    assert_eq!(node.bus.without(), None, "a refusal is no reason to doubt the server");
}
