//! How far one has read in each room, how many messages are left, and what of them calls. Where the counts can't be kept by
//! the way they are in doubt, and taken from the timeline or asked for.

use super::{ChatState, Effect, Rooms};
use natter_shared::entry::{Entry, EntryKind, MessageContent};
use natter_shared::id::{RoomId, Seq, UserId};
use natter_shared::limits::UNREAD_MAX;
use natter_shared::room::{Notify, RoomKind, RoomOverview};

/// A message that comes late calls nobody: so long after it was written, in milliseconds, it is found in the list of rooms.
const LATE_MS: i64 = 5 * 60_000;

/// What is unread, as far as it is for the window's title.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Messages that call: mentions, and what is said directly.
    pub calls: u32,
    /// Whether there is anything else.
    pub more: bool,
}

/// How many messages of a room call for their reader.
pub fn calls(it: &RoomOverview) -> u32 {
    match (it.notify, it.room.kind) {
        (Notify::Nothing, _) => 0,
        (Notify::Everything, RoomKind::Direct) => it.unread,
        (Notify::Everything | Notify::Mentions, _) => it.mentions,
    }
}

impl Rooms {
    /// What waits in all rooms that are not muted.
    pub fn waiting(&self) -> Waiting {
        self.iter().fold(Waiting::default(), |sum, it| Waiting {
            calls: sum.calls.saturating_add(calls(it)),
            more: sum.more || (it.notify == Notify::Everything && it.unread > 0),
        })
    }
}

/// Whether a message of somebody else calls for the reader of a room.
fn is_call(it: &RoomOverview, content: &MessageContent, me: UserId) -> bool {
    match it.notify {
        Notify::Nothing => false,
        Notify::Mentions => content.mentions(me),
        Notify::Everything => content.mentions(me) || content.to == Some(me) || it.room.kind == RoomKind::Direct,
    }
}

impl ChatState {
    /// Moves one's own watermark.
    pub(super) fn read_up_to(&mut self, room: RoomId, seq: Seq) {
        let Some(it) = self.rooms.get_mut(room).filter(|it| it.read < seq) else { return };
        it.read = seq;
        it.delivered = it.delivered.max(seq);
        self.changes.rooms = true;
        if seq >= it.head {
            it.unread = 0;
            it.mentions = 0;
            self.uncounted.remove(&room);
        } else if it.unread > 0 {
            self.uncounted.insert(room);
        }
    }

    /// Another tab has read a room up to there.
    pub fn read_elsewhere(&mut self, room: RoomId, seq: Seq) -> Vec<Effect> {
        self.read_up_to(room, seq);
        self.count_unread()
    }

    /// A deleted message is not unread any more, and an edited one may mention others than before.
    pub(super) fn doubt_unread_after(&mut self, entry: &Entry, me: UserId) {
        let Some(it) = self.rooms.get(entry.room).filter(|it| it.unread > 0) else { return };
        let doubtful = match &entry.what {
            EntryKind::Deleted { target } => *target > it.read,
            EntryKind::Edited { target, mentions, .. } => {
                let named = mentions.iter().any(|user| *user == me || *user == UserId::EVERYBODY);
                *target > it.read && (named || it.mentions > 0)
            }
            _ => false,
        };
        if doubtful {
            self.uncounted.insert(entry.room);
        }
    }

    /// What a message that has just come asks for, if it calls for somebody who is not looking.
    pub(super) fn call_of(&self, entry: &Entry, me: UserId, now: i64) -> Option<Effect> {
        let EntryKind::Message(content) = &entry.what else { return None };
        let it = self.rooms.get(entry.room)?;
        let fresh = now.saturating_sub(entry.at.millis()) < LATE_MS && entry.seq > it.read;
        let calls = fresh && entry.author.id != me && self.attended != Some(entry.room) && is_call(it, content, me);
        calls.then_some(Effect::Call { room: entry.room, seq: entry.seq })
    }

    /// What the last message of a room that one has just got into asks for: a conversation that somebody begins comes with
    /// what they say first.
    pub(super) fn call_of_new(&self, room: RoomId) -> Option<Effect> {
        let it = self.rooms.get(room).filter(|it| it.unread > 0)?;
        let message = it.last_message.as_ref().filter(|message| message.seq > it.read && !message.deleted)?;
        let me = self.my_id().filter(|me| message.author.id != *me)?;
        is_call(it, &message.content, me).then_some(Effect::Call { room, seq: message.seq })
    }

    /// Takes in what of a room calls for one's attention, as it was chosen here or elsewhere.
    pub fn notify_set(&mut self, room: RoomId, notify: Notify) {
        if let Some(it) = self.rooms.get_mut(room) {
            it.notify = notify;
            self.changes.rooms = true;
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
            let (unread, mentions) = timeline.count_new(it.read, it.head);
            let most = |count: usize| u32::try_from(count).unwrap_or(u32::MAX).min(UNREAD_MAX);
            it.unread = most(unread);
            it.mentions = most(mentions);
            self.changes.rooms = true;
        }
        if ask { vec![Effect::LoadRooms] } else { Vec::new() }
    }
}
