//! Paces what is told to the server about having received and read: a busy room must not use up the limit on frames.
//! Only the furthest mark of each room is kept; a read one says received as well.

use crate::state::map::Map;
use natter_shared::frame::ClientFrame;
use natter_shared::id::{RoomId, Seq};

/// At most one mark is told in so many milliseconds.
pub const EVERY_MS: i64 = 700;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Marks {
    received: Seq,
    read: Seq,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watermarks {
    wanted: Map<RoomId, Marks>,
    told: Map<RoomId, Marks>,
    last: i64,
}

impl Watermarks {
    pub fn received(&mut self, room: RoomId, seq: Seq) {
        let marks = self.wanted.or_insert_with(room, Marks::default);
        marks.received = marks.received.max(seq);
    }

    pub fn read(&mut self, room: RoomId, seq: Seq) {
        let marks = self.wanted.or_insert_with(room, Marks::default);
        marks.read = marks.read.max(seq);
    }

    /// The next mark to tell, if one may be told now. Reading goes first: somebody looks at it.
    pub fn due(&mut self, now: i64) -> Option<ClientFrame> {
        if now < self.last.saturating_add(EVERY_MS) && now >= self.last {
            return None;
        }
        let told = &mut self.told;
        self.wanted.retain(|room, marks| {
            let known = told.get(room).copied().unwrap_or_default();
            marks.read > known.read || marks.received > known.received.max(known.read)
        });
        let unread = |room: &RoomId, marks: &Marks| marks.read > told.get(room).copied().unwrap_or_default().read;
        let next = self.wanted.iter().find(|(room, marks)| unread(room, marks)).or_else(|| self.wanted.iter().next());
        let (room, marks) = next.map(|(room, marks)| (*room, *marks))?;
        let known = told.or_insert_with(room, Marks::default);
        self.last = now;
        if marks.read > known.read {
            known.read = marks.read;
            return Some(ClientFrame::Read { room, seq: marks.read });
        }
        known.received = marks.received;
        Some(ClientFrame::Received { room, seq: marks.received })
    }

    /// The connection is gone, and perhaps what was told last with it; the next welcome says what the server knows.
    pub fn forget(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seq(n: u64) -> Seq {
        Seq::new(n).unwrap()
    }

    #[test]
    fn a_busy_room_costs_one_frame_at_a_time() {
        let room = RoomId::from_bytes([1; 16]);
        let mut marks = Watermarks::default();
        let mut frames = Vec::new();
        for n in 1..=600 {
            marks.received(room, seq(n));
            frames.extend(marks.due(i64::try_from(n).unwrap() * 100));
        }
        // A minute at ten messages a second.
        assert!(frames.len() <= 90, "{}", frames.len());
        frames.extend(marks.due(70_000));
        assert_eq!(frames.last(), Some(&ClientFrame::Received { room, seq: seq(600) }));
        assert_eq!(marks.due(80_000), None);
    }

    #[test]
    fn reading_says_received_too_and_goes_first() {
        let (a, b) = (RoomId::from_bytes([1; 16]), RoomId::from_bytes([2; 16]));
        let mut marks = Watermarks::default();
        marks.received(a, seq(5));
        marks.received(b, seq(3));
        marks.read(b, seq(3));
        assert_eq!(marks.due(1_000), Some(ClientFrame::Read { room: b, seq: seq(3) }));
        assert_eq!(marks.due(1_100), None);
        assert_eq!(marks.due(2_000), Some(ClientFrame::Received { room: a, seq: seq(5) }));
        assert_eq!(marks.due(3_000), None);
    }

    #[test]
    fn after_a_lost_connection_marks_are_told_anew() {
        let room = RoomId::from_bytes([1; 16]);
        let mut marks = Watermarks::default();
        marks.read(room, seq(5));
        assert!(marks.due(1_000).is_some());
        marks.forget();
        marks.read(room, seq(5));
        assert!(marks.due(1_001).is_some());
    }
}
