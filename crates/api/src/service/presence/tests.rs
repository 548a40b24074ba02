//! Coming and going, overheard on the bus.

use super::*;
use crate::scene::Scene;
use crate::stage::Stage;
use natter_shared::id::SessionId;
use natter_shared::room::Visibility;

fn changes(notices: &[Notice]) -> Vec<(UserId, bool)> {
    let change = |notice: &Notice| match notice {
        Notice::Rooms { except: Some(except), frame: ServerFrame::Presence { user, online }, .. } => {
            assert_eq!(except, user, "nobody is told of their own");
            Some((*user, *online))
        }
        _ => None,
    };
    notices.iter().filter_map(change).collect()
}

fn connection(stage: &Stage) -> ConnectionId {
    ConnectionId::from_random_bytes(stage.bytes())
}

/// Who is online of those whom somebody who signs in is told of.
async fn online_for(stage: &Stage, presence: &Presence, who: &Caller) -> Vec<UserId> {
    let (_, others) = stage.rooms.surroundings(who).await.unwrap();
    presence.online_among(who, others).await
}

/// What a sign-in does.
async fn connects(stage: &Stage, presence: &Presence, who: &Caller, connection: ConnectionId) {
    if presence.connected(who, connection).await {
        let rooms = stage.rooms.mine(who).await.unwrap();
        presence.tell_online(who.user, rooms.iter().map(|overview| overview.room.id).collect());
    }
}

#[tokio::test]
async fn a_reload_is_no_change_and_a_departure_is_one_after_a_while() {
    let stage = Stage::new();
    let presence = Presence::new(&stage.parts);
    let (ann, bob) = (stage.person("ann").await, stage.person("bob").await);
    let room = stage.room(&ann, "garden", Visibility::Public).await.id;
    stage.rooms.join(&bob, room).await.unwrap();
    let (first, second, third) = (connection(&stage), connection(&stage), connection(&stage));
    connects(&stage, &presence, &ann, first).await;
    connects(&stage, &presence, &ann, second).await;
    connects(&stage, &presence, &bob, third).await;
    assert_eq!(changes(&stage.heard.all()), [(ann.user, true), (bob.user, true)], "one for each real change");
    let mut online = online_for(&stage, &presence, &ann).await;
    online.sort();
    let mut both = [ann.user, bob.user];
    both.sort();
    assert_eq!(online, both);

    stage.heard.forget();
    presence.disconnected(ann.user, first).await;
    presence.disconnected(ann.user, second).await;
    connects(&stage, &presence, &ann, connection(&stage)).await;
    presence.disconnected(bob.user, third).await;
    assert!(changes(&stage.heard.all()).is_empty(), "nothing is said within the grace time");
    let bob_went = |all: &[Notice]| Some(changes(all)).filter(|all| all.contains(&(bob.user, false)));
    assert_eq!(stage.heard.until(bob_went).await, [(bob.user, false)], "ann, whose grace ended before, is still here");
    assert_eq!(online_for(&stage, &presence, &ann).await, [ann.user]);
}

#[tokio::test]
async fn a_logout_is_told_at_once() {
    let stage = Stage::new();
    let presence = Presence::new(&stage.parts);
    let ann = stage.person("ann").await;
    stage.room(&ann, "garden", Visibility::Public).await;
    let (first, second) = (connection(&stage), connection(&stage));
    connects(&stage, &presence, &ann, first).await;
    connects(&stage, &presence, &ann, second).await;
    presence.signed_out(ann.user, first).await;
    assert_eq!(changes(&stage.heard.all()), [(ann.user, true)], "another login of hers is still connected");
    presence.signed_out(ann.user, second).await;
    assert_eq!(changes(&stage.heard.all()), [(ann.user, true), (ann.user, false)]);
}

#[tokio::test]
async fn people_of_a_dead_node_are_announced_unless_they_are_here() {
    let stage = Stage::new();
    let presence = Presence::new(&stage.parts);
    let (ann, bob) = (stage.person("ann").await, stage.person("bob").await);
    let room = stage.room(&ann, "garden", Visibility::Public).await.id;
    stage.rooms.join(&bob, room).await.unwrap();
    assert!(presence.connected(&ann, connection(&stage)).await);
    stage.heard.forget();
    presence.departed(&[ann.user, bob.user]).await;
    assert_eq!(changes(&stage.heard.all()), [(bob.user, false)]);
    stage.heard.forget();
    presence.returned(&[ann.user, bob.user]).await;
    assert_eq!(changes(&stage.heard.all()), [(ann.user, true)]);
}

#[tokio::test]
async fn typing_is_told_to_the_others_in_the_room() {
    let stage = Stage::new();
    let presence = Presence::new(&stage.parts);
    let (ann, bob) = (stage.person("ann").await, stage.person("bob").await);
    let room = stage.room(&ann, "garden", Visibility::Public).await.id;
    stage.heard.forget();
    let refused = presence.typing(&bob, room).await;
    assert!(matches!(refused, Err(PresenceError::Unknown)), "{refused:?}");
    assert!(stage.heard.all().is_empty());
    presence.typing(&ann, room).await.unwrap();
    let told = stage.heard.all();
    let [Notice::Room { room: told_to, except, frame }] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((*told_to, *except, frame), (room, Some(ann.user), &ServerFrame::Typing { room, user: ann.user }));
}

#[tokio::test]
async fn frames_are_counted_over_all_nodes_of_a_bus() {
    let scene = Scene::with(|settings| settings.rate_limits = true);
    let nodes = [Presence::new(&scene.parts), Presence::new(&scene.parts)];
    let [ann, bob] = [1, 2].map(|n| Caller {
        user: UserId::from_bytes([n; 16]),
        session: SessionId::from_bytes([n; 16]),
        expires_at: scene.now().plus_millis(900_000),
        guest: false,
        bot: None,
    });
    for n in 0..120 {
        nodes[n % 2].frame(&ann).await.unwrap();
    }
    for node in &nodes {
        assert_eq!(node.frame(&ann).await, Err(TooOften { retry_after_ms: 500 }));
        node.frame(&bob).await.unwrap();
    }
    scene.clock.advance_millis(500);
    nodes[1].frame(&ann).await.unwrap();
    assert!(nodes[0].frame(&ann).await.is_err());
}
