//! Search.
use super::Shared;
use crate::store::{Search, StoreError, Stored};
use natter_shared::entry::Message;
pub(super) async fn search(_shared: &Shared, _ask: &Search) -> Stored<Vec<Message>> {
    Err(StoreError::Broken("being written".into()))
}
