//! The event stream: the same frames for networks that break sockets.

use crate::support::{Server, also_on_a_cluster, texts};
use natter_shared::frame::ServerFrame;
use natter_shared::path;

also_on_a_cluster! {
    a_stream_shows_what_a_socket_shows,
    a_stream_resumes_where_it_was_cut,
    a_stream_needs_a_login_and_a_readable_id,
}

#[tokio::test]
async fn a_stream_shows_what_a_socket_shows() {
    let server = Server::start();
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    let room = ann.makes_room("garden", "public").await;
    bob.joins(room.id).await;
    let mut stream = bob.listens(None).await;
    assert!(matches!(stream.next().await, Some(ServerFrame::Welcome { .. })));
    ann.says(room.id, "hello").await;
    stream.until(|frame| texts(frame).contains(&"hello".to_owned()).then_some(())).await;
}

#[tokio::test]
async fn a_stream_resumes_where_it_was_cut() {
    let server = Server::start();
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    let room = ann.makes_room("garden", "public").await;
    bob.joins(room.id).await;
    let mut stream = bob.listens(None).await;
    ann.says(room.id, "first").await;
    stream.until(|frame| texts(frame).contains(&"first".to_owned()).then_some(())).await;
    let id = stream.last_id.clone();
    assert!(!id.is_empty());
    drop(stream);
    for n in 0..5 {
        ann.says(room.id, &format!("missed {n}")).await;
    }
    let mut stream = bob.listens(Some(&id)).await;
    ann.says(room.id, "last").await;
    let mut seen = Vec::new();
    stream
        .until(|frame| {
            seen.extend(texts(frame));
            seen.contains(&"last".to_owned()).then_some(())
        })
        .await;
    assert_eq!(seen, ["missed 0", "missed 1", "missed 2", "missed 3", "missed 4", "last"]);
}

#[tokio::test]
async fn a_stream_needs_a_login_and_a_readable_id() {
    let server = Server::start();
    server.stranger().get(path::EVENTS).await.refused(401, "not_signed_in");
    let ann = server.person("ann").await;
    let request = ann.http.get(server.url(path::EVENTS)).bearer_auth(&ann.token).header("last-event-id", "@@@");
    let status = request.send().await.unwrap().status().as_u16();
    assert!([200, 400].contains(&status), "{status}");
}
