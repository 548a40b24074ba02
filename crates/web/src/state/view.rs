//! What is drawn of one room, put together from its timeline, its members and the outbox.

use super::members::Reached;
use super::order::{Order, sorted};
use super::outbox::{Sending, Unsent};
use super::rows::{Neighbour, Row, RowKey, Rows};
use super::timeline::{Load, Timeline};
use super::{ChatState, Members};
use natter_shared::account::User;
use natter_shared::entry::{Author, Message, Reaction};
use natter_shared::id::{ClientId, FileId, RoomId, Seq, UserId};
use natter_shared::text::DisplayName;
use natter_shared::timestamp::Timestamp;

/// How far one's own message has got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tick {
    /// On its way, or waiting for a connection.
    Sending,
    /// The server refused it, and why; it waits for the person.
    Failed(String),
    /// On the server.
    Stored,
    /// Every other member's client has it.
    Received,
    /// Every other member has read it.
    Read,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplyView {
    pub seq: Seq,
    /// `None` if the message is not loaded.
    pub author: Option<DisplayName>,
    /// Empty if it is not loaded or was deleted.
    pub body: String,
    pub deleted: bool,
}

/// One message as it is drawn, stored or not yet.
#[expect(clippy::struct_excessive_bools, reason = "each is a mark of its own on the bubble")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageView {
    pub key: RowKey,
    /// `None` as long as the server has not confirmed it.
    pub seq: Option<Seq>,
    pub client_id: Option<ClientId>,
    pub author: Author,
    pub own: bool,
    pub at: Timestamp,
    pub body: String,
    pub attachments: Vec<FileId>,
    /// For whom alone it is.
    pub to: Option<UserId>,
    pub reply: Option<ReplyView>,
    pub edited: bool,
    pub deleted: bool,
    pub pinned: bool,
    /// Whether it mentions the reader.
    pub mentions_me: bool,
    pub reactions: Vec<Reaction>,
    /// Whether it is the first of its group: name, picture and time stand there.
    pub starts: bool,
    /// Whether it is the last of its group.
    pub ends: bool,
    /// For one's own messages.
    pub tick: Option<Tick>,
}

/// How a timeline stands as a whole.
#[expect(clippy::struct_excessive_bools, reason = "each is shown, or asked for, by itself")]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TimelineView {
    pub load: Load,
    /// Whether there are older messages to load.
    pub older: bool,
    pub loading_older: bool,
    /// Whether newer messages than those loaded were let go and are to be loaded again.
    pub newer: bool,
    pub loading_newer: bool,
    /// The new-messages line stands above the first message of others past this seq.
    pub new_above: Option<Seq>,
    pub head: Seq,
    /// Whether there is nothing to show at all.
    pub empty: bool,
}

impl ChatState {
    pub fn timeline_view(&self, room: RoomId) -> TimelineView {
        let Some(timeline) = self.timelines.get(&room) else { return TimelineView::default() };
        TimelineView {
            load: timeline.load().clone(),
            older: timeline.has_older(),
            loading_older: timeline.loading_older,
            newer: timeline.has_newer(),
            loading_newer: timeline.loading_newer,
            new_above: timeline.new_above(),
            head: timeline.head(),
            empty: timeline.rows().is_empty() && self.outbox.in_room(room).next().is_none(),
        }
    }

    /// The oldest loaded message under the new-messages line that mentions the reader.
    pub fn first_mention(&self, room: RoomId) -> Option<Seq> {
        let timeline = self.timelines.get(&room)?;
        timeline.first_mention(timeline.new_above()?)
    }

    /// The rows of a room, oldest first, with what is unsent at the end.
    pub fn rows(&self, room: RoomId) -> Vec<Row> {
        let timeline = self.timelines.get(&room);
        let mut rows = timeline.map(Timeline::rows_so_far).unwrap_or_default();
        for item in self.unsent_in(room) {
            rows.push_unsent(item.message.client_id, item.at, self.offset_min);
        }
        Rows::into_rows(rows)
    }

    /// What is not on the screen as a stored message yet.
    fn unsent_in(&self, room: RoomId) -> impl Iterator<Item = &Unsent> {
        let timeline = self.timelines.get(&room);
        self.outbox.in_room(room).filter(move |item| {
            timeline.is_none_or(|timeline| timeline.by_key(RowKey::Own(item.message.client_id)).is_none())
        })
    }

    /// The message of a row.
    pub fn message(&self, room: RoomId, key: RowKey) -> Option<MessageView> {
        let me = self.me()?;
        let timeline = self.timelines.get(&room);
        if let Some((timeline, message)) = timeline.and_then(|timeline| Some((timeline, timeline.by_key(key)?))) {
            return Some(self.stored_view(timeline, message, key, me.id));
        }
        let RowKey::Own(client_id) = key else { return None };
        let item = self.outbox.get(client_id).filter(|item| item.message.room == room)?;
        Some(self.unsent_view(timeline, item, me))
    }

    fn stored_view(&self, timeline: &Timeline, message: &Message, key: RowKey, me: UserId) -> MessageView {
        let (above, below) = timeline.neighbours(message.seq);
        let this = Neighbour::of(message);
        let below = below.or_else(|| {
            let last = timeline.newest().is_some_and(|newest| newest.seq == message.seq) && timeline.last().is_some();
            let first_unsent = self.unsent_in(message.room).next().filter(|_| last)?;
            Some(Neighbour { author: me, to: first_unsent.message.to, at: first_unsent.at })
        });
        let own = message.author.id == me;
        MessageView {
            key,
            seq: Some(message.seq),
            client_id: message.client_id,
            author: self.people.author(&message.author),
            own,
            at: message.at,
            body: message.content.body.as_str().to_owned(),
            attachments: message.content.attachments.clone(),
            to: message.content.to,
            reply: message.content.reply_to.map(|seq| self.reply(timeline, seq)),
            edited: message.edited_at.is_some(),
            deleted: message.deleted,
            pinned: message.pinned,
            mentions_me: !own && message.content.mentions(me),
            reactions: message.reactions.clone(),
            starts: !above.is_some_and(|above| above.groups_with(this, self.offset_min)),
            ends: !below.is_some_and(|below| this.groups_with(below, self.offset_min)),
            tick: own.then(|| tick(self.members.get(&message.room), message)),
        }
    }

    fn unsent_view(&self, timeline: Option<&Timeline>, item: &Unsent, me: &User) -> MessageView {
        let room = item.message.room;
        let unsent: Vec<&Unsent> = self.unsent_in(room).collect();
        let place = unsent.iter().position(|it| it.message.client_id == item.message.client_id).unwrap_or_default();
        let neighbour = |it: &Unsent| Neighbour { author: me.id, to: it.message.to, at: it.at };
        let this = neighbour(item);
        let above = match place.checked_sub(1) {
            Some(above) => unsent.get(above).map(|it| neighbour(it)),
            None => timeline.and_then(Timeline::last),
        };
        let below = unsent.get(place + 1).map(|it| neighbour(it));
        let (seq, at, tick) = match (&item.failed, &item.sending) {
            (Some(why), _) => (None, item.at, Tick::Failed(why.clone())),
            (None, Sending::Stored { seq, at }) => (Some(*seq), *at, Tick::Stored),
            (None, Sending::Queued | Sending::InFlight { .. }) => (None, item.at, Tick::Sending),
        };
        let reply = item.message.reply_to.map(|seq| match timeline {
            Some(timeline) => self.reply(timeline, seq),
            None => ReplyView { seq, author: None, body: String::new(), deleted: false },
        });
        MessageView {
            key: RowKey::Own(item.message.client_id),
            seq,
            client_id: Some(item.message.client_id),
            author: Author::from(me.clone()),
            own: true,
            at,
            body: item.message.body.clone(),
            attachments: item.message.attachments.clone(),
            to: item.message.to,
            reply,
            edited: false,
            deleted: false,
            pinned: false,
            mentions_me: false,
            reactions: Vec::new(),
            starts: !above.is_some_and(|above| above.groups_with(this, self.offset_min)),
            ends: !below.is_some_and(|below| this.groups_with(below, self.offset_min)),
            tick: Some(tick),
        }
    }

    fn reply(&self, timeline: &Timeline, seq: Seq) -> ReplyView {
        match timeline.get(seq) {
            Some(message) => ReplyView {
                seq,
                author: Some(self.people.author(&message.author).display_name),
                body: message.content.body.as_str().to_owned(),
                deleted: message.deleted,
            },
            None => ReplyView { seq, author: None, body: String::new(), deleted: false },
        }
    }

    /// How far a message has got with each of those for whom it is, the slowest first.
    pub fn ticks(&self, room: RoomId, seq: Seq) -> Vec<(User, Reached)> {
        let message = self.timelines.get(&room).and_then(|timeline| timeline.get(seq));
        let (Some(message), Some(members)) = (message, self.members.get(&room)) else { return Vec::new() };
        let all = members.reached(seq, message.author.id, message.content.to).into_iter();
        let all = all.map(|(member, reached)| (member.user.clone(), reached));
        sorted(all, |(user, reached)| Order::new(*reached as i64, user.display_name.as_str().to_lowercase()))
    }
}

fn tick(members: Option<&Members>, message: &Message) -> Tick {
    match members.and_then(|it| it.reached_by_all(message.seq, message.author.id, message.content.to)) {
        Some(Reached::Read) => Tick::Read,
        Some(Reached::Received) => Tick::Received,
        Some(Reached::NotYet) | None => Tick::Stored,
    }
}
