//! Files too large for memory in a bucket, such as backups: written in parts, and there when the last one is; read by ranges.

use super::place::FilesPlace;
use super::{FilesError, bucket, remove};
use bytes::Bytes;
use object_store::aws::AmazonS3;
use object_store::path::Path;
use object_store::{Error, MultipartUpload, ObjectStore, PutPayload};
use std::ops::Range;
use std::time::Duration;

/// A part or a range that does not get through is given up after so long, all tries together.
const PATIENCE: Duration = Duration::from_mins(5);
/// The smallest part but the last one; and how many parts there may be, a little below what S3 takes.
const PART: u64 = 8 * 1024 * 1024;
const PARTS: u64 = 9_000;

/// A bucket, or what lies in it below a prefix.
pub struct LargeBucket {
    store: AmazonS3,
    prefix: Path,
}

impl LargeBucket {
    /// `None` if the place is a folder. The bucket must be there; it is first spoken to when it is used.
    pub fn open(place: &FilesPlace) -> Result<Option<Self>, FilesError> {
        let FilesPlace::S3 { bucket: name, prefix, endpoint, region, access } = place else { return Ok(None) };
        let store = bucket(name, endpoint.as_deref(), region, access, PATIENCE)?;
        Ok(Some(Self { store, prefix: Path::from(prefix.as_str()) }))
    }

    fn path(&self, name: &str) -> Path {
        self.prefix.child(name)
    }

    /// Names and sizes of all that lies at the prefix itself, in no order.
    pub async fn all(&self) -> Result<Vec<(String, u64)>, FilesError> {
        let found = self.store.list_with_delimiter(Some(&self.prefix)).await?;
        let named =
            found.objects.into_iter().map(|it| (it.location.filename().unwrap_or_default().to_owned(), it.size));
        Ok(named.collect())
    }

    /// `None` if there is none of that name.
    pub async fn size(&self, name: &str) -> Result<Option<u64>, FilesError> {
        match self.store.head(&self.path(name)).await {
            Ok(found) => Ok(Some(found.size)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    pub async fn range(&self, name: &str, range: Range<u64>) -> Result<Bytes, FilesError> {
        Ok(self.store.get_range(&self.path(name), range).await?)
    }

    /// Deletes it, if it is there.
    pub async fn delete(&self, name: &str) -> Result<(), FilesError> {
        remove(&self.store, &self.path(name)).await
    }

    /// Begins a file of about so many bytes, which is there under its name once it was finished.
    pub async fn begin(&self, name: &str, about: u64) -> Result<LargeUpload, FilesError> {
        let part = usize::try_from(about.div_ceil(PARTS).max(PART)).unwrap_or(usize::MAX);
        let upload = self.store.put_multipart(&self.path(name)).await?;
        Ok(LargeUpload { upload, part, held: Vec::new() })
    }
}

/// A file on its way into a bucket.
pub struct LargeUpload {
    upload: Box<dyn MultipartUpload>,
    /// Bytes of each part but the last one.
    part: usize,
    held: Vec<u8>,
}

impl LargeUpload {
    pub async fn put(&mut self, bytes: &[u8]) -> Result<(), FilesError> {
        self.held.extend_from_slice(bytes);
        while self.held.len() >= self.part {
            let rest = self.held.split_off(self.part);
            let part = std::mem::replace(&mut self.held, rest);
            self.upload.put_part(PutPayload::from(part)).await?;
        }
        Ok(())
    }

    pub async fn finish(&mut self) -> Result<(), FilesError> {
        let last = std::mem::take(&mut self.held);
        if !last.is_empty() {
            self.upload.put_part(PutPayload::from(last)).await?;
        }
        self.upload.complete().await?;
        Ok(())
    }

    /// Forgets the parts. What cannot be forgotten is told in the log: it takes room until the bucket's own rules clear it away.
    pub async fn discard(mut self) {
        if let Err(error) = self.upload.abort().await {
            tracing::warn!(%error, "parts of a file that was given up stay in the bucket");
        }
    }
}
