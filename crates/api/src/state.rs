//! What every handler and every socket works with: made once by `app.rs`, shared by all workers.

use crate::bus::Bus;
use crate::clock::{Clock, Entropy};
use crate::config::{Config, Origins};
use crate::realtime::doors::Doors;
use crate::realtime::hub::Hub;
use crate::service::accounts::Accounts;
use crate::service::admin::Admin;
use crate::service::deletion::Deletions;
use crate::service::events::Events;
use crate::service::guests::Guests;
use crate::service::integrations::Integrations;
use crate::service::marks::Marks;
use crate::service::messages::Messages;
use crate::service::operations::Operations;
use crate::service::pictures::Pictures;
use crate::service::presence::Presence;
use crate::service::rooms::Rooms;
use crate::service::sessions::Sessions;
use crate::store::Store;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub struct AppState {
    pub sessions: Sessions,
    pub accounts: Accounts,
    pub guests: Guests,
    pub rooms: Arc<Rooms>,
    pub messages: Arc<Messages>,
    pub integrations: Integrations,
    pub pictures: Pictures,
    pub marks: Marks,
    pub presence: Presence,
    pub events: Events,
    pub admin: Admin,
    pub deletions: Deletions,
    /// How long what this node is asked for takes.
    pub operations: Arc<Operations>,
    pub store: Arc<dyn Store>,
    pub bus: Arc<dyn Bus>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub config: Config,
    /// The pages that browsers may come from.
    pub origins: Origins,
    pub hub: Arc<Hub>,
    /// How many connections there may be, and of whom.
    pub doors: Arc<Doors>,
    pub stopping: Stopping,
}

/// Whether the server has been told to stop: from then on it is not ready and takes no new sockets.
#[derive(Debug, Default)]
pub struct Stopping(AtomicBool);

impl Stopping {
    pub fn begin(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    pub fn has_begun(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}
