//! What is saved of the state for a time without a network, and putting it back: the rooms, and the newest messages of those
//! that were open. Where it is kept is the browser's business. From then on it is caught up with as after any lost
//! connection.

use super::timeline::{Load, Timeline};
use super::{ChatState, Set};
use natter_shared::account::User;
use natter_shared::id::RoomId;
use natter_shared::page::MessagePage;
use natter_shared::room::RoomOverview;

/// So many messages of a room are saved.
pub const SAVED_MESSAGES: usize = 100;
/// So many rooms are saved with their messages, those that changed last.
pub const SAVED_ROOMS: usize = 50;

/// What was saved of one person's state.
#[derive(Debug, Clone)]
pub struct Saved {
    pub user: User,
    pub rooms: Vec<RoomOverview>,
    pub pages: Vec<(RoomId, MessagePage)>,
}

/// What has changed since it was last saved.
#[derive(Debug, Default)]
pub struct Unsaved {
    pub rooms: bool,
    pub timelines: Set<RoomId>,
}

impl Unsaved {
    pub fn is_empty(&self) -> bool {
        !self.rooms && self.timelines.is_empty()
    }
}

/// Which rooms are saved from now on, what changed last first, and which are not any more.
pub fn keep_rooms(saved: &[RoomId], changed: impl Iterator<Item = RoomId>) -> (Vec<RoomId>, Vec<RoomId>) {
    let mut keep: Vec<RoomId> = changed.collect();
    for room in saved {
        if !keep.contains(room) {
            keep.push(*room);
        }
    }
    let dropped = keep.split_off(keep.len().min(SAVED_ROOMS));
    (keep, dropped)
}

impl ChatState {
    /// The newest messages of a room as they stand; `None` if they are not loaded.
    pub fn page_to_save(&self, room: RoomId) -> Option<MessagePage> {
        self.timelines.get(&room)?.newest_page(SAVED_MESSAGES)
    }

    /// Shows what was saved of the person who was signed in last. The server has not been asked yet.
    pub fn restore(&mut self, saved: Saved) {
        let Saved { user, rooms, pages } = saved;
        let me = user.id;
        self.sign_in(user);
        self.restored = true;
        for it in &rooms {
            self.learn_from(it);
        }
        self.rooms.replace(rooms);
        for (room, page) in pages {
            if !self.rooms.contains(room) {
                continue;
            }
            for message in &page.messages {
                self.people.learn_author(&message.author);
            }
            let mut timeline = Timeline::new(me, self.offset_min, None);
            timeline.load = Load::Loading;
            timeline.reset(page);
            self.timelines.insert(room, timeline);
            self.changes.timelines.insert(room);
        }
        self.changes.rooms = true;
        self.changes.people = true;
        self.changes.status = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(n: u8) -> RoomId {
        RoomId::from_bytes([n; 16])
    }

    #[test]
    fn what_changed_last_is_kept_and_the_oldest_goes() {
        let most = u8::try_from(SAVED_ROOMS).unwrap();
        let saved: Vec<RoomId> = (0..most).map(room).collect();
        let (keep, dropped) = keep_rooms(&saved, [room(3), room(200)].into_iter());
        assert_eq!(keep.len(), SAVED_ROOMS);
        assert_eq!(keep[..3], [room(3), room(200), room(0)]);
        assert_eq!(dropped, [room(most - 1)]);
        assert_eq!(keep_rooms(&[], std::iter::empty()), (vec![], vec![]));
    }
}
