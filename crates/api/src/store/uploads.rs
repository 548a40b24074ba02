//! Images: whose they are and to which message they belong. Their bytes lie elsewhere (`files`).

use super::Stored;
use async_trait::async_trait;
use natter_shared::file::ImageKind;
use natter_shared::id::{ClientId, FileId, RoomId, UserId};
use natter_shared::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

/// An image as noted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadRecord {
    pub id: FileId,
    pub owner: UserId,
    pub kind: ImageKind,
    /// What the smaller one for timelines is kept as; `None` if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview: Option<ImageKind>,
    /// Of both.
    pub bytes: u64,
    pub created_at: Timestamp,
    /// A person's picture, for all who are signed in.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub avatar: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub posted: Option<Posted>,
}

/// The message of the image's owner to which it belongs. Who may see that message may see the image, as long as the message
/// names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posted {
    pub room: RoomId,
    pub client_id: ClientId,
}

#[async_trait]
pub trait Uploads: Send + Sync + 'static {
    /// Notes an image whose bytes are kept. Again changes nothing.
    async fn add_upload(&self, upload: UploadRecord) -> Stored<()>;
    async fn upload(&self, id: FileId) -> Stored<Option<UploadRecord>>;
    /// Makes these images belong to a message of `owner` that is about to be sent. `false` if one is not there, somebody
    /// else's, a person's picture, or another message's: then the message must not be sent.
    async fn post_uploads(&self, ids: &[FileId], owner: UserId, posted: Posted) -> Stored<bool>;
    /// How many bytes all images of a person take.
    async fn uploaded_bytes(&self, owner: UserId) -> Stored<u64>;
    /// Forgets these images, and returns those that were there.
    async fn drop_uploads(&self, ids: &[FileId]) -> Stored<Vec<UploadRecord>>;
    /// Forgets the images of a person that are in no message, their picture too, and returns them.
    async fn drop_own_uploads(&self, owner: UserId) -> Stored<Vec<UploadRecord>>;
    /// Forgets up to `limit` images from before `before` that were never sent and are nobody's picture, and returns them.
    async fn drop_idle_uploads(&self, before: Timestamp, limit: u32) -> Stored<Vec<UploadRecord>>;
}
