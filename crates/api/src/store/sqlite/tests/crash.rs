//! `kill -9`: a process that writes is ended in the middle of it, again and again; what it had acknowledged is there.

use crate::store::conformance::{World, message, seqs};
use crate::store::sqlite::{Options, Sqlite};
use crate::store::{Appended, Log, Rooms};
use futures_util::future::join_all;
use natter_shared::account::User;
use natter_shared::id::{ClientId, RoomId};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use tempfile::TempDir;

/// Names the file to write to, in the environment of the process that shall be killed.
const FILE: &str = "NATTER_TEST_CRASH_FILE";
/// How often this was killed before, so that no id is made twice.
const ROUND: &str = "NATTER_TEST_CRASH_ROUND";

fn open(path: &Path) -> Arc<Sqlite> {
    Arc::new(Sqlite::open(path, Options::default()).unwrap())
}

/// Not a test of its own: the process that is killed. It says each acknowledged entry as a line, and never ends.
#[tokio::test]
async fn a_process_that_writes() {
    let Ok(path) = std::env::var(FILE) else { return };
    let round: u64 = std::env::var(ROUND).unwrap().parse().unwrap();
    let store = open(Path::new(&path));
    let world = World::new(store.clone(), ());
    // The same people and the same room in each process.
    let people = [world.person("ann").await, world.person("bob").await];
    let room = world.room("Lobby", &[&people[0]]).await.id;
    world.append(world.entry(room, &people[1], natter_shared::entry::EntryKind::Joined)).await;
    world.skip(round << 32);
    let mut out = std::io::stdout().lock();
    writeln!(out, "\nroom {room}").unwrap();
    loop {
        let batches = (0..8).map(|n| write(&world, &store, room, &people[n % 2], 1 + n * 3));
        for (client_id, seq) in join_all(batches).await.into_iter().flatten() {
            writeln!(out, "acked {client_id} {seq}").unwrap();
        }
        out.flush().unwrap();
    }
}

async fn write(world: &World, store: &Sqlite, room: RoomId, author: &User, n: usize) -> Vec<(ClientId, u64)> {
    let batch: Vec<_> = (0..n).map(|n| world.entry(room, author, message(&format!("text {n}")))).collect();
    let appended = store.append(batch).await.unwrap();
    let acked = appended.into_iter().map(|it| match it {
        Appended::New(entry) => (entry.client_id.unwrap(), entry.seq.get()),
        other => panic!("{other:?}"),
    });
    acked.collect()
}

#[tokio::test]
async fn kill_9_leaves_every_acknowledged_entry() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("natter.db");
    let mut acked: BTreeMap<u64, ClientId> = BTreeMap::new();
    for round in 1..=4_usize {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--nocapture", "--test-threads=1"])
            .arg(concat!(module_path!(), "::a_process_that_writes").split_once("::").unwrap().1)
            .env(FILE, &path)
            .env(ROUND, round.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut room = None;
        let mut lines = 0;
        // What stands in the pipe when it dies was acknowledged too.
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            match line.split(' ').collect::<Vec<_>>()[..] {
                ["room", id] => room = Some(id.parse::<RoomId>().unwrap()),
                ["acked", client_id, seq] => {
                    let before = acked.insert(seq.parse().unwrap(), client_id.parse().unwrap());
                    assert_eq!(before, None, "seq {seq} was given twice");
                    lines += 1;
                }
                // The last line may be cut off, and the test program says its own ones.
                _ => {}
            }
            if lines == 150 * round {
                child.kill().unwrap();
            }
        }
        let status = child.wait().unwrap();
        assert!(lines >= 150 * round, "it ended by itself: {status}");
        #[cfg(unix)]
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9));

        let store = open(&path);
        let room = room.unwrap();
        let world = World::new(store.clone(), ());
        let log = world.log(room).await;
        assert_eq!(seqs(&log), (1..=u64::try_from(log.len()).unwrap()).collect::<Vec<_>>());
        for (seq, client_id) in &acked {
            let entry = &log[usize::try_from(*seq).unwrap() - 1];
            assert_eq!(entry.client_id, Some(*client_id), "seq {seq}");
        }
        let mut client_ids: Vec<_> = log.iter().filter_map(|entry| entry.client_id).collect();
        client_ids.sort();
        assert!(client_ids.is_sorted_by(|a, b| a < b), "a client id twice");
        assert_eq!(store.room(room).await.unwrap().unwrap().member_count, 2);
    }
}
