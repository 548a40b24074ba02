//! What every handler and every socket works with: made once by `app.rs`, shared by all workers, never changed.

use crate::bus::Bus;
use crate::clock::{Clock, Entropy};
use crate::config::{Config, Origins};
use crate::service::sessions::Sessions;
use crate::store::Store;
use std::sync::Arc;

pub struct AppState {
    pub sessions: Sessions,
    pub store: Arc<dyn Store>,
    pub bus: Arc<dyn Bus>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub config: Config,
    /// The pages that browsers may come from.
    pub origins: Origins,
}
