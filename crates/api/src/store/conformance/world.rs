//! What the tests of the contract speak with: people, rooms and entries around one store.

use crate::store::{Appended, CreatedRoom, CreatedUser, NewEntry, NewRoomRecord, NewUser, Refused, RoomRecord, Store};
use natter_shared::account::User;
use natter_shared::entry::{Entry, EntryKind, MessageContent};
use natter_shared::id::{ClientId, RoomId, Seq, UserId};
use natter_shared::room::Visibility;
use natter_shared::text::{DisplayName, Emoji, JoinCode, MessageBody, RoomName, Topic, Username};
use natter_shared::timestamp::Timestamp;
use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// Numbers that look random and are the same in every run.
#[derive(Clone, Copy)]
pub struct Dice(u64);

impl Dice {
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Splitmix64.
    pub const fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.roll() % u64::try_from(n).unwrap()).unwrap()
    }

    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// An empty store and what was made in it.
pub struct World {
    pub store: Arc<dyn Store>,
    made: AtomicU64,
    clock: AtomicI64,
    _kept: Box<dyn Any + Send + Sync>,
}

impl World {
    /// `kept` lives as long as the world does: the folder of the store.
    pub fn new(store: Arc<dyn Store>, kept: impl Any + Send + Sync) -> Self {
        let clock = AtomicI64::new(1_900_000_000_000);
        Self { store, made: AtomicU64::new(1), clock, _kept: Box::new(kept) }
    }

    /// Sixteen bytes that were never given before.
    pub fn fresh(&self) -> [u8; 16] {
        let mut dice = Dice::new(self.made.fetch_add(1, Ordering::SeqCst));
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&dice.roll().to_be_bytes());
        bytes[8..].copy_from_slice(&dice.roll().to_be_bytes());
        bytes
    }

    /// Makes other ids than another world did that has skipped another number of them.
    pub fn skip(&self, n: u64) {
        self.made.fetch_add(n, Ordering::SeqCst);
    }

    /// A moment one millisecond after the last.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.clock.fetch_add(1, Ordering::SeqCst))
    }

    pub fn new_user(&self, name: &str) -> NewUser {
        NewUser {
            id: UserId::from_bytes(self.fresh()),
            username: Username::parse(name).unwrap(),
            display_name: DisplayName::parse(&name.to_uppercase()).unwrap(),
            email: None,
            gender: None,
            password_hash: Some("hash".into()),
            guest: false,
            integration: None,
            created_at: self.now(),
        }
    }

    pub async fn person(&self, name: &str) -> User {
        match self.store.create_user(self.new_user(name)).await.unwrap() {
            CreatedUser::Created(user) => user,
            CreatedUser::UsernameTaken => panic!("{name} is taken"),
        }
    }

    pub fn new_room(&self, name: &str, owner: &User) -> NewRoomRecord {
        let id = self.fresh();
        NewRoomRecord {
            id: RoomId::from_bytes(id),
            name: RoomName::parse(name).unwrap(),
            topic: Topic::parse("").unwrap(),
            visibility: Visibility::Public,
            owner: owner.id,
            code: JoinCode::from_random(*id.first_chunk().unwrap()),
            created_at: self.now(),
        }
    }

    /// A public room with these members, the first of whom is its owner; their `joined` are seqs 1, 2, ….
    pub async fn room(&self, name: &str, members: &[&User]) -> RoomRecord {
        let made = self.store.create_room(self.new_room(name, members[0])).await.unwrap();
        let CreatedRoom::Created(room, _) = made else { panic!("{name}: {made:?}") };
        for member in &members[1..] {
            self.does(room.id, member, EntryKind::Joined).await;
        }
        self.store.room(room.id).await.unwrap().unwrap()
    }

    pub fn entry(&self, room: RoomId, author: &User, what: EntryKind) -> NewEntry {
        let client_id = Some(ClientId::from_bytes(self.fresh()));
        NewEntry { room, author: author.id, at: self.now(), client_id, what }
    }

    pub async fn append(&self, entry: NewEntry) -> Appended {
        let mut appended = self.store.append(vec![entry]).await.unwrap();
        assert_eq!(appended.len(), 1);
        appended.remove(0)
    }

    /// Appends what must be new.
    pub async fn does(&self, room: RoomId, who: &User, what: EntryKind) -> Entry {
        match self.append(self.entry(room, who, what)).await {
            Appended::New(entry) => entry,
            other => panic!("not new: {other:?}"),
        }
    }

    /// Appends what must be there already, and returns the first entry.
    pub async fn repeats(&self, room: RoomId, who: &User, what: EntryKind) -> Entry {
        match self.append(self.entry(room, who, what)).await {
            Appended::Again(entry) => entry,
            other => panic!("not there before: {other:?}"),
        }
    }

    /// Appends what must be refused, and sees that it took no seq.
    pub async fn refused(&self, room: RoomId, who: &User, what: EntryKind) -> Refused {
        let before = self.store.heads(&[room]).await.unwrap();
        match self.append(self.entry(room, who, what)).await {
            Appended::Refused(why) => {
                assert_eq!(self.store.heads(&[room]).await.unwrap(), before);
                why
            }
            other => panic!("not refused: {other:?}"),
        }
    }

    pub async fn says(&self, room: RoomId, who: &User, text: &str) -> Entry {
        self.does(room, who, message(text)).await
    }

    /// The whole log, which has no gaps.
    pub async fn log(&self, room: RoomId) -> Vec<Entry> {
        let mut log: Vec<Entry> = Vec::new();
        loop {
            let after = log.last().map_or(Seq::ZERO, |entry| entry.seq);
            let slice = self.store.entries_after(room, after, 500).await.unwrap().unwrap();
            log.extend(slice.entries);
            let last = log.last().map_or(Seq::ZERO, |entry| entry.seq);
            if last == slice.head {
                break;
            }
            assert!(last > after, "stuck at {last}, the head is {}", slice.head);
        }
        assert_eq!(seqs(&log), (1..=u64::try_from(log.len()).unwrap()).collect::<Vec<_>>());
        log
    }
}

pub fn seqs(entries: &[Entry]) -> Vec<u64> {
    entries.iter().map(|entry| entry.seq.get()).collect()
}

pub fn seq(number: u64) -> Seq {
    Seq::new(number).unwrap()
}

pub fn body(text: &str) -> MessageBody {
    MessageBody::parse(text).unwrap()
}

pub fn emoji(text: &str) -> Emoji {
    Emoji::parse(text).unwrap()
}

fn content(text: &str) -> MessageContent {
    MessageContent { body: body(text), reply_to: None, attachments: Vec::new(), to: None, mentions: Vec::new() }
}

pub fn message(text: &str) -> EntryKind {
    EntryKind::Message(content(text))
}

pub fn reply(text: &str, to: Seq) -> EntryKind {
    EntryKind::Message(MessageContent { reply_to: Some(to), ..content(text) })
}

pub fn whisper(text: &str, to: &User) -> EntryKind {
    EntryKind::Message(MessageContent { to: Some(to.id), ..content(text) })
}

/// The same entry, mentioning these people.
pub fn calling(mut what: EntryKind, whom: &[UserId]) -> EntryKind {
    match &mut what {
        EntryKind::Message(MessageContent { mentions, .. }) | EntryKind::Edited { mentions, .. } => {
            *mentions = whom.to_vec();
        }
        other => panic!("{other:?} mentions nobody"),
    }
    what
}

/// The text of an entry of kind `message` or `edited`.
pub fn text_of(entry: &Entry) -> &str {
    match &entry.what {
        EntryKind::Message(content) => content.body.as_str(),
        EntryKind::Edited { body, .. } => body.as_str(),
        other => panic!("{other:?} has no text"),
    }
}
