//! The loaded part of one room's log: a stretch without holes, up to `head` or, where the reader has gone far up, to where
//! what is newer was let go again (`stretch`). It takes entries in order and once each and notices what is missing.

mod grouping;
mod stretch;

pub use stretch::KEPT;

use super::rows::{Item, Row, RowKey, Rows};
use crate::state::map::Map;
use natter_shared::entry::{Entry, Message};
use natter_shared::id::{ClientId, Seq, UserId};
use natter_shared::page::MessagePage;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Load {
    /// Nobody asked for it yet.
    #[default]
    Missing,
    Loading,
    Ready,
    /// There is no such room, or it is not for this person.
    NotFound,
    /// It could not be loaded, and why.
    Failed(String),
}

/// What an entry meant for a timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    Applied,
    Old,
    /// Entries before it are missing.
    Gap,
    /// Nothing is loaded, so there is nothing to apply it to.
    NotLoaded,
}

/// A message, and up to where in the log its changes are applied.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Held {
    message: Message,
    as_of: Seq,
}

impl Held {
    /// Applies a later entry.
    fn take(&mut self, entry: &Entry) {
        if self.as_of < entry.seq {
            self.message.apply(entry);
            self.as_of = entry.seq;
        }
    }
}

#[expect(clippy::struct_excessive_bools, reason = "each page that may be on its way is a fact of its own")]
#[derive(Debug, Clone)]
pub struct Timeline {
    pub(in crate::state) load: Load,
    pub(in crate::state) loading_older: bool,
    pub(in crate::state) loading_newer: bool,
    pub(in crate::state) reloading: bool,
    me: UserId,
    offset_min: i32,
    messages: Map<Seq, Held>,
    events: Map<Seq, Entry>,
    own: Map<ClientId, Seq>,
    /// Changes to messages that are not loaded that came while a page was on its way, which may be from before.
    unplaced: Vec<Entry>,
    head: Seq,
    heard: Seq,
    older: bool,
    /// Where the loaded part ends, if that is not at `head`.
    until: Option<Seq>,
    new_above: Option<Seq>,
    rows: Rows,
}

/// Two timelines are equal if they hold the same and show the same.
impl PartialEq for Timeline {
    fn eq(&self, other: &Self) -> bool {
        let messages = |it: &Self| it.messages.values().map(|held| held.message.clone()).collect::<Vec<_>>();
        self.head == other.head
            && self.older == other.older
            && messages(self) == messages(other)
            && self.events == other.events
            && self.rows() == other.rows()
    }
}

impl Timeline {
    /// An empty one. `new_above` is how far its reader has read if the rest shall stand below a new-messages line;
    /// `offset_min` are the minutes by which the reader's clock is ahead of UTC.
    pub fn new(me: UserId, offset_min: i32, new_above: Option<Seq>) -> Self {
        Self {
            load: Load::Missing,
            loading_older: false,
            loading_newer: false,
            reloading: false,
            me,
            offset_min,
            messages: Map::new(),
            events: Map::new(),
            own: Map::new(),
            unplaced: Vec::new(),
            head: Seq::ZERO,
            heard: Seq::ZERO,
            older: false,
            until: None,
            new_above,
            rows: Rows::default(),
        }
    }

    pub fn load(&self) -> &Load {
        &self.load
    }

    pub fn is_ready(&self) -> bool {
        self.load == Load::Ready
    }

    /// Every entry up to here has been taken.
    pub fn head(&self) -> Seq {
        self.head
    }

    /// Whether the log is known to go on past `head`.
    pub fn is_behind(&self) -> bool {
        self.is_ready() && self.heard > self.head
    }

    /// By how many entries.
    pub fn behind_by(&self) -> u64 {
        self.heard.get().saturating_sub(self.head.get())
    }

    /// The log goes up to `head` at least.
    pub fn hear(&mut self, head: Seq) {
        self.heard = self.heard.max(head);
    }

    /// Whether there are older messages than those loaded.
    pub fn has_older(&self) -> bool {
        self.older
    }

    /// The seq of the oldest loaded message: older pages lie before it.
    pub fn oldest(&self) -> Option<Seq> {
        self.messages.keys().next().copied()
    }

    pub fn newest(&self) -> Option<&Message> {
        self.messages.values().next_back().map(|held| &held.message)
    }

    pub fn get(&self, seq: Seq) -> Option<&Message> {
        self.messages.get(&seq).map(|held| &held.message)
    }

    pub fn event(&self, seq: Seq) -> Option<&Entry> {
        self.events.get(&seq)
    }

    /// The message of a row.
    pub fn by_key(&self, key: RowKey) -> Option<&Message> {
        match key {
            RowKey::Message(seq) => self.get(seq),
            RowKey::Own(id) => self.own.get(&id).and_then(|seq| self.get(*seq)),
            RowKey::Day(_) | RowKey::New | RowKey::Event(_) => None,
        }
    }

    pub fn messages(&self) -> impl DoubleEndedIterator<Item = &Message> {
        self.messages.values().map(|held| &held.message)
    }

    /// The rows of what is stored, oldest first.
    pub fn rows(&self) -> &[Row] {
        self.rows.rows()
    }

    /// The list so far, for what stands below it.
    pub(in crate::state) fn rows_so_far(&self) -> Rows {
        self.rows.clone()
    }

    /// Where the new-messages line stands: above the first message of others past this seq.
    pub fn new_above(&self) -> Option<Seq> {
        self.new_above
    }

    /// Moves or removes the new-messages line.
    pub fn set_new_above(&mut self, read: Option<Seq>) -> bool {
        if self.new_above == read {
            return false;
        }
        self.new_above = read;
        self.rebuild();
        true
    }

    /// Whether everything from `seq` up to `head` is loaded.
    pub fn reaches_back_to(&self, seq: Seq) -> bool {
        self.is_ready() && self.until.is_none() && (!self.older || self.oldest().is_some_and(|oldest| oldest <= seq))
    }

    /// Loaded messages of others past `read` and up to `head` that are not deleted, and how many of them mention the reader.
    pub fn count_new(&self, read: Seq, head: Seq) -> (usize, usize) {
        let above = self.messages.range(read.next()..=head.max(read.next())).map(|(_, held)| &held.message);
        let new = above.filter(|message| message.author.id != self.me && !message.deleted);
        new.fold((0, 0), |(all, called), it| (all + 1, called + usize::from(it.content.mentions(self.me))))
    }

    /// The oldest loaded message past `read` that mentions the reader.
    pub fn first_mention(&self, read: Seq) -> Option<Seq> {
        let above = self.messages.range(read.next()..=self.head.max(read.next())).map(|(_, held)| &held.message);
        let mut called = above.filter(|it| it.author.id != self.me && !it.deleted && it.content.mentions(self.me));
        called.next().map(|message| message.seq)
    }

    /// Takes the newest page in place of all there was.
    pub fn reset(&mut self, page: MessagePage) {
        self.messages.clear();
        self.events.clear();
        self.own.clear();
        self.unplaced.clear();
        self.heard = self.heard.max(self.head).max(page.head);
        self.head = page.head;
        self.older = page.has_more;
        self.until = None;
        self.loading_older = false;
        self.loading_newer = false;
        self.reloading = false;
        self.load = Load::Ready;
        self.put(page);
    }

    /// The newest messages as they stand, with what else happened since the first of them; as they came from the server.
    pub(in crate::state) fn newest_page(&self, most: usize) -> Option<MessagePage> {
        if !self.is_ready() || self.until.is_some() {
            return None;
        }
        let left_out = self.messages.len().saturating_sub(most);
        let messages: Vec<Message> = self.messages().skip(left_out).cloned().collect();
        let has_more = left_out > 0 || self.older;
        let first = messages.first().filter(|_| has_more).map_or(Seq::ZERO, |first| first.seq);
        let events = self.events.range(first..).map(|(_, entry)| entry.clone()).collect();
        Some(MessagePage { messages, events, head: self.head, has_more })
    }

    fn put(&mut self, page: MessagePage) {
        for message in page.messages {
            if let Some(id) = message.client_id {
                self.own.insert(id, message.seq);
            }
            self.messages.or_insert_with(message.seq, || Held { message, as_of: page.head });
        }
        for entry in page.events {
            self.events.or_insert_with(entry.seq, || entry);
        }
        self.rebuild();
    }

    /// Takes the next entry of the log.
    pub fn apply(&mut self, entry: &Entry) -> Taken {
        self.hear(entry.seq);
        if !self.is_ready() {
            return Taken::NotLoaded;
        }
        if entry.seq <= self.head {
            return Taken::Old;
        }
        if entry.seq > self.head.next() {
            return Taken::Gap;
        }
        self.head = entry.seq;
        if let Some(target) = entry.what.target() {
            match self.messages.get_mut(&target) {
                Some(held) => held.take(entry),
                None if self.loading_older || self.loading_newer => self.unplaced.push(entry.clone()),
                None => {}
            }
        }
        if self.until.is_some() {
            // It is read again when the reader comes down to it.
            return Taken::Applied;
        }
        if let Some(message) = Message::from_entry(entry) {
            if let Some(id) = message.client_id {
                self.own.insert(id, message.seq);
            }
            self.rows.push(Item::Message(&message), self.me, self.new_above, self.offset_min);
            self.messages.insert(entry.seq, Held { message, as_of: entry.seq });
        } else if entry.what.is_event() {
            self.rows.push(Item::Event(entry), self.me, self.new_above, self.offset_min);
            self.events.insert(entry.seq, entry.clone());
        }
        Taken::Applied
    }

    fn rebuild(&mut self) {
        let mut rows = Rows::default();
        let mut events = self.events.values().peekable();
        for held in self.messages.values() {
            while let Some(event) = events.next_if(|event| event.seq < held.message.seq) {
                rows.push(Item::Event(event), self.me, self.new_above, self.offset_min);
            }
            rows.push(Item::Message(&held.message), self.me, self.new_above, self.offset_min);
        }
        for event in events {
            rows.push(Item::Event(event), self.me, self.new_above, self.offset_min);
        }
        self.rows = rows;
    }
}
