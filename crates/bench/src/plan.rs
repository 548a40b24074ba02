//! How long and how often everything is measured, and with how many. Every wait of a benchmark has its bound here.

use std::time::Duration;

/// Members of the rooms of W1.
pub const ROOMS: [usize; 2] = [100, 1_000];
/// Messages in flight in W1 and in W8.
pub const ROOM_IN_FLIGHT: [usize; 3] = [1, 8, 64];
pub const ACKS_IN_FLIGHT: [usize; 4] = [1, 8, 64, 512];
/// One connection carries at most so many in flight; more need more senders, each with a room of its own.
pub const IN_FLIGHT_A_SENDER: usize = 64;
/// Idle connections of one person, and people of one room, in W3.
pub const CONNECTIONS_A_PERSON: usize = 10;
pub const PEOPLE_A_ROOM: usize = 10;
/// Sign-ins that are under way at a time.
pub const SIGN_INS: usize = 64;

/// How long a server may take to start, and how long a sign-in, and the last messages of a cell.
pub const START: Duration = Duration::from_mins(1);
pub const SIGN_IN: Duration = Duration::from_secs(30);
pub const DRAIN: Duration = Duration::from_secs(20);
/// How long a server may take to come to rest before the next one is measured.
pub const REST: Duration = Duration::from_secs(15);

pub struct Plan {
    pub quick: bool,
    pub rounds: usize,
    /// Load that is not measured, before each cell.
    pub warm_up: Duration,
    /// What is measured of each cell.
    pub window: Duration,
    /// Connections that do nothing, and how long they are watched.
    pub idle: usize,
    pub watch: Duration,
}

impl Plan {
    pub const fn whole() -> Self {
        Self {
            quick: false,
            rounds: 3,
            warm_up: Duration::from_secs(1),
            window: Duration::from_secs(5),
            idle: 10_000,
            watch: Duration::from_secs(20),
        }
    }

    pub const fn quick() -> Self {
        Self {
            quick: true,
            rounds: 1,
            warm_up: Duration::from_millis(300),
            window: Duration::from_millis(1_200),
            idle: 1_000,
            watch: Duration::from_secs(3),
        }
    }
}
