//! How often anything may be done: the one table of rates, and the one way to ask for it. Counting is the bus' work.

use super::Parts;
use super::events::Note;
use crate::bus::{Rate, TooOften};
use natter_shared::event::EventKind;
use natter_shared::id::UserId;
use natter_shared::limits;
use std::net::{IpAddr, Ipv6Addr};

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

const fn per(burst: u32, per_ms: u64) -> Rate {
    Rate { burst, per_ms }
}

/// Passwords tried from one address.
pub const LOGIN: Rate = per(20, MINUTE);
/// Accounts made from one address.
pub const REGISTER: Rate = per(5, HOUR);
/// Guests from one address: a class may come at once. There are 31^8 codes.
pub const GUESTS: Rate = per(60, MINUTE);
/// What a registration form asks while it is filled in, and forms that were refused, from one address.
pub const CHECK: Rate = per(60, MINUTE);
/// Refreshes from one address: a house full of tabs may reload at once, a flood may not.
pub const REFRESH: Rate = per(120, MINUTE);
/// Password changes of one person, right or wrong.
pub const PASSWORD: Rate = per(5, 15 * MINUTE);
/// Profile changes of one person.
pub const PROFILE: Rate = per(30, MINUTE);
/// Images sent by one person.
pub const UPLOADS: Rate = per(20, HOUR);
/// Searches for people by one person.
pub const PEOPLE: Rate = per(30, MINUTE);
/// Messages of one person: in a moment, and in the long run.
pub const MESSAGES: Rate = per(20, 2 * SECOND);
pub const MESSAGES_LONG: Rate = per(120, MINUTE);
/// Edits, deletions and reactions of one person.
pub const MESSAGE_CHANGES: Rate = per(120, MINUTE);
/// Searches for messages by one person.
pub const SEARCH: Rate = per(30, MINUTE);
/// Frames of one person's sockets that are no messages, over all of their connections.
pub const FRAMES: Rate = per(120, MINUTE);
/// Notices of typing by one person: one a second on average; two at once, for a client's clock and the network have jitter.
pub const TYPING: Rate = per(2, 2 * limits::TYPING_EVERY_MS);
/// Rooms and direct conversations that one person makes or opens.
pub const ROOMS: Rate = per(30, MINUTE);
/// Whatever else changes a room or one's place in it, by one person.
pub const ROOM_CHANGES: Rate = per(120, MINUTE);
/// Integrations that one person makes, renews or revokes.
pub const INTEGRATIONS: Rate = per(30, MINUTE);
/// Messages of one webhook.
pub const HOOK: Rate = per(20, 20 * SECOND);
/// Secrets of integrations that are not good, from one address. There are 2^256.
pub const SECRETS: Rate = per(60, MINUTE);
/// Calls of one administrator of the server.
pub const ADMIN: Rate = per(120, MINUTE);
/// Join codes tried by one person, and from one address. There are 31^8 codes.
pub const JOIN_CODE: Rate = per(20, MINUTE);

impl Parts {
    /// Takes one out of `what`'s bucket for `whom`; always granted if the settings switch rates off.
    async fn take(
        &self,
        what: &'static str,
        whom: &dyn std::fmt::Display,
        rate: Rate,
        refused: Note,
    ) -> Result<(), TooOften> {
        if !self.settings.rate_limits {
            return Ok(());
        }
        let taken = self.bus.take(&format!("{what}:{whom}"), rate).await;
        if taken.is_err() {
            self.events.note(refused.saying(what));
        }
        taken
    }

    /// Takes one for an address.
    pub async fn take_for_ip(&self, what: &'static str, ip: IpAddr, rate: Rate) -> Result<(), TooOften> {
        self.take(what, &network(ip), rate, Note::of(EventKind::RateLimited).at_ip(ip)).await
    }

    /// Takes one for a person.
    pub async fn take_for_user(&self, what: &'static str, user: UserId, rate: Rate) -> Result<(), TooOften> {
        self.take(what, &user, rate, Note::of(EventKind::RateLimited).by(user)).await
    }
}

/// What counts as one address: an IPv4 address however it is written, and a whole /64 of IPv6, which is what one customer
/// is given.
pub fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64))),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_customer_is_one_address() {
        for (a, b, same) in [
            ("203.0.113.7", "::ffff:203.0.113.7", true),
            ("203.0.113.7", "203.0.113.8", false),
            ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true),
            ("2001:db8:1:2::1", "2001:db8:1:3::1", false),
        ] {
            assert_eq!(network(a.parse().unwrap()) == network(b.parse().unwrap()), same, "{a} {b}");
        }
    }
}
