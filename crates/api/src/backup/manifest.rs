//! What a backup says of itself: at its beginning what it is of, at its end what is in it and whether it is whole.

use crate::moving::format::hex;
use crate::store::archive::Census;
use natter_shared::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The version of the format. A reader knows its own and all before it.
pub const VERSION: u32 = 1;

/// The first part, `manifest.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of the format.
    pub natter_backup: u32,
    /// When it was begun: what was acknowledged before is in it.
    pub made_at: Timestamp,
    /// The version of the program.
    pub natter: String,
    /// Which store it is from, as a hash of its address.
    pub source: String,
    pub archive_bytes: u64,
    pub people: u64,
    pub logins: u64,
    pub rooms: u64,
    pub entries: u64,
    /// The ids of the keys that passwords and logins hang on, the one that signs first; never the keys.
    pub keys: Vec<String>,
    /// What the archive names of images, and how much that is together.
    pub images: u64,
    pub image_bytes: u64,
}

impl Manifest {
    pub const fn census(&self) -> Census {
        Census { people: self.people, logins: self.logins, rooms: self.rooms, entries: self.entries }
    }
}

/// The last part, `end.json`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// Files of images: each image and the smaller one of it are two.
    pub files: u64,
    pub file_bytes: u64,
    /// Files that the archive names and that were not there: their images were deleted meanwhile, or had been lost before.
    pub missing: u64,
    /// SHA-256 in hexadecimal digits: of all bytes before the head of this part, and of this part with nothing in the place of
    /// these digits.
    pub sha256: String,
}

impl End {
    /// The digits that belong to this, where `before` is of all bytes before it.
    pub fn digest(&self, mut before: Sha256) -> serde_json::Result<String> {
        before.update(serde_json::to_vec_pretty(&Self { sha256: String::new(), ..self.clone() })?);
        Ok(hex(before.finalize()))
    }
}

pub const MANIFEST: &str = "manifest.json";
pub const ARCHIVE: &str = "archive.natter";
pub const END: &str = "end.json";
pub const IMAGES: &str = "images/";
