//! Where a reader stands in one room, and what one connection has brought of it.

use std::collections::BTreeSet;

/// What an entry that came is, for this connection and for the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    /// The next one.
    Next,
    /// One that the reader has, and this connection had not brought before: it was read from the log meanwhile.
    Known,
    /// Later than the next one: the ones between must be read.
    Ahead { missing: u64 },
    /// This connection brought it before.
    Doubled,
    /// This connection brought a later one before.
    Late,
}

#[derive(Debug, Clone, Default)]
pub struct Room {
    /// Everything up to here is there.
    cursor: u64,
    /// The head, as far as it is known.
    head: u64,
    /// The last seq that this connection brought, and which before it did not come.
    brought: u64,
    holes: BTreeSet<u64>,
}

impl Room {
    pub const fn cursor(&self) -> u64 {
        self.cursor
    }

    pub const fn is_behind(&self) -> bool {
        self.cursor < self.head
    }

    /// A new connection goes on from the cursor that it was told.
    pub fn begin(&mut self) {
        self.brought = self.cursor;
        self.holes.clear();
    }

    pub fn heard_of(&mut self, head: u64) {
        self.head = self.head.max(head);
    }

    /// The connection goes on after `head`; what lies before is to be read.
    pub fn jumps(&mut self, head: u64) {
        self.heard_of(head);
        self.brought = self.brought.max(head);
    }

    /// An entry came on the connection.
    pub fn arrives(&mut self, seq: u64) -> Came {
        self.heard_of(seq);
        if seq <= self.brought {
            return if self.holes.remove(&seq) { Came::Late } else { Came::Doubled };
        }
        // A server that jumps far is wrong anyway; the set stays small.
        self.holes.extend((self.brought + 1..seq).take(10_000));
        let missing = seq - self.brought - 1;
        self.brought = seq;
        if self.take(seq) {
            Came::Next
        } else if seq <= self.cursor {
            Came::Known
        } else {
            Came::Ahead { missing }
        }
    }

    /// Takes an entry over if it is the next one.
    pub fn take(&mut self, seq: u64) -> bool {
        let next = seq == self.cursor + 1;
        if next {
            self.cursor = seq;
            self.heard_of(seq);
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_is_told_apart() {
        let mut room = Room::default();
        room.begin();
        assert_eq!([1, 2].map(|seq| room.arrives(seq)), [Came::Next, Came::Next]);
        assert_eq!(room.arrives(2), Came::Doubled);
        assert_eq!(room.arrives(5), Came::Ahead { missing: 2 });
        assert!(room.is_behind());
        assert_eq!(room.arrives(4), Came::Late);
        assert!([3, 4, 5].into_iter().all(|seq| room.take(seq)) && !room.is_behind());
        assert_eq!(room.arrives(5), Came::Doubled);
        assert_eq!(room.arrives(6), Came::Next);
        room.begin();
        assert_eq!(room.arrives(6), Came::Doubled, "a cursor that was told is not sent again");
        room.jumps(9);
        assert!(room.is_behind() && [7, 8, 9].into_iter().all(|seq| room.take(seq)));
        assert_eq!(room.arrives(10), Came::Next);
        assert!(room.take(11) && room.arrives(11) == Came::Known);
    }
}
