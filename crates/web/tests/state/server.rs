//! The server as the contract describes it, in memory: logs of rooms, pages, overviews, one entry a client id.

use natter_shared::account::User;
use natter_shared::entry::{Author, Entry, EntryKind, Message, MessageContent};
use natter_shared::frame::{Cursors, SendFrame, ServerFrame};
use natter_shared::id::{ClientId, ConnectionId, RoomId, Seq, UserId};
use natter_shared::page::{EntryPage, MessagePage};
use natter_shared::room::{Member, Notify, Role, Room, RoomKind, RoomOverview, Visibility};
use natter_shared::text::{DisplayName, MessageBody, RoomName, Topic, Username};
use natter_shared::timestamp::Timestamp;
use std::collections::BTreeMap;

pub const ENTRIES: usize = 7;
/// A resuming reader that is behind by more is told to load afresh.
pub const RESUME: u64 = 12;

pub fn user(n: u8) -> User {
    let name = ["ann", "bob", "cleo", "dan"][usize::from(n)];
    User {
        id: UserId::from_bytes([n + 1; 16]),
        username: Username::parse(name).unwrap(),
        display_name: DisplayName::parse(name).unwrap(),
        gender: None,
        avatar_url: None,
        guest: false,
        deleted: false,
        bot: false,
    }
}

pub fn room(n: u8) -> RoomId {
    RoomId::from_bytes([0xA0 + n; 16])
}

pub fn seq(n: u64) -> Seq {
    Seq::new(n).unwrap()
}

pub fn text(body: &str) -> EntryKind {
    EntryKind::Message(MessageContent {
        body: MessageBody::parse(body).unwrap(),
        reply_to: None,
        attachments: Vec::new(),
        to: None,
        mentions: Vec::new(),
    })
}

#[derive(Debug, Clone, Copy)]
struct Stand {
    role: Role,
    delivered: Seq,
    read: Seq,
}

#[derive(Debug, Clone)]
struct Log {
    room: Room,
    entries: Vec<Entry>,
    members: BTreeMap<UserId, Stand>,
}

#[derive(Debug, Clone, Default)]
pub struct Server {
    logs: BTreeMap<RoomId, Log>,
    clock: i64,
}

impl Server {
    /// A room in which all four are.
    pub fn open(&mut self, id: RoomId, name: &str) {
        let room = Room {
            id,
            kind: RoomKind::Room,
            name: RoomName::parse(name).unwrap(),
            topic: Topic::parse("").unwrap(),
            visibility: Visibility::Public,
            archived: false,
            created_at: Timestamp::from_millis(0),
            owner: Some(user(0).id),
            member_count: 0,
            role: None,
            peer: None,
        };
        self.logs.insert(id, Log { room, entries: Vec::new(), members: BTreeMap::new() });
        for n in 0..4 {
            self.append(id, &user(n), None, EntryKind::Joined);
        }
    }

    /// Appends to a room's log, or finds what the client id made before.
    pub fn append(&mut self, room: RoomId, author: &User, client_id: Option<ClientId>, what: EntryKind) -> Entry {
        self.clock += 1_000;
        let log = self.logs.get_mut(&room).unwrap();
        let first = log.entries.iter().find(|entry| client_id.is_some() && entry.client_id == client_id);
        if let Some(entry) = first.filter(|entry| entry.author.id == author.id) {
            return entry.clone();
        }
        let seq = seq(u64::try_from(log.entries.len()).unwrap() + 1);
        let at = Timestamp::from_millis(self.clock);
        match &what {
            EntryKind::Joined => {
                log.members.insert(author.id, Stand { role: Role::Member, delivered: seq, read: seq });
            }
            EntryKind::Left => {
                log.members.remove(&author.id);
            }
            EntryKind::Removed { user, .. } => {
                log.members.remove(user);
            }
            EntryKind::Role { user, role } => log.members.get_mut(user).unwrap().role = *role,
            EntryKind::Renamed { name } => log.room.name = name.clone(),
            EntryKind::Topic { topic } => log.room.topic = topic.clone(),
            _ => {}
        }
        let entry = Entry { room, seq, at, author: Author::from(author.clone()), client_id, what };
        log.entries.push(entry.clone());
        entry
    }

    pub fn says(&mut self, room: RoomId, n: u8, body: &str) -> Entry {
        self.append(room, &user(n), None, text(body))
    }

    pub fn sent(&mut self, author: &User, frame: SendFrame) -> Entry {
        let (room, form) = frame.into_form();
        let (client_id, content) = form.parse().unwrap();
        self.append(room, author, Some(client_id), EntryKind::Message(content))
    }

    pub fn is_member(&self, room: RoomId, user: UserId) -> bool {
        self.logs[&room].members.contains_key(&user)
    }

    pub fn head(&self, room: RoomId) -> Seq {
        seq(u64::try_from(self.logs[&room].entries.len()).unwrap())
    }

    pub fn heads(&self) -> Cursors {
        self.logs.keys().map(|room| (*room, self.head(*room))).collect()
    }

    /// Moves somebody's watermarks and says where they stand then.
    pub fn mark(&mut self, room: RoomId, user: UserId, delivered: Seq, read: Seq) -> Option<ServerFrame> {
        let head = self.head(room);
        let stand = self.logs.get_mut(&room).unwrap().members.get_mut(&user)?;
        stand.read = stand.read.max(read.min(head));
        stand.delivered = stand.delivered.max(delivered.min(head)).max(stand.read);
        Some(ServerFrame::Marks { room, user, delivered: stand.delivered, read: stand.read })
    }

    pub fn messages(&self, room: RoomId, reader: UserId) -> Vec<Message> {
        let log = &self.logs[&room].entries;
        let own = |entry: &Entry| entry.seen_by(reader);
        let mut messages: Vec<Message> = log.iter().map(own).filter_map(|entry| Message::from_entry(&entry)).collect();
        for message in &mut messages {
            for entry in log {
                message.apply(entry);
            }
        }
        messages
    }

    /// What is pinned, what was pinned last first.
    pub fn pins(&self, room: RoomId, reader: UserId) -> Vec<Message> {
        let mut pins = self.messages(room, reader);
        pins.retain(|message| message.pinned);
        let log = &self.logs[&room].entries;
        let by = |pin: &Message| log.iter().rposition(|it| it.what == EntryKind::Pinned { target: pin.seq });
        pins.sort_by_key(|pin| std::cmp::Reverse(by(pin)));
        pins
    }

    pub fn page(&self, room: RoomId, reader: UserId, before: Option<Seq>, limit: usize) -> MessagePage {
        let before = before.unwrap_or(Seq::MAX);
        let mut messages = self.messages(room, reader);
        messages.retain(|message| message.seq < before);
        let more = messages.len() > limit;
        let messages = messages.split_off(messages.len().saturating_sub(limit));
        let first = messages.first().filter(|_| more).map_or(Seq::ZERO, |message| message.seq);
        let events = self.logs[&room].entries.iter();
        let events = events.filter(|it| it.what.is_event() && it.seq >= first && it.seq < before);
        let events = events.map(|entry| entry.seen_by(reader)).collect();
        MessagePage { messages, events, head: self.head(room), has_more: more }
    }

    /// The oldest messages after a seq.
    pub fn page_after(&self, room: RoomId, reader: UserId, after: Seq, limit: usize) -> MessagePage {
        let mut messages = self.messages(room, reader);
        messages.retain(|message| message.seq > after);
        let has_more = messages.len() > limit;
        messages.truncate(limit);
        let last = messages.last().filter(|_| has_more).map_or(Seq::MAX, |message| message.seq);
        let events = self.logs[&room].entries.iter();
        let events = events.filter(|it| it.what.is_event() && it.seq > after && it.seq <= last);
        let events = events.map(|entry| entry.seen_by(reader)).collect();
        MessagePage { messages, events, head: self.head(room), has_more }
    }

    /// Half of the messages up to a seq, half after it.
    pub fn page_around(&self, room: RoomId, reader: UserId, around: Seq, limit: usize) -> MessagePage {
        let above = self.page(room, reader, Some(around.next()), limit / 2);
        let below = self.page_after(room, reader, around, limit / 2);
        let last = below.messages.last().map_or(around, |message| message.seq);
        let mut events = above.events;
        events.extend(below.events.into_iter().filter(|entry| entry.seq <= last));
        let messages = [above.messages, below.messages].concat();
        MessagePage { messages, events, head: self.head(room), has_more: above.has_more }
    }

    pub fn entries(&self, room: RoomId, reader: UserId, after: Seq) -> EntryPage {
        let log = &self.logs[&room].entries;
        let rest = log.iter().filter(|entry| entry.seq > after);
        let entries: Vec<Entry> = rest.take(ENTRIES).map(|entry| entry.seen_by(reader)).collect();
        let last = entries.last().map_or(after, |entry| entry.seq);
        EntryPage { complete: last >= self.head(room), entries, head: self.head(room) }
    }

    pub fn members(&self, room: RoomId) -> Vec<Member> {
        let person = |id: UserId| (0..4).map(user).find(|user| user.id == id).unwrap();
        let stands = self.logs[&room].members.iter();
        stands
            .map(|(id, it)| Member {
                user: person(*id),
                role: it.role,
                online: false,
                delivered: it.delivered,
                read: it.read,
            })
            .collect()
    }

    pub fn overviews(&self, reader: UserId) -> Vec<RoomOverview> {
        let mine = self.logs.iter().filter_map(|(id, log)| Some((*id, log, log.members.get(&reader)?)));
        mine.map(|(id, log, stand)| {
            let messages = self.messages(id, reader);
            let unread = messages.iter().filter(|it| it.author.id != reader && it.seq > stand.read && !it.deleted);
            let member_count = u32::try_from(log.members.len()).unwrap();
            RoomOverview {
                room: Room { role: Some(stand.role), member_count, ..log.room.clone() },
                head: self.head(id),
                read: stand.read,
                delivered: stand.delivered,
                unread: u32::try_from(unread.clone().count()).unwrap(),
                mentions: u32::try_from(unread.filter(|it| it.content.mentions(reader)).count()).unwrap(),
                notify: Notify::Everything,
                last_message: messages.last().cloned(),
            }
        })
        .collect()
    }

    /// What a connection hears first: the welcome, and what it missed.
    pub fn hello(&self, reader: &User, cursors: &Cursors) -> Vec<ServerFrame> {
        let mut frames = vec![ServerFrame::Welcome {
            user: reader.clone(),
            connection: ConnectionId::from_bytes([9; 16]),
            rooms: self.overviews(reader.id),
            online: vec![reader.id],
            ping_ms: 25_000,
        }];
        for (room, after) in cursors.iter().filter(|(room, _)| self.is_member(**room, reader.id)) {
            let head = self.head(*room);
            if head.get() > after.get() + RESUME {
                frames.push(ServerFrame::Resync { room: *room, head });
                continue;
            }
            let missed: Vec<Entry> = self.logs[room].entries.iter().filter(|it| it.seq > *after).cloned().collect();
            if !missed.is_empty() {
                let entries = missed.iter().map(|entry| entry.seen_by(reader.id)).collect();
                frames.push(ServerFrame::Entries { room: *room, entries });
            }
        }
        frames
    }
}
