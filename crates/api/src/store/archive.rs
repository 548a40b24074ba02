//! Moving house: what a store gives out so that another one can hold the same, and how that one takes it. Everything is a
//! [`Piece`]; a store writes pieces in their order and repeats them safely.
//!
//! # The contract in words
//!
//! - A [`RoomCut`] is read in one moment: the room, its head, and all who ever were in it, as they are at that head.
//! - Pieces come after those that they name: a person before the rooms of that person, a room before its entries, all
//!   entries up to a cut before the cut. The same room may be cut again, further along.
//! - A store that took all pieces answers every read as the one that gave them did at each room's last cut, and appends at
//!   the seq after it.
//! - [`Archive::take`] is durable when it returns; taking the same pieces again changes nothing.

use super::{Events, Log, NewEntry, RoomRecord, SessionRecord, Stored, UploadRecord, UserRecord};
use async_trait::async_trait;
use natter_shared::entry::{Entry, EntryKind};
use natter_shared::event::Event;
use natter_shared::id::{ClientId, FileId, RoomId, Seq, SessionId, UserId};
use natter_shared::room::{Notify, Role};
use natter_shared::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

/// Something that is kept, as it travels. The JSON of these is the archive's format; see `moving/format.rs`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Piece {
    /// A person, new or as they are by now.
    Person(UserRecord),
    /// From here on there are entries of this room. Its name and code come with its cut: another room may have had them.
    Room(RoomRecord),
    Entry(ArchivedEntry),
    /// The room is whole up to here, and takes its name and code from any other that was cut before.
    Cut(RoomCut),
    /// All rooms are cut. What follows are all people, logins and images, as they are by now.
    Everybody,
    Login(ArchivedLogin),
    /// What is noted of an image; its bytes travel by themselves.
    Upload(UploadRecord),
    /// Of the log of events, the newest first.
    Event(Event),
}

/// An entry of a log, with its author by id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchivedEntry {
    pub room: RoomId,
    pub seq: Seq,
    pub at: Timestamp,
    pub author: UserId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
    #[serde(flatten)]
    pub what: EntryKind,
}

impl ArchivedEntry {
    /// The entry as it was appended, and where it stands.
    pub fn placed(self) -> (Seq, NewEntry) {
        let Self { room, seq, at, author, client_id, what } = self;
        (seq, NewEntry { room, author, at, client_id, what })
    }
}

impl From<Entry> for ArchivedEntry {
    fn from(entry: Entry) -> Self {
        let Entry { room, seq, at, author, client_id, what } = entry;
        Self { room, seq, at, author: author.id, client_id, what }
    }
}

/// A room at its head.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomCut {
    pub room: RoomRecord,
    /// In the order of their ids.
    pub members: Vec<ArchivedMember>,
}

/// How somebody stands to a room; also who has left it or was banned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchivedMember {
    pub user: UserId,
    pub state: MemberState,
    pub role: Role,
    /// The entry by which they came in; none in direct conversations.
    pub joined: Option<Seq>,
    pub delivered: Seq,
    pub read: Seq,
    #[serde(default, skip_serializing_if = "Notify::is_everything")]
    pub notify: Notify,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberState {
    Member,
    Former,
    Banned,
}

/// A login, with what the grace time of its last refresh goes by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchivedLogin {
    pub session: SessionRecord,
    pub rotated_at: Option<Timestamp>,
}

/// About how much there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Census {
    pub people: u64,
    pub logins: u64,
    pub rooms: u64,
    pub entries: u64,
}

/// How a store stands to an archive that is to be taken into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begun {
    /// So many of its chunks are in; 0 in a store that was empty.
    At(u64),
    /// All of it is in.
    Finished,
    /// The store holds something else.
    HoldsOther,
}

#[async_trait]
pub trait Archive: Log + Events {
    async fn census(&self) -> Stored<Census>;
    /// These people, as far as they exist, in no order.
    async fn people(&self, ids: &[UserId]) -> Stored<Vec<UserRecord>>;
    /// All people, by id, after `after`.
    async fn all_people(&self, after: Option<UserId>, limit: u32) -> Stored<Vec<UserRecord>>;
    /// All logins, also those that have ended, by id, after `after`.
    async fn all_logins(&self, after: Option<SessionId>, limit: u32) -> Stored<Vec<ArchivedLogin>>;
    /// What is noted of all images, by id, after `after`.
    async fn all_uploads(&self, after: Option<FileId>, limit: u32) -> Stored<Vec<UploadRecord>>;
    /// All rooms and direct conversations, by id, after `after`.
    async fn all_rooms(&self, after: Option<RoomId>, limit: u32) -> Stored<Vec<RoomId>>;
    /// A room at its head, in one moment; `None` if there is none.
    async fn cut(&self, room: RoomId) -> Stored<Option<RoomCut>>;

    /// Makes an empty store the place of an archive, or says how it stands to it. Of several archives, one gets the store.
    async fn begin_import(&self, archive: &str) -> Stored<Begun>;
    /// Takes the pieces of a chunk of the archive that was begun, and remembers that.
    async fn take(&self, chunk: u64, pieces: Vec<Piece>) -> Stored<()>;
    /// All chunks are in. A room without the name that it should have is a defect of the archive, and an error.
    async fn finish_import(&self) -> Stored<()>;
    /// Whether an import was begun and is not finished: nobody should work with such a store.
    async fn is_half_imported(&self) -> Stored<bool>;
}
