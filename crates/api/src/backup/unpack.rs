//! Reads a backup from its beginning to its end, hands out what is in it, and notices every byte that is missing, changed or
//! too much.

use super::manifest::{ARCHIVE, END, End, IMAGES, MANIFEST, Manifest, VERSION};
use super::pack::{BLOCK, filling, tail};
use super::seal::Identities;
use crate::moving::format::hex;
use age::{DecryptError, Decryptor};
use natter_shared::id::FileId;
use sha2::{Digest, Sha256};
use std::io::{self, BufReader, ErrorKind, Read};
use tar::Header;

/// The largest manifest, the largest end, and the largest file of an image that are read; all far above what is written.
const TEXT_MAX: u64 = 1024 * 1024;
const IMAGE_MAX: u64 = 256 * 1024 * 1024;
/// The archive is handed out in pieces of so many bytes.
const PIECE: usize = 256 * 1024;

/// What is wrong with a backup, as the end of a sentence about it.
#[derive(Debug, thiserror::Error)]
pub enum Damage {
    #[error("is no backup of Natter")]
    Foreign,
    #[error("was made by a newer Natter (its format is {found}, this one knows {VERSION}); run that one")]
    Newer { found: u64 },
    #[error("is cut short: its end is missing; copy it again, or take an older one")]
    Cut,
    #[error("is damaged ({0}); copy it again, or take an older one")]
    Damaged(String),
    #[error("is encrypted: name the file with the key that decrypts it, --identity FILE")]
    Sealed,
    #[error("is encrypted to another key than this one; it takes the one that belongs to its NATTER_BACKUP_RECIPIENT")]
    OtherIdentity,
    #[error("cannot be read: {0}")]
    Unreadable(io::Error),
    /// What was read could not be handed on.
    #[error("was not read on: {0}")]
    Refused(String),
}

fn damaged(what: impl Into<String>) -> Damage {
    Damage::Damaged(what.into())
}

/// What a backup is made of besides what it says of itself, in this order.
pub enum Part<'a> {
    /// A piece of the archive.
    Archive(&'a [u8]),
    /// A file of an image.
    Image(&'a str, Vec<u8>),
}

/// Gets each part. What it refuses ends the reading; the text is for a sentence.
pub type Take<'a> = dyn FnMut(Part<'_>) -> Result<(), String> + 'a;

/// Reads all of a backup. An encrypted one is told from a plain one by how it begins.
pub fn unpack(
    input: impl Read,
    identities: Option<&Identities>,
    take: &mut Take<'_>,
) -> Result<(Manifest, End), Damage> {
    let mut input = BufReader::with_capacity(PIECE, input);
    let begins = io::BufRead::fill_buf(&mut input).map_err(Damage::Unreadable)?;
    if begins.starts_with(MANIFEST.as_bytes()) {
        return Tar::new(input).read(take);
    }
    if !begins.starts_with(b"age-encryption.org/") {
        return Err(Damage::Foreign);
    }
    let Some(identities) = identities else { return Err(Damage::Sealed) };
    let decryptor = Decryptor::new_buffered(input).map_err(of_age)?;
    let plain = decryptor.decrypt(identities.all()).map_err(of_age)?;
    Tar::new(plain).read(take)
}

fn of_age(error: DecryptError) -> Damage {
    match error {
        DecryptError::NoMatchingKeys => Damage::OtherIdentity,
        DecryptError::Io(error) => of_io(error),
        other => damaged(format!("its encryption: {other}")),
    }
}

fn of_io(error: io::Error) -> Damage {
    match error.kind() {
        ErrorKind::UnexpectedEof => Damage::Cut,
        // By this age says that what it decrypted is not what was encrypted.
        ErrorKind::InvalidData | ErrorKind::InvalidInput => damaged(error.to_string()),
        _ => Damage::Unreadable(error),
    }
}

/// A tar that is read block by block, hashed as it passes.
struct Tar<R> {
    input: R,
    hash: Sha256,
}

impl<R: Read> Tar<R> {
    fn new(input: R) -> Self {
        Self { input, hash: Sha256::new() }
    }

    fn read(mut self, take: &mut Take<'_>) -> Result<(Manifest, End), Damage> {
        let (name, size, _) = self.head()?;
        if name != MANIFEST {
            return Err(Damage::Foreign);
        }
        let manifest = manifest(&self.small(size)?)?;
        let (name, size, _) = self.head()?;
        if name != ARCHIVE || size != manifest.archive_bytes {
            return Err(damaged("the archive is not where it should be"));
        }
        self.archive(size, take)?;
        let (mut files, mut file_bytes) = (0, 0);
        loop {
            let before = self.hash.clone();
            let (name, size, block) = self.head()?;
            if name == END {
                let end = self.end(&manifest, before, size, &block)?;
                if (end.files, end.file_bytes) != (files, file_bytes) {
                    return Err(damaged(format!("it should have {} files of images and has {files}", end.files)));
                }
                return Ok((manifest, end));
            }
            let image = name.strip_prefix(IMAGES).filter(|name| is_an_image(name) && size <= IMAGE_MAX);
            let image = image.ok_or_else(|| damaged("a part of it is none that Natter writes"))?;
            let bytes = self.body(size)?;
            files += 1;
            file_bytes += size;
            take(Part::Image(image, bytes)).map_err(Damage::Refused)?;
        }
    }

    /// The name and the size of the part that comes, and the block itself.
    fn head(&mut self) -> Result<(String, u64, [u8; BLOCK]), Damage> {
        let mut block = [0; BLOCK];
        self.fill(&mut block)?;
        if block.iter().all(|byte| *byte == 0) {
            return Err(damaged("its end is missing"));
        }
        let mut found = Header::new_ustar();
        found.as_mut_bytes().copy_from_slice(&block);
        let bad = |error: io::Error| damaged(error.to_string());
        let name = found.path().map_err(bad)?.to_str().map(str::to_owned).ok_or_else(|| damaged("a name in it"))?;
        let size = found.entry_size().map_err(bad)?;
        let mut expected = found.clone();
        expected.set_cksum();
        if expected.as_bytes() != &block {
            return Err(damaged(format!("the head of a part behind {}", self.said())));
        }
        Ok((name, size, block))
    }

    fn said(&self) -> String {
        hex(self.hash.clone().finalize()).chars().take(8).collect()
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Damage> {
        self.input.read_exact(bytes).map_err(of_io)?;
        self.hash.update(bytes);
        Ok(())
    }

    fn body(&mut self, size: u64) -> Result<Vec<u8>, Damage> {
        let mut bytes = vec![0; usize::try_from(size).map_err(|_| damaged("a part is too large"))?];
        self.fill(&mut bytes)?;
        self.filling(size)?;
        Ok(bytes)
    }

    fn small(&mut self, size: u64) -> Result<Vec<u8>, Damage> {
        if size > TEXT_MAX { Err(damaged("a part is too large")) } else { self.body(size) }
    }

    fn filling(&mut self, size: u64) -> Result<(), Damage> {
        let mut zeros = [0; BLOCK];
        self.fill(&mut zeros[..filling(size)])?;
        if zeros.iter().all(|byte| *byte == 0) { Ok(()) } else { Err(damaged("there is something between its parts")) }
    }

    fn archive(&mut self, size: u64, take: &mut Take<'_>) -> Result<(), Damage> {
        let mut piece = vec![0; PIECE];
        let mut left = size;
        while left > 0 {
            let some = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
            self.fill(&mut piece[..some])?;
            take(Part::Archive(&piece[..some])).map_err(Damage::Refused)?;
            left -= u64::try_from(some).unwrap_or(left);
        }
        self.filling(size)
    }

    /// The last part, of which every byte is known beforehand but what it says.
    fn end(&mut self, manifest: &Manifest, before: Sha256, size: u64, block: &[u8]) -> Result<End, Damage> {
        if size > TEXT_MAX {
            return Err(damaged("its end is too large"));
        }
        let mut rest = vec![0; usize::try_from(size).unwrap_or(0) + filling(size) + 2 * BLOCK];
        self.fill(&mut rest)?;
        let text = rest.get(..usize::try_from(size).unwrap_or(0)).unwrap_or_default();
        let end: End = serde_json::from_slice(text).map_err(|error| damaged(format!("its end: {error}")))?;
        if end.digest(before).ok().as_ref() != Some(&end.sha256) {
            return Err(damaged("its SHA-256 is another one"));
        }
        let expected = tail(&end, manifest.made_at).map_err(Damage::Unreadable)?;
        if expected != [block, &rest].concat() {
            return Err(damaged("its end"));
        }
        match self.input.read(&mut [0]).map_err(of_io)? {
            0 => Ok(end),
            _ => Err(damaged("something comes after its end")),
        }
    }
}

fn manifest(text: &[u8]) -> Result<Manifest, Damage> {
    // A newer one may have fields that this one cannot know.
    let found: serde_json::Value = serde_json::from_slice(text).map_err(|_| Damage::Foreign)?;
    let version = found.get("natter_backup").and_then(serde_json::Value::as_u64).ok_or(Damage::Foreign)?;
    if version > u64::from(VERSION) {
        return Err(Damage::Newer { found: version });
    }
    let manifest: Manifest =
        serde_json::from_value(found).map_err(|error| damaged(format!("its manifest: {error}")))?;
    Ok(manifest)
}

/// Whether a file of that name is one of an image: nothing else is ever written anywhere.
fn is_an_image(name: &str) -> bool {
    let id = name.strip_suffix(".preview").unwrap_or(name);
    id.parse::<FileId>().is_ok_and(|parsed| parsed.to_string() == id)
}

#[cfg(test)]
mod tests;
