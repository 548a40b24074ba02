//! Appending to logs.
use super::Shared;
use crate::store::{Appended, NewEntry, StoreError, Stored};
#[derive(Default)]
pub(super) struct Writer;
pub(super) async fn append(_shared: &Shared, _batch: Vec<NewEntry>) -> Stored<Vec<Appended>> {
    Err(StoreError::Broken("being written".into()))
}
