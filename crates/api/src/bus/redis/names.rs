//! Which key and which channel is for what. Everything begins with the prefix of the system; channels also name the
//! database, for what is published is heard in all of them.

use crate::bus::Notice;
use natter_shared::id::{RoomId, UserId};

/// Channels for what concerns one room. A cluster spreads them over its servers.
const ROOM_CHANNELS: usize = 16;

#[derive(Debug, Clone)]
pub struct Names {
    prefix: String,
    rooms: Vec<String>,
    people: String,
}

impl Names {
    pub fn new(prefix: &str, database: u16) -> Self {
        let rooms = (0..ROOM_CHANNELS).map(|shard| format!("{prefix}{database}:room:{shard}")).collect();
        Self { prefix: prefix.to_owned(), rooms, people: format!("{prefix}{database}:people") }
    }

    /// All channels.
    pub fn channels(&self) -> Vec<String> {
        self.rooms.iter().chain([&self.people]).cloned().collect()
    }

    /// The channel of a notice. What concerns one room keeps its order; the rest has one order among itself.
    pub fn channel(&self, notice: &Notice) -> &str {
        match notice {
            Notice::Entries { room, .. } | Notice::Room { room, .. } | Notice::Subscribe { room, .. } => {
                &self.rooms[shard(*room)]
            }
            Notice::Rooms { .. } | Notice::Users { .. } | Notice::Everyone { .. } | Notice::SessionsEnded { .. } => {
                &self.people
            }
        }
    }

    /// Sorted set: each node's lease by the moment at which it ends.
    pub fn nodes(&self) -> String {
        format!("{}nodes", self.prefix)
    }

    /// Set: who is online through a node.
    pub fn people_of(&self, node: &str) -> String {
        format!("{}people:{node}", self.prefix)
    }

    /// Set: the nodes through which somebody is online.
    pub fn nodes_of(&self, user: UserId) -> String {
        format!("{}user:{user}", self.prefix)
    }

    /// The node that tells what became of a dead node's people.
    pub fn claim(&self, node: &str) -> String {
        format!("{}claim:{node}", self.prefix)
    }

    /// A bucket of a rate.
    pub fn rate(&self, bucket: &str) -> String {
        format!("{}rate:{bucket}", self.prefix)
    }
}

fn shard(room: RoomId) -> usize {
    // The last byte of a random id is as random as any.
    usize::from(room.as_bytes()[15]) % ROOM_CHANNELS
}

#[cfg(test)]
mod tests {
    use super::*;
    use natter_shared::frame::ServerFrame;

    #[test]
    fn a_room_has_one_channel_and_every_notice_has_one() {
        let names = Names::new("natter:", 3);
        let user = UserId::from_bytes([1; 16]);
        let mut seen = std::collections::HashSet::new();
        for n in 0..=u8::MAX {
            let room = RoomId::from_bytes([n; 16]);
            let entries = names.channel(&Notice::Entries { room, entries: std::sync::Arc::default() });
            let typing = Notice::Room { room, except: None, frame: ServerFrame::Typing { room, user } };
            assert_eq!(entries, names.channel(&typing));
            seen.insert(entries.to_owned());
        }
        seen.insert(names.channel(&Notice::SessionsEnded { sessions: Vec::new() }).to_owned());
        let mut seen: Vec<String> = seen.into_iter().collect();
        let mut all = names.channels();
        seen.sort();
        all.sort();
        assert_eq!(seen, all);
        assert!(all.iter().all(|name| name.starts_with("natter:3:")));
    }
}
