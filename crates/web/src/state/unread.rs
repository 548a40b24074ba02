//! How far one has read in each room, and how many messages are left. Where the count can't be kept by the way it is in
//! doubt, and taken from the timeline or asked for.

use super::{ChatState, Effect};
use natter_shared::entry::{Entry, EntryKind};
use natter_shared::id::{RoomId, Seq};
use natter_shared::limits::UNREAD_MAX;

impl ChatState {
    /// Moves one's own watermark.
    pub(super) fn read_up_to(&mut self, room: RoomId, seq: Seq) {
        let Some(it) = self.rooms.get_mut(room).filter(|it| it.read < seq) else { return };
        it.read = seq;
        it.delivered = it.delivered.max(seq);
        self.changes.rooms = true;
        if seq >= it.head {
            it.unread = 0;
        } else if it.unread > 0 {
            self.uncounted.insert(room);
        }
    }

    /// A deleted message is not unread any more.
    pub(super) fn doubt_unread_after(&mut self, entry: &Entry) {
        if let EntryKind::Deleted { target } = entry.what
            && self.rooms.get(entry.room).is_some_and(|it| it.unread > 0 && target > it.read)
        {
            self.uncounted.insert(entry.room);
        }
    }

    /// Counts where the count is in doubt, as far as the timelines reach. Asks for the rest, until it is counted.
    pub(super) fn count_unread(&mut self) -> Vec<Effect> {
        let mut ask = false;
        for room in std::mem::take(&mut self.uncounted) {
            let Some(it) = self.rooms.get_mut(room) else { continue };
            let timeline = self.timelines.get(&room).filter(|timeline| timeline.reaches_back_to(it.read.next()));
            let Some(timeline) = timeline else {
                ask = true;
                self.uncounted.insert(room);
                continue;
            };
            if timeline.head() < it.head {
                // What is missing in between is being read.
                self.uncounted.insert(room);
                continue;
            }
            it.unread = u32::try_from(timeline.count_new(it.read, it.head)).unwrap_or(u32::MAX).min(UNREAD_MAX);
            self.changes.rooms = true;
        }
        if ask { vec![Effect::LoadRooms] } else { Vec::new() }
    }
}
