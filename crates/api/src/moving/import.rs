//! From a file into a store that is empty, or that was filled from the same file up to somewhere. The whole file is checked
//! before anything is written.

use super::format::{Damage, Footer, Header, Member, Reader};
use super::{MoveError, Step, Tell, patiently};
use crate::store::archive::{Archive, Begun, Census, Piece};
use std::fs::File;
use std::io::{self, BufReader, Seek as _};
use std::path::{Path, PathBuf};

/// A file that is a whole archive.
pub struct Checked {
    path: PathBuf,
    file: File,
    pub header: Header,
    pub footer: Footer,
}

fn open<'a>(path: &Path, mut file: &'a File) -> Result<Reader<BufReader<&'a File>>, MoveError> {
    file.rewind().map_err(|why| unreadable(path, why))?;
    Reader::open(BufReader::with_capacity(256 * 1024, file)).map_err(|damage| of_damage(path, damage))
}

fn unreadable(path: &Path, why: io::Error) -> MoveError {
    MoveError::NoFile { path: path.to_owned(), why }
}

fn of_damage(path: &Path, damage: Damage) -> MoveError {
    MoveError::Damage { path: path.to_owned(), damage }
}

/// Reads all of a file and sees whether it is whole.
pub fn check(path: &Path) -> Result<Checked, MoveError> {
    check_file(path, File::open(path).map_err(|why| unreadable(path, why))?)
}

/// The same of a file that is open already. `path` stands for it in sentences.
pub fn check_file(path: &Path, file: File) -> Result<Checked, MoveError> {
    let mut reader = open(path, &file)?;
    let footer = loop {
        match reader.next().map_err(|damage| of_damage(path, damage))? {
            Member::Chunk(_) => {}
            Member::End(footer) => break footer,
        }
    };
    let header = reader.header;
    Ok(Checked { path: path.to_owned(), file, header, footer })
}

/// Makes an empty store the place of the archive, or refuses one that holds something else.
pub async fn begin(store: &dyn Archive, archive: &Checked) -> Result<Begun, MoveError> {
    match patiently(|| store.begin_import(&archive.header.id)).await? {
        Begun::HoldsOther => Err(MoveError::HoldsOther),
        begun => Ok(begun),
    }
}

/// Takes the archive into a store. `true` if all of it had been taken before.
pub async fn import(store: &dyn Archive, archive: &Checked, tell: &mut Tell<'_>) -> Result<bool, MoveError> {
    let Checked { path, file, footer, .. } = archive;
    let there = match begin(store, archive).await? {
        Begun::At(chunks) => chunks,
        Begun::Finished => return Ok(true),
        Begun::HoldsOther => return Err(MoveError::HoldsOther),
    };
    let mut reader = open(path, file)?;
    let mut done = Census::default();
    let mut everybody = false;
    while let Member::Chunk(chunk) = reader.next().map_err(|damage| of_damage(path, damage))? {
        let pieces = chunk.pieces().map_err(|damage| of_damage(path, damage))?;
        for piece in &pieces {
            match piece {
                Piece::Everybody => everybody = true,
                Piece::Person(_) => done.people += u64::from(everybody),
                Piece::Room(_) => done.rooms += 1,
                Piece::Entry(_) => done.entries += 1,
                Piece::Login(_) => done.logins += 1,
                Piece::Cut(_) | Piece::Upload(_) | Piece::Event(_) => {}
            }
        }
        if chunk.number > there {
            patiently(|| store.take(chunk.number, pieces.clone())).await?;
        }
        tell(Step { done, of: footer.census() });
        // Reading holds this thread: whatever else runs on it gets its turn here.
        tokio::task::yield_now().await;
    }
    patiently(|| store.finish_import()).await?;
    Ok(false)
}
