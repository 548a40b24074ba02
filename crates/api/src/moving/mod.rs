//! Moving house: `natter export` and `natter import`, between any two stores. What travels is `store::archive`; here are the
//! file, the order of things, and the going on after an interruption. Beside `app.rs`, the only place that picks a store.

pub(crate) mod export;
pub(crate) mod format;
pub(crate) mod import;
mod ledger;
pub(crate) mod progress;

#[cfg(test)]
mod tests;

use crate::clock::{Clock, Entropy, random};
use crate::config::{Config, StoreChoice};
use crate::store::archive::{Archive, Census};
use crate::store::mongo::{self, Mongo};
use crate::store::sqlite::{OpenError, Options, Sqlite};
use crate::store::{StoreError, Stored};
use format::{Damage, Header, VERSION};
use natter_shared::timestamp::Timestamp;
use progress::Progress;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A store that does not answer is asked again so often, each time after this pause: it may be electing a primary.
const TRIES: u32 = 30;
const PAUSE: Duration = Duration::from_secs(1);

/// Why a move does not begin or does not go on, as a sentence for who ordered it.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    #[error("{} is there already; name another file, or move that one away", .0.display())]
    IsThere(PathBuf),
    #[error("another export writes to {} already", .0.display())]
    PartInUse(PathBuf),
    #[error("{} was begun from another store (see NATTER_STORE); name another file, or delete that one", .0.display())]
    OtherSource(PathBuf),
    #[error("{} cannot be read: {why}", path.display())]
    NoFile { path: PathBuf, why: io::Error },
    #[error("{} cannot be written: {why}", path.display())]
    File { path: PathBuf, why: io::Error },
    #[error("{} {damage}", path.display())]
    Damage { path: PathBuf, damage: Damage },
    #[error("the store that NATTER_STORE names holds something else already; an archive goes into an empty store")]
    HoldsOther,
    #[error("{0}; the same command goes on where this one stopped")]
    Store(#[from] StoreError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Mongo(#[from] mongo::OpenError),
}

impl MoveError {
    /// Whether an argument or a setting must be changed.
    pub const fn is_an_argument(&self) -> bool {
        match self {
            Self::IsThere(_) | Self::OtherSource(_) | Self::NoFile { .. } | Self::HoldsOther => true,
            Self::Mongo(why) => why.is_a_setting(),
            _ => false,
        }
    }
}

/// How far a move is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    pub done: Census,
    /// What there is, as far as it is known.
    pub of: Census,
}

/// Told after each chunk.
pub type Tell<'a> = dyn FnMut(Step) + 'a;

/// Why nobody works with a store yet.
#[derive(Debug, thiserror::Error)]
pub enum NotYet {
    #[error(
        "NATTER_STORE: this store is being filled from an archive; run `natter import` or `natter restore` with the same file until it is done, or begin with an empty store"
    )]
    HalfImported,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Refuses a store that holds only a part of an archive: what is written to it would be in the way of the rest.
pub async fn refuse_half_imported(store: &dyn Archive) -> Result<(), NotYet> {
    if store.is_half_imported().await? { Err(NotYet::HalfImported) } else { Ok(()) }
}

/// Asks again while the outcome is unknown: everything that is asked here can be repeated.
async fn patiently<T, F: Future<Output = Stored<T>>>(mut ask: impl FnMut() -> F) -> Stored<T> {
    for _ in 1..TRIES {
        match ask().await {
            Err(StoreError::Unknown(why)) => {
                tracing::warn!(why, "the store does not answer; it is asked again");
                tokio::time::sleep(PAUSE).await;
            }
            result => return result,
        }
    }
    ask().await
}

/// An opened store.
pub(crate) enum House {
    Sqlite(Sqlite),
    Mongo(Mongo),
}

impl House {
    /// To move out of. The embedded store may be in use by a server.
    pub async fn to_read(choice: &StoreChoice) -> Result<Self, MoveError> {
        match choice {
            StoreChoice::Sqlite(file) => Ok(Self::Sqlite(Sqlite::open_to_read(file)?)),
            StoreChoice::Mongo(url) => Ok(Self::Mongo(Mongo::open_to_read(url).await?)),
        }
    }

    /// To move into.
    pub async fn to_fill(choice: &StoreChoice) -> Result<Self, MoveError> {
        match choice {
            StoreChoice::Sqlite(file) => Ok(Self::Sqlite(Sqlite::open(file, Options::default())?)),
            StoreChoice::Mongo(url) => Ok(Self::Mongo(Mongo::open(url).await?)),
        }
    }

    pub fn store(&self) -> &dyn Archive {
        match self {
            Self::Sqlite(sqlite) => sqlite,
            Self::Mongo(mongo) => mongo,
        }
    }

    pub async fn close(self) {
        match self {
            Self::Sqlite(sqlite) => sqlite.close().await,
            Self::Mongo(mongo) => drop(mongo),
        }
    }
}

/// By what an unfinished export is known to be of the same store.
fn address(choice: &StoreChoice) -> String {
    match choice {
        StoreChoice::Sqlite(file) => {
            let file = file.canonicalize().unwrap_or_else(|_| file.clone());
            format!("sqlite:{}", file.display())
        }
        StoreChoice::Mongo(url) => url.to_string(),
    }
}

pub(crate) fn header(choice: &StoreChoice, clock: &dyn Clock, entropy: &dyn Entropy) -> Header {
    let id = random::<16>(entropy).iter().fold(String::new(), |mut id, byte| {
        let _ = write!(id, "{byte:02x}");
        id
    });
    new_header(id, clock.now(), &address(choice))
}

fn new_header(id: String, made_at: Timestamp, address: &str) -> Header {
    let natter = env!("CARGO_PKG_VERSION").to_owned();
    Header { natter_archive: VERSION, id, made_at, natter, source: format::source(address) }
}

/// Writes the store that the settings name to a file. Returns what to tell.
pub async fn export(
    config: &Config,
    file: &Path,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<String, MoveError> {
    let house = House::to_read(&config.store).await?;
    let mut progress = Progress::new();
    let header = header(&config.store, clock, entropy);
    let written = export::export(house.store(), file, header, &mut |step| progress.show(step)).await;
    progress.end();
    house.close().await;
    Ok(format!(
        "{} holds {}.\nThe signing key is not in it: copy {} as well, for no password is right without it.\n\
         Whoever reads the file reads every message: keep it like the store itself.\n",
        file.display(),
        told(written?),
        config.secret_file.display(),
    ))
}

/// Fills the store that the settings name from a file. Returns what to tell.
pub async fn import(config: &Config, file: &Path) -> Result<String, MoveError> {
    let archive = import::check(file)?;
    let house = House::to_fill(&config.store).await?;
    let mut progress = Progress::new();
    let taken = import::import(house.store(), &archive, &mut |step| progress.show(step)).await;
    progress.end();
    house.close().await;
    let before = if taken? { " (it did before)" } else { "" };
    Ok(format!(
        "The store holds all of {}{before}: {}.\nThe signing key was not in it: put the one of before at {} before you start the \
         server, for no password is right without it.\n",
        file.display(),
        told(archive.footer.census()),
        config.secret_file.display(),
    ))
}

pub(crate) fn told(census: Census) -> String {
    let Census { people, logins, rooms, entries } = census;
    format!("{people} people, {rooms} rooms and conversations, {entries} entries and {logins} logins")
}
