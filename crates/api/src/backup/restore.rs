//! From a backup into an empty store and an empty place of images. All of it is read before anything is written; then come the
//! images, then the archive: until it is done, the store is one that is being filled, and no server starts on it.

use super::manifest::{End, Manifest};
use super::place::{Place, read_file};
use super::seal::Identities;
use super::unpack::{Part, unpack};
use super::{BackupError, Name};
use crate::config::Config;
use crate::files::{self, Files};
use crate::moving::import::{self, Checked};
use crate::moving::progress::Progress;
use crate::moving::{self, House};
use crate::secret;
use crate::store::archive::Begun;
use futures_util::TryStreamExt;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::runtime::Handle;

/// Which backup is read.
pub enum Which {
    File(PathBuf),
    Of(Place, Name),
}

impl Which {
    /// `latest`, a name at the place of the settings, or the path of a file.
    pub async fn find(config: &Config, what: &str) -> Result<Self, BackupError> {
        let is_a_path = Name::parse(what).is_none() || config.backup.to.is_none();
        if what != "latest" && is_a_path {
            return Ok(Self::File(PathBuf::from(what)));
        }
        let place = super::place(config)?;
        let all = place.all().await?;
        let found = match Name::parse(what) {
            None => all.first().map(|newest| newest.name),
            Some(name) => all.iter().map(|found| found.name).find(|found| *found == name),
        };
        match found {
            Some(name) => Ok(Self::Of(place, name)),
            None if what == "latest" => Err(BackupError::None { at: place.called().to_owned() }),
            None => Err(BackupError::NotThere { name: what.to_owned(), at: place.called().to_owned() }),
        }
    }

    pub fn called(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Of(_, name) => name.to_string(),
        }
    }

    async fn read(&self) -> Result<Box<dyn Read + Send>, BackupError> {
        match self {
            Self::File(path) => read_file(path),
            Self::Of(place, name) => place.read(*name).await,
        }
    }
}

/// A backup that is whole.
pub struct Whole {
    pub manifest: Manifest,
    pub end: End,
    archive: Checked,
    /// The files of images, and how many bytes each has.
    images: HashMap<String, u64>,
}

/// Reads all of a backup and sees whether it is whole, its archive too.
pub async fn check(config: &Config, which: &Which, identities: Option<&Identities>) -> Result<Whole, BackupError> {
    let folder = config.backup.scratch.clone();
    let scratch = |why| BackupError::Scratch { folder, why };
    let file = tempfile::tempfile_in(&config.backup.scratch).map_err(scratch)?;
    let (input, called) = (which.read().await?, which.called());
    let identities = identities.cloned();
    waiting(move || {
        let mut images = HashMap::new();
        let mut archive: &File = &file;
        let mut take = |part: Part<'_>| {
            match part {
                Part::Archive(piece) => archive
                    .write_all(piece)
                    .map_err(|why| format!("the folder of NATTER_BACKUP_SCRATCH cannot be written to: {why}"))?,
                Part::Image(name, bytes) => {
                    images.insert(name.to_owned(), u64::try_from(bytes.len()).unwrap_or(u64::MAX));
                }
            }
            Ok(())
        };
        let read = unpack(input, identities.as_ref(), &mut take);
        let (manifest, end) = read.map_err(|damage| BackupError::Damage { name: called.clone(), damage })?;
        let archive = import::check_file(Path::new(&format!("the archive in {called}")), file)?;
        Ok(Whole { manifest, end, archive, images })
    })
    .await
}

/// Fills the store and the place of images of the settings. `without_key`: also if the signing key is not there.
pub async fn restore(
    config: &Config,
    which: &Which,
    identities: Option<&Identities>,
    without_key: bool,
) -> Result<String, BackupError> {
    let whole = check(config, which, identities).await?;
    let lacks = lacking(config, &whole.manifest)?;
    if !lacks.is_empty() && !without_key {
        return Err(BackupError::KeyMissing { ids: lacks.join(", "), path: config.secret_file.clone() });
    }
    let files = files::open(&config.files).map_err(BackupError::Files)?;
    let there = already(config, &*files, &whole.images).await?;
    let house = House::to_fill(&config.store).await?;
    let filled = fill(&house, which, identities, &whole, &files, there).await;
    house.close().await;
    let before = if filled? { " (it did before)" } else { "" };
    let mut told = format!(
        "The store holds all of {}{before}: {}, and {} files of images.\n",
        which.called(),
        moving::told(whole.manifest.census()),
        whole.images.len(),
    );
    if !lacks.is_empty() {
        let ids = lacks.join(", ");
        let _ = writeln!(
            told,
            "Without the signing key {ids} no password that was set under it is right, and no login good."
        );
    }
    Ok(told)
}

/// The ids of the keys that a backup needs and the settings' file has not.
fn lacking(config: &Config, manifest: &Manifest) -> Result<Vec<String>, BackupError> {
    let there = match secret::read(&config.secret_file) {
        Ok(keys) => Some(keys),
        Err(secret::BadSecret::Missing(_)) => None,
        Err(other) => return Err(other.into()),
    };
    let lacks = |id: &&String| there.as_ref().is_none_or(|keys| keys.find(id).is_none());
    Ok(manifest.keys.iter().filter(lacks).cloned().collect())
}

/// Which files of images are there from an earlier try. Anything else that is there is in the way.
async fn already(
    config: &Config,
    files: &dyn Files,
    images: &HashMap<String, u64>,
) -> Result<HashMap<String, u64>, BackupError> {
    let mut there = HashMap::new();
    let mut all = files.all();
    while let Some((name, bytes)) = all.try_next().await.map_err(BackupError::Files)? {
        if images.get(&name) != Some(&bytes) {
            return Err(BackupError::ImagesInTheWay { name, place: config.files.to_string() });
        }
        there.insert(name, bytes);
    }
    Ok(there)
}

/// `true` if all of it was in the store before.
async fn fill(
    house: &House,
    which: &Which,
    identities: Option<&Identities>,
    whole: &Whole,
    files: &Arc<dyn Files>,
    there: HashMap<String, u64>,
) -> Result<bool, BackupError> {
    let begun = import::begin(house.store(), &whole.archive).await?;
    if there.len() < whole.images.len() {
        let (input, called, identities) = (which.read().await?, which.called(), identities.cloned());
        let (files, handle, total) = (Arc::clone(files), Handle::current(), whole.end.file_bytes);
        waiting(move || {
            let mut progress = Progress::new();
            let mut done = 0;
            let mut take = |part: Part<'_>| {
                if let Part::Image(name, bytes) = part {
                    done += u64::try_from(bytes.len()).unwrap_or(0);
                    if !there.contains_key(name) {
                        handle.block_on(files.put(name, bytes.into())).map_err(|why| why.to_string())?;
                    }
                    progress.bytes("images", done, total);
                }
                Ok(())
            };
            let read = unpack(input, identities.as_ref(), &mut take);
            progress.end();
            read.map(drop).map_err(|damage| BackupError::Damage { name: called, damage })
        })
        .await?;
    }
    if begun == Begun::Finished {
        return Ok(true);
    }
    let mut progress = Progress::new();
    let taken = import::import(house.store(), &whole.archive, &mut |step| progress.show(step)).await;
    progress.end();
    Ok(taken?)
}

/// Runs what waits for a disk, or decrypts for minutes, on a thread of its own.
async fn waiting<T: Send + 'static>(
    run: impl FnOnce() -> Result<T, BackupError> + Send + 'static,
) -> Result<T, BackupError> {
    match tokio::task::spawn_blocking(run).await {
        Ok(result) => result,
        Err(why) => Err(BackupError::Failed(why.to_string())),
    }
}
