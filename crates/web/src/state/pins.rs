//! What is pinned in a room, once it was asked for, and kept as the log goes on.

use super::timeline::Timeline;
use super::{ChatState, Effect};
use natter_shared::entry::{Entry, EntryKind, Message};
use natter_shared::id::{RoomId, Seq};
use natter_shared::room::{Role, RoomKind};

/// The pinned messages of a room, what was pinned last first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pins {
    loaded: bool,
    messages: Vec<Message>,
    /// Counts what changed, so that an answer from before is known.
    version: u64,
}

impl Pins {
    pub fn is_loaded(&self) -> bool {
        self.loaded
    }

    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    pub fn version(&self) -> u64 {
        self.version
    }

    fn has(&self, seq: Seq) -> bool {
        self.messages.iter().any(|pin| pin.seq == seq)
    }
}

impl ChatState {
    /// What is pinned came, as asked for at `version`. If that changed meanwhile it is asked for again.
    pub fn pins_loaded(&mut self, room: RoomId, messages: Vec<Message>, version: u64) -> Vec<Effect> {
        for message in &messages {
            self.changes.people |= self.people.learn_author(&message.author);
        }
        let Some(pins) = self.pins.get_mut(&room) else { return Vec::new() };
        pins.loaded = true;
        pins.messages = messages;
        self.changes.timelines.insert(room);
        if pins.version == version { Vec::new() } else { vec![Effect::LoadPins { room }] }
    }

    /// Whether this person may say what is pinned there.
    pub fn may_pin(&self, room: RoomId) -> bool {
        self.rooms.get(room).is_some_and(|it| {
            !it.room.archived && (it.room.kind == RoomKind::Direct || it.room.role >= Some(Role::Admin))
        })
    }

    /// An entry that was not known before.
    pub(super) fn pins_from(&mut self, entry: &Entry) -> Option<Effect> {
        let room = entry.room;
        let pins = self.pins.get_mut(&room)?;
        match &entry.what {
            EntryKind::Pinned { target } => {
                pins.version += 1;
                if pins.has(*target) {
                    return None;
                }
                // What is not loaded here has to be asked for.
                let message = self.timelines.get(&room).and_then(|timeline| timeline.get(*target));
                let Some(message) = message else { return Some(Effect::LoadPins { room }) };
                pins.messages.insert(0, message.clone());
            }
            EntryKind::Unpinned { target } | EntryKind::Deleted { target } => {
                pins.version += 1;
                pins.messages.retain(|pin| pin.seq != *target);
            }
            EntryKind::Edited { .. } => {
                pins.version += 1;
                for pin in &mut pins.messages {
                    pin.apply(entry);
                }
            }
            _ => return None,
        }
        self.changes.timelines.insert(room);
        None
    }

    /// A new connection: where it does not bring what was missed, what is known of pins is asked for anew in the room that
    /// is looked at, and forgotten elsewhere.
    pub(super) fn doubt_pins(&mut self) -> Vec<Effect> {
        let opened = self.opened;
        let (resuming, timelines) = (self.resuming, &self.timelines);
        let followed = |room: RoomId| resuming && timelines.get(&room).is_some_and(Timeline::is_ready);
        let known = |(room, pins): &(&RoomId, &Pins)| pins.loaded && followed(**room);
        let doubtful: Vec<RoomId> = self.pins.iter().filter(|it| !known(it)).map(|(room, _)| *room).collect();
        self.pins.retain(|room, _| Some(*room) == opened || !doubtful.contains(room));
        doubtful.into_iter().filter(|room| Some(*room) == opened).map(|room| Effect::LoadPins { room }).collect()
    }

    /// It could not be read: whoever opens the room asks again.
    pub fn pins_failed(&mut self, room: RoomId) {
        if let Some(pins) = self.pins.get_mut(&room) {
            pins.loaded = false;
        }
    }
}
