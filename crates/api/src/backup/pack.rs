//! Writes a backup as a stream: a tar of the manifest, the archive, the images and the end, encrypted if there is somebody to
//! encrypt to. Knows no file and no network: what comes out is taken out, piece by piece.

use super::manifest::{ARCHIVE, END, End, IMAGES, MANIFEST, Manifest};
use super::seal::Recipients;
use age::stream::StreamWriter;
use natter_shared::timestamp::Timestamp;
use sha2::{Digest, Sha256};
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use tar::{EntryType, Header};

/// Tar goes by blocks of so many bytes.
pub const BLOCK: usize = 512;

/// What was written and not taken yet.
#[derive(Clone, Default)]
struct Basin(Arc<Mutex<Vec<u8>>>);

impl Write for Basin {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

enum Out {
    Plain(Basin),
    Sealed(StreamWriter<Basin>),
}

pub struct Packer {
    out: Out,
    basin: Basin,
    /// Of all that was put in, before it is encrypted.
    hash: Sha256,
    at: Timestamp,
    /// How much of the part that was begun is still to come, and with how many bytes it is filled up.
    left: u64,
    fill: usize,
    end: End,
}

impl Packer {
    pub fn begin(recipients: &Recipients, manifest: &Manifest) -> io::Result<Self> {
        let basin = Basin::default();
        let out = if recipients.is_empty() {
            Out::Plain(basin.clone())
        } else {
            let encryptor = age::Encryptor::with_recipients(recipients.all()).map_err(io::Error::other)?;
            Out::Sealed(encryptor.wrap_output(basin.clone())?)
        };
        let (hash, at) = (Sha256::new(), manifest.made_at);
        let mut packer = Self { out, basin, hash, at, left: 0, fill: 0, end: End::default() };
        let text = serde_json::to_vec_pretty(manifest)?;
        packer.head(MANIFEST, size(&text))?;
        packer.put(&text)?;
        Ok(packer)
    }

    /// What comes is the archive, of so many bytes.
    pub fn archive(&mut self, bytes: u64) -> io::Result<()> {
        self.head(ARCHIVE, bytes)
    }

    /// What comes is a file of an image, of so many bytes.
    pub fn image(&mut self, name: &str, bytes: u64) -> io::Result<()> {
        self.end.files += 1;
        self.end.file_bytes += bytes;
        self.head(&format!("{IMAGES}{name}"), bytes)
    }

    /// A file of an image should have come and was not there.
    pub fn missing(&mut self) {
        self.end.missing += 1;
    }

    fn head(&mut self, name: &str, bytes: u64) -> io::Result<()> {
        if self.left > 0 {
            return Err(io::Error::other(format!("{} bytes of a part did not come", self.left)));
        }
        self.write(&head(name, bytes, self.at)?)?;
        self.left = bytes;
        self.fill = filling(bytes);
        Ok(())
    }

    /// More of the part that was begun.
    pub fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.left =
            self.left.checked_sub(size(bytes)).ok_or_else(|| io::Error::other("a part is longer than it was"))?;
        self.write(bytes)?;
        if self.left == 0 {
            let fill = std::mem::take(&mut self.fill);
            self.write(&[0; BLOCK][..fill])?;
        }
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hash.update(bytes);
        match &mut self.out {
            Out::Plain(basin) => basin.write_all(bytes),
            Out::Sealed(sealed) => sealed.write_all(bytes),
        }
    }

    /// What has come out since this was asked last.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.basin.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Closes the backup. What is in it, and the last bytes.
    pub fn finish(mut self) -> io::Result<(End, Vec<u8>)> {
        if self.left > 0 {
            return Err(io::Error::other(format!("{} bytes of a part did not come", self.left)));
        }
        self.end.sha256 = self.end.digest(self.hash.clone())?;
        self.write(&tail(&self.end, self.at)?)?;
        match self.out {
            Out::Plain(mut basin) => basin.flush()?,
            Out::Sealed(sealed) => drop(sealed.finish()?),
        }
        let last = std::mem::take(&mut *self.basin.0.lock().unwrap_or_else(PoisonError::into_inner));
        Ok((self.end, last))
    }
}

fn size(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// With how many zeros a part is filled up to whole blocks.
pub fn filling(bytes: u64) -> usize {
    let block = u64::try_from(BLOCK).unwrap_or(u64::MAX);
    usize::try_from((block - bytes % block) % block).unwrap_or(0)
}

/// The block before a part.
pub fn head(name: &str, bytes: u64, at: Timestamp) -> io::Result<[u8; BLOCK]> {
    let mut head = Header::new_ustar();
    head.set_path(name)?;
    head.set_size(bytes);
    head.set_entry_type(EntryType::Regular);
    // Whoever unpacks it by hand gets files that nobody else can read.
    head.set_mode(0o600);
    head.set_mtime(u64::try_from(at.millis() / 1_000).unwrap_or(0));
    head.set_cksum();
    Ok(*head.as_bytes())
}

/// All from the head of the last part on. There is one way to write it, so that every byte of it can be checked.
pub fn tail(end: &End, at: Timestamp) -> io::Result<Vec<u8>> {
    let text = serde_json::to_vec_pretty(end)?;
    let mut tail = head(END, size(&text), at)?.to_vec();
    tail.extend_from_slice(&text);
    // Two empty blocks end a tar.
    tail.resize(tail.len() + filling(size(&text)) + 2 * BLOCK, 0);
    Ok(tail)
}
