//! A full disk: nothing is acknowledged that is not stored, reading goes on, and writing does as soon as there is room.

use crate::store::conformance::{World, message};
use crate::store::sqlite::{Options, Sqlite};
use crate::store::{Accounts, Appended, Health, Log, StoreError};
use natter_shared::id::Seq;
use std::sync::Arc;
use tempfile::TempDir;

impl Sqlite {
    /// Changes how large the file may become, as freeing or filling its disk does.
    async fn limit_pages(&self, pages: u32) {
        let limit =
            self.write(move |desk| Ok(desk.conn.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?));
        limit.await.unwrap();
    }
}

#[tokio::test]
async fn a_full_disk_acknowledges_nothing_and_recovers() {
    let folder = TempDir::new().unwrap();
    let options = Options { max_pages: Some(200), ..Options::default() };
    let store = Arc::new(Sqlite::open(folder.path().join("natter.db"), options).unwrap());
    let world = World::new(store.clone(), folder);
    let ann = world.person("ann").await;
    let room = world.room("Lobby", &[&ann]).await.id;

    let long = "long ".repeat(700);
    let mut stored = Vec::new();
    let (failed, error) = loop {
        let batch: Vec<_> = (0..3).map(|_| world.entry(room, &ann, message(&long))).collect();
        match store.append(batch.clone()).await {
            Ok(appended) => stored.extend(appended.into_iter().map(|it| match it {
                Appended::New(entry) => entry,
                other => panic!("{other:?}"),
            })),
            Err(error) => break (batch, error),
        }
        assert!(stored.len() < 10_000, "the disk is never full");
    };
    assert!(matches!(&error, StoreError::Unwritable(why) if why.contains("full")), "{error:?}");
    assert!(stored.len() > 10);

    // All that was acknowledged is there, all else is not, and the store still answers.
    assert_eq!(world.log(room).await[1..], stored);
    assert_eq!(store.heads(&[room]).await.unwrap()[0].1, stored.last().unwrap().seq);
    let again = store.append(failed.clone()).await;
    assert!(matches!(again, Err(StoreError::Unwritable(_))), "{again:?}");
    assert!(store.user(ann.id).await.unwrap().is_some());

    store.limit_pages(100_000).await;
    store.ping().await.unwrap();
    let appended = store.append(failed).await.unwrap();
    let first = stored.last().unwrap().seq.next();
    assert!(matches!(&appended[0], Appended::New(entry) if entry.seq == first), "{appended:?}");
    assert_eq!(world.log(room).await.len(), stored.len() + 4);
}

#[tokio::test]
async fn one_write_that_does_not_fit_takes_no_other_with_it() {
    let folder = TempDir::new().unwrap();
    let store = Arc::new(Sqlite::open(folder.path().join("natter.db"), Options::default()).unwrap());
    let world = World::new(store.clone(), folder);
    let ann = world.person("ann").await;
    let room = world.room("Lobby", &[&ann]).await.id;
    // What the writer takes together is one transaction; each of these calls is a job in it.
    let calls = (0..40).map(async |n| {
        if n % 4 == 0 {
            // Half done when it fails.
            let failing = store.write(move |desk| {
                desk.conn.execute("UPDATE rooms SET head = 999 WHERE id = ?1", [room.as_bytes()])?;
                desk.conn.execute("INSERT INTO nothing VALUES (1)", [])?;
                Ok(())
            });
            assert!(matches!(failing.await, Err(StoreError::Broken(_))));
            None
        } else {
            Some(world.says(room, &ann, &format!("message {n}")).await.seq)
        }
    });
    let mut seqs: Vec<Seq> = futures_util::future::join_all(calls).await.into_iter().flatten().collect();
    seqs.sort();
    assert_eq!(seqs.iter().map(|seq| seq.get()).collect::<Vec<_>>(), (2..=31).collect::<Vec<_>>());
    assert_eq!(world.log(room).await.len(), 31);

    // A defect in one write ends neither the writer nor the others.
    let panicking = store.write(|_| -> Result<(), StoreError> { panic!("on purpose") });
    assert!(matches!(panicking.await, Err(StoreError::Broken(_))));
    world.says(room, &ann, "still here").await;
}
