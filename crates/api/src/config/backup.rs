//! The settings of backups.

use super::{Reader, StoreChoice, read_place};
use crate::backup::{Keep, Recipients};
use crate::files::FilesPlace;
use std::path::{Path, PathBuf};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupSettings {
    /// `None`: there is no place for backups.
    pub to: Option<FilesPlace>,
    /// Who can read what is made from now on; nobody in particular if there are none.
    pub recipients: Recipients,
    pub keep: Keep,
    /// The folder for what is needed for a moment only.
    pub scratch: PathBuf,
}

pub(super) fn read(reader: &mut Reader, store: &StoreChoice) -> BackupSettings {
    let to = read_place(reader, "NATTER_BACKUP_TO", "NATTER_BACKUP_KEY_FILE");
    let recipients = reader.read(
        "NATTER_BACKUP_RECIPIENT",
        "age1… as `natter backup keygen` prints it, several between commas",
        Recipients::parse,
        Recipients::default(),
    );
    let accepts = "numbers of days, weeks, months or years such as 7d 4w 6m, or all";
    let keep = reader.read("NATTER_BACKUP_KEEP", accepts, Keep::parse, Keep::default());
    let is_folder = |value: &str| Some(PathBuf::from(value)).filter(|folder| folder.is_dir());
    let scratch = reader.read("NATTER_BACKUP_SCRATCH", "a folder that is there", is_folder, beside(store));
    BackupSettings { to, recipients, keep, scratch }
}

/// What is not encrypted yet stays where the database is not encrypted either, if that is a folder here.
fn beside(store: &StoreChoice) -> PathBuf {
    let beside = match store {
        StoreChoice::Sqlite(database) => database
            .parent()
            .map(|folder| if folder.as_os_str().is_empty() { PathBuf::from(".") } else { Path::to_path_buf(folder) }),
        StoreChoice::Mongo(_) => None,
    };
    beside.filter(|folder| folder.is_dir()).unwrap_or_else(std::env::temp_dir)
}
