//! A move that is ended in its middle goes on when it is started again.

use super::*;
use crate::moving::export::part_of;
use crate::moving::{NotYet, Tell, refuse_half_imported};
use std::fs;
use tokio::sync::mpsc;

/// Runs a move until so many chunks were told, and drops it then, wherever it is.
pub async fn ends_after(chunks: usize, run: impl AsyncFnOnce(&mut Tell<'_>) -> Result<(), MoveError>) {
    let (told, mut tells) = mpsc::unbounded_channel();
    let mut tell = move |step: Step| {
        let _ = told.send(step);
    };
    let enough = async {
        for _ in 0..chunks {
            tells.recv().await;
        }
    };
    tokio::select! {
        biased;
        () = enough => {}
        ended = run(&mut tell) => panic!("it came to its end: {ended:?}"),
    }
}

/// A town with a street of so many times 300 entries.
pub async fn long_town(world: &World, length: u64) -> Town {
    let mut town = town(world).await;
    let street = world.room("Street", &[&town.people[0], &town.people[1]]).await.id;
    for n in 0..length {
        let batch = (0..300).map(|m| {
            let what = match m % 50 {
                49 => EntryKind::Deleted { target: Seq::new(m / 2 + n * 300 + 3).unwrap() },
                _ => message(&format!("word{} of many", m % 40)),
            };
            world.entry(street, &town.people[0], what)
        });
        world.store.append(batch.collect()).await.unwrap();
    }
    town.rooms.push(street);
    town
}

#[tokio::test]
async fn an_import_goes_on_where_it_was_ended() {
    let (old, mut new) = (Place::new(), Place::new());
    let town = long_town(&old.world, 16).await;
    let file = old.folder.path().join("move.natter");
    written(&*old.store, &file).await;
    let archive = check(&file).unwrap();
    assert!(archive.footer.chunks >= 6, "{} chunks are too few for this test", archive.footer.chunks);
    for stopped in [1, 3, 5] {
        ends_after(stopped, async |tell| import(&*new.store, &archive, tell).await.map(drop)).await;
        new = new.reopened().await;
        let refused = refuse_half_imported(&*new.store).await;
        assert!(matches!(&refused, Err(NotYet::HalfImported)), "{refused:?}");
        let other = old.folder.path().join(format!("other{stopped}.natter"));
        written(&*old.store, &other).await;
        let refused = import(&*new.store, &check(&other).unwrap(), &mut |_| ()).await;
        assert!(matches!(refused, Err(MoveError::HoldsOther)), "{refused:?}");
    }
    filled(&*new.store, &file).await;
    refuse_half_imported(&*new.store).await.unwrap();
    same(&old.world, &new.world, &town).await;
    goes_on(&old.world, &new.world, &town).await;
}

#[tokio::test]
async fn a_chunk_that_is_taken_twice_changes_nothing() {
    let (old, new) = (Place::new(), Place::new());
    let town = long_town(&old.world, 16).await;
    let file = old.folder.path().join("move.natter");
    written(&*old.store, &file).await;
    let mut reader =
        crate::moving::format::Reader::open(std::io::BufReader::new(fs::File::open(&file).unwrap())).unwrap();
    new.store.begin_import(&reader.header.id).await.unwrap();
    while let crate::moving::format::Member::Chunk(chunk) = reader.next().unwrap() {
        new.store.take(chunk.number, chunk.pieces().unwrap()).await.unwrap();
        new.store.take(chunk.number, chunk.pieces().unwrap()).await.unwrap();
    }
    new.store.finish_import().await.unwrap();
    same(&old.world, &new.world, &town).await;
}

#[tokio::test]
async fn an_export_goes_on_where_it_was_ended() {
    let (old, new) = (Place::new(), Place::new());
    let town = long_town(&old.world, 16).await;
    let file = old.folder.path().join("move.natter");
    let part = part_of(&file);
    for again in 1..=3 {
        ends_after(1, async |tell| export(&*old.store, &file, new_header("a"), tell).await.map(drop)).await;
        let mut bytes = fs::read(&part).unwrap();
        // The chunk that was being written when the power went.
        bytes.extend_from_within(bytes.len() / 2..);
        fs::write(&part, bytes).unwrap();
        assert!(!file.exists(), "ended {again} times");
    }
    let other = export(&*old.store, &file, new_header("b"), &mut |_| ()).await;
    assert!(matches!(other, Err(MoveError::OtherSource(_))), "{other:?}");

    let mut told = 0;
    let census = export(&*old.store, &file, new_header("a"), &mut |_| told += 1).await;
    let footer = check(&file).unwrap().footer;
    assert_eq!(census.unwrap(), footer.census());
    assert!(told < footer.chunks, "it began from its beginning");
    assert!(!part.exists());
    let again = export(&*old.store, &file, new_header("a"), &mut |_| ()).await;
    assert!(matches!(again, Err(MoveError::IsThere(_))), "{again:?}");
    filled(&*new.store, &file).await;
    same(&old.world, &new.world, &town).await;
}

#[tokio::test]
async fn a_file_is_written_by_one_export_at_a_time() {
    let old = Place::new();
    long_town(&old.world, 16).await;
    let file = old.folder.path().join("move.natter");
    ends_after(1, async |tell| {
        let mut second = None;
        let mut first = |step| {
            tell(step);
            second.get_or_insert_with(|| crate::moving::export::open(&part_of(&file), &new_header("a")).map(drop));
        };
        let done = export(&*old.store, &file, new_header("a"), &mut first).await;
        assert!(matches!(second, Some(Err(MoveError::PartInUse(_)))), "{second:?}");
        done.map(drop)
    })
    .await;
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_can_read_an_archive() {
    use std::os::unix::fs::PermissionsExt as _;
    let old = Place::new();
    let file = old.folder.path().join("move.natter");
    written(&*old.store, &file).await;
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
}
