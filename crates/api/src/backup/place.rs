//! Where backups lie: a folder, or a bucket. A backup appears under its name when it is whole.

use super::BackupError;
use super::name::Name;
use crate::files::{FilesPlace, LargeBucket, LargeUpload};
use crate::moving::export::put_in_place;
use bytes::Bytes;
use natter_shared::timestamp::Timestamp;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::runtime::Handle;

/// So much of a bucket's file is asked for at once.
const RANGE: u64 = 8 * 1024 * 1024;
/// How far the clocks of two machines may be apart.
const AHEAD_MS: i64 = 10 * 60_000;
/// What a file that is not whole is called: a dot, the backup's name, and this.
const PART: &str = ".part";

pub struct Place {
    kind: Kind,
    /// What it is called in sentences.
    called: String,
}

enum Kind {
    Folder(PathBuf),
    Bucket(Arc<LargeBucket>),
}

/// A backup that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    pub name: Name,
    pub bytes: u64,
}

impl Place {
    pub fn open(place: &FilesPlace) -> Result<Self, BackupError> {
        let called = place.to_string();
        let bucket = LargeBucket::open(place).map_err(|why| failed(&called, &why))?;
        let kind = match (bucket, place) {
            (Some(bucket), _) => Kind::Bucket(Arc::new(bucket)),
            (None, FilesPlace::Folder(folder)) => Kind::Folder(folder.clone()),
            (None, FilesPlace::S3 { .. }) => return Err(failed(&called, &"it is no bucket")),
        };
        Ok(Self { kind, called })
    }

    pub fn called(&self) -> &str {
        &self.called
    }

    /// All that are called like a backup, the newest first.
    pub async fn all(&self) -> Result<Vec<Found>, BackupError> {
        let named: Vec<(String, u64)> = match &self.kind {
            Kind::Folder(folder) => files_in(folder).map_err(|why| failed(&self.called, &why))?,
            Kind::Bucket(bucket) => bucket.all().await.map_err(|why| failed(&self.called, &why))?,
        };
        let mut found: Vec<Found> =
            named.into_iter().filter_map(|(name, bytes)| Some(Found { name: Name::parse(&name)?, bytes })).collect();
        found.sort_unstable_by_key(|found| std::cmp::Reverse(found.name));
        Ok(found)
    }

    /// The newest, but for what cannot be from the past: a clock was wrong when that was made, and it says nothing about now.
    pub async fn newest(&self, now: Timestamp) -> Result<Option<Name>, BackupError> {
        let latest = now.plus_millis(AHEAD_MS);
        Ok(self.all().await?.into_iter().map(|found| found.name).find(|name| name.at() <= latest))
    }

    pub async fn delete(&self, name: Name) -> Result<(), BackupError> {
        match &self.kind {
            Kind::Folder(folder) => match fs::remove_file(folder.join(name.to_string())) {
                Err(why) if why.kind() != io::ErrorKind::NotFound => Err(failed(&self.called, &why)),
                _ => Ok(()),
            },
            Kind::Bucket(bucket) => bucket.delete(&name.to_string()).await.map_err(|why| failed(&self.called, &why)),
        }
    }

    /// Begins a backup of about so many bytes. A folder is made if it is not there.
    pub async fn begin(&self, name: Name, about: u64) -> Result<Sink, BackupError> {
        let text = name.to_string();
        let to = match &self.kind {
            Kind::Folder(folder) => To::File(Part::begin(folder, &text).map_err(|why| failed(&self.called, &why))?),
            Kind::Bucket(bucket) => {
                let failed = |why: crate::files::FilesError| failed(&self.called, &why);
                if bucket.size(&text).await.map_err(failed)?.is_some() {
                    return Err(BackupError::IsThere(text));
                }
                To::Bucket(bucket.begin(&text, about).await.map_err(failed)?)
            }
        };
        Ok(Sink { to, called: self.called.clone(), bytes: 0 })
    }

    /// To be read on a thread that may wait.
    pub async fn read(&self, name: Name) -> Result<Box<dyn Read + Send>, BackupError> {
        let text = name.to_string();
        match &self.kind {
            Kind::Folder(folder) => read_file(&folder.join(text)),
            Kind::Bucket(bucket) => {
                let size = bucket.size(&text).await.map_err(|why| failed(&self.called, &why))?;
                let size = size.ok_or_else(|| BackupError::NotThere { name: text.clone(), at: self.called.clone() })?;
                let bucket = Arc::clone(bucket);
                Ok(Box::new(Ranges { handle: Handle::current(), bucket, name: text, at: 0, size, held: Bytes::new() }))
            }
        }
    }
}

pub fn read_file(path: &Path) -> Result<Box<dyn Read + Send>, BackupError> {
    match File::open(path) {
        Ok(file) => Ok(Box::new(file)),
        Err(why) => Err(BackupError::NoFile { path: path.to_owned(), why }),
    }
}

fn failed(called: &str, why: &dyn std::fmt::Display) -> BackupError {
    BackupError::Place { called: called.to_owned(), why: why.to_string() }
}

fn files_in(folder: &Path) -> io::Result<Vec<(String, u64)>> {
    let items = match fs::read_dir(folder) {
        // It is made with the first backup.
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        items => items?,
    };
    let mut found = Vec::new();
    for item in items {
        let item = item?;
        let Ok(name) = item.file_name().into_string() else { continue };
        // One may be deleted meanwhile.
        let Ok(about) = item.metadata() else { continue };
        if about.is_file() {
            found.push((name, about.len()));
        }
    }
    Ok(found)
}

/// A backup on its way.
pub struct Sink {
    to: To,
    called: String,
    bytes: u64,
}

enum To {
    File(Part),
    Bucket(LargeUpload),
}

impl Sink {
    pub async fn put(&mut self, bytes: &[u8]) -> Result<(), BackupError> {
        match &mut self.to {
            To::File(part) => part.file.write_all(bytes).map_err(|why| failed(&self.called, &why))?,
            To::Bucket(upload) => upload.put(bytes).await.map_err(|why| failed(&self.called, &why))?,
        }
        self.bytes += u64::try_from(bytes.len()).unwrap_or(0);
        Ok(())
    }

    /// Gives the backup its name. How many bytes it has.
    pub async fn finish(&mut self) -> Result<u64, BackupError> {
        match &mut self.to {
            To::File(part) => part.finish().map_err(|why| failed(&self.called, &why))?,
            To::Bucket(upload) => upload.finish().await.map_err(|why| failed(&self.called, &why))?,
        }
        Ok(self.bytes)
    }

    /// Takes away what was begun.
    pub async fn discard(self) {
        match self.to {
            To::File(part) => drop(part),
            To::Bucket(upload) => upload.discard().await,
        }
    }
}

/// A file that is not whole, for its owner alone. It goes when it is dropped before it was finished.
struct Part {
    file: File,
    /// Where it lies until it is whole.
    unfinished: PathBuf,
    path: PathBuf,
    finished: bool,
}

impl Part {
    fn begin(folder: &Path, name: &str) -> io::Result<Self> {
        make_folder(folder)?;
        tidy(folder)?;
        let (unfinished, path) = (folder.join(format!(".{name}{PART}")), folder.join(name));
        if path.exists() {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("{name} is there already")));
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&unfinished)?;
        let part = Self { file, unfinished, path, finished: false };
        // By this another process knows that it is being written.
        part.file.try_lock().map_err(io::Error::from)?;
        Ok(part)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.file.sync_all()?;
        put_in_place(&self.unfinished, &self.path)?;
        self.finished = true;
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.finished
            && let Err(error) = fs::remove_file(&self.unfinished)
        {
            tracing::warn!(path = %self.unfinished.display(), %error, "a backup that is not whole stays behind");
        }
    }
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Takes away what was left of backups whose process was killed.
fn tidy(folder: &Path) -> io::Result<()> {
    for (file, _) in files_in(folder)? {
        let name = file.strip_prefix('.').and_then(|name| name.strip_suffix(PART)).and_then(Name::parse);
        if name.is_some() {
            let path = folder.join(file);
            if OpenOptions::new().write(true).open(&path).is_ok_and(|file| file.try_lock().is_ok()) {
                fs::remove_file(&path)?;
                tracing::info!(path = %path.display(), "took away a backup that was never whole");
            }
        }
    }
    Ok(())
}

/// A file in a bucket, from its beginning to its end, range by range: each can be asked for again.
struct Ranges {
    handle: Handle,
    bucket: Arc<LargeBucket>,
    name: String,
    at: u64,
    size: u64,
    /// What was fetched and not read yet.
    held: Bytes,
}

impl Read for Ranges {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.held.is_empty() && self.at < self.size {
            let range = self.at..self.size.min(self.at + RANGE);
            self.at = range.end;
            self.held = self.handle.block_on(self.bucket.range(&self.name, range)).map_err(io::Error::other)?;
        }
        let some = into.len().min(self.held.len());
        into[..some].copy_from_slice(&self.held.split_to(some));
        Ok(some)
    }
}
