//! Whether two stores answer the same.

use super::Town;
use crate::store::conformance::World;
use crate::store::conformance::script::{applied, seen_by};
use crate::store::{EventSearch, Log, OverviewRecord, Search};
use natter_shared::account::User;
use natter_shared::entry::Entry;
use natter_shared::id::{RoomId, Seq, UserId};
use natter_shared::page::Window;

/// Words that begin words of the town's messages, and some that begin none.
const WORDS: [&str; 8] = ["word", "word1", "reply", "whisper", "edited", "said by", "typo", "tpyo"];

/// Every read of both gives the same.
pub async fn same(old: &World, new: &World, town: &Town) {
    let now = old.now();
    let (a, b) = (&old.store, &new.store);
    for person in &town.people {
        let id = person.id;
        assert_eq!(a.user(id).await.unwrap(), b.user(id).await.unwrap());
        assert_eq!(a.user_by_name(&person.username).await.unwrap(), b.user_by_name(&person.username).await.unwrap());
        assert_eq!(a.sessions_of(id, now).await.unwrap(), b.sessions_of(id, now).await.unwrap());
        assert_eq!(overviews(old, id).await, overviews(new, id).await, "{}", person.username);
        assert_eq!(acquaintances(old, id).await, acquaintances(new, id).await);
    }
    let gone = a.user(town.gone).await.unwrap();
    assert!(gone.as_ref().is_some_and(|record| record.deletion.is_some()));
    assert_eq!(b.user(town.gone).await.unwrap(), gone, "the name stays taken");
    let program = a.integration_by_secret(super::SECRET).await.unwrap();
    assert!(program.as_ref().is_some_and(|it| it.integration.as_ref().is_some_and(|of| of.revoked_at.is_some())));
    assert_eq!(program, b.integration_by_secret(super::SECRET).await.unwrap());
    for &room in &town.rooms {
        assert_eq!(a.integrations_of(room, 9).await.unwrap(), b.integrations_of(room, 9).await.unwrap());
    }
    assert_eq!(a.directory(None, None, 99).await.unwrap(), b.directory(None, None, 99).await.unwrap());
    let events = || EventSearch { limit: 5_000, ..EventSearch::default() };
    assert_eq!(a.events(events()).await.unwrap(), b.events(events()).await.unwrap());
    for &image in &town.images {
        assert!(a.upload(image).await.unwrap().is_some());
        assert_eq!(a.upload(image).await.unwrap(), b.upload(image).await.unwrap());
    }
    for &room in &town.rooms {
        let record = a.room(room).await.unwrap().unwrap();
        if let Some(code) = &record.code {
            assert_eq!(b.room_by_code(code).await.unwrap().as_ref(), Some(&record));
        }
        assert_eq!(b.room(room).await.unwrap().unwrap(), record);
        assert_eq!(a.members(room).await.unwrap(), b.members(room).await.unwrap());
        for person in &town.people {
            assert_eq!(a.standing(room, person.id).await.unwrap(), b.standing(room, person.id).await.unwrap());
        }
        view_equals_log(new, room, &town.people).await;
    }
    same_logs(&**a, &**b, town).await;
}

async fn overviews(world: &World, user: UserId) -> Vec<OverviewRecord> {
    let mut overviews = world.store.overviews(user).await.unwrap();
    overviews.sort_by_key(|overview| overview.room.id);
    overviews
}

async fn acquaintances(world: &World, user: UserId) -> Vec<UserId> {
    let (_, mut people) = world.store.surroundings(user).await.unwrap();
    people.sort_unstable();
    people
}

/// Logs, messages as they stand, pages of them, and searches.
pub async fn same_logs(a: &(impl Log + ?Sized), b: &(impl Log + ?Sized), town: &Town) {
    let mut pinned = 0;
    for &room in &town.rooms {
        let log = whole_log(a, room).await;
        assert_eq!(whole_log(b, room).await, log);
        for entry in &log {
            assert_eq!(a.message(room, entry.seq).await.unwrap(), b.message(room, entry.seq).await.unwrap());
        }
        let middle = Seq::new(u64::try_from(log.len() / 2).unwrap()).unwrap();
        for reader in &town.people {
            for window in [Window::Latest, Window::Before(middle), Window::After(middle), Window::Around(middle)] {
                let pages =
                    (a.messages(room, reader.id, window, 30).await, b.messages(room, reader.id, window, 30).await);
                assert_eq!(pages.0.unwrap(), pages.1.unwrap(), "{window:?}");
            }
            let pins = a.pins(room, reader.id).await.unwrap();
            assert_eq!(b.pins(room, reader.id).await.unwrap(), pins);
            pinned += pins.len();
        }
    }
    assert!(pinned > 10, "hardly anything was pinned");
    let mut found = 0;
    for reader in &town.people {
        for query in WORDS {
            let ask = Search { reader: reader.id, query: query.to_owned(), room: None, after: None, limit: 1_000 };
            let hits = a.search(ask.clone()).await.unwrap();
            assert_eq!(b.search(ask).await.unwrap(), hits, "{query}");
            found += hits.len();
        }
    }
    assert!(found > 100, "hardly anything was found");
}

pub async fn whole_log(store: &(impl Log + ?Sized), room: RoomId) -> Vec<Entry> {
    let mut log: Vec<Entry> = Vec::new();
    loop {
        let after = log.last().map_or(Seq::ZERO, |last| last.seq);
        let slice = store.entries_after(room, after, 500).await.unwrap().unwrap();
        log.extend(slice.entries);
        if log.last().map_or(Seq::ZERO, |last| last.seq) == slice.head {
            return log;
        }
    }
}

/// What is shown of a room is its log, applied.
pub async fn view_equals_log(world: &World, room: RoomId, readers: &[User]) {
    let messages = applied(&world.log(room).await);
    for reader in readers {
        let mut shown = Vec::new();
        let mut window = Window::After(Seq::ZERO);
        loop {
            let page = world.store.messages(room, reader.id, window, 100).await.unwrap().unwrap();
            let last = page.messages.last().map(|message| message.seq);
            shown.extend(page.messages);
            match last {
                Some(last) if page.has_more => window = Window::After(last),
                _ => break,
            }
        }
        assert_eq!(shown, seen_by(&messages, reader.id));
    }
}
