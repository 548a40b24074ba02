//! For the tests of accounts and logins: the real store in a folder of its own, the real bus overheard, settings of one's
//! choice, and a clock that is told to go on.

use crate::bus::Notice;
use crate::clock::{Clock, ManualClock, SystemEntropy};
use crate::service::events::Events;
use crate::service::token::SigningKeys;
use crate::service::{Origin, Parts, Settings};
use crate::stage::Heard;
use crate::store::sqlite::{Options, Sqlite};
use natter_shared::id::{SessionId, UserId};
use natter_shared::timestamp::Timestamp;
use std::sync::Arc;
use tempfile::TempDir;

pub struct Scene {
    pub parts: Parts,
    pub clock: Arc<ManualClock>,
    heard: Arc<Heard>,
    folder: TempDir,
}

impl Scene {
    /// The cheapest passwords, no rates, one signing key.
    pub fn new() -> Self {
        Self::with(|_| ())
    }

    pub fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Sqlite::open(folder.path().join("natter.db"), Options::default()).unwrap());
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_800_000_000_000)));
        let heard = Arc::new(Heard::new(Arc::<ManualClock>::clone(&clock)));
        let mut settings = Settings {
            access_ttl_s: 900,
            refresh_ttl_s: 86_400,
            bcrypt_cost: 4,
            password_min: 10,
            rate_limits: false,
            keys: SigningKeys::new([1; 32], []),
            public_url: "https://chat.example.org".to_owned(),
        };
        change(&mut settings);
        // Whoever tests the log of events starts it; for the others nothing is kept.
        let events = Events::start(Arc::clone(&store) as _, Arc::clone(&clock) as _, Arc::new(SystemEntropy), 0);
        let parts = Parts {
            events,
            store,
            bus: Arc::<Heard>::clone(&heard),
            clock: Arc::<ManualClock>::clone(&clock),
            entropy: Arc::new(SystemEntropy),
            settings: Arc::new(settings),
        };
        Self { parts, clock, heard, folder }
    }

    /// The same store, bus and clock under other settings: a server that was started again.
    pub fn restarted_with(&self, change: impl FnOnce(&mut Settings)) -> Parts {
        let mut settings = (*self.parts.settings).clone();
        change(&mut settings);
        Parts { settings: Arc::new(settings), ..self.parts.clone() }
    }

    /// Disables an account in the file itself, behind the server's back.
    pub fn disables(&self, user: UserId) {
        let file = rusqlite::Connection::open(self.folder.path().join("natter.db")).unwrap();
        file.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
        let changed = file.execute("UPDATE users SET disabled = 1 WHERE id = ?1", [user.as_bytes()]).unwrap();
        assert_eq!(changed, 1, "there is such an account");
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn passes_seconds(&self, seconds: i64) {
        self.clock.advance_millis(seconds * 1_000);
    }

    /// The logins that were said to have ended since this was asked last.
    pub fn ended(&self) -> Vec<SessionId> {
        let heard = self.heard.all();
        self.heard.forget();
        let ended = heard.into_iter().filter_map(|notice| match notice {
            Notice::SessionsEnded { sessions } => Some(sessions),
            _ => None,
        });
        ended.flatten().collect()
    }
}

/// A browser at that address.
pub fn from(ip: &str) -> Origin {
    Origin { ip: ip.parse().unwrap(), user_agent: "Firefox/140.0 on a desk".to_owned() }
}
