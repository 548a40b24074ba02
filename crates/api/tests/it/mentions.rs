//! Calling people by name, and what of a room one wants to be called for.

use crate::support::{Person, Server, also_on_a_cluster, client_id};
use natter_shared::entry::{Entry, EntryKind};
use natter_shared::frame::ServerFrame;
use natter_shared::id::{RoomId, UserId};
use natter_shared::page::Page;
use natter_shared::path;
use natter_shared::room::{Notify, RoomOverview};
use serde_json::json;

also_on_a_cluster! {
    names_in_a_text_mention_members,
    an_edit_and_a_deletion_change_who_is_mentioned,
    a_message_to_one_person_mentions_nobody_else,
    what_is_said_keeps_its_order_whomever_it_mentions,
    what_calls_for_attention_is_told_to_ones_other_connections,
    nobody_says_whom_their_message_mentions,
}

async fn overview(person: &Person, room: RoomId) -> RoomOverview {
    let page: Page<RoomOverview> = person.get(path::MY_ROOMS).await.expect(200).read();
    page.items.into_iter().find(|it| it.room.id == room).unwrap()
}

async fn mentions(person: &Person, room: RoomId) -> u32 {
    overview(person, room).await.mentions
}

fn mentioned(entry: &Entry) -> Vec<UserId> {
    match &entry.what {
        EntryKind::Message(content) => content.mentions.clone(),
        EntryKind::Edited { mentions, .. } => mentions.clone(),
        other => panic!("{other:?} has no text"),
    }
}

async fn three(server: &Server) -> (Person, Person, Person, RoomId) {
    let (ann, bob) = (server.person("ann").await, server.person("bob").await);
    let eve = server.person("eve").await;
    let room = ann.makes_room("garden", "public").await.id;
    bob.joins(room).await;
    (ann, bob, eve, room)
}

#[tokio::test]
async fn names_in_a_text_mention_members() {
    let server = Server::start();
    let (ann, bob, eve, room) = three(&server).await;
    let said = ann.says(room, "@bob, @eve is not here; ann@bob.example `@bob` @ann @nobody").await;
    assert_eq!(mentioned(&said), [bob.id()]);
    assert_eq!((mentions(&bob, room).await, mentions(&ann, room).await), (1, 0));
    eve.joins(room).await;
    assert_eq!(mentioned(&eve.says(room, "to @all of you, @bob").await), [UserId::EVERYBODY]);
    assert_eq!((mentions(&bob, room).await, mentions(&ann, room).await, mentions(&eve, room).await), (2, 1, 0));
    // What others read is what the author was answered.
    let read = bob.history(room, "").await.messages;
    assert_eq!(read[0].content.mentions, [bob.id()]);
    bob.put(&path::read(room), &json!({"seq": said.seq})).await.expect(204);
    assert_eq!(mentions(&bob, room).await, 1);
}

#[tokio::test]
async fn an_edit_and_a_deletion_change_who_is_mentioned() {
    let server = Server::start();
    let (ann, bob, eve, room) = three(&server).await;
    eve.joins(room).await;
    let said = ann.says(room, "hello").await;
    let edit = async |body: &str| -> Entry {
        let form = json!({"client_id": client_id(), "body": body});
        ann.patch(&path::message(room, said.seq), &form).await.expect(200).read()
    };
    assert_eq!(mentioned(&edit("hello @bob").await), [bob.id()]);
    assert_eq!((mentions(&bob, room).await, mentions(&eve, room).await), (1, 0));
    edit("hello @eve").await;
    assert_eq!((mentions(&bob, room).await, mentions(&eve, room).await), (0, 1));
    ann.delete(&path::message(room, said.seq)).await.expect(200);
    assert_eq!((mentions(&bob, room).await, mentions(&eve, room).await), (0, 0));
}

#[tokio::test]
async fn a_message_to_one_person_mentions_nobody_else() {
    let server = Server::start();
    let (ann, bob, eve, room) = three(&server).await;
    eve.joins(room).await;
    let whisper = async |body: &str| -> Entry {
        let form = json!({"client_id": client_id(), "body": body, "to": bob.id()});
        ann.post(&path::messages(room), &form).await.expect(201).read()
    };
    assert_eq!(mentioned(&whisper("what of @eve?").await), []);
    assert_eq!(mentioned(&whisper("@all, @eve and @bob").await), [bob.id()]);
    assert_eq!((mentions(&bob, room).await, mentions(&eve, room).await), (1, 0));
    let log = eve.get(&path::entries(room)).await.expect(200).text;
    assert!(!log.contains("mentions"), "{log}");
}

#[tokio::test]
async fn what_is_said_keeps_its_order_whomever_it_mentions() {
    let server = Server::start();
    let (ann, bob, _, room) = three(&server).await;
    let (mut a, mut b) = (ann.connects().await, bob.connects().await);
    let texts: Vec<String> = (0..12).map(|n| format!("{n}{}", if n % 3 == 0 { " @bob" } else { "" })).collect();
    for text in &texts {
        a.sends(room, client_id(), text).await;
    }
    b.sees(texts.last().unwrap()).await;
    let seen: Vec<String> = b.seen.iter().flat_map(crate::support::texts).collect();
    assert_eq!(seen, texts);
    assert_eq!(mentions(&bob, room).await, 4);
}

#[tokio::test]
async fn what_calls_for_attention_is_told_to_ones_other_connections() {
    let server = Server::start();
    let (ann, bob, eve, room) = three(&server).await;
    let mut sockets = vec![bob.connects().await, bob.connects().await];
    let mut anns = ann.connects().await;
    bob.put(&path::notify(room), &json!({"notify": "mentions"})).await.expect(204);
    let told = ServerFrame::Notify { room, notify: Notify::Mentions };
    for socket in &mut sockets {
        socket.until(|frame| (*frame == told).then_some(())).await;
    }
    assert_eq!(overview(&bob, room).await.notify, Notify::Mentions);
    // It is nobody else's business.
    ann.says(room, "still here").await;
    anns.sees("still here").await;
    assert!(!anns.seen.contains(&told));
    assert_eq!(overview(&ann, room).await.notify, Notify::Everything);
    let again = bob.login_again(&server).await.connects().await;
    let ServerFrame::Welcome { rooms, .. } = &again.seen[0] else { panic!("{:?}", again.seen) };
    assert_eq!(rooms[0].notify, Notify::Mentions);

    eve.put(&path::notify(room), &json!({"notify": "nothing"})).await.refused(403, "forbidden");
    let unknown = RoomId::from_bytes([7; 16]);
    eve.put(&path::notify(unknown), &json!({"notify": "nothing"})).await.refused(404, "not_found");
    for hostile in [
        json!({"notify": "loudly"}),
        json!({"notify": {"$ne": null}}),
        json!({"notify": null}),
        json!({"notify": "nothing", "user": ann.id()}),
        json!({}),
        json!([]),
    ] {
        let answer = bob.put(&path::notify(room), &hostile).await;
        assert_eq!(answer.status.as_u16(), 400, "{hostile}: {}", answer.text);
    }
    assert_eq!(overview(&bob, room).await.notify, Notify::Mentions);
}

#[tokio::test]
async fn nobody_says_whom_their_message_mentions() {
    let server = Server::start();
    let (ann, bob, _, room) = three(&server).await;
    let form = json!({"client_id": client_id(), "body": "x", "mentions": [bob.id()]});
    ann.post(&path::messages(room), &form).await.refused(400, "bad_request");
    let many = (0..200).map(|n| format!("@name-{n}")).collect::<Vec<_>>().join(" ");
    assert_eq!(mentioned(&ann.says(room, &many).await), []);
    let names = format!("{many} @bob");
    assert_eq!(mentioned(&ann.says(room, &names).await), [], "names beyond the limit are text");
    assert_eq!(mentions(&bob, room).await, 0);
}
