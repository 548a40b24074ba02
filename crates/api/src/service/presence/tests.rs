//! Coming and going, overheard on the bus.

use super::*;
use crate::stage::Stage;
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

#[tokio::test]
async fn a_reload_is_no_change_and_a_departure_is_one_after_a_while() {
    let stage = Stage::new();
    let presence = Presence::new(&stage.parts);
    let (ann, bob) = (stage.person("ann").await, stage.person("bob").await);
    let room = stage.room(&ann, "garden", Visibility::Public).await.id;
    stage.rooms.join(&bob, room).await.unwrap();
    let (first, second, third) = (connection(&stage), connection(&stage), connection(&stage));
    presence.connected(&ann, first).await;
    presence.connected(&ann, second).await;
    presence.connected(&bob, third).await;
    assert_eq!(changes(&stage.heard.all()), [(ann.user, true), (bob.user, true)], "one for each real change");
    let mut online = presence.online_for(&ann).await.unwrap();
    online.sort();
    let mut both = [ann.user, bob.user];
    both.sort();
    assert_eq!(online, both);

    stage.heard.forget();
    presence.disconnected(ann.user, first).await;
    presence.disconnected(ann.user, second).await;
    presence.connected(&ann, connection(&stage)).await;
    presence.disconnected(bob.user, third).await;
    assert!(changes(&stage.heard.all()).is_empty(), "nothing is said within the grace time");
    let bob_went = |all: &[Notice]| Some(changes(all)).filter(|all| all.contains(&(bob.user, false)));
    assert_eq!(stage.heard.until(bob_went).await, [(bob.user, false)], "ann, whose grace ended before, is still here");
    assert_eq!(presence.online_for(&ann).await.unwrap(), [ann.user]);
}

#[tokio::test]
async fn a_logout_is_told_at_once() {
    let stage = Stage::new();
    let presence = Presence::new(&stage.parts);
    let ann = stage.person("ann").await;
    stage.room(&ann, "garden", Visibility::Public).await;
    let (first, second) = (connection(&stage), connection(&stage));
    presence.connected(&ann, first).await;
    presence.connected(&ann, second).await;
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
    presence.connected(&ann, connection(&stage)).await;
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
