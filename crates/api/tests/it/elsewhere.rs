//! What happens outside this process: with Redis, without it, and in the store while nobody tells.

use crate::support::{Server, eventually};
use natter_shared::frame::ServerFrame;
use natter_shared::path;

fn closed_port() -> u16 {
    std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// Two people find each other and talk.
async fn works(server: &Server) {
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    let room = ann.makes_room("garden", "public").await.id;
    bob.joins(room).await;
    let mut anns = ann.connects().await;
    let mut bobs = bob.connects().await;
    let came = ServerFrame::Presence { user: bob.id(), online: true };
    anns.until(|frame| (*frame == came).then_some(())).await;
    ann.says(room, "hello").await;
    bobs.sees("hello").await;
}

#[tokio::test]
async fn a_server_whose_redis_is_away_works_and_says_so() {
    let redis = format!("redis://:hunter22@127.0.0.1:{}", closed_port());
    let server = Server::with(&[("NATTER_REDIS", &redis)]);
    let ready = server.stranger().get(path::READY).await.expect(200).json();
    assert_eq!(ready, serde_json::json!({"status": "ok", "degraded": true, "without": "redis"}));
    works(&server).await;
}

#[tokio::test]
#[ignore = "needs a Redis: cargo xtask test starts one"]
async fn a_server_with_a_redis_is_whole_and_stops_in_time() {
    let redis = std::env::var("NATTER_TEST_REDIS")
        .expect("NATTER_TEST_REDIS is not set: it must be the redis:// address of a Redis for tests");
    let prefix = format!("natter-test-{}:", std::process::id());
    let settings = [("NATTER_REDIS", &*redis), ("NATTER_REDIS_PREFIX", &prefix), ("NATTER_RATE_LIMITS", "on")];
    let server = Server::with(&settings);
    let ready = server.stranger().get(path::READY).await.expect(200).json();
    assert_eq!(ready, serde_json::json!({"status": "ok", "degraded": false}));
    works(&server).await;
    let server = server.restart();
    server.stranger().get(path::READY).await.expect(200);
}

#[tokio::test]
async fn a_login_that_ended_in_the_store_alone_closes_its_socket() {
    let server = Server::start();
    let ann = server.person("ann").await;
    let socket = ann.connects().await;
    let store = rusqlite::Connection::open(server.database()).unwrap();
    store.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
    assert_eq!(store.execute("UPDATE sessions SET revoked_at = 1", []).unwrap(), 1);
    assert_eq!(socket.close_code().await, 4401);
    eventually("the login is dead for calls as well", async || ann.get(path::ME).await.status == 401).await;
}
