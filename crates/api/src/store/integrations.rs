//! Integrations as stored: each is a part of the person as whom it speaks, made with them in one step.

use super::{Stored, TokenHash, UserRecord};
use async_trait::async_trait;
use natter_shared::id::{RoomId, UserId};
use natter_shared::integration::{IntegrationKind, Scopes};
use natter_shared::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

/// What makes a person a program. Its name and the time when it was made are the person's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntegrationRecord {
    pub room: RoomId,
    pub kind: IntegrationKind,
    pub scopes: Scopes,
    /// SHA-256 of the secret; unique.
    pub secret: TokenHash,
    pub made_by: UserId,
    pub last_used_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}

#[async_trait]
pub trait Integrations: Send + Sync + 'static {
    /// Whose secret has this hash, also if it was revoked.
    async fn integration_by_secret(&self, secret: TokenHash) -> Stored<Option<UserRecord>>;
    /// The integrations of a room: those that live first, each half with the newest first.
    async fn integrations_of(&self, room: RoomId, limit: u32) -> Stored<Vec<UserRecord>>;
    /// Notes when one was used; never back.
    async fn touch_integration(&self, id: UserId, at: Timestamp) -> Stored<()>;
    /// Revokes one for good; `false` if there is none of that id that lives.
    async fn revoke_integration(&self, id: UserId, at: Timestamp) -> Stored<bool>;
}
