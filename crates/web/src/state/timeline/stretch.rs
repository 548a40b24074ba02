//! Which stretch of a log is loaded. Pages come in front of it, behind it, or in its place, and what lies far from the reader
//! is let go: a page that somebody scrolls through a room of 100 000 messages holds as many of them as one that was just
//! opened and scrolled a little.

use super::{Load, Timeline};
use natter_shared::id::Seq;
use natter_shared::page::MessagePage;

/// So many messages stay loaded when more come at one end; some times what a window of the timeline draws.
pub const KEPT: usize = 600;
/// So many more may gather at the end before the oldest are let go, for each time all rows are made anew.
const SLACK: usize = 200;
/// So many messages stay loaded of a room that nobody looks at.
const KEPT_UNSEEN: usize = 100;

impl Timeline {
    /// Whether newer messages than those loaded have been let go.
    pub fn has_newer(&self) -> bool {
        self.until.is_some()
    }

    /// A page of older messages is asked for.
    pub(in crate::state) fn begin_older(&mut self) {
        self.begin();
        self.loading_older = true;
    }

    /// A page of newer messages is asked for, or one from somewhere else.
    pub(in crate::state) fn begin_newer(&mut self) {
        self.begin();
        self.loading_newer = true;
    }

    fn begin(&mut self) {
        if !self.loading_older && !self.loading_newer {
            self.unplaced.clear();
        }
    }

    /// After which seq newer messages are to be read.
    pub(in crate::state) fn until(&self) -> Option<Seq> {
        self.until
    }

    /// Takes a page of older messages in front, and lets go as many at the end. A page that does not end where the loaded
    /// part begins changes nothing.
    pub fn prepend(&mut self, before: Seq, page: MessagePage) {
        if self.oldest() != Some(before) {
            return;
        }
        self.older = page.has_more;
        self.hear(page.head);
        self.put(page);
        self.place_changes();
        let last_kept = self.messages.keys().nth(KEPT).copied().map(|first_gone| first_gone.back(1));
        if let Some(last) = last_kept {
            self.keep(Seq::ZERO, last);
            self.until = Some(last);
        }
    }

    /// Takes a page of newer messages behind, and lets go as many in front. A page that does not begin where the loaded part
    /// ends changes nothing.
    pub fn extend(&mut self, after: Seq, page: MessagePage) {
        if self.until != Some(after) {
            return;
        }
        let last = page.messages.last().map(|message| message.seq);
        // What was said after the page was read is read with the next one.
        let end = if page.has_more { last } else { Some(page.head) };
        self.until = end.filter(|end| *end < self.head);
        self.take_known(page);
        self.keep_newest(KEPT);
    }

    /// Takes a page from somewhere else in the log in place of all that was loaded.
    pub fn move_to(&mut self, page: MessagePage) {
        if !self.is_ready() || page.messages.is_empty() {
            return;
        }
        self.messages.clear();
        self.events.clear();
        self.own.clear();
        self.older = page.has_more;
        // Whether there are newer ones is known when they are asked for.
        self.until = page.messages.last().map(|message| message.seq).filter(|last| *last < self.head);
        self.take_known(page);
    }

    /// Puts what a page has of the part of the log that was taken already; what is past it comes as entries.
    fn take_known(&mut self, mut page: MessagePage) {
        self.hear(page.head);
        page.messages.retain(|message| message.seq <= self.head);
        page.events.retain(|entry| entry.seq <= self.head);
        self.put(page);
        self.place_changes();
    }

    fn place_changes(&mut self) {
        for entry in &self.unplaced {
            if let Some(held) = entry.what.target().and_then(|target| self.messages.get_mut(&target)) {
                held.take(entry);
            }
        }
    }

    /// Lets go of the oldest where the reader is at the end.
    pub(in crate::state) fn trim(&mut self) {
        if self.until.is_none() && self.messages.len() > KEPT + SLACK {
            self.keep_newest(KEPT);
        }
    }

    /// The reader goes to another room: when they come back they begin at the end.
    pub(in crate::state) fn leave(&mut self) {
        if !self.is_ready() {
            return;
        }
        if self.until.is_some() {
            self.load = Load::Missing;
            self.until = None;
            self.keep(Seq::MAX, Seq::MAX);
        } else {
            self.keep_newest(KEPT_UNSEEN);
        }
    }

    fn keep_newest(&mut self, kept: usize) {
        let gone = self.messages.len().saturating_sub(kept);
        let first = self.messages.keys().nth(gone).copied().filter(|_| gone > 0);
        if let Some(first) = first {
            self.older = true;
            self.keep(first, Seq::MAX);
        }
    }

    /// Keeps what lies from `first` to `last`.
    fn keep(&mut self, first: Seq, last: Seq) {
        let kept = first..=last;
        self.messages.retain(|seq, _| kept.contains(seq));
        self.events.retain(|seq, _| kept.contains(seq));
        self.own.retain(|_, seq| kept.contains(seq));
        self.rebuild();
    }
}
