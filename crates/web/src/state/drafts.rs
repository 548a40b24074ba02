//! What is typed and not yet sent, for each room. Kept over a reload.

use crate::state::map::Map;
use natter_shared::id::RoomId;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drafts(Map<RoomId, String>);

impl Drafts {
    pub fn get(&self, room: RoomId) -> &str {
        self.0.get(&room).map_or("", String::as_str)
    }

    /// Keeps a draft; an empty one is forgotten. Says whether anything changed.
    pub fn set(&mut self, room: RoomId, text: &str) -> bool {
        if self.get(room) == text {
            return false;
        }
        if text.is_empty() {
            self.0.remove(&room);
        } else {
            self.0.insert(room, text.to_owned());
        }
        true
    }
}
