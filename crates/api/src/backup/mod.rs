//! `natter backup` and `natter restore`: the store and the images as one file at a place of its own, made beside a running
//! server, kept for a while, and put back into an empty store. What the archive in it is like is `moving`'s.

mod arguments;
mod keep;
mod make;
mod manifest;
mod name;
mod pack;
mod place;
mod restore;
mod schedule;
mod seal;
mod unpack;

pub use arguments::{Order, Restore};
pub use keep::Keep;
pub use name::Name;
pub use seal::Recipients;

use crate::clock::{Clock, Entropy};
use crate::config::Config;
use crate::files::{ACCEPTS, FilesError};
use crate::moving::progress::Progress;
use crate::moving::{self, MoveError};
use crate::secret::BadSecret;
use make::{Made, ago, make};
use place::Place;
use restore::Which;
use seal::Identities;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::time::Duration;
use unpack::Damage;

/// How long what was begun in a bucket may take to be taken away when a backup is given up.
const FAREWELL: Duration = Duration::from_secs(5);

/// Why there is no backup, or none was put back, as a sentence for who ordered it.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("NATTER_BACKUP_TO is not set; it must be {ACCEPTS}")]
    NoPlace,
    #[error("the place of backups, {called}: {why}")]
    Place { called: String, why: String },
    #[error("{0} is there already; try again in a second")]
    IsThere(String),
    #[error("there is no backup at {at} yet (see NATTER_BACKUP_TO)")]
    None { at: String },
    #[error("there is no {name} at {at}; `natter backup list` shows what there is")]
    NotThere { name: String, at: String },
    #[error("{} cannot be read: {why}", path.display())]
    NoFile { path: PathBuf, why: io::Error },
    #[error("{name} {damage}")]
    Damage { name: String, damage: Damage },
    #[error("NATTER_BACKUP_SCRATCH: the folder {} cannot be used: {why}", folder.display())]
    Scratch { folder: PathBuf, why: io::Error },
    #[error("--identity: {} {why}", path.display())]
    Identity { path: PathBuf, why: String },
    #[error("{} cannot be made: {why}", path.display())]
    Keygen { path: PathBuf, why: io::Error },
    #[error(
        "passwords and logins of this backup hang on the signing key {ids}, which is not in {}; put the key of before there \
         (see NATTER_SECRET_FILE), or go on without it by --without-key: then no password that was set under it is right",
        path.display()
    )]
    KeyMissing { ids: String, path: PathBuf },
    #[error(
        "NATTER_FILES: {place} holds {name}, which is not of this backup; images go into an empty place, so name another one, or \
         move away what is there"
    )]
    ImagesInTheWay { name: String, place: String },
    #[error(
        "NATTER_FILES: none of the {named} images that the store names is in {place}; is that where the server has them?"
    )]
    NoImages { named: u64, place: String },
    #[error("the newest backup, {name}, is {age} old; it should be at most {max_age}")]
    TooOld { name: String, age: String, max_age: String },
    #[error("{made} is whole, but older ones could not be deleted: {why}")]
    NotPruned { made: Name, why: Box<BackupError> },
    #[error("stopped by a signal; what was begun is taken away")]
    Stopped,
    #[error("{0}")]
    Failed(String),
    #[error("NATTER_FILES: {0}")]
    Files(FilesError),
    #[error(transparent)]
    Secret(#[from] BadSecret),
    #[error(transparent)]
    Move(#[from] MoveError),
}

impl BackupError {
    /// Whether an argument or a setting must be changed.
    pub const fn is_a_setting(&self) -> bool {
        match self {
            Self::Move(error) => error.is_an_argument(),
            Self::Damage { damage, .. } => matches!(damage, Damage::Sealed | Damage::OtherIdentity),
            Self::NoPlace
            | Self::NotThere { .. }
            | Self::NoFile { .. }
            | Self::Identity { .. }
            | Self::Keygen { .. }
            | Self::KeyMissing { .. }
            | Self::ImagesInTheWay { .. }
            | Self::Secret(BadSecret::Keys { .. } | BadSecret::Missing(_)) => true,
            _ => false,
        }
    }
}

/// The place that the settings name.
fn place(config: &Config) -> Result<Place, BackupError> {
    Place::open(config.backup.to.as_ref().ok_or(BackupError::NoPlace)?)
}

fn identities(path: Option<&Path>) -> Result<Option<Identities>, BackupError> {
    let read = |path: &Path| Identities::read(path).map_err(|why| BackupError::Identity { path: path.to_owned(), why });
    path.map(read).transpose()
}

/// Carries out what was ordered of `natter backup`. Returns what to tell.
pub async fn backup(
    config: &Config,
    order: Order,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<String, BackupError> {
    match order {
        Order::Make => {
            let place = place(config)?;
            let mut stop = std::pin::pin!(stop_signal()?);
            attempt(config, &place, clock, entropy, false, &mut stop).await.map(|made| told(&made))
        }
        Order::KeepMaking(schedule) => schedule::keep_making(config, schedule, clock, entropy).await,
        Order::List => list(&place(config)?).await,
        Order::Check { what, identity } => {
            let identities = identities(identity.as_deref())?;
            let which = Which::find(config, &what).await?;
            let whole = restore::check(config, &which, identities.as_ref()).await?;
            Ok(format!(
                "{} of {} is whole: {}, and {} files of images.\n",
                which.called(),
                whole.manifest.made_at,
                moving::told(whole.manifest.census()),
                whole.end.files,
            ))
        }
        Order::Status { max_age_ms } => status(&place(config)?, max_age_ms, clock).await,
        Order::Keygen(path) => keygen(&path, clock),
    }
}

/// Fills an empty store and an empty place of images from a backup. Returns what to tell.
pub async fn restore(config: &Config, order: &Restore) -> Result<String, BackupError> {
    let identities = identities(order.identity.as_deref())?;
    let which = Which::find(config, &order.what).await?;
    restore::restore(config, &which, identities.as_ref(), order.without_key).await
}

/// Makes a key that decrypts backups. Returns what to tell.
fn keygen(path: &Path, clock: &dyn Clock) -> Result<String, BackupError> {
    let failed = |why| BackupError::Keygen { path: path.to_owned(), why };
    let public = seal::keygen(path, clock.now()).map_err(failed)?;
    Ok(format!(
        "NATTER_BACKUP_RECIPIENT={public}\nBackups are encrypted with it from then on. {} alone decrypts them: keep it away from \
         the server, and twice.\n",
        path.display()
    ))
}

async fn list(place: &Place) -> Result<String, BackupError> {
    let all = place.all().await?;
    if all.is_empty() {
        return Ok(format!("There is no backup at {} yet.\n", place.called()));
    }
    let mut text = String::new();
    for found in all {
        let how = if found.name.is_sealed() { "encrypted" } else { "not encrypted" };
        let _ = writeln!(text, "{}  {}  {} bytes  {how}", found.name, found.name.at(), found.bytes);
    }
    Ok(text)
}

async fn status(place: &Place, max_age_ms: i64, clock: &dyn Clock) -> Result<String, BackupError> {
    let now = clock.now();
    let newest = place.newest(now).await?.ok_or_else(|| BackupError::None { at: place.called().to_owned() })?;
    let then = newest.at();
    if now.millis() - then.millis() > max_age_ms {
        let max_age = ago(then, then.plus_millis(max_age_ms));
        return Err(BackupError::TooOld { name: newest.to_string(), age: ago(then, now), max_age });
    }
    Ok(format!("The newest backup, {newest}, is {} old.\n", ago(then, now)))
}

/// Makes a backup, and deletes those that are not to be kept any longer. Whatever ends it early, nothing half-made stays.
async fn attempt(
    config: &Config,
    place: &Place,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
    quiet: bool,
    stop: &mut Pin<&mut impl Future<Output = ()>>,
) -> Result<Made, BackupError> {
    if config.backup.recipients.is_empty() {
        tracing::warn!("NATTER_BACKUP_RECIPIENT is not set: whoever has the backup can read every message");
    }
    let mut progress = if quiet { Progress::silent() } else { Progress::new() };
    let mut sink = None;
    let made = tokio::select! {
        () = stop => Err(BackupError::Stopped),
        made = make(config, place, clock, entropy, &mut progress, &mut sink) => made,
    };
    progress.end();
    match made {
        Ok(made) => {
            if made.missing > 0 {
                let missing = made.missing;
                tracing::warn!(missing, "files of images were not there: deleted meanwhile, or lost before");
            }
            match prune(config, place, made.name).await {
                Ok(()) => Ok(made),
                Err(why) => Err(BackupError::NotPruned { made: made.name, why: Box::new(why) }),
            }
        }
        Err(error) => {
            if let Some(sink) = sink {
                let _ = tokio::time::timeout(FAREWELL, sink.discard()).await;
            }
            Err(error)
        }
    }
}

async fn prune(config: &Config, place: &Place, made: Name) -> Result<(), BackupError> {
    let all: Vec<Name> = place.all().await?.into_iter().map(|found| found.name).collect();
    for name in config.backup.keep.spared_by_none(&all, made) {
        place.delete(name).await?;
        tracing::info!(%name, "deleted an old backup");
    }
    Ok(())
}

/// SIGTERM or SIGINT.
fn stop_signal() -> Result<impl Future<Output = ()>, BackupError> {
    use tokio::signal::unix::{SignalKind, signal};
    let failed = |why: io::Error| BackupError::Failed(format!("signals cannot be waited for: {why}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

fn told(made: &Made) -> String {
    let Made { name, bytes, took, manifest, files, missing } = made;
    let missing = if *missing > 0 { format!(", {missing} not there") } else { String::new() };
    format!(
        "{name}: {bytes} bytes in {:.1} s; {}, {files} files of images{missing}\n",
        took.as_secs_f64(),
        moving::told(manifest.census()),
    )
}
