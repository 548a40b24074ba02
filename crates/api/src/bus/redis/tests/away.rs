//! Redis is killed, stands still, or does not let anybody in: nothing waits for it, and all comes back by itself.

use super::*;

const RATE: Rate = Rate { burst: 3, per_ms: 3_600_000 };

async fn granted(node: &Node, bucket: &str) -> usize {
    let mut granted = 0;
    for _ in 0..10 {
        granted += usize::from(node.bus.take(bucket, RATE).await.is_ok());
    }
    granted
}

#[tokio::test]
#[ignore = "needs a Redis: cargo xtask test starts one"]
async fn a_killed_redis_is_done_without_and_found_again() {
    let mut server = Server::start().await;
    let prefix = prefix();
    let (mut a, mut b) = (Node::start(&server.url(), &prefix).await, Node::start(&server.url(), &prefix).await);
    a.bus.came(user(1), connection(1)).await;
    assert_eq!(granted(&a, "used up").await, 3);
    server.kill();

    // Not yet known to be down: the first who asks finds out, and nobody is let in for that.
    assert_eq!(granted(&a, "used up").await, 0, "this node goes on counting from where all were");
    assert_eq!(granted(&a, "fresh").await, 3, "never at any rate");
    assert!(a.bus.came(user(2), connection(2)).await);
    a.is_down().await;
    b.is_down().await;
    assert_eq!(a.bus.without(), Some("redis"));
    a.says_for_good(1);
    assert_eq!(a.hears().await, 1, "its own sockets hear it at once");
    eventually("it waits to be told to the others", async || a.bus.waiting() == 1).await;
    assert!(a.number("natter_redis_failures_total") >= 1.0, "whoever asked first got no answer");
    a.sees_online(&[user(1), user(2)]).await;
    a.hub.gaps().take_everywhere();
    b.hub.gaps().take_everywhere();
    eventually("rooms are compared with the store meanwhile", async || b.hub.gaps().take_everywhere()).await;

    server.run().await;
    a.is_up().await;
    b.is_up().await;
    eventually("rooms are compared once more", async || b.hub.gaps().take_everywhere()).await;
    b.sees_online(&[user(1), user(2)]).await;
    a.says_for_good(2);
    // What was said meanwhile is heard if the listener was there before it was sent, and is in the store if not.
    eventually("nothing waits any more", async || a.bus.waiting() == 0).await;
    for command in ["PING", "EVALSHA"] {
        let count = format!("natter_redis_seconds_count{{command=\"{command}\"}}");
        assert!(a.number(&count) >= 1.0, "{count}");
    }
    let heard = b.hears().await;
    assert!(heard == 2 || (heard == 1 && b.hears().await == 2));
}

#[tokio::test]
#[ignore = "needs a Redis: cargo xtask test starts one"]
async fn a_redis_that_stands_still_holds_up_nobody() {
    let server = Server::start().await;
    let prefix = prefix();
    let (mut a, mut b) = (Node::start(&server.url(), &prefix).await, Node::start(&server.url(), &prefix).await);
    server.signal("STOP");
    // All of this together within a bound that a call without a deadline could not keep.
    let all = async {
        assert_eq!(granted(&a, "login").await, 3);
        assert!(a.bus.came(user(1), connection(1)).await);
        assert_eq!(a.bus.online(&[user(1), user(2)]).await, [user(1)]);
        for n in 0..100 {
            a.says_for_good(n);
        }
    };
    timeout(PATIENCE, all).await.expect("nobody waits for redis");
    for n in 0..100 {
        assert_eq!(a.hears().await, n);
    }
    a.is_down().await;
    b.is_down().await;
    server.signal("CONT");
    a.is_up().await;
    b.is_up().await;
    b.sees_online(&[user(1)]).await;
    a.says_for_good(200);
    while b.hears().await != 200 {}
}

#[tokio::test]
#[ignore = "needs a Redis: cargo xtask test starts one"]
async fn a_node_starts_without_redis_and_takes_it_when_it_comes() {
    let port = server::free_port();
    let (url, prefix) = (format!("redis://127.0.0.1:{port}"), prefix());
    let mut a = Node::start_alone(&url, &prefix).await;
    assert_eq!(a.bus.without(), Some("redis"));
    assert!(a.bus.came(user(1), connection(1)).await);
    assert_eq!(granted(&a, "login").await, 3);
    a.says(1);
    assert_eq!(a.hears().await, 1);
    let _server = Server::on(port, &[]).await;
    a.is_up().await;
    let b = Node::start(&url, &prefix).await;
    b.sees_online(&[user(1)]).await;
}

#[tokio::test]
#[ignore = "needs a Redis: cargo xtask test starts one"]
async fn a_wrong_password_is_a_redis_that_is_away() {
    let server = Server::with(&["--requirepass", "right-password"]).await;
    let prefix = prefix();
    for login in ["", ":wrong-password@", "nobody:right-password@"] {
        let url = format!("redis://{login}127.0.0.1:{}", server.port);
        let mut node = Node::start_alone(&url, &prefix).await;
        assert_eq!(node.bus.without(), Some("redis"), "{login}");
        assert_eq!(node.bus.condition.reasons(), [condition::Reason::Login], "{login}");
        assert_eq!(granted(&node, "login").await, 3);
        node.says(1);
        assert_eq!(node.hears().await, 1);
    }
    let url = format!("redis://:right-password@127.0.0.1:{}", server.port);
    Node::start(&url, &prefix).await;
}

#[tokio::test]
#[ignore = "needs a Redis: cargo xtask test starts one"]
async fn a_redis_that_refuses_to_write_is_not_asked_again_and_again() {
    let server = Server::start().await;
    server.does(redis::cmd("ACL").arg("SETUSER").arg("default").arg("-eval").arg("-evalsha")).await;
    let mut node = Node::start_alone(&server.url(), &prefix()).await;
    assert_eq!(node.bus.without(), None, "it is there");
    assert!(node.bus.came(user(1), connection(1)).await, "this node knows no better");
    assert_eq!(granted(&node, "login").await, 3);
    node.says(1);
    assert_eq!(node.hears().await, 1);
    let asked = async || {
        let stats = server.does(redis::cmd("INFO").arg("commandstats")).await;
        let stats: String = redis::from_redis_value(stats).unwrap();
        let line = stats.lines().find(|line| line.starts_with("cmdstat_eval:")).unwrap().to_owned();
        line.split("rejected_calls=").nth(1).unwrap().split(',').next().unwrap().parse::<u32>().unwrap()
    };
    let (before, begun) = (asked().await, Instant::now());
    eventually("the lease is asked for again", async || asked().await >= before + 3).await;
    assert!(begun.elapsed() >= QUICK.renew, "once each time that it is due");
    server.does(redis::cmd("ACL").arg("SETUSER").arg("default").arg("+eval").arg("+evalsha")).await;
    node.sees_online(&[user(1)]).await;
    node.is_registered().await;
}

#[tokio::test]
#[ignore = "needs a Redis: cargo xtask test starts one"]
async fn a_server_that_speaks_no_tls_is_a_redis_that_is_away() {
    let server = Server::start().await;
    let url = format!("rediss://127.0.0.1:{}", server.port);
    let node = Node::start_alone(&url, &prefix()).await;
    assert_eq!(node.bus.without(), Some("redis"));
    eventually("it is said", async || !node.bus.condition.reasons().is_empty()).await;
    assert_eq!(granted(&node, "login").await, 3);
}

#[tokio::test]
#[ignore = "needs a Redis: cargo xtask test starts one"]
async fn a_listener_that_redis_throws_out_comes_back_and_compares() {
    let server = Server::start().await;
    let prefix = prefix();
    let (a, mut b) = (Node::start(&server.url(), &prefix).await, Node::start(&server.url(), &prefix).await);
    b.hub.gaps().take_everywhere();
    // What an overflowing output buffer ends in, without the overflow.
    let ended = server.does(redis::cmd("CLIENT").arg("KILL").arg("TYPE").arg("PUBSUB")).await;
    assert_eq!(ended, redis::Value::Int(2));
    eventually("rooms are compared", async || b.hub.gaps().take_everywhere()).await;
    a.is_up().await;
    b.is_up().await;
    a.says(1);
    assert_eq!(b.hears().await, 1);
}
