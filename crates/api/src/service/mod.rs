//! The rules: who may do what, and what follows. REST, WebSocket and event streams call the same functions here. A service
//! checks, writes through a store, and only then tells the sockets through the bus; it knows neither HTTP nor SQL.

mod access;
pub mod accounts;
pub mod admin;
pub mod deletion;
pub mod events;
pub mod guests;
pub mod integrations;
pub mod log_writer;
pub mod marks;
mod mentions;
pub mod messages;
pub mod operations;
pub mod password;
pub mod pictures;
pub mod presence;
pub mod rate;
pub mod rooms;
pub mod sessions;
pub mod strength;
pub mod throttle;
pub mod token;
pub mod work;

use crate::bus::Bus;
use crate::clock::{Clock, Entropy};
use crate::store::Store;
use events::Events;
use natter_shared::id::{SessionId, UserId};
use natter_shared::integration::Scopes;
use natter_shared::timestamp::Timestamp;
use std::net::IpAddr;
use std::sync::Arc;
use token::SigningKeys;

/// Who asks: an authenticated login, or an integration. Only `Sessions::authenticate` and `Integrations` make one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    pub user: UserId,
    /// For an integration its own id.
    pub session: SessionId,
    /// The end of the access token that was shown.
    pub expires_at: Timestamp,
    /// Somebody without an account, when the token was given.
    pub guest: bool,
    /// What an integration may; nothing for a person, who may what their role lets them.
    pub bot: Option<Scopes>,
}

/// Where a request comes from, for rates and for the list of logins.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The address of the peer, as the edge determined it; never taken from a header that a stranger can write.
    pub ip: IpAddr,
    /// The browser as it names itself; services shorten it before it is kept.
    pub user_agent: String,
}

/// What every service is built from.
#[derive(Clone)]
pub struct Parts {
    pub store: Arc<dyn Store>,
    pub bus: Arc<dyn Bus>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub settings: Arc<Settings>,
    pub events: Events,
}

/// The settings that services read, already checked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Life of an access token, in seconds: 1 to 3600.
    pub access_ttl_s: u64,
    /// Life of a login from its beginning, in seconds; refreshing does not move its end.
    pub refresh_ttl_s: u64,
    /// bcrypt's work factor, 4 to 31; each step doubles the time.
    pub bcrypt_cost: u32,
    /// The fewest code points of a new password.
    pub password_min: usize,
    /// `false` only for load tests.
    pub rate_limits: bool,
    pub keys: SigningKeys,
    /// Scheme, host and port by which browsers reach this server, without a slash at the end.
    pub public_url: String,
}
