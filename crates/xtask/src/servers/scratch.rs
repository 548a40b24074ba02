//! A folder for what servers write, in cargo's target folder. It goes when it is dropped, or with the next one if this
//! program was killed before.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result};

use crate::workspace;

/// Held for as long as the folder is in use, which tells it from one that was left behind.
const LOCK: &str = "lock";

pub struct Scratch {
    folder: PathBuf,
    _lock: File,
}

impl Scratch {
    pub fn new() -> Result<Self> {
        Self::below(&workspace::target()?.join("xtask/servers"))
    }

    fn below(parent: &Path) -> Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
        sweep(parent);
        let folder = parent.join(format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
        DirBuilder::new().mode(0o700).create(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let lock = File::create(folder.join(LOCK))?;
        lock.lock().with_context(|| format!("cannot lock {}", folder.display()))?;
        Ok(Self { folder, _lock: lock })
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Removes the folders that nobody holds any more. One without a lock is about to get it.
fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for folder in entries.flatten().map(|entry| entry.path()) {
        if OpenOptions::new().write(true).open(folder.join(LOCK)).is_ok_and(|lock| lock.try_lock().is_ok()) {
            let _ = fs::remove_dir_all(&folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_goes_with_its_owner_and_one_left_behind_with_the_next() {
        let parent = tempfile::tempdir().unwrap();
        let left = parent.path().join("left");
        fs::create_dir(&left).unwrap();
        fs::write(left.join(LOCK), "").unwrap();
        let first = Scratch::below(parent.path()).unwrap();
        assert!(!left.exists(), "it was left behind by somebody who is gone");
        fs::write(first.folder().join("file"), "text").unwrap();
        let second = Scratch::below(parent.path()).unwrap();
        assert!(first.folder().join("file").is_file(), "it is in use");
        drop((first, second));
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
    }
}
