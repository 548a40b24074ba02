//! Who is online when several nodes have them, and when nodes die, stop or are cut off.

use super::server::does;
use super::*;
use futures_util::future::join_all;

#[tokio::test]
#[ignore = "needs a Redis: cargo xtask test starts one"]
async fn a_person_on_two_nodes_comes_once_and_goes_once() {
    let (url, prefix) = (shared(), prefix());
    let (a, b) = (Node::start(&url, &prefix).await, Node::start(&url, &prefix).await);
    let ann = user(1);
    assert!(a.bus.came(ann, connection(1)).await);
    assert!(!b.bus.came(ann, connection(2)).await, "online through the other node already");
    assert_eq!(a.bus.online(&[ann, user(2)]).await, [ann]);
    assert_eq!(b.bus.online(&[ann, user(2)]).await, [ann]);
    assert!(b.bus.came(user(2), connection(3)).await);
    assert_eq!(a.bus.counted().await + b.bus.counted().await, 2, "each person counts once");
    assert!(b.bus.went(user(2), connection(3)).await);
    assert!(!a.bus.went(ann, connection(1)).await);
    assert_eq!(a.bus.online(&[ann]).await, [ann], "through the other node");
    assert!(b.bus.went(ann, connection(2)).await);
    assert_eq!(a.bus.online(&[ann]).await, []);
}

#[tokio::test]
#[ignore = "needs a Redis: cargo xtask test starts one"]
async fn however_many_come_and_go_at_once_each_change_is_seen_once() {
    let (url, prefix) = (shared(), prefix());
    let (a, b) = (Node::start(&url, &prefix).await, Node::start(&url, &prefix).await);
    for round in 0..20 {
        let nodes = [&a, &b];
        let everybody = || (0..200_u8).map(|n| (nodes[usize::from(n % 2)], user(n / 20), connection(n)));
        let came = join_all(everybody().map(|(node, user, connection)| node.bus.came(user, connection))).await;
        assert_eq!(came.into_iter().filter(|first| *first).count(), 10, "round {round}");
        let went = join_all(everybody().map(|(node, user, connection)| node.bus.went(user, connection))).await;
        assert_eq!(went.into_iter().filter(|last| *last).count(), 10, "round {round}");
    }
    a.sees_online(&[]).await;
    b.sees_online(&[]).await;
}

#[tokio::test]
#[ignore = "needs a Redis: cargo xtask test starts one"]
async fn who_comes_and_goes_faster_than_redis_answers_is_where_they_are_in_the_end() {
    let (url, prefix) = (shared(), prefix());
    let (a, b) = (Node::start(&url, &prefix).await, Node::start(&url, &prefix).await);
    let ann = user(1);
    for n in 0..50 {
        let (here, again) = (connection(n), connection(n + 100));
        a.bus.came(ann, here).await;
        tokio::join!(a.bus.went(ann, here), a.bus.came(ann, again));
        assert_eq!(b.bus.online(&[ann]).await, [ann], "round {n}");
        a.bus.went(ann, again).await;
        assert_eq!(b.bus.online(&[ann]).await, []);
    }
}

#[tokio::test]
#[ignore = "needs a Redis: cargo xtask test starts one"]
async fn who_comes_while_everybody_is_registered_is_news_all_the_same() {
    let (url, prefix) = (shared(), prefix());
    let node = Node::start(&url, &prefix).await;
    for n in 0..100 {
        let ann = user(n);
        node.bus.leases.must_register();
        assert!(node.bus.came(ann, connection(n)).await, "round {n}");
        assert!(!node.bus.came(ann, connection(n + 100)).await);
    }
}

#[tokio::test]
#[ignore = "needs a Redis: cargo xtask test starts one"]
async fn the_people_of_a_killed_node_are_told_once_by_one_of_the_others() {
    let (url, prefix) = (shared(), prefix());
    let (mut a, mut b) = (Node::start(&url, &prefix).await, Node::start(&url, &prefix).await);
    let c = Node::start(&url, &prefix).await;
    let name = c.bus.leases.lease_name();
    // Ann and 600 others are on the node that dies, Bob is on another one as well.
    let (ann, bob) = (user(1), user(2));
    for (person, n) in [(ann, 1), (bob, 2)] {
        assert!(c.bus.came(person, connection(n)).await);
    }
    let crowd: Vec<UserId> =
        (0x5000..0x5258_u16).map(|n| UserId::from_bytes([n.to_be_bytes(); 8].concat().try_into().unwrap())).collect();
    join_all(crowd.iter().map(|person| c.bus.came(*person, connection(9)))).await;
    assert!(!a.bus.came(bob, connection(3)).await);
    c.dies();
    assert_eq!(a.bus.online(&[ann]).await, [ann], "its lease has not ended yet");
    eventually("the dead node is cleared away", async || {
        let held = does(&url, redis::cmd("ZSCORE").arg(format!("{prefix}nodes")).arg(&name)).await;
        held == redis::Value::Nil
    })
    .await;
    let mut told = Vec::new();
    for node in [&mut a, &mut b] {
        while let Ok(news) = node.news.try_recv() {
            let News::Departed(people) = news else { panic!("{news:?}") };
            told.extend(people);
        }
    }
    told.sort();
    let mut expected: Vec<UserId> = crowd.into_iter().chain([ann]).collect();
    expected.sort();
    assert_eq!(told.len(), expected.len());
    assert_eq!(told, expected, "everybody once, but not Bob");
    a.sees_online(&[bob]).await;
    b.sees_online(&[bob]).await;
    let left = does(&url, redis::cmd("EXISTS").arg(format!("{prefix}people:{name}"))).await;
    assert_eq!(left, redis::Value::Int(0), "nothing of it is left");
}

#[tokio::test]
#[ignore = "needs a Redis: cargo xtask test starts one"]
async fn a_node_that_stops_leaves_its_people_to_the_others() {
    let (url, prefix) = (shared(), prefix());
    let (a, mut b) = (Node::start(&url, &prefix).await, Node::start(&url, &prefix).await);
    let (ann, bob) = (user(1), user(2));
    a.bus.came(ann, connection(1)).await;
    a.bus.came(bob, connection(2)).await;
    a.bus.wind_down();
    assert!(!a.bus.went(ann, connection(1)).await, "nobody would be left to say so in five seconds");
    assert!(!a.bus.went(bob, connection(2)).await);
    a.says(1);
    a.bus.close().await;
    assert_eq!(b.hears().await, 1, "its last words are heard");
    assert!(!b.bus.came(bob, connection(3)).await, "moved over: no change for anybody");
    assert_eq!(b.is_told().await, News::Departed(vec![ann]));
    b.sees_online(&[bob]).await;
}

#[tokio::test]
#[ignore = "needs a Redis: cargo xtask test starts one"]
async fn a_node_that_was_cut_off_takes_its_people_back() {
    let server = Server::start().await;
    let (wire, prefix) = (Proxy::to(server.port).await, prefix());
    let mut a = Node::start(&wire.url(), &prefix).await;
    let mut b = Node::start(&server.url(), &prefix).await;
    let (ann, bob, cleo) = (user(1), user(2), user(3));
    a.bus.came(ann, connection(1)).await;
    a.bus.came(bob, connection(2)).await;
    b.bus.came(bob, connection(3)).await;
    a.bus.came(cleo, connection(4)).await;
    wire.cut();
    a.is_down().await;
    assert!(a.bus.went(bob, connection(2)).await, "this node knows no better");
    assert!(a.bus.went(cleo, connection(4)).await);
    let News::Departed(mut gone) = b.is_told().await else { panic!("its lease ends") };
    gone.sort();
    assert_eq!(gone, [ann, cleo], "for the rest of the world they are gone; Bob is here");
    b.sees_online(&[bob]).await;
    a.sees_online(&[ann]).await;

    wire.heal();
    a.is_up().await;
    let News::Returned(mut back) = a.is_told().await else { panic!("it takes back what was said") };
    back.sort();
    assert_eq!(back, [ann, bob]);
    a.sees_online(&[ann, bob]).await;
    b.sees_online(&[ann, bob]).await;
    b.is_told_nothing();
}

#[tokio::test]
#[ignore = "needs a Redis: cargo xtask test starts one"]
async fn all_is_registered_again_after_everything_was_flushed() {
    let server = Server::start().await;
    let prefix = prefix();
    let (mut a, b) = (Node::start(&server.url(), &prefix).await, Node::start(&server.url(), &prefix).await);
    let (ann, bob) = (user(1), user(2));
    a.bus.came(ann, connection(1)).await;
    b.bus.came(bob, connection(2)).await;
    server.does(&redis::cmd("FLUSHALL")).await;
    a.sees_online(&[ann, bob]).await;
    b.sees_online(&[ann, bob]).await;
    assert!(!b.bus.came(ann, connection(3)).await, "she is known to be online");
    a.is_told_nothing();
    assert!(!b.bus.went(ann, connection(3)).await);
    assert!(a.bus.went(ann, connection(1)).await);
}
