//! The index of words.
use super::Shared;
use std::sync::Arc;
#[derive(Default)]
pub(super) struct Indexer;
pub(super) fn start(_shared: &Arc<Shared>) {}
