//! Images that people upload: what the server says of one.

use crate::id::FileId;
use serde::{Deserialize, Serialize};

/// The answer to POST /files. The id is what a message's `attachments` name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Uploaded {
    pub id: FileId,
    /// Where the image is read, with a login. A smaller one for a timeline is read at the same with `/preview` behind it.
    pub url: String,
    /// In pixels, as it is kept: a very large image is made smaller.
    pub width: u16,
    pub height: u16,
    /// As it is kept.
    pub bytes: u64,
}

/// What an image is kept as, whatever it was sent as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImageKind {
    Png,
    Jpeg,
    Gif,
}

impl ImageKind {
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Gif => "image/gif",
        }
    }
}
