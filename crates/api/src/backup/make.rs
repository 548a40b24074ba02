//! One backup: the archive is cut, then the images that it names are copied, and all of it goes to the place as one stream.

use super::BackupError;
use super::manifest::{Manifest, VERSION};
use super::name::Name;
use super::pack::Packer;
use super::place::{Place, Sink};
use crate::clock::{Clock, Entropy};
use crate::config::Config;
use crate::files::{self, Files, FilesError, preview_of};
use crate::moving::export::{Written, export_into};
use crate::moving::format::Header;
use crate::moving::progress::Progress;
use crate::moving::{self, House};
use crate::secret;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use natter_shared::timestamp::Timestamp;
use std::io::{Read, Seek as _};
use std::path::Path;
use std::time::Duration;
use tokio::time::Instant;

/// Images that are fetched at once, each wholly into memory.
const FETCHED_AT_ONCE: usize = 8;
/// The archive is read, and what was packed is handed on, in pieces of so many bytes.
const PIECE: usize = 1024 * 1024;

/// What was made.
pub struct Made {
    pub name: Name,
    pub bytes: u64,
    pub took: Duration,
    pub manifest: Manifest,
    /// Files of images, and those that were not there.
    pub files: u64,
    pub missing: u64,
}

/// Makes a backup. What was begun at the place is in `sink` while it is under way: whoever ends this early discards it.
pub async fn make(
    config: &Config,
    place: &Place,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
    progress: &mut Progress,
    sink: &mut Option<Sink>,
) -> Result<Made, BackupError> {
    let began = Instant::now();
    let at = clock.now();
    let keys = secret::read(&config.secret_file)?;
    let recipients = &config.backup.recipients;
    let name = Name::new(at, !recipients.is_empty());
    let header = moving::header(&config.store, clock, entropy);
    let source = header.source.clone();
    let Written { mut file, census, images } = cut(config, header, progress).await?;

    // The archive is cut. Whatever it names was kept before it was named, so it is there now, or was deleted since.
    let scratch = |why| BackupError::Scratch { folder: config.backup.scratch.clone(), why };
    let archive_bytes = file.metadata().map_err(scratch)?.len();
    file.rewind().map_err(scratch)?;
    let manifest = Manifest {
        natter_backup: VERSION,
        made_at: at,
        natter: env!("CARGO_PKG_VERSION").to_owned(),
        source,
        archive_bytes,
        people: census.people,
        logins: census.logins,
        rooms: census.rooms,
        entries: census.entries,
        keys: keys.all().map(|key| key.id().to_owned()).collect(),
        images: u64::try_from(images.all.len()).unwrap_or(u64::MAX),
        image_bytes: images.bytes,
    };
    let opened = place.begin(name, archive_bytes + images.bytes).await?;
    let sink = sink.insert(opened);
    let mut packer = Packer::begin(recipients, &manifest).map_err(scratch)?;
    packer.archive(archive_bytes).map_err(scratch)?;
    let mut piece = vec![0; PIECE];
    loop {
        let read = file.read(&mut piece).map_err(scratch)?;
        if read == 0 {
            break;
        }
        packer.put(&piece[..read]).map_err(scratch)?;
        sink.put(&packer.take()).await?;
    }
    drop(file);

    let files = files::open(&config.files).map_err(BackupError::Files)?;
    let names = images
        .all
        .iter()
        .flat_map(|(id, preview)| [Some(id.to_string()), preview.then(|| preview_of(*id))].into_iter().flatten());
    let mut fetched = stream::iter(names).map(|name| fetch(&*files, name)).buffered(FETCHED_AT_ONCE);
    let (mut copied, mut copied_bytes, mut missing) = (0, 0, 0);
    while let Some((name, bytes)) = fetched.try_next().await.map_err(BackupError::Files)? {
        let Some(bytes) = bytes else {
            packer.missing();
            missing += 1;
            continue;
        };
        let size = bytes.iter().map(|some| u64::try_from(some.len()).unwrap_or(0)).sum();
        packer.image(&name, size).map_err(scratch)?;
        for some in &bytes {
            packer.put(some).map_err(scratch)?;
        }
        sink.put(&packer.take()).await?;
        copied += 1;
        copied_bytes += size;
        progress.bytes("images", copied_bytes, images.bytes);
    }
    // One that was deleted while it was named is no reason to stop; that none is there is another folder.
    if copied == 0 && missing > 0 {
        return Err(BackupError::NoImages { named: manifest.images, place: config.files.to_string() });
    }
    let (_, last) = packer.finish().map_err(scratch)?;
    sink.put(&last).await?;
    let bytes = sink.finish().await?;
    Ok(Made { name, bytes, took: began.elapsed(), manifest, files: copied, missing })
}

/// Cuts the archive into a file without a name, which goes with this process however it ends.
async fn cut(config: &Config, header: Header, progress: &mut Progress) -> Result<Written, BackupError> {
    let folder = &config.backup.scratch;
    let file = tempfile::tempfile_in(folder).map_err(|why| BackupError::Scratch { folder: folder.clone(), why })?;
    let house = House::to_read(&config.store).await?;
    let called = Path::new("the archive in the folder of NATTER_BACKUP_SCRATCH");
    let written = export_into(house.store(), file, called, &header, &mut |step| progress.show(step)).await;
    house.close().await;
    Ok(written?)
}

/// All of a file of an image; `None` if it is not there.
async fn fetch(files: &dyn Files, name: String) -> Result<(String, Option<Vec<Bytes>>), FilesError> {
    let Some(opened) = files.open(&name).await? else { return Ok((name, None)) };
    let bytes = opened.bytes.try_collect().await?;
    Ok((name, Some(bytes)))
}

/// How long ago something was, in hours and minutes.
pub fn ago(then: Timestamp, now: Timestamp) -> String {
    let minutes = (now.millis() - then.millis()).max(0) / 60_000;
    format!("{} h {} min", minutes / 60, minutes % 60)
}
