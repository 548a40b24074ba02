//! Opening a file: making it if it is not there, holding it alone, and saying in a sentence why it cannot be used.

use super::schema::{self, Unfit};
use super::{Open, Readers, Sqlite, Writer};
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// What can be chosen about a store.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Connections, each with a thread, that read.
    pub readers: usize,
    /// The largest size of the file, in pages of 4 KiB.
    pub max_pages: Option<u32>,
}

impl Default for Options {
    fn default() -> Self {
        Self { readers: 4, max_pages: None }
    }
}

/// Why a store is not opened, as a sentence for who runs the server.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{} is not a folder, so no store can be kept in it", .0.display())]
    NotAFolder(PathBuf),
    #[error("{} is a folder, not a file that a store could be kept in", .0.display())]
    IsAFolder(PathBuf),
    #[error("{} cannot be written: it, its folder or its disk is read-only for this user", .0.display())]
    ReadOnly(PathBuf),
    #[error("another process uses {} already; a store belongs to one process at a time", .0.display())]
    InUse(PathBuf),
    #[error("{} is not a database of Natter; nothing in it was changed", .0.display())]
    NotADatabase(PathBuf),
    #[error("{} was written by a newer version of Natter (its schema is {file}, this one knows {known}); run that one", path.display())]
    Newer { path: PathBuf, file: i64, known: i64 },
    #[error("{} was written by an older version of Natter; run `natter serve` of this version on it once", .0.display())]
    Older(PathBuf),
    #[error("there is no store {}", .0.display())]
    NotThere(PathBuf),
    #[error(
        "{} cannot be read by itself: SQLite needs to write the files beside it (-wal, -shm), even to read; run this as the \
         user who runs the server ({why})",
        path.display()
    )]
    Beside { path: PathBuf, why: String },
    #[error("the disk of {} is full", .0.display())]
    Full(PathBuf),
    #[error("{} cannot be opened: {why}", path.display())]
    Failed { path: PathBuf, why: String },
}

impl Sqlite {
    /// Opens the file at `path`, with what is needed to get there: its folder (mode 700), itself (mode 600), its tables.
    /// Blocks on the disk.
    pub fn open(path: impl AsRef<Path>, options: Options) -> Result<Self, OpenError> {
        let path = path.as_ref();
        make_folder(path)?;
        if path.is_dir() {
            return Err(OpenError::IsAFolder(path.to_owned()));
        }
        let lock = lock(path)?;
        make_file(path)?;
        let sql = |error: rusqlite::Error| of_sql(path, &error);
        let writer = writing(path, options).map_err(sql)?;
        schema::migrate(&writer).map_err(|unfit| of_unfit(path, unfit))?;
        writer.pragma_update(None, "foreign_keys", true).map_err(sql)?;
        let connections: Vec<_> =
            (0..options.readers.max(1)).map(|_| reading(path)).collect::<Result<_, _>>().map_err(sql)?;
        let thread = |error: io::Error| OpenError::Failed { path: path.to_owned(), why: error.to_string() };
        let readers = Readers::start(connections).map_err(thread)?;
        let writer = Writer::start(writer).map_err(thread)?;
        Ok(Self::of(Open { readers, writer: Some(writer), _lock: Some(lock) }))
    }

    /// Opens a file that is there, to read it, also while another process uses it. Every write is refused. Blocks on the
    /// disk.
    pub fn open_to_read(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let path = path.as_ref();
        if path.is_dir() {
            return Err(OpenError::IsAFolder(path.to_owned()));
        }
        if !path.exists() {
            return Err(OpenError::NotThere(path.to_owned()));
        }
        let conn = reading(path).map_err(|error| of_reading(path, &error))?;
        schema::check(&conn).map_err(|unfit| match unfit {
            Unfit::Sql(error) => of_reading(path, &error),
            other => of_unfit(path, other),
        })?;
        let thread = |error: io::Error| OpenError::Failed { path: path.to_owned(), why: error.to_string() };
        let readers = Readers::start(vec![conn]).map_err(thread)?;
        Ok(Self::of(Open { readers, writer: None, _lock: None }))
    }

    /// Opens a file that is there for a few small writes, also while a server uses it: SQLite lets one write after the other.
    /// For what no server keeps in its memory (who is an administrator). Blocks on the disk.
    pub fn open_beside(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let path = path.as_ref();
        if path.is_dir() {
            return Err(OpenError::IsAFolder(path.to_owned()));
        }
        if !path.exists() {
            return Err(OpenError::NotThere(path.to_owned()));
        }
        let reader = reading(path).map_err(|error| of_reading(path, &error))?;
        schema::check(&reader).map_err(|unfit| of_unfit(path, unfit))?;
        let sql = |error: rusqlite::Error| of_sql(path, &error);
        let writer = writing(path, Options::default()).map_err(sql)?;
        writer.pragma_update(None, "foreign_keys", true).map_err(sql)?;
        let thread = |error: io::Error| OpenError::Failed { path: path.to_owned(), why: error.to_string() };
        let readers = Readers::start(vec![reader]).map_err(thread)?;
        let writer = Writer::start(writer).map_err(thread)?;
        Ok(Self::of(Open { readers, writer: Some(writer), _lock: None }))
    }

    fn of(open: Open) -> Self {
        Self {
            open: Mutex::new(Some(Arc::new(open))),
            #[cfg(test)]
            reads: std::sync::atomic::AtomicUsize::default(),
        }
    }
}

fn make_folder(path: &Path) -> Result<(), OpenError> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    if folder.is_dir() {
        return Ok(());
    }
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists | ErrorKind::NotADirectory => OpenError::NotAFolder(folder.to_owned()),
        _ => of_io(folder, &error),
    })
}

/// Readable and writable for this user alone; a file that is there keeps the mode that it has.
fn open_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Takes the lock beside the file. The system gives it back when the process ends, however it ends.
fn lock(path: &Path) -> Result<File, OpenError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".lock");
    let file = open_private(Path::new(&beside)).map_err(|error| of_io(path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(path.to_owned())),
        Err(TryLockError::Error(error)) => Err(of_io(path, &error)),
    }
}

/// SQLite gives the files that it adds the mode of this one.
fn make_file(path: &Path) -> Result<(), OpenError> {
    open_private(path).map(drop).map_err(|error| of_io(path, &error))
}

fn of_io(path: &Path, error: &io::Error) -> OpenError {
    let path = path.to_owned();
    match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => OpenError::ReadOnly(path),
        ErrorKind::NotADirectory => OpenError::NotAFolder(path.parent().map(Path::to_owned).unwrap_or(path)),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => OpenError::Full(path),
        _ => OpenError::Failed { path, why: error.to_string() },
    }
}

fn of_unfit(path: &Path, unfit: Unfit) -> OpenError {
    match unfit {
        Unfit::Foreign => OpenError::NotADatabase(path.to_owned()),
        Unfit::Newer { file, known } => OpenError::Newer { path: path.to_owned(), file, known },
        Unfit::Older => OpenError::Older(path.to_owned()),
        Unfit::Sql(error) => of_sql(path, &error),
    }
}

/// Why a file is not even read.
fn of_reading(path: &Path, error: &rusqlite::Error) -> OpenError {
    match error.sqlite_error_code() {
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
            OpenError::Beside { path: path.to_owned(), why: error.to_string() }
        }
        _ => of_sql(path, error),
    }
}

fn of_sql(path: &Path, error: &rusqlite::Error) -> OpenError {
    let owned = path.to_owned();
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => OpenError::NotADatabase(owned),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => OpenError::ReadOnly(owned),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => OpenError::InUse(owned),
        Some(ErrorCode::DiskFull) => OpenError::Full(owned),
        _ => OpenError::Failed { path: owned, why: error.to_string() },
    }
}

fn writing(path: &Path, options: Options) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(std::time::Duration::from_secs(2))?;
    // Deleted text is overwritten where that costs no further page.
    conn.execute_batch("PRAGMA secure_delete = FAST;")?;
    conn.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    // Every commit is on the disk before it is answered.
    conn.pragma_update(None, "synchronous", "FULL")?;
    // Copied back into the file every 16 MiB; a log that grew beyond 64 MiB is cut again.
    conn.pragma_update_and_check(None, "wal_autocheckpoint", 4_000, |_| Ok(()))?;
    conn.pragma_update_and_check(None, "journal_size_limit", 64 * 1024 * 1024, |_| Ok(()))?;
    // KiB of pages that stay in memory.
    conn.pragma_update(None, "cache_size", -32 * 1024)?;
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    if let Some(pages) = options.max_pages {
        conn.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?;
    }
    conn.set_prepared_statement_cache_capacity(128);
    Ok(conn)
}

fn reading(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(std::time::Duration::from_secs(2))?;
    conn.pragma_update(None, "cache_size", -8 * 1024)?;
    // Pages of the file are read from the system's memory without being copied.
    conn.pragma_update_and_check(None, "mmap_size", 256 * 1024 * 1024, |_| Ok(()))?;
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    conn.set_prepared_statement_cache_capacity(64);
    Ok(conn)
}
