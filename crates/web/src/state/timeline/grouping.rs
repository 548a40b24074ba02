//! What stands next to a message: whether they belong to one group.

use super::Timeline;
use crate::state::rows::Neighbour;
use natter_shared::entry::Message;
use natter_shared::id::Seq;

impl Timeline {
    /// The messages right above and below a place in the log, if nothing else stands between.
    pub(in crate::state) fn neighbours(&self, seq: Seq) -> (Option<Neighbour>, Option<Neighbour>) {
        let above = self.messages.range(..seq).next_back().map(|(_, held)| &held.message);
        let below = self.messages.range(seq.next()..).next().map(|(_, held)| &held.message);
        let line = |message: &Message| {
            // The line stands between two messages and parts their group.
            self.new_above.is_some_and(|read| message.seq > read && message.author.id != self.me)
        };
        let this = self.get(seq);
        let above = above.filter(|above| {
            let parted = this.is_some_and(line) && !line(above);
            !parted && self.events.range(above.seq..seq).next().is_none()
        });
        let below = below.filter(|below| {
            let parted = line(below) && !this.is_some_and(line);
            !parted && self.events.range(seq..below.seq).next().is_none()
        });
        (above.map(Neighbour::of), below.map(Neighbour::of))
    }

    /// The last message if nothing stands below it: what an unsent message may be grouped with.
    pub(in crate::state) fn last(&self) -> Option<Neighbour> {
        let message = self.newest().filter(|_| !self.has_newer())?;
        self.events.range(message.seq..).next().is_none().then(|| Neighbour::of(message))
    }
}
