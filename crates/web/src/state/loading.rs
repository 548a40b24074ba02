//! Takes in what was asked for: pages of messages, members, answers to one's own calls. What comes by push meanwhile is
//! never undone by it.

use super::outbox::Unsent;
use super::timeline::{Load, Timeline};
use super::{ChatState, Effect, Pins};
use crate::state::map::Set;
use natter_shared::entry::Entry;
use natter_shared::id::{ClientId, RoomId, Seq};
use natter_shared::page::MessagePage;
use natter_shared::room::Member;

impl ChatState {
    /// The person goes into a room: draws the new-messages line where they left off. Says whether the newest page must be
    /// loaded.
    pub fn enter(&mut self, room: RoomId) -> bool {
        let Some(me) = self.my_id() else { return false };
        if let Some(left) = self.opened.replace(room)
            && let Some(timeline) = self.timelines.get_mut(&left)
        {
            timeline.leave();
            self.changes.timelines.insert(left);
        }
        self.line_due = Some(room).filter(|room| !self.rooms.contains(*room));
        let new_above = self.rooms.get(room).filter(|it| it.unread > 0).map(|it| it.read);
        let offset_min = self.offset_min;
        let timeline = self.timelines.or_insert_with(room, || Timeline::new(me, offset_min, None));
        timeline.set_new_above(new_above);
        let load = !matches!(timeline.load, Load::Ready | Load::Loading);
        if load {
            timeline.load = Load::Loading;
        }
        self.members.or_insert_with(room, Default::default);
        self.pins.or_insert_with(room, Default::default);
        self.changes.timelines.insert(room);
        load
    }

    /// The newest page of a room came.
    pub fn page_loaded(&mut self, room: RoomId, page: MessagePage) -> Vec<Effect> {
        let me = self.my_id();
        for message in &page.messages {
            self.changes.people |= self.people.learn_author(&message.author);
        }
        let own = |it: &&natter_shared::entry::Message| Some(it.author.id) == me;
        let ids: Set<ClientId> = page.messages.iter().filter(own).filter_map(|it| it.client_id).collect();
        let Some(timeline) = self.timelines.get_mut(&room) else { return Vec::new() };
        timeline.reset(page);
        let head = timeline.head();
        self.outbox.seen(room, head, &ids);
        self.changes.timelines.insert(room);
        let mut effects = self.read_gap(room).into_iter().collect::<Vec<_>>();
        // What lies between what was there before and this page was not heard.
        if self.pins.get(&room).is_some_and(Pins::is_loaded) {
            effects.push(Effect::LoadPins { room });
        }
        if self.attended == Some(room) {
            effects.extend(self.read_all(room));
        }
        effects.extend(self.count_unread());
        effects
    }

    /// The newest page of a room could not be loaded. What was there before stays.
    pub fn page_failed(&mut self, room: RoomId, load: Load) {
        if let Some(timeline) = self.timelines.get_mut(&room)
            && timeline.load == Load::Loading
        {
            timeline.load = load;
            self.changes.timelines.insert(room);
        }
    }

    /// The newest page is to be loaded afresh beneath what is shown. Says whether that is not under way already.
    pub fn begin_reload(&mut self, room: RoomId) -> bool {
        let Some(timeline) = self.timelines.get_mut(&room).filter(|timeline| timeline.is_ready()) else { return false };
        !std::mem::replace(&mut timeline.reloading, true)
    }

    /// It could not be loaded afresh; the next `heads` asks again.
    pub fn reload_failed(&mut self, room: RoomId) {
        if let Some(timeline) = self.timelines.get_mut(&room) {
            timeline.reloading = false;
        }
    }

    /// An older page is to be loaded: before which seq. `None` if there is none, or it is on its way.
    pub fn begin_older(&mut self, room: RoomId) -> Option<Seq> {
        let timeline = self.timelines.get_mut(&room)?;
        if !timeline.is_ready() || timeline.loading_older || !timeline.has_older() {
            return None;
        }
        let before = timeline.oldest()?;
        timeline.begin_older();
        self.changes.timelines.insert(room);
        Some(before)
    }

    /// An older page came, or could not be loaded.
    pub fn older_loaded(&mut self, room: RoomId, before: Seq, page: Option<MessagePage>) {
        for message in page.iter().flat_map(|page| &page.messages) {
            self.changes.people |= self.people.learn_author(&message.author);
        }
        let Some(timeline) = self.timelines.get_mut(&room) else { return };
        timeline.loading_older = false;
        if let Some(page) = page {
            timeline.prepend(before, page);
        }
        self.changes.timelines.insert(room);
    }

    /// Newer messages than those that are loaded are to be loaded again: after which seq. `None` if none were let go, or they
    /// are on their way.
    pub fn begin_newer(&mut self, room: RoomId) -> Option<Seq> {
        let timeline = self.timelines.get_mut(&room)?;
        if !timeline.is_ready() || timeline.loading_newer {
            return None;
        }
        let after = timeline.until()?;
        timeline.begin_newer();
        self.changes.timelines.insert(room);
        Some(after)
    }

    /// A newer page came, or could not be loaded.
    pub fn newer_loaded(&mut self, room: RoomId, after: Seq, page: Option<MessagePage>) {
        self.page_came(room, page, |timeline, page| timeline.extend(after, page));
    }

    /// The page around a message far away is to be loaded. Says whether it may be.
    pub fn begin_around(&mut self, room: RoomId) -> bool {
        let Some(timeline) = self.timelines.get_mut(&room).filter(|timeline| timeline.is_ready()) else { return false };
        timeline.begin_newer();
        self.changes.timelines.insert(room);
        true
    }

    /// It came, or could not be loaded: it takes the place of what was loaded.
    pub fn around_loaded(&mut self, room: RoomId, page: Option<MessagePage>) {
        self.page_came(room, page, Timeline::move_to);
    }

    fn page_came(&mut self, room: RoomId, page: Option<MessagePage>, take: impl FnOnce(&mut Timeline, MessagePage)) {
        for message in page.iter().flat_map(|page| &page.messages) {
            self.changes.people |= self.people.learn_author(&message.author);
        }
        let Some(timeline) = self.timelines.get_mut(&room) else { return };
        timeline.loading_newer = false;
        if let Some(page) = page {
            take(timeline, page);
        }
        self.changes.timelines.insert(room);
    }

    /// The person is at the end of a room's timeline, or at that of none: far above nobody looks for anything there.
    pub fn stand_at_end(&mut self, room: Option<RoomId>) {
        self.at_end = room;
        if let Some(room) = room {
            self.trim(room);
        }
    }

    /// Lets go of the oldest messages of a room whose end is in view, or that is not in view at all.
    pub(super) fn trim(&mut self, room: RoomId) {
        if (self.at_end == Some(room) || self.opened != Some(room))
            && let Some(timeline) = self.timelines.get_mut(&room)
        {
            timeline.trim();
        }
    }

    /// All members of a room came, as asked for at `version`. If somebody came or went meanwhile they are asked for again.
    pub fn members_loaded(&mut self, room: RoomId, members: Vec<Member>, version: u64) -> Vec<Effect> {
        for member in &members {
            self.changes.people |= self.people.learn(&member.user);
        }
        self.changes.members.insert(room);
        let Some(known) = self.members.get_mut(&room) else { return Vec::new() };
        known.load(members, |user| self.presence.is_online(user));
        if known.version() == version { Vec::new() } else { vec![Effect::LoadMembers { room }] }
    }

    /// The answer to one's own sending by REST: the stored entry, perhaps for the second time.
    pub fn confirmed(&mut self, client_id: ClientId, entry: Entry, now: i64) -> Vec<Effect> {
        let shown = self.knows_up_to(entry.room) >= entry.seq;
        let room = self.outbox.stored(client_id, entry.seq, entry.at, shown);
        self.changes.timelines.extend(room);
        let mut effects = self.answered(entry, now);
        effects.push(Effect::Drain);
        effects
    }

    /// The answer to an edit, a deletion or a reaction: its entry, before or after its push.
    pub fn answered(&mut self, entry: Entry, now: i64) -> Vec<Effect> {
        self.entries(entry.room, &[entry], now)
    }

    /// The person sends a message: from here on nothing above it is new to them.
    pub fn send(&mut self, item: Unsent) -> Vec<Effect> {
        let room = item.message.room;
        self.outbox.push(item);
        if let Some(timeline) = self.timelines.get_mut(&room) {
            timeline.set_new_above(None);
        }
        self.changes.timelines.insert(room);
        vec![Effect::Drain]
    }

    /// The person looks at the newest message of a room, or at none.
    pub fn attend(&mut self, room: Option<RoomId>) -> Vec<Effect> {
        self.attended = room;
        let read = room.and_then(|room| self.read_all(room));
        read.into_iter().chain(self.count_unread()).collect()
    }

    /// The list of rooms came. What it says about the room in view is done as if it had been there before.
    pub(super) fn list_came(&mut self) -> Option<Effect> {
        if let Some(it) = self.line_due.and_then(|room| self.rooms.get(room)) {
            self.line_due = None;
            let (room, new_above) = (it.room.id, Some(it.read).filter(|_| it.unread > 0));
            if let Some(timeline) = self.timelines.get_mut(&room) {
                timeline.set_new_above(new_above);
                self.changes.timelines.insert(room);
            }
        }
        self.attended.and_then(|room| self.read_all(room))
    }

    /// Everything that is loaded of a room is read.
    fn read_all(&mut self, room: RoomId) -> Option<Effect> {
        let seq = self.timelines.get(&room).filter(|timeline| timeline.is_ready())?.head();
        if self.rooms.get(room).is_none_or(|it| it.read >= seq) {
            return None;
        }
        self.read_up_to(room, seq);
        Some(Effect::Read { room, seq })
    }
}
