//! Finds what is missing of a room's log, asks for it once at a time, and takes it in.

use super::timeline::Load;
use super::{ChatState, Effect};
use crate::state::map::Set;
use natter_shared::frame::Cursors;
use natter_shared::id::{RoomId, Seq};
use natter_shared::limits::{CURSORS_MAX, RESUME_MAX};
use natter_shared::page::EntryPage;

impl ChatState {
    pub(super) fn heads(&mut self, heads: &Cursors) -> Vec<Effect> {
        let mut unknown = false;
        for (room, head) in heads {
            self.heard(*room, *head);
            unknown |= !self.rooms.contains(*room);
        }
        let mut effects = self.read_gaps();
        effects.extend(self.count_unread());
        if unknown {
            effects.push(Effect::LoadRooms);
        }
        effects
    }

    /// The room's log goes up to `head` at least.
    pub(super) fn heard(&mut self, room: RoomId, head: Seq) {
        if let Some(timeline) = self.timelines.get_mut(&room) {
            timeline.hear(head);
        }
        if self.rooms.get(room).is_some_and(|it| it.head < head) {
            let known = self.behind.or_insert_with(room, || head);
            *known = head.max(*known);
        }
    }

    /// Asks for what is missing anywhere.
    pub(super) fn read_gaps(&mut self) -> Vec<Effect> {
        let rooms: Set<RoomId> = self.timelines.keys().chain(self.behind.keys()).copied().collect();
        rooms.into_iter().filter_map(|room| self.read_gap(room)).collect()
    }

    /// Asks for what is missing in a room, unless that is being read already.
    pub fn read_gap(&mut self, room: RoomId) -> Option<Effect> {
        let overview = self.rooms.get(room).map(|it| it.head);
        let line_behind = match (overview, self.behind.get(&room)) {
            (Some(known), Some(heard)) if known < *heard => Some((known, heard.get() - known.get())),
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

    /// Up to where a room's log is known here: by its timeline, or without one by its line in the list.
    pub(super) fn knows_up_to(&self, room: RoomId) -> Seq {
        match self.timelines.get(&room) {
            Some(timeline) if !matches!(timeline.load(), Load::Missing) => timeline.head(),
            _ => self.rooms.get(room).map_or(Seq::MAX, |it| it.head),
        }
    }

    /// Where this tab stands in each loaded room, for a `hello`.
    pub fn cursors(&self) -> Cursors {
        let ready = self.timelines.iter().filter(|(_, timeline)| timeline.is_ready());
        ready.map(|(room, timeline)| (*room, timeline.head())).take(CURSORS_MAX).collect()
    }
}
