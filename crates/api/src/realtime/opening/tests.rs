//! What a sign-in costs.

use super::*;
use crate::config::{Config, Origins};
use crate::realtime::doors::Doors;
use crate::realtime::hub::Hub;
use crate::service::Origin;
use crate::service::accounts::Accounts;
use crate::service::admin::Admin;
use crate::service::deletion::Deletions;
use crate::service::guests::Guests;
use crate::service::integrations::Integrations;
use crate::service::marks::Marks;
use crate::service::messages::Messages;
use crate::service::operations::Operations;
use crate::service::presence::Presence;
use crate::service::rooms::Rooms;
use crate::service::sessions::Sessions;
use crate::stage::Stage;
use crate::state::Stopping;
use crate::store::Accounts as _;
use natter_shared::room::Visibility;
use std::net::Ipv4Addr;
use std::sync::atomic::Ordering;

fn served(stage: &Stage) -> AppState {
    let parts = &stage.parts;
    let sessions = Sessions::new(parts);
    let operations = Arc::new(Operations::new(crate::http::pace::all(), Arc::clone(&parts.clock)));
    let rooms = Arc::new(Rooms::new(parts, stage.log.clone()));
    let messages = Arc::new(Messages::new(parts, stage.log.clone(), stage.pictures.clone()));
    AppState {
        accounts: Accounts::new(parts, &sessions),
        admin: Admin::new(parts, &sessions, &operations),
        deletions: Deletions::new(parts, &sessions, &stage.pictures, stage.log.clone()),
        operations,
        guests: Guests::new(parts, &sessions, &rooms),
        sessions,
        integrations: Integrations::new(parts, &rooms, &messages),
        rooms,
        messages,
        pictures: stage.pictures.clone(),
        marks: Marks::start(parts),
        presence: Presence::new(parts),
        events: parts.events.clone(),
        store: Arc::clone(&parts.store),
        bus: Arc::clone(&parts.bus),
        clock: Arc::clone(&parts.clock),
        entropy: Arc::clone(&parts.entropy),
        config: Config::from_variables([]).unwrap(),
        origins: Origins::new(None, (Ipv4Addr::LOCALHOST, 80).into()),
        hub: Arc::new(Hub::new(1)),
        doors: Arc::new(Doors::new(true)),
        stopping: Stopping::default(),
    }
}

/// Signs in as a socket does, and says how often the store was read for it.
async fn reads_of_a_sign_in(stage: &Stage, app: &AppState, token: &str, cursors: &Cursors) -> usize {
    let link = Arc::new(Link::socket(Instant::now()));
    let pass = app.doors.enter(Ipv4Addr::LOCALHOST.into()).unwrap();
    stage.sqlite.reads.store(0, Ordering::SeqCst);
    let (caller, person) = app.sessions.recognise(token).await.unwrap();
    let shard = app.hub.next_shard();
    let opened = open(app, &shard, &link, pass, caller, person, cursors).await.unwrap();
    let reads = stage.sqlite.reads.load(Ordering::SeqCst);
    opened.close(End::Gone(None));
    reads
}

#[tokio::test]
async fn a_sign_in_reads_the_store_twice_and_once_more_what_it_missed() {
    let stage = Stage::new();
    let (ann, bob) = (stage.person("ann").await, stage.person("bob").await);
    let room = stage.room(&ann, "garden", Visibility::Public).await.id;
    stage.rooms.join(&bob, room).await.unwrap();
    let seen = stage.says(&bob, room, "hello").await.seq;
    let app = served(&stage);
    let origin = Origin { ip: Ipv4Addr::LOCALHOST.into(), user_agent: String::new() };
    let person = stage.sqlite.user(ann.user).await.unwrap().unwrap().user;
    let token = app.sessions.open(person, &origin).await.unwrap().session.access_token;

    let first = reads_of_a_sign_in(&stage, &app, &token, &Cursors::new()).await;
    assert_eq!(first, 2, "the login with its person, the rooms with their people");
    let again = reads_of_a_sign_in(&stage, &app, &token, &Cursors::from([(room, seen)])).await;
    assert_eq!(again, 2, "the person, of a login that was alive a moment ago, and the rooms");
    stage.says(&bob, room, "are you there?").await;
    let missed = reads_of_a_sign_in(&stage, &app, &token, &Cursors::from([(room, seen)])).await;
    assert_eq!(missed, 3);
}
