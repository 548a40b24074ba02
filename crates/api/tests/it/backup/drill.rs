//! The drill: backed up under load, everything lost, put back.

use super::{Shelf, refuses, succeeds};
use crate::support::{PASSWORD, Person, Server, also_on_a_cluster, client_id, picture};
use natter_shared::account::{Me, SessionInfo};
use natter_shared::entry::Entry;
use natter_shared::frame::ServerFrame;
use natter_shared::id::{ClientId, RoomId, Seq};
use natter_shared::page::Page;
use natter_shared::path;
use natter_shared::room::{Member, Role};
use reqwest::Method;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

also_on_a_cluster! {
    what_was_acknowledged_is_there_after_everything_was_lost,
}

/// What the server has said is kept: by client id, in which room and as which entry.
type Acknowledged = Arc<Mutex<BTreeMap<ClientId, (RoomId, Seq, String)>>>;

/// Sends over a socket, a message after the other was acknowledged, until it is told to stop.
async fn writes(person: &Person, rooms: Vec<RoomId>, acknowledged: Acknowledged, stop: Arc<AtomicBool>) {
    let mut socket = person.connects().await;
    for n in 0.. {
        if stop.load(Ordering::SeqCst) {
            return;
        }
        let (room, id) = (rooms[n % rooms.len()], client_id());
        let body = format!("{} {n}", person.username);
        socket.sends(room, id, &body).await;
        let ack = |frame: &ServerFrame| match frame {
            ServerFrame::Ack { client_id, seq, .. } if *client_id == id => Some(*seq),
            ServerFrame::Error { client_id, message, .. } if *client_id == Some(id) => panic!("{message}"),
            _ => None,
        };
        let seq = socket.until(ack).await;
        acknowledged.lock().unwrap().insert(id, (room, seq, body));
        socket.seen.clear();
    }
}

async fn whole_log(person: &Person, room: RoomId) -> Vec<Entry> {
    let mut log: Vec<Entry> = Vec::new();
    loop {
        let page = person.log(room, log.last().map_or(Seq::ZERO, |last| last.seq)).await;
        log.extend(page.entries);
        if page.complete {
            return log;
        }
    }
}

async fn bytes_of(person: &Person, url: &str) -> Vec<u8> {
    let (status, _, bytes) = person.looks_at(url, None).await;
    assert_eq!(status, 200, "{url}");
    bytes
}

/// An account that has been used a little before the load begins.
struct Scene {
    ann: Person,
    bob: Person,
    rooms: Vec<RoomId>,
    /// The cookie of a login of bob's that ann revoked, and somebody who was banned.
    revoked: Person,
    banned: Person,
    /// Where images are, and what they are.
    images: Vec<(String, Vec<u8>)>,
}

impl Scene {
    async fn of(server: &Server) -> Self {
        let (ann, bob, banned) = (server.person("ann").await, server.person("bob").await, server.person("cid").await);
        let mut rooms = Vec::new();
        for name in ["garden", "kitchen", "cellar"] {
            let room = ann.makes_room(name, "public").await.id;
            bob.joins(room).await;
            banned.joins(room).await;
            rooms.push(room);
        }
        ann.put(&path::member(rooms[0], bob.id()), &json!({"role": "admin"})).await.expect(200);
        ann.delete(&format!("{}?ban=true", path::member(rooms[0], banned.id()))).await.expect(204);
        server.administers("grant", "ann");
        let revoked = bob.login_again(server).await;
        let logins: Page<SessionInfo> = bob.get(path::SESSIONS).await.expect(200).read();
        let other = logins.items.iter().find(|login| !login.current).unwrap();
        bob.delete(&path::session(other.id)).await.expect(204);

        let mut images = Vec::new();
        for (n, size) in [(900, 600), (40, 30), (1_000, 1_000)].into_iter().enumerate() {
            let sent = bob.uploads(picture(size.0, size.1)).await;
            bob.shows(rooms[n], &[sent.id], "look").await;
            images.push(sent.url);
            images.push(path::file_preview(sent.id));
        }
        let me: Me = ann.sends(Method::PUT, path::AVATAR, "image/png", picture(300, 300)).await.expect(200).read();
        images.push(me.user.avatar_url.unwrap());
        let mut seen = Vec::new();
        for url in images {
            let (status, _, bytes) = bob.looks_at(&url, None).await;
            // A small image has no smaller one.
            if status == 200 {
                seen.push((url, bytes));
            }
        }
        assert!(seen.len() >= 6, "{} images", seen.len());
        Self { ann, bob, rooms, revoked, banned, images: seen }
    }
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_everything_was_lost() {
    let shelf = Shelf::new();
    let server = Server::start();
    let mut scene = Scene::of(&server).await;
    let (acknowledged, stop) = (Acknowledged::default(), Arc::new(AtomicBool::new(false)));
    let writers = async {
        let writes = |person| writes(person, scene.rooms.clone(), Arc::clone(&acknowledged), Arc::clone(&stop));
        tokio::join!(writes(&scene.ann), writes(&scene.bob), writes(&scene.ann), writes(&scene.bob));
    };
    let count = || acknowledged.lock().unwrap().len();
    let more_than = async |some: usize| {
        crate::support::eventually("more is acknowledged", async || count() > some).await;
    };
    let backed_up = async {
        more_than(100).await;
        let mut newest = scene.bob.uploads(picture(333, 222)).await;
        scene.bob.shows(scene.rooms[1], &[newest.id], "under load").await;
        let bytes = bytes_of(&scene.ann, &newest.url).await;
        let before = acknowledged.lock().unwrap().clone();
        let made = server.orders_meanwhile(&["backup"], &shelf.sealed()).await;
        more_than(count() + 20).await;
        stop.store(true, Ordering::SeqCst);
        (made, before, (std::mem::take(&mut newest.url), bytes))
    };
    let ((), (made, before, image)) = tokio::join!(writers, backed_up);
    let told = succeeds(&made);
    assert!(told.contains(".backup.age: ") && told.contains("files of images"), "{told}");
    assert!(!told.contains("not there"), "{told}");
    assert!(before.len() > 100 && count() > before.len());
    scene.images.push(image);
    let mut logs = BTreeMap::new();
    for room in &scene.rooms {
        logs.insert(*room, whole_log(&scene.ann, *room).await);
    }

    let ruin = server.burns_down();
    // Who stole the backup, without the key to it, or without the server's, gets nowhere.
    refuses(&ruin.orders(&["restore", "latest"], &shelf.plain()), 2, "is encrypted");
    let restored = ruin.orders(&["restore", "latest", "--identity", &shelf.key()], &shelf.plain());
    assert!(succeeds(&restored).contains("The store holds all of natter-"), "{}", super::said(&restored));
    let again = ruin.orders(&["restore", "latest", "--identity", &shelf.key()], &shelf.plain());
    assert!(succeeds(&again).contains("it did before"), "{}", super::said(&again));

    let server = ruin.starts();
    is_as_it_was(&server, scene, &logs, &before).await;
}

async fn is_as_it_was(
    server: &Server,
    scene: Scene,
    logs: &BTreeMap<RoomId, Vec<Entry>>,
    before: &BTreeMap<ClientId, (RoomId, Seq, String)>,
) {
    let Scene { mut ann, mut bob, rooms, mut revoked, mut banned, images } = scene;
    for person in [&mut ann, &mut bob, &mut revoked, &mut banned] {
        person.moves_to(server);
    }
    // The cookies of before, and the passwords.
    ann.refresh().await.expect(200);
    bob.refresh().await.expect(200);
    revoked.refresh().await.refused(401, "not_signed_in");
    bob.login_again(server).await;
    let wrong = json!({"username": "bob", "password": format!("{PASSWORD}4")});
    server.stranger().post(path::LOGIN, &wrong).await.refused(401, "bad_credentials");

    let mut there: BTreeMap<ClientId, Vec<(RoomId, Seq)>> = BTreeMap::new();
    for room in &rooms {
        let (log, then) = (whole_log(&ann, *room).await, &logs[room]);
        assert!(log.len() <= then.len());
        assert_eq!(log, then[..log.len()], "the beginning of what it was, in its order");
        // Client ids are for their authors.
        let of_bob = whole_log(&bob, *room).await;
        for entry in log.iter().chain(&of_bob) {
            if let Some(id) = entry.client_id {
                there.entry(id).or_default().push((*room, entry.seq));
            }
        }
        let head = log.last().unwrap().seq;
        assert_eq!(ann.says(*room, "after the fire").await.seq, head.next());
    }
    for (id, (room, seq, body)) in before {
        assert_eq!(there.get(id), Some(&vec![(*room, *seq)]), "{body} was acknowledged before the backup");
    }
    for (url, bytes) in &images {
        assert_eq!(&bytes_of(&ann, url).await, bytes, "{url}");
    }

    banned.post(path::LOGIN, &json!({"username": "cid", "password": PASSWORD})).await.expect(200);
    let banned = banned.login_again(server).await;
    let status = banned.post(&path::join(rooms[0]), &json!({})).await.status.as_u16();
    assert!([403, 404].contains(&status), "{status}: a ban stays one");
    let members: Page<Member> = ann.get(&path::members(rooms[0])).await.expect(200).read();
    let role = |id| members.items.iter().find(|member| member.user.id == id).map(|member| member.role);
    assert_eq!((role(ann.id()), role(bob.id()), role(banned.id())), (Some(Role::Owner), Some(Role::Admin), None));
    // Ann administers the server still, and reads what happened before.
    let events = ann.get(&format!("{}?kind=registered", path::ADMIN_EVENTS)).await.expect(200).json();
    assert_eq!(events["items"].as_array().map(Vec::len), Some(3), "{events}");
}
