//! Server frame → state. Idempotent: a frame that comes twice changes nothing the second time. What the frame asks for
//! besides (reading a missing range, telling how far one has read) is returned as effects.

use super::rooms::Step;
use super::timeline::Taken;
use super::{ChatState, Load, ToastKind};
use natter_shared::entry::{Entry, EntryKind};
use natter_shared::error::ErrorCode;
use natter_shared::frame::{Cursors, ServerFrame};
use natter_shared::id::{ClientId, RoomId, Seq, UserId};
use natter_shared::limits::RESUME_MAX;
use natter_shared::page::EntryPage;
use natter_shared::room::{Room, RoomKind, RoomOverview};
use std::collections::BTreeSet;

/// What is to be done outside the state.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// The outbox may have something to send.
    Drain,
    /// The room is not there any more for this person.
    Gone { room: RoomId },
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
        ServerFrame::Error { code, message, client_id, retry, retry_after_ms } => {
            state.error(code, message, client_id, retry.then_some(retry_after_ms), now)
        }
    }
}

impl ChatState {
    fn welcome(&mut self, rooms: Vec<RoomOverview>, online: Vec<UserId>) -> Vec<Effect> {
        let mut effects = vec![Effect::Drain];
        for it in &rooms {
            self.learn_from(it);
            if it.delivered < it.head {
                effects.push(Effect::Received { room: it.room.id, seq: it.head });
            }
            if let Some(timeline) = self.timelines.get_mut(&it.room.id) {
                timeline.hear(it.head);
            }
        }
        self.rooms.replace(rooms);
        let gone: Vec<RoomId> = self.timelines.keys().copied().filter(|room| !self.rooms.contains(*room)).collect();
        for room in gone {
            // A room that could not be opened is not one that was taken away.
            if self.timelines.get(&room).is_some_and(super::timeline::Timeline::is_ready) {
                self.forget_room(room);
                effects.push(Effect::Gone { room });
            }
        }
        self.presence.replace(online);
        for (room, members) in &mut self.members {
            let people: Vec<UserId> = members.iter().map(|member| member.user.id).collect();
            for user in people {
                members.online(user, self.presence.is_online(user));
            }
            self.changes.members.insert(*room);
        }
        self.typing.clear();
        // What was being read when the connection went may have failed with it.
        self.catching_up.clear();
        self.changes.rooms = true;
        self.changes.presence = true;
        self.changes.typing = true;
        if !self.resuming {
            effects.extend(self.read_gaps());
        }
        effects
    }

    /// Consecutive entries of one room, pushed or read while catching up.
    fn entries(&mut self, room: RoomId, entries: &[Entry], now: i64) -> Vec<Effect> {
        let Some(me) = self.my_id() else { return Vec::new() };
        let mut effects = Vec::new();
        let mut ids = BTreeSet::new();
        let mut newest_of_others = None;
        for entry in entries.iter().filter(|entry| entry.room == room) {
            ids.extend(entry.client_id.filter(|_| entry.author.id == me));
            let step = self.rooms.apply(entry, me);
            if step == Step::Applied {
                self.changes.rooms = true;
                self.tell(entry, me, now);
            }
            if step == Step::NotIn && !effects.contains(&Effect::LoadRooms) {
                effects.push(Effect::LoadRooms);
            }
            self.draw_line(entry, me);
            let taken = match self.timelines.get_mut(&room) {
                Some(timeline) => timeline.apply(entry),
                None => Taken::NotLoaded,
            };
            if taken == Taken::Applied {
                self.changes.timelines.insert(room);
            }
            if step == Step::Applied || taken == Taken::Applied {
                self.people_from(entry, me);
                if matches!(entry.what, EntryKind::Message(_)) && entry.author.id != me {
                    newest_of_others = Some(entry.seq);
                }
            }
            if step == Step::Gap || taken == Taken::Gap {
                self.heard(room, entry.seq);
            }
        }
        if self.outbox.seen(room, self.knows_up_to(room), &ids) {
            self.changes.timelines.insert(room);
            effects.push(Effect::Drain);
        }
        if let Some(seq) = newest_of_others {
            effects.push(self.mark_effect(room, seq));
        }
        effects.extend(self.read_gap(room));
        effects
    }

    /// What came is read at once where the person is looking.
    fn mark_effect(&mut self, room: RoomId, seq: Seq) -> Effect {
        if self.attended != Some(room) {
            return Effect::Received { room, seq };
        }
        self.read_up_to(room, seq);
        Effect::Read { room, seq }
    }

    /// The first message that comes while the person looks elsewhere gets the new-messages line above it.
    fn draw_line(&mut self, entry: &Entry, me: UserId) {
        let others = matches!(entry.what, EntryKind::Message(_)) && entry.author.id != me;
        let Some(timeline) = self.timelines.get_mut(&entry.room).filter(|timeline| timeline.is_ready()) else { return };
        if others
            && self.attended != Some(entry.room)
            && entry.seq == timeline.head().next()
            && timeline.new_above().is_none()
        {
            timeline.set_new_above(Some(timeline.head()));
        }
    }

    /// Names, members, and who has stopped typing.
    fn people_from(&mut self, entry: &Entry, me: UserId) {
        self.changes.people |= self.people.learn_author(&entry.author);
        self.changes.typing |= self.typing.stop(entry.room, entry.author.id);
        let Some(members) = self.members.get_mut(&entry.room) else { return };
        let user = entry.author.id;
        match &entry.what {
            EntryKind::Joined => {
                let online = user == me || self.presence.is_online(user);
                if let Some(person) = self.people.get(user) {
                    members.joined(person.clone(), online, entry.seq);
                }
            }
            EntryKind::Left => drop(members.left(user)),
            EntryKind::Removed { user, .. } => drop(members.left(*user)),
            EntryKind::Role { user, role } => members.role(*user, *role),
            EntryKind::Message(_) => {
                // Nobody writes without having the log up to there, but what they have read is theirs to say.
                return;
            }
            _ => return,
        }
        self.changes.members.insert(entry.room);
    }

    fn tell(&mut self, entry: &Entry, me: UserId, now: i64) {
        let room = entry.room;
        if !self.rooms.get(room).is_some_and(|it| it.room.kind == RoomKind::Room) {
            return;
        }
        self.people.learn_author(&entry.author);
        let toast = match &entry.what {
            EntryKind::Joined if entry.author.id != me => {
                self.people.get(entry.author.id).map(|user| ToastKind::Joined { user: user.clone(), room })
            }
            EntryKind::Left if entry.author.id != me => {
                self.people.get(entry.author.id).map(|user| ToastKind::Left { user: user.clone(), room })
            }
            EntryKind::Removed { user, .. } if *user != me => {
                self.people.get(*user).map(|user| ToastKind::Left { user: user.clone(), room })
            }
            _ => None,
        };
        if let Some(toast) = toast {
            self.toasts.push(toast, now);
            self.changes.toasts = true;
        }
    }

    fn heads(&mut self, heads: &Cursors) -> Vec<Effect> {
        let mut unknown = false;
        for (room, head) in heads {
            self.heard(*room, *head);
            unknown |= !self.rooms.contains(*room);
        }
        let mut effects = self.read_gaps();
        if unknown {
            effects.push(Effect::LoadRooms);
        }
        effects
    }

    /// The room's log goes up to `head` at least.
    fn heard(&mut self, room: RoomId, head: Seq) {
        if let Some(timeline) = self.timelines.get_mut(&room) {
            timeline.hear(head);
        }
        if self.rooms.get(room).is_some_and(|it| it.head < head) {
            let known = self.behind.entry(room).or_insert(head);
            *known = head.max(*known);
        }
    }

    /// Asks for what is missing anywhere.
    fn read_gaps(&mut self) -> Vec<Effect> {
        let rooms: BTreeSet<RoomId> = self.timelines.keys().chain(self.behind.keys()).copied().collect();
        rooms.into_iter().flat_map(|room| self.read_gap(room)).collect()
    }

    /// Asks for what is missing in a room, unless that is being read already.
    fn read_gap(&mut self, room: RoomId) -> Option<Effect> {
        let overview = self.rooms.get(room).map(|it| it.head);
        let line_behind = match (overview, self.behind.get(&room)) {
            (Some(head), Some(heard)) if head < *heard => Some((head, heard.get() - head.get())),
            _ => {
                self.behind.remove(&room);
                None
            }
        };
        let timeline = self.timelines.get(&room).filter(|timeline| timeline.is_behind());
        let timeline_behind = timeline.map(|timeline| (timeline.head(), timeline.behind_by()));
        if (line_behind.is_none() && timeline_behind.is_none()) || self.catching_up.contains(&room) {
            return None;
        }
        match (timeline_behind, line_behind) {
            (Some((_, by)), _) if by > RESUME_MAX => Some(Effect::Load { room }),
            (Some((after, _)), _) => {
                self.catching_up.insert(room);
                let after = line_behind.map_or(after, |(head, _)| head.min(after));
                Some(Effect::CatchUp { room, after })
            }
            (None, Some((_, by))) if by > RESUME_MAX => {
                self.behind.remove(&room);
                Some(Effect::LoadRooms)
            }
            (None, Some((after, _))) => {
                self.catching_up.insert(room);
                Some(Effect::CatchUp { room, after })
            }
            (None, None) => None,
        }
    }

    /// A part of a room's log was read because of [`Effect::CatchUp`].
    pub fn caught_up(&mut self, room: RoomId, page: &EntryPage, now: i64) -> Vec<Effect> {
        self.catching_up.remove(&room);
        if page.entries.is_empty() && self.rooms.get(room).is_some_and(|it| it.head <= page.head) {
            // The server says that there is nothing more: what was heard before does not hold.
            self.behind.remove(&room);
            return Vec::new();
        }
        self.heard(room, page.head);
        self.entries(room, &page.entries, now)
    }

    /// It could not be read. The next `heads` or entry asks again.
    pub fn catch_up_failed(&mut self, room: RoomId) {
        self.catching_up.remove(&room);
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
        if self.read_up_to(room, read) { Vec::new() } else { vec![Effect::LoadRooms] }
    }

    /// Moves one's own watermark. Says whether the unread count is right after it, or must be asked for.
    pub fn read_up_to(&mut self, room: RoomId, seq: Seq) -> bool {
        let Some(it) = self.rooms.get_mut(room).filter(|it| it.read < seq) else { return true };
        it.read = seq;
        it.delivered = it.delivered.max(seq);
        self.changes.rooms = true;
        if seq >= it.head || it.unread == 0 {
            it.unread = 0;
            return true;
        }
        match self.timelines.get(&room).and_then(|timeline| timeline.count_new(seq)) {
            Some(count) => {
                it.unread = u32::try_from(count).unwrap_or(u32::MAX).min(natter_shared::limits::UNREAD_MAX);
                true
            }
            None => false,
        }
    }

    fn presence(&mut self, user: UserId, online: bool, me: UserId, now: i64) {
        if !self.presence.set(user, online) {
            return;
        }
        self.changes.presence = true;
        for (room, members) in &mut self.members {
            if members.online(user, online) {
                self.changes.members.insert(*room);
            }
        }
        if let Some(person) = self.people.get(user).filter(|_| user != me) {
            let user = person.clone();
            let toast = if online { ToastKind::CameOnline { user } } else { ToastKind::WentOffline { user } };
            self.toasts.push(toast, now);
            self.changes.toasts = true;
        }
    }

    fn room_changed(&mut self, room: Room) -> Vec<Effect> {
        if let Some(peer) = &room.peer {
            self.changes.people |= self.people.learn(peer);
        }
        self.changes.rooms = true;
        if self.rooms.room(room) { vec![Effect::LoadRooms] } else { Vec::new() }
    }

    fn room_gone(&mut self, room: RoomId, now: i64) -> Vec<Effect> {
        let leaving = self.leaving.remove(&room);
        let Some(it) = self.forget_room(room) else { return Vec::new() };
        if !leaving {
            self.toasts.push(ToastKind::RoomGone { name: it.room.name.as_str().to_owned() }, now);
            self.changes.toasts = true;
        }
        vec![Effect::Gone { room }]
    }

    /// Drops all that is known of a room, but for what is unsent and the draft.
    pub fn forget_room(&mut self, room: RoomId) -> Option<RoomOverview> {
        self.timelines.remove(&room);
        self.members.remove(&room);
        self.behind.remove(&room);
        self.catching_up.remove(&room);
        if self.attended == Some(room) {
            self.attended = None;
        }
        self.changes.rooms = true;
        self.changes.timelines.insert(room);
        self.changes.members.insert(room);
        self.rooms.remove(room)
    }

    /// `retry` is `None` if the same frame is not worth sending again, else the server's wish for when, if it has one.
    fn error(
        &mut self,
        code: ErrorCode,
        message: String,
        client_id: Option<ClientId>,
        retry: Option<Option<u64>>,
        now: i64,
    ) -> Vec<Effect> {
        let Some(client_id) = client_id else {
            // Watermarks and typing are not the person's own doing and come again by themselves.
            if matches!(code, ErrorCode::LimitReached | ErrorCode::Internal | ErrorCode::Other) && retry.is_none() {
                self.toasts.push(ToastKind::Failed(message), now);
                self.changes.toasts = true;
            }
            return Vec::new();
        };
        let room = match retry {
            Some(after_ms) => self.outbox.put_off(client_id, after_ms, now),
            None => self.outbox.refused(client_id, message),
        };
        self.changes.timelines.extend(room);
        vec![Effect::Drain]
    }

    fn learn_from(&mut self, it: &RoomOverview) {
        if let Some(peer) = &it.room.peer {
            self.changes.people |= self.people.learn(peer);
        }
        if let Some(message) = &it.last_message {
            self.changes.people |= self.people.learn_author(&message.author);
        }
    }

    /// The list of rooms was read.
    pub fn rooms_loaded(&mut self, rooms: Vec<RoomOverview>) -> Vec<Effect> {
        for it in &rooms {
            self.learn_from(it);
            if let Some(timeline) = self.timelines.get_mut(&it.room.id) {
                timeline.hear(it.head);
            }
        }
        self.rooms.merge(rooms);
        self.changes.rooms = true;
        self.read_gaps()
    }

    /// Up to where a room's log is known here: by its timeline, or without one by its line in the list.
    fn knows_up_to(&self, room: RoomId) -> Seq {
        match self.timelines.get(&room) {
            Some(timeline) if !matches!(timeline.load(), Load::Missing) => timeline.head(),
            _ => self.rooms.get(room).map_or(Seq::MAX, |it| it.head),
        }
    }

    /// Where this tab stands in each loaded room, for a `hello`.
    pub fn cursors(&self) -> Cursors {
        let ready = self.timelines.iter().filter(|(_, timeline)| timeline.is_ready());
        ready.map(|(room, timeline)| (*room, timeline.head())).take(natter_shared::limits::CURSORS_MAX).collect()
    }
}
