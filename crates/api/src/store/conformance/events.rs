//! The log of events.

use super::World;
use crate::store::{EventSearch, Tally, TallySearch};
use natter_shared::event::{Event, EventKind};
use natter_shared::id::{EventId, RoomId, SessionId, UserId};
use natter_shared::timestamp::Timestamp;

/// A minute's beginning.
const START: i64 = 1_900_000_020_000;

fn event(world: &World, kind: EventKind, after_ms: i64) -> Event {
    Event {
        id: EventId::from_bytes(world.fresh()),
        at: Timestamp::from_millis(START + after_ms),
        kind,
        user: None,
        other: None,
        room: None,
        session: None,
        ip: None,
        what: None,
        count: 1,
    }
}

async fn found(world: &World, search: EventSearch) -> Vec<Event> {
    world
        .store
        .events(EventSearch { limit: if search.limit == 0 { 100 } else { search.limit }, ..search })
        .await
        .unwrap()
}

pub async fn events_are_kept_once_and_come_newest_first(world: &World) {
    let full = Event {
        user: Some(UserId::from_bytes(world.fresh())),
        other: Some(UserId::from_bytes(world.fresh())),
        room: Some(RoomId::from_bytes(world.fresh())),
        session: Some(SessionId::from_bytes(world.fresh())),
        ip: Some("2001:db8::1".to_owned()),
        what: Some("'; DROP TABLE events; -- $where".to_owned()),
        count: 7,
        ..event(world, EventKind::MemberRemoved, 5)
    };
    // Three in one millisecond: their ids decide.
    let mut all = vec![full, event(world, EventKind::Login, 0)];
    all.extend((0..3).map(|_| event(world, EventKind::Logout, 9)));
    world.store.append_events(all.clone()).await.unwrap();
    let again = Event { count: 99, ..all[0].clone() };
    let new = event(world, EventKind::Guest, 10);
    world.store.append_events(vec![again, new.clone()]).await.unwrap();
    world.store.append_events(Vec::new()).await.unwrap();
    all.push(new);
    all.sort_by_key(|event| std::cmp::Reverse((event.at, event.id)));
    assert_eq!(found(world, EventSearch::default()).await, all);
    let mut paged = Vec::new();
    loop {
        let after = paged.last().map(|event: &Event| (event.at, event.id));
        let page = found(world, EventSearch { after, limit: 2, ..EventSearch::default() }).await;
        if page.is_empty() {
            break;
        }
        paged.extend(page);
    }
    assert_eq!(paged, all);
}

pub async fn events_are_found_by_kind_person_and_time(world: &World) {
    let (ann, bob) = (UserId::from_bytes(world.fresh()), UserId::from_bytes(world.fresh()));
    let of = |kind, after_ms, user, other| Event { user, other, ..event(world, kind, after_ms) };
    let all = vec![
        of(EventKind::Login, 0, Some(ann), None),
        of(EventKind::Login, 1, Some(bob), None),
        of(EventKind::MemberRemoved, 2, Some(ann), Some(bob)),
        of(EventKind::LoginFailed, 3, None, None),
    ];
    world.store.append_events(all).await.unwrap();
    let at = |after_ms| Some(Timestamp::from_millis(START + after_ms));
    let moments = async |search| {
        let found = found(world, search).await;
        found.iter().map(|event| event.at.millis() - START).collect::<Vec<_>>()
    };
    let all = EventSearch::default();
    let logins = vec![EventKind::Login, EventKind::LoginFailed];
    assert_eq!(moments(EventSearch { kinds: logins.clone(), ..all.clone() }).await, [3, 1, 0]);
    assert_eq!(moments(EventSearch { person: Some(bob), ..all.clone() }).await, [2, 1]);
    assert_eq!(moments(EventSearch { from: at(1), to: at(3), ..all.clone() }).await, [2, 1]);
    assert_eq!(moments(EventSearch { kinds: logins, person: Some(ann), from: at(0), ..all.clone() }).await, [0]);
    let nobody = Some(UserId::from_bytes(world.fresh()));
    assert!(moments(EventSearch { person: nobody, ..all }).await.is_empty());
}

pub async fn events_are_added_up_by_stretches_of_time(world: &World) {
    let counted = |kind, after_ms, count| Event { count, ..event(world, kind, after_ms) };
    let all = vec![
        // Two nodes in one minute, and one of them in the next.
        counted(EventKind::Online, 0, 3),
        counted(EventKind::Online, 0, 4),
        counted(EventKind::Online, 60_000, 5),
        counted(EventKind::Login, 59_999, 1),
        counted(EventKind::Login, 60_000, 1),
        counted(EventKind::Login, 60_001, 1),
        counted(EventKind::Logout, 60_001, 1),
    ];
    world.store.append_events(all).await.unwrap();
    let tallied = async |kinds: &[EventKind], to, step_ms| {
        let (from, to) = (Timestamp::from_millis(START), Timestamp::from_millis(START + to));
        let search = TallySearch { kinds: kinds.to_vec(), from, to, step_ms };
        let mut found = world.store.tally_events(search).await.unwrap();
        found.sort_unstable();
        found
    };
    let tally = |after_ms, kind, sum, most| Tally { at: Timestamp::from_millis(START + after_ms), kind, sum, most };
    let mut minutes = vec![
        tally(0, EventKind::Online, 7, 7),
        tally(0, EventKind::Login, 1, 1),
        tally(60_000, EventKind::Online, 5, 5),
        tally(60_000, EventKind::Login, 2, 1),
    ];
    minutes.sort_unstable();
    let kinds = [EventKind::Online, EventKind::Login];
    assert_eq!(tallied(&kinds, 120_000, 60_000).await, minutes);
    // An hour begins on the hour, not where the question does.
    let hour = 3_600_000;
    let begin = START / hour * hour - START;
    let hours = [tally(begin, EventKind::Login, 3, 1), tally(begin, EventKind::Online, 12, 7)];
    assert_eq!(tallied(&kinds, 120_000, hour).await, hours);
    assert_eq!(tallied(&[EventKind::Login], 60_001, 60_000).await.iter().map(|tally| tally.sum).sum::<u64>(), 2);
    assert!(tallied(&[EventKind::Guest], 120_000, 60_000).await.is_empty());
}

pub async fn old_events_are_forgotten(world: &World) {
    let all = (0..5).map(|n| event(world, EventKind::Login, n)).collect();
    world.store.append_events(all).await.unwrap();
    let before = Timestamp::from_millis(START + 3);
    assert_eq!(world.store.prune_events(before).await.unwrap(), 3);
    assert_eq!(world.store.prune_events(before).await.unwrap(), 0);
    let left = found(world, EventSearch::default()).await;
    assert_eq!(left.iter().map(|event| event.at.millis() - START).collect::<Vec<_>>(), [4, 3]);
}
