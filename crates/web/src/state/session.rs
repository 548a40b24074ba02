//! Who is signed in, and how the connection stands. Tokens are not part of it: they stay with those who send them.

use natter_shared::account::User;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Auth {
    /// The server has not yet said whether this browser is signed in.
    #[default]
    Unknown,
    /// `ended`: the login ended without the person asking for it (expired, revoked, ended elsewhere).
    SignedOut {
        ended: bool,
    },
    SignedIn {
        user: User,
    },
}

/// How the connection stands. Times are milliseconds since 1970.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Status {
    /// For the first time in this tab.
    #[default]
    Connecting,
    Live,
    /// Lost at `since`, tried again at `retry_at`.
    Reconnecting {
        since: i64,
        retry_at: i64,
    },
    /// The browser says that there is no network, since `since`.
    Offline {
        since: i64,
    },
    /// The server does not let this login connect. Signing in again or loading the page again may help.
    Refused,
}
