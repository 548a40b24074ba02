//! From a store into a file. The store may be in use meanwhile: each room is cut at one moment, and all that it names is in
//! the archive before it. What was written when an export was interrupted is gone on with.

use super::format::{Damage, Header, Member, Reader, VERSION, Writer};
use super::ledger::{Images, Ledger};
use super::{MoveError, Step, Tell, patiently};
use crate::store::archive::{Archive, Census, Piece, RoomCut};
use crate::store::{EntrySlice, EventSearch, StoreError};
use natter_shared::id::{RoomId, Seq, UserId};
use natter_shared::limits::ENTRIES_MAX;
use sha2::Sha256;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufReader, BufWriter, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// People, logins and rooms of one read.
const STEP: u32 = 500;

/// Writes the archive of a store to `path`, which must not be there yet. Until it is whole, it is `path` with `.part`.
/// `header` is for a new archive; one that goes on keeps its own.
pub async fn export(
    store: &dyn Archive,
    path: &Path,
    header: Header,
    tell: &mut Tell<'_>,
) -> Result<Census, MoveError> {
    if path.exists() {
        return Err(MoveError::IsThere(path.to_owned()));
    }
    let part = part_of(path);
    let failed = |why: io::Error| MoveError::File { path: part.clone(), why };
    let (writer, ledger) = open(&part, &header)?;
    let of = patiently(|| store.census()).await?;
    let mut export = Export { store, writer, ledger, of, part: &part, tell };
    export.all().await?;
    let Export { writer, ledger, .. } = export;
    let file = writer.finish(ledger.census).map_err(failed)?;
    file.into_inner().map_err(|error| failed(error.into_error()))?.sync_all().map_err(failed)?;
    put_in_place(&part, path).map_err(|why| MoveError::File { path: path.to_owned(), why })?;
    Ok(ledger.census)
}

/// What was written to a file that has no name.
pub struct Written {
    pub file: File,
    pub census: Census,
    pub images: Images,
}

/// Writes the archive of a store to an empty file that is open. `called` stands for it in sentences.
pub async fn export_into(
    store: &dyn Archive,
    file: File,
    called: &Path,
    header: &Header,
    tell: &mut Tell<'_>,
) -> Result<Written, MoveError> {
    let failed = |why: io::Error| MoveError::File { path: called.to_owned(), why };
    let writer = Writer::begin(BufWriter::new(file), header).map_err(failed)?;
    let of = patiently(|| store.census()).await?;
    let mut export = Export { store, writer, ledger: Ledger::default(), of, part: called, tell };
    export.all().await?;
    let Export { writer, ledger, .. } = export;
    let file = writer.finish(ledger.census).map_err(failed)?;
    let file = file.into_inner().map_err(|error| failed(error.into_error()))?;
    Ok(Written { file, census: ledger.census, images: ledger.images })
}

pub fn part_of(path: &Path) -> PathBuf {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    part.into()
}

/// A link fails where a rename would put one file in the place of another.
pub(crate) fn put_in_place(part: &Path, path: &Path) -> io::Result<()> {
    fs::hard_link(part, path).or_else(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Err(error),
        // Not every file system has links.
        _ => fs::rename(part, path),
    })?;
    if part.exists() {
        fs::remove_file(part)?;
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// The unfinished file, behind its last whole chunk, and what is in it; or a new one. It holds hashes of passwords: nobody
/// else may read it.
pub(super) fn open(part: &Path, header: &Header) -> Result<(Writer<BufWriter<File>>, Ledger), MoveError> {
    let failed = |why: io::Error| MoveError::File { path: part.to_owned(), why };
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(part).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(MoveError::PartInUse(part.to_owned())),
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    let found = there(&file, header).map_err(|damage| match damage {
        Some(damage) => MoveError::Damage { path: part.to_owned(), damage },
        None => MoveError::OtherSource(part.to_owned()),
    })?;
    let Found { end, hash, chunks, ledger } = found;
    file.set_len(end).map_err(failed)?;
    file.seek(SeekFrom::Start(end)).map_err(failed)?;
    let file = BufWriter::new(file);
    let writer =
        if end == 0 { Writer::begin(file, header).map_err(failed)? } else { Writer::go_on(file, hash, chunks) };
    Ok((writer, ledger))
}

/// What is good of an unfinished file.
#[derive(Default)]
struct Found {
    /// Where it ends; at 0 if there is not even a header.
    end: u64,
    /// Of all bytes up to there.
    hash: Sha256,
    chunks: u64,
    ledger: Ledger,
}

/// Reads an unfinished file. The error is `None` if it is of another store.
fn there(file: &File, header: &Header) -> Result<Found, Option<Damage>> {
    let mut reader = match Reader::open(BufReader::new(file)) {
        Ok(reader) => reader,
        Err(Damage::Cut) => return Ok(Found::default()),
        // Nothing was written yet.
        Err(Damage::Foreign) if file.metadata().is_ok_and(|file| file.len() == 0) => return Ok(Found::default()),
        Err(damage) => return Err(Some(damage)),
    };
    if reader.header.source != header.source {
        return Err(None);
    }
    // What comes next may not be known to who reads the older format: it is begun anew.
    if reader.header.natter_archive != VERSION {
        return Ok(Found::default());
    }
    let (end, hash) = reader.so_far();
    let mut found = Found { end, hash, ..Found::default() };
    // What is cut off or damaged is written anew, and so is the end.
    while let Ok(Member::Chunk(chunk)) = reader.next() {
        let Ok(pieces) = chunk.pieces() else { break };
        for piece in &pieces {
            found.ledger.note(piece);
        }
        found.chunks = chunk.number;
        (found.end, found.hash) = reader.so_far();
    }
    Ok(found)
}

struct Export<'a, 't> {
    store: &'a dyn Archive,
    writer: Writer<BufWriter<File>>,
    ledger: Ledger,
    of: Census,
    part: &'a Path,
    tell: &'a mut Tell<'t>,
}

impl Export<'_, '_> {
    async fn all(&mut self) -> Result<(), MoveError> {
        if !self.ledger.everybody {
            self.rooms().await?;
            self.put(&Piece::Everybody)?;
        }
        self.everybody().await
    }

    async fn rooms(&mut self) -> Result<(), MoveError> {
        let store = self.store;
        if let Some(room) = self.ledger.open_room() {
            self.go_on(room).await?;
        }
        loop {
            let after = self.ledger.last_room();
            let rooms = patiently(|| store.all_rooms(after, STEP)).await?;
            if rooms.is_empty() {
                break;
            }
            for id in rooms {
                let cut = self.cut(id).await?;
                self.people(cut.room.owner.into_iter().chain(peers(&cut))).await?;
                self.put(&Piece::Room(cut.room))?;
                self.go_on(id).await?;
            }
        }
        while let Some(room) = self.ledger.robbed_room() {
            self.go_on(room).await?;
        }
        Ok(())
    }

    async fn cut(&self, room: RoomId) -> Result<RoomCut, MoveError> {
        let cut = patiently(|| self.store.cut(room)).await?;
        cut.ok_or_else(|| StoreError::Broken(format!("room {room} is gone")).into())
    }

    /// Brings a room from where it is under way to a cut.
    async fn go_on(&mut self, room: RoomId) -> Result<(), MoveError> {
        let mut last_head = None;
        loop {
            // Most of a long log is read before the cut, so that little is left to be read after it.
            self.entries(room, Seq::MAX).await?;
            let cut = self.cut(room).await?;
            let head = cut.room.head;
            self.entries(room, head).await?;
            // A head that did not move has all deletions below it: then the store itself has a message without text.
            if self.ledger.go_on(room).can_be_cut() || last_head == Some(head) {
                let named = cut.room.owner.into_iter().chain(peers(&cut));
                self.people(named.chain(cut.members.iter().map(|member| member.user))).await?;
                return self.put(&Piece::Cut(cut));
            }
            last_head = Some(head);
        }
    }

    /// The entries of a room from where it is under way to `last`, or to its head if that comes first.
    async fn entries(&mut self, room: RoomId, last: Seq) -> Result<(), MoveError> {
        let store = self.store;
        loop {
            let at = self.ledger.go_on(room).at;
            let left = last.get().saturating_sub(at.get());
            let limit = u32::try_from(left).unwrap_or(u32::MAX).min(ENTRIES_MAX);
            if limit == 0 {
                return Ok(());
            }
            let slice = patiently(|| store.entries_after(room, at, limit)).await?;
            let EntrySlice { entries, head } =
                slice.ok_or_else(|| StoreError::Broken(format!("room {room} is gone")))?;
            if entries.is_empty() && head <= at {
                return Ok(());
            }
            let mut seqs = (at.next().get()..).zip(&entries);
            if entries.is_empty() || !seqs.all(|(seq, entry)| entry.seq.get() == seq) {
                return Err(StoreError::Broken(format!("room {room} has a gap after entry {at}")).into());
            }
            self.people(entries.iter().map(|entry| entry.author.id)).await?;
            for entry in entries {
                self.put(&Piece::Entry(entry.into()))?;
            }
            // Compressing holds this thread: whatever else runs on it gets its turn here.
            tokio::task::yield_now().await;
        }
    }

    /// Puts in who is not yet, as they are now.
    async fn people(&mut self, named: impl Iterator<Item = UserId>) -> Result<(), MoveError> {
        let mut new: Vec<UserId> = named.filter(|user| !self.ledger.knows(*user)).collect();
        new.sort_unstable();
        new.dedup();
        for some in new.chunks(usize::try_from(STEP).unwrap_or(1)) {
            let people = patiently(|| self.store.people(some)).await?;
            if people.len() != some.len() {
                return Err(StoreError::Broken("somebody is named who does not exist".into()).into());
            }
            for person in people {
                self.put(&Piece::Person(person))?;
            }
        }
        Ok(())
    }

    async fn everybody(&mut self) -> Result<(), MoveError> {
        let store = self.store;
        loop {
            let after = self.ledger.last_person;
            let people = patiently(|| store.all_people(after, STEP)).await?;
            if people.is_empty() {
                break;
            }
            for person in people {
                self.put(&Piece::Person(person))?;
            }
        }
        loop {
            let after = self.ledger.last_login;
            let logins = patiently(|| store.all_logins(after, STEP)).await?;
            if logins.is_empty() {
                break;
            }
            for login in logins {
                // Whoever signed up after all people had been read signs in again.
                if self.ledger.knows(login.session.user) {
                    self.put(&Piece::Login(login))?;
                } else {
                    self.ledger.last_login = Some(login.session.id);
                }
            }
        }
        loop {
            let after = self.ledger.last_upload;
            let uploads = patiently(|| store.all_uploads(after, STEP)).await?;
            if uploads.is_empty() {
                break;
            }
            for upload in uploads {
                self.put(&Piece::Upload(upload))?;
            }
        }
        loop {
            let after = self.ledger.last_event;
            let search = || EventSearch { after, limit: STEP, ..EventSearch::default() };
            let events = patiently(|| store.events(search())).await?;
            if events.is_empty() {
                return Ok(());
            }
            for event in events {
                self.put(&Piece::Event(event))?;
            }
        }
    }

    fn put(&mut self, piece: &Piece) -> Result<(), MoveError> {
        self.ledger.note(piece);
        let full = self.writer.put(piece).map_err(|why| MoveError::File { path: self.part.to_owned(), why })?;
        if full {
            (self.tell)(Step { done: self.ledger.census, of: self.of });
        }
        Ok(())
    }
}

fn peers(cut: &RoomCut) -> impl Iterator<Item = UserId> + use<> {
    cut.room.peers.into_iter().flat_map(|(a, b)| [a, b])
}
