//! What must hold of the maps after every step; tests look.

use super::{Key, Tables};
use std::collections::HashSet;

impl Tables {
    /// What must hold after every step.
    pub fn check_invariants(&self) {
        let alive = |key: Key| self.connections[key as usize].as_ref().expect("an indexed connection is there");
        for (room, slot) in &self.rooms {
            assert!(!slot.members.is_empty(), "a room that nobody hears is forgotten");
            let members: HashSet<_> = slot.members.iter().collect();
            assert_eq!(members.len(), slot.members.len(), "nobody hears a room twice");
            slot.members.iter().for_each(|key| assert!(alive(*key).rooms.contains(room)));
        }
        for (user, keys) in &self.users {
            for key in keys {
                assert_eq!(alive(*key).user, *user);
            }
        }
        for (session, keys) in &self.sessions {
            for key in keys {
                assert_eq!(alive(*key).session, *session);
            }
        }
        let mut entering = 0;
        for (key, connection) in self.connections.iter().enumerate() {
            let Some(connection) = connection else { continue };
            let key = Key::try_from(key).unwrap();
            entering += usize::from(connection.changes.is_some());
            assert!(self.users[&connection.user].contains(&key) && self.sessions[&connection.session].contains(&key));
            connection.rooms.iter().for_each(|room| assert!(self.rooms[room].members.contains(&key)));
        }
        assert_eq!(entering, self.entering);
        assert!(self.entering > 0 || self.recent.is_empty());
    }
}
