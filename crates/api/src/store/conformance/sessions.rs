//! Logins and their tokens.

use super::World;
use crate::store::{NewSession, Rotate, Rotation, SessionRecord, TokenHash};
use futures_util::future::join_all;
use natter_shared::account::User;
use natter_shared::id::SessionId;
use natter_shared::timestamp::Timestamp;

const GRACE_MS: i64 = 10_000;
const DAY_MS: i64 = 86_400_000;

/// The token of a generation, as a server would derive it.
fn token(id: SessionId, generation: u32) -> TokenHash {
    let mut hash = [0; 32];
    hash[..16].copy_from_slice(id.as_bytes());
    hash[16..20].copy_from_slice(&generation.to_be_bytes());
    hash
}

async fn login(world: &World, user: &User) -> SessionRecord {
    let id = SessionId::from_bytes(world.fresh());
    let created_at = world.now();
    let expires_at = created_at.plus_millis(DAY_MS);
    let user_agent = "a browser".to_owned();
    let new = NewSession { id, user: user.id, created_at, expires_at, user_agent, token: token(id, 0) };
    world.store.create_session(new.clone()).await.unwrap();
    world.store.create_session(new).await.unwrap();
    stored(world, id).await
}

async fn stored(world: &World, id: SessionId) -> SessionRecord {
    world.store.session(id).await.unwrap().unwrap().0
}

/// What a server does with a token: reads the session, and asks for the rotation that belongs to what it read.
async fn present(world: &World, session: &SessionRecord, generation: u32, now: Timestamp) -> Rotation {
    let read = stored(world, session.id).await;
    let rotate = Rotate {
        id: session.id,
        presented: token(session.id, generation),
        generation: read.generation,
        next: token(session.id, read.generation + 1),
        was_ours: true,
        now,
        grace_ms: GRACE_MS,
    };
    world.store.rotate(rotate).await.unwrap()
}

async fn is_revoked(world: &World, session: &SessionRecord) -> bool {
    stored(world, session.id).await.revoked_at.is_some()
}

pub async fn fifty_refreshes_at_once_have_one_successor(world: &World) {
    let session = login(world, &world.person("ann").await).await;
    let now = world.now();
    let answers = join_all((0..50).map(|_| present(world, &session, 0, now))).await;
    assert_eq!(answers.iter().filter(|answer| **answer == Rotation::Rotated { generation: 1 }).count(), 1);
    assert_eq!(answers.iter().filter(|answer| **answer == Rotation::Again { generation: 1 }).count(), 49);
    let stands = stored(world, session.id).await;
    assert_eq!((stands.generation, stands.revoked_at, stands.last_used_at), (1, None, now));
    assert_eq!((stands.current, stands.previous), (token(session.id, 1), Some(token(session.id, 0))));
}

pub async fn a_predecessor_is_good_for_the_grace_time_and_no_longer(world: &World) {
    let ann = world.person("ann").await;
    let now = world.now();
    let session = login(world, &ann).await;
    assert_eq!(present(world, &session, 0, now).await, Rotation::Rotated { generation: 1 });
    let end = now.plus_millis(GRACE_MS);
    assert_eq!(present(world, &session, 0, end).await, Rotation::Again { generation: 1 });
    assert_eq!(present(world, &session, 0, end.plus_millis(1)).await, Rotation::Reused);
    assert!(is_revoked(world, &session).await);
    assert_eq!(present(world, &session, 1, end).await, Rotation::Unknown);

    // Once the successor was used, its predecessor is not a predecessor any more: no grace.
    let session = login(world, &ann).await;
    present(world, &session, 0, now).await;
    assert_eq!(present(world, &session, 1, now).await, Rotation::Rotated { generation: 2 });
    assert_eq!(present(world, &session, 1, now).await, Rotation::Again { generation: 2 });
    assert_eq!(present(world, &session, 0, now).await, Rotation::Reused);
    assert!(is_revoked(world, &session).await);
}

pub async fn a_token_from_before_the_predecessor_ends_the_family(world: &World) {
    let session = login(world, &world.person("ann").await).await;
    let now = world.now();
    for generation in 0..3 {
        let rotated = Rotation::Rotated { generation: generation + 1 };
        assert_eq!(present(world, &session, generation, now).await, rotated);
    }
    let answers = join_all([0, 1, 0, 1].map(|generation| present(world, &session, generation, now))).await;
    assert_eq!(answers.iter().filter(|answer| **answer == Rotation::Reused).count(), 1, "{answers:?}");
    assert_eq!(answers.iter().filter(|answer| **answer == Rotation::Unknown).count(), 3);
    assert_eq!(present(world, &session, 3, now).await, Rotation::Unknown);
}

pub async fn what_was_never_a_token_ends_nothing(world: &World) {
    let session = login(world, &world.person("ann").await).await;
    let now = world.now();
    let made_up = Rotate {
        id: session.id,
        presented: [7; 32],
        generation: 0,
        next: token(session.id, 1),
        was_ours: false,
        now,
        grace_ms: GRACE_MS,
    };
    assert_eq!(world.store.rotate(made_up).await.unwrap(), Rotation::Unknown);
    let elsewhere = Rotate { id: SessionId::from_bytes(world.fresh()), was_ours: true, ..made_up };
    assert_eq!(world.store.rotate(elsewhere).await.unwrap(), Rotation::Unknown);
    assert!(!is_revoked(world, &session).await);
    assert_eq!(present(world, &session, 0, now).await, Rotation::Rotated { generation: 1 });
}

pub async fn a_login_ends_by_time_and_rotation_does_not_move_it(world: &World) {
    let ann = world.person("ann").await;
    let session = login(world, &ann).await;
    let last = session.expires_at.plus_millis(-1);
    assert_eq!(present(world, &session, 0, last).await, Rotation::Rotated { generation: 1 });
    assert_eq!(stored(world, session.id).await.expires_at, session.expires_at);
    assert_eq!(world.store.sessions_of(ann.id, last).await.unwrap().len(), 1);
    assert_eq!(present(world, &session, 1, session.expires_at).await, Rotation::Unknown);
    assert_eq!(world.store.sessions_of(ann.id, session.expires_at).await.unwrap(), []);
    assert!(!world.store.revoke_session(ann.id, session.id, session.expires_at).await.unwrap());
    assert_eq!(world.store.prune_sessions(session.expires_at).await.unwrap(), 0);
    assert_eq!(world.store.prune_sessions(session.expires_at.plus_millis(1)).await.unwrap(), 1);
    assert_eq!(world.store.session(session.id).await.unwrap(), None);
}

pub async fn dead_logins_are_told_from_live_ones(world: &World) {
    let (ann, bob) = (world.person("ann").await, world.person("bob").await);
    let (alive, revoked, others) = (login(world, &ann).await, login(world, &ann).await, login(world, &bob).await);
    let unheard = SessionId::from_bytes(world.fresh());
    let ids = [alive.id, revoked.id, others.id, unheard];
    let now = world.now();
    assert_eq!(world.store.ended_among(&[], now).await.unwrap(), []);
    assert_eq!(world.store.ended_among(&ids, now).await.unwrap(), [unheard]);
    assert!(world.store.revoke_session(ann.id, revoked.id, now).await.unwrap());
    let mut ended = world.store.ended_among(&ids, now).await.unwrap();
    let mut expected = vec![revoked.id, unheard];
    ended.sort();
    expected.sort();
    assert_eq!(ended, expected);
    let last = alive.expires_at.max(others.expires_at);
    assert_eq!(world.store.ended_among(&ids, last).await.unwrap().len(), ids.len(), "all end by time");
}

pub async fn logins_are_listed_and_revoked(world: &World) {
    let (ann, bob) = (world.person("ann").await, world.person("bob").await);
    let mut logins = Vec::new();
    for _ in 0..4 {
        logins.push(login(world, &ann).await);
    }
    let others = login(world, &bob).await;
    let ids = async |user: &User| {
        let listed = world.store.sessions_of(user.id, world.now()).await.unwrap();
        listed.into_iter().map(|session| session.id).collect::<Vec<_>>()
    };
    let newest_first: Vec<_> = logins.iter().rev().map(|session| session.id).collect();
    assert_eq!(ids(&ann).await, newest_first);
    let whose = world.store.session(others.id).await.unwrap().unwrap().1;
    assert_eq!(Some(&whose), world.store.user(bob.id).await.unwrap().as_ref());

    let now = world.now();
    assert!(!world.store.revoke_session(bob.id, logins[0].id, now).await.unwrap(), "somebody else's");
    assert!(world.store.revoke_session(ann.id, logins[0].id, now).await.unwrap());
    assert!(!world.store.revoke_session(ann.id, logins[0].id, now).await.unwrap(), "dead already");
    assert_eq!(stored(world, logins[0].id).await.revoked_at, Some(now));
    assert_eq!(present(world, &logins[0], 0, now).await, Rotation::Unknown);

    let mut ended = world.store.revoke_sessions_of(ann.id, Some(logins[2].id), now).await.unwrap();
    let mut expected = vec![logins[1].id, logins[3].id];
    ended.sort();
    expected.sort();
    assert_eq!(ended, expected);
    assert_eq!(ids(&ann).await, [logins[2].id]);
    assert_eq!(world.store.revoke_sessions_of(ann.id, None, now).await.unwrap(), [logins[2].id]);
    assert_eq!(ids(&ann).await, []);
    assert_eq!(ids(&bob).await, [others.id]);
    assert_eq!(world.store.prune_sessions(now.plus_millis(1)).await.unwrap(), 4);
    assert_eq!(ids(&bob).await, [others.id]);
}
