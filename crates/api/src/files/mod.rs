//! Where the bytes of images lie: a folder, or a bucket that speaks S3. What they are, whose, and who may see them stands in
//! the store; here a name leads to bytes that never change.

mod large;
mod place;

#[cfg(test)]
mod tests;

pub use large::{LargeBucket, LargeUpload};
pub use place::{ACCEPTS, FilesPlace};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::TryStreamExt;
use futures_util::stream::BoxStream;
use natter_shared::id::FileId;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ClientOptions, Error, ObjectMeta, ObjectStore, PutPayload, RetryConfig};
use std::fs::File;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// A bucket that does not answer is given up after so long, all tries together.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why bytes could not be kept or read; for the log.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    #[error("the place of images: {0}")]
    Place(#[from] Error),
    #[error("the folder of images: {0}")]
    Folder(#[from] io::Error),
}

/// The bytes of a file as they come.
pub struct Opened {
    /// How many there are.
    pub size: u64,
    pub bytes: BoxStream<'static, Result<Bytes, FilesError>>,
}

/// Bytes by name. A name is a file's id, with or without an ending; it is written once.
#[async_trait]
pub trait Files: Send + Sync + 'static {
    /// Keeps the bytes, durably when it returns. Whoever reads the name meanwhile finds nothing or all of them.
    async fn put(&self, name: &str, bytes: Bytes) -> Result<(), FilesError>;
    /// `None` if there is no such file.
    async fn open(&self, name: &str) -> Result<Option<Opened>, FilesError>;
    /// Forgets the bytes, if they are there.
    async fn delete(&self, name: &str) -> Result<(), FilesError>;
    /// The names of all, with how many bytes each has, in no order.
    fn all(&self) -> BoxStream<'static, Result<(String, u64), FilesError>>;
}

/// The name of the smaller one of an image, for timelines.
pub fn preview_of(id: FileId) -> String {
    format!("{id}.preview")
}

/// Opens the place that the settings name. A folder is made; a bucket must be there, and is first spoken to when it is used.
pub fn open(place: &FilesPlace) -> Result<Arc<dyn Files>, FilesError> {
    match place {
        FilesPlace::Folder(folder) => {
            std::fs::create_dir_all(folder)?;
            Ok(Arc::new(Folder(LocalFileSystem::new_with_prefix(folder)?)))
        }
        FilesPlace::S3 { prefix, bucket: name, endpoint, region, access } => {
            let store = bucket(name, endpoint.as_deref(), region, access, PATIENCE)?;
            Ok(Arc::new(Bucket { store, prefix: prefix.clone() }))
        }
    }
}

/// A bucket that is given up after `patience`, all tries together.
fn bucket(
    name: &str,
    endpoint: Option<&str>,
    region: &str,
    access: &place::Access,
    patience: Duration,
) -> Result<AmazonS3, FilesError> {
    let retry = RetryConfig { max_retries: 3, retry_timeout: patience, ..RetryConfig::default() };
    let plain = endpoint.is_some_and(|url| url.starts_with("http://"));
    let client = ClientOptions::new().with_timeout(patience).with_connect_timeout(PATIENCE / 4);
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(name)
        .with_region(region)
        .with_access_key_id(&access.id)
        .with_secret_access_key(&access.secret)
        .with_retry(retry)
        .with_client_options(client.with_allow_http(plain))
        .with_allow_http(plain);
    if let Some(endpoint) = endpoint {
        builder = builder.with_endpoint(endpoint);
    }
    Ok(builder.build()?)
}

/// Names lie in 256 folders, by their first two letters.
fn spread(prefix: &str, name: &str) -> Path {
    let first = name.get(..2).unwrap_or(name);
    // A prefix may be several folders, and is none of the names that are spelled anew if they have a slash.
    Path::from(prefix).child(first).child(name)
}

fn all_of(store: &impl ObjectStore, prefix: &str) -> BoxStream<'static, Result<(String, u64), FilesError>> {
    let prefix = (!prefix.is_empty()).then(|| Path::from(prefix));
    let named = |it: ObjectMeta| (it.location.filename().unwrap_or_default().to_owned(), it.size);
    Box::pin(store.list(prefix.as_ref()).map_ok(named).map_err(FilesError::from))
}

async fn read(store: &impl ObjectStore, path: &Path) -> Result<Option<Opened>, FilesError> {
    match store.get(path).await {
        Ok(found) => {
            let size = found.meta.size;
            Ok(Some(Opened { size, bytes: Box::pin(found.into_stream().map_err(FilesError::from)) }))
        }
        Err(Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn remove(store: &impl ObjectStore, path: &Path) -> Result<(), FilesError> {
    match store.delete(path).await {
        Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// A place that is gone with the test.
#[cfg(test)]
pub(crate) fn in_memory() -> Arc<dyn Files> {
    Arc::new(Bucket { store: object_store::memory::InMemory::new(), prefix: String::new() })
}

struct Folder(LocalFileSystem);

#[async_trait]
impl Files for Folder {
    async fn put(&self, name: &str, bytes: Bytes) -> Result<(), FilesError> {
        let path = spread("", name);
        self.0.put(&path, PutPayload::from_bytes(bytes)).await?;
        // The library renames a finished file into its place; that it stays there after a power cut is ours to see to.
        let file = self.0.path_to_filesystem(&path)?;
        let synced = tokio::task::spawn_blocking(move || {
            File::open(&file)?.sync_all()?;
            file.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
        });
        Ok(synced.await.map_err(io::Error::other)??)
    }

    async fn open(&self, name: &str) -> Result<Option<Opened>, FilesError> {
        read(&self.0, &spread("", name)).await
    }

    async fn delete(&self, name: &str) -> Result<(), FilesError> {
        remove(&self.0, &spread("", name)).await
    }

    fn all(&self) -> BoxStream<'static, Result<(String, u64), FilesError>> {
        all_of(&self.0, "")
    }
}

struct Bucket<S> {
    store: S,
    prefix: String,
}

#[async_trait]
impl<S: ObjectStore> Files for Bucket<S> {
    async fn put(&self, name: &str, bytes: Bytes) -> Result<(), FilesError> {
        self.store.put(&spread(&self.prefix, name), PutPayload::from_bytes(bytes)).await?;
        Ok(())
    }

    async fn open(&self, name: &str) -> Result<Option<Opened>, FilesError> {
        read(&self.store, &spread(&self.prefix, name)).await
    }

    async fn delete(&self, name: &str) -> Result<(), FilesError> {
        remove(&self.store, &spread(&self.prefix, name)).await
    }

    fn all(&self) -> BoxStream<'static, Result<(String, u64), FilesError>> {
        all_of(&self.store, &self.prefix)
    }
}
