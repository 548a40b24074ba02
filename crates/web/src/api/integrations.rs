//! The webhooks and bots of a room.

use super::client::{Api, Method};
use super::error::ApiError;
use natter_shared::account::Empty;
use natter_shared::id::{RoomId, UserId};
use natter_shared::integration::{Integration, IntegrationForm, MadeIntegration};
use natter_shared::page::Page;
use natter_shared::path;

/// Those that live, then the ones that were revoked last.
pub async fn all(api: &Api, room: RoomId) -> Result<Vec<Integration>, ApiError> {
    let page: Page<Integration> = api.get(&path::integrations(room)).await?;
    Ok(page.items)
}

/// Makes one. The answer is the only one that holds its secret.
pub async fn make(api: &Api, room: RoomId, form: &IntegrationForm) -> Result<MadeIntegration, ApiError> {
    api.send(Method::Post, &path::integrations(room), Some(form)).await
}

/// Revokes one and makes another like it.
pub async fn renew(api: &Api, room: RoomId, user: UserId) -> Result<MadeIntegration, ApiError> {
    api.send(Method::Post, &path::integration(room, user), Some(&Empty {})).await
}

pub async fn revoke(api: &Api, room: RoomId, user: UserId) -> Result<(), ApiError> {
    api.send(Method::Delete, &path::integration(room, user), None::<&Empty>).await
}
