//! Server frame → state. Idempotent: a frame that comes twice changes nothing the second time. What the frame asks for
//! besides (reading a missing range, telling how far one has read) is returned as effects.

use super::rooms::Step;
use super::timeline::{Taken, Timeline};
use super::{ChatState, ToastKind};
use crate::state::map::Set;
use natter_shared::entry::{Entry, EntryKind};
use natter_shared::error::ErrorCode;
use natter_shared::frame::ServerFrame;
use natter_shared::id::{ClientId, RoomId, Seq, UserId};
use natter_shared::room::RoomOverview;

/// What is to be done outside the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Read the room's log after that seq, then call [`ChatState::caught_up`] or [`ChatState::catch_up_failed`].
    CatchUp { room: RoomId, after: Seq },
    /// Load the room's newest page afresh.
    Load { room: RoomId },
    /// Read the list of one's own rooms.
    LoadRooms,
    /// Tell the server that everything up to that seq has arrived here.
    Received { room: RoomId, seq: Seq },
    /// Tell the server that everything up to that seq was seen.
    Read { room: RoomId, seq: Seq },
    /// Read who is in a room.
    LoadMembers { room: RoomId },
    /// Read what is pinned in a room, then call [`ChatState::pins_loaded`].
    LoadPins { room: RoomId },
    /// The access token ends soon: get another one.
    Renew,
    /// The outbox may have something to send.
    Drain,
    /// A message calls for the person, who is not looking at its room.
    Call { room: RoomId, seq: Seq },
}

/// Whether the same frame is worth sending again, and after how many milliseconds if the server has a wish.
#[derive(Debug, Clone, Copy)]
struct Again {
    retry: bool,
    after_ms: Option<u64>,
}

/// Applies one frame; `now` is in milliseconds since 1970.
pub fn apply(frame: ServerFrame, state: &mut ChatState, now: i64) -> Vec<Effect> {
    let Some(me) = state.my_id() else { return Vec::new() };
    match frame {
        ServerFrame::Welcome { user, rooms, online, .. } => {
            if user.id != me {
                return Vec::new();
            }
            state.sign_in(user);
            state.welcome(rooms, online)
        }
        ServerFrame::Ack { client_id, room, seq, at } => {
            let shown = state.knows_up_to(room) >= seq;
            if let Some(room) = state.outbox.stored(client_id, seq, at, shown) {
                state.changes.timelines.insert(room);
            }
            vec![Effect::Drain]
        }
        ServerFrame::Entries { room, entries } => state.entries(room, &entries, now),
        ServerFrame::Resync { room, head } => {
            if let Some(timeline) = state.timelines.get_mut(&room) {
                timeline.hear(head);
                return vec![Effect::Load { room }, Effect::LoadRooms];
            }
            vec![Effect::LoadRooms]
        }
        ServerFrame::Heads { heads } => state.heads(&heads),
        ServerFrame::Marks { room, user, delivered, read } => state.marks(room, user, delivered, read, me),
        ServerFrame::Typing { room, user } => {
            if user != me && state.typing.note(room, user, now) {
                state.changes.typing = true;
            }
            Vec::new()
        }
        ServerFrame::Presence { user, online } => {
            state.presence(user, online, me, now);
            Vec::new()
        }
        ServerFrame::Room { room } => state.room_changed(room),
        ServerFrame::RoomGone { room } => state.room_gone(room, now),
        ServerFrame::Notify { room, notify } => {
            state.notify_set(room, notify);
            Vec::new()
        }
        ServerFrame::Error { code, message, client_id, retry, retry_after_ms } => {
            state.error(code, message, client_id, Again { retry, after_ms: retry_after_ms }, now)
        }
    }
}

impl ChatState {
    fn welcome(&mut self, rooms: Vec<RoomOverview>, online: Vec<UserId>) -> Vec<Effect> {
        let mut effects = vec![Effect::Drain];
        self.changes.status |= std::mem::take(&mut self.restored);
        for it in &rooms {
            self.learn_from(it);
            // A watermark that was on its way when the connection went is told again.
            let read = self.rooms.get(it.room.id).map_or(it.read, |known| known.read);
            if read > it.read {
                effects.push(Effect::Read { room: it.room.id, seq: read });
            } else if it.delivered < it.head {
                effects.push(Effect::Received { room: it.room.id, seq: it.head });
            }
            if let Some(timeline) = self.timelines.get_mut(&it.room.id) {
                timeline.hear(it.head);
            }
        }
        let read: Vec<(RoomId, Seq)> = self.rooms.iter().map(|it| (it.room.id, it.read)).collect();
        self.rooms.replace(rooms);
        for (room, seq) in read {
            self.read_up_to(room, seq);
        }
        let gone: Vec<RoomId> = self.timelines.keys().copied().filter(|room| !self.rooms.contains(*room)).collect();
        for room in gone {
            // A room that could not be opened is not one that was taken away.
            if self.timelines.get(&room).is_some_and(Timeline::is_ready) {
                self.forget_room(room);
            }
        }
        self.presence.replace(online);
        // Watermarks that moved meanwhile are not sent again: the room in view reads them, others when they are opened.
        let opened = self.opened;
        self.changes.members.extend(self.members.keys().copied());
        self.members.retain(|room, _| Some(*room) == opened);
        for (room, members) in self.members.iter_mut() {
            members.all_online(|user| self.presence.is_online(user));
            effects.push(Effect::LoadMembers { room: *room });
        }
        effects.extend(self.doubt_pins());
        self.typing.clear();
        // What was being read when the connection went may have failed with it.
        self.catching_up.clear();
        self.changes.rooms = true;
        self.changes.presence = true;
        self.changes.typing = true;
        if !self.resuming {
            effects.extend(self.read_gaps());
        }
        effects.extend(self.list_came());
        effects.extend(self.count_unread());
        effects
    }

    /// Consecutive entries of one room, pushed or read while catching up.
    pub(super) fn entries(&mut self, room: RoomId, entries: &[Entry], now: i64) -> Vec<Effect> {
        let Some(me) = self.my_id() else { return Vec::new() };
        let mut effects = Vec::new();
        let mut ids = Set::new();
        let mut newest_of_others = None;
        for entry in entries.iter().filter(|entry| entry.room == room) {
            ids.extend(entry.client_id.filter(|_| entry.author.id == me));
            self.draw_line(entry, me);
            let step = self.rooms.apply(entry, me);
            if step == Step::Applied {
                self.changes.rooms = true;
                self.tell(entry, me, now);
            }
            if step == Step::NotIn && !effects.contains(&Effect::LoadRooms) {
                effects.push(Effect::LoadRooms);
            }
            let taken = match self.timelines.get_mut(&room) {
                Some(timeline) => timeline.apply(entry),
                None => Taken::NotLoaded,
            };
            if step == Step::Applied {
                self.doubt_unread_after(entry, me);
                // Of many that come at once the last one is enough.
                if let Some(call) = self.call_of(entry, me, now) {
                    effects.retain(|effect| !matches!(effect, Effect::Call { .. }));
                    effects.push(call);
                }
            }
            if taken == Taken::Applied {
                self.changes.timelines.insert(room);
            }
            if step == Step::Applied || taken == Taken::Applied {
                self.people_from(entry, me);
                effects.extend(self.pins_from(entry));
                if matches!(entry.what, EntryKind::Message(_)) && entry.author.id != me {
                    newest_of_others = Some(entry.seq);
                }
            }
            if step == Step::Gap || taken == Taken::Gap {
                self.heard(room, entry.seq);
            }
        }
        self.trim(room);
        if self.outbox.seen(room, self.knows_up_to(room), &ids) {
            self.changes.timelines.insert(room);
            effects.push(Effect::Drain);
        }
        if let Some(seq) = newest_of_others {
            effects.push(self.mark_effect(room, seq));
        }
        effects.extend(self.read_gap(room));
        effects.extend(self.count_unread());
        effects
    }

    /// What came is read at once where the person is looking.
    fn mark_effect(&mut self, room: RoomId, seq: Seq) -> Effect {
        if self.attended != Some(room) || !self.timelines.get(&room).is_some_and(Timeline::is_ready) {
            return Effect::Received { room, seq };
        }
        self.read_up_to(room, seq);
        Effect::Read { room, seq }
    }

    /// The first message that comes while the person looks elsewhere gets the new-messages line above it.
    fn draw_line(&mut self, entry: &Entry, me: UserId) {
        let others = matches!(entry.what, EntryKind::Message(_)) && entry.author.id != me;
        let all_read = self.rooms.get(entry.room).is_some_and(|it| it.unread == 0);
        let Some(timeline) = self.timelines.get_mut(&entry.room).filter(|timeline| timeline.is_ready()) else { return };
        if others && all_read && self.attended != Some(entry.room) && entry.seq == timeline.head().next() {
            timeline.set_new_above(Some(timeline.head()));
        }
    }

    fn marks(&mut self, room: RoomId, user: UserId, delivered: Seq, read: Seq, me: UserId) -> Vec<Effect> {
        if let Some(members) = self.members.get_mut(&room)
            && members.mark(user, delivered, read)
        {
            self.changes.members.insert(room);
        }
        if user != me {
            return Vec::new();
        }
        if let Some(it) = self.rooms.get_mut(room) {
            it.delivered = it.delivered.max(delivered);
        }
        self.read_up_to(room, read);
        self.count_unread()
    }

    fn error(
        &mut self,
        code: ErrorCode,
        message: String,
        client_id: Option<ClientId>,
        again: Again,
        now: i64,
    ) -> Vec<Effect> {
        let Some(client_id) = client_id else {
            if code == ErrorCode::NotSignedIn {
                return vec![Effect::Renew];
            }
            // Watermarks and typing are not the person's own doing and come again by themselves.
            if matches!(code, ErrorCode::LimitReached | ErrorCode::Internal | ErrorCode::Other) && !again.retry {
                self.toasts.push(ToastKind::Failed(message), now);
                self.changes.toasts = true;
            }
            return Vec::new();
        };
        let room = if again.retry {
            self.outbox.put_off(client_id, again.after_ms, now)
        } else {
            self.outbox.refused(client_id, message)
        };
        self.changes.timelines.extend(room);
        vec![Effect::Drain]
    }
}
