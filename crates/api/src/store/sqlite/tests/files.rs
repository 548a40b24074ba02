//! Opening: what is kept, what is refused, and the sentence that says why.

use crate::store::conformance::{World, message, whisper};
use crate::store::sqlite::{OpenError, Options, Sqlite};
use crate::store::{Log, NewMark, Search, StoreError};
use natter_shared::page::Window;
use rusqlite::Connection;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

fn open(path: &Path) -> Result<Sqlite, OpenError> {
    Sqlite::open(path, Options::default())
}

/// Why the file is not opened.
fn refusal(path: &Path) -> OpenError {
    match open(path) {
        Ok(_) => panic!("{} was opened", path.display()),
        Err(error) => error,
    }
}

#[tokio::test]
async fn everything_is_there_after_opening_again() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("natter.db");
    let world = World::new(Arc::new(open(&path).unwrap()), ());
    let (ann, bob) = (world.person("ann").await, world.person("bob").await);
    let room = world.room("Lobby", &[&ann, &bob]).await.id;
    let hello = world.says(room, &ann, "hello there").await;
    world.does(room, &bob, whisper("psst", &ann)).await;
    let mark = NewMark { room, user: bob.id, delivered: hello.seq, read: hello.seq };
    world.store.raise_marks(vec![mark]).await.unwrap();
    let log = world.log(room).await;
    let overviews = world.store.overviews(bob.id).await.unwrap();
    let page = world.store.messages(room, bob.id, Window::Latest, 9).await.unwrap();
    drop(world);

    assert!(!path.with_extension("db-wal").exists(), "closing leaves one file");
    let world = World::new(Arc::new(open(&path).unwrap()), ());
    assert_eq!(world.log(room).await, log);
    assert_eq!(world.store.overviews(bob.id).await.unwrap(), overviews);
    assert_eq!(world.store.messages(room, bob.id, Window::Latest, 9).await.unwrap(), page);
    let ask = Search { reader: bob.id, query: "hel".into(), room: None, after: None, limit: 9 };
    assert_eq!(world.store.search(ask).await.unwrap().len(), 1);
    world.store.ping().await.unwrap();
}

#[tokio::test]
async fn closing_finishes_what_is_queued() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("natter.db");
    let store = Arc::new(open(&path).unwrap());
    let world = World::new(store.clone(), ());
    let ann = world.person("ann").await;
    drop(world);
    // All are queued before the store is closed, which can only begin once they let go of it.
    let saved: Vec<_> = (0..50)
        .map(|n| {
            let store = store.clone();
            tokio::spawn(async move {
                crate::store::Accounts::set_password(&*store, ann.id, &n.to_string()).await.unwrap();
            })
        })
        .collect();
    for write in saved {
        write.await.unwrap();
    }
    Arc::into_inner(store).unwrap().close().await;
    open(&path).unwrap();
}

#[test]
fn a_file_belongs_to_one_at_a_time() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("natter.db");
    let first = open(&path).unwrap();
    let error = refusal(&path);
    assert!(matches!(error, OpenError::InUse(_)));
    assert!(error.to_string().contains("another process uses"), "{error}");
    drop(first);
    open(&path).unwrap();
}

#[tokio::test]
async fn a_file_is_read_beside_its_owner_and_alone() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("natter.db");
    assert!(matches!(Sqlite::open_to_read(&path), Err(OpenError::NotThere(_))));
    assert!(!path.exists(), "reading makes nothing");
    let world = World::new(Arc::new(open(&path).unwrap()), ());
    let ann = world.person("ann").await;
    let beside = Sqlite::open_to_read(&path).unwrap();
    let room = world.room("Lobby", &[&ann]).await.id;
    world.says(room, &ann, "said while it is read").await;
    assert_eq!(beside.heads(&[room]).await.unwrap()[0].1.get(), 2);
    let refused = beside.append(vec![world.entry(room, &ann, message("no"))]).await;
    assert!(matches!(refused, Err(StoreError::Unwritable(_))), "{refused:?}");
    drop(world);
    drop(beside);

    let alone = Sqlite::open_to_read(&path).unwrap();
    assert_eq!(alone.heads(&[room]).await.unwrap()[0].1.get(), 2);
    let world = World::new(Arc::new(open(&path).unwrap()), ());
    world.says(room, &ann, "and said while that still reads").await;
    assert_eq!(alone.heads(&[room]).await.unwrap()[0].1.get(), 3);
}

#[test]
fn what_is_no_store_is_not_read_either() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("natter.db");
    drop(open(&path).unwrap());
    let conn = Connection::open(&path).unwrap();
    for (version, older) in [(1, true), (99, false)] {
        conn.pragma_update(None, "user_version", version).unwrap();
        match Sqlite::open_to_read(&path) {
            Err(OpenError::Older(_)) => assert!(older),
            Err(OpenError::Newer { .. }) => assert!(!older),
            other => panic!("{:?}", other.err()),
        }
    }
    let text = folder.path().join("text.db");
    fs::write(&text, "Dear diary, ".repeat(1_000)).unwrap();
    assert!(matches!(Sqlite::open_to_read(&text), Err(OpenError::NotADatabase(_))));
}

#[cfg(unix)]
#[test]
fn what_is_made_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a/b/natter.db");
    let store = open(&path).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&folder.path().join("a")), mode(&folder.path().join("a/b"))), (0o700, 0o700));
    for file in ["natter.db", "natter.db-wal", "natter.db-shm", "natter.db.lock"] {
        assert_eq!(mode(&folder.path().join("a/b").join(file)), 0o600, "{file}");
    }
    drop(store);
}

#[test]
fn a_newer_file_is_refused_and_left_alone() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("natter.db");
    drop(open(&path).unwrap());
    let conn = Connection::open(&path).unwrap();
    conn.pragma_update(None, "user_version", 99).unwrap();
    drop(conn);
    let before = fs::read(&path).unwrap();
    let error = refusal(&path);
    assert!(matches!(error, OpenError::Newer { file: 99, .. }), "{error}");
    assert!(error.to_string().contains("newer version"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn what_is_no_store_is_refused_and_left_alone() {
    let folder = TempDir::new().unwrap();
    let text = folder.path().join("text.db");
    fs::write(&text, "Dear diary, ".repeat(1_000)).unwrap();
    assert!(matches!(refusal(&text), OpenError::NotADatabase(_)));
    assert!(fs::read_to_string(&text).unwrap().ends_with("Dear diary, "));

    let albums = folder.path().join("albums.db");
    Connection::open(&albums).unwrap().execute_batch("CREATE TABLE albums (title)").unwrap();
    assert!(matches!(refusal(&albums), OpenError::NotADatabase(_)));
    let conn = Connection::open(&albums).unwrap();
    assert_eq!(conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0)).unwrap(), 1);
}

#[test]
fn a_place_that_cannot_be_is_named() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(matches!(refusal(&file.join("natter.db")), OpenError::NotAFolder(_)));
    assert!(matches!(refusal(&file.join("deeper/natter.db")), OpenError::NotAFolder(_)));
    assert!(matches!(refusal(folder.path()), OpenError::IsAFolder(_)));
}

/// Nobody can make a file in /sys, not even root.
#[cfg(target_os = "linux")]
#[test]
fn a_read_only_folder_is_named() {
    let error = refusal(Path::new("/sys/natter.db"));
    assert!(matches!(error, OpenError::ReadOnly(_)), "{error:?}");
    assert!(error.to_string().starts_with("/sys/natter.db cannot be written"), "{error}");
}
