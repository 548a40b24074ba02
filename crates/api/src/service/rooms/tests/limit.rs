//! Nobody is in more rooms than one person can be, however they come in and however much of it at once.

use super::*;
use crate::service::Caller;
use natter_shared::limits;

const FULL: usize = limits::ROOMS_PER_USER;

/// Somebody who is in so many rooms of their own.
async fn busy(stage: &Stage, name: &str, rooms: usize) -> Caller {
    let who = stage.person(name).await;
    let names: Vec<String> = (0..rooms).map(|n| format!("{name} {n}")).collect();
    join_all(names.iter().map(|name| stage.room(&who, name, Visibility::Private))).await;
    who
}

async fn rooms_of(stage: &Stage, who: &Caller) -> usize {
    stage.parts.store.rooms_of(who.user).await.unwrap().len()
}

#[tokio::test]
async fn a_race_for_the_last_place_has_one_winner() {
    let stage = Stage::new();
    let ann = busy(&stage, "ann", FULL - 1).await;
    let bob = stage.person("bob").await;
    let mut open = Vec::new();
    for n in 0..4 {
        open.push(stage.room(&bob, &format!("open {n}"), Visibility::Public).await.id);
        stage.person(&format!("friend{n}")).await;
    }
    let makes = join_all((0..4).map(|n| {
        let form = RoomForm { name: format!("new {n}"), topic: None, visibility: Visibility::Public };
        stage.rooms.create(&ann, form)
    }));
    let joins = join_all(open.iter().map(|room| stage.rooms.join(&ann, *room)));
    let names: Vec<String> = (0..4).map(|n| format!("friend{n}")).collect();
    let directs = join_all(names.iter().map(|name| stage.rooms.direct(&ann, name)));
    let (made, joined, talked) = tokio::join!(makes, joins, directs);
    let outcomes: Vec<_> = [made, joined, talked].concat();
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:#?}");
    let refused = |outcome: &Result<Room, RoomError>| matches!(outcome, Ok(_) | Err(RoomError::LimitReached(_)));
    assert!(outcomes.iter().all(refused), "{outcomes:#?}");
    assert_eq!(rooms_of(&stage, &ann).await, FULL);
}

#[tokio::test]
async fn a_conversation_that_is_there_is_found_by_whoever_has_no_place_left() {
    let stage = Stage::new();
    let ann = busy(&stage, "ann", FULL - 1).await;
    let (bob, cleo) = (stage.person("bob").await, stage.person("cleo").await);
    let there = stage.rooms.direct(&ann, "bob").await.unwrap();
    assert_eq!(stage.rooms.direct(&ann, "bob").await.unwrap().id, there.id);
    assert_eq!(stage.rooms.direct(&bob, "ann").await.unwrap().id, there.id);
    for (caller, name) in [(&ann, "cleo"), (&cleo, "ann")] {
        let refused = stage.rooms.direct(caller, name).await;
        assert!(matches!(refused, Err(RoomError::LimitReached(_))), "{refused:?}");
    }
    assert_eq!((rooms_of(&stage, &ann).await, rooms_of(&stage, &cleo).await), (FULL, 0));
}
